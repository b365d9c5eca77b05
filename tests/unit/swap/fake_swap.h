/* fake_swap.h - swap.h in RAM, for the tests of the rooms above swap.
 *
 * Link fake_swap.c and fake_areas.c, and name 'swap' as replaced in the unit's row:
 *
 *     ['launder', [files(meson.project_source_root()
 *        / 'tests/unit/swap/fake_swap.c')], ['swap']]
 *
 * and create it with `struct swap_file file = fake_swap_file(nr_blocks)`.  The
 * settings below are the process's, so one swap at a time; swap_create puts
 * them all back to "off".  They may be changed at any time by any thread.
 *
 * The shadow   each block is UNBACKED, FREE, USED or RETIRED.  Freeing or
 *              retiring what is not USED, I/O on what is not USED, freeing a
 *              block while a write to it is in flight, and leaving I/O or (in
 *              swap_destroy) used blocks behind abort, with the block's number.
 *              A freed block is filled with 0xdd.
 * Completion   done() runs on a thread of the fake, which moves the bytes just
 *              before; requests finish in order unless fake_swap_shuffle.
 */
#ifndef TESTS_FAKE_SWAP_H
#define TESTS_FAKE_SWAP_H

#include "swap.h"

/* Blocks of all areas but the first together, with a gap between each two. */
enum { FAKE_SWAP_MORE_BLOCKS = 1 << 17 };

/* A file for swap_create; 0 blocks: no swap at all. */
struct swap_file fake_swap_file(uint32_t nr_blocks);

/* After n more that succeed, the next `times` fail with -err, then all is well
 * again.  err is positive (EIO); times 0 takes the fault back. */
void fake_swap_fail_read_after(unsigned n, int err, unsigned times);
void fake_swap_fail_write_after(unsigned n, int err, unsigned times);
void fake_swap_fail_grow_after(unsigned n, int err, unsigned times);

/* The host's disk: swap_grow finds no more than this many blocks on it. */
void fake_swap_host_room(uint32_t nr_blocks);
/* swap_grow gives this much more than asked at the least (512 at the start, as
 * the real one gives whole clusters). */
void fake_swap_grow_step(uint32_t nr_blocks);
/* No run of swap_alloc is longer than this: a fragmented swap. */
void fake_swap_max_run(uint32_t nr_blocks);
/* swap_grow takes a frame of the arena for each so many blocks; 0 none. */
void fake_swap_table_blocks(uint32_t nr_blocks);

/* Called by swap_trim, with no lock, before it asks whether a cluster may go. */
void fake_swap_before_release(void (*hook)(void));

/* Each request takes at least this long. */
void fake_swap_delay_us(unsigned us);
/* Requests finish in random order. */
void fake_swap_shuffle(bool on);
/* While on, submitted requests stay in flight until released. */
void fake_swap_hold(bool on);
/* Reads may be begun on lanes, as they may at the start; or no more.  The bytes
 * move, or the fault strikes, in swap_io_result. */
void fake_swap_lends(bool on);
/* Lets the n oldest held requests finish; returns when they have. */
void fake_swap_release(unsigned n);
/* Waits until at least n requests are held. */
void fake_swap_wait_held(unsigned n);
unsigned fake_swap_nr_held(void);

/* Since swap_create. */
struct fake_swap_counts {
    uint64_t reads, writes;           /* requests finished */
    uint64_t read_blocks, written_blocks;
    uint32_t grows, trims;            /* calls */
    uint32_t nr_used, nr_retired;     /* blocks, at this moment */
};
struct fake_swap_counts fake_swap_counts(void);
/* The 4096 bytes of a block, to look at or to spoil. */
void *fake_swap_block(uint32_t block);

#endif

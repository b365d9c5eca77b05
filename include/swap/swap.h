/* swap.h - swap space as the pool sees it: blocks, their growth, their I/O.
 *
 * Joins the pure allocator (space.h), the bytes (file.h) and the engine (io.h)
 * to an area, and up to SWAP_AREAS_MAX areas to one space of block numbers.
 * Blocks come from the area of the highest priority that has any; areas of equal
 * priority take turns by clusters, as swapon(8) has it.
 *
 * Invariants
 *   5   only blocks with disk behind them are handed out; growth happens in
 *       swap_grow, which the charge calls, never in pageout.
 *   8   blocks in use = blocks that the callers have not freed.
 *   W1  a run of blocks that was handed out lies in one area, and blocks of two
 *       areas never have consecutive numbers.
 *
 * Ownership   a block belongs to the caller from swap_alloc to swap_free; its
 *             area stays as long.
 * Locking     locks inside (RANK_SWAP, a leaf but for the arena).  swap_grow,
 *             swap_trim, swap_add, swap_close and swap_drop do disk I/O and are
 *             called with no lock of RANK_BUDGET or later; of several at once
 *             all but one wait.
 * Units       blocks.
 * Errors      0 or -errno.
 */
#ifndef SWAP_SWAP_H
#define SWAP_SWAP_H

#include "arena.h"
#include "audit.h"
#include "file.h"
#include "io.h"
#include "space.h"

/* Table frames that one growth may need. */
enum { SWAP_GROW_TABLES = 4 };
/* Files and devices at once, and the bytes of a name (its end, if longer). */
enum { SWAP_AREAS_MAX = 16, SWAP_NAME_BYTES = 256 };

/*     ACTIVE --swap_close--> CLOSING --swap_leave--> LEAVING --swap_drop--> gone
 *        ^                      |                       |
 *        +----------------------+------swap_reopen------+
 *
 * CLOSING is not grown or trimmed; of LEAVING nothing is handed out either, and
 * the sums below leave it out. */
enum swap_area_state {
    SWAP_AREA_ACTIVE,
    SWAP_AREA_CLOSING,
    SWAP_AREA_LEAVING,
};

struct swap_area_info {
    char name[SWAP_NAME_BYTES]; /* absolute, of what was opened */
    enum swap_area_state state;
    int priority;
    bool device;
    uint32_t first;             /* its first block */
    uint32_t nr_max;            /* blocks, here and below: the most it may have */
    uint32_t nr_backed, nr_used, nr_free, nr_retired;
};

struct swap;

/* With `file` as the first area (fd -1: with none), as swap_add.  Table pages
 * are frames lent by `arena` (arena_frame_alloc above its reserve): the budget
 * subtracts swap_nr_tables from what it has.  max_inflight: of each area. */
int swap_create(struct swap **swap, const struct swap_file *file,
                struct arena *arena, unsigned max_inflight);
void swap_destroy(struct swap *swap);

/* Takes over `file`, closed when the area goes; not on error.  A device too is
 * taken into use step by step, by swap_grow: the tables of what is not needed
 * cost nothing.  priority negative: below all that are there.  -EEXIST: the name
 * is there; -EMFILE; -ENOSPC: no numbers for so many blocks; -ENOMEM. */
int swap_add(struct swap *swap, const struct swap_file *file, int priority);
/* Begins to take an area away, and tells where it is.  -ENOENT; -EBUSY: another
 * is on its way out. */
int swap_close(struct swap *swap, const char *name, uint32_t *first);
/* An area by its first block; leave and get may be called under RANK_BUDGET. */
void swap_leave(struct swap *swap, uint32_t first);
void swap_reopen(struct swap *swap, uint32_t first);
void swap_get(struct swap *swap, uint32_t first, struct swap_area_info *info);
/* The end of a LEAVING area of which no block is in use. */
void swap_drop(struct swap *swap, uint32_t first);
/* Those used first first; returns how many. */
uint32_t swap_list(struct swap *swap,
                   struct swap_area_info list[SWAP_AREAS_MAX]);

/* Puts disk behind at least `want` more blocks if it can (more, up to 64 MiB,
 * when limit and host's room are far; less when the host is full).  *got tells
 * how many came; -ENOSPC when not one did, -EAGAIN when there is no frame for a
 * table at this moment, else 0.  Takes SWAP_GROW_TABLES frames at most. */
int swap_grow(struct swap *swap, uint32_t want, uint32_t *got);
/* Takes wholly free clusters back from the files, the highest of the lowest
 * priority first, at most `max` blocks; returns how many.  For each of them
 * release(ctx, nr) is asked, with no lock of swap held: true means that the
 * caller counts on nr blocks less from now on, and they go; false ends the
 * trim. */
uint32_t swap_trim(struct swap *swap, uint32_t max,
                   bool (*release)(void *ctx, uint32_t nr), void *ctx);
/* Is there an area that swap_trim could make smaller? */
bool swap_can_trim(struct swap *swap);
/* Blocks that the hosts' disks could hold now (statvfs). */
uint64_t swap_room(struct swap *swap);

int swap_alloc(struct swap *swap, uint32_t hint, uint32_t want,
               uint32_t *first, uint32_t *got);
void swap_free(struct swap *swap, uint32_t first, uint32_t nr);
void swap_retire(struct swap *swap, uint32_t first, uint32_t nr);
/* These spoil io->block, too. */
void swap_submit(struct swap *swap, struct swap_io *io);
/* On the caller's thread, and on a ring of his (io.h). */
void swap_run(struct swap *swap, struct swap_io *io);
bool swap_begin(struct swap *swap, struct swap_io *io, struct swap_lane *lane);
/* The block, which is in use, is of a LEAVING area; can be read on a lane. */
bool swap_is_leaving(struct swap *swap, uint32_t block);
bool swap_lends(struct swap *swap, uint32_t block);

/* --- whose the blocks are (claims.c) ---------------------------------------- */

/* The first cluster at or after `from` of which something is in use; BLOCK_NONE
 * if there is none. */
uint32_t swap_audit_next(struct swap *swap, uint32_t from);
/* From here to the end swap tells the audit, whose window begins with cluster
 * `first`, which blocks come and go.  One audit at a time. */
void swap_audit_begin(struct swap *swap, struct audit *audit, uint32_t first);
void swap_audit_end(struct swap *swap);
/* Blocks first..first+nr-1 are pages' own, whose owner's lock the caller holds, so
 * that they stay it.  Claims them up to the first with which something is wrong:
 * how many, and the verdict on the last of these. */
uint32_t swap_audit_claim(struct swap *swap, uint32_t first, uint32_t nr,
                          enum audit_verdict *verdict);
/* Blocks of the window that are in use and that nobody has claimed: the first run
 * of them from *at on, which is moved behind it; how long it is, 0 if there is
 * none.  Of clusters in which blocks were retired nothing is said. */
uint32_t swap_audit_unclaimed(struct swap *swap, uint32_t *at, uint32_t *first);

/* --- figures ----------------------------------------------------------------- */

/* Sums over all areas but LEAVING ones. */
uint32_t swap_nr_free(struct swap *swap);
uint32_t swap_nr_backed(struct swap *swap);
uint32_t swap_nr_max(struct swap *swap);
void swap_stats(struct swap *swap, struct space_stats *stats);
/* Frames of the arena that the allocators' tables occupy. */
uint32_t swap_nr_tables(struct swap *swap);
/* The name of the I/O engine of the area used first; "none" without swap. */
const char *swap_io_engine(struct swap *swap);

#endif

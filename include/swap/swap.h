/* swap.h - swap space as the pool sees it: blocks, their growth, their I/O.
 *
 * Joins the pure allocator (space.h), the bytes (file.h) and the engine (io.h).
 *
 * Invariants
 *   5   only blocks with disk behind them are handed out; growth happens in
 *       swap_grow, which the charge calls, never in pageout.
 *   8   blocks in use = blocks that the callers have not freed.
 *
 * Ownership   a block belongs to the caller from swap_alloc to swap_free.
 * Locking     locks inside (RANK_SWAP, a leaf but for the arena).  swap_grow
 *             and swap_trim do disk I/O and are called with no lock of
 *             RANK_BUDGET or later; of several at once all but one wait.
 * Units       blocks.
 * Errors      0 or -errno.
 */
#ifndef SWAP_SWAP_H
#define SWAP_SWAP_H

#include "arena.h"
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
 * CLOSING is not grown or trimmed; of LEAVING nothing is handed out either. */
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
    uint32_t nr_max;            /* blocks, here and below: the most it may have */
    uint32_t nr_backed, nr_used, nr_free, nr_retired;
};

struct swap {
    struct swap_file file;
    struct space *space;        /* (S) NULL without swap */
    struct swap_engine *engine; /* NULL without swap */
    struct arena *arena;
    struct mutex lock;          /* (S) RANK_SWAP */
    struct cond resized;        /* `resizing` has become false */
    bool resizing;              /* (S) one growth or trim at a time */
    uint32_t nr_tables;         /* (S) frames, spare ones included */
    void *spare[SWAP_GROW_TABLES]; /* (S) tables for the growth under way */
    unsigned nr_spare;          /* (S) */
};

/* Takes over `file` (closed by swap_destroy, not on error).  fd -1 makes a swap
 * without blocks.  A device too is taken into use step by step, by swap_grow:
 * that does no I/O, but the tables of what is not needed cost nothing.  Table
 * pages are frames lent by `arena` (arena_frame_alloc above its reserve): the
 * budget subtracts swap_nr_tables from what it has. */
int swap_create(struct swap **swap, const struct swap_file *file,
                struct arena *arena, unsigned max_inflight);
void swap_destroy(struct swap *swap);

/* Puts disk behind at least `want` more blocks if it can (more, up to 64 MiB,
 * when limit and host's room are far; less when the host is full).  *got tells
 * how many came; -ENOSPC when not one did, -EAGAIN when there is no frame for a
 * table at this moment, else 0.  Takes SWAP_GROW_TABLES frames at most. */
int swap_grow(struct swap *swap, uint32_t want, uint32_t *got);
/* Takes wholly free clusters back from the file, the highest first, at most
 * `max` blocks; returns how many.  For each of them release(ctx, nr) is asked,
 * with no lock of swap held: true means that the caller counts on nr blocks
 * less from now on, and they go; false ends the trim. */
uint32_t swap_trim(struct swap *swap, uint32_t max,
                   bool (*release)(void *ctx, uint32_t nr), void *ctx);

int swap_alloc(struct swap *swap, uint32_t hint, uint32_t want,
               uint32_t *first, uint32_t *got);
void swap_free(struct swap *swap, uint32_t first, uint32_t nr);
void swap_retire(struct swap *swap, uint32_t first, uint32_t nr);
void swap_submit(struct swap *swap, struct swap_io *io);
/* On the caller's thread (io.h). */
void swap_run(struct swap *swap, struct swap_io *io);

uint32_t swap_nr_free(struct swap *swap);
uint32_t swap_nr_backed(struct swap *swap);
/* Frames of the arena that the allocator's tables occupy. */
uint32_t swap_nr_tables(struct swap *swap);
uint32_t swap_nr_max(const struct swap *swap);
void swap_stats(struct swap *swap, struct space_stats *stats);
/* The name of the I/O engine; "none" without swap. */
const char *swap_io_engine(const struct swap *swap);

#endif

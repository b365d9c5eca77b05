/* swap.c - allocator, file and engine, joined.
 *
 * The allocator is pure, so one lock stands around it, held for the few hundred
 * nanoseconds that a search takes.  Its tables live in frames of the arena.
 *
 * The size changes by one thread at a time (`resizing`), with the lock dropped
 * for the disk's part, in an order that keeps promise 5 in between:
 *
 *     grow    put disk behind UNBACKED clusters, then let them be allocated
 *     trim    claim free clusters, ask, make them UNBACKED, then punch them out
 */
#include "swap.h"

#include "log.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
    /* fallocate is not free: far from the limit much is taken at once, near it
     * a part of what is left, so that the limit is not hit in one step. */
    STEP_MOST = (64 << 20) >> PAGE_SHIFT,
    STEP_PART = 8,
};

/* --- table pages, from the arena ------------------------------------------ */

/* The arena may call back to the pool, whose locks come before ours: so frames
 * for tables are put by before the allocator runs. */
static void spare_fill(struct swap *swap) EXCLUDES(swap->lock)
{
    uint32_t frame;

    for (unsigned i = 0; i < SWAP_GROW_TABLES; i++) {
        frame = arena_frame_alloc(swap->arena, swap->arena->reserve);
        if (frame == FRAME_NONE)
            return;
        mutex_lock(&swap->lock, RANK_SWAP);
        swap->spare[swap->nr_spare++] = arena_frame_ptr(swap->arena, frame);
        swap->nr_tables++;
        mutex_unlock(&swap->lock);
    }
}

/* Caller holds swap->lock, as always when the allocator runs. */
static int table_alloc(void *ctx, void **page)
{
    struct swap *swap = ctx;

    if (swap->nr_spare == 0)
        return -EAGAIN;
    *page = swap->spare[--swap->nr_spare];
    memset(*page, 0, PAGE_SIZE);
    return 0;
}

/* Caller holds swap->lock. */
static void table_free(void *ctx, void *page)
{
    struct swap *swap = ctx;

    arena_frame_free(swap->arena, arena_frame_of(swap->arena, page));
    swap->nr_tables--;
}

static const struct space_ops table_ops = { table_alloc, table_free };

static void spare_drop(struct swap *swap) REQUIRES(swap->lock)
{
    while (swap->nr_spare > 0)
        table_free(swap, swap->spare[--swap->nr_spare]);
}

/* --- life ----------------------------------------------------------------- */

int swap_create(struct swap **out, const struct swap_file *file,
                struct arena *arena, unsigned max_inflight)
{
    struct swap *swap = calloc(1, sizeof(*swap));
    int err;

    if (!swap)
        return -ENOMEM;
    swap->file = *file;
    swap->arena = arena;
    if (file->fd >= 0) {
        err = space_create(&swap->space, file->nr_blocks, &table_ops, swap);
        if (err)
            goto free_swap;
        err = swap_engine_create(&swap->engine, &swap->file, SWAP_ENGINE_BEST,
                                 max_inflight);
        if (err)
            goto destroy_space;
    }
    *out = swap;
    return 0;

destroy_space:
    space_destroy(swap->space);
free_swap:
    free(swap);
    return err;
}

void swap_destroy(struct swap *swap)
{
    if (swap->space) {
        swap_engine_destroy(swap->engine);
        mutex_lock(&swap->lock, RANK_SWAP);
        space_check(swap->space);
        space_destroy(swap->space);
        mutex_unlock(&swap->lock);
    }
    INVARIANT("I6", swap->nr_tables == 0);
    swap_file_close(&swap->file);
    free(swap);
}

/* --- growing and trimming ------------------------------------------------- */

static void resize_begin(struct swap *swap)
{
    mutex_lock(&swap->lock, RANK_SWAP);
    while (swap->resizing)
        cond_wait(&swap->resized, &swap->lock);
    swap->resizing = true;
    mutex_unlock(&swap->lock);
}

static void resize_end(struct swap *swap)
{
    mutex_lock(&swap->lock, RANK_SWAP);
    spare_drop(swap);
    swap->resizing = false;
    cond_signal(&swap->resized);
    mutex_unlock(&swap->lock);
}

/* How much to ask of the host for a want of so many blocks. */
static uint32_t step_for(struct swap *swap, uint32_t want)
{
    uint64_t left = swap->file.nr_blocks - swap_nr_backed(swap);

    left = MIN(left, swap_file_room(&swap->file));
    return MIN((uint32_t)STEP_MOST,
               MAX(want, (uint32_t)MIN(left / STEP_PART, (uint64_t)STEP_MOST)));
}

/* One run of clusters, as long as the host has disk for, but at most `step`. */
static int grow_once(struct swap *swap, uint32_t step, uint32_t *got)
{
    uint32_t first, nr;
    int err;

    mutex_lock(&swap->lock, RANK_SWAP);
    nr = space_unbacked(swap->space, step, &first);
    mutex_unlock(&swap->lock);
    if (nr == 0)
        return -ENOSPC;
    while ((err = swap_file_grow(&swap->file, first, nr)) != 0 &&
           nr > SPACE_CLUSTER)
        nr = (uint32_t)round_up(nr / 2, SPACE_CLUSTER);
    if (err)
        return err;
    mutex_lock(&swap->lock, RANK_SWAP);
    err = space_back(swap->space, first, nr);
    mutex_unlock(&swap->lock);
    if (err)
        swap_file_punch(&swap->file, first, nr);
    else
        *got = nr;
    return err;
}

int swap_grow(struct swap *swap, uint32_t want, uint32_t *got)
{
    int err = 0;

    *got = 0;
    lock_assert_none(RANK_BUDGET);
    if (!swap->space)
        return -ENOSPC;
    resize_begin(swap);
    spare_fill(swap);
    while (!err && *got < want) {
        uint32_t n = 0;

        err = grow_once(swap, step_for(swap, want - *got), &n);
        *got += n;
    }
    resize_end(swap);
    if (*got > 0)
        return 0;
    /* However the host says that its disk is full. */
    return err == -EDQUOT ? -ENOSPC : err;
}

/* Clusters taken from the allocator that lie together, to be punched in one. */
struct hole {
    uint32_t first, nr;
};

static void punch(struct swap *swap, struct hole *hole)
{
    if (hole->nr > 0)
        swap_file_punch(&swap->file, hole->first, hole->nr);
    hole->nr = 0;
}

static void hole_extend(struct swap *swap, struct hole *hole, uint32_t first,
                        uint32_t nr)
{
    if (first + nr != hole->first)
        punch(swap, hole);
    hole->first = first;
    hole->nr += nr;
}

/* Takes the highest free cluster below the hole; returns its blocks, or 0 if
 * there is none or the caller of swap_trim wants to keep it. */
static uint32_t trim_once(struct swap *swap, uint32_t max,
                          bool (*release)(void *ctx, uint32_t nr), void *ctx,
                          struct hole *hole)
{
    uint32_t first, nr;
    bool found, released;

    mutex_lock(&swap->lock, RANK_SWAP);
    found = space_claim(swap->space, hole->first, &first, &nr);
    mutex_unlock(&swap->lock);
    if (!found)
        return 0;
    released = nr <= max && release(ctx, nr);
    mutex_lock(&swap->lock, RANK_SWAP);
    if (released)
        space_unback(swap->space, first);
    else
        space_free(swap->space, first, nr);
    mutex_unlock(&swap->lock);
    if (!released)
        return 0;
    hole_extend(swap, hole, first, nr);
    return nr;
}

uint32_t swap_trim(struct swap *swap, uint32_t max,
                   bool (*release)(void *ctx, uint32_t nr), void *ctx)
{
    struct hole hole = { .first = swap->file.nr_blocks };
    uint32_t taken = 0, nr;

    lock_assert_none(RANK_BUDGET);
    if (!swap->space || !swap->file.can_punch)
        return 0;
    resize_begin(swap);
    while ((nr = trim_once(swap, max - taken, release, ctx, &hole)) > 0)
        taken += nr;
    punch(swap, &hole);
    resize_end(swap);
    return taken;
}

/* --- blocks and I/O ------------------------------------------------------- */

int swap_alloc(struct swap *swap, uint32_t hint, uint32_t want,
               uint32_t *first, uint32_t *got)
{
    int err;

    if (!swap->space)
        return -ENOSPC;
    mutex_lock(&swap->lock, RANK_SWAP);
    err = space_alloc(swap->space, hint, want, first, got);
    mutex_unlock(&swap->lock);
    return err;
}

void swap_free(struct swap *swap, uint32_t first, uint32_t nr)
{
    mutex_lock(&swap->lock, RANK_SWAP);
    space_free(swap->space, first, nr);
    mutex_unlock(&swap->lock);
}

void swap_retire(struct swap *swap, uint32_t first, uint32_t nr)
{
    mutex_lock(&swap->lock, RANK_SWAP);
    space_retire(swap->space, first, nr);
    mutex_unlock(&swap->lock);
}

void swap_submit(struct swap *swap, struct swap_io *io)
{
    swap_engine_submit(swap->engine, io);
}

void swap_run(struct swap *swap, struct swap_io *io)
{
    swap_engine_run(swap->engine, io);
}

/* --- figures -------------------------------------------------------------- */

uint32_t swap_nr_free(struct swap *swap)
{
    uint32_t nr;

    if (!swap->space)
        return 0;
    mutex_lock(&swap->lock, RANK_SWAP);
    nr = space_nr_free(swap->space);
    mutex_unlock(&swap->lock);
    return nr;
}

uint32_t swap_nr_backed(struct swap *swap)
{
    uint32_t nr;

    if (!swap->space)
        return 0;
    mutex_lock(&swap->lock, RANK_SWAP);
    nr = space_nr_backed(swap->space);
    mutex_unlock(&swap->lock);
    return nr;
}

uint32_t swap_nr_tables(struct swap *swap)
{
    uint32_t nr;

    mutex_lock(&swap->lock, RANK_SWAP);
    nr = swap->nr_tables;
    mutex_unlock(&swap->lock);
    return nr;
}

uint32_t swap_nr_max(const struct swap *swap)
{
    return swap->file.nr_blocks;
}

void swap_stats(struct swap *swap, struct space_stats *stats)
{
    *stats = (struct space_stats){ 0 };
    if (!swap->space)
        return;
    mutex_lock(&swap->lock, RANK_SWAP);
    space_stats(swap->space, stats);
    mutex_unlock(&swap->lock);
}

const char *swap_io_engine(const struct swap *swap)
{
    return swap->engine ? swap_engine_name(swap->engine) : "none";
}

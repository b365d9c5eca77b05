/* balloon.c - fewer frames for a pool in use, or more.
 *
 * Fewer:
 *
 *     charge_less   once what is charged fits beside so many frames, for which
 *                   the swap file is grown (grow_until), charges stop, in one
 *                   breath, counting on the others.  -ENOSPC, and all is as
 *                   before, if metadata alone are too much (they cannot be paged
 *                   out), or swap is
 *     marks         become those of so many frames, and fewer pages may be
 *                   pinned by requests that wait; who has more pinned is waited
 *                   for, so that there is always something to evict
 *     withhold      batch by batch the frames are taken from whoever frees some,
 *                   in the queue of the writers, and their memory given back
 *
 * The sum of launder.c holds at each step: frames that charges do not count on any
 * more, and that are not withheld yet, are as many more than the reserve that are
 * free, or that pageout can free.  So each batch comes in the end, however full it
 * is, and nobody gets stuck meanwhile.
 *
 * Stopped on its way, or short because writes to swap have failed, it gives back
 * what it has.  More frames are the same in reverse order, and wait for nothing
 * but the pins.
 *
 * What was measured by the frames at the start for the size of a transfer stays:
 * reserve, batch, cluster, descriptors, and the ghosts, which remember as many
 * pages as the pool had at first.  Hence there is a least number of frames:
 * the reserve, and a share for the data with room for the largest request.
 */
#include "pool_internal.h"

#include "log.h"

#include <errno.h>

static uint32_t frames_now(const struct pool *pool)
{
    return arena_nr_frames(pool->arena) - 1;
}

/* Metadata may be nothing, but pages go round in what is left of the frames. */
static uint32_t frames_min(const struct pool *pool)
{
    return MAX(POOL_MIN_FRAMES - 1, 2 * pool->share_min);
}

/* With all the disk there may be. */
static bool could_fit(struct pool *pool, uint32_t frames)
    REQUIRES(pool->budget.lock)
{
    const struct budget *b = &pool->budget;
    uint64_t lacking;

    return budget_fits(pool, frames, &lacking) &&
           lacking <= b->blocks_max - MIN(b->blocks_max,
                                          b->capacity + b->retired);
}

uint32_t balloon_least(struct pool *pool)
{
    uint32_t least = frames_min(pool), most = frames_now(pool);

    while (least < most) {
        uint32_t middle = least + (most - least) / 2;

        if (could_fit(pool, middle))
            most = middle;
        else
            least = middle + 1;
    }
    return least;
}

/* For grow_until. */
static int charge_less(struct pool *pool, uint32_t frames, uint64_t *want)
{
    const struct budget *b = &pool->budget;
    int err = 0;

    budget_resize_begin(pool);
    if (!budget_fits(pool, frames, want))
        err = -ENOSPC;
    else if (*want == 0)
        budget_set_frames(pool, frames);
    else
        err = b->capacity + b->retired < b->blocks_max ? -EAGAIN : -ENOSPC;
    budget_resize_end(pool);
    return err;
}

static void settle(struct pool *pool, uint32_t frames)
{
    pool_set_marks(pool, frames);
    pool->ops->pins_settle(pool->ctx);
}

static int grow(struct pool *pool, uint32_t frames)
{
    int err = arena_yield(pool->arena, frames - frames_now(pool));

    if (err)
        return err;
    budget_resize_begin(pool);
    budget_set_frames(pool, frames);
    budget_resize_end(pool);
    settle(pool, frames);
    frames_wake(pool);
    launder_hope(pool);
    return 0;
}

/* On error as many are withheld as it came to. */
static int shrink(struct pool *pool, uint32_t frames, bool (*stop)(void *ctx),
                  void *ctx)
{
    int err = grow_until(pool, charge_less, frames, stop, ctx);

    if (err)
        return err;
    settle(pool, frames);
    while (!err && frames_now(pool) > frames) {
        if (stop && stop(ctx))
            err = -EINTR;
        else
            err = frames_withhold(pool, MIN(pool->batch,
                                            frames_now(pool) - frames));
    }
    return err;
}

/* Entries of the frame table that others touch meanwhile cost frames, too: hence
 * another look when it is done. */
static int change(struct pool *pool, uint64_t bytes, bool (*stop)(void *ctx),
                  void *ctx)
{
    uint64_t frames;
    int err;

    do {
        frames = arena_frames_for(pool->arena, bytes);
        if (frames > pool->arena->nr_frames || frames <= frames_min(pool))
            return -ERANGE;
        frames--;
        err = frames >= frames_now(pool)
                  ? grow(pool, (uint32_t)frames)
                  : shrink(pool, (uint32_t)frames, stop, ctx);
    } while (!err &&
             arena_frames_for(pool->arena, bytes) < arena_nr_frames(pool->arena));
    return err;
}

int pool_ram_change(struct pool *pool, uint64_t bytes, bool (*stop)(void *ctx),
                    void *ctx)
{
    uint32_t before;
    int err;

    lock_assert_none(RANK_FUSE);
    if (atomic_exchange(&pool->resizing, true))
        return -EBUSY;
    before = frames_now(pool);
    err = change(pool, bytes, stop, ctx);
    if (err) {
        /* Frames that were there can be had again. */
        int again = grow(pool, before);

        INVARIANT("I7", again == 0);
        (void)again;
    }
    atomic_store(&pool->resizing, false);
    return err;
}

/* areas.c - swap areas are added and taken away in use.
 *
 * Adding one raises what may be charged; the keeper and the charges put disk
 * behind it as they do anywhere.
 *
 * Taking one away:
 *
 *     swap_close    it is not grown any more
 *     leave         once the rest can hold all that is charged, for which it is
 *                   grown (grow_until), charges stop, in one breath, counting on
 *                   the area's blocks, and no more of them are handed out.
 *                   -ENOSPC if the rest will not do, and all is as before.
 *     empty         walks over all owners: CLEAN pages with a block of the area
 *                   become DIRTY, those on disk only are read in, which makes
 *                   them DIRTY, and pageout takes them elsewhere.  Until no block
 *                   is in use: a page that is just being written or read is met
 *                   again, or gives its block back itself when that is done.
 *     swap_drop     the file is closed
 *
 * Requests go on all the while.  The sum of launder.c holds at each step: a page
 * on its way out of the area counts neither as a frame nor as one of the blocks
 * that are left, so frames and blocks for it are free by I5, and pageout cannot
 * get stuck; that is why charges give up the blocks first.
 *
 * A page that cannot be read is lost, as in any other read (I11), and its block
 * is retired, which holds nothing up: who takes a failing disk away wants all
 * that can be read, not an error.  Stopped on its way, or short of frames because
 * writes to the rest have failed, the area is again what it was; what has moved
 * stays where it is.
 */
#include "pool_internal.h"

#include "clock.h"

#include <errno.h>

/* Between two walks that met all there was: for transfers to end. */
#define PAUSE_MIN_NS 1000000u
#define PAUSE_MAX_NS 50000000u

/* Whatever the host has refused, there is something new to ask. */
static void ask_again(struct pool *pool) REQUIRES(pool->budget.lock)
{
    pool->budget.refused = false;
    pool->budget.retry_ns = 0;
    grow_poke(pool);
}

int pool_swap_add(struct pool *pool, const struct swap_file *file, int priority)
{
    struct budget *b = &pool->budget;
    int err;

    lock_assert_none(RANK_FUSE);
    budget_resize_begin(pool);
    mutex_unlock(&pool->budget.lock);
    err = swap_add(pool->swap, file, priority);
    mutex_lock(&pool->budget.lock, RANK_BUDGET);
    if (!err) {
        b->blocks_max += file->nr_blocks;
        ask_again(pool);
    }
    budget_resize_end(pool);
    launder_hope(pool);
    return err;
}

uint32_t pool_swap_list(struct pool *pool,
                        struct swap_area_info list[SWAP_AREAS_MAX])
{
    return swap_list(pool->swap, list);
}

static uint32_t good_blocks(const struct swap_area_info *area)
{
    return area->nr_backed - area->nr_retired;
}

/* Charges count on the area's blocks (again), or not any more. */
static void count(struct pool *pool, const struct swap_area_info *area, bool in)
    REQUIRES(pool->budget.lock)
{
    struct budget *b = &pool->budget;
    uint32_t good = good_blocks(area);

    b->capacity += in ? good : 0u - (uint64_t)good;
    b->retired += in ? area->nr_retired : 0u - (uint64_t)area->nr_retired;
    b->blocks_max += in ? area->nr_max : 0u - (uint64_t)area->nr_max;
}

/* For grow_until: the area that begins at block `first`. */
static int leave(struct pool *pool, uint32_t first, uint64_t *want)
{
    const struct budget *b = &pool->budget;
    struct swap_area_info area;
    int err = 0;

    budget_resize_begin(pool);
    swap_get(pool->swap, first, &area);
    *want = budget_lacking(pool, b->frames, b->capacity - good_blocks(&area));
    if (*want == 0) {
        count(pool, &area, false);
        swap_leave(pool->swap, first);
    } else {
        err = b->metadata + b->tables < b->metadata_max ? -EAGAIN : -ENOSPC;
    }
    budget_resize_end(pool);
    return err;
}

static int empty(struct pool *pool, uint32_t first, bool (*stop)(void *ctx),
                 void *ctx)
{
    uint64_t pause_ns = PAUSE_MIN_NS;
    struct swap_area_info area;
    struct pool_walk start, walk;

    swap_get(pool->swap, first, &area);
    walk = start = (struct pool_walk){ .first = first, .nr = area.nr_max };
    for (; area.nr_used > 0; swap_get(pool->swap, first, &area)) {
        int end;

        if (stop && stop(ctx))
            return -EINTR;
        end = pool->ops->vacate(pool->ctx, &walk);
        if (end < 0)
            return end;
        if (end == 0)
            continue;
        walk = start;
        clock_sleep_ns(pause_ns);
        pause_ns = MIN(2 * pause_ns, PAUSE_MAX_NS);
    }
    return 0;
}

/* The area is in use again. */
static void take_back(struct pool *pool, uint32_t first)
{
    struct swap_area_info area;

    budget_resize_begin(pool);
    swap_get(pool->swap, first, &area);
    if (area.state == SWAP_AREA_LEAVING)
        count(pool, &area, true);
    swap_reopen(pool->swap, first);
    ask_again(pool);
    budget_resize_end(pool);
    launder_hope(pool);
}

int pool_swap_remove(struct pool *pool, const char *name,
                     bool (*stop)(void *ctx), void *ctx)
{
    uint32_t first;
    int err;

    lock_assert_none(RANK_FUSE);
    err = swap_close(pool->swap, name, &first);
    if (err)
        return err;
    err = grow_until(pool, leave, first, stop, ctx);
    if (!err)
        err = empty(pool, first, stop, ctx);
    if (err) {
        take_back(pool, first);
        return err;
    }
    swap_drop(pool->swap, first);
    /* Its tables have gone, too. */
    budget_resize_begin(pool);
    budget_resize_end(pool);
    return 0;
}

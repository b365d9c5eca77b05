/* budget.c - the promise that every page accepted has a place.
 *
 * Data and metadata are charged before they are used, a page or frame at a
 * time, under one lock, so that these hold at every instant:
 *
 *     data + metadata          <= limit                               (I6)
 *     data + metadata + tables <= frames - reserve + capacity         (I5)
 *     metadata + tables        <= frames - reserve - the data's share
 *
 * `capacity` is the number of blocks that have disk behind them and have not
 * been retired.  `tables` are the frames that describe them, with a few for the
 * next growth: describing more disk takes a frame now and then, and it must be
 * there when the rest is full.
 *
 * When only the second stands in the way, the swap file can grow (grow.c).  That
 * is disk I/O, so the lock is dropped: a charge that may not wait says -EAGAIN.
 * When the host's disk has refused, charges say -ENOSPC at once for a second.
 *
 * Some of what is spare may be held back (pool_hold).  Only threads that say so
 * are then granted the last of it, data or metadata; and the swap file grows
 * early enough that it is there.
 *
 * Retiring blocks after a write error may break the second inequality.  Then the
 * pool is overcommitted: nothing more is charged, the keeper tries to add disk,
 * and a wait for frames that cannot end returns -ENOSPC.
 */
#include "pool_internal.h"

#include "clock.h"
#include "log.h"

#include <errno.h>

/* Pages that are held need a frame of metadata for so many. */
enum { HELD_MAPPED = 32 };

/* This thread may be granted what is held back. */
static _Thread_local bool uses_held;

void budget_settle(struct pool *pool)
{
    struct budget *b = &pool->budget;
    bool complete = b->capacity + b->retired >= b->blocks_max;
    uint32_t tables = swap_nr_tables(pool->swap);

    b->tables = tables + (complete ? 0 : SWAP_GROW_TABLES);
    atomic_store(&b->overcommitted,
                 budget_used(b) + tables > b->frames + b->capacity);
}

void budget_set_frames(struct pool *pool, uint32_t frames)
{
    struct budget *b = &pool->budget;

    b->frames = frames - pool->reserve;
    b->metadata_max = b->frames - pool_share_of(pool, frames);
}

uint64_t budget_lacking(struct pool *pool, uint64_t frames, uint64_t capacity)
{
    const struct budget *b = &pool->budget;
    uint64_t have = frames + capacity;
    uint64_t need = budget_used(b) + swap_nr_tables(pool->swap) +
                    MIN(b->held, budget_spare(b));

    return need > have ? need - have : 0;
}

bool budget_fits(struct pool *pool, uint32_t frames, uint64_t *lacking)
{
    const struct budget *b = &pool->budget;
    uint32_t counted = frames - pool->reserve;

    *lacking = budget_lacking(pool, counted, b->capacity);
    return b->metadata + b->tables + pool_share_of(pool, frames) <= counted;
}

void budget_init(struct pool *pool, uint64_t limit)
{
    struct budget *b = &pool->budget;

    b->limit = limit ? limit : UINT64_MAX;
    b->blocks_max = swap_nr_max(pool->swap);
    b->capacity = swap_nr_backed(pool->swap);
    b->keeper = KEEPER_AWAKE;
    b->in_vain = UINT64_MAX;
    mutex_lock(&pool->budget.lock, RANK_BUDGET);
    budget_set_frames(pool, arena_nr_frames(pool->arena) - 1);
    budget_settle(pool);
    mutex_unlock(&pool->budget.lock);
}

static uint64_t limit_spare(const struct budget *b)
{
    return b->limit > budget_used(b) ? b->limit - budget_used(b) : 0;
}

uint64_t budget_spare(const struct budget *b)
{
    uint64_t have = b->frames + b->capacity, need = budget_used(b) + b->tables;

    return have > need ? have - need : 0;
}

uint64_t budget_unheld(const struct budget *b, uint64_t spare)
{
    return spare > b->held ? spare - b->held : 0;
}

/* A refusal of the host holds for a while, or until its disk has more room: who
 * deletes a file there may count on it at once. */
static bool host_may_give(struct pool *pool)
{
    const struct budget *b = &pool->budget;

    return b->retry_ns == 0 || clock_monotonic_ns() >= b->retry_ns ||
           swap_room(pool->swap) >= b->refused_room + SPACE_CLUSTER;
}

bool budget_may_grow(struct pool *pool)
{
    const struct budget *b = &pool->budget;

    return b->capacity + b->retired < b->blocks_max &&
           b->metadata + b->tables < b->metadata_max && host_may_give(pool);
}

/* What can be granted of `want`; 0 with *err set.  Caller holds the lock. */
static uint64_t grant(struct pool *pool, uint64_t want, int *err)
    REQUIRES(pool->budget.lock)
{
    const struct budget *b = &pool->budget;
    uint64_t within = limit_spare(b), spare = budget_spare(b), allowed;

    if (!uses_held) {
        within = budget_unheld(b, within);
        spare = budget_unheld(b, spare);
    }
    allowed = MIN(want, within);
    *err = allowed == 0 ? -ENOSPC : 0;
    if (spare >= allowed)
        return allowed;
    if (budget_may_grow(pool))
        *err = -EAGAIN;
    else if (spare == 0)
        *err = -ENOSPC;
    return *err ? 0 : spare;
}

int pool_charge(struct pool *pool, uint32_t want, bool wait, uint32_t *got)
{
    struct budget *b = &pool->budget;
    int err;

    if (wait)
        lock_assert_none(RANK_FUSE);
    for (;;) {
        uint64_t nr;

        mutex_lock(&pool->budget.lock, RANK_BUDGET);
        nr = grant(pool, want, &err);
        b->data += nr;
        grow_poke(pool);
        mutex_unlock(&pool->budget.lock);
        *got = (uint32_t)nr;
        if (err != -EAGAIN || !wait)
            return err;
        if (grow_file(pool, want) == -EAGAIN)
            frames_wait_metadata(pool);
    }
}

/* Something has been given back. */
static void uncharged(struct pool *pool) REQUIRES(pool->budget.lock)
{
    if (atomic_load_explicit(&pool->budget.overcommitted, memory_order_relaxed))
        budget_settle(pool);
    grow_poke(pool);
}

void pool_uncharge(struct pool *pool, uint64_t nr)
{
    struct budget *b = &pool->budget;

    mutex_lock(&pool->budget.lock, RANK_BUDGET);
    INVARIANT("I6", nr <= b->data);
    b->data -= nr;
    uncharged(pool);
    mutex_unlock(&pool->budget.lock);
}

void pool_use_held(bool may)
{
    uses_held = may;
}

uint64_t pool_hold(struct pool *pool, uint64_t nr)
{
    struct budget *b = &pool->budget;
    uint64_t room;

    mutex_lock(&pool->budget.lock, RANK_BUDGET);
    if (b->held != nr) {
        b->held = nr;
        grow_poke(pool);
    }
    room = MIN(limit_spare(b), budget_spare(b));
    mutex_unlock(&pool->budget.lock);
    return room;
}

int budget_charge_metadata(struct pool *pool)
{
    struct budget *b = &pool->budget;
    uint64_t most;
    int err = -ENOSPC;

    mutex_lock(&pool->budget.lock, RANK_BUDGET);
    most = b->metadata_max;
    if (!uses_held)
        most -= MIN(b->held / HELD_MAPPED, most / 2);
    if (b->metadata + b->tables < most)
        b->metadata += grant(pool, 1, &err);
    grow_poke(pool);
    mutex_unlock(&pool->budget.lock);
    return err;
}

void budget_uncharge_metadata(struct pool *pool)
{
    struct budget *b = &pool->budget;

    mutex_lock(&pool->budget.lock, RANK_BUDGET);
    INVARIANT("I6", b->metadata > 0);
    b->metadata--;
    uncharged(pool);
    mutex_unlock(&pool->budget.lock);
}

bool budget_wants_growth(struct pool *pool)
{
    int err;

    mutex_lock(&pool->budget.lock, RANK_BUDGET);
    grant(pool, 1, &err);
    mutex_unlock(&pool->budget.lock);
    return err == -EAGAIN;
}

/* Nobody counts any more on an area that is on its way out; with its last block
 * retired it may be gone at once. */
void budget_retire(struct pool *pool, uint32_t first, uint32_t nr)
{
    struct budget *b = &pool->budget;

    mutex_lock(&pool->budget.lock, RANK_BUDGET);
    if (!swap_is_leaving(pool->swap, first)) {
        INVARIANT("I5", nr <= b->capacity);
        b->capacity -= nr;
        b->retired += nr;
    }
    swap_retire(pool->swap, first, nr);
    budget_settle(pool);
    grow_poke(pool);
    mutex_unlock(&pool->budget.lock);
}

void pool_limit_set(struct pool *pool, uint64_t limit)
{
    mutex_lock(&pool->budget.lock, RANK_BUDGET);
    pool->budget.limit = limit ? limit : UINT64_MAX;
    mutex_unlock(&pool->budget.lock);
}

/* Blocks that there are once the host has given what its disk has: since it last
 * refused, what it gave, and what has become free there since. */
static uint64_t blocks_now(struct pool *pool)
{
    const struct budget *b = &pool->budget;
    uint64_t room, all = b->blocks_max - b->retired;

    if (!b->refused)
        return all;
    room = swap_room(pool->swap);
    return MIN(all, b->capacity +
                        (room > b->refused_room ? room - b->refused_room : 0));
}

/* All that RAM and swap hold with so many blocks. */
static uint64_t capacity_with(const struct budget *b, uint64_t blocks)
{
    return b->frames + blocks > b->tables ? b->frames + blocks - b->tables : 0;
}

int pool_limit_change(struct pool *pool, uint64_t limit)
{
    struct budget *b = &pool->budget;
    uint64_t least;
    int err = 0;

    mutex_lock(&pool->budget.lock, RANK_BUDGET);
    least = budget_used(b);
    if (limit < b->limit)
        least += MIN(b->held, limit_spare(b));
    if (limit != 0 && limit < least)
        err = -EINVAL;
    else if (limit > capacity_with(b, b->blocks_max - b->retired))
        err = -ENOSPC;
    else
        b->limit = limit ? limit : UINT64_MAX;
    mutex_unlock(&pool->budget.lock);
    return err;
}

void budget_stats(struct pool *pool, struct pool_stats *stats)
{
    struct budget *b = &pool->budget;
    uint64_t max;

    mutex_lock(&pool->budget.lock, RANK_BUDGET);
    max = capacity_with(b, blocks_now(pool));
    stats->limit = b->limit == UINT64_MAX ? 0 : b->limit;
    stats->data = b->data;
    stats->metadata = b->metadata;
    stats->metadata_max =
        b->metadata_max - MIN(b->metadata_max, b->tables);
    stats->used = budget_used(b);
    stats->used_max = MAX(MIN(max, b->limit), stats->used);
    stats->frames_least = balloon_least(pool);
    mutex_unlock(&pool->budget.lock);
}

/* grow.c - how much of the host's disk, and of its memory, is held.
 *
 * The file grows when a charge needs it (grow_file), by one thread at a time;
 * others wait for that growth and look again.  So that writers rarely wait, a
 * thread of its own, the keeper, grows it ahead of them, and for pageout when
 * that runs short of blocks.  Pageout itself never grows it, and waits for nobody
 * who does (I9).
 *
 * The keeper also shrinks it: when much more disk is held than charges need, and
 * nothing was paged out for some seconds, clusters that are wholly free go back
 * to the host.  The capacity is lowered first, in `release`, so that no charge
 * counts on a block that is about to vanish.
 *
 * And it gives the memory of free frames back: of those that nobody has taken for
 * a second, the fewest that were free in it.  So frames that come and go stay
 * warm, and what a deletion leaves is gone two seconds later.
 *
 * The keeper looks every second as long as there is something to give back, and
 * otherwise sleeps without a timer.  Blocks that lie scattered, so that no cluster
 * is free, are nothing: when it has found none, it does not look again before
 * something was charged or given back.
 */
#include "pool_internal.h"

#include "clock.h"
#include "log.h"

#include <errno.h>

#define SECOND_NS 1000000000u

/* Blocks.  Ahead of charges: an eighth of RAM or swap, at most 16 MiB if nobody
 * asks for more (pool_grow_ahead). */
enum { AHEAD_MAX = 4096, AHEAD_SHARE = 8 };
/* Surplus that is kept: an eighth of the swap limit, at least 64 MiB; but no more
 * than is in use, so that what held little in the end holds next to nothing. */
enum { KEEP_MIN = 16384, KEEP_SHARE = 8 };
/* Free frames that are not worth a look: 256 KiB. */
enum { WARM_MIN = 64 };
/* After a refusal of the host, and after the last pageout. */
enum { RETRY_SECONDS = 1, QUIET_SECONDS = 5 };

static uint64_t ahead(const struct budget *b)
{
    return MAX(MIN(MAX(b->frames, b->capacity) / AHEAD_SHARE, AHEAD_MAX),
               b->ahead_min);
}

static uint64_t keep(const struct budget *b)
{
    uint64_t most = MAX(b->blocks_max / KEEP_SHARE, KEEP_MIN);

    return round_down(MIN(most, budget_used(b)), SPACE_CLUSTER);
}

static bool growth_due(struct pool *pool) REQUIRES(pool->budget.lock)
{
    const struct budget *b = &pool->budget;

    return (budget_unheld(b, budget_spare(b)) < ahead(b) ||
            b->short_of_blocks) &&
           b->limit > budget_used(b) && budget_may_grow(pool);
}

/* Blocks that could go back to the host: a cluster at least, or there is nothing to
 * look for. */
static uint64_t surplus(struct pool *pool) REQUIRES(pool->budget.lock)
{
    struct budget *b = &pool->budget;
    uint64_t spare = budget_unheld(b, budget_spare(b)), kept = keep(b);

    /* Not what would have to be grown again at once. */
    spare = MIN(spare - MIN(spare, 2 * ahead(b)), b->capacity);
    if (spare < kept + SPACE_CLUSTER || !swap_can_trim(pool->swap))
        return 0;
    return spare - kept;
}

/* Is anything held that may not be needed any more? */
static bool leftover(struct pool *pool) REQUIRES(pool->budget.lock)
{
    const struct budget *b = &pool->budget;

    return arena_nr_warm(pool->arena) > WARM_MIN ||
           (surplus(pool) > 0 && b->in_vain != budget_used(b));
}

void grow_poke(struct pool *pool)
{
    struct budget *b = &pool->budget;

    if (b->keeper == KEEPER_AWAKE)
        return;
    if (!growth_due(pool) &&
        (b->keeper == KEEPER_WATCHING || !leftover(pool)))
        return;
    b->keeper = KEEPER_AWAKE;
    cond_signal(&b->work);
}

void grow_look(struct pool *pool)
{
    mutex_lock(&pool->budget.lock, RANK_BUDGET);
    grow_poke(pool);
    mutex_unlock(&pool->budget.lock);
}

void grow_ask_blocks(struct pool *pool)
{
    struct budget *b = &pool->budget;

    mutex_lock(&pool->budget.lock, RANK_BUDGET);
    b->short_of_blocks = true;
    grow_poke(pool);
    mutex_unlock(&pool->budget.lock);
}

void budget_resize_begin(struct pool *pool)
{
    struct budget *b = &pool->budget;

    mutex_lock(&pool->budget.lock, RANK_BUDGET);
    while (b->resizing)
        cond_wait(&b->resized, &pool->budget.lock);
    b->resizing = true;
}

void budget_resize_end(struct pool *pool)
{
    struct budget *b = &pool->budget;

    budget_settle(pool);
    b->resizing = false;
    cond_broadcast(&b->resized);
    mutex_unlock(&pool->budget.lock);
}

/* What swap_grow said becomes what charges count on. */
static void grown(struct pool *pool, int err, uint32_t got)
    REQUIRES(pool->budget.lock)
{
    struct budget *b = &pool->budget;

    b->capacity += got;
    b->short_of_blocks = false;
    b->refused = err != 0 && err != -EAGAIN;
    b->retry_ns = b->refused
                      ? clock_monotonic_ns() + RETRY_SECONDS * SECOND_NS
                      : 0;
    if (b->refused)
        b->refused_room = swap_room(pool->swap);
}

int grow_file(struct pool *pool, uint64_t want)
{
    struct budget *b = &pool->budget;
    uint32_t got = 0;
    int err = 0;

    lock_assert_none(RANK_FUSE);
    mutex_lock(&pool->budget.lock, RANK_BUDGET);
    if (b->resizing) {
        while (b->resizing)
            cond_wait(&b->resized, &pool->budget.lock);
        mutex_unlock(&pool->budget.lock);
        return 0;
    }
    want = MIN(MAX(want, ahead(b)), b->blocks_max - b->capacity - b->retired);
    if (want == 0) { /* all of it is there: the host has refused nothing */
        mutex_unlock(&pool->budget.lock);
        return -ENOSPC;
    }
    b->resizing = true;
    mutex_unlock(&pool->budget.lock);

    err = swap_grow(pool->swap, (uint32_t)want, &got);

    mutex_lock(&pool->budget.lock, RANK_BUDGET);
    grown(pool, err, got);
    budget_resize_end(pool);
    if (got > 0)
        launder_hope(pool);
    return err;
}

int grow_until(struct pool *pool,
               int (*give_up)(struct pool *pool, uint32_t what, uint64_t *want),
               uint32_t what, bool (*stop)(void *ctx), void *ctx)
{
    uint64_t want;
    int err;

    while ((err = give_up(pool, what, &want)) == -EAGAIN) {
        if (stop && stop(ctx))
            return -EINTR;
        err = grow_file(pool, want);
        if (err == -EAGAIN)
            frames_wait_metadata(pool);
        else if (err)
            return err;
    }
    return err;
}

void pool_grow_ahead(struct pool *pool, uint64_t nr)
{
    bool due;

    do {
        mutex_lock(&pool->budget.lock, RANK_BUDGET);
        pool->budget.ahead_min = nr;
        due = growth_due(pool);
        mutex_unlock(&pool->budget.lock);
    } while (due && grow_file(pool, nr) == 0);
}

/* A cluster is about to go: does the budget agree? */
static bool release(void *ctx, uint32_t nr)
{
    struct pool *pool = ctx;
    struct budget *b = &pool->budget;
    bool agreed;

    mutex_lock(&pool->budget.lock, RANK_BUDGET);
    agreed = surplus(pool) >= nr;
    if (agreed)
        b->capacity -= nr;
    mutex_unlock(&pool->budget.lock);
    return agreed;
}

static bool quiet(struct pool *pool)
{
    uint64_t last = atomic_load_explicit(&pool->launder.last_write_ns,
                                         memory_order_relaxed);

    return clock_monotonic_ns() - last > QUIET_SECONDS * (uint64_t)SECOND_NS;
}

/* One thing to do, with the lock dropped while it is done.  False: nothing. */
static bool keeper_work(struct pool *pool) REQUIRES(pool->budget.lock)
{
    struct budget *b = &pool->budget;
    uint64_t nr = surplus(pool);
    bool done;

    if (growth_due(pool)) {
        mutex_unlock(&pool->budget.lock);
        done = grow_file(pool, 0) != -EAGAIN;
        mutex_lock(&pool->budget.lock, RANK_BUDGET);
        return done;
    }
    if (nr == 0 || b->resizing || !quiet(pool) || b->in_vain == budget_used(b))
        return false;
    b->resizing = true;
    b->in_vain = budget_used(b);
    mutex_unlock(&pool->budget.lock);
    done = swap_trim(pool->swap, (uint32_t)nr, release, pool) > 0;
    mutex_lock(&pool->budget.lock, RANK_BUDGET);
    budget_resize_end(pool);
    mutex_lock(&pool->budget.lock, RANK_BUDGET);
    if (done)
        b->in_vain = UINT64_MAX;
    return done;
}

/* A second has passed. */
static void keeper_trim_memory(struct pool *pool) REQUIRES(pool->budget.lock)
{
    mutex_unlock(&pool->budget.lock);
    arena_trim(pool->arena, arena_idle(pool->arena));
    mutex_lock(&pool->budget.lock, RANK_BUDGET);
}

static void *keeper_main(void *arg)
{
    struct pool *pool = arg;
    struct budget *b = &pool->budget;

    mutex_lock(&pool->budget.lock, RANK_BUDGET);
    while (!b->stop) {
        b->keeper = KEEPER_AWAKE;
        if (keeper_work(pool) || b->stop)
            continue;
        if (leftover(pool) || growth_due(pool)) {
            b->keeper = KEEPER_WATCHING;
            if (!cond_wait_for(&b->work, &pool->budget.lock, SECOND_NS))
                keeper_trim_memory(pool);
        } else {
            b->keeper = KEEPER_IDLE;
            cond_wait(&b->work, &pool->budget.lock);
        }
    }
    mutex_unlock(&pool->budget.lock);
    return NULL;
}

int grow_start(struct pool *pool)
{
    return thread_start(&pool->budget.thread, "pool-keeper", keeper_main, pool);
}

void grow_stop(struct pool *pool)
{
    struct budget *b = &pool->budget;

    mutex_lock(&pool->budget.lock, RANK_BUDGET);
    b->stop = true;
    b->keeper = KEEPER_AWAKE;
    cond_signal(&b->work);
    mutex_unlock(&pool->budget.lock);
    pthread_join(b->thread, NULL);
}

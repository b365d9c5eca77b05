/* frames.c - handing out frames, and waiting for them.
 *
 * Marks on the number of free frames, from the top:
 *
 *     high     pageout stops here
 *     low      pageout starts below
 *     low - batch   readahead stops: what it takes from above low wakes pageout.
 *              (Stopping at low, it was refused a batch while pageout slept.)
 *     min      writers wait below
 *     reserve  from here on only page-ins, which give their block back when
 *              blocks are short, so that they refill it; and metadata
 *     reserve / 4   metadata waits below.  Less than what writers leave each
 *              other, because the frames that a writer has in hand are useless
 *              to him until the map has its node
 *     0
 *
 * When RAM and swap are full, or there is no swap, waiting at min would be in
 * vain (launder_in_vain), though frames are there and promised by the budget.
 * Then writers go on into the upper half of the reserve: a page newly charged
 * finds its frame above the reserve (launder.c has the sum), and a page on swap
 * that is overwritten gives its block back.
 *
 * Waiters stand in two queues by arrival, those of page-ins and the others; only
 * the first of each is served, so a large request is not starved by small ones,
 * and newcomers leave what sleepers wait for.  Whoever frees frames takes them for
 * the first in line and hands them over: one wake-up for each who is served, and
 * none for the others.  (Woken all together, each would take the lock to find out
 * that he must wait on; on a loaded machine one of them is preempted with it, and
 * all stand behind him.)
 *
 *     WAITING --asleep--> PARKED      by himself
 *     WAITING, PARKED --> SERVED      by anyone, once; he is off the queue then,
 *                                     and from that store on his own again
 *
 * A waiter announces himself before he looks, whoever frees looks for sleepers
 * afterwards, and the arena's lock lies between: no wake-up is lost.
 */
#include "pool_internal.h"

#include "clock.h"
#include "log.h"

#include <errno.h>

#define MS_NS 1000000u

enum waiter_state { WAITING, PARKED, SERVED };

struct waiter {
    struct list link;        /* (W) */
    uint32_t nr;             /* (c) as the next two */
    uint32_t *frames;
    enum pool_wait wait;
    int err;                 /* when SERVED: 0, or there will be none */
    _Atomic uint32_t state;  /* futex: enum waiter_state */
};

void frames_init(struct pool *pool)
{
    list_init(&pool->frames.readers);
    list_init(&pool->frames.writers);
}

uint32_t pool_batch(const struct pool *pool)
{
    return pool->batch;
}

static bool exhausted(struct pool *pool)
{
    return atomic_load(&pool->launder.exhausted);
}

/* Frames that must stay free. */
static uint32_t frames_floor(struct pool *pool, enum pool_wait wait)
{
    if (wait == POOL_AHEAD)
        return pool->low - pool->batch;
    if (wait == POOL_WAIT_READ)
        return 0;
    return launder_in_vain(pool) ? pool->reserve / 2 : pool->min;
}

/* frames NULL: they are withheld. */
static bool take(struct pool *pool, uint32_t nr, uint32_t floor,
                 uint32_t *frames)
{
    return frames ? arena_frames_alloc(pool->arena, nr, floor, frames)
                  : arena_withhold(pool->arena, nr, floor);
}

static bool try_get(struct pool *pool, uint32_t nr, uint32_t *frames,
                    enum pool_wait wait)
{
    uint32_t wanted = atomic_load(&pool->frames.wanted);

    return take(pool, nr, frames_floor(pool, wait) + wanted, frames);
}

/* --- waiting: caller holds frames.lock ------------------------------------------ */

static void sleep_begin(struct frames *f, uint32_t nr) REQUIRES(f->lock)
{
    atomic_fetch_add(&f->sleepers, 1);
    atomic_fetch_add(&f->wanted, nr);
}

static void sleep_end(struct frames *f, uint32_t nr) REQUIRES(f->lock)
{
    atomic_fetch_sub(&f->wanted, nr);
    atomic_fetch_sub(&f->sleepers, 1);
}

/* Does his wait end now?  w->err says how. */
static bool ends(struct pool *pool, struct waiter *w)
{
    w->err = 0;
    if (take(pool, w->nr, frames_floor(pool, w->wait), w->frames))
        return true;
    w->err = -ENOSPC;
    return exhausted(pool) && atomic_load(&pool->budget.overcommitted);
}

/* Moves those whose wait ends from the head of a queue to `served`. */
static void serve_queue(struct pool *pool, struct list *queue,
                        struct list *served) REQUIRES(pool->frames.lock)
{
    while (!list_empty(queue)) {
        struct waiter *w = list_entry(queue->next, struct waiter, link);

        if (!ends(pool, w))
            return;
        list_del(&w->link);
        sleep_end(&pool->frames, w->nr);
        list_add_tail(served, &w->link);
    }
}

/* Serves whom it can and drops the lock; then tells them. */
static void serve(struct pool *pool) RELEASE(pool->frames.lock)
{
    struct frames *f = &pool->frames;
    struct list served;
    bool left;

    list_init(&served);
    serve_queue(pool, &f->readers, &served);
    serve_queue(pool, &f->writers, &served);
    if (f->watchers > 0)
        cond_broadcast(&f->came);
    left = !list_empty(&f->readers) || !list_empty(&f->writers);
    mutex_unlock(&pool->frames.lock);
    list_for_each_safe(pos, &served) {
        struct waiter *w = list_entry(pos, struct waiter, link);

        if (atomic_exchange_explicit(&w->state, SERVED,
                                     memory_order_release) == PARKED)
            futex_wake(&w->state, 1);
    }
    if (left)
        launder_kick(pool, KICK_LOW);
}

/* --- waiting -------------------------------------------------------------------- */

static void park(struct waiter *w)
{
    uint32_t seen = WAITING;

    atomic_compare_exchange_strong_explicit(&w->state, &seen, PARKED,
                                            memory_order_relaxed,
                                            memory_order_relaxed);
    while (atomic_load_explicit(&w->state, memory_order_acquire) != SERVED)
        futex_wait(&w->state, PARKED);
}

static int frames_sleep(struct pool *pool, uint32_t nr, uint32_t *frames,
                        enum pool_wait wait)
{
    struct frames *f = &pool->frames;
    struct waiter self = { .nr = nr, .frames = frames, .wait = wait };
    uint64_t began = clock_monotonic_ns();

    lock_assert_none(RANK_FUSE);
    mutex_lock(&pool->frames.lock, RANK_WAIT);
    list_add_tail(wait == POOL_WAIT_READ ? &f->readers : &f->writers,
                  &self.link);
    sleep_begin(&pool->frames, nr);
    serve(pool);
    park(&self);
    if (wait == POOL_WAIT && frames)
        atomic_fetch_add_explicit(&pool->counters.writers_waited_ns,
                                  clock_monotonic_ns() - began,
                                  memory_order_relaxed);
    return self.err;
}

static int frames_get(struct pool *pool, uint32_t nr, uint32_t *frames,
                      enum pool_wait wait)
{
    INVARIANT("batch", nr > 0 && nr <= pool->batch);
    if (try_get(pool, nr, frames, wait))
        return 0;
    if (wait == POOL_AHEAD)
        return -EAGAIN;
    launder_reclaim(pool, nr);
    if (try_get(pool, nr, frames, wait))
        return 0;
    if (wait == POOL_NOWAIT)
        return -EAGAIN;
    return frames_sleep(pool, nr, frames, wait);
}

int pool_frames_get(struct pool *pool, uint32_t nr, uint32_t *frames,
                    enum pool_wait wait)
{
    int err = frames_get(pool, nr, frames, wait);

    if (!err)
        warm_taken(pool, nr);
    return err;
}

int frames_withhold(struct pool *pool, uint32_t nr)
{
    return frames_get(pool, nr, NULL, POOL_WAIT);
}

bool pool_affords_ahead(struct pool *pool)
{
    return arena_nr_free(pool->arena) >=
           (uint64_t)frames_floor(pool, POOL_AHEAD) + pool->batch +
               atomic_load(&pool->frames.wanted);
}

void pool_frames_put(struct pool *pool, uint32_t nr, const uint32_t *frames)
{
    arena_frames_free(pool->arena, nr, frames);
    frames_wake(pool);
}

void frames_wake(struct pool *pool)
{
    struct frames *f = &pool->frames;

    if (atomic_load(&f->sleepers) == 0)
        return;
    mutex_lock(&pool->frames.lock, RANK_WAIT);
    serve(pool);
}

/* Returns when it makes sense to try again, not when a frame is sure: others may
 * be faster.  When nothing can be reclaimed the next try may well be told that
 * the budget is used up; the millisecond is for the case that it is not, and all
 * that could go is pinned at this moment. */
void frames_wait_metadata(struct pool *pool)
{
    struct frames *f = &pool->frames;

    lock_assert_none(RANK_FUSE);
    launder_reclaim(pool, 1);
    mutex_lock(&f->lock, RANK_WAIT);
    sleep_begin(f, 1);
    f->watchers++;
    while (atomic_load(&pool->arena->nr_free) <= pool->arena->reserve) {
        launder_kick(pool, KICK_LOW);
        if (exhausted(pool)) {
            cond_wait_for(&f->came, &f->lock, MS_NS);
            break;
        }
        cond_wait(&f->came, &f->lock);
    }
    f->watchers--;
    sleep_end(f, 1);
    mutex_unlock(&f->lock);
}

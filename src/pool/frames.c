/* frames.c - handing out frames, and waiting for them.
 *
 * Marks on the number of free frames, from the top:
 *
 *     high     pageout stops here
 *     low      pageout starts below; readahead stops; writers are slowed down
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
 * Then writers go on into the upper half of the reserve: a page newly charged finds its frame above the reserve (launder.c
 * has the sum), and a page on swap that is overwritten gives its block back.
 *
 * Waiters stand in two queues by arrival, those of page-ins and the others; only
 * the first of each is served, so a large request is not starved by small ones,
 * and newcomers leave what sleepers wait for.  A waiter announces itself before
 * it looks, whoever frees looks for sleepers afterwards, and the arena's lock
 * lies between: no wake-up is lost.
 */
#include "pool_internal.h"

#include "log.h"

#include <errno.h>

#define MS_NS 1000000u

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
        return pool->low;
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

/* Caller holds frames.lock. */
static void sleep_begin(struct frames *f, uint32_t nr) REQUIRES(f->lock)
{
    atomic_fetch_add(&f->sleepers, 1);
    atomic_fetch_add(&f->wanted, nr);
}

/* Caller holds frames.lock.  The next in a queue may have been waiting for this
 * one to go. */
static void sleep_end(struct frames *f, uint32_t nr) REQUIRES(f->lock)
{
    atomic_fetch_sub(&f->wanted, nr);
    if (atomic_fetch_sub(&f->sleepers, 1) > 1)
        cond_broadcast(&f->came);
}

static int frames_sleep(struct pool *pool, uint32_t nr, uint32_t *frames,
                        enum pool_wait wait)
{
    struct frames *f = &pool->frames;
    struct list *queue = wait == POOL_WAIT_READ ? &f->readers : &f->writers;
    struct list self;
    int err = 0;

    lock_assert_none(RANK_FUSE);
    mutex_lock(&f->lock, RANK_WAIT);
    list_add_tail(queue, &self);
    sleep_begin(f, nr);
    for (;;) {
        bool first = queue->next == &self;

        if (first && take(pool, nr, frames_floor(pool, wait), frames))
            break;
        if (first && exhausted(pool) &&
            atomic_load(&pool->budget.overcommitted)) {
            err = -ENOSPC;
            break;
        }
        launder_kick(pool, KICK_LOW);
        cond_wait(&f->came, &f->lock);
    }
    list_del(&self);
    sleep_end(f, nr);
    mutex_unlock(&f->lock);
    return err;
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
    return frames_get(pool, nr, frames, wait);
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
    mutex_lock(&f->lock, RANK_WAIT);
    cond_broadcast(&f->came);
    mutex_unlock(&f->lock);
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
    while (atomic_load(&pool->arena->nr_free) <= pool->arena->reserve) {
        launder_kick(pool, KICK_LOW);
        if (exhausted(pool)) {
            cond_wait_for(&f->came, &f->lock, MS_NS);
            break;
        }
        cond_wait(&f->came, &f->lock);
    }
    sleep_end(f, 1);
    mutex_unlock(&f->lock);
}

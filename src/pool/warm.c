/* warm.c - memory is put behind free frames before somebody waits for it.
 *
 * A frame that was never used, or whose memory has gone back to the kernel, gets
 * memory when it is first touched: 1.5 us a page, two fifths of what it takes to
 * write a new file.  While somebody writes much, a thread of ours does that ahead,
 * as much as the last batch has taken: the writer's daemon is idle while the
 * writer fills the next request, so another CPU often is, too.
 *
 *     goal 0 --a batch found too few warm frames--> goal: so many are made warm
 *      ^                                                |
 *      +------------ there are, or no cold ones --------+
 *
 * What was made warm in vain goes back a second later, as all free frames do
 * (arena_idle).  Small batches ask for nothing: waking a thread costs more than
 * they would save.  Near the marks nothing is done: then frames are not cold, and
 * the few that are taken out here for a moment might be missed.
 */
#include "pool_internal.h"

enum { BATCH_LARGE = 16, AT_ONCE = 64 };

/* As many as are free whatever this thread has in hand. */
static uint32_t floor_of(const struct pool *pool)
{
    return pool->high + 2 * AT_ONCE;
}

void warm_taken(struct pool *pool, uint32_t nr)
{
    struct warm *warm = &pool->warm;
    uint32_t ready;

    if (nr < BATCH_LARGE)
        return;
    ready = arena_nr_warm(pool->arena);
    if (ready >= nr ||
        arena_nr_free(pool->arena) <= floor_of(pool) + ready)
        return;
    if (atomic_exchange(&warm->goal, nr) == 0)
        futex_wake(&warm->goal, 1);
}

/* One step towards the goal; false: it is reached, as far as that is possible. */
static bool step(struct pool *pool, uint32_t goal)
{
    uint32_t ready = arena_nr_warm(pool->arena);
    uint32_t done = 0;

    if (ready < goal)
        done = arena_warm(pool->arena, MIN(goal - ready, (uint32_t)AT_ONCE),
                          floor_of(pool));
    if (done > 0)
        frames_wake(pool);
    return done > 0;
}

static void *run(void *ctx)
{
    struct pool *pool = ctx;
    struct warm *warm = &pool->warm;

    while (!atomic_load(&warm->stop)) {
        uint32_t goal = atomic_load(&warm->goal);

        if (goal == 0)
            futex_wait(&warm->goal, 0);
        else if (!step(pool, goal))
            atomic_compare_exchange_strong(&warm->goal, &goal, 0);
    }
    return NULL;
}

int warm_start(struct pool *pool)
{
    return thread_start(&pool->warm.thread, "pool-warm", run, pool);
}

void warm_stop(struct pool *pool)
{
    struct warm *warm = &pool->warm;

    atomic_store(&warm->stop, true);
    atomic_store(&warm->goal, 1);
    futex_wake(&warm->goal, 1);
    pthread_join(warm->thread, NULL);
}

/* throttle.c - slowing writers down before they must stop.
 *
 * Without it writers run at memory speed down to min and then all wait at once.
 * Between low and min each page written costs its writer a pause, so that the
 * writers together approach what pageout achieves (after Linux's
 * balance_dirty_pages, by free frames instead of dirty ones, for in a tmpfs all
 * pages are dirty):
 *
 *     pause = pages / (bandwidth * ratio)
 *     ratio = 1 + ((free - set) / (set - min))^3     set = (low + min) / 2
 *
 * ratio is 2 at low, 1 half way, 0 at min.  Pauses below a millisecond are saved
 * up; none is longer than 200 ms, and it ends early when frames have come back.
 * When RAM and swap are full nobody is slowed down: it would help nobody.
 */
#include "pool_internal.h"

#include "clock.h"

enum { PAUSE_MIN_US = 1000, PAUSE_MAX_US = 200000 };

static bool pressed(struct pool *pool)
{
    return arena_nr_free(pool->arena) < pool->low &&
           !launder_in_vain(pool);
}

bool pool_throttle_needed(struct pool *pool)
{
    return pressed(pool);
}

static uint32_t pause_us(struct pool *pool, uint32_t nr)
{
    uint32_t min = pool->min, low = MAX(pool->low, min + 2);
    double set = (low + min) / 2.0;
    double span = set - min;
    double x = ((double)arena_nr_free(pool->arena) - set) / span;
    double rate;

    x = MAX(-1.0, MIN(1.0, x));
    rate = (1.0 + x * x * x) *
           (double)atomic_load_explicit(&pool->launder.pages_per_s,
                                        memory_order_relaxed);
    if (rate * PAUSE_MAX_US <= nr * 1e6)
        return PAUSE_MAX_US;
    return (uint32_t)(nr * 1e6 / rate);
}

/* Sleeps until then, or until the pressure is gone. */
static void pause_until(struct pool *pool, uint64_t end_ns)
{
    struct frames *f = &pool->frames;
    uint64_t now;

    mutex_lock(&f->lock, RANK_WAIT);
    atomic_fetch_add(&f->sleepers, 1);
    while (pressed(pool) && (now = clock_monotonic_ns()) < end_ns)
        cond_wait_for(&f->came, &f->lock, end_ns - now);
    atomic_fetch_sub(&f->sleepers, 1);
    mutex_unlock(&f->lock);
}

void pool_throttle(struct pool *pool, uint32_t nr)
{
    uint64_t start, end;
    uint32_t debt;

    lock_assert_none(RANK_FUSE);
    if (!pressed(pool))
        return;
    launder_kick(pool, KICK_LOW);
    debt = pause_us(pool, nr);
    debt += atomic_exchange_explicit(&pool->throttle_debt_us, 0,
                                     memory_order_relaxed);
    if (debt < PAUSE_MIN_US) {
        atomic_fetch_add_explicit(&pool->throttle_debt_us, debt,
                                  memory_order_relaxed);
        return;
    }
    start = clock_monotonic_ns();
    pause_until(pool, start + MIN(debt, PAUSE_MAX_US) * 1000u);
    end = clock_monotonic_ns();
    atomic_fetch_add_explicit(&pool->counters.throttled_ns, end - start,
                              memory_order_relaxed);
}

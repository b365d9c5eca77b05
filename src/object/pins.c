/* pins.c - how many pages may be pinned by requests that wait for frames.
 *
 * A pinned page cannot be evicted.  A read that pins its first pages and waits
 * for frames for the rest, many times over, could so leave nothing to evict, and
 * all of them waiting for each other.  Splitting the read does not help, for its
 * reply needs all pages at once (a short one means the end of the file to the
 * kernel).
 *
 * So a request that will wait while it holds pins first takes as many as it may
 * come to hold from a budget, and waits for them holding nothing but its range.
 * The budget is what the pool can do without (pool_pins_max).  Whoever holds part
 * of it therefore gets its frames in the end, and gives it back.
 *
 * Requests that find everything resident need none: they pin at one stroke and
 * wait for nothing afterwards.
 *
 * First come, first served: a large request is not starved by small ones.
 *
 * When the pool gets fewer frames the budget is less, at once for who comes; who
 * has taken more is waited for (pins_settle).  When it gets more, waiters look
 * again.
 */
#include "object_internal.h"

#include "log.h"

uint32_t pins_max(const struct object_store *store)
{
    return pool_pins_max(store->pool);
}

uint32_t pins_take(struct object_store *store, uint32_t nr)
{
    struct pin_budget *pins = &store->pins;
    uint64_t ticket;
    uint32_t max;

    lock_assert_none(RANK_FUSE);
    mutex_lock(&pins->lock, RANK_WAIT);
    ticket = pins->tickets++;
    for (;;) {
        max = pins_max(store);
        if (pins->served == ticket && pins->taken + MIN(nr, max) <= max)
            break;
        cond_wait(&pins->changed, &pins->lock);
    }
    nr = MIN(nr, max);
    pins->served++;
    pins->taken += nr;
    if (pins->served != pins->tickets)
        cond_broadcast(&pins->changed);
    mutex_unlock(&pins->lock);
    return nr;
}

void pins_give(struct object_store *store, uint32_t nr)
{
    struct pin_budget *pins = &store->pins;

    mutex_lock(&pins->lock, RANK_WAIT);
    INVARIANT("pins", pins->taken >= nr);
    pins->taken -= nr;
    if (pins->served != pins->tickets || pins->settling)
        cond_broadcast(&pins->changed);
    mutex_unlock(&pins->lock);
}

/* One at a time. */
void pins_settle(struct object_store *store)
{
    struct pin_budget *pins = &store->pins;

    lock_assert_none(RANK_FUSE);
    mutex_lock(&pins->lock, RANK_WAIT);
    pins->settling = true;
    cond_broadcast(&pins->changed);
    while (pins->taken > pins_max(store))
        cond_wait(&pins->changed, &pins->lock);
    pins->settling = false;
    mutex_unlock(&pins->lock);
}

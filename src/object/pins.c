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
 */
#include "object_internal.h"

#include "log.h"

uint32_t pins_max(const struct object_store *store)
{
    return pool_pins_max(store->pool);
}

void pins_take(struct object_store *store, uint32_t nr)
{
    struct pin_budget *pins = &store->pins;
    uint32_t max = pins_max(store);
    uint64_t ticket;

    INVARIANT("pins", nr <= max);
    lock_assert_none(RANK_FUSE);
    mutex_lock(&pins->lock, RANK_WAIT);
    ticket = pins->tickets++;
    while (pins->served != ticket || pins->taken + nr > max)
        cond_wait(&pins->changed, &pins->lock);
    pins->served++;
    pins->taken += nr;
    if (pins->served != pins->tickets)
        cond_broadcast(&pins->changed);
    mutex_unlock(&pins->lock);
}

void pins_give(struct object_store *store, uint32_t nr)
{
    struct pin_budget *pins = &store->pins;

    mutex_lock(&pins->lock, RANK_WAIT);
    INVARIANT("pins", pins->taken >= nr);
    pins->taken -= nr;
    if (pins->served != pins->tickets)
        cond_broadcast(&pins->changed);
    mutex_unlock(&pins->lock);
}

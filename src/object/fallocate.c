/* fallocate.c - space for a range, a hole in it, or zeros.
 *
 * A call has the rangelock over all pages that it touches, partly or whole.
 *
 *     ALLOCATE  holes are counted, charged and filled, some thousand at a time,
 *               with ZEROs *not settled*.  When all are there they are settled;
 *               when space or memory runs out they become holes again and their
 *               charge is given back: all or nothing, and what was there before
 *               is untouched.
 *     PUNCH     whole pages are dropped, the parts at both ends zeroed.
 *     ZERO      ALLOCATE first, so that nothing is lost if that fails; then pages
 *               that were there become ZERO, which needs no charge, and the parts
 *               at both ends are zeroed.
 *
 * The size grows at the end, when nothing can fail any more.
 */
#include "object_internal.h"

#include "log.h"

#include <errno.h>

/* Runs made ZERO in one hold of the lock, and pages without `wait`. */
enum { MAX_RUNS = 256, FEW_PAGES = 1024 };

/* --- allocate ------------------------------------------------------------------ */

/* Steps end where leaves do: a leaf in the range is filled at one stroke, and
 * so folded, or not at all. */
static uint32_t step(uint64_t index, uint64_t end)
{
    uint64_t most = PAGEMAP_FILL_MAX - index % PAGEMAP_LEAF_PAGES;

    return (uint32_t)MIN(end - index, most);
}

static uint32_t holes(struct object_store *store, struct object *object,
                      uint64_t index, uint32_t nr)
{
    uint32_t n;

    mutex_lock(&object->lock, RANK_OBJECT);
    n = pagemap_holes(store->arena, &object->map, index, nr);
    mutex_unlock(&object->lock);
    return n;
}

/* Counts first what will be needed, so that a request that cannot be met does
 * not take space from others meanwhile. */
static int could_fit(struct object_store *store, struct object *object,
                     uint64_t first, uint64_t end)
{
    struct pool_stats stats;
    uint64_t most, needed = 0;

    pool_stats(store->pool, &stats);
    most = stats.used_max - MIN(stats.used, stats.used_max);
    for (uint64_t at = first; at < end; at += step(at, end)) {
        needed += holes(store, object, at, step(at, end));
        if (needed > most)
            return -ENOSPC;
    }
    return 0;
}

/* Charges nr pages or none. */
static int charge(struct object_store *store, uint32_t nr, bool wait)
{
    uint32_t had = 0;

    while (had < nr) {
        uint32_t got = 0;
        int err = pool_charge(store->pool, nr - had, wait, &got);

        if (err) {
            if (had > 0)
                pool_uncharge(store->pool, had);
            return err;
        }
        had += got;
    }
    return 0;
}

/* Fills the holes of one step, which are charged. */
static int fill_step(struct object_store *store, struct object *object,
                     uint64_t index, uint32_t nr, bool wait)
{
    for (;;) {
        int err;

        mutex_lock(&object->lock, RANK_OBJECT);
        err = pagemap_fill(store->arena, &object->map, index, nr);
        mutex_unlock(&object->lock);
        if (err != -EAGAIN || !wait)
            return err;
        arena_wait(store->arena);
    }
}

/* Returns how many pages it has settled. */
static uint64_t settle(struct object_store *store, struct object *object,
                       uint64_t first, uint64_t end, bool keep)
{
    uint64_t settled = 0;

    for (uint64_t at = first; at < end; at += step(at, end)) {
        mutex_lock(&object->lock, RANK_OBJECT);
        settled += pagemap_settle(store->arena, &object->map, at,
                                  step(at, end), keep);
        mutex_unlock(&object->lock);
    }
    return settled;
}

/* Gives back what a failed call has filled.  `charged` pages of the step that
 * failed were charged; some of them may be in the map. */
static void undo(struct object_store *store, struct object *object,
                 uint64_t first, uint64_t end, uint64_t filled, uint32_t charged)
{
    uint64_t removed = settle(store, object, first, end, false);

    INVARIANT("I8", filled <= removed && removed <= filled + charged);
    (void)removed;
    if (filled + charged > 0)
        pool_uncharge(store->pool, filled + charged);
}

static int allocate(struct object_store *store, struct object *object,
                    uint64_t first, uint64_t end, bool wait)
{
    uint64_t filled = 0;
    int err = could_fit(store, object, first, end);

    if (err)
        return err;
    for (uint64_t at = first; at < end; at += step(at, end)) {
        uint32_t nr = step(at, end), needed = holes(store, object, at, nr);

        if (needed == 0)
            continue;
        err = charge(store, needed, wait);
        if (err) {
            undo(store, object, first, at, filled, 0);
            return err;
        }
        err = fill_step(store, object, at, nr, wait);
        if (err) {
            undo(store, object, first, at + nr, filled, needed);
            return err;
        }
        filled += needed;
    }
    filled -= settle(store, object, first, end, true);
    INVARIANT("I8", filled == 0);
    return 0;
}

/* --- zeros --------------------------------------------------------------------- */

/* Some runs from *index on become ZERO. */
static int zero_some(struct object_store *store, struct object *object,
                     uint64_t *index, uint64_t end)
{
    struct pagemap_run run;
    int err = 0;

    mutex_lock(&object->lock, RANK_OBJECT);
    for (unsigned runs = 0; runs < MAX_RUNS && !err; runs++) {
        if (!pagemap_next_run(store->arena, &object->map, *index, end, &run)) {
            *index = end;
            break;
        }
        if (pagemap_entry_kind(run.entry) != ENTRY_ZERO)
            err = run_replace(store, object, &run, ENTRY_ZERO);
        if (err)
            break;
        *index = run.index + run.nr;
        if (*index % PAGEMAP_LEAF_PAGES == 0)
            pagemap_fold(store->arena, &object->map, run.index);
    }
    mutex_unlock(&object->lock);
    return err;
}

static int zero_pages(struct object_store *store, struct object *object,
                      uint64_t first, uint64_t end, bool wait)
{
    while (first < end) {
        int err = zero_some(store, object, &first, end);

        if (err == -EAGAIN && wait)
            arena_wait(store->arena);
        else if (err)
            return err;
    }
    return 0;
}

/* The bytes of from..to-1 that fill no page. */
static int zero_ends(struct object_store *store, struct object *object,
                     uint64_t from, uint64_t to, bool wait)
{
    uint32_t head = (uint32_t)(from & PAGE_MASK);
    uint32_t tail = (uint32_t)(to & PAGE_MASK);
    int err = 0;

    if (page_of(from) == page_of(to))
        return head < tail
                   ? zero_part(store, object, page_of(from), head, tail, wait)
                   : 0;
    if (head != 0)
        err = zero_part(store, object, page_of(from), head, PAGE_SIZE, wait);
    if (!err && tail != 0)
        err = zero_part(store, object, page_of(to), 0, tail, wait);
    return err;
}

int punch_locked(struct object_store *store, struct object *object,
                 uint64_t from, uint64_t to, bool wait)
{
    uint64_t first = pages_for(from), end = page_of(to);
    int err = zero_ends(store, object, from, to, wait);

    if (err || first >= end)
        return err;
    return drop_pages(store, object, first, end, wait);
}

static int zero_locked(struct object_store *store, struct object *object,
                       uint64_t from, uint64_t to, bool wait)
{
    uint64_t first = pages_for(from), end = page_of(to);
    int err = allocate(store, object, page_of(from), pages_for(to), wait);

    if (!err)
        err = zero_ends(store, object, from, to, wait);
    if (!err && first < end)
        err = zero_pages(store, object, first, end, wait);
    return err;
}

int object_fallocate(struct object_store *store, struct object *object,
                     enum object_fallocate_mode mode, uint64_t offset,
                     uint64_t length, bool keep_size, bool wait)
{
    struct range range;
    uint64_t end;
    int err;

    if (length == 0)
        return -EINVAL;
    if (offset > OBJECT_MAX_SIZE || length > OBJECT_MAX_SIZE - offset)
        return -EFBIG;
    end = offset + length;
    if (!wait && pages_for(end) - page_of(offset) > FEW_PAGES)
        return -EAGAIN;
    err = lock_for_write(object, &range, round_down(offset, PAGE_SIZE),
                         round_up(end, PAGE_SIZE), wait);
    if (err)
        return err;
    if (mode == OBJECT_ALLOCATE)
        err = allocate(store, object, page_of(offset), pages_for(end), wait);
    else if (mode == OBJECT_PUNCH)
        err = punch_locked(store, object, offset, end, wait);
    else
        err = zero_locked(store, object, offset, end, wait);
    if (!err && mode != OBJECT_PUNCH && !keep_size && end > object_size(object))
        atomic_store_explicit(&object->size, end, memory_order_release);
    rangelock_unlock(&object->range, &range);
    return err;
}

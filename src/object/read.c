/* read.c - bytes of a file as pinned frames, ready for a reply.
 *
 * A read shares the rangelock over its bytes, clips itself at the size (which
 * cannot change under it: whoever moves the end of the file has the range to
 * infinity), pins its pages and hands out an iovec that points into them.  Nobody
 * copies; object_read_end unpins.
 *
 * It tries first without waiting, which is all that most reads need.  If pages
 * are on swap it takes its share of the pin budget (pins.c), starts reading them,
 * starts reading ahead, and only then waits.
 *
 * Who may not wait has the pages begun (object_read_start) and tries again when
 * they are there.  It has no range meanwhile, nor pins: as with readahead, the map
 * says of each page that it is being read, and whoever changes the file deals with
 * that.  The second try finds what is true then.
 *
 * A page that an I/O error ate ends the read before it: what lies before is
 * returned, or -EIO if nothing does.
 */
#include "object_internal.h"

#include <errno.h>

uint32_t object_read_max(struct object_store *store)
{
    return (MIN(pins_max(store), IO_MAX_PAGES) - 1) * PAGE_SIZE;
}

/* The iovec of bytes offset..end-1, behind the caller's iov[0]; adjacent frames
 * share an element. */
static void build_iov(struct object_store *store, uint64_t offset, uint64_t end,
                      struct object_read *read)
{
    struct iovec *last = &read->iov[0];
    uint64_t at = offset;

    read->iov_count = 0;
    for (uint32_t i = 0; at < end; i++) {
        uint32_t within = (uint32_t)(at & PAGE_MASK);
        size_t n = (size_t)MIN((uint64_t)(PAGE_SIZE - within), end - at);
        uint8_t *base = arena_frame_ptr(store->arena, read->pins[i]);

        base += within;
        if (read->iov_count > 0 &&
            (uint8_t *)last->iov_base + last->iov_len == base) {
            last->iov_len += n;
        } else {
            last = &read->iov[++read->iov_count];
            last->iov_base = base;
            last->iov_len = n;
        }
        at += n;
    }
    read->bytes = (size_t)(end - offset);
}

/* Where readahead thinks, or the user said, that reading goes on.  A random miss
 * brings its neighbours along: they become the window. */
static void plan_ahead(struct readahead *ahead, struct object *object,
                       struct object_store *store, struct span want,
                       bool missed, struct readahead_plan *plan,
                       struct span *window)
{
    enum object_advice advice = object_advice(object);
    uint64_t limit = pages_for(object_size(object));
    uint32_t max = pins_max(store) / 2;

    if (!ahead || advice == OBJECT_RANDOM)
        return;
    if (advice == OBJECT_SEQUENTIAL)
        readahead_sequential(ahead, want.first, want.nr, missed, limit, max,
                             plan);
    else
        readahead_plan(ahead, want.first, want.nr, missed, limit, max, plan);
    if (!plan->around)
        return;
    if (plan->first <= want.first &&
        plan->first + plan->nr >= want.first + want.nr)
        *window = (struct span){ plan->first, plan->nr };
    plan->nr = 0;
}

/* Starts reading there, and says how far that went. */
static void go_ahead(struct object_store *store, struct object *object,
                     struct readahead *ahead, const struct readahead_plan *plan)
{
    struct span next = { plan->first, plan->nr };
    uint32_t nr = ahead_start(store, object, next, plan->back);

    if (nr < plan->nr)
        readahead_stopped(ahead, plan, nr);
}

/* What came of former guesses. */
static void note(struct readahead *ahead, const struct readahead_plan *plan,
                 const struct resident *resident)
{
    if (plan->foreseen > 0)
        readahead_weigh(ahead, plan->foreseen,
                        MIN(plan->foreseen, resident->begun));
    for (uint32_t i = 0; i < resident->useful; i++)
        readahead_note(ahead, true);
    for (uint32_t i = 0; i < resident->extra; i++)
        readahead_note(ahead, false);
}

int read_locked(struct object_store *store, struct object *object,
                struct readahead *ahead, uint64_t offset, size_t length,
                bool wait, struct object_read *read)
{
    uint64_t end = offset + length;
    struct span want = { page_of(offset),
                         (uint32_t)(pages_for(end) - page_of(offset)) };
    struct readahead_plan plan = { 0 };
    struct span window = want;
    struct resident resident;
    int err;

    if (wait)
        plan_ahead(ahead, object, store, want, true, &plan, &window);
    err = resident_begin(store, object, want, window, wait, read->pins,
                         &resident);
    if (err)
        return err;
    if (!wait)
        plan_ahead(ahead, object, store, want, false, &plan, &window);
    if (ahead) {
        note(ahead, &plan, &resident);
        go_ahead(store, object, ahead, &plan);
    }
    err = resident_finish(store, read->pins, &resident);
    if (err)
        return err;
    read->nr_pins = resident.got;
    build_iov(store, offset,
              MIN(end, (want.first + resident.got) << PAGE_SHIFT), read);
    return 0;
}

void read_done(struct object_store *store, struct object_read *read)
{
    resident_unpin(store, read->nr_pins, read->pins);
}

int object_read_start(struct object_store *store, struct object *object,
                      struct readahead *ahead, uint64_t offset, size_t length,
                      struct swap_lane *lane)
{
    uint64_t end = MIN(offset + length, object_size(object));
    struct span want = { page_of(offset), 0 }, window;
    struct readahead_plan plan = { 0 };
    struct resident resident;
    uint32_t begun;

    if (length > OBJECT_MAX_IO || offset >= end)
        return -EAGAIN;
    want.nr = (uint32_t)(pages_for(end) - want.first);
    window = want;
    if (!lane_wanted(store, object, want))
        return -EAGAIN;
    plan_ahead(ahead, object, store, want, true, &plan, &window);
    begun = lane_read(store, object, want, window, lane, &resident);
    if (ahead && begun > 0) {
        note(ahead, &plan, &resident);
        go_ahead(store, object, ahead, &plan);
    } else if (ahead && plan.nr > 0) {
        readahead_stopped(ahead, &plan, 0);
    }
    return (int)begun;
}

/* Tries at one stroke, then in earnest. */
static int read_waiting(struct object_store *store, struct object *object,
                        struct readahead *ahead, uint64_t offset, size_t length,
                        struct object_read *read)
{
    uint32_t nr, pages = (uint32_t)(pages_for(offset + length) -
                                    page_of(offset));
    int err = read_locked(store, object, ahead, offset, length, false, read);

    if (err != -EAGAIN)
        return err;
    nr = pins_take(store, pages);
    if (nr < pages)
        length = (size_t)(((page_of(offset) + nr) << PAGE_SHIFT) - offset);
    err = read_locked(store, object, ahead, offset, length, true, read);
    pins_give(store, nr);
    return err;
}

int object_read_begin(struct object_store *store, struct object *object,
                      struct readahead *ahead, uint64_t offset, size_t length,
                      bool wait, struct object_read *read)
{
    uint64_t size;
    int err = 0;

    if (length > OBJECT_MAX_IO || offset > OBJECT_MAX_SIZE)
        return -EINVAL;
    read->nr_pins = 0;
    read->iov_count = 0;
    read->bytes = 0;
    if (wait)
        rangelock_lock(&object->range, &read->range, offset,
                       offset + MAX(length, 1u), RANGE_SHARED);
    else
        err = rangelock_trylock(&object->range, &read->range, offset,
                                offset + MAX(length, 1u), RANGE_SHARED);
    if (err)
        return err;
    size = object_size(object);
    if (length == 0 || offset >= size)
        return 0;
    length = (size_t)MIN((uint64_t)length, size - offset);
    err = wait ? read_waiting(store, object, ahead, offset, length, read)
               : read_locked(store, object, ahead, offset, length, false, read);
    if (err)
        rangelock_unlock(&object->range, &read->range);
    return err;
}

void object_read_end(struct object_store *store, struct object *object,
                     struct object_read *read)
{
    if (object_advice(object) == OBJECT_SEQUENTIAL)
        read_leaves_cold(store, object, read);
    read_done(store, read);
    rangelock_unlock(&object->range, &read->range);
}

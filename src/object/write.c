/* write.c - bytes into pages: charge, frames, copy, install.
 *
 * Whether a write fits is decided first: the holes among its pages are counted
 * and charged; a grant for fewer cuts the write before the first hole that got
 * none.  Afterwards the map may want memory that comes out of the same limit: then
 * pages are cut off the end of the write, and their charge given back, until there
 * is room for it.  What has been put into the map stays.
 *
 * The pages are then done in batches, each in three steps:
 *
 *     plan     lock held   what each page needs:
 *                            IN_PLACE  it is in memory: copy there
 *                            FRESH     a new frame: holes, zeros, and pages that
 *                                      are overwritten whole, wherever they are
 *                            ZERO      nothing: all of it is zeros now
 *     fill     no lock     frames are got, and the FRESH ones filled while nobody
 *                          else knows them: the data, around it zeros (I4)
 *     install  lock held   looks again, puts the FRESH ones into the map as DIRTY
 *                          pages, pins and marks those IN_PLACE
 *     copy     no lock     into the pages IN_PLACE, which are then unpinned
 *
 * Between plan and install a page may have been evicted, read in, or (if it is
 * only partly written here, and partly by somebody else) installed by another.
 * The batch ends before the first page whose plan does not fit any more; the next
 * plan sees what is the case.
 *
 * A page partly written that is on swap is read first, and done alone, so that
 * its pin is held over no wait for frames.
 *
 * Without `wait` a write is one batch, done whole or not at all.
 *
 * The charge follows the map: a charge that was taken for a hole is spent when a
 * page is installed over one, and what is left at the end is given back.
 */
#include "object_internal.h"

#include "log.h"
#include "write.h"

#include <errno.h>

/* Why a plan ends before its batch does. */
enum stop { STOP_NONE, STOP_SWAPPED, STOP_LOST };

static bool is_whole(const struct write *w, uint64_t index)
{
    return part_from(w, index) == 0 && part_to(w, index) == PAGE_SIZE;
}

/* --- the charge ---------------------------------------------------------------- */

static int charge_holes(struct write *w)
{
    uint64_t first = page_of(w->offset);
    uint32_t nr = (uint32_t)(pages_for(w->end) - first), holes = 0, got = 0, i;
    pagemap_entry entries[IO_MAX_PAGES];
    int err;

    mutex_lock(&w->object->lock, RANK_OBJECT);
    pagemap_get_run(w->store->arena, &w->object->map, first, nr, entries);
    mutex_unlock(&w->object->lock);
    for (i = 0; i < nr; i++)
        holes += entries[i] == 0;
    if (holes == 0)
        return 0;
    err = pool_charge(w->store->pool, holes, w->wait, &got);
    if (err && err != -ENOSPC)
        return err;
    w->charged = got;
    if (got == holes)
        return 0;
    for (i = 0; entries[i] != 0 || got > 0; i++)
        got -= entries[i] == 0;
    if ((first + i) << PAGE_SHIFT <= w->offset)
        return -ENOSPC;
    w->end = (first + i) << PAGE_SHIFT;
    return 0;
}

/* The map got no memory: makes room for it, by cutting at least `nr` holes off the
 * end of what is left from page `index` on.  False if nothing would be left. */
static bool give_way(struct write *w, uint64_t index, uint32_t nr)
{
    pagemap_entry entries[IO_MAX_PAGES];
    uint32_t left = (uint32_t)(pages_for(w->end) - index), given = 0;

    mutex_lock(&w->object->lock, RANK_OBJECT);
    pagemap_get_run(w->store->arena, &w->object->map, index, left, entries);
    mutex_unlock(&w->object->lock);
    while (left > 1 && given < MIN(nr, w->charged))
        given += entries[--left] == 0;
    if (given == 0)
        return false;
    w->end = (index + left) << PAGE_SHIFT;
    w->charged -= given;
    pool_uncharge(w->store->pool, given);
    return true;
}

/* --- plan ---------------------------------------------------------------------- */

/* Which pages get nothing but zeros; only a guess at what they become. */
static void note_zeros(const struct write *w, struct batch *b)
{
    for (uint32_t i = 0; i < b->nr; i++) {
        uint64_t index = b->first + i;
        size_t n = part_to(w, index) - part_from(w, index);

        b->plan[i] = source_is_zero(w->source, part_pos(w, index), n)
                         ? PLAN_ZERO : PLAN_FRESH;
    }
}

/* What the page needs, given what its entry says now and what is written. */
static enum stop plan_page(const struct write *w, pagemap_entry entry,
                           bool whole, uint8_t *plan)
{
    switch (pagemap_entry_kind(entry)) {
    case ENTRY_HOLE:
    case ENTRY_ZERO:
        return STOP_NONE;
    case ENTRY_LOST:
        return whole ? STOP_NONE : STOP_LOST;
    case ENTRY_BLOCK:
        return whole ? STOP_NONE : STOP_SWAPPED;
    case ENTRY_FRAME:
        break;
    }
    if (!entry_is_ready(w->store, entry))
        return whole ? STOP_NONE : STOP_SWAPPED;
    if (!whole || *plan != PLAN_ZERO)
        *plan = PLAN_IN_PLACE;
    return STOP_NONE;
}

/* Cuts the batch to what can be done at once, and says why. */
static enum stop plan_batch(const struct write *w, struct batch *b)
{
    pagemap_entry entries[SWAP_IO_MAX_PAGES];
    enum stop stop = STOP_NONE;
    uint32_t i;

    mutex_lock(&w->object->lock, RANK_OBJECT);
    pagemap_get_run(w->store->arena, &w->object->map, b->first, b->nr, entries);
    b->nr_fresh = 0;
    for (i = 0; i < b->nr; i++) {
        stop = plan_page(w, entries[i], is_whole(w, b->first + i), &b->plan[i]);
        if (stop != STOP_NONE)
            break;
        b->nr_fresh += b->plan[i] == PLAN_FRESH;
    }
    b->nr = i;
    mutex_unlock(&w->object->lock);
    return stop;
}

/* --- fill ---------------------------------------------------------------------- */

static int fill(const struct write *w, struct batch *b)
{
    uint32_t frames[SWAP_IO_MAX_PAGES], used = 0;
    int err;

    if (b->nr_fresh == 0)
        return 0;
    err = pool_frames_get(w->store->pool, b->nr_fresh, frames,
                          w->wait ? POOL_WAIT : POOL_NOWAIT);
    if (err)
        return err;
    for (uint32_t i = 0; i < b->nr; i++)
        if (b->plan[i] == PLAN_FRESH)
            b->frame[i] = frames[used++];
    copy_planned(w, b, PLAN_FRESH);
    return 0;
}

/* FRESH frames of pages from..nr-1, which were not needed after all. */
static void put_unused(const struct write *w, const struct batch *b,
                       uint32_t from)
{
    uint32_t frames[SWAP_IO_MAX_PAGES], n = 0;

    for (uint32_t i = from; i < b->nr; i++)
        if (b->plan[i] == PLAN_FRESH)
            frames[n++] = b->frame[i];
    if (n > 0)
        pool_frames_put(w->store->pool, n, frames);
}

/* --- install ------------------------------------------------------------------- */

static bool plan_holds(const struct write *w, pagemap_entry entry, bool whole,
                       enum plan plan)
{
    if (plan == PLAN_IN_PLACE)
        return entry_is_ready(w->store, entry);
    return whole || pagemap_entry_kind(entry) <= ENTRY_ZERO;
}

/* Caller holds the lock. */
static void install_page(struct write *w, uint64_t index, pagemap_entry entry,
                         enum plan plan, uint32_t *frame)
{
    struct object_store *store = w->store;
    struct pagemap_run old = { index, 1, entry };
    pagemap_entry now = ENTRY_ZERO;

    if (plan == PLAN_IN_PLACE) {
        *frame = pagemap_entry_number(entry);
        pool_page_pin(store->pool, *frame);
        pool_page_dirty(store->pool, *frame);
        pool_page_touch(pool_page(store->arena, *frame));
        return;
    }
    INVARIANT("I8", entry != 0 || w->charged > 0);
    w->charged -= entry == 0;
    run_release(store, &old);
    if (plan == PLAN_FRESH) {
        pool_page_insert(store->pool, *frame, object_handle(store, w->object),
                         index, PAGE_DIRTY, BLOCK_NONE, false);
        now = pagemap_entry_make(ENTRY_FRAME, *frame);
    }
    pagemap_set(store->arena, &w->object->map, index, now);
}

/* Installs the first *done pages of the batch, those whose plan still holds. */
static int install_locked(struct write *w, struct batch *b, uint32_t *done)
    REQUIRES(w->object->lock)
{
    struct arena *arena = w->store->arena;
    struct pagemap *map = &w->object->map;
    pagemap_entry entries[SWAP_IO_MAX_PAGES];
    uint32_t n = 0;
    int err;

    *done = 0;
    pagemap_get_run(arena, map, b->first, b->nr, entries);
    while (n < b->nr && plan_holds(w, entries[n], is_whole(w, b->first + n),
                                   (enum plan)b->plan[n]))
        n++;
    if (n < b->nr && !w->wait)
        return -EAGAIN;
    if (n == 0)
        return 0;
    err = pagemap_prepare(arena, map, b->first, n);
    if (err)
        return err;
    for (uint32_t i = 0; i < n; i++)
        install_page(w, b->first + i, entries[i], (enum plan)b->plan[i],
                     &b->frame[i]);
    for (uint32_t i = 0; i < n; i += 32)
        pagemap_fold(arena, map, b->first + i);
    *done = n;
    return 0;
}

static int install(struct write *w, struct batch *b, uint32_t *done)
{
    int err;

    mutex_lock(&w->object->lock, RANK_OBJECT);
    err = install_locked(w, b, done);
    mutex_unlock(&w->object->lock);
    return err;
}

/* --- one batch, and all of them -------------------------------------------------- */

/* A page that is partly written and is on swap, or being read. */
static int write_swapped(const struct write *w, uint64_t index)
{
    uint32_t frame;
    int err = resident_pin_dirty(w->store, w->object, index, true, &frame);

    if (err)
        return err;
    INVARIANT("I4", frame != FRAME_ZERO);
    copy_part(w, index, frame);
    pool_page_unpin(w->store->pool, frame);
    return 0;
}

static int write_planned(struct write *w, struct batch *b, uint32_t *done)
{
    int err = fill(w, b);

    *done = 0;
    if (err)
        return err;
    err = install(w, b, done);
    put_unused(w, b, *done);
    b->nr = *done;
    copy_planned(w, b, PLAN_IN_PLACE);
    for (uint32_t i = 0; i < b->nr; i++)
        if (b->plan[i] == PLAN_IN_PLACE)
            pool_page_unpin(w->store->pool, b->frame[i]);
    if (err == -EAGAIN && w->wait) {
        arena_wait(w->store->arena);
        return 0;
    }
    return err;
}

/* Writes some pages from `index` on; *done is how many. */
static int write_some(struct write *w, uint64_t index, uint64_t end,
                      uint32_t *done)
{
    uint32_t nr = (uint32_t)MIN(end - index,
                                (uint64_t)pool_batch(w->store->pool));
    struct batch b = { .first = index, .nr = nr };
    enum stop stop;
    int err;

    note_zeros(w, &b);
    stop = plan_batch(w, &b);
    if (stop == STOP_SWAPPED && !w->wait)
        return -EAGAIN;
    if (b.nr > 0)
        return write_planned(w, &b, done);
    if (stop == STOP_LOST)
        return -EIO;
    err = write_swapped(w, index);
    *done = !err;
    return err;
}

int write_locked(struct object_store *store, struct object *object,
                 uint64_t offset, struct source *source, size_t length,
                 bool wait, size_t *written)
{
    struct write w = { store, object, source, offset, offset + length, 0, wait };
    uint64_t index = page_of(offset), reached;
    uint32_t way = 1;
    int err;

    *written = 0;
    if (length == 0)
        return 0;
    if (!wait && pages_for(w.end) - index > pool_batch(store->pool))
        return -EAGAIN;
    err = charge_holes(&w);
    while (!err && index < pages_for(w.end)) {
        uint32_t done = 0;

        err = write_some(&w, index, pages_for(w.end), &done);
        index += done;
        if (err == -ENOSPC && give_way(&w, index, way)) {
            way *= 2;
            err = 0;
        }
    }
    if (w.charged > 0)
        pool_uncharge(store->pool, w.charged);
    reached = MIN(w.end, index << PAGE_SHIFT);
    if (reached <= offset)
        return err;
    *written = (size_t)(reached - offset);
    return 0;
}

int lock_for_write(struct object *object, struct range *range, uint64_t offset,
                   uint64_t end, bool wait)
{
    for (;;) {
        uint64_t size = object_size(object);
        bool grows = end > size;
        uint64_t from = grows ? MIN(offset, size) : offset;
        uint64_t to = grows ? RANGE_END : end;
        int err = 0;

        if (wait)
            rangelock_lock(&object->range, range, from, to, RANGE_EXCLUSIVE);
        else
            err = rangelock_trylock(&object->range, range, from, to,
                                    RANGE_EXCLUSIVE);
        if (err)
            return err;
        size = object_size(object);
        if (end <= size || (grows && from <= size))
            return 0;
        rangelock_unlock(&object->range, range);
    }
}

int object_write(struct object_store *store, struct object *object,
                 uint64_t offset, const void *data, size_t length, bool wait,
                 size_t *written)
{
    struct iovec iov = { (void *)(uintptr_t)data, length };
    struct source source = { &iov, 0, 0 };
    struct range range;
    int err;

    *written = 0;
    if (length == 0)
        return 0;
    if (length > OBJECT_MAX_IO)
        return -EINVAL;
    if (offset >= OBJECT_MAX_SIZE)
        return -EFBIG;
    length = (size_t)MIN((uint64_t)length, OBJECT_MAX_SIZE - offset);
    err = lock_for_write(object, &range, offset, offset + length, wait);
    if (err)
        return err;
    err = write_locked(store, object, offset, &source, length, wait, written);
    if (*written > 0 && offset + *written > object_size(object))
        atomic_store_explicit(&object->size, offset + *written,
                              memory_order_release);
    rangelock_unlock(&object->range, &range);
    return err;
}

/* resident.c - the pages of a range, brought into memory and pinned there.
 *
 * What an entry says, and what is done:
 *
 *     HOLE, ZERO   reads as zeros: the arena's zero frame, which needs no pin
 *     FRAME        pinned; if it is being read, waited for at the end
 *     BLOCK        a run of contiguous blocks is read with one I/O: its pages
 *                  become READING in the map first, so that others wait for them
 *                  and do not read them again
 *     LOST         the range ends before it
 *
 * All reads are under way before the first is waited for; the last of them, which
 * mostly is the only one, is done by the caller's own thread in the end, because
 * two wake-ups cost more than a page.
 *
 * Frames and the descriptor are got with no lock held, so the map is looked at
 * again afterwards: somebody else may have brought the pages in, or readahead
 * may have.  Frames come first: who holds a descriptor waits for nothing any
 * more, so waiting for one needs only disk I/O to finish.
 */
#include "object_internal.h"

#include "log.h"

#include <errno.h>

void resident_unpin(struct object_store *store, uint32_t nr,
                    const uint32_t *frames)
{
    for (uint32_t i = 0; i < nr; i++)
        if (frames[i] != FRAME_ZERO)
            pool_page_unpin(store->pool, frames[i]);
}

/* --- one read ------------------------------------------------------------------ */

/* Frames for all; if there are none for what is not wanted, that is left out.
 * frames[] are those of the whole run. */
static int run_frames(struct object_store *store, struct page_in *in,
                      uint32_t *frames)
{
    uint32_t extra = in->before + in->after, more[SWAP_IO_MAX_PAGES];
    int err = 0;

    if (in->wanted > 0)
        err = pool_frames_get(store->pool, in->wanted, frames + in->before,
                              in->lane ? POOL_NOWAIT : POOL_WAIT_READ);
    if (err || extra == 0)
        return err;
    err = pool_frames_get(store->pool, extra, more,
                          in->patient ? POOL_WAIT : POOL_AHEAD);
    if (err && in->wanted == 0)
        return err;
    if (err) {
        for (uint32_t i = 0; i < in->wanted; i++)
            frames[i] = frames[in->before + i];
        in->index += in->before;
        in->entries += in->before;
        in->before = in->after = 0;
        return 0;
    }
    for (uint32_t i = 0; i < in->before; i++)
        frames[i] = more[i];
    for (uint32_t i = 0; i < in->after; i++)
        frames[in->before + in->wanted + i] = more[in->before + i];
    return 0;
}

/* How many of the first nr entries are still what they were. */
static uint32_t unchanged(struct object_store *store, struct object *object,
                          const struct page_in *in, uint32_t nr)
    REQUIRES(object->lock)
{
    pagemap_entry now[SWAP_IO_MAX_PAGES];
    uint32_t n = 0;

    pagemap_get_run(store->arena, &object->map, in->index, nr, now);
    while (n < nr && now[n] == in->entries[n])
        n++;
    return n;
}

/* The pages become READING, as many as are still on swap: *nr. */
static int run_insert(struct object_store *store, struct object *object,
                      const struct page_in *in, const uint32_t *frames,
                      uint32_t *nr) REQUIRES(object->lock)
{
    uint32_t owner = object_handle(store, object);
    int err = 0;

    *nr = unchanged(store, object, in, *nr);
    if (*nr <= in->before && in->wanted > 0)
        *nr = 0;
    if (*nr > 0)
        err = pagemap_prepare(store->arena, &object->map, in->index, *nr);
    INVARIANT("M3", err == 0 || err == -EAGAIN);
    if (err || *nr == 0) {
        *nr = 0;
        return err;
    }
    for (uint32_t i = 0; i < *nr; i++) {
        bool wanted = i >= in->before && i < in->before + in->wanted;

        pool_page_insert(store->pool, frames[i], owner, in->index + i,
                         PAGE_READING, pagemap_entry_number(in->entries[i]),
                         !wanted && !in->patient);
        pagemap_set(store->arena, &object->map, in->index + i,
                    pagemap_entry_make(ENTRY_FRAME, frames[i]));
        if (wanted && !in->lane)
            pool_page_pin(store->pool, frames[i]);
    }
    object_pool_ops.hold(store, owner);
    return 0;
}

int resident_start(struct object_store *store, struct object *object,
                   struct page_in *in, uint32_t *frames)
{
    uint32_t run[SWAP_IO_MAX_PAGES], all, nr;
    bool wait = in->patient || (in->wanted > 0 && !in->lane);
    struct pool_io *io;
    int err = run_frames(store, in, run);

    if (err) {
        in->before = in->wanted = in->after = 0;
        return err;
    }
    nr = all = in->before + in->wanted + in->after;
    io = pool_io_get(store->pool, wait);
    if (io) {
        mutex_lock(&object->lock, RANK_OBJECT);
        err = run_insert(store, object, in, run, &nr);
        mutex_unlock(&object->lock);
    } else {
        err = -EAGAIN;
        nr = 0;
    }
    in->before = MIN(in->before, nr);
    in->wanted = MIN(in->wanted, nr - in->before);
    in->after = nr - in->before - in->wanted;
    for (uint32_t i = 0; i < in->wanted && !in->lane; i++)
        frames[i] = run[in->before + i];
    if (nr < all)
        pool_frames_put(store->pool, all - nr, run + nr);
    if (nr == 0) {
        if (io)
            pool_io_put(store->pool, io);
        return err;
    }
    pool_io_prepare(store->pool, io, object_handle(store, object), in->index,
                    pagemap_entry_number(in->entries[0]), nr, run);
    if (in->lane)
        pool_io_begin(io, in->lane);
    else if (in->last && nr == all)
        *in->last = io;
    else
        pool_io_submit(io);
    return err;
}

/* --- the range ----------------------------------------------------------------- */

/* Pins a page that was found in memory, and notes that it is used: the first
 * time, if it came by readahead, is what it came for.  Caller holds the lock. */
static uint32_t pin_found(struct object_store *store, pagemap_entry entry,
                          struct resident *resident)
{
    uint32_t frame = pagemap_entry_number(entry);

    pool_page_pin(store->pool, frame);
    resident->useful += pool_page_asked(store->pool, frame);
    return frame;
}

/* Pins what needs no I/O, up to the first page that is on swap or lost; returns
 * how many.  Caller holds the lock. */
static uint32_t pin_prefix(struct object_store *store,
                           const pagemap_entry *entries, uint32_t nr,
                           uint32_t *frames, struct resident *resident)
{
    uint32_t i;

    for (i = 0; i < nr; i++) {
        enum entry_kind kind = pagemap_entry_kind(entries[i]);

        if (kind == ENTRY_BLOCK || kind == ENTRY_LOST)
            break;
        frames[i] = kind == ENTRY_FRAME
                        ? pin_found(store, entries[i], resident)
                        : FRAME_ZERO;
    }
    return i;
}

/* Everything is there: pins it all.  If not, pins nothing.  Caller holds the
 * lock. */
static bool pin_all(struct object_store *store, const pagemap_entry *entries,
                    uint32_t nr, uint32_t *frames, struct resident *resident)
{
    uint32_t n;

    for (n = 0; n < nr; n++) {
        enum entry_kind kind = pagemap_entry_kind(entries[n]);

        if (kind == ENTRY_LOST)
            break;
        if (kind == ENTRY_BLOCK ||
            (kind == ENTRY_FRAME && !entry_is_ready(store, entries[n])))
            return false;
    }
    resident->got = pin_prefix(store, entries, n, frames, resident);
    return true;
}

static bool contiguous(pagemap_entry a, pagemap_entry b)
{
    return pagemap_entry_kind(a) == ENTRY_BLOCK && b == a + 1;
}

struct page_in run_around(const struct object_store *store, struct span window,
                          const pagemap_entry *entries, uint32_t at,
                          uint32_t left)
{
    uint32_t batch = pool_batch(store->pool), end;
    struct page_in in = { .wanted = 1 };

    left = MIN(left, batch);
    while (in.wanted < left &&
           contiguous(entries[at + in.wanted - 1], entries[at + in.wanted]))
        in.wanted++;
    while (in.before < at && in.before + in.wanted < batch &&
           contiguous(entries[at - in.before - 1], entries[at - in.before]))
        in.before++;
    end = at + in.wanted;
    while (in.wanted == left && end + in.after < window.nr &&
           in.before + in.wanted + in.after < batch &&
           contiguous(entries[end + in.after - 1], entries[end + in.after]))
        in.after++;
    in.index = window.first + at - in.before;
    in.entries = entries + at - in.before;
    return in;
}

/* Pins pages or starts reading them, up to the first that is lost. */
static int pin_or_read(struct object_store *store, struct object *object,
                       struct span want, struct span window, uint32_t *frames,
                       struct resident *resident)
{
    uint32_t lead = (uint32_t)(want.first - window.first);
    pagemap_entry entries[IO_MAX_PAGES];
    int err = 0;

    while (resident->got < want.nr && (!err || err == -EAGAIN)) {
        struct page_in in;
        uint32_t at = lead + resident->got;
        uint32_t left = want.nr - resident->got, ready;

        mutex_lock(&object->lock, RANK_OBJECT);
        pagemap_get_run(store->arena, &object->map, window.first, window.nr,
                        entries);
        ready = pin_prefix(store, entries + at, left, frames + resident->got,
                           resident);
        mutex_unlock(&object->lock);
        resident->got += ready;
        at += ready;
        left -= ready;
        if (left == 0 || pagemap_entry_kind(entries[at]) == ENTRY_LOST)
            return 0;
        in = run_around(store, window, entries, at, left);
        if (in.wanted == left)
            in.last = &resident->last;
        err = resident_start(store, object, &in, frames + resident->got);
        resident->got += in.wanted;
        resident->begun += in.wanted;
        resident->extra += in.before + in.after;
        if (err == -EAGAIN)
            arena_wait(store->arena);
    }
    return err;
}

int resident_begin(struct object_store *store, struct object *object,
                   struct span want, struct span window, bool wait,
                   uint32_t *frames, struct resident *resident)
{
    pagemap_entry entries[IO_MAX_PAGES];
    int err;

    *resident = (struct resident){ .got = 0 };
    mutex_lock(&object->lock, RANK_OBJECT);
    pagemap_get_run(store->arena, &object->map, want.first, want.nr, entries);
    resident->missed = !pin_all(store, entries, want.nr, frames, resident);
    mutex_unlock(&object->lock);
    if (!resident->missed)
        return 0;
    if (!wait)
        return -EAGAIN;
    err = pin_or_read(store, object, want, window, frames, resident);
    if (err)
        resident_unpin(store, resident->got, frames);
    return err;
}

int resident_finish(struct object_store *store, uint32_t *frames,
                    struct resident *resident)
{
    if (resident->last)
        pool_io_run(resident->last);
    for (uint32_t i = 0; resident->missed && i < resident->got; i++) {
        if (frames[i] == FRAME_ZERO ||
            pool_page_wait(store->pool, frames[i]) == 0)
            continue;
        resident_unpin(store, resident->got - i, frames + i);
        resident->got = i;
    }
    return resident->got > 0 ? 0 : -EIO;
}

int resident_pin(struct object_store *store, struct object *object,
                 struct span want, bool wait, uint32_t *frames,
                 struct resident *resident)
{
    int err = resident_begin(store, object, want, want, wait, frames, resident);

    return err ? err : resident_finish(store, frames, resident);
}

/* Marks the page that `frame` pins, if it is still the one at `index`: a write
 * error may have eaten it since.  Caller holds the lock. */
static int mark_dirty(struct object_store *store, struct object *object,
                      uint64_t index, uint32_t frame) REQUIRES(object->lock)
{
    pagemap_entry entry = pagemap_get(store->arena, &object->map, index);

    if (entry != pagemap_entry_make(ENTRY_FRAME, frame))
        return -EIO;
    pool_page_dirty(store->pool, frame);
    return 0;
}

int resident_pin_dirty(struct object_store *store, struct object *object,
                       uint64_t index, bool wait, uint32_t *frame)
{
    struct resident resident;
    int err = resident_pin(store, object, (struct span){ index, 1 }, wait, frame,
                           &resident);

    if (err || *frame == FRAME_ZERO)
        return err;
    mutex_lock(&object->lock, RANK_OBJECT);
    err = mark_dirty(store, object, index, *frame);
    mutex_unlock(&object->lock);
    if (err)
        pool_page_unpin(store->pool, *frame);
    return err;
}

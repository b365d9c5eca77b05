/* copy.c - bytes from one object to another, without the caller's help.
 *
 * Done in steps.  A step has both rangelocks, taken in their one order: the
 * source's shared, the destination's exclusive, to infinity if the file grows.
 * It is either a hole of the source, of any length, which becomes a hole of the
 * destination; or data, as much as one read may pin: source pages are pinned as
 * for a read, and written from there as any write.
 *
 * How far to lock depends on which of the two it is, which only the locked source
 * can tell: so it is guessed first, and a wrong guess makes a shorter step.
 *
 * A step's pins come from the pin budget, because the write waits for frames while
 * they are held.
 */
#include "object_internal.h"

#include <errno.h>

struct copy {
    struct object_store *store;
    struct object *from, *to;
    struct range from_range, to_range;
    uint64_t from_offset, to_offset, length; /* of what is left */
    uint64_t data_max; /* bytes of data in one step */
    bool wait;
};

/* Locks the first n bytes of both, and what a growing file needs. */
static int lock_step(struct copy *c, uint64_t n)
{
    uint64_t end = c->to_offset + n;

    for (;;) {
        uint64_t size = object_size(c->to), start = c->to_offset;
        bool grows = end > size;
        int err;

        start = round_down(grows ? MIN(start, size) : start, PAGE_SIZE);
        err = rangelock_lock_two(&c->from->range, &c->from_range,
                                 c->from_offset, c->from_offset + n,
                                 RANGE_SHARED, &c->to->range, &c->to_range,
                                 start,
                                 grows ? RANGE_END : round_up(end, PAGE_SIZE),
                                 RANGE_EXCLUSIVE, c->wait);
        if (err)
            return err;
        size = object_size(c->to);
        if (end <= size || (grows && start <= size))
            return 0;
        rangelock_unlock_two(&c->from->range, &c->from_range, &c->to->range,
                             &c->to_range);
    }
}

/* Bytes of the next step, n at most: up to the next change between hole and data
 * of the source, and of data no more than one read may pin. */
static uint64_t uniform(struct copy *c, uint64_t n, bool *hole)
{
    uint64_t first = page_of(c->from_offset), next;
    uint64_t end = pages_for(c->from_offset + n);
    pagemap_entry entry;

    mutex_lock(&c->from->lock, RANK_OBJECT);
    next = pagemap_next(c->store->arena, &c->from->map, first, end, &entry);
    *hole = next > first;
    if (!*hole) {
        n = MIN(n, c->data_max);
        end = pages_for(c->from_offset + n);
        next = pagemap_next_hole(c->store->arena, &c->from->map, first, end);
    }
    mutex_unlock(&c->from->lock);
    return MIN(n, (next << PAGE_SHIFT) - c->from_offset);
}

static int copy_data(struct copy *c, size_t n, uint64_t *done)
{
    uint64_t first = page_of(c->from_offset);
    uint32_t pins = (uint32_t)(pages_for(c->from_offset + n) - first);
    struct object_read read;
    struct source source;
    size_t written = 0;
    int err;

    if (c->wait)
        pins = pins_take(c->store, pins);
    n = MIN(n, ((first + pins) << PAGE_SHIFT) - c->from_offset);
    err = read_locked(c->store, c->from, NULL, c->from_offset, n, c->wait, &read);
    if (err)
        goto give_pins;
    source = (struct source){ &read.iov[1], 0, 0 };
    err = write_locked(c->store, c->to, c->to_offset, &source, read.bytes,
                       c->wait, &written);
    read_done(c->store, &read);
    *done = written;

give_pins:
    if (c->wait)
        pins_give(c->store, pins);
    return err;
}

/* One step; *done bytes of it are done.  Caller has both ranges. */
static int copy_step(struct copy *c, uint64_t n, uint64_t *done)
{
    bool hole;
    int err;

    *done = 0;
    n = uniform(c, n, &hole);
    if (!hole)
        return copy_data(c, (size_t)n, done);
    err = punch_locked(c->store, c->to, c->to_offset, c->to_offset + n, c->wait);
    if (!err)
        *done = n;
    return err;
}

static int copy_some(struct copy *c, uint64_t *done)
{
    uint64_t size = object_size(c->from), n;
    bool hole;
    int err;

    *done = 0;
    if (c->from_offset >= size)
        return 0;
    n = uniform(c, MIN(c->length, size - c->from_offset), &hole);
    err = lock_step(c, n);
    if (err)
        return err;
    size = object_size(c->from);
    n = c->from_offset < size ? MIN(n, size - c->from_offset) : 0;
    if (n > 0)
        err = copy_step(c, n, done);
    if (*done > 0 && c->to_offset + *done > object_size(c->to))
        atomic_store_explicit(&c->to->size, c->to_offset + *done,
                              memory_order_release);
    rangelock_unlock_two(&c->from->range, &c->from_range, &c->to->range,
                         &c->to_range);
    return err;
}

int object_copy(struct object_store *store, struct object *from,
                uint64_t from_offset, struct object *to, uint64_t to_offset,
                uint64_t length, bool wait, uint64_t *copied)
{
    struct copy c = { .store = store, .from = from, .to = to,
                      .from_offset = from_offset, .to_offset = to_offset,
                      .data_max = object_read_max(store), .wait = wait };
    uint64_t size = object_size(from), done;
    int err = 0;

    *copied = 0;
    if (length == 0 || from_offset >= size)
        return 0;
    if (to_offset >= OBJECT_MAX_SIZE)
        return -EFBIG;
    length = MIN(length, size - from_offset);
    length = MIN(length, OBJECT_MAX_SIZE - to_offset);
    if (from == to && from_offset < to_offset + length &&
        to_offset < from_offset + length)
        return -EINVAL;
    if (!wait && length > c.data_max)
        return -EAGAIN;
    c.length = length;
    do {
        err = copy_some(&c, &done);
        c.from_offset += done;
        c.to_offset += done;
        c.length -= done;
        *copied += done;
    } while (!err && done > 0 && c.length > 0);
    return *copied > 0 ? 0 : err;
}

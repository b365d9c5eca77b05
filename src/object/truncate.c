/* truncate.c - the size of a file.
 *
 * Growing sets the size and nothing else (I3): everything beyond the old end is
 * holes already, but for the tail of its last page, which is zeros (I2).
 *
 * Shrinking, be it by nothing, has the range from the page of the new end to infinity, so nobody
 * reads or writes what is about to go.  In this order:
 *
 *     1  the tail of the new last page is zeroed, in memory; a page on swap is
 *        read for that, which needs no charge, for it has one
 *     2  the size is set
 *     3  the pages beyond are dropped
 *
 * Step 1 is all that can fail or has to wait for long, and it changes nothing
 * that anybody could see had the truncate not happened but for bytes about to go:
 * so it comes first.  If the last page is lost its tail is too, and it stays lost.
 *
 * Without `wait`, a file with many pages is left to somebody who may take his
 * time, and so is one that cannot be cut without memory.
 */
#include "object_internal.h"

#include <errno.h>

/* Dropping so many pages takes some ten microseconds, not milliseconds. */
enum { FEW_PAGES = 1024 };

/* The range for a change of the size, and the size meanwhile. */
static int lock_for_size(struct object *object, struct range *range,
                         uint64_t size, bool wait, uint64_t *old)
{
    for (;;) {
        uint64_t from = round_down(MIN(object_size(object), size), PAGE_SIZE);
        int err = 0;

        if (wait)
            rangelock_lock(&object->range, range, from, RANGE_END,
                           RANGE_EXCLUSIVE);
        else
            err = rangelock_trylock(&object->range, range, from, RANGE_END,
                                    RANGE_EXCLUSIVE);
        if (err)
            return err;
        *old = object_size(object);
        if (from <= MIN(*old, size))
            return 0;
        rangelock_unlock(&object->range, range);
    }
}

/* From `old`, which may be the same: then only what was preallocated beyond the
 * end goes. */
static int shrink(struct object_store *store, struct object *object,
                  uint64_t old, uint64_t size, bool wait)
{
    uint64_t first = pages_for(size);
    int err = 0;

    if (!wait && object_pages(object) > FEW_PAGES)
        return -EAGAIN;
    if (size < old && size % PAGE_SIZE != 0)
        err = zero_part(store, object, page_of(size),
                        (uint32_t)(size % PAGE_SIZE), PAGE_SIZE, wait);
    if (!err && !wait)
        err = drop_pages(store, object, first, round_up(first, PAGEMAP_LEAF_PAGES),
                         false);
    if (err)
        return err;
    atomic_store_explicit(&object->size, size, memory_order_release);
    return drop_pages(store, object, first, PAGEMAP_MAX_PAGES, wait);
}

int object_truncate(struct object_store *store, struct object *object,
                    uint64_t size, bool wait)
{
    struct range range;
    uint64_t old;
    int err;

    if (size > OBJECT_MAX_SIZE)
        return -EFBIG;
    err = lock_for_size(object, &range, size, wait, &old);
    if (err)
        return err;
    if (size <= old)
        err = shrink(store, object, old, size, wait);
    else
        atomic_store_explicit(&object->size, size, memory_order_release);
    rangelock_unlock(&object->range, &range);
    return err;
}

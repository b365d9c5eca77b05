/* seek.c - where data and holes begin, by pages.
 *
 * The answer is a snapshot, as any answer to lseek(2) is: no rangelock is taken,
 * so a seek waits behind no writer.  Pages that are charged are data, also those
 * that read as zeros; the end of the file is a hole.
 *
 * A search for a hole in a large file looks at a bounded part of the map at a
 * time, so that pageout is not kept from it.
 */
#include "object_internal.h"

#include <errno.h>
#include <unistd.h>

enum { STEP_PAGES = 65536 };

static uint64_t next_data(struct object_store *store, struct object *object,
                          uint64_t index, uint64_t end)
{
    pagemap_entry entry;

    mutex_lock(&object->lock, RANK_OBJECT);
    index = pagemap_next(store->arena, &object->map, index, end, &entry);
    mutex_unlock(&object->lock);
    return index;
}

static uint64_t next_hole(struct object_store *store, struct object *object,
                          uint64_t index, uint64_t end)
{
    while (index < end) {
        uint64_t stop = MIN(end, index + STEP_PAGES);

        mutex_lock(&object->lock, RANK_OBJECT);
        index = pagemap_next_hole(store->arena, &object->map, index, stop);
        mutex_unlock(&object->lock);
        if (index < stop)
            break;
    }
    return index;
}

int object_seek(struct object_store *store, struct object *object,
                uint64_t offset, int whence, uint64_t *found)
{
    uint64_t size = object_size(object), end = pages_for(size), index;

    if (whence != SEEK_DATA && whence != SEEK_HOLE)
        return -EINVAL;
    if (offset >= size)
        return -ENXIO;
    if (whence == SEEK_DATA) {
        index = next_data(store, object, page_of(offset), end);
        if (index >= end)
            return -ENXIO;
    } else {
        index = next_hole(store, object, page_of(offset), end);
    }
    *found = MIN(size, MAX(offset, index << PAGE_SHIFT));
    return 0;
}

/* fake_object.c - the object and pool rooms as far as the tree calls them. */
#include "fake_object.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PAGES = FAKE_OBJECT_BYTES / PAGE_SIZE };

struct fake_objects fake_objects;

/* Hangs on the root of the pagemap. */
struct fake {
    bool present[PAGES];
    uint8_t bytes[FAKE_OBJECT_BYTES];
};

static struct fake *fake_of(struct object *object)
{
    if (!object->map.root)
        object->map.root = (uintptr_t)calloc(1, sizeof(struct fake));
    return (void *)(uintptr_t)object->map.root;
}

static int fault(void)
{
    if (fake_objects.fail_in && --fake_objects.fail_in == 0)
        return fake_objects.error;
    return 0;
}

static void size_set(struct object *object, uint64_t size)
{
    atomic_store_explicit(&object->size, size, memory_order_release);
}

void object_init(struct object *object)
{
    fake_objects.alive++;
    memset(object, 0, sizeof(*object));
}

void object_fini(struct object_store *store, struct object *object)
{
    (void)store;
    lock_assert_none(RANK_TREE);
    if (fake_objects.at_fini)
        fake_objects.at_fini(fake_objects.ctx);
    fake_objects.alive--;
    free((void *)(uintptr_t)object->map.root);
}

uint64_t object_pages(struct object *object)
{
    uint64_t pages = 0;

    mutex_lock(&object->lock, RANK_OBJECT);
    for (unsigned i = 0; object->map.root && i < PAGES; i++)
        pages += fake_of(object)->present[i];
    mutex_unlock(&object->lock);
    return pages;
}

int object_read_begin(struct object_store *store, struct object *object,
                      struct readahead *ahead, uint64_t offset, size_t length,
                      bool wait, struct object_read *read)
{
    uint64_t size = object_size(object);
    int err = fault();

    (void)store;
    (void)ahead;
    (void)wait;
    lock_assert_none(RANK_TREE);
    if (err)
        return err;
    read->bytes = offset < size ? MIN(length, size - offset) : 0;
    read->iov_count = read->bytes ? 1 : 0;
    read->iov[1].iov_base = fake_of(object)->bytes + offset;
    read->iov[1].iov_len = read->bytes;
    return 0;
}

int object_read_start(struct object_store *store, struct object *object,
                      struct readahead *ahead, uint64_t offset, size_t length,
                      struct swap_lane *lane)
{
    (void)store;
    (void)object;
    (void)offset;
    (void)length;
    (void)lane;
    return ahead ? 2 : 1;
}

void object_read_end(struct object_store *store, struct object *object,
                     struct object_read *read)
{
    (void)store;
    (void)object;
    (void)read;
}

static void touch(struct object *object, uint64_t offset, size_t length,
                  bool present)
{
    for (uint64_t i = offset / PAGE_SIZE;
         i < PAGES && i * PAGE_SIZE < offset + length; i++)
        fake_of(object)->present[i] = present;
}

int object_write(struct object_store *store, struct object *object,
                 uint64_t offset, const void *data, size_t length, bool wait,
                 size_t *written)
{
    int err = fault();

    (void)store;
    (void)wait;
    lock_assert_none(RANK_TREE);
    *written = 0;
    if (err)
        return err;
    mutex_lock(&object->lock, RANK_OBJECT);
    if (offset < FAKE_OBJECT_BYTES)
        memcpy(fake_of(object)->bytes + offset, data,
               MIN(length, FAKE_OBJECT_BYTES - offset));
    touch(object, offset, length, true);
    if (offset + length > object_size(object))
        size_set(object, offset + length);
    *written = length;
    mutex_unlock(&object->lock);
    return 0;
}

int object_truncate(struct object_store *store, struct object *object,
                    uint64_t size, bool wait)
{
    int err = fault();

    (void)store;
    (void)wait;
    lock_assert_none(RANK_TREE);
    if (err)
        return err;
    if (size > OBJECT_MAX_SIZE)
        return -EFBIG;
    mutex_lock(&object->lock, RANK_OBJECT);
    if (size < FAKE_OBJECT_BYTES && object->map.root) {
        memset(fake_of(object)->bytes + size, 0, FAKE_OBJECT_BYTES - size);
        touch(object, round_up(size, PAGE_SIZE), FAKE_OBJECT_BYTES, false);
    }
    size_set(object, size);
    mutex_unlock(&object->lock);
    return 0;
}

int object_fallocate(struct object_store *store, struct object *object,
                     enum object_fallocate_mode mode, uint64_t offset,
                     uint64_t length, bool keep_size, bool wait)
{
    int err = fault();

    (void)store;
    (void)wait;
    if (err)
        return err;
    mutex_lock(&object->lock, RANK_OBJECT);
    touch(object, offset, length, mode != OBJECT_PUNCH);
    if (!keep_size && offset + length > object_size(object))
        size_set(object, offset + length);
    mutex_unlock(&object->lock);
    return 0;
}

int object_seek(struct object_store *store, struct object *object,
                uint64_t offset, int whence, uint64_t *found)
{
    (void)store;
    if (offset >= object_size(object))
        return -ENXIO;
    *found = whence == SEEK_DATA ? offset : object_size(object);
    return 0;
}

int object_copy(struct object_store *store, struct object *from,
                uint64_t from_offset, struct object *to, uint64_t to_offset,
                uint64_t length, bool wait, uint64_t *copied)
{
    uint64_t size = object_size(from);
    size_t written;
    int err;

    *copied = from_offset < size ? MIN(length, size - from_offset) : 0;
    err = object_write(store, to, to_offset, fake_of(from)->bytes + from_offset,
                       *copied, wait, &written);
    if (err)
        *copied = 0;
    return err;
}

void pool_stats(struct pool *pool, struct pool_stats *stats)
{
    (void)pool;
    *stats = fake_objects.pool;
}

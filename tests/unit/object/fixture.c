/* fixture.c - see fixture.h. */
#include "fixture.h"

#include "clock.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

static void note_lost(void *ctx, struct object *object, uint64_t index)
{
    struct fixture *f = ctx;

    (void)object;
    (void)index;
    f->lost++;
}

static struct object *next_object(void *ctx, uint32_t from, uint32_t *number)
{
    struct fixture *f = ctx;

    while (from < FIXTURE_FILES && !f->objects[from])
        from++;
    if (from >= FIXTURE_FILES)
        return NULL;
    *number = from;
    atomic_fetch_add(&f->in_hand, 1);
    return f->objects[from];
}

static void put_object(void *ctx, struct object *object)
{
    struct fixture *f = ctx;

    (void)object;
    atomic_fetch_sub(&f->in_hand, 1);
}

void fixture_up(struct fixture *f, uint32_t frames, uint32_t blocks,
                uint64_t limit)
{
    struct swap_file file = fake_swap_file(blocks);
    struct pool_config config = { .limit = limit, .ops = &object_pool_ops,
                                  .ctx = &f->store };
    struct arena *arena;

    memset(f, 0, sizeof(*f));
    frames = frames ? frames : 300;
    ck_assert_int_eq(arena_create(&arena, (frames + 1) *
                                              (uint64_t)(PAGE_SIZE + 32)), 0);
    ck_assert_int_eq(swap_create(&f->swap, &file, arena, 64), 0);
    config.arena = arena;
    config.swap = f->swap;
    f->store.arena = arena;
    f->store.lost = note_lost;
    f->store.next = next_object;
    f->store.put = put_object;
    f->store.ctx = f;
    ck_assert_int_eq(pool_create(&f->store.pool, &config), 0);
    ck_assert_int_eq(pool_start(f->store.pool), 0);
}

void fixture_down(struct fixture *f)
{
    struct pool_stats stats;

    pool_quiesce(f->store.pool);
    pool_check(f->store.pool);
    stats = stats_of(f);
    ck_assert_uint_eq(stats.data, 0);
    ck_assert_uint_eq(stats.metadata, 0);
    ck_assert_uint_eq(fake_swap_counts().nr_used, 0);
    ck_assert_uint_eq(f->store.pins.taken, 0);
    ck_assert_uint_eq(f->in_hand, 0);
    pool_destroy(f->store.pool);
    swap_destroy(f->swap);
    arena_destroy(f->store.arena);
}

void file_up(struct fixture *f, struct file *file, uint64_t max)
{
    void *object;

    ck_assert_int_eq(arena_alloc(f->store.arena, sizeof(struct object), &object),
                     0);
    *file = (struct file){ object, calloc(1, max),
                           calloc(pages_for(max) + 1, sizeof(bool)), 0, max };
    object_init(file->object);
    for (unsigned i = 0; i < FIXTURE_FILES; i++)
        if (!f->objects[i]) {
            f->objects[i] = file->object;
            return;
        }
    ck_abort_msg("too many files");
}

void file_down(struct fixture *f, struct file *file)
{
    object_check(&f->store, file->object);
    for (unsigned i = 0; i < FIXTURE_FILES; i++)
        if (f->objects[i] == file->object)
            f->objects[i] = NULL;
    object_fini(&f->store, file->object);
    arena_free(f->store.arena, file->object);
    free(file->bytes);
    free(file->there);
}

uint64_t rnd(uint64_t *state, uint64_t below)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state % below;
}

void model_compare(struct fixture *f, struct file *file, uint64_t from,
                   uint64_t to)
{
    struct object_read read;
    uint32_t most = object_read_max(&f->store);

    while (from < to) {
        uint64_t n = MIN(to - from, (uint64_t)most);
        uint64_t there = MIN(n, file->size - MIN(file->size, from));

        unit_assert(object_read_begin(&f->store, file->object, NULL, from,
                                      (size_t)n, true, &read) == 0);
        unit_assert(read.bytes == there);
        for (uint32_t i = 1; i <= read.iov_count; i++) {
            unit_assert(memcmp(read.iov[i].iov_base, file->bytes + from,
                               read.iov[i].iov_len) == 0);
            from += read.iov[i].iov_len;
            there -= read.iov[i].iov_len;
        }
        unit_assert(there == 0);
        n = read.bytes;
        object_read_end(&f->store, file->object, &read);
        if (n == 0)
            break;
    }
}

/* No byte of it is zero, unless all are. */
static void make_bytes(uint8_t *bytes, size_t n, uint64_t value)
{
    uint64_t x = value * 0x9e3779b97f4a7c15u;

    if (value == 0) {
        memset(bytes, 0, n);
        return;
    }
    for (size_t i = 0; i < n; i += sizeof(x)) {
        uint64_t word = x | 0x0101010101010101u;

        memcpy(bytes + i, &word, MIN(sizeof(word), n - i));
        x = x * 6364136223846793005u + 1442695040888963407u;
    }
}

static void mark(struct file *file, uint64_t first, uint64_t end, bool there)
{
    for (uint64_t i = first; i < end; i++)
        file->there[i] = there;
}

int model_write(struct fixture *f, struct file *file, uint64_t offset, size_t n,
                uint64_t value, bool may_be_short)
{
    uint8_t data[OBJECT_MAX_IO];
    size_t written;
    int err;

    make_bytes(data, n, value);
    err = object_write(&f->store, file->object, offset, data, n, true, &written);
    if (!may_be_short)
        unit_assert(err == 0 && written == n);
    unit_assert(err ? written == 0 : written > 0 && written <= n);
    memcpy(file->bytes + offset, data, written);
    if (written > 0) {
        mark(file, page_of(offset), pages_for(offset + written), true);
        file->size = MAX(file->size, offset + written);
    }
    unit_assert(object_size(file->object) == file->size);
    return err;
}

void model_truncate(struct fixture *f, struct file *file, uint64_t size)
{
    unit_assert(object_truncate(&f->store, file->object, size, true) == 0);
    if (size < file->size)
        memset(file->bytes + size, 0, file->size - size);
    if (size < file->size)
        mark(file, pages_for(size), pages_for(file->max), false);
    file->size = size;
    unit_assert(object_size(file->object) == size);
}

static void shadow_punch(struct file *file, uint64_t from, uint64_t to)
{
    memset(file->bytes + from, 0, to - from);
    if (pages_for(from) < page_of(to))
        mark(file, pages_for(from), page_of(to), false);
}

int model_fallocate(struct fixture *f, struct file *file,
                    enum object_fallocate_mode mode, uint64_t offset,
                    uint64_t length, bool keep_size)
{
    int err = object_fallocate(&f->store, file->object, mode, offset, length,
                               keep_size, true);

    if (err) {
        unit_assert(err == -ENOSPC && mode != OBJECT_PUNCH);
        return err;
    }
    if (mode == OBJECT_PUNCH) {
        shadow_punch(file, offset, offset + length);
        return 0;
    }
    if (mode == OBJECT_ZERO)
        memset(file->bytes + offset, 0, length);
    mark(file, page_of(offset), pages_for(offset + length), true);
    if (!keep_size)
        file->size = MAX(file->size, offset + length);
    unit_assert(object_size(file->object) == file->size);
    return 0;
}

/* The source's next stretch that is all hole or all data. */
static uint64_t stretch(const struct file *file, uint64_t offset, uint64_t end)
{
    uint64_t i = page_of(offset);
    bool there = file->there[i];

    while (i << PAGE_SHIFT < end && file->there[i] == there)
        i++;
    return MIN(end, i << PAGE_SHIFT) - offset;
}

void model_copy(struct fixture *f, struct file *from, uint64_t from_offset,
                struct file *to, uint64_t to_offset, uint64_t length)
{
    uint64_t there = from->size - MIN(from->size, from_offset), n, copied;
    bool overlap;

    there = MIN(there, length);
    overlap = from == to && from_offset < to_offset + there &&
              to_offset < from_offset + there;
    unit_assert(object_copy(&f->store, from->object, from_offset, to->object,
                            to_offset, length, true, &copied) ==
                (overlap && there > 0 ? -EINVAL : 0));
    if (overlap)
        return;
    unit_assert(copied == there);
    for (uint64_t at = 0; at < there; at += n) {
        n = stretch(from, from_offset + at, from_offset + there);
        if (from->there[page_of(from_offset + at)]) {
            memcpy(to->bytes + to_offset + at, from->bytes + from_offset + at, n);
            mark(to, page_of(to_offset + at), pages_for(to_offset + at + n), true);
        } else {
            shadow_punch(to, to_offset + at, to_offset + at + n);
        }
    }
    if (there > 0)
        to->size = MAX(to->size, to_offset + there);
    unit_assert(object_size(to->object) == to->size);
}

static void model_seek_one(struct fixture *f, struct file *file, uint64_t offset,
                           bool data)
{
    uint64_t i = page_of(offset), found = 0;
    int err = object_seek(&f->store, file->object, offset,
                          data ? SEEK_DATA : SEEK_HOLE, &found);

    while (i << PAGE_SHIFT < file->size && file->there[i] != data)
        i++;
    if (offset >= file->size || (data && i << PAGE_SHIFT >= file->size))
        unit_assert(err == -ENXIO);
    else
        unit_assert(err == 0 &&
                    found == MIN(file->size, MAX(offset, i << PAGE_SHIFT)));
}

void model_seek(struct fixture *f, struct file *file, uint64_t offset)
{
    model_seek_one(f, file, offset, true);
    model_seek_one(f, file, offset, false);
}

uint64_t model_pages(struct fixture *f, struct file *file)
{
    uint64_t pages = 0;

    (void)f;
    for (uint64_t i = 0; i < pages_for(file->max); i++)
        pages += file->there[i];
    unit_assert(object_pages(file->object) == pages);
    return pages;
}

struct object_usage usage_of(struct fixture *f, struct file *file)
{
    struct object_usage usage;

    object_usage(&f->store, file->object, &usage);
    return usage;
}

void swap_out(struct fixture *f, struct file *file)
{
    static uint32_t taken[65536];
    uint32_t n = 0;

    for (int tries = 0; usage_of(f, file).resident > 0; tries++) {
        uint32_t frame;

        unit_assert(tries < 1000000);
        while ((frame = arena_frame_alloc(f->store.arena, 0)) != FRAME_NONE)
            taken[n++] = frame;
        clock_sleep_ns(5000);
    }
    if (n > 0)
        pool_frames_put(f->store.pool, n, taken);
    /* A page is no longer resident a moment before its frame is free. */
    pool_quiesce(f->store.pool);
}

struct pool_stats stats_of(struct fixture *f)
{
    struct pool_stats stats;

    pool_stats(f->store.pool, &stats);
    return stats;
}

/* test_object.c - an object's life, and what the pool asks of it. */
#include "fixture.h"

#include "clock.h"

#include <errno.h>
#include <pthread.h>

static struct fixture f;
static struct file file;

static void *finish(void *arg)
{
    object_fini(&f.store, file.object);
    *(_Atomic bool *)arg = true;
    return NULL;
}

/* An object ends only when the I/O on its pages has. */
START_TEST(fini_waits_for_io)
{
    struct readahead ahead = { .clock = 0 };
    struct object_read read;
    _Atomic bool done = false;
    pthread_t thread;

    fixture_up(&f, 2000, 2048, 0);
    file_up(&f, &file, 400 * PAGE_SIZE);
    model_write(&f, &file, 0, 200 * PAGE_SIZE, 1, false);
    swap_out(&f, &file);
    model_compare(&f, &file, 0, PAGE_SIZE);
    fake_swap_hold(true);
    /* A hit plans nothing, unless it goes on with a stream. */
    ahead.stream[0].state = STREAM_SETTLED;
    ck_assert_int_eq(object_read_begin(&f.store, file.object, &ahead, 0, 10,
                                       false, &read), 0);
    object_read_end(&f.store, file.object, &read);
    fake_swap_wait_held(1);
    ck_assert_uint_gt(atomic_load(&file.object->inflight), 0);
    pthread_create(&thread, NULL, finish, &done);
    clock_sleep_ns(30000000);
    ck_assert(!atomic_load(&done));
    fake_swap_hold(false);
    fake_swap_release(fake_swap_nr_held());
    pthread_join(thread, NULL);
    ck_assert_uint_eq(stats_of(&f).data, 0);
    file_down(&f, &file); /* what is empty may end twice */
    fixture_down(&f);
}
END_TEST

/* Whether the 64 pages from `first` on are on swap, one behind the other. */
static bool contiguous(uint64_t first)
{
    pagemap_entry entry = pagemap_get(f.store.arena, &file.object->map, first);

    for (uint64_t i = 1; i < 64; i++)
        if (pagemap_get(f.store.arena, &file.object->map, first + i) != entry + i)
            return false;
    return pagemap_entry_kind(entry) == ENTRY_BLOCK;
}

/* What the map of three leaves takes when those that can be are folded. */
static uint64_t folded_bytes(void)
{
    uint64_t bytes = 512;

    for (uint64_t first = 0; first < 192; first += 64)
        bytes += contiguous(first) ? 0 : 256;
    return bytes;
}

/* A leaf whose pages are evicted to one run of blocks folds, though they may be
 * written in any order; read back, it unfolds. */
START_TEST(eviction_folds)
{
    uint64_t folded;

    fixture_up(&f, 0, 2048, 0);
    file_up(&f, &file, 400 * PAGE_SIZE);
    model_write(&f, &file, 0, 192 * PAGE_SIZE, 1, false);
    ck_assert_uint_eq(usage_of(&f, &file).map_bytes, 512 + 3 * 256);
    do { /* until pageout has kept the order */
        model_write(&f, &file, 64 * PAGE_SIZE, 64 * PAGE_SIZE, 2, false);
        swap_out(&f, &file);
        folded = folded_bytes();
        ck_assert_uint_eq(usage_of(&f, &file).map_bytes, folded);
    } while (!contiguous(64));
    model_compare(&f, &file, 70 * PAGE_SIZE, 71 * PAGE_SIZE);
    ck_assert_uint_eq(usage_of(&f, &file).map_bytes, folded + 256);
    swap_out(&f, &file);
    ck_assert_uint_eq(usage_of(&f, &file).map_bytes, folded);
    model_compare(&f, &file, 0, file.size);
    file_down(&f, &file);
    fixture_down(&f);
}
END_TEST

/* Write errors: once more elsewhere, then that page is lost, and only that. */
START_TEST(a_write_error_loses_one_page)
{
    struct object_usage usage;

    fixture_up(&f, 0, 2048, 0);
    file_up(&f, &file, 400 * PAGE_SIZE);
    model_write(&f, &file, 0, 10 * PAGE_SIZE, 1, false);
    fake_swap_fail_write_after(0, EIO, 1);
    swap_out(&f, &file);
    ck_assert_uint_eq(f.lost, 0);
    model_compare(&f, &file, 0, file.size);
    model_write(&f, &file, 0, 10 * PAGE_SIZE, 2, false);
    /* The run fails, and then two of its pages alone. */
    fake_swap_fail_write_after(0, EIO, 3);
    swap_out(&f, &file);
    usage = usage_of(&f, &file);
    ck_assert_uint_ge(f.lost, 1);
    ck_assert_uint_le(f.lost, 2);
    ck_assert_uint_eq(usage.lost, f.lost);
    ck_assert_uint_eq(usage.swapped, 10 - usage.lost);
    for (uint64_t page = 0; page < 10; page++) {
        struct object_read read;
        int err = object_read_begin(&f.store, file.object, NULL,
                                    page * PAGE_SIZE, 1, true, &read);

        ck_assert(err == 0 || err == -EIO);
        usage.lost -= err == -EIO;
        if (!err)
            object_read_end(&f.store, file.object, &read);
    }
    ck_assert_uint_eq(usage.lost, 0);
    ck_assert_uint_eq(stats_of(&f).data, 10);
    file_down(&f, &file);
    fixture_down(&f);
}
END_TEST

START_TEST(the_hint_goes_on_behind)
{
    uint32_t owner;

    fixture_up(&f, 0, 2048, 0);
    file_up(&f, &file, 400 * PAGE_SIZE);
    owner = arena_handle(f.store.arena, file.object);
    model_write(&f, &file, 0, 40 * PAGE_SIZE, 1, false);
    ck_assert_uint_eq(object_pool_ops.hint(&f.store, owner, 0), BLOCK_NONE);
    ck_assert_uint_eq(object_pool_ops.hint(&f.store, owner, 40), BLOCK_NONE);
    swap_out(&f, &file);
    ck_assert_uint_ne(object_pool_ops.hint(&f.store, owner, 40), BLOCK_NONE);
    ck_assert_uint_eq(object_pool_ops.hint(&f.store, owner, 41), BLOCK_NONE);
    /* Appended later, it lies behind: one run. */
    model_write(&f, &file, file.size, 20 * PAGE_SIZE, 2, false);
    swap_out(&f, &file);
    ck_assert_uint_eq(usage_of(&f, &file).runs, 1);
    file_down(&f, &file);
    fixture_down(&f);
}
END_TEST

UNIT_MAIN("object", fini_waits_for_io, eviction_folds,
          a_write_error_loses_one_page, the_hint_goes_on_behind)

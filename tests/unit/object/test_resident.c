/* test_resident.c - one I/O a run, neighbours along with it, in the smallest pool. */
#include "fixture.h"

#include "clock.h"

#include <errno.h>

static struct fixture f;
static struct file file;

static void up(void)
{
    fixture_up(&f, 0, 2048, 0);
    file_up(&f, &file, 400 * PAGE_SIZE);
}

static void down(void)
{
    file_down(&f, &file);
    fixture_down(&f);
}

static void read_at(struct readahead *ahead, uint64_t page, bool wait)
{
    struct object_read read;

    ck_assert_int_eq(object_read_begin(&f.store, file.object, ahead,
                                       page * PAGE_SIZE, 10, wait, &read), 0);
    ck_assert_uint_eq(read.bytes, 10);
    object_read_end(&f.store, file.object, &read);
}

START_TEST(a_run_is_one_request)
{
    uint32_t batch;

    up();
    batch = pool_batch(f.store.pool);
    model_write(&f, &file, 0, 64 * PAGE_SIZE, 1, false);
    swap_out(&f, &file);
    model_compare(&f, &file, 0, 60 * PAGE_SIZE);
    ck_assert_uint_eq(fake_swap_counts().reads, div_up(60, batch));
    ck_assert_uint_eq(fake_swap_counts().read_blocks, 60);
    model_compare(&f, &file, 0, 60 * PAGE_SIZE);
    ck_assert_uint_eq(fake_swap_counts().read_blocks, 60);
    down();
}
END_TEST

/* A random miss takes what lies beside it in its 64 KiB along, in one request. */
START_TEST(neighbours_come_along)
{
    struct readahead ahead = { .clock = 0 };

    up();
    model_write(&f, &file, 0, 200 * PAGE_SIZE, 1, false);
    swap_out(&f, &file);
    read_at(&ahead, 70, true);
    pool_quiesce(f.store.pool);
    ck_assert_uint_eq(fake_swap_counts().reads, 1);
    ck_assert_uint_eq(fake_swap_counts().read_blocks, 16);
    ck_assert_uint_eq(ahead.misses, 15);
    for (uint64_t page = 64; page < 80; page++)
        read_at(&ahead, page, false);
    ck_assert_uint_eq(ahead.useful, 15);
    down();
}
END_TEST

/* No neighbours when memory is short, nor where they are not contiguous. */
START_TEST(no_neighbours)
{
    struct readahead ahead = { .clock = 0 };
    uint32_t taken[400], n = 0;

    up();
    fake_swap_max_run(1);
    model_write(&f, &file, 0, 20 * PAGE_SIZE, 1, false);
    for (uint64_t i = 0; i < 20; i++)
        model_write(&f, &file, (100 + (i * 7) % 20) * PAGE_SIZE, PAGE_SIZE, 1,
                    false);
    swap_out(&f, &file);
    while (arena_nr_free(f.store.arena) > 40)
        taken[n++] = arena_frame_alloc(f.store.arena, 0);
    read_at(&ahead, 5, true);
    pool_quiesce(f.store.pool);
    ck_assert_uint_eq(fake_swap_counts().read_blocks, 1);
    pool_frames_put(f.store.pool, n, taken);
    down();
}
END_TEST

/* Partly written pages on swap are pinned one by one: writers of many need no
 * more memory than the reserve. */
START_TEST(partial_writes_when_all_is_full)
{
    fixture_up(&f, POOL_MIN_FRAMES, 512, 0);
    file_up(&f, &file, 900 * PAGE_SIZE);
    fake_swap_host_room(512);
    while (model_write(&f, &file, file.size, 8 * PAGE_SIZE, file.size + 1,
                       true) == 0)
        ;
    ck_assert_int_eq(model_write(&f, &file, file.size, PAGE_SIZE, 1, true),
                     -ENOSPC);
    for (uint64_t i = 0; i < file.size / PAGE_SIZE; i++)
        model_write(&f, &file, (i * 37 * PAGE_SIZE + 100) % (file.size - 10), 10,
                    i + 1, false);
    model_compare(&f, &file, 0, file.size);
    ck_assert_uint_eq(stats_of(&f).data, object_pages(file.object));
    down();
}
END_TEST

/* The map has no frame to unfold into: page-in waits for one and goes on. */
START_TEST(waits_for_the_map)
{
    uint32_t taken[400], n = 0;
    struct object_read read;

    up();
    model_write(&f, &file, 0, 64 * PAGE_SIZE, 1, false);
    swap_out(&f, &file);
    ck_assert_uint_eq(usage_of(&f, &file).map_bytes, 0);
    while (arena_nr_free(f.store.arena) > f.store.arena->reserve)
        taken[n++] = arena_frame_alloc(f.store.arena, 0);
    ck_assert_int_eq(object_read_begin(&f.store, file.object, NULL, 0, 10, false,
                                       &read), -EAGAIN);
    pool_frames_put(f.store.pool, n, taken);
    model_compare(&f, &file, 0, file.size);
    ck_assert_uint_eq(usage_of(&f, &file).map_bytes, 256);
    down();
}
END_TEST

UNIT_MAIN("resident", a_run_is_one_request, neighbours_come_along,
          no_neighbours, partial_writes_when_all_is_full, waits_for_the_map)

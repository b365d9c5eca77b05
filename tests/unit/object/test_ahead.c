/* test_ahead.c - pages that come before they are asked for, and never at a price. */
#include "fixture.h"

#include "clock.h"

#include <errno.h>
#include <pthread.h>

static struct fixture f;
static struct file file;
static struct readahead ahead;

static void up(uint64_t pages)
{
    ahead = (struct readahead){ .clock = 0 };
    fixture_up(&f, 2000, 8192, 0);
    file_up(&f, &file, 2500 * PAGE_SIZE);
    for (uint64_t at = 0; at < pages; at += 100)
        model_write(&f, &file, at * PAGE_SIZE, 100 * PAGE_SIZE, at + 1, false);
    swap_out(&f, &file);
}

static void down(void)
{
    model_compare(&f, &file, 0, file.size);
    file_down(&f, &file);
    fixture_down(&f);
}

static int read_pages(uint64_t page, uint64_t nr, bool wait)
{
    struct object_read read;
    int err = object_read_begin(&f.store, file.object, &ahead, page * PAGE_SIZE,
                                nr * PAGE_SIZE, wait, &read);

    if (err)
        return err;
    ck_assert_uint_eq(read.bytes, nr * PAGE_SIZE);
    object_read_end(&f.store, file.object, &read);
    return 0;
}

/* Once a stream runs, its reads find everything there. */
START_TEST(a_stream_never_misses)
{
    uint32_t missed = 0;

    up(1600);
    for (uint64_t page = 0; page < 1600; page += 32) {
        int err = read_pages(page, 32, false);

        missed += err == -EAGAIN;
        if (err)
            ck_assert_int_eq(read_pages(page, 32, true), 0);
        pool_quiesce(f.store.pool);
    }
    ck_assert_uint_le(missed, 2);
    ck_assert_uint_eq(fake_swap_counts().read_blocks, 1600);
    down();
}
END_TEST

/* Nor one that goes from the end to the front, in steps of any size. */
START_TEST(nor_a_backward_one)
{
    static const uint32_t steps[] = { 1, 32 };

    for (unsigned i = 0; i < ARRAY_SIZE(steps); i++) {
        uint32_t missed = 0;

        up(1600);
        for (uint64_t page = 1600; page > 0; page -= steps[i]) {
            int err = read_pages(page - steps[i], steps[i], false);

            missed += err == -EAGAIN;
            if (err)
                ck_assert_int_eq(read_pages(page - steps[i], steps[i], true), 0);
            pool_quiesce(f.store.pool);
        }
        ck_assert_uint_le(missed, 2);
        ck_assert_uint_eq(fake_swap_counts().read_blocks, 1600);
        ck_assert_uint_ge(stats_of(&f).readahead_used, 1600 - 2 * steps[i]);
        down();
    }
}
END_TEST

/* What it asks for is gone when it comes there: soon it asks for nothing. */
START_TEST(evicted_before_it_was_asked_for)
{
    uint64_t brought;

    up(1600);
    for (uint64_t page = 0; page < 1600; page += 32) {
        if (page == 800)
            brought = stats_of(&f).readahead_pages;
        ck_assert_int_eq(read_pages(page, 32, true), 0);
        pool_quiesce(f.store.pool);
        swap_out(&f, &file);
    }
    ck_assert_uint_gt(brought, 0);
    ck_assert_uint_le(stats_of(&f).readahead_pages - brought,
                      2 * READAHEAD_MIN_PAGES);
    down();
}
END_TEST

START_TEST(stops_at_the_end)
{
    up(100);
    for (uint64_t page = 0; page < 100; page += 10)
        ck_assert_int_eq(read_pages(page, 10, true), 0);
    pool_quiesce(f.store.pool);
    ck_assert_uint_eq(fake_swap_counts().read_blocks, 100);
    down();
}
END_TEST

/* No frame above the low mark: nothing is read ahead, and nobody waits. */
START_TEST(not_when_memory_is_short)
{
    uint32_t taken[2000], n = 0;

    up(1000);
    while (arena_nr_free(f.store.arena) > stats_of(&f).low)
        taken[n++] = arena_frame_alloc(f.store.arena, 0);
    ck_assert_int_eq(read_pages(0, 8, true), 0);
    pool_quiesce(f.store.pool);
    ck_assert_uint_eq(fake_swap_counts().read_blocks, 8);
    pool_frames_put(f.store.pool, n, taken);
    down();
}
END_TEST

/* Pages being read ahead may be written, cut off and read by anyone. */
START_TEST(pages_on_their_way)
{
    up(300);
    fake_swap_hold(true);
    /* The first page's miss begins a stream; its own read is not waited for. */
    ck_assert_int_eq(read_pages(0, 4, false), -EAGAIN);
    fake_swap_hold(false);
    fake_swap_delay_us(3000);
    ck_assert_int_eq(read_pages(0, 4, true), 0);
    model_write(&f, &file, 20 * PAGE_SIZE, 10 * PAGE_SIZE, 7, false);
    model_write(&f, &file, 40 * PAGE_SIZE + 5, 10, 8, false);
    model_fallocate(&f, &file, OBJECT_PUNCH, 50 * PAGE_SIZE, 5 * PAGE_SIZE, true);
    model_truncate(&f, &file, 60 * PAGE_SIZE + 9);
    fake_swap_delay_us(0);
    model_compare(&f, &file, 0, file.size);
    ck_assert_uint_eq(stats_of(&f).data, model_pages(&f, &file));
    down();
}
END_TEST

/* Pages in runs of two blocks, one here and one there. */
static void up_fragmented(void)
{
    ahead = (struct readahead){ .clock = 0 };
    fixture_up(&f, 2000, 8192, 0);
    fake_swap_max_run(2);
    file_up(&f, &file, 2500 * PAGE_SIZE);
    for (uint64_t i = 0; i < 1000; i++)
        model_write(&f, &file, (i * 387) % 1000 * PAGE_SIZE, PAGE_SIZE, i + 1,
                    false);
    swap_out(&f, &file);
}

/* A fragmented swap is worth a few requests, no more. */
START_TEST(few_requests)
{
    up_fragmented();
    ck_assert_int_eq(read_pages(0, 1, true), 0);
    pool_quiesce(f.store.pool);
    ck_assert_uint_le(fake_swap_counts().reads, 5);
    down();
}
END_TEST

/* And they are for those that come next. */
START_TEST(nearest_first)
{
    up_fragmented();
    ck_assert_int_eq(read_pages(900, 1, true), 0);
    ck_assert_int_eq(read_pages(899, 1, true), 0);
    pool_quiesce(f.store.pool);
    ck_assert_uint_le(fake_swap_counts().reads, 6);
    for (uint64_t page = 898; page > 894; page--)
        ck_assert_int_eq(read_pages(page, 1, false), 0);
    down();
}
END_TEST

UNIT_MAIN("ahead", a_stream_never_misses, nor_a_backward_one,
          evicted_before_it_was_asked_for, stops_at_the_end,
          not_when_memory_is_short, pages_on_their_way, few_requests,
          nearest_first)

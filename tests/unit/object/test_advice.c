/* test_advice.c - what is said about a file is done: at once, or by its reads. */
#include "fixture.h"

#include "clock.h"

#include <errno.h>
#include <pthread.h>

enum { PAGES = 600 };

static struct fixture f;
static struct file file;
static struct readahead ahead;
static unsigned asked_before_no; /* go_on says no after so many; 0 never */

static bool go_on(void *ctx)
{
    ck_assert_ptr_eq(ctx, &f);
    return asked_before_no == 0 || --asked_before_no > 0;
}

static void evict_all(void)
{
    uint64_t left;

    ck_assert_int_eq(object_evict(&f.store, file.object, go_on, &f, &left), 0);
    ck_assert_uint_eq(left, 0);
}

static void up(uint32_t frames, bool on_swap)
{
    asked_before_no = 0;
    ahead = (struct readahead){ .clock = 0 };
    fixture_up(&f, frames, 8192, 0);
    file_up(&f, &file, PAGES * PAGE_SIZE);
    for (uint64_t at = 0; at < PAGES; at += 100)
        model_write(&f, &file, at * PAGE_SIZE, 100 * PAGE_SIZE, at + 1, false);
    if (on_swap)
        evict_all();
}

static void down(void)
{
    object_check(&f.store, file.object);
    model_compare(&f, &file, 0, file.size);
    file_down(&f, &file);
    fixture_down(&f);
}

static void read_pages(uint64_t page, uint64_t nr)
{
    struct object_read read;

    ck_assert_int_eq(object_read_begin(&f.store, file.object, &ahead,
                                       page * PAGE_SIZE, nr * PAGE_SIZE, true,
                                       &read), 0);
    object_read_end(&f.store, file.object, &read);
    pool_quiesce(f.store.pool);
}

START_TEST(remembered)
{
    up(2000, false);
    ck_assert_int_eq(object_advice(file.object), OBJECT_DEFAULT);
    object_advise(file.object, OBJECT_RANDOM);
    ck_assert_int_eq(object_advice(file.object), OBJECT_RANDOM);
    model_truncate(&f, &file, 0); /* the map is empty: the advice is not */
    ck_assert_int_eq(object_advice(file.object), OBJECT_RANDOM);
    object_advise(file.object, OBJECT_DEFAULT);
    ck_assert_int_eq(object_advice(file.object), OBJECT_DEFAULT);
    down();
}
END_TEST

START_TEST(random_reads_nothing_else)
{
    up(2000, true);
    object_advise(file.object, OBJECT_RANDOM);
    for (uint64_t page = 0; page < 64; page++)
        read_pages(page, 1); /* in sequence: nobody shall be misled by that */
    ck_assert_uint_eq(fake_swap_counts().read_blocks, 64);
    ck_assert_uint_eq(usage_of(&f, &file).resident, 64);
    down();
}
END_TEST

/* One read brings a whole window, where by default it brings its neighbours. */
START_TEST(sequential_reads_far)
{
    up(4000, true);
    object_advise(file.object, OBJECT_SEQUENTIAL);
    read_pages(100, 1);
    ck_assert_uint_ge(usage_of(&f, &file).resident, 1 + READAHEAD_MAX_PAGES / 2);
    down();
}
END_TEST

START_TEST(willneed_brings_it_in)
{
    up(2000, true);
    ck_assert_uint_eq(usage_of(&f, &file).resident, 0);
    ck_assert_uint_eq(object_willneed(&f.store, file.object, go_on, &f), PAGES);
    pool_quiesce(f.store.pool);
    ck_assert_uint_eq(usage_of(&f, &file).resident, PAGES);
    ck_assert_uint_eq(object_willneed(&f.store, file.object, go_on, &f), 0);
    down();
}
END_TEST

START_TEST(willneed_takes_no_memory_from_others)
{
    up(400, true);
    object_willneed(&f.store, file.object, go_on, &f);
    pool_quiesce(f.store.pool);
    /* The last batch may go below low, which wakes pageout. */
    ck_assert_uint_ge(stats_of(&f).frames_free + pool_batch(f.store.pool),
                      stats_of(&f).low);
    ck_assert_uint_gt(usage_of(&f, &file).resident, 0);
    down();
}
END_TEST

START_TEST(dontneed_goes_first)
{
    struct file other;
    uint32_t taken[4000], n = 0;

    up(4000, false);
    file_up(&f, &other, PAGES * PAGE_SIZE);
    /* The other is older, and would go first. */
    model_write(&f, &other, 0, 200 * PAGE_SIZE, 7, false);
    model_write(&f, &file, 0, 100 * PAGE_SIZE, 8, false);
    ck_assert_uint_eq(object_dontneed(&f.store, file.object), PAGES);
    /* The files are not looked at meanwhile: pageout passes by one that is locked. */
    while (stats_of(&f).evictions < 100) {
        uint32_t frame = arena_frame_alloc(f.store.arena, stats_of(&f).low);

        if (frame != FRAME_NONE)
            taken[n++] = frame;
        else
            clock_sleep_ns(10000); /* pageout has been told */
    }
    pool_quiesce(f.store.pool);
    ck_assert_uint_ge(usage_of(&f, &file).swapped, 100);
    ck_assert_uint_eq(usage_of(&f, &other).swapped, 0);
    pool_frames_put(f.store.pool, n, taken);
    file_down(&f, &other);
    down();
}
END_TEST

START_TEST(evicted)
{
    uint64_t left = 77, found;

    up(2000, false);
    ck_assert_int_eq(object_send_out(&f.store, file.object, go_on, &f,
                                     &found), 0);
    ck_assert(found > 0 && found <= PAGES);
    ck_assert_int_eq(object_evict(&f.store, file.object, go_on, &f, &left), 0);
    ck_assert_uint_eq(left, 0);
    ck_assert_uint_eq(usage_of(&f, &file).swapped, PAGES);
    ck_assert_uint_eq(usage_of(&f, &file).breaks, 0);
    ck_assert_int_eq(object_evict(&f.store, file.object, go_on, &f, &left), 0);
    ck_assert_uint_eq(left, 0);
    down();
}
END_TEST

START_TEST(what_is_in_use_stays)
{
    struct object_read read;
    uint64_t left;

    up(2000, false);
    ck_assert_int_eq(object_read_begin(&f.store, file.object, NULL, 0,
                                       3 * PAGE_SIZE, true, &read), 0);
    ck_assert_int_eq(object_evict(&f.store, file.object, go_on, &f, &left), 0);
    ck_assert_uint_eq(left, 3);
    ck_assert_uint_eq(usage_of(&f, &file).swapped, PAGES - 3);
    object_read_end(&f.store, file.object, &read);
    down();
}
END_TEST

START_TEST(given_up_by_its_caller)
{
    uint64_t left;

    up(2000, false);
    asked_before_no = 5;
    ck_assert_int_eq(object_evict(&f.store, file.object, go_on, &f, &left),
                     -EINTR);
    down();
}
END_TEST

static void *read_one(void *unused)
{
    (void)unused;
    read_pages(100, 1);
    return NULL;
}

/* As long as it takes, but for its caller. */
START_TEST(given_up_while_it_waits)
{
    pthread_t thread;
    uint64_t left;

    up(2000, true);
    fake_swap_hold(true);
    pthread_create(&thread, NULL, read_one, NULL);
    fake_swap_wait_held(1);
    asked_before_no = 50;
    ck_assert_int_eq(object_evict(&f.store, file.object, go_on, &f, &left),
                     -EINTR);
    ck_assert_uint_eq(asked_before_no, 0);
    ck_assert_uint_gt(left, 0);
    fake_swap_hold(false);
    pthread_join(thread, NULL);
    down();
}
END_TEST

UNIT_MAIN("advice", remembered, random_reads_nothing_else, sequential_reads_far,
          willneed_brings_it_in, willneed_takes_no_memory_from_others,
          dontneed_goes_first, evicted, what_is_in_use_stays,
          given_up_by_its_caller, given_up_while_it_waits)

/* test_write.c - what is charged, what is read, and what a write may return. */
#include "fixture.h"

#include "clock.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>

static struct fixture f;
static struct file file;

static void up(uint64_t limit)
{
    fixture_up(&f, 0, 2048, limit);
    file_up(&f, &file, 400 * PAGE_SIZE);
}

static void down(void)
{
    model_compare(&f, &file, 0, file.size);
    file_down(&f, &file);
    fixture_down(&f);
}

/* As object_write of n bytes of the value 7, without waiting. */
static int write_nowait(uint64_t offset, size_t n)
{
    static uint8_t data[OBJECT_MAX_IO];
    size_t written;
    int err;

    memset(data, 7, n);
    err = object_write(&f.store, file.object, offset, data, n, false, &written);
    if (err) {
        ck_assert_uint_eq(written, 0);
        return err;
    }
    ck_assert_uint_eq(written, n);
    memset(file.bytes + offset, 7, n);
    file.size = MAX(file.size, offset + n);
    return 0;
}

START_TEST(short_at_the_limit_then_enospc)
{
    up(20);
    model_write(&f, &file, 0, 10 * PAGE_SIZE, 1, false);
    ck_assert_int_eq(model_write(&f, &file, 9 * PAGE_SIZE + 5, 100 * PAGE_SIZE,
                                 2, true), 0);
    /* What the map needed in between was not known before. */
    ck_assert_uint_ge(stats_of(&f).used, 19);
    ck_assert_uint_le(stats_of(&f).used, 20);
    ck_assert_uint_eq(object_pages(file.object), pages_for(file.size));
    while (model_write(&f, &file, file.size, 1, 3, true) == 0)
        ;
    ck_assert_uint_eq(stats_of(&f).used, 20);
    /* What is there can be written, whole and in part. */
    model_write(&f, &file, 0, file.size, 4, false);
    model_write(&f, &file, 5, 100, 5, false);
    ck_assert_uint_eq(stats_of(&f).data, object_pages(file.object));
    down();
}
END_TEST

/* The part before the first hole that gets no charge is written. */
START_TEST(short_before_the_hole)
{
    up(12);
    model_write(&f, &file, 4 * PAGE_SIZE, 7 * PAGE_SIZE, 1, false);
    while (model_write(&f, &file, (11 + object_pages(file.object)) * PAGE_SIZE,
                       1, 2, true) == 0)
        ;
    ck_assert_int_eq(model_write(&f, &file, 5 * PAGE_SIZE + 3, 20 * PAGE_SIZE, 3,
                                 true), 0);
    ck_assert_uint_ge(file.size, 11 * PAGE_SIZE);
    ck_assert_int_eq(model_write(&f, &file, PAGE_SIZE, 1, 3, true), -ENOSPC);
    ck_assert_uint_eq(stats_of(&f).data, object_pages(file.object));
    down();
}
END_TEST

START_TEST(zeros_take_no_frame)
{
    struct object_usage usage;

    up(0);
    model_write(&f, &file, 100, 50 * PAGE_SIZE, 0, false);
    usage = usage_of(&f, &file);
    ck_assert_uint_eq(usage.zero, 51);
    ck_assert_uint_eq(usage.resident, 0);
    ck_assert_uint_eq(stats_of(&f).data, 51);
    model_write(&f, &file, 0, 10 * PAGE_SIZE, 1, false);
    ck_assert_uint_eq(usage_of(&f, &file).resident, 10);
    model_write(&f, &file, PAGE_SIZE + 1, 4 * PAGE_SIZE, 0, false);
    ck_assert_uint_eq(usage_of(&f, &file).resident, 7);
    ck_assert_uint_eq(stats_of(&f).data, 51);
    down();
}
END_TEST

START_TEST(whole_pages_on_swap_are_not_read)
{
    up(0);
    model_write(&f, &file, 0, 100 * PAGE_SIZE, 1, false);
    swap_out(&f, &file);
    ck_assert_uint_eq(fake_swap_counts().nr_used, 100);
    model_write(&f, &file, 10 * PAGE_SIZE, 50 * PAGE_SIZE, 2, false);
    ck_assert_uint_eq(fake_swap_counts().reads, 0);
    ck_assert_uint_eq(fake_swap_counts().nr_used, 50);
    model_write(&f, &file, 70 * PAGE_SIZE, 5 * PAGE_SIZE, 0, false);
    ck_assert_uint_eq(fake_swap_counts().nr_used, 45);
    ck_assert_uint_eq(fake_swap_counts().reads, 0);
    /* The ends of this are parts of pages. */
    model_write(&f, &file, 80 * PAGE_SIZE - 9, 2 * PAGE_SIZE + 20, 3, false);
    ck_assert_uint_eq(fake_swap_counts().read_blocks, 2);
    down();
}
END_TEST

START_TEST(lost_pages_heal_when_written_whole)
{
    struct object_read read;

    up(0);
    model_write(&f, &file, 0, 3 * PAGE_SIZE, 1, false);
    swap_out(&f, &file);
    /* The run as a whole, then its second page alone. */
    fake_swap_fail_read_after(0, EIO, 1);
    ck_assert_int_eq(object_read_begin(&f.store, file.object, NULL, PAGE_SIZE, 1,
                                       true, &read), -EIO);
    ck_assert_uint_eq(f.lost, 1);
    ck_assert_uint_eq(usage_of(&f, &file).lost, 1);
    model_compare(&f, &file, 0, PAGE_SIZE);
    model_compare(&f, &file, 2 * PAGE_SIZE, file.size);
    ck_assert_int_eq(model_write(&f, &file, PAGE_SIZE + 1, 2, 2, true), -EIO);
    ck_assert_int_eq(write_nowait(PAGE_SIZE + 1, 2), -EIO);
    /* A write that comes to it is short. */
    ck_assert_int_eq(model_write(&f, &file, 10, PAGE_SIZE + 50, 3, true), 0);
    model_compare(&f, &file, 0, PAGE_SIZE);
    model_write(&f, &file, PAGE_SIZE, PAGE_SIZE, 2, false);
    ck_assert_uint_eq(usage_of(&f, &file).lost, 0);
    ck_assert_uint_eq(stats_of(&f).data, 3);
    down();
}
END_TEST

START_TEST(without_waiting)
{
    struct range range;
    uint32_t batch;

    up(0);
    batch = pool_batch(f.store.pool);
    model_write(&f, &file, 0, 1, 1, false);
    ck_assert_int_eq(write_nowait(PAGE_SIZE, 2 * PAGE_SIZE), 0);
    ck_assert_int_eq(write_nowait(0, (batch + 1) * PAGE_SIZE), -EAGAIN);
    rangelock_lock(&file.object->range, &range, 10, 20, RANGE_SHARED);
    ck_assert_int_eq(write_nowait(0, 100), -EAGAIN);
    rangelock_unlock(&file.object->range, &range);
    swap_out(&f, &file);
    ck_assert_int_eq(write_nowait(10, 2 * PAGE_SIZE), -EAGAIN);
    ck_assert_uint_eq(fake_swap_counts().reads, 0);
    ck_assert_uint_eq(stats_of(&f).data, 3);
    ck_assert_int_eq(write_nowait(PAGE_SIZE, 2 * PAGE_SIZE), 0);
    ck_assert_uint_eq(fake_swap_counts().reads, 0);
    ck_assert_uint_eq(stats_of(&f).data, 3);
    down();
}
END_TEST

START_TEST(the_end_of_all_files)
{
    struct object *object;
    struct file large;
    uint8_t bytes[] = { 1, 2, 3 };
    size_t written;

    up(0);
    file_up(&f, &large, PAGE_SIZE);
    object = large.object;
    ck_assert_int_eq(object_write(&f.store, object, OBJECT_MAX_SIZE, bytes, 3,
                                  true, &written), -EFBIG);
    ck_assert_int_eq(object_write(&f.store, object, OBJECT_MAX_SIZE - 1, bytes, 3,
                                  true, &written), 0);
    ck_assert_uint_eq(written, 1);
    ck_assert_uint_eq(object_size(object), OBJECT_MAX_SIZE);
    ck_assert_uint_eq(object_pages(object), 1);
    ck_assert_int_eq(object_truncate(&f.store, object, 0, true), 0);
    ck_assert_uint_eq(object_pages(object), 0);
    ck_assert_int_eq(object_truncate(&f.store, object,
                                     (uint64_t)OBJECT_MAX_SIZE + 1, true),
                     -EFBIG);
    file_down(&f, &large);
    down();
}
END_TEST

/* Redirtied while it is being written: what pageout wrote is thrown away. */
START_TEST(redirtied_during_pageout)
{
    uint32_t taken[400], n = 0;

    up(0);
    model_write(&f, &file, 0, 8 * PAGE_SIZE, 1, false);
    fake_swap_hold(true);
    while (fake_swap_nr_held() == 0)
        if ((taken[n] = arena_frame_alloc(f.store.arena, 0)) != FRAME_NONE)
            n++;
    model_write(&f, &file, 0, 8 * PAGE_SIZE, 2, false);
    fake_swap_hold(false);
    fake_swap_release(fake_swap_nr_held());
    pool_frames_put(f.store.pool, n, taken);
    pool_quiesce(f.store.pool);
    swap_out(&f, &file);
    model_compare(&f, &file, 0, file.size);
    ck_assert_uint_ge(stats_of(&f).redirtied, 1);
    down();
}
END_TEST

/* --- two writers of one page ------------------------------------------------------ */

enum { RACERS = 4, RACE_PAGES = 8, RACES = 1500 };

static pthread_barrier_t barrier;

/* All write their quarter of each page, all pages being holes or on swap. */
static void *racer(void *arg)
{
    uintptr_t me = (uintptr_t)arg;
    uint32_t part = PAGE_SIZE / RACERS;

    for (int race = 0; race < RACES; race++) {
        pthread_barrier_wait(&barrier);
        for (uint64_t i = 0; i < RACE_PAGES; i++) {
            uint64_t page = (i + me) % RACE_PAGES;
            uint8_t bytes[PAGE_SIZE / RACERS];
            size_t written;

            memset(bytes, (int)me + 1, part);
            unit_assert(object_write(&f.store, file.object,
                                     page * PAGE_SIZE + me * part, bytes, part,
                                     true, &written) == 0 && written == part);
        }
        pthread_barrier_wait(&barrier);
    }
    return NULL;
}

START_TEST(racing_for_a_hole)
{
    pthread_t thread[RACERS];

    up(0);
    model_truncate(&f, &file, RACE_PAGES * PAGE_SIZE);
    for (uint64_t i = 0; i < RACE_PAGES * PAGE_SIZE; i++)
        file.bytes[i] = (uint8_t)(i % PAGE_SIZE / (PAGE_SIZE / RACERS) + 1);
    pthread_barrier_init(&barrier, NULL, RACERS + 1);
    for (uintptr_t i = 0; i < RACERS; i++)
        pthread_create(&thread[i], NULL, racer, (void *)i);
    for (int race = 0; race < RACES; race++) {
        unit_assert(object_fallocate(&f.store, file.object, OBJECT_PUNCH, 0,
                                     file.size, true, true) == 0);
        if (race % 3 == 1)
            unit_assert(object_fallocate(&f.store, file.object, OBJECT_ALLOCATE,
                                         0, file.size, true, true) == 0);
        pthread_barrier_wait(&barrier);
        pthread_barrier_wait(&barrier);
        model_compare(&f, &file, 0, file.size);
        unit_assert(object_pages(file.object) == RACE_PAGES);
        unit_assert(stats_of(&f).data == RACE_PAGES);
    }
    for (int i = 0; i < RACERS; i++)
        pthread_join(thread[i], NULL);
    pthread_barrier_destroy(&barrier);
    down();
}
END_TEST

UNIT_MAIN("write", short_at_the_limit_then_enospc, short_before_the_hole,
          zeros_take_no_frame, whole_pages_on_swap_are_not_read,
          lost_pages_heal_when_written_whole, without_waiting,
          the_end_of_all_files, redirtied_during_pageout, racing_for_a_hole)

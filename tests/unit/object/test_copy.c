/* test_copy.c - bytes and holes from file to file. */
#include "fixture.h"

#include "clock.h"

#include <errno.h>
#include <pthread.h>

static struct fixture f;
static struct file from, to;

static void up(uint64_t limit)
{
    fixture_up(&f, 0, 2048, limit);
    file_up(&f, &from, 500 * PAGE_SIZE);
    file_up(&f, &to, 500 * PAGE_SIZE);
}

static void down(void)
{
    model_compare(&f, &from, 0, from.size);
    model_compare(&f, &to, 0, to.size);
    model_pages(&f, &from);
    model_pages(&f, &to);
    file_down(&f, &from);
    file_down(&f, &to);
    fixture_down(&f);
}

/* Data, zeros and holes. */
static void fill_source(void)
{
    model_write(&f, &from, 100, 40 * PAGE_SIZE, 1, false);
    model_write(&f, &from, 100 * PAGE_SIZE, 20 * PAGE_SIZE, 0, false);
    model_write(&f, &from, 130 * PAGE_SIZE, 200 * PAGE_SIZE, 2, false);
    model_truncate(&f, &from, 350 * PAGE_SIZE + 77);
}

START_TEST(everything)
{
    up(0);
    fill_source();
    model_copy(&f, &from, 0, &to, 0, UINT64_MAX);
    ck_assert_uint_eq(to.size, from.size);
    ck_assert_uint_eq(object_pages(to.object), object_pages(from.object));
    /* Onto data, holes punch holes. */
    model_write(&f, &to, 0, 256 * PAGE_SIZE, 3, false);
    swap_out(&f, &to);
    model_copy(&f, &from, 0, &to, 0, UINT64_MAX);
    ck_assert_uint_eq(object_pages(to.object), object_pages(from.object));
    down();
}
END_TEST

START_TEST(odd_places)
{
    up(0);
    fill_source();
    model_copy(&f, &from, 5, &to, 4000, 60 * PAGE_SIZE);
    model_copy(&f, &from, 99 * PAGE_SIZE + 1, &to, 10, 50 * PAGE_SIZE);
    model_copy(&f, &from, from.size - 5, &to, 7777, 100);
    model_copy(&f, &from, from.size, &to, 0, 100);
    model_copy(&f, &from, 0, &to, 300 * PAGE_SIZE + 3, 100 * PAGE_SIZE);
    down();
}
END_TEST

START_TEST(within_one_file)
{
    up(0);
    fill_source();
    model_copy(&f, &from, 0, &from, 400 * PAGE_SIZE, 90 * PAGE_SIZE);
    model_copy(&f, &from, 300 * PAGE_SIZE, &from, 50, 60000);
    model_copy(&f, &from, 1000, &from, 2000, 1000);
    model_copy(&f, &from, 1000, &from, 2000, 1001);
    model_copy(&f, &from, 0, &from, 0, 1);
    down();
}
END_TEST

START_TEST(short_when_full)
{
    uint64_t copied = 0;

    up(60);
    model_write(&f, &from, 0, 40 * PAGE_SIZE, 1, false);
    ck_assert_int_eq(object_copy(&f.store, from.object, 0, to.object, 0,
                                 40 * PAGE_SIZE, true, &copied), 0);
    ck_assert_uint_gt(copied, 10 * PAGE_SIZE);
    ck_assert_uint_lt(copied, 20 * PAGE_SIZE);
    ck_assert_uint_eq(object_size(to.object), copied);
    ck_assert_int_eq(object_copy(&f.store, from.object, 0, to.object, copied,
                                 40 * PAGE_SIZE, true, &copied), -ENOSPC);
    ck_assert_int_eq(object_truncate(&f.store, to.object, 0, true), 0);
    down();
}
END_TEST

/* Holes of exabytes are one step each. */
START_TEST(huge_holes)
{
    uint64_t far = (uint64_t)1 << 62, copied;
    uint8_t byte = 9;
    size_t written;
    struct object_read read;

    up(0);
    ck_assert_int_eq(object_write(&f.store, from.object, far, &byte, 1, true,
                                  &written), 0);
    ck_assert_int_eq(object_copy(&f.store, from.object, 0, to.object, 1,
                                 UINT64_MAX, true, &copied), 0);
    ck_assert_uint_eq(copied, far + 1);
    ck_assert_uint_eq(object_size(to.object), far + 2);
    ck_assert_uint_eq(object_pages(to.object), 1);
    ck_assert_int_eq(object_read_begin(&f.store, to.object, NULL, far, 100, true,
                                       &read), 0);
    ck_assert_uint_eq(read.bytes, 2);
    ck_assert_int_eq(((uint8_t *)read.iov[1].iov_base)[1], 9);
    object_read_end(&f.store, to.object, &read);
    ck_assert_int_eq(object_copy(&f.store, from.object, 0, to.object,
                                 OBJECT_MAX_SIZE, 1, true, &copied), -EFBIG);
    ck_assert_int_eq(object_truncate(&f.store, from.object, 0, true), 0);
    ck_assert_int_eq(object_truncate(&f.store, to.object, 0, true), 0);
    down();
}
END_TEST

START_TEST(without_waiting)
{
    uint64_t copied;

    up(0);
    fill_source();
    ck_assert_int_eq(object_copy(&f.store, from.object, 0, to.object, 0,
                                 from.size, false, &copied), -EAGAIN);
    swap_out(&f, &from);
    ck_assert_int_eq(object_copy(&f.store, from.object, 0, to.object, 0,
                                 PAGE_SIZE, false, &copied), -EAGAIN);
    ck_assert_uint_eq(copied, 0);
    ck_assert_uint_eq(object_size(to.object), 0);
    down();
}
END_TEST

/* To and fro at once, more than memory holds: nobody waits for ever. */
static void *copier(void *arg)
{
    struct file *a = arg ? &from : &to, *b = arg ? &to : &from;
    uint64_t seed = 17 + (arg != NULL), copied;

    for (int i = 0; i < 200; i++) {
        uint64_t offset = rnd(&seed, 300 * PAGE_SIZE);
        uint64_t target = rnd(&seed, 300 * PAGE_SIZE);

        unit_assert(object_copy(&f.store, a->object, offset, b->object, target,
                                90 * PAGE_SIZE, true, &copied) == 0);
    }
    return NULL;
}

START_TEST(both_ways_at_once)
{
    pthread_t thread[4];

    up(0);
    model_write(&f, &from, 0, 200 * PAGE_SIZE, 1, false);
    model_write(&f, &to, 0, 200 * PAGE_SIZE, 2, false);
    for (uintptr_t i = 0; i < 4; i++)
        pthread_create(&thread[i], NULL, copier, (void *)(i % 2));
    for (int i = 0; i < 4; i++)
        pthread_join(thread[i], NULL);
    object_check(&f.store, from.object);
    object_check(&f.store, to.object);
    ck_assert_uint_eq(stats_of(&f).data,
                      object_pages(from.object) + object_pages(to.object));
    from.size = object_size(from.object);
    to.size = object_size(to.object);
    model_truncate(&f, &from, 0);
    model_truncate(&f, &to, 0);
    down();
}
END_TEST

UNIT_MAIN("copy", everything, odd_places, within_one_file, short_when_full,
          huge_holes, without_waiting, both_ways_at_once)

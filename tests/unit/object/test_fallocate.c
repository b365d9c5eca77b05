/* test_fallocate.c - all or nothing, exactly; holes; zeros. */
#include "fixture.h"

#include <errno.h>
#include <string.h>

static struct fixture f;
static struct file file;

static void up(uint64_t limit)
{
    fixture_up(&f, 0, 2048, limit);
    file_up(&f, &file, 1500 * PAGE_SIZE);
}

static void down(void)
{
    model_compare(&f, &file, 0, file.size);
    model_pages(&f, &file);
    file_down(&f, &file);
    fixture_down(&f);
}

/* Some pages of every kind, with holes between them. */
static void some_of_each(void)
{
    model_write(&f, &file, 3 * PAGE_SIZE, 2 * PAGE_SIZE, 1, false);
    model_write(&f, &file, 70 * PAGE_SIZE, 130 * PAGE_SIZE, 2, false);
    swap_out(&f, &file);
    model_write(&f, &file, 10 * PAGE_SIZE, 3 * PAGE_SIZE, 3, false);
    model_write(&f, &file, 20 * PAGE_SIZE, 5 * PAGE_SIZE, 0, false);
}

START_TEST(allocate_fills_holes_only)
{
    struct object_usage before, after;

    up(0);
    some_of_each();
    before = usage_of(&f, &file);
    ck_assert_int_eq(model_fallocate(&f, &file, OBJECT_ALLOCATE, 100,
                                     300 * PAGE_SIZE, true), 0);
    after = usage_of(&f, &file);
    ck_assert_uint_eq(file.size, 200 * PAGE_SIZE);
    ck_assert_uint_eq(after.resident, before.resident);
    ck_assert_uint_eq(after.swapped, before.swapped);
    ck_assert_uint_eq(model_pages(&f, &file), 301);
    ck_assert_uint_eq(stats_of(&f).data, 301);
    ck_assert_uint_eq(fake_swap_counts().reads, 0);
    /* What was promised can be had when the rest is full. */
    ck_assert_int_eq(model_fallocate(&f, &file, OBJECT_ALLOCATE, 0,
                                     400 * PAGE_SIZE, false), 0);
    ck_assert_uint_eq(file.size, 400 * PAGE_SIZE);
    down();
}
END_TEST

/* One page too many: nothing of it happens, and what was ZERO before is. */
START_TEST(allocate_is_all_or_nothing)
{
    uint64_t data, metadata;

    up(250);
    some_of_each();
    data = stats_of(&f).data;
    metadata = stats_of(&f).metadata;
    for (uint64_t pages = 100; pages < 400; pages++) {
        bool fits = model_fallocate(&f, &file, OBJECT_ALLOCATE, 0,
                                    pages * PAGE_SIZE, true) == 0;

        model_pages(&f, &file);
        object_check(&f.store, file.object);
        ck_assert_uint_eq(stats_of(&f).data, object_pages(file.object));
        if (!fits) {
            ck_assert_uint_eq(stats_of(&f).data, data);
            ck_assert_uint_le(stats_of(&f).metadata, metadata + 2);
            ck_assert_uint_eq(usage_of(&f, &file).zero, 5);
        } else {
            /* Back to where it was. */
            model_fallocate(&f, &file, OBJECT_PUNCH, 0, 3 * PAGE_SIZE, true);
            model_fallocate(&f, &file, OBJECT_PUNCH, 5 * PAGE_SIZE,
                            5 * PAGE_SIZE, true);
            model_fallocate(&f, &file, OBJECT_PUNCH, 13 * PAGE_SIZE,
                            7 * PAGE_SIZE, true);
            model_fallocate(&f, &file, OBJECT_PUNCH, 25 * PAGE_SIZE,
                            45 * PAGE_SIZE, true);
            model_fallocate(&f, &file, OBJECT_PUNCH, 200 * PAGE_SIZE,
                            300 * PAGE_SIZE, true);
            ck_assert_uint_eq(stats_of(&f).data, data);
        }
    }
    down();
}
END_TEST

/* A write into what was allocated never gets ENOSPC. */
START_TEST(what_is_allocated_can_be_written)
{
    struct file other;

    up(400);
    ck_assert_int_eq(model_fallocate(&f, &file, OBJECT_ALLOCATE, 0,
                                     256 * PAGE_SIZE, false), 0);
    ck_assert_uint_eq(usage_of(&f, &file).map_bytes, 512);
    file_up(&f, &other, 400 * PAGE_SIZE);
    while (model_write(&f, &other, other.size, 1000, 1, true) == 0)
        ;
    ck_assert_uint_eq(stats_of(&f).used, 400);
    for (uint64_t i = 0; i < 256; i += 7)
        model_write(&f, &file, i * PAGE_SIZE + 10, 100, i + 1, false);
    model_write(&f, &file, 0, 256 * PAGE_SIZE, 9, false);
    ck_assert_uint_eq(stats_of(&f).used, 400);
    file_down(&f, &other);
    down();
}
END_TEST

START_TEST(punch_frees_whole_pages)
{
    up(0);
    some_of_each();
    ck_assert_int_eq(model_fallocate(&f, &file, OBJECT_PUNCH, 72 * PAGE_SIZE + 1,
                                     100 * PAGE_SIZE, true), 0);
    ck_assert_uint_eq(object_pages(file.object), 140 - 99);
    ck_assert_uint_eq(stats_of(&f).data, 41);
    model_compare(&f, &file, 0, file.size);
    ck_assert_int_eq(model_fallocate(&f, &file, OBJECT_PUNCH, 11, 20, true), 0);
    ck_assert_int_eq(model_fallocate(&f, &file, OBJECT_PUNCH, 3 * PAGE_SIZE + 11,
                                     20, true), 0);
    ck_assert_int_eq(model_fallocate(&f, &file, OBJECT_PUNCH, 0,
                                     1000 * PAGE_SIZE, true), 0);
    ck_assert_uint_eq(object_pages(file.object), 0);
    ck_assert_uint_eq(file.size, 200 * PAGE_SIZE);
    down();
}
END_TEST

START_TEST(zero_keeps_the_charge)
{
    up(0);
    some_of_each();
    ck_assert_int_eq(model_fallocate(&f, &file, OBJECT_ZERO, 4 * PAGE_SIZE + 5,
                                     180 * PAGE_SIZE, true), 0);
    ck_assert_uint_eq(stats_of(&f).data, model_pages(&f, &file));
    /* Pages 3, 4 and those from 184 on have bytes; the others only the charge. */
    ck_assert_uint_eq(usage_of(&f, &file).zero, 179);
    ck_assert_uint_eq(fake_swap_counts().nr_used, usage_of(&f, &file).swapped);
    down();
}
END_TEST

START_TEST(limits)
{
    up(0);
    ck_assert_int_eq(object_fallocate(&f.store, file.object, OBJECT_ALLOCATE, 0,
                                      0, false, true), -EINVAL);
    ck_assert_int_eq(object_fallocate(&f.store, file.object, OBJECT_ALLOCATE, 1,
                                      OBJECT_MAX_SIZE, false, true), -EFBIG);
    /* Eight exabytes: refused at once, and punched at once. */
    ck_assert_int_eq(object_fallocate(&f.store, file.object, OBJECT_ALLOCATE, 0,
                                      OBJECT_MAX_SIZE, false, true), -ENOSPC);
    ck_assert_int_eq(object_fallocate(&f.store, file.object, OBJECT_PUNCH, 0,
                                      OBJECT_MAX_SIZE, false, true), 0);
    ck_assert_int_eq(object_fallocate(&f.store, file.object, OBJECT_PUNCH, 0,
                                      OBJECT_MAX_SIZE, false, false), -EAGAIN);
    ck_assert_uint_eq(object_size(file.object), 0);
    down();
}
END_TEST

/* Sixteen gigabytes take as many slots as leaves. */
START_TEST(large_ranges_fold)
{
    uint64_t bytes = (uint64_t)16 << 30;

    fixture_up(&f, 32768, 1u << 23, 0);
    fake_swap_grow_step(1u << 20);
    file_up(&f, &file, PAGE_SIZE);
    ck_assert_int_eq(object_fallocate(&f.store, file.object, OBJECT_ALLOCATE, 0,
                                      bytes, false, true), 0);
    ck_assert_uint_eq(object_pages(file.object), bytes / PAGE_SIZE);
    ck_assert_uint_lt(usage_of(&f, &file).map_bytes, bytes / PAGE_SIZE * 13 / 100);
    ck_assert_int_eq(object_truncate(&f.store, file.object, bytes / 3, true), 0);
    ck_assert_uint_eq(object_pages(file.object), pages_for(bytes / 3));
    ck_assert_int_eq(object_truncate(&f.store, file.object, 0, true), 0);
    file_down(&f, &file);
    fixture_down(&f);
}
END_TEST

UNIT_MAIN("fallocate", allocate_fills_holes_only, allocate_is_all_or_nothing,
          what_is_allocated_can_be_written, punch_frees_whole_pages,
          zero_keeps_the_charge, limits, large_ranges_fold)

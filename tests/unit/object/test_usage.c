/* test_usage.c - the figures of an object, and what its check finds. */
#include "fixture.h"

START_TEST(pages_by_kind)
{
    struct fixture f;
    struct file file;
    struct object_usage usage;

    fixture_up(&f, 0, 2048, 0);
    file_up(&f, &file, 400 * PAGE_SIZE);
    usage = usage_of(&f, &file);
    ck_assert_uint_eq(usage.resident + usage.swapped + usage.zero + usage.lost, 0);
    ck_assert_uint_eq(usage.map_bytes, 0);
    model_write(&f, &file, 0, 30 * PAGE_SIZE, 1, false);
    model_write(&f, &file, 40 * PAGE_SIZE, 10 * PAGE_SIZE, 1, false);
    swap_out(&f, &file);
    model_write(&f, &file, 10 * PAGE_SIZE, 2 * PAGE_SIZE, 2, false);
    model_write(&f, &file, 60 * PAGE_SIZE, 5 * PAGE_SIZE, 0, false);
    usage = usage_of(&f, &file);
    ck_assert_uint_eq(usage.resident, 2);
    ck_assert_uint_eq(usage.swapped, 38);
    ck_assert_uint_eq(usage.zero, 5);
    ck_assert_uint_eq(usage.lost, 0);
    ck_assert_uint_eq(usage.blocks, 38);
    ck_assert_uint_eq(usage.runs, 3);
    ck_assert_uint_eq(usage.pairs, 35);
    ck_assert_uint_eq(usage.breaks, 0);
    ck_assert_uint_eq(usage.slots, 128);
    ck_assert_uint_eq(object_pages(file.object), 45);
    object_check(&f.store, file.object);
    file_down(&f, &file);
    fixture_down(&f);
}
END_TEST

struct visit {
    struct fixture *f;
    struct object *object;
    uint64_t pages, runs, stop_after;
};

static void see_run(void *ctx, uint64_t index, uint32_t nr, uint32_t block)
    NO_THREAD_SAFETY
{
    struct visit *visit = ctx;

    mutex_assert_held(&visit->object->lock);
    unit_assert(index >= visit->pages && nr > 0 && block < 2048);
    visit->pages = index + nr;
    visit->runs++;
}

static bool more(void *ctx)
{
    struct visit *visit = ctx;

    lock_assert_none(RANK_OBJECT);
    return visit->runs < visit->stop_after;
}

START_TEST(each_run_of_blocks)
{
    struct fixture f;
    struct file file;
    struct visit visit = { .f = &f, .stop_after = UINT64_MAX };

    fixture_up(&f, 0, 2048, 0);
    file_up(&f, &file, 1000 * PAGE_SIZE);
    visit.object = file.object;
    ck_assert(object_each_block(&f.store, file.object, see_run, more, &visit));
    ck_assert_uint_eq(visit.runs, 0);
    model_write(&f, &file, 0, 30 * PAGE_SIZE, 1, false);
    model_write(&f, &file, 40 * PAGE_SIZE, 10 * PAGE_SIZE, 1, false);
    swap_out(&f, &file);
    model_write(&f, &file, 10 * PAGE_SIZE, 2 * PAGE_SIZE, 2, false);
    model_write(&f, &file, 60 * PAGE_SIZE, 5 * PAGE_SIZE, 0, false);
    ck_assert(object_each_block(&f.store, file.object, see_run, more, &visit));
    ck_assert_uint_eq(visit.runs, 3);
    ck_assert_uint_eq(visit.pages, 50);
    visit.pages = visit.runs = 0;
    model_compare(&f, &file, 0, 50 * PAGE_SIZE); /* CLEAN ones have theirs */
    ck_assert(object_each_block(&f.store, file.object, see_run, more, &visit));
    ck_assert_uint_eq(visit.pages, 50);
    ck_assert_uint_ge(visit.runs, 3);
    visit.pages = visit.stop_after = 0;
    ck_assert(!object_each_block(&f.store, file.object, see_run, more, &visit));
    file_down(&f, &file);
    fixture_down(&f);
}
END_TEST

UNIT_MAIN("usage", pages_by_kind, each_run_of_blocks)

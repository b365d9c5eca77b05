/* test_vacate.c - the pages of an area of swap go elsewhere, whatever they are at
 * that moment, and are what they were. */
#include "fixture.h"

#include "clock.h"
#include "object_internal.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>

enum { FRAMES = 300, FIRST = 2048, SECOND = 4096 };

static struct fixture f;
static struct file file;

/* One file of so many pages. */
static void up(uint64_t pages)
{
    fixture_up(&f, FRAMES, FIRST, 0);
    file_up(&f, &file, 1200 * PAGE_SIZE);
    for (uint64_t at = 0; at < pages; at += 50)
        model_write(&f, &file, at * PAGE_SIZE, 50 * PAGE_SIZE, at + 1, false);
}

static void down(void)
{
    model_compare(&f, &file, 0, file.size);
    file_down(&f, &file);
    fixture_down(&f);
}

static int add(const char *name, uint32_t blocks)
{
    struct swap_file area = fake_swap_file(blocks);
    char copy[16];

    strcpy(copy, name);
    area.name = copy;
    return pool_swap_add(f.store.pool, &area, 0);
}

static int take(const char *name)
{
    return pool_swap_remove(f.store.pool, name, NULL, NULL);
}

static void *take_first(void *unused)
{
    (void)unused;
    ck_assert_int_eq(take(""), 0);
    return NULL;
}

static bool go_on(void *unused)
{
    (void)unused;
    return true;
}

/* Over the blocks of area "", to the end. */
static void walk_all(void)
{
    struct pool_walk walk = { .nr = FIRST };
    int err;

    while ((err = object_pool_ops.vacate(&f.store, &walk)) == 0)
        ;
    ck_assert_int_eq(err, 1);
}

/* --- what a page is when it is met ------------------------------------------ */

/* More than fits in memory, with holes and zeros, in two files; one has died. */
START_TEST(all_pages_of_all_files_move)
{
    struct swap_area_info list[SWAP_AREAS_MAX];
    struct file other, gone;

    up(500);
    file_up(&f, &gone, PAGE_SIZE);
    file_up(&f, &other, 500 * PAGE_SIZE);
    file_down(&f, &gone);
    for (uint64_t at = 0; at < 500; at += 10)
        model_write(&f, &other, at * PAGE_SIZE, 7 * PAGE_SIZE - 99, at % 4, false);
    swap_out(&f, &file);
    ck_assert_int_eq(add("b", SECOND), 0);
    ck_assert_int_eq(take(""), 0);
    ck_assert_uint_eq(pool_swap_list(f.store.pool, list), 1);
    ck_assert_str_eq(list[0].name, "b");
    pool_quiesce(f.store.pool);
    ck_assert_uint_eq(usage_of(&f, &file).blocks + usage_of(&f, &other).blocks,
                      fake_swap_counts().nr_used);
    model_pages(&f, &file);
    model_compare(&f, &other, 0, other.size);
    file_down(&f, &other);
    down();
}
END_TEST

START_TEST(what_is_clean_loses_its_copy_and_is_not_read)
{
    uint64_t read;

    up(100);
    swap_out(&f, &file);
    model_compare(&f, &file, 0, file.size);
    ck_assert_uint_eq(usage_of(&f, &file).resident, 100);
    ck_assert_uint_eq(usage_of(&f, &file).blocks, 100);
    read = fake_swap_counts().read_blocks;
    walk_all();
    ck_assert_uint_eq(usage_of(&f, &file).resident, 100);
    ck_assert_uint_eq(usage_of(&f, &file).blocks, 0);
    ck_assert_uint_eq(fake_swap_counts().nr_used, 0);
    ck_assert_uint_eq(fake_swap_counts().read_blocks, read);
    down();
}
END_TEST

START_TEST(what_is_dirty_or_zero_stays_as_it_is)
{
    up(100);
    model_write(&f, &file, 100 * PAGE_SIZE, 50 * PAGE_SIZE, 0, false);
    ck_assert_uint_eq(usage_of(&f, &file).zero, 50);
    walk_all();
    ck_assert_uint_eq(usage_of(&f, &file).resident, 100);
    ck_assert_uint_eq(usage_of(&f, &file).zero, 50);
    ck_assert_uint_eq(stats_of(&f).dirty, 100);
    ck_assert_uint_eq(fake_swap_counts().reads, 0);
    down();
}
END_TEST

/* Each once, and a run with one request as far as a batch goes. */
START_TEST(what_is_on_swap_is_read_by_runs)
{
    uint32_t batch;

    up(200);
    swap_out(&f, &file);
    pool_quiesce(f.store.pool);
    batch = pool_batch(f.store.pool);
    ck_assert_int_eq(take(""), 0);
    ck_assert_uint_eq(usage_of(&f, &file).resident, 200);
    ck_assert_uint_eq(fake_swap_counts().read_blocks, 200);
    ck_assert_uint_le(fake_swap_counts().reads,
                      div_up(200, batch) + usage_of(&f, &file).runs + 8);
    ck_assert_uint_eq(stats_of(&f).lost, 0);
    down();
}
END_TEST

START_TEST(blocks_of_another_area_stay)
{
    struct swap_area_info list[SWAP_AREAS_MAX];
    struct file other;
    uint64_t read;

    up(200);
    swap_out(&f, &file);
    pool_quiesce(f.store.pool);
    ck_assert_int_eq(add("b", SECOND), 0);
    ck_assert_int_eq(take(""), 0);
    swap_out(&f, &file);
    pool_quiesce(f.store.pool);
    ck_assert_uint_eq(usage_of(&f, &file).swapped, 200);
    ck_assert_int_eq(add("c", 1024), 0);
    ck_assert_uint_eq(pool_swap_list(f.store.pool, list), 2);
    file_up(&f, &other, 100 * PAGE_SIZE);
    model_write(&f, &other, 0, 100 * PAGE_SIZE, 7, false);
    read = fake_swap_counts().read_blocks;
    ck_assert_int_eq(take("c"), 0);
    ck_assert_uint_eq(usage_of(&f, &file).swapped, 200);
    ck_assert_uint_eq(fake_swap_counts().read_blocks, read);
    model_compare(&f, &other, 0, other.size);
    file_down(&f, &other);
    down();
}
END_TEST

/* The walk waits for no page, so it comes round again. */
static void with_io_held(void)
{
    struct swap_area_info area;
    pthread_t thread;

    pthread_create(&thread, NULL, take_first, NULL);
    EVENTUALLY((swap_get(f.swap, 0, &area), area.state == SWAP_AREA_LEAVING));
    clock_sleep_ns(5000000);
    fake_swap_hold(false);
    pthread_join(thread, NULL);
}

/* All pages are on their way to the first area, and stay so. */
static void up_writing(void)
{
    uint64_t found;

    up(100);
    ck_assert_int_eq(add("b", SECOND), 0);
    fake_swap_hold(true);
    ck_assert_int_eq(object_send_out(&f.store, file.object, go_on, NULL, &found),
                     0);
    ck_assert_uint_gt(stats_of(&f).writing, 0);
}

START_TEST(what_is_being_written_goes_elsewhere)
{
    up_writing();
    with_io_held();
    down();
}
END_TEST

START_TEST(what_is_being_written_and_written_to_goes_elsewhere)
{
    up_writing();
    model_write(&f, &file, 10 * PAGE_SIZE + 5, 30 * PAGE_SIZE, 77, false);
    with_io_held();
    down();
}
END_TEST

START_TEST(what_is_being_read_gives_its_block_up_then)
{
    up(100);
    swap_out(&f, &file);
    pool_quiesce(f.store.pool);
    ck_assert_int_eq(add("b", SECOND), 0);
    fake_swap_hold(true);
    ck_assert_uint_gt(object_willneed(&f.store, file.object, go_on, NULL), 0);
    ck_assert_uint_gt(stats_of(&f).reading, 0);
    with_io_held();
    down();
}
END_TEST

/* Pages read for the walk are dropped before they have come. */
START_TEST(what_is_dropped_while_it_is_read_is_gone)
{
    struct pool_walk walk = { .nr = FIRST };

    up(100);
    swap_out(&f, &file);
    pool_quiesce(f.store.pool);
    fake_swap_hold(true);
    ck_assert_int_eq(object_pool_ops.vacate(&f.store, &walk), 0);
    ck_assert_uint_gt(stats_of(&f).reading, 0);
    model_truncate(&f, &file, 0);
    fake_swap_hold(false);
    pool_quiesce(f.store.pool);
    ck_assert_int_eq(take(""), 0);
    down();
}
END_TEST

/* --- what goes wrong --------------------------------------------------------- */

/* A run that fails is read page by page; what fails again is lost, and its block
 * holds nothing up. */
START_TEST(what_cannot_be_read_is_lost_alone)
{
    struct object_read read;
    uint64_t lost = 0;

    up(200);
    swap_out(&f, &file);
    pool_quiesce(f.store.pool);
    ck_assert_int_eq(add("b", SECOND), 0);
    fake_swap_fail_read_after(0, EIO, 60);
    ck_assert_int_eq(take(""), 0);
    ck_assert_uint_gt(f.lost, 0);
    ck_assert_uint_lt(f.lost, 60);
    ck_assert_uint_eq(usage_of(&f, &file).lost, f.lost);
    for (uint64_t i = 0; i < 200; i++) {
        int err = object_read_begin(&f.store, file.object, NULL, i * PAGE_SIZE,
                                    PAGE_SIZE, true, &read);

        ck_assert(err == 0 || err == -EIO);
        lost += err == -EIO;
        if (err == 0)
            object_read_end(&f.store, file.object, &read);
        else
            model_write(&f, &file, i * PAGE_SIZE, PAGE_SIZE, i + 9, false);
    }
    ck_assert_uint_eq(lost, f.lost);
    down();
}
END_TEST

/* A page that is lost already has no block to give. */
START_TEST(what_is_lost_stays_so)
{
    struct object_read read;

    up(50);
    swap_out(&f, &file);
    pool_quiesce(f.store.pool);
    fake_swap_fail_read_after(0, EIO, 2);
    ck_assert_int_eq(object_read_begin(&f.store, file.object, NULL, 0, PAGE_SIZE,
                                       true, &read), -EIO);
    ck_assert_uint_eq(f.lost, 1);
    ck_assert_int_eq(take(""), 0);
    ck_assert_uint_eq(f.lost, 1);
    ck_assert_uint_eq(usage_of(&f, &file).lost, 1);
    model_write(&f, &file, 0, PAGE_SIZE, 1, false);
    model_write(&f, &file, 0, 50 * PAGE_SIZE, 1, false);
    down();
}
END_TEST

static bool stop_after(void *ctx)
{
    unsigned *left = ctx;

    return (*left)-- == 0;
}

START_TEST(interrupted_anywhere_all_is_in_use_as_before)
{
    struct swap_area_info list[SWAP_AREAS_MAX];
    unsigned interrupted = 0;
    int err = -EINTR;

    up(1000);
    ck_assert_int_eq(add("b", SECOND), 0);
    fake_swap_max_run(7);
    for (unsigned calls = 0; err; calls++) {
        unsigned left = calls;

        err = pool_swap_remove(f.store.pool, "", stop_after, &left);
        ck_assert(err == 0 || err == -EINTR);
        interrupted += err != 0;
        pool_quiesce(f.store.pool);
        pool_check(f.store.pool);
        object_check(&f.store, file.object);
        ck_assert_uint_eq(pool_swap_list(f.store.pool, list), err ? 2 : 1);
        ck_assert_uint_eq(list[0].state, SWAP_AREA_ACTIVE);
        ck_assert_uint_eq(model_pages(&f, &file), 1000);
        if (calls % 8 == 0)
            model_compare(&f, &file, 0, file.size);
    }
    ck_assert_uint_gt(interrupted, 1);
    down();
}
END_TEST

START_TEST(without_room_nothing_moves)
{
    struct fake_swap_counts before;
    struct object_usage usage;

    up(1200);
    pool_quiesce(f.store.pool);
    before = fake_swap_counts();
    usage = usage_of(&f, &file);
    ck_assert_uint_gt(usage.swapped, 0);
    ck_assert_int_eq(take(""), -ENOSPC);
    ck_assert_int_eq(add("b", 512), 0);
    ck_assert_int_eq(take(""), -ENOSPC);
    ck_assert_uint_eq(fake_swap_counts().reads, before.reads);
    ck_assert_uint_eq(fake_swap_counts().written_blocks, before.written_blocks);
    ck_assert_uint_eq(usage_of(&f, &file).swapped, usage.swapped);
    ck_assert_uint_eq(usage_of(&f, &file).blocks, usage.blocks);
    /* Nor does it stay half closed: what is there can be used to the end. */
    ck_assert_int_eq(take("b"), 0);
    down();
}
END_TEST

/* --- under load ------------------------------------------------------------- */

static _Atomic bool over;

static void *shuffle(void *arg)
{
    _Atomic unsigned *moved = arg;
    char name[2] = "", next[2] = "A";

    while (!atomic_load(&over)) {
        ck_assert_int_eq(add(next, SECOND), 0);
        ck_assert_int_eq(take(name), 0);
        strcpy(name, next);
        next[0] = next[0] == 'Z' ? 'A' : (char)(next[0] + 1);
        atomic_fetch_add(moved, 1);
    }
    return NULL;
}

START_TEST(a_file_in_use_moves)
{
    _Atomic unsigned moved = 0;
    uint64_t state = 4711;
    pthread_t thread;

    up(0);
    fake_swap_shuffle(true);
    atomic_store(&over, false);
    pthread_create(&thread, NULL, shuffle, &moved);
    for (unsigned n = 0; n < 1500 || atomic_load(&moved) < 3; n++) {
        uint64_t at = rnd(&state, file.max - 64 * PAGE_SIZE);
        uint64_t length = 1 + rnd(&state, 32 * PAGE_SIZE);

        switch (rnd(&state, 8)) {
        case 0:
            model_truncate(&f, &file, at);
            break;
        case 1:
            model_fallocate(&f, &file, OBJECT_PUNCH, at, length, true);
            break;
        case 2:
        case 3:
        case 4:
            model_compare(&f, &file, at, MIN(at + length, file.size));
            break;
        default:
            model_write(&f, &file, at, (size_t)length, rnd(&state, 9), false);
        }
    }
    atomic_store(&over, true);
    pthread_join(thread, NULL);
    down();
}
END_TEST

UNIT_MAIN("vacate", all_pages_of_all_files_move,
          what_is_clean_loses_its_copy_and_is_not_read,
          what_is_dirty_or_zero_stays_as_it_is, what_is_on_swap_is_read_by_runs,
          blocks_of_another_area_stay, what_is_being_written_goes_elsewhere,
          what_is_being_written_and_written_to_goes_elsewhere,
          what_is_being_read_gives_its_block_up_then,
          what_is_dropped_while_it_is_read_is_gone,
          what_cannot_be_read_is_lost_alone, what_is_lost_stays_so,
          interrupted_anywhere_all_is_in_use_as_before,
          without_room_nothing_moves, a_file_in_use_moves)

/* test_lane.c - reads that are begun and not waited for: what is begun, what is
 * there when they are over, and when nothing is begun. */
#include "fake_lane.h"
#include "fixture.h"

#include <errno.h>

static struct fixture f;
static struct file file;
static struct fake_lane lane;

static void up(uint64_t pages)
{
    lane = fake_lane();
    fixture_up(&f, 2000, 8192, 0);
    file_up(&f, &file, 400 * PAGE_SIZE);
    model_write(&f, &file, 0, pages * PAGE_SIZE, 1, false);
    swap_out(&f, &file);
}

static void down(void)
{
    while (lane.nr > 0)
        fake_lane_over(&lane, 0);
    model_compare(&f, &file, 0, file.size);
    file_down(&f, &file);
    fixture_down(&f);
}

static int start(struct readahead *ahead, uint64_t page, uint64_t nr)
{
    return object_read_start(&f.store, file.object, ahead, page * PAGE_SIZE,
                             nr * PAGE_SIZE, &lane.lane);
}

static int try(uint64_t page, uint64_t nr)
{
    struct object_read read;
    int err = object_read_begin(&f.store, file.object, NULL, page * PAGE_SIZE,
                                nr * PAGE_SIZE, false, &read);

    if (!err)
        object_read_end(&f.store, file.object, &read);
    return err;
}

START_TEST(what_was_begun_is_there_when_it_is_over)
{
    up(20);
    ck_assert_int_eq(try(3, 5), -EAGAIN);
    ck_assert_int_eq(start(NULL, 3, 5), 1);
    ck_assert_uint_eq(lane.nr, 1);
    ck_assert_uint_eq(lane.lane.room, FAKE_LANE_ROOM - 1);
    ck_assert_int_eq(try(3, 5), -EAGAIN);
    ck_assert_uint_eq(atomic_load(&file.object->range.held), 0);
    ck_assert(fake_lane_over(&lane, 5 * PAGE_SIZE));
    ck_assert_uint_eq(lane.lane.room, FAKE_LANE_ROOM);
    ck_assert_int_eq(try(3, 5), 0);
    ck_assert_uint_eq(fake_swap_counts().read_blocks, 5);
    down();
}
END_TEST

/* As many runs as the lane has room for, and then the rest. */
START_TEST(runs)
{
    enum { RUN = 3 };

    lane = fake_lane();
    fixture_up(&f, 2000, 8192, 0);
    fake_swap_max_run(RUN);
    file_up(&f, &file, 400 * PAGE_SIZE);
    model_write(&f, &file, 0, 6 * RUN * PAGE_SIZE, 1, false);
    swap_out(&f, &file);
    for (uint64_t left = usage_of(&f, &file).runs; left > 0;) {
        int begun = start(NULL, 0, 6 * RUN);

        ck_assert_int_eq(begun, (int)MIN(left, (uint64_t)FAKE_LANE_ROOM));
        left -= (uint64_t)begun;
        while (lane.nr > 0)
            fake_lane_over(&lane, 0);
    }
    ck_assert_int_eq(try(0, 6 * RUN), 0);
    down();
}
END_TEST

/* A random miss brings its neighbours; the plan is made once. */
START_TEST(readahead_is_asked)
{
    struct readahead ahead = { .clock = 0 };

    up(64);
    ck_assert_int_eq(start(&ahead, 40, 1), 1);
    ck_assert_uint_eq(lane.io[0]->nr, 16);
    ck_assert_uint_eq(ahead.clock, 1);
    ck_assert_uint_eq(ahead.misses, 15);
    fake_lane_over(&lane, 0);
    ck_assert_int_eq(try(32, 16), 0);
    down();
}
END_TEST

START_TEST(not_what_is_there_or_lost_or_beyond_the_end)
{
    up(20);
    ck_assert_int_eq(start(NULL, 20, 5), -EAGAIN);
    ck_assert_int_eq(start(NULL, 0, 0), -EAGAIN);
    fake_swap_fail_read_after(0, EIO, 1);
    ck_assert_int_eq(start(NULL, 7, 1), 1);
    fake_lane_over(&lane, 0);
    ck_assert_uint_eq(usage_of(&f, &file).lost, 1);
    ck_assert_int_eq(try(7, 1), -EIO);
    ck_assert_int_eq(start(NULL, 7, 1), -EAGAIN);
    /* Up to the lost page. */
    ck_assert_int_eq(start(NULL, 5, 6), 1);
    ck_assert_uint_eq(lane.io[0]->nr, 2);
    fake_lane_over(&lane, 0);
    ck_assert_int_eq(try(5, 6), 0);
    ck_assert_int_eq(start(NULL, 5, 2), -EAGAIN);
    model_truncate(&f, &file, 5 * PAGE_SIZE);
    down();
}
END_TEST

/* Somebody else reads a part: this one would be back too early. */
START_TEST(not_beside_another_reader)
{
    up(20);
    ck_assert_int_eq(start(NULL, 4, 2), 1);
    ck_assert_int_eq(start(NULL, 0, 5), -EAGAIN);
    ck_assert_int_eq(start(NULL, 0, 4), 1);
    down();
}
END_TEST

/* Threads page where io_uring is refused: then it is as if there were no lane. */
START_TEST(not_where_no_lane_can_read)
{
    up(20);
    fake_swap_lends(false);
    ck_assert_int_eq(start(NULL, 0, 5), -EAGAIN);
    ck_assert_uint_eq(lane.begun, 0);
    down();
}
END_TEST

START_TEST(nothing_waits_for_memory)
{
    struct pool_io *ios[64];
    uint32_t taken[2000], n = 0, frame;

    up(20);
    /* All of them: the pool would keep some back until pageout has found nothing. */
    while ((frame = arena_frame_alloc(f.store.arena, 0)) != FRAME_NONE)
        taken[n++] = frame;
    ck_assert_int_eq(start(NULL, 0, 5), 0);
    pool_frames_put(f.store.pool, n, taken);
    for (n = 0; (ios[n] = pool_io_get(f.store.pool, false)) != NULL;)
        n++;
    ck_assert_int_eq(start(NULL, 0, 5), 0);
    while (n > 0)
        pool_io_put(f.store.pool, ios[--n]);
    ck_assert_uint_eq(lane.begun, 0);
    ck_assert_int_eq(start(NULL, 0, 5), 1);
    down();
}
END_TEST

/* A run that fails goes on page by page in the engine: the lane is out of it. */
START_TEST(errors_are_the_engines)
{
    up(20);
    ck_assert_int_eq(start(NULL, 0, 5), 1);
    ck_assert(fake_lane_over(&lane, -EIO));
    ck_assert_uint_eq(lane.nr, 0);
    ck_assert_uint_eq(lane.lane.room, FAKE_LANE_ROOM);
    pool_quiesce(f.store.pool);
    ck_assert_int_eq(try(0, 5), 0);
    ck_assert_uint_eq(f.lost, 0);
    down();
}
END_TEST

/* It has no range: the file may shrink meanwhile, and grow again. */
START_TEST(truncated_meanwhile)
{
    up(20);
    ck_assert_int_eq(start(NULL, 0, 10), 1);
    model_truncate(&f, &file, 4 * PAGE_SIZE);
    model_truncate(&f, &file, 20 * PAGE_SIZE);
    ck_assert(fake_lane_over(&lane, 10 * PAGE_SIZE));
    ck_assert_int_eq(try(0, 10), 0);
    down();
}
END_TEST

UNIT_MAIN("lane", what_was_begun_is_there_when_it_is_over, runs,
          readahead_is_asked, not_what_is_there_or_lost_or_beyond_the_end,
          not_beside_another_reader, not_where_no_lane_can_read,
          nothing_waits_for_memory, errors_are_the_engines,
          truncated_meanwhile)

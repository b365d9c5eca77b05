/* test_throttle.c - writers are slowed down between low and min, and only there. */
#include "fake_owner.h"
#include "pool_internal.h"

#include "unit.h"

#include <pthread.h>

enum { FRAMES = 4096 };
#define MS 1000000u

static struct rig rig;
static uint32_t taken[FRAMES], nr_taken;

/* A pool with blocks to spare and so many frames free; pageout is slow: 1000
 * pages a second. */
static void setup(uint32_t blocks)
{
    nr_taken = 0;
    rig_up(&rig, &(struct rig_config){ .frames = FRAMES, .blocks = blocks,
                                       .pages = 1, .stopped = true });
    if (blocks)
        grow_file(rig.pool, blocks);
    atomic_store(&rig.pool->launder.pages_per_s, 1000);
}

static void free_left(uint32_t left)
{
    while (arena_nr_free(rig.arena) > left)
        taken[nr_taken++] = arena_frame_alloc(rig.arena, 0);
}

static void teardown(void)
{
    pool_frames_put(rig.pool, nr_taken, taken);
    rig_down(&rig);
}

static uint64_t pause_ns(uint32_t nr)
{
    uint64_t begun = clock_monotonic_ns();

    pool_throttle(rig.pool, nr);
    return clock_monotonic_ns() - begun;
}

START_TEST(no_pause_above_low)
{
    setup(8192);
    free_left(rig.pool->low);
    ck_assert(!pool_throttle_needed(rig.pool));
    ck_assert_uint_lt(pause_ns(10000), MS);
    teardown();
}
END_TEST

START_TEST(half_way_the_pause_is_that_of_pageout)
{
    setup(8192);
    free_left((rig.pool->low + rig.pool->min) / 2);
    ck_assert(pool_throttle_needed(rig.pool));
    /* 50 pages at 1000 a second. */
    ck_assert_uint_ge(pause_ns(50), 45 * MS);
    ck_assert_uint_lt(pause_ns(50), 150 * MS);
    teardown();
}
END_TEST

START_TEST(no_pause_is_longer_than_200_ms)
{
    setup(8192);
    free_left(rig.pool->min);
    ck_assert_uint_ge(pause_ns(1), 190 * MS);
    ck_assert_uint_lt(pause_ns(100000), 400 * MS);
    teardown();
}
END_TEST

START_TEST(short_pauses_are_saved_up)
{
    uint64_t sum = 0;

    setup(8192);
    atomic_store(&rig.pool->launder.pages_per_s, 10000);
    free_left((rig.pool->low + rig.pool->min) / 2);
    for (unsigned i = 0; i < 500; i++)
        sum += pause_ns(1); /* 100 us each */
    ck_assert_uint_ge(sum, 40 * MS);
    teardown();
}
END_TEST

static void *give_back_soon(void *unused)
{
    (void)unused;
    clock_sleep_ns(20 * MS);
    nr_taken -= FRAMES / 2;
    pool_frames_put(rig.pool, FRAMES / 2, taken + nr_taken);
    return NULL;
}

START_TEST(a_pause_ends_when_frames_come_back)
{
    pthread_t thread;
    uint64_t pause;

    setup(8192);
    free_left(rig.pool->min);
    pthread_create(&thread, NULL, give_back_soon, NULL);
    pause = pause_ns(1000);
    pthread_join(thread, NULL);
    ck_assert_uint_lt(pause, 150 * MS);
    teardown();
}
END_TEST

START_TEST(no_pause_when_nothing_can_be_reclaimed)
{
    setup(0);
    free_left(rig.pool->min);
    ck_assert(!pool_throttle_needed(rig.pool));
    ck_assert_uint_lt(pause_ns(10000), MS);
    teardown();
}
END_TEST

UNIT_MAIN("throttle", no_pause_above_low,
          half_way_the_pause_is_that_of_pageout,
          no_pause_is_longer_than_200_ms, short_pauses_are_saved_up,
          a_pause_ends_when_frames_come_back,
          no_pause_when_nothing_can_be_reclaimed)

/* test_warm.c - free frames get memory while many are taken, and only then. */
#include "fake_owner.h"
#include "pool_internal.h"

#include "unit.h"

enum { FRAMES = 4096, BATCH = 32 };

static struct rig rig;
static uint32_t taken[FRAMES], nr_taken;

/* Without the thread that would take the memory away again. */
static void setup(void)
{
    nr_taken = 0;
    rig_up(&rig, &(struct rig_config){ .frames = FRAMES, .pages = 1,
                                       .stopped = true });
    ck_assert_int_eq(warm_start(rig.pool), 0);
}

static void teardown(void)
{
    warm_stop(rig.pool);
    pool_frames_put(rig.pool, nr_taken, taken);
    rig_down(&rig);
}

static void take(uint32_t nr)
{
    ck_assert_int_eq(pool_frames_get(rig.pool, nr, taken + nr_taken,
                                     POOL_NOWAIT), 0);
    nr_taken += nr;
}

/* Until the thread has nothing more to do. */
static void settle(void)
{
    while (atomic_load(&rig.pool->warm.goal) != 0)
        clock_sleep_ns(100000);
}

START_TEST(a_large_batch_is_followed_by_warmth)
{
    uint32_t warm, free;

    setup();
    settle();
    warm = arena_nr_warm(rig.arena);
    free = arena_nr_free(rig.arena);
    take(BATCH);
    settle();
    ck_assert_uint_eq(arena_nr_free(rig.arena), free - BATCH);
    ck_assert_uint_ge(arena_nr_warm(rig.arena), BATCH);
    /* The next takes these; as many follow. */
    take(BATCH);
    settle();
    ck_assert_uint_ge(arena_nr_warm(rig.arena), BATCH);
    ck_assert_uint_lt(arena_nr_warm(rig.arena), warm + 2 * BATCH);
    arena_check(rig.arena);
    teardown();
}
END_TEST

START_TEST(small_ones_are_not)
{
    setup();
    while (arena_nr_warm(rig.arena) > 0)
        take(1);
    for (unsigned i = 0; i < 100; i++) {
        take(4);
        ck_assert_uint_eq(atomic_load(&rig.pool->warm.goal), 0);
    }
    ck_assert_uint_eq(arena_nr_warm(rig.arena), 0);
    teardown();
}
END_TEST

START_TEST(nothing_is_warmed_near_the_marks)
{
    setup();
    while (arena_nr_free(rig.arena) > rig.pool->high + BATCH)
        taken[nr_taken++] = arena_frame_alloc(rig.arena, 0);
    while (arena_nr_warm(rig.arena) > 0)
        take(1);
    take(BATCH / 2);
    settle();
    ck_assert_uint_eq(arena_nr_warm(rig.arena), 0);
    teardown();
}
END_TEST

UNIT_MAIN("warm", a_large_batch_is_followed_by_warmth, small_ones_are_not,
          nothing_is_warmed_near_the_marks)

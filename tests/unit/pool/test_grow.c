/* test_grow.c - the swap file grows when charges need it and shrinks when they
 * do not; a full host disk is told at the charge.
 */
#include "fake_owner.h"
#include "pool_internal.h"

#include "unit.h"

#include <errno.h>
#include <pthread.h>

static struct rig rig;

static void setup(uint32_t frames, uint32_t blocks, bool stopped)
{
    rig_up(&rig, &(struct rig_config){ .frames = frames, .blocks = blocks,
                                       .pages = 1, .stopped = stopped,
                                       .quiet = true });
}

static struct pool_stats stats(void)
{
    struct pool_stats s;

    pool_stats(rig.pool, &s);
    return s;
}

static uint64_t charge(uint64_t nr)
{
    uint64_t done = 0;
    uint32_t got;

    while (done < nr && pool_charge(rig.pool, (uint32_t)(nr - done), true,
                                    &got) == 0)
        done += got;
    return done;
}

START_TEST(a_charge_grows_the_file)
{
    setup(512, 65536, true);
    ck_assert_uint_eq(stats().blocks_backed, 0);
    ck_assert_uint_eq(charge(10000), 10000);
    ck_assert_uint_ge(stats().blocks_backed, 10000 - 512);
    ck_assert_uint_lt(stats().blocks_backed, 65536);
    pool_uncharge(rig.pool, 10000);
    rig_down(&rig);
}
END_TEST

START_TEST(a_full_host_is_enospc_at_once_and_asked_again_later)
{
    uint64_t begun, all;
    uint32_t grows;

    setup(512, 65536, true);
    fake_swap_grow_step(1);
    fake_swap_host_room(1000);
    all = charge(10000);
    ck_assert_uint_eq(all, 512 - stats().reserve - 4 + 1000);
    ck_assert_uint_eq(stats().used_max, stats().used); /* df: full */
    grows = fake_swap_counts().grows;
    begun = clock_monotonic_ns();
    for (unsigned i = 0; i < 1000; i++)
        ck_assert_uint_eq(charge(1), 0);
    if (clock_monotonic_ns() - begun < 500000000)
        ck_assert_uint_eq(fake_swap_counts().grows, grows);
    fake_swap_host_room(2000);
    clock_sleep_ns(1100000000);
    ck_assert_uint_eq(charge(1000), 1000);
    ck_assert_uint_gt(stats().used_max, stats().used);
    pool_uncharge(rig.pool, all + 1000);
    rig_down(&rig);
}
END_TEST

/* Deleting gives disk back to the host, and so does the host's user: what there is
 * more than at the refusal can be had, and df says so, before anybody asks. */
START_TEST(what_becomes_free_after_a_refusal_counts)
{
    uint64_t all, before;

    setup(512, 65536, true);
    fake_swap_grow_step(1);
    fake_swap_host_room(1000);
    all = charge(10000);
    before = stats().used_max;
    ck_assert_uint_eq(before, stats().used);
    fake_swap_host_room(3000);
    ck_assert_uint_eq(stats().used_max, before + 2000);
    fake_swap_host_room(UINT32_MAX);
    ck_assert_uint_eq(stats().used_max, before - 1000 + 65536);
    fake_swap_host_room(1000);
    pool_uncharge(rig.pool, all);
    ck_assert_uint_eq(stats().used_max, before);
    rig_down(&rig);
}
END_TEST

START_TEST(the_keeper_grows_ahead_of_writers)
{
    uint32_t got;

    setup(512, 65536, false);
    ck_assert_int_eq(pool_charge(rig.pool, 460, true, &got), 0);
    EVENTUALLY(pool_charge(rig.pool, 30, false, &got) == 0);
    ck_assert_uint_eq(got, 30);
    ck_assert_uint_gt(stats().blocks_backed, 0);
    pool_uncharge(rig.pool, 490);
    rig_down(&rig);
}
END_TEST

START_TEST(growth_that_lacks_a_frame_for_its_table_waits_for_one)
{
    uint64_t all;

    setup(256, 16384, false);
    fake_swap_table_blocks(512);
    all = charge(100000);
    ck_assert_uint_eq(stats().blocks_backed, 16384);
    ck_assert_uint_eq(all, 256 - stats().reserve + 16384 - 32);
    pool_uncharge(rig.pool, all);
    rig_down(&rig);
}
END_TEST

static void *charge_many(void *arg)
{
    (void)arg;
    return (void *)(uintptr_t)charge(3000);
}

START_TEST(threads_that_need_growth_share_it)
{
    pthread_t threads[4];
    void *got;

    setup(512, 65536, true);
    for (unsigned i = 0; i < 4; i++)
        pthread_create(&threads[i], NULL, charge_many, NULL);
    for (unsigned i = 0; i < 4; i++) {
        pthread_join(threads[i], &got);
        ck_assert_uint_eq((uintptr_t)got, 3000);
    }
    pool_uncharge(rig.pool, 12000);
    rig_down(&rig);
}
END_TEST

static bool keeper_sleeps(void)
{
    bool sleeps;

    mutex_lock(&rig.pool->budget.lock, RANK_BUDGET);
    sleeps = rig.pool->budget.keeper == KEEPER_IDLE;
    mutex_unlock(&rig.pool->budget.lock);
    return sleeps;
}

START_TEST(what_is_not_needed_returns_to_the_host)
{
    uint32_t backed;

    setup(512, 262144, false);
    ck_assert_uint_eq(charge(150000), 150000);
    backed = stats().blocks_backed;
    ck_assert_uint_ge(backed, 149000);
    pool_uncharge(rig.pool, 140000);
    EVENTUALLY(fake_swap_counts().trims > 0 &&
               stats().blocks_backed < 50000);
    clock_sleep_ns(100000000);
    /* As much as is in use is kept, and what the charges stand on. */
    ck_assert_uint_ge(stats().blocks_backed, 2 * 10000 - 512 - 512);
    /* Less than a cluster is left over: nothing to wake up for. */
    EVENTUALLY(keeper_sleeps());
    ck_assert_uint_eq(charge(20000), 20000);
    pool_uncharge(rig.pool, 30000);
    rig_down(&rig);
}
END_TEST

/* One block of each cluster is in use: nothing can go, and nobody looks again and
 * again, until something has changed. */
START_TEST(scattered_blocks_are_nothing_to_wake_up_for)
{
    uint32_t first, got, trims, end = 0;

    setup(512, 262144, false);
    ck_assert_uint_eq(charge(150000), 150000);
    while (swap_alloc(rig.swap, BLOCK_NONE, SPACE_CLUSTER, &first, &got) == 0)
        end = MAX(end, first + got);
    ck_assert_uint_ge(end, 149000);
    for (first = 0; first < end; first++)
        if (first % SPACE_CLUSTER != 0)
            swap_free(rig.swap, first, 1);
    pool_uncharge(rig.pool, 140000);
    EVENTUALLY(fake_swap_counts().trims > 0);
    EVENTUALLY(keeper_sleeps());
    trims = fake_swap_counts().trims;
    clock_sleep_ns(1500000000);
    ck_assert(keeper_sleeps());
    ck_assert_uint_eq(fake_swap_counts().trims, trims);
    for (first = 0; first < end; first += SPACE_CLUSTER)
        swap_free(rig.swap, first, 1);
    pool_uncharge(rig.pool, 1);
    EVENTUALLY(stats().blocks_backed < 50000);
    pool_uncharge(rig.pool, 10000 - 1);
    rig_down(&rig);
}
END_TEST

START_TEST(nothing_returns_while_pageout_is_busy)
{
    setup(512, 262144, false);
    atomic_store(&rig.pool->launder.last_write_ns, clock_monotonic_ns());
    ck_assert_uint_eq(charge(150000), 150000);
    pool_uncharge(rig.pool, 150000);
    clock_sleep_ns(300000000);
    ck_assert_uint_eq(fake_swap_counts().trims, 0);
    ck_assert_uint_ge(stats().blocks_backed, 149000);
    rig_down(&rig);
}
END_TEST

static _Atomic uint32_t charged_meanwhile;

static void charge_meanwhile(void)
{
    uint32_t got;

    if (atomic_load(&charged_meanwhile) == 0 &&
        pool_charge(rig.pool, 140000, false, &got) == 0)
        atomic_store(&charged_meanwhile, got);
    fake_swap_host_room(0); /* what goes now never comes back */
}

START_TEST(what_is_charged_while_trimming_is_not_trimmed)
{
    setup(512, 262144, false);
    atomic_store(&charged_meanwhile, 0);
    ck_assert_uint_eq(charge(150000), 150000);
    fake_swap_before_release(charge_meanwhile);
    pool_uncharge(rig.pool, 140000);
    EVENTUALLY(atomic_load(&charged_meanwhile) == 140000);
    clock_sleep_ns(10000000);
    pool_check(rig.pool);
    ck_assert_uint_ge(stats().blocks_backed, 150000 - 512);
    fake_swap_before_release(NULL);
    pool_uncharge(rig.pool, 150000);
    rig_down(&rig);
}
END_TEST

UNIT_MAIN("grow", a_charge_grows_the_file,
          a_full_host_is_enospc_at_once_and_asked_again_later,
          what_becomes_free_after_a_refusal_counts,
          the_keeper_grows_ahead_of_writers,
          growth_that_lacks_a_frame_for_its_table_waits_for_one,
          threads_that_need_growth_share_it,
          what_is_not_needed_returns_to_the_host,
          scattered_blocks_are_nothing_to_wake_up_for,
          nothing_returns_while_pageout_is_busy,
          what_is_charged_while_trimming_is_not_trimmed)

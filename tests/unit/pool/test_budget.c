/* test_budget.c - charges: exact to the page, at every instant, from any thread. */
#include "fake_owner.h"
#include "pool_internal.h"

#include "unit.h"

#include <errno.h>
#include <pthread.h>

static struct rig rig;

static void setup(uint32_t frames, uint32_t blocks, uint64_t limit)
{
    rig_up(&rig, &(struct rig_config){ .frames = frames, .blocks = blocks,
                                       .limit = limit, .pages = 1 });
}

static uint64_t used(void)
{
    struct pool_stats stats;

    pool_stats(rig.pool, &stats);
    return stats.used;
}

/* Charges page by page until nothing more is granted; returns how many. */
static uint64_t charge_all(void)
{
    uint64_t n = 0;
    uint32_t got;

    while (pool_charge(rig.pool, 1, true, &got) == 0)
        n++;
    return n;
}

START_TEST(the_last_grant_is_partial_then_enospc)
{
    uint32_t got;

    setup(512, 4096, 100);
    ck_assert_int_eq(pool_charge(rig.pool, 60, true, &got), 0);
    ck_assert_uint_eq(got, 60);
    ck_assert_int_eq(pool_charge(rig.pool, 60, true, &got), 0);
    ck_assert_uint_eq(got, 40);
    ck_assert_int_eq(pool_charge(rig.pool, 1, true, &got), -ENOSPC);
    ck_assert_int_eq(pool_charge(rig.pool, 1, false, &got), -ENOSPC);
    pool_uncharge(rig.pool, 1);
    ck_assert_int_eq(pool_charge(rig.pool, 60, false, &got), 0);
    ck_assert_uint_eq(got, 1);
    pool_uncharge(rig.pool, 100);
    rig_down(&rig);
}
END_TEST

START_TEST(metadata_counts_against_the_limit)
{
    void *page[100];
    uint32_t got, n = 0;

    setup(512, 4096, 100);
    ck_assert_int_eq(pool_charge(rig.pool, 60, true, &got), 0);
    while (arena_alloc(rig.arena, PAGE_SIZE, &page[n]) == 0)
        n++;
    ck_assert_uint_eq(n, 40);
    ck_assert_uint_eq(used(), 100);
    while (n > 0)
        arena_free(rig.arena, page[--n]);
    ck_assert_uint_eq(used(), 60);
    pool_uncharge(rig.pool, 60);
    rig_down(&rig);
}
END_TEST

START_TEST(without_limit_it_is_frames_and_blocks_to_the_page)
{
    struct pool_stats stats;
    uint64_t n;

    setup(512, 4096, 0);
    pool_stats(rig.pool, &stats);
    n = charge_all();
    /* All but the reserve; the fake keeps no tables. */
    ck_assert_uint_eq(n, 512 - stats.reserve + 4096);
    pool_stats(rig.pool, &stats);
    ck_assert_uint_eq(stats.used, stats.used_max);
    pool_uncharge(rig.pool, n);
    ck_assert_uint_eq(charge_all(), n);
    pool_uncharge(rig.pool, n);
    rig_down(&rig);
}
END_TEST

START_TEST(without_swap_it_is_the_frames)
{
    struct pool_stats stats;
    uint64_t n;

    setup(512, 0, 0);
    pool_stats(rig.pool, &stats);
    n = charge_all();
    ck_assert_uint_eq(n, 512 - stats.reserve);
    pool_uncharge(rig.pool, n);
    rig_down(&rig);
}
END_TEST

START_TEST(metadata_leaves_the_data_their_share)
{
    static void *page[1024];
    uint32_t n = 0;

    setup(1024, 65536, 0);
    while (arena_alloc(rig.arena, PAGE_SIZE, &page[n]) == 0)
        n++;
    ck_assert_uint_le(n, 1024 - 64 - 128);
    ck_assert_uint_gt(n, 1024 - 64 - 128 - 16);
    while (n > 0)
        arena_free(rig.arena, page[--n]);
    rig_down(&rig);
}
END_TEST

START_TEST(a_charge_that_may_not_wait_says_that_waiting_helps)
{
    struct pool_stats stats;
    uint32_t got;
    void *ptr;

    rig_up(&rig, &(struct rig_config){ .frames = 512, .blocks = 4096,
                                       .pages = 1, .stopped = true });
    pool_stats(rig.pool, &stats);
    ck_assert_int_eq(pool_charge(rig.pool, 512 - stats.reserve + 1, false,
                                 &got), -EAGAIN);
    ck_assert_uint_eq(used(), 0);
    ck_assert_int_eq(pool_charge(rig.pool, 512 - stats.reserve - 4, false,
                                 &got), 0);
    ck_assert_int_eq(arena_alloc(rig.arena, PAGE_SIZE, &ptr), -EAGAIN);
    arena_wait(rig.arena);
    ck_assert_int_eq(arena_alloc(rig.arena, PAGE_SIZE, &ptr), 0);
    arena_free(rig.arena, ptr);
    pool_uncharge(rig.pool, got);
    rig_down(&rig);
}
END_TEST

enum { THREADS = 8, ROUNDS = 20000, LIMIT = 300 };

static _Atomic bool stop;

static void *charge_and_uncharge(void *arg)
{
    unsigned seed = (unsigned)(uintptr_t)arg;
    uint32_t held = 0;

    for (unsigned i = 0; i < ROUNDS; i++) {
        uint32_t want = 1 + (uint32_t)rand_r(&seed) % 64, got = 0;
        void *ptr;
        int err = pool_charge(rig.pool, want, false, &got);

        ck_assert(err == 0 || err == -ENOSPC || err == -EAGAIN);
        ck_assert_uint_le(got, want);
        ck_assert_int_eq(err == 0, got > 0);
        held += got;
        if (arena_alloc(rig.arena, PAGE_SIZE, &ptr) == 0)
            arena_free(rig.arena, ptr);
        if (rand_r(&seed) % 2 && held > 0) {
            uint32_t less = 1 + (uint32_t)rand_r(&seed) % held;

            pool_uncharge(rig.pool, less);
            held -= less;
        }
    }
    pool_uncharge(rig.pool, held);
    return NULL;
}

static void *watch(void *arg)
{
    bool *full = arg;

    while (!atomic_load(&stop)) {
        uint64_t now = used();

        ck_assert_uint_le(now, LIMIT);
        *full |= now == LIMIT;
    }
    return NULL;
}

START_TEST(what_is_held_is_for_those_who_may_use_it)
{
    uint32_t got;
    void *page;

    setup(512, 4096, 100);
    ck_assert_uint_eq(pool_hold(rig.pool, 30), 100);
    ck_assert_int_eq(pool_charge(rig.pool, 100, true, &got), 0);
    ck_assert_uint_eq(got, 70);
    ck_assert_int_eq(pool_charge(rig.pool, 1, true, &got), -ENOSPC);
    ck_assert_int_eq(arena_alloc(rig.arena, PAGE_SIZE, &page), -ENOSPC);
    pool_use_held(true);
    ck_assert_int_eq(pool_charge(rig.pool, 20, true, &got), 0);
    ck_assert_int_eq(arena_alloc(rig.arena, PAGE_SIZE, &page), 0);
    pool_use_held(false);
    ck_assert_uint_eq(pool_hold(rig.pool, 30), 9);
    ck_assert_int_eq(pool_charge(rig.pool, 1, true, &got), -ENOSPC);
    ck_assert_uint_eq(pool_hold(rig.pool, 0), 9);
    ck_assert_uint_eq(charge_all(), 9);
    arena_free(rig.arena, page);
    pool_uncharge(rig.pool, 99);
    rig_down(&rig);
}
END_TEST

/* Disk for what is held is there before it is needed. */
START_TEST(what_is_held_is_backed)
{
    struct pool_stats stats;
    uint32_t got;

    setup(512, 65536, 0);
    pool_grow_ahead(rig.pool, 10000);
    ck_assert_uint_ge(pool_hold(rig.pool, 3000), 10000);
    for (unsigned i = 0; i < 2000; i++)
        ck_assert_int_eq(pool_charge(rig.pool, 1, true, &got), 0);
    pool_stats(rig.pool, &stats);
    ck_assert_uint_ge(pool_hold(rig.pool, 3000), 3000);
    while (pool_charge(rig.pool, 256, true, &got) == 0)
        ck_assert_uint_ge(pool_hold(rig.pool, 3000), 3000);
    pool_stats(rig.pool, &stats);
    ck_assert_uint_eq(stats.blocks_backed, stats.blocks_max);
    pool_hold(rig.pool, 0);
    pool_stats(rig.pool, &stats);
    pool_uncharge(rig.pool, stats.data);
    rig_down(&rig);
}
END_TEST

START_TEST(eight_threads_never_exceed_the_limit_and_return_to_zero)
{
    pthread_t threads[THREADS], watcher;
    bool full = false;

    setup(512, 4096, LIMIT);
    atomic_store(&stop, false);
    pthread_create(&watcher, NULL, watch, &full);
    for (uintptr_t i = 0; i < THREADS; i++)
        pthread_create(&threads[i], NULL, charge_and_uncharge, (void *)(i + 1));
    for (unsigned i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    atomic_store(&stop, true);
    pthread_join(watcher, NULL);
    ck_assert(full);
    ck_assert_uint_eq(used(), 0);
    rig_down(&rig);
}
END_TEST

UNIT_MAIN("budget", the_last_grant_is_partial_then_enospc,
          what_is_held_is_for_those_who_may_use_it, what_is_held_is_backed,
          metadata_counts_against_the_limit,
          without_limit_it_is_frames_and_blocks_to_the_page,
          without_swap_it_is_the_frames, metadata_leaves_the_data_their_share,
          a_charge_that_may_not_wait_says_that_waiting_helps,
          eight_threads_never_exceed_the_limit_and_return_to_zero)

/* test_pins.c - the pin budget: bounded, and first come, first served. */
#include "fixture.h"
#include "object_internal.h"

#include "clock.h"

#include <pthread.h>

enum { THREADS = 8, ROUNDS = 3000 };

static struct fixture f;
static _Atomic uint32_t taken;

static void *worker(void *arg)
{
    uint64_t seed = 1 + (uint64_t)(uintptr_t)arg;
    uint32_t max = pins_max(&f.store);

    for (int i = 0; i < ROUNDS; i++) {
        uint32_t nr = 1 + (uint32_t)rnd(&seed, max);

        pins_take(&f.store, nr);
        unit_assert(atomic_fetch_add(&taken, nr) + nr <= max);
        if (i % 64 == 0)
            clock_sleep_ns(1000);
        atomic_fetch_sub(&taken, nr);
        pins_give(&f.store, nr);
    }
    return NULL;
}

START_TEST(never_more_than_the_budget)
{
    pthread_t thread[THREADS];

    fixture_up(&f, 0, 0, 0);
    for (uintptr_t i = 0; i < THREADS; i++)
        pthread_create(&thread[i], NULL, worker, (void *)i);
    for (int i = 0; i < THREADS; i++)
        pthread_join(thread[i], NULL);
    fixture_down(&f);
}
END_TEST

static _Atomic int order;

static void *taker(void *arg)
{
    uint32_t nr = (uint32_t)(uintptr_t)arg;
    int place;

    pins_take(&f.store, nr);
    place = atomic_fetch_add(&order, 1);
    pins_give(&f.store, nr);
    return (void *)(intptr_t)place;
}

static uint64_t tickets(void)
{
    uint64_t n;

    mutex_lock(&f.store.pins.lock, RANK_WAIT);
    n = f.store.pins.tickets;
    mutex_unlock(&f.store.pins.lock);
    return n;
}

/* A large request is not overtaken by a small one that would fit. */
START_TEST(first_come_first_served)
{
    pthread_t large, small;
    uint32_t max;
    void *large_place, *small_place;

    fixture_up(&f, 0, 0, 0);
    max = pins_max(&f.store);
    pins_take(&f.store, max - 2);
    pthread_create(&large, NULL, taker, (void *)(uintptr_t)max);
    EVENTUALLY(tickets() == 2);
    pthread_create(&small, NULL, taker, (void *)(uintptr_t)1);
    EVENTUALLY(tickets() == 3);
    clock_sleep_ns(10000000);
    ck_assert_int_eq(order, 0);
    pins_give(&f.store, max - 2);
    pthread_join(large, &large_place);
    pthread_join(small, &small_place);
    ck_assert_int_lt((intptr_t)large_place, (intptr_t)small_place);
    fixture_down(&f);
}
END_TEST

static int frames_become(uint32_t frames)
{
    return pool_ram_change(f.store.pool,
                           arena_bytes_for(f.store.arena, frames + 1), NULL,
                           NULL);
}

static void *make_fewer(void *frames)
{
    return (void *)(intptr_t)frames_become((uint32_t)(uintptr_t)frames);
}

/* Who has taken pins of a larger budget is waited for, and who comes then gets no
 * more than there is. */
START_TEST(fewer_frames_wait_for_the_pins)
{
    uint32_t before, max;
    pthread_t thread;
    void *err;

    fixture_up(&f, 4000, 0, 0);
    before = pins_max(&f.store);
    ck_assert_uint_eq(pins_take(&f.store, before), before);
    pthread_create(&thread, NULL, make_fewer, (void *)(uintptr_t)700);
    EVENTUALLY(pins_max(&f.store) < before);
    max = pins_max(&f.store);
    clock_sleep_ns(10000000);
    ck_assert_uint_eq(arena_nr_frames(f.store.arena), 4001);
    pins_give(&f.store, before - max - 1);
    clock_sleep_ns(10000000);
    ck_assert_uint_eq(arena_nr_frames(f.store.arena), 4001);
    pins_give(&f.store, 1);
    pthread_join(thread, &err);
    ck_assert_ptr_null(err);
    ck_assert_uint_eq(arena_nr_frames(f.store.arena), 701);
    pins_give(&f.store, max);
    ck_assert_uint_eq(pins_take(&f.store, before), max);
    pins_give(&f.store, max);
    fixture_down(&f);
}
END_TEST

static void *take_many(void *nr)
{
    return (void *)(uintptr_t)pins_take(&f.store, (uint32_t)(uintptr_t)nr);
}

START_TEST(more_frames_wake_who_waits_for_pins)
{
    uint32_t max, more;
    pthread_t thread;
    void *got;

    fixture_up(&f, 4000, 0, 0);
    more = pins_max(&f.store);
    ck_assert_int_eq(frames_become(1000), 0);
    max = pins_max(&f.store);
    ck_assert_uint_lt(max, more);
    pins_take(&f.store, max);
    pthread_create(&thread, NULL, take_many, (void *)(uintptr_t)(more - max));
    EVENTUALLY(tickets() == 2);
    ck_assert_int_eq(frames_become(4000), 0);
    pthread_join(thread, &got);
    ck_assert_uint_eq((uintptr_t)got, more - max);
    pins_give(&f.store, more);
    fixture_down(&f);
}
END_TEST

UNIT_MAIN("pins", never_more_than_the_budget, first_come_first_served,
          fewer_frames_wait_for_the_pins, more_frames_wake_who_waits_for_pins)

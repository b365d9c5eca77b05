/* test_gate.c - nobody is inside while it is shut, and all get through. */
#include "gate.h"
#include "unit.h"

#include "clock.h"

#include <pthread.h>

enum { THREADS = 40, TURNS = 2000, SHUT = 100 };
#define SECOND_NS 1000000000u

static struct gate gate;
static _Atomic unsigned inside, through;

START_TEST(shut_and_opened)
{
    ck_assert(gate_shut(&gate, SECOND_NS));
    gate_open(&gate);
    gate_enter(&gate);
    gate_leave(&gate);
    ck_assert(gate_shut(&gate, SECOND_NS));
    ck_assert(!gate_try_enter(&gate)); /* and is not inside */
    gate_open(&gate);
    ck_assert(gate_try_enter(&gate));
    ck_assert(!gate_shut(&gate, 1000000));
    gate_leave(&gate);
    ck_assert(gate_shut(&gate, SECOND_NS));
    gate_open(&gate);
}
END_TEST

static void *one_that_stays(void *unused)
{
    (void)unused;
    gate_enter(&gate);
    atomic_store(&inside, 1);
    while (atomic_load(&inside) == 1)
        clock_sleep_ns(100000);
    gate_leave(&gate);
    return NULL;
}

static void *one_that_comes(void *unused)
{
    (void)unused;
    gate_enter(&gate);
    gate_leave(&gate);
    return NULL;
}

/* Whoever does not leave holds nobody up for longer than is said. */
START_TEST(patience_ends)
{
    pthread_t stays, comes;

    atomic_store(&inside, 0);
    ck_assert_int_eq(pthread_create(&stays, NULL, one_that_stays, NULL), 0);
    while (atomic_load(&inside) == 0)
        clock_sleep_ns(100000);
    ck_assert(!gate_shut(&gate, 1000000));
    ck_assert_int_eq(pthread_create(&comes, NULL, one_that_comes, NULL), 0);
    ck_assert_int_eq(pthread_join(comes, NULL), 0);
    atomic_store(&inside, 0);
    ck_assert_int_eq(pthread_join(stays, NULL), 0);
    ck_assert(gate_shut(&gate, SECOND_NS));
    gate_open(&gate);
}
END_TEST

static void *traveller(void *unused)
{
    (void)unused;
    for (unsigned i = 0; i < TURNS; i++) {
        gate_enter(&gate);
        atomic_fetch_add(&inside, 1);
        atomic_fetch_add(&through, 1);
        atomic_fetch_sub(&inside, 1);
        gate_leave(&gate);
    }
    return NULL;
}

/* More threads than rows. */
START_TEST(many_threads)
{
    pthread_t threads[THREADS];

    atomic_store(&inside, 0);
    atomic_store(&through, 0);
    for (unsigned i = 0; i < THREADS; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, traveller, NULL), 0);
    for (unsigned i = 0; i < SHUT; i++) {
        unsigned before;

        if (!gate_shut(&gate, SECOND_NS))
            continue;
        before = atomic_load(&through);
        clock_sleep_ns(10000);
        unit_assert(atomic_load(&inside) == 0);
        unit_assert(atomic_load(&through) == before);
        gate_open(&gate);
    }
    for (unsigned i = 0; i < THREADS; i++)
        ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
    ck_assert_uint_eq(atomic_load(&through), THREADS * TURNS);
}
END_TEST

UNIT_MAIN("gate", shut_and_opened, patience_ends, many_threads)

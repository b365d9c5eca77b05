/* test_reader_cpu.c - this very thread goes where another one sits, and is free
 * again: by what the system says of it. */
#include "reader_cpu.h"

#include "unit.h"

#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

enum { PLENTY = 40 };

static struct reader_cpu at;
static cpu_set_t all;
static int cpu; /* where the caller sits */
static pthread_t thread;
static _Atomic pid_t caller;
static _Atomic bool over;

static void *sit(void *unused)
{
    cpu_set_t one;

    (void)unused;
    CPU_ZERO(&one);
    CPU_SET((unsigned)cpu, &one);
    sched_setaffinity(0, sizeof(one), &one);
    atomic_store(&caller, gettid());
    while (!atomic_load(&over))
        usleep(1000);
    return NULL;
}

/* A caller on the CPU that is the nth of ours; false if there are not so many. */
static bool setup(unsigned n)
{
    CPU_ZERO(&all);
    ck_assert_int_eq(sched_getaffinity(0, sizeof(all), &all), 0);
    for (cpu = 0; cpu < CPU_SETSIZE; cpu++)
        if (CPU_ISSET((unsigned)cpu, &all) && n-- == 0)
            break;
    if (cpu == CPU_SETSIZE)
        return false;
    atomic_store(&over, false);
    atomic_store(&caller, 0);
    ck_assert_int_eq(pthread_create(&thread, NULL, sit, NULL), 0);
    while (atomic_load(&caller) == 0)
        usleep(1000);
    reader_cpu_settle(&at);
    return true;
}

static void teardown(void)
{
    atomic_store(&over, true);
    pthread_join(thread, NULL);
    sched_setaffinity(0, sizeof(all), &all);
}

static bool is_free(void)
{
    cpu_set_t now;

    CPU_ZERO(&now);
    ck_assert_int_eq(sched_getaffinity(0, sizeof(now), &now), 0);
    return CPU_EQUAL(&now, &all);
}

/* Wherever it is at first, it may be there already. */
START_TEST(it_is_bound_to_the_callers_cpu)
{
    for (unsigned n = 0; n < 2 && setup(n); n++) {
        for (unsigned i = 0; i < PLENTY; i++)
            reader_cpu_look(&at, true, atomic_load(&caller));
        ck_assert(at.follow.bound ? sched_getcpu() == cpu : is_free());
        reader_cpu_look(&at, false, atomic_load(&caller));
        ck_assert(is_free());
        teardown();
    }
}
END_TEST

/* From where it is bound it sees that the caller is elsewhere, for sure. */
START_TEST(it_goes_to_another_cpu)
{
    cpu_set_t one;

    if (!setup(1))
        return; /* there is but one */
    CPU_ZERO(&one);
    for (unsigned i = 0; i < CPU_SETSIZE && CPU_COUNT(&one) == 0; i++)
        if (CPU_ISSET(i, &all) && (int)i != cpu)
            CPU_SET(i, &one);
    ck_assert_int_eq(sched_setaffinity(0, sizeof(one), &one), 0);
    for (unsigned i = 0; i < PLENTY; i++)
        reader_cpu_look(&at, true, atomic_load(&caller));
    ck_assert(at.follow.bound);
    ck_assert_int_eq(sched_getcpu(), cpu);
    teardown();
}
END_TEST

START_TEST(where_it_may_not_run_it_does_not_go)
{
    cpu_set_t one;

    if (!setup(1))
        return;
    CPU_ZERO(&one);
    for (unsigned i = 0; i < CPU_SETSIZE && CPU_COUNT(&one) == 0; i++)
        if (CPU_ISSET(i, &all) && (int)i != cpu)
            CPU_SET(i, &one);
    ck_assert_int_eq(sched_setaffinity(0, sizeof(one), &one), 0);
    reader_cpu_settle(&at);
    for (unsigned i = 0; i < PLENTY; i++)
        reader_cpu_look(&at, true, atomic_load(&caller));
    ck_assert(!at.follow.bound);
    ck_assert_int_ne(sched_getcpu(), cpu);
    teardown();
}
END_TEST

UNIT_MAIN("reader_cpu", it_is_bound_to_the_callers_cpu, it_goes_to_another_cpu,
          where_it_may_not_run_it_does_not_go)

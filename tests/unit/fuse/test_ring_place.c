/* test_ring_place.c - a ring's thread is at home, in a hurry, or anywhere: by what
 * the system says of this very thread. */
#include "ring_place.h"

#include "unit.h"

enum { PLENTY = 5000 };

static struct ring_place place;
static cpu_set_t all;
static unsigned cpu;

/* On the last CPU that we may use. */
static void setup(void)
{
    CPU_ZERO(&all);
    ck_assert_int_eq(sched_getaffinity(0, sizeof(all), &all), 0);
    for (unsigned i = 0; i < CPU_SETSIZE; i++)
        if (CPU_ISSET(i, &all))
            cpu = i;
    ring_place_settle(&place, cpu);
}

static void teardown(void)
{
    static const struct sched_param none = { 0 };

    sched_setaffinity(0, sizeof(all), &all);
    sched_setscheduler(0, SCHED_OTHER, &none);
}

static void expect(bool bound, int policy)
{
    cpu_set_t now;

    CPU_ZERO(&now);
    ck_assert_int_eq(sched_getaffinity(0, sizeof(now), &now), 0);
    if (bound)
        ck_assert(CPU_COUNT(&now) == 1 && CPU_ISSET(cpu, &now));
    else
        ck_assert(CPU_EQUAL(&now, &all));
    ck_assert_int_eq(sched_getscheduler(0), policy);
}

static void read_often(unsigned reading)
{
    for (unsigned i = 0; i < PLENTY; i++)
        ring_place_reads(&place, reading);
}

START_TEST(it_begins_at_home_and_stays_there)
{
    setup();
    expect(true, SCHED_BATCH);
    for (unsigned i = 0; i < PLENTY; i++)
        ring_place_answers(&place);
    expect(true, SCHED_BATCH);
    teardown();
}
END_TEST

START_TEST(one_reader_is_followed_anywhere)
{
    setup();
    ring_place_reads(&place, 1);
    expect(false, SCHED_OTHER);
    teardown();
}
END_TEST

START_TEST(several_readers_keep_it_on_its_cpu)
{
    setup();
    ring_place_reads(&place, 1);
    ring_place_reads(&place, 2);
    expect(true, SCHED_OTHER);
    /* Now and then one of them is alone for a moment. */
    ring_place_reads(&place, 1);
    expect(true, SCHED_OTHER);
    read_often(1);
    expect(false, SCHED_OTHER);
    read_often(3);
    expect(true, SCHED_OTHER);
    teardown();
}
END_TEST

START_TEST(without_reads_it_comes_home)
{
    for (unsigned reading = 1; reading <= 2; reading++) {
        setup();
        ring_place_reads(&place, reading);
        for (unsigned i = 0; i < 10; i++)
            ring_place_answers(&place);
        expect(reading == 2, SCHED_OTHER);
        for (unsigned i = 0; i < PLENTY; i++)
            ring_place_answers(&place);
        expect(true, SCHED_BATCH);
        teardown();
    }
}
END_TEST

START_TEST(a_policy_that_somebody_chose_stays)
{
    static const struct sched_param none = { 0 };

    ck_assert_int_eq(sched_setscheduler(0, SCHED_IDLE, &none), 0);
    setup();
    expect(true, SCHED_IDLE);
    ring_place_reads(&place, 1);
    expect(false, SCHED_IDLE);
    /* Out of it again only those come who may. */
    teardown();
}
END_TEST

/* A queue whose CPU we may not use: then any will do. */
START_TEST(elsewhere_is_home_if_it_must_be)
{
    cpu_set_t now;

    setup();
    teardown();
    ring_place_settle(&place, CPU_SETSIZE - 1);
    CPU_ZERO(&now);
    ck_assert_int_eq(sched_getaffinity(0, sizeof(now), &now), 0);
    ck_assert(CPU_EQUAL(&now, &all));
    ck_assert_int_eq(sched_getscheduler(0), SCHED_BATCH);
    teardown();
}
END_TEST

UNIT_MAIN("ring_place", it_begins_at_home_and_stays_there,
          one_reader_is_followed_anywhere, several_readers_keep_it_on_its_cpu,
          without_reads_it_comes_home, elsewhere_is_home_if_it_must_be,
          a_policy_that_somebody_chose_stays)

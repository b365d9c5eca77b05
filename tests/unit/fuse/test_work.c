/* test_work.c - everything is run once, and reads never wait behind writes. */
#include "work.h"

#include "bits.h"
#include "eventually.h"
#include "unit.h"

#include <stdatomic.h>

enum { ITEMS = 200, THREADS = 4, FOR_READS = 2 };

struct item {
    struct list link;
    enum message_lane lane;
    _Atomic int runs;
};

static struct item items[ITEMS];
static _Atomic int done, writers, most_writers;
static _Atomic bool gate; /* writes wait while it is closed */

static void run(void *ctx, struct list *link)
{
    struct item *item = list_entry(link, struct item, link);

    ck_assert_ptr_eq(ctx, items);
    atomic_fetch_add(&item->runs, 1);
    if (item->lane == MESSAGE_WRITES) {
        int now = atomic_fetch_add(&writers, 1) + 1;
        int most = atomic_load(&most_writers);

        while (now > most &&
               !atomic_compare_exchange_weak(&most_writers, &most, now))
            ;
        while (!atomic_load(&gate))
            clock_sleep_ns(100000);
        atomic_fetch_sub(&writers, 1);
    }
    atomic_fetch_add(&done, 1);
}

static struct work *start(void)
{
    struct work *work;

    for (int i = 0; i < ITEMS; i++)
        atomic_store(&items[i].runs, 0);
    atomic_store(&done, 0);
    atomic_store(&most_writers, 0);
    ck_assert_int_eq(work_create(&work, THREADS, run, items), 0);
    return work;
}

static void push(struct work *work, int i, enum message_lane lane)
{
    items[i].lane = lane;
    work_push(work, &items[i].link, lane);
}

static bool reached(int nr)
{
    for (int tries = 0; tries < 5000 && atomic_load(&done) < nr; tries++)
        clock_sleep_ns(1000000);
    return atomic_load(&done) >= nr;
}

START_TEST(test_each_once)
{
    struct work *work = start();

    atomic_store(&gate, true);
    for (int i = 0; i < ITEMS; i++)
        push(work, i, i % 3 ? MESSAGE_READS : MESSAGE_WRITES);
    ck_assert(reached(ITEMS));
    work_destroy(work);
    for (int i = 0; i < ITEMS; i++)
        ck_assert_int_eq(atomic_load(&items[i].runs), 1);
}
END_TEST

START_TEST(test_reads_pass_stuck_writes)
{
    struct work *work = start();

    atomic_store(&gate, false);
    for (int i = 0; i < 50; i++)
        push(work, i, MESSAGE_WRITES);
    EVENTUALLY(atomic_load(&writers) >= THREADS - FOR_READS);
    for (int i = 50; i < 100; i++)
        push(work, i, MESSAGE_READS);
    ck_assert_msg(reached(50), "reads wait behind writes");
    ck_assert_int_eq(atomic_load(&most_writers), THREADS - FOR_READS);
    atomic_store(&gate, true);
    ck_assert(reached(100));
    work_destroy(work);
}
END_TEST

START_TEST(test_destroy_finishes_the_queue)
{
    struct work *work = start();

    atomic_store(&gate, false);
    for (int i = 0; i < ITEMS; i++)
        push(work, i, MESSAGE_WRITES);
    atomic_store(&gate, true);
    work_destroy(work);
    ck_assert_int_eq(atomic_load(&done), ITEMS);
}
END_TEST

UNIT_MAIN("work", test_each_once, test_reads_pass_stuck_writes,
          test_destroy_finishes_the_queue)

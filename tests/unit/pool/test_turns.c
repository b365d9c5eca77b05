/* test_turns.c - the I/O of a moment is waited for, and none that begins later. */
#include "fake_owner.h"
#include "pool_internal.h"

#include "unit.h"

#include <errno.h>
#include <pthread.h>

static struct rig rig;
static _Atomic bool stopped, returned;
static int result;

static bool stop(void *ctx)
{
    ck_assert_ptr_eq(ctx, &rig);
    return atomic_load(&stopped);
}

static void *waiter(void *unused)
{
    (void)unused;
    result = pool_io_wait_out(rig.pool, stop, &rig);
    atomic_store(&returned, true);
    return NULL;
}

static void setup(void)
{
    rig_up(&rig, &(struct rig_config){ .frames = 1024, .blocks = 4096,
                                       .pages = 64, .stopped = true });
    ck_assert_int_eq(grow_file(rig.pool, 4096), 0);
    for (uint64_t i = 0; i < 64; i++)
        ck_assert_int_eq(fake_write(&rig, 1, i, 1, true), 0);
    for (uint64_t i = 0; i < 64; i++)
        if (fake_entry(&rig, 1, i).kind == FAKE_FRAME)
            fake_clean(&rig, 1, i, false);
    atomic_store(&stopped, false);
    atomic_store(&returned, false);
}

/* Long enough for the waiter to have looked more than once. */
static bool still_waiting(void)
{
    clock_sleep_ns(10000000);
    return !atomic_load(&returned);
}

START_TEST(nothing_is_under_way)
{
    setup();
    ck_assert_int_eq(pool_io_wait_out(rig.pool, stop, &rig), 0);
    ck_assert_int_eq(pool_io_wait_out(rig.pool, NULL, NULL), 0);
    rig_down(&rig);
}
END_TEST

START_TEST(a_read_and_a_write_are_waited_for)
{
    pthread_t thread;

    setup();
    ck_assert_int_eq(fake_write(&rig, 1, 60, 2, true), 0);
    fake_swap_hold(true);
    ck_assert_uint_eq(fake_read_ahead(&rig, 1, 0, 8), 8);
    ck_assert_int_eq(fake_pageout(&rig, 1, 60), 0);
    ck_assert_int_eq(pthread_create(&thread, NULL, waiter, NULL), 0);
    ck_assert(still_waiting());
    fake_swap_release(1);
    ck_assert(still_waiting());
    /* One more, which is not waited for. */
    ck_assert_uint_eq(fake_read_ahead(&rig, 1, 20, 8), 8);
    fake_swap_release(1);
    ck_assert_int_eq(pthread_join(thread, NULL), 0);
    ck_assert_int_eq(result, 0);
    fake_swap_hold(false);
    rig_down(&rig);
}
END_TEST

START_TEST(it_can_be_stopped)
{
    pthread_t thread;

    setup();
    fake_swap_hold(true);
    ck_assert_uint_eq(fake_read_ahead(&rig, 1, 0, 8), 8);
    ck_assert_int_eq(pthread_create(&thread, NULL, waiter, NULL), 0);
    ck_assert(still_waiting());
    atomic_store(&stopped, true);
    ck_assert_int_eq(pthread_join(thread, NULL), 0);
    ck_assert_int_eq(result, -EINTR);
    fake_swap_hold(false);
    rig_down(&rig);
}
END_TEST

UNIT_MAIN("turns", nothing_is_under_way, a_read_and_a_write_are_waited_for,
          it_can_be_stopped)

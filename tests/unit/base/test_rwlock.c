/* test_rwlock.c - the shared lock with real threads: writers are alone, readers are
 * together once they have stood in line, and the order of locks is checked. */
#include "rwlock.h"

#include "aborts.h"
#include "bits.h"
#include "clock.h"
#include "unit.h"

#include <pthread.h>
#include <unistd.h>

enum { THREADS = 6, ROUNDS = 20000 };

static struct rwlock lock;
static unsigned long a, b; /* equal for whoever reads */

static void write_both(void)
{
    rwlock_lock(&lock, RANK_TREE);
    unit_assert(a == b);
    a++;
    b++;
    rwlock_unlock(&lock);
}

static void read_both(void)
{
    unsigned how = rwlock_lock_shared(&lock, RANK_TREE);

    rwlock_assert_held(&lock);
    unit_assert(a == b);
    rwlock_unlock_shared(&lock, how);
}

static bool try_both(void)
{
    unsigned how;

    if (!rwlock_trylock_shared(&lock, RANK_TREE, &how))
        return false;
    unit_assert(a == b);
    rwlock_unlock_shared(&lock, how);
    return true;
}

/* One of them writes now and then, the others hardly ever. */
static void *use(void *arg)
{
    unsigned every = *(unsigned *)arg;

    for (unsigned i = 0; i < ROUNDS; i++) {
        if (i % every == 0)
            write_both();
        else if (i % 16 == 1)
            try_both();
        else
            read_both();
    }
    return NULL;
}

START_TEST(writers_are_alone)
{
    unsigned every[THREADS] = { 4, 100, 1000, 1000, ROUNDS, ROUNDS };
    unsigned long writes = 0;
    pthread_t thread[THREADS];

    lock = (struct rwlock){ .stood = 0 };
    a = b = 0;
    for (unsigned i = 0; i < THREADS; i++) {
        writes += (ROUNDS + every[i] - 1) / every[i];
        ck_assert_int_eq(pthread_create(&thread[i], NULL, use, &every[i]), 0);
    }
    for (unsigned i = 0; i < THREADS; i++)
        pthread_join(thread[i], NULL);
    ck_assert_uint_eq(a, writes);
    ck_assert_uint_eq(b, writes);
    for (unsigned row = 0; row < RWLOCK_ROWS; row++)
        ck_assert_uint_eq(atomic_load(&lock.row[row].inside), 0);
}
END_TEST

/* --- the door ------------------------------------------------------------------------ */

static _Atomic unsigned inside, wanted; /* readers; let them out when it is 0 */

static void *stay_inside(void *unused)
{
    unsigned how = rwlock_lock_shared(&lock, RANK_TREE);

    atomic_fetch_add(&inside, 1);
    while (atomic_load(&wanted))
        clock_sleep_ns(100000);
    atomic_fetch_sub(&inside, 1);
    rwlock_unlock_shared(&lock, how);
    return unused;
}

static void *read_once(void *unused)
{
    read_both();
    return unused;
}

/* Readers stand behind a writer until the door opens. */
static void open_door(void)
{
    pthread_t thread[RWLOCK_OPEN_AFTER];

    lock = (struct rwlock){ .stood = 0 };
    for (unsigned tries = 0; !atomic_load(&lock.door) && tries < 100; tries++) {
        rwlock_lock(&lock, RANK_TREE);
        for (unsigned i = 0; i < RWLOCK_OPEN_AFTER; i++)
            ck_assert_int_eq(pthread_create(&thread[i], NULL, read_once, NULL),
                             0);
        clock_sleep_ns(UINT64_C(1000000) << MIN(tries, 6u));
        rwlock_unlock(&lock);
        for (unsigned i = 0; i < RWLOCK_OPEN_AFTER; i++)
            pthread_join(thread[i], NULL);
    }
    ck_assert_uint_ne(atomic_load(&lock.door), 0);
}

START_TEST(who_never_stood_in_line_takes_the_mutex)
{
    unsigned how;

    lock = (struct rwlock){ .stood = 0 };
    for (unsigned i = 0; i < 10 * RWLOCK_OPEN_AFTER; i++) {
        how = rwlock_lock_shared(&lock, RANK_TREE);
        ck_assert_uint_eq(how, RWLOCK_ALONE);
        rwlock_unlock_shared(&lock, how);
    }
    ck_assert_uint_eq(lock.stood, 0);
}
END_TEST

START_TEST(readers_are_inside_together)
{
    pthread_t thread[THREADS];

    open_door();
    atomic_store(&wanted, 1);
    for (unsigned i = 0; i < THREADS; i++)
        ck_assert_int_eq(pthread_create(&thread[i], NULL, stay_inside, NULL), 0);
    while (atomic_load(&inside) < THREADS)
        clock_sleep_ns(100000);
    ck_assert(try_both());
    atomic_store(&wanted, 0);
    for (unsigned i = 0; i < THREADS; i++)
        pthread_join(thread[i], NULL);
}
END_TEST

static void *write_once(void *unused)
{
    write_both();
    return unused;
}

/* The writer sleeps until the last one is out; nobody comes in meanwhile. */
START_TEST(a_writer_waits_for_those_inside)
{
    pthread_t thread[THREADS], writer;

    open_door();
    a = b = 0;
    atomic_store(&wanted, 1);
    for (unsigned i = 0; i < THREADS; i++)
        ck_assert_int_eq(pthread_create(&thread[i], NULL, stay_inside, NULL), 0);
    while (atomic_load(&inside) < THREADS)
        clock_sleep_ns(100000);
    ck_assert_int_eq(pthread_create(&writer, NULL, write_once, NULL), 0);
    while (try_both())
        clock_sleep_ns(100000);
    clock_sleep_ns(2000000);
    ck_assert_uint_eq(a, 0);
    atomic_store(&wanted, 0);
    pthread_join(writer, NULL);
    ck_assert_uint_eq(a, 1);
    for (unsigned i = 0; i < THREADS; i++)
        pthread_join(thread[i], NULL);
    ck_assert(try_both());
}
END_TEST

/* --- the order of locks ---------------------------------------------------------------- */

#ifdef PAGERFS_DEBUG
static struct mutex other;

static void in_order(void)
{
    unsigned how = rwlock_lock_shared(&lock, RANK_TREE);

    mutex_lock(&other, RANK_NODE);
    mutex_unlock(&other);
    rwlock_unlock_shared(&lock, how);
    lock_assert_none(RANK_FUSE);
}

static void shared_out_of_order(void) NO_THREAD_SAFETY
{
    mutex_lock(&other, RANK_NODE);
    rwlock_lock_shared(&lock, RANK_TREE);
}

static void shared_twice(void) NO_THREAD_SAFETY
{
    rwlock_lock_shared(&lock, RANK_TREE);
    rwlock_lock_shared(&lock, RANK_TREE);
}

static void shared_then_alone(void) NO_THREAD_SAFETY
{
    rwlock_lock_shared(&lock, RANK_TREE);
    rwlock_lock(&lock, RANK_TREE);
}

static void a_wait_while_shared(void) NO_THREAD_SAFETY
{
    rwlock_lock_shared(&lock, RANK_TREE);
    lock_assert_none(RANK_TREE);
}

static void held_by_nobody(void) NO_THREAD_SAFETY
{
    rwlock_assert_held(&lock);
}

static void check_order(void)
{
    ck_assert(!aborts(in_order));
    ck_assert(aborts(shared_out_of_order));
    ck_assert(aborts(shared_twice));
    ck_assert(aborts(shared_then_alone));
    ck_assert(aborts(a_wait_while_shared));
    ck_assert(aborts(held_by_nobody));
}
#else
static void check_order(void)
{
}
#endif

/* With the door shut, and open. */
START_TEST(the_order_of_locks_is_checked)
{
    lock = (struct rwlock){ .stood = 0 };
    check_order();
    open_door();
    check_order();
}
END_TEST

UNIT_MAIN("rwlock", writers_are_alone, who_never_stood_in_line_takes_the_mutex,
          readers_are_inside_together, a_writer_waits_for_those_inside,
          the_order_of_locks_is_checked)

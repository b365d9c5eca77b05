/* test_lock.c - the mutex excludes, the condition loses no wake-up, and the
 * order of locks is checked. */
#include "lock.h"

#include "aborts.h"
#include "clock.h"
#include "unit.h"

#include <pthread.h>
#include <unistd.h>

enum { THREADS = 4, ROUNDS = 50000 };

static struct mutex mutex;
static unsigned long counter, copy; /* equal whenever the mutex is free */

static void *count_up(void *arg)
{
    bool try = *(bool *)arg;

    for (unsigned i = 0; i < ROUNDS; i++) {
        if (!try)
            mutex_lock(&mutex, RANK_POOL);
        else
            while (!mutex_trylock(&mutex, RANK_POOL))
                ;
        unit_assert(counter == copy);
        counter++;
        copy++;
        mutex_unlock(&mutex);
    }
    return NULL;
}

START_TEST(one_at_a_time)
{
    pthread_t thread[THREADS];
    bool try[THREADS] = { false, false, false, true };

    counter = copy = 0;
    for (unsigned i = 0; i < THREADS; i++)
        ck_assert_int_eq(pthread_create(&thread[i], NULL, count_up, &try[i]),
                         0);
    for (unsigned i = 0; i < THREADS; i++)
        pthread_join(thread[i], NULL);
    ck_assert_uint_eq(counter, (unsigned long)THREADS * ROUNDS);
    ck_assert_uint_eq(atomic_load(&mutex.word), 0);
}
END_TEST

/* Held longer than anybody spins: waiters sleep, and each is woken. */
static void *hold_and_sleep(void *arg)
{
    (void)arg;
    for (unsigned i = 0; i < 20; i++) {
        mutex_lock(&mutex, RANK_POOL);
        counter++;
        clock_sleep_ns(100000);
        copy++;
        unit_assert(counter == copy);
        mutex_unlock(&mutex);
    }
    return NULL;
}

START_TEST(sleepers_are_woken)
{
    pthread_t thread[THREADS];

    counter = copy = 0;
    for (unsigned i = 0; i < THREADS; i++)
        ck_assert_int_eq(pthread_create(&thread[i], NULL, hold_and_sleep, NULL),
                         0);
    for (unsigned i = 0; i < THREADS; i++)
        pthread_join(thread[i], NULL);
    ck_assert_uint_eq(counter, THREADS * 20);
}
END_TEST

/* A queue of one place, passed to and fro: a lost wake-up would hang. */
static struct cond turned;
static unsigned turn;

static void *take_turns(void *arg)
{
    unsigned mine = *(unsigned *)arg;

    mutex_lock(&mutex, RANK_POOL);
    for (unsigned i = 0; i < 5000; i++) {
        while (turn % THREADS != mine)
            cond_wait(&turned, &mutex);
        turn++;
        if (i % 2)
            cond_broadcast(&turned);
        else
            for (unsigned n = 0; n < THREADS; n++)
                cond_signal(&turned);
    }
    mutex_unlock(&mutex);
    return NULL;
}

START_TEST(no_wake_up_is_lost)
{
    pthread_t thread[THREADS];
    unsigned mine[THREADS];

    turn = 0;
    for (unsigned i = 0; i < THREADS; i++) {
        mine[i] = i;
        ck_assert_int_eq(pthread_create(&thread[i], NULL, take_turns, &mine[i]),
                         0);
    }
    for (unsigned i = 0; i < THREADS; i++)
        pthread_join(thread[i], NULL);
    ck_assert_uint_eq(turn, THREADS * 5000);
}
END_TEST

static void *signal_later(void *arg)
{
    (void)arg;
    clock_sleep_ns(5000000);
    mutex_lock(&mutex, RANK_POOL);
    turn = 1;
    cond_signal(&turned);
    mutex_unlock(&mutex);
    return NULL;
}

START_TEST(a_wait_ends_by_signal_or_in_time)
{
    uint64_t start = clock_monotonic_ns();
    pthread_t thread;

    turn = 0;
    mutex_lock(&mutex, RANK_POOL);
    while (cond_wait_for(&turned, &mutex, 3000000))
        ;
    ck_assert_uint_ge(clock_monotonic_ns() - start, 3000000);
    ck_assert_int_eq(pthread_create(&thread, NULL, signal_later, NULL), 0);
    while (turn == 0)
        ck_assert(cond_wait_for(&turned, &mutex, UINT64_C(60000000000)));
    mutex_unlock(&mutex);
    pthread_join(thread, NULL);
}
END_TEST

START_TEST(a_word_is_waited_for)
{
    _Atomic uint32_t word = 1;
    uint64_t start = clock_monotonic_ns();

    futex_wait(&word, 0);
    ck_assert(futex_wait_for(&word, 0, 1000000000));
    while (futex_wait_for(&word, 1, 2000000))
        ;
    ck_assert_uint_ge(clock_monotonic_ns() - start, 2000000);
    futex_wake(&word, 1);
}
END_TEST

#ifdef PAGERFS_DEBUG
static struct mutex a, b, c;

/* What clang would refuse to compile is marked. */
static void in_order(void)
{
    mutex_lock(&a, RANK_TREE);
    mutex_lock(&b, RANK_OBJECT);
    mutex_lock(&c, RANK_ARENA);
    mutex_unlock(&b);
    mutex_unlock(&a);
    mutex_unlock(&c);
    mutex_lock(&a, RANK_TREE);
    mutex_unlock(&a);
    lock_assert_none(RANK_FUSE);
}

static void out_of_order(void) NO_THREAD_SAFETY
{
    mutex_lock(&a, RANK_OBJECT);
    mutex_lock(&b, RANK_TREE);
}

static void same_rank(void) NO_THREAD_SAFETY
{
    mutex_lock(&a, RANK_OBJECT);
    mutex_lock(&b, RANK_OBJECT);
}

static void tried_out_of_order(void)
{
    mutex_lock(&a, RANK_POOL);
    if (!mutex_trylock(&b, RANK_OBJECT))
        _exit(1);
    mutex_lock(&c, RANK_WAIT);
    mutex_unlock(&c);
    mutex_unlock(&b);
    mutex_unlock(&a);
}

static void order_after_a_try(void) NO_THREAD_SAFETY
{
    mutex_lock(&a, RANK_POOL);
    mutex_trylock(&b, RANK_OBJECT);
    mutex_lock(&c, RANK_BUDGET);
}

static void unlock_of_anothers(void) NO_THREAD_SAFETY
{
    mutex_lock(&a, RANK_POOL);
    mutex_unlock(&b);
}

static void wait_with_a_lock(void) NO_THREAD_SAFETY
{
    mutex_lock(&a, RANK_POOL);
    lock_assert_none(RANK_OBJECT);
}

static void wait_with_an_earlier_lock(void)
{
    mutex_lock(&a, RANK_TREE);
    lock_assert_none(RANK_OBJECT);
    mutex_unlock(&a);
}

static void assert_held_of_a_free_one(void) NO_THREAD_SAFETY
{
    mutex_assert_held(&a);
}
#endif

START_TEST(the_order_of_locks_is_checked)
{
#ifdef PAGERFS_DEBUG
    ck_assert(!aborts(in_order));
    ck_assert(aborts(out_of_order));
    ck_assert(aborts(same_rank));
    ck_assert(!aborts(tried_out_of_order));
    ck_assert(aborts(order_after_a_try));
    ck_assert(aborts(unlock_of_anothers));
    ck_assert(aborts(wait_with_a_lock));
    ck_assert(!aborts(wait_with_an_earlier_lock));
    ck_assert(aborts(assert_held_of_a_free_one));
#endif
}
END_TEST

UNIT_MAIN("lock", one_at_a_time, sleepers_are_woken, no_wake_up_is_lost,
          a_wait_ends_by_signal_or_in_time, a_word_is_waited_for,
          the_order_of_locks_is_checked)

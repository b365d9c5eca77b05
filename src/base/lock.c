/* lock.c - the futex mutex, condition variable and lock-order check.
 *
 * Word of a mutex: 0 free, 1 held, 2 held and perhaps waited for.  A waiter
 * always leaves 2 behind, so an unlock that finds 1 needs no system call.
 *
 * A condition variable is a counter: a waiter reads it under the mutex, and
 * sleeps only while it has not moved.  A signal between its unlock and its
 * sleep moves the counter, so it is never lost.
 *
 * In debug builds each thread keeps the mutexes it holds with their ranks, and
 * a lock whose rank is not greater than all of them aborts.  A try-lock cannot
 * deadlock, so it may break the order.
 */
#include "lock_internal.h"

#include "log.h"

#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { FREE = 0, HELD = 1, CONTENDED = 2 };

static long futex(_Atomic uint32_t *word, int op, uint32_t value,
                  const struct timespec *timeout)
{
    return syscall(SYS_futex, word, op | FUTEX_PRIVATE_FLAG, value, timeout,
                   NULL, 0);
}

void futex_wait(_Atomic uint32_t *word, uint32_t expected)
{
    futex(word, FUTEX_WAIT, expected, NULL);
}

bool futex_wait_for(_Atomic uint32_t *word, uint32_t expected,
                    uint64_t timeout_ns)
{
    struct timespec ts = { (time_t)(timeout_ns / 1000000000u),
                           (long)(timeout_ns % 1000000000u) };

    return futex(word, FUTEX_WAIT, expected, &ts) == 0 || errno != ETIMEDOUT;
}

void futex_wake(_Atomic uint32_t *word, int count)
{
    futex(word, FUTEX_WAKE, (uint32_t)count, NULL);
}

#ifdef PAGERFS_DEBUG
enum { MAX_HELD = 16 };
static _Thread_local struct {
    const struct mutex *lock;
    enum lock_rank rank;
} held[MAX_HELD];
static _Thread_local unsigned nr_held;

void lock_order_check(enum lock_rank rank)
{
    for (unsigned i = 0; i < nr_held; i++)
        INVARIANT("lock order", held[i].rank < rank);
}

void lock_order_push(const struct mutex *m, enum lock_rank rank)
{
    INVARIANT("lock depth", nr_held < MAX_HELD);
    held[nr_held].lock = m;
    held[nr_held++].rank = rank;
}

void lock_order_pop(const struct mutex *m)
{
    unsigned i = nr_held;

    while (i > 0 && held[i - 1].lock != m)
        i--;
    INVARIANT("unlock of a lock not held", i > 0);
    for (nr_held--; i <= nr_held; i++)
        held[i - 1] = held[i];
}

bool lock_order_holds(const struct mutex *m)
{
    unsigned i = 0;

    while (i < nr_held && held[i].lock != m)
        i++;
    return i < nr_held;
}

void lock_assert_none(enum lock_rank from)
{
    for (unsigned i = 0; i < nr_held; i++)
        INVARIANT("a lock held across a wait", held[i].rank < from);
}
#else
void lock_assert_none(enum lock_rank from)
{
    (void)from;
}
#endif

unsigned thread_number(void)
{
    static _Atomic unsigned threads;
    static _Thread_local unsigned number;

    if (number == 0)
        number = 1 + atomic_fetch_add_explicit(&threads, 1,
                                               memory_order_relaxed);
    return number - 1;
}

void lock_relax(void)
{
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#else
    atomic_signal_fence(memory_order_seq_cst);
#endif
}

static bool acquire(struct mutex *m)
{
    uint32_t seen = FREE;

    return atomic_compare_exchange_strong_explicit(
        &m->word, &seen, HELD, memory_order_acquire, memory_order_relaxed);
}

static void acquire_slow(struct mutex *m)
{
    for (int i = 0; i < LOCK_SPINS; i++) {
        if (atomic_load_explicit(&m->word, memory_order_relaxed) == FREE &&
            acquire(m))
            return;
        lock_relax();
    }
    while (atomic_exchange_explicit(&m->word, CONTENDED,
                                    memory_order_acquire) != FREE)
        futex_wait(&m->word, CONTENDED);
}

void mutex_lock(struct mutex *m, enum lock_rank rank) NO_THREAD_SAFETY
{
    lock_order_check(rank);
    if (!acquire(m))
        acquire_slow(m);
    lock_order_push(m, rank);
}

bool mutex_trylock(struct mutex *m, enum lock_rank rank) NO_THREAD_SAFETY
{
    if (!acquire(m))
        return false;
    lock_order_push(m, rank);
    return true;
}

static void release(struct mutex *m)
{
    if (atomic_exchange_explicit(&m->word, FREE, memory_order_release) ==
        CONTENDED)
        futex_wake(&m->word, 1);
}

void mutex_unlock(struct mutex *m) NO_THREAD_SAFETY
{
    lock_order_pop(m);
    release(m);
}

void mutex_assert_held(struct mutex *m)
{
    INVARIANT("lock held", atomic_load(&m->word) != FREE);
    (void)m;
}

void cond_wait(struct cond *c, struct mutex *m) NO_THREAD_SAFETY
{
    uint32_t seq = atomic_load_explicit(&c->seq, memory_order_relaxed);

    release(m);
    futex_wait(&c->seq, seq);
    acquire_slow(m);
}

bool cond_wait_for(struct cond *c, struct mutex *m, uint64_t timeout_ns)
    NO_THREAD_SAFETY
{
    uint32_t seq = atomic_load_explicit(&c->seq, memory_order_relaxed);
    bool in_time;

    release(m);
    in_time = futex_wait_for(&c->seq, seq, timeout_ns);
    acquire_slow(m);
    return in_time;
}

void cond_signal(struct cond *c)
{
    atomic_fetch_add_explicit(&c->seq, 1, memory_order_relaxed);
    futex_wake(&c->seq, 1);
}

void cond_broadcast(struct cond *c)
{
    atomic_fetch_add_explicit(&c->seq, 1, memory_order_relaxed);
    futex_wake(&c->seq, INT_MAX);
}

/* rwlock.c - the shared lock: a mutex with a door beside it for readers.
 *
 *             a reader, who holds the mutex, finds that many stood in line
 *     SHUT ---------------------------------------------------------> OPEN
 *      ^                                                                |
 *      |  all rows are empty              a writer, who holds the mutex |
 *      +---------------------------- SHUTTING <-------------------------+
 *                                     |    ^
 *                     the writer goes v    | who leaves a row, or the writer
 *                            to sleep WATCHED
 *
 * A reader counts himself into his row and only then looks at the door; a writer
 * shuts the door and only then looks at the rows.  So at least one of the two sees
 * the other.  In the same way who leaves a row looks at the door afterwards, and the
 * writer looks at the row after he said that he will sleep: no wake-up is lost.  All
 * these are sequentially consistent.
 *
 * A reader who finds the door shut takes the mutex, and is as good as a writer.  So
 * while nobody stands in line it costs a mutex and nothing else; and where writers
 * come as often as readers the rows, which cost a writer a look at each, are not
 * used much.  (Dice and Kogan's BRAVO, 2019, opens by the clock; the line itself
 * says better when it pays.)
 *
 * A writer starves no more than at a mutex: once he has it nobody gets in any more,
 * and readers inside hold the lock as shortly as he does.
 */
#include "rwlock.h"

#include "lock_internal.h"
#include "log.h"

enum door { SHUT, OPEN, SHUTTING, WATCHED };

static void leave(struct rwlock *lock, unsigned row)
{
    uint32_t watched = WATCHED;

    atomic_fetch_sub(&lock->row[row].inside, 1);
    if (atomic_load(&lock->door) == WATCHED &&
        atomic_compare_exchange_strong(&lock->door, &watched, SHUTTING))
        futex_wake(&lock->door, 1);
}

static bool enter(struct rwlock *lock, unsigned row)
{
    if (atomic_load_explicit(&lock->door, memory_order_relaxed) != OPEN)
        return false;
    atomic_fetch_add(&lock->row[row].inside, 1);
    if (atomic_load(&lock->door) == OPEN)
        return true;
    leave(lock, row);
    return false;
}

static void wait_for_row(struct rwlock *lock, unsigned row)
{
    _Atomic uint32_t *inside = &lock->row[row].inside;

    for (int i = 0; i < LOCK_SPINS && atomic_load(inside) != 0; i++)
        lock_relax();
    while (atomic_load(inside) != 0) {
        atomic_store(&lock->door, WATCHED);
        if (atomic_load(inside) != 0)
            futex_wait(&lock->door, WATCHED);
        atomic_store(&lock->door, SHUTTING);
    }
}

/* Caller holds the mutex. */
static void shut(struct rwlock *lock) REQUIRES(lock->mutex)
{
    atomic_store(&lock->door, SHUTTING);
    for (unsigned row = 0; row < RWLOCK_ROWS; row++)
        wait_for_row(lock, row);
    atomic_store(&lock->door, SHUT);
    lock->stood = 0;
}

void rwlock_lock(struct rwlock *lock, enum lock_rank rank) NO_THREAD_SAFETY
{
    mutex_lock(&lock->mutex, rank);
    if (atomic_load_explicit(&lock->door, memory_order_relaxed) == OPEN)
        shut(lock);
}

void rwlock_unlock(struct rwlock *lock) NO_THREAD_SAFETY
{
    mutex_unlock(&lock->mutex);
}

/* The way of readers while the door is shut. */
static void stand_in_line(struct rwlock *lock, enum lock_rank rank)
    NO_THREAD_SAFETY
{
    if (mutex_trylock(&lock->mutex, rank))
        return;
    mutex_lock(&lock->mutex, rank);
    if (atomic_load_explicit(&lock->door, memory_order_relaxed) == SHUT &&
        ++lock->stood >= RWLOCK_OPEN_AFTER)
        atomic_store(&lock->door, OPEN);
}

unsigned rwlock_lock_shared(struct rwlock *lock, enum lock_rank rank)
    NO_THREAD_SAFETY
{
    unsigned row = thread_number() % RWLOCK_ROWS;

    lock_order_check(rank);
    if (!enter(lock, row)) {
        stand_in_line(lock, rank);
        return RWLOCK_ALONE;
    }
    lock_order_push(&lock->mutex, rank);
    return row;
}

bool rwlock_trylock_shared(struct rwlock *lock, enum lock_rank rank,
                           unsigned *how) NO_THREAD_SAFETY
{
    *how = thread_number() % RWLOCK_ROWS;
    if (!enter(lock, *how)) {
        *how = RWLOCK_ALONE;
        return mutex_trylock(&lock->mutex, rank);
    }
    lock_order_push(&lock->mutex, rank);
    return true;
}

void rwlock_unlock_shared(struct rwlock *lock, unsigned how) NO_THREAD_SAFETY
{
    if (how == RWLOCK_ALONE) {
        mutex_unlock(&lock->mutex);
        return;
    }
    lock_order_pop(&lock->mutex);
    leave(lock, how);
}

void rwlock_assert_held(struct rwlock *lock)
{
    INVARIANT("lock held", lock_order_holds(&lock->mutex));
    (void)lock;
}

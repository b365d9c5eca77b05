/* rwlock.h - a lock that many share, at no cost while nobody stands in line.
 *
 * For what is read from all CPUs and changed now and then: the namespace.  Alone,
 * or shared by few, it is the mutex of lock.h, for readers too.  Once readers have
 * had to stand in line for it some times its *door* is opened: then a reader counts
 * itself into a row that it shares with no other CPU, and readers write to nothing
 * in common.  The next writer shuts the door, and waits until the rows are empty.
 *
 * Invariants  W1  a writer is alone: the mutex is his, the door is shut, no row
 *                 counts anybody.
 *             W2  the door is opened and shut by who has the mutex.
 * Lock order  as a mutex: one rank, whoever it is held by.
 * Memory      4 KiB; for a few locks of the process, not for the arena.
 */
#ifndef BASE_RWLOCK_H
#define BASE_RWLOCK_H

#include "lock.h"

/* The door is opened when so many readers have stood in line: a writer who shuts it
 * looks at all rows, and that many is what he makes up for. */
enum { RWLOCK_ROWS = 64, RWLOCK_OPEN_AFTER = 32 };
/* How a reader holds it, if not by one of the rows. */
#define RWLOCK_ALONE RWLOCK_ROWS

struct CAPABILITY("rwlock") rwlock {
    struct mutex mutex;    /* the writer's; a reader's while the door is shut */
    _Atomic uint32_t door; /* enum door (rwlock.c) */
    uint32_t stood;        /* readers who stood in line since it was shut; mutex */
    uint8_t apart[52];     /* no line of a cache is shared */
    struct {
        _Atomic uint32_t inside;
        uint8_t apart[60];
    } row[RWLOCK_ROWS];
};

/* To change what it protects. */
void rwlock_lock(struct rwlock *lock, enum lock_rank rank) ACQUIRE(lock);
void rwlock_unlock(struct rwlock *lock) RELEASE(lock);
/* To read it.  Returns how it is held, for the unlock by the same thread. */
unsigned rwlock_lock_shared(struct rwlock *lock, enum lock_rank rank)
    ACQUIRE_SHARED(lock);
bool rwlock_trylock_shared(struct rwlock *lock, enum lock_rank rank,
                           unsigned *how) TRY_ACQUIRE_SHARED(true, lock);
void rwlock_unlock_shared(struct rwlock *lock, unsigned how)
    RELEASE_SHARED(lock);

/* Debug builds: abort unless this thread holds it, in either way. */
void rwlock_assert_held(struct rwlock *lock) REQUIRES_SHARED(lock);

#endif

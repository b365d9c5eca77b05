/* rangelock.h - readers and writers of byte ranges of one file.
 *
 * A request locks [start, end); two requests conflict if their ranges overlap
 * and one of them is exclusive.  A request waits only behind conflicting holders
 * and conflicting *earlier* waiters: no head-of-line blocking, no starvation.
 * The unlocker grants directly and wakes exactly the granted ones, which do not
 * take any lock again (no double wait).
 *
 * Free of malloc: the node is embedded in the request.  When nobody else is in
 * the file, lock and unlock are one compare-and-swap each (the word carries the
 * only holder's address); as soon as two requests need telling apart it is
 * TRACKED, the head of a sorted list of holders, and it goes back when the file
 * is quiet again.
 * After the complaint about msleep in FreeBSD's VM6; its kern_rangelock.c; Kogan,
 * Dice, Issa, "Scalable range locks", EuroSys 2020.
 *
 * Invariants
 *   R1  no two conflicting nodes are granted at once.
 *   R2  a waiter is granted once no conflicting node before it remains.
 *   R3  quiet (no holder, no waiter) means held == 0 and waiting == NULL.
 *
 * Ownership   the node is the caller's and must stay put from lock to unlock.
 * Locking     inside (RANK_RANGE, momentarily).  rangelock_lock and _wait block.
 *             A thread that holds a range may wait for one of another file only
 *             in the order of their addresses, and for another of the same file
 *             never: rangelock_lock_two does both right.
 * Units       bytes; start < end; end == RANGE_END means infinity.
 * Errors      -EAGAIN from the try forms.
 */
#ifndef OBJECT_RANGELOCK_H
#define OBJECT_RANGELOCK_H

#include "lock.h"

#define RANGE_END UINT64_MAX

enum range_mode { RANGE_SHARED, RANGE_EXCLUSIVE };
/* PARKED: waiting, and asleep or about to be. */
enum range_state { RANGE_WAITING, RANGE_GRANTED, RANGE_PARKED };

/* Private but for start, end, mode: to read, while it is held. */
struct range {
    uint64_t start, end;
    enum range_mode mode;
    _Atomic uint32_t state;      /* futex: enum range_state */
    struct range *next, *prev;   /* (R) among holders; next also among waiters */
};                               /* (R) lock->lock */

/* 24 bytes; zeroed memory is an unlocked rangelock. */
struct rangelock {
    struct mutex lock;
    _Atomic uintptr_t held;      /* 0, the only holder, or first holder | TRACKED */
    struct range *waiting;       /* (R) in order of arrival */
};

void rangelock_lock(struct rangelock *lock, struct range *range,
                    uint64_t start, uint64_t end, enum range_mode mode);
int rangelock_trylock(struct rangelock *lock, struct range *range,
                      uint64_t start, uint64_t end, enum range_mode mode);
/* rangelock_lock in two steps: queues the request and returns true if it was
 * granted at once; else the caller owes rangelock_wait before anything else. */
bool rangelock_begin(struct rangelock *lock, struct range *range,
                     uint64_t start, uint64_t end, enum range_mode mode);
void rangelock_wait(struct range *range);
bool rangelock_granted(struct range *range);
void rangelock_unlock(struct rangelock *lock, struct range *range);
/* Both, in the one order, whichever is given first.  The same lock is taken
 * once, over the union of the ranges and in the stronger mode: `a` stands for
 * both then, b is not used.  wait=false: -EAGAIN. */
int rangelock_lock_two(struct rangelock *la, struct range *a, uint64_t a_start,
                       uint64_t a_end, enum range_mode a_mode,
                       struct rangelock *lb, struct range *b, uint64_t b_start,
                       uint64_t b_end, enum range_mode b_mode, bool wait);
void rangelock_unlock_two(struct rangelock *la, struct range *a,
                          struct rangelock *lb, struct range *b);
/* Debug builds: R1 and R3. */
void rangelock_check(struct rangelock *lock);

#endif

/* rangelock.c - who is in which bytes of a file, and who waits for them.
 *
 * States of a lock:
 *
 *     held == 0            quiet
 *     held == node         one holder, which came by the fast path; its node says
 *                          exactly which bytes it has, but is on no list
 *     held == node|TRACKED a list of holders, sorted by start; and waiters
 *
 *     quiet --lock: CAS--> one holder --unlock: CAS--> quiet
 *     quiet, one holder --track (any second request)--> TRACKED
 *     TRACKED --the last holder leaves--> quiet
 *
 * Only the two fast-path swaps happen without lock->lock, and neither matches a
 * TRACKED word; so whoever holds lock->lock and has seen TRACKED owns the lists,
 * and a fast-path holder cannot leave, nor its node vanish, while its range is
 * looked at.
 *
 * A waiter is granted under lock->lock by being moved to the holders; it is told
 * by its state, after lock->lock was dropped, and from that store on the node is
 * its owner's again: the FUTEX_WAKE that may follow uses the address only, and
 * at worst wakes a stranger, who looks at its own word again.
 *
 * A release can only help waiters that overlap what was released: a waiter kept
 * by an earlier waiter is kept by it still when that one becomes a holder.
 *
 * The list is walked from its lowest start.  Holders are at most the requests
 * under way (tens); a tree would cost more than it saves.
 */
#include "rangelock.h"

#include "bits.h"
#include "log.h"

#include <errno.h>

#define TRACKED ((uintptr_t)1)

/* Granted nodes are told in batches of this many, the lock dropped meanwhile. */
enum { BATCH = 16 };
/* Half a wake-up's time: a range is often given back sooner. */
enum { SPINS = 60 };

static bool overlap(const struct range *a, const struct range *b)
{
    return a->start < b->end && b->start < a->end;
}

static bool conflict(const struct range *a, const struct range *b)
{
    return overlap(a, b) &&
           (a->mode == RANGE_EXCLUSIVE || b->mode == RANGE_EXCLUSIVE);
}

static struct range *first_of(uintptr_t held)
{
    return (struct range *)(held & ~TRACKED);
}

/* --- the list of holders; caller holds lock->lock ---------------------------- */

/* Leaves the fast path; returns the first holder. */
static struct range *track(struct rangelock *lock) REQUIRES(lock->lock)
{
    uintptr_t held = atomic_load_explicit(&lock->held, memory_order_acquire);

    while (!(held & TRACKED) &&
           !atomic_compare_exchange_weak_explicit(
               &lock->held, &held, held | TRACKED, memory_order_acquire,
               memory_order_acquire))
        ;
    return first_of(held);
}

static void set_first(struct rangelock *lock, struct range *first)
    REQUIRES(lock->lock)
{
    atomic_store_explicit(&lock->held, (uintptr_t)first | TRACKED,
                          memory_order_relaxed);
}

/* No holder of the list conflicts with `range`; *prev tells behind which of
 * them it belongs. */
static bool find_place(struct range *first, const struct range *range,
                       struct range **prev)
{
    *prev = NULL;
    for (struct range *r = first; r && r->start < range->end; r = r->next) {
        if (conflict(r, range))
            return false;
        if (r->start <= range->start)
            *prev = r;
    }
    return true;
}

static void insert(struct rangelock *lock, struct range *first,
                   struct range *range, struct range *prev)
    REQUIRES(lock->lock)
{
    range->prev = prev;
    range->next = prev ? prev->next : first;
    if (range->next)
        range->next->prev = range;
    if (prev)
        prev->next = range;
    else
        set_first(lock, range);
}

static void unlink_holder(struct rangelock *lock, struct range *range)
    REQUIRES(lock->lock)
{
    if (range->next)
        range->next->prev = range->prev;
    if (range->prev)
        range->prev->next = range->next;
    else
        set_first(lock, range->next);
}

/* --- waiters; caller holds lock->lock ---------------------------------------- */

/* One of the waiters up to `end` conflicts with `range`. */
static bool behind_waiter(const struct rangelock *lock, const struct range *end,
                          const struct range *range) REQUIRES(lock->lock)
{
    for (const struct range *w = lock->waiting; w != end; w = w->next)
        if (conflict(w, range))
            return true;
    return false;
}

static void append_waiter(struct rangelock *lock, struct range *range)
    REQUIRES(lock->lock)
{
    struct range **end = &lock->waiting;

    while (*end)
        end = &(*end)->next;
    range->next = NULL;
    *end = range;
}

/* Makes holders of the waiters that [start, end) has kept and that nothing
 * keeps any more, at most BATCH of them. */
static unsigned grant(struct rangelock *lock, uint64_t start, uint64_t end,
                      struct range *granted[BATCH]) REQUIRES(lock->lock)
{
    struct range **link = &lock->waiting;
    unsigned n = 0;

    while (*link && n < BATCH) {
        struct range *w = *link, *prev, *first = track(lock);

        if (w->start < end && start < w->end && find_place(first, w, &prev) &&
            !behind_waiter(lock, w, w)) {
            *link = w->next;
            insert(lock, first, w, prev);
            granted[n++] = w;
        } else {
            link = &w->next;
        }
    }
    return n;
}

/* The only change of a waiter's state by another thread. */
static void tell(struct range *range)
{
    if (atomic_exchange_explicit(&range->state, RANGE_GRANTED,
                                 memory_order_release) == RANGE_PARKED)
        futex_wake(&range->state, 1);
}

#ifdef PAGERFS_DEBUG
static void check(struct rangelock *lock) REQUIRES(lock->lock)
{
    uintptr_t held = atomic_load_explicit(&lock->held, memory_order_acquire);

    INVARIANT("R3", held != TRACKED);
    INVARIANT("R3", (held & TRACKED) || !lock->waiting);
    if (!(held & TRACKED))
        return;
    for (const struct range *r = first_of(held); r; r = r->next) {
        INVARIANT("R1", !r->next || r->start <= r->next->start);
        for (const struct range *s = r->next; s && s->start < r->end;
             s = s->next)
            INVARIANT("R1", !conflict(r, s));
    }
}
#else
static void check(struct rangelock *lock) REQUIRES(lock->lock)
{
    (void)lock;
}
#endif

/* [start, end) was given up: grants, and drops lock->lock. */
static void settle(struct rangelock *lock, uint64_t start, uint64_t end)
    RELEASE(lock->lock)
{
    struct range *granted[BATCH];
    unsigned n;

    for (;;) {
        n = grant(lock, start, end, granted);
        if (atomic_load_explicit(&lock->held, memory_order_relaxed) == TRACKED)
            atomic_store_explicit(&lock->held, 0, memory_order_release);
        check(lock);
        mutex_unlock(&lock->lock);
        for (unsigned i = 0; i < n; i++)
            tell(granted[i]);
        if (n < BATCH)
            return;
        mutex_lock(&lock->lock, RANK_RANGE);
    }
}

/* --- the interface ----------------------------------------------------------- */

static void range_init(struct range *range, uint64_t start, uint64_t end,
                       enum range_mode mode)
{
    INVARIANT("R1", start < end);
    range->start = start;
    range->end = end;
    range->mode = mode;
    range->next = range->prev = NULL;
    atomic_store_explicit(&range->state, RANGE_GRANTED, memory_order_relaxed);
}

/* The fast path: held goes from `from` to `to`, if that is what it is.  Looking
 * first spares a tracked lock the price of a swap that must fail. */
static bool swap_held(struct rangelock *lock, uintptr_t from, uintptr_t to)
{
    return atomic_load_explicit(&lock->held, memory_order_relaxed) == from &&
           atomic_compare_exchange_strong_explicit(
               &lock->held, &from, to, memory_order_acq_rel,
               memory_order_relaxed);
}

/* Takes the range if nothing keeps it; else leaves it in line if `queue`. */
static bool lock_tracked(struct rangelock *lock, struct range *range, bool queue)
{
    struct range *first, *prev;
    bool free;

    mutex_lock(&lock->lock, RANK_RANGE);
    first = track(lock);
    free = find_place(first, range, &prev) && !behind_waiter(lock, NULL, range);
    if (free) {
        insert(lock, first, range, prev);
    } else if (queue) {
        atomic_store_explicit(&range->state, RANGE_WAITING, memory_order_relaxed);
        append_waiter(lock, range);
    }
    check(lock);
    mutex_unlock(&lock->lock);
    return free;
}

bool rangelock_begin(struct rangelock *lock, struct range *range,
                     uint64_t start, uint64_t end, enum range_mode mode)
{
    range_init(range, start, end, mode);
    return swap_held(lock, 0, (uintptr_t)range) || lock_tracked(lock, range, true);
}

bool rangelock_granted(struct range *range)
{
    return atomic_load_explicit(&range->state, memory_order_acquire) ==
           RANGE_GRANTED;
}

void rangelock_wait(struct range *range)
{
    uint32_t seen = RANGE_WAITING;

    lock_assert_none(RANK_FUSE);
    for (int i = 0; i < SPINS; i++) {
        if (rangelock_granted(range))
            return;
        lock_relax();
    }
    atomic_compare_exchange_strong_explicit(&range->state, &seen, RANGE_PARKED,
                                            memory_order_relaxed,
                                            memory_order_relaxed);
    while (!rangelock_granted(range))
        futex_wait(&range->state, RANGE_PARKED);
}

void rangelock_lock(struct rangelock *lock, struct range *range,
                    uint64_t start, uint64_t end, enum range_mode mode)
{
    if (!rangelock_begin(lock, range, start, end, mode))
        rangelock_wait(range);
}

int rangelock_trylock(struct rangelock *lock, struct range *range,
                      uint64_t start, uint64_t end, enum range_mode mode)
{
    range_init(range, start, end, mode);
    if (swap_held(lock, 0, (uintptr_t)range) || lock_tracked(lock, range, false))
        return 0;
    return -EAGAIN;
}

void rangelock_unlock(struct rangelock *lock, struct range *range)
{
    if (swap_held(lock, (uintptr_t)range, 0))
        return;
    mutex_lock(&lock->lock, RANK_RANGE);
    unlink_holder(lock, range);
    settle(lock, range->start, range->end);
}

static int take(struct rangelock *lock, struct range *range, uint64_t start,
                uint64_t end, enum range_mode mode, bool wait)
{
    if (!wait)
        return rangelock_trylock(lock, range, start, end, mode);
    rangelock_lock(lock, range, start, end, mode);
    return 0;
}

/* Two ranges of one file taken one after the other could deadlock whatever
 * their order: a request between the two may wait for the first and, being
 * earlier, keep the second.  Hence the union. */
int rangelock_lock_two(struct rangelock *la, struct range *a, uint64_t a_start,
                       uint64_t a_end, enum range_mode a_mode,
                       struct rangelock *lb, struct range *b, uint64_t b_start,
                       uint64_t b_end, enum range_mode b_mode, bool wait)
{
    int err;

    if (la == lb)
        return take(la, a, MIN(a_start, b_start), MAX(a_end, b_end),
                    MAX(a_mode, b_mode), wait);
    if ((uintptr_t)la > (uintptr_t)lb)
        return rangelock_lock_two(lb, b, b_start, b_end, b_mode, la, a, a_start,
                                  a_end, a_mode, wait);
    err = take(la, a, a_start, a_end, a_mode, wait);
    if (err)
        return err;
    err = take(lb, b, b_start, b_end, b_mode, wait);
    if (err)
        rangelock_unlock(la, a);
    return err;
}

void rangelock_unlock_two(struct rangelock *la, struct range *a,
                          struct rangelock *lb, struct range *b)
{
    rangelock_unlock(la, a);
    if (la != lb)
        rangelock_unlock(lb, b);
}

void rangelock_check(struct rangelock *lock)
{
    mutex_lock(&lock->lock, RANK_RANGE);
    check(lock);
    mutex_unlock(&lock->lock);
}

/* lock_internal.h - what all kinds of locks share: their order (lock.c), patience. */
#ifndef BASE_LOCK_INTERNAL_H
#define BASE_LOCK_INTERNAL_H

#include "lock.h"

/* Spinning pays for the few hundred nanoseconds that locks here are held. */
enum { LOCK_SPINS = 40 };

/* Debug builds keep what each thread holds; a lock of another kind is known by the
 * mutex in it. */
#ifdef PAGERFS_DEBUG
/* Aborts if this thread holds a lock of this rank or a later one. */
void lock_order_check(enum lock_rank rank);
void lock_order_push(const struct mutex *m, enum lock_rank rank);
void lock_order_pop(const struct mutex *m);
#else
static inline void lock_order_check(enum lock_rank rank)
{
    (void)rank;
}

static inline void lock_order_push(const struct mutex *m, enum lock_rank rank)
{
    (void)m;
    (void)rank;
}

static inline void lock_order_pop(const struct mutex *m)
{
    (void)m;
}
#endif
/* Debug builds only, in an INVARIANT. */
bool lock_order_holds(const struct mutex *m);

#endif

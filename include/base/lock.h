/* lock.h - a four-byte mutex and condition variable, with the lock order.
 *
 * The mutex is Drepper's third ("Futexes Are Tricky", 2011): 0 free, 1 held,
 * 2 held and perhaps waited for.  It is a plain word, so it may live in the
 * arena by the million, and it means nothing to the kernel while nobody waits.
 *
 * Lock order  `enum lock_rank`, outermost first; docs/LOCKING.md explains each.
 *             A thread may take a lock only of a rank greater than all it
 *             holds; the same rank twice is an error unless try-locked.
 *             Debug builds keep the ranks held by each thread and abort on a
 *             violation, and on a wait that could last (lock_assert_none).
 * Annotations clang's -Wthread-safety; functions that want a lock held say
 *             REQUIRES(x) beside "Caller holds x".
 */
#ifndef BASE_LOCK_H
#define BASE_LOCK_H

#include <stdbool.h>
#include <stdint.h>
#include <stdatomic.h>

#if defined(__clang__)
#define THREAD_ANNOTATION(x) __attribute__((x))
#else
#define THREAD_ANNOTATION(x)
#endif
#define CAPABILITY(name) THREAD_ANNOTATION(capability(name))
#define ACQUIRE(...) THREAD_ANNOTATION(acquire_capability(__VA_ARGS__))
#define RELEASE(...) THREAD_ANNOTATION(release_capability(__VA_ARGS__))
#define TRY_ACQUIRE(...) THREAD_ANNOTATION(try_acquire_capability(__VA_ARGS__))
#define ACQUIRE_SHARED(...) \
    THREAD_ANNOTATION(acquire_shared_capability(__VA_ARGS__))
#define RELEASE_SHARED(...) \
    THREAD_ANNOTATION(release_shared_capability(__VA_ARGS__))
#define TRY_ACQUIRE_SHARED(...) \
    THREAD_ANNOTATION(try_acquire_shared_capability(__VA_ARGS__))
#define REQUIRES_SHARED(...) \
    THREAD_ANNOTATION(requires_shared_capability(__VA_ARGS__))
#define REQUIRES(...) THREAD_ANNOTATION(requires_capability(__VA_ARGS__))
#define EXCLUDES(...) THREAD_ANNOTATION(locks_excluded(__VA_ARGS__))
#define NO_THREAD_SAFETY THREAD_ANNOTATION(no_thread_safety_analysis)

/* The one order in which locks are taken, outermost first. */
enum lock_rank {
    RANK_FUSE = 1, /* front end: requests, handles, readers, the mount's state */
    RANK_TREE,     /* the namespace */
    RANK_NODE,     /* attributes of one node */
    RANK_RANGE,    /* inside a rangelock; what an open file's reads are like */
    RANK_PAGEOUT,  /* a pass of the pageout thread: long */
    RANK_OBJECT,   /* pagemap and page states of one memory object */
    RANK_BUDGET,   /* charges, growth of the swap file */
    RANK_POOL,     /* replacement queues */
    RANK_WAIT,     /* where threads wait: for a page, frames, pins, descriptors */
    RANK_SWAP,     /* the block allocator, the list of areas */
    RANK_IO,       /* the queue of an I/O engine */
    RANK_ARENA,    /* free frames and slabs */
};

struct CAPABILITY("mutex") mutex {
    _Atomic uint32_t word;
};

struct cond {
    _Atomic uint32_t seq;
};

void mutex_lock(struct mutex *m, enum lock_rank rank) ACQUIRE(m);
bool mutex_trylock(struct mutex *m, enum lock_rank rank) TRY_ACQUIRE(true, m);
void mutex_unlock(struct mutex *m) RELEASE(m);

/* Debug builds: abort unless m is held by somebody; else nothing. */
void mutex_assert_held(struct mutex *m) REQUIRES(m);
/* Debug builds: abort if this thread holds any lock of this rank or a later
 * one.  Called where a wait for a frame or for I/O begins. */
void lock_assert_none(enum lock_rank from);

/* As pthread_cond_*: m is released while waiting; wake-ups may be spurious. */
void cond_wait(struct cond *c, struct mutex *m) REQUIRES(m);
/* timeout_ns is relative; returns false when it has passed. */
bool cond_wait_for(struct cond *c, struct mutex *m, uint64_t timeout_ns)
    REQUIRES(m);
void cond_signal(struct cond *c);
void cond_broadcast(struct cond *c);

/* The wait itself, for structures that keep their own word (the rangelock):
 * sleep while *word == expected; may return early. */
void futex_wait(_Atomic uint32_t *word, uint32_t expected);
/* timeout_ns is relative; returns false when it has passed. */
bool futex_wait_for(_Atomic uint32_t *word, uint32_t expected,
                    uint64_t timeout_ns);
void futex_wake(_Atomic uint32_t *word, int count);

/* This thread's, from 0 in the order in which they first ask: for counters in rows,
 * each with a line of the cache for itself. */
unsigned thread_number(void);

/* One step of a loop that waits for another CPU. */
void lock_relax(void);

#endif

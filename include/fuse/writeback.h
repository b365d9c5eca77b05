/* writeback.h - is there room for what the kernel has accepted and not handed on?
 *
 * With -o writeback write(2) ends in the kernel's page cache, and the bytes come
 * later.  What the kernel may hold back at once is bounded, by a limit that it
 * keeps for each mount; so much is held back in the budget (pool_hold), with
 * some more, and the state says what write(2) has to be told:
 *
 *                     room < reserve + a quarter
 *        PLENTIFUL ------------------------------> SHORT
 *            ^                                     |   ^
 *            |  room >= reserve + a half           v   |  room < reserve
 *            +------------------------------------ FULL (and back)
 *
 *   PLENTIFUL  it need not ask: attributes are good for ever
 *   SHORT      each write(2) asks, and is let go on
 *   FULL       each is refused
 *
 * Files that are opened while space is not plentiful are not cached: they write
 * through, and each of their writes is told exactly; without a file that is
 * cached nothing is held back from them.
 *
 * Invariants
 *   W1  while a cached file is open for writing, the room is at least what the
 *       kernel may hold back and the write(2)s that are under way, as far as these
 *       are not longer than WRITEBACK_LONGEST for each open file, or `at_once`
 *       all together, if that is more; and but for stores to mappings.
 *   W2  the state changes only in one function (settle).
 *
 * Ownership   embedded in the session; writers in their open files, linked from
 *             writeback_join to writeback_leave.
 * Locking     inside (RANK_FUSE); `ask` is called with no lock held.
 * Units       pages.
 */
#ifndef FUSE_WRITEBACK_H
#define FUSE_WRITEBACK_H

#include "list.h"
#include "lock.h"
#include "pool.h"

/* A write(2) in each open file, or any of them, are covered up to this: 1 MiB. */
enum { WRITEBACK_LONGEST = 256 };

enum writeback_state { WRITEBACK_PLENTIFUL, WRITEBACK_SHORT, WRITEBACK_FULL };

/* A cached file that is open for writing. */
struct writeback_writer {
    struct list link; /* those told last are last (l) */
    uint64_t told;    /* the last time, or at none (l) */
    uint64_t id;      /* of the node (l) */
};                    /* (l) the lock of the space */

struct writeback {
    struct mutex lock;
    struct pool *pool;           /* NULL: no writeback cache (c) */
    void (*ask)(void *ctx, uint64_t id); /* has write(2) ask (c) */
    void *ctx;                   /* (c) */
    int limit_fd;                /* the kernel's limit; -1: it is not told (c) */
    uint64_t dirty;              /* that limit (l) */
    uint64_t looked_ns;          /* when it was read (l) */
    uint64_t at_once;            /* that write(2)s may have on their way (c) */
    struct list writers;         /* (l) */
    uint64_t nr;                 /* of them (l) */
    uint64_t times;              /* that all were told to ask (l) */
    unsigned telling;            /* threads that are at it (l) */
    struct cond all_told;
    _Atomic enum writeback_state state; /* changed under (l) */
};                               /* (c) constant (l) lock */

/* Without a pool, or before: always plentiful.  The limit is set to `max`, if that
 * is allowed (to root), or where max is 0 lowered if it is much for a mount of
 * this size. */
void writeback_init(struct writeback *wb, struct pool *pool,
                    const char *mountpoint, uint64_t max,
                    void (*ask)(void *ctx, uint64_t id), void *ctx);
void writeback_fini(struct writeback *wb);

static inline bool writeback_is_on(const struct writeback *wb)
{
    return wb->pool != NULL;
}

static inline bool writeback_is_plentiful(const struct writeback *wb)
{
    return atomic_load_explicit(&wb->state, memory_order_acquire) ==
           WRITEBACK_PLENTIFUL;
}

/* The file of that id has been opened for writing: true if it may be cached. */
bool writeback_join(struct writeback *wb, struct writeback_writer *writer, uint64_t id);
/* It has been closed; what was in the cache of it is written. */
void writeback_leave(struct writeback *wb, struct writeback_writer *writer);
/* Something was written, or took space otherwise, and is not answered yet: when
 * this returns all who have to ask know it.  Nothing without a writeback cache. */
void writeback_look(struct writeback *wb);
/* A write(2) asks: 0, or -ENOSPC. */
int writeback_ask(struct writeback *wb);

/* --- for tests ----------------------------------------------------------- */

/* What is held back for so many writers. */
uint64_t writeback_reserve(const struct writeback *wb, uint64_t writers);

#endif

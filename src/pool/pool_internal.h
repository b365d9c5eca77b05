/* pool_internal.h - the pool from inside: one struct a file, and what the
 * files of this room lend each other.
 *
 *     pool.c      birth, death, figures
 *     budget.c    charges              grow.c      the size of the swap file
 *     frames.c    frames and waiting   balloon.c   fewer frames, or more
 *     areas.c     swap areas           check.c     contradictions
 *     page.c      states of a page     replace.h   which page goes next
 *     launder.c   the pageout thread   pageout.c   one cluster to swap
 *     warm.c      memory ahead of need
 *     pagein.c    reads                evict.c     pages sent out when asked
 *     turns.c     waiting I/O out
 *
 * Letters     (B) budget.lock, (Q) queue_lock, (W) frames.lock, (L) launder.lock,
 *             (I) pagein.lock, (O) owner's lock, (c) constant after pool_create.
 *             Lock order: the order of the fields, after (O).
 */
#ifndef POOL_POOL_INTERNAL_H
#define POOL_POOL_INTERNAL_H

#include "pool.h"
#include "replace.h"

#include <pthread.h>

/* The bit of page->pins that says DEAD. */
#define PIN_DEAD 0x8000u

enum { NR_PAGE_STATES = PAGE_DEAD + 1, NR_BUCKETS = 64 };
/* Clusters on their way to disk at one time. */
enum { NR_PAGEOUTS = 8 };
/* The most reads. */
enum { MAX_PAGEINS = 32 };

/* What the thread that keeps the swap file's size is doing. */
enum keeper_state { KEEPER_AWAKE, KEEPER_WATCHING, KEEPER_IDLE };

struct budget {
    struct mutex lock;     /* RANK_BUDGET */
    uint64_t limit;        /* (B) UINT64_MAX: none */
    uint64_t frames;       /* (B) frames that charges count on: no reserve */
    uint64_t metadata_max; /* (B) so that data always keep some frames */
    uint64_t blocks_max;   /* (B) as all below: areas on their way out are not
                            * counted */
    uint64_t ahead_min;    /* (B) pages that are to be spare without growth */
    uint64_t held;         /* (B) of what is spare: for those who may use it */
    uint64_t data;         /* (B) pages charged */
    uint64_t metadata;     /* (B) frames charged */
    uint64_t capacity;     /* (B) blocks with disk behind them, not retired */
    uint64_t retired;      /* (B) blocks withdrawn after errors */
    uint64_t tables;       /* (B) frames of swap tables, and some to grow by */
    _Atomic bool overcommitted; /* (B), read by anyone: charges exceed what is
                            * there, because blocks were retired */
    uint64_t retry_ns;     /* (B) growth failed: not again before this time */
    bool refused;          /* (B) the last growth failed */
    uint64_t refused_room; /* (B) blocks the host's disk had then */
    bool resizing;         /* (B) somebody changes the size of swap */
    bool short_of_blocks;  /* (B) pageout would like more */
    uint64_t in_vain;      /* (B) pages charged when no cluster was found that could
                            * go back to the host; UINT64_MAX: one was */
    bool stop;             /* (B) */
    enum keeper_state keeper; /* (B) */
    struct cond resized;   /* resizing became false */
    struct cond work;      /* for the keeper */
    pthread_t thread;
};

/* What is charged.  Caller holds the lock. */
static inline uint64_t budget_used(const struct budget *b)
{
    return b->data + b->metadata;
}

struct frames {
    struct mutex lock;         /* RANK_WAIT */
    struct cond came;          /* for watchers: frames were freed, or
                                * `exhausted` was set */
    uint32_t watchers;         /* (W) who waits for metadata */
    struct list readers;       /* (W) struct waiter, in order of arrival */
    struct list writers;       /* (W) */
    _Atomic uint32_t sleepers; /* threads waiting, any kind */
    _Atomic uint32_t wanted;   /* frames they wait for */
};

/* Threads waiting for a READING page, by frame. */
struct bucket {
    struct mutex lock; /* RANK_WAIT */
    struct cond read;
    uint32_t waiters;  /* (lock) */
};

struct launder {
    pthread_t thread;
    struct mutex pass;         /* RANK_PAGEOUT: held while at work, so that
                                * pool_check finds it at rest */
    _Atomic uint32_t kicks;    /* enum kick */
    _Atomic bool exhausted;    /* nothing could be reclaimed when last tried */
    _Atomic uint32_t coming;   /* frames that I/O under way will free */
    _Atomic uint32_t nr_busy;  /* pageouts in flight; (L) written */
    struct pageout *pageouts;  /* (c) NR_PAGEOUTS of them */
    struct mutex lock;         /* RANK_WAIT */
    struct list idle;          /* (L) pageouts not in flight */
    _Atomic uint64_t last_write_ns; /* monotonic */
};

struct warm {
    pthread_t thread;
    _Atomic uint32_t goal;     /* frames that should be warm; 0: the thread sleeps */
    _Atomic bool stop;
};

struct pagein {
    struct pool_io *ios;       /* (c) nr of them */
    uint32_t nr;               /* (c) */
    struct mutex lock;         /* RANK_WAIT */
    struct list idle;          /* (I) */
    struct cond freed;
};

struct counters {
    _Atomic uint64_t pageout_pages, pageout_ios, pagein_pages, pagein_ios;
    _Atomic uint64_t evictions, redirtied, lost, writers_waited_ns;
    _Atomic uint64_t readahead_pages, readahead_used, readahead_unused;
};

struct pool {
    struct arena *arena;            /* (c) */
    struct swap *swap;              /* (c) */
    const struct pool_ops *ops;     /* (c) */
    void *ctx;                      /* (c) */
    uint32_t reserve;               /* (c) the lowest mark on free frames */
    uint32_t batch;                 /* (c) most frames asked for at once */
    uint32_t cluster;               /* (c) most pages written at once */
    uint32_t share_min;             /* (c) no share is less, however few frames */
    /* pool_set_marks alone changes these; each is read by itself, by anyone. */
    _Atomic uint32_t min, low, high; /* marks on free frames */
    _Atomic uint32_t data_share;    /* frames that metadata may never take */
    _Atomic bool resizing;          /* somebody is in pool_ram_change */
    struct budget budget;
    struct mutex queue_lock;        /* RANK_POOL */
    struct replace replace;         /* (Q) */
    struct frames frames;
    struct bucket buckets[NR_BUCKETS];
    struct launder launder;
    struct pagein pagein;
    struct warm warm;
    bool started;
    _Atomic uint32_t inflight;      /* I/Os under way, both ways */
    _Atomic uint32_t nr_state[NR_PAGE_STATES];
    struct counters counters;
};

/* --- pool.c ------------------------------------------------------------------ */

/* All that depends on how many frames there are, but for the charges. */
void pool_set_marks(struct pool *pool, uint32_t frames);
/* Of so many frames the share that is always the data's. */
uint32_t pool_share_of(const struct pool *pool, uint32_t frames);

/* --- budget.c ---------------------------------------------------------------- */

void budget_init(struct pool *pool, uint64_t limit);
/* Charges count on so many frames. */
void budget_set_frames(struct pool *pool, uint32_t frames)
    REQUIRES(pool->budget.lock);
/* Blocks with disk behind them that are lacking for all that is charged if it
 * could count on so many frames and blocks. */
uint64_t budget_lacking(struct pool *pool, uint64_t frames, uint64_t capacity)
    REQUIRES(pool->budget.lock);
/* The same if there were so many frames, the reserve among them.  False: metadata
 * alone leave too few for the data. */
bool budget_fits(struct pool *pool, uint32_t frames, uint64_t *lacking)
    REQUIRES(pool->budget.lock);
int budget_charge_metadata(struct pool *pool);
void budget_uncharge_metadata(struct pool *pool);
/* Would one more page of metadata need a larger swap file? */
bool budget_wants_growth(struct pool *pool);
/* After a change of capacity: what follows from it. */
void budget_settle(struct pool *pool) REQUIRES(pool->budget.lock);
void budget_stats(struct pool *pool, struct pool_stats *stats);
/* Blocks in use whose transfer has failed are withdrawn. */
void budget_retire(struct pool *pool, uint32_t first, uint32_t nr);
/* Pages that may still be charged before disk must be added.  Caller holds
 * budget->lock, here and below. */
uint64_t budget_spare(const struct budget *budget);
/* What of `spare` is for everybody. */
uint64_t budget_unheld(const struct budget *budget, uint64_t spare);
/* Growth is possible, and was not refused a moment ago. */
bool budget_may_grow(struct pool *pool) REQUIRES(pool->budget.lock);

/* --- balloon.c --------------------------------------------------------------- */

/* The fewest frames that what is charged could do with. */
uint32_t balloon_least(struct pool *pool) REQUIRES(pool->budget.lock);

/* --- grow.c ------------------------------------------------------------------ */

/* Adds disk, `want` blocks or what can be had, or waits for who does so already.
 * 0: look again; -EAGAIN no frame for a table now; -ENOSPC.  No lock held. */
int grow_file(struct pool *pool, uint64_t want);
/* Grows it until `give_up(pool, what, &want)`, by which charges stop counting on
 * something if all fits without it, does not return -EAGAIN any more: then `want`
 * blocks are lacking.  Returns what that does, or an error of growth; -EINTR when
 * `stop`, which may be NULL, says so. */
int grow_until(struct pool *pool,
               int (*give_up)(struct pool *pool, uint32_t what, uint64_t *want),
               uint32_t what, bool (*stop)(void *ctx), void *ctx);
/* The size of swap is the caller's to change, or to count, until resize_end; the
 * lock is held on return. */
void budget_resize_begin(struct pool *pool) ACQUIRE(pool->budget.lock);
/* What it has come to is what charges count on. */
void budget_resize_end(struct pool *pool) RELEASE(pool->budget.lock);
/* Wakes the keeper if it has something to do. */
void grow_poke(struct pool *pool) REQUIRES(pool->budget.lock);
void grow_ask_blocks(struct pool *pool);
/* Frames may have come free without a charge that did: at the end of I/O.  No lock
 * of RANK_BUDGET or later held. */
void grow_look(struct pool *pool);
int grow_start(struct pool *pool);
void grow_stop(struct pool *pool);

/* --- frames.c ---------------------------------------------------------------- */

void frames_init(struct pool *pool);
/* After frames were freed, or `exhausted` was set.  Any lock before RANK_WAIT. */
void frames_wake(struct pool *pool);
/* As pool_frames_get with POOL_WAIT, but the frames are withheld. */
int frames_withhold(struct pool *pool, uint32_t nr);
/* Sleeps until metadata can have a frame, or nothing can be reclaimed. */
void frames_wait_metadata(struct pool *pool);

/* --- warm.c ------------------------------------------------------------------ */

/* So many frames have just been taken at once. */
void warm_taken(struct pool *pool, uint32_t nr);
int warm_start(struct pool *pool);
void warm_stop(struct pool *pool);

/* --- page.c ------------------------------------------------------------------ */

/* The one place where state and block change (P3). */
void page_set_state(struct pool *pool, struct page *page, enum page_state state,
                    uint32_t block);
/* Off the queues, DEAD, and freed unless it is pinned. */
void page_kill(struct pool *pool, uint32_t frame);
/* CLEAN, no pins but `pins` of the caller, off the queues: the owner forgets the
 * frame, and has it no more.  page_forget, with the owner's lock dropped, then
 * gives the frames back. */
void page_evict(struct pool *pool, uint32_t frame, uint16_t pins);
void page_forget(struct pool *pool, uint32_t nr, const uint32_t *frames);
void page_unpin_many(struct pool *pool, uint32_t nr, const uint32_t *frames);

static inline enum page_state page_state(struct page *page)
{
    return atomic_load_explicit(&page->state, memory_order_acquire);
}

/* The I/O vector for these frames; adjacent ones share an element. */
uint32_t page_iovec(struct pool *pool, uint32_t nr, const uint32_t *frames,
                    struct iovec *iov);

/* --- launder.c --------------------------------------------------------------- */

enum kick {
    KICK_LOW = 1,   /* free frames fell to low, or somebody waits for some */
    KICK_DONE = 2,  /* I/O is done */
    KICK_FREED = 4, /* there is something to reclaim again */
    KICK_STOP = 8,
};

void launder_kick(struct pool *pool, uint32_t kicks);
/* A block or page became free while nothing could be reclaimed. */
static inline void launder_hope(struct pool *pool)
{
    if (atomic_load_explicit(&pool->launder.exhausted, memory_order_relaxed))
        launder_kick(pool, KICK_FREED);
}
/* Waiting for free frames to reach min would be in vain: nothing could be
 * reclaimed, or not that much if all of it were. */
bool launder_in_vain(struct pool *pool);
/* Evicts up to nr pages that need no I/O, for threads that want a frame; returns
 * how many. */
uint32_t launder_reclaim(struct pool *pool, uint32_t nr);
int launder_start(struct pool *pool);
void launder_stop(struct pool *pool);
/* A thread of ours: named, and deaf to signals. */
int thread_start(pthread_t *thread, const char *name, void *(*body)(void *),
                 void *arg);

/* --- pageout.c --------------------------------------------------------------- */

uint64_t pageout_bytes(void);
int pageout_init(struct pool *pool);
void pageout_fini(struct pool *pool);
bool pageout_ready(struct pool *pool);
/* How often each descriptor was taken and put back, which is odd while it is in
 * use; of how many. */
unsigned pageout_turns(struct pool *pool, uint32_t turns[NR_PAGEOUTS]);
/* Writes the DIRTY victim and its neighbours.  Caller holds the owner's lock,
 * which is dropped.  -ENOSPC: no block is free, -EBUSY: no descriptor is; the
 * victim is then back on its queue, as it is if it was not written yet. */
int pageout_cluster(struct pool *pool, uint32_t victim);

/* --- pagein.c ---------------------------------------------------------------- */

/* Descriptors for a pool of so many frames, and their bytes. */
uint32_t pagein_count(uint64_t frames);
uint64_t pagein_bytes(uint64_t frames);
int pagein_init(struct pool *pool);
void pagein_fini(struct pool *pool);
/* As pageout_turns. */
unsigned pagein_turns(struct pool *pool, uint32_t turns[MAX_PAGEINS]);
/* While blocks are short, what is read gives its block back (I18). */
bool pagein_gives_back(struct pool *pool);

#endif

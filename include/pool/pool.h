/* pool.h - resident pages of all files within a fixed number of frames.
 *
 * A page is one page of one owner (a memory object) in one frame of the arena.
 *
 *                 page_insert(READING)            page_insert(DIRTY)
 *                        |                                |
 *                        v          page_dirty            v
 *                     READING --io--> CLEAN ---------> DIRTY <----+
 *                        |             |  ^               |       | redirtied,
 *                        |             |  |        launder|       | or error
 *                        |      evict  |  +---io--- WRITING ------+
 *                        v             v               |
 *                      DEAD          (FREE)           DEAD   (page_drop, or EIO)
 *                        +--- last unpin --> FREE <-----+
 *
 * Invariants
 *   P1  a page with pins > 0 is never evicted, and laundering starts on none.
 *   P2  CLEAN and WRITING have a block with (or soon with) the same bytes;
 *       DIRTY has none: dirtying gives the block back at once.
 *   P3  state and block change only in page_set_state, with the owner's lock.
 *   5   data + metadata <= frames - reserve - swap tables + blocks backed, so
 *       pageout never fails for want of space; and data + metadata <= limit (6).
 *   9   laundering allocates nothing and takes owners' locks only by trying
 *       (victims) or when nobody can wait with them held (completions).
 *   11  a write error is tried once more elsewhere; then, as on a read error,
 *       that one page is lost: ops->lost, DEAD.
 *   12  a page written to while WRITING becomes DIRTY, its new block freed.
 *   18  while less than 1/64 of the blocks is free, a page read in gives its
 *       block back (becomes DIRTY).
 *
 * Ownership   pool_frames_get lends frames; pool_page_insert makes one a page of
 *             its owner; pool_page_drop or eviction ends it.  A pin keeps frame
 *             and bytes; each pin owes one unpin.  I/O holds a pin of its own
 *             on each page, and the owner by ops->hold/release.
 * Locking     "(O)": caller holds the owner's lock.  Others lock inside and are
 *             called with no lock of RANK_OBJECT or later held.
 *             May block, when `wait` allows: pool_frames_get, pool_io_get,
 *             pool_charge, pool_page_wait.  The caller may hold rangelocks
 *             then, and no other lock.
 * Units       pages, frames, blocks: all 4 KiB.
 * Errors      0 or -errno: -EAGAIN would wait, -ENOSPC limit reached, -EIO lost.
 */
#ifndef POOL_POOL_H
#define POOL_POOL_H

#include "arena.h"
#include "swap.h"

enum page_state { PAGE_NONE, PAGE_READING, PAGE_CLEAN, PAGE_DIRTY, PAGE_WRITING, PAGE_DEAD };

enum page_flags {
    PAGE_REDIRTIED = 1, /* written to while WRITING (O) */
    PAGE_READAHEAD = 2, /* came by readahead and was not asked for yet (O) */
    PAGE_SUSPECT = 4,   /* one write of it has failed (O) */
    PAGE_VICTIM = 8,    /* to be evicted as soon as it is CLEAN (O) */
};

/* Laid over the frame's table entry. */
struct page {
    uint8_t kind;              /* FRAME_PAGE */
    _Atomic uint8_t state;     /* enum page_state (O), read by anyone */
    _Atomic uint8_t referenced; /* replacement's bit; anyone sets it */
    uint8_t queue;             /* replacement's (Q) */
    _Atomic uint16_t pins;     /* raised under (O), dropped by anyone; the top
                                * bit says DEAD, so that one of the last unpin
                                * and the drop frees the frame, and not both */
    uint16_t flags;            /* enum page_flags (O) */
    uint64_t index;            /* page index in the owner (C) */
    uint32_t owner;            /* handle (C) */
    uint32_t block;            /* (O) BLOCK_NONE unless P2 says so */
    uint32_t next, prev;       /* replacement's (Q) */
};                             /* (O) owner's lock (Q) RANK_POOL (C) constant
                                * from insert to FREE */
_Static_assert(sizeof(struct page) == sizeof(struct frame), "overlay");

/* Where a walk over all pages has come to: the owners' affair but for the blocks
 * that are to be given up; zeroed at the start. */
struct pool_walk {
    uint32_t first, nr;        /* blocks */
    uint32_t owner;            /* owners from this number on, */
    uint64_t index;            /* of the first of these, pages from here on */
};

static inline bool pool_walk_wants(const struct pool_walk *walk, uint32_t block)
{
    return block - walk->first < walk->nr;
}

/* The layer above.  `owner` is the handle given to pool_page_insert. */
struct pool_ops {
    bool (*trylock)(void *ctx, uint32_t owner);
    void (*lock)(void *ctx, uint32_t owner);
    void (*unlock)(void *ctx, uint32_t owner);
    /* I/O on pages of the owner begins and ends: between them the owner's
     * memory stays.  Called with its lock held (hold) and not held (release). */
    void (*hold)(void *ctx, uint32_t owner);
    void (*release)(void *ctx, uint32_t owner);
    /* Below: owner's lock held; they allocate nothing and cannot fail. */
    /* The frame that holds this page, FRAME_NONE if it is not resident. */
    uint32_t (*frame_at)(void *ctx, uint32_t owner, uint64_t index);
    /* The page leaves its frame; its bytes are in `block` from now on. */
    void (*evicted)(void *ctx, uint32_t owner, uint64_t index, uint32_t block);
    /* The page's bytes are gone; reads of it get EIO until it is rewritten. */
    void (*lost)(void *ctx, uint32_t owner, uint64_t index);
    /* Where the owner would like `index` to go: the block after that of
     * index - 1 when that page is on swap, else BLOCK_NONE. */
    uint32_t (*hint)(void *ctx, uint32_t owner, uint64_t index);
    /* No lock held; may wait as a writer does.  A bounded step of a walk over all
     * pages of all owners: those with blocks first..first+nr-1 give them up, by
     * pool_page_vacate or by being read in.  1: that was the last step; 0, or
     * -errno. */
    int (*vacate)(void *ctx, struct pool_walk *walk);
    /* No lock held.  pool_pins_max is another now: returns when no more pages than
     * that are pinned by requests that wait. */
    void (*pins_settle)(void *ctx);
};

struct pool;

#define POOL_MIN_FRAMES 256u

struct pool_config {
    struct arena *arena;
    struct swap *swap;         /* without blocks: swap=none */
    uint64_t limit;            /* size= in pages; 0 none but what there is */
    const char *replacement;   /* "s3fifo" or "clock"; NULL the default */
    const struct pool_ops *ops;
    void *ctx;
};

struct pool_stats {
    /* Pages; limit 0: none.  used_max: what could be used if the host has the
     * disk; if it has refused some, with what it gave and what is free there more
     * than then. */
    uint64_t limit, used, used_max, data, metadata;
    uint64_t metadata_max; /* the most frames that metadata may take now */
    uint32_t frames, frames_free, reserve, low, high, min;
    uint32_t frames_least, frames_most; /* what pool_ram_change can make of them */
    uint32_t blocks_max, blocks_backed, blocks_free;
    uint64_t pageout_pages, pageout_ios, pagein_pages, pagein_ios;
    uint64_t evictions, redirtied, refaults, lost;
    uint64_t writers_waited_ns; /* for frames, all together */
    /* Pages that came by readahead; of these, asked for; and evicted before. */
    uint64_t readahead_pages, readahead_used, readahead_unused;
    uint64_t reading, clean, dirty, writing; /* pages by state, at this moment */
    const char *replacement, *engine;        /* names */
    struct space_stats space;
};

/* What a mount with this `ram=` keeps for its pool outside the arena (I/O
 * descriptors, ghosts, stacks of three threads): to be subtracted from the budget
 * before the arena is created. */
uint64_t pool_overhead_bytes(uint64_t ram_bytes);
/* The most frames that metadata and the tables of swap may take together, with an
 * arena of so many bytes. */
uint64_t pool_metadata_max(uint64_t arena_bytes);
/* Takes the arena's ops.  -EINVAL: the arena has fewer than POOL_MIN_FRAMES, or
 * no such replacement. */
int pool_create(struct pool **pool, const struct pool_config *config);
/* Starts the pool's threads.  Separate from create: they must begin after the
 * daemon has detached.  pool_destroy ends them; every page must have been dropped. */
int pool_start(struct pool *pool);
void pool_destroy(struct pool *pool);
void pool_stats(struct pool *pool, struct pool_stats *stats);

static inline struct page *pool_page(const struct arena *arena, uint32_t frame)
{
    return (struct page *)(void *)&arena->table[frame];
}

/* --- the budget (budget.c) ------------------------------------------------- */

/* Charges 1..want pages of file data; *got is less than want only when there is
 * no room for more.  -ENOSPC: not one.  -EAGAIN (only if !wait): the swap file
 * must grow first, nothing was charged. */
int pool_charge(struct pool *pool, uint32_t want, bool wait, uint32_t *got);
void pool_uncharge(struct pool *pool, uint64_t nr);
/* The last `nr` pages of what there is, and disk for them, are held back from
 * now on for threads that may use them: what was promised to somebody else.
 * Returns the pages that such a thread could charge at this moment, without
 * growth. */
uint64_t pool_hold(struct pool *pool, uint64_t nr);
void pool_use_held(bool may);
/* From now on the disk is held that so many pages and what is held back would
 * need, as far as the host has it.  Waits for it.  No lock held. */
void pool_grow_ahead(struct pool *pool, uint64_t nr);
/* size= in pages, 0 none, once it is known what there is (pool_stats).  What is
 * charged beyond it stays. */
void pool_limit_set(struct pool *pool, uint64_t limit);
/* The same on a mount in use: -EINVAL if it is less than what is used and held
 * back, -ENOSPC if it is more than RAM and swap can hold. */
int pool_limit_change(struct pool *pool, uint64_t limit);

/* --- frames ---------------------------------------------------------------- */

enum pool_wait {
    POOL_NOWAIT,   /* -EAGAIN below min */
    POOL_WAIT,     /* sleeps below min until pageout has made room */
    POOL_WAIT_READ, /* the same for a page-in: may use the reserve */
    POOL_AHEAD,    /* readahead: -EAGAIN a batch below low, never sleeps */
};
/* The most frames that may be asked for at once. */
uint32_t pool_batch(const struct pool *pool);
/* The most pages that may be pinned by all who wait for frames meanwhile: the
 * share of the frames that is always the data's, but for two batches.  Never less
 * than it was at the start, or one request needs. */
uint32_t pool_pins_max(const struct pool *pool);
/* All nr <= pool_batch frames, contents undefined, or none.  -ENOSPC comes only
 * when write errors have eaten so many blocks that what was accepted does not
 * fit any more.  Whoever holds frames or pins must not wait for more frames
 * than that: pins of all waiting requests together must leave frames to evict. */
int pool_frames_get(struct pool *pool, uint32_t nr, uint32_t *frames,
                    enum pool_wait wait);
void pool_frames_put(struct pool *pool, uint32_t nr, const uint32_t *frames);
/* POOL_AHEAD would get frames now. */
bool pool_affords_ahead(struct pool *pool);

/* --- pages (page.c); all (O) unless it says otherwise ----------------------- */

/* DIRTY (block BLOCK_NONE) or READING (block: where its bytes are; pinned once
 * for the I/O of pool_io_prepare).  Cold pages are first to go. */
void pool_page_insert(struct pool *pool, uint32_t frame, uint32_t owner,
                      uint64_t index, enum page_state state, uint32_t block,
                      bool readahead);
void pool_page_pin(struct pool *pool, uint32_t frame);
/* Any lock or none. */
void pool_page_unpin(struct pool *pool, uint32_t frame);
/* The caller is about to change the bytes and has pinned the page: CLEAN
 * becomes DIRTY, WRITING is marked redirtied.  Not READING. */
void pool_page_dirty(struct pool *pool, uint32_t frame);
/* The owner gives the page up; the frame is freed now, or at the last unpin. */
void pool_page_drop(struct pool *pool, uint32_t frame);
/* If the page is CLEAN and its block is one of the walk's, it gives that up. */
void pool_page_vacate(struct pool *pool, uint32_t frame,
                      const struct pool_walk *walk);
/* It was used: one relaxed store.  Any lock or none. */
static inline void pool_page_touch(struct page *page)
{
    if (!atomic_load_explicit(&page->referenced, memory_order_relaxed))
        atomic_store_explicit(&page->referenced, 1, memory_order_relaxed);
}
/* Somebody asked for it: it was used; or, if it came by readahead and this is the
 * first time, that is what it came for, and true. */
bool pool_page_asked(struct pool *pool, uint32_t frame);
/* Caller has pinned it and holds no lock.  Returns when it is not READING:
 * 0, or -EIO if it was lost. */
int pool_page_wait(struct pool *pool, uint32_t frame);

/* It is the next victim of the queue it is on, if it is on one. */
void pool_page_cool(struct pool *pool, uint32_t frame);
/* It leaves memory: at once if it is CLEAN; if DIRTY, its neighbours are written
 * with it, and those that nobody used since are evicted when that is done.  A page
 * that is in use stays.  The owner's lock is dropped.  -EBUSY: a little later
 * again; -ENOSPC: no block is free (pool_blocks_want, then again). */
int pool_page_evict(struct pool *pool, uint32_t frame);

/* --- blocks ---------------------------------------------------------------- */

/* The owner gives up blocks that its pagemap held.  Any lock before RANK_SWAP. */
void pool_blocks_free(struct pool *pool, uint32_t first, uint32_t nr);

/* More disk for pageout before a charge needs it; waits.  0: look again, -EAGAIN
 * a little later again; -ENOSPC there is none.  No lock held. */
int pool_blocks_want(struct pool *pool);

/* --- page-in --------------------------------------------------------------- */

struct pool_io;
/* A descriptor for one read of up to SWAP_IO_MAX_PAGES; NULL if none is free
 * and !wait.  There are enough that waiting is rare, and waiting for one needs
 * only disk I/O to finish. */
struct pool_io *pool_io_get(struct pool *pool, bool wait);
void pool_io_put(struct pool *pool, struct pool_io *io);
/* Fills in a read of blocks block..block+nr-1 into frames, which were inserted
 * READING as consecutive pages of `owner` from `index`.  ops->hold was called by
 * the caller under the owner's lock. */
void pool_io_prepare(struct pool *pool, struct pool_io *io, uint32_t owner,
                     uint64_t index, uint32_t block, uint32_t nr,
                     const uint32_t *frames);
/* These take the descriptor over, and are called with no lock.  Submit returns at
 * once; so does begin, which has the caller's own ring read (swap_lane; false: it
 * was submitted instead); run reads on the caller's thread, for one that would wait
 * for nothing else.  After the last two pages may be READING still only if the read
 * has failed and is tried again.  Between prepare and these the caller waits for
 * nothing. */
void pool_io_submit(struct pool_io *io);
bool pool_io_begin(struct pool_io *io, struct swap_lane *lane);
/* The block, which is in use, is of a file that can be read so. */
bool pool_lends(struct pool *pool, uint32_t block);
void pool_io_run(struct pool_io *io);

/* --- swap areas (areas.c) --------------------------------------------------- */

/* Takes another file or device into use, and the file over.  priority: higher
 * first, equal ones in turn; negative: below all that are there.  -EEXIST: one of
 * that name is there.  -EMFILE: there are SWAP_AREAS_MAX.  -ENOSPC: the numbers of
 * blocks are used up.  On error the file is still the caller's. */
int pool_swap_add(struct pool *pool, const struct swap_file *file, int priority);
/* Moves all that an area holds elsewhere and closes it.  May take as long as
 * reading it does; requests go on meanwhile.  stop(ctx) (NULL: never) is asked
 * many times a second: true ends it with -EINTR, the area in use as before.
 * -ENOSPC: the rest could not hold what is charged; nothing has changed.
 * -ENOENT: no such name.  -EBUSY: another is being removed.  Pages that cannot be
 * read are lost as after any read error, and do not hold it up. */
int pool_swap_remove(struct pool *pool, const char *name,
                     bool (*stop)(void *ctx), void *ctx);
/* The areas, those used first first; returns how many there are. */
uint32_t pool_swap_list(struct pool *pool,
                        struct swap_area_info list[SWAP_AREAS_MAX]);

/* --- for those who check everything ----------------------------------------- */

/* Where the blocks are from. */
struct swap *pool_swap(struct pool *pool);
/* (turns.c) Waits until all reads and writes under way now have ended, and given up
 * what blocks they had to.  stop as in pool_swap_remove: -EINTR. */
int pool_io_wait_out(struct pool *pool, bool (*stop)(void *ctx), void *ctx);

/* --- ram= in use (balloon.c) ------------------------------------------------- */

/* Another budget for the arena, in bytes.  A larger one waits for next to nothing
 * (-ENOMEM: the system refuses); for a smaller one pages leave memory first, while
 * requests go on.  stop(ctx) (NULL: never) is asked before each batch: true ends it
 * with -EINTR.  -ENOSPC: what is charged needs more than that and swap.  -ERANGE:
 * no such number of frames can be had or done with, whatever is charged.  -EBUSY:
 * another change is under way.  On error the budget is what it was. */
int pool_ram_change(struct pool *pool, uint64_t bytes, bool (*stop)(void *ctx),
                    void *ctx);

/* --- for tests and debug builds ------------------------------------------- */

/* Walks all pages and queues; aborts on a contradiction (P1..P3, 8). */
void pool_check(struct pool *pool);
/* Waits until nothing is being written or read. */
void pool_quiesce(struct pool *pool);

#endif

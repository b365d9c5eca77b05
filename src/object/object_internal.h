/* object_internal.h - what the files of this room lend each other.
 *
 *     object.c    birth, death, the pool's ops     resident.c  pages into memory
 *     read.c      pinned frames for a reply        drop.c      pages given up
 *     write.c     charge, frames, copy             source.c    what is written
 *     pins.c      the pin budget                   truncate.c  the size
 *     vacate.c    blocks given up for the pool   lane.c   reads begun, not waited
 *                                                         for
 *     ahead.c     background page-in               usage.c     figures, checks
 *     stream.h    a stream of reads
 *     advice.c    what the user says   fallocate.c, seek.c, copy.c
 *
 * "Caller has the range" means: a rangelock that keeps others away from the
 * pages concerned.  Who has it may rely on this: nothing but pageout (FRAME to
 * BLOCK), page-in (BLOCK to FRAME), an I/O error (to LOST), and for a page that
 * is only partly in the range another writer, changes entries there.
 *
 * Waiting for frames with frames or pins in hand could end in all having some
 * and none enough.  So nobody here waits for frames while holding any, nor
 * while holding pins that were not taken from the store's pin budget.
 */
#ifndef OBJECT_OBJECT_INTERNAL_H
#define OBJECT_OBJECT_INTERNAL_H

#include "object.h"

/* The most pages that one read or write touches. */
#define IO_MAX_PAGES (SWAP_IO_MAX_PAGES + 1)

static inline uint32_t object_handle(const struct object_store *store,
                                     const struct object *object)
{
    return arena_handle(store->arena, object);
}

static inline enum page_state frame_state(const struct object_store *store,
                                          uint32_t frame)
{
    struct page *page = pool_page(store->arena, frame);

    return (enum page_state)atomic_load_explicit(&page->state,
                                                 memory_order_acquire);
}

/* The page's bytes are there: a frame, and nothing being read into it. */
static inline bool entry_is_ready(const struct object_store *store,
                                  pagemap_entry entry)
{
    return pagemap_entry_kind(entry) == ENTRY_FRAME &&
           frame_state(store, pagemap_entry_number(entry)) != PAGE_READING;
}

/* --- resident.c ---------------------------------------------------------------- */

struct span {
    uint64_t first;
    uint32_t nr;
};

struct resident {
    uint32_t got;    /* pages that are pinned now */
    bool missed;     /* at least one was not in memory */
    uint32_t useful; /* pages that readahead had brought, used for the first time */
    uint32_t begun;  /* pages asked for that had to be read, and by us */
    uint32_t extra;  /* pages that come along from the window */
    struct pool_io *last; /* a read that finish is to do itself, or NULL */
};

/* Pins the pages of `want` with their bytes in memory: frames[i] is the frame,
 * or FRAME_ZERO (not pinned) if it reads as zeros.  got < want.nr if one is lost;
 * -EIO if that is the first.  wait=false: -EAGAIN, and nothing has been changed.
 * Caller has the range; and, if it waits for more than one page, pins of the
 * budget (pins_take). */
int resident_pin(struct object_store *store, struct object *object,
                 struct span want, bool wait, uint32_t *frames,
                 struct resident *resident);
/* The same in two steps, for who has something to do while pages are read:
 * begin pins or starts reading, got pages of them; unless it failed, finish reads
 * the last run itself and waits for what is being read.  Between the two the
 * caller waits for nothing, since others may want that run.  Pages of `window`, which contains `want`, come along
 * if they lie beside wanted ones on swap and memory is not short. */
int resident_begin(struct object_store *store, struct object *object,
                   struct span want, struct span window, bool wait,
                   uint32_t *frames, struct resident *resident);
int resident_finish(struct object_store *store, uint32_t *frames,
                    struct resident *resident);
void resident_unpin(struct object_store *store, uint32_t nr,
                    const uint32_t *frames);
/* Pins one page to change a part of it, marked so.  *frame is FRAME_ZERO if there
 * is nothing to change: it reads as zeros.  -EIO if it is lost. */
int resident_pin_dirty(struct object_store *store, struct object *object,
                       uint64_t index, bool wait, uint32_t *frame);

/* Pages index..index+before+wanted+after-1, at most a batch, are on swap in the
 * contiguous blocks that entries[] say. */
struct page_in {
    uint64_t index;
    const pagemap_entry *entries;
    uint32_t before, wanted, after;
    bool patient;  /* nothing is wanted, but it may wait for memory and for the
                    * descriptor, as a writer does */
    struct pool_io **last; /* not NULL: the caller will read it (pool_io_run),
                            * if the whole run is there still */
    struct swap_lane *lane; /* not NULL: read there.  Nothing is waited for, and
                             * what is wanted is not pinned */
};
/* Starts reading them.  For those wanted it waits for memory, and they are
 * pinned, in frames[0..wanted-1]; the others are readahead.  What is on its way
 * in the end is told in *in, nothing at all if things have changed.  -EAGAIN: no
 * frame for the map (arena_wait, then again), or it may not wait (nothing is
 * wanted, or there is a lane) and there is no frame or descriptor.  -ENOSPC as
 * pool_frames_get. */
int resident_start(struct object_store *store, struct object *object,
                   struct page_in *in, uint32_t *frames);

/* The pin budget, which may change at any time. */
uint32_t pins_max(const struct object_store *store);
/* Takes nr pins of it, or all of it if that is less; waits for them in turn.
 * Returns how many. */
uint32_t pins_take(struct object_store *store, uint32_t nr);
void pins_give(struct object_store *store, uint32_t nr);
/* Returns when no more are taken than there are now. */
void pins_settle(struct object_store *store);

/* The run of contiguous blocks around entries[at], no more than a batch: of those
 * from `at` on `left` are wanted; entries[] are those of the window. */
struct page_in run_around(const struct object_store *store, struct span window,
                          const pagemap_entry *entries, uint32_t at,
                          uint32_t left);

/* --- lane.c -------------------------------------------------------------------- */

/* Something of `want` is on swap where a lane can read it, and nothing is being
 * read already. */
bool lane_wanted(struct object_store *store, struct object *object,
                 struct span want);
/* Begins to read on the lane what of `want` is on swap, and what lies beside it in
 * `window`; how many pages, resident->begun and ->extra say.  Returns how many reads
 * it has in flight there now; it ends early rather than wait. */
uint32_t lane_read(struct object_store *store, struct object *object,
                   struct span want, struct span window, struct swap_lane *lane,
                   struct resident *resident);

/* --- read.c -------------------------------------------------------------------- */

/* object_read_begin for a caller that has the range, has looked at the size, and
 * if it waits has taken pins for all the pages. */
int read_locked(struct object_store *store, struct object *object,
                struct readahead *ahead, uint64_t offset, size_t length,
                bool wait, struct object_read *read);
/* The part of object_read_end that is not the range's. */
void read_done(struct object_store *store, struct object_read *read);

/* --- ahead.c ------------------------------------------------------------------- */

/* Starts bringing in the pages of `span`, and returns of how many, from its first or
 * (back) from its last, that is true: the rest would have cost too much.  Never
 * waits. */
uint32_t ahead_start(struct object_store *store, struct object *object,
                     struct span span, bool back);

/* --- advice.c ------------------------------------------------------------------ */

/* The pages of a read that is over, still pinned, are the first to go. */
void read_leaves_cold(struct object_store *store, struct object *object,
                      const struct object_read *read);

/* --- vacate.c ------------------------------------------------------------------ */

/* A bounded step of a walk over the pages of one object (pool_ops). */
int vacate_step(struct object_store *store, struct object *object,
                struct pool_walk *walk);

/* --- source.c ------------------------------------------------------------------ */

/* Bytes to be written, in pieces. */
struct source {
    const struct iovec *iov;
    uint32_t at;       /* a piece, */
    size_t start;      /* and which byte of all is its first */
};

/* The piece with byte `pos`; *n is cut to what of it can be had. */
const uint8_t *source_at(struct source *source, size_t pos, size_t *n);
/* n > 0 bytes from position `pos` on. */
void source_copy(struct source *source, size_t pos, uint8_t *to, size_t n);
bool source_is_zero(struct source *source, size_t pos, size_t n);

/* --- write.c ------------------------------------------------------------------- */

/* The range of a write to offset..end-1: to infinity if it moves the end of the
 * file.  -EAGAIN only if !wait. */
int lock_for_write(struct object *object, struct range *range, uint64_t offset,
                   uint64_t end, bool wait);
/* As object_write, for a caller that has the range, to infinity if the file
 * grows; does not set the size. */
int write_locked(struct object_store *store, struct object *object,
                 uint64_t offset, struct source *source, size_t length,
                 bool wait, size_t *written);

/* --- drop.c -------------------------------------------------------------------- */

/* Frees what a run of pages has, not its charge.  Caller holds the lock. */
void run_release(struct object_store *store, const struct pagemap_run *run);
/* The same, and its pages become `entry`, HOLE or ZERO.  -EAGAIN: no frame for
 * the map.  Nothing else, since every page of it is there. */
int run_replace(struct object_store *store, struct object *object,
                const struct pagemap_run *run, pagemap_entry entry)
    REQUIRES(object->lock);
/* Pages first..end-1 become holes, uncharged.  Caller has the range.  -EAGAIN
 * (only if !wait): a part may be done. */
int drop_pages(struct object_store *store, struct object *object,
               uint64_t first, uint64_t end, bool wait);
/* Zeroes bytes from..to-1 of page `index`; a lost page stays lost. */
int zero_part(struct object_store *store, struct object *object,
              uint64_t index, uint32_t from, uint32_t to, bool wait);

/* --- fallocate.c --------------------------------------------------------------- */

/* Bytes from..to-1 become a hole, as far as they fill pages, else zeros.  Caller
 * has the range, by whole pages.  -EAGAIN (only if !wait): a part may be done. */
int punch_locked(struct object_store *store, struct object *object,
                 uint64_t from, uint64_t to, bool wait);

#endif

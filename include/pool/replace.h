/* replace.h - which page goes next: S3-FIFO and CLOCK.  A pure algorithm.
 *
 * Pages are linked through their own table entries into two queues, newest at
 * the head.  A use of a page is one bit (pool_page_touch), read and cleared
 * only when the page has come to the tail.
 *
 *     s3fifo   new pages enter SMALL; at its tail a used page moves to MAIN, an
 *              unused one is the victim and leaves a ghost.  A page whose ghost
 *              is still there when it returns enters MAIN.  At the tail of MAIN
 *              a used page goes round again.  SMALL is held at a tenth.
 *     clock    one queue, MAIN; at its tail a used page goes round again.
 *
 * Invariants
 *   R1  a page is on the queue that its `queue` names, and on no other.
 *   R2  a victim has not been used since it entered its queue or last went
 *       round; scanning costs amortised O(1) a victim.
 *   R3  nothing allocates but replace_init.
 *
 * Ownership   a victim is off the queues and its taker's: replace_evicted when
 *             it has left memory, or replace_return.
 * Locking     the caller's (RANK_POOL); states, pins and bits of queued pages
 *             are read as they fly by: hints, to be looked at again under the
 *             owner's lock.
 * Units       pages; `steps` counts pages looked at, and is used up.
 * Errors      replace_init: -EINVAL unknown policy, -ENOMEM.
 */
#ifndef POOL_REPLACE_H
#define POOL_REPLACE_H

#include "ghost.h"
#include "pool.h"

/* Where a page is.  The LEFT kinds are on no queue, and remember whence. */
enum page_queue { QUEUE_NONE, QUEUE_SMALL, QUEUE_MAIN, LEFT_SMALL, LEFT_MAIN };

struct queue {
    uint32_t head, tail; /* frames; FRAME_NONE when empty */
    uint32_t nr;
};

struct replace;

struct replace_ops {
    const char *name;
    void (*insert)(struct replace *r, uint32_t frame, bool cold);
    uint32_t (*victim)(struct replace *r, uint32_t *steps);
    void (*evicted)(struct replace *r, uint32_t frame);
};

extern const struct replace_ops replace_s3fifo, replace_clock;

struct replace {
    const struct replace_ops *ops;
    struct page *pages;     /* table, by frame */
    struct queue small, main;
    uint32_t hand;          /* where replace_next_clean goes on */
    struct ghost ghost;
    uint64_t refaults;      /* pages that came back to their ghost */
};

/* name NULL: the default. */
int replace_init(struct replace *r, const char *name, struct page *pages,
                 uint32_t nr_frames);
void replace_fini(struct replace *r);

/* A page that is on no queue.  cold: read ahead, nobody asked for it yet. */
static inline void replace_insert(struct replace *r, uint32_t frame, bool cold)
{
    r->ops->insert(r, frame, cold);
}

/* Next victim, taken off its queue; FRAME_NONE when the steps are used up or
 * there is no page. */
static inline uint32_t replace_victim(struct replace *r, uint32_t *steps)
{
    return r->ops->victim(r, steps);
}

/* A page that was taken off the queues has left memory. */
static inline void replace_evicted(struct replace *r, uint32_t frame)
{
    r->ops->evicted(r, frame);
}

/* A victim that could not go: to the young end of where it was, or (`used`)
 * among the pages that have proved themselves. */
void replace_return(struct replace *r, uint32_t frame, bool used);
/* A victim for which there was no room on disk: it stays next. */
void replace_return_first(struct replace *r, uint32_t frame);
/* Takes a page off, to be evicted along with a victim or dropped; nothing if
 * it is on no queue. */
void replace_remove(struct replace *r, uint32_t frame);
/* May `frame`, a neighbour of the victim in its file, leave together with it?
 * Not if it was used, or has proved itself and the victim has not. */
bool replace_follows(const struct replace *r, uint32_t victim, uint32_t frame);
/* The coldest page that is CLEAN, unpinned and unused, within `steps` of the
 * tails; it stays on its queue. */
uint32_t replace_coldest_clean(const struct replace *r, uint32_t steps);
/* Walks all pages round and round: the next one that is CLEAN, used or not and
 * pinned or not; it stays on its queue. */
uint32_t replace_next_clean(struct replace *r, uint32_t *steps);

static inline uint32_t replace_nr(const struct replace *r)
{
    return r->small.nr + r->main.nr;
}

static inline bool replace_queued(const struct page *page)
{
    return page->queue == QUEUE_SMALL || page->queue == QUEUE_MAIN;
}

/* For the policies: raw links.  queue_push links at the head. */
void queue_push(struct replace *r, enum page_queue which, uint32_t frame);
uint32_t queue_pop(struct replace *r, enum page_queue which);

/* Aborts unless links, counts and `queue` fields agree. */
void replace_check(const struct replace *r);

#endif

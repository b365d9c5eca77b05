/* s3fifo.c - S3-FIFO (Yang et al., SOSP 2023) with one reference bit.
 *
 * The pool is a second cache: the kernel's page cache stands before it and
 * absorbs most of the second uses, so what arrives is mostly scans and pages
 * that nobody wants twice.  SMALL, a tenth, lets these pass by quickly without
 * touching MAIN.  The ghosts repair its mistakes: a page that comes back soon
 * after SMALL let it go enters MAIN at once.
 *
 * The paper counts uses up to three; one bit does about as well behind another
 * cache, and makes a use a single store.
 */
#include "replace.h"

enum { SMALL_SHARE = 10 };

static void s3fifo_insert(struct replace *r, uint32_t frame, bool cold)
{
    const struct page *page = &r->pages[frame];
    bool known = ghost_take(&r->ghost, page->owner, page->index);

    r->refaults += known;
    queue_push(r, known && !cold ? QUEUE_MAIN : QUEUE_SMALL, frame);
}

static uint32_t s3fifo_victim(struct replace *r, uint32_t *steps)
{
    while (*steps > 0 && replace_nr(r) > 0) {
        bool small = r->main.nr == 0 ||
                     (uint64_t)r->small.nr * SMALL_SHARE > replace_nr(r);
        uint32_t frame = queue_pop(r, small ? QUEUE_SMALL : QUEUE_MAIN);

        --*steps;
        if (!atomic_exchange_explicit(&r->pages[frame].referenced, 0,
                                      memory_order_relaxed))
            return frame;
        queue_push(r, QUEUE_MAIN, frame);
    }
    return FRAME_NONE;
}

/* What MAIN lets go has had its time: only SMALL leaves ghosts. */
static void s3fifo_evicted(struct replace *r, uint32_t frame)
{
    const struct page *page = &r->pages[frame];

    if (page->queue == LEFT_SMALL)
        ghost_add(&r->ghost, page->owner, page->index);
}

const struct replace_ops replace_s3fifo = {
    .name = "s3fifo",
    .insert = s3fifo_insert,
    .victim = s3fifo_victim,
    .evicted = s3fifo_evicted,
};

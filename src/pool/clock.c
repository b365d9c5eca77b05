/* clock.c - CLOCK, the second-chance FIFO: what S3-FIFO is measured against.
 *
 * One queue.  A page that was used since it last came to the tail goes round
 * once more.  Its ghosts change nothing; they count the pages that came back
 * soon, so that the figures of both policies can be compared.
 */
#include "replace.h"

static void clock_insert(struct replace *r, uint32_t frame, bool cold)
{
    const struct page *page = &r->pages[frame];

    (void)cold;
    r->refaults += ghost_take(&r->ghost, page->owner, page->index);
    queue_push(r, QUEUE_MAIN, frame);
}

static uint32_t clock_victim(struct replace *r, uint32_t *steps)
{
    while (*steps > 0 && r->main.nr > 0) {
        uint32_t frame = queue_pop(r, QUEUE_MAIN);

        --*steps;
        if (!atomic_exchange_explicit(&r->pages[frame].referenced, 0,
                                      memory_order_relaxed))
            return frame;
        queue_push(r, QUEUE_MAIN, frame);
    }
    return FRAME_NONE;
}

static void clock_evicted(struct replace *r, uint32_t frame)
{
    const struct page *page = &r->pages[frame];

    ghost_add(&r->ghost, page->owner, page->index);
}

const struct replace_ops replace_clock = {
    .name = "clock",
    .insert = clock_insert,
    .victim = clock_victim,
    .evicted = clock_evicted,
};

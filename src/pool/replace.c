/* replace.c - the queues that both policies share.
 *
 * Links are frame numbers inside the pages.  queue_pop and replace_remove keep
 * in the page which queue it left (LEFT_SMALL, LEFT_MAIN), because what becomes
 * of a victim later depends on it: a ghost, or the place it returns to.
 *
 * The hand of replace_next_clean is a page; when that page leaves its queue the
 * hand moves on to its younger neighbour, so a walk is never begun anew.
 */
#include "replace.h"

#include "log.h"

#include <errno.h>
#include <string.h>

static struct queue *queue_of(struct replace *r, enum page_queue which)
{
    return which == QUEUE_SMALL ? &r->small : &r->main;
}

int replace_init(struct replace *r, const char *name, struct page *pages,
                 uint32_t nr_frames)
{
    static const struct replace_ops *const policies[] = { &replace_s3fifo,
                                                          &replace_clock };
    const struct replace_ops *ops = name ? NULL : policies[0];

    for (size_t i = 0; i < ARRAY_SIZE(policies) && !ops; i++) {
        if (strcmp(name, policies[i]->name) == 0)
            ops = policies[i];
    }
    if (!ops)
        return -EINVAL;
    *r = (struct replace){
        .ops = ops,
        .pages = pages,
        .small = { FRAME_NONE, FRAME_NONE, 0 },
        .main = { FRAME_NONE, FRAME_NONE, 0 },
        .hand = FRAME_NONE,
    };
    return ghost_init(&r->ghost, nr_frames);
}

void replace_fini(struct replace *r)
{
    ghost_fini(&r->ghost);
}

void queue_push(struct replace *r, enum page_queue which, uint32_t frame)
{
    struct queue *q = queue_of(r, which);
    struct page *page = &r->pages[frame];

    INVARIANT("R1", !replace_queued(page));
    page->queue = (uint8_t)which;
    page->prev = FRAME_NONE;
    page->next = q->head;
    if (q->head != FRAME_NONE)
        r->pages[q->head].prev = frame;
    else
        q->tail = frame;
    q->head = frame;
    q->nr++;
}

static void queue_push_tail(struct replace *r, enum page_queue which,
                            uint32_t frame)
{
    struct queue *q = queue_of(r, which);
    struct page *page = &r->pages[frame];

    INVARIANT("R1", !replace_queued(page));
    page->queue = (uint8_t)which;
    page->next = FRAME_NONE;
    page->prev = q->tail;
    if (q->tail != FRAME_NONE)
        r->pages[q->tail].next = frame;
    else
        q->head = frame;
    q->tail = frame;
    q->nr++;
}

void replace_remove(struct replace *r, uint32_t frame)
{
    struct page *page = &r->pages[frame];
    struct queue *q = queue_of(r, page->queue);

    if (!replace_queued(page))
        return;
    if (r->hand == frame)
        r->hand = page->prev;
    if (page->prev != FRAME_NONE)
        r->pages[page->prev].next = page->next;
    else
        q->head = page->next;
    if (page->next != FRAME_NONE)
        r->pages[page->next].prev = page->prev;
    else
        q->tail = page->prev;
    q->nr--;
    page->queue = page->queue == QUEUE_SMALL ? LEFT_SMALL : LEFT_MAIN;
}

uint32_t queue_pop(struct replace *r, enum page_queue which)
{
    uint32_t frame = queue_of(r, which)->tail;

    replace_remove(r, frame);
    return frame;
}

void replace_return(struct replace *r, uint32_t frame, bool used)
{
    bool small = r->pages[frame].queue == LEFT_SMALL && !used;

    queue_push(r, small ? QUEUE_SMALL : QUEUE_MAIN, frame);
}

void replace_return_first(struct replace *r, uint32_t frame)
{
    bool small = r->pages[frame].queue == LEFT_SMALL;

    queue_push_tail(r, small ? QUEUE_SMALL : QUEUE_MAIN, frame);
}

bool replace_follows(const struct replace *r, uint32_t victim, uint32_t frame)
{
    const struct page *page = &r->pages[frame];

    return !atomic_load_explicit(&page->referenced, memory_order_relaxed) &&
           (page->queue == QUEUE_SMALL ||
            (page->queue == QUEUE_MAIN &&
             r->pages[victim].queue == LEFT_MAIN));
}

static bool clean(const struct page *page)
{
    return atomic_load_explicit(&page->state, memory_order_relaxed) ==
           PAGE_CLEAN;
}

static uint32_t coldest_clean(const struct replace *r, const struct queue *q,
                              uint32_t steps)
{
    uint32_t frame = q->tail;

    for (; steps > 0 && frame != FRAME_NONE; steps--) {
        const struct page *page = &r->pages[frame];

        if (clean(page) &&
            !atomic_load_explicit(&page->pins, memory_order_relaxed) &&
            !atomic_load_explicit(&page->referenced, memory_order_relaxed))
            return frame;
        frame = page->prev;
    }
    return FRAME_NONE;
}

uint32_t replace_coldest_clean(const struct replace *r, uint32_t steps)
{
    uint32_t frame = coldest_clean(r, &r->small, steps / 2);

    return frame != FRAME_NONE ? frame : coldest_clean(r, &r->main, steps / 2);
}

/* The hand past the young end of a queue: on to the old end of the other. */
static uint32_t hand_wrap(const struct replace *r, bool after_small)
{
    if (after_small && r->main.tail != FRAME_NONE)
        return r->main.tail;
    return r->small.tail != FRAME_NONE ? r->small.tail : r->main.tail;
}

uint32_t replace_next_clean(struct replace *r, uint32_t *steps)
{
    if (r->hand == FRAME_NONE)
        r->hand = hand_wrap(r, false);
    while (*steps > 0 && r->hand != FRAME_NONE) {
        uint32_t frame = r->hand;
        const struct page *page = &r->pages[frame];

        --*steps;
        r->hand = page->prev;
        if (r->hand == FRAME_NONE)
            r->hand = hand_wrap(r, page->queue == QUEUE_SMALL);
        if (clean(page))
            return frame;
    }
    return FRAME_NONE;
}

static void queue_check(const struct replace *r, const struct queue *q,
                        enum page_queue which)
{
    uint32_t before = FRAME_NONE, nr = 0;

    for (uint32_t f = q->head; f != FRAME_NONE; f = r->pages[f].next) {
        INVARIANT("R1", r->pages[f].queue == which);
        INVARIANT("R1", r->pages[f].prev == before);
        before = f;
        nr++;
        INVARIANT("R1", nr <= q->nr);
    }
    INVARIANT("R1", q->tail == before);
    INVARIANT("R1", q->nr == nr);
}

void replace_check(const struct replace *r)
{
    queue_check(r, &r->small, QUEUE_SMALL);
    queue_check(r, &r->main, QUEUE_MAIN);
}

/* check.c - what must agree in a pool, looked at all at once.
 *
 * Called when no request is under way (tests, after pool_quiesce).  The pageout
 * thread is held back meanwhile.  While I/O is in flight only the queues and the
 * budget are looked at.
 */
#include "pool_internal.h"

#include "clock.h"
#include "log.h"

#define MS_NS 1000000u

static void page_check(struct pool *pool, uint32_t frame)
{
    struct page *page = pool_page(pool->arena, frame);
    uint16_t pins = atomic_load(&page->pins);
    enum page_state state = page_state(page);

    switch (state) {
    case PAGE_NONE:
        INVARIANT("P1", pins == 0 || pool->arena->table[frame].kind != FRAME_PAGE);
        break;
    case PAGE_DEAD:
        INVARIANT("P1", pins & PIN_DEAD);
        INVARIANT("P2", page->block == BLOCK_NONE);
        INVARIANT("R1", !replace_queued(page));
        break;
    case PAGE_READING:
    case PAGE_WRITING:
        INVARIANT("P1", pins > 0);
        INVARIANT("P2", page->block != BLOCK_NONE);
        break;
    case PAGE_CLEAN:
    case PAGE_DIRTY:
        INVARIANT("P2", (page->block != BLOCK_NONE) == (state == PAGE_CLEAN));
        INVARIANT("R1", replace_queued(page));
        INVARIANT("12", !(page->flags & (PAGE_REDIRTIED | PAGE_VICTIM)));
    }
    (void)pins;
}

/* Frames that are pages are CLEAN or DIRTY now, or DEAD and pinned; the counts
 * say so too. */
static void states_check(struct pool *pool)
{
    uint32_t nr[NR_PAGE_STATES] = { 0 }, end = arena_nr_touched(pool->arena);

    for (uint32_t f = 1; f < end; f++) {
        if (pool->arena->table[f].kind != FRAME_PAGE)
            continue;
        page_check(pool, f);
        nr[page_state(pool_page(pool->arena, f))]++;
    }
    for (unsigned s = PAGE_READING; s < NR_PAGE_STATES; s++)
        INVARIANT("P3", nr[s] == atomic_load(&pool->nr_state[s]));
    INVARIANT("R1", nr[PAGE_CLEAN] + nr[PAGE_DIRTY] == replace_nr(&pool->replace));
}

void pool_check(struct pool *pool)
{
    struct budget *b = &pool->budget;

    mutex_lock(&pool->launder.pass, RANK_PAGEOUT);
    mutex_lock(&b->lock, RANK_BUDGET);
    INVARIANT("I6", budget_used(b) <= b->limit);
    INVARIANT("I5", atomic_load(&b->overcommitted) ||
                        budget_used(b) + swap_nr_tables(pool->swap) <=
                            b->frames + b->capacity);
    INVARIANT("I7", b->frames + pool->reserve <
                        arena_nr_frames(pool->arena));
    mutex_unlock(&b->lock);
    mutex_lock(&pool->queue_lock, RANK_POOL);
    replace_check(&pool->replace);
    if (atomic_load(&pool->inflight) == 0)
        states_check(pool);
    mutex_unlock(&pool->queue_lock);
    mutex_unlock(&pool->launder.pass);
}

/* Polls: it is for tests and for the end, and costs those who do I/O nothing. */
void pool_quiesce(struct pool *pool)
{
    while (atomic_load(&pool->inflight) > 0)
        clock_sleep_ns(MS_NS);
}

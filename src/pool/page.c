/* page.c - the states of a page.
 *
 *              insert                        insert
 *                |                             |
 *                v           give back         v
 *             READING -----------------------> DIRTY <---------------+
 *              |   |                          ^  |  |                |
 *        error,|   | pagein_done        dirty,|  |  | run_begin      | redirtied,
 *         drop |   +---------> CLEAN ---------+  |  v                | error
 *              |   evict |       ^  \  strip     | WRITING ----------+
 *              v         |       |   \           |  |  |  pageout_done
 *             DEAD <-----|-------|----\----------+  |  |
 *              | ^-------|-------|-- drop ----------+  |
 *   last unpin |         |       +---------------------+
 *              v         v
 *                (NONE: the frame is free)
 *
 * page_set_state is the only function that changes `state` and `block`, and it
 * knows the legal edges.  Its caller holds the owner's lock, but for the last
 * edge: a DEAD page belongs to its pins, and one that loses its last pin to
 * whoever dropped that.
 *
 * On the queues of replacement are CLEAN and DIRTY pages, and WRITING ones that
 * are not to be evicted afterwards.  A READING page is not there yet, a victim
 * not any more.
 *
 * While I/O is under way its blocks are the I/O's: a page dropped meanwhile is
 * DEAD, and the completion frees the block (pagein.c, pageout.c).
 */
#include "pool_internal.h"

#include "log.h"

#define TO(state) (1u << (state))

/* Looked at by debug builds alone. */
__attribute__((unused)) static const uint8_t legal[NR_PAGE_STATES] = {
    [PAGE_NONE] = TO(PAGE_READING) | TO(PAGE_DIRTY),
    [PAGE_READING] = TO(PAGE_CLEAN) | TO(PAGE_DIRTY) | TO(PAGE_DEAD),
    [PAGE_CLEAN] = TO(PAGE_DIRTY) | TO(PAGE_DEAD) | TO(PAGE_NONE),
    [PAGE_DIRTY] = TO(PAGE_WRITING) | TO(PAGE_DEAD),
    [PAGE_WRITING] = TO(PAGE_CLEAN) | TO(PAGE_DIRTY) | TO(PAGE_DEAD),
    [PAGE_DEAD] = TO(PAGE_NONE),
};

/* States in which a page has a block with, or soon with, its bytes (P2). */
#define WITH_BLOCK (TO(PAGE_READING) | TO(PAGE_CLEAN) | TO(PAGE_WRITING))

void page_set_state(struct pool *pool, struct page *page, enum page_state state,
                    uint32_t block)
{
    enum page_state from = page_state(page);

    INVARIANT("P3", legal[from] & TO(state));
    INVARIANT("P2", ((WITH_BLOCK & TO(state)) != 0) == (block != BLOCK_NONE));
    if (state == PAGE_WRITING) /* the I/O's own pin, and no other */
        INVARIANT("P1", atomic_load(&page->pins) == 1);
    atomic_fetch_sub_explicit(&pool->nr_state[from], 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&pool->nr_state[state], 1, memory_order_relaxed);
    page->block = block;
    atomic_store_explicit(&page->state, (uint8_t)state, memory_order_release);
}

void pool_page_insert(struct pool *pool, uint32_t frame, uint32_t owner,
                      uint64_t index, enum page_state state, uint32_t block,
                      bool readahead)
{
    struct page *page = pool_page(pool->arena, frame);

    INVARIANT("P3", page_state(page) == PAGE_NONE);
    page->index = index;
    page->owner = owner;
    page->flags = readahead ? PAGE_READAHEAD : 0;
    if (readahead)
        atomic_fetch_add_explicit(&pool->counters.readahead_pages, 1,
                                  memory_order_relaxed);
    atomic_store_explicit(&page->pins, state == PAGE_READING,
                          memory_order_relaxed);
    page_set_state(pool, page, state, block);
    if (state == PAGE_READING)
        return;
    mutex_lock(&pool->queue_lock, RANK_POOL);
    replace_insert(&pool->replace, frame, readahead);
    mutex_unlock(&pool->queue_lock);
}

void pool_page_pin(struct pool *pool, uint32_t frame)
{
    struct page *page = pool_page(pool->arena, frame);
    uint16_t before = atomic_fetch_add_explicit(&page->pins, 1,
                                                memory_order_relaxed);

    INVARIANT("P1", before < PIN_DEAD - 1);
    (void)before;
}

bool pool_page_asked(struct pool *pool, uint32_t frame)
{
    struct page *page = pool_page(pool->arena, frame);

    if (!(page->flags & PAGE_READAHEAD)) {
        pool_page_touch(page);
        return false;
    }
    page->flags &= (uint16_t)~PAGE_READAHEAD;
    atomic_fetch_add_explicit(&pool->counters.readahead_used, 1,
                              memory_order_relaxed);
    return true;
}

/* Drops a pin; true if that was the last of a DEAD page, whose frame is now the
 * caller's to free. */
static bool unpin(struct pool *pool, uint32_t frame)
{
    struct page *page = pool_page(pool->arena, frame);
    uint16_t before = atomic_fetch_sub_explicit(&page->pins, 1,
                                                memory_order_acq_rel);

    INVARIANT("P1", (before & ~PIN_DEAD) != 0);
    if (before != (PIN_DEAD | 1))
        return false;
    page_set_state(pool, page, PAGE_NONE, BLOCK_NONE);
    return true;
}

void pool_page_unpin(struct pool *pool, uint32_t frame)
{
    if (unpin(pool, frame))
        pool_frames_put(pool, 1, &frame);
}

void page_unpin_many(struct pool *pool, uint32_t nr, const uint32_t *frames)
{
    for (uint32_t i = 0; i < nr; i++)
        pool_page_unpin(pool, frames[i]);
}

void pool_page_dirty(struct pool *pool, uint32_t frame)
{
    struct page *page = pool_page(pool->arena, frame);
    uint32_t block = page->block;

    switch (page_state(page)) {
    case PAGE_CLEAN:
        page_set_state(pool, page, PAGE_DIRTY, BLOCK_NONE);
        swap_free(pool->swap, block, 1);
        launder_hope(pool);
        break;
    case PAGE_WRITING:
        page->flags |= PAGE_REDIRTIED;
        break;
    default:
        INVARIANT("P3", page_state(page) == PAGE_DIRTY);
    }
}

void pool_page_vacate(struct pool *pool, uint32_t frame,
                      const struct pool_walk *walk)
{
    struct page *page = pool_page(pool->arena, frame);

    if (page_state(page) == PAGE_CLEAN && pool_walk_wants(walk, page->block))
        pool_page_dirty(pool, frame);
}

void page_kill(struct pool *pool, uint32_t frame)
{
    struct page *page = pool_page(pool->arena, frame);

    mutex_lock(&pool->queue_lock, RANK_POOL);
    replace_remove(&pool->replace, frame);
    mutex_unlock(&pool->queue_lock);
    page_set_state(pool, page, PAGE_DEAD, BLOCK_NONE);
    if (atomic_fetch_or_explicit(&page->pins, PIN_DEAD,
                                 memory_order_acq_rel) != 0)
        return;
    page_set_state(pool, page, PAGE_NONE, BLOCK_NONE);
    pool_frames_put(pool, 1, &frame);
}

static void count_unused(struct pool *pool, const struct page *page)
{
    if (page->flags & PAGE_READAHEAD)
        atomic_fetch_add_explicit(&pool->counters.readahead_unused, 1,
                                  memory_order_relaxed);
}

void pool_page_drop(struct pool *pool, uint32_t frame)
{
    struct page *page = pool_page(pool->arena, frame);
    bool clean = page_state(page) == PAGE_CLEAN;
    uint32_t block = page->block;

    count_unused(pool, page);
    page_kill(pool, frame);
    if (clean)
        swap_free(pool->swap, block, 1);
    launder_hope(pool);
}

void page_evict(struct pool *pool, uint32_t frame, uint16_t pins)
{
    struct page *page = pool_page(pool->arena, frame);

    INVARIANT("P1", atomic_load(&page->pins) == pins);
    INVARIANT("P2", page_state(page) == PAGE_CLEAN);
    (void)pins;
    count_unused(pool, page);
    pool->ops->evicted(pool->ctx, page->owner, page->index, page->block);
    page_set_state(pool, page, PAGE_NONE, BLOCK_NONE);
    atomic_fetch_add_explicit(&pool->counters.evictions, 1,
                              memory_order_relaxed);
}

void page_forget(struct pool *pool, uint32_t nr, const uint32_t *frames)
{
    mutex_lock(&pool->queue_lock, RANK_POOL);
    for (uint32_t i = 0; i < nr; i++)
        replace_evicted(&pool->replace, frames[i]);
    mutex_unlock(&pool->queue_lock);
    pool_frames_put(pool, nr, frames);
}

uint32_t page_iovec(struct pool *pool, uint32_t nr, const uint32_t *frames,
                    struct iovec *iov)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < nr; i++) {
        if (i > 0 && frames[i] == frames[i - 1] + 1) {
            iov[count - 1].iov_len += PAGE_SIZE;
            continue;
        }
        iov[count].iov_base = arena_frame_ptr(pool->arena, frames[i]);
        iov[count++].iov_len = PAGE_SIZE;
    }
    return count;
}

void pool_blocks_free(struct pool *pool, uint32_t first, uint32_t nr)
{
    swap_free(pool->swap, first, nr);
    launder_hope(pool);
}

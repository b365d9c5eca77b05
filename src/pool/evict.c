/* evict.c - pages that somebody wants out of memory, or first to go.
 *
 * Replacement decides what goes when memory is short.  Here an owner says so
 * itself: a page may be cooled, which makes it the next victim of the queue it is
 * on, or be sent out at once, whatever the marks say.  Both are the steps that the
 * pageout thread takes with its victims (launder.c), taken with the owner's lock
 * held, so that the two cannot have the same page.
 *
 * Pageout finds its blocks promised by charges, but not yet there: while RAM
 * holds everything no disk need be behind the swap file.  So who sends pages out
 * must be ready to have it grown.
 */
#include "pool_internal.h"

#include <errno.h>

static void off_queue(struct pool *pool, uint32_t frame)
{
    mutex_lock(&pool->queue_lock, RANK_POOL);
    replace_remove(&pool->replace, frame);
    mutex_unlock(&pool->queue_lock);
}

void pool_page_cool(struct pool *pool, uint32_t frame)
{
    struct page *page = pool_page(pool->arena, frame);

    mutex_lock(&pool->queue_lock, RANK_POOL);
    if (replace_queued(page)) {
        atomic_store_explicit(&page->referenced, 0, memory_order_relaxed);
        replace_remove(&pool->replace, frame);
        replace_return_first(&pool->replace, frame);
    }
    mutex_unlock(&pool->queue_lock);
}

/* Is being written: it may go when that is done.  Caller holds the owner's
 * lock. */
static void leave_when_written(struct pool *pool, struct page *page,
                               uint32_t frame)
{
    if (page->flags & (PAGE_VICTIM | PAGE_REDIRTIED))
        return;
    off_queue(pool, frame);
    page->flags |= PAGE_VICTIM;
    atomic_fetch_add(&pool->launder.coming, 1);
}

/* A DIRTY page, whose owner's lock it drops.  Where that fails it had a descriptor
 * for a moment, for which pageout may wait as for I/O, of which it is told. */
static int write_out(struct pool *pool, uint32_t frame)
{
    int err = pageout_cluster(pool, frame);

    if (err)
        launder_kick(pool, KICK_DONE);
    return err;
}

int pool_page_evict(struct pool *pool, uint32_t frame)
{
    struct page *page = pool_page(pool->arena, frame);
    uint32_t owner = page->owner;
    enum page_state state = page_state(page);
    bool writing = state == PAGE_WRITING;

    atomic_store_explicit(&page->referenced, 0, memory_order_relaxed);
    if (writing && atomic_load(&page->pins) == 1)
        leave_when_written(pool, page, frame);
    if (writing || state == PAGE_READING || atomic_load(&page->pins) != 0) {
        pool->ops->unlock(pool->ctx, owner);
        return 0;
    }
    off_queue(pool, frame);
    if (state == PAGE_DIRTY)
        return write_out(pool, frame);
    page_evict(pool, frame, 0);
    pool->ops->unlock(pool->ctx, owner);
    page_forget(pool, 1, &frame);
    return 0;
}

int pool_blocks_want(struct pool *pool)
{
    bool may;

    mutex_lock(&pool->budget.lock, RANK_BUDGET);
    may = budget_may_grow(pool);
    mutex_unlock(&pool->budget.lock);
    return may ? grow_file(pool, pool->cluster) : -ENOSPC;
}

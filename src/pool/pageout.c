/* pageout.c - one cluster of dirty pages on its way to swap.
 *
 * Around a cold victim the owner's neighbouring pages are gathered: back to the
 * boundary of 64 pages, forward to the length of a cluster, as far as pages are
 * DIRTY and unpinned.  They get blocks in the order of the file, so what is read
 * together later lies together.  Neighbours that were used lately are written
 * too, which saves a write later, but they stay in memory (VM6's finding).
 *
 * Where there is no run of blocks so long, the cluster is split into several.
 *
 *     pageout_get, gather, swap_alloc, run_begin   owner's lock held
 *     swap_submit                                  no lock held
 *     pageout_done                                 an I/O thread: owner's lock
 *
 * Completion, by what has become of the page meanwhile:
 *
 *     DEAD         the block is freed, the frame with the last pin
 *     redirtied    DIRTY again, the block is freed (I12); so if its area is on its
 *                  way out
 *     error        DIRTY and SUSPECT, the block is retired.  A SUSPECT page is
 *                  written alone; if that fails too it is lost (I11)
 *     else         CLEAN; a victim that nobody pinned or used since is evicted
 *
 * A run may be written while somebody reads its pages, but none is begun on a
 * pinned page, and whoever wants to write pins first and marks it: so a page
 * called CLEAN here is what is on disk.
 *
 * Nothing is allocated: descriptors, their vectors and lists are made at start.
 */
#include "pool_internal.h"

#include "clock.h"
#include "log.h"

#include <errno.h>
#include <stdlib.h>

/* Clusters begin at multiples of this where they can. */
enum { ALIGN_PAGES = 64 };

struct pageout {
    struct swap_io io;
    struct pool *pool;
    struct list link;   /* (L) idle, or the caller's list of runs */
    uint32_t turns;     /* (L) taken and put back so often */
    uint32_t owner;
    uint32_t block;     /* first */
    uint32_t nr;
    uint32_t frames[SWAP_IO_MAX_PAGES];
    struct iovec iov[SWAP_IO_MAX_PAGES];
};

/* Dirty pages of one owner with consecutive indexes. */
struct gathered {
    uint64_t index;
    uint32_t nr;
    uint32_t frames[SWAP_IO_MAX_PAGES];
};

/* Adjacent blocks to be freed together. */
struct block_run {
    uint32_t first, nr;
};

uint64_t pageout_bytes(void)
{
    return NR_PAGEOUTS * sizeof(struct pageout);
}

int pageout_init(struct pool *pool)
{
    struct launder *l = &pool->launder;

    list_init(&l->idle);
    l->pageouts = calloc(NR_PAGEOUTS, sizeof(*l->pageouts));
    if (!l->pageouts)
        return -ENOMEM;
    for (unsigned i = 0; i < NR_PAGEOUTS; i++)
        list_add_tail(&l->idle, &l->pageouts[i].link);
    return 0;
}

void pageout_fini(struct pool *pool)
{
    free(pool->launder.pageouts);
}

bool pageout_ready(struct pool *pool)
{
    return atomic_load(&pool->launder.nr_busy) < NR_PAGEOUTS;
}

static struct pageout *pageout_get(struct pool *pool)
{
    struct launder *l = &pool->launder;
    struct pageout *out = NULL;

    mutex_lock(&l->lock, RANK_WAIT);
    if (!list_empty(&l->idle)) {
        out = list_entry(l->idle.next, struct pageout, link);
        list_del(&out->link);
        out->turns++;
        atomic_fetch_add(&l->nr_busy, 1);
    }
    mutex_unlock(&l->lock);
    return out;
}

static void pageout_put(struct pool *pool, struct pageout *out)
{
    struct launder *l = &pool->launder;

    mutex_lock(&l->lock, RANK_WAIT);
    list_add_tail(&l->idle, &out->link);
    out->turns++;
    atomic_fetch_sub(&l->nr_busy, 1);
    mutex_unlock(&l->lock);
}

unsigned pageout_turns(struct pool *pool, uint32_t turns[NR_PAGEOUTS])
{
    struct launder *l = &pool->launder;

    mutex_lock(&l->lock, RANK_WAIT);
    for (unsigned i = 0; i < NR_PAGEOUTS; i++)
        turns[i] = l->pageouts[i].turns;
    mutex_unlock(&l->lock);
    return NR_PAGEOUTS;
}

/* The frame of `index` if it may be written along; caller holds the owner's lock. */
static uint32_t candidate(struct pool *pool, uint32_t owner, uint64_t index)
{
    uint32_t frame = pool->ops->frame_at(pool->ctx, owner, index);
    struct page *page;

    if (frame == FRAME_NONE)
        return FRAME_NONE;
    page = pool_page(pool->arena, frame);
    if (page_state(page) != PAGE_DIRTY || atomic_load(&page->pins) != 0 ||
        (page->flags & PAGE_SUSPECT))
        return FRAME_NONE;
    return frame;
}

static void gather(struct pool *pool, uint32_t victim, struct gathered *g)
{
    struct page *page = pool_page(pool->arena, victim);
    uint32_t back[ALIGN_PAGES], nr_back = 0, frame;
    uint64_t start = round_down(page->index, ALIGN_PAGES);
    bool alone = page->flags & PAGE_SUSPECT;

    for (uint64_t i = page->index; !alone && i > start; i--) {
        frame = candidate(pool, page->owner, i - 1);
        if (frame == FRAME_NONE)
            break;
        back[nr_back++] = frame;
    }
    g->index = page->index - nr_back;
    g->nr = 0;
    while (nr_back > 0)
        g->frames[g->nr++] = back[--nr_back];
    g->frames[g->nr++] = victim;
    while (!alone && g->nr < pool->cluster) {
        frame = candidate(pool, page->owner, g->index + g->nr);
        if (frame == FRAME_NONE)
            break;
        g->frames[g->nr++] = frame;
    }
}

/* The pages of a run become WRITING; those that are to leave go off the queues.
 * Caller holds the owner's lock. */
static void run_begin(struct pool *pool, struct pageout *out, uint32_t victim)
{
    uint32_t leaving = 0;

    for (uint32_t i = 0; i < out->nr; i++) {
        struct page *page = pool_page(pool->arena, out->frames[i]);

        pool_page_pin(pool, out->frames[i]);
        page_set_state(pool, page, PAGE_WRITING, out->block + i);
    }
    mutex_lock(&pool->queue_lock, RANK_POOL);
    for (uint32_t i = 0; i < out->nr; i++) {
        uint32_t frame = out->frames[i];

        if (frame != victim && !replace_follows(&pool->replace, victim, frame))
            continue;
        replace_remove(&pool->replace, frame);
        pool_page(pool->arena, frame)->flags |= PAGE_VICTIM;
        leaving++;
    }
    mutex_unlock(&pool->queue_lock);
    atomic_fetch_add(&pool->launder.coming, leaving);
}

static void pageout_done(struct swap_io *io, int err);

/* Where page `index` should go: behind the page before it, if that has a block,
 * on its way there or already.  Caller holds the owner's lock. */
static uint32_t hint_for(struct pool *pool, uint32_t owner, uint64_t index)
{
    uint32_t frame = index == 0 ? FRAME_NONE
                                : pool->ops->frame_at(pool->ctx, owner,
                                                      index - 1);
    uint32_t block;

    if (frame == FRAME_NONE)
        return pool->ops->hint(pool->ctx, owner, index);
    block = pool_page(pool->arena, frame)->block;
    return block == BLOCK_NONE ? BLOCK_NONE : block + 1;
}

/* Blocks for as many of the gathered pages from `from` on as one run holds.
 * Caller holds the owner's lock. */
static int run_make(struct pool *pool, const struct gathered *g, uint32_t from,
                    uint32_t victim, struct pageout **made)
{
    uint32_t owner = pool_page(pool->arena, victim)->owner;
    struct pageout *out = pageout_get(pool);
    int err;

    if (!out)
        return -EBUSY;
    err = swap_alloc(pool->swap, hint_for(pool, owner, g->index + from),
                     g->nr - from, &out->block, &out->nr);
    if (err) {
        pageout_put(pool, out);
        return err;
    }
    out->pool = pool;
    out->owner = owner;
    for (uint32_t i = 0; i < out->nr; i++)
        out->frames[i] = g->frames[from + i];
    run_begin(pool, out, victim);
    out->io = (struct swap_io){
        .op = SWAP_IO_WRITE,
        .block = out->block,
        .nr = out->nr,
        .iov = out->iov,
        .iov_count = page_iovec(pool, out->nr, out->frames, out->iov),
        .done = pageout_done,
    };
    pool->ops->hold(pool->ctx, owner);
    atomic_fetch_add(&pool->inflight, 1);
    *made = out;
    return 0;
}

int pageout_cluster(struct pool *pool, uint32_t victim)
{
    uint32_t owner = pool_page(pool->arena, victim)->owner, done = 0;
    struct pageout *out;
    struct gathered g;
    struct list runs;
    int err = 0;

    list_init(&runs);
    gather(pool, victim, &g);
    while (done < g.nr && !err) {
        err = run_make(pool, &g, done, victim, &out);
        if (err)
            break;
        list_add_tail(&runs, &out->link);
        done += out->nr;
    }
    if (page_state(pool_page(pool->arena, victim)) == PAGE_DIRTY) {
        mutex_lock(&pool->queue_lock, RANK_POOL);
        replace_return_first(&pool->replace, victim);
        mutex_unlock(&pool->queue_lock);
    }
    pool->ops->unlock(pool->ctx, owner);
    list_for_each_safe(pos, &runs) {
        list_del(pos);
        swap_submit(pool->swap, &list_entry(pos, struct pageout, link)->io);
    }
    return done > 0 ? 0 : err;
}

static void block_run_flush(struct pool *pool, struct block_run *run)
{
    if (run->nr > 0)
        swap_free(pool->swap, run->first, run->nr);
    run->nr = 0;
}

static void block_run_add(struct pool *pool, struct block_run *run,
                          uint32_t block)
{
    if (run->nr > 0 && run->first + run->nr != block)
        block_run_flush(pool, run);
    if (run->nr++ == 0)
        run->first = block;
}

/* A page whose write has failed.  Caller holds the owner's lock. */
static void page_failed(struct pool *pool, uint32_t frame)
{
    struct page *page = pool_page(pool->arena, frame);
    bool again = !(page->flags & PAGE_SUSPECT) ||
                 (page->flags & PAGE_REDIRTIED);

    if (again) {
        page_set_state(pool, page, PAGE_DIRTY, BLOCK_NONE);
        page->flags |= PAGE_SUSPECT;
        return;
    }
    pool->ops->lost(pool->ctx, page->owner, page->index);
    atomic_fetch_add_explicit(&pool->counters.lost, 1, memory_order_relaxed);
    page_kill(pool, frame);
}

/* A page that was WRITING, perhaps to an area that is leaving meanwhile; true if
 * it is evicted.  Caller holds the owner's lock. */
static bool page_written(struct pool *pool, uint32_t frame, int err,
                         bool leaving)
{
    struct page *page = pool_page(pool->arena, frame);
    bool victim = page->flags & PAGE_VICTIM;

    if (err) {
        page_failed(pool, frame);
    } else if (page->flags & PAGE_REDIRTIED) {
        page_set_state(pool, page, PAGE_DIRTY, BLOCK_NONE);
        atomic_fetch_add_explicit(&pool->counters.redirtied, 1,
                                  memory_order_relaxed);
    } else if (leaving) {
        page_set_state(pool, page, PAGE_DIRTY, BLOCK_NONE);
    } else {
        page->flags &= (uint16_t)~PAGE_SUSPECT;
        page_set_state(pool, page, PAGE_CLEAN, page->block);
        if (victim && atomic_load(&page->pins) == 1 &&
            !atomic_load_explicit(&page->referenced, memory_order_relaxed)) {
            page_evict(pool, frame, 1);
            return true;
        }
    }
    page->flags &= (uint16_t)~(PAGE_VICTIM | PAGE_REDIRTIED);
    if (victim && page_state(page) != PAGE_DEAD) {
        mutex_lock(&pool->queue_lock, RANK_POOL);
        replace_return(&pool->replace, frame, true);
        mutex_unlock(&pool->queue_lock);
    }
    return false;
}

/* All pages of the run; returns how many were evicted: their frames come first
 * in out->frames afterwards, those still pinned by the run follow. */
static uint32_t run_end(struct pool *pool, struct pageout *out, int err)
{
    bool leaving = swap_is_leaving(pool->swap, out->block);
    uint32_t evicted = 0, victims = 0;
    struct block_run run = { 0, 0 };

    pool->ops->lock(pool->ctx, out->owner);
    for (uint32_t i = 0; i < out->nr; i++) {
        uint32_t frame = out->frames[i];
        struct page *page = pool_page(pool->arena, frame);

        victims += (page->flags & PAGE_VICTIM) != 0;
        if (page_state(page) != PAGE_DEAD &&
            page_written(pool, frame, err, leaving)) {
            out->frames[i] = out->frames[evicted];
            out->frames[evicted++] = frame;
        } else if (!err && page_state(page) != PAGE_CLEAN) {
            block_run_add(pool, &run, out->block + i);
        }
    }
    block_run_flush(pool, &run);
    pool->ops->unlock(pool->ctx, out->owner);
    atomic_fetch_sub(&pool->launder.coming, victims);
    return evicted;
}

static void pageout_done(struct swap_io *io, int err)
{
    struct pageout *out = container_of(io, struct pageout, io);
    struct pool *pool = out->pool;
    uint32_t owner = out->owner, nr = out->nr;
    uint32_t evicted = run_end(pool, out, err);

    page_forget(pool, evicted, out->frames);
    page_unpin_many(pool, nr - evicted, out->frames + evicted);
    if (err) {
        log_warn("swap: writing blocks %u to %u failed (error %d), not used "
                 "again", out->block, out->block + nr - 1, -err);
        budget_retire(pool, out->block, nr);
    }
    atomic_fetch_add_explicit(&pool->counters.pageout_ios, 1,
                              memory_order_relaxed);
    atomic_fetch_add_explicit(&pool->counters.pageout_pages, nr,
                              memory_order_relaxed);
    atomic_store_explicit(&pool->launder.last_write_ns, clock_monotonic_ns(),
                          memory_order_relaxed);
    pageout_put(pool, out);
    pool->ops->release(pool->ctx, owner);
    launder_kick(pool, KICK_DONE);
    grow_look(pool);
    atomic_fetch_sub(&pool->inflight, 1);
}

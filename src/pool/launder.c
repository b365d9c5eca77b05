/* launder.c - the pageout thread, and why it always gets somewhere.
 *
 * It is woken when free frames fall to low (the arena's `low` op) and works until
 * high: the policy names a cold page; its owner is try-locked while the queues are
 * locked, for an owner cannot vanish while a page of it is queued; a CLEAN page is
 * evicted at once, a DIRTY one is written with its neighbours (pageout.c).  Its
 * memory is reserved at start, it waits for no lock of an owner, no request and
 * no growth of the swap file (I9): only for its own I/O.
 *
 * The sum.  Count each frame and each block once.  With F frames but the reserve
 * R, B blocks, and every page charged either in a frame, in a block, in both
 * (CLEAN, READING, WRITING), or in neither (U: zeros, lost pages, and pages whose
 * writer has charged them and waits for a frame):
 *
 *     F + R + B = free frames + free blocks
 *                 + charged pages - U + pages that have both + metadata + tables
 *
 * and charged + metadata + tables <= F + B (I5).  Hence at every moment
 *
 *     free frames + free blocks + pages that have both  >=  R + U
 *
 * less what is in transit: frames taken and not yet made pages, and DEAD pages,
 * which come back when requests and I/O end without waiting for us.  So if free
 * frames are below R + U, either a page that has both can be evicted, or a block
 * is free for a DIRTY one: pageout can go on.  If it cannot, all that is promised
 * is there: U frames for those who wait for theirs, and the reserve.
 *
 * Page-in with everything full (I18) takes a frame of the reserve; when read, the
 * page gives its block back and is DIRTY, which keeps the sum: the reserve has
 * lost a frame and swap has gained a block.  A victim goes to that block and its
 * frame refills the reserve.
 *
 * When no block is free but CLEAN pages are there, those not used lately are
 * evicted; of those used, or pinned, the blocks are taken (they become DIRTY), so
 * that colder dirty pages can go.
 *
 * "Exhausted" is the verdict of one pass over all pages that freed and began
 * nothing, with nothing in flight.  It lets writers below min (frames.c), and is
 * revised when something changes, or every 10 ms as long as anybody waits: a page
 * may merely have been pinned.
 */
#include "pool_internal.h"

#include "log.h"

#include <errno.h>
#include <signal.h>

/* Pages looked at under one hold of the queues' lock. */
enum { CHUNK = 64 };
/* Blocks or frames that one search for clean pages frees, and its length. */
enum { STRIP_MAX = 16, STRIP_SCAN = 1024 };
/* Between two attempts when nothing could be reclaimed. */
#define PATIENCE_NS 10000000u
enum { STACK_BYTES = 256 * 1024 };

enum step { STEP_PROGRESS, STEP_SKIPPED, STEP_BUSY, STEP_NONE };
enum pass { PASS_ENOUGH, PASS_BUSY, PASS_EXHAUSTED };

/* A read-modify-write in any case: it orders what the caller has done before
 * against what the thread looks at after it took the kicks. */
void launder_kick(struct pool *pool, uint32_t kicks)
{
    struct launder *l = &pool->launder;

    if ((atomic_fetch_or(&l->kicks, kicks) & kicks) != kicks)
        futex_wake(&l->kicks, 1);
}

bool launder_in_vain(struct pool *pool)
{
    uint64_t enough = pool->min + pool->batch;
    uint64_t most = arena_nr_free(pool->arena);

    if (most >= enough)
        return false;
    if (atomic_load(&pool->launder.exhausted))
        return true;
    for (unsigned s = PAGE_READING; s < NR_PAGE_STATES; s++)
        most += s == PAGE_DIRTY ? 0 : atomic_load(&pool->nr_state[s]);
    return most < enough && most + swap_nr_free(pool->swap) < enough;
}

/* Sleeps until one of `mask` has been kicked, or (timeout not 0) that is over.
 * Takes the kicks; STOP stays. */
static uint32_t launder_sleep(struct launder *l, uint32_t mask,
                              uint64_t timeout_ns)
{
    for (;;) {
        uint32_t kicks = atomic_load(&l->kicks);

        if (kicks & mask)
            break;
        if (timeout_ns == 0)
            futex_wait(&l->kicks, kicks);
        else if (!futex_wait_for(&l->kicks, kicks, timeout_ns))
            break;
    }
    return atomic_fetch_and(&l->kicks, KICK_STOP);
}

/* The next victim with its owner locked and the page off the queues; FRAME_NONE
 * if there was none in this chunk, or its owner is busy. */
static uint32_t victim_lock(struct pool *pool, uint32_t *steps)
{
    struct replace *r = &pool->replace;
    uint32_t chunk = MIN(*steps, CHUNK), left = chunk, frame;
    bool empty;

    mutex_lock(&pool->queue_lock, RANK_POOL);
    empty = replace_nr(r) == 0;
    frame = replace_victim(r, &left);
    if (frame != FRAME_NONE &&
        !pool->ops->trylock(pool->ctx, r->pages[frame].owner)) {
        replace_return(r, frame, false);
        frame = FRAME_NONE;
    }
    mutex_unlock(&pool->queue_lock);
    *steps = empty ? 0 : *steps - (chunk - left);
    return frame;
}

/* A page off the queues that cannot go now, being in use.  It does not return
 * to SMALL, where enough of its like would hide all others from the policy.
 * Drops the owner's lock. */
static void victim_return(struct pool *pool, uint32_t frame)
{
    uint32_t owner = pool_page(pool->arena, frame)->owner;

    mutex_lock(&pool->queue_lock, RANK_POOL);
    replace_return(&pool->replace, frame, true);
    mutex_unlock(&pool->queue_lock);
    pool->ops->unlock(pool->ctx, owner);
}

/* A CLEAN page off the queues.  Drops the owner's lock. */
static void victim_evict(struct pool *pool, uint32_t frame)
{
    uint32_t owner = pool_page(pool->arena, frame)->owner;

    page_evict(pool, frame, 0);
    pool->ops->unlock(pool->ctx, owner);
    page_forget(pool, 1, &frame);
}

uint32_t launder_reclaim(struct pool *pool, uint32_t nr)
{
    struct replace *r = &pool->replace;
    uint32_t done = 0;

    while (done < nr && atomic_load(&pool->nr_state[PAGE_CLEAN]) > 0) {
        struct page *page;
        uint32_t frame;

        mutex_lock(&pool->queue_lock, RANK_POOL);
        frame = replace_coldest_clean(r, CHUNK);
        page = frame == FRAME_NONE ? NULL : &r->pages[frame];
        if (!page || !pool->ops->trylock(pool->ctx, page->owner)) {
            mutex_unlock(&pool->queue_lock);
            break;
        }
        replace_remove(r, frame);
        mutex_unlock(&pool->queue_lock);
        if (page_state(page) != PAGE_CLEAN || atomic_load(&page->pins) != 0) {
            victim_return(pool, frame);
            continue;
        }
        victim_evict(pool, frame);
        done++;
    }
    return done;
}

/* A CLEAN page with its owner locked, still on its queue. */
static uint32_t clean_lock(struct pool *pool, uint32_t *scan)
{
    struct replace *r = &pool->replace;
    uint32_t chunk = MIN(*scan, CHUNK), left = chunk, frame;

    mutex_lock(&pool->queue_lock, RANK_POOL);
    frame = replace_next_clean(r, &left);
    if (frame != FRAME_NONE &&
        !pool->ops->trylock(pool->ctx, r->pages[frame].owner))
        frame = FRAME_NONE;
    mutex_unlock(&pool->queue_lock);
    *scan -= MAX(chunk - left, 1);
    return frame;
}

/* No block is free: takes frames of clean pages, or their blocks.  Returns how
 * many. */
static uint32_t launder_strip(struct pool *pool, uint32_t *steps)
{
    uint32_t scan = MIN(*steps, STRIP_SCAN), begun = scan, done = 0;

    while (scan > 0 && done < STRIP_MAX &&
           atomic_load(&pool->nr_state[PAGE_CLEAN]) > 0) {
        uint32_t frame = clean_lock(pool, &scan);
        struct page *page;

        if (frame == FRAME_NONE)
            continue;
        page = pool_page(pool->arena, frame);
        if (page_state(page) != PAGE_CLEAN) {
            pool->ops->unlock(pool->ctx, page->owner);
            continue;
        }
        done++;
        if (atomic_load(&page->pins) != 0 ||
            atomic_load_explicit(&page->referenced, memory_order_relaxed)) {
            pool_page_dirty(pool, frame);
            pool->ops->unlock(pool->ctx, page->owner);
            continue;
        }
        mutex_lock(&pool->queue_lock, RANK_POOL);
        replace_remove(&pool->replace, frame);
        mutex_unlock(&pool->queue_lock);
        victim_evict(pool, frame);
    }
    if (atomic_load(&pool->nr_state[PAGE_CLEAN]) == 0)
        *steps = 0;
    else
        *steps -= MIN(begun - scan, *steps);
    return done;
}

/* Writes a DIRTY victim, whose owner's lock it drops. */
static enum step launder_dirty(struct pool *pool, uint32_t frame,
                               uint32_t *steps)
{
    int err = pageout_cluster(pool, frame);

    if (!err)
        return STEP_PROGRESS;
    if (err == -EBUSY)
        return STEP_BUSY;
    grow_ask_blocks(pool);
    return launder_strip(pool, steps) > 0 ? STEP_PROGRESS : STEP_SKIPPED;
}

/* Looks at one cold page and does with it what its state allows. */
static enum step launder_step(struct pool *pool, uint32_t *steps)
{
    struct page *page;
    uint32_t frame;

    if (*steps == 0)
        return STEP_NONE;
    if (!pageout_ready(pool))
        return launder_reclaim(pool, 1) > 0 ? STEP_PROGRESS : STEP_BUSY;
    frame = victim_lock(pool, steps);
    if (frame == FRAME_NONE)
        return STEP_SKIPPED;
    page = pool_page(pool->arena, frame);
    if (page_state(page) == PAGE_WRITING && atomic_load(&page->pins) == 1 &&
        !(page->flags & PAGE_REDIRTIED)) {
        /* Written as somebody's neighbour: it may go when that is done. */
        page->flags |= PAGE_VICTIM;
        atomic_fetch_add(&pool->launder.coming, 1);
        pool->ops->unlock(pool->ctx, page->owner);
        return STEP_PROGRESS;
    }
    if (page_state(page) == PAGE_WRITING || atomic_load(&page->pins) != 0) {
        victim_return(pool, frame);
        return STEP_SKIPPED;
    }
    if (page_state(page) == PAGE_DIRTY)
        return launder_dirty(pool, frame, steps);
    victim_evict(pool, frame);
    return STEP_PROGRESS;
}

static uint64_t expected(struct pool *pool)
{
    return (uint64_t)arena_nr_free(pool->arena) +
           atomic_load(&pool->launder.coming);
}

static uint32_t pass_steps(struct pool *pool)
{
    uint32_t nr;

    mutex_lock(&pool->queue_lock, RANK_POOL);
    nr = replace_nr(&pool->replace);
    mutex_unlock(&pool->queue_lock);
    return 2 * nr + 1;
}

/* Until enough is free, or on its way; twice round all pages without a single
 * success is the end. */
static enum pass launder_work(struct pool *pool)
{
    uint32_t steps = pass_steps(pool);
    bool progress = false;

    while (expected(pool) < pool->high + atomic_load(&pool->frames.wanted)) {
        switch (launder_step(pool, &steps)) {
        case STEP_PROGRESS:
            atomic_store(&pool->launder.exhausted, false);
            progress = true;
            break;
        case STEP_SKIPPED:
            break;
        case STEP_BUSY:
            return PASS_BUSY;
        case STEP_NONE:
            if (!progress)
                return atomic_load(&pool->launder.nr_busy) > 0
                           ? PASS_BUSY : PASS_EXHAUSTED;
            progress = false;
            steps = pass_steps(pool);
        }
    }
    return PASS_ENOUGH;
}

static enum pass launder_pass(struct pool *pool)
{
    enum pass result;

    mutex_lock(&pool->launder.pass, RANK_PAGEOUT);
    result = launder_work(pool);
    mutex_unlock(&pool->launder.pass);
    return result;
}

/* Nothing can be reclaimed: says so, and waits for a change.  What changed during
 * the pass that found this kicked nobody, as nothing had been said yet: so there
 * is one more before the first rest. */
static uint32_t launder_rest(struct pool *pool)
{
    struct launder *l = &pool->launder;
    uint32_t kicks;

    if (!atomic_exchange(&l->exhausted, true))
        return 0;
    frames_wake(pool);
    kicks = launder_sleep(l, KICK_FREED | KICK_DONE | KICK_STOP, PATIENCE_NS);
    if (kicks == 0 && atomic_load(&pool->frames.sleepers) == 0)
        kicks = launder_sleep(l, UINT32_MAX, 0);
    return kicks;
}

static void *launder_main(void *arg)
{
    struct pool *pool = arg;
    uint32_t kicks = 0;
    bool working = false;

    while (!(kicks & KICK_STOP)) {
        uint64_t start = pool->low + atomic_load(&pool->frames.wanted);

        if (!working && expected(pool) > start) {
            kicks = launder_sleep(&pool->launder, UINT32_MAX, 0);
            continue;
        }
        switch (launder_pass(pool)) {
        case PASS_ENOUGH:
            working = false;
            atomic_store(&pool->launder.exhausted, false);
            kicks = launder_sleep(&pool->launder, UINT32_MAX, 0);
            break;
        case PASS_BUSY:
            working = true;
            kicks = launder_sleep(&pool->launder, KICK_DONE | KICK_STOP, 0);
            break;
        case PASS_EXHAUSTED:
            working = true;
            kicks = launder_rest(pool);
        }
    }
    return NULL;
}

int thread_start(pthread_t *thread, const char *name, void *(*body)(void *),
                 void *arg)
{
    pthread_attr_t attr;
    sigset_t all, before;
    int err;

    pthread_attr_init(&attr);
    pthread_attr_setstacksize(&attr, STACK_BYTES);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    err = pthread_create(thread, &attr, body, arg);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attr);
    if (!err)
        pthread_setname_np(*thread, name);
    return -err;
}

int launder_start(struct pool *pool)
{
    return thread_start(&pool->launder.thread, "pool-pageout", launder_main,
                        pool);
}

void launder_stop(struct pool *pool)
{
    launder_kick(pool, KICK_STOP);
    pthread_join(pool->launder.thread, NULL);
}

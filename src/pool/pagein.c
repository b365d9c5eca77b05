/* pagein.c - reading pages back, and waiting for them.
 *
 * The owner inserts consecutive pages as READING and submits one read for the run
 * of blocks behind them.  Who wants one of them meanwhile pins it and waits in a
 * bucket, by frame.
 *
 * When the read is done each page becomes
 *
 *     CLEAN   and keeps its block, or
 *     DIRTY   giving it back, while blocks are short (I18): less than 1/64
 *             of them is free, so that long runs get rare.  Above that it would
 *             only have to be written again.  Blocks the file could still grow
 *             by count as free.  Always if the block's area is on its way out
 *     DEAD    if it was dropped meanwhile: the block is freed here.
 *
 * and joins the queues.  If the read of a run fails, its pages are read again one
 * by one in the same descriptor; those that fail alone are lost, and their blocks
 * retired (I11).
 */
#include "pool_internal.h"

#include "log.h"

#include <errno.h>
#include <stdlib.h>

/* One read in flight for so many frames; few pools need the most. */
enum { FRAMES_EACH = 512, COUNT_MIN = 8 };
/* Blocks are short when less than one in so many is free. */
enum { SHORT_PART = 64 };

struct pool_io {
    struct swap_io io;
    struct pool *pool;
    struct list link;    /* (I) */
    uint32_t turns;      /* (I) taken and put back so often */
    uint32_t owner;
    uint32_t block;      /* first */
    uint32_t nr;
    bool alone;          /* reading page by page after an error */
    uint32_t at;         /* then: the page being read */
    uint64_t failed[SWAP_IO_MAX_PAGES / 64]; /* then: bitmap */
    uint32_t frames[SWAP_IO_MAX_PAGES];
    struct iovec iov[SWAP_IO_MAX_PAGES];
};

uint32_t pagein_count(uint64_t frames)
{
    return (uint32_t)MAX(COUNT_MIN, MIN(MAX_PAGEINS, frames / FRAMES_EACH));
}

uint64_t pagein_bytes(uint64_t frames)
{
    return pagein_count(frames) * sizeof(struct pool_io);
}

int pagein_init(struct pool *pool)
{
    struct pagein *in = &pool->pagein;
    uint32_t count = pagein_count(arena_nr_frames(pool->arena));

    list_init(&in->idle);
    in->ios = calloc(count, sizeof(*in->ios));
    if (!in->ios)
        return -ENOMEM;
    in->nr = count;
    for (uint32_t i = 0; i < count; i++)
        list_add_tail(&in->idle, &in->ios[i].link);
    return 0;
}

void pagein_fini(struct pool *pool)
{
    free(pool->pagein.ios);
}

struct pool_io *pool_io_get(struct pool *pool, bool wait)
{
    struct pagein *in = &pool->pagein;
    struct pool_io *io = NULL;

    if (wait)
        lock_assert_none(RANK_FUSE);
    mutex_lock(&in->lock, RANK_WAIT);
    while (wait && list_empty(&in->idle))
        cond_wait(&in->freed, &in->lock);
    if (!list_empty(&in->idle)) {
        io = list_entry(in->idle.next, struct pool_io, link);
        list_del(&io->link);
        io->turns++;
    }
    mutex_unlock(&in->lock);
    return io;
}

void pool_io_put(struct pool *pool, struct pool_io *io)
{
    struct pagein *in = &pool->pagein;

    mutex_lock(&in->lock, RANK_WAIT);
    list_add_head(&in->idle, &io->link);
    io->turns++;
    cond_signal(&in->freed);
    mutex_unlock(&in->lock);
}

unsigned pagein_turns(struct pool *pool, uint32_t turns[MAX_PAGEINS])
{
    struct pagein *in = &pool->pagein;

    mutex_lock(&in->lock, RANK_WAIT);
    for (uint32_t i = 0; i < in->nr; i++)
        turns[i] = in->ios[i].turns;
    mutex_unlock(&in->lock);
    return in->nr;
}

bool pagein_gives_back(struct pool *pool)
{
    struct budget *b = &pool->budget;
    uint64_t max, free;

    mutex_lock(&b->lock, RANK_BUDGET);
    max = b->refused ? b->capacity : b->blocks_max - b->retired;
    free = swap_nr_free(pool->swap) + max - b->capacity;
    mutex_unlock(&b->lock);
    return free < max / SHORT_PART;
}

static struct bucket *bucket_of(struct pool *pool, uint32_t frame)
{
    return &pool->buckets[frame % NR_BUCKETS];
}

/* Wakes who waits in the buckets of the mask. */
static void buckets_wake(struct pool *pool, uint64_t mask)
{
    for (; mask != 0; mask &= mask - 1) {
        struct bucket *bucket = &pool->buckets[bit_lowest(mask)];

        mutex_lock(&bucket->lock, RANK_WAIT);
        if (bucket->waiters > 0)
            cond_broadcast(&bucket->read);
        mutex_unlock(&bucket->lock);
    }
}

int pool_page_wait(struct pool *pool, uint32_t frame)
{
    struct page *page = pool_page(pool->arena, frame);
    struct bucket *bucket = bucket_of(pool, frame);

    lock_assert_none(RANK_FUSE);
    if (page_state(page) == PAGE_READING) {
        mutex_lock(&bucket->lock, RANK_WAIT);
        bucket->waiters++;
        while (page_state(page) == PAGE_READING)
            cond_wait(&bucket->read, &bucket->lock);
        bucket->waiters--;
        mutex_unlock(&bucket->lock);
    }
    return page_state(page) == PAGE_DEAD ? -EIO : 0;
}

static void pagein_done(struct swap_io *io, int err);

/* The request for pages from..from+nr-1 of the run. */
static void pagein_request(struct pool_io *io, uint32_t from, uint32_t nr)
{
    io->io = (struct swap_io){
        .op = SWAP_IO_READ,
        .block = io->block + from,
        .nr = nr,
        .iov = io->iov,
        .iov_count = page_iovec(io->pool, nr, io->frames + from, io->iov),
        .done = pagein_done,
    };
}

void pool_io_prepare(struct pool *pool, struct pool_io *io, uint32_t owner,
                     uint64_t index, uint32_t block, uint32_t nr,
                     const uint32_t *frames)
{
    INVARIANT("P3", nr > 0 && nr <= SWAP_IO_MAX_PAGES);
    io->pool = pool;
    io->owner = owner;
    io->block = block;
    io->nr = nr;
    io->alone = false;
    io->at = 0;
    for (uint32_t i = 0; i < nr; i++) {
        INVARIANT("P3", pool_page(pool->arena, frames[i])->index == index + i);
        io->frames[i] = frames[i];
    }
    (void)index;
    for (uint32_t i = 0; i < ARRAY_SIZE(io->failed); i++)
        io->failed[i] = 0;
    atomic_fetch_add(&pool->inflight, 1);
    pagein_request(io, 0, nr);
}

void pool_io_submit(struct pool_io *io)
{
    swap_submit(io->pool->swap, &io->io);
}

bool pool_io_begin(struct pool_io *io, struct swap_lane *lane)
{
    return swap_begin(io->pool->swap, &io->io, lane);
}

bool pool_lends(struct pool *pool, uint32_t block)
{
    return swap_lends(pool->swap, block);
}

void pool_io_run(struct pool_io *io)
{
    swap_run(io->pool->swap, &io->io);
}

static bool has_failed(const struct pool_io *io, uint32_t i)
{
    return io->failed[i / 64] >> (i % 64) & 1;
}

/* A page whose read is over, and which is not yet on the queues.  Caller holds
 * the owner's lock. */
static void page_read(struct pool *pool, struct pool_io *io, uint32_t i,
                      bool give_back)
{
    uint32_t frame = io->frames[i], block = io->block + i;
    struct page *page = pool_page(pool->arena, frame);

    if (has_failed(io, i)) {
        if (page_state(page) != PAGE_DEAD) {
            pool->ops->lost(pool->ctx, page->owner, page->index);
            atomic_fetch_add_explicit(&pool->counters.lost, 1,
                                      memory_order_relaxed);
            page_kill(pool, frame);
        }
        budget_retire(pool, block, 1);
        return;
    }
    if (page_state(page) == PAGE_DEAD || give_back)
        swap_free(pool->swap, block, 1);
    if (page_state(page) == PAGE_DEAD)
        return;
    page_set_state(pool, page, give_back ? PAGE_DIRTY : PAGE_CLEAN,
                   give_back ? BLOCK_NONE : block);
}

/* The pages of the run join the queues.  Caller holds the owner's lock. */
static void run_enqueue(struct pool *pool, const struct pool_io *io)
{
    mutex_lock(&pool->queue_lock, RANK_POOL);
    for (uint32_t i = 0; i < io->nr; i++) {
        struct page *page = pool_page(pool->arena, io->frames[i]);

        if (page_state(page) != PAGE_DEAD)
            replace_insert(&pool->replace, io->frames[i],
                           page->flags & PAGE_READAHEAD);
    }
    mutex_unlock(&pool->queue_lock);
}

static void pagein_finish(struct pool_io *io)
{
    struct pool *pool = io->pool;
    bool give_back = pagein_gives_back(pool) ||
                     swap_is_leaving(pool->swap, io->block);
    uint32_t owner = io->owner;
    uint64_t mask = 0;

    pool->ops->lock(pool->ctx, owner);
    for (uint32_t i = 0; i < io->nr; i++) {
        page_read(pool, io, i, give_back);
        mask |= (uint64_t)1 << (io->frames[i] % NR_BUCKETS);
    }
    run_enqueue(pool, io);
    pool->ops->unlock(pool->ctx, owner);
    buckets_wake(pool, mask);
    page_unpin_many(pool, io->nr, io->frames);
    atomic_fetch_add_explicit(&pool->counters.pagein_ios, 1,
                              memory_order_relaxed);
    atomic_fetch_add_explicit(&pool->counters.pagein_pages, io->nr,
                              memory_order_relaxed);
    pool_io_put(pool, io);
    pool->ops->release(pool->ctx, owner);
    launder_hope(pool);
    grow_look(pool);
    atomic_fetch_sub(&pool->inflight, 1);
}

static void pagein_done(struct swap_io *swap_io, int err)
{
    struct pool_io *io = container_of(swap_io, struct pool_io, io);

    if (err && !io->alone && io->nr > 1) {
        log_warn("swap: reading blocks %u to %u failed (error %d), trying "
                 "each alone", io->block, io->block + io->nr - 1, -err);
        io->alone = true;
        io->at = 0;
        pagein_request(io, 0, 1);
        pool_io_submit(io);
        return;
    }
    if (err)
        io->failed[io->at / 64] |= (uint64_t)1 << (io->at % 64);
    if (io->alone && ++io->at < io->nr) {
        pagein_request(io, io->at, 1);
        pool_io_submit(io);
        return;
    }
    pagein_finish(io);
}

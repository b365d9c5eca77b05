/* pool.c - a pool's birth and death, its marks, and its figures.
 *
 * The pool owns no frame: it lends those of the arena to owners, decides who gets
 * one and takes them back.  What it allocates for itself (descriptors, ghosts,
 * three threads) is allocated here, before the first operation, and its size is
 * known beforehand (pool_overhead_bytes), so that `ram=` holds it too.
 *
 * The pool is the room behind the arena's ops: metadata is charged to the same
 * budget as data, and waits for the same frames.
 */
#include "pool_internal.h"

#include "clock.h"
#include "log.h"

#include <errno.h>
#include <stdlib.h>

/* What a thread of ours touches of its stack, with room to spare. */
enum { STACK_TOUCHED = 32 * 1024, NR_THREADS = 3 };
#define CLUSTER_MIN 64u
/* The data's share of the frames: an eighth, and no less than this. */
#define DATA_SHARE_MIN 128u
/* Pages that one request may touch: a transfer, not aligned. */
enum { REQUEST_PAGES = SWAP_IO_MAX_PAGES + 1 };

static uint32_t pow2_below(uint32_t value)
{
    return value == 0 ? 0 : 1u << bit_highest(value);
}

static uint32_t reserve_of(uint32_t frames)
{
    return MIN(MAX(pow2_below(frames / 64), frames < 1024 ? 32u : 64u),
               2 * SWAP_IO_MAX_PAGES);
}

/* The data's, of a pool that begins with so many. */
static uint32_t share_of(uint32_t frames)
{
    return MAX(frames / 8, MIN(frames / 2, DATA_SHARE_MIN));
}

/* For 8 MiB (P about 2000 frames): reserve 64, batch 32, min 95, low 127, high
 * 188; from 128 MiB on batches and clusters are whole 1 MiB requests.  Two batches
 * fit in the reserve: one for a page-in, one for a writer who must overwrite what is
 * on swap.  A cluster is never less than 64 pages, however small the pool: where
 * one ends, another file's may begin.
 *
 * Those that are as large as a transfer, and with them the descriptors and the
 * ghosts, stay what they are; and the data keep what the largest request needs. */
static void size_batches(struct pool *pool)
{
    uint32_t frames = arena_nr_frames(pool->arena) - 1;
    uint32_t part = pow2_below(frames / 64);

    pool->reserve = reserve_of(frames);
    pool->batch = pool->reserve / 2;
    pool->cluster = MIN(MAX(part, CLUSTER_MIN), SWAP_IO_MAX_PAGES);
    pool->share_min = MIN(share_of(frames), 2 * pool->batch + REQUEST_PAGES);
    pool_set_marks(pool, frames);
}

uint32_t pool_share_of(const struct pool *pool, uint32_t frames)
{
    return MAX(share_of(frames), pool->share_min);
}

uint64_t pool_metadata_max(uint64_t arena_bytes)
{
    uint64_t all = arena_bytes / (PAGE_SIZE + sizeof(struct frame));
    uint32_t frames = (uint32_t)MIN(all, UINT32_MAX);

    if (frames < POOL_MIN_FRAMES)
        return 0;
    frames--; /* of zeros */
    return frames - reserve_of(frames) - share_of(frames);
}

void pool_set_marks(struct pool *pool, uint32_t frames)
{
    uint32_t step = MAX(frames / 64, 8u), min = pool->reserve + step;
    uint32_t low = min + MAX(step, pool->batch);

    pool->min = min;
    pool->low = low;
    pool->high = MAX(min + 3 * step, low + step);
    pool->data_share = pool_share_of(pool, frames);
    arena_set_low(pool->arena, low);
}

uint32_t pool_pins_max(const struct pool *pool)
{
    return atomic_load_explicit(&pool->data_share, memory_order_relaxed) -
           2 * pool->batch;
}

uint64_t pool_overhead_bytes(uint64_t ram_bytes)
{
    uint64_t frames = ram_bytes / (PAGE_SIZE + sizeof(struct frame));

    return sizeof(struct pool) + pageout_bytes() + pagein_bytes(frames) +
           ghost_bytes((uint32_t)MIN(frames, UINT32_MAX)) +
           NR_THREADS * STACK_TOUCHED;
}

static int op_charge(void *ctx)
{
    return budget_charge_metadata(ctx);
}

static void op_uncharge(void *ctx)
{
    budget_uncharge_metadata(ctx);
    frames_wake(ctx);
}

static void op_low(void *ctx)
{
    launder_kick(ctx, KICK_LOW);
}

static void op_wait(void *ctx)
{
    struct pool *pool = ctx;

    if (!budget_wants_growth(pool) || grow_file(pool, 1) == -EAGAIN)
        frames_wait_metadata(pool);
}

static const struct arena_ops arena_ops = {
    .charge = op_charge,
    .uncharge = op_uncharge,
    .low = op_low,
    .wait = op_wait,
};

int pool_create(struct pool **out, const struct pool_config *config)
{
    struct arena *arena = config->arena;
    struct pool *pool;
    int err;

    if (arena_nr_frames(arena) < POOL_MIN_FRAMES)
        return -EINVAL;
    pool = calloc(1, sizeof(*pool));
    if (!pool)
        return -ENOMEM;
    pool->arena = arena;
    pool->swap = config->swap;
    pool->ops = config->ops;
    pool->ctx = config->ctx;
    size_batches(pool);
    err = replace_init(&pool->replace, config->replacement, pool_page(arena, 0),
                       arena_nr_frames(arena));
    if (err)
        goto free_pool;
    err = pageout_init(pool);
    if (err)
        goto fini_replace;
    err = pagein_init(pool);
    if (err)
        goto fini_pageout;
    frames_init(pool);
    budget_init(pool, config->limit);
    arena_set_ops(arena, &arena_ops, pool, pool->low, pool->reserve / 4);
    *out = pool;
    return 0;

fini_pageout:
    pageout_fini(pool);
fini_replace:
    replace_fini(&pool->replace);
free_pool:
    free(pool);
    return err;
}

struct swap *pool_swap(struct pool *pool)
{
    return pool->swap;
}

int pool_start(struct pool *pool)
{
    int err = launder_start(pool);

    if (err)
        return err;
    err = grow_start(pool);
    if (err)
        goto stop_launder;
    err = warm_start(pool);
    if (err)
        goto stop_grow;
    pool->started = true;
    return 0;

stop_grow:
    grow_stop(pool);
stop_launder:
    launder_stop(pool);
    return err;
}

void pool_destroy(struct pool *pool)
{
    if (pool->started) {
        warm_stop(pool);
        launder_stop(pool);
        grow_stop(pool);
    }
    pool_quiesce(pool);
    pool_check(pool);
    INVARIANT("I6", pool->budget.data == 0);
    INVARIANT("I6", replace_nr(&pool->replace) == 0);
    arena_set_ops(pool->arena, NULL, NULL, 0, 0);
    pagein_fini(pool);
    pageout_fini(pool);
    replace_fini(&pool->replace);
    free(pool);
}

static void stats_counters(struct pool *pool, struct pool_stats *stats)
{
    struct counters *c = &pool->counters;

    stats->pageout_pages = atomic_load(&c->pageout_pages);
    stats->pageout_ios = atomic_load(&c->pageout_ios);
    stats->pagein_pages = atomic_load(&c->pagein_pages);
    stats->pagein_ios = atomic_load(&c->pagein_ios);
    stats->evictions = atomic_load(&c->evictions);
    stats->redirtied = atomic_load(&c->redirtied);
    stats->lost = atomic_load(&c->lost);
    stats->writers_waited_ns = atomic_load(&c->writers_waited_ns);
    stats->readahead_pages = atomic_load(&c->readahead_pages);
    stats->readahead_used = atomic_load(&c->readahead_used);
    stats->readahead_unused = atomic_load(&c->readahead_unused);
    stats->reading = atomic_load(&pool->nr_state[PAGE_READING]);
    stats->clean = atomic_load(&pool->nr_state[PAGE_CLEAN]);
    stats->dirty = atomic_load(&pool->nr_state[PAGE_DIRTY]);
    stats->writing = atomic_load(&pool->nr_state[PAGE_WRITING]);
}

void pool_stats(struct pool *pool, struct pool_stats *stats)
{
    *stats = (struct pool_stats){
        .frames = arena_nr_frames(pool->arena) - 1,
        .frames_free = arena_nr_free(pool->arena),
        .frames_most = pool->arena->nr_frames - 1,
        .reserve = pool->reserve,
        .low = pool->low,
        .high = pool->high,
        .min = pool->min,
        .blocks_max = swap_nr_max(pool->swap),
        .blocks_backed = swap_nr_backed(pool->swap),
        .blocks_free = swap_nr_free(pool->swap),
        .replacement = pool->replace.ops->name,
        .engine = swap_io_engine(pool->swap),
    };
    swap_stats(pool->swap, &stats->space);
    budget_stats(pool, stats);
    stats_counters(pool, stats);
    mutex_lock(&pool->queue_lock, RANK_POOL);
    stats->refaults = pool->replace.refaults;
    mutex_unlock(&pool->queue_lock);
}

/* swap.c - which area a run of blocks comes from.
 *
 * An area is an allocator, a file and an engine; a swap space is a list of them,
 * by priority.  The allocators are pure, so one lock stands around them all,
 * held for the few hundred nanoseconds that a search takes.
 *
 *     priority   The area of the highest priority that has a free block.
 *     hint       Among those of equal priority, that of the caller's preceding
 *                page, until its cluster is full: so what belongs together lies
 *                together, and a long file is spread by clusters of 2 MiB.
 *     turn       Else they take turns: a long run ends a turn, short ones share
 *                one until they make up a cluster.
 */
#include "swap_internal.h"

#include "log.h"

#include <errno.h>
#include <stdlib.h>

/* A run this long is worth a turn of its own. */
enum { LONG_RUN = 64 };

/* --- life ----------------------------------------------------------------- */

int swap_create(struct swap **out, const struct swap_file *file,
                struct arena *arena, unsigned max_inflight)
{
    struct swap *swap = calloc(1, sizeof(*swap));
    int err;

    if (!swap)
        return -ENOMEM;
    swap->arena = arena;
    swap->max_inflight = max_inflight;
    err = file->fd >= 0 ? swap_add(swap, file, -1) : 0;
    if (err)
        free(swap);
    else
        *out = swap;
    return err;
}

void swap_destroy(struct swap *swap)
{
    for (unsigned i = 0; i < swap->nr_areas; i++)
        area_destroy(swap, swap->area[i]);
    INVARIANT("I6", swap->nr_tables == 0);
    free(swap);
}

/* --- blocks and I/O ------------------------------------------------------- */

struct swap_area *area_find(struct swap *swap, uint32_t block)
{
    for (unsigned i = 0; i < swap->nr_areas; i++)
        if (block - swap->area[i]->base < swap->area[i]->file.nr_blocks)
            return swap->area[i];
    return NULL;
}

struct swap_area *area_of(struct swap *swap, uint32_t block)
{
    struct swap_area *area = area_find(swap, block);

    if (!area)
        assert_failed("W1", "a block is of an area", __FILE__, __LINE__);
    return area;
}

static bool has_free(const struct swap_area *area)
{
    return area->state != SWAP_AREA_LEAVING && space_nr_free(area->space) > 0;
}

/* Area `i` gives a run: close to block `hint` if that is its own. */
static int alloc_from(struct swap *swap, unsigned i, uint32_t hint,
                      uint32_t want, uint32_t *first, uint32_t *got)
    REQUIRES(swap->lock)
{
    struct swap_area *area = swap->area[i];
    bool own = hint - area->base < area->file.nr_blocks;
    int err = space_alloc(area->space, own ? hint - area->base : BLOCK_NONE,
                          want, first, got);

    if (!err)
        *first += area->base;
    return err;
}

/* The area among from..end-1 whose turn it is, of those with a free block. */
static unsigned whose_turn(struct swap *swap, unsigned from, unsigned end)
    REQUIRES(swap->lock)
{
    unsigned at = swap->turn >= from && swap->turn < end ? swap->turn : from;

    if (at != swap->turn || swap->turn_left == 0 || !has_free(swap->area[at])) {
        do
            at = at + 1 < end ? at + 1 : from;
        while (!has_free(swap->area[at]));
        swap->turn = at;
        swap->turn_left = SPACE_CLUSTER;
    }
    return at;
}

/* A run from areas from..end-1, which are of equal priority, and of which at
 * least one has a free block. */
static int alloc_among(struct swap *swap, unsigned from, unsigned end,
                       uint32_t hint, uint32_t want, uint32_t *first,
                       uint32_t *got) REQUIRES(swap->lock)
{
    unsigned at;
    int err;

    if (end - from == 1)
        return alloc_from(swap, from, hint, want, first, got);
    for (at = from; at < end; at++) {
        uint32_t within = hint - swap->area[at]->base;

        if (within >= swap->area[at]->file.nr_blocks ||
            within % SPACE_CLUSTER == 0 || !has_free(swap->area[at]))
            continue;
        want = MIN(want, SPACE_CLUSTER - within % SPACE_CLUSTER);
        return alloc_from(swap, at, hint, want, first, got);
    }
    at = whose_turn(swap, from, end);
    err = alloc_from(swap, at, hint, want, first, got);
    if (!err)
        swap->turn_left -= want >= LONG_RUN ? swap->turn_left
                                            : MIN(*got, swap->turn_left);
    return err;
}

int swap_alloc(struct swap *swap, uint32_t hint, uint32_t want,
               uint32_t *first, uint32_t *got)
{
    int err = -ENOSPC;

    mutex_lock(&swap->lock, RANK_SWAP);
    for (unsigned i = 0, end; err == -ENOSPC && i < swap->nr_areas; i = end) {
        bool any = false;

        for (end = i; end < swap->nr_areas && swap->area[end]->priority ==
                                                  swap->area[i]->priority; end++)
            any |= has_free(swap->area[end]);
        if (any)
            err = alloc_among(swap, i, end, hint, want, first, got);
    }
    if (!err)
        audit_tell(swap, *first, *got, true);
    mutex_unlock(&swap->lock);
    return err;
}

/* The blocks are in use no more: space_free or space_retire says what becomes of
 * them. */
static void give_up(struct swap *swap, uint32_t first, uint32_t nr,
                    void (*become)(struct space *space, uint32_t first,
                                   uint32_t nr))
{
    struct swap_area *area;

    mutex_lock(&swap->lock, RANK_SWAP);
    area = area_of(swap, first);
    become(area->space, first - area->base, nr);
    audit_tell(swap, first, nr, false);
    mutex_unlock(&swap->lock);
}

void swap_free(struct swap *swap, uint32_t first, uint32_t nr)
{
    give_up(swap, first, nr, space_free);
}

void swap_retire(struct swap *swap, uint32_t first, uint32_t nr)
{
    give_up(swap, first, nr, space_retire);
}

/* The engine that the request is for; its block is the area's own number then. */
static struct swap_engine *engine_for(struct swap *swap, struct swap_io *io)
{
    struct swap_area *area;

    mutex_lock(&swap->lock, RANK_SWAP);
    area = area_of(swap, io->block);
    mutex_unlock(&swap->lock);
    io->block -= area->base;
    return area->engine;
}

void swap_submit(struct swap *swap, struct swap_io *io)
{
    swap_engine_submit(engine_for(swap, io), io);
}

void swap_run(struct swap *swap, struct swap_io *io)
{
    swap_engine_run(engine_for(swap, io), io);
}

bool swap_begin(struct swap *swap, struct swap_io *io, struct swap_lane *lane)
{
    return swap_engine_begin(engine_for(swap, io), io, lane);
}

bool swap_is_leaving(struct swap *swap, uint32_t block)
{
    bool leaving;

    mutex_lock(&swap->lock, RANK_SWAP);
    leaving = area_of(swap, block)->state == SWAP_AREA_LEAVING;
    mutex_unlock(&swap->lock);
    return leaving;
}

bool swap_lends(struct swap *swap, uint32_t block)
{
    bool lends;

    mutex_lock(&swap->lock, RANK_SWAP);
    lends = swap_engine_lends(area_of(swap, block)->engine);
    mutex_unlock(&swap->lock);
    return lends;
}

/* --- figures -------------------------------------------------------------- */

void swap_stats(struct swap *swap, struct space_stats *stats)
{
    *stats = (struct space_stats){ 0 };
    mutex_lock(&swap->lock, RANK_SWAP);
    for (unsigned i = 0; i < swap->nr_areas; i++) {
        struct space_stats one;

        if (swap->area[i]->state == SWAP_AREA_LEAVING)
            continue;
        space_stats(swap->area[i]->space, &one);
        stats->nr_blocks += one.nr_blocks;
        stats->nr_backed += one.nr_backed;
        stats->nr_free += one.nr_free;
        stats->nr_used += one.nr_used;
        stats->nr_retired += one.nr_retired;
        stats->free_runs += one.free_runs;
        stats->largest_run = MAX(stats->largest_run, one.largest_run);
    }
    mutex_unlock(&swap->lock);
}

uint32_t swap_nr_free(struct swap *swap)
{
    uint32_t nr = 0;

    mutex_lock(&swap->lock, RANK_SWAP);
    for (unsigned i = 0; i < swap->nr_areas; i++)
        if (swap->area[i]->state != SWAP_AREA_LEAVING)
            nr += space_nr_free(swap->area[i]->space);
    mutex_unlock(&swap->lock);
    return nr;
}

uint32_t swap_nr_backed(struct swap *swap)
{
    struct space_stats stats;

    swap_stats(swap, &stats);
    return stats.nr_backed;
}

uint32_t swap_nr_max(struct swap *swap)
{
    struct space_stats stats;

    swap_stats(swap, &stats);
    return stats.nr_blocks;
}

uint32_t swap_nr_tables(struct swap *swap)
{
    uint32_t nr;

    mutex_lock(&swap->lock, RANK_SWAP);
    nr = swap->nr_tables;
    mutex_unlock(&swap->lock);
    return nr;
}

const char *swap_io_engine(struct swap *swap)
{
    const char *name = "none";

    mutex_lock(&swap->lock, RANK_SWAP);
    if (swap->nr_areas > 0)
        name = swap_engine_name(swap->area[0]->engine);
    mutex_unlock(&swap->lock);
    return name;
}

/* space_back.c - which clusters there are to hand out from.
 *
 *     UNBACKED --space_back--> BACKED, free <--space_free-- BACKED, in use
 *        ^                            |  |                       ^
 *        |                            |  +------space_alloc------+
 *        +--space_unback-- claimed <--+ space_claim
 *
 * A claim is an allocation of the whole cluster, so that nobody else takes of
 * it while its owner makes up his mind; space_free takes it back.
 *
 * Growth takes the lowest UNBACKED clusters and trimming the highest free ones,
 * so that the file behind stays as short as it can.  Tables are made before a
 * cluster changes and given back after it, so a shortage changes nothing.
 */
#include "space_internal.h"

#include "log.h"

#include <errno.h>
#include <stdlib.h>

int space_create(struct space **out, uint32_t nr_blocks,
                 const struct space_ops *ops, void *ctx)
{
    struct space *space;

    if (nr_blocks == 0 || nr_blocks > SPACE_MAX_BLOCKS)
        return -EINVAL;
    space = calloc(1, sizeof(*space));
    if (!space)
        return -ENOMEM;
    space->ops = ops;
    space->ctx = ctx;
    space->nr_blocks = nr_blocks;
    space->nr_clusters = (uint32_t)div_up(nr_blocks, SPACE_CLUSTER);
    tables_init(space);
    *out = space;
    return 0;
}

void space_destroy(struct space *space)
{
    INVARIANT("I8", space->nr_used == 0);
    tables_fini(space);
    free(space);
}

uint32_t space_unbacked(struct space *space, uint32_t max_blocks,
                        uint32_t *first)
{
    uint32_t most = (uint32_t)div_up(max_blocks, SPACE_CLUSTER);
    uint32_t cluster = shelf_next(space, SHELF_UNBACKED, 0), nr = 0;

    if (cluster == CLUSTER_NONE)
        return 0;
    while (nr < most && shelf_next(space, SHELF_UNBACKED, cluster + nr) ==
                            cluster + nr)
        nr++;
    *first = cluster * SPACE_CLUSTER;
    return MIN(nr * SPACE_CLUSTER, space->nr_blocks - *first);
}

static void back_cluster(struct space *space, uint32_t cluster)
{
    struct spot spot = spot_of(space, cluster);
    uint32_t size = cluster_size(space, cluster);

    INVARIANT("S1", spot_shelf(&spot) == SHELF_UNBACKED);
    /* Blocks past the end of a short cluster are in use for ever. */
    if (size < SPACE_CLUSTER)
        runs_use(spot_bitmap(&spot), size, SPACE_CLUSTER - size);
    spot.leaf->nr_free[spot.slot] = (uint16_t)size;
    space->nr_backed += size;
    space->nr_free += size;
    space->nr_runs++;
    shelf_move(space, &spot, shelf_by_runs(&spot));
}

int space_back(struct space *space, uint32_t first, uint32_t nr)
{
    uint32_t cluster = first / SPACE_CLUSTER;
    uint32_t last = (first + nr - 1) / SPACE_CLUSTER;
    int err;

    INVARIANT("S4", first % SPACE_CLUSTER == 0 && nr > 0);
    INVARIANT("S4", nr % SPACE_CLUSTER == 0 ||
                        first + nr == space->nr_blocks);
    err = tables_make(space, cluster, last);
    if (err)
        return err;
    for (; cluster <= last; cluster++)
        back_cluster(space, cluster);
    return 0;
}

/* A cluster is wholly free; a short one is so without being WHOLE. */
static bool is_free(const struct space *space, uint32_t cluster)
{
    struct spot spot = spot_of(space, cluster);

    return spot_shelf(&spot) != SHELF_UNBACKED &&
           spot.leaf->nr_free[spot.slot] == cluster_size(space, cluster);
}

bool space_claim(struct space *space, uint32_t below, uint32_t *first,
                 uint32_t *nr)
{
    uint32_t cluster = space->nr_clusters - 1;

    if (below <= cluster * SPACE_CLUSTER || !is_free(space, cluster)) {
        cluster = shelf_prev(space, SHELF_WHOLE, below / SPACE_CLUSTER);
        if (cluster == CLUSTER_NONE)
            return false;
    }
    *first = cluster * SPACE_CLUSTER;
    *nr = cluster_size(space, cluster);
    space_take(space, *first, *nr, false);
    return true;
}

void space_unback(struct space *space, uint32_t first)
{
    struct spot spot = spot_of(space, first / SPACE_CLUSTER);
    uint32_t size = cluster_size(space, spot.cluster);

    INVARIANT("S4", first % SPACE_CLUSTER == 0);
    INVARIANT("S1", spot_shelf(&spot) == SHELF_FULL);
    if (!runs_free(spot_bitmap(&spot), 0, size))
        assert_failed("S1", "an unclaimed block", __FILE__, __LINE__);
    shelf_move(space, &spot, SHELF_UNBACKED);
    space->nr_backed -= size;
    space->nr_used -= size;
    tables_reap(space, spot.cluster, spot.cluster);
}

uint32_t space_nr_free(const struct space *space)
{
    return space->nr_free;
}

uint32_t space_nr_backed(const struct space *space)
{
    return space->nr_backed;
}

void space_stats(const struct space *space, struct space_stats *stats)
{
    unsigned shelf = SHELF_WHOLE;

    while (shelf >= SHELF_RUN_1 && space->nr_on[shelf] == 0)
        shelf--;
    for (uint32_t i = 0; i < space->nr_held; i++) {
        struct spot spot = spot_of(space, space->held[i]);

        shelf = MAX(shelf, shelf_by_runs(&spot));
    }
    *stats = (struct space_stats){
        .nr_blocks = space->nr_blocks,
        .nr_backed = space->nr_backed,
        .nr_free = space->nr_free,
        .nr_used = space->nr_used,
        .nr_retired = space->nr_retired,
        .free_runs = space->nr_runs,
        .largest_run = shelf > SHELF_UNBACKED ? 1u << (shelf - SHELF_RUN_1) : 0,
    };
}

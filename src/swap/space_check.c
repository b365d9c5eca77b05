/* space_check.c - S1..S4, found again from the bitmaps alone. */
#include "space_internal.h"

#include "log.h"

#ifdef PAGERFS_DEBUG
/* What the clusters add up to. */
struct sums {
    uint32_t backed, free, runs;
    uint32_t on[NR_SHELVES];
};

static uint32_t count_runs(const uint64_t *bitmap)
{
    uint32_t runs = 0, at = 0;

    while (at < SPACE_CLUSTER) {
        uint32_t n = runs_free_at(bitmap, at, SPACE_CLUSTER);

        runs += n > 0;
        at += n + 1;
    }
    return runs;
}

static bool indexed(const struct spot *spot, unsigned shelf)
{
    return spot->leaf->index[shelf] >> spot->slot & 1;
}

static void check_cluster(const struct space *space, const struct spot *spot,
                          struct sums *sums)
{
    const uint64_t *bitmap = spot_bitmap(spot);
    uint32_t size = cluster_size(space, spot->cluster), nr_free = SPACE_CLUSTER;
    enum shelf shelf = spot_shelf(spot);

    for (unsigned s = 0; s < NR_INDEXED; s++)
        INVARIANT("S3", indexed(spot, s) == (s == shelf));
    if (shelf == SHELF_UNBACKED) {
        INVARIANT("S4", spot->leaf->nr_free[spot->slot] == 0);
        return;
    }
    for (unsigned i = 0; i < RUN_WORDS; i++)
        nr_free -= (uint32_t)__builtin_popcountll(bitmap[i]);
    INVARIANT("S4", nr_free <= size);
    INVARIANT("S4", nr_free == spot->leaf->nr_free[spot->slot]);
    if (shelf == SHELF_HELD)
        INVARIANT("S3", nr_free > 0 && nr_free < size);
    else
        INVARIANT("S3", shelf == shelf_by_runs(spot));
    sums->on[shelf]++;
    sums->backed += size;
    sums->free += nr_free;
    sums->runs += count_runs(bitmap);
}

/* A bit above says that a word below is not empty. */
static void check_index(const struct space *space)
{
    for (unsigned shelf = 0; shelf < NR_INDEXED; shelf++) {
        for (uint32_t d = 0; d < MAX_DIRS; d++) {
            const struct dir *dir = space->dir[d];
            uint32_t leaves = 0;
            uint64_t any = 0;

            for (uint32_t l = 0; dir && l < DIR_LEAVES; l++) {
                const struct leaf *leaf = dir->leaf[l];
                bool bit = dir->index[shelf][l / 64] >> l % 64 & 1;

                leaves += leaf != NULL;
                any |= bit;
                INVARIANT("S3", bit == (leaf ? leaf->index[shelf] != 0
                                             : shelf == SHELF_UNBACKED));
            }
            INVARIANT("S3", !dir || (leaves > 0 && leaves == dir->nr_leaves));
            INVARIANT("S3", (space->index[shelf][d / 64] >> d % 64 & 1) ==
                                (dir ? any : shelf == SHELF_UNBACKED));
        }
    }
}

void space_check(const struct space *space)
{
    struct sums sums = { 0 };

    for (uint32_t c = 0; c < space->nr_clusters; c++) {
        struct spot spot = spot_of(space, c);

        check_cluster(space, &spot, &sums);
    }
    check_index(space);
    for (unsigned shelf = 0; shelf < NR_SHELVES; shelf++)
        INVARIANT("S3", sums.on[shelf] == space->nr_on[shelf]);
    for (uint32_t i = 0; i < space->nr_held; i++) {
        struct spot spot = spot_of(space, space->held[i]);

        INVARIANT("S3", spot_shelf(&spot) == SHELF_HELD);
    }
    INVARIANT("S3", space->nr_held == space->nr_on[SHELF_HELD]);
    INVARIANT("S4", sums.backed == space->nr_backed);
    INVARIANT("S4", sums.free == space->nr_free);
    INVARIANT("S4", sums.runs == space->nr_runs);
    INVARIANT("S4", space->nr_free + space->nr_used + space->nr_retired ==
                        space->nr_backed);
}
#else
void space_check(const struct space *space)
{
    (void)space;
}
#endif

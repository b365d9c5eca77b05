/* space_internal.h - the tables of the allocator, shared by space*.c.
 *
 * Each cluster stands on one shelf, by its longest free run (S3), so that "give
 * me 200 blocks" is "any cluster from the shelf of runs of 256 or more".
 *
 *     struct space          at most 93 directories, and for each shelf a bit
 *       |                   for each directory that has a cluster on it
 *       `- struct dir       384 leaves, and for each shelf a bit for each leaf
 *            `- struct leaf 59 clusters: bitmaps, and for each shelf a bit for
 *                           each cluster
 *
 * Directories and leaves are pages of 4 KiB.  One that is absent describes
 * UNBACKED clusters only, and one that comes to describe those only is given
 * back; so 1 TiB costs 35 MiB when it is in use and nothing before and after.
 *
 * space.c        policy: which run to hand out
 * space_back.c   which clusters there are to hand out from
 * space_tables.c the tree and its shelves
 * space_check.c  S1..S4
 * runs.c         one bitmap
 */
#ifndef SWAP_SPACE_INTERNAL_H
#define SWAP_SPACE_INTERNAL_H

#include "runs.h"

/* Where a cluster stands.  Clusters of the last two are not searched for, so
 * there is no index of them. */
enum shelf {
    SHELF_UNBACKED,     /* what an absent or zeroed table says */
    SHELF_RUN_1,        /* longest free run is 1 block */
    SHELF_RUN_256 = SHELF_RUN_1 + 8, /* 256..511 */
    SHELF_WHOLE,        /* all 512 */
    NR_INDEXED,
    SHELF_FULL = NR_INDEXED,
    SHELF_HELD,         /* kept for the stream that is filling it */
    NR_SHELVES,
};

enum {
    LEAF_CLUSTERS = 59,
    DIR_LEAVES = 384,
    DIR_WORDS = DIR_LEAVES / 64,
    DIR_CLUSTERS = DIR_LEAVES * LEAF_CLUSTERS,
    MAX_DIRS = (SPACE_MAX_BLOCKS / SPACE_CLUSTER + DIR_CLUSTERS - 1) /
               DIR_CLUSTERS,
    TOP_WORDS = (MAX_DIRS + 63) / 64,
    MAX_HELD = 32,
};

#define CLUSTER_NONE UINT32_MAX

struct leaf {
    uint64_t bitmap[LEAF_CLUSTERS][RUN_WORDS];
    uint64_t index[NR_INDEXED];       /* bit: this cluster is on the shelf */
    uint64_t retired;                 /* bit: this cluster has retired blocks */
    uint16_t nr_free[LEAF_CLUSTERS];  /* free blocks; 0 while UNBACKED */
    uint8_t shelf[LEAF_CLUSTERS];     /* enum shelf; changed by shelf_move */
};

struct dir {
    struct leaf *leaf[DIR_LEAVES];
    uint64_t index[NR_INDEXED][DIR_WORDS]; /* bit: the leaf has such a one */
    uint32_t nr_leaves;               /* present */
};

_Static_assert(sizeof(struct leaf) <= PAGE_SIZE, "a leaf is a page");
_Static_assert(LEAF_CLUSTERS * SPACE_CLUSTER == SPACE_TABLE_BLOCKS, "space.h");
_Static_assert(sizeof(struct dir) <= PAGE_SIZE, "a directory is a page");

struct space {
    const struct space_ops *ops;
    void *ctx;
    uint32_t nr_blocks, nr_clusters;
    uint32_t nr_backed, nr_free, nr_used, nr_retired; /* blocks */
    uint32_t nr_runs;                 /* free runs within clusters */
    uint32_t nr_on[NR_SHELVES];       /* clusters; UNBACKED is not counted */
    uint32_t cursor;                  /* next fit among WHOLE clusters */
    uint32_t shared;                  /* cluster that small runs go to */
    uint32_t held[MAX_HELD];          /* clusters, used last first */
    uint32_t nr_held;
    struct dir *dir[MAX_DIRS];
    uint64_t index[NR_INDEXED][TOP_WORDS];
};

/* A cluster found in its tables; `leaf` is a constant one if absent. */
struct spot {
    uint32_t cluster;
    struct leaf *leaf;
    uint32_t slot;
};

struct spot spot_of(const struct space *space, uint32_t cluster);

static inline enum shelf spot_shelf(const struct spot *spot)
{
    return (enum shelf)spot->leaf->shelf[spot->slot];
}

static inline uint64_t *spot_bitmap(const struct spot *spot)
{
    return spot->leaf->bitmap[spot->slot];
}

/* 512, less for the last cluster. */
static inline uint32_t cluster_size(const struct space *space, uint32_t cluster)
{
    return MIN(SPACE_CLUSTER, space->nr_blocks - cluster * SPACE_CLUSTER);
}

/* These blocks are free and now in use; `stream` holds a cluster begun. */
void space_take(struct space *space, uint32_t first, uint32_t nr, bool stream);

/* The shelf that a BACKED cluster belongs on, if it is not held. */
enum shelf shelf_by_runs(const struct spot *spot);
/* The only place where a cluster's shelf changes. */
void shelf_move(struct space *space, const struct spot *spot, enum shelf to);
/* Nearest cluster on an indexed shelf, at or after `from` or before `before`;
 * CLUSTER_NONE. */
uint32_t shelf_next(const struct space *space, enum shelf shelf, uint32_t from);
uint32_t shelf_prev(const struct space *space, enum shelf shelf,
                    uint32_t before);

/* Tables for clusters first..last, all or none. */
int tables_make(struct space *space, uint32_t first, uint32_t last);
/* Gives back the tables of these clusters that say nothing but UNBACKED. */
void tables_reap(struct space *space, uint32_t first, uint32_t last);
void tables_init(struct space *space);
/* All of them, whatever they say. */
void tables_fini(struct space *space);

#endif

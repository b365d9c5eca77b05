/* space.h - which blocks of the swap space are in use.  A pure algorithm.
 *
 * The space is cut into clusters of 512 blocks (2 MiB).  A cluster is UNBACKED
 * (no disk behind it: not allocatable), or BACKED.  Each BACKED cluster has a
 * bitmap, and stands on a shelf by its class, the power of two that its longest
 * free run holds; trees of bitmaps say which clusters are on a shelf, so that a
 * search takes three steps however large the space.  After FreeBSD's
 * subr_blist.c (bitmaps in a tree, next fit) and Linux's swapfile.c (clusters).
 *
 * Invariants
 *   S1  a block is handed out once until it is freed; never one UNBACKED.
 *   S2  space_alloc finds a block whenever one is free (no ENOSPC while blocks
 *       are free: invariant 8 of the design).
 *   S3  class of a cluster = the largest power of two that fits a free run.
 *   S4  nr_free + nr_used + nr_retired == 512 * backed clusters (the last
 *       cluster may be shorter).
 *
 * Ownership   memory for the tables comes from ops.page_alloc, 4 KiB at a time,
 *             when clusters are backed, and goes back when all that a page
 *             describes is UNBACKED again: 2 pages at least, 35 MiB a TiB.
 * Locking     none: the caller serialises.
 * Units       blocks of 4 KiB, clusters of SPACE_CLUSTER blocks.
 * Errors      0 or -errno: -ENOSPC, or what page_alloc returned.
 */
#ifndef SWAP_SPACE_H
#define SWAP_SPACE_H

#include "bits.h"

#define BLOCK_NONE UINT32_MAX
#define SPACE_CLUSTER 512u
/* Block numbers are 30 bits, so that a pagemap entry is 32: 4 TiB of swap. */
#define SPACE_MAX_BLOCKS (1u << 30)

/* Blocks that a page of tables describes at the most. */
#define SPACE_TABLE_BLOCKS (59u * SPACE_CLUSTER)

struct space_ops {
    /* 4096 zeroed bytes in *page; -EAGAIN or -ENOSPC if there are none. */
    int (*page_alloc)(void *ctx, void **page);
    void (*page_free)(void *ctx, void *page);
};

struct space;

struct space_stats {
    uint32_t nr_blocks;   /* the most there can ever be */
    uint32_t nr_backed;   /* blocks with disk behind them */
    uint32_t nr_free;     /* backed and free */
    uint32_t nr_used;
    uint32_t nr_retired;  /* withdrawn after a write error */
    uint32_t free_runs;   /* maximal free runs within clusters */
    uint32_t largest_run; /* rounded down to a power of two */
};

int space_create(struct space **space, uint32_t nr_blocks,
                 const struct space_ops *ops, void *ctx);
void space_destroy(struct space *space);

/* Lowest run of UNBACKED clusters: first block and number of blocks (at most
 * max_blocks rounded up to a cluster).  0 when everything is backed. */
uint32_t space_unbacked(struct space *space, uint32_t max_blocks,
                        uint32_t *first);
/* Makes these whole clusters BACKED and free, all or, on error, none. */
int space_back(struct space *space, uint32_t first, uint32_t nr);
/* Hands out the highest cluster that is wholly free and lies below block
 * `below` (nr_blocks to begin with), whole; false when there is none. */
bool space_claim(struct space *space, uint32_t below, uint32_t *first,
                 uint32_t *nr);
/* Makes a cluster that the caller has claimed UNBACKED, for him to punch. */
void space_unback(struct space *space, uint32_t first);

/* One contiguous run of 1..want blocks, as long as can be had; *got tells its
 * length.  hint: where the caller would like it, the block after that of its
 * preceding page (BLOCK_NONE: no preference); taken if a useful piece is free
 * there.  How the rest is chosen: space.c. */
int space_alloc(struct space *space, uint32_t hint, uint32_t want,
                uint32_t *first, uint32_t *got);
void space_free(struct space *space, uint32_t first, uint32_t nr);
/* As space_free, but never handed out again. */
void space_retire(struct space *space, uint32_t first, uint32_t nr);
bool space_is_used(const struct space *space, uint32_t block);
/* Of the cluster of this block, in 8 words: a bit for each block in use.  False
 * if some have been retired, which are not told from those. */
bool space_used(const struct space *space, uint32_t block,
                uint64_t used[SPACE_CLUSTER / 64]);

uint32_t space_nr_free(const struct space *space);
uint32_t space_nr_backed(const struct space *space);
void space_stats(const struct space *space, struct space_stats *stats);
/* Aborts if a table contradicts another: S1..S4. */
void space_check(const struct space *space);

#endif

/* swap_internal.h - the areas of a swap space, shared by its files.
 *
 * swap.c   birth and death, which area a run of blocks comes from, figures
 * area.c   files and devices come and go
 * size.c   they grow and shrink
 * claims.c whose the blocks are
 *
 * An area has a range of block numbers to itself, a multiple of a cluster long
 * and at least one number longer than the area is: so the last block of one and
 * the first of another are never neighbours, and no run of blocks is taken for
 * one transfer that lies in two files.
 *
 * Letters     (S) swap->lock, (c) constant while the area is listed
 */
#ifndef SWAP_SWAP_INTERNAL_H
#define SWAP_SWAP_INTERNAL_H

#include "swap.h"

struct swap_area {
    struct swap_file file;        /* (c) */
    struct swap_engine *engine;   /* (c) */
    struct space *space;          /* (S) its own blocks, from 0 on */
    uint32_t base;                /* (c) number of its first block */
    int priority;                 /* (c) */
    enum swap_area_state state;   /* (S) */
};

struct swap {
    struct arena *arena;          /* (c) */
    unsigned max_inflight;        /* (c) of each area */
    struct mutex lock;            /* (S) RANK_SWAP */
    struct cond resized;          /* `resizing` has become false */
    bool resizing;                /* (S) somebody is at size.c or area.c: areas
                                   * neither come nor go, but by him */
    struct swap_area *area[SWAP_AREAS_MAX]; /* (S) by priority, highest first */
    unsigned nr_areas;            /* (S) */
    unsigned turn;                /* (S) of areas of one priority: the next */
    uint32_t turn_left;           /* (S) blocks until it is another's */
    uint32_t nr_tables;           /* (S) frames, spare ones included */
    struct audit *audit;          /* (S) told of what comes and goes; NULL: none */
    void *spare[SWAP_GROW_TABLES]; /* (S) tables for the growth under way */
    unsigned nr_spare;            /* (S) */
};

/* --- swap.c --- */

/* The area of a block that is in use. */
struct swap_area *area_of(struct swap *swap, uint32_t block)
    REQUIRES(swap->lock);
/* The same of any number: NULL if it is of none. */
struct swap_area *area_find(struct swap *swap, uint32_t block)
    REQUIRES(swap->lock);

/* --- claims.c --- */

/* The allocator hands out, or takes back, these. */
void audit_tell(struct swap *swap, uint32_t first, uint32_t nr, bool in_use)
    REQUIRES(swap->lock);

/* --- area.c --- */

/* The memory of all areas: for the end. */
void area_destroy(struct swap *swap, struct swap_area *area);

/* --- size.c --- */

extern const struct space_ops swap_table_ops; /* ctx: the swap; lock held */

/* One at a time; the others wait. */
void resize_begin(struct swap *swap) EXCLUDES(swap->lock);
void resize_end(struct swap *swap) EXCLUDES(swap->lock);

#endif

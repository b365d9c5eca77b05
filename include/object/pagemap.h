/* pagemap.h - where each page of a file is: a radix tree that grows both ways.
 *
 * An entry is 32 bits:
 *
 *     HOLE            never written: reads zero, costs nothing
 *     ZERO            written with zeros, or preallocated: charged, no frame
 *     LOST            an I/O error ate it: charged, reads give EIO
 *     FRAME n         resident in frame n
 *     BLOCK n         on swap in block n
 *
 * Files of one page keep the entry in the root; then come leaves of 8, 16, 32
 * and 64 entries (as a file grows), and 64-ary nodes above leaves of 64.  A leaf
 * whose 64 entries are contiguous blocks, or all ZERO, folds into the slot of
 * its parent: 0.13 bytes a page.  Unfolding needs memory that must not be
 * refused, so the memory of a folded leaf is owed (arena.h, A6): it stays
 * charged, and unfolding may have to wait for a frame but never gets -ENOSPC.
 *
 * Invariants
 *   M1  nodes without entries do not exist; an empty map has no memory.
 *   M2  the map is as shallow as its last entry allows.
 *   M3  after pagemap_prepare(first, nr) returned 0, pagemap_set on those pages
 *       succeeds without allocating, until the caller drops the lock.  Without
 *       it, it does so over a FRAME entry, and (pagemap_set_run) when a whole
 *       run that pagemap_next_run returned becomes HOLE or ZERO, unless a folded
 *       leaf is cut by the bounds that were given there.
 *   M4  nr_present = entries that are not HOLE.
 *
 * Ownership   nodes are arena objects of the map; frames and blocks named by
 *             entries belong to whoever set them.
 * Locking     the caller's (RANK_OBJECT): pure but for the arena.
 * Units       page indexes below 2^51.
 * Errors      0, -EAGAIN (no frame for a node now: arena_wait, then again),
 *             -ENOSPC.
 */
#ifndef OBJECT_PAGEMAP_H
#define OBJECT_PAGEMAP_H

#include "arena.h"

#define PAGEMAP_MAX_PAGES ((uint64_t)1 << 51)
/* Pages of a leaf: the longest run. */
#define PAGEMAP_LEAF_PAGES 64u
/* So many pages of a file never take less: a leaf (owed or not), and a slot of the
 * node above, or the file's own node. */
#define PAGEMAP_LEAF_LEAST (PAGEMAP_LEAF_PAGES * 4u + 8u)
/* The most pages of one pagemap_prepare, and of one pagemap_fill. */
#define PAGEMAP_PREPARE_MAX 256u
#define PAGEMAP_FILL_MAX 16384u

enum entry_kind { ENTRY_HOLE, ENTRY_ZERO, ENTRY_LOST, ENTRY_FRAME, ENTRY_BLOCK };

/* Top two bits 0: HOLE, ZERO, LOST or a ZERO not settled; 1: FRAME; 2: BLOCK;
 * the rest of these is the number. */
typedef uint32_t pagemap_entry;

struct pagemap {
    uint64_t root;      /* a slot: entry, leaf, folded leaf or node */
    uint64_t nr_present;
    uint32_t nr_units;  /* memory in use, in units of 32 bytes */
    uint8_t height;     /* levels of nodes above the leaf level */
    _Atomic uint8_t tag; /* of whoever has the map, in a byte of padding */
};

static inline pagemap_entry pagemap_entry_make(enum entry_kind kind,
                                               uint32_t number)
{
    if (kind < ENTRY_FRAME)
        return (pagemap_entry)kind;
    return (pagemap_entry)(kind - ENTRY_FRAME + 1) << 30 | number;
}

static inline enum entry_kind pagemap_entry_kind(pagemap_entry entry)
{
    if (entry >> 30 != 0)
        return (enum entry_kind)(ENTRY_FRAME - 1 + (entry >> 30));
    return entry == 3 ? ENTRY_ZERO : (enum entry_kind)entry;
}

static inline uint32_t pagemap_entry_number(pagemap_entry entry)
{
    return entry & ((1u << 30) - 1);
}

pagemap_entry pagemap_get(struct arena *arena, const struct pagemap *map,
                          uint64_t index);
/* Reads entries of index..index+nr-1 into out. */
void pagemap_get_run(struct arena *arena, const struct pagemap *map,
                     uint64_t index, uint32_t nr, pagemap_entry *out);
/* Makes the nodes that index..index+nr-1 need, nr <= PAGEMAP_PREPARE_MAX.  The
 * caller then sets at least one entry in each aligned 64 of them (M1).  On error
 * nothing has changed. */
int pagemap_prepare(struct arena *arena, struct pagemap *map, uint64_t index,
                    uint32_t nr);
/* HOLE removes.  See M3. */
void pagemap_set(struct arena *arena, struct pagemap *map, uint64_t index,
                 pagemap_entry entry);

/* Pages that are alike and lie in one leaf: contiguous blocks, ZEROs, or one
 * page that is FRAME or LOST. */
struct pagemap_run {
    uint64_t index;
    uint32_t nr;
    pagemap_entry entry; /* the first page's */
};
/* The first run at or after index, below end; false if there is none.  Skips
 * absent subtrees whole. */
bool pagemap_next_run(struct arena *arena, const struct pagemap *map,
                      uint64_t index, uint64_t end, struct pagemap_run *run);
/* All pages of a run become `entry`: HOLE or ZERO. */
void pagemap_set_run(struct arena *arena, struct pagemap *map,
                     const struct pagemap_run *run, pagemap_entry entry);
/* First entry at or after index that is not HOLE, below end; returns its index
 * or `end`. */
uint64_t pagemap_next(struct arena *arena, const struct pagemap *map,
                      uint64_t index, uint64_t end, pagemap_entry *entry);
/* First HOLE at or after index, below end; else `end`. */
uint64_t pagemap_next_hole(struct arena *arena, const struct pagemap *map,
                           uint64_t index, uint64_t end);

/* Preallocation, in two steps so that it can be taken back exactly.
 * HOLEs among index..index+nr-1, nr <= PAGEMAP_FILL_MAX. */
uint32_t pagemap_holes(struct arena *arena, const struct pagemap *map,
                       uint64_t index, uint32_t nr);
/* They become ZEROs not settled; -EAGAIN and -ENOSPC may leave a part of them
 * done, and the call may be repeated. */
int pagemap_fill(struct arena *arena, struct pagemap *map, uint64_t index,
                 uint32_t nr);
/* ZEROs not settled become ZERO, or HOLE again if !keep; returns how many. */
uint32_t pagemap_settle(struct arena *arena, struct pagemap *map,
                        uint64_t index, uint32_t nr, bool keep);

/* Folds the leaf of `index` if it may be; allocates nothing. */
void pagemap_fold(struct arena *arena, struct pagemap *map, uint64_t index);
/* Bytes of memory that the map uses now. */
static inline uint64_t pagemap_bytes(const struct pagemap *map)
{
    return (uint64_t)map->nr_units << HANDLE_SHIFT;
}
/* Debug builds: M1, M2, M4. */
void pagemap_check(struct arena *arena, const struct pagemap *map);

#endif

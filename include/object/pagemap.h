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
 * its parent: 0.13 bytes a page.  Folding and unfolding are invisible here but
 * for one thing: unfolding needs memory that must not be refused, so the charge
 * for a leaf is kept while it is folded (pagemap_reserve; M3).
 *
 * Invariants
 *   M1  nodes without entries do not exist; an empty map has no memory.
 *   M2  the map is as shallow as its last entry allows.
 *   M3  after pagemap_prepare(first, nr) returned 0, pagemap_set on those pages
 *       succeeds without allocating, until the caller drops the lock; and
 *       pagemap_set of FRAME/BLOCK/LOST/ZERO over a present entry never fails.
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

enum entry_kind { ENTRY_HOLE, ENTRY_ZERO, ENTRY_LOST, ENTRY_FRAME, ENTRY_BLOCK };

/* kind in the top bits, number (frame or block, below 2^30) in the rest. */
typedef uint32_t pagemap_entry;

struct pagemap {
    uint64_t root;      /* a slot: entry, leaf, folded leaf or node */
    uint64_t nr_present;
    uint8_t height;     /* levels of nodes above the leaf level */
};

pagemap_entry pagemap_entry_make(enum entry_kind kind, uint32_t number);
enum entry_kind pagemap_entry_kind(pagemap_entry entry);
uint32_t pagemap_entry_number(pagemap_entry entry);

pagemap_entry pagemap_get(struct arena *arena, const struct pagemap *map,
                          uint64_t index);
/* Reads entries of index..index+nr-1 into out. */
void pagemap_get_run(struct arena *arena, const struct pagemap *map,
                     uint64_t index, uint32_t nr, pagemap_entry *out);
/* Makes the nodes that index..index+nr-1 need, nr <= 256. */
int pagemap_prepare(struct arena *arena, struct pagemap *map, uint64_t index,
                    uint32_t nr);
/* HOLE removes.  See M3. */
void pagemap_set(struct arena *arena, struct pagemap *map, uint64_t index,
                 pagemap_entry entry);
/* First entry at or after index that is not HOLE, below end; returns its index
 * or `end`.  Skips absent subtrees whole. */
uint64_t pagemap_next(struct arena *arena, const struct pagemap *map,
                      uint64_t index, uint64_t end, pagemap_entry *entry);
/* First HOLE at or after index, below end; else `end`. */
uint64_t pagemap_next_hole(struct arena *arena, const struct pagemap *map,
                           uint64_t index, uint64_t end);
/* Folds the leaf of `index` if it may be. */
void pagemap_fold(struct arena *arena, struct pagemap *map, uint64_t index);
/* Bytes of memory that the map uses now. */
uint64_t pagemap_bytes(struct arena *arena, const struct pagemap *map);
/* Debug builds: M1, M2, M4. */
void pagemap_check(struct arena *arena, const struct pagemap *map);

#endif

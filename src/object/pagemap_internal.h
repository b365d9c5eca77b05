/* pagemap_internal.h - slots, and what the files of the pagemap lend each other.
 *
 * A slot is 64 bits: what is at one place of the tree.
 *
 *     bits 0..31   value: an entry, the first entry of a folded leaf, or the
 *                  arena handle of a leaf or node
 *     bits 32..39  used: entries of a leaf that are not HOLE, slots of a node
 *                  that are not EMPTY
 *     bits 40..47  log2 of a leaf's number of entries
 *     bits 48..55  tag
 *
 * The leaf level's slots are EMPTY, ENTRY (root only), LEAF or FOLD; the levels
 * above have EMPTY and NODE.  Zero is EMPTY.
 */
#ifndef OBJECT_PAGEMAP_INTERNAL_H
#define OBJECT_PAGEMAP_INTERNAL_H

#include "pagemap.h"

#define LEAF_SHIFT 6
#define LEAF_ENTRIES PAGEMAP_LEAF_PAGES
#define NODE_SHIFT 6
#define NODE_SLOTS (1u << NODE_SHIFT)
#define NODE_BYTES (NODE_SLOTS * sizeof(uint64_t))
/* Leaf level and levels of nodes that 2^51 pages may need. */
#define MAX_LEVELS 9u

/* A ZERO not settled: pagemap_settle may make it a HOLE again. */
#define ENTRY_ZERO_FRESH ((pagemap_entry)3)

enum slot_tag { SLOT_EMPTY, SLOT_ENTRY, SLOT_LEAF, SLOT_FOLD, SLOT_NODE };

static inline uint64_t slot_make(enum slot_tag tag, uint32_t value,
                                 unsigned used, unsigned shift)
{
    return (uint64_t)tag << 48 | (uint64_t)shift << 40 | (uint64_t)used << 32 |
           value;
}

static inline enum slot_tag slot_tag(uint64_t slot)
{
    return (enum slot_tag)(slot >> 48);
}

static inline uint32_t slot_value(uint64_t slot)
{
    return (uint32_t)slot;
}

static inline unsigned slot_used(uint64_t slot)
{
    return (slot >> 32) & 0xff;
}

static inline void slot_use(uint64_t *slot, int more)
{
    *slot += (uint64_t)(int64_t)more << 32;
}

/* Entries that the slot of a leaf or entry reaches. */
static inline unsigned slot_size(uint64_t slot)
{
    return 1u << ((slot >> 40) & 0xff);
}

/* --- pagemap_leaf.c: one slot of the leaf level -------------------------------
 * `i` counts entries within the leaf; map is for its counters. */

pagemap_entry leaf_get(struct arena *arena, uint64_t slot, unsigned i);
/* Makes it a LEAF that reaches entry `last`.  `alone`: it is the map's only
 * leaf, which may be small, and none at all for entry 0. */
int leaf_prepare(struct arena *arena, struct pagemap *map, uint64_t *slot,
                 unsigned last, bool alone);
/* nr entries become `entry`, the same for all; a leaf left empty is EMPTY. */
void leaf_set(struct arena *arena, struct pagemap *map, uint64_t *slot,
              unsigned i, unsigned nr, pagemap_entry entry);
/* An EMPTY slot of 64 HOLEs becomes a folded leaf of ZEROs not settled. */
int leaf_fill(struct arena *arena, struct pagemap *map, uint64_t *slot);
unsigned leaf_settle(struct arena *arena, struct pagemap *map, uint64_t *slot,
                     unsigned i, unsigned nr, bool keep);
/* First run within i..end-1; run->index is set to its place in the leaf. */
bool leaf_run(struct arena *arena, uint64_t slot, unsigned i, unsigned end,
              struct pagemap_run *run);
unsigned leaf_next_hole(struct arena *arena, uint64_t slot, unsigned i,
                        unsigned end);
void leaf_fold(struct arena *arena, struct pagemap *map, uint64_t *slot);
/* The only leaf left: an ENTRY if it holds no more than entry 0. */
void leaf_shrink(struct arena *arena, struct pagemap *map, uint64_t *slot);
/* Frees a leaf in which nothing was set. */
void leaf_drop_unused(struct arena *arena, struct pagemap *map, uint64_t *slot);

/* --- pagemap_node.c: the levels above ----------------------------------------- */

/* From the root, slot[map->height], down to the leaf level, slot[0]. */
struct path {
    uint64_t *slot[MAX_LEVELS];
};

/* The leaf-level slot of index, EMPTY if there is none; *next is the first index
 * that has another slot (or may have one, when the subtree is absent). */
uint64_t map_node_find(struct arena *arena, const struct pagemap *map,
                   uint64_t index, uint64_t *next);
bool path_find(struct arena *arena, struct pagemap *map, uint64_t index,
               struct path *path);
/* Makes the nodes on the way.  The caller calls path_changed, whatever it does
 * with slot[0].  On error nothing has changed. */
int path_make(struct arena *arena, struct pagemap *map, uint64_t index,
              struct path *path);
/* slot[0] was `before`: counts and frees nodes on the way (M1, M2). */
void path_changed(struct arena *arena, struct pagemap *map, struct path *path,
                  uint64_t before);

#endif

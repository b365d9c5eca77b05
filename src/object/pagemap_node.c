/* pagemap_node.c - the levels above the leaves: found, made, taken away.
 *
 * A node is 64 slots (512 bytes) at level k >= 1; each of its slots stands for
 * 64^k pages and holds a node of level k-1, or at level 1 the slot of a leaf.
 * The root slot has level `height`.  A slot counts what it leads to (`used`), so
 * a node that has become empty is seen without looking at it, and freed (M1).
 *
 * The tree grows at the root: a new root node takes the old root as its slot 0.
 * It shrinks there too, when slot 0 is all that a root node has left (M2).
 *
 * Between path_make and path_changed there may be nodes that lead nowhere;
 * path_changed counts the leaf in, or takes such nodes away again.
 */
#include "pagemap_internal.h"

#include "log.h"

/* The number of the level-`level` slot that index lies in, among its siblings. */
static unsigned slot_number(uint64_t index, unsigned level)
{
    return (index >> (LEAF_SHIFT + NODE_SHIFT * level)) & (NODE_SLOTS - 1);
}

static uint64_t *child(const struct arena *arena, uint64_t node,
                       uint64_t index, unsigned level)
{
    uint64_t *slots = arena_ptr(arena, slot_value(node));

    return &slots[slot_number(index, level)];
}

/* A map of this height has a slot for index. */
static bool reaches(unsigned height, uint64_t index)
{
    return index >> (LEAF_SHIFT + NODE_SHIFT * height) == 0;
}

uint64_t map_node_find(struct arena *arena, const struct pagemap *map,
                   uint64_t index, uint64_t *next)
{
    unsigned level = map->height;
    uint64_t slot = map->root;

    if (!reaches(level, index)) {
        *next = PAGEMAP_MAX_PAGES;
        return 0;
    }
    while (level > 0 && slot != 0) {
        level--;
        slot = *child(arena, slot, index, level);
    }
    *next = ((index >> (LEAF_SHIFT + NODE_SHIFT * level)) + 1)
            << (LEAF_SHIFT + NODE_SHIFT * level);
    return slot;
}

bool path_find(struct arena *arena, struct pagemap *map, uint64_t index,
               struct path *path)
{
    unsigned level = map->height;

    if (!reaches(level, index))
        return false;
    path->slot[level] = &map->root;
    while (level > 0) {
        if (*path->slot[level] == 0)
            return false;
        path->slot[level - 1] = child(arena, *path->slot[level], index,
                                      level - 1);
        level--;
    }
    return *path->slot[0] != 0;
}

static int node_alloc(struct arena *arena, struct pagemap *map, uint64_t *slot)
{
    void *node;
    int err = arena_alloc(arena, NODE_BYTES, &node);

    if (err)
        return err;
    map->nr_units += (uint32_t)(NODE_BYTES >> HANDLE_SHIFT);
    *slot = slot_make(SLOT_NODE, arena_handle(arena, node), 0, 0);
    return 0;
}

static void node_free(struct arena *arena, struct pagemap *map, uint64_t slot)
{
    map->nr_units -= (uint32_t)(NODE_BYTES >> HANDLE_SHIFT);
    arena_free(arena, arena_ptr(arena, slot_value(slot)));
}

/* Takes levels away that the map does not need (M2). */
static void lower(struct arena *arena, struct pagemap *map)
{
    while (map->height > 0 && map->root != 0) {
        uint64_t root = map->root;
        uint64_t first = *child(arena, root, 0, map->height - 1u);

        if (slot_used(root) != 1 || first == 0)
            return;
        node_free(arena, map, root);
        map->root = first;
        map->height--;
    }
    map->height = 0;
    leaf_shrink(arena, map, &map->root);
}

/* Adds levels until index has a slot. */
static int raise(struct arena *arena, struct pagemap *map, uint64_t index)
{
    int err = 0;

    while (!err && !reaches(map->height, index)) {
        uint64_t old = map->root, root;

        if (old == 0) {
            map->height++;
            continue;
        }
        if (map->height == 0 && slot_tag(old) != SLOT_FOLD) {
            err = leaf_prepare(arena, map, &map->root, 0, false);
            old = map->root;
        }
        if (!err)
            err = node_alloc(arena, map, &root);
        if (err)
            continue;
        *child(arena, root, 0, map->height) = old;
        slot_use(&root, 1);
        map->root = root;
        map->height++;
    }
    if (err)
        lower(arena, map);
    return err;
}

/* Frees the nodes from `level` up that lead nowhere. */
static void prune(struct arena *arena, struct pagemap *map, struct path *path,
                  unsigned level)
{
    for (; level <= map->height; level++) {
        uint64_t node = *path->slot[level];

        if (slot_used(node) != 0)
            break;
        node_free(arena, map, node);
        *path->slot[level] = 0;
        if (level < map->height)
            slot_use(path->slot[level + 1], -1);
    }
    lower(arena, map);
}

int path_make(struct arena *arena, struct pagemap *map, uint64_t index,
              struct path *path)
{
    int err = raise(arena, map, index);

    if (err)
        return err;
    path->slot[map->height] = &map->root;
    for (unsigned level = map->height; level > 0; level--) {
        uint64_t *slot = path->slot[level];

        if (*slot == 0) {
            err = node_alloc(arena, map, slot);
            if (err) {
                prune(arena, map, path, level + 1);
                return err;
            }
            if (level < map->height)
                slot_use(path->slot[level + 1], 1);
        }
        path->slot[level - 1] = child(arena, *slot, index, level - 1);
    }
    return 0;
}

void path_changed(struct arena *arena, struct pagemap *map, struct path *path,
                  uint64_t before)
{
    uint64_t now = *path->slot[0];

    if (map->height > 0 && (before == 0) != (now == 0))
        slot_use(path->slot[1], now == 0 ? -1 : 1);
    if (now == 0)
        prune(arena, map, path, 1);
}

#ifdef PAGERFS_DEBUG
struct counts {
    uint64_t present, units;
};

static void check_leaf(struct arena *arena, uint64_t slot, bool alone,
                       struct counts *counts)
{
    unsigned used = 0;

    INVARIANT("M1", slot_used(slot) > 0);
    INVARIANT("M2", slot_tag(slot) != SLOT_ENTRY || alone);
    INVARIANT("M2", slot_tag(slot) != SLOT_LEAF || alone ||
                        slot_size(slot) == LEAF_ENTRIES);
    INVARIANT("M1", slot_tag(slot) != SLOT_NODE);
    for (unsigned i = 0; i < LEAF_ENTRIES; i++)
        used += leaf_get(arena, slot, i) != 0;
    INVARIANT("M4", used == slot_used(slot));
    counts->present += used;
    if (slot_tag(slot) == SLOT_LEAF)
        counts->units += slot_size(slot) * sizeof(pagemap_entry) >> HANDLE_SHIFT;
}

static void check_node(struct arena *arena, uint64_t slot, unsigned level,
                       struct counts *counts)
{
    unsigned used = 0;

    INVARIANT("M1", slot_tag(slot) == SLOT_NODE);
    counts->units += NODE_BYTES >> HANDLE_SHIFT;
    for (unsigned i = 0; i < NODE_SLOTS; i++) {
        uint64_t below = ((uint64_t *)arena_ptr(arena, slot_value(slot)))[i];

        if (below == 0)
            continue;
        used++;
        if (level == 1)
            check_leaf(arena, below, false, counts);
        else
            check_node(arena, below, level - 1, counts);
    }
    INVARIANT("M1", used > 0 && used == slot_used(slot));
}

void pagemap_check(struct arena *arena, const struct pagemap *map)
{
    struct counts counts = { 0, 0 };

    if (map->root == 0)
        INVARIANT("M2", map->height == 0);
    else if (map->height == 0)
        check_leaf(arena, map->root, true, &counts);
    else
        check_node(arena, map->root, map->height, &counts);
    INVARIANT("M2", map->height == 0 || slot_used(map->root) > 1 ||
                        *child(arena, map->root, 0, map->height - 1u) == 0);
    INVARIANT("M4", counts.present == map->nr_present);
    INVARIANT("M1", counts.units == map->nr_units);
}
#else
void pagemap_check(struct arena *arena, const struct pagemap *map)
{
    (void)arena;
    (void)map;
}
#endif

/* pagemap.c - the map of one file, as others see it: entries by page index.
 *
 * Every call that changes something works leaf by leaf: find or make the way
 * down (pagemap_node.c), change the leaf's slot (pagemap_leaf.c), count the
 * change upwards.  Every call that looks walks from leaf to leaf, and passes
 * over an absent subtree of any size in one step.
 *
 * Memory is asked for in pagemap_prepare and pagemap_fill only.  prepare is all
 * or nothing: leaves that it has made for nothing are found by their being
 * empty, and leaves that it has unfolded for nothing are folded again.
 *
 * Removal frees as it goes, so an empty map has no memory without being told.
 */
#include "pagemap_internal.h"

#include "log.h"

#include <string.h>

static unsigned in_leaf(uint64_t index)
{
    return index & (LEAF_ENTRIES - 1);
}

/* The first index of the next leaf. */
static uint64_t leaf_end(uint64_t index)
{
    return (index | (LEAF_ENTRIES - 1)) + 1;
}

pagemap_entry pagemap_get(struct arena *arena, const struct pagemap *map,
                          uint64_t index)
{
    uint64_t next;

    return leaf_get(arena, map_node_find(arena, map, index, &next), in_leaf(index));
}

void pagemap_get_run(struct arena *arena, const struct pagemap *map,
                     uint64_t index, uint32_t nr, pagemap_entry *out)
{
    uint64_t end = index + nr, next;

    for (uint64_t at = index; at < end; at = next) {
        uint64_t slot = map_node_find(arena, map, at, &next);

        next = MIN(next, end);
        if (slot == 0) {
            memset(&out[at - index], 0, (size_t)(next - at) * sizeof(*out));
            continue;
        }
        for (uint64_t i = at; i < next; i++)
            out[i - index] = leaf_get(arena, slot, in_leaf(i));
    }
}

/* --- making room --------------------------------------------------------------- */

/* Entries index..last, of one leaf, can be set. */
static int prepare_leaf(struct arena *arena, struct pagemap *map,
                        uint64_t index, uint64_t last)
{
    struct path path;
    uint64_t before;
    int err = path_make(arena, map, index, &path);

    if (err)
        return err;
    before = *path.slot[0];
    err = leaf_prepare(arena, map, path.slot[0], in_leaf(last),
                       map->height == 0);
    path_changed(arena, map, &path, before);
    return err;
}

/* Takes back what prepare_leaf has made for nothing, for index..end-1. */
static void unprepare(struct arena *arena, struct pagemap *map, uint64_t index,
                      uint64_t end)
{
    for (; index < end; index = leaf_end(index)) {
        struct path path;
        uint64_t before;

        if (!path_find(arena, map, index, &path))
            continue;
        before = *path.slot[0];
        leaf_drop_unused(arena, map, path.slot[0]);
        leaf_fold(arena, map, path.slot[0]);
        path_changed(arena, map, &path, before);
        if (map->height == 0)
            leaf_shrink(arena, map, &map->root);
    }
}

int pagemap_prepare(struct arena *arena, struct pagemap *map, uint64_t index,
                    uint32_t nr)
{
    uint64_t end = index + nr;

    INVARIANT("M3", nr <= PAGEMAP_PREPARE_MAX && end <= PAGEMAP_MAX_PAGES);
    for (uint64_t at = index; at < end; at = leaf_end(at)) {
        int err = prepare_leaf(arena, map, at, MIN(leaf_end(at), end) - 1);

        if (err) {
            unprepare(arena, map, index, at);
            return err;
        }
    }
    return 0;
}

/* --- setting ------------------------------------------------------------------- */

/* Entries index..index+nr-1, of one leaf. */
static void set(struct arena *arena, struct pagemap *map, uint64_t index,
                unsigned nr, pagemap_entry entry)
{
    struct path path;
    uint64_t before;

    if (!path_find(arena, map, index, &path)) {
        if (entry == 0)
            return;
        INVARIANT("M3", map->height == 0 && index == 0);
        path.slot[0] = &map->root;
    }
    before = *path.slot[0];
    leaf_set(arena, map, path.slot[0], in_leaf(index), nr, entry);
    path_changed(arena, map, &path, before);
    if (entry == 0 && map->height == 0)
        leaf_shrink(arena, map, &map->root);
}

void pagemap_set(struct arena *arena, struct pagemap *map, uint64_t index,
                 pagemap_entry entry)
{
    if (entry == 0 && pagemap_get(arena, map, index) == 0)
        return;
    set(arena, map, index, 1, entry);
}

void pagemap_set_run(struct arena *arena, struct pagemap *map,
                     const struct pagemap_run *run, pagemap_entry entry)
{
    set(arena, map, run->index, run->nr, entry);
}

void pagemap_fold(struct arena *arena, struct pagemap *map, uint64_t index)
{
    struct path path;

    if (path_find(arena, map, index, &path))
        leaf_fold(arena, map, path.slot[0]);
}

/* --- looking ------------------------------------------------------------------- */

bool pagemap_next_run(struct arena *arena, const struct pagemap *map,
                      uint64_t index, uint64_t end, struct pagemap_run *run)
{
    uint64_t next;

    for (uint64_t at = index; at < end; at = next) {
        uint64_t slot = map_node_find(arena, map, at, &next);

        next = MIN(next, end);
        if (slot == 0 ||
            !leaf_run(arena, slot, in_leaf(at), in_leaf(next - 1) + 1, run))
            continue;
        run->index += at - in_leaf(at);
        return true;
    }
    return false;
}

uint64_t pagemap_next(struct arena *arena, const struct pagemap *map,
                      uint64_t index, uint64_t end, pagemap_entry *entry)
{
    struct pagemap_run run;

    if (!pagemap_next_run(arena, map, index, end, &run))
        return end;
    *entry = run.entry;
    return run.index;
}

uint64_t pagemap_next_hole(struct arena *arena, const struct pagemap *map,
                           uint64_t index, uint64_t end)
{
    uint64_t next;

    for (uint64_t at = index; at < end; at = next) {
        uint64_t slot = map_node_find(arena, map, at, &next);
        unsigned i = in_leaf(at), last;

        if (slot == 0)
            return at;
        next = MIN(next, end);
        last = in_leaf(next - 1);
        i = leaf_next_hole(arena, slot, i, last + 1);
        if (i <= last)
            return at - in_leaf(at) + i;
    }
    return end;
}

/* --- preallocation ------------------------------------------------------------- */

static unsigned leaf_holes(struct arena *arena, uint64_t slot, unsigned i,
                           unsigned nr)
{
    unsigned holes = 0;

    if (nr == LEAF_ENTRIES)
        return LEAF_ENTRIES - slot_used(slot);
    for (; nr > 0; i++, nr--)
        holes += leaf_get(arena, slot, i) == 0;
    return holes;
}

uint32_t pagemap_holes(struct arena *arena, const struct pagemap *map,
                       uint64_t index, uint32_t nr)
{
    uint64_t end = index + nr, holes = 0, next;

    for (uint64_t at = index; at < end; at = next) {
        uint64_t slot = map_node_find(arena, map, at, &next);

        next = MIN(next, end);
        holes += slot == 0 ? next - at
                           : leaf_holes(arena, slot, in_leaf(at),
                                        (unsigned)(next - at));
    }
    return (uint32_t)holes;
}

/* A leaf that would be all ZERO is made folded. */
static int fill_absent(struct arena *arena, struct pagemap *map, uint64_t index)
{
    struct path path;
    int err = path_make(arena, map, index, &path);

    if (err)
        return err;
    err = leaf_fill(arena, map, path.slot[0]);
    path_changed(arena, map, &path, 0);
    return err;
}

static int fill_leaf(struct arena *arena, struct pagemap *map, uint64_t index,
                     unsigned nr)
{
    uint64_t next, slot = map_node_find(arena, map, index, &next);
    int err;

    if (slot == 0 && nr == LEAF_ENTRIES)
        return fill_absent(arena, map, index);
    if (leaf_holes(arena, slot, in_leaf(index), nr) == 0)
        return 0;
    err = prepare_leaf(arena, map, index, index + nr - 1);
    if (err)
        return err;
    for (uint64_t at = index; at < index + nr; at++)
        if (pagemap_get(arena, map, at) == 0)
            set(arena, map, at, 1, ENTRY_ZERO_FRESH);
    return 0;
}

int pagemap_fill(struct arena *arena, struct pagemap *map, uint64_t index,
                 uint32_t nr)
{
    uint64_t end = index + nr;

    INVARIANT("M3", nr <= PAGEMAP_FILL_MAX && end <= PAGEMAP_MAX_PAGES);
    for (uint64_t at = index; at < end; at = leaf_end(at)) {
        uint64_t stop = MIN(leaf_end(at), end);
        int err = fill_leaf(arena, map, at, (unsigned)(stop - at));

        if (err)
            return err;
    }
    return 0;
}

uint32_t pagemap_settle(struct arena *arena, struct pagemap *map,
                        uint64_t index, uint32_t nr, bool keep)
{
    uint64_t end = index + nr;
    uint32_t settled = 0;

    for (uint64_t at = index; at < end; at = leaf_end(at)) {
        unsigned part = (unsigned)(MIN(leaf_end(at), end) - at);
        struct path path;
        uint64_t before;

        if (!path_find(arena, map, at, &path))
            continue;
        before = *path.slot[0];
        settled += leaf_settle(arena, map, path.slot[0], in_leaf(at), part, keep);
        if (keep)
            leaf_fold(arena, map, path.slot[0]);
        path_changed(arena, map, &path, before);
        if (!keep && map->height == 0)
            leaf_shrink(arena, map, &map->root);
    }
    return settled;
}

/* pagemap_leaf.c - up to 64 entries: in the slot itself, in a leaf, or folded.
 *
 *     EMPTY --set entry 0--> ENTRY             only in the root of a small file
 *     EMPTY, ENTRY --prepare--> LEAF 8 -> 16 -> 32 -> 64
 *     LEAF --fold--> FOLD                      64 contiguous blocks, or 64 ZEROs
 *     EMPTY --fill--> FOLD                     of ZEROs not settled
 *     FOLD --prepare--> LEAF                   memory that is owed: never -ENOSPC
 *     LEAF --the last entry goes--> EMPTY
 *     LEAF of entry 0 alone --shrink--> ENTRY
 *
 * A folded leaf is its first entry: entry i of it is that plus i for blocks, and
 * that itself for ZEROs.  Its memory has been given back but is owed (arena.h),
 * so that it can be unfolded however full the mount is.  Folding itself frees
 * and charges nothing, and so may be done where nothing may fail: in pageout.
 *
 * A leaf does not become smaller again while it has two entries or more: a file
 * cut short is mostly on its way to be removed or written again.
 */
#include "pagemap_internal.h"

#include "log.h"

#include <string.h>

enum { LEAF_MIN_SHIFT = 3 };
#define LEAF_BYTES (LEAF_ENTRIES * sizeof(pagemap_entry))

static pagemap_entry *leaf_entries(const struct arena *arena, uint64_t slot)
{
    return arena_ptr(arena, slot_value(slot));
}

static pagemap_entry fold_get(uint64_t slot, unsigned i)
{
    pagemap_entry first = slot_value(slot);

    return pagemap_entry_kind(first) == ENTRY_BLOCK ? first + i : first;
}

pagemap_entry leaf_get(struct arena *arena, uint64_t slot, unsigned i)
{
    switch (slot_tag(slot)) {
    case SLOT_ENTRY:
        return i == 0 ? slot_value(slot) : 0;
    case SLOT_LEAF:
        return i < slot_size(slot) ? leaf_entries(arena, slot)[i] : 0;
    case SLOT_FOLD:
        return fold_get(slot, i);
    case SLOT_EMPTY:
    case SLOT_NODE:
        break;
    }
    return 0;
}

static void account(struct pagemap *map, size_t bytes, bool more)
{
    uint32_t units = (uint32_t)(bytes >> HANDLE_SHIFT);

    map->nr_units = more ? map->nr_units + units : map->nr_units - units;
}

static size_t leaf_bytes(uint64_t slot)
{
    return slot_size(slot) * sizeof(pagemap_entry);
}

static void leaf_free(struct arena *arena, struct pagemap *map, uint64_t slot)
{
    account(map, leaf_bytes(slot), false);
    arena_free(arena, leaf_entries(arena, slot));
}

static int unfold(struct arena *arena, struct pagemap *map, uint64_t *slot)
{
    pagemap_entry *entries;
    void *leaf;
    int err = arena_alloc_owed(arena, LEAF_BYTES, &leaf);

    if (err)
        return err;
    entries = leaf;
    for (unsigned i = 0; i < LEAF_ENTRIES; i++)
        entries[i] = fold_get(*slot, i);
    account(map, LEAF_BYTES, true);
    *slot = slot_make(SLOT_LEAF, arena_handle(arena, leaf), LEAF_ENTRIES,
                      LEAF_SHIFT);
    return 0;
}

/* A new leaf, or a larger one with the old one's entries. */
static int grow(struct arena *arena, struct pagemap *map, uint64_t *slot,
                unsigned shift)
{
    size_t bytes = sizeof(pagemap_entry) << shift;
    uint64_t old = *slot;
    pagemap_entry *entries;
    void *leaf;
    int err = arena_alloc(arena, bytes, &leaf);

    if (err)
        return err;
    entries = leaf;
    if (slot_tag(old) == SLOT_ENTRY) {
        entries[0] = slot_value(old);
    } else if (slot_tag(old) == SLOT_LEAF) {
        memcpy(entries, leaf_entries(arena, old), leaf_bytes(old));
        leaf_free(arena, map, old);
    }
    account(map, bytes, true);
    *slot = slot_make(SLOT_LEAF, arena_handle(arena, leaf), slot_used(old),
                      shift);
    return 0;
}

int leaf_prepare(struct arena *arena, struct pagemap *map, uint64_t *slot,
                 unsigned last, bool alone)
{
    unsigned shift = LEAF_SHIFT;

    if (slot_tag(*slot) == SLOT_FOLD)
        return unfold(arena, map, slot);
    if (alone) {
        if (last == 0 && slot_tag(*slot) != SLOT_LEAF)
            return 0;
        shift = LEAF_MIN_SHIFT;
        while (last >> shift != 0)
            shift++;
    }
    if (slot_tag(*slot) == SLOT_LEAF && slot_size(*slot) >= 1u << shift)
        return 0;
    return grow(arena, map, slot, shift);
}

/* Entries of a LEAF; returns how many more of them are not HOLE now. */
static int set_entries(pagemap_entry *entries, unsigned nr, pagemap_entry entry)
{
    int more = 0;

    for (unsigned i = 0; i < nr; i++) {
        more += (entry != 0) - (entries[i] != 0);
        entries[i] = entry;
    }
    return more;
}

static void set_fold(struct arena *arena, struct pagemap *map, uint64_t *slot,
                     unsigned nr, pagemap_entry entry)
{
    INVARIANT("M3", nr == LEAF_ENTRIES);
    INVARIANT("M3", pagemap_entry_kind(entry) <= ENTRY_ZERO);
    (void)nr;
    if (entry != 0) {
        *slot = slot_make(SLOT_FOLD, entry, LEAF_ENTRIES, LEAF_SHIFT);
        return;
    }
    arena_forgive(arena, LEAF_BYTES, 1);
    map->nr_present -= LEAF_ENTRIES;
    *slot = 0;
}

void leaf_set(struct arena *arena, struct pagemap *map, uint64_t *slot,
              unsigned i, unsigned nr, pagemap_entry entry)
{
    int more;

    switch (slot_tag(*slot)) {
    case SLOT_EMPTY:
    case SLOT_ENTRY:
        INVARIANT("M3", i == 0 && nr == 1);
        map->nr_present += (uint64_t)(entry != 0) - (*slot != 0);
        *slot = entry ? slot_make(SLOT_ENTRY, entry, 1, 0) : 0;
        break;
    case SLOT_LEAF:
        INVARIANT("M3", i + nr <= slot_size(*slot));
        more = set_entries(leaf_entries(arena, *slot) + i, nr, entry);
        map->nr_present += (uint64_t)(int64_t)more;
        slot_use(slot, more);
        if (entry == 0)
            leaf_drop_unused(arena, map, slot);
        break;
    case SLOT_FOLD:
        set_fold(arena, map, slot, nr, entry);
        break;
    case SLOT_NODE:
        INVARIANT("M3", false);
        break;
    }
}

int leaf_fill(struct arena *arena, struct pagemap *map, uint64_t *slot)
{
    int err = arena_owe(arena, LEAF_BYTES, 1);

    if (err)
        return err;
    *slot = slot_make(SLOT_FOLD, ENTRY_ZERO_FRESH, LEAF_ENTRIES, LEAF_SHIFT);
    map->nr_present += LEAF_ENTRIES;
    return 0;
}

unsigned leaf_settle(struct arena *arena, struct pagemap *map, uint64_t *slot,
                     unsigned i, unsigned nr, bool keep)
{
    pagemap_entry to = keep ? ENTRY_ZERO : ENTRY_HOLE;
    unsigned settled = 0;

    if (slot_tag(*slot) == SLOT_FOLD) {
        if (slot_value(*slot) != ENTRY_ZERO_FRESH)
            return 0;
        leaf_set(arena, map, slot, i, nr, to);
        return nr;
    }
    for (; nr > 0; i++, nr--) {
        if (leaf_get(arena, *slot, i) == ENTRY_ZERO_FRESH) {
            leaf_set(arena, map, slot, i, 1, to);
            settled++;
        }
    }
    return settled;
}

/* Entry b may follow entry a in one run. */
static bool follows(pagemap_entry a, pagemap_entry b)
{
    enum entry_kind kind = pagemap_entry_kind(a);

    if (kind == ENTRY_BLOCK)
        return b == a + 1;
    return kind == ENTRY_ZERO && b == a;
}

bool leaf_run(struct arena *arena, uint64_t slot, unsigned i, unsigned end,
              struct pagemap_run *run)
{
    pagemap_entry entry = 0;

    if (slot_tag(slot) != SLOT_FOLD)
        end = MIN(end, slot_size(slot));
    while (i < end && (entry = leaf_get(arena, slot, i)) == 0)
        i++;
    if (i >= end)
        return false;
    run->index = i;
    run->entry = entry;
    for (run->nr = 1; i + run->nr < end; run->nr++) {
        pagemap_entry next = leaf_get(arena, slot, i + run->nr);

        if (!follows(entry, next))
            break;
        entry = next;
    }
    return true;
}

unsigned leaf_next_hole(struct arena *arena, uint64_t slot, unsigned i,
                        unsigned end)
{
    if (slot_used(slot) == LEAF_ENTRIES)
        return end;
    while (i < end && leaf_get(arena, slot, i) != 0)
        i++;
    return i;
}

void leaf_fold(struct arena *arena, struct pagemap *map, uint64_t *slot)
{
    const pagemap_entry *entries;
    pagemap_entry first;

    if (slot_tag(*slot) != SLOT_LEAF || slot_used(*slot) != LEAF_ENTRIES)
        return;
    entries = leaf_entries(arena, *slot);
    first = entries[0];
    for (unsigned i = 1; i < LEAF_ENTRIES; i++)
        if (!follows(entries[i - 1], entries[i]))
            return;
    account(map, LEAF_BYTES, false);
    arena_free_owed(arena, leaf_entries(arena, *slot));
    *slot = slot_make(SLOT_FOLD, first, LEAF_ENTRIES, LEAF_SHIFT);
}

void leaf_shrink(struct arena *arena, struct pagemap *map, uint64_t *slot)
{
    pagemap_entry entry;

    if (slot_tag(*slot) != SLOT_LEAF || slot_used(*slot) != 1)
        return;
    entry = leaf_entries(arena, *slot)[0];
    if (entry == 0)
        return;
    leaf_free(arena, map, *slot);
    *slot = slot_make(SLOT_ENTRY, entry, 1, 0);
}

void leaf_drop_unused(struct arena *arena, struct pagemap *map, uint64_t *slot)
{
    if (slot_tag(*slot) != SLOT_LEAF || slot_used(*slot) != 0)
        return;
    leaf_free(arena, map, *slot);
    *slot = 0;
}

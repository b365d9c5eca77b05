/* space_tables.c - the tree of table pages, and the shelves indexed in it.
 *
 * An index is a tree of bitmaps: a bit is set where anything below it is.  The
 * words of a leaf are in the leaf, those of a directory in the directory, so
 * going up or down one level touches one page.  A search looks for the next set
 * bit in the leaf it starts from, then in the directory, then at the top, and
 * comes down again: three levels for 4 TiB.
 *
 * Absent tables are read through two constant ones that say UNBACKED, so that
 * no search asks whether a table is there.
 */
#include "space_internal.h"

#include "log.h"

#include <string.h>

#define ALL (~UINT64_C(0))
#define LEAF_ALL (ALL >> (64 - LEAF_CLUSTERS))

static const struct leaf blank_leaf = {
    .index = { [SHELF_UNBACKED] = LEAF_ALL },
};
static const struct dir blank_dir = {
    .index = { [SHELF_UNBACKED] = { ALL, ALL, ALL, ALL, ALL, ALL } },
};
_Static_assert(DIR_WORDS == 6, "blank_dir");

static const struct dir *dir_at(const struct space *space, uint32_t d)
{
    return space->dir[d] ? space->dir[d] : &blank_dir;
}

static const struct leaf *leaf_at(const struct space *space, uint32_t l)
{
    const struct leaf *leaf =
        dir_at(space, l / DIR_LEAVES)->leaf[l % DIR_LEAVES];

    return leaf ? leaf : &blank_leaf;
}

struct spot spot_of(const struct space *space, uint32_t cluster)
{
    const struct leaf *leaf = leaf_at(space, cluster / LEAF_CLUSTERS);

    /* Nobody writes through a spot whose cluster is UNBACKED. */
    return (struct spot){ .cluster = cluster,
                          .leaf = (struct leaf *)(uintptr_t)leaf,
                          .slot = cluster % LEAF_CLUSTERS };
}

/* --- searching ------------------------------------------------------------ */

#define NONE UINT32_MAX

/* First bit at or after `from` of `count` words. */
static uint32_t bit_next(const uint64_t *words, uint32_t count, uint32_t from)
{
    uint64_t word;
    uint32_t i = from / 64;

    if (i >= count)
        return NONE;
    word = words[i] & ALL << from % 64;
    while (word == 0) {
        if (++i == count)
            return NONE;
        word = words[i];
    }
    return i * 64 + bit_lowest(word);
}

/* Last bit before `before`. */
static uint32_t bit_prev(const uint64_t *words, uint32_t before)
{
    uint64_t word;
    uint32_t i;

    if (before == 0)
        return NONE;
    i = (before - 1) / 64;
    word = words[i] & ALL >> (63 - (before - 1) % 64);
    while (word == 0) {
        if (i-- == 0)
            return NONE;
        word = words[i];
    }
    return i * 64 + bit_highest(word);
}

static uint32_t leaf_next(const struct space *space, enum shelf shelf,
                          uint32_t from)
{
    uint32_t d = from / DIR_LEAVES, i;

    if (d >= MAX_DIRS)
        return NONE;
    i = bit_next(dir_at(space, d)->index[shelf], DIR_WORDS, from % DIR_LEAVES);
    if (i == NONE) {
        d = bit_next(space->index[shelf], TOP_WORDS, d + 1);
        if (d == NONE)
            return NONE;
        i = bit_next(dir_at(space, d)->index[shelf], DIR_WORDS, 0);
    }
    return d * DIR_LEAVES + i;
}

static uint32_t leaf_prev(const struct space *space, enum shelf shelf,
                          uint32_t before)
{
    uint32_t d = before / DIR_LEAVES, i;

    i = bit_prev(dir_at(space, d)->index[shelf], before % DIR_LEAVES);
    if (i == NONE) {
        d = bit_prev(space->index[shelf], d);
        if (d == NONE)
            return NONE;
        i = bit_prev(dir_at(space, d)->index[shelf], DIR_LEAVES);
    }
    return d * DIR_LEAVES + i;
}

uint32_t shelf_next(const struct space *space, enum shelf shelf, uint32_t from)
{
    uint32_t l = from / LEAF_CLUSTERS, i, cluster;

    if (from >= space->nr_clusters)
        return CLUSTER_NONE;
    i = bit_next(&leaf_at(space, l)->index[shelf], 1, from % LEAF_CLUSTERS);
    if (i == NONE) {
        l = leaf_next(space, shelf, l + 1);
        if (l == NONE)
            return CLUSTER_NONE;
        i = bit_lowest(leaf_at(space, l)->index[shelf]);
    }
    cluster = l * LEAF_CLUSTERS + i;
    /* Slots past the last cluster are UNBACKED for ever. */
    return cluster < space->nr_clusters ? cluster : CLUSTER_NONE;
}

uint32_t shelf_prev(const struct space *space, enum shelf shelf,
                    uint32_t before)
{
    uint32_t l = before / LEAF_CLUSTERS, i;

    i = bit_prev(&leaf_at(space, l)->index[shelf], before % LEAF_CLUSTERS);
    if (i == NONE) {
        l = leaf_prev(space, shelf, l);
        if (l == NONE)
            return CLUSTER_NONE;
        i = bit_highest(leaf_at(space, l)->index[shelf]);
    }
    return l * LEAF_CLUSTERS + i;
}

/* --- changing ------------------------------------------------------------- */

static bool set_bit(uint64_t *words, uint32_t i)
{
    bool was = words[i / 64] >> i % 64 & 1;

    words[i / 64] |= UINT64_C(1) << i % 64;
    return !was;
}

/* True if no bit of the `count` words is left. */
static bool clear_bit(uint64_t *words, uint32_t count, uint32_t i)
{
    words[i / 64] &= ~(UINT64_C(1) << i % 64);
    for (uint32_t w = 0; w < count; w++) {
        if (words[w] != 0)
            return false;
    }
    return true;
}

static void index_add(struct space *space, enum shelf shelf,
                      const struct spot *spot)
{
    uint32_t l = spot->cluster / LEAF_CLUSTERS, d = l / DIR_LEAVES;
    bool first = spot->leaf->index[shelf] == 0;

    set_bit(&spot->leaf->index[shelf], spot->slot);
    if (first && set_bit(space->dir[d]->index[shelf], l % DIR_LEAVES))
        set_bit(space->index[shelf], d);
}

static void index_del(struct space *space, enum shelf shelf,
                      const struct spot *spot)
{
    uint32_t l = spot->cluster / LEAF_CLUSTERS, d = l / DIR_LEAVES;

    if (clear_bit(&spot->leaf->index[shelf], 1, spot->slot) &&
        clear_bit(space->dir[d]->index[shelf], DIR_WORDS, l % DIR_LEAVES))
        clear_bit(space->index[shelf], TOP_WORDS, d);
}

enum shelf shelf_by_runs(const struct spot *spot)
{
    unsigned nr_free = spot->leaf->nr_free[spot->slot];
    int k;

    if (nr_free == 0)
        return SHELF_FULL;
    k = runs_class(spot_bitmap(spot), nr_free);
    return (enum shelf)(SHELF_RUN_1 + k);
}

void shelf_move(struct space *space, const struct spot *spot, enum shelf to)
{
    enum shelf from = spot_shelf(spot);

    if (from == to)
        return;
    if (from < NR_INDEXED)
        index_del(space, from, spot);
    if (to < NR_INDEXED)
        index_add(space, to, spot);
    spot->leaf->shelf[spot->slot] = (uint8_t)to;
    if (from != SHELF_UNBACKED)
        space->nr_on[from]--;
    if (to != SHELF_UNBACKED)
        space->nr_on[to]++;
}

/* --- tables come and go --------------------------------------------------- */

static int leaf_make(struct space *space, uint32_t l)
{
    struct dir **dir = &space->dir[l / DIR_LEAVES];
    struct leaf **leaf;
    void *page;
    int err;

    if (!*dir) {
        err = space->ops->page_alloc(space->ctx, &page);
        if (err)
            return err;
        *dir = page;
        memcpy((*dir)->index, blank_dir.index, sizeof(blank_dir.index));
    }
    leaf = &(*dir)->leaf[l % DIR_LEAVES];
    if (*leaf)
        return 0;
    err = space->ops->page_alloc(space->ctx, &page);
    if (err)
        return err;
    *leaf = page;
    memcpy((*leaf)->index, blank_leaf.index, sizeof(blank_leaf.index));
    (*dir)->nr_leaves++;
    return 0;
}

static void leaf_drop(struct space *space, uint32_t l)
{
    struct dir *dir = space->dir[l / DIR_LEAVES];
    struct leaf **leaf = &dir->leaf[l % DIR_LEAVES];

    if (*leaf) {
        space->ops->page_free(space->ctx, *leaf);
        *leaf = NULL;
        dir->nr_leaves--;
    }
    if (dir->nr_leaves == 0) {
        space->ops->page_free(space->ctx, dir);
        space->dir[l / DIR_LEAVES] = NULL;
    }
}

int tables_make(struct space *space, uint32_t first, uint32_t last)
{
    for (uint32_t l = first / LEAF_CLUSTERS; l <= last / LEAF_CLUSTERS; l++) {
        int err = leaf_make(space, l);

        if (err) {
            tables_reap(space, first, last);
            return err;
        }
    }
    return 0;
}

void tables_reap(struct space *space, uint32_t first, uint32_t last)
{
    for (uint32_t l = first / LEAF_CLUSTERS; l <= last / LEAF_CLUSTERS; l++) {
        if (space->dir[l / DIR_LEAVES] &&
            leaf_at(space, l)->index[SHELF_UNBACKED] == LEAF_ALL)
            leaf_drop(space, l);
    }
}

void tables_init(struct space *space)
{
    for (uint32_t d = 0; d < MAX_DIRS; d++)
        set_bit(space->index[SHELF_UNBACKED], d);
}

void tables_fini(struct space *space)
{
    for (uint32_t l = 0; l < MAX_DIRS * DIR_LEAVES; l++) {
        if (space->dir[l / DIR_LEAVES])
            leaf_drop(space, l);
    }
}

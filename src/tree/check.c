/* check.c - the whole tree looked over: T1, T2, and every count (debug builds).
 *
 * Walks all nodes of the arena and, of each directory, all entries, with the
 * namespace locked.  What names say of nodes is counted on the side, in memory
 * of the process, and compared with what the nodes say of themselves.
 */
#include "tree_internal.h"

#include "log.h"

#include <stdlib.h>

#ifdef PAGERFS_DEBUG

/* How many names lead to each node: open addressing by handle. */
struct tally {
    uint64_t slots; /* a power of two, more than there are nodes */
    struct {
        uint32_t handle, names;
    } *slot;
};

struct totals {
    uint64_t nodes, entries, orphans, waiting, dying;
};

static uint32_t *tally_of(struct tally *tally, uint32_t handle)
{
    uint64_t i = handle * 0x9e3779b97f4a7c15 & (tally->slots - 1);

    while (tally->slot[i].handle && tally->slot[i].handle != handle)
        i = (i + 1) & (tally->slots - 1);
    tally->slot[i].handle = handle;
    return &tally->slot[i].names;
}

static void check_directory(struct tree *tree, struct node *dir,
                            struct tally *tally, struct totals *totals)
    REQUIRES(tree->lock)
{
    uint32_t h = handle_of(tree, dir), subdirs = 0;
    uint64_t cookie = FIRST_COOKIE - 1, entries = 0;

    for (struct dentry *d = order_seek(tree, &dir->dir, 0); d;
         d = order_next(tree, d)) {
        struct node *node = node_at(tree, d->node);

        INVARIANT("T2", d->cookie > cookie && d->parent == h);
        cookie = d->cookie;
        order_check(tree, &dir->dir, d);
        INVARIANT("T3", hash_find(tree, h, d->name) == d);
        INVARIANT("I13", node_state(node) == NODE_NAMED);
        if (node_is(node, S_IFDIR)) {
            INVARIANT("T1", node->dir.parent == h);
            subdirs++;
        }
        ++*tally_of(tally, d->node);
        entries++;
    }
    INVARIANT("T1", dir->nlink == (dir->nlink ? 2 + subdirs : 0));
    INVARIANT("T2", dir->dir.nr_entries == entries);
    totals->entries += entries;
}

static void check_node(struct tree *tree, struct node *node,
                       struct tally *tally) REQUIRES(tree->lock)
{
    uint32_t names = *tally_of(tally, handle_of(tree, node));
    const struct dentry *name = dentry_at(tree, node->name);

    if (node_is(node, S_IFDIR))
        INVARIANT("T1", names == (node->nlink && node != tree->root));
    else
        INVARIANT("T1", names == node->nlink);
    INVARIANT("T3", !name || name->node == handle_of(tree, node));
    INVARIANT("I13", node->nlink || node->users || node_lookups(node) ||
                         node_state(node) == NODE_DEAD);
}

static void check_nodes(struct tree *tree, struct tally *tally)
    REQUIRES(tree->lock)
{
    struct totals totals = { 0 };
    uint32_t h = HANDLE_NONE;

    while ((h = arena_node_next(tree->arena, h)) != HANDLE_NONE)
        if (node_is(node_at(tree, h), S_IFDIR))
            check_directory(tree, node_at(tree, h), tally, &totals);
    while ((h = arena_node_next(tree->arena, h)) != HANDLE_NONE) {
        struct node *node = node_at(tree, h);

        check_node(tree, node, tally);
        totals.nodes++;
        totals.orphans += node_state(node) == NODE_HELD ||
                          node_state(node) == NODE_WAITING;
        totals.waiting += node_state(node) == NODE_WAITING;
        totals.dying += node_state(node) == NODE_DEAD;
    }
    INVARIANT("T4", totals.nodes == tree->stats.nodes);
    INVARIANT("T4", totals.entries == tree->stats.entries);
    INVARIANT("T4", totals.orphans == tree->stats.orphans);
    INVARIANT("T4", totals.waiting == tree->nr_waiting);
    INVARIANT("T4", totals.dying == tree->nr_dying);
}

void tree_check(struct tree *tree)
{
    struct tally tally = { .slots = 64 };

    rwlock_lock(&tree->lock, RANK_TREE);
    while (tally.slots < 2 * tree->stats.nodes)
        tally.slots *= 2;
    tally.slot = calloc(tally.slots, sizeof(tally.slot[0]));
    if (tally.slot)
        check_nodes(tree, &tally);
    rwlock_unlock(&tree->lock);
    free(tally.slot);
}
#else
void tree_check(struct tree *tree)
{
    (void)tree;
}
#endif

/* tree.c - the namespace of a mount as a whole: made, counted, taken down.
 *
 *     tree ---- hash (hash.c) ---> dentries ---> nodes ---> objects, xattrs
 *          \--- root node ---> order of its entries (order.c) ---^
 *
 * `struct tree` itself is of the process; everything it leads to is in the
 * arena, found from the root and from the frames of the hash.
 *
 * Taking down needs no walk over the tree of directories, which may be deeper
 * than any stack: the names are emptied out of the hash bucket by bucket, and
 * the nodes, linked, open or orphaned, are found in the arena.
 */
#include "tree_internal.h"

#include "log.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

static int make_keys(struct tree *tree)
{
    uint64_t keys[3];

    if (getrandom(keys, sizeof(keys), 0) != (ssize_t)sizeof(keys))
        return -errno;
    tree->hash_key[0] = keys[0];
    tree->hash_key[1] = keys[1];
    tree->order_key = keys[2];
    return 0;
}

static int make_root(struct tree *tree, const struct tree_config *config)
{
    struct node *root;
    int err;

    rwlock_lock(&tree->lock, RANK_TREE);
    err = node_new(tree, S_IFDIR, &root);
    if (!err) {
        root->nlink = 2;
        root->dir.parent = handle_of(tree, root);
        mutex_lock(&root->lock, RANK_NODE);
        root->perm = (uint16_t)(config->root_mode & 07777);
        root->uid = config->root_uid;
        root->gid = config->root_gid;
        mutex_unlock(&root->lock);
        times_born(root);
        node_settle(tree, root);
        tree->root = root;
    }
    rwlock_unlock(&tree->lock);
    return err;
}

int tree_create(struct tree **out, const struct tree_config *config)
{
    struct tree *tree = calloc(1, sizeof(*tree));
    int err;

    if (!tree)
        return -ENOMEM;
    tree->arena = config->store->arena;
    tree->pool = config->store->pool;
    tree->store = config->store;
    *tree->store = (struct object_store){ .arena = tree->arena,
                                          .pool = tree->pool,
                                          .lost = node_lost,
                                          .next = node_next_object,
                                          .put = node_put_object,
                                          .ctx = tree };
    tree->nr_inodes = config->nr_inodes;
    tree->grpid = config->grpid;
    tree->no_acl = config->no_acl;
    tree_atime_set(tree, config->atime, config->nodiratime);
    tree->changed = config->changed;
    tree->changed_ctx = config->ctx;
    err = make_keys(tree);
    if (err)
        goto free_tree;
    err = hash_init(tree);
    if (err)
        goto free_tree;
    err = make_root(tree, config);
    if (err)
        goto fini_hash;
    *out = tree;
    return 0;

fini_hash:
    hash_fini(tree);
free_tree:
    free(tree);
    return err;
}

/* Buckets vanish from the top while entries go; what was in them is further
 * down then, where the loop has yet to come. */
static void drop_names(struct tree *tree)
{
    struct dentry *dentry;

    rwlock_lock(&tree->lock, RANK_TREE);
    for (uint32_t b = tree->nr_buckets; b-- > 0;) {
        while (b < tree->nr_buckets && (dentry = hash_bucket(tree, b))) {
            dentry_remove(tree, dentry);
            dentry_free(tree, dentry);
        }
    }
    rwlock_unlock(&tree->lock);
}

static void drop_nodes(struct tree *tree)
{
    uint32_t handle = HANDLE_NONE;

    while ((handle = arena_node_next(tree->arena, handle)) != HANDLE_NONE) {
        struct node *node = node_at(tree, handle);

        rwlock_lock(&tree->lock, RANK_TREE);
        node->nlink = 0;
        node->users = 0;
        node->life = node_state(node);
        node_settle(tree, node);
        rwlock_unlock(&tree->lock);
        node_free(tree, node);
    }
}

void tree_destroy(struct tree *tree)
{
    drop_names(tree);
    drop_nodes(tree);
    INVARIANT("T4", tree->stats.nodes == 0 && tree->stats.entries == 0 &&
                        tree->stats.orphans == 0 && tree->nr_waiting == 0 &&
                        tree->nr_dying == 0);
    hash_fini(tree);
    free(tree);
}

void tree_stats(struct tree *tree, struct tree_stats *stats)
{
    unsigned how = rwlock_lock_shared(&tree->lock, RANK_TREE);

    *stats = tree->stats;
    stats->nodes_limit = tree->nr_inodes;
    rwlock_unlock_shared(&tree->lock, how);
}

enum tree_owed tree_owed(struct tree *tree)
{
    unsigned how = rwlock_lock_shared(&tree->lock, RANK_TREE);
    enum tree_owed owed;

    owed = tree->nr_dying ? TREE_OWED_NOW
           : tree->nr_waiting ? TREE_OWED_FORGET
           : tree->stats.orphans ? TREE_OWED_RELEASE : TREE_OWED_NOTHING;
    rwlock_unlock_shared(&tree->lock, how);
    return owed;
}

/* Nodes that there is room for, each with one short name.  They stay in RAM,
 * whatever the swap could hold. */
static uint64_t nodes_free(const struct pool_stats *pool, uint64_t pages)
{
    uint64_t frames = pool->metadata_max - MIN(pool->metadata_max,
                                               pool->metadata);

    return MIN(pages, frames) * PAGE_SIZE /
           (SLAB_NODE_SIZE + arena_object_size(DENTRY_HEAD));
}

/* What one more file may still take: a page costs five bytes of its map, too. */
static uint64_t fits(uint64_t pages)
{
    return pages - pages / (PAGE_SIZE / 5);
}

int tree_statvfs(struct tree *tree, struct statvfs *st)
{
    struct pool_stats pool;
    struct tree_stats stats;
    uint64_t room;

    pool_stats(tree->pool, &pool);
    tree_stats(tree, &stats);
    room = pool.limit ? MIN(pool.limit, pool.used_max) : pool.used_max;
    memset(st, 0, sizeof(*st));
    st->f_bsize = st->f_frsize = PAGE_SIZE;
    st->f_blocks = pool.limit ? pool.limit : pool.used_max;
    st->f_bfree = room > pool.used ? room - pool.used : 0;
    st->f_bavail = fits(st->f_bfree);
    st->f_ffree = nodes_free(&pool, st->f_bfree);
    if (tree->nr_inodes)
        st->f_ffree = MIN(st->f_ffree, tree->nr_inodes - stats.nodes);
    st->f_files = stats.nodes + st->f_ffree;
    st->f_favail = st->f_ffree;
    st->f_namemax = TREE_NAME_MAX;
    return 0;
}

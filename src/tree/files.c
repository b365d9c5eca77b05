/* files.c - all regular files of the mount, one after the other.
 *
 * For those who look at everything while the mount is in use: figures, checks,
 * eviction.  Nodes are found where they lie in the arena, so no directory is
 * walked, and files without a name are found too.  While one is visited it is
 * counted in `users`, like one that is open, and no lock is held.
 *
 * A file that is there from the beginning to the end is visited once; one that
 * is made or removed meanwhile, at most once.
 */
#include "tree_internal.h"

#include <errno.h>

/* The next regular file behind *handle, counted in users; NULL: no more. */
static struct node *next_file(struct tree *tree, uint32_t *handle)
{
    struct node *found = NULL;

    rwlock_lock(&tree->lock, RANK_TREE);
    while (!found && (*handle = arena_node_next(tree->arena, *handle)) !=
                         HANDLE_NONE) {
        struct node *node = node_at(tree, *handle);

        if (node_is(node, S_IFREG) && node_lives(node))
            found = node;
    }
    if (found)
        node_use(tree, found);
    rwlock_unlock(&tree->lock);
    return found;
}

bool tree_each_file(struct tree *tree, tree_visit *visit, void *ctx)
{
    uint32_t handle = HANDLE_NONE;
    struct node *node;
    bool more = true;

    while (more && (node = next_file(tree, &handle))) {
        more = visit(ctx, &node->object);
        node_put(tree, node);
    }
    return more;
}

uint64_t tree_file_ino(const struct object *object)
{
    return container_of(object, struct node, object)->seq;
}

int tree_one_file(struct tree *tree, uint64_t id, tree_visit *visit, void *ctx)
{
    struct node *node = node_get(tree, id);
    int err = 0;

    if (!node)
        return -ESTALE;
    if (node_is(node, S_IFREG))
        visit(ctx, &node->object);
    else
        err = -EINVAL;
    node_put(tree, node);
    return err;
}

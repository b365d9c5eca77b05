/* readdir.c - reading a directory while it changes.
 *
 * An entry has a cookie, given in rising order and kept for the entry's life
 * (T2).  Reading goes on behind a cookie, which need not belong to an entry any
 * more: what is there all the time is seen exactly once, whatever comes and
 * goes around it.
 *
 * A scan that makes entries, or renames into the directory what it sees, would
 * never end if it saw them too: so it sees only cookies that were given before
 * it began, which is when it was opened or last went back to cookie 0.
 *
 * The namespace stays locked, shared with others who look, while entries are
 * handed out; that is as short as the caller's buffer.
 */
#include "tree_internal.h"

#include <errno.h>
#include <string.h>

enum { COOKIE_DOT = 1, COOKIE_DOTDOT = 2 };

int tree_opendir(struct tree *tree, uint64_t id, struct tree_scan *scan)
{
    struct node *node = node_get(tree, id);
    unsigned how;

    if (!node)
        return -ESTALE;
    if (!node_is(node, S_IFDIR)) {
        node_put(tree, node);
        return -ENOTDIR;
    }
    how = rwlock_lock_shared(&tree->lock, RANK_TREE);
    scan->id = id;
    scan->end = node->dir.next_cookie;
    rwlock_unlock_shared(&tree->lock, how);
    return 0;
}

void tree_closedir(struct tree *tree, struct tree_scan *scan)
{
    node_put(tree, scan->id == TREE_ROOT ? tree->root
                                         : node_at(tree, (uint32_t)scan->id));
}

struct reading {
    bool lookup;
    tree_emit *emit;
    void *ctx;
    struct tree_entry entry;
};

static bool emit_dot(struct reading *r, const char *name, uint64_t cookie,
                     const struct node *node)
{
    r->entry.id = 0;
    r->entry.attr.ino = node->seq;
    r->entry.attr.mode = S_IFDIR;
    return r->emit(r->ctx, name, cookie, &r->entry);
}

static bool emit_dentry(struct tree *tree, struct reading *r,
                        const struct dentry *dentry) REQUIRES_SHARED(tree->lock)
{
    struct node *node = node_at(tree, dentry->node);

    if (r->lookup) {
        node_entry(tree, node, &r->entry);
    } else {
        r->entry.id = node_id(tree, node);
        r->entry.attr.ino = node->seq;
        r->entry.attr.mode = (mode_t)node->type << 12;
    }
    if (!r->emit(r->ctx, dentry->name, dentry->cookie, &r->entry))
        return false;
    if (r->lookup)
        node_looked_up(node);
    return true;
}

static void emit_all(struct tree *tree, struct reading *r,
                     const struct node *dir, uint64_t cookie, uint64_t end)
    REQUIRES_SHARED(tree->lock)
{
    const struct dentry *dentry;

    if (cookie < COOKIE_DOT && !emit_dot(r, ".", COOKIE_DOT, dir))
        return;
    if (cookie < COOKIE_DOTDOT &&
        !emit_dot(r, "..", COOKIE_DOTDOT, node_at(tree, dir->dir.parent)))
        return;
    for (dentry = order_seek(tree, &dir->dir, cookie);
         dentry && dentry->cookie < end; dentry = order_next(tree, dentry))
        if (!emit_dentry(tree, r, dentry))
            return;
}

int tree_readdir(struct tree *tree, struct tree_scan *scan, uint64_t cookie,
                 bool lookup, tree_emit *emit, void *ctx)
{
    struct reading r = { .lookup = lookup, .emit = emit, .ctx = ctx };
    unsigned how = rwlock_lock_shared(&tree->lock, RANK_TREE);
    struct node *dir;
    int err;

    err = dir_find(tree, scan->id, &dir);
    if (!err) {
        if (cookie == 0)
            scan->end = dir->dir.next_cookie;
        emit_all(tree, &r, dir, cookie, scan->end ? scan->end : UINT64_MAX);
        times_accessed(tree, dir);
    }
    rwlock_unlock_shared(&tree->lock, how);
    return err;
}

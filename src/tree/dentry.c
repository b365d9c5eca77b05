/* dentry.c - names: one dentry for each, in two structures at once.
 *
 * A dentry is in the hash of the mount, where lookups find it (hash.c), and in
 * the order of its directory, where reading finds it (order.c).  This file
 * keeps both in step, and with them the count of entries and the back pointer
 * from node to name.  Link counts, times and who may do what are the callers'
 * (dir.c, rename.c).
 *
 * The name is stored inside the dentry, which is as large as the name wants:
 * renaming to a name of another size class takes another dentry.
 */
#include "tree_internal.h"

#include "log.h"

#include <errno.h>
#include <string.h>

int name_check(const char *name)
{
    size_t length = strnlen(name, TREE_NAME_MAX + 1);

    if (length == 0)
        return -ENOENT;
    if (length > TREE_NAME_MAX)
        return -ENAMETOOLONG;
    return memchr(name, '/', length) ? -EINVAL : 0;
}

bool name_is_dots(const char *name)
{
    return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

int dentry_alloc(struct tree *tree, const char *name, struct dentry **dentry)
{
    void *ptr;
    int err = arena_alloc(tree->arena, DENTRY_HEAD + strlen(name) + 1, &ptr);

    if (err)
        return err;
    *dentry = ptr;
    strcpy((*dentry)->name, name);
    return 0;
}

void dentry_free(struct tree *tree, struct dentry *dentry)
{
    arena_free(tree->arena, dentry);
}

struct dentry *dentry_find(struct tree *tree, const struct node *dir,
                           const char *name)
{
    return hash_find(tree, handle_of(tree, dir), name);
}

static void order_in(struct tree *tree, struct node *dir, struct dentry *dentry)
    REQUIRES(tree->lock)
{
    dentry->cookie = dir->dir.next_cookie++;
    dentry->parent = handle_of(tree, dir);
    order_append(tree, &dir->dir, dentry);
    dir->dir.nr_entries++;
}

static void order_out(struct tree *tree, struct dentry *dentry)
    REQUIRES(tree->lock)
{
    struct node *dir = node_at(tree, dentry->parent);

    order_remove(tree, &dir->dir, dentry);
    dir->dir.nr_entries--;
}

void dentry_insert(struct tree *tree, struct node *dir, struct dentry *dentry,
                   struct node *node)
{
    order_in(tree, dir, dentry);
    dentry->node = handle_of(tree, node);
    node->name = handle_of(tree, dentry);
    hash_add(tree, dentry);
    tree->stats.entries++;
    hash_balance(tree);
}

static void forget_name(struct tree *tree, struct dentry *dentry)
    REQUIRES(tree->lock)
{
    struct node *node = node_at(tree, dentry->node);

    if (node->name == handle_of(tree, dentry))
        node->name = HANDLE_NONE;
}

void dentry_remove(struct tree *tree, struct dentry *dentry)
{
    forget_name(tree, dentry);
    hash_del(tree, dentry);
    order_out(tree, dentry);
    tree->stats.entries--;
    hash_balance(tree);
}

void dentry_repoint(struct tree *tree, struct dentry *dentry, struct node *node)
{
    forget_name(tree, dentry);
    dentry->node = handle_of(tree, node);
    node->name = handle_of(tree, dentry);
}

bool dentry_fits(const struct dentry *dentry, const char *name)
{
    return arena_object_size(DENTRY_HEAD + strlen(dentry->name) + 1) ==
           arena_object_size(DENTRY_HEAD + strlen(name) + 1);
}

void dentry_move(struct tree *tree, struct dentry *dentry, struct node *to,
                 const char *name, struct dentry *bigger)
{
    struct dentry *moved = bigger ? bigger : dentry;
    bool same = dentry->parent == handle_of(tree, to);

    hash_del(tree, dentry);
    if (!same)
        order_out(tree, dentry);
    else if (bigger)
        order_replace(tree, &to->dir, dentry, bigger);
    moved->parent = dentry->parent;
    moved->node = dentry->node;
    if (!same)
        order_in(tree, to, moved);
    if (!bigger)
        strcpy(dentry->name, name);
    node_at(tree, moved->node)->name = handle_of(tree, moved);
    hash_add(tree, moved);
    if (bigger)
        dentry_free(tree, dentry);
}

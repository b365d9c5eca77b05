/* dir.c - names: lookup, mknod, symlink, tmpfile, link, unlink, rmdir.
 *
 * Each operation is one stretch under the tree's lock: find the directory, look
 * at the name, ask the flags, allocate what is wanted (nothing has been changed
 * yet), and then do it, which cannot fail any more.  Allocation never waits; if
 * there is no frame at this moment everything is dropped, and the operation
 * begins again after a wait, or returns -EAGAIN.
 *
 * The kernel has checked who may search and write the directory, the sticky
 * bit, and that the types fit what it knew.  Checked here: what may have
 * changed since then, and the append-only and immutable flags, of which it
 * knows nothing on a FUSE file system.
 */
#include "tree_internal.h"

#include "log.h"

#include <errno.h>
#include <string.h>

int dir_find(struct tree *tree, uint64_t id, struct node **dir)
{
    int err = node_find_dir(tree, id, dir);

    if (err)
        return err;
    return (*dir)->nlink ? 0 : -ENOENT;
}

int dir_may_remove(struct tree *tree, const struct dentry *dentry)
{
    struct node *dir = node_at(tree, dentry->parent);
    struct node *node = node_at(tree, dentry->node);

    return node_has(dir, NODE_FROZEN) || node_has(node, NODE_FROZEN) ? -EPERM
                                                                     : 0;
}

bool dir_unlinked(struct tree *tree, struct node *dir, struct node *node)
{
    if (node_is(node, S_IFDIR)) {
        INVARIANT("T1", node->nlink == 2 && dir->nlink > 2);
        node->nlink = 0;
        dir->nlink--;
    } else {
        node->nlink--;
    }
    return node_settle(tree, node);
}

/* "." of anything and ".." of directories: what a file handle is opened by. */
static int lookup_dots(struct tree *tree, uint64_t id, const char *name,
                       struct node **out) REQUIRES_SHARED(tree->lock)
{
    struct node *node = node_find(tree, id);

    if (!node)
        return -ESTALE;
    /* The kernel asks for what it does not hold itself: without a name and not
     * open, it ends when its forget comes. */
    if (name[1] != '.' && !node->nlink)
        return -ESTALE;
    if (name[1] == '.') {
        if (!node_is(node, S_IFDIR))
            return -ENOTDIR;
        if (!node->nlink)
            return -ENOENT;
        node = node_at(tree, node->dir.parent);
    }
    *out = node;
    return 0;
}

static int lookup_name(struct tree *tree, uint64_t id, const char *name,
                       struct node **out) REQUIRES_SHARED(tree->lock)
{
    const struct dentry *dentry;
    struct node *dir;
    int err = node_find_dir(tree, id, &dir);

    if (err)
        return err;
    dentry = dentry_find(tree, dir, name);
    if (!dentry)
        return -ENOENT;
    *out = node_at(tree, dentry->node);
    return 0;
}

int tree_lookup(struct tree *tree, uint64_t parent, const char *name,
                struct tree_entry *entry)
{
    struct node *node;
    unsigned how;
    int err = name_check(name);

    if (err)
        return err;
    how = rwlock_lock_shared(&tree->lock, RANK_TREE);
    err = name_is_dots(name) ? lookup_dots(tree, parent, name, &node)
                             : lookup_name(tree, parent, name, &node);
    if (!err)
        node_lookup(tree, node, entry);
    rwlock_unlock_shared(&tree->lock, how);
    return err;
}

/* A directory in which `name` may be made: -EEXIST, -EPERM and dir_find's. */
static int dir_for_new(struct tree *tree, uint64_t id, const char *name,
                       struct node **dir) REQUIRES(tree->lock)
{
    int err = dir_find(tree, id, dir);

    if (err)
        return err;
    if (name_is_dots(name) || dentry_find(tree, *dir, name))
        return -EEXIST;
    return node_has(*dir, NODE_IMMUTABLE) ? -EPERM : 0;
}

static int make(struct tree *tree, uint64_t parent, const char *name,
                const struct birth *birth, struct tree_entry *entry)
    REQUIRES(tree->lock)
{
    bool is_dir = S_ISDIR(birth->mode);
    struct dentry *dentry;
    struct node *dir, *node;
    int err;

    err = dir_for_new(tree, parent, name, &dir);
    if (err)
        return err;
    if (is_dir && dir->nlink >= TREE_LINK_MAX)
        return -EMLINK;
    err = dentry_alloc(tree, name, &dentry);
    if (err)
        return err;
    err = birth_node(tree, dir, birth, &node);
    if (err)
        goto free_dentry;
    node->nlink = is_dir ? 2 : 1;
    if (is_dir) {
        node->dir.parent = handle_of(tree, dir);
        dir->nlink++;
    }
    dentry_insert(tree, dir, dentry, node);
    times_modified(dir);
    node_lookup(tree, node, entry);
    node_settle(tree, node);
    return 0;

free_dentry:
    dentry_free(tree, dentry);
    return err;
}

static int make_named(struct tree *tree, uint64_t parent, const char *name,
                      const struct birth *birth, bool wait,
                      struct tree_entry *entry)
{
    int err = name_check(name);

    if (err)
        return err;
    do {
        rwlock_lock(&tree->lock, RANK_TREE);
        err = make(tree, parent, name, birth, entry);
        rwlock_unlock(&tree->lock);
    } while (tree_again(tree, err, wait));
    return err;
}

int tree_mknod(struct tree *tree, const struct tree_cred *cred, uint64_t parent,
               const char *name, mode_t mode, dev_t rdev, bool wait,
               struct tree_entry *entry)
{
    struct birth birth = { .cred = cred, .mode = mode, .rdev = (uint32_t)rdev };

    switch (mode & S_IFMT) {
    case S_IFREG: case S_IFDIR: case S_IFIFO: case S_IFSOCK:
    case S_IFCHR: case S_IFBLK:
        return make_named(tree, parent, name, &birth, wait, entry);
    default:
        return -EINVAL;
    }
}

int tree_symlink(struct tree *tree, const struct tree_cred *cred,
                 uint64_t parent, const char *name, const char *target,
                 bool wait, struct tree_entry *entry)
{
    struct birth birth = { .cred = cred, .mode = S_IFLNK | 0777,
                           .target = target };

    if (target[0] == '\0')
        return -ENOENT;
    if (strnlen(target, TREE_SYMLINK_MAX + 1) > TREE_SYMLINK_MAX)
        return -ENAMETOOLONG;
    return make_named(tree, parent, name, &birth, wait, entry);
}

static int make_tmpfile(struct tree *tree, uint64_t parent,
                        const struct birth *birth, struct tree_entry *entry)
    REQUIRES(tree->lock)
{
    struct node *dir, *node;
    int err;

    err = dir_find(tree, parent, &dir);
    if (err)
        return err;
    if (node_has(dir, NODE_IMMUTABLE))
        return -EPERM;
    err = birth_node(tree, dir, birth, &node);
    if (err)
        return err;
    mutex_lock(&node->lock, RANK_NODE);
    node->flags |= NODE_LINKABLE;
    mutex_unlock(&node->lock);
    node_lookup(tree, node, entry);
    node_settle(tree, node);
    return 0;
}

int tree_tmpfile(struct tree *tree, const struct tree_cred *cred,
                 uint64_t parent, mode_t mode, bool wait,
                 struct tree_entry *entry)
{
    struct birth birth = { .cred = cred, .mode = S_IFREG | (mode & 07777) };
    int err;

    do {
        rwlock_lock(&tree->lock, RANK_TREE);
        err = make_tmpfile(tree, parent, &birth, entry);
        rwlock_unlock(&tree->lock);
    } while (tree_again(tree, err, wait));
    return err;
}

/* May this node have one more name? */
static int may_link(struct node *node)
{
    if (node_is(node, S_IFDIR) || node_has(node, NODE_FROZEN))
        return -EPERM;
    if (!node->nlink && !node_has(node, NODE_LINKABLE))
        return -ENOENT;
    return node->nlink < TREE_LINK_MAX ? 0 : -EMLINK;
}

static int link_node(struct tree *tree, uint64_t id, uint64_t parent,
                     const char *name, struct tree_entry *entry)
    REQUIRES(tree->lock)
{
    struct node *node = node_find(tree, id), *dir;
    struct dentry *dentry;
    int err;

    if (!node)
        return -ESTALE;
    err = dir_for_new(tree, parent, name, &dir);
    if (err)
        return err;
    err = may_link(node);
    if (err)
        return err;
    err = dentry_alloc(tree, name, &dentry);
    if (err)
        return err;
    node->nlink++;
    mutex_lock(&node->lock, RANK_NODE);
    node->flags &= (uint8_t)~NODE_LINKABLE;
    mutex_unlock(&node->lock);
    dentry_insert(tree, dir, dentry, node);
    times_modified(dir);
    times_changed(node);
    node_lookup(tree, node, entry);
    node_settle(tree, node);
    return 0;
}

int tree_link(struct tree *tree, uint64_t id, uint64_t parent,
              const char *name, bool wait, struct tree_entry *entry)
{
    int err = name_check(name);

    if (err)
        return err;
    do {
        rwlock_lock(&tree->lock, RANK_TREE);
        err = link_node(tree, id, parent, name, entry);
        rwlock_unlock(&tree->lock);
    } while (tree_again(tree, err, wait));
    return err;
}

/* The name may go: of a directory if `is_dir`, else of anything else. */
static int may_unlink(struct tree *tree, uint64_t parent, const char *name,
                      bool is_dir, struct dentry **out) REQUIRES(tree->lock)
{
    struct dentry *dentry;
    struct node *dir, *node;
    int err = node_find_dir(tree, parent, &dir);

    if (err)
        return err;
    dentry = dentry_find(tree, dir, name);
    if (!dentry)
        return -ENOENT;
    err = dir_may_remove(tree, dentry);
    if (err)
        return err;
    node = node_at(tree, dentry->node);
    if (node_is(node, S_IFDIR) != is_dir)
        return is_dir ? -ENOTDIR : -EISDIR;
    if (is_dir && node->dir.nr_entries)
        return -ENOTEMPTY;
    *out = dentry;
    return 0;
}

static int remove_name(struct tree *tree, uint64_t parent, const char *name,
                       bool is_dir)
{
    struct node *dir, *node = NULL;
    struct dentry *dentry;
    bool dead = false;
    int err = name_check(name);

    if (err)
        return err;
    rwlock_lock(&tree->lock, RANK_TREE);
    err = may_unlink(tree, parent, name, is_dir, &dentry);
    if (!err) {
        dir = node_at(tree, dentry->parent);
        node = node_at(tree, dentry->node);
        dentry_remove(tree, dentry);
        dentry_free(tree, dentry);
        times_modified(dir);
        times_changed(node);
        dead = dir_unlinked(tree, dir, node);
    }
    rwlock_unlock(&tree->lock);
    if (dead)
        node_free(tree, node);
    return err;
}

int tree_unlink(struct tree *tree, uint64_t parent, const char *name)
{
    if (name_is_dots(name))
        return -EISDIR;
    return remove_name(tree, parent, name, false);
}

int tree_rmdir(struct tree *tree, uint64_t parent, const char *name)
{
    if (name_is_dots(name))
        return name[1] ? -ENOTEMPTY : -EINVAL;
    return remove_name(tree, parent, name, true);
}

int tree_readlink(struct tree *tree, uint64_t id, char *buffer, size_t bytes)
{
    unsigned how = rwlock_lock_shared(&tree->lock, RANK_TREE);
    struct node *node = node_find(tree, id);
    int err = 0;

    if (!node) {
        err = -ESTALE;
    } else if (!node_is(node, S_IFLNK)) {
        err = -EINVAL;
    } else if (bytes <= node->target.length) {
        err = -ERANGE;
    } else {
        strcpy(buffer, arena_ptr(tree->arena, node->target.bytes));
        times_accessed(tree, node);
    }
    rwlock_unlock_shared(&tree->lock, how);
    return err;
}

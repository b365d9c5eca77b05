/* rename.c - moving names: plain, NOREPLACE, EXCHANGE, WHITEOUT.
 *
 * A rename is found, allowed, given what memory it wants, and then done, all
 * under the one lock of the namespace: so it is atomic for every other
 * operation (T3), and "is the new place below the directory that moves?" is
 * answered by going up from there, which nobody can change meanwhile.
 *
 * Which dentry becomes what:
 *
 *     the new name exists    its dentry stays, with its cookie, and names the
 *                            moved node; the old dentry goes
 *     it does not            the old dentry moves, and keeps its cookie if the
 *                            directory is the same; a longer name may need a
 *                            larger dentry
 *     EXCHANGE               both stay and swap their nodes
 *     WHITEOUT               the old dentry stays and names the whiteout, a
 *                            character device 0:0 made for it
 *
 * so names that are there before and after keep their cookies, and most renames
 * need no memory.  The kernel has checked permissions and the sticky bit.
 */
#include "tree_internal.h"

#include "log.h"

#include <errno.h>
#include <linux/fs.h>

struct move {
    const struct tree_cred *cred;
    const char *name, *to_name;
    unsigned flags;
    struct node *from, *to;      /* directories */
    struct dentry *old, *new;    /* new: NULL if the name is free */
    struct node *node, *target;  /* what they name */
    struct dentry *bigger;       /* a new dentry for to_name, or NULL */
    struct node *whiteout;       /* or NULL */
};

static int find(struct tree *tree, uint64_t from, uint64_t to, struct move *m)
    REQUIRES(tree->lock)
{
    int err = dir_find(tree, from, &m->from);

    if (!err)
        err = dir_find(tree, to, &m->to);
    if (err)
        return err;
    m->old = dentry_find(tree, m->from, m->name);
    if (!m->old)
        return -ENOENT;
    m->new = dentry_find(tree, m->to, m->to_name);
    m->node = node_at(tree, m->old->node);
    m->target = m->new ? node_at(tree, m->new->node) : NULL;
    m->bigger = NULL;
    m->whiteout = NULL;
    if (m->new && m->flags & RENAME_NOREPLACE)
        return -EEXIST;
    return !m->new && m->flags & RENAME_EXCHANGE ? -ENOENT : 0;
}

/* True if `node` is `dir` or a directory above it. */
static bool contains(struct tree *tree, const struct node *node,
                     const struct node *dir) REQUIRES(tree->lock)
{
    while (dir != node && dir != tree->root)
        dir = node_at(tree, dir->dir.parent);
    return dir == node;
}

static int may_replace(const struct move *m)
{
    bool is_dir = node_is(m->node, S_IFDIR);

    if (node_is(m->target, S_IFDIR) != is_dir)
        return is_dir ? -ENOTDIR : -EISDIR;
    return is_dir && m->target->dir.nr_entries ? -ENOTEMPTY : 0;
}

/* Will directory `to` have room for one more subdirectory? */
static int may_gain(const struct node *to, const struct node *comes,
                    const struct node *goes)
{
    bool gains = node_is(comes, S_IFDIR) && !(goes && node_is(goes, S_IFDIR));

    return gains && to->nlink >= TREE_LINK_MAX ? -EMLINK : 0;
}

static int allowed(struct tree *tree, const struct move *m)
    REQUIRES(tree->lock)
{
    bool exchange = m->flags & RENAME_EXCHANGE;
    int err = dir_may_remove(tree, m->old);

    if (!err && m->new)
        err = dir_may_remove(tree, m->new);
    else if (!err && node_has(m->to, NODE_IMMUTABLE))
        err = -EPERM;
    if (err)
        return err;
    if (node_is(m->node, S_IFDIR) && contains(tree, m->node, m->to))
        return -EINVAL;
    if (m->target && node_is(m->target, S_IFDIR) &&
        contains(tree, m->target, m->from))
        return exchange ? -EINVAL : -ENOTEMPTY;
    if (m->target && !exchange)
        err = may_replace(m);
    if (!err && m->from != m->to)
        err = may_gain(m->to, m->node, m->target);
    if (!err && m->from != m->to && exchange)
        err = may_gain(m->from, m->target, m->node);
    return err;
}

static int allocate(struct tree *tree, struct move *m) REQUIRES(tree->lock)
{
    struct birth birth = { .cred = m->cred, .mode = S_IFCHR };
    bool whiteout = m->flags & RENAME_WHITEOUT;
    int err = 0;

    if (!m->new && (whiteout || !dentry_fits(m->old, m->to_name)))
        err = dentry_alloc(tree, m->to_name, &m->bigger);
    if (!err && whiteout)
        err = birth_node(tree, m->from, &birth, &m->whiteout);
    if (err && m->bigger)
        dentry_free(tree, m->bigger);
    return err;
}

/* A directory changes its parent: link counts of both, and "..". */
static void reparent(struct tree *tree, struct node *node, struct node *from,
                     struct node *to) REQUIRES(tree->lock)
{
    if (!node_is(node, S_IFDIR))
        return;
    from->nlink--;
    to->nlink++;
    node->dir.parent = handle_of(tree, to);
}

static void exchange(struct tree *tree, struct move *m) REQUIRES(tree->lock)
{
    dentry_repoint(tree, m->old, m->target);
    dentry_repoint(tree, m->new, m->node);
    reparent(tree, m->node, m->from, m->to);
    reparent(tree, m->target, m->to, m->from);
    times_changed(m->target);
}

/* The name where the node was now names the whiteout, or is gone. */
static void leave(struct tree *tree, struct move *m) REQUIRES(tree->lock)
{
    if (m->whiteout) {
        m->whiteout->nlink = 1;
        dentry_repoint(tree, m->old, m->whiteout);
        node_settle(tree, m->whiteout);
    } else {
        dentry_remove(tree, m->old);
        dentry_free(tree, m->old);
    }
}

/* Returns the replaced node if it died. */
static struct node *replace(struct tree *tree, struct move *m)
    REQUIRES(tree->lock)
{
    leave(tree, m);
    dentry_repoint(tree, m->new, m->node);
    reparent(tree, m->node, m->from, m->to);
    times_changed(m->target);
    return dir_unlinked(tree, m->to, m->target) ? m->target : NULL;
}

static void move(struct tree *tree, struct move *m) REQUIRES(tree->lock)
{
    if (m->whiteout) {
        leave(tree, m);
        dentry_insert(tree, m->to, m->bigger, m->node);
    } else {
        dentry_move(tree, m->old, m->to, m->to_name, m->bigger);
    }
    reparent(tree, m->node, m->from, m->to);
}

static int rename_once(struct tree *tree, uint64_t from, uint64_t to,
                       struct move *m, struct node **dead)
    REQUIRES(tree->lock)
{
    int err = find(tree, from, to, m);

    if (!err && m->node == m->target)
        return 0;
    if (!err)
        err = allowed(tree, m);
    if (!err)
        err = allocate(tree, m);
    if (err)
        return err;
    if (m->flags & RENAME_EXCHANGE)
        exchange(tree, m);
    else if (m->target)
        *dead = replace(tree, m);
    else
        move(tree, m);
    times_modified(m->from);
    if (m->to != m->from)
        times_modified(m->to);
    times_changed(m->node);
    return 0;
}

static int flags_check(unsigned flags)
{
    if (flags & ~(unsigned)(RENAME_NOREPLACE | RENAME_EXCHANGE |
                            RENAME_WHITEOUT))
        return -EINVAL;
    if (flags & RENAME_EXCHANGE &&
        flags & (RENAME_NOREPLACE | RENAME_WHITEOUT))
        return -EINVAL;
    return 0;
}

int tree_rename(struct tree *tree, const struct tree_cred *cred, uint64_t from,
                const char *name, uint64_t to, const char *to_name,
                unsigned flags, bool wait)
{
    struct move m = { .cred = cred, .name = name, .to_name = to_name,
                      .flags = flags };
    struct node *dead = NULL;
    int err = flags_check(flags);

    if (!err)
        err = name_check(name);
    if (!err)
        err = name_check(to_name);
    if (err)
        return err;
    if (name_is_dots(name) || name_is_dots(to_name))
        return flags & RENAME_NOREPLACE ? -EEXIST : -EBUSY;
    do {
        rwlock_lock(&tree->lock, RANK_TREE);
        err = rename_once(tree, from, to, &m, &dead);
        rwlock_unlock(&tree->lock);
    } while (tree_again(tree, err, wait));
    if (dead)
        node_free(tree, dead);
    return err;
}

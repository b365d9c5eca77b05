/* attr.c - attributes: reading, setting, flags; set-id bits taken away.
 *
 * Who may set what is the kernel's business (default_permissions), but for our
 * append-only and immutable flags.  By Linux's rules these stand against
 *
 *     mode, owner, explicit times    append, immutable
 *     times to now                   immutable
 *     size                           append, immutable
 *
 * Set-id bits: a change of the file's bytes by somebody without CAP_FSETID, and
 * every change of owner, takes S_ISUID away, and S_ISGID where it means "run as
 * that group" (group-executable) or the changer is not of that group; and with
 * them security.capability.  They go *before* the change is made: nobody may
 * run new bytes with old rights.
 */
#include "tree_internal.h"

#include "acl.h"
#include "clock.h"

#include <errno.h>
#include <linux/fs.h>

#define SET_OWNER (TREE_SET_UID | TREE_SET_GID)
#define SET_CHOWN (SET_OWNER | TREE_SET_OWNER_KEPT)

int tree_getattr(struct tree *tree, uint64_t id, struct tree_attr *attr)
{
    unsigned how = rwlock_lock_shared(&tree->lock, RANK_TREE);
    struct node *node = node_find(tree, id);

    if (node)
        node_attr(tree, node, attr);
    rwlock_unlock_shared(&tree->lock, how);
    return node ? 0 : -ESTALE;
}

bool attr_is_user(const struct tree_cred *cred, uid_t uid)
{
    lock_assert_none(RANK_TREE);
    if (cred->uid != TREE_ID_UNKNOWN)
        return cred->uid == uid;
    return cred->is_user && cred->is_user(cred->ctx, uid);
}

static bool is_member(const struct tree_cred *cred, struct node *node)
{
    gid_t gid;

    mutex_lock(&node->lock, RANK_NODE);
    gid = node->gid;
    mutex_unlock(&node->lock);
    lock_assert_none(RANK_TREE);
    return cred->gid == gid ||
           (cred->is_member && cred->is_member(cred->ctx, gid));
}

bool attr_in_group(const struct tree_cred *cred, struct node *node)
{
    return attr_is_user(cred, 0) || is_member(cred, node);
}

bool attr_owns(const struct tree_cred *cred, struct node *node)
{
    uid_t owner;

    mutex_lock(&node->lock, RANK_NODE);
    owner = node->uid;
    mutex_unlock(&node->lock);
    return attr_is_user(cred, owner) || attr_is_user(cred, 0);
}

static uint16_t killed(uint16_t perm, bool in_group)
{
    if (perm & S_IXGRP || !in_group)
        perm &= (uint16_t)~S_ISGID;
    return perm & (uint16_t)~S_ISUID;
}

void attr_tell(struct tree *tree, const struct node *node)
{
    lock_assert_none(RANK_TREE);
    if (tree->changed)
        tree->changed(tree->changed_ctx, node_id(tree, node));
}

int attr_kill(struct tree *tree, struct node *node,
              const struct tree_cred *killer, bool told, bool wait)
{
    struct timespec now;
    struct xattr *capability;
    bool any, in_group;

    mutex_lock(&node->lock, RANK_NODE);
    any = killed(node->perm, false) != node->perm ||
          node->flags & NODE_CAPABILITY;
    mutex_unlock(&node->lock);
    if (!any || (!told && attr_is_user(killer, 0)))
        return 0;
    if (!wait)
        return -EAGAIN;
    in_group = is_member(killer, node);
    now = clock_realtime();
    mutex_lock(&node->lock, RANK_NODE);
    if (killed(node->perm, in_group) != node->perm)
        times_set(node, TIME_CHANGE, &now);
    node->perm = killed(node->perm, in_group);
    capability = xattr_take(tree, node, XATTR_CAPABILITY);
    mutex_unlock(&node->lock);
    xattr_free(tree, capability);
    attr_tell(tree, node);
    return 0;
}

int attr_truncate(struct tree *tree, struct node *node, uint64_t size,
                  bool wait, bool *changed)
{
    bool holds = object_pages(&node->object) != 0;
    uint64_t old = object_size(&node->object);
    int err = object_truncate(tree->store, &node->object, size, wait);

    *changed = old != size || holds;
    return err;
}

/* A time other than now is asked for. */
static bool sets_time(unsigned set)
{
    return (set & TREE_SET_ATIME && !(set & TREE_SET_ATIME_NOW)) ||
           (set & TREE_SET_MTIME && !(set & TREE_SET_MTIME_NOW));
}

static int may_set(struct node *node, unsigned set)
{
    unsigned against = 0;

    if (set & TREE_SET_SIZE && !node_is(node, S_IFREG))
        return node_is(node, S_IFDIR) ? -EISDIR : -EINVAL;
    if (set & (TREE_SET_MODE | SET_OWNER | TREE_SET_SIZE))
        against = NODE_FROZEN;
    else if (set & TREE_SET_CTIME)
        against = 0;
    else if (sets_time(set))
        against = NODE_FROZEN;
    else if (set & (TREE_SET_ATIME_NOW | TREE_SET_MTIME_NOW))
        against = NODE_IMMUTABLE;
    return node_has(node, against) ? -EPERM : 0;
}

/* True of a chown(-1, -1) that would take bits away, but is not the owner's: or
 * a stranger's write, which the kernel announces by the same words, and which
 * brings its own order to take them away.  So that changes nothing. */
static bool is_a_strangers(const struct tree_cred *cred, struct node *node,
                           unsigned set, bool in_group)
{
    bool any;

    if (!(set & TREE_SET_OWNER_KEPT) || node_is(node, S_IFDIR))
        return false;
    mutex_lock(&node->lock, RANK_NODE);
    any = killed(node->perm, in_group) != node->perm;
    mutex_unlock(&node->lock);
    return any && !attr_owns(cred, node);
}

static void set_times(struct node *node, unsigned set,
                      const struct tree_attr *attr, bool resized)
    REQUIRES(node->lock)
{
    struct timespec now = clock_realtime();
    bool touched = resized || set & ~(unsigned)(TREE_SET_SIZE |
                                                TREE_SET_KILL_PRIV) ||
                   set == TREE_SET_KILL_PRIV;

    if (set & (TREE_SET_ATIME | TREE_SET_ATIME_NOW))
        times_set(node, TIME_ACCESS,
                  set & TREE_SET_ATIME_NOW ? &now : &attr->atime);
    if (set & TREE_SET_MTIME_NOW || (resized && !(set & TREE_SET_MTIME)))
        times_set(node, TIME_MODIFY, &now);
    else if (set & TREE_SET_MTIME)
        times_set(node, TIME_MODIFY, &attr->mtime);
    if (touched)
        times_set(node, TIME_CHANGE,
                  set & TREE_SET_CTIME ? &attr->ctime : &now);
}

/* Everything but the size; cannot fail.  Capabilities of a file that changes
 * hands the kernel takes away itself, when that is what chown(2) is to do; an
 * overlay that copies a file up wants them kept. */
static void set_rest(struct tree *tree, struct node *node, unsigned set,
                     const struct tree_attr *attr, bool in_group, bool resized)
{
    bool owner = set & SET_CHOWN && !node_is(node, S_IFDIR);

    mutex_lock(&node->lock, RANK_NODE);
    if (owner)
        node->perm = killed(node->perm, in_group);
    if (set & TREE_SET_UID)
        node->uid = attr->uid;
    if (set & TREE_SET_GID)
        node->gid = attr->gid;
    if (set & TREE_SET_MODE)
        acl_chmod(tree, node, (uint16_t)(attr->mode & 07777));
    set_times(node, set, attr, resized);
    mutex_unlock(&node->lock);
}

static int set_all(struct tree *tree, const struct tree_cred *cred,
                   struct node *node, unsigned set,
                   const struct tree_attr *attr, bool wait)
{
    bool resized = false, in_group = true;
    int err = may_set(node, set);

    if (!err && set & SET_CHOWN)
        in_group = attr_in_group(cred, node);
    if (!err && is_a_strangers(cred, node, set, in_group))
        return 0;
    /* With an owner KILL_PRIV says nothing of the changer, and comes anyway. */
    if (!err && set & TREE_SET_KILL_PRIV && !(set & SET_CHOWN) &&
        !node_is(node, S_IFDIR))
        err = attr_kill(tree, node, cred, true, wait);
    if (!err && set & TREE_SET_SIZE)
        err = attr_truncate(tree, node, attr->size, wait, &resized);
    if (err)
        return err;
    set_rest(tree, node, set, attr, in_group, resized);
    return 0;
}

int tree_setattr(struct tree *tree, const struct tree_cred *cred, uint64_t id,
                 unsigned set, const struct tree_attr *attr, bool wait,
                 struct tree_attr *result)
{
    struct node *node = node_get(tree, id);
    int err;

    if (!node)
        return -ESTALE;
    err = set_all(tree, cred, node, set, attr, wait);
    if (err)
        node_put(tree, node);
    else
        node_put_attr(tree, node, result);
    return err;
}

int tree_setflags(struct tree *tree, uint64_t id, uint32_t flags)
{
    const uint32_t known = FS_APPEND_FL | FS_IMMUTABLE_FL | FS_NODUMP_FL |
                           FS_NOATIME_FL;
    unsigned set = (flags & FS_APPEND_FL ? NODE_APPEND : 0u) |
                   (flags & FS_IMMUTABLE_FL ? NODE_IMMUTABLE : 0u) |
                   (flags & FS_NODUMP_FL ? NODE_NODUMP : 0u) |
                   (flags & FS_NOATIME_FL ? NODE_NOATIME : 0u);
    struct node *node;

    if (flags & ~known)
        return -EOPNOTSUPP;
    node = node_get(tree, id);
    if (!node)
        return -ESTALE;
    mutex_lock(&node->lock, RANK_NODE);
    node->flags &= (uint8_t)~(NODE_FROZEN | NODE_INHERITED);
    node->flags |= (uint8_t)set;
    mutex_unlock(&node->lock);
    times_changed(node);
    attr_tell(tree, node);
    node_put(tree, node);
    return 0;
}

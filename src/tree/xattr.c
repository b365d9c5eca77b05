/* xattr.c - extended attributes: which names there are, and their rules.
 *
 *     user.*           regular files and directories
 *     trusted.*        the kernel lets only root near; listed for root only
 *     security.*       kept
 *     gnu.translator   the Hurd's passive translator: a record, of any bytes,
 *                      that nobody but the owner may set
 *     system.posix_acl_access, _default    acl.c
 *
 * Any other name is -EOPNOTSUPP.  Values are of up to 64 KiB, and so is the
 * list of the names, which keeps every list complete and the chain short.  The
 * memory is the arena's, so that attributes count in the limit of the mount.
 */
#include "acl.h"
#include "xattr.h"

#include "clock.h"

#include <errno.h>
#include <linux/limits.h>
#include <string.h>
#include <sys/xattr.h>

enum kind { KIND_USER, KIND_TRUSTED, KIND_SECURITY, KIND_TRANSLATOR, KIND_ACL };

static const struct {
    const char *prefix;
    enum kind kind;
} prefixes[] = {
    { "user.", KIND_USER },
    { "trusted.", KIND_TRUSTED },
    { "security.", KIND_SECURITY },
};

static int kind_of(const struct tree *tree, const char *name, enum kind *kind)
{
    size_t length = strnlen(name, XATTR_NAME_MAX + 1);

    if (length == 0 || length > XATTR_NAME_MAX)
        return -ERANGE;
    for (size_t i = 0; i < ARRAY_SIZE(prefixes); i++) {
        size_t prefix = strlen(prefixes[i].prefix);

        if (strncmp(name, prefixes[i].prefix, prefix) == 0) {
            *kind = prefixes[i].kind;
            return name[prefix] ? 0 : -EINVAL;
        }
    }
    *kind = strcmp(name, "gnu.translator") == 0 ? KIND_TRANSLATOR : KIND_ACL;
    if (*kind == KIND_TRANSLATOR)
        return 0;
    if (tree->no_acl || (strcmp(name, XATTR_ACL_ACCESS) != 0 &&
                         strcmp(name, XATTR_ACL_DEFAULT) != 0))
        return -EOPNOTSUPP;
    return 0;
}

static bool user_allowed(const struct node *node)
{
    return node_is(node, S_IFREG) || node_is(node, S_IFDIR);
}

/* May the attribute be set or removed? */
static int may_change(struct node *node, const struct tree_cred *cred,
                      enum kind kind)
{
    if (node_has(node, NODE_FROZEN))
        return -EPERM;
    if (kind == KIND_USER && !user_allowed(node))
        return -EPERM;
    if (kind == KIND_TRANSLATOR && !attr_owns(cred, node))
        return -EPERM;
    return kind == KIND_ACL && node_is(node, S_IFLNK) ? -EOPNOTSUPP : 0;
}

/* Bytes of the list of all names. */
static size_t list_size(const struct tree *tree, const struct node *node)
    REQUIRES(node->lock)
{
    const struct xattr *xattr = arena_ptr(tree->arena, node->xattr);
    size_t size = 0;

    for (; xattr; xattr = arena_ptr(tree->arena, xattr->next))
        size += strlen(xattr->name) + 1;
    return size;
}

static int may_replace(const struct tree *tree, const struct node *node,
                       const char *name, int flags) REQUIRES(node->lock)
{
    if (xattr_find(tree, node, name))
        return flags & XATTR_CREATE ? -EEXIST : 0;
    if (flags & XATTR_REPLACE)
        return -ENODATA;
    return list_size(tree, node) + strlen(name) + 1 > XATTR_LIST_MAX ? -ENOSPC
                                                                     : 0;
}

static int set(struct tree *tree, struct node *node, const char *name,
               const void *value, size_t size, int flags)
{
    struct timespec now = clock_realtime();
    struct xattr *fresh, *old = NULL;
    int err;

    mutex_lock(&node->lock, RANK_NODE);
    err = may_replace(tree, node, name, flags);
    mutex_unlock(&node->lock);
    if (err)
        return err;
    err = xattr_make(tree, name, value, size, &fresh);
    if (err)
        return err;
    /* Another may have been here meanwhile. */
    mutex_lock(&node->lock, RANK_NODE);
    err = may_replace(tree, node, name, flags);
    if (!err) {
        old = xattr_take(tree, node, name);
        xattr_add(tree, node, fresh);
        times_set(node, TIME_CHANGE, &now);
    }
    mutex_unlock(&node->lock);
    xattr_free(tree, err ? fresh : old);
    return err;
}

int tree_setxattr(struct tree *tree, const struct tree_cred *cred, uint64_t id,
                  const char *name, const void *value, size_t size, int flags,
                  bool wait)
{
    struct node *node;
    enum kind kind;
    int err = kind_of(tree, name, &kind);

    if (err)
        return err;
    if (size > XATTR_SIZE_MAX)
        return -E2BIG;
    if (flags & ~(XATTR_CREATE | XATTR_REPLACE | TREE_XATTR_KILL_SGID))
        return -EINVAL;
    node = node_get(tree, id);
    if (!node)
        return -ESTALE;
    err = may_change(node, cred, kind);
    if (err)
        goto put;
    if (kind == KIND_ACL) {
        err = acl_set(tree, node, name, value, size,
                      flags & TREE_XATTR_KILL_SGID, wait);
    } else {
        do
            err = set(tree, node, name, value, size, flags);
        while (tree_again(tree, err, wait));
    }
put:
    node_put(tree, node);
    return err;
}

ssize_t tree_getxattr(struct tree *tree, uint64_t id, const char *name,
                      void *value, size_t size)
{
    struct xattr *xattr;
    struct node *node;
    enum kind kind;
    ssize_t result = kind_of(tree, name, &kind);

    if (result)
        return result;
    node = node_get(tree, id);
    if (!node)
        return -ESTALE;
    mutex_lock(&node->lock, RANK_NODE);
    xattr = xattr_find(tree, node, name);
    result = xattr ? (ssize_t)xattr->size : -ENODATA;
    if (xattr && size && size < xattr->size)
        result = -ERANGE;
    else if (xattr && size)
        xattr_get(tree, xattr, value);
    mutex_unlock(&node->lock);
    node_put(tree, node);
    return result;
}

ssize_t tree_listxattr(struct tree *tree, const struct tree_cred *cred,
                       uint64_t id, char *list, size_t size)
{
    struct node *node = node_get(tree, id);
    const struct xattr *xattr;
    bool any, trusted;
    size_t at = 0;

    if (!node)
        return -ESTALE;
    mutex_lock(&node->lock, RANK_NODE);
    any = node->xattr != HANDLE_NONE;
    mutex_unlock(&node->lock);
    trusted = any && attr_is_user(cred, 0);
    mutex_lock(&node->lock, RANK_NODE);
    for (xattr = arena_ptr(tree->arena, node->xattr); xattr;
         xattr = arena_ptr(tree->arena, xattr->next)) {
        size_t length = strlen(xattr->name) + 1;

        if (!trusted && strncmp(xattr->name, "trusted.", 8) == 0)
            continue;
        if (size && at + length <= size)
            memcpy(list + at, xattr->name, length);
        at += length;
    }
    mutex_unlock(&node->lock);
    node_put(tree, node);
    return size && at > size ? -ERANGE : (ssize_t)at;
}

static int take_away(struct tree *tree, struct node *node, const char *name)
{
    struct timespec now = clock_realtime();
    struct xattr *old;

    mutex_lock(&node->lock, RANK_NODE);
    old = xattr_take(tree, node, name);
    if (old)
        times_set(node, TIME_CHANGE, &now);
    mutex_unlock(&node->lock);
    if (!old)
        return -ENODATA;
    xattr_free(tree, old);
    return 0;
}

int tree_removexattr(struct tree *tree, const struct tree_cred *cred,
                     uint64_t id, const char *name)
{
    struct node *node;
    enum kind kind;
    int err = kind_of(tree, name, &kind);

    if (err)
        return err;
    node = node_get(tree, id);
    if (!node)
        return -ESTALE;
    err = may_change(node, cred, kind);
    if (!err && kind == KIND_ACL)
        acl_remove(tree, node, name, !attr_in_group(cred, node));
    else if (!err)
        err = take_away(tree, node, name);
    node_put(tree, node);
    return err;
}

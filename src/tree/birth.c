/* birth.c - what a new node is like: owner, permissions, ACLs, flags.
 *
 * The rules of Linux, as far as the kernel leaves them to a FUSE file system:
 *
 *   group        the directory's if that is set-group-ID (then a directory made
 *                in it is so too) or the mount says grpid, else the caller's.
 *                That a file loses S_ISGID when its maker is not of the group,
 *                the kernel has seen to (it knows all groups of the caller).
 *   permissions  as asked for, less the umask; if the directory has a default
 *                ACL, that takes the place of the umask (acl.c).
 *   flags        nodump and noatime are inherited.
 *
 * Everything that can fail comes before the node, so that a node is never
 * undone.
 */
#include "tree_internal.h"

#include "acl.h"

#include <errno.h>
#include <string.h>

/* The symlink's own memory for its target. */
static int target_alloc(struct tree *tree, const char *target, uint32_t *handle)
{
    void *bytes;
    int err;

    *handle = HANDLE_NONE;
    if (!target)
        return 0;
    err = arena_alloc(tree->arena, strlen(target) + 1, &bytes);
    if (err)
        return err;
    strcpy(bytes, target);
    *handle = handle_of(tree, bytes);
    return 0;
}

static void attributes(struct tree *tree, struct node *dir,
                       const struct birth *birth, const struct acl_born *acl,
                       struct node *node)
{
    bool setgid;
    gid_t gid;
    unsigned flags;

    mutex_lock(&dir->lock, RANK_NODE);
    setgid = dir->perm & S_ISGID;
    gid = setgid || tree->grpid ? dir->gid : birth->cred->gid;
    flags = dir->flags & NODE_INHERITED;
    mutex_unlock(&dir->lock);

    mutex_lock(&node->lock, RANK_NODE);
    node->perm = acl->perm;
    if (setgid && node_is(node, S_IFDIR))
        node->perm |= S_ISGID;
    node->uid = birth->cred->uid;
    node->gid = gid;
    node->flags = (uint8_t)(flags | acl->flags);
    node->xattr = handle_of(tree, acl->xattr);
    mutex_unlock(&node->lock);
}

int birth_node(struct tree *tree, struct node *dir, const struct birth *birth,
               struct node **out)
{
    struct acl_born acl;
    uint32_t target;
    struct node *node;
    int err;

    err = acl_born(tree, dir, birth, &acl);
    if (err)
        return err;
    err = target_alloc(tree, birth->target, &target);
    if (err)
        goto free_acl;
    err = node_new(tree, birth->mode, &node);
    if (err)
        goto free_target;
    if (birth->target) {
        node->target.bytes = target;
        node->target.length = (uint32_t)strlen(birth->target);
    } else if (node_is(node, S_IFCHR) || node_is(node, S_IFBLK)) {
        node->rdev = birth->rdev;
    }
    attributes(tree, dir, birth, &acl, node);
    times_born(node);
    *out = node;
    return 0;

free_target:
    arena_free(tree->arena, arena_ptr(tree->arena, target));
free_acl:
    xattr_free(tree, acl.xattr);
    return err;
}

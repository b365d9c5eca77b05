/* acl.h - POSIX ACLs of a node, kept as its extended attributes.
 *
 * Invariant   the permission bits are what the access ACL says of owner, mask
 *             (or group) and others; an ACL that says no more is not kept.
 * Locking     as annotated; acl_set and acl_remove lock inside.
 * Errors      0 or -errno.
 */
#ifndef TREE_ACL_H
#define TREE_ACL_H

#include "tree_internal.h"
#include "xattr.h"

/* What a new node gets instead of the mode that was asked for. */
struct acl_born {
    uint16_t perm;
    uint8_t flags;       /* of enum node_flags */
    struct xattr *xattr; /* its chain, to be freed if it comes to nothing */
};
/* With no lock but the tree's held. */
int acl_born(struct tree *tree, struct node *dir, const struct birth *birth,
             struct acl_born *born) REQUIRES(tree->lock);

/* name: one of XATTR_ACL_*.  An ACL without entries removes.  kill_sgid: if it is the
 * access ACL, the set-gid bit goes with it. */
int acl_set(struct tree *tree, struct node *node, const char *name,
            const void *value, size_t size, bool kill_sgid, bool wait);
/* As setting none does: there need not have been one. */
void acl_remove(struct tree *tree, struct node *node, const char *name,
                bool kill_sgid);
/* chmod: permission bits, and the ACL with them. */
void acl_chmod(struct tree *tree, struct node *node, uint16_t perm)
    REQUIRES(node->lock);

#endif

/* xattr.h - the chain of extended attributes of one node.
 *
 * Ownership   a record belongs to the chain it is on, or to who made or took
 *             it.
 * Locking     what takes a node wants node->lock held; the others touch only
 *             records that nobody else can see.
 * Errors      0, -EAGAIN (no frame at this moment), -ENOSPC.
 */
#ifndef TREE_XATTR_H
#define TREE_XATTR_H

#include "tree_internal.h"

#define XATTR_CAPABILITY "security.capability"
#define XATTR_ACL_ACCESS "system.posix_acl_access"
#define XATTR_ACL_DEFAULT "system.posix_acl_default"

/* An arena object of up to a frame: name, NUL, and as much of the value as
 * fits; the rest is in chunks. */
struct xattr {
    uint32_t next;  /* record of the same node */
    uint32_t more;  /* first chunk */
    uint32_t size;  /* of the value */
    char name[];
};

/* A record on no chain. */
int xattr_make(struct tree *tree, const char *name, const void *value,
               size_t size, struct xattr **xattr);
/* All bytes of the value. */
void xattr_get(const struct tree *tree, struct xattr *xattr, void *value);
/* New bytes of the same number. */
void xattr_put(const struct tree *tree, struct xattr *xattr, const void *value);

/* NULL if there is none of that name. */
struct xattr *xattr_find(const struct tree *tree, const struct node *node,
                         const char *name) REQUIRES(node->lock);
/* On the chain with it; there must be none of that name. */
void xattr_add(struct tree *tree, struct node *node, struct xattr *xattr)
    REQUIRES(node->lock);
/* Off the chain, if it is there; the caller frees what is returned. */
struct xattr *xattr_take(struct tree *tree, struct node *node,
                         const char *name) REQUIRES(node->lock);
/* A record, or a chain of them, or none. */
void xattr_free(struct tree *tree, struct xattr *xattr);
/* The node's flag that says an attribute of that name is there; mostly none. */
unsigned xattr_flag(const char *name);

#endif

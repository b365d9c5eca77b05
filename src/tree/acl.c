/* acl.c - POSIX ACLs: checked, kept in step with the mode, inherited.
 *
 * The kernel evaluates ACLs, for which it reads the attributes.  Left to the
 * file system is what Linux's fs/posix_acl.c does when they are set:
 *
 *   set access      must be valid; the permission bits follow it, and if it
 *                   says no more than they can, it is not kept at all
 *   set default     of directories only; means nothing for the directory itself
 *   remove          is setting none: succeeds even if there was none
 *   chmod           owner, mask (group, if there is no mask) and others follow
 *   new node        a default ACL of its directory takes the place of the
 *                   umask: it becomes the access ACL, reduced to the mode asked
 *                   for, and the default ACL of a directory
 *
 * The attribute is a header with version 2 and 8 bytes an entry, little-endian,
 * sorted by tag.  The kernel takes none above a page, and so do we.
 */
#include "acl.h"

#include "clock.h"

#include <errno.h>
#include <linux/posix_acl.h>
#include <linux/posix_acl_xattr.h>
#include <string.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "read as kept");

#define ENTRY_SIZE sizeof(struct posix_acl_xattr_entry)
#define HEADER_SIZE sizeof(struct posix_acl_xattr_header)
#define MAX_ENTRIES ((PAGE_SIZE - HEADER_SIZE) / ENTRY_SIZE)

/* Just as it lies in the attribute. */
struct acl {
    struct posix_acl_xattr_header header;
    struct posix_acl_xattr_entry entry[MAX_ENTRIES];
};

static size_t count(size_t size)
{
    return (size - HEADER_SIZE) / ENTRY_SIZE;
}

static int parse(const void *value, size_t size, struct acl *acl)
{
    if (size > sizeof(*acl))
        return -E2BIG;
    if (size < HEADER_SIZE || (size - HEADER_SIZE) % ENTRY_SIZE != 0)
        return -EINVAL;
    memcpy(acl, value, size);
    return acl->header.a_version == POSIX_ACL_XATTR_VERSION ? 0 : -EOPNOTSUPP;
}

/* Tags come in the order of their values; those without an id exactly once, but
 * for the mask, which must be there if there is any entry with an id. */
static bool valid(const struct acl *acl, size_t nr)
{
    unsigned before = 0, once = 0;
    bool named = false;

    for (size_t i = 0; i < nr; i++) {
        unsigned tag = acl->entry[i].e_tag;
        bool with_id = tag == ACL_USER || tag == ACL_GROUP;

        if (acl->entry[i].e_perm & ~7u || tag < before || tag > ACL_OTHER ||
            !is_pow2(tag) || (!with_id && once & tag))
            return false;
        if (with_id && acl->entry[i].e_id == (uint32_t)ACL_UNDEFINED_ID)
            return false;
        named |= with_id;
        once |= tag;
        before = tag;
    }
    return (once & ACL_USER_OBJ) && (once & ACL_GROUP_OBJ) &&
           (once & ACL_OTHER) && (!named || once & ACL_MASK);
}

/* The entry of that tag, which is there once; NULL for a mask that is not. */
static struct posix_acl_xattr_entry *find(struct acl *acl, size_t nr,
                                          unsigned tag)
{
    for (size_t i = 0; i < nr; i++)
        if (acl->entry[i].e_tag == tag)
            return &acl->entry[i];
    return NULL;
}

/* The three entries that the permission bits stand for. */
struct classes {
    struct posix_acl_xattr_entry *owner, *group, *other;
};

static struct classes classes_of(struct acl *acl, size_t nr)
{
    struct classes c = {
        .owner = find(acl, nr, ACL_USER_OBJ),
        .group = find(acl, nr, ACL_MASK),
        .other = find(acl, nr, ACL_OTHER),
    };

    if (!c.group)
        c.group = find(acl, nr, ACL_GROUP_OBJ);
    return c;
}

static uint16_t mode_of(const struct classes *c)
{
    return (uint16_t)(c->owner->e_perm << 6 | c->group->e_perm << 3 |
                      c->other->e_perm);
}

static void mode_to(const struct classes *c, unsigned perm)
{
    c->owner->e_perm = perm >> 6 & 7;
    c->group->e_perm = perm >> 3 & 7;
    c->other->e_perm = perm & 7;
}

/* More than permission bits can say: a mask, or entries with ids. */
static bool extended(size_t nr)
{
    return nr > 3;
}

/* Puts the attribute (or none) in the place of the one there is; returns what
 * is to be freed. */
static struct xattr *swap(struct tree *tree, struct node *node,
                          const char *name, struct xattr *fresh)
    REQUIRES(node->lock)
{
    struct timespec now = clock_realtime();
    struct xattr *old = xattr_take(tree, node, name);

    if (fresh)
        xattr_add(tree, node, fresh);
    times_set(node, TIME_CHANGE, &now);
    return old;
}

static void set_access(struct tree *tree, struct node *node, struct acl *acl,
                       size_t nr, bool kill_sgid, struct xattr **xattr)
{
    struct classes c = classes_of(acl, nr);

    mutex_lock(&node->lock, RANK_NODE);
    node->perm = (uint16_t)((node->perm & ~0777u) | mode_of(&c));
    if (kill_sgid)
        node->perm &= (uint16_t)~S_ISGID;
    *xattr = swap(tree, node, XATTR_ACL_ACCESS, *xattr);
    mutex_unlock(&node->lock);
}

void acl_remove(struct tree *tree, struct node *node, const char *name,
                bool kill_sgid)
{
    bool access = xattr_flag(name) == NODE_ACL_ACCESS;
    struct xattr *old;

    if (!access && !node_is(node, S_IFDIR))
        return;
    mutex_lock(&node->lock, RANK_NODE);
    if (access && kill_sgid)
        node->perm &= (uint16_t)~S_ISGID;
    old = swap(tree, node, name, NULL);
    mutex_unlock(&node->lock);
    xattr_free(tree, old);
}

int acl_set(struct tree *tree, struct node *node, const char *name,
            const void *value, size_t size, bool kill_sgid, bool wait)
{
    bool access = xattr_flag(name) == NODE_ACL_ACCESS;
    struct xattr *xattr = NULL;
    struct acl acl;
    int err = parse(value, size, &acl);
    size_t nr = err ? 0 : count(size);

    if (err)
        return err;
    if (!access && !node_is(node, S_IFDIR))
        return nr ? -EACCES : 0;
    if (nr == 0) {
        acl_remove(tree, node, name, kill_sgid);
        return 0;
    }
    if (!valid(&acl, nr))
        return -EINVAL;
    if (!access || extended(nr)) {
        do
            err = xattr_make(tree, name, value, size, &xattr);
        while (tree_again(tree, err, wait));
    }
    if (err)
        return err;
    if (access) {
        set_access(tree, node, &acl, nr, kill_sgid, &xattr);
    } else {
        mutex_lock(&node->lock, RANK_NODE);
        xattr = swap(tree, node, name, xattr);
        mutex_unlock(&node->lock);
    }
    xattr_free(tree, xattr);
    return 0;
}

void acl_chmod(struct tree *tree, struct node *node, uint16_t perm)
{
    struct xattr *xattr;
    struct classes c;
    struct acl acl;

    node->perm = perm;
    if (!(node->flags & NODE_ACL_ACCESS))
        return;
    xattr = xattr_find(tree, node, XATTR_ACL_ACCESS);
    xattr_get(tree, xattr, &acl);
    c = classes_of(&acl, count(xattr->size));
    mode_to(&c, perm);
    xattr_put(tree, xattr, &acl);
}

/* The directory's default ACL; 0 if it has none. */
static size_t default_of(struct tree *tree, struct node *dir, struct acl *acl)
{
    struct xattr *xattr = NULL;
    size_t size = 0;

    mutex_lock(&dir->lock, RANK_NODE);
    if (dir->flags & NODE_ACL_DEFAULT)
        xattr = xattr_find(tree, dir, XATTR_ACL_DEFAULT);
    if (xattr) {
        xattr_get(tree, xattr, acl);
        size = xattr->size;
    }
    mutex_unlock(&dir->lock);
    return size;
}

/* One more attribute on the chain of what is to be born. */
static int bear(struct tree *tree, struct acl_born *born, const char *name,
                const struct acl *acl, size_t size)
{
    struct xattr *xattr;
    int err = xattr_make(tree, name, acl, size, &xattr);

    if (err)
        return err;
    xattr->next = handle_of(tree, born->xattr);
    born->xattr = xattr;
    born->flags |= (uint8_t)xattr_flag(name);
    return 0;
}

int acl_born(struct tree *tree, struct node *dir, const struct birth *birth,
             struct acl_born *born)
{
    struct classes c;
    struct acl acl;
    size_t size;
    int err = 0;

    *born = (struct acl_born){ .perm = (uint16_t)(birth->mode & 07777) };
    if (S_ISLNK(birth->mode))
        return 0;
    size = tree->no_acl ? 0 : default_of(tree, dir, &acl);
    if (!size) {
        born->perm &= (uint16_t)~birth->cred->umask;
        return 0;
    }
    if (S_ISDIR(birth->mode))
        err = bear(tree, born, XATTR_ACL_DEFAULT, &acl, size);
    if (err)
        return err;
    c = classes_of(&acl, count(size));
    mode_to(&c, mode_of(&c) & born->perm);
    born->perm = (uint16_t)((born->perm & ~0777u) | mode_of(&c));
    if (extended(count(size)))
        err = bear(tree, born, XATTR_ACL_ACCESS, &acl, size);
    if (err)
        xattr_free(tree, born->xattr);
    return err;
}

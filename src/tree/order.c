/* order.c - the entries of one directory in the order of their cookies.
 *
 * Reading a directory goes up the cookies and may stop and go on anywhere,
 * while entries come and go: so the entries of a directory are kept sorted by
 * cookie, in a treap (Seidel and Aragon, 1996) whose links are handles inside
 * the dentries.  A directory without entries needs no memory for it.
 *
 *     search tree by cookie, and heap by priority
 *
 * The priority is a keyed hash of the cookie, not stored: so the shape depends
 * on nothing but the cookies that are there, is that of a random tree (expected
 * depth 2 ln n), and nobody outside can choose cookies that bend it.
 *
 * New entries always get the highest cookie.  `last` names the entry that has
 * it now; an append climbs from there along the right spine, which is O(1) on
 * average, as is removal (two steps expected).  Only a seek goes down from the
 * top, O(log n).
 */
#include "tree_internal.h"

#include "log.h"

static uint64_t priority(const struct tree *tree, const struct dentry *dentry)
{
    uint64_t x = dentry->cookie ^ tree->order_key;

    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9;
    x = (x ^ x >> 27) * 0x94d049bb133111eb;
    return x ^ x >> 31;
}

static bool above(const struct tree *tree, const struct dentry *a,
                  const struct dentry *b)
{
    return priority(tree, a) > priority(tree, b);
}

/* Hangs `child` (or nothing) where `dentry` hung. */
static void rehang(struct tree *tree, struct directory *dir,
                   const struct dentry *dentry, uint32_t child)
    REQUIRES(tree->lock)
{
    struct dentry *up = dentry_at(tree, dentry->up);

    if (!up)
        dir->top = child;
    else if (up->left == handle_of(tree, dentry))
        up->left = child;
    else
        up->right = child;
    if (child != HANDLE_NONE)
        dentry_at(tree, child)->up = dentry->up;
}

void order_append(struct tree *tree, struct directory *dir,
                  struct dentry *dentry)
{
    struct dentry *below = NULL, *at = dentry_at(tree, dir->last);
    uint32_t h = handle_of(tree, dentry);

    INVARIANT("T2", !at || at->cookie < dentry->cookie);
    while (at && above(tree, dentry, at)) {
        below = at;
        at = dentry_at(tree, at->up);
    }
    dentry->left = handle_of(tree, below);
    dentry->right = HANDLE_NONE;
    dentry->up = handle_of(tree, at);
    if (below)
        below->up = h;
    if (at)
        at->right = h;
    else
        dir->top = h;
    dir->last = h;
}

/* The two subtrees of a dentry that goes become one. */
static uint32_t merge(struct tree *tree, uint32_t left, uint32_t right)
    REQUIRES(tree->lock)
{
    uint32_t top = HANDLE_NONE, up = HANDLE_NONE, *slot = &top;

    while (left != HANDLE_NONE && right != HANDLE_NONE) {
        struct dentry *l = dentry_at(tree, left), *r = dentry_at(tree, right);

        if (above(tree, l, r)) {
            *slot = left;
            l->up = up;
            up = left;
            slot = &l->right;
            left = l->right;
        } else {
            *slot = right;
            r->up = up;
            up = right;
            slot = &r->left;
            right = r->left;
        }
    }
    *slot = left != HANDLE_NONE ? left : right;
    if (*slot != HANDLE_NONE)
        dentry_at(tree, *slot)->up = up;
    return top;
}

/* The entry with the next lower cookie than the last. */
static uint32_t before_last(const struct tree *tree, const struct dentry *last)
    REQUIRES(tree->lock)
{
    uint32_t h = last->left;

    if (h == HANDLE_NONE)
        return last->up;
    while (dentry_at(tree, h)->right != HANDLE_NONE)
        h = dentry_at(tree, h)->right;
    return h;
}

void order_remove(struct tree *tree, struct directory *dir,
                  struct dentry *dentry)
{
    if (dir->last == handle_of(tree, dentry))
        dir->last = before_last(tree, dentry);
    rehang(tree, dir, dentry, merge(tree, dentry->left, dentry->right));
    dentry->up = dentry->left = dentry->right = HANDLE_NONE;
}

void order_replace(struct tree *tree, struct directory *dir, struct dentry *old,
                   struct dentry *dentry)
{
    uint32_t h = handle_of(tree, dentry);

    dentry->cookie = old->cookie;
    dentry->left = old->left;
    dentry->right = old->right;
    rehang(tree, dir, old, h);
    dentry->up = old->up;
    if (dentry->left != HANDLE_NONE)
        dentry_at(tree, dentry->left)->up = h;
    if (dentry->right != HANDLE_NONE)
        dentry_at(tree, dentry->right)->up = h;
    if (dir->last == handle_of(tree, old))
        dir->last = h;
}

struct dentry *order_seek(const struct tree *tree, const struct directory *dir,
                          uint64_t cookie)
{
    struct dentry *at = dentry_at(tree, dir->top), *found = NULL;

    while (at) {
        if (at->cookie > cookie) {
            found = at;
            at = dentry_at(tree, at->left);
        } else {
            at = dentry_at(tree, at->right);
        }
    }
    return found;
}

struct dentry *order_next(const struct tree *tree, const struct dentry *dentry)
{
    struct dentry *at = dentry_at(tree, dentry->right);

    if (at) {
        while (at->left != HANDLE_NONE)
            at = dentry_at(tree, at->left);
        return at;
    }
    at = dentry_at(tree, dentry->up);
    while (at && at->right == handle_of(tree, dentry)) {
        dentry = at;
        at = dentry_at(tree, at->up);
    }
    return at;
}

void order_check(const struct tree *tree, const struct directory *dir,
                 const struct dentry *dentry)
{
    const struct dentry *up = dentry_at(tree, dentry->up);
    const struct dentry *left = dentry_at(tree, dentry->left);
    const struct dentry *right = dentry_at(tree, dentry->right);
    uint32_t h = handle_of(tree, dentry);

    INVARIANT("T2", up ? (up->left == h) != (up->right == h) : dir->top == h);
    INVARIANT("T2", !up || !above(tree, dentry, up));
    INVARIANT("T2", !left || left->cookie < dentry->cookie);
    INVARIANT("T2", !right || right->cookie > dentry->cookie);
    INVARIANT("T2", dentry->cookie < dir->next_cookie);
    if (!order_next(tree, dentry))
        INVARIANT("T2", dir->last == h);
}

/* node.c - the life of a node: found by id, counted, freed.
 *
 *                  node_new (birth.c)
 *                        |
 *                     NODE_NONE
 *              named /         \ tmpfile
 *                   v           v
 *     NODE_NAMED ------------> NODE_HELD ------------> NODE_WAITING
 *          ^   last name gone   |  ^ |  last user gone    |  |
 *          |   while in use     |  +-|--------------------+  |
 *          +--- tree_link ------+    |   a call found it     |
 *          (of a tmpfile)            v                       v
 *                                 NODE_DEAD --node_free--> no node
 *
 * The state is a function of three counts (names, users, lookups); whoever
 * changes one calls node_settle, which alone changes the state.  A DEAD node
 * cannot be found, so nobody can count it up again; its pages are dropped with
 * no lock held, for that may wait for I/O.
 *
 * An id comes from the kernel, and through a file handle from anybody.  So it
 * is never trusted: the arena tells whether the handle is that of a live node,
 * and the node whether the sequence number is its own.  Nodes are allocated and
 * given back only under the tree's lock, so that both answers hold together.
 */
#include "tree_internal.h"
#include "xattr.h"

#include "log.h"

#include <errno.h>
#include <linux/fs.h>
#include <string.h>

bool tree_again(struct tree *tree, int err, bool wait)
{
    if (err != -EAGAIN || !wait)
        return false;
    arena_wait(tree->arena);
    return true;
}

uint64_t node_id(const struct tree *tree, const struct node *node)
{
    if (node == tree->root)
        return TREE_ROOT;
    return node->seq << 32 | handle_of(tree, node);
}

struct node *node_find(struct tree *tree, uint64_t id)
{
    struct node *node = node_at(tree, (uint32_t)id);

    if (id == TREE_ROOT)
        return tree->root;
    if (!arena_handle_is_node(tree->arena, (uint32_t)id))
        return NULL;
    if (node->state == NODE_NONE || node->state == NODE_DEAD ||
        (uint32_t)node->seq != id >> 32)
        return NULL;
    return node;
}

int node_find_dir(struct tree *tree, uint64_t id, struct node **dir)
{
    *dir = node_find(tree, id);
    if (!*dir)
        return -ESTALE;
    return node_is(*dir, S_IFDIR) ? 0 : -ENOTDIR;
}

struct node *node_get(struct tree *tree, uint64_t id)
{
    struct node *node;

    mutex_lock(&tree->lock, RANK_TREE);
    node = node_find(tree, id);
    if (node) {
        node->users++;
        node_settle(tree, node);
    }
    mutex_unlock(&tree->lock);
    return node;
}

void node_put(struct tree *tree, struct node *node)
{
    bool dead;

    mutex_lock(&tree->lock, RANK_TREE);
    INVARIANT("I13", node->users > 0);
    node->users--;
    dead = node_settle(tree, node);
    mutex_unlock(&tree->lock);
    if (dead)
        node_free(tree, node);
}

int node_new(struct tree *tree, mode_t type, struct node **out)
{
    struct node *node;
    void *ptr;
    int err;

    if (tree->nr_inodes && tree->stats.nodes >= tree->nr_inodes)
        return -ENOSPC;
    err = arena_alloc_node(tree->arena, &ptr);
    if (err)
        return err;
    node = ptr;
    node->type = NODE_TYPE(type);
    node->seq = ++tree->last_seq;
    if (node_is(node, S_IFREG))
        object_init(&node->object);
    if (node_is(node, S_IFDIR))
        node->dir.next_cookie = FIRST_COOKIE;
    if (++tree->stats.nodes > tree->stats.nodes_max)
        tree->stats.nodes_max = tree->stats.nodes;
    *out = node;
    return 0;
}

static enum node_state state_now(const struct node *node)
{
    if (node->nlink)
        return NODE_NAMED;
    if (node->users)
        return NODE_HELD;
    return node->nlookup ? NODE_WAITING : NODE_DEAD;
}

static bool is_orphan(enum node_state state)
{
    return state == NODE_HELD || state == NODE_WAITING;
}

bool node_settle(struct tree *tree, struct node *node)
{
    enum node_state old = node->state, state = state_now(node);

    INVARIANT("I13", old != NODE_DEAD);
    if (is_orphan(old))
        tree->stats.orphans--;
    if (is_orphan(state))
        tree->stats.orphans++;
    if (old == NODE_WAITING)
        tree->nr_waiting--;
    if (state == NODE_WAITING)
        tree->nr_waiting++;
    if (state == NODE_DEAD)
        tree->nr_dying++;
    node->state = state;
    return state == NODE_DEAD;
}

void node_free(struct tree *tree, struct node *dead)
{
    lock_assert_none(RANK_TREE);
    if (node_is(dead, S_IFREG))
        object_fini(tree->store, &dead->object);
    else if (node_is(dead, S_IFLNK))
        arena_free(tree->arena, arena_ptr(tree->arena, dead->target.bytes));
    xattr_free(tree, arena_ptr(tree->arena, dead->xattr));
    mutex_lock(&tree->lock, RANK_TREE);
    arena_free(tree->arena, dead);
    tree->nr_dying--;
    tree->stats.nodes--;
    mutex_unlock(&tree->lock);
}

void tree_forget(struct tree *tree, uint64_t id, uint64_t nlookup)
{
    struct node *node;
    uint64_t left;
    bool dead = false;

    mutex_lock(&tree->lock, RANK_TREE);
    node = node_find(tree, id);
    if (node) {
        left = node->nlookup;
        left -= MIN(nlookup, left);
        node->nlookup = left & NODE_MAX_LOOKUPS;
        dead = node_settle(tree, node);
    }
    mutex_unlock(&tree->lock);
    if (dead)
        node_free(tree, node);
}

static struct timespec time_of(const struct node *node, enum node_time which)
    REQUIRES(node->lock)
{
    struct timespec ts = { node->sec[which], node->nsec[which] };

    return ts;
}

/* What the type makes of size, blocks and rdev. */
static void attr_of_type(struct node *node, struct tree_attr *attr)
{
    enum { DIR_SIZE = 40, ENTRY_SIZE = 20 }; /* what tmpfs says */

    attr->size = attr->blocks = 0;
    attr->rdev = 0;
    if (node_is(node, S_IFREG)) {
        attr->size = object_size(&node->object);
        attr->blocks = object_pages(&node->object) * (PAGE_SIZE / 512);
    } else if (node_is(node, S_IFDIR)) {
        attr->size = DIR_SIZE + ENTRY_SIZE * node->dir.nr_entries;
    } else if (node_is(node, S_IFLNK)) {
        attr->size = node->target.length;
    } else if (node_is(node, S_IFCHR) || node_is(node, S_IFBLK)) {
        attr->rdev = node->rdev;
    }
}

static uint32_t flags_outside(unsigned flags)
{
    return (flags & NODE_APPEND ? FS_APPEND_FL : 0u) |
           (flags & NODE_IMMUTABLE ? FS_IMMUTABLE_FL : 0u) |
           (flags & NODE_NODUMP ? FS_NODUMP_FL : 0u) |
           (flags & NODE_NOATIME ? FS_NOATIME_FL : 0u);
}

void node_attr(struct tree *tree, struct node *node, struct tree_attr *attr)
{
    mutex_assert_held(&tree->lock);
    attr_of_type(node, attr);
    attr->ino = node->seq;
    attr->nlink = node->nlink;
    mutex_lock(&node->lock, RANK_NODE);
    attr->atime = time_of(node, TIME_ACCESS);
    attr->mtime = time_of(node, TIME_MODIFY);
    attr->ctime = time_of(node, TIME_CHANGE);
    attr->btime = time_of(node, TIME_BIRTH);
    attr->mode = (mode_t)node->type << 12 | node->perm;
    attr->uid = node->uid;
    attr->gid = node->gid;
    attr->flags = flags_outside(node->flags);
    mutex_unlock(&node->lock);
}

void node_entry(struct tree *tree, struct node *node, struct tree_entry *entry)
{
    entry->id = node_id(tree, node);
    entry->generation = node->seq >> 32;
    node_attr(tree, node, &entry->attr);
}

void node_lookup(struct tree *tree, struct node *node, struct tree_entry *entry)
{
    node->nlookup++;
    node_settle(tree, node);
    node_entry(tree, node, entry);
}

bool node_has(struct node *node, unsigned flags)
{
    bool has;

    mutex_lock(&node->lock, RANK_NODE);
    has = node->flags & flags;
    mutex_unlock(&node->lock);
    return has;
}

/* The path of a node below the root of the mount, written from its end; what
 * does not fit is cut in front.  Returns where it begins. */
static const char *path_of(struct tree *tree, struct node *node, char *buffer,
                           size_t bytes) REQUIRES(tree->lock)
{
    const struct dentry *dentry = dentry_at(tree, node->name);
    char *at = buffer + bytes - 1;

    *at = '\0';
    while (dentry) {
        size_t length = strlen(dentry->name);

        if ((size_t)(at - buffer) < length + 1)
            break;
        at -= length;
        memcpy(at, dentry->name, length);
        *--at = '/';
        dentry = dentry_at(tree, node_at(tree, dentry->parent)->name);
    }
    return at;
}

/* Comes with the object's lock held, which is later in the order than ours: so
 * the name is told only if the namespace happens to be free. */
void node_lost(void *ctx, struct object *object, uint64_t index)
{
    struct tree *tree = ctx;
    struct node *node = container_of(object, struct node, object);
    char buffer[256];
    const char *path = "";

    if (mutex_trylock(&tree->lock, RANK_TREE)) {
        path = path_of(tree, node, buffer, sizeof(buffer));
        mutex_unlock(&tree->lock);
    }
    log_error("inode %llu %s: page %llu is lost, reading it gives an I/O error",
              (unsigned long long)node->seq, path, (unsigned long long)index);
}

/* A number is a handle.  The lock is dropped after each node, for there may be
 * many without pages. */
struct object *node_next_object(void *ctx, uint32_t from, uint32_t *number)
{
    struct tree *tree = ctx;
    struct object *object = NULL;

    *number = from == HANDLE_NONE ? HANDLE_NONE : from - 1;
    do {
        struct node *node;

        mutex_lock(&tree->lock, RANK_TREE);
        *number = arena_node_next(tree->arena, *number);
        node = node_at(tree, *number);
        if (node && node_is(node, S_IFREG) && node->state != NODE_NONE &&
            node->state != NODE_DEAD) {
            node->users++;
            node_settle(tree, node);
            object = &node->object;
        }
        mutex_unlock(&tree->lock);
    } while (!object && *number != HANDLE_NONE);
    return object;
}

void node_put_object(void *ctx, struct object *object)
{
    node_put(ctx, container_of(object, struct node, object));
}

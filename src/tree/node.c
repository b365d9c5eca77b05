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
 * A node with a name is NAMED, whatever the other two are: so they may be counted
 * by all who share the lock, at the same time, and nothing is to be settled.  For a
 * node without one, what shared the lock begins again with the lock for itself.
 *
 * An id comes from the kernel, and through a file handle from anybody.  So it
 * is never trusted: the arena tells whether the handle is that of a live node,
 * and the node whether the sequence number is its own.  Nodes are allocated and
 * given back only under the tree's lock, which nobody shares then, so that both
 * answers hold together for whoever has it.
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

bool node_lives(const struct node *node)
{
    enum node_state state = node_state(node);

    return state != NODE_NONE && state != NODE_DEAD;
}

struct node *node_find(struct tree *tree, uint64_t id)
{
    struct node *node = node_at(tree, (uint32_t)id);

    if (id == TREE_ROOT)
        return tree->root;
    if (!arena_handle_is_node(tree->arena, (uint32_t)id))
        return NULL;
    if (!node_lives(node) || (uint32_t)node->seq != id >> 32)
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

void node_use(struct tree *tree, struct node *node)
{
    atomic_fetch_add_explicit(&node->users, 1, memory_order_relaxed);
    node_settle(tree, node);
}

static struct node *get_nameless(struct tree *tree, uint64_t id)
{
    struct node *node;

    rwlock_lock(&tree->lock, RANK_TREE);
    node = node_find(tree, id);
    if (node)
        node_use(tree, node);
    rwlock_unlock(&tree->lock);
    return node;
}

struct node *node_get(struct tree *tree, uint64_t id)
{
    unsigned how = rwlock_lock_shared(&tree->lock, RANK_TREE);
    struct node *node = node_find(tree, id);
    bool named = node && node->nlink;

    if (named)
        atomic_fetch_add_explicit(&node->users, 1, memory_order_relaxed);
    rwlock_unlock_shared(&tree->lock, how);
    return node && !named ? get_nameless(tree, id) : node;
}

static void unuse(struct node *node)
{
    uint32_t users = atomic_fetch_sub_explicit(&node->users, 1,
                                               memory_order_relaxed);

    INVARIANT("I13", users > 0);
    (void)users;
}

static void put_nameless(struct tree *tree, struct node *node)
{
    bool dead;

    rwlock_lock(&tree->lock, RANK_TREE);
    unuse(node);
    dead = node_settle(tree, node);
    rwlock_unlock(&tree->lock);
    if (dead)
        node_free(tree, node);
}

static void put(struct tree *tree, struct node *node, struct tree_attr *attr)
{
    unsigned how = rwlock_lock_shared(&tree->lock, RANK_TREE);
    bool named = node->nlink;

    if (attr)
        node_attr(tree, node, attr);
    if (named)
        unuse(node);
    rwlock_unlock_shared(&tree->lock, how);
    if (!named)
        put_nameless(tree, node);
}

void node_put(struct tree *tree, struct node *node)
{
    put(tree, node, NULL);
}

void node_put_attr(struct tree *tree, struct node *node, struct tree_attr *attr)
{
    put(tree, node, attr);
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
    if (atomic_load_explicit(&node->users, memory_order_relaxed))
        return NODE_HELD;
    return node_lookups(node) ? NODE_WAITING : NODE_DEAD;
}

static bool is_orphan(enum node_state state)
{
    return state == NODE_HELD || state == NODE_WAITING;
}

bool node_settle(struct tree *tree, struct node *node)
{
    enum node_state old = node_state(node), state = state_now(node);

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
    atomic_store_explicit(&node->life,
                          node_lookups(node) * LIFE_LOOKUP + state,
                          memory_order_relaxed);
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
    rwlock_lock(&tree->lock, RANK_TREE);
    arena_free(tree->arena, dead);
    tree->nr_dying--;
    tree->stats.nodes--;
    rwlock_unlock(&tree->lock);
}

/* Not more than there are: the number comes from outside. */
static void forget(struct node *node, uint64_t nlookup)
{
    uint64_t life = atomic_load_explicit(&node->life, memory_order_relaxed);
    uint64_t less;

    do {
        less = life - MIN(nlookup, life / LIFE_LOOKUP) * LIFE_LOOKUP;
    } while (!atomic_compare_exchange_weak_explicit(&node->life, &life, less,
                                                    memory_order_relaxed,
                                                    memory_order_relaxed));
}

static void forget_nameless(struct tree *tree, uint64_t id, uint64_t nlookup)
{
    struct node *node;
    bool dead = false;

    rwlock_lock(&tree->lock, RANK_TREE);
    node = node_find(tree, id);
    if (node) {
        forget(node, nlookup);
        dead = node_settle(tree, node);
    }
    rwlock_unlock(&tree->lock);
    if (dead)
        node_free(tree, node);
}

void tree_forget(struct tree *tree, uint64_t id, uint64_t nlookup)
{
    unsigned how = rwlock_lock_shared(&tree->lock, RANK_TREE);
    struct node *node = node_find(tree, id);
    bool named = node && node->nlink;

    if (named)
        forget(node, nlookup);
    rwlock_unlock_shared(&tree->lock, how);
    if (node && !named)
        forget_nameless(tree, id, nlookup);
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
    rwlock_assert_held(&tree->lock);
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
    node_looked_up(node);
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
                           size_t bytes) REQUIRES_SHARED(tree->lock)
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
    unsigned how;

    if (rwlock_trylock_shared(&tree->lock, RANK_TREE, &how)) {
        path = path_of(tree, node, buffer, sizeof(buffer));
        rwlock_unlock_shared(&tree->lock, how);
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

        rwlock_lock(&tree->lock, RANK_TREE);
        *number = arena_node_next(tree->arena, *number);
        node = node_at(tree, *number);
        if (node && node_is(node, S_IFREG) && node_lives(node)) {
            node_use(tree, node);
            object = &node->object;
        }
        rwlock_unlock(&tree->lock);
    } while (!object && *number != HANDLE_NONE);
    return object;
}

void node_put_object(void *ctx, struct object *object)
{
    node_put(ctx, container_of(object, struct node, object));
}

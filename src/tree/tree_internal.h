/* tree_internal.h - what the files of the tree share: nodes, dentries, locks.
 *
 * A node is a file, a dentry is one of its names.  Both are arena objects and
 * name each other by 32-bit handles.
 *
 * Locks, by the letters on the fields
 *   (t)  tree->lock, RANK_TREE: the structure.  Whatever decides which names
 *        and nodes exist is decided under it.  Who only looks shares it.
 *   (s)  as (t), but of a node with a name (nlink > 0) who shares the lock may
 *        count up and down, atomically: that decides nothing then.
 *   (n)  node->lock, RANK_NODE: the attributes of one node.  May be taken with
 *        (t) held; two nodes are never locked at once.
 *   (c)  constant while the node (dentry, tree) exists.
 *   (a)  atomic, each by itself.
 *
 * How a call gets at a node
 *   by id, for a moment    node_find under (t): good until (t) is dropped
 *   by id, for longer      node_get: counted in `users` until node_put
 *   by an open file        node_of: the open itself is counted in `users`
 */
#ifndef TREE_INTERNAL_H
#define TREE_INTERNAL_H

#include "arena.h"
#include "rwlock.h"
#include "tree.h"

enum {
    BUCKETS_SHIFT = 10, /* buckets in a frame, and frames named in one */
    BUCKETS = 1 << BUCKETS_SHIFT,
    FIRST_COOKIE = 3,   /* "." is 1, ".." is 2 */
};

/* Where the life of a node stands; node_settle changes it. */
enum node_state {
    NODE_NONE,    /* being made */
    NODE_NAMED,   /* has a name */
    NODE_HELD,    /* no name; open, or a call is under way */
    NODE_WAITING, /* no name, not in use; the kernel has yet to forget it */
    NODE_DEAD,    /* about to be freed: no id leads here any more */
};

/* In node->life: lookups are counted by LIFE_LOOKUP, below that is the state. */
#define LIFE_LOOKUP ((uint64_t)8)

/* Permanent type of a node: the file type bits of st_mode, shifted. */
#define NODE_TYPE(mode) ((uint8_t)((mode) >> 12))

enum node_flags {
    NODE_APPEND = 1,
    NODE_IMMUTABLE = 2,
    NODE_NODUMP = 4,
    NODE_NOATIME = 8,
    NODE_ACL_ACCESS = 16,  /* has one among its xattrs */
    NODE_ACL_DEFAULT = 32,
    NODE_CAPABILITY = 64,  /* security.capability */
    NODE_LINKABLE = 128,   /* made without a name, may be given one */
};
#define NODE_INHERITED (NODE_NODUMP | NODE_NOATIME)
#define NODE_FROZEN (NODE_APPEND | NODE_IMMUTABLE)

enum node_time { TIME_ACCESS, TIME_MODIFY, TIME_CHANGE, TIME_BIRTH, NR_TIMES };

/* Entries of a directory in the order of their cookies: a treap (order.c). */
struct directory {
    uint64_t next_cookie; /* (t) */
    uint64_t nr_entries;  /* (t) */
    uint32_t parent;      /* handle of its node; the root's is itself (t) */
    uint32_t top, last;   /* dentries: root of the treap, highest cookie (t) */
};

struct target {
    uint32_t bytes; /* handle of the string (c) */
    uint32_t length;
};

struct node {
    union {                   /* by type */
        struct object object; /* regular: locks itself */
        struct directory dir;
        struct target target; /* symlink (c) */
        uint32_t rdev;        /* device (c) */
    };
    int64_t sec[NR_TIMES];    /* by enum node_time (n) */
    uint32_t nsec[NR_TIMES];  /* (n) */
    struct mutex lock;
    uint16_t perm;            /* 07777 (n) */
    uint8_t type;             /* NODE_TYPE (c) */
    uint8_t flags;            /* enum node_flags (n) */
    uint32_t uid, gid;        /* (n) */
    uint32_t nlink;           /* (t) */
    uint32_t xattr;           /* first of the chain (n) */
    uint64_t seq;             /* st_ino; its low half is in the id (c) */
    _Atomic uint64_t life;    /* node_lookups (s), node_state (t) */
    _Atomic uint32_t users;   /* opens and calls under way (s) */
    uint32_t name;            /* one of its dentries, if still known (t) */
};
_Static_assert(sizeof(struct node) == SLAB_NODE_SIZE, "a node is a SLAB_NODE");

/* With a name of up to 27 bytes it fits in 64. */
struct dentry {
    uint64_t cookie;          /* (t) */
    uint32_t next;            /* chain of its bucket (t) */
    uint32_t hash;            /* of parent and name (t) */
    uint32_t parent, node;    /* nodes (t) */
    uint32_t up, left, right; /* treap of the directory (t) */
    char name[];              /* NUL-terminated (t) */
};
#define DENTRY_HEAD offsetof(struct dentry, name)

struct tree {
    struct arena *arena;       /* (c) */
    struct pool *pool;         /* (c) */
    struct object_store *store; /* (c) the caller's */
    uint64_t nr_inodes;        /* (c) */
    bool grpid, no_acl;        /* (c) */
    _Atomic enum tree_atime atime; /* of the mount, now (a) */
    _Atomic bool nodiratime;       /* (a) */
    void (*changed)(void *ctx, uint64_t id); /* (c) */
    void *changed_ctx;         /* (c) */
    struct node *root;         /* (c) */
    uint64_t hash_key[2];      /* (c) secret: nobody can aim at one bucket */
    uint64_t order_key;        /* (c) secret: nobody can bend a treap */
    struct rwlock lock;
    uint64_t last_seq;         /* (t) */
    struct tree_stats stats;   /* (t) */
    uint64_t nr_waiting;       /* nodes in NODE_WAITING (t) */
    uint64_t nr_dying;         /* nodes in NODE_DEAD (t) */
    uint32_t nr_buckets;       /* (t) */
    uint32_t buckets[BUCKETS]; /* frames of frames of buckets (t) */
};

static inline struct node *node_at(const struct tree *tree, uint32_t handle)
{
    return arena_ptr(tree->arena, handle);
}

static inline struct dentry *dentry_at(const struct tree *tree, uint32_t handle)
{
    return arena_ptr(tree->arena, handle);
}

static inline uint32_t handle_of(const struct tree *tree, const void *ptr)
{
    return arena_handle(tree->arena, ptr);
}

static inline bool node_is(const struct node *node, mode_t type)
{
    return node->type == NODE_TYPE(type);
}

static inline enum node_state node_state(const struct node *node)
{
    return (enum node_state)(atomic_load_explicit(&node->life,
                                                  memory_order_relaxed) %
                             LIFE_LOOKUP);
}

/* What the kernel has yet to forget. */
static inline uint64_t node_lookups(const struct node *node)
{
    return atomic_load_explicit(&node->life, memory_order_relaxed) /
           LIFE_LOOKUP;
}

/* True if the call that got `err` should be made again: it was short of memory
 * for a moment and may wait, and has waited.  No lock held. */
bool tree_again(struct tree *tree, int err, bool wait);

/* --- node.c --------------------------------------------------------------- */

/* NULL: that id is nobody's. */
struct node *node_find(struct tree *tree, uint64_t id) REQUIRES_SHARED(tree->lock);
/* The directory of that id: -ESTALE, -ENOTDIR. */
int node_find_dir(struct tree *tree, uint64_t id, struct node **dir)
    REQUIRES_SHARED(tree->lock);
/* True if an id may lead to it. */
bool node_lives(const struct node *node);
/* Found and counted in users, until node_put. */
struct node *node_get(struct tree *tree, uint64_t id) EXCLUDES(tree->lock);
void node_put(struct tree *tree, struct node *node) EXCLUDES(tree->lock);
/* The same, and the attributes as they are at that moment. */
void node_put_attr(struct tree *tree, struct node *node,
                   struct tree_attr *attr) EXCLUDES(tree->lock);
static inline struct node *node_of(const struct tree *tree,
                                   const struct tree_file *file)
{
    return node_at(tree, (uint32_t)file->id);
}
/* The same for a node that the caller has found. */
void node_use(struct tree *tree, struct node *node) REQUIRES(tree->lock);
uint64_t node_id(const struct tree *tree, const struct node *node);

/* A new node with a number and nothing else, in state NODE_NONE: -ENOSPC,
 * -EAGAIN.  The last thing to be allocated: it is never undone. */
int node_new(struct tree *tree, mode_t type, struct node **node)
    REQUIRES(tree->lock);
/* Call after any change of nlink, lookups, users that may change the state: true if
 * the node is dead and must go to node_free once the lock is dropped. */
bool node_settle(struct tree *tree, struct node *node) REQUIRES(tree->lock);
/* Frees a dead node (or none) with all it holds.  May block. */
void node_free(struct tree *tree, struct node *dead) EXCLUDES(tree->lock);

void node_attr(struct tree *tree, struct node *node, struct tree_attr *attr)
    REQUIRES_SHARED(tree->lock);
void node_entry(struct tree *tree, struct node *node, struct tree_entry *entry)
    REQUIRES_SHARED(tree->lock);
/* One lookup more, that the caller owes; node_settle, unless the node had a name
 * before. */
static inline void node_looked_up(struct node *node)
{
    atomic_fetch_add_explicit(&node->life, LIFE_LOOKUP, memory_order_relaxed);
}
/* Both. */
void node_lookup(struct tree *tree, struct node *node,
                 struct tree_entry *entry) REQUIRES_SHARED(tree->lock);
/* True if one of the flags is set. */
bool node_has(struct node *node, unsigned flags) EXCLUDES(node->lock);
/* The object layer lost a page (struct object_store); names the file. */
void node_lost(void *ctx, struct object *object, uint64_t index);
/* It walks over all files; only those have pages. */
struct object *node_next_object(void *ctx, uint32_t from, uint32_t *number);
void node_put_object(void *ctx, struct object *object);

/* --- birth.c -------------------------------------------------------------- */

struct birth {
    const struct tree_cred *cred;
    mode_t mode;        /* with its type */
    uint32_t rdev;
    const char *target; /* of a symlink */
};
/* A node as it would be made in dir: owner, mode, ACLs, flags, times. */
int birth_node(struct tree *tree, struct node *dir, const struct birth *birth,
               struct node **node) REQUIRES(tree->lock);

/* --- dentry.c ------------------------------------------------------------- */

/* 0, -ENOENT (empty), -ENAMETOOLONG, -EINVAL ('/'). */
int name_check(const char *name);
/* "." or "..": names that no dentry has. */
bool name_is_dots(const char *name);
int dentry_alloc(struct tree *tree, const char *name, struct dentry **dentry);
void dentry_free(struct tree *tree, struct dentry *dentry);
struct dentry *dentry_find(struct tree *tree, const struct node *dir,
                           const char *name) REQUIRES_SHARED(tree->lock);
/* Makes the dentry a name of node in dir, at the end. */
void dentry_insert(struct tree *tree, struct node *dir, struct dentry *dentry,
                   struct node *node) REQUIRES(tree->lock);
/* Takes it out; the caller frees it. */
void dentry_remove(struct tree *tree, struct dentry *dentry)
    REQUIRES(tree->lock);
/* From now on the name is that of another node. */
void dentry_repoint(struct tree *tree, struct dentry *dentry,
                    struct node *node) REQUIRES(tree->lock);
/* True if `dentry` has room for the name. */
bool dentry_fits(const struct dentry *dentry, const char *name);
/* Moves the dentry to the name in dir `to`; within one directory the cookie
 * stays.  `bigger`, if not NULL, has the name already and takes its place. */
void dentry_move(struct tree *tree, struct dentry *dentry, struct node *to,
                 const char *name, struct dentry *bigger)
    REQUIRES(tree->lock);

/* --- hash.c: dentries by (parent, name) ----------------------------------- */

int hash_init(struct tree *tree);
void hash_fini(struct tree *tree);
uint32_t hash_name(const struct tree *tree, uint32_t parent, const char *name);
struct dentry *hash_find(struct tree *tree, uint32_t parent, const char *name)
    REQUIRES_SHARED(tree->lock);
void hash_add(struct tree *tree, struct dentry *dentry) REQUIRES(tree->lock);
void hash_del(struct tree *tree, struct dentry *dentry) REQUIRES(tree->lock);
/* Follows stats.entries: splits or joins a bucket or two. */
void hash_balance(struct tree *tree) REQUIRES(tree->lock);
/* Any dentry of bucket b, or NULL: for walking over all of them. */
struct dentry *hash_bucket(struct tree *tree, uint32_t b) REQUIRES_SHARED(tree->lock);

/* --- order.c: dentries of one directory by cookie ------------------------- */

/* The cookie is higher than all others'. */
void order_append(struct tree *tree, struct directory *dir,
                  struct dentry *dentry) REQUIRES(tree->lock);
void order_remove(struct tree *tree, struct directory *dir,
                  struct dentry *dentry) REQUIRES(tree->lock);
/* `dentry` takes place and cookie of `old`. */
void order_replace(struct tree *tree, struct directory *dir, struct dentry *old,
                   struct dentry *dentry) REQUIRES(tree->lock);
/* The first with a higher cookie, or NULL. */
struct dentry *order_seek(const struct tree *tree, const struct directory *dir,
                          uint64_t cookie) REQUIRES_SHARED(tree->lock);
struct dentry *order_next(const struct tree *tree, const struct dentry *dentry)
    REQUIRES_SHARED(tree->lock);
/* Debug builds: shape of the treap around one dentry. */
void order_check(const struct tree *tree, const struct directory *dir,
                 const struct dentry *dentry) REQUIRES(tree->lock);

/* --- dir.c ---------------------------------------------------------------- */

/* The directory of that id, if entries may be made in it as far as its being
 * alive goes: -ESTALE, -ENOTDIR, -ENOENT (removed). */
int dir_find(struct tree *tree, uint64_t id, struct node **dir)
    REQUIRES_SHARED(tree->lock);
/* -EPERM if flags forbid to take this name out of its directory. */
int dir_may_remove(struct tree *tree, const struct dentry *dentry)
    REQUIRES(tree->lock);
/* One name of the node is gone from dir: link counts.  True if node is dead. */
bool dir_unlinked(struct tree *tree, struct node *dir, struct node *node)
    REQUIRES(tree->lock);

/* --- times.c -------------------------------------------------------------- */

void times_born(struct node *node);
void times_set(struct node *node, enum node_time which,
               const struct timespec *ts) REQUIRES(node->lock);
/* mtime and ctime, or ctime alone, are now. */
void times_modified(struct node *node) EXCLUDES(node->lock);
void times_changed(struct node *node) EXCLUDES(node->lock);
/* It was read: atime, if the mount's rule and the node's flag say so. */
void times_accessed(struct tree *tree, struct node *node) EXCLUDES(node->lock);

/* --- attr.c --------------------------------------------------------------- */

/* No lock held. */
bool attr_is_user(const struct tree_cred *cred, uid_t uid);
/* uid 0, or the node's owner.  No lock held. */
bool attr_owns(const struct tree_cred *cred, struct node *node);
/* uid 0, or the node's group is one of the caller's.  No lock held. */
bool attr_in_group(const struct tree_cred *cred, struct node *node);
/* The kernel remembers other attributes than the node now has. */
void attr_tell(struct tree *tree, const struct node *node);
/* The killer is about to change the file: takes set-id bits and
 * security.capability away.  told: the kernel says that he has no CAP_FSETID;
 * else uid 0 has it.  -EAGAIN: there may be something to take, and !wait. */
int attr_kill(struct tree *tree, struct node *node,
              const struct tree_cred *killer, bool told, bool wait)
    EXCLUDES(node->lock);
/* SETATTR of the size, and open with O_TRUNC.  *changed: it was
 * another, or, as tmpfs has it, there are pages that could have been cut off. */
int attr_truncate(struct tree *tree, struct node *node, uint64_t size,
                  bool wait, bool *changed);

#endif

/* tree.h - the namespace of one mount: nodes, names, attributes, limits.
 *
 * Knows nothing of FUSE: an operation gets node ids, names and the caller's
 * credentials, and returns attributes or -errno.  Permission to look things up,
 * open, read and write is checked by the kernel (default_permissions); what is
 * checked here is what the kernel leaves to a file system, and says so.
 *
 * An id is what the kernel calls nodeid: 32 bits of sequence number and the
 * node's arena handle.  It is checked at every use: an id that was not handed
 * out, or whose node is gone, is -ESTALE.  TREE_ROOT is the root's.
 *
 * Life of a node: made by mknod/mkdir/symlink/tmpfile with a link (or none) and
 * one lookup; looked up (+1), forgotten (-n), opened, released, linked,
 * unlinked.  It is freed with its pages when links, lookups, opens and calls
 * under way are all gone (invariant 13).
 *
 * Invariants
 *   T1  nlink of a directory = 2 + its subdirectories; of others = its names.
 *   T2  a cookie names one entry for the entry's life and is never reused in
 *       its directory; reading a directory goes up the cookies.  A rename within
 *       one directory keeps the cookie, so a scan that renames what it sees ends.
 *   T3  what is being renamed is seen under one of its two names at any instant,
 *       never under both or none (rename is atomic for every other operation).
 *   T4  nr_inodes and the budget of the pool are charged before anything is
 *       made; what fails leaves nothing charged.
 *
 * Ownership   ids are borrowed; each lookup (tree_entry handed out) owes forget.
 * Locking     locks inside; RANK_TREE, then RANK_NODE.  Nothing is held while
 *             the object layer is called (but for the size and pages of one).
 *             wait=false: -EAGAIN and no change.
 * Units       bytes, names of 1..255 bytes without '/' and NUL.
 * Errors      0 or -errno as the system call of that name has it.
 */
#ifndef TREE_TREE_H
#define TREE_TREE_H

#include "object.h"

#include <sys/stat.h>
#include <sys/statvfs.h>

#define TREE_ROOT 1u
#define TREE_NAME_MAX 255u
#define TREE_SYMLINK_MAX 4095u
#define TREE_LINK_MAX 2147483647u

struct tree;

/* When reading touches atime: the mount's relatime, noatime, strictatime. */
enum tree_atime { TREE_RELATIME, TREE_NOATIME, TREE_STRICTATIME };

struct tree_config {
    /* The caller's, as the pool knows it: arena and pool are filled in, the rest
     * is the tree's.  Stays while the tree is there. */
    struct object_store *store;
    uint64_t nr_inodes; /* 0: no limit of its own */
    mode_t root_mode;   /* permission bits */
    uid_t root_uid;
    gid_t root_gid;
    bool grpid;         /* new files take the directory's group, as BSD */
    bool no_acl;        /* system.posix_acl_* is -EOPNOTSUPP */
    enum tree_atime atime;
    bool nodiratime;    /* listing a directory never moves its atime */
    /* Told, with no lock held, when attributes of a node have changed in a way
     * that the result of the call under way does not show.  May be NULL. */
    void (*changed)(void *ctx, uint64_t id);
    void *ctx;
};

/* An id that the kernel did not tell: of those who make nothing. */
#define TREE_ID_UNKNOWN ((uid_t)-1)

/* The rule in force, and another one: for what is read from now on. */
enum tree_atime tree_atime(const struct tree *tree);
void tree_atime_set(struct tree *tree, enum tree_atime atime, bool nodiratime);

/* Who asks, and what the kernel told about it.  uid 0 stands for CAP_FSETID. */
struct tree_cred {
    uid_t uid;
    gid_t gid;
    mode_t umask; /* applied here if there is no default ACL */
    /* Asked, rarely and with no lock held: is it uid, if that is not known?  Is
     * gid among the supplementary groups, or, if that is not known, the first?
     * NULL: no. */
    bool (*is_user)(void *ctx, uid_t uid);
    bool (*is_member)(void *ctx, gid_t gid);
    void *ctx;
};

/* What the kernel is told of a node. */
struct tree_attr {
    uint64_t ino; /* st_ino: never reused */
    uint64_t size, blocks;
    struct timespec atime, mtime, ctime, btime;
    mode_t mode;
    uint32_t nlink, uid, gid, rdev;
    uint32_t flags; /* FS_*_FL: append, immutable, nodump, noatime */
};

struct tree_entry {
    uint64_t id;
    uint64_t generation;
    struct tree_attr attr;
};

int tree_create(struct tree **tree, const struct tree_config *config);
/* The mount is gone: forgets and frees everything. */
void tree_destroy(struct tree *tree);

/* --- names (dir.c, rename.c) ------------------------------------------------- */

/* "." and ".." work too (for file handles). */
int tree_lookup(struct tree *tree, uint64_t parent, const char *name,
                struct tree_entry *entry);
void tree_forget(struct tree *tree, uint64_t id, uint64_t nlookup);
/* mode with its type: regular, directory, fifo, socket, device. */
int tree_mknod(struct tree *tree, const struct tree_cred *cred, uint64_t parent,
               const char *name, mode_t mode, dev_t rdev, bool wait,
               struct tree_entry *entry);
int tree_symlink(struct tree *tree, const struct tree_cred *cred,
                 uint64_t parent, const char *name, const char *target,
                 bool wait, struct tree_entry *entry);
/* A regular file without a name, which tree_link may give one. */
int tree_tmpfile(struct tree *tree, const struct tree_cred *cred,
                 uint64_t parent, mode_t mode, bool wait,
                 struct tree_entry *entry);
int tree_link(struct tree *tree, uint64_t id, uint64_t parent,
              const char *name, bool wait, struct tree_entry *entry);
int tree_unlink(struct tree *tree, uint64_t parent, const char *name);
int tree_rmdir(struct tree *tree, uint64_t parent, const char *name);
/* flags: RENAME_NOREPLACE, RENAME_EXCHANGE, RENAME_WHITEOUT. */
int tree_rename(struct tree *tree, const struct tree_cred *cred,
                uint64_t from, const char *name, uint64_t to,
                const char *to_name, unsigned flags, bool wait);
/* Target into buffer, NUL-terminated; bytes >= TREE_SYMLINK_MAX + 1. */
int tree_readlink(struct tree *tree, uint64_t id, char *buffer, size_t bytes);

/* One open directory; the front end keeps it. */
struct tree_scan {
    uint64_t id;
    uint64_t end; /* entries made after the scan began (at cookie 0) are not shown */
};
int tree_opendir(struct tree *tree, uint64_t id, struct tree_scan *scan);
void tree_closedir(struct tree *tree, struct tree_scan *scan);
/* Calls emit for each entry after `cookie` until it returns false: name, its
 * cookie (give it to go on behind it) and its node, looked up (+1) if
 * `lookup` and emit returned true; "." and ".." first, never looked up: their
 * id is 0.  Without `lookup` only id, attr.ino and attr.mode are filled in.
 * emit is called with the namespace locked and must not call the tree. */
typedef bool tree_emit(void *ctx, const char *name, uint64_t cookie,
                       const struct tree_entry *entry);
int tree_readdir(struct tree *tree, struct tree_scan *scan, uint64_t cookie,
                 bool lookup, tree_emit *emit, void *ctx);

/* --- attributes (attr.c) ----------------------------------------------------- */

int tree_getattr(struct tree *tree, uint64_t id, struct tree_attr *attr);

enum tree_set {
    TREE_SET_MODE = 1, TREE_SET_UID = 2, TREE_SET_GID = 4, TREE_SET_SIZE = 8,
    TREE_SET_ATIME = 16, TREE_SET_MTIME = 32, TREE_SET_CTIME = 64,
    TREE_SET_ATIME_NOW = 128, TREE_SET_MTIME_NOW = 256,
    TREE_SET_KILL_PRIV = 512, /* clear set-id bits, as a killer below does */
    TREE_SET_OWNER_KEPT = 1024, /* chown(-1, -1): as a chown by the owner;
                                 * a stranger's takes no bits away */
};
/* Fields of *attr named by `set` (enum tree_set); ctime moves with any of them.
 * SIZE that changes nothing touches no time of a file without pages (truncate)
 * unless MTIME_NOW comes with it (ftruncate).  CTIME is the kernel's own flush of cached times: the
 * flags append and immutable do not stop it.  KILL_PRIV may come alone.
 * Changing an owner kills by itself, by Linux's rules. */
int tree_setattr(struct tree *tree, const struct tree_cred *cred, uint64_t id,
                 unsigned set, const struct tree_attr *attr, bool wait,
                 struct tree_attr *result);
/* FS_IOC_GETFLAGS/SETFLAGS values; others than the four are -EOPNOTSUPP. */
int tree_setflags(struct tree *tree, uint64_t id, uint32_t flags);
int tree_statvfs(struct tree *tree, struct statvfs *st);

/* --- extended attributes (xattr.c) ------------------------------------------- */

/* flags: XATTR_CREATE, XATTR_REPLACE; and of an access ACL whether it takes the
 * set-gid bit away, which the kernel knows. */
#define TREE_XATTR_KILL_SGID 0x10000
int tree_setxattr(struct tree *tree, const struct tree_cred *cred, uint64_t id,
                  const char *name, const void *value, size_t size, int flags,
                  bool wait);
/* size 0 asks for the size: a positive result here is the number of bytes. */
ssize_t tree_getxattr(struct tree *tree, uint64_t id, const char *name,
                      void *value, size_t size);
/* trusted.* is listed for uid 0 only. */
ssize_t tree_listxattr(struct tree *tree, const struct tree_cred *cred,
                       uint64_t id, char *list, size_t size);
int tree_removexattr(struct tree *tree, const struct tree_cred *cred,
                     uint64_t id, const char *name);

/* --- bytes of a regular file (data.c) ------------------------------------------ */

struct tree_file {
    uint64_t id;
    bool noatime; /* reading through it leaves atime alone */
    struct readahead ahead;
};
enum tree_how {
    TREE_OPEN_WRITE = 1,     /* O_WRONLY, O_RDWR */
    TREE_OPEN_APPEND = 2,    /* O_APPEND */
    TREE_OPEN_TRUNCATE = 4,  /* O_TRUNC */
    TREE_OPEN_NOATIME = 8,   /* O_NOATIME */
};
/* `how` is of enum tree_how: the kernel knows nothing of our append-only and
 * immutable files, so it is refused here (-EPERM).
 * killer: the kernel says that this user's change of the bytes (by truncating,
 * or writing, below) takes set-id bits away; NULL if it does not. */
int tree_open(struct tree *tree, const struct tree_cred *killer, uint64_t id,
              unsigned how, bool wait, struct tree_file *file);
void tree_release(struct tree *tree, struct tree_file *file);
/* As object_read_begin/end; touches atime by the rule of relatime. */
int tree_read_begin(struct tree *tree, struct tree_file *file, uint64_t offset,
                    size_t length, bool wait, struct object_read *read);
void tree_read_end(struct tree *tree, struct tree_file *file,
                   struct object_read *read);
/* object_read_start; `again`: not the first time for this read.  And the read after
 * it, for which readahead has been asked. */
int tree_read_start(struct tree *tree, struct tree_file *file, uint64_t offset,
                    size_t length, bool again, struct swap_lane *lane);
int tree_read_again(struct tree *tree, struct tree_file *file, uint64_t offset,
                    size_t length, bool wait, struct object_read *read);
int tree_write(struct tree *tree, const struct tree_cred *killer,
               struct tree_file *file, uint64_t offset, const void *data,
               size_t length, bool wait, size_t *written);
/* The same for what the kernel had accepted before: times and set-id bits are
 * its own affair then, and come by tree_setattr. */
int tree_write_back(struct tree *tree, struct tree_file *file, uint64_t offset,
                    const void *data, size_t length, bool wait,
                    size_t *written);
/* mode: FALLOC_FL_KEEP_SIZE, PUNCH_HOLE, ZERO_RANGE; others -EOPNOTSUPP. */
int tree_fallocate(struct tree *tree, const struct tree_cred *cred,
                   struct tree_file *file, int mode, uint64_t offset,
                   uint64_t length, bool wait);
int tree_lseek(struct tree *tree, struct tree_file *file, uint64_t offset,
               int whence, uint64_t *found);
int tree_copy_range(struct tree *tree, const struct tree_cred *cred,
                    struct tree_file *from, uint64_t from_offset,
                    struct tree_file *to, uint64_t to_offset, uint64_t length,
                    bool wait, uint64_t *copied);

/* --- all files (files.c) ------------------------------------------------------ */

/* Calls visit for each regular file, with no lock held, until it returns false;
 * what it returned last.  May block. */
typedef bool tree_visit(void *ctx, struct object *object);
bool tree_each_file(struct tree *tree, tree_visit *visit, void *ctx);
/* Calls it for one: -ESTALE, -EINVAL if that is no regular file. */
int tree_one_file(struct tree *tree, uint64_t id, tree_visit *visit, void *ctx);

/* st_ino of the file whose bytes these are. */
uint64_t tree_file_ino(const struct object *object);

struct tree_stats {
    uint64_t nodes, entries, orphans; /* orphans: no name, still held */
    uint64_t nodes_max;
    uint64_t nodes_limit; /* nr_inodes; 0: none */
};
void tree_stats(struct tree *tree, struct tree_stats *stats);
/* What deleted files still hold, and a caller short of space may wait for. */
enum tree_owed {
    TREE_OWED_NOTHING,
    TREE_OWED_RELEASE, /* they are open; or were, and the kernel has yet to tell */
    TREE_OWED_FORGET,  /* the kernel has yet to forget them: soon, most likely */
    TREE_OWED_NOW,     /* on its way back at this moment: certain to come */
};
enum tree_owed tree_owed(struct tree *tree);
/* Debug builds: T1, T2 and all counts, over the whole tree. */
void tree_check(struct tree *tree);

#endif

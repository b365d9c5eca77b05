/* remount.h - flags of the mount that change while it lives, behind our back.
 *
 * `mount -i -o remount,noatime` tells the kernel's mount and no file system.  With
 * FUSE it is the daemon that moves atime, so it must find out: by the kernel's
 * list of mounts, which can be polled for changes.
 *
 * Invariants  An open that begins after a remount has returned sees its flags.
 * Ownership   embedded in the session; init, fini by one thread.
 * Locking     inside (RANK_FUSE).
 * Errors      none: what cannot be found out stays as it was mounted.
 */
#ifndef FUSE_REMOUNT_H
#define FUSE_REMOUNT_H

#include "lock.h"
#include "tree.h"

#include <stddef.h>

struct remount_flags {
    enum tree_atime atime;
    bool nodiratime;
};

/* Our line in the list of mounts, read bit by bit: fields are divided by
 * blanks; the first is the mount's number, the sixth has its flags. */
struct remount_scan {
    uint64_t id;     /* the mount looked for */
    uint64_t number; /* of this line */
    unsigned field;  /* in this line, from 0 */
    unsigned length; /* of flags so far */
    char flags[120];
};

struct remount {
    struct mutex lock;
    int fd;                    /* the list of mounts; -1: nothing to see (c) */
    uint64_t id;               /* our mount in it (c) */
    struct remount_flags seen; /* (l) */
    bool changed;              /* the list is to be read (l) */
};                             /* (c) constant (l) lock */

/* mountpoint NULL: where the mount is, is not known, and there is nothing to see. */
void remount_init(struct remount *remount, const char *mountpoint);
void remount_fini(struct remount *remount);

/* Tells the tree if flags have changed since the last look. */
void remount_look(struct remount *remount, struct tree *tree);

/* --- for tests ----------------------------------------------------------- */

void remount_scan_init(struct remount_scan *scan, uint64_t id);
/* True as soon as our line's flags are known; then *flags has them. */
bool remount_scan_feed(struct remount_scan *scan, const char *text,
                       size_t length, struct remount_flags *flags);

#endif

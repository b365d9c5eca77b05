/* handle.h - open files and directories, as the kernel names them.
 *
 * The number that the kernel keeps (fh) is 32 bits of sequence number and the
 * arena handle of a struct handle; 0 is an open file without a struct: opening
 * must work when the file system is full, and then readahead and the end of a
 * listing are simply not remembered.  The kernel forgets no node that is open,
 * so nothing else depends on the struct.
 *
 * A number that was not handed out, or not for this node, is taken for 0.
 *
 * Ownership   the kernel's, from the reply to OPEN to RELEASE; and a request's
 *             from borrow to return: RELEASE may come, and even FORGET, as soon
 *             as a READ is answered, while its frames are still to be given
 *             back.
 * Locking     inside (RANK_FUSE).
 * Errors      -EAGAIN no memory at this moment, and wait was false; the tree's.
 */
#ifndef FUSE_HANDLE_H
#define FUSE_HANDLE_H

#include "session.h"

struct handle {
    uint32_t cookie;        /* upper half of fh; 0 when freed */
    _Atomic uint32_t users; /* the kernel, and requests */
    struct list link;       /* in session->handles (its lock) */
    union {
        struct tree_file file;
        struct tree_scan scan;
    };
};

/* An open file for the time of a request. */
struct borrowed {
    struct handle *handle;
    struct tree_file passing; /* in use if there is no handle */
};

/* *fh is what the kernel gets.  how: of enum tree_how. */
int handle_open_file(struct session *session, const struct tree_cred *killer,
                     uint64_t id, unsigned how, bool wait, uint64_t *fh);
int handle_open_scan(struct session *session, uint64_t id, bool wait,
                     uint64_t *fh);
void handle_close_file(struct session *session, uint64_t fh, uint64_t id);
void handle_close_scan(struct session *session, uint64_t fh, uint64_t id);
/* After the last request: those that the kernel did not release. */
void handle_free_all(struct session *session);

int handle_borrow(struct session *session, uint64_t fh, uint64_t id,
                  struct borrowed *borrowed, struct tree_file **file);
void handle_return(struct session *session, struct borrowed *borrowed);
/* The listing of a request: the handle's, or `passing`, made up on the spot. */
struct tree_scan *handle_scan(struct session *session, uint64_t fh, uint64_t id,
                              struct tree_scan *passing);

#endif

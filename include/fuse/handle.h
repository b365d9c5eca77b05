/* handle.h - open files and directories, as the kernel names them.
 *
 * The number that the kernel keeps (fh) is 32 bits of sequence number and the
 * arena handle of a struct handle; 0 is an open file without a struct: opening
 * must work when the file system is full, and then readahead and the end of a
 * listing are simply not remembered.
 *
 * A number that was not handed out, or not for this node, is taken for 0.
 *
 * Ownership   the kernel's, from the reply to OPEN to RELEASE.
 * Locking     the list's is inside (RANK_FUSE).  A handle needs none: the
 *             kernel sends RELEASE when no request on it is under way.
 * Errors      -EAGAIN no memory at this moment, and wait was false.
 */
#ifndef FUSE_HANDLE_H
#define FUSE_HANDLE_H

#include "session.h"

struct handle {
    uint32_t cookie; /* upper half of fh; 0 when freed */
    struct list link; /* in session->handles (its lock) */
    union {
        struct tree_file file;
        struct tree_scan scan;
    };
};

/* NULL if there is no memory for one. */
int handle_new(struct session *session, bool wait, struct handle **handle);
void handle_free(struct session *session, struct handle *handle);
/* After the last request: those that the kernel did not release. */
void handle_free_all(struct session *session);
/* What the kernel gets for it; 0 for NULL. */
uint64_t handle_fh(struct session *session, const struct handle *handle);
/* The handle behind a number if it is that of an open file or directory of this
 * node, else NULL. */
struct handle *handle_of_file(struct session *session, uint64_t fh,
                              uint64_t id);
struct handle *handle_of_scan(struct session *session, uint64_t fh,
                              uint64_t id);
/* The open file of a request: its handle's, or `passing`, made up on the
 * spot. */
struct tree_file *handle_file(struct session *session, uint64_t fh, uint64_t id,
                              struct tree_file *passing);

#endif

/* handle.h - open files and directories, as the kernel names them.
 *
 * The number that the kernel keeps (fh) is counted up and never used again; the
 * struct behind it is found by hashing.  0 is an open file without a struct:
 * opening must work when the file system is full, and then readahead and the
 * end of a listing are simply not remembered.  The kernel forgets no node that
 * is open, so nothing else depends on the struct.
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

enum handle_kind { HANDLE_FILE, HANDLE_SCAN };

struct handle {
    uint64_t fh;         /* (c) */
    struct handle *next; /* in its bucket (b) */
    enum handle_kind kind; /* (c) */
    uint32_t users;      /* the kernel, and requests (b) */
    bool cached;         /* a writer of the session's writeback (o) */
    struct writeback_writer writer;
    union {
        struct tree_file file; /* locks inside */
        struct tree_scan scan; /* the kernel lists with one at a time */
    };
};                       /* (c) constant (b) the bucket's lock (o) set before
                          * the answer to OPEN */

/* An open file or directory for the time of a request; without a handle, one
 * made up on the spot. */
struct borrowed {
    struct handle *handle;
    union {
        struct tree_file file;
        struct tree_scan scan;
    };
};

/* *fh is what the kernel gets.  how: of enum tree_how. */
int handle_open_file(struct session *session, const struct tree_cred *killer,
                     uint64_t id, unsigned how, bool wait, uint64_t *fh);
int handle_open_scan(struct session *session, uint64_t id, bool wait,
                     uint64_t *fh);
/* The file was opened for writing: may the kernel cache what is written? */
bool handle_join(struct session *session, uint64_t fh, uint64_t id);
bool handle_is_cached(struct session *session, uint64_t fh, uint64_t id);
void handle_close(struct session *session, enum handle_kind kind, uint64_t fh,
                  uint64_t id);
/* After the last request: those that the kernel did not release. */
void handle_free_all(struct session *session);

int handle_borrow_file(struct session *session, uint64_t fh, uint64_t id,
                       struct borrowed *borrowed, struct tree_file **file);
void handle_return_file(struct session *session, struct borrowed *borrowed);
struct tree_scan *handle_borrow_scan(struct session *session, uint64_t fh,
                                     uint64_t id, struct borrowed *borrowed);
void handle_return_scan(struct session *session, struct borrowed *borrowed);

#endif

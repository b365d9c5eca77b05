/* request.h - one request of the kernel, in its buffer, until it is answered.
 *
 *     free --request_get--> read by a transport --session_process--> answered
 *      ^                                              |                  |
 *      |                                       would wait: runs again,   |
 *      |                                       see below                 |
 *      +---------------- request_put <----------------+------------------+
 *
 * A handler first runs with may_wait false, on the thread that read the
 * request.  If the tree would have to wait, the request is decoded and handled
 * anew, from its bytes: by a worker that may block; or, a READ that has a lane,
 * by the same thread when the pages that it has begun to read are there.  So a
 * handler keeps no state between the two but a count of its starts, and must not
 * change the message.
 *
 * Invariants
 *   F1  a request with a reply due is answered exactly once.
 *   F2  what a failed reply would have handed to the kernel (lookups, open
 *       files) is taken back.
 *
 * Ownership   whoever got it from request_get or the queue owns it.
 * Locking     the pool's is inside (RANK_FUSE); a request is its owner's.
 * Errors      replies take 0 or -errno.
 */
#ifndef FUSE_REQUEST_H
#define FUSE_REQUEST_H

#include "list.h"
#include "lock.h"
#include "protocol.h"
#include "tree.h"

#include <sys/uio.h>

struct session;
struct fuse_req;

/* Why a request is to be run again. */
enum request_again {
    REQUEST_DONE,
    REQUEST_WOULD_WAIT, /* by somebody who may block */
    REQUEST_NO_SPACE,   /* a little later: deleted files' space is on its way */
    REQUEST_READING,    /* when what it has begun to read on its lane is there */
};

struct request {
    struct list link;          /* pool or queue (its lock) */
    struct session *session;   /* (c) */
    uint8_t *data;             /* (c) page-aligned, with a page before it: where
                                * the data of a WRITE are */
    uint8_t *message;          /* begins in the page before the data; the
                                * transport's */
    size_t bytes;              /* of the message */
    struct fuse_req *decoding; /* libfuse's, between its call of the handler and
                                * the reply; NULL for what it does not
                                * decode */
    bool may_wait;
    enum request_again again;
    unsigned retries;          /* for space */
    unsigned starts;           /* times that it has begun to read */
    struct swap_lane *lane;    /* (c) the ring's that has it; NULL: none */
    _Atomic uint64_t unique; /* 0: not in work.  Read by others for INTERRUPT */
    _Atomic bool interrupted;  /* the caller has been killed */
    struct ring_entry *entry;  /* (c) the memory is of a ring (ring.h); NULL: it
                                * is the request's own */
};                             /* (c) constant after creation */

/* The header and fixed part of a WRITE, before its data. */
#define REQUEST_HEAD                                                           \
    (sizeof(struct fuse_in_header) + sizeof(struct fuse_write_in))

static inline const struct fuse_in_header *
request_header(const struct request *rq)
{
    return (const struct fuse_in_header *)(const void *)rq->message;
}

/* The fixed part: struct fuse_*_in. */
static inline const void *request_argument(const struct request *rq)
{
    return request_header(rq) + 1;
}

/* --- buffers (request.c) ------------------------------------------------- */

struct request_pool;

/* A buffer that carried more is worth giving back, once nobody has used the mount
 * for so long. */
#define REQUEST_LARGE_BYTES (4 * PAGE_SIZE)
#define REQUEST_IDLE_MS 1000

/* nr requests for messages of up to max_write bytes of data. */
int request_pool_create(struct request_pool **pool, struct session *session,
                        unsigned nr, uint32_t max_write);
void request_pool_destroy(struct request_pool *pool);
/* The one used last, whose memory is warm; NULL if none is free. */
struct request *request_get(struct request_pool *pool);
void request_put(struct request_pool *pool, struct request *rq);
/* Gives the memory of the buffers that are free, and of the caller's own, back to
 * the kernel; what they hold is lost. */
void request_pool_cool(struct request_pool *pool, struct request *own);
/* Bytes that a message may have. */
size_t request_room(const struct request_pool *pool);
/* Marks the request with this id as interrupted; false if none is in work. */
bool request_interrupt(struct request_pool *pool, uint64_t unique);
/* Room to build an answer in, behind the message. */
void *request_scratch(struct request_pool *pool, struct request *rq,
                      size_t *room);

/* --- what handlers use --------------------------------------------------- */

/* If `error` says that it would wait, or that space may come back soon, notes
 * that the request is to be run again: true, and the handler returns at
 * once. */
bool request_again(struct request *rq, int error);
/* True, as above, while deleted files have yet to give back what they took: but
 * at most `tries` times, and no more than it is worth, because the kernel may hold
 * on to them, and who opened one may keep it; and not for one that was given up. */
bool request_settle(struct request *rq, unsigned tries);
/* Notes that the request has begun to read on its lane; the handler returns. */
void request_reads(struct request *rq);
/* Its caller has been killed, or the session ends: what takes long need not go on. */
bool request_given_up(const struct request *rq);
/* Who asks.  The cred refers to the request. */
struct tree_cred request_cred(struct request *rq, mode_t umask);

/* --- replies (reply.c) --------------------------------------------------- */

/* All end the request: 0, or -errno if the kernel would not have it, and then
 * nothing was handed over (F2). */


/* How long the kernel may remember what it is told, in seconds: nobody else can
 * change it.  No kernel's clock overflows on it. */
#define REPLY_FOR_EVER ((uint64_t)1 << 31)
/* But not attributes of a directory.  When the kernel has changed one, it drops
 * the attributes it keeps, and then takes for good those of an answer that was
 * on its way since before the change (it numbers the versions of files only).
 * So whoever races with that sees an old link count or time for a second. */
#define REPLY_A_WHILE ((uint64_t)1)

/* And with a writeback cache whose room is short (writeback.h) no attributes of a
 * file at all, so that its next write asks. */
uint64_t reply_attr_valid(const struct request *rq, mode_t mode);

/* iov[0] is free for the header. */
int reply_iov(struct request *rq, struct iovec *iov, int count);
int reply_error(struct request *rq, int error);
int reply_data(struct request *rq, const void *data, size_t bytes);
/* NULL: there is no such name, and the kernel may remember that. */
int reply_entry(struct request *rq, const struct tree_entry *entry);
int reply_attr(struct request *rq, const struct tree_attr *attr);
/* As an answer to SETATTR and CREATE, which the kernel takes in any case, even if
 * they have been overtaken by a notice: a cached file's next write asks. */
int reply_attr_set(struct request *rq, const struct tree_attr *attr);
int reply_open(struct request *rq, uint64_t handle, uint32_t open_flags);
int reply_create(struct request *rq, const struct tree_entry *entry,
                 uint64_t handle, uint32_t open_flags);
/* No answer is due. */
void reply_none(struct request *rq);

/* For directory listings. */
void reply_fill_entry(const struct request *rq, struct fuse_entry_out *out,
                      const struct tree_entry *entry);

#endif

/* session.h - one mount's conversation with the kernel.
 *
 *     session_create   options are checked by libfuse; nothing is mounted
 *     session_mount    mounted, and INIT answered: the kernel may now be used
 *     session_start    threads serve requests
 *     session_wait     until unmounted by anybody, or told to end by a signal
 *     session_end      unmounts if that is still to be done, ends the threads
 *     session_destroy
 *
 * Ownership   the tree and the arena are borrowed and outlive the session.
 * Locking     the first four and the last two are for one thread.
 * Errors      0 or -errno, and a line in the log.
 */
#ifndef FUSE_SESSION_H
#define FUSE_SESSION_H

#include "gate.h"
#include "sizing.h"
#include "message.h"
#include "remount.h"
#include "request.h"
#include "writeback.h"
#include "transport.h"
#include "work.h"

struct fuse_session;
struct handle;

/* Open files and directories (handle.c): as many chains as keep each short with
 * the tens of thousands that a limit on descriptors allows. */
enum { HANDLE_BUCKETS = 1024 };
struct handle_bucket {
    struct mutex lock;
    struct handle *first;
};

/* Requests are counted by opcode, of which there are fewer, in a row for each
 * thread. */
enum { SERVED_OPCODES = 64, SERVED_ROWS = 32 };

struct session_config {
    const struct options *options;
    const struct sizing *sizing;
    struct tree *tree;
    struct object_store *store;
    struct arena *arena;
    struct pool *pool;
};

struct session {
    struct fuse_session *fuse;   /* libfuse's: mounting and decoding */
    struct request_pool *requests;
    struct work *work;           /* NULL: single thread */
    const struct transport_ops *transport_ops;
    struct transport *transport; /* NULL before INIT */
    enum options_transport wanted;
    unsigned queues, depth;      /* of rings; 0: none */
    struct tree *tree;
    struct object_store *store;  /* what the tree's files are made of */
    struct arena *arena;
    struct pool *pool;
    _Atomic uint64_t ram;        /* ram= as it is now, bytes */
    uint64_t ram_fixed;          /* what of it is not the arena's */
    struct message_init init;
    struct remount remount;
    struct writeback writeback;
    uint64_t writeback_max;      /* pages; 0: as the kernel has it */
    unsigned readers, workers;
    int fd;                      /* our own duplicate of /dev/fuse */
    int ended;                   /* eventfd: the kernel has no more for us */
    int signals;                 /* signalfd: those that end a mount */
    bool allow_root;             /* refuse others than root and the owner */
    bool debug;
    uid_t owner;                 /* who mounted */
    uint64_t started_ns;         /* monotonic */
    _Atomic bool walking[2];     /* something that takes long is being looked at,
                                  * being steered */
    struct gate gate;            /* requests being handled are inside */
    _Atomic uint64_t served[SERVED_ROWS][SERVED_OPCODES]; /* begun so far */
    _Atomic bool stopping;
    _Atomic uint64_t last_fh;    /* number of the last open file */
    struct handle_bucket handles[HANDLE_BUCKETS]; /* open files, directories */
};

int session_create(struct session **session,
                   const struct session_config *config);
/* Somebody else has mounted, and passed us the descriptor: /dev/fd/N. */
bool session_is_passed(const char *mountpoint);
int session_mount(struct session *session, const char *mountpoint);
int session_start(struct session *session);
/* The signal that ended it, or 0: unmounted. */
int session_wait(struct session *session);
void session_end(struct session *session);
void session_destroy(struct session *session);

/* --- for transports ------------------------------------------------------ */

/* A message of so many bytes has been read into rq.  Returns the request that
 * the reader goes on with: the same, if it has been answered. */
struct request *session_serve(struct session *session, struct request *rq,
                              size_t bytes);
/* The same where rq's memory is the transport's. */
enum session_outcome {
    SESSION_ANSWERED,
    SESSION_QUEUED,   /* a worker has it, and gives it back */
    SESSION_READING,  /* its lane is; session_resume when that has all its room */
};
enum session_outcome session_serve_own(struct session *session,
                                       struct request *rq, size_t bytes);
enum session_outcome session_resume(struct session *session,
                                    struct request *rq);
/* Nothing more will come: wakes session_wait. */
void session_ended(struct session *session);

/* The kernel remembers attributes of the node that are out of date: it will
 * ask again.  From any thread. */
void session_forget_attr(struct session *session, uint64_t id);

/* --- inside the front end ------------------------------------------------ */

/* To the kernel; rq NULL: not an answer to anything. */
int session_send(struct session *session, const struct request *rq,
                 const struct iovec *iov, int count);
/* How many requests have come, by opcode. */
void session_served(struct session *session, uint64_t served[SERVED_OPCODES]);
/* The request that libfuse is decoding on this thread. */
struct request *session_current(struct fuse_req *decoding);

#endif

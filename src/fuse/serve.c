/* serve.c - one request, from its bytes to its answer.
 *
 *     transport reads --> session_serve --> process
 *                                             |-- ours to decode (ops.c, decode.c)
 *                                             '-- libfuse --> handler (ops_*.c)
 *     handler --> reply_* --> session_send --> transport
 *
 * A handler that would wait leaves the request unanswered.  If it only reads, and
 * another thread goes on reading requests, the reader runs it again with leave to
 * wait: handing it over would cost two switches of threads.  Otherwise it goes to
 * a worker, who runs it again from its bytes, and the reader gets another buffer,
 * or, if none is free, is a worker itself for a while.  A READ on a ring has its
 * pages read there, and is run again, still without leave to wait, when they have
 * come.
 *
 * libfuse's own reads and writes go through our hooks: what it answers by
 * itself (INIT, and ENOSYS) leaves by the same way as our answers.
 */
#include "session_internal.h"

#include "clock.h"
#include "libfuse.h"
#include "lock.h"
#include "log.h"
#include "ops.h"

#include <errno.h>
#include <unistd.h>

/* Between two runs of a request that waits for space. */
enum { PAUSE_NS = 2000000 };

static _Thread_local struct request *current;

struct request *session_current(struct fuse_req *decoding)
{
    current->decoding = decoding;
    return current;
}

/* --- sending ------------------------------------------------------------- */

int session_send(struct session *session, const struct request *rq,
                 const struct iovec *iov, int count)
{
    if (session->transport)
        return session->transport_ops->send(session->transport, rq, iov, count);
    return writev(session->fd, iov, count) < 0 ? -errno : 0;
}

/* A negative offset: attributes alone, no page of the file, so nothing in the
 * kernel waits for a request of ours.  An error: it does not know the node. */
void session_forget_attr(struct session *session, uint64_t id)
{
    struct fuse_notify_inval_inode_out inode = { .ino = id, .off = -1 };
    struct fuse_out_header out = { .len = sizeof(out) + sizeof(inode),
                                   .error = FUSE_NOTIFY_INVAL_INODE };
    struct iovec iov[2] = { { &out, sizeof(out) }, { &inode, sizeof(inode) } };

    session_send(session, NULL, iov, 2);
}

static void answer_init(struct session *session, const struct request *rq,
                        struct iovec *iov, int count)
{
    if (count == 2 && iov[1].iov_len == sizeof(struct fuse_init_out))
        message_init_answer(&session->init, request_argument(rq),
                            iov[1].iov_base);
}

/* libfuse's own replies: INIT, ENOSYS. */
static ssize_t hook_writev(int fd, struct iovec *iov, int count, void *userdata)
{
    struct session *session = userdata;
    const struct fuse_out_header *out = iov[0].iov_base;
    int err;

    (void)fd;
    if (current && request_header(current)->opcode == FUSE_INIT)
        answer_init(session, current, iov, count);
    err = session_send(session, current, iov, count);
    if (err) {
        errno = -err;
        return -1;
    }
    return (ssize_t)out->len;
}

/* libfuse's loop is not used, but it wants the hook. */
static ssize_t hook_read(int fd, void *buffer, size_t bytes, void *userdata)
{
    (void)userdata;
    return read(fd, buffer, bytes);
}

const struct fuse_custom_io serve_hooks = { .read = hook_read,
                                            .writev = hook_writev };

/* --- one request --------------------------------------------------------- */

/* With allow_root.  What is open already may be handed to anybody, and what
 * nobody waits for comes in anybody's name. */
static bool refused(const struct session *session,
                    const struct fuse_in_header *in)
{
    switch (in->opcode) {
    case FUSE_READ:
    case FUSE_WRITE:
    case FUSE_RELEASE:
    case FUSE_FORGET:
    case FUSE_BATCH_FORGET:
        return false;
    default:
        return session->allow_root && in->uid != 0 &&
               in->uid != session->owner;
    }
}

/* What this mount has not: said once, the kernel does not ask again. */
static bool declined(const struct session *session, uint32_t opcode)
{
    switch (opcode) {
    case FUSE_GETXATTR:
    case FUSE_LISTXATTR:
    case FUSE_SETXATTR:
    case FUSE_REMOVEXATTR:
        return !session->init.xattr;
    default:
        return false;
    }
}

/* NULL: libfuse decodes it; when debugging, all that it knows, to print it. */
static raw_handler *handler_of(const struct session *session, uint32_t opcode)
{
    raw_handler *handler = NULL;

    if (!session->debug)
        handler = frequent_handler_of(opcode);
    return handler ? handler : raw_handler_of(opcode);
}

static void interrupt(struct session *session, struct request *rq)
{
    const struct fuse_interrupt_in *in = request_argument(rq);

    /* Not here: perhaps not read yet, so let the kernel send it again. */
    if (session->transport_ops->interrupt(session->transport, in->unique))
        reply_none(rq);
    else
        reply_error(rq, -EAGAIN);
}

static void dispatch(struct session *session, struct request *rq)
{
    const struct fuse_in_header *in = request_header(rq);
    struct fuse_buf buf = { .mem = rq->message, .size = rq->bytes };
    raw_handler *handler;

    if (!message_valid(rq->message, rq->bytes)) {
        if (rq->bytes < sizeof(*in)) {
            log_error("a request of %zu bytes is no request", rq->bytes);
            return;
        }
        reply_error(rq, -ENOSYS);
        return;
    }
    if (in->opcode == FUSE_INTERRUPT) {
        interrupt(session, rq);
        return;
    }
    if (declined(session, in->opcode)) {
        reply_error(rq, -ENOSYS);
        return;
    }
    handler = handler_of(session, in->opcode);
    if (handler && session->debug) /* as libfuse has it for the others */
        log_debug("unique: %llu, opcode: RAW (%u), nodeid: %llu, insize: %u",
                  (unsigned long long)in->unique, in->opcode,
                  (unsigned long long)in->nodeid, in->len);
    if (!handler)
        fuse_session_process_buf(session->fuse, &buf);
    else if (refused(session, in))
        reply_error(rq, -EACCES);
    else
        handler(rq);
}

/* Each thread has a row of its own to count in, unless there are very many. */
static void count(struct session *session, const struct request *rq)
{
    unsigned row = thread_number() % SERVED_ROWS;
    uint32_t opcode = request_header(rq)->opcode;

    if (rq->bytes < sizeof(struct fuse_in_header) || opcode >= SERVED_OPCODES)
        return;
    atomic_fetch_add_explicit(&session->served[row][opcode], 1,
                              memory_order_relaxed);
}

void session_served(struct session *session, uint64_t served[SERVED_OPCODES])
{
    for (unsigned op = 0; op < SERVED_OPCODES; op++) {
        served[op] = 0;
        for (unsigned row = 0; row < SERVED_ROWS; row++)
            served[op] += atomic_load_explicit(&session->served[row][op],
                                               memory_order_relaxed);
    }
}

static void process(struct session *session, struct request *rq, bool may_wait)
{
    rq->may_wait = may_wait;
    rq->again = REQUEST_DONE;
    rq->decoding = NULL;
    if (may_wait) {
        gate_enter(&session->gate);
    } else if (!gate_try_enter(&session->gate)) {
        /* Those inside may wait for pages that this very thread is reading. */
        rq->again = REQUEST_WOULD_WAIT;
        return;
    }
    current = rq;
    dispatch(session, rq);
    gate_leave(&session->gate);
    current = NULL;
    if (rq->again == REQUEST_DONE)
        atomic_store_explicit(&rq->unique, 0, memory_order_release);
}

/* To the end, on a thread that may wait. */
static void finish(struct session *session, struct request *rq)
{
    while (rq->again != REQUEST_DONE) {
        if (rq->may_wait || rq->again == REQUEST_NO_SPACE) {
            clock_sleep_ns(PAUSE_NS);
            rq->retries++;
        }
        process(session, rq, true);
    }
}

void serve_queued(void *ctx, struct list *item)
{
    struct session *session = ctx;
    struct request *rq = list_entry(item, struct request, link);

    finish(session, rq);
    session->transport_ops->give_back(session->transport, rq);
}

/* The first try, which does not wait: true if that was it. */
static bool begin(struct session *session, struct request *rq, size_t bytes)
{
    rq->bytes = bytes;
    rq->retries = 0;
    rq->starts = 0;
    atomic_store_explicit(&rq->interrupted, false, memory_order_relaxed);
    atomic_store_explicit(&rq->unique, request_header(rq)->unique,
                          memory_order_release);
    count(session, rq);
    process(session, rq, false);
    return rq->again == REQUEST_DONE;
}

/* To the end, on the thread that reads; while another does that, if possible.
 * must: there is nobody to hand it to. */
static bool finish_here(struct session *session, struct request *rq, bool must)
{
    const struct transport_ops *ops = session->transport_ops;
    bool away = ops->away(session->transport);

    if (away || must)
        finish(session, rq);
    if (away)
        ops->back(session->transport);
    return away || must;
}

struct request *session_serve(struct session *session, struct request *rq,
                              size_t bytes)
{
    enum message_lane lane;
    struct request *spare;

    if (begin(session, rq, bytes))
        return rq;
    lane = message_lane(rq->message);
    if (lane == MESSAGE_READS && rq->again == REQUEST_WOULD_WAIT &&
        finish_here(session, rq, false))
        return rq;
    spare = session->work ? request_get(session->requests) : NULL;
    if (!spare) {
        finish_here(session, rq, true);
        return rq;
    }
    work_push(session->work, &rq->link, lane);
    return spare;
}

static enum session_outcome outcome(struct session *session,
                                    struct request *rq)
{
    switch (rq->again) {
    case REQUEST_DONE:
        return SESSION_ANSWERED;
    case REQUEST_READING:
        return SESSION_READING;
    default:
        work_push(session->work, &rq->link, message_lane(rq->message));
        return SESSION_QUEUED;
    }
}

enum session_outcome session_serve_own(struct session *session,
                                       struct request *rq, size_t bytes)
{
    begin(session, rq, bytes);
    return outcome(session, rq);
}

enum session_outcome session_resume(struct session *session,
                                    struct request *rq)
{
    process(session, rq, false);
    return outcome(session, rq);
}

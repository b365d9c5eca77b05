/* session.c - from mount to unmount: libfuse above, the transport below.
 *
 * libfuse mounts (by itself as root, through fusermount3 otherwise) and decodes
 * requests; its reads and writes go through our hooks, so that the loop, the
 * buffers and the flags of INIT are ours.  A request's way:
 *
 *     transport reads --> session_serve --> process
 *                                             |-- ours to decode (raw.c)
 *                                             '-- libfuse --> handler (ops_*.c)
 *     handler --> reply_* --> session_send --> transport
 *
 * A handler that would wait leaves the request unanswered; it is then handed to
 * a worker, who runs it again from its bytes with leave to wait.  The reader
 * gets another buffer, or, if none is free, is a worker itself for a while.
 *
 * We read from a duplicate of libfuse's descriptor: unmounting closes
 * libfuse's, and a number that could mean another file must not be read from.
 */
#include "session.h"

#include "clock.h"
#include "handle.h"
#include "libfuse.h"
#include "log.h"
#include "ops.h"
#include "threads.h"

#include <errno.h>
#include <fcntl.h>
#include <fuse_opt.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

/* The oldest protocol that has all we rely on: Linux 5.14. */
enum { MIN_MINOR = 34 };
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

/* --- one request --------------------------------------------------------- */

static bool refused(const struct session *session,
                    const struct fuse_in_header *in)
{
    return session->allow_root && in->uid != 0 && in->uid != session->owner;
}

static void interrupt(struct session *session, struct request *rq)
{
    const struct fuse_interrupt_in *in = request_argument(rq);

    /* Not here: perhaps not read yet, so let the kernel send it again. */
    if (request_interrupt(session->requests, in->unique))
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
    handler = raw_handler_of(in->opcode);
    if (!handler)
        fuse_session_process_buf(session->fuse, &buf);
    else if (refused(session, in))
        reply_error(rq, -EACCES);
    else
        handler(rq);
}

static void process(struct session *session, struct request *rq, bool may_wait)
{
    rq->may_wait = may_wait;
    rq->again = REQUEST_DONE;
    rq->decoding = NULL;
    current = rq;
    dispatch(session, rq);
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

static void work_run(void *ctx, struct list *item)
{
    struct session *session = ctx;
    struct request *rq = list_entry(item, struct request, link);

    finish(session, rq);
    request_put(session->requests, rq);
}

struct request *session_serve(struct session *session, struct request *rq,
                              size_t bytes)
{
    struct request *spare;

    rq->bytes = bytes;
    rq->retries = 0;
    atomic_store_explicit(&rq->interrupted, false, memory_order_relaxed);
    atomic_store_explicit(&rq->unique, request_header(rq)->unique,
                          memory_order_release);
    process(session, rq, false);
    if (rq->again == REQUEST_DONE)
        return rq;
    spare = session->work ? request_get(session->requests) : NULL;
    if (!spare) {
        finish(session, rq);
        return rq;
    }
    work_push(session->work, &rq->link, message_lane(rq->message));
    return spare;
}

/* --- life ---------------------------------------------------------------- */

static void fuse_log_line(enum fuse_log_level level, const char *format,
                          va_list args)
{
    char line[512];
    size_t length;

    vsnprintf(line, sizeof(line), format, args);
    length = strlen(line);
    if (length > 0 && line[length - 1] == '\n')
        line[length - 1] = '\0';
    log_line(level >= FUSE_LOG_DEBUG ? LOG_LEVEL_DEBUG
             : level >= FUSE_LOG_INFO ? LOG_LEVEL_INFO : LOG_LEVEL_ERROR,
             "%s", line);
}

int session_create(struct session **out, const struct session_config *config)
{
    const struct sizing *sizing = config->sizing;
    struct fuse_args args = FUSE_ARGS_INIT(config->options->argc,
                                           config->options->argv);
    struct session *session;
    int err = -ENOMEM;

    session = calloc(1, sizeof(*session));
    if (!session)
        return -ENOMEM;
    session->transport_ops = &transport_dev;
    session->tree = config->tree;
    session->arena = config->arena;
    session->init = (struct message_init){
        .max_write = sizing->max_write,
        .direct_io = config->options->cache == OPTIONS_CACHE_NONE,
        .acl = true,
        /* allow_root is about ids, and enforced here. */
        .idmap = !config->options->allow_root,
    };
    session->readers = sizing->readers;
    session->workers = sizing->workers;
    session->allow_root = config->options->allow_root;
    session->debug = config->options->debug;
    session->owner = getuid();
    session->fd = -1;
    fuse_set_log_func(fuse_log_line);
    session->ended = eventfd(0, EFD_CLOEXEC);
    if (session->ended < 0) {
        err = -errno;
        goto free_session;
    }
    err = request_pool_create(&session->requests, session, sizing->buffers,
                              sizing->max_write);
    if (err)
        goto close_ended;
    session->fuse =
        fuse_session_new(&args, &fuse_ops, sizeof(fuse_ops), session);
    fuse_opt_free_args(&args); /* what libfuse made of ours */
    if (!session->fuse) {
        err = -EINVAL; /* libfuse has said why */
        goto destroy_pool;
    }
    *out = session;
    return 0;

destroy_pool:
    request_pool_destroy(session->requests);
close_ended:
    close(session->ended);
free_session:
    free(session);
    return err;
}

/* Reads INIT, which the kernel sent when it mounted, and has it answered. */
static int handshake(struct session *session)
{
    struct request *rq = request_get(session->requests);
    const struct fuse_init_in *in = request_argument(rq);
    ssize_t got;
    int err = 0;

    do {
        got = read(session->fd, rq->message, request_room(session->requests));
    } while (got < 0 && errno == EINTR);
    if (got < 0) {
        err = -errno;
        log_error("no word from the kernel after mounting: %s",
                  strerror(errno));
    } else if (!message_valid(rq->message, (size_t)got) ||
               request_header(rq)->opcode != FUSE_INIT || in->major != 7 ||
               in->minor < MIN_MINOR) {
        log_error(
            "this kernel's FUSE is too old: Linux 5.14 or later is needed");
        err = -EPROTO;
    } else {
        session_serve(session, rq, (size_t)got);
    }
    request_put(session->requests, rq);
    return err;
}

/* libfuse says that it cannot open the device, but not what to do. */
static int check_device(const char *mountpoint)
{
    if (strncmp(mountpoint, "/dev/fd/", 8) == 0 ||
        access("/dev/fuse", R_OK | W_OK) == 0)
        return 0;
    log_error("/dev/fuse: %s: %s", strerror(errno),
              errno == EACCES ? "it should have mode 666, as udev makes it"
                              : "load the module with modprobe fuse");
    return -EACCES;
}

int session_mount(struct session *session, const char *mountpoint)
{
    const struct fuse_custom_io io = { .read = hook_read,
                                       .writev = hook_writev };
    int err;

    if (check_device(mountpoint) ||
        fuse_session_mount(session->fuse, mountpoint) != 0)
        return -EINVAL; /* libfuse or fusermount3 has said why */
    session->fd = fcntl(fuse_session_fd(session->fuse), F_DUPFD_CLOEXEC, 3);
    if (session->fd < 0) {
        err = -errno;
        log_error("no descriptor for /dev/fuse: %s", strerror(errno));
        goto unmount;
    }
    err = fuse_session_custom_io(session->fuse, &io,
                                 fuse_session_fd(session->fuse));
    if (err == 0)
        err = handshake(session);
    if (err == 0)
        return 0;
    close(session->fd);
    session->fd = -1;
unmount:
    fuse_session_unmount(session->fuse);
    return err;
}

int session_start(struct session *session)
{
    int err = 0;

    if (session->workers > 0)
        err = work_create(&session->work, session->workers, work_run, session);
    if (!err)
        err = session->transport_ops->start(session, session->readers,
                                            &session->transport);
    if (err)
        log_error("threads could not be started: %s", strerror(-err));
    return err;
}

void session_ended(struct session *session)
{
    uint64_t one = 1;

    if (write(session->ended, &one, sizeof(one)) < 0)
        log_error("end of the session could not be told: %s", strerror(errno));
}

int session_wait(struct session *session)
{
    struct signalfd_siginfo info;
    struct pollfd events[2];
    sigset_t set;
    int signals, number = 0;

    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGHUP);
    signals = signalfd(-1, &set, SFD_CLOEXEC);
    events[0] = (struct pollfd){ .fd = session->ended, .events = POLLIN };
    events[1] = (struct pollfd){ .fd = signals, .events = POLLIN };
    while (poll(events, 2, -1) < 0)
        ;
    if ((events[1].revents & POLLIN) &&
        read(signals, &info, sizeof(info)) == (ssize_t)sizeof(info))
        number = (int)info.ssi_signo;
    if (signals >= 0)
        close(signals);
    return number;
}

void session_end(struct session *session)
{
    /* Requests are still served meanwhile: unmounting writes back what was
     * stored through mappings. */
    fuse_session_unmount(session->fuse);
    atomic_store(&session->stopping, true);
    if (session->transport)
        session->transport_ops->stop(session->transport);
    if (session->work)
        work_destroy(session->work);
    if (session->transport)
        session->transport_ops->destroy(session->transport);
    session->transport = NULL;
    session->work = NULL;
}

void session_destroy(struct session *session)
{
    handle_free_all(session);
    fuse_session_destroy(session->fuse);
    if (session->fd >= 0)
        close(session->fd);
    request_pool_destroy(session->requests);
    close(session->ended);
    free(session);
}

/* session.c - from mount to unmount.
 *
 * libfuse mounts, by itself as root, through fusermount3 otherwise; then its
 * descriptor is ours, and the loop, the buffers and the flags of INIT with it
 * (serve.c).  INIT is read and answered before any thread exists.
 *
 * We read from a duplicate of libfuse's descriptor: unmounting closes
 * libfuse's, and a number that could mean another file must not be read from.
 */
#include "session_internal.h"

#include "caller.h"
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

static int not_made(int err)
{
    log_error("the session cannot be made: %s", strerror(-err));
    return err;
}

/* Those that end a mount.  They are blocked in all threads. */
static int signals_open(void)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGHUP);
    return signalfd(-1, &set, SFD_CLOEXEC);
}

int session_create(struct session **out, const struct session_config *config)
{
    const struct sizing *sizing = config->sizing;
    struct fuse_args args = FUSE_ARGS_INIT(config->options->argc,
                                           config->options->argv);
    struct session *session;
    int err;

    session = calloc(1, sizeof(*session));
    if (!session)
        return not_made(-ENOMEM);
    session->transport_ops = &transport_dev;
    session->tree = config->tree;
    session->store = config->store;
    session->arena = config->arena;
    session->pool = config->pool;
    session->ram = sizing->ram;
    session->ram_fixed = sizing->ram - sizing->arena_bytes;
    session->init = (struct message_init){
        .max_write = sizing->max_write,
        .direct_io = config->options->cache == OPTIONS_CACHE_NONE,
        .writeback = config->options->writeback,
        .xattr = !config->options->noxattr,
        /* allow_root is about ids, and enforced here; and who asks must be known. */
        .idmap = !config->options->allow_root && caller_visible(),
    };
    session->writeback_max =
        config->options->writeback_max.bytes >> PAGE_SHIFT;
    session->wanted = config->options->transport;
    session->queues = sizing->queues;
    session->depth = sizing->depth;
    session->readers = sizing->readers;
    session->workers = sizing->workers;
    session->allow_root = config->options->allow_root;
    session->debug = config->options->debug;
    session->owner = getuid();
    session->started_ns = clock_monotonic_ns();
    session->fd = session->remount.fd = -1;
    fuse_set_log_func(fuse_log_line);
    session->ended = eventfd(0, EFD_CLOEXEC);
    if (session->ended < 0) {
        err = not_made(-errno);
        goto free_session;
    }
    session->signals = signals_open();
    if (session->signals < 0) {
        err = not_made(-errno);
        goto close_ended;
    }
    err = request_pool_create(&session->requests, session, sizing->buffers,
                              sizing->max_write);
    if (err) {
        not_made(err);
        goto close_signals;
    }
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
close_signals:
    close(session->signals);
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
        err = transport_choose(session, in);
        if (!err)
            session_serve(session, rq, (size_t)got);
    }
    request_put(session->requests, rq);
    return err;
}

bool session_is_passed(const char *mountpoint)
{
    return strncmp(mountpoint, "/dev/fd/", 8) == 0;
}

/* libfuse says that it cannot open the device, but not what to do. */
static int check_device(const char *mountpoint)
{
    if (session_is_passed(mountpoint) ||
        access("/dev/fuse", R_OK | W_OK) == 0)
        return 0;
    log_error("/dev/fuse: %s: %s", strerror(errno),
              errno == EACCES ? "it should have mode 666, as udev makes it"
                              : "load the module with modprobe fuse");
    return -EACCES;
}

static void make_ask(void *ctx, uint64_t id)
{
    session_forget_attr(ctx, id);
}

int session_mount(struct session *session, const char *mountpoint)
{
    const char *place = session_is_passed(mountpoint) ? NULL : mountpoint;
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
    err = fuse_session_custom_io(session->fuse, &serve_hooks,
                                 fuse_session_fd(session->fuse));
    if (err == 0)
        err = handshake(session);
    if (err == 0) {
        remount_init(&session->remount, place);
        if (session->init.writeback)
            writeback_init(&session->writeback, session->pool, place,
                           session->writeback_max, make_ask, session);
        return 0;
    }
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
        err = work_create(&session->work, session->workers, serve_queued,
                          session);
    if (!err)
        err = session->transport_ops->start(session->transport);
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
    struct pollfd events[2] = {
        { .fd = session->ended, .events = POLLIN },
        { .fd = session->signals, .events = POLLIN },
    };
    int number = 0;

    while (poll(events, 2, -1) < 0)
        ;
    if ((events[1].revents & POLLIN) &&
        read(session->signals, &info, sizeof(info)) == (ssize_t)sizeof(info))
        number = (int)info.ssi_signo;
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
    remount_fini(&session->remount);
    writeback_fini(&session->writeback);
    fuse_session_destroy(session->fuse);
    if (session->fd >= 0)
        close(session->fd);
    request_pool_destroy(session->requests);
    close(session->signals);
    close(session->ended);
    free(session);
}

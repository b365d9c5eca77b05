/* transport_dev.c - requests by read(2) from /dev/fuse, answers by writev(2).
 *
 * A few threads read from one descriptor; the kernel gives each message to one
 * of them.  Answers go to the same descriptor from any thread: the kernel finds
 * the request by the id in the header.
 *
 * A read ends with ENODEV when the mount is gone, whoever unmounted it.  When
 * we end while the mount is still in use (unmounted lazily), nothing comes any
 * more: the readers are kicked out by a signal, again and again, because the
 * first one may come just before the read begins.
 */
#include "transport.h"

#include "clock.h"
#include "log.h"
#include "session.h"
#include "threads.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { KICK_PAUSE_NS = 1000000 };

struct transport {
    struct session *session;
    unsigned nr_readers;
    pthread_t readers[];
};

/* False: there will be no more messages. */
static bool go_on(int err)
{
    /* ENOENT: the request was taken back while it was being read. */
    if (err == EINTR || err == EAGAIN || err == ENOENT)
        return true;
    if (err != ENODEV)
        log_error("reading from /dev/fuse: %s", strerror(err));
    return false;
}

static void *dev_read(void *ctx)
{
    struct transport *transport = ctx;
    struct session *session = transport->session;
    struct request *rq = request_get(session->requests);
    size_t room = request_room(session->requests);

    threads_allow_kick();
    while (!atomic_load_explicit(&session->stopping, memory_order_relaxed)) {
        ssize_t got = read(session->fd, rq->message, room);

        if (got > 0)
            rq = session_serve(session, rq, (size_t)got);
        else if (got == 0 || !go_on(errno))
            break;
    }
    request_put(session->requests, rq);
    session_ended(session);
    return NULL;
}

static void dev_stop(struct transport *transport)
{
    for (unsigned i = 0; i < transport->nr_readers; i++)
        while (pthread_tryjoin_np(transport->readers[i], NULL) != 0) {
            pthread_kill(transport->readers[i], THREAD_KICK);
            clock_sleep_ns(KICK_PAUSE_NS);
        }
}

static void dev_destroy(struct transport *transport)
{
    free(transport);
}

static int dev_start(struct session *session, unsigned readers,
                     struct transport **out)
{
    struct transport *transport;

    transport = calloc(1, sizeof(*transport) + readers * sizeof(pthread_t));
    if (!transport)
        return -ENOMEM;
    transport->session = session;
    *out = transport;
    for (unsigned i = 0; i < readers; i++) {
        int err = threads_start(&transport->readers[i], "reader", dev_read,
                               transport);

        if (err)
            return err; /* session_end stops those that run */
        transport->nr_readers++;
    }
    atomic_store_explicit(&session->spare_readers, readers - 1,
                          memory_order_relaxed);
    return 0;
}

static int dev_send(struct transport *transport, const struct request *rq,
                    const struct iovec *iov, int count)
{
    (void)rq;
    return writev(transport->session->fd, iov, count) < 0 ? -errno : 0;
}

const struct transport_ops transport_dev = {
    .name = "/dev/fuse",
    .start = dev_start,
    .send = dev_send,
    .stop = dev_stop,
    .destroy = dev_destroy,
};

/* transport_dev.c - requests by read(2) from /dev/fuse, answers by writev(2).
 *
 * Answers go to the descriptor that is read from, from any thread: the kernel
 * finds the request by the id in the header.
 */
#include "transport.h"

#include "readers.h"
#include "session.h"

#include <errno.h>
#include <stdlib.h>

struct transport {
    struct session *session;
    struct readers readers;
};

static int dev_create(struct session *session, struct transport **out)
{
    struct transport *transport = calloc(1, sizeof(*transport));

    if (!transport)
        return -ENOMEM;
    transport->session = session;
    *out = transport;
    return 0;
}

static int dev_start(struct transport *transport)
{
    struct session *session = transport->session;

    return readers_start(&transport->readers, session, session->readers, 0);
}

static int dev_send(struct transport *transport, const struct request *rq,
                    const struct iovec *iov, int count)
{
    (void)rq;
    return writev(transport->session->fd, iov, count) < 0 ? -errno : 0;
}

static void dev_give_back(struct transport *transport, struct request *rq)
{
    request_put(transport->session->requests, rq);
}

static bool dev_interrupt(struct transport *transport, uint64_t unique)
{
    return request_interrupt(transport->session->requests, unique);
}

static bool dev_away(struct transport *transport)
{
    return readers_away(&transport->readers);
}

static void dev_back(struct transport *transport)
{
    readers_back(&transport->readers);
}

static void dev_stop(struct transport *transport)
{
    readers_stop(&transport->readers);
}

static void dev_destroy(struct transport *transport)
{
    free(transport);
}

const struct transport_ops transport_dev = {
    .name = "/dev/fuse",
    .create = dev_create,
    .start = dev_start,
    .send = dev_send,
    .give_back = dev_give_back,
    .interrupt = dev_interrupt,
    .away = dev_away,
    .back = dev_back,
    .stop = dev_stop,
    .destroy = dev_destroy,
};

/* transport_uring.c - FUSE over io_uring: a ring for each CPU (ring.c).
 *
 * Requests come through the rings as soon as each has given the kernel an entry;
 * until then they all wait.  INIT, FORGET and INTERRUPT come through /dev/fuse for
 * ever, so there is a reader; and notices leave that way.
 *
 * All that can be refused is tried before INIT is answered, but for the handing
 * over of the entries.  If the kernel refuses one of those, it sends requests
 * through /dev/fuse again; but perhaps it has enough others to use the rings, too:
 * so from then on both ways are served in full.
 */
#include "transport.h"

#include "log.h"
#include "readers.h"
#include "ring.h"
#include "session.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* As long as FORGETs may gather. */
enum { PAUSE_NS = 2000000 };

struct transport {
    struct session *session;
    struct request_pool *requests; /* the memory of all entries */
    struct readers readers;
    unsigned nr;                   /* of rings that are open */
    struct ring rings[];
};

static void stop_rings(struct transport *transport)
{
    for (unsigned i = 0; i < transport->nr; i++)
        ring_stop(&transport->rings[i]);
}

static void uring_destroy(struct transport *transport)
{
    for (unsigned i = 0; i < transport->nr; i++)
        ring_close(&transport->rings[i]);
    request_pool_destroy(transport->requests);
    free(transport);
}

static int uring_create(struct session *session, struct transport **out)
{
    uint32_t max_write = session->init.max_write;
    struct transport *transport;
    int err;

    transport = calloc(1, sizeof(*transport) +
                              session->queues * sizeof(transport->rings[0]));
    if (!transport)
        return -ENOMEM;
    transport->session = session;
    err = request_pool_create(&transport->requests, session,
                              session->queues * session->depth, max_write);
    if (err) {
        free(transport);
        return err;
    }
    while (transport->nr < session->queues) {
        err = ring_open(&transport->rings[transport->nr], session,
                        transport->nr, session->depth, transport->requests,
                        max_write);
        if (err)
            goto stop_rings;
        transport->nr++;
    }
    *out = transport;
    return 0;

stop_rings:
    stop_rings(transport);
    uring_destroy(transport);
    return err;
}

static int uring_start(struct transport *transport)
{
    struct session *session = transport->session;
    int err = 0;

    for (unsigned i = 0; i < transport->nr; i++) {
        int refused = ring_start(&transport->rings[i]);

        err = err ? err : refused;
    }
    if (!err)
        return readers_start(&transport->readers, session, 1, PAUSE_NS);
    if (session->wanted == OPTIONS_TRANSPORT_URING) {
        log_error("transport=uring: refused by the kernel: %s", strerror(-err));
        return err;
    }
    log_info("FUSE over io_uring is refused by the kernel: %s: /dev/fuse is used",
             strerror(-err));
    return readers_start(&transport->readers, session, session->readers, 0);
}

static int uring_send(struct transport *transport, const struct request *rq,
                      const struct iovec *iov, int count)
{
    if (rq && rq->entry)
        return ring_entry_answer(rq->entry, iov, count);
    return writev(transport->session->fd, iov, count) < 0 ? -errno : 0;
}

static void uring_give_back(struct transport *transport, struct request *rq)
{
    if (rq->entry)
        ring_give_back(rq->entry);
    else
        request_put(transport->session->requests, rq);
}

static bool uring_interrupt(struct transport *transport, uint64_t unique)
{
    return request_interrupt(transport->requests, unique) ||
           request_interrupt(transport->session->requests, unique);
}

static bool uring_away(struct transport *transport)
{
    return readers_away(&transport->readers);
}

static void uring_back(struct transport *transport)
{
    readers_back(&transport->readers);
}

static void uring_stop(struct transport *transport)
{
    stop_rings(transport);
    readers_stop(&transport->readers);
}

const struct transport_ops transport_uring = {
    .name = "io_uring",
    .create = uring_create,
    .start = uring_start,
    .send = uring_send,
    .give_back = uring_give_back,
    .interrupt = uring_interrupt,
    .away = uring_away,
    .back = uring_back,
    .stop = uring_stop,
    .destroy = uring_destroy,
};

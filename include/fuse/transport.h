/* transport.h - how messages come from the kernel and answers get there.
 *
 * A transport owns the threads that read.  For each message it takes a request,
 * fills it, and hands it to session_serve; answers come back through `send`, on
 * whatever thread made them.
 *
 * Ownership   `start` makes the transport; `stop` ends its threads, but answers
 *             may still be sent until `destroy`.
 * Errors      0 or -errno.  send: -ENOENT the kernel has given the request up.
 */
#ifndef FUSE_TRANSPORT_H
#define FUSE_TRANSPORT_H

#include <sys/uio.h>

struct request;
struct session;
struct transport;

struct transport_ops {
    const char *name;
    /* INIT has been answered. */
    int (*start)(struct session *session, unsigned readers,
                 struct transport **transport);
    int (*send)(struct transport *transport, const struct request *rq,
                const struct iovec *iov, int count);
    /* Returns when no thread of it runs any more. */
    void (*stop)(struct transport *transport);
    void (*destroy)(struct transport *transport);
};

/* read(2) and writev(2) on /dev/fuse. */
extern const struct transport_ops transport_dev;

#endif

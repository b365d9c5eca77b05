/* transport.h - how messages come from the kernel and answers get there.
 *
 *     create    INIT has been read, and not answered: all that may fail
 *     start     INIT has been answered: messages are read from now on
 *     stop      returns when no thread of it runs any more
 *     destroy
 *
 * A transport owns the threads that read.  For each message it takes a request,
 * fills it, and hands it to session_serve; answers come back through `send`, on
 * whatever thread made them, and the request itself, if a worker had it, through
 * `give_back`.
 *
 * Ownership   workers may be in `send` and `give_back` until `destroy`; where a
 *             request's memory is the transport's, `stop` waits for it.
 * Errors      0 or -errno.  send: -ENOENT the kernel has given the request up.
 */
#ifndef FUSE_TRANSPORT_H
#define FUSE_TRANSPORT_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/uio.h>

struct fuse_init_in;
struct request;
struct session;
struct transport;

struct transport_ops {
    const char *name;
    int (*create)(struct session *session, struct transport **transport);
    int (*start)(struct transport *transport);
    /* rq NULL: an answer to nothing. */
    int (*send)(struct transport *transport, const struct request *rq,
                const struct iovec *iov, int count);
    void (*give_back)(struct transport *transport, struct request *rq);
    /* Marks a request; false if it has none with this id in work. */
    bool (*interrupt)(struct transport *transport, uint64_t unique);
    /* The calling thread, which is in session_serve, is going to wait.  False:
     * nobody else would read meanwhile. */
    bool (*away)(struct transport *transport);
    void (*back)(struct transport *transport);
    void (*stop)(struct transport *transport);
    void (*destroy)(struct transport *transport);
};

/* read(2) and writev(2) on /dev/fuse. */
extern const struct transport_ops transport_dev;
/* FUSE over io_uring, and /dev/fuse for what never comes through it. */
extern const struct transport_ops transport_uring;

/* Makes the session's transport, by what was asked for and what INIT offers.  An
 * error only if just one would do and that cannot be had. */
int transport_choose(struct session *session, const struct fuse_init_in *in);

#endif

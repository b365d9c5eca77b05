/* transport.c - which way requests come.
 *
 * FUSE over io_uring saves system calls, and the wake-up of a thread on another
 * CPU, which costs more than everything else: it is taken where it can be had.
 * What may be missing: Linux 6.14, the switch that is off by default, leave to
 * use io_uring at all (containers refuse it), memory, descriptors.  Then there
 * is /dev/fuse, and one line in the log that says why.
 */
#include "transport.h"

#include "log.h"
#include "session.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static bool offered(const struct fuse_init_in *in)
{
    return (in->flags & FUSE_INIT_EXT) &&
           ((uint64_t)in->flags2 << 32 & PROTO_OVER_IO_URING);
}

/* 0, and the rings are there; else `why`. */
static int try_uring(struct session *session, const struct fuse_init_in *in,
                     char *why, size_t room)
{
    int err;

    if (!offered(in)) {
        snprintf(why, room, "the kernel does not offer FUSE over io_uring");
        return -EOPNOTSUPP;
    }
    err = transport_uring.create(session, &session->transport);
    if (err)
        snprintf(why, room, "FUSE over io_uring cannot be set up: %s",
                 strerror(-err));
    return err;
}

int transport_choose(struct session *session, const struct fuse_init_in *in)
{
    enum options_transport wanted = session->wanted;
    char why[128];
    int err;

    if (session->queues > 0 && wanted != OPTIONS_TRANSPORT_DEV) {
        err = try_uring(session, in, why, sizeof(why));
        if (!err) {
            session->transport_ops = &transport_uring;
            session->init.ring = true;
            return 0;
        }
        if (wanted == OPTIONS_TRANSPORT_URING) {
            log_error("transport=uring: %s", why);
            return err;
        }
        log_info("%s: /dev/fuse is used", why);
    }
    return session->transport_ops->create(session, &session->transport);
}

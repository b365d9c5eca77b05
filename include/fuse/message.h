/* message.h - requests as they come from the kernel, looked at as bytes.
 *
 * Pure.  A message is a header, a fixed part that depends on the operation,
 * then NUL-terminated names, then data.  message_valid makes sure of all
 * lengths, so that whoever decodes it (libfuse, or ourselves) stays inside.
 */
#ifndef FUSE_MESSAGE_H
#define FUSE_MESSAGE_H

#include "protocol.h"

#include <stdbool.h>
#include <stddef.h>

/* Whole, of an operation known here, with names that end inside it. */
bool message_valid(const void *message, size_t bytes);

/* What a request that must wait is queued with: those that take memory or
 * space, and all others, which should never wait behind them. */
enum message_lane { MESSAGE_READS, MESSAGE_WRITES };
/* Of a message that need not be valid, in a buffer for any. */
enum message_lane message_lane(const void *message);

/* What we ask of the kernel, besides what it must offer. */
struct message_init {
    uint32_t max_write;
    bool direct_io; /* no page cache over files */
    bool writeback; /* a page cache that may be ahead of us */
    bool xattr;     /* extended attributes are kept, and POSIX ACLs among them */
    bool ring;      /* requests come through io_uring */
    bool idmap;     /* may be mounted with other ids elsewhere; requests that
                     * make nothing then come without ids */
};
/* Sets the flags and limits in the answer to INIT; libfuse filled in the rest.
 * The one place that says which features of FUSE are used. */
void message_init_answer(const struct message_init *want,
                         const struct fuse_init_in *in,
                         struct fuse_init_out *out);

#endif

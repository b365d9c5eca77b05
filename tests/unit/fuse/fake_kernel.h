/* fake_kernel.h - the other end of /dev/fuse, in the test's hands.
 *
 * A pair of sockets that keep message boundaries stands in for the device; on
 * one end a whole session with real rooms below it, without a mount.
 */
#ifndef FAKE_KERNEL_H
#define FAKE_KERNEL_H

#include "protocol.h"
#include "session.h"

enum { REPLY_ROOM = 1024 * 1024, KERNEL_SWAP_BLOCKS = 16384 };

struct kernel {
    int fd;
    struct arena *arena;
    struct swap *swap;
    struct pool *pool;
    struct object_store store;
    struct tree *tree;
    struct session *session;
    uint64_t unique;
    uint32_t uid, gid;
    struct fuse_init_out init; /* what the session answered */
    struct {
        struct fuse_out_header out;
        uint8_t data[REPLY_ROOM];
    } reply;
    size_t bytes;              /* of the data of the last reply */
    unsigned stale;            /* times it was told that attributes changed */
    uint64_t stale_id;         /* whose, the last time */
};

/* In use from the next kernel_start on, if not NULL. */
extern const struct transport_ops *kernel_transport;
/* Rings that the machine is said to need, from the next kernel_start on. */
extern unsigned kernel_queues;
/* Where swap is, so many blocks of it; NULL: there is none. */
extern const char *kernel_swap;

/* `words`: the command line. */
void kernel_start(struct kernel *kernel, const char *words);
void kernel_stop(struct kernel *kernel);
/* Sends a request: a fixed part, then more (names, data).  Returns its id. */
uint64_t kernel_send(struct kernel *kernel, uint32_t opcode, uint64_t nodeid,
                     const void *fixed, size_t fixed_bytes, const void *more,
                     size_t more_bytes);
/* The next reply, whosever, counting the notices before it; its id. */
uint64_t kernel_receive(struct kernel *kernel);
/* True if a reply is there. */
bool kernel_pending(struct kernel *kernel);
/* True if no reply comes within some milliseconds. */
bool kernel_silent(struct kernel *kernel);
/* Both; returns the error of the reply: 0 or -errno. */
int kernel_call(struct kernel *kernel, uint32_t opcode, uint64_t nodeid,
                const void *fixed, size_t fixed_bytes, const void *more,
                size_t more_bytes);

/* The same with the parts filled in.  kernel_create makes and opens a file in
 * the root directory: its entry, and the handle. */
#define CALL(kernel, opcode, id, fixed, more, bytes) \
    kernel_call(kernel, opcode, id, &(fixed), sizeof(fixed), more, bytes)
struct fuse_entry_out kernel_create(struct kernel *kernel, const char *name,
                                    uint64_t *fh);
int kernel_write(struct kernel *kernel, uint64_t id, uint64_t fh,
                 uint64_t offset, const void *data, uint32_t size,
                 uint32_t flags);
int kernel_read(struct kernel *kernel, uint64_t id, uint64_t fh,
                uint64_t offset, uint32_t size);

/* Nodes that exist, the root included. */
uint64_t kernel_nodes(struct kernel *kernel);

#endif

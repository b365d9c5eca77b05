/* protocol.h - what Debian 12's <linux/fuse.h> (7.38) does not have yet.
 *
 * Only what we speak, under names of our own so that a newer <linux/fuse.h>
 * does not clash.  Layouts are those of the kernel's ABI; the assertions pin
 * them.
 */
#ifndef FUSE_PROTOCOL_H
#define FUSE_PROTOCOL_H

#include <linux/fuse.h>
#include <stdint.h>

/* Operations. */
enum {
    PROTO_SYNCFS = 50,             /* 7.34: struct of 8 bytes; no answer body */
    PROTO_TMPFILE = 51,            /* 7.37: as FUSE_CREATE */
    PROTO_STATX = 52,              /* 7.39 */
    PROTO_COPY_FILE_RANGE_64 = 53, /* 7.45: as FUSE_COPY_FILE_RANGE */
};

/* INIT, 64 bits of flags: the upper half travels in flags2. */
#define PROTO_DIRECT_IO_ALLOW_MMAP ((uint64_t)1 << 36) /* 7.39 */
#define PROTO_ALLOW_IDMAP ((uint64_t)1 << 40)          /* 7.41 */
#define PROTO_OVER_IO_URING ((uint64_t)1 << 41)        /* 7.42 */

/* Of a WRITE, OPEN, SETXATTR: the caller has no CAP_FSETID, so clear suid and
 * sgid.  (FUSE_SETXATTR_ACL_KILL_SGID and the others are in linux/fuse.h.) */

struct proto_sx_time {
    int64_t seconds;
    uint32_t nanoseconds;
    int32_t reserved;
};

struct proto_statx {
    uint32_t mask; /* STATX_* */
    uint32_t blksize;
    uint64_t attributes; /* STATX_ATTR_* */
    uint32_t nlink;
    uint32_t uid;
    uint32_t gid;
    uint16_t mode;
    uint16_t spare0;
    uint64_t ino;
    uint64_t size;
    uint64_t blocks;
    uint64_t attributes_mask;
    struct proto_sx_time atime, btime, ctime, mtime;
    uint32_t rdev_major, rdev_minor;
    uint32_t dev_major, dev_minor;
    uint64_t spare2[14];
};
_Static_assert(sizeof(struct proto_statx) == 256, "as struct statx");

struct proto_statx_in {
    uint32_t getattr_flags;
    uint32_t reserved;
    uint64_t fh;
    uint32_t sx_flags;
    uint32_t sx_mask;
};
_Static_assert(sizeof(struct proto_statx_in) == 24, "kernel's layout");

struct proto_statx_out {
    uint64_t attr_valid; /* seconds */
    uint32_t attr_valid_nsec;
    uint32_t flags;
    uint64_t spare[2];
    struct proto_statx stat;
};
_Static_assert(sizeof(struct proto_statx_out) == 288, "kernel's layout");

struct proto_copy_file_range_out {
    uint64_t bytes_copied;
};

/* FUSE over io_uring (7.42): commands of IORING_OP_URING_CMD on /dev/fuse. */
enum {
    PROTO_RING_REGISTER = 1, /* address, length: two iovecs, header and payload */
    PROTO_RING_COMMIT_AND_FETCH = 2,
};

/* In the second half of an entry of 128 bytes. */
struct proto_ring_command {
    uint64_t flags;
    uint64_t commit_id;
    uint16_t queue;
    uint8_t padding[6];
};
_Static_assert(sizeof(struct proto_ring_command) == 24, "kernel's layout");

/* One buffer of a queue has this, and a payload.  A request comes as its header
 * in `in_out`, its fixed part in `op_in`, and the rest in the payload; the
 * answer leaves as its header in `in_out` and the rest in the payload. */
struct proto_ring_header {
    uint8_t in_out[128];
    uint8_t op_in[128];
    uint64_t flags;
    uint64_t commit_id;    /* of the request, to be given back */
    uint32_t payload_size; /* both ways; without any header */
    uint32_t padding;
    uint64_t reserved;
};
_Static_assert(sizeof(struct proto_ring_header) == 288, "kernel's layout");

#endif

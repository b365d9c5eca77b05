/* message.c - the shape of each request, and the bargain of INIT.
 *
 * The kernel is trusted, but a daemon that walks off the end of a buffer
 * because of one odd message is a poor thing to keep files in (invariant 14):
 * libfuse 3.14 does not check lengths, so it is done here, before it sees
 * anything.
 *
 * Why these INIT flags, and not others:
 *   PARALLEL_DIROPS      lookups in one directory do not queue; libfuse 3.14
 *                        forgets to say it
 *   HANDLE_KILLPRIV_V2   the kernel need not ask for security.capability before
 *                        every write: clearing suid and sgid is our duty
 *   SETXATTR_EXT         setting an ACL tells whether sgid must go
 *   EXPLICIT_INVAL_DATA  the page cache is dropped when we say so (never), not
 *                        whenever mtime has moved (AUTO_INVAL_DATA)
 *   WRITEBACK_CACHE      only when asked for: then write(2) must be made to ask
 *                        when space is short (writeback.c)
 *   no HANDLE_KILLPRIV   version 2 replaces it
 *   no ASYNC_DIO         with it the kernel sends the parts of one direct write
 *                        at once, and drops what is cached before, not after:
 *                        what others read meanwhile would stay, older than a
 *                        write that has ended
 *   no locks             the kernel's own are right: nobody else has the files
 */
#include "message.h"

#include "bits.h"

#include <fcntl.h>
#include <string.h>

enum {
    MAX_BACKGROUND = 64,
    CONGESTION = 48,
};

struct shape {
    bool known;
    bool writes;   /* takes memory or space: MESSAGE_WRITES */
    uint8_t names;
    uint16_t fixed; /* bytes after the header */
};

#define FIXED(type) .known = true, .fixed = sizeof(struct type)
#define NAMED(n) .known = true, .names = (n)

static const struct shape shapes[] = {
    [FUSE_LOOKUP] = { NAMED(1) },
    [FUSE_FORGET] = { FIXED(fuse_forget_in) },
    [FUSE_GETATTR] = { FIXED(fuse_getattr_in) },
    [FUSE_SETATTR] = { FIXED(fuse_setattr_in), .writes = true },
    [FUSE_READLINK] = { .known = true },
    [FUSE_SYMLINK] = { NAMED(2), .writes = true },
    [FUSE_MKNOD] = { FIXED(fuse_mknod_in), .names = 1, .writes = true },
    [FUSE_MKDIR] = { FIXED(fuse_mkdir_in), .names = 1, .writes = true },
    [FUSE_UNLINK] = { NAMED(1) },
    [FUSE_RMDIR] = { NAMED(1) },
    [FUSE_RENAME] = { FIXED(fuse_rename_in), .names = 2, .writes = true },
    [FUSE_LINK] = { FIXED(fuse_link_in), .names = 1, .writes = true },
    [FUSE_OPEN] = { FIXED(fuse_open_in) },
    [FUSE_READ] = { FIXED(fuse_read_in) },
    [FUSE_WRITE] = { FIXED(fuse_write_in), .writes = true },
    [FUSE_STATFS] = { .known = true },
    [FUSE_RELEASE] = { FIXED(fuse_release_in) },
    [FUSE_FSYNC] = { FIXED(fuse_fsync_in) },
    [FUSE_SETXATTR] = { FIXED(fuse_setxattr_in), .names = 1, .writes = true },
    [FUSE_GETXATTR] = { FIXED(fuse_getxattr_in), .names = 1 },
    [FUSE_LISTXATTR] = { FIXED(fuse_getxattr_in) },
    [FUSE_REMOVEXATTR] = { NAMED(1) },
    [FUSE_FLUSH] = { FIXED(fuse_flush_in) },
    /* Older kernels' is shorter; flags2 is looked at only if announced. */
    [FUSE_INIT] = { .known = true,
                    .fixed = offsetof(struct fuse_init_in, flags2) },
    [FUSE_OPENDIR] = { FIXED(fuse_open_in) },
    [FUSE_READDIR] = { FIXED(fuse_read_in) },
    [FUSE_RELEASEDIR] = { FIXED(fuse_release_in) },
    [FUSE_FSYNCDIR] = { FIXED(fuse_fsync_in) },
    [FUSE_GETLK] = { FIXED(fuse_lk_in) },
    [FUSE_SETLK] = { FIXED(fuse_lk_in) },
    [FUSE_SETLKW] = { FIXED(fuse_lk_in) },
    [FUSE_ACCESS] = { FIXED(fuse_access_in) },
    [FUSE_CREATE] = { FIXED(fuse_create_in), .names = 1, .writes = true },
    [FUSE_INTERRUPT] = { FIXED(fuse_interrupt_in) },
    [FUSE_BMAP] = { FIXED(fuse_bmap_in) },
    [FUSE_DESTROY] = { .known = true },
    [FUSE_IOCTL] = { FIXED(fuse_ioctl_in), .writes = true }, /* may take long */
    [FUSE_POLL] = { FIXED(fuse_poll_in) },
    [FUSE_BATCH_FORGET] = { FIXED(fuse_batch_forget_in) },
    [FUSE_FALLOCATE] = { FIXED(fuse_fallocate_in), .writes = true },
    [FUSE_READDIRPLUS] = { FIXED(fuse_read_in) },
    [FUSE_RENAME2] = { FIXED(fuse_rename2_in), .names = 2, .writes = true },
    [FUSE_LSEEK] = { FIXED(fuse_lseek_in) },
    [FUSE_COPY_FILE_RANGE] = { FIXED(fuse_copy_file_range_in), .writes = true },
    [PROTO_SYNCFS] = { FIXED(fuse_getxattr_in) }, /* eight bytes, too */
    [PROTO_TMPFILE] = { FIXED(fuse_create_in), .names = 1, .writes = true },
    [PROTO_STATX] = { FIXED(proto_statx_in) },
    [PROTO_COPY_FILE_RANGE_64] = { FIXED(fuse_copy_file_range_in),
                                   .writes = true },
};

/* Bytes of data that the fixed part promises. */
static uint64_t promised(uint32_t opcode, const void *fixed)
{
    const struct fuse_batch_forget_in *forget = fixed;
    const struct fuse_write_in *write = fixed;
    const struct fuse_setxattr_in *setxattr = fixed;
    const struct fuse_ioctl_in *control = fixed;

    switch (opcode) {
    case FUSE_WRITE:
        return write->size;
    case FUSE_SETXATTR:
        return setxattr->size;
    case FUSE_IOCTL:
        return control->in_size;
    case FUSE_BATCH_FORGET:
        return (uint64_t)forget->count * sizeof(struct fuse_forget_one);
    default:
        return 0;
    }
}

bool message_valid(const void *message, size_t bytes)
{
    const struct fuse_in_header *in = message;
    const char *end = (const char *)message + bytes;
    const char *at = (const char *)(in + 1);
    const struct shape *shape;

    if (bytes < sizeof(*in) || in->len != bytes ||
        in->opcode >= ARRAY_SIZE(shapes))
        return false;
    shape = &shapes[in->opcode];
    if (!shape->known || (size_t)(end - at) < shape->fixed)
        return false;
    at += shape->fixed;
    for (unsigned i = 0; i < shape->names; i++) {
        const char *nul = memchr(at, '\0', (size_t)(end - at));

        if (!nul)
            return false;
        at = nul + 1;
    }
    return promised(in->opcode, in + 1) <= (uint64_t)(end - at);
}

enum message_lane message_lane(const void *message)
{
    const struct fuse_in_header *in = message;
    const struct fuse_open_in *open = (const void *)(in + 1);
    bool writes = in->opcode == FUSE_OPEN ? open->flags & O_TRUNC
                  : in->opcode < ARRAY_SIZE(shapes) && shapes[in->opcode].writes;

    return writes ? MESSAGE_WRITES : MESSAGE_READS;
}

enum when { NEVER, ALWAYS, IF_XATTR, IF_DIRECT_IO, IF_WRITEBACK, IF_IDMAP,
            IF_RING };

static const struct feature {
    uint64_t flag;
    enum when when;
} features[] = {
    { FUSE_ASYNC_READ, ALWAYS },
    { FUSE_POSIX_LOCKS, NEVER },
    { FUSE_ATOMIC_O_TRUNC, ALWAYS },
    { FUSE_EXPORT_SUPPORT, ALWAYS },
    { FUSE_BIG_WRITES, ALWAYS },
    { FUSE_DONT_MASK, IF_XATTR },
    { FUSE_FLOCK_LOCKS, NEVER },
    { FUSE_AUTO_INVAL_DATA, NEVER },
    { FUSE_DO_READDIRPLUS, ALWAYS },
    { FUSE_READDIRPLUS_AUTO, ALWAYS },
    { FUSE_ASYNC_DIO, NEVER },
    { FUSE_WRITEBACK_CACHE, IF_WRITEBACK },
    { FUSE_PARALLEL_DIROPS, ALWAYS },
    { FUSE_HANDLE_KILLPRIV, NEVER },
    { FUSE_POSIX_ACL, IF_XATTR },
    { FUSE_MAX_PAGES, ALWAYS },
    { FUSE_CACHE_SYMLINKS, ALWAYS },
    { FUSE_EXPLICIT_INVAL_DATA, ALWAYS },
    { FUSE_HANDLE_KILLPRIV_V2, ALWAYS },
    { FUSE_SETXATTR_EXT, ALWAYS },
    { FUSE_INIT_EXT, ALWAYS },
    { PROTO_DIRECT_IO_ALLOW_MMAP, IF_DIRECT_IO },
    { PROTO_ALLOW_IDMAP, IF_IDMAP },
    { PROTO_OVER_IO_URING, IF_RING },
};

static bool wanted(const struct message_init *want, enum when when)
{
    switch (when) {
    case NEVER:
        return false;
    case ALWAYS:
        return true;
    case IF_XATTR:
        return want->xattr;
    case IF_DIRECT_IO: /* all files, or those opened while space is short */
        return want->direct_io || want->writeback;
    case IF_WRITEBACK:
        return want->writeback;
    case IF_IDMAP:
        return want->idmap;
    case IF_RING:
        return want->ring;
    }
    return false;
}

void message_init_answer(const struct message_init *want,
                         const struct fuse_init_in *in,
                         struct fuse_init_out *out)
{
    uint64_t offered = in->flags;
    uint64_t flags = 0;

    if (offered & FUSE_INIT_EXT)
        offered |= (uint64_t)in->flags2 << 32;
    for (size_t i = 0; i < ARRAY_SIZE(features); i++)
        if (wanted(want, features[i].when))
            flags |= features[i].flag;
    flags &= offered;
    out->flags = (uint32_t)flags;
    out->flags2 = (uint32_t)(flags >> 32);
    out->max_write = want->max_write;
    out->max_pages = (uint16_t)(want->max_write / PAGE_SIZE);
    out->max_background = MAX_BACKGROUND;
    out->congestion_threshold = CONGESTION;
}

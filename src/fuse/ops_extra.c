/* ops_extra.c - holes, preallocation, copying inside the mount, file flags. */
#include "ops.h"

#include "handle.h"

#include <errno.h>
#include <linux/fs.h>
#include <string.h>
#include <sys/ioctl.h>

/* Between two looks at whether the caller is still there. */
#define COPY_STEP ((uint64_t)16 << 20)
/* More than this is not copied on a reader's thread. */
#define COPY_QUICK ((uint64_t)1 << 20)
/* What the old reply can tell, in whole pages. */
#define COPY_MAX_32 ((uint64_t)UINT32_MAX & ~(uint64_t)PAGE_MASK)

/* With a writeback cache the kernel alone knows what is data and how long the file
 * is, and asks without handing on what it has.  It takes all for data then. */
void op_lseek(fuse_req_t req, fuse_ino_t id, off_t offset, int whence,
              struct fuse_file_info *fi)
{
    struct request *rq = session_current(req);
    struct fuse_lseek_out out = { 0 };
    struct borrowed borrowed;
    struct tree_file *file;
    int err;

    if (writeback_is_on(&rq->session->writeback)) {
        reply_error(rq, -ENOSYS);
        return;
    }
    err = handle_borrow_file(rq->session, fi->fh, id, &borrowed, &file);
    if (!err) {
        err = tree_lseek(rq->session->tree, file, (uint64_t)offset, whence,
                         &out.offset);
        handle_return_file(rq->session, &borrowed);
    }
    if (err)
        op_result(rq, err);
    else
        reply_data(rq, &out, sizeof(out));
}

void op_fallocate(fuse_req_t req, fuse_ino_t id, int mode, off_t offset,
                  off_t length, struct fuse_file_info *fi)
{
    struct request *rq = session_current(req);
    struct tree_cred cred = request_cred(rq, 0);
    struct borrowed borrowed;
    struct tree_file *file;
    int err;

    err = handle_borrow_file(rq->session, fi->fh, id, &borrowed, &file);
    if (!err) {
        err = tree_fallocate(rq->session->tree, &cred, file, mode,
                             (uint64_t)offset, (uint64_t)length, rq->may_wait);
        handle_return_file(rq->session, &borrowed);
        writeback_look(&rq->session->writeback);
    }
    op_result(rq, err);
}

/* Copies up to `length` bytes, step by step: 0 and *total, which may be short
 * if something went wrong after the first step, or the caller was killed. */
static int copy_steps(struct request *rq, struct tree_file *from,
                      struct tree_file *to, uint64_t length, uint64_t *total)
{
    const struct fuse_copy_file_range_in *in = request_argument(rq);
    struct tree_cred cred = request_cred(rq, 0);

    *total = 0;
    do {
        uint64_t step = MIN(length - *total, COPY_STEP);
        uint64_t copied = 0;
        int err = tree_copy_range(rq->session->tree, &cred, from,
                                  in->off_in + *total, to, in->off_out + *total,
                                  step, rq->may_wait, &copied);

        if (err)
            return *total ? 0 : err;
        *total += copied;
        if (copied < step)
            break;
    } while (*total < length && !request_given_up(rq));
    return 0;
}

static int copy(struct request *rq, uint64_t length, uint64_t *total)
{
    const struct fuse_copy_file_range_in *in = request_argument(rq);
    struct session *session = rq->session;
    struct borrowed from_borrowed, to_borrowed;
    struct tree_file *from, *to;
    int err;

    if (length > COPY_QUICK && !rq->may_wait)
        return -EAGAIN;
    err = handle_borrow_file(session, in->fh_in, request_header(rq)->nodeid,
                        &from_borrowed, &from);
    if (err)
        return err;
    err = handle_borrow_file(session, in->fh_out, in->nodeid_out, &to_borrowed,
                             &to);
    if (err)
        goto return_from;
    err = copy_steps(rq, from, to, length, total);
    handle_return_file(session, &to_borrowed);
    writeback_look(&session->writeback);
return_from:
    handle_return_file(session, &from_borrowed);
    return err;
}

void op_copy_file_range(fuse_req_t req, fuse_ino_t from, off_t from_offset,
                        struct fuse_file_info *from_fi, fuse_ino_t to,
                        off_t to_offset, struct fuse_file_info *to_fi,
                        size_t length, int flags)
{
    struct request *rq = session_current(req);
    struct fuse_write_out out = { 0 };
    uint64_t total;
    int err;

    (void)from;
    (void)from_offset;
    (void)from_fi;
    (void)to;
    (void)to_offset;
    (void)to_fi;
    if (flags != 0) {
        reply_error(rq, -EINVAL);
        return;
    }
    err = copy(rq, MIN(length, COPY_MAX_32), &total);
    if (err) {
        op_result(rq, err);
        return;
    }
    out.size = (uint32_t)total;
    reply_data(rq, &out, sizeof(out));
}

void op_copy_file_range_64(struct request *rq)
{
    const struct fuse_copy_file_range_in *in = request_argument(rq);
    struct proto_copy_file_range_out out;
    int err;

    if (in->flags != 0) {
        reply_error(rq, -EINVAL);
        return;
    }
    err = copy(rq, in->len, &out.bytes_copied);
    if (err)
        op_result(rq, err);
    else
        reply_data(rq, &out, sizeof(out));
}

/* There is nothing safer to bring it to. */
void op_syncfs(struct request *rq)
{
    reply_error(rq, 0);
}

/* --- chattr, lsattr ------------------------------------------------------ */

static const struct {
    uint32_t flag, xflag;
} xflags[] = {
    { FS_APPEND_FL, FS_XFLAG_APPEND },
    { FS_IMMUTABLE_FL, FS_XFLAG_IMMUTABLE },
    { FS_NODUMP_FL, FS_XFLAG_NODUMP },
    { FS_NOATIME_FL, FS_XFLAG_NOATIME },
};

static uint32_t to_xflags(uint32_t flags)
{
    uint32_t result = 0;

    for (size_t i = 0; i < ARRAY_SIZE(xflags); i++)
        if (flags & xflags[i].flag)
            result |= xflags[i].xflag;
    return result;
}

/* -EOPNOTSUPP for what has no flag here. */
static int from_xflags(const struct fsxattr *in, uint32_t *flags)
{
    uint32_t left = in->fsx_xflags;

    *flags = 0;
    for (size_t i = 0; i < ARRAY_SIZE(xflags); i++) {
        if (left & xflags[i].xflag)
            *flags |= xflags[i].flag;
        left &= ~xflags[i].xflag;
    }
    return left || in->fsx_extsize || in->fsx_projid || in->fsx_cowextsize
               ? -EOPNOTSUPP : 0;
}

void reply_ioctl(struct request *rq, const void *data, size_t bytes)
{
    struct fuse_ioctl_out out = { .result = 0 };
    struct iovec iov[3] = { { NULL, 0 }, { &out, sizeof(out) },
                            { (void *)(uintptr_t)data, bytes } };

    reply_iov(rq, iov, bytes ? 3 : 2);
}

static void get_flags(struct request *rq, uint64_t id, bool extended,
                      size_t out_bytes)
{
    struct fsxattr fsx = { 0 };
    struct tree_attr attr;
    int err = tree_getattr(rq->session->tree, id, &attr);

    if (!err && out_bytes < (extended ? sizeof(fsx) : sizeof(attr.flags)))
        err = -EINVAL;
    if (err) {
        op_result(rq, err);
    } else if (extended) {
        fsx.fsx_xflags = to_xflags(attr.flags);
        reply_ioctl(rq, &fsx, sizeof(fsx));
    } else {
        reply_ioctl(rq, &attr.flags, sizeof(attr.flags));
    }
}

static void set_flags(struct request *rq, uint64_t id, bool extended,
                      const void *in, size_t in_bytes)
{
    struct fsxattr fsx;
    uint32_t flags;
    int err = 0;

    if (in_bytes < (extended ? sizeof(fsx) : sizeof(flags))) {
        err = -EINVAL;
    } else if (extended) {
        memcpy(&fsx, in, sizeof(fsx));
        err = from_xflags(&fsx, &flags);
    } else {
        memcpy(&flags, in, sizeof(flags));
    }
    if (!err)
        err = tree_setflags(rq->session->tree, id, flags);
    if (err)
        op_result(rq, err);
    else
        reply_ioctl(rq, NULL, 0);
}

void op_ioctl(fuse_req_t req, fuse_ino_t id, unsigned command, void *argument,
              struct fuse_file_info *fi, unsigned flags, const void *in,
              size_t in_bytes, size_t out_bytes)
{
    struct request *rq = session_current(req);

    (void)argument;
    (void)fi;
    (void)flags;
    switch (command) {
    case (unsigned)FS_IOC_GETFLAGS:
        get_flags(rq, id, false, out_bytes);
        break;
    case (unsigned)FS_IOC_FSGETXATTR:
        get_flags(rq, id, true, out_bytes);
        break;
    case (unsigned)FS_IOC_SETFLAGS:
        set_flags(rq, id, false, in, in_bytes);
        break;
    case (unsigned)FS_IOC_FSSETXATTR:
        set_flags(rq, id, true, in, in_bytes);
        break;
    default:
        ctl_ioctl(rq, id, command, in, in_bytes, out_bytes);
    }
}

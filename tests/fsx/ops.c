/* ops.c - does one operation, to the file and then to the shadow.
 *
 * A short count is an error here: whoever runs fsx gives it a file system with
 * room for the file.  What goes through mmap is in mapped.c.
 */
#include "fsx.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

static int fd_for(const struct fsx *x, const struct op *op)
{
    return op->flags & OP_DIRECT ? x->direct_fd : x->fd;
}

void read_exactly(struct fsx *x, int fd, uint64_t offset, uint64_t length)
{
    uint64_t expected = length;
    ssize_t got;

    if (offset + length > x->size)
        expected = offset < x->size ? x->size - offset : 0;
    memset(x->buffer, 0xa5, length);
    got = pread(fd, x->buffer, length, (off_t)offset);
    if (got < 0)
        fail(x, errno, "read of 0x%lx at 0x%lx", length, offset);
    if ((uint64_t)got != expected)
        fail(x, 0, "short read: 0x%lx at 0x%lx gave 0x%lx, not 0x%lx", length,
             offset, (uint64_t)got, expected);
}

static void do_read(struct fsx *x, const struct op *op)
{
    uint64_t length = op->length;

    read_exactly(x, fd_for(x, op), op->offset, op->length);
    if (op->offset + length > x->size)
        length = op->offset < x->size ? x->size - op->offset : 0;
    check_bytes(x, x->buffer, op->offset, length);
}

static void do_write(struct fsx *x, const struct op *op)
{
    ssize_t put;

    pattern(x, x->buffer, op->offset, op->length, x->nr_done);
    /* With O_APPEND Linux ignores the offset: give it a wrong one. */
    if (op->kind == OP_APPEND)
        put = pwrite(x->append_fd, x->buffer, op->length, 0);
    else
        put = pwrite(fd_for(x, op), x->buffer, op->length, (off_t)op->offset);
    if (put < 0)
        fail(x, errno, "write of 0x%lx at 0x%lx", op->length, op->offset);
    if ((uint64_t)put != op->length)
        fail(x, 0, "short write: 0x%lx at 0x%lx gave 0x%lx", op->length,
             op->offset, (uint64_t)put);
    shadow_store(x, op->offset, op->length);
}

static void do_truncate(struct fsx *x, const struct op *op)
{
    if (ftruncate(x->fd, (off_t)op->length) != 0)
        fail(x, errno, "truncate to 0x%lx", op->length);
    shadow_resize(x, op->length);
}

static void do_fallocate(struct fsx *x, const struct op *op)
{
    uint64_t end = op->offset + op->length;
    int mode = op->flags & OP_KEEP_SIZE ? FALLOC_FL_KEEP_SIZE : 0;

    if (op->kind == OP_PUNCH_HOLE)
        mode = FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE;
    else if (op->kind == OP_ZERO_RANGE)
        mode |= FALLOC_FL_ZERO_RANGE;
    if (fallocate(x->fd, mode, (off_t)op->offset, (off_t)op->length) != 0)
        fail(x, errno, "%s of 0x%lx at 0x%lx, mode %d", op_names[op->kind],
             op->length, op->offset, mode);
    if (op->kind != OP_FALLOCATE)
        shadow_zero(x, op->offset, op->length);
    if (!(mode & FALLOC_FL_KEEP_SIZE) && end > x->size)
        shadow_resize(x, end);
}

static void do_copy(struct fsx *x, const struct op *op)
{
    off_t from = (off_t)op->offset, to = (off_t)op->to;
    uint64_t left = op->length;

    while (left > 0) {
        ssize_t copied = copy_file_range(x->fd, &from, x->fd, &to, left, 0);

        if (copied < 0)
            fail(x, errno, "copy_file_range of 0x%lx from 0x%lx to 0x%lx",
                 op->length, op->offset, op->to);
        if (copied == 0)
            fail(x, 0, "copy_file_range of 0x%lx from 0x%lx to 0x%lx stopped "
                 "0x%lx short", op->length, op->offset, op->to, left);
        left -= (uint64_t)copied;
    }
    memcpy(x->buffer, x->good + op->offset, op->length);
    shadow_store(x, op->to, op->length);
}

static void do_fsync(struct fsx *x)
{
    if (fsync(x->fd) != 0)
        fail(x, errno, "fsync");
}

void drop_cache(struct fsx *x)
{
    int error;

    do_fsync(x); /* dirty pages cannot be dropped */
    error = posix_fadvise(x->fd, 0, 0, POSIX_FADV_DONTNEED);
    if (error != 0)
        fail(x, error, "posix_fadvise");
}

/* SEEK_DATA and SEEK_HOLE walk the whole file in steps forward, and where they
 * say hole the shadow is zero.  How much of a hole is called data is the file
 * system's own affair. */
static void do_seek(struct fsx *x)
{
    uint64_t at = 0;

    while (at < x->size) {
        off_t data = lseek(x->fd, (off_t)at, SEEK_DATA);
        uint64_t hole_end = data < 0 ? x->size : (uint64_t)data;

        if (data < 0 && errno != ENXIO)
            fail(x, errno, "SEEK_DATA from 0x%lx", at);
        if (hole_end < at || hole_end > x->size)
            fail(x, 0, "SEEK_DATA from 0x%lx gave 0x%lx", at, hole_end);
        memset(x->buffer, 0, hole_end - at);
        check_bytes(x, x->buffer, at, hole_end - at);
        if (data < 0)
            break;
        off_t hole = lseek(x->fd, data, SEEK_HOLE);
        if (hole < 0)
            fail(x, errno, "SEEK_HOLE from 0x%lx", hole_end);
        if (hole <= data || (uint64_t)hole > x->size)
            fail(x, 0, "SEEK_HOLE from 0x%lx gave 0x%lx", hole_end,
                 (uint64_t)hole);
        at = (uint64_t)hole;
    }
    if (lseek(x->fd, (off_t)x->size, SEEK_DATA) != -1 || errno != ENXIO)
        fail(x, 0, "SEEK_DATA at the end of the file is not ENXIO");
}

void execute(struct fsx *x, const struct op *op)
{
    if (op->flags & OP_POLLUTE)
        pollute_eof(x);
    switch (op->kind) {
    case OP_READ:
        do_read(x, op);
        break;
    case OP_WRITE:
    case OP_APPEND:
        do_write(x, op);
        break;
    case OP_MAPREAD:
        do_mapread(x, op);
        break;
    case OP_MAPWRITE:
        do_mapwrite(x, op);
        break;
    case OP_TRUNCATE:
        do_truncate(x, op);
        break;
    case OP_FALLOCATE:
    case OP_PUNCH_HOLE:
    case OP_ZERO_RANGE:
        do_fallocate(x, op);
        break;
    case OP_COPY_RANGE:
        do_copy(x, op);
        break;
    case OP_FSYNC:
        do_fsync(x);
        break;
    case OP_REOPEN:
        close_file(x);
        open_file(x, false);
        break;
    case OP_INVALIDATE:
        drop_cache(x);
        break;
    case OP_SEEK:
        do_seek(x);
        break;
    case NR_OPS:
        break;
    }
}

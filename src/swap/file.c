/* file.c - what an open swap file can do, and making it longer and shorter.
 *
 * Pageout is to free memory, not to move it into the host's page cache, hence
 * O_DIRECT.  Whether it works is not what open() says but what a write and a
 * read say, so both are tried once, as are fallocate and punching.  Without
 * O_DIRECT each write is followed by swap_file_settle: what was written goes to
 * disk now, and the host's copy of it is dropped, as it is after a read.
 *
 * Growth puts disk behind blocks before anybody is promised them (5).  Where
 * there is no fallocate, zeros are written.
 */
#include "file_internal.h"

#include "log.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/magic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/statvfs.h>
#include <sys/uio.h>
#include <sys/vfs.h>
#include <unistd.h>

/* Growth without fallocate writes this page many times at once. */
enum { ZEROS_AT_ONCE = 256 };
static const _Alignas(PAGE_SIZE) uint8_t zeros[PAGE_SIZE];

static int allocate(int fd, int mode, uint64_t first, uint64_t bytes)
{
    while (fallocate(fd, mode, (off_t)first, (off_t)bytes) != 0) {
        if (errno != EINTR)
            return -errno;
    }
    return 0;
}

static bool unsupported(int err)
{
    return err == -EOPNOTSUPP || err == -ENOSYS || err == -EINVAL;
}

/* --- what it can do ------------------------------------------------------- */

static bool set_direct(int fd, bool on)
{
    int flags = fcntl(fd, F_GETFL);

    if (flags < 0)
        return false;
    flags = on ? flags | O_DIRECT : flags & ~O_DIRECT;
    return fcntl(fd, F_SETFL, flags) == 0;
}

static int transfer_error(ssize_t n)
{
    if (n == PAGE_SIZE)
        return 0;
    return n < 0 ? -errno : -EIO;
}

/* Writes the first block and reads it back.  A device keeps what it has, in
 * case it was the wrong one. */
static int try_block(const struct swap_file *file)
{
    _Alignas(PAGE_SIZE) uint8_t out[PAGE_SIZE], in[PAGE_SIZE];
    int err = 0;

    if (file->device)
        err = transfer_error(pread(file->fd, out, PAGE_SIZE, 0));
    else
        memset(out, 0xa5, PAGE_SIZE);
    if (!err)
        err = transfer_error(pwrite(file->fd, out, PAGE_SIZE, 0));
    if (!err)
        err = transfer_error(pread(file->fd, in, PAGE_SIZE, 0));
    if (!err && memcmp(in, out, PAGE_SIZE) != 0)
        err = -EIO;
    return err;
}

static int probe_growth(struct swap_file *file)
{
    int err = allocate(file->fd, 0, 0, PAGE_SIZE);

    file->can_allocate = !err;
    if (err && !unsupported(err))
        return err;
    file->can_punch = !err &&
                      !allocate(file->fd, FALLOC_FL_PUNCH_HOLE |
                                FALLOC_FL_KEEP_SIZE, 0, PAGE_SIZE);
    return 0;
}

/* On btrfs a block that is written anew goes elsewhere, for which there may be no
 * disk; a file of which nothing was written yet can be told not to (chattr +C). */
static void no_copy_on_write(const struct swap_file *file)
{
    struct statfs fs;
    int flags;

    if (fstatfs(file->fd, &fs) != 0 ||
        (unsigned)fs.f_type != BTRFS_SUPER_MAGIC ||
        ioctl(file->fd, FS_IOC_GETFLAGS, &flags) != 0)
        return;
    flags |= FS_NOCOW_FL;
    if (ioctl(file->fd, FS_IOC_SETFLAGS, &flags) != 0)
        log_warn("swap: cannot turn off copy-on-write (%s): blocks may lose "
                 "their place when written again", strerror(errno));
}

int file_probe(struct swap_file *file)
{
    int err = 0;

    if (file->device) {
        device_probe(file);
    } else {
        no_copy_on_write(file);
        err = probe_growth(file);
    }
    if (err)
        return err;
    file->direct = set_direct(file->fd, true) && try_block(file) == 0;
    if (!file->direct) {
        if (!set_direct(file->fd, false))
            return -errno;
        err = try_block(file);
    }
    if (!err && !file->device && ftruncate(file->fd, 0) != 0)
        err = -errno;
    return err;
}

void swap_file_close(struct swap_file *file)
{
    if (file->fd >= 0)
        close(file->fd);
    file->fd = -1;
    free(file->name);
    file->name = NULL;
}

/* --- growing and punching ------------------------------------------------- */

uint64_t swap_file_room(const struct swap_file *file)
{
    struct statvfs fs;

    if (file->fd < 0)
        return 0;
    if (file->device)
        return file->nr_blocks;
    /* What the host keeps back for root is not ours even if we are root. */
    if (fstatvfs(file->fd, &fs) != 0)
        return 0;
    return (uint64_t)fs.f_bavail * fs.f_frsize >> PAGE_SHIFT;
}

static int write_zeros(const struct swap_file *file, uint64_t at,
                       uint64_t bytes)
{
    struct iovec iov[ZEROS_AT_ONCE];
    uint64_t left = bytes;

    for (unsigned i = 0; i < ZEROS_AT_ONCE; i++)
        iov[i] = (struct iovec){ (void *)(uintptr_t)zeros, PAGE_SIZE };
    while (left > 0) {
        int count = (int)MIN(left >> PAGE_SHIFT, (uint64_t)ZEROS_AT_ONCE);
        ssize_t n = pwritev(file->fd, iov, count, (off_t)(at + bytes - left));

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -errno;
        /* A short write ends within a page only when the disk is full. */
        if ((n & PAGE_MASK) != 0 || n == 0)
            return -ENOSPC;
        left -= (uint64_t)n;
    }
    return swap_file_settle(file, at, bytes);
}

int swap_file_grow(struct swap_file *file, uint32_t first, uint32_t nr)
{
    uint64_t at = (uint64_t)first << PAGE_SHIFT;
    uint64_t bytes = (uint64_t)nr << PAGE_SHIFT;
    int err;

    if (file->device)
        return device_grow(file, at, bytes);
    err = file->can_allocate ? allocate(file->fd, 0, at, bytes)
                             : write_zeros(file, at, bytes);
    if (err)
        swap_file_punch(file, first, nr);
    /* A file that may not be longer is as full as a disk. */
    return err == -EFBIG ? -ENOSPC : err;
}

void swap_file_punch(struct swap_file *file, uint32_t first, uint32_t nr)
{
    uint64_t at = (uint64_t)first << PAGE_SHIFT;
    uint64_t bytes = (uint64_t)nr << PAGE_SHIFT;

    if (file->device)
        device_discard(file, at, bytes);
    else if (file->can_punch)
        allocate(file->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, at,
                 bytes);
}

void swap_file_forget(const struct swap_file *file, uint64_t at, uint64_t bytes)
{
    if (!file->direct)
        posix_fadvise(file->fd, (off_t)at, (off_t)bytes, POSIX_FADV_DONTNEED);
}

int swap_file_settle(const struct swap_file *file, uint64_t at, uint64_t bytes)
{
    int err = 0;

    if (file->direct)
        return 0;
    if (sync_file_range(file->fd, (off_t)at, (off_t)bytes,
                        SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE |
                            SYNC_FILE_RANGE_WAIT_AFTER) != 0)
        err = -errno;
    swap_file_forget(file, at, bytes);
    return err;
}

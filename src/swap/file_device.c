/* file_device.c - block devices that can be told what they need not keep.
 *
 * A disk of flash works better, and a loop device or a thin volume takes less of
 * its host, when it knows which blocks hold nothing (BLKDISCARD).  It is told when
 * clusters are trimmed, and of each cluster before it is used for the first time,
 * whatever was on the device before.  Not of the whole device at the start: who
 * has named the wrong one has lost nothing until memory is short.
 *
 * A loop device has disk only where its file has, so growth has to put some there
 * as it does behind a file (5).  Zeroing the range without unmapping does that,
 * and comes down to one fallocate of the backing file.  Thin volumes know no such
 * request: what they promise is for their owner to keep.
 */
#include "file_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/major.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/sysmacros.h>
#include <unistd.h>

/* A number from the queue of a device, or of that which it is a partition of;
 * 0 if there is none. */
static uint64_t queue_number(dev_t device, const char *what)
{
    char path[128], text[32] = "";
    ssize_t n;
    int fd;

    snprintf(path, sizeof(path), "/sys/dev/block/%u:%u/queue/%s", major(device),
             minor(device), what);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        snprintf(path, sizeof(path), "/sys/dev/block/%u:%u/../queue/%s",
                 major(device), minor(device), what);
        fd = open(path, O_RDONLY | O_CLOEXEC);
    }
    if (fd < 0)
        return 0;
    n = read(fd, text, sizeof(text) - 1);
    close(fd);
    return n > 0 ? strtoull(text, NULL, 10) : 0;
}

void device_probe(struct swap_file *file)
{
    struct stat st;

    if (fstat(file->fd, &st) != 0)
        return;
    file->can_punch = queue_number(st.st_rdev, "discard_max_bytes") > 0;
    file->thin = major(st.st_rdev) == LOOP_MAJOR &&
                 queue_number(st.st_rdev, "write_zeroes_max_bytes") > 0;
}

int device_grow(struct swap_file *file, uint64_t at, uint64_t bytes)
{
    if (!file->thin) {
        device_discard(file, at, bytes);
        return 0;
    }
    while (fallocate(file->fd, FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE,
                     (off_t)at, (off_t)bytes) != 0) {
        if (errno != EINTR)
            /* However the backing file failed, the device says EIO. */
            return errno == EIO ? -ENOSPC : -errno;
    }
    return 0;
}

void device_discard(struct swap_file *file, uint64_t at, uint64_t bytes)
{
    uint64_t range[2] = { at, bytes };

    /* It is advice: a device that does not take it keeps the bytes. */
    if (file->can_punch)
        ioctl(file->fd, BLKDISCARD, range);
}

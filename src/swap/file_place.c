/* file_place.c - is this place a disk?
 *
 * Swap on tmpfs would be RAM again, and no bound on it.  Swap on FUSE would
 * make pageout wait for another daemon, which may be waiting for memory, or for
 * us.  A loop device only hides either, so its backing file is looked at in
 * turn, and so is each device that a mapped one (LVM, dm-crypt, md) is made of,
 * as the kernel tells it in sysfs:
 *
 *     /sys/dev/block/MAJOR:MINOR/loop/backing_file    a path
 *     /sys/dev/block/MAJOR:MINOR/slaves/NAME/dev      MAJOR:MINOR
 *
 * A partition has these in its parent, "../".  What sysfs does not tell (a
 * backing file that was deleted, or that another mount namespace has) is let
 * pass: the rule keeps people from mistakes, it is no lock.
 */
#include "file_internal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <unistd.h>

#ifndef FUSE_SUPER_MAGIC
#define FUSE_SUPER_MAGIC 0x65735546
#endif

enum { DEPTH_MAX = 8, SYSFS_LINE = 4096 };

static const char *const sysfs_prefix[] = { "", "../" };

/* Why a file system of this type will not do, or NULL. */
static const char *type_fault(const struct statfs *fs)
{
    switch ((unsigned)fs->f_type) {
    case FUSE_SUPER_MAGIC:
        return "a FUSE mount";
    case TMPFS_MAGIC:
        return "tmpfs, which is RAM";
    case RAMFS_MAGIC:
        return "ramfs, which is RAM";
    default:
        return NULL;
    }
}

/* One line of sysfs without its newline; false if there is no such file. */
static bool sysfs_read(const char *path, char line[SYSFS_LINE])
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n;

    if (fd < 0)
        return false;
    n = read(fd, line, SYSFS_LINE - 1);
    close(fd);
    if (n <= 0)
        return false;
    line[n] = '\0';
    line[strcspn(line, "\n")] = '\0';
    return true;
}

static const char *device_fault(dev_t device, int depth);

/* Why the backing file of a loop device will not do, or NULL. */
static const char *backing_fault(const char *path, int depth)
{
    struct statfs fs;
    struct stat st;
    const char *fault;

    if (statfs(path, &fs) != 0 || stat(path, &st) != 0)
        return NULL;
    if (S_ISBLK(st.st_mode))
        return device_fault(st.st_rdev, depth);
    fault = type_fault(&fs);
    return fault ? fault : device_fault(st.st_dev, depth);
}

/* The same for the devices that a mapped one is made of. */
static const char *slaves_fault(const char *base, const char *prefix, int depth)
{
    const char *fault = NULL;
    struct dirent *entry;
    char path[SYSFS_LINE], line[SYSFS_LINE];
    DIR *slaves;

    snprintf(path, sizeof(path), "%s/%sslaves", base, prefix);
    slaves = opendir(path);
    if (!slaves)
        return NULL;
    while (!fault && (entry = readdir(slaves)) != NULL) {
        unsigned major, minor;

        snprintf(path, sizeof(path), "%s/%sslaves/%s/dev", base, prefix,
                 entry->d_name);
        if (entry->d_name[0] != '.' && sysfs_read(path, line) &&
            sscanf(line, "%u:%u", &major, &minor) == 2)
            fault = device_fault(makedev(major, minor), depth);
    }
    closedir(slaves);
    return fault;
}

static const char *device_fault(dev_t device, int depth)
{
    const char *fault = NULL;
    char base[64], path[128], backing[SYSFS_LINE];

    if (depth == DEPTH_MAX)
        return "too many devices upon each other";
    snprintf(base, sizeof(base), "/sys/dev/block/%u:%u", major(device),
             minor(device));
    for (size_t i = 0; !fault && i < ARRAY_SIZE(sysfs_prefix); i++) {
        snprintf(path, sizeof(path), "%s/%sloop/backing_file", base,
                 sysfs_prefix[i]);
        if (sysfs_read(path, backing))
            fault = backing_fault(backing, depth + 1);
        if (!fault)
            fault = slaves_fault(base, sysfs_prefix[i], depth + 1);
    }
    return fault;
}

int place_check(const struct opening *opening, int fd, const struct stat *st)
{
    dev_t device = S_ISBLK(st->st_mode) ? st->st_rdev : st->st_dev;
    const char *fault = NULL;
    struct statfs fs;

    if (!S_ISBLK(st->st_mode)) {
        if (fstatfs(fd, &fs) != 0)
            return opening_refuse(opening, -errno, "%s", strerror(errno));
        fault = type_fault(&fs);
        if (fault)
            return opening_refuse(opening, -EINVAL, "lies on %s; name a place "
                                  "on a disk, as swap=/var/tmp", fault);
    }
    fault = device_fault(device, 0);
    if (fault)
        return opening_refuse(opening, -EINVAL, "lies on a loop device over "
                              "%s; name a place on a disk, as swap=/var/tmp",
                              fault);
    return 0;
}

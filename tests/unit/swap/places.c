/* places.c - directories, mounts and loop devices that go with the process. */
#include "places.h"

#include <check.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fuse.h>
#include <linux/loop.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

void place_dir(char dir[PLACE_BYTES])
{
    const char *base = getenv("PAGERFS_TEST_DIR");

    snprintf(dir, PLACE_BYTES, "%s/swap-test-XXXXXX", base ? base : "/var/tmp");
    ck_assert_ptr_nonnull(mkdtemp(dir));
}

unsigned place_count_names(const char *dir)
{
    DIR *d = opendir(dir);
    unsigned n = 0;

    ck_assert_ptr_nonnull(d);
    while (readdir(d))
        n++;
    closedir(d);
    return n - 2;
}

void place_dir_remove(const char *dir)
{
    DIR *d = opendir(dir);
    struct dirent *entry;

    ck_assert_ptr_nonnull(d);
    while ((entry = readdir(d)) != NULL)
        unlinkat(dirfd(d), entry->d_name, 0);
    closedir(d);
    ck_assert_int_eq(rmdir(dir), 0);
}

static bool lacking(const char *what)
{
    printf("skipped: %s: %s\n", what, strerror(errno));
    return false;
}

/* Mounts from here on are seen by this process alone. */
static bool own_mounts(void)
{
    static bool done;

    if (!done && unshare(CLONE_NEWNS) != 0)
        return lacking("mount namespace");
    done = true;
    return mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 ||
           lacking("private mounts");
}

bool place_mount(const char *dir, const char *type)
{
    return own_mounts() &&
           (mount("test", dir, type, 0, NULL) == 0 || lacking(type));
}

bool place_loop(const char *dir, uint64_t bytes, char device[PLACE_BYTES])
{
    struct loop_config config = { .info.lo_flags = LO_FLAGS_AUTOCLEAR };
    int control = open("/dev/loop-control", O_RDWR | O_CLOEXEC), number, loop;
    char path[PLACE_BYTES + 16];

    if (control < 0 || (number = ioctl(control, LOOP_CTL_GET_FREE)) < 0) {
        if (control >= 0)
            close(control);
        return lacking("loop device");
    }
    close(control);
    snprintf(path, sizeof(path), "%s/backing", dir);
    config.fd = (__u32)open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    ck_assert_int_ge((int)config.fd, 0);
    ck_assert_int_eq(ftruncate((int)config.fd, (off_t)bytes), 0);
    snprintf(device, PLACE_BYTES, "/dev/loop%d", number);
    loop = open(device, O_RDWR | O_CLOEXEC);
    if (loop < 0 || ioctl(loop, LOOP_CONFIGURE, &config) != 0)
        return lacking(device);
    close((int)config.fd);
    /* `loop` stays open: the device goes when the process does. */
    return true;
}

bool place_ext4(const char *under, uint64_t bytes, const char *dir)
{
    char device[PLACE_BYTES], command[PLACE_BYTES + 64];

    if (!own_mounts() || !place_loop(under, bytes, device))
        return false;
    snprintf(command, sizeof(command),
             "mkfs.ext4 -q -F -m 0 %s >/dev/null 2>&1", device);
    if (system(command) != 0)
        return lacking("mkfs.ext4");
    return mount(device, dir, "ext4", 0, NULL) == 0 || lacking("mount of ext4");
}

/* --- FUSE, as little as an empty directory needs -------------------------- */

static void fuse_reply(int fd, uint64_t unique, int err, void *body,
                       size_t size)
{
    struct fuse_out_header out = {
        .len = (uint32_t)(sizeof(out) + (err ? 0 : size)),
        .error = err,
        .unique = unique,
    };
    struct iovec iov[2] = { { &out, sizeof(out) }, { body, err ? 0 : size } };

    if (writev(fd, iov, 2) < 0 && errno != ENOENT && errno != ENODEV)
        perror("fuse reply");
}

static void fuse_answer(int fd, const struct fuse_in_header *in)
{
    struct fuse_init_out init = { .major = FUSE_KERNEL_VERSION,
                                  .minor = 31,
                                  .max_write = 4096 };
    struct fuse_attr_out attr = { .attr = { .ino = 1,
                                            .mode = S_IFDIR | 0777,
                                            .nlink = 2 } };
    struct fuse_statfs_out statfs = { .st = { .bsize = 4096 } };

    if (in->opcode == FUSE_INIT)
        fuse_reply(fd, in->unique, 0, &init, sizeof(init));
    else if (in->opcode == FUSE_GETATTR)
        fuse_reply(fd, in->unique, 0, &attr, sizeof(attr));
    else if (in->opcode == FUSE_STATFS)
        fuse_reply(fd, in->unique, 0, &statfs, sizeof(statfs));
    else if (in->opcode == FUSE_LOOKUP)
        fuse_reply(fd, in->unique, -ENOENT, NULL, 0);
    else if (in->opcode != FUSE_FORGET && in->opcode != FUSE_BATCH_FORGET)
        fuse_reply(fd, in->unique, -ENOSYS, NULL, 0);
}

static void *fuse_server(void *arg)
{
    static _Alignas(8) char buffer[FUSE_MIN_READ_BUFFER + 8192];
    int fd = *(int *)arg;
    ssize_t n;

    while ((n = read(fd, buffer, sizeof(buffer))) > 0 || errno == EINTR)
        fuse_answer(fd, (const struct fuse_in_header *)(void *)buffer);
    return NULL;
}

bool place_fuse(const char *dir)
{
    static int fd;
    char options[128];
    pthread_t thread;

    if (!own_mounts())
        return false;
    fd = open("/dev/fuse", O_RDWR | O_CLOEXEC);
    if (fd < 0)
        return lacking("/dev/fuse");
    snprintf(options, sizeof(options),
             "fd=%d,rootmode=40000,user_id=0,group_id=0", fd);
    if (mount("test", dir, "fuse", 0, options) != 0)
        return lacking("mount of FUSE");
    ck_assert_int_eq(pthread_create(&thread, NULL, fuse_server, &fd), 0);
    pthread_detach(thread);
    return true;
}

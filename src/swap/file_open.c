/* file_open.c - opening what `swap=` names.
 *
 * Whatever it is, in the end there is a descriptor that no name leads to: made
 * by O_TMPFILE in a directory, or created or found empty under a name that is
 * removed before the first byte is written, or a block device opened O_EXCL.
 * So nothing is left behind however the process ends (16), and what has been
 * paged out cannot be opened by anybody else.
 *
 * Each refusal is one line that names the place, says what is wrong with it and
 * what would do instead.  It changes nothing that was there before.
 */
#include "file_internal.h"

#include "space.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <linux/fs.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

/* The most of a long name that a message can afford: its end.  Times of 50 ms that
 * a busy device is waited for: one second. */
enum { SHOWN_NAME = 100, NAME_TRIES = 100, BUSY_TRIES = 20 };

int opening_refuse(const struct opening *opening, int err, const char *format,
                   ...)
{
    size_t length = strlen(opening->spec), skip = 0, n;
    va_list args;

    if (length > SHOWN_NAME)
        skip = length - SHOWN_NAME;
    n = (size_t)snprintf(opening->message, SWAP_MESSAGE_BYTES, "swap=%s%s: ",
                         skip ? "..." : "", opening->spec + skip);
    va_start(args, format);
    vsnprintf(opening->message + n, SWAP_MESSAGE_BYTES - n, format, args);
    va_end(args);
    return err;
}

/* What the user can do about a failed open. */
static const char *advice(int error)
{
    switch (error) {
    case EACCES:
    case EPERM:
        return "; name a place that you may write to";
    case EROFS:
        return "; name a place that is not mounted read-only";
    case ENOENT:
        return "; create the directory first";
    case ENOTDIR:
        return "; part of the path is no directory";
    case EBUSY:
        return ": it is mounted or otherwise in use";
    case ETXTBSY:
        return ": it is a program that is running";
    case ENOSPC:
    case EDQUOT:
        return "; free some space there or name another place";
    default:
        return "";
    }
}

static int refuse_errno(const struct opening *opening, int err)
{
    return opening_refuse(opening, err, "%s%s", strerror(-err), advice(-err));
}

/* --- a directory ---------------------------------------------------------- */

int unnamed_make(int dir)
{
    char name[64];
    int fd = -EEXIST;

    for (int i = 0; fd == -EEXIST && i < NAME_TRIES; i++) {
        snprintf(name, sizeof(name), ".pagerfs-swap-%d-%d", (int)getpid(), i);
        fd = openat(dir, name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW |
                    O_CLOEXEC, 0600);
        if (fd < 0)
            fd = -errno;
    }
    if (fd < 0)
        return fd;
    if (unlinkat(dir, name, 0) != 0) {
        int err = -errno;

        close(fd);
        return err;
    }
    return fd;
}

static bool lacks_tmpfile(int error)
{
    /* Old kernels take the flag for a directory opened for writing. */
    return error == EOPNOTSUPP || error == EISDIR || error == EINVAL;
}

static int open_in_directory(const struct opening *opening)
{
    int dir = open(opening->spec, O_PATH | O_DIRECTORY | O_CLOEXEC), fd, err;
    struct stat st;

    if (dir < 0 || fstat(dir, &st) != 0) {
        err = refuse_errno(opening, -errno);
        goto close_dir;
    }
    err = place_check(opening, dir, &st);
    if (err)
        goto close_dir;
    /* O_EXCL: it can never be given a name. */
    fd = openat(dir, ".", O_TMPFILE | O_RDWR | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        fd = lacks_tmpfile(errno) ? unnamed_make(dir) : -errno;
    if (fd == -ENOENT) /* the directory is there: /proc, or one removed */
        err = opening_refuse(opening, fd, "no file can be made in this "
                             "directory; name one on a disk, as swap=/var/tmp");
    else
        err = fd < 0 ? refuse_errno(opening, fd) : fd;
close_dir:
    if (dir >= 0)
        close(dir);
    return err;
}

/* --- a file --------------------------------------------------------------- */

static int refuse_used(const struct opening *opening)
{
    return opening_refuse(opening, -EEXIST, "is not an empty file of yours "
                          "with one name; name such a file, a new one or a "
                          "directory");
}

static int open_empty_file(struct opening *opening)
{
    struct stat st;
    int fd, err;

    if (!realpath(opening->spec, opening->path))
        return refuse_errno(opening, -errno);
    fd = open(opening->path, O_RDWR | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return refuse_errno(opening, -errno);
    if (fstat(fd, &st) != 0)
        err = refuse_errno(opening, -errno);
    else if (!S_ISREG(st.st_mode) || st.st_size != 0 || st.st_nlink != 1 ||
             st.st_uid != geteuid())
        err = refuse_used(opening);
    else
        err = place_check(opening, fd, &st);
    if (err)
        close(fd);
    return err ? err : fd;
}

/* The last step, when nothing else can be wrong: the file that was there loses
 * its name, and stays ours. */
static int remove_name(const struct opening *opening, int fd)
{
    struct stat st;

    if (opening->path[0] == '\0')
        return 0;
    if (unlink(opening->path) != 0)
        return opening_refuse(opening, -errno, "its name cannot be removed "
                              "(%s); name a directory that you may write to",
                              strerror(errno));
    if (fchmod(fd, 0600) != 0 || fstat(fd, &st) != 0)
        return refuse_errno(opening, -errno);
    return st.st_nlink == 0 && st.st_size == 0 ? 0 : refuse_used(opening);
}

/* Not even a link's end is there: why no file can be made. */
static int refuse_missing(const struct opening *opening, int err)
{
    struct stat st;

    if (lstat(opening->spec, &st) == 0 && S_ISLNK(st.st_mode))
        return opening_refuse(opening, err, "is a symbolic link that leads "
                              "nowhere; make what it names, or name another "
                              "place");
    return refuse_errno(opening, err);
}

static int create_file(const struct opening *opening)
{
    struct stat st;
    int fd, err;

    if (opening->spec[0] == '~')
        return opening_refuse(opening, -ENOENT, "the shell expands no ~ behind "
                              "swap=; write the directory out, or $HOME");
    fd = open(opening->spec, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
              0600);
    if (fd < 0)
        return refuse_missing(opening, -errno);
    if (unlink(opening->spec) != 0 || fstat(fd, &st) != 0)
        err = refuse_errno(opening, -errno);
    else
        err = place_check(opening, fd, &st);
    if (err)
        close(fd);
    return err ? err : fd;
}

/* --- a device ------------------------------------------------------------- */

/* A daemon that has just been unmounted ends a moment later. */
static int open_alone(const char *device)
{
    const struct timespec pause = { .tv_nsec = 50000000 };
    int fd = open(device, O_RDWR | O_EXCL | O_CLOEXEC);

    for (int i = 0; fd < 0 && errno == EBUSY && i < BUSY_TRIES; i++) {
        nanosleep(&pause, NULL);
        fd = open(device, O_RDWR | O_EXCL | O_CLOEXEC);
    }
    return fd;
}

static int open_device(const struct opening *opening, struct swap_file *file,
                       uint64_t max_blocks)
{
    int fd = open_alone(opening->spec), err = 0;
    uint64_t bytes;
    struct stat st;

    if (fd < 0)
        return refuse_errno(opening, -errno);
    if (fstat(fd, &st) != 0 || ioctl(fd, BLKGETSIZE64, &bytes) != 0)
        err = refuse_errno(opening, -errno);
    else if (bytes < PAGE_SIZE)
        err = opening_refuse(opening, -EINVAL, "has no room");
    else
        err = place_check(opening, fd, &st);
    if (err) {
        close(fd);
        return err;
    }
    file->device = true;
    file->nr_blocks = (uint32_t)MIN(MIN(bytes >> PAGE_SHIFT, max_blocks),
                                    (uint64_t)SPACE_MAX_BLOCKS);
    return fd;
}

/* --- all together --------------------------------------------------------- */

/* A file may not pass RLIMIT_FSIZE: the kernel would kill us. */
static uint32_t file_limit(uint64_t max_blocks)
{
    struct rlimit limit;

    max_blocks = MIN(max_blocks, (uint64_t)SPACE_MAX_BLOCKS);
    if (getrlimit(RLIMIT_FSIZE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY)
        max_blocks = MIN(max_blocks, (uint64_t)limit.rlim_cur >> PAGE_SHIFT);
    return (uint32_t)max_blocks;
}

static int open_place(struct opening *opening, struct swap_file *file,
                      uint64_t max_blocks)
{
    bool missing = false;
    struct stat st;

    if (stat(opening->spec, &st) != 0) {
        missing = errno == ENOENT;
        if (!missing)
            return refuse_errno(opening, -errno);
    } else if (S_ISBLK(st.st_mode)) {
        return open_device(opening, file, max_blocks);
    }
    file->nr_blocks = file_limit(max_blocks);
    if (file->nr_blocks == 0)
        return opening_refuse(opening, -EFBIG, "no file may have contents; "
                              "raise the limit of file sizes (ulimit -f)");
    if (missing)
        return create_file(opening);
    if (S_ISDIR(st.st_mode))
        return open_in_directory(opening);
    if (S_ISREG(st.st_mode))
        return st.st_size == 0 ? open_empty_file(opening)
                               : refuse_used(opening);
    return opening_refuse(opening, -EINVAL, "is neither a directory, a file "
                          "nor a block device");
}

/* The absolute name of what is there, or is about to be made. */
static char *name_find(const char *spec)
{
    char path[PATH_MAX], *name = realpath(spec, NULL), *parent;

    if (name || strlen(spec) >= sizeof(path))
        return name;
    strcpy(path, spec);
    parent = realpath(dirname(path), NULL);
    if (!parent)
        return NULL;
    strcpy(path, spec);
    if (asprintf(&name, "%s/%s", strcmp(parent, "/") == 0 ? "" : parent,
                 basename(path)) < 0)
        name = NULL;
    free(parent);
    return name;
}

int swap_file_open(struct swap_file *file, const char *spec,
                   uint64_t max_blocks, char message[SWAP_MESSAGE_BYTES])
{
    struct opening opening = { .spec = spec, .message = message };
    int fd, err;

    *file = (struct swap_file){ .fd = -1 };
    message[0] = '\0';
    if (strcmp(spec, "none") == 0)
        return 0;
    file->name = name_find(spec);
    fd = open_place(&opening, file, max_blocks ? max_blocks : UINT64_MAX);
    if (fd < 0) {
        swap_file_close(file);
        return fd;
    }
    file->fd = fd;
    err = file_probe(file);
    if (err)
        refuse_errno(&opening, err);
    else
        err = remove_name(&opening, fd);
    if (err)
        swap_file_close(file);
    return err;
}

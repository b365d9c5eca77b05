/* place.c - from a path to the root of its mount.
 *
 * The control ABI is answered by the root directory.  So that any path on the
 * mount will do, we go up from it as long as the device stays the same; a file is
 * left through the directory of its path.
 */
#include "ctl.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int refuse(const char *path, int err)
{
    complain(path, "%s", words_error(err));
    return -1;
}

/* The directory itself, or that which the path's last name is in. */
static int open_directory(const char *path)
{
    char parent[PATH_MAX];
    int fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);

    if (fd >= 0 || errno != ENOTDIR || strlen(path) >= sizeof(parent))
        return fd;
    strcpy(parent, path);
    return open(dirname(parent), O_PATH | O_DIRECTORY | O_CLOEXEC);
}

/* The parent of directory fd if it is on the same mount, else -1. */
static int open_above(int fd)
{
    int up = openat(fd, "..", O_PATH | O_DIRECTORY | O_CLOEXEC);
    struct stat here, above;

    if (up < 0)
        return -1;
    if (fstat(fd, &here) == 0 && fstat(up, &above) == 0 &&
        above.st_dev == here.st_dev && above.st_ino != here.st_ino)
        return up;
    close(up);
    return -1;
}

int place_find_root(const char *path)
{
    int fd = open_directory(path), up, root;

    if (fd < 0)
        return -errno;
    while ((up = open_above(fd)) >= 0) {
        close(fd);
        fd = up;
    }
    root = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (root < 0)
        root = -errno;
    close(fd);
    return root;
}

int place_open_root(const char *path)
{
    int root = place_find_root(path);

    return root < 0 ? refuse(path, root) : root;
}

int place_open_file(const char *path, bool *is_file)
{
    struct stat st;
    int fd;

    *is_file = false;
    if (stat(path, &st) != 0)
        return refuse(path, -errno);
    if (S_ISDIR(st.st_mode))
        return place_open_root(path);
    if (!S_ISREG(st.st_mode)) {
        complain(path, "is neither a regular file nor a directory");
        return -1;
    }
    *is_file = true;
    fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    return fd < 0 ? refuse(path, -errno) : fd;
}

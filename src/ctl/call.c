/* call.c - one ioctl on a mount, and its errors in words.
 *
 * A file system that is no pagerfs answers ENOTTY, and so does a daemon that is
 * older than this program; asking for the figures tells one from the other.
 */
#include "ctl.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

/* A file of ours answers any number of our type that is wrong with ENOTTY, like
 * all others; so its root is asked. */
static bool is_pagerfs(const char *path)
{
    struct pagerfs_stat stat;
    dev_t device;

    return call_stat(path, &stat, &device) == 0;
}

void call_explain(const char *path, int err)
{
    switch (-err) {
    case ENOTTY:
    case EOPNOTSUPP:
        complain(path, is_pagerfs(path)
                           ? "its daemon does not know this command: is it "
                             "older than pagerctl?  Mount again"
                           : "is not on a pagerfs");
        break;
    case EPERM:
        complain(path, "only root and the user who mounted may do this");
        break;
    case EBUSY:
        complain(path, "another such command is at work on this mount: try "
                       "again when it is done");
        break;
    default:
        complain(path, "%s", words_error(err));
    }
}

int call_try(int fd, unsigned long number, void *argument)
{
    return ioctl(fd, number, argument) == 0 ? 0 : -errno;
}

int call_stat(const char *path, struct pagerfs_stat *stat, dev_t *device)
{
    int fd = place_find_root(path), err = 0;
    struct stat root;

    if (fd < 0)
        return fd;
    *stat = (struct pagerfs_stat){ .head = PAGERFS_HEAD(*stat) };
    if (fstat(fd, &root) != 0)
        err = -errno;
    else
        err = call_try(fd, PAGERFS_IOC_STAT, stat);
    *device = err ? 0 : root.st_dev;
    close(fd);
    return err;
}

int call(int fd, const char *path, unsigned long number, void *argument)
{
    int err = call_try(fd, number, argument);

    if (!err)
        return 0;
    call_explain(path, err);
    return -1;
}

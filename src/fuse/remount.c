/* remount.c - noticing `mount -o remount,...`.
 *
 * A change to any mount of our namespace makes the descriptor of
 * /proc/self/mountinfo readable in the sense of POLLPRI, before mount(2)
 * returns.  Asking costs one poll(2) that does not wait (0.2 us), which an open
 * can afford; only after a change is the list read.
 *
 * Our line is found by the number of the mount, as other lines may have the same
 * path.  Flags count from the first that differ from those seen at the start:
 * what the kernel shows then need not be what the options said, as strictatime
 * is not handed through by fusermount3.
 *
 * The mount of another namespace, or one bound elsewhere, may have other flags;
 * those the daemon cannot know.
 */
#include "remount.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LIST_OF_MOUNTS "/proc/self/mountinfo"

/* --- one line of the list ------------------------------------------------ */

enum { FIELD_NUMBER = 0, FIELD_FLAGS = 5 };

void remount_scan_init(struct remount_scan *scan, uint64_t id)
{
    *scan = (struct remount_scan){ .id = id };
}

/* A mount that has neither word is strictatime. */
static struct remount_flags flags_of(const char *text)
{
    return (struct remount_flags){
        .atime = strstr(text, "noatime") ? TREE_NOATIME
                 : strstr(text, "relatime") ? TREE_RELATIME : TREE_STRICTATIME,
        .nodiratime = strstr(text, "nodiratime"),
    };
}

/* True at the end of the flags of our line. */
static bool feed(struct remount_scan *scan, char c)
{
    bool ours = scan->number == scan->id;

    switch (c) {
    case '\n':
        remount_scan_init(scan, scan->id);
        return false;
    case ' ':
        return scan->field++ == FIELD_FLAGS && ours;
    default:
        if (scan->field == FIELD_NUMBER && c >= '0' && c <= '9')
            scan->number = scan->number * 10 + (uint64_t)(c - '0');
        else if (scan->field == FIELD_FLAGS && ours &&
                 scan->length < sizeof(scan->flags) - 1)
            scan->flags[scan->length++] = c;
        return false;
    }
}

bool remount_scan_feed(struct remount_scan *scan, const char *text,
                       size_t length, struct remount_flags *flags)
{
    for (size_t i = 0; i < length; i++) {
        if (!feed(scan, text[i]))
            continue;
        scan->flags[scan->length] = '\0';
        *flags = flags_of(scan->flags);
        return true;
    }
    return false;
}

/* --- the list ------------------------------------------------------------ */

/* The list is read through a descriptor of its own, from the start; false if we
 * are not in it. */
static bool read_flags(uint64_t id, struct remount_flags *flags)
{
    struct remount_scan scan;
    char text[1024];
    bool found = false;
    ssize_t got;
    int fd = open(LIST_OF_MOUNTS, O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        return false;
    remount_scan_init(&scan, id);
    do {
        got = read(fd, text, sizeof(text));
        if (got > 0)
            found = remount_scan_feed(&scan, text, (size_t)got, flags);
    } while (!found && (got > 0 || (got < 0 && errno == EINTR)));
    close(fd);
    return found;
}

/* The descriptor says so once; the list may have to be read later, if it could not be
 * opened. */
static bool list_changed(struct remount *remount) REQUIRES(remount->lock)
{
    struct pollfd event = { .fd = remount->fd, .events = POLLPRI };

    remount->changed |= poll(&event, 1, 0) > 0;
    return remount->changed;
}

/* No thread serves requests yet: asking for nothing but the number of the mount
 * sends none. */
void remount_init(struct remount *remount, const char *mountpoint)
{
    struct statx stx;

    *remount = (struct remount){ .fd = -1 };
    if (!mountpoint ||
        statx(AT_FDCWD, mountpoint, AT_STATX_DONT_SYNC | AT_NO_AUTOMOUNT,
              STATX_MNT_ID, &stx) != 0 || !(stx.stx_mask & STATX_MNT_ID))
        return;
    remount->id = stx.stx_mnt_id;
    remount->fd = open(LIST_OF_MOUNTS, O_RDONLY | O_CLOEXEC);
    if (remount->fd >= 0 && !read_flags(remount->id, &remount->seen))
        remount_fini(remount);
}

void remount_fini(struct remount *remount)
{
    if (remount->fd >= 0)
        close(remount->fd);
    remount->fd = -1;
}

void remount_look(struct remount *remount, struct tree *tree)
{
    struct remount_flags *seen = &remount->seen;
    struct remount_flags now;

    if (remount->fd < 0)
        return;
    mutex_lock(&remount->lock, RANK_FUSE);
    if (list_changed(remount) && read_flags(remount->id, &now)) {
        remount->changed = false;
        if (now.atime != seen->atime || now.nodiratime != seen->nodiratime) {
            *seen = now;
            tree_atime_set(tree, now.atime, now.nodiratime);
        }
    }
    mutex_unlock(&remount->lock);
}

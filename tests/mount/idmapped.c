/* A mount seen through other ids (an idmapped mount, as containers use them):
 * those of the file system, shifted by BASE.  Needs root. */
#include "probe.h"

#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/utsname.h>

enum { BASE = 10000, IDS = 1000 };

static int shifted; /* "." through the shifted ids */

/* FUSE can since Linux 6.12. */
static bool possible(void)
{
    struct utsname name;
    int major, minor;

    CHECK(uname(&name) == 0);
    CHECK(sscanf(name.release, "%d.%d", &major, &minor) == 2);
    return geteuid() == 0 && (major > 6 || (major == 6 && minor >= 12));
}

static void put(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY);

    CHECK(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
    close(fd);
}

/* A user namespace with our mapping; that is what mount_setattr(2) wants. */
static int mapping(void)
{
    char path[64], line[64];
    int ready[2], fd;
    pid_t child;

    CHECK(pipe(ready) == 0);
    child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        CHECK(unshare(CLONE_NEWUSER) == 0 && write(ready[1], "", 1) == 1);
        for (;;)
            pause();
    }
    CHECK(read(ready[0], line, 1) == 1);
    snprintf(line, sizeof(line), "0 %d %d", BASE, IDS);
    snprintf(path, sizeof(path), "/proc/%d/uid_map", child);
    put(path, line);
    snprintf(path, sizeof(path), "/proc/%d/gid_map", child);
    put(path, line);
    snprintf(path, sizeof(path), "/proc/%d/ns/user", child);
    fd = open(path, O_RDONLY);
    CHECK(fd >= 0 && kill(child, SIGKILL) == 0 && wait(NULL) == child);
    close(ready[0]);
    close(ready[1]);
    return fd;
}

static void shift(void)
{
    struct mount_attr attr = { .attr_set = MOUNT_ATTR_IDMAP };
    int user_namespace = mapping();

    attr.userns_fd = (__u64)user_namespace;
    shifted = open_tree(AT_FDCWD, ".", OPEN_TREE_CLONE);
    CHECK(shifted >= 0);
    CHECK(mount_setattr(shifted, "", AT_EMPTY_PATH, &attr, sizeof(attr)) == 0);
    close(user_namespace);
}

static struct stat seen(const char *path)
{
    struct stat st;

    CHECK(fstatat(shifted, path, &st, AT_SYMLINK_NOFOLLOW) == 0);
    return st;
}

static void make_all(void)
{
    int fd = openat(shifted, "f", O_WRONLY | O_CREAT, 0644);

    CHECK(fd >= 0);
    close(fd);
    CHECK(mkdirat(shifted, "d", 0755) == 0);
    CHECK(symlinkat("f", shifted, "l") == 0);
    CHECK(mkfifoat(shifted, "p", 0600) == 0);
    fd = openat(shifted, ".", O_TMPFILE | O_RDWR, 0600);
    CHECK(fd >= 0 && seen("f").st_uid == BASE + 5);
    close(fd);
}

static void what_is_made(void)
{
    static const char *const names[] = { "f", "d", "l", "p" };

    if (!possible())
        return;
    CHECK(chmod(".", 0777) == 0);
    shift();
    as_user(BASE + 5, BASE + 6, BASE + 6, make_all);
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        CHECK(stat_of(names[i]).st_uid == 5 && stat_of(names[i]).st_gid == 6);
        CHECK(seen(names[i]).st_uid == BASE + 5);
        CHECK(seen(names[i]).st_gid == BASE + 6);
    }
    CHECK_FAILS(EOVERFLOW, openat(shifted, "g", O_WRONLY | O_CREAT, 0644));
    close(shifted);
}

static void write_theirs(void)
{
    int fd = openat(shifted, "f", O_WRONLY);

    CHECK(fd >= 0 && write(fd, "x", 1) == 1);
    close(fd);
    CHECK(fchmodat(shifted, "f", 06755, 0) == 0);
    CHECK_FAILS(EACCES, openat(AT_FDCWD, "f", O_WRONLY));
}

static void rights_and_owners(void)
{
    if (!possible())
        return;
    make_file("f", "", 0);
    CHECK(chown("f", 5, 6) == 0);
    shift();
    as_user(BASE + 5, BASE + 6, BASE + 6, write_theirs);
    CHECK((stat_of("f").st_mode & 07777) == 06755);
    CHECK(fchownat(shifted, "f", BASE + 7, BASE + 8, 0) == 0);
    CHECK(stat_of("f").st_uid == 7 && stat_of("f").st_gid == 8);
    CHECK((stat_of("f").st_mode & 07777) == 0755);
    CHECK_FAILS(EOVERFLOW, fchownat(shifted, "f", 7, 8, 0));
    close(shifted);
}

PROBE_MAIN(CASE(what_is_made), CASE(rights_and_owners))

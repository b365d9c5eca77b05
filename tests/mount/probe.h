/* probe.h - frame of the programs that look at one behaviour from inside.
 *
 * A probe is a list of cases.  Each runs in a fresh directory of its own on the
 * mount, and calls CHECK for what must be so; the first that is not ends the
 * program with the case, the line and errno.  The directory is removed
 * afterwards, so deleting is tried as well.
 *
 *     PROBE_MAIN(CASE(shared), CASE(private))
 */
#ifndef TESTS_MOUNT_PROBE_H
#define TESTS_MOUNT_PROBE_H

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <grp.h>
#include <linux/magic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAGE 4096
#define MIB (1 << 20)

struct probe_case {
    const char *name;
    void (*run)(void);
};
#define CASE(fn) { #fn, fn }

static const char *probe_current = "set-up";

static inline _Noreturn void probe_failed(const char *file, int line,
                                          const char *what)
{
    int error = errno;

    fprintf(stderr, "%s:%d: %s: not so: %s (errno %d, %s)\n", file, line,
            probe_current, what, error, strerror(error));
    exit(EXIT_FAILURE);
}

#define CHECK(expr) \
    ((expr) ? (void)0 : probe_failed(__FILE__, __LINE__, #expr))
/* The call fails, and with this errno. */
#define CHECK_FAILS(error, expr) \
    CHECK((errno = 0, (expr) == -1 && errno == (error)))

/* The kernel's own tmpfs, against which the probes are checked for fairness,
 * lacks a little that pagerfs has. */
static inline bool on_tmpfs(void)
{
    struct statfs st;

    CHECK(statfs(".", &st) == 0);
    return st.f_type == TMPFS_MAGIC;
}

static inline struct stat stat_of(const char *path)
{
    struct stat st;

    CHECK(lstat(path, &st) == 0);
    return st;
}

static inline bool exists(const char *path)
{
    struct stat st;

    return lstat(path, &st) == 0;
}

/* Pages of data that the file holds. */
static inline long pages_of(const char *path)
{
    struct stat st = stat_of(path);

    CHECK(st.st_blocks % (PAGE / 512) == 0);
    return st.st_blocks / (PAGE / 512);
}

static inline void make_file(const char *path, const void *data, size_t size)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);

    CHECK(fd >= 0);
    CHECK(write(fd, data, size) == (ssize_t)size);
    CHECK(close(fd) == 0);
}

/* Free blocks when nothing is on its way any more: close(2) and unlink(2) return
 * before the daemon is told (RELEASE, FORGET), and what was open or known takes
 * space until then.  So it is looked at until it has stayed the same for a while. */
static inline fsblkcnt_t free_blocks(void)
{
    fsblkcnt_t last = 0;
    struct statfs st;

    for (int same = 0; same < 10; usleep(5000)) {
        CHECK(statfs(".", &st) == 0);
        same = st.f_bfree == last ? same + 1 : 0;
        last = st.f_bfree;
    }
    return last;
}

/* The next reads ask the file system, not the page cache. */
static inline void uncache(int fd)
{
    CHECK(fsync(fd) == 0);
    CHECK(posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED) == 0);
}

static inline bool all_zero(const uint8_t *bytes, size_t length)
{
    return length == 0 ||
           (bytes[0] == 0 && memcmp(bytes, bytes + 1, length - 1) == 0);
}

/* Runs a part of the case as another user, who is in `gid` and in `extra`.
 * Needs root, and a mount with allow_other. */
static inline void as_user(uid_t uid, gid_t gid, gid_t extra, void (*run)(void))
{
    pid_t child = fork();
    int status;

    CHECK(child >= 0);
    if (child == 0) {
        CHECK(setgroups(1, &extra) == 0);
        CHECK(setgid(gid) == 0 && setuid(uid) == 0);
        run();
        _exit(EXIT_SUCCESS);
    }
    CHECK(waitpid(child, &status, 0) == child && status == 0);
}

static inline int probe_remove(const char *path, const struct stat *st,
                               int type, struct FTW *ftw)
{
    (void)st;
    (void)type;
    (void)ftw;
    CHECK(remove(path) == 0);
    return 0;
}

static inline int probe_main(int argc, char **argv,
                             const struct probe_case *cases, size_t count)
{
    CHECK(argc == 2 && chdir(argv[1]) == 0);
    umask(022);
    for (size_t i = 0; i < count; i++) {
        probe_current = cases[i].name;
        CHECK(mkdir(cases[i].name, 0755) == 0 && chdir(cases[i].name) == 0);
        cases[i].run();
        CHECK(chdir("..") == 0);
        CHECK(nftw(cases[i].name, probe_remove, 32, FTW_DEPTH | FTW_PHYS) == 0);
    }
    return EXIT_SUCCESS;
}

#define PROBE_MAIN(...)                                                       \
    int main(int argc, char **argv)                                           \
    {                                                                         \
        static const struct probe_case cases[] = { __VA_ARGS__ };             \
                                                                              \
        return probe_main(argc, argv, cases,                                  \
                          sizeof(cases) / sizeof(cases[0]));                  \
    }

#endif

/* Files without a name (O_TMPFILE), and how they get one. */
#include "probe.h"

static int tmpfile_in(const char *dir, int flags)
{
    int fd = open(dir, O_TMPFILE | flags, 0640);

    CHECK(fd >= 0);
    return fd;
}

static void give_name(int fd, const char *name)
{
    char path[64];

    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    CHECK(linkat(AT_FDCWD, path, AT_FDCWD, name, AT_SYMLINK_FOLLOW) == 0);
}

static void has_no_name(void)
{
    struct stat st;
    int fd = tmpfile_in(".", O_RDWR);
    char back[4];

    CHECK(fstat(fd, &st) == 0 && st.st_nlink == 0);
    CHECK(S_ISREG(st.st_mode) && (st.st_mode & 0777) == 0640);
    CHECK(write(fd, "data", 4) == 4 && pread(fd, back, 4, 0) == 4);
    CHECK(memcmp(back, "data", 4) == 0);
    close(fd);
}

static void gets_one(void)
{
    int fd = tmpfile_in(".", O_RDWR);
    char back[4];

    CHECK(write(fd, "data", 4) == 4);
    give_name(fd, "f");
    CHECK(stat_of("f").st_nlink == 1 && stat_of("f").st_size == 4);
    give_name(fd, "g");
    CHECK(stat_of("f").st_nlink == 2);
    close(fd);
    fd = open("g", O_RDONLY);
    CHECK(read(fd, back, 4) == 4 && memcmp(back, "data", 4) == 0);
    close(fd);
    make_file("taken", "", 0);
    fd = tmpfile_in(".", O_WRONLY);
    if (geteuid() == 0)
        CHECK_FAILS(EEXIST, linkat(fd, "", AT_FDCWD, "taken", AT_EMPTY_PATH));
    close(fd);
}

static void exclusive_never_does(void)
{
    int fd = tmpfile_in(".", O_RDWR | O_EXCL);
    char path[64];

    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    CHECK_FAILS(ENOENT,
                linkat(AT_FDCWD, path, AT_FDCWD, "f", AT_SYMLINK_FOLLOW));
    close(fd);
}

/* Once named and unnamed again, there is no way back. */
static void unlinked_again(void)
{
    int fd = tmpfile_in(".", O_RDWR);
    char path[64];

    give_name(fd, "f");
    CHECK(unlink("f") == 0);
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    CHECK_FAILS(ENOENT,
                linkat(AT_FDCWD, path, AT_FDCWD, "f", AT_SYMLINK_FOLLOW));
    close(fd);
}

static void many(void)
{
    int fd[200];

    for (int i = 0; i < 200; i++) {
        fd[i] = tmpfile_in(".", O_RDWR);
        CHECK(pwrite(fd[i], &i, sizeof(i), 0) == sizeof(i));
    }
    for (int i = 0; i < 200; i++) {
        int back;

        CHECK(pread(fd[i], &back, sizeof(back), 0) == sizeof(back) && back == i);
        close(fd[i]);
    }
    CHECK_FAILS(EINVAL, open(".", O_TMPFILE | O_RDONLY, 0600));
}

PROBE_MAIN(CASE(has_no_name), CASE(gets_one), CASE(exclusive_never_does),
           CASE(unlinked_again), CASE(many))

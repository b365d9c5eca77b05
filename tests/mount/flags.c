/* Inode flags (chattr): append-only, immutable, nodump, noatime. */
#include "probe.h"

#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/xattr.h>

static int get(const char *path)
{
    int flags = 0, fd = open(path, O_RDONLY);

    CHECK(fd >= 0 && ioctl(fd, FS_IOC_GETFLAGS, &flags) == 0);
    close(fd);
    return flags;
}

static int set(const char *path, int flags)
{
    int result, fd = open(path, O_RDONLY);

    CHECK(fd >= 0);
    result = ioctl(fd, FS_IOC_SETFLAGS, &flags);
    close(fd);
    return result;
}

static void told_back(void)
{
    make_file("f", "x", 1);
    CHECK(mkdir("d", 0755) == 0);
    CHECK(get("f") == 0 && get("d") == 0);
    CHECK(set("f", FS_NODUMP_FL) == 0 && get("f") == FS_NODUMP_FL);
    CHECK(set("d", FS_NODUMP_FL) == 0 && get("d") == FS_NODUMP_FL);
    CHECK(set("f", FS_NOATIME_FL | FS_NODUMP_FL) == 0);
    CHECK(get("f") == (FS_NOATIME_FL | FS_NODUMP_FL));
    CHECK_FAILS(EOPNOTSUPP, set("f", FS_COMPR_FL));
    CHECK(get("f") == (FS_NOATIME_FL | FS_NODUMP_FL));
    CHECK(set("f", 0) == 0 && get("f") == 0);
}

static void setting_moves_ctime(void)
{
    struct timespec before, after;

    make_file("f", "x", 1);
    before = stat_of("f").st_ctim;
    usleep(20000);
    CHECK(set("f", FS_NODUMP_FL) == 0);
    after = stat_of("f").st_ctim;
    CHECK(before.tv_sec != after.tv_sec || before.tv_nsec != after.tv_nsec);
}

static void the_extended_call(void)
{
    struct fsxattr fsx;
    int fd;

    make_file("f", "x", 1);
    CHECK(set("f", FS_NODUMP_FL) == 0);
    fd = open("f", O_RDONLY);
    CHECK(ioctl(fd, FS_IOC_FSGETXATTR, &fsx) == 0);
    CHECK(fsx.fsx_xflags == FS_XFLAG_NODUMP && fsx.fsx_extsize == 0);
    fsx.fsx_xflags = FS_XFLAG_NOATIME;
    CHECK(ioctl(fd, FS_IOC_FSSETXATTR, &fsx) == 0);
    close(fd);
    CHECK(get("f") == FS_NOATIME_FL);
}

static void immutable(void)
{
    if (geteuid() != 0)
        return;
    make_file("f", "x", 1);
    CHECK(mkdir("d", 0755) == 0);
    make_file("d/f", "x", 1);
    CHECK(set("f", FS_IMMUTABLE_FL) == 0 && set("d", FS_IMMUTABLE_FL) == 0);
    CHECK_FAILS(EPERM, open("f", O_WRONLY));
    CHECK_FAILS(EPERM, open("f", O_WRONLY | O_APPEND));
    CHECK_FAILS(EPERM, truncate("f", 0));
    CHECK_FAILS(EPERM, chmod("f", 0600));
    CHECK_FAILS(EPERM, chown("f", 1, 1));
    CHECK_FAILS(EPERM, utimensat(AT_FDCWD, "f", NULL, 0));
    CHECK_FAILS(EPERM, link("f", "g"));
    CHECK_FAILS(EPERM, rename("f", "g"));
    CHECK_FAILS(EPERM, unlink("f"));
    CHECK_FAILS(EPERM, setxattr("f", "user.a", "1", 1, 0));
    CHECK_FAILS(EPERM, open("d/new", O_WRONLY | O_CREAT, 0644));
    CHECK_FAILS(EPERM, mkdir("d/new", 0755));
    CHECK_FAILS(EPERM, unlink("d/f"));
    CHECK_FAILS(EPERM, rename("d/f", "g"));
    CHECK(access("f", R_OK) == 0 && access("d/f", W_OK) == 0);
    CHECK(set("f", 0) == 0 && set("d", 0) == 0);
    CHECK(rename("d/f", "f") == 0 && chmod("f", 0600) == 0);
}

static void append_only(void)
{
    struct timespec times[2] = { { 5, 0 }, { 5, 0 } };
    int fd;

    if (geteuid() != 0)
        return;
    make_file("f", "x", 1);
    CHECK(mkdir("d", 0755) == 0);
    CHECK(set("f", FS_APPEND_FL) == 0 && set("d", FS_APPEND_FL) == 0);
    CHECK_FAILS(EPERM, open("f", O_WRONLY));
    CHECK_FAILS(EPERM, open("f", O_WRONLY | O_APPEND | O_TRUNC));
    CHECK_FAILS(EPERM, truncate("f", 0));
    CHECK_FAILS(EPERM, unlink("f"));
    CHECK_FAILS(EPERM, chmod("f", 0600));
    CHECK_FAILS(EPERM, utimensat(AT_FDCWD, "f", times, 0));
    CHECK(utimensat(AT_FDCWD, "f", NULL, 0) == 0);
    fd = open("f", O_WRONLY | O_APPEND);
    CHECK(fd >= 0 && write(fd, "y", 1) == 1);
    CHECK_FAILS(EPERM, ftruncate(fd, 0));
    close(fd);
    CHECK(stat_of("f").st_size == 2);
    make_file("d/new", "x", 1);
    CHECK_FAILS(EPERM, unlink("d/new"));
    CHECK_FAILS(EPERM, rename("d/new", "d/other"));
    CHECK(set("f", 0) == 0 && set("d", 0) == 0 && unlink("f") == 0);
}

static void reading_leaves_atime_alone(void)
{
    struct timespec past[2] = { { 5, 0 }, { 7, 0 } };
    char byte;
    int fd;

    make_file("f", "x", 1);
    CHECK(set("f", FS_NOATIME_FL) == 0);
    CHECK(utimensat(AT_FDCWD, "f", past, 0) == 0);
    fd = open("f", O_RDONLY);
    CHECK(read(fd, &byte, 1) == 1);
    close(fd);
    CHECK(stat_of("f").st_atim.tv_sec == 5);
}

static void only_nodump(void)
{
    CHECK(set("f", FS_NODUMP_FL) == 0);
    CHECK_FAILS(EPERM, set("f", FS_IMMUTABLE_FL));
    CHECK_FAILS(EPERM, set("f", FS_APPEND_FL));
}

static void not_the_owner(void)
{
    CHECK(set("f", FS_NODUMP_FL) == -1 && (errno == EPERM || errno == EACCES));
}

static void who_may(void)
{
    make_file("f", "x", 1);
    if (geteuid() != 0)
        return;
    CHECK(chown("f", 1234, 1234) == 0);
    as_user(1234, 1234, 1234, only_nodump);
    as_user(1235, 1235, 1235, not_the_owner);
}

PROBE_MAIN(CASE(told_back), CASE(setting_moves_ctime),
           CASE(the_extended_call), CASE(immutable), CASE(append_only),
           CASE(reading_leaves_atime_alone), CASE(who_may))

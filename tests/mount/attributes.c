/* Modes, owners and times: set ones stay, and each operation moves its own. */
#include "probe.h"

#include <time.h>

static const struct timespec past = { 1000000000, 123456789 };

static bool is_past(struct timespec t)
{
    return t.tv_sec == past.tv_sec && t.tv_nsec == past.tv_nsec;
}

static void set_past(const char *path)
{
    struct timespec both[2] = { past, past };

    CHECK(utimensat(AT_FDCWD, path, both, AT_SYMLINK_NOFOLLOW) == 0);
}

static void modes(void)
{
    make_file("f", "x", 1);
    for (mode_t mode = 0; mode <= 0777; mode += 037) {
        CHECK(chmod("f", mode) == 0);
        CHECK((stat_of("f").st_mode & 07777) == mode);
    }
    CHECK(chmod("f", 0644) == 0 && S_ISREG(stat_of("f").st_mode));
    CHECK(mkdir("d", 0755) == 0 && chmod("d", 01777) == 0);
    CHECK((stat_of("d").st_mode & 07777) == 01777);
    umask(077);
    make_file("g", "x", 1);
    CHECK((stat_of("g").st_mode & 0777) == 0600);
    umask(022);
}

static void owners(void)
{
    make_file("f", "x", 1);
    CHECK(stat_of("f").st_uid == geteuid() && stat_of("f").st_gid == getegid());
    CHECK(chown("f", geteuid(), getegid()) == 0);
    if (geteuid() != 0) {
        CHECK_FAILS(EPERM, chown("f", 0, (gid_t)-1));
        return;
    }
    CHECK(chown("f", 1234, 5678) == 0);
    CHECK(stat_of("f").st_uid == 1234 && stat_of("f").st_gid == 5678);
    CHECK(chown("f", (uid_t)-1, 99) == 0);
    CHECK(stat_of("f").st_uid == 1234 && stat_of("f").st_gid == 99);
    CHECK(symlink("f", "l") == 0 && lchown("l", 7, 8) == 0);
    CHECK(stat_of("l").st_uid == 7 && stat_of("f").st_uid == 1234);
}

static void times_to_the_nanosecond(void)
{
    struct timespec omit[2] = { { 0, UTIME_OMIT }, { 5, 6 } };
    struct timespec now[2] = { { 0, UTIME_NOW }, { 0, UTIME_OMIT } };

    make_file("f", "x", 1);
    set_past("f");
    CHECK(is_past(stat_of("f").st_atim) && is_past(stat_of("f").st_mtim));
    CHECK(!is_past(stat_of("f").st_ctim));
    CHECK(utimensat(AT_FDCWD, "f", omit, 0) == 0);
    CHECK(is_past(stat_of("f").st_atim) && stat_of("f").st_mtim.tv_nsec == 6);
    CHECK(utimensat(AT_FDCWD, "f", now, 0) == 0);
    CHECK(stat_of("f").st_atim.tv_sec >= time(NULL) - 60);
    CHECK(stat_of("f").st_mtim.tv_sec == 5);
}

static void data_moves_mtime(void)
{
    int fd;

    make_file("f", "x", 1);
    fd = open("f", O_RDWR);
    set_past("f");
    CHECK(write(fd, "y", 1) == 1 && !is_past(stat_of("f").st_mtim));
    set_past("f");
    CHECK(ftruncate(fd, 100) == 0 && !is_past(stat_of("f").st_mtim));
    set_past("f");
    CHECK(fallocate(fd, 0, 0, PAGE) == 0 && !is_past(stat_of("f").st_mtim));
    set_past("f");
    CHECK(chmod("f", 0600) == 0 && is_past(stat_of("f").st_mtim));
    close(fd);
}

/* To the size it has: ftruncate(2) moves the times always, truncate(2) only
 * those of a file that has pages. */
static void the_same_size(void)
{
    int fd = open("f", O_RDWR | O_CREAT, 0644);

    CHECK(fd >= 0 && ftruncate(fd, PAGE) == 0);
    set_past("f");
    CHECK(truncate("f", PAGE) == 0 && is_past(stat_of("f").st_mtim));
    CHECK(ftruncate(fd, PAGE) == 0 && !is_past(stat_of("f").st_mtim));
    CHECK(write(fd, "y", 1) == 1);
    set_past("f");
    CHECK(truncate("f", PAGE) == 0 && !is_past(stat_of("f").st_mtim));
    close(fd);
}

static void names_move_the_directory(void)
{
    CHECK(mkdir("d", 0755) == 0 && mkdir("e", 0755) == 0);
    set_past("d");
    make_file("d/f", "x", 1);
    CHECK(!is_past(stat_of("d").st_mtim));
    set_past("d");
    set_past("e");
    CHECK(rename("d/f", "e/f") == 0);
    CHECK(!is_past(stat_of("d").st_mtim) && !is_past(stat_of("e").st_mtim));
    set_past("e");
    CHECK(unlink("e/f") == 0 && !is_past(stat_of("e").st_mtim));
}

static bool ctime_moved(struct timespec *before)
{
    struct timespec last = *before;

    *before = stat_of("f").st_ctim;
    usleep(20000); /* longer than a tick: the next change has another time */
    return last.tv_sec != before->tv_sec || last.tv_nsec != before->tv_nsec;
}

static void links_move_ctime(void)
{
    struct timespec ctime = past;

    make_file("f", "x", 1);
    CHECK(ctime_moved(&ctime));
    CHECK(link("f", "g") == 0 && ctime_moved(&ctime));
    CHECK(rename("g", "h") == 0 && ctime_moved(&ctime));
    CHECK(unlink("h") == 0 && ctime_moved(&ctime));
    CHECK(!ctime_moved(&ctime));
}

PROBE_MAIN(CASE(modes), CASE(owners), CASE(times_to_the_nanosecond),
           CASE(data_moves_mtime), CASE(the_same_size),
           CASE(names_move_the_directory),
           CASE(links_move_ctime))

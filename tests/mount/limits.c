/* What a program may not do, and how it is told so. */
#include "probe.h"

#include <limits.h>
#include <signal.h>
#include <sys/resource.h>

static void largest_size(void)
{
    off_t last = INT64_MAX;
    int fd = open("f", O_RDWR | O_CREAT, 0644);

    CHECK(ftruncate(fd, last) == 0 && stat_of("f").st_size == last);
    CHECK(pwrite(fd, "x", 1, last - 1) == 1);
    CHECK_FAILS(EINVAL, pwrite(fd, "x", 1, last));
    CHECK_FAILS(EINVAL, ftruncate(fd, -1));
    CHECK_FAILS(EINVAL, pwrite(fd, "x", 1, -1));
    CHECK_FAILS(EFBIG, fallocate(fd, 0, last - 1, 2));
    close(fd);
}

static void allowed_size(void)
{
    struct rlimit all, few;
    char bytes[200];
    int fd = open("f", O_RDWR | O_CREAT, 0644);

    memset(bytes, 'x', sizeof(bytes));
    CHECK(getrlimit(RLIMIT_FSIZE, &all) == 0);
    few = all;
    few.rlim_cur = 1000;
    signal(SIGXFSZ, SIG_IGN);
    CHECK(setrlimit(RLIMIT_FSIZE, &few) == 0);
    CHECK(pwrite(fd, bytes, 200, 900) == 100);
    CHECK_FAILS(EFBIG, pwrite(fd, bytes, 200, 1000));
    CHECK_FAILS(EFBIG, ftruncate(fd, 1001));
    CHECK_FAILS(EFBIG, fallocate(fd, 0, 0, 1001));
    CHECK(stat_of("f").st_size == 1000);
    CHECK(setrlimit(RLIMIT_FSIZE, &all) == 0);
    close(fd);
}

/* Unless it is ignored, a signal comes with EFBIG. */
static void the_signal(void)
{
    struct rlimit few = { .rlim_cur = 10, .rlim_max = 10 }, none = { 0 };
    int status, fd = open("f", O_RDWR | O_CREAT, 0644);
    pid_t child = fork();

    CHECK(child >= 0);
    if (child == 0) {
        signal(SIGXFSZ, SIG_DFL);
        CHECK(setrlimit(RLIMIT_CORE, &none) == 0);
        CHECK(setrlimit(RLIMIT_FSIZE, &few) == 0);
        CHECK(pwrite(fd, "x", 1, 10) == -1);
        _exit(0);
    }
    CHECK(waitpid(child, &status, 0) == child && WIFSIGNALED(status));
    CHECK(WTERMSIG(status) == SIGXFSZ && stat_of("f").st_size == 0);
    close(fd);
}

static void the_wrong_kind(void)
{
    char byte;
    int fd;

    make_file("f", "x", 1);
    CHECK(mkdir("d", 0755) == 0);
    make_file("d/f", "x", 1);
    CHECK_FAILS(EISDIR, open("d", O_WRONLY));
    CHECK_FAILS(EISDIR, open("d", O_RDWR | O_CREAT, 0644));
    CHECK_FAILS(EISDIR, unlink("d"));
    CHECK_FAILS(EISDIR, truncate("d", 0));
    CHECK_FAILS(EISDIR, rename("f", "d"));
    CHECK_FAILS(ENOTDIR, rename("d", "f"));
    CHECK_FAILS(ENOTDIR, rmdir("f"));
    CHECK_FAILS(ENOTDIR, open("f/x", O_RDONLY));
    CHECK_FAILS(ENOTDIR, open("f", O_RDONLY | O_DIRECTORY));
    CHECK_FAILS(ENOTEMPTY, rmdir("d"));
    CHECK_FAILS(EEXIST, mkdir("d", 0755));
    CHECK_FAILS(EEXIST, mkdir("f", 0755));
    CHECK_FAILS(EINVAL, rmdir("d/."));
    CHECK_FAILS(ENOTEMPTY, rmdir("d/.."));
    CHECK_FAILS(EXDEV, rename("f", "/dev/shm/pagerfs-probe"));
    CHECK_FAILS(EXDEV, link("f", "/dev/shm/pagerfs-probe"));
    fd = open("d", O_RDONLY);
    CHECK_FAILS(EISDIR, read(fd, &byte, 1));
    close(fd);
    fd = open("f", O_WRONLY);
    CHECK_FAILS(EBADF, read(fd, &byte, 1));
    close(fd);
}

static void running_program(void)
{
    char buffer[65536];
    ssize_t got;
    pid_t child;
    int ready[2];
    int from = open("/bin/sleep", O_RDONLY), status;
    int to = open("sleep", O_WRONLY | O_CREAT, 0755);

    CHECK(from >= 0 && to >= 0);
    while ((got = read(from, buffer, sizeof(buffer))) > 0)
        CHECK(write(to, buffer, (size_t)got) == got);
    close(from);
    CHECK_FAILS(ETXTBSY, execl("./sleep", "sleep", "100", NULL));
    close(to);
    CHECK(pipe2(ready, O_CLOEXEC) == 0);
    child = fork();
    if (child == 0) {
        execl("./sleep", "sleep", "100", NULL);
        _exit(1);
    }
    close(ready[1]); /* and exec closes the child's end */
    CHECK(read(ready[0], buffer, 1) == 0);
    close(ready[0]);
    CHECK_FAILS(ETXTBSY, open("sleep", O_WRONLY));
    CHECK(unlink("sleep") == 0);
    CHECK(kill(child, SIGKILL) == 0 && waitpid(child, &status, 0) == child);
    CHECK(WIFSIGNALED(status));
}

PROBE_MAIN(CASE(largest_size), CASE(allowed_size), CASE(the_signal),
           CASE(the_wrong_kind),
           CASE(running_program))

/* Locks of files (fcntl, open file description, flock, leases), and inotify:
 * the kernel does them, and the mount must not stand in the way. */
#include "probe.h"

#include <poll.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/inotify.h>

static int lock(int fd, int command, short type, off_t start, off_t length)
{
    struct flock lock = { .l_type = type, .l_whence = SEEK_SET,
                          .l_start = start, .l_len = length };

    return fcntl(fd, command, &lock);
}

static void between_processes(void)
{
    struct flock found = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
    pid_t child, parent = getpid();
    int status, fd;

    make_file("f", "0123456789", 10);
    fd = open("f", O_RDWR);
    CHECK(lock(fd, F_SETLK, F_WRLCK, 2, 3) == 0);
    child = fork();
    if (child == 0) {
        fd = open("f", O_RDWR);
        CHECK(lock(fd, F_SETLK, F_WRLCK, 0, 2) == 0);
        CHECK_FAILS(EAGAIN, lock(fd, F_SETLK, F_WRLCK, 0, 3));
        CHECK_FAILS(EAGAIN, lock(fd, F_SETLK, F_RDLCK, 4, 0));
        CHECK(fcntl(fd, F_GETLK, &found) == 0 && found.l_type == F_WRLCK);
        CHECK(found.l_pid == parent && found.l_start == 2 && found.l_len == 3);
        _exit(0);
    }
    CHECK(waitpid(child, &status, 0) == child && status == 0);
    close(open("f", O_RDONLY)); /* any close drops them: POSIX */
    child = fork();
    if (child == 0) {
        CHECK(lock(open("f", O_RDWR), F_SETLK, F_WRLCK, 0, 0) == 0);
        _exit(0);
    }
    CHECK(waitpid(child, &status, 0) == child && status == 0);
    close(fd);
}

static void waiting_for_one(void)
{
    pid_t child;
    int status, fd;

    make_file("f", "", 0);
    fd = open("f", O_RDWR);
    CHECK(lock(fd, F_SETLK, F_WRLCK, 0, 0) == 0);
    child = fork();
    if (child == 0) {
        fd = open("f", O_RDWR);
        CHECK(lock(fd, F_SETLKW, F_WRLCK, 0, 0) == 0);
        CHECK(stat_of("f").st_size == 1);
        _exit(0);
    }
    usleep(50000);
    CHECK(waitpid(child, &status, WNOHANG) == 0);
    CHECK(write(fd, "x", 1) == 1);
    CHECK(lock(fd, F_SETLK, F_UNLCK, 0, 0) == 0);
    CHECK(waitpid(child, &status, 0) == child && status == 0);
    close(fd);
}

static void between_descriptions(void)
{
    int a, b;

    make_file("f", "", 0);
    a = open("f", O_RDWR);
    b = open("f", O_RDWR);
    CHECK(lock(a, F_OFD_SETLK, F_WRLCK, 0, 1) == 0);
    CHECK_FAILS(EAGAIN, lock(b, F_OFD_SETLK, F_WRLCK, 0, 1));
    CHECK(lock(b, F_OFD_SETLK, F_WRLCK, 1, 1) == 0);
    CHECK(flock(a, LOCK_SH) == 0 && flock(b, LOCK_SH) == 0);
    CHECK_FAILS(EAGAIN, flock(b, LOCK_EX | LOCK_NB));
    CHECK(flock(a, LOCK_UN) == 0 && flock(b, LOCK_EX | LOCK_NB) == 0);
    close(a);
    close(b);
}

static volatile sig_atomic_t broken;

static void on_break(int signal)
{
    (void)signal;
    broken = 1;
}

static void leases(void)
{
    int status, fd;
    pid_t child;

    if (on_tmpfs())
        return;
    make_file("f", "", 0);
    fd = open("f", O_RDONLY);
    signal(SIGIO, on_break);
    CHECK(fcntl(fd, F_SETLEASE, F_RDLCK) == 0);
    CHECK(fcntl(fd, F_GETLEASE) == F_RDLCK);
    child = fork();
    if (child == 0)
        _exit(open("f", O_WRONLY | O_NONBLOCK) == -1 && errno == EWOULDBLOCK
                  ? 0 : 1);
    while (waitpid(child, &status, 0) != child)
        CHECK(errno == EINTR);
    CHECK(status == 0 && broken);
    CHECK(fcntl(fd, F_SETLEASE, F_UNLCK) == 0);
    close(fd);
}

static void expect_event(int fd, uint32_t mask, const char *name)
{
    char buffer[4096] __attribute__((aligned(8)));
    struct inotify_event *event = (struct inotify_event *)buffer;
    struct pollfd ready = { .fd = fd, .events = POLLIN };

    CHECK(poll(&ready, 1, 5000) == 1);
    CHECK(read(fd, buffer, sizeof(*event) + 16) > 0);
    CHECK(event->mask == mask && strcmp(event->name, name) == 0);
}

static void watching(void)
{
    int notify = inotify_init(), fd;

    CHECK(inotify_add_watch(notify, ".", IN_CREATE | IN_MODIFY | IN_DELETE |
                                         IN_MOVED_TO) >= 0);
    fd = open("f", O_WRONLY | O_CREAT, 0644);
    expect_event(notify, IN_CREATE, "f");
    CHECK(write(fd, "x", 1) == 1);
    expect_event(notify, IN_MODIFY, "f");
    CHECK(rename("f", "g") == 0);
    expect_event(notify, IN_MOVED_TO, "g");
    CHECK(unlink("g") == 0);
    expect_event(notify, IN_DELETE, "g");
    close(fd);
    close(notify);
}

PROBE_MAIN(CASE(between_processes), CASE(waiting_for_one),
           CASE(between_descriptions), CASE(leases), CASE(watching))

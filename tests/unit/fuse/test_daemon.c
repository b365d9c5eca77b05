/* test_daemon.c - the parent ends when the child says so, with its luck. */
#include "daemon.h"

#include "unit.h"

#include <sys/wait.h>
#include <unistd.h>

/* What a shell sees of a command that detaches and then does `child`. */
static int status_of(bool foreground, void (*child)(struct daemon *daemon))
{
    pid_t command = fork();
    int status;

    ck_assert_int_ge(command, 0);
    if (command == 0) {
        struct daemon daemon;

        if (daemon_detach(&daemon, foreground) != 0)
            _exit(99);
        child(&daemon);
        _exit(42);
    }
    ck_assert_int_eq(waitpid(command, &status, 0), command);
    ck_assert(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void is_ready(struct daemon *daemon)
{
    daemon_ready(daemon);
}

static void fails(struct daemon *daemon)
{
    (void)daemon;
    _exit(1);
}

static void dies(struct daemon *daemon)
{
    (void)daemon;
    _exit(0);
}

START_TEST(test_background)
{
    ck_assert_int_eq(status_of(false, is_ready), 0);
    ck_assert_int_eq(status_of(false, fails), 1);
    ck_assert_int_eq(status_of(false, dies), 1);
}
END_TEST

START_TEST(test_foreground)
{
    ck_assert_int_eq(status_of(true, is_ready), 42);
}
END_TEST

/* With some of the three closed, the next file gets none of their numbers. */
static int next_file_without(const bool closed[3])
{
    pid_t child = fork();
    int status;

    ck_assert_int_ge(child, 0);
    if (child == 0) {
        for (int fd = 0; fd < 3; fd++)
            if (closed[fd])
                close(fd);
        _exit(daemon_fill_standard() ? 99 : dup(0));
    }
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert(WIFEXITED(status));
    return WEXITSTATUS(status);
}

START_TEST(test_closed_standard)
{
    for (unsigned which = 0; which < 8; which++) {
        const bool closed[3] = { which & 1, which & 2, which & 4 };
        int fd = next_file_without(closed);

        ck_assert_int_gt(fd, 2);
        ck_assert_int_ne(fd, 99);
    }
}
END_TEST

UNIT_MAIN("daemon", test_background, test_foreground, test_closed_standard)

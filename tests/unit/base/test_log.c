/* test_log.c - one message is one line, whatever is in it. */
#include "log.h"

#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static char said[4096];

/* What goes to stderr between the two calls is found in `said`. */
static int pipe_fd[2], old_stderr;

static void listen_begin(void)
{
    ck_assert_int_eq(pipe2(pipe_fd, O_NONBLOCK | O_CLOEXEC), 0);
    old_stderr = dup(STDERR_FILENO);
    ck_assert_int_ge(dup2(pipe_fd[1], STDERR_FILENO), 0);
}

static void listen_end(void)
{
    ssize_t n;

    dup2(old_stderr, STDERR_FILENO);
    close(old_stderr);
    n = read(pipe_fd[0], said, sizeof(said) - 1);
    said[n > 0 ? n : 0] = '\0';
    close(pipe_fd[0]);
    close(pipe_fd[1]);
}

START_TEST(a_line_names_the_program_and_ends)
{
    log_setup("someprog", 0, LOG_LEVEL_INFO);
    listen_begin();
    log_warn("swap=%s: %d blocks", "/dir", 7);
    listen_end();
    ck_assert_str_eq(said, "someprog: swap=/dir: 7 blocks\n");
}
END_TEST

START_TEST(levels_above_the_limit_are_dropped)
{
    log_setup("p", 0, LOG_LEVEL_WARN);
    listen_begin();
    log_error("e");
    log_warn("w");
    log_info("i");
    log_debug("d");
    listen_end();
    ck_assert_str_eq(said, "p: e\np: w\n");
    log_setup("p", 0, LOG_LEVEL_DEBUG);
    listen_begin();
    log_debug("d");
    listen_end();
    ck_assert_str_eq(said, "p: d\n");
}
END_TEST

START_TEST(long_lines_are_cut)
{
    char name[2000], ident[300];

    memset(name, 'n', sizeof(name));
    name[sizeof(name) - 1] = '\0';
    memset(ident, 'i', sizeof(ident));
    ident[sizeof(ident) - 1] = '\0';
    log_setup("p", 0, LOG_LEVEL_INFO);
    listen_begin();
    log_info("%s", name);
    listen_end();
    ck_assert_uint_eq(strlen(said), strlen("p: ") + 511 + 1);
    ck_assert_int_eq(said[strlen(said) - 1], '\n');
    log_setup(ident, 0, LOG_LEVEL_INFO);
    listen_begin();
    log_info("%s", name);
    listen_end();
    ck_assert_int_eq(said[strlen(said) - 1], '\n');
    ck_assert_ptr_nonnull(strstr(said, "iii: nnn"));
}
END_TEST

START_TEST(names_cannot_forge_lines)
{
    log_setup("p", 0, LOG_LEVEL_INFO);
    listen_begin();
    log_info("file %s is lost", "a\nb\033[1m\177\xc3\xa4");
    listen_end();
    ck_assert_str_eq(said, "p: file a?b?[1m?\xc3\xa4 is lost\n");
}
END_TEST

START_TEST(nothing_is_said_of_nothing_and_errno_stays)
{
    log_setup("p", 0, LOG_LEVEL_INFO);
    listen_begin();
    errno = EDOM;
    log_info("%s", "");
    close(STDERR_FILENO);
    errno = EDOM;
    log_info("x");
    ck_assert_int_eq(errno, EDOM);
    listen_end();
    ck_assert_str_eq(said, "");
}
END_TEST

START_TEST(a_broken_invariant_is_named_before_the_end)
{
    pid_t child;
    int status;

    log_setup("p", 0, LOG_LEVEL_ERROR);
    listen_begin();
    child = fork();
    if (child == 0)
        assert_failed("I7", "1 == 2", "x.c", 5);
    waitpid(child, &status, 0);
    listen_end();
    ck_assert(WIFSIGNALED(status));
    ck_assert_ptr_nonnull(strstr(said, "p: x.c:5: invariant I7 broken: "
                                       "1 == 2\n"));
}
END_TEST

UNIT_MAIN("log", a_line_names_the_program_and_ends,
          levels_above_the_limit_are_dropped, long_lines_are_cut,
          names_cannot_forge_lines, nothing_is_said_of_nothing_and_errno_stays,
          a_broken_invariant_is_named_before_the_end)

/* daemon.c - fork, and a pipe on which the parent waits.
 *
 * The child forks off before anything is made, so that threads, io_uring's
 * rings and the descriptor of /dev/fuse belong to the process that uses them.
 * One byte on the pipe means success; its end without a byte, that the child is
 * dead and has said why.
 *
 * A caller may have closed the three standard descriptors.  Then the next files to
 * be opened would get their numbers, the swap file among them, which lines of the
 * log would be written into and which daemon_ready would replace.
 */
#include "daemon.h"

#include "log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

int daemon_fill_standard(void)
{
    /* Those before it are open, so it is the one that open() gives. */
    for (int fd = 0; fd <= STDERR_FILENO; fd++)
        if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDWR) < 0)
            return -errno;
    return 0;
}

static void parent_wait(int status, pid_t child)
{
    ssize_t got;
    char byte;

    do {
        got = read(status, &byte, 1);
    } while (got < 0 && errno == EINTR);
    if (got == 1)
        _exit(EXIT_SUCCESS);
    waitpid(child, NULL, 0);
    _exit(EXIT_FAILURE);
}

int daemon_detach(struct daemon *daemon, bool foreground)
{
    int pipe_ends[2], err;
    pid_t child;

    *daemon = (struct daemon){ .background = !foreground, .status = -1,
                               .null = -1 };
    if (foreground)
        return 0;
    daemon->null = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (daemon->null < 0 || pipe2(pipe_ends, O_CLOEXEC) != 0) {
        err = errno;
        goto failed;
    }
    child = fork();
    if (child < 0) {
        err = errno;
        goto close_pipe;
    }
    if (child > 0) {
        close(pipe_ends[1]);
        parent_wait(pipe_ends[0], child);
    }
    close(pipe_ends[0]);
    daemon->status = pipe_ends[1];
    setsid();
    return 0;

close_pipe:
    close(pipe_ends[0]);
    close(pipe_ends[1]);
failed:
    log_error("cannot go into the background: %s", strerror(err));
    return -err;
}

/* Whatever the three are, they are the user's: nothing may keep them open. */
static void drop_terminal(struct daemon *daemon)
{
    for (int fd = 0; fd <= STDERR_FILENO; fd++)
        dup2(daemon->null, fd);
    close(daemon->null);
}

void daemon_ready(struct daemon *daemon)
{
    char byte = 0;

    if (!daemon->background)
        return;
    if (chdir("/") != 0)
        log_warn("cannot leave the current directory: %s", strerror(errno));
    log_setup("pagerfs", 1, LOG_LEVEL_INFO);
    drop_terminal(daemon);
    if (write(daemon->status, &byte, 1) != 1)
        log_warn("nobody waits for the mount any more");
    close(daemon->status);
}

/* aborts.h - whether a function ends its process, found out in a child. */
#ifndef TESTS_ABORTS_H
#define TESTS_ABORTS_H

#include <check.h>
#include <fcntl.h>
#include <stdbool.h>
#include <sys/wait.h>
#include <unistd.h>

static inline bool aborts(void (*function)(void))
{
    pid_t child = fork();
    int status;

    if (child == 0) {
        dup2(open("/dev/null", O_WRONLY), STDERR_FILENO);
        function();
        _exit(0);
    }
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    return status != 0;
}

#endif

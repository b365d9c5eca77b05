/* threads.c - starting threads. */
#include "threads.h"

#include <errno.h>
#include <stddef.h>

enum { STACK_BYTES = 256 * 1024 };

static void ignore(int signal)
{
    (void)signal;
}

void threads_prepare(void)
{
    struct sigaction kick = { .sa_handler = ignore }; /* no SA_RESTART */
    sigset_t all;

    sigaction(THREAD_KICK, &kick, NULL);
    sigfillset(&all);
    /* A crash must still be a crash. */
    sigdelset(&all, SIGSEGV);
    sigdelset(&all, SIGBUS);
    sigdelset(&all, SIGFPE);
    sigdelset(&all, SIGILL);
    sigdelset(&all, SIGABRT);
    sigdelset(&all, SIGTRAP);
    pthread_sigmask(SIG_SETMASK, &all, NULL);
}

void threads_allow_kick(void)
{
    sigset_t kick;

    sigemptyset(&kick);
    sigaddset(&kick, THREAD_KICK);
    pthread_sigmask(SIG_UNBLOCK, &kick, NULL);
}

int threads_start(pthread_t *thread, const char *name, void *(*run)(void *ctx),
                 void *ctx)
{
    pthread_attr_t attr;
    int err;

    err = pthread_attr_init(&attr);
    if (err)
        return -err;
    pthread_attr_setstacksize(&attr, STACK_BYTES);
    err = pthread_create(thread, &attr, run, ctx);
    pthread_attr_destroy(&attr);
    if (err)
        return -err;
    pthread_setname_np(*thread, name);
    return 0;
}

/* threads.h - threads with small stacks that take no signals.
 *
 * Stacks are part of ram=: 256 KiB of addresses each, of which a few pages are
 * touched.  Signals are for the main thread alone, but for THREAD_KICK, which
 * interrupts a system call and does nothing else.
 */
#ifndef FUSE_THREADS_H
#define FUSE_THREADS_H

#include <pthread.h>
#include <signal.h>

#define THREAD_KICK SIGUSR1

/* Before any thread is started: blocks all signals in the caller, and so in its
 * threads.  The kick does nothing but end a system call with EINTR. */
void threads_prepare(void);
/* name: at most 15 bytes, for ps and gdb. */
int threads_start(pthread_t *thread, const char *name, void *(*run)(void *ctx),
                 void *ctx);
/* The calling thread is ready to be kicked out of a read. */
void threads_allow_kick(void);

#endif

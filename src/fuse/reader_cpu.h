/* reader_cpu.h - where the one reader of /dev/fuse runs; private to src/fuse.
 *
 * Ownership   a struct in each reader.
 * Locking     none: the reader alone calls, and is what is moved.
 * Errors      none: what the system refuses stays as it is.
 */
#ifndef FUSE_READER_CPU_H
#define FUSE_READER_CPU_H

#include "follow.h"

#include <sched.h>

struct reader_cpu {
    struct follow follow;
    cpu_set_t any; /* all CPUs where it may run */
};

/* The calling thread is the reader; it may run anywhere that it may now. */
void reader_cpu_settle(struct reader_cpu *at);
/* After a request of `caller`, when follow_due says so: goes where that one is, or
 * stays.  May sleep for some milliseconds. */
void reader_cpu_look(struct reader_cpu *at, bool alone, pid_t caller);

#endif

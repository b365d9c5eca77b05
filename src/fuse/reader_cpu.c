/* reader_cpu.c - binding the one reader to the CPU of whom it serves.
 *
 * follow.c says when.  The CPU that the reader leaves does not sleep at once: for
 * some hundred us it waits awake, and who is woken meanwhile is sent there, because it
 * is idle.  The caller's answer would send him to just the place that the reader
 * came from.  So after a move it answers nobody until that CPU sleeps.
 */
#include "reader_cpu.h"

#include "caller.h"
#include "clock.h"

/* Found by trying: with a quarter of it there were four times as many moves. */
enum { SETTLE_NS = 2000000 };

void reader_cpu_settle(struct reader_cpu *at)
{
    follow_init(&at->follow);
    CPU_ZERO(&at->any);
    sched_getaffinity(0, sizeof(cpu_set_t), &at->any);
}

static bool bind_to(const struct reader_cpu *at, int cpu)
{
    cpu_set_t one;

    if (cpu >= CPU_SETSIZE || !CPU_ISSET((unsigned)cpu, &at->any))
        return false;
    CPU_ZERO(&one);
    CPU_SET((unsigned)cpu, &one);
    return sched_setaffinity(0, sizeof(one), &one) == 0;
}

void reader_cpu_look(struct reader_cpu *at, bool alone, pid_t caller)
{
    int his = alone ? caller_cpu(caller) : -1;

    switch (follow_looked(&at->follow, alone, caller, his, sched_getcpu())) {
    case FOLLOW_STAY:
        break;
    case FOLLOW_GO:
        if (bind_to(at, his))
            clock_sleep_ns(SETTLE_NS);
        else
            follow_failed(&at->follow);
        break;
    case FOLLOW_LET_GO:
        sched_setaffinity(0, sizeof(at->any), &at->any);
    }
}

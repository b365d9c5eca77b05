/* ring_place.c - where the thread of a ring runs, and whom it goes before.
 *
 * Who is served is on the CPU of the queue, and sleeps: so there is the thread's
 * place, and it preempts nobody (SCHED_BATCH), as the answer to a RELEASE is in no
 * hurry.  That changes while it reads from swap.
 *
 *     HOME ------- a read, alone ------> ROAMING --- a read beside it --> HURRIED
 *      ^  ^                               |   ^                             |  |
 *      |  +------ CALM without one -------+   +------ MANY, each alone -----+  |
 *      +---------------------------- CALM without one -------------------------+
 *
 * It is the disk that wakes it then, for somebody who sleeps: so it takes its CPU
 * like anybody else.  And the disk interrupts a CPU of its own choice, often always
 * the same one; to wake a thread that is bound to another that one has to be
 * fetched from its sleep, too: 20 us more of 95 for a page.  A thread that may run
 * anywhere is pulled to where the disk interrupts, and the reader follows it, for
 * whoever wakes somebody pulls him along.  When several are reading that place
 * would only become crowded: then the ring stays at home.
 */
#include "ring_place.h"

enum { CALM = 1000, MANY = 64 };

static void place_set(struct ring_place *place, enum ring_where where)
{
    static const struct sched_param none = { 0 };

    if (place->where == where)
        return;
    place->where = where;
    sched_setaffinity(0, sizeof(cpu_set_t),
                      where == RING_ROAMING ? &place->any : &place->home);
    if (place->may_choose)
        sched_setscheduler(0, where == RING_HOME ? SCHED_BATCH : SCHED_OTHER,
                           &none);
}

void ring_place_settle(struct ring_place *place, unsigned queue)
{
    CPU_ZERO(&place->any);
    sched_getaffinity(0, sizeof(cpu_set_t), &place->any);
    place->home = place->any;
    if (queue < CPU_SETSIZE && CPU_ISSET(queue, &place->any)) {
        CPU_ZERO(&place->home);
        CPU_SET(queue, &place->home);
    }
    place->may_choose = sched_getscheduler(0) == SCHED_OTHER;
    place->where = RING_ROAMING;
    place->calm = 0;
    place->alone = MANY;
    place_set(place, RING_HOME);
}

void ring_place_reads(struct ring_place *place, unsigned reading)
{
    place->calm = 0;
    if (reading > 1)
        place->alone = 0;
    else if (place->alone < MANY)
        place->alone++;
    place_set(place, place->alone < MANY ? RING_HURRIED : RING_ROAMING);
}

void ring_place_answers(struct ring_place *place)
{
    if (place->where != RING_HOME && ++place->calm > CALM)
        place_set(place, RING_HOME);
}

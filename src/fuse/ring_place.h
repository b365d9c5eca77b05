/* ring_place.h - where the thread of a ring runs, and whom it goes before.
 *
 * Ownership   a struct in each ring.
 * Locking     none: the ring's thread alone calls, and is what is moved.
 * Errors      none: what the system refuses stays as it is.
 */
#ifndef FUSE_RING_PLACE_H
#define FUSE_RING_PLACE_H

#include <sched.h>
#include <stdbool.h>

/* Changed by place_set alone. */
enum ring_where {
    RING_HOME,    /* on its CPU, preempting nobody */
    RING_HURRIED, /* on its CPU, as everybody else */
    RING_ROAMING, /* on any CPU, as everybody else */
};

struct ring_place {
    enum ring_where where;
    unsigned calm;       /* requests since the last that had to read */
    unsigned alone;      /* reads since the last that was not alone */
    bool may_choose;     /* its policy is the default one, so it is ours */
    cpu_set_t home, any; /* its CPU, if it may run there; all where it may */
};

/* Home: that of queue number `queue`. */
void ring_place_settle(struct ring_place *place, unsigned queue);
/* A request begins to read from swap; with it so many of the ring do. */
void ring_place_reads(struct ring_place *place, unsigned reading);
/* One has been answered that did not have to. */
void ring_place_answers(struct ring_place *place);

#endif

/* crew.h - how many threads read one descriptor, and which of them spins.
 *
 * Pure policy, counting in requests: no thread, descriptor or clock.  One reader
 * is in as long as it keeps up: the kernel wakes whoever has waited longest, so
 * with two, each request would find the one whose CPU sleeps.  After a request a
 * reader looks, now and then, whether another is there already, and says so:
 *
 *     AT_ONCE   there was one: the reader is behind
 *     SOON      there was none, but spinning met the next
 *     IN_VAIN   there was none, and spinning met none either
 *     NOTHING   there was none, and it did not spin
 *
 * Behind for long, and another is let in; never behind for longer, and one of
 * several goes out.  A reader that is going to wait for something says so first,
 * so that another is let in if it was the only one.
 *
 * Spinning pays for itself or ends: each time in vain doubles the number of
 * requests before the next try, each success quarters it.
 *
 * Invariants  C1  away < in <= all: somebody always reads.
 * Ownership   embedded.
 * Locking     none inside: the crew is its caller's lock's, a member its
 *             thread's.
 */
#ifndef FUSE_CREW_H
#define FUSE_CREW_H

#include <stdbool.h>

enum crew_look { CREW_AT_ONCE, CREW_SOON, CREW_IN_VAIN, CREW_NOTHING };
/* What the one who looked has to do: nothing, let another in, go out. */
enum crew_order { CREW_STAY, CREW_ADMIT, CREW_LEAVE };

struct crew {
    unsigned all;    /* readers that there are */
    unsigned in;     /* that read or serve */
    unsigned away;   /* of these: that wait for something else */
    unsigned behind; /* looks in a row that found a request; large ones count more */
    unsigned calm;   /* looks in a row that found none */
};

/* What a reader remembers of its own looks. */
struct crew_member {
    unsigned step;  /* requests before the next look */
    unsigned rest;  /* requests before the next spin */
    unsigned waste; /* how long it rests after a spin in vain, at least */
};

/* One of them is in. */
void crew_init(struct crew *crew, unsigned all);
/* After a request: is it time to look?  alone: no other reader is in.  large:
 * the request took long, so that others may be behind it. */
bool crew_due(struct crew_member *member, bool alone, bool large);
/* May this look spin?  Not where others read, too: they would be kept from it. */
bool crew_spins(const struct crew_member *member, bool alone);
enum crew_order crew_looked(struct crew *crew, struct crew_member *member,
                            enum crew_look look, bool large);
/* This reader will wait.  False: it must not, as nobody else would read.
 * *admit: another has to be let in. */
bool crew_away(struct crew *crew, bool *admit);
void crew_back(struct crew *crew);

#endif

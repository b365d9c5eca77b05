/* follow.h - on whose CPU the one reader of /dev/fuse runs.
 *
 * Pure policy, counting in requests: no thread, CPU or clock.  A request and its
 * answer are two wake-ups, cheap where caller and reader share a CPU, many times
 * dearer where each has to be fetched from the sleep of its own.  The kernel's
 * scheduler leaves them where they are, so the reader goes to the caller.  Whether
 * he stays there is not ours to say: where other CPUs are easily woken he goes on to
 * one that is idle, and load balancing may take him away.  So moving pays for itself
 * or ends: when he was mostly gone too soon, each further time doubles the looks
 * before the next move, and each time that he stayed quarters them.
 *
 *     FREE  --GO: the same caller twice, and elsewhere--> BOUND to his CPU
 *     BOUND --GO: he stayed for long, and is elsewhere now--> BOUND to that
 *     BOUND --LET_GO: he did not stay; callers change; others read, too--> FREE
 *
 * Ownership   embedded.
 * Locking     none: its thread's.
 */
#ifndef FUSE_FOLLOW_H
#define FUSE_FOLLOW_H

#include <stdbool.h>
#include <sys/types.h>

/* What the reader has to do: nothing, bind itself to the caller's CPU, run anywhere
 * again. */
enum follow_order { FOLLOW_STAY, FOLLOW_GO, FOLLOW_LET_GO };

struct follow {
    bool bound;
    bool moved;         /* and the move has not been judged yet */
    unsigned step;      /* requests before the next look */
    unsigned rest;      /* looks that find him elsewhere before the next move */
    unsigned waste;     /* how long it rests after a move in vain, at least */
    int together;       /* looks since the last move that found him there */
    int credit;         /* how many of these more than moves have cost */
    unsigned strangers; /* looks in a row that each found another caller */
    pid_t caller;       /* of the last look */
};

void follow_init(struct follow *follow);
/* After a request: is it time to look where its caller is?  alone: no other reader
 * is in. */
bool follow_due(struct follow *follow, bool alone);
/* his: the CPU on which `caller` was seen, negative if that cannot be told; mine:
 * the reader's. */
enum follow_order follow_looked(struct follow *follow, bool alone, pid_t caller,
                                int his, int mine);
/* It could not be moved: it is free, and rests for as long as it ever does. */
void follow_failed(struct follow *follow);

#endif

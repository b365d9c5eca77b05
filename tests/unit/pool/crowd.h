/* crowd.h - who is about while a pool is changed in use: threads that read and
 * write its pages, and somebody who says stop. */
#ifndef TESTS_CROWD_H
#define TESTS_CROWD_H

#include "fake_owner.h"

/* Of each of the two owners that the crowd is in. */
enum { CROWD_PAGES = 900 };

/* Three threads write, read and drop pages of owners 1 and 2, some thousand times
 * each; returns when they have ended. */
void crowd_run(struct rig *rig);

/* A `stop` for what can be stopped: ctx is an unsigned, calls that are still to be
 * answered with no. */
bool stop_after(void *ctx);

#endif

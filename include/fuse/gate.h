/* gate.h - a door that requests go through, to be shut for a moment.
 *
 * Shut with nobody inside, it makes an instant at which no request is half done.
 *
 * Locking     inside (RANK_FUSE).  enter may block, and is called with no lock
 *             held.  One thread at a time shuts; it is not inside.
 */
#ifndef FUSE_GATE_H
#define FUSE_GATE_H

#include "lock.h"

enum { GATE_ROWS = 32 };

struct gate {
    _Atomic bool shut;
    struct mutex lock;
    struct cond opened;
    struct {
        _Atomic uint32_t inside;
        uint8_t apart[60]; /* no line of a cache is shared */
    } row[GATE_ROWS];
};

/* Between these the thread is inside.  try_enter does not wait: false, and it is
 * not inside, while the gate is shut. */
bool gate_try_enter(struct gate *gate);
void gate_enter(struct gate *gate);
void gate_leave(struct gate *gate);
/* Lets nobody in, and waits until nobody is inside: true; or opens it again after
 * so long, and false. */
bool gate_shut(struct gate *gate, uint64_t patience_ns);
void gate_open(struct gate *gate);

#endif

/* gate.c - shutting requests out while something is counted that they change.
 *
 * Going in and out costs each request two additions, to a counter that threads do
 * not share unless there are very many: a thread counts itself in, and only then
 * looks whether the gate is shut; who shuts it says so, and only then looks at the
 * counters.  So at least one of the two sees the other.
 *
 * Who shuts the gate looks again and again instead of being woken: that is rare and
 * short, and spares the requests asking whether somebody waits for them.
 *
 * A request inside may take long: it waits for a disk, say.  So there is a limit to
 * how long all others are kept waiting for it, and the caller tries again later.
 */
#include "gate.h"

#include "clock.h"

#define PAUSE_NS 50000u

/* The row of this thread, in any gate. */
static unsigned row(void)
{
    return thread_number() % GATE_ROWS;
}

bool gate_try_enter(struct gate *gate)
{
    _Atomic uint32_t *inside = &gate->row[row()].inside;

    atomic_fetch_add(inside, 1);
    if (!atomic_load(&gate->shut))
        return true;
    atomic_fetch_sub(inside, 1);
    return false;
}

void gate_enter(struct gate *gate)
{
    while (!gate_try_enter(gate)) {
        mutex_lock(&gate->lock, RANK_FUSE);
        while (atomic_load(&gate->shut))
            cond_wait(&gate->opened, &gate->lock);
        mutex_unlock(&gate->lock);
    }
}

void gate_leave(struct gate *gate)
{
    atomic_fetch_sub_explicit(&gate->row[row()].inside, 1, memory_order_release);
}

static bool anybody(struct gate *gate)
{
    uint32_t inside = 0;

    for (unsigned i = 0; i < GATE_ROWS; i++)
        inside |= atomic_load(&gate->row[i].inside);
    return inside != 0;
}

bool gate_shut(struct gate *gate, uint64_t patience_ns)
{
    uint64_t end = clock_monotonic_ns() + patience_ns;

    atomic_store(&gate->shut, true);
    while (anybody(gate)) {
        if (clock_monotonic_ns() >= end) {
            gate_open(gate);
            return false;
        }
        clock_sleep_ns(PAUSE_NS);
    }
    return true;
}

void gate_open(struct gate *gate)
{
    mutex_lock(&gate->lock, RANK_FUSE);
    atomic_store(&gate->shut, false);
    mutex_unlock(&gate->lock);
    cond_broadcast(&gate->opened);
}

/* turns.c - waiting until the I/O of this moment has ended.
 *
 * A page dropped while it is read or written leaves its block to the I/O, which
 * frees it at its end: until then the block is in use and no page's.  So who wants
 * to know of each block whose it is looks over all pages, and then waits out the
 * I/O of that time; what begins later concerns pages that are there later.
 *
 * Each read or write has a descriptor from before its first page says so until
 * after its last block has been given up, and a descriptor counts its turns: those
 * in use now have ended when each has gone on.  They may be in use again then.
 */
#include "pool_internal.h"

#include "clock.h"

#include <errno.h>

/* Looked at so often. */
#define PAUSE_NS 1000000u

struct turns {
    uint32_t in[MAX_PAGEINS], out[NR_PAGEOUTS];
    unsigned nr_in, nr_out;
};

static void turns_now(struct pool *pool, struct turns *turns)
{
    turns->nr_in = pagein_turns(pool, turns->in);
    turns->nr_out = pageout_turns(pool, turns->out);
}

/* One that was in use has not gone on. */
static bool any_left(const uint32_t *then, const uint32_t *now, unsigned nr)
{
    for (unsigned i = 0; i < nr; i++)
        if (then[i] % 2 != 0 && now[i] == then[i])
            return true;
    return false;
}

int pool_io_wait_out(struct pool *pool, bool (*stop)(void *ctx), void *ctx)
{
    struct turns then, now;

    lock_assert_none(RANK_FUSE);
    turns_now(pool, &then);
    for (now = then; any_left(then.in, now.in, now.nr_in) ||
                     any_left(then.out, now.out, now.nr_out);
         turns_now(pool, &now)) {
        if (stop && stop(ctx))
            return -EINTR;
        clock_sleep_ns(PAUSE_NS);
    }
    return 0;
}

/* advice.c - what the user says about a file: how it will be read, and that its
 * pages are wanted, or not.
 *
 * As vm_advise and memory_object_set_advice had it in the clustered paging made
 * for GNU Mach.  Three kinds are remembered, and followed by each read (read.c):
 *
 *     DEFAULT      what readahead.c guesses
 *     SEQUENTIAL   everything behind is wanted: the largest window from the first
 *                  read on; what has been read is the first to go
 *     RANDOM       nothing is wanted but what is asked for
 *
 * and two are done at once, and forgotten: WILLNEED starts reading what is on
 * swap, as far as there is memory that nobody has to give up for it, and DONTNEED
 * makes the resident pages the next victims.  object_evict does not leave it at
 * that: it writes and frees them now.
 *
 * All of this walks the map in bounded holds of the lock; pages that come or go
 * meanwhile may be missed.
 */
#include "object_internal.h"

#include "clock.h"

#include <errno.h>

enum {
    MAX_RUNS = 1024,    /* looked at in one hold of the lock */
    MAX_PASSES = 8,     /* over the resident pages of one file */
    PAUSE_NS = 1000000,
    PATIENCE = 1000,    /* pauses without any progress */
};

void object_advise(struct object *object, enum object_advice advice)
{
    atomic_store_explicit(&object->map.tag, (uint8_t)advice,
                          memory_order_relaxed);
}

enum object_advice object_advice(struct object *object)
{
    return (enum object_advice)atomic_load_explicit(&object->map.tag,
                                                    memory_order_relaxed);
}

/* The first run at or after *at with entries of this kind; false: there is none.
 * Caller holds the lock; it is dropped and taken again on long ways. */
static bool next_of_kind(struct object_store *store, struct object *object,
                         enum entry_kind kind, uint64_t at,
                         struct pagemap_run *run) REQUIRES(object->lock)
{
    for (unsigned n = 1; pagemap_next_run(store->arena, &object->map, at,
                                          PAGEMAP_MAX_PAGES, run); n++) {
        if (pagemap_entry_kind(run->entry) == kind)
            return true;
        at = run->index + run->nr;
        if (n % MAX_RUNS == 0) {
            mutex_unlock(&object->lock);
            mutex_lock(&object->lock, RANK_OBJECT);
        }
    }
    return false;
}

uint64_t object_willneed(struct object_store *store, struct object *object,
                         object_go_on *go_on, void *ctx)
{
    uint64_t at = 0, begun = 0;
    struct pagemap_run run;
    unsigned pauses = 0;

    while (pauses < PATIENCE && go_on(ctx)) {
        uint64_t end = pages_for(object_size(object));
        uint32_t nr;
        bool more;

        mutex_lock(&object->lock, RANK_OBJECT);
        more = next_of_kind(store, object, ENTRY_BLOCK, at, &run);
        mutex_unlock(&object->lock);
        if (!more || run.index >= end || !pool_affords_ahead(store->pool))
            break;
        nr = (uint32_t)MIN(end - run.index, (uint64_t)READAHEAD_MAX_PAGES);
        nr = ahead_start(store, object, (struct span){ run.index, nr }, false);
        if (nr == 0) { /* no descriptor: they come back */
            clock_sleep_ns(PAUSE_NS);
            pauses++;
            continue;
        }
        pauses = 0;
        at = run.index + nr;
        begun += nr;
    }
    return begun;
}

uint64_t object_dontneed(struct object_store *store, struct object *object)
{
    struct pagemap_run run = { 0, 0, 0 };
    uint64_t cooled = 0;
    bool more = true;

    while (more) {
        mutex_lock(&object->lock, RANK_OBJECT);
        for (unsigned n = 0; more && n < MAX_RUNS; n++) {
            more = next_of_kind(store, object, ENTRY_FRAME,
                                run.index + run.nr, &run);
            if (more)
                pool_page_cool(store->pool, pagemap_entry_number(run.entry));
            cooled += more;
        }
        mutex_unlock(&object->lock);
    }
    return cooled;
}

void read_leaves_cold(struct object_store *store, struct object *object,
                      const struct object_read *read)
{
    mutex_lock(&object->lock, RANK_OBJECT);
    for (uint32_t i = 0; i < read->nr_pins; i++)
        if (read->pins[i] != FRAME_ZERO)
            pool_page_cool(store->pool, read->pins[i]);
    mutex_unlock(&object->lock);
}

/* --- eviction ------------------------------------------------------------------ */

int object_send_out(struct object_store *store, struct object *object,
                    object_go_on *go_on, void *ctx, uint64_t *found)
    NO_THREAD_SAFETY
{
    struct pagemap_run run;
    uint64_t at = 0;
    int err = 0;

    *found = 0;
    while (!err && go_on(ctx)) {
        mutex_lock(&object->lock, RANK_OBJECT);
        if (!next_of_kind(store, object, ENTRY_FRAME, at, &run)) {
            mutex_unlock(&object->lock);
            return 0;
        }
        /* Drops the lock. */
        err = pool_page_evict(store->pool, pagemap_entry_number(run.entry));
        if (err == -ENOSPC)
            err = pool_blocks_want(store->pool);
        else if (!err)
            at = run.index + 1;
        *found += at == run.index + 1;
        if (err == -EBUSY || err == -EAGAIN) {
            clock_sleep_ns(PAUSE_NS);
            err = 0;
        }
    }
    return err ? err : -EINTR;
}

struct asking {
    object_go_on *go_on;
    void *ctx;
};

static bool given_up(void *ctx)
{
    const struct asking *asking = ctx;

    return !asking->go_on(asking->ctx);
}

/* What is being written goes when that is done, which is waited for; but not that
 * the file be at rest, which it never may be. */
int object_evict(struct object_store *store, struct object *object,
                 object_go_on *go_on, void *ctx, uint64_t *left)
{
    struct asking asking = { go_on, ctx };
    struct object_usage usage;
    uint64_t seen = 1;
    int err = 0;

    for (unsigned pass = 0; !err && seen > 0 && pass < MAX_PASSES; pass++) {
        err = object_send_out(store, object, go_on, ctx, &seen);
        if (!err && seen > 0)
            err = pool_io_wait_out(store->pool, given_up, &asking);
    }
    object_usage(store, object, &usage);
    *left = usage.resident;
    return err;
}

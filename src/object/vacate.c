/* vacate.c - the pages of an object give up blocks that are to be free.
 *
 * The pool wants an area of swap empty and does not know where its blocks are
 * held; the maps do.  So a walk goes over each map once, run by run, in bounded
 * holds of the lock:
 *
 *     FRAME   a CLEAN page loses its copy on disk at once; one that is being
 *             read or written does so itself when that is done
 *     BLOCK   is read in, whereupon the pool frees the block
 *
 * As for readahead (ahead.c), nobody has a range over these pages and none is
 * needed; unlike it, the walk waits for memory, as a writer does, for it must get
 * on.  It waits for no page.
 */
#include "object_internal.h"

#include <errno.h>

/* Runs looked at in one hold of the lock. */
enum { MAX_RUNS = 256 };

/* How many of the nr entries are contiguous blocks. */
static uint32_t run_length(const pagemap_entry *entries, uint32_t nr)
{
    uint32_t n = 1;

    while (n < nr && pagemap_entry_kind(entries[n]) == ENTRY_BLOCK &&
           entries[n] == entries[0] + n)
        n++;
    return n;
}

/* The next pages that must be read, from walk->index on; in.after is 0 if it met
 * none, and *end says whether it has met all. */
static struct page_in next_read(struct object_store *store,
                                struct object *object, struct pool_walk *walk,
                                pagemap_entry *entries, bool *end)
    REQUIRES(object->lock)
{
    struct page_in in = { .entries = entries, .patient = true };
    uint32_t batch = pool_batch(store->pool);
    struct pagemap_run run;

    for (unsigned n = 0; n < MAX_RUNS; n++) {
        uint32_t number;

        *end = !pagemap_next_run(store->arena, &object->map, walk->index,
                                 PAGEMAP_MAX_PAGES, &run);
        if (*end)
            return in;
        walk->index = run.index;
        number = pagemap_entry_number(run.entry);
        if (pagemap_entry_kind(run.entry) == ENTRY_BLOCK &&
            pool_walk_wants(walk, number)) {
            in.index = run.index;
            pagemap_get_run(store->arena, &object->map, run.index, batch,
                            entries);
            in.after = run_length(entries, batch);
            return in;
        }
        if (pagemap_entry_kind(run.entry) == ENTRY_FRAME)
            pool_page_vacate(store->pool, number, walk);
        walk->index += run.nr;
    }
    return in;
}

int vacate_step(struct object_store *store, struct object *object,
                struct pool_walk *walk)
{
    pagemap_entry entries[SWAP_IO_MAX_PAGES];
    struct page_in in;
    bool end;
    int err;

    mutex_lock(&object->lock, RANK_OBJECT);
    in = next_read(store, object, walk, entries, &end);
    mutex_unlock(&object->lock);
    if (in.after == 0)
        return end;
    err = resident_start(store, object, &in, NULL);
    /* What somebody has changed meanwhile is looked at again. */
    walk->index = in.index + in.after;
    if (err != -EAGAIN)
        return err;
    arena_wait(store->arena);
    return 0;
}

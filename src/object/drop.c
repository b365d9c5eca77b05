/* drop.c - pages given up: for a truncate, a hole, the end of a file.
 *
 * Entries are dropped run by run (64 contiguous blocks of a folded leaf at one
 * stroke) and in bounded holds of the lock, so that a large file does not keep
 * pageout from its owner for long.  What a page has is given back by its state:
 *
 *     FRAME        the page is dropped; under I/O it is DEAD until that ends
 *     BLOCK        the blocks are freed
 *     ZERO, LOST   there is nothing but the charge
 *
 * Cutting a folded leaf in two needs memory for it, which is owed: it may have to
 * be waited for, but is never refused.
 */
#include "object_internal.h"

#include <errno.h>
#include <string.h>

/* Runs dropped in one hold of the lock. */
enum { MAX_RUNS = 256 };

void run_release(struct object_store *store, const struct pagemap_run *run)
{
    uint32_t number = pagemap_entry_number(run->entry);

    switch (pagemap_entry_kind(run->entry)) {
    case ENTRY_FRAME:
        pool_page_drop(store->pool, number);
        break;
    case ENTRY_BLOCK:
        pool_blocks_free(store->pool, number, run->nr);
        break;
    case ENTRY_HOLE:
    case ENTRY_ZERO:
    case ENTRY_LOST:
        break;
    }
}

int run_replace(struct object_store *store, struct object *object,
                const struct pagemap_run *run, pagemap_entry entry)
{
    int err = 0;

    if (run->nr < PAGEMAP_LEAF_PAGES)
        err = pagemap_prepare(store->arena, &object->map, run->index, run->nr);
    if (err)
        return err;
    run_release(store, run);
    pagemap_set_run(store->arena, &object->map, run, entry);
    return 0;
}

/* Drops some runs from *first on; *dropped is how many pages they had. */
static int drop_some(struct object_store *store, struct object *object,
                     uint64_t *first, uint64_t end, uint64_t *dropped)
{
    struct pagemap_run run;
    unsigned runs;
    int err = 0;

    *dropped = 0;
    mutex_lock(&object->lock, RANK_OBJECT);
    for (runs = 0; runs < MAX_RUNS; runs++) {
        if (!pagemap_next_run(store->arena, &object->map, *first, end, &run)) {
            *first = end;
            break;
        }
        err = run_replace(store, object, &run, ENTRY_HOLE);
        if (err)
            break;
        *first = run.index + run.nr;
        *dropped += run.nr;
    }
    mutex_unlock(&object->lock);
    return err;
}

int drop_pages(struct object_store *store, struct object *object,
               uint64_t first, uint64_t end, bool wait)
{
    while (first < end) {
        uint64_t dropped;
        int err = drop_some(store, object, &first, end, &dropped);

        if (dropped > 0)
            pool_uncharge(store->pool, dropped);
        if (err == -EAGAIN && wait)
            arena_wait(store->arena);
        else if (err)
            return err;
    }
    return 0;
}

int zero_part(struct object_store *store, struct object *object,
              uint64_t index, uint32_t from, uint32_t to, bool wait)
{
    uint32_t frame;
    int err = resident_pin_dirty(store, object, index, wait, &frame);

    if (err)
        return err == -EIO ? 0 : err;
    if (frame == FRAME_ZERO)
        return 0;
    memset((uint8_t *)arena_frame_ptr(store->arena, frame) + from, 0, to - from);
    pool_page_unpin(store->pool, frame);
    return 0;
}

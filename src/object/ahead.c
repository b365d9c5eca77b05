/* ahead.c - page-in in the background: what readahead.c makes of a read.
 *
 * The pages are not the reader's: it has no range over them and does not wait for
 * them.  They are put into the map as READING under the object's lock, and only
 * where a block is at that moment, so a truncate, a write or another reader sees
 * them as any page under I/O, at any time.
 *
 * It never waits: no frame above the low mark, no descriptor, no node for the map
 * mean that the guess is dropped.  A guess is worth a few I/Os; where swap is so
 * fragmented that it would take more, it stops, and the stream goes on from there.
 * So it begins with what is wanted first, which for who reads backward is the end.
 */
#include "object_internal.h"

enum { MAX_IOS = 4 };

/* entries[from..to-1] */
struct part {
    uint32_t from, to;
};

static bool is_block(pagemap_entry entry)
{
    return pagemap_entry_kind(entry) == ENTRY_BLOCK;
}

/* The first run of contiguous blocks in the part, no more than a batch; empty, and
 * at its end, if it has none. */
static struct part first_run(const pagemap_entry *entries, struct part part,
                             uint32_t batch)
{
    struct part run;

    while (part.from < part.to && !is_block(entries[part.from]))
        part.from++;
    run = (struct part){ part.from, part.from };
    while (run.to < part.to && run.to - run.from < batch &&
           is_block(entries[run.to]) &&
           entries[run.to] == entries[run.from] + (run.to - run.from))
        run.to++;
    return run;
}

/* The last one; empty, and at its beginning, if it has none. */
static struct part last_run(const pagemap_entry *entries, struct part part,
                            uint32_t batch)
{
    struct part run;

    while (part.from < part.to && !is_block(entries[part.to - 1]))
        part.to--;
    run = (struct part){ part.to, part.to };
    while (run.from > part.from && run.to - run.from < batch &&
           is_block(entries[run.from - 1]) &&
           entries[run.from - 1] + (run.to - run.from) == entries[run.to - 1])
        run.from--;
    return run;
}

uint32_t ahead_start(struct object_store *store, struct object *object,
                     struct span span, bool back)
{
    pagemap_entry entries[READAHEAD_MAX_PAGES];
    struct part left = { 0, MIN(span.nr, READAHEAD_MAX_PAGES) };
    uint32_t batch = pool_batch(store->pool), nr = left.to;

    if (nr == 0)
        return 0;
    mutex_lock(&object->lock, RANK_OBJECT);
    pagemap_get_run(store->arena, &object->map, span.first, nr, entries);
    mutex_unlock(&object->lock);
    for (unsigned ios = 0; ios < MAX_IOS && left.from < left.to; ios++) {
        struct part run = back ? last_run(entries, left, batch)
                               : first_run(entries, left, batch);
        struct page_in in = { .index = span.first + run.from,
                              .entries = entries + run.from,
                              .after = run.to - run.from };

        if (in.after > 0 && resident_start(store, object, &in, NULL) != 0)
            break;
        if (back)
            left.to = run.from;
        else
            left.from = run.to;
    }
    return nr - (left.to - left.from);
}

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
 */
#include "object_internal.h"

enum { MAX_IOS = 4 };

/* The next run of blocks from entries[at] on. */
static struct page_in next_run(const struct object_store *store,
                               struct span span, const pagemap_entry *entries,
                               uint32_t at)
{
    uint32_t batch = pool_batch(store->pool);
    struct page_in in = { .index = span.first + at, .entries = entries + at };

    while (at + in.after < span.nr && in.after < batch &&
           pagemap_entry_kind(entries[at + in.after]) == ENTRY_BLOCK &&
           entries[at + in.after] == entries[at] + in.after)
        in.after++;
    return in;
}

uint32_t ahead_start(struct object_store *store, struct object *object,
                     struct span span)
{
    pagemap_entry entries[READAHEAD_MAX_PAGES];
    uint32_t at = 0, asked;

    if (span.nr == 0)
        return 0;
    span.nr = MIN(span.nr, READAHEAD_MAX_PAGES);
    mutex_lock(&object->lock, RANK_OBJECT);
    pagemap_get_run(store->arena, &object->map, span.first, span.nr, entries);
    mutex_unlock(&object->lock);
    for (unsigned ios = 0; ios < MAX_IOS && at < span.nr; ios++) {
        struct page_in in;

        while (at < span.nr && pagemap_entry_kind(entries[at]) != ENTRY_BLOCK)
            at++;
        in = next_run(store, span, entries, at);
        asked = in.after;
        if (asked == 0 || resident_start(store, object, &in, NULL) != 0)
            break;
        at += asked;
    }
    return at;
}

/* lane.c - pages that a thread begins to read and does not wait for.
 *
 * Its lane is the ring that it sleeps in between requests, where the disk's answer
 * wakes it.  As in ahead.c the pages are not the reader's: it has no range over
 * them and no pin, so nothing is held while it does other things.  But they are
 * wanted, so they join the queues like pages that were waited for.
 *
 * It never waits, and it begins nothing at all where somebody else is reading a
 * part already: then it would be back too early.  (Readahead is, mostly, and
 * worth waiting for.)  Nor where the file of a block is none for lanes.
 */
#include "object_internal.h"

bool lane_wanted(struct object_store *store, struct object *object,
                 struct span want)
{
    pagemap_entry entries[IO_MAX_PAGES];
    bool reading = false, lends = false;

    mutex_lock(&object->lock, RANK_OBJECT);
    pagemap_get_run(store->arena, &object->map, want.first, want.nr, entries);
    for (uint32_t i = 0; i < want.nr; i++) {
        enum entry_kind kind = pagemap_entry_kind(entries[i]);

        if (kind == ENTRY_BLOCK && !lends)
            lends = pool_lends(store->pool, pagemap_entry_number(entries[i]));
        reading |= kind == ENTRY_FRAME && !entry_is_ready(store, entries[i]);
    }
    mutex_unlock(&object->lock);
    return lends && !reading;
}

/* The next run of `want` that is on swap, from its page *at on, which moves there;
 * none is wanted of it where there is none before the end or a lost page. */
static struct page_in next_run(struct object_store *store,
                               struct object *object, struct span want,
                               struct span window, pagemap_entry *entries,
                               uint32_t *at)
{
    uint32_t lead = (uint32_t)(want.first - window.first);

    mutex_lock(&object->lock, RANK_OBJECT);
    pagemap_get_run(store->arena, &object->map, window.first, window.nr,
                    entries);
    mutex_unlock(&object->lock);
    for (; *at < want.nr; ++*at) {
        enum entry_kind kind = pagemap_entry_kind(entries[lead + *at]);

        if (kind == ENTRY_LOST)
            break;
        if (kind == ENTRY_BLOCK)
            return run_around(store, window, entries, lead + *at,
                              want.nr - *at);
    }
    return (struct page_in){ .wanted = 0 };
}

uint32_t lane_read(struct object_store *store, struct object *object,
                   struct span want, struct span window, struct swap_lane *lane,
                   struct resident *resident)
{
    pagemap_entry entries[IO_MAX_PAGES];
    uint32_t room = lane->room, at = 0;

    *resident = (struct resident){ .got = 0 };
    while (lane->room > 0) {
        struct page_in in = next_run(store, object, want, window, entries, &at);

        if (in.wanted == 0)
            break;
        in.lane = lane;
        if (resident_start(store, object, &in, NULL) != 0 || in.wanted == 0)
            break;
        at += in.wanted;
        resident->begun += in.wanted;
        resident->extra += in.before + in.after;
    }
    return room - lane->room;
}

/* usage.c - where the pages of an object are, for those who want to know.
 *
 * Breaks are what FreeBSD's fragc counts for UFS: blocks that do not follow those
 * of the page before.
 *
 * The figures are counted by walking the map, run by run, in bounded holds of the
 * lock; of an object in use they are therefore a little blurred.
 */
#include "object_internal.h"

#include "log.h"

/* Runs looked at in one hold of the lock. */
enum { MAX_RUNS = 1024 };

/* Behind the last page that had a block: in the file, and on swap. */
struct place {
    uint64_t index;
    uint32_t block;
};

/* The block of the first page of a run, BLOCK_NONE if it has none.  Caller holds
 * the lock. */
static uint32_t first_block(struct object_store *store,
                            const struct pagemap_run *run)
{
    uint32_t number = pagemap_entry_number(run->entry);

    switch (pagemap_entry_kind(run->entry)) {
    case ENTRY_FRAME:
        return pool_page(store->arena, number)->block;
    case ENTRY_BLOCK:
        return number;
    default:
        return BLOCK_NONE;
    }
}

static void count_kind(const struct pagemap_run *run,
                       struct object_usage *usage)
{
    switch (pagemap_entry_kind(run->entry)) {
    case ENTRY_FRAME:
        usage->resident += run->nr;
        break;
    case ENTRY_BLOCK:
        usage->swapped += run->nr;
        break;
    case ENTRY_ZERO:
        usage->zero += run->nr;
        break;
    case ENTRY_LOST:
        usage->lost += run->nr;
        break;
    case ENTRY_HOLE:
        break;
    }
}

/* A run of `nr` pages from `index` on, from block `first` on. */
static void count_blocks(uint64_t index, uint32_t nr, uint32_t first,
                         struct place *last, struct object_usage *usage)
{
    bool follows = last->block != BLOCK_NONE && last->index == index;
    bool broken = follows && last->block != first;

    usage->blocks += nr;
    usage->pairs += nr - 1 + follows;
    usage->breaks += broken;
    usage->runs += !follows || broken;
    *last = (struct place){ index + nr, first + nr };
}

void object_usage(struct object_store *store, struct object *object,
                  struct object_usage *usage)
{
    struct place last = { 0, BLOCK_NONE };
    struct pagemap_run run;
    uint64_t at = 0, leaf_end = 0;
    bool more = true;

    *usage = (struct object_usage){ .resident = 0 };
    while (more) {
        mutex_lock(&object->lock, RANK_OBJECT);
        usage->map_bytes = pagemap_bytes(&object->map);
        for (unsigned n = 0; more && n < MAX_RUNS; n++) {
            uint32_t first;

            more = pagemap_next_run(store->arena, &object->map, at,
                                    PAGEMAP_MAX_PAGES, &run);
            if (!more)
                break;
            first = first_block(store, &run);
            count_kind(&run, usage);
            if (first != BLOCK_NONE)
                count_blocks(run.index, run.nr, first, &last, usage);
            at = run.index + run.nr;
            if (run.index >= leaf_end)
                usage->slots += PAGEMAP_LEAF_PAGES;
            leaf_end = round_up(at, PAGEMAP_LEAF_PAGES);
        }
        mutex_unlock(&object->lock);
    }
}

/* Some runs from *at on; true if those were the last. */
static bool visit_blocks(struct object_store *store, struct object *object,
                         uint64_t *at, object_block_visit *visit, void *ctx)
{
    struct pagemap_run run;
    bool more = true;

    mutex_lock(&object->lock, RANK_OBJECT);
    for (unsigned n = 0; n < MAX_RUNS; n++) {
        uint32_t first;

        more = pagemap_next_run(store->arena, &object->map, *at,
                                PAGEMAP_MAX_PAGES, &run);
        if (!more)
            break;
        first = first_block(store, &run);
        if (first != BLOCK_NONE)
            visit(ctx, run.index, run.nr, first);
        *at = run.index + run.nr;
    }
    mutex_unlock(&object->lock);
    return !more;
}

bool object_each_block(struct object_store *store, struct object *object,
                       object_block_visit *visit, object_go_on *go_on,
                       void *ctx)
{
    uint64_t at = 0;

    while (!visit_blocks(store, object, &at, visit, ctx))
        if (!go_on(ctx))
            return false;
    return go_on(ctx);
}

#ifdef PAGERFS_DEBUG
/* A resident page: the pool agrees, and what lies beyond the end of the file is
 * zeros. */
static void check_page(struct object_store *store, struct object *object,
                       uint64_t index, uint32_t frame, uint64_t size)
{
    const struct page *page = pool_page(store->arena, frame);
    const uint8_t *bytes = arena_frame_ptr(store->arena, frame);
    enum page_state state = frame_state(store, frame);
    uint64_t start = index << PAGE_SHIFT;

    INVARIANT("I8", page->owner == object_handle(store, object));
    INVARIANT("I8", page->index == index);
    INVARIANT("I8", state != PAGE_NONE && state != PAGE_DEAD);
    for (uint64_t at = MAX(size, start); state != PAGE_READING &&
                                         at < start + PAGE_SIZE; at++)
        INVARIANT("I2", bytes[at - start] == 0);
}

static void check_run(struct object_store *store, struct object *object,
                      const struct pagemap_run *run, uint64_t size)
{
    enum entry_kind kind = pagemap_entry_kind(run->entry);

    INVARIANT("I2", kind == ENTRY_ZERO || run->index + run->nr <= pages_for(size));
    if (kind == ENTRY_FRAME)
        check_page(store, object, run->index, pagemap_entry_number(run->entry),
                   size);
}

/* With the whole range, lest a write under way be taken for a contradiction; if
 * it is not to be had there is nothing to be said now. */
void object_check(struct object_store *store, struct object *object)
{
    struct pagemap_run run;
    struct range range;
    uint64_t at = 0;

    rangelock_check(&object->range);
    if (rangelock_trylock(&object->range, &range, 0, RANGE_END, RANGE_SHARED))
        return;
    mutex_lock(&object->lock, RANK_OBJECT);
    pagemap_check(store->arena, &object->map);
    while (pagemap_next_run(store->arena, &object->map, at, PAGEMAP_MAX_PAGES,
                            &run)) {
        check_run(store, object, &run, object_size(object));
        at = run.index + run.nr;
    }
    mutex_unlock(&object->lock);
    rangelock_unlock(&object->range, &range);
}
#else
void object_check(struct object_store *store, struct object *object)
{
    (void)store;
    (void)object;
}
#endif

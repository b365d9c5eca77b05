/* object.c - a memory object's life, and what the pool may ask of it.
 *
 * The pool knows an object by its arena handle.  It locks it, asks for frames of
 * neighbours, and tells what became of pages: evicted (the entry becomes the
 * block; if that makes its leaf a run of contiguous blocks, it folds), or lost
 * (the entry says so until the page is written again).  None of this allocates.
 *
 * I/O on pages of an object outlives the pages: a dropped one is DEAD until its
 * I/O ends, which then locks the owner once more.  `inflight` counts these, and
 * an object ends only when there are none.
 */
#include "object_internal.h"

#include "log.h"

#include <limits.h>

static struct object *object_of(void *ctx, uint32_t owner)
{
    const struct object_store *store = ctx;

    return arena_ptr(store->arena, owner);
}

/* --- what the pool asks (pool.h says when) ---------------------------------------- */

static bool op_trylock(void *ctx, uint32_t owner) NO_THREAD_SAFETY
{
    return mutex_trylock(&object_of(ctx, owner)->lock, RANK_OBJECT);
}

static void op_lock(void *ctx, uint32_t owner) NO_THREAD_SAFETY
{
    mutex_lock(&object_of(ctx, owner)->lock, RANK_OBJECT);
}

static void op_unlock(void *ctx, uint32_t owner) NO_THREAD_SAFETY
{
    mutex_unlock(&object_of(ctx, owner)->lock);
}

static void op_hold(void *ctx, uint32_t owner)
{
    atomic_fetch_add_explicit(&object_of(ctx, owner)->inflight, 1,
                              memory_order_relaxed);
}

/* After the last release the object may be gone: only its address is used. */
static void op_release(void *ctx, uint32_t owner)
{
    struct object *object = object_of(ctx, owner);

    if (atomic_fetch_sub_explicit(&object->inflight, 1,
                                  memory_order_acq_rel) == 1)
        futex_wake(&object->inflight, INT_MAX);
}

static uint32_t op_frame_at(void *ctx, uint32_t owner, uint64_t index)
{
    const struct object_store *store = ctx;
    pagemap_entry entry;

    if (index >= PAGEMAP_MAX_PAGES)
        return FRAME_NONE;
    entry = pagemap_get(store->arena, &object_of(ctx, owner)->map, index);
    return pagemap_entry_kind(entry) == ENTRY_FRAME ? pagemap_entry_number(entry)
                                                    : FRAME_NONE;
}

static void op_evicted(void *ctx, uint32_t owner, uint64_t index, uint32_t block)
{
    const struct object_store *store = ctx;
    struct object *object = object_of(ctx, owner);

    pagemap_set(store->arena, &object->map, index,
                pagemap_entry_make(ENTRY_BLOCK, block));
    pagemap_fold(store->arena, &object->map, index);
}

static void op_lost(void *ctx, uint32_t owner, uint64_t index)
{
    const struct object_store *store = ctx;
    struct object *object = object_of(ctx, owner);

    pagemap_set(store->arena, &object->map, index,
                pagemap_entry_make(ENTRY_LOST, 0));
    if (store->lost)
        store->lost(store->ctx, object, index);
}

static uint32_t op_hint(void *ctx, uint32_t owner, uint64_t index)
{
    const struct object_store *store = ctx;
    pagemap_entry before;

    if (index == 0)
        return BLOCK_NONE;
    before = pagemap_get(store->arena, &object_of(ctx, owner)->map, index - 1);
    return pagemap_entry_kind(before) == ENTRY_BLOCK
               ? pagemap_entry_number(before) + 1 : BLOCK_NONE;
}

static int op_vacate(void *ctx, struct pool_walk *walk)
{
    struct object_store *store = ctx;
    uint32_t number;
    struct object *object = store->next(store->ctx, walk->owner, &number);
    int err;

    if (!object)
        return 1;
    if (number != walk->owner) {
        walk->owner = number;
        walk->index = 0;
    }
    err = vacate_step(store, object, walk);
    store->put(store->ctx, object);
    if (err > 0) {
        walk->owner = number + 1;
        walk->index = 0;
    }
    return MIN(err, 0);
}

static void op_pins_settle(void *ctx)
{
    pins_settle(ctx);
}

const struct pool_ops object_pool_ops = {
    .trylock = op_trylock,
    .lock = op_lock,
    .unlock = op_unlock,
    .hold = op_hold,
    .release = op_release,
    .frame_at = op_frame_at,
    .evicted = op_evicted,
    .lost = op_lost,
    .hint = op_hint,
    .vacate = op_vacate,
    .pins_settle = op_pins_settle,
};

/* --- life ------------------------------------------------------------------------- */

void object_init(struct object *object)
{
    *object = (struct object){ .size = 0 };
}

void object_fini(struct object_store *store, struct object *object)
{
    uint32_t inflight;

    drop_pages(store, object, 0, PAGEMAP_MAX_PAGES, true);
    while ((inflight = atomic_load_explicit(&object->inflight,
                                            memory_order_acquire)) != 0)
        futex_wait(&object->inflight, inflight);
    INVARIANT("I8", object->map.nr_present == 0 && object->map.root == 0);
    rangelock_check(&object->range);
}

uint64_t object_pages(struct object *object)
{
    uint64_t pages;

    mutex_lock(&object->lock, RANK_OBJECT);
    pages = object->map.nr_present;
    mutex_unlock(&object->lock);
    return pages;
}

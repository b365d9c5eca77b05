/* fake_owner.c - arrays of pages that check their own bytes. */
#include "fake_owner.h"

#include "log.h"
#include "pool_internal.h"

#include <check.h>
#include <errno.h>
#include <stdlib.h>

enum { WORDS = PAGE_SIZE / sizeof(uint64_t), RUN_MAX = 256 };

static struct fake_owner *owner_of(struct rig *rig, uint32_t owner)
{
    return &rig->owners[owner - 1];
}

/* --- bytes ------------------------------------------------------------------ */

static uint64_t word(uint32_t owner, uint64_t index, uint32_t value, unsigned i)
{
    return ((uint64_t)owner << 56) + (index << 36) + ((uint64_t)value << 10) + i;
}

static void fill(uint64_t *words, uint32_t owner, uint64_t index,
                 uint32_t value)
{
    for (unsigned i = 0; i < WORDS; i++)
        words[i] = word(owner, index, value, i);
}

static void verify(const uint64_t *words, uint32_t owner, uint64_t index,
                   uint32_t value)
{
    for (unsigned i = 0; i < WORDS; i++) {
        if (words[i] == word(owner, index, value, i))
            continue;
        log_error("owner %u page %lu value %u: word %u is %lx, not %lx", owner,
                  index, value, i, words[i], word(owner, index, value, i));
        abort();
    }
}

/* Check's assertions allocate, and belong to the test's own thread. */
static void expect(bool good, const char *what)
{
    if (good)
        return;
    log_error("fake owner: %s", what);
    abort();
}

/* --- ops -------------------------------------------------------------------- */

static bool op_trylock(void *ctx, uint32_t owner)
{
    return mutex_trylock(&owner_of(ctx, owner)->lock, RANK_OBJECT);
}

static void op_lock(void *ctx, uint32_t owner) NO_THREAD_SAFETY
{
    mutex_lock(&owner_of(ctx, owner)->lock, RANK_OBJECT);
}

static void op_unlock(void *ctx, uint32_t owner) NO_THREAD_SAFETY
{
    mutex_unlock(&owner_of(ctx, owner)->lock);
}

static void op_hold(void *ctx, uint32_t owner)
{
    atomic_fetch_add(&owner_of(ctx, owner)->inflight, 1);
}

static void op_release(void *ctx, uint32_t owner)
{
    expect(atomic_fetch_sub(&owner_of(ctx, owner)->inflight, 1) > 0,
           "released, but not held");
}

static uint32_t op_frame_at(void *ctx, uint32_t owner, uint64_t index)
{
    struct rig *rig = ctx;
    const struct fake_entry *e;

    if (index >= rig->nr_pages)
        return FRAME_NONE;
    e = &owner_of(rig, owner)->entries[index];
    return e->kind == FAKE_FRAME ? e->number : FRAME_NONE;
}

static void op_evicted(void *ctx, uint32_t owner, uint64_t index,
                       uint32_t block) NO_THREAD_SAFETY
{
    struct fake_entry *e = &owner_of(ctx, owner)->entries[index];

    mutex_assert_held(&owner_of(ctx, owner)->lock);
    expect(e->kind == FAKE_FRAME, "evicted, but not resident");
    e->kind = FAKE_BLOCK;
    e->number = block;
}

static void op_lost(void *ctx, uint32_t owner, uint64_t index) NO_THREAD_SAFETY
{
    struct rig *rig = ctx;
    struct fake_entry *e = &owner_of(rig, owner)->entries[index];

    mutex_assert_held(&owner_of(rig, owner)->lock);
    expect(e->kind == FAKE_FRAME, "lost, but not resident");
    e->kind = FAKE_LOST;
    atomic_fetch_add(&rig->lost, 1);
}

static uint32_t op_hint(void *ctx, uint32_t owner, uint64_t index)
{
    const struct fake_entry *e = &owner_of(ctx, owner)->entries[index];

    return index > 0 && e[-1].kind == FAKE_BLOCK ? e[-1].number + 1
                                                 : BLOCK_NONE;
}

static int read_run(struct rig *rig, uint32_t owner, uint64_t index,
                    uint32_t max, enum pool_wait wait, uint32_t *got);

/* Up to one read. */
static int op_vacate(void *ctx, struct pool_walk *walk)
{
    struct rig *rig = ctx;
    uint32_t owner = MAX(walk->owner, 1u), got;
    struct fake_owner *o;
    bool read = false;

    if (owner > rig->nr_owners)
        return 1;
    o = owner_of(rig, owner);
    mutex_lock(&o->lock, RANK_OBJECT);
    for (; !read && walk->index < rig->nr_pages; walk->index++) {
        const struct fake_entry *e = &o->entries[walk->index];

        if (e->kind == FAKE_FRAME)
            pool_page_vacate(rig->pool, e->number, walk);
        read = e->kind == FAKE_BLOCK && pool_walk_wants(walk, e->number);
    }
    mutex_unlock(&o->lock);
    if (read)
        return read_run(rig, owner, walk->index - 1, RUN_MAX, POOL_WAIT, &got);
    walk->owner = owner + 1;
    walk->index = 0;
    return 0;
}

/* Nobody here waits for frames with a pin. */
static void op_pins_settle(void *ctx)
{
    struct rig *rig = ctx;

    atomic_fetch_add(&rig->settled, 1);
}

const struct pool_ops fake_owner_ops = {
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

/* --- the rig ---------------------------------------------------------------- */

void rig_up(struct rig *rig, const struct rig_config *config)
{
    struct swap_file file = fake_swap_file(config->blocks);
    struct pool_config pool = { .swap = NULL };

    *rig = (struct rig){ .nr_owners = MAX(config->owners, 1u),
                         .nr_pages = config->pages };
    ck_assert_int_eq(arena_create_range(&rig->arena,
                                        rig_bytes(config->frames),
                                        rig_bytes(config->frames_most)), 0);
    ck_assert_int_eq(swap_create(&rig->swap, &file, rig->arena, 64), 0);
    rig->owners = calloc(rig->nr_owners, sizeof(*rig->owners));
    for (uint32_t o = 0; o < rig->nr_owners; o++)
        rig->owners[o].entries = calloc(rig->nr_pages,
                                        sizeof(struct fake_entry));
    pool = (struct pool_config){
        .arena = rig->arena,
        .swap = rig->swap,
        .limit = config->limit,
        .replacement = config->replacement,
        .ops = &fake_owner_ops,
        .ctx = rig,
    };
    ck_assert_int_eq(pool_create(&rig->pool, &pool), 0);
    if (!config->quiet)
        atomic_store(&rig->pool->launder.last_write_ns, clock_monotonic_ns());
    if (!config->stopped)
        ck_assert_int_eq(pool_start(rig->pool), 0);
}

void rig_down(struct rig *rig)
{
    struct pool_stats stats;

    pool_quiesce(rig->pool);
    pool_check(rig->pool);
    for (uint32_t o = 1; o <= rig->nr_owners; o++)
        for (uint64_t i = 0; i < rig->nr_pages; i++)
            fake_drop(rig, o, i);
    pool_quiesce(rig->pool);
    pool_stats(rig->pool, &stats);
    ck_assert_uint_eq(stats.used, 0);
    ck_assert_uint_eq(fake_swap_counts().nr_used, 0);
    for (uint32_t o = 0; o < rig->nr_owners; o++) {
        ck_assert_int_eq(atomic_load(&rig->owners[o].inflight), 0);
        free(rig->owners[o].entries);
    }
    pool_destroy(rig->pool);
    swap_destroy(rig->swap);
    arena_destroy(rig->arena);
    free(rig->owners);
}

/* --- what an owner does ------------------------------------------------------ */

/* Pins the page at e, which is resident; the lock is dropped.  0 once it may be
 * looked at, with the pin; else without. */
static int pinned_wait(struct rig *rig, struct fake_owner *o, uint32_t frame,
                       bool wait) RELEASE(o->lock)
{
    struct page *page = pool_page(rig->arena, frame);
    int err = 0;

    if (atomic_load(&page->state) == PAGE_READING && !wait) {
        mutex_unlock(&o->lock);
        return -EAGAIN;
    }
    pool_page_pin(rig->pool, frame);
    page->flags &= (uint16_t)~PAGE_READAHEAD;
    pool_page_touch(page);
    mutex_unlock(&o->lock);
    err = pool_page_wait(rig->pool, frame);
    if (err)
        pool_page_unpin(rig->pool, frame);
    return err;
}

/* The page is resident and not READING: changes it in place. */
static void overwrite(struct rig *rig, struct fake_owner *o, uint32_t owner,
                      uint64_t index, uint32_t value) RELEASE(o->lock)
{
    uint32_t frame = o->entries[index].number;

    pool_page_pin(rig->pool, frame);
    pool_page_dirty(rig->pool, frame);
    pool_page_touch(pool_page(rig->arena, frame));
    mutex_unlock(&o->lock);
    fill(arena_frame_ptr(rig->arena, frame), owner, index, value);
    pool_page_unpin(rig->pool, frame);
}

/* The page was not resident, and is charged.  1: it is now, somebody has read it
 * along with another. */
static int write_fresh(struct rig *rig, uint32_t owner, uint64_t index,
                       uint32_t value, bool wait)
{
    struct fake_owner *o = owner_of(rig, owner);
    struct fake_entry *e = &o->entries[index];
    uint32_t frame;
    int err = pool_frames_get(rig->pool, 1, &frame,
                              wait ? POOL_WAIT : POOL_NOWAIT);

    if (err)
        return err;
    fill(arena_frame_ptr(rig->arena, frame), owner, index, value);
    mutex_lock(&o->lock, RANK_OBJECT);
    if (e->kind == FAKE_FRAME) {
        mutex_unlock(&o->lock);
        pool_frames_put(rig->pool, 1, &frame);
        return 1;
    }
    pool_page_insert(rig->pool, frame, owner, index, PAGE_DIRTY, BLOCK_NONE,
                     false);
    if (e->kind == FAKE_BLOCK)
        pool_blocks_free(rig->pool, e->number, 1);
    e->kind = FAKE_FRAME;
    e->number = frame;
    mutex_unlock(&o->lock);
    return 0;
}

/* One attempt; 1: the page was being read, or has been, look again. */
static int write_try(struct rig *rig, uint32_t owner, uint64_t index,
                     uint32_t value, bool wait)
{
    struct fake_owner *o = owner_of(rig, owner);
    struct fake_entry *e = &o->entries[index];
    uint32_t frame, got;
    bool hole;
    int err;

    mutex_lock(&o->lock, RANK_OBJECT);
    frame = e->number;
    hole = e->kind == FAKE_HOLE;
    if (e->kind == FAKE_FRAME &&
        atomic_load(&pool_page(rig->arena, frame)->state) != PAGE_READING) {
        overwrite(rig, o, owner, index, value);
        return 0;
    }
    if (e->kind == FAKE_FRAME) {
        err = pinned_wait(rig, o, frame, wait);
        if (!err)
            pool_page_unpin(rig->pool, frame);
        return err == -EAGAIN ? err : 1;
    }
    mutex_unlock(&o->lock);
    err = hole ? pool_charge(rig->pool, 1, wait, &got) : 0;
    if (err)
        return err;
    err = write_fresh(rig, owner, index, value, wait);
    if (err < 0 && hole)
        pool_uncharge(rig->pool, 1);
    return err;
}

int fake_write(struct rig *rig, uint32_t owner, uint64_t index, uint32_t value,
               bool wait)
{
    int err;

    do
        err = write_try(rig, owner, index, value, wait);
    while (err == 1);
    if (!err)
        owner_of(rig, owner)->entries[index].value = value;
    return err;
}

/* Pages from `index` on that lie one behind the other on swap. */
static uint32_t run_length(struct rig *rig, struct fake_owner *o,
                           uint64_t index, uint32_t max) REQUIRES(o->lock)
{
    uint32_t nr = 0;

    while (nr < max && index + nr < rig->nr_pages &&
           o->entries[index + nr].kind == FAKE_BLOCK &&
           o->entries[index + nr].number == o->entries[index].number + nr)
        nr++;
    return nr;
}

/* Starts reading up to `max` pages; *got may be 0 if they are not on swap. */
static int read_run(struct rig *rig, uint32_t owner, uint64_t index,
                    uint32_t max, enum pool_wait wait, uint32_t *got)
{
    struct fake_owner *o = owner_of(rig, owner);
    struct pool_io *io = NULL;
    uint32_t frames[RUN_MAX], nr, block = BLOCK_NONE;
    int err;

    *got = 0;
    mutex_lock(&o->lock, RANK_OBJECT);
    nr = run_length(rig, o, index, MIN(max, pool_batch(rig->pool)));
    mutex_unlock(&o->lock);
    if (nr == 0)
        return 0;
    err = pool_frames_get(rig->pool, nr, frames, wait);
    if (err)
        return err;
    io = pool_io_get(rig->pool, wait == POOL_WAIT_READ || wait == POOL_WAIT);
    if (!io) {
        pool_frames_put(rig->pool, nr, frames);
        return -EAGAIN;
    }
    mutex_lock(&o->lock, RANK_OBJECT);
    *got = run_length(rig, o, index, nr);
    for (uint32_t i = 0; i < *got; i++) {
        struct fake_entry *e = &o->entries[index + i];

        block = i == 0 ? e->number : block;
        pool_page_insert(rig->pool, frames[i], owner, index + i, PAGE_READING,
                         e->number, i > 0 || wait == POOL_AHEAD);
        e->kind = FAKE_FRAME;
        e->number = frames[i];
    }
    if (*got > 0)
        op_hold(rig, owner);
    mutex_unlock(&o->lock);
    if (*got < nr)
        pool_frames_put(rig->pool, nr - *got, frames + *got);
    if (*got == 0) {
        pool_io_put(rig->pool, io);
        return 0;
    }
    pool_io_prepare(rig->pool, io, owner, index, block, *got, frames);
    if (rig->reads_itself && wait == POOL_WAIT_READ)
        pool_io_run(io);
    else
        pool_io_submit(io);
    return 0;
}

int fake_read(struct rig *rig, uint32_t owner, uint64_t index, uint32_t run,
              bool wait)
{
    struct fake_owner *o = owner_of(rig, owner);
    struct fake_entry *e = &o->entries[index];
    uint32_t frame, got;
    int err;

    for (;;) {
        mutex_lock(&o->lock, RANK_OBJECT);
        if (e->kind == FAKE_FRAME)
            break;
        err = e->kind == FAKE_LOST ? -EIO : 0;
        if (err || e->kind == FAKE_HOLE) {
            mutex_unlock(&o->lock);
            return err;
        }
        mutex_unlock(&o->lock);
        err = read_run(rig, owner, index, run,
                       wait ? POOL_WAIT_READ : POOL_NOWAIT, &got);
        if (err)
            return err;
    }
    frame = e->number;
    err = pinned_wait(rig, o, frame, wait);
    if (err)
        return err;
    verify(arena_frame_ptr(rig->arena, frame), owner, index, e->value);
    pool_page_unpin(rig->pool, frame);
    return 0;
}

uint32_t fake_read_ahead(struct rig *rig, uint32_t owner, uint64_t first,
                         uint32_t nr)
{
    uint32_t got = 0;

    return read_run(rig, owner, first, nr, POOL_AHEAD, &got) ? 0 : got;
}

void fake_drop(struct rig *rig, uint32_t owner, uint64_t index)
{
    struct fake_owner *o = owner_of(rig, owner);
    struct fake_entry *e = &o->entries[index];
    bool charged;

    mutex_lock(&o->lock, RANK_OBJECT);
    charged = e->kind != FAKE_HOLE;
    if (e->kind == FAKE_FRAME)
        pool_page_drop(rig->pool, e->number);
    else if (e->kind == FAKE_BLOCK)
        pool_blocks_free(rig->pool, e->number, 1);
    e->kind = FAKE_HOLE;
    mutex_unlock(&o->lock);
    if (charged)
        pool_uncharge(rig->pool, 1);
}

struct fake_entry fake_entry(struct rig *rig, uint32_t owner, uint64_t index)
{
    struct fake_owner *o = owner_of(rig, owner);
    struct fake_entry e;

    mutex_lock(&o->lock, RANK_OBJECT);
    e = o->entries[index];
    mutex_unlock(&o->lock);
    return e;
}

enum page_state fake_state(struct rig *rig, uint32_t owner, uint64_t index)
{
    struct fake_owner *o = owner_of(rig, owner);
    const struct fake_entry *e = &o->entries[index];
    enum page_state state = PAGE_NONE;

    mutex_lock(&o->lock, RANK_OBJECT);
    if (e->kind == FAKE_FRAME)
        state = atomic_load(&pool_page(rig->arena, e->number)->state);
    mutex_unlock(&o->lock);
    return state;
}

uint32_t fake_pin(struct rig *rig, uint32_t owner, uint64_t index)
{
    struct fake_owner *o = owner_of(rig, owner);
    const struct fake_entry *e = &o->entries[index];
    uint32_t frame = FRAME_NONE;

    mutex_lock(&o->lock, RANK_OBJECT);
    if (e->kind == FAKE_FRAME) {
        frame = e->number;
        pool_page_pin(rig->pool, frame);
    }
    mutex_unlock(&o->lock);
    return frame;
}

/* pageout_cluster drops the owner's lock. */
int fake_pageout(struct rig *rig, uint32_t owner, uint64_t index)
    NO_THREAD_SAFETY
{
    struct pool *pool = rig->pool;
    uint32_t frame;

    op_lock(rig, owner);
    frame = op_frame_at(rig, owner, index);
    ck_assert_uint_ne(frame, FRAME_NONE);
    mutex_lock(&pool->queue_lock, RANK_POOL);
    replace_remove(&pool->replace, frame);
    mutex_unlock(&pool->queue_lock);
    return pageout_cluster(pool, frame);
}

void fake_clean(struct rig *rig, uint32_t owner, uint64_t index, bool stay)
{
    ck_assert_int_eq(fake_state(rig, owner, index), PAGE_DIRTY);
    atomic_store(&pool_page(rig->arena, fake_entry(rig, owner, index).number)
                      ->referenced, stay);
    ck_assert_int_eq(fake_pageout(rig, owner, index), 0);
    pool_quiesce(rig->pool);
    ck_assert_int_eq(fake_state(rig, owner, index),
                     stay ? PAGE_CLEAN : PAGE_NONE);
}

uint64_t fake_fill(struct rig *rig, uint32_t owner, uint32_t value)
{
    uint64_t n = 0;

    while (n < rig->nr_pages && fake_write(rig, owner, n, value, true) == 0)
        n++;
    return n;
}

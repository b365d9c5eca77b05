/* size.c - areas grow and shrink.
 *
 * By one thread at a time (`resizing`), with the lock dropped for the disk's
 * part, in an order that keeps promise 5 in between:
 *
 *     grow    put disk behind UNBACKED clusters, then let them be allocated
 *     trim    claim free clusters, ask, make them UNBACKED, then punch them out
 *
 * The area of the highest priority grows first, until it or its host is full; of
 * equal ones that with the least disk, so that turns stay even.  Trimming goes
 * the other way.
 *
 * The allocators' tables live in frames of the arena.
 */
#include "swap_internal.h"

#include "log.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

enum {
    /* fallocate is not free: far from the limit much is taken at once, near it
     * a part of what is left, so that the limit is not hit in one step. */
    STEP_MOST = (64 << 20) >> PAGE_SHIFT,
    STEP_PART = 8,
};

/* --- table pages, from the arena ------------------------------------------ */

/* The arena may call back to the pool, whose locks come before ours: so frames
 * for tables are put by before the allocator runs. */
static void spare_fill(struct swap *swap) EXCLUDES(swap->lock)
{
    uint32_t frame;

    for (unsigned i = 0; i < SWAP_GROW_TABLES; i++) {
        frame = arena_frame_alloc(swap->arena, swap->arena->reserve);
        if (frame == FRAME_NONE)
            return;
        mutex_lock(&swap->lock, RANK_SWAP);
        swap->spare[swap->nr_spare++] = arena_frame_ptr(swap->arena, frame);
        swap->nr_tables++;
        mutex_unlock(&swap->lock);
    }
}

/* Caller holds swap->lock, as always when the allocator runs. */
static int table_alloc(void *ctx, void **page)
{
    struct swap *swap = ctx;

    if (swap->nr_spare == 0)
        return -EAGAIN;
    *page = swap->spare[--swap->nr_spare];
    memset(*page, 0, PAGE_SIZE);
    return 0;
}

/* Caller holds swap->lock. */
static void table_free(void *ctx, void *page)
{
    struct swap *swap = ctx;

    arena_frame_free(swap->arena, arena_frame_of(swap->arena, page));
    swap->nr_tables--;
}

const struct space_ops swap_table_ops = { table_alloc, table_free };

static void spare_drop(struct swap *swap) REQUIRES(swap->lock)
{
    while (swap->nr_spare > 0)
        table_free(swap, swap->spare[--swap->nr_spare]);
}

/* --- one at a time -------------------------------------------------------- */

void resize_begin(struct swap *swap)
{
    mutex_lock(&swap->lock, RANK_SWAP);
    while (swap->resizing)
        cond_wait(&swap->resized, &swap->lock);
    swap->resizing = true;
    mutex_unlock(&swap->lock);
}

void resize_end(struct swap *swap)
{
    mutex_lock(&swap->lock, RANK_SWAP);
    spare_drop(swap);
    swap->resizing = false;
    cond_signal(&swap->resized);
    mutex_unlock(&swap->lock);
}

/* --- growing -------------------------------------------------------------- */

static uint32_t unbacked(const struct swap_area *area)
{
    return area->state == SWAP_AREA_ACTIVE
               ? area->file.nr_blocks - space_nr_backed(area->space) : 0;
}

/* The area to grow, if any can; `refused`: not those whose bit is set. */
static struct swap_area *grow_next(struct swap *swap, uint32_t refused,
                                   unsigned *which) EXCLUDES(swap->lock)
{
    struct swap_area *best = NULL;

    mutex_lock(&swap->lock, RANK_SWAP);
    for (unsigned i = 0; i < swap->nr_areas; i++) {
        struct swap_area *area = swap->area[i];

        if (unbacked(area) == 0 || refused >> i & 1)
            continue;
        if (best && (area->priority < best->priority ||
                     space_nr_backed(area->space) >=
                         space_nr_backed(best->space)))
            continue;
        best = area;
        *which = i;
    }
    mutex_unlock(&swap->lock);
    return best;
}

/* How much to ask of the host for a want of so many blocks. */
static uint32_t step_for(struct swap *swap, struct swap_area *area,
                         uint32_t want)
{
    uint64_t left;

    mutex_lock(&swap->lock, RANK_SWAP);
    left = unbacked(area);
    mutex_unlock(&swap->lock);
    left = MIN(left, swap_file_room(&area->file));
    return MIN((uint32_t)STEP_MOST,
               MAX(want, (uint32_t)MIN(left / STEP_PART, (uint64_t)STEP_MOST)));
}

/* One run of clusters, as long as the host has disk for, but at most `step`. */
static int grow_once(struct swap *swap, struct swap_area *area, uint32_t step,
                     uint32_t *got)
{
    uint32_t first, nr;
    int err;

    mutex_lock(&swap->lock, RANK_SWAP);
    nr = space_unbacked(area->space, step, &first);
    mutex_unlock(&swap->lock);
    while ((err = swap_file_grow(&area->file, first, nr)) != 0 &&
           nr > SPACE_CLUSTER)
        nr = (uint32_t)round_up(nr / 2, SPACE_CLUSTER);
    if (err)
        return err;
    mutex_lock(&swap->lock, RANK_SWAP);
    err = space_back(area->space, first, nr);
    mutex_unlock(&swap->lock);
    if (err)
        swap_file_punch(&area->file, first, nr);
    else
        *got = nr;
    return err;
}

int swap_grow(struct swap *swap, uint32_t want, uint32_t *got)
{
    struct swap_area *area;
    uint32_t refused = 0;
    int err = -ENOSPC;
    unsigned which;

    *got = 0;
    lock_assert_none(RANK_BUDGET);
    resize_begin(swap);
    spare_fill(swap);
    while (*got < want &&
           (area = grow_next(swap, refused, &which)) != NULL) {
        uint32_t n = 0;

        err = grow_once(swap, area, step_for(swap, area, want - *got), &n);
        if (err == -EAGAIN)
            break;
        if (err)
            refused |= 1u << which;
        *got += n;
    }
    resize_end(swap);
    if (*got > 0)
        return 0;
    /* However the host says that its disk is full. */
    return err == -EDQUOT ? -ENOSPC : err;
}

uint64_t swap_room(struct swap *swap)
{
    uint64_t room = 0;

    /* An area may go while we look: the host is asked through a descriptor of
     * our own. */
    for (unsigned i = 0; i < SWAP_AREAS_MAX; i++) {
        struct swap_file file = { .fd = -1 };

        mutex_lock(&swap->lock, RANK_SWAP);
        if (i < swap->nr_areas) {
            file = swap->area[i]->file;
            file.name = NULL;
            file.fd = fcntl(file.fd, F_DUPFD_CLOEXEC, 0);
        }
        mutex_unlock(&swap->lock);
        room += swap_file_room(&file);
        swap_file_close(&file);
    }
    return room;
}

/* --- trimming ------------------------------------------------------------- */

/* Clusters taken from the allocator that lie together, to be punched in one. */
struct hole {
    struct swap_area *area;
    uint32_t first, nr;
};

static void punch(struct hole *hole)
{
    if (hole->nr > 0)
        swap_file_punch(&hole->area->file, hole->first, hole->nr);
    hole->nr = 0;
}

static void hole_extend(struct hole *hole, uint32_t first, uint32_t nr)
{
    if (first + nr != hole->first)
        punch(hole);
    hole->first = first;
    hole->nr += nr;
}

/* Takes the highest free cluster below the hole; returns its blocks, or 0 if
 * there is none or the caller of swap_trim wants to keep it (*kept). */
static uint32_t trim_once(struct swap *swap, uint32_t max,
                          bool (*release)(void *ctx, uint32_t nr), void *ctx,
                          struct hole *hole, bool *kept)
{
    struct space *space = hole->area->space;
    uint32_t first, nr;
    bool found;

    mutex_lock(&swap->lock, RANK_SWAP);
    found = space_claim(space, hole->first, &first, &nr);
    if (found)
        audit_tell(swap, hole->area->base + first, nr, true);
    mutex_unlock(&swap->lock);
    if (!found)
        return 0;
    *kept = nr > max || !release(ctx, nr);
    mutex_lock(&swap->lock, RANK_SWAP);
    if (*kept)
        space_free(space, first, nr);
    else
        space_unback(space, first);
    audit_tell(swap, hole->area->base + first, nr, false);
    mutex_unlock(&swap->lock);
    if (*kept)
        return 0;
    hole_extend(hole, first, nr);
    return nr;
}

/* The area to trim: the last before `end` that can be. */
static struct swap_area *trim_next(struct swap *swap, unsigned *end)
    EXCLUDES(swap->lock)
{
    struct swap_area *found = NULL;

    mutex_lock(&swap->lock, RANK_SWAP);
    while (!found && *end > 0) {
        struct swap_area *area = swap->area[--*end];

        if (area->state == SWAP_AREA_ACTIVE && area->file.can_punch)
            found = area;
    }
    mutex_unlock(&swap->lock);
    return found;
}

uint32_t swap_trim(struct swap *swap, uint32_t max,
                   bool (*release)(void *ctx, uint32_t nr), void *ctx)
{
    uint32_t taken = 0, nr;
    struct swap_area *area;
    bool kept = false;
    unsigned end;

    lock_assert_none(RANK_BUDGET);
    resize_begin(swap);
    mutex_lock(&swap->lock, RANK_SWAP);
    end = swap->nr_areas;
    mutex_unlock(&swap->lock);
    while (!kept && (area = trim_next(swap, &end)) != NULL) {
        struct hole hole = { .area = area, .first = area->file.nr_blocks };

        while ((nr = trim_once(swap, max - taken, release, ctx, &hole,
                               &kept)) > 0)
            taken += nr;
        punch(&hole);
    }
    resize_end(swap);
    return taken;
}

bool swap_can_trim(struct swap *swap)
{
    bool can = false;

    mutex_lock(&swap->lock, RANK_SWAP);
    for (unsigned i = 0; !can && i < swap->nr_areas; i++)
        can = swap->area[i]->state == SWAP_AREA_ACTIVE &&
              swap->area[i]->file.can_punch;
    mutex_unlock(&swap->lock);
    return can;
}

/* area.c - swap files and devices come and go.
 *
 * The list is kept by priority, highest first, and changes only between
 * resize_begin and resize_end, so that who grows or trims an area with the lock
 * dropped still has it afterwards.
 *
 * A range of block numbers is the first gap between those of the other areas, in
 * whole clusters and longer than the area by one block at least (W1).  Numbers
 * are plenty: 4 TiB in pages.
 *
 * Taking an area away is the pool's work: it alone knows whose the blocks are.
 * Here an area is only closed, first to growth and then to allocation, and freed
 * when its last block has been.  No transfer can be under way then, since what
 * is transferred is in use until the transfer is done.
 */
#include "swap_internal.h"

#include "log.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const char *name_of(const struct swap_file *file)
{
    return file->name ? file->name : "";
}

/* --- numbers -------------------------------------------------------------- */

static uint32_t range_of(uint32_t nr_blocks)
{
    return (uint32_t)round_down(nr_blocks, SPACE_CLUSTER) + SPACE_CLUSTER;
}

static uint32_t range_end(const struct swap_area *area)
{
    return area->base + range_of(area->file.nr_blocks);
}

/* The area whose range meets [base, base + nr), or NULL. */
static struct swap_area *range_taken(struct swap *swap, uint32_t base,
                                     uint32_t nr) REQUIRES(swap->lock)
{
    for (unsigned i = 0; i < swap->nr_areas; i++)
        if (base < range_end(swap->area[i]) &&
            swap->area[i]->base < (uint64_t)base + nr)
            return swap->area[i];
    return NULL;
}

/* Where nr_blocks fit, from the lowest number on. */
static int range_find(struct swap *swap, uint32_t nr_blocks, uint32_t *base)
    REQUIRES(swap->lock)
{
    const struct swap_area *in_the_way;

    *base = 0;
    while ((in_the_way = range_taken(swap, *base, range_of(nr_blocks))))
        *base = range_end(in_the_way);
    return (uint64_t)*base + nr_blocks <= SPACE_MAX_BLOCKS ? 0 : -ENOSPC;
}

/* --- coming --------------------------------------------------------------- */

static struct swap_area *area_named(struct swap *swap, const char *name)
    REQUIRES(swap->lock)
{
    for (unsigned i = 0; i < swap->nr_areas; i++)
        if (strcmp(name_of(&swap->area[i]->file), name) == 0)
            return swap->area[i];
    return NULL;
}

static int area_create(struct swap *swap, const struct swap_file *file,
                       struct swap_area **out)
{
    struct swap_area *area = calloc(1, sizeof(*area));
    int err;

    if (!area)
        return -ENOMEM;
    area->file = *file;
    err = space_create(&area->space, file->nr_blocks, &swap_table_ops, swap);
    if (err)
        goto free_area;
    err = swap_engine_create(&area->engine, &area->file, SWAP_ENGINE_BEST,
                             swap->max_inflight);
    if (err)
        goto destroy_space;
    *out = area;
    return 0;

destroy_space:
    space_destroy(area->space);
free_area:
    free(area);
    return err;
}

/* Into the list, behind those of its priority. */
static int area_link(struct swap *swap, struct swap_area *area)
    REQUIRES(swap->lock)
{
    unsigned at = swap->nr_areas;
    int err;

    if (area_named(swap, name_of(&area->file)))
        return -EEXIST;
    if (swap->nr_areas == SWAP_AREAS_MAX)
        return -EMFILE;
    err = range_find(swap, area->file.nr_blocks, &area->base);
    if (err)
        return err;
    if (area->priority < 0)
        area->priority = MIN(at ? swap->area[at - 1]->priority : 0, 0) - 1;
    for (; at > 0 && swap->area[at - 1]->priority < area->priority; at--)
        swap->area[at] = swap->area[at - 1];
    swap->area[at] = area;
    swap->nr_areas++;
    return 0;
}

int swap_add(struct swap *swap, const struct swap_file *file, int priority)
{
    struct swap_area *area;
    int err = area_create(swap, file, &area);

    if (err)
        return err;
    area->priority = priority;
    resize_begin(swap);
    mutex_lock(&swap->lock, RANK_SWAP);
    err = area_link(swap, area);
    mutex_unlock(&swap->lock);
    resize_end(swap);
    if (err) {
        area->file = (struct swap_file){ .fd = -1 };
        area_destroy(swap, area);
    }
    return err;
}

/* --- going ---------------------------------------------------------------- */

void area_destroy(struct swap *swap, struct swap_area *area)
{
    swap_engine_destroy(area->engine);
    mutex_lock(&swap->lock, RANK_SWAP);
    space_check(area->space);
    space_destroy(area->space);
    mutex_unlock(&swap->lock);
    swap_file_close(&area->file);
    free(area);
}

/* The only function that changes an area's state. */
static void area_set(struct swap_area *area, enum swap_area_state state)
{
    INVARIANT("W2", state == SWAP_AREA_ACTIVE || state == area->state + 1);
    area->state = state;
}

static struct swap_area *area_going(struct swap *swap) REQUIRES(swap->lock)
{
    for (unsigned i = 0; i < swap->nr_areas; i++)
        if (swap->area[i]->state != SWAP_AREA_ACTIVE)
            return swap->area[i];
    return NULL;
}

int swap_close(struct swap *swap, const char *name, uint32_t *first)
{
    struct swap_area *area;
    int err = 0;

    resize_begin(swap);
    mutex_lock(&swap->lock, RANK_SWAP);
    area = area_named(swap, name);
    if (!area) {
        err = -ENOENT;
    } else if (area_going(swap)) {
        err = -EBUSY;
    } else {
        area_set(area, SWAP_AREA_CLOSING);
        *first = area->base;
    }
    mutex_unlock(&swap->lock);
    resize_end(swap);
    return err;
}

static void change(struct swap *swap, uint32_t first, enum swap_area_state to)
{
    mutex_lock(&swap->lock, RANK_SWAP);
    area_set(area_of(swap, first), to);
    mutex_unlock(&swap->lock);
}

void swap_leave(struct swap *swap, uint32_t first)
{
    change(swap, first, SWAP_AREA_LEAVING);
}

void swap_reopen(struct swap *swap, uint32_t first)
{
    change(swap, first, SWAP_AREA_ACTIVE);
}

void swap_drop(struct swap *swap, uint32_t first)
{
    struct swap_area *area;
    unsigned i = 0;

    resize_begin(swap);
    mutex_lock(&swap->lock, RANK_SWAP);
    area = area_of(swap, first);
    INVARIANT("W2", area->state == SWAP_AREA_LEAVING);
    while (swap->area[i] != area)
        i++;
    for (swap->nr_areas--; i < swap->nr_areas; i++)
        swap->area[i] = swap->area[i + 1];
    mutex_unlock(&swap->lock);
    resize_end(swap);
    area_destroy(swap, area);
}

/* --- looking -------------------------------------------------------------- */

static void describe(const struct swap_area *area, struct swap_area_info *info)
{
    const char *name = name_of(&area->file);
    size_t length = strlen(name);
    struct space_stats stats;

    space_stats(area->space, &stats);
    *info = (struct swap_area_info){
        .state = area->state,
        .priority = area->priority,
        .device = area->file.device,
        .first = area->base,
        .nr_max = stats.nr_blocks,
        .nr_backed = stats.nr_backed,
        .nr_used = stats.nr_used,
        .nr_free = stats.nr_free,
        .nr_retired = stats.nr_retired,
    };
    if (length >= sizeof(info->name))
        name += length - (sizeof(info->name) - 1);
    strcpy(info->name, name);
}

void swap_get(struct swap *swap, uint32_t first, struct swap_area_info *info)
{
    mutex_lock(&swap->lock, RANK_SWAP);
    describe(area_of(swap, first), info);
    mutex_unlock(&swap->lock);
}

uint32_t swap_list(struct swap *swap,
                   struct swap_area_info list[SWAP_AREAS_MAX])
{
    uint32_t nr;

    mutex_lock(&swap->lock, RANK_SWAP);
    for (nr = 0; nr < swap->nr_areas; nr++)
        describe(swap->area[nr], &list[nr]);
    mutex_unlock(&swap->lock);
    return nr;
}

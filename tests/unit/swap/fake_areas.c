/* fake_areas.c - the areas of the swap space that fake_swap.c makes up. */
#include "fake_swap_internal.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

struct fake_area *fake_area_of(uint32_t block)
{
    for (unsigned i = 0; i < fake.nr_areas; i++)
        if (block - fake.areas[i].first < fake.areas[i].nr)
            return &fake.areas[i];
    return NULL;
}

bool fake_is_leaving(uint32_t block)
{
    const struct fake_area *area = fake_area_of(block);

    return area && area->state == SWAP_AREA_LEAVING;
}

uint32_t fake_nr_max(void) REQUIRES(fake.lock)
{
    uint32_t nr = 0;

    for (unsigned i = 0; i < fake.nr_areas; i++)
        if (fake.areas[i].state != SWAP_AREA_LEAVING)
            nr += fake.areas[i].nr;
    return nr;
}

static void describe(const struct fake_area *area, struct swap_area_info *info)
    REQUIRES(fake.lock)
{
    *info = (struct swap_area_info){ .state = area->state,
                                     .priority = area->priority,
                                     .first = area->first,
                                     .nr_max = area->nr };
    strcpy(info->name, area->name);
    for (uint32_t b = area->first; b < area->first + area->nr; b++) {
        info->nr_backed += fake.state[b] != UNBACKED;
        info->nr_free += fake.state[b] == FREE;
        info->nr_used += fake.state[b] == USED;
        info->nr_retired += fake.state[b] == RETIRED;
    }
}

/* A number that nr blocks can begin at, with a gap before and behind them. */
static uint32_t place_for(uint32_t nr) REQUIRES(fake.lock)
{
    uint32_t at = 0;

    for (unsigned i = 0; i < fake.nr_areas; i++) {
        const struct fake_area *area = &fake.areas[i];

        if (at < area->first + area->nr + 1 && area->first < at + nr + 1) {
            at = area->first + area->nr + 1;
            i = UINT_MAX; /* from the first again */
        }
    }
    return at;
}

int swap_add(struct swap *swap, const struct swap_file *file, int priority)
{
    struct fake_area *area = &fake.areas[fake.nr_areas];

    (void)swap;
    fake_lock();
    fake_expect(fake.nr_areas < SWAP_AREAS_MAX, "too many areas of",
                file->nr_blocks);
    *area = (struct fake_area){ .first = place_for(file->nr_blocks),
                                .nr = file->nr_blocks, .priority = priority };
    fake_expect(area->first + area->nr <= fake.capacity, "no room for area at",
                area->first);
    snprintf(area->name, sizeof(area->name), "%s", file->name ? file->name : "");
    fake.nr_blocks = MAX(fake.nr_blocks, area->first + area->nr);
    fake.nr_areas++;
    fake_unlock();
    return 0;
}

static struct fake_area *area_named(const char *name) REQUIRES(fake.lock)
{
    for (unsigned i = 0; i < fake.nr_areas; i++)
        if (strcmp(fake.areas[i].name, name) == 0)
            return &fake.areas[i];
    return NULL;
}

int swap_close(struct swap *swap, const char *name, uint32_t *first)
{
    struct fake_area *area;
    int err = 0;

    (void)swap;
    fake_lock();
    area = area_named(name);
    for (unsigned i = 0; i < fake.nr_areas; i++)
        if (fake.areas[i].state != SWAP_AREA_ACTIVE)
            err = -EBUSY;
    if (!area)
        err = -ENOENT;
    if (!err) {
        area->state = SWAP_AREA_CLOSING;
        *first = area->first;
    }
    fake_unlock();
    return err;
}

static void count_area(uint32_t first, enum swap_area_state state, int sign)
{
    struct swap_area_info info;
    struct fake_area *area;

    fake_lock();
    area = fake_area_of(first);
    fake_expect(area != NULL, "no area at", first);
    describe(area, &info);
    if ((area->state == SWAP_AREA_LEAVING) != (state == SWAP_AREA_LEAVING)) {
        fake.nr_free += (uint32_t)sign * info.nr_free;
        fake.nr_backed += (uint32_t)sign * info.nr_backed;
    }
    area->state = state;
    fake_unlock();
}

void swap_leave(struct swap *swap, uint32_t first)
{
    (void)swap;
    count_area(first, SWAP_AREA_LEAVING, -1);
}

void swap_reopen(struct swap *swap, uint32_t first)
{
    (void)swap;
    count_area(first, SWAP_AREA_ACTIVE, 1);
}

void swap_get(struct swap *swap, uint32_t first, struct swap_area_info *info)
{
    (void)swap;
    fake_lock();
    fake_expect(fake_area_of(first) != NULL, "no area at", first);
    describe(fake_area_of(first), info);
    fake_unlock();
}

void swap_drop(struct swap *swap, uint32_t first)
{
    struct swap_area_info info;
    struct fake_area *area;

    (void)swap;
    fake_lock();
    area = fake_area_of(first);
    fake_expect(area != NULL && area->state == SWAP_AREA_LEAVING, "no leaving area at",
           first);
    describe(area, &info);
    fake_expect(info.nr_used == 0, "dropped, but in use: area of", first);
    memset(&fake.state[area->first], UNBACKED, area->nr);
    *area = fake.areas[--fake.nr_areas];
    fake_unlock();
}

uint32_t swap_list(struct swap *swap, struct swap_area_info list[SWAP_AREAS_MAX])
{
    uint32_t nr;

    (void)swap;
    fake_lock();
    for (nr = 0; nr < fake.nr_areas; nr++)
        describe(&fake.areas[nr], &list[nr]);
    fake_unlock();
    return nr;
}

bool swap_is_leaving(struct swap *swap, uint32_t block)
{
    bool leaving;

    (void)swap;
    fake_lock();
    fake_expect(fake_area_of(block) != NULL, "no area at", block);
    leaving = fake_is_leaving(block);
    fake_unlock();
    return leaving;
}


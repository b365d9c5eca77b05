/* test_swap_size.c - areas grow and shrink: which first, how far, and what is left when
 * there is no frame for a table or the owner wants to keep a cluster. */
#include "swap_internal.h"

#include "places.h"
#include "unit.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum { CLUSTERS = 150, BLOCKS = CLUSTERS * SPACE_CLUSTER, FRAMES = 100 };

static struct arena *arena;
static struct swap *swap;
static char dir[2][PLACE_BYTES];

static struct swap_file file_at(char *at)
{
    char message[SWAP_MESSAGE_BYTES];
    struct swap_file file;

    place_dir(at);
    ck_assert_msg(swap_file_open(&file, at, BLOCKS, message) == 0, "%s", message);
    return file;
}

static void setup(void)
{
    struct swap_file file = file_at(dir[0]);

    dir[1][0] = '\0';
    ck_assert_int_eq(arena_create(&arena, (uint64_t)FRAMES *
                                  (PAGE_SIZE + sizeof(struct frame))), 0);
    ck_assert_int_eq(swap_create(&swap, &file, arena, 4), 0);
}

/* A second area, of this priority. */
static void setup_two(int priority)
{
    struct swap_file file;

    setup();
    file = file_at(dir[1]);
    ck_assert_int_eq(swap_add(swap, &file, priority), 0);
}

static void teardown(void)
{
    swap_destroy(swap);
    ck_assert_uint_eq(arena_nr_free(arena), FRAMES - 1);
    arena_destroy(arena);
    place_dir_remove(dir[0]);
    if (dir[1][0])
        place_dir_remove(dir[1]);
}

static uint32_t backed(unsigned i)
{
    struct swap_area_info list[SWAP_AREAS_MAX];

    ck_assert_uint_gt(swap_list(swap, list), i);
    return list[i].nr_backed;
}

/* To the limit, in as many steps as the tables of it take. */
static void grow_all(void)
{
    uint32_t got;
    int err;

    while ((err = swap_grow(swap, UINT32_MAX, &got)) == 0)
        ck_assert_uint_gt(got, 0);
    ck_assert_int_eq(err, -ENOSPC);
    ck_assert_uint_eq(got, 0);
}

/* Nothing is spoilt: what is backed is free, once each, and the tables are those
 * that it takes. */
static void expect_backed(uint32_t nr)
{
    struct space_stats stats;

    swap_stats(swap, &stats);
    ck_assert_uint_eq(stats.nr_backed, nr);
    ck_assert_uint_eq(stats.nr_free, nr);
    ck_assert_uint_eq(arena_nr_free(arena),
                      FRAMES - 1 - swap_nr_tables(swap));
    for (unsigned i = 0; i < swap->nr_areas; i++)
        space_check(swap->area[i]->space);
}

/* With one frame more each time, until growth succeeds: before that it fails
 * cleanly, wherever in its course the frames end. */
START_TEST(growth_without_frames_changes_nothing)
{
    uint32_t taken[FRAMES], nr = 0, failed = 0, got;

    setup();
    while ((taken[nr] = arena_frame_alloc(arena, 0)) != FRAME_NONE)
        nr++;
    while (swap_grow(swap, BLOCKS, &got) == -EAGAIN) {
        ck_assert_uint_eq(got, 0);
        ck_assert_uint_eq(swap_nr_tables(swap), 0);
        ck_assert_uint_eq(swap_nr_backed(swap), 0);
        ck_assert_uint_eq(arena_nr_free(arena), failed);
        failed++;
        arena_frame_free(arena, taken[--nr]);
    }
    ck_assert_uint_ge(failed, 2); /* a directory and a leaf */
    ck_assert_uint_gt(got, 0);
    while (nr > 0)
        arena_frame_free(arena, taken[--nr]);
    expect_backed(got);
    teardown();
}
END_TEST

START_TEST(the_higher_priority_grows_first)
{
    uint32_t got;

    setup_two(5);
    ck_assert_int_eq(swap_grow(swap, 1, &got), 0);
    ck_assert_uint_eq(backed(0), got);
    ck_assert_uint_eq(backed(1), 0);
    grow_all();
    ck_assert_uint_eq(backed(0), BLOCKS);
    ck_assert_uint_eq(backed(1), BLOCKS);
    expect_backed(2 * BLOCKS);
    teardown();
}
END_TEST

START_TEST(equal_ones_stay_even)
{
    uint32_t got;

    setup_two(-1);
    swap->area[1]->priority = swap->area[0]->priority;
    for (unsigned i = 0; i < 6; i++) {
        uint32_t a, b;

        ck_assert_int_eq(swap_grow(swap, 1, &got), 0);
        a = backed(0);
        b = backed(1);
        ck_assert_uint_le(MAX(a, b) - MIN(a, b), MAX(got, BLOCKS / 4));
    }
    ck_assert_uint_gt(backed(0), 0);
    ck_assert_uint_gt(backed(1), 0);
    teardown();
}
END_TEST

START_TEST(an_area_on_its_way_out_does_not_grow)
{
    uint32_t first, got;

    setup_two(5);
    ck_assert_int_eq(swap_close(swap, swap->area[0]->file.name, &first), 0);
    ck_assert_int_eq(swap_grow(swap, 1, &got), 0);
    ck_assert_uint_eq(backed(0), 0);
    ck_assert_uint_eq(backed(1), got);
    swap_reopen(swap, first);
    ck_assert_int_eq(swap_grow(swap, 1, &got), 0);
    ck_assert_uint_eq(backed(0), got);
    teardown();
}
END_TEST

struct owner {
    uint32_t left; /* clusters that may go before one is kept */
    uint32_t gone; /* blocks */
};

static bool release(void *ctx, uint32_t nr)
{
    struct owner *owner = ctx;

    if (owner->left == 0)
        return false;
    owner->left--;
    owner->gone += nr;
    return true;
}

/* The owner keeps the first, the second, ...: so many have gone, no more. */
START_TEST(a_trim_ends_where_the_owner_says)
{
    uint32_t all = BLOCKS;

    setup();
    if (!swap_can_trim(swap)) {
        printf("skipped: holes cannot be punched in %s\n", dir[0]);
        teardown();
        return;
    }
    grow_all();
    for (uint32_t n = 0; n < 12; n++) {
        struct owner owner = { .left = n };

        ck_assert_uint_eq(swap_trim(swap, UINT32_MAX, release, &owner),
                          n * SPACE_CLUSTER);
        ck_assert_uint_eq(owner.gone, n * SPACE_CLUSTER);
        all -= n * SPACE_CLUSTER;
        expect_backed(all);
    }
    teardown();
}
END_TEST

START_TEST(what_was_trimmed_can_be_had_again)
{
    struct owner owner = { .left = UINT32_MAX };
    uint32_t first, nr;

    setup_two(5);
    if (!swap_can_trim(swap)) {
        printf("skipped: holes cannot be punched in %s\n", dir[0]);
        teardown();
        return;
    }
    grow_all();
    ck_assert_int_eq(swap_alloc(swap, BLOCK_NONE, 1, &first, &nr), 0);
    /* The lower priority goes first. */
    ck_assert_uint_eq(swap_trim(swap, BLOCKS, release, &owner), BLOCKS);
    ck_assert_uint_eq(backed(0), BLOCKS);
    ck_assert_uint_eq(backed(1), 0);
    ck_assert_uint_eq(swap_trim(swap, UINT32_MAX, release, &owner),
                      BLOCKS - SPACE_CLUSTER);
    swap_free(swap, first, nr);
    expect_backed(SPACE_CLUSTER);
    grow_all();
    expect_backed(2 * BLOCKS);
    teardown();
}
END_TEST

UNIT_MAIN("swap_size", growth_without_frames_changes_nothing,
          the_higher_priority_grows_first, equal_ones_stay_even,
          an_area_on_its_way_out_does_not_grow,
          a_trim_ends_where_the_owner_says, what_was_trimmed_can_be_had_again)

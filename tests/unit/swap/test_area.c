/* test_area.c - several files at once: order, turns, numbers, coming and going. */
#include "swap_internal.h"

#include "engines.h"
#include "unit.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static struct arena *arena;
static struct swap *swap;
static char dir[PLACE_BYTES];

static int add(const char *name, uint32_t blocks, int priority)
{
    char message[SWAP_MESSAGE_BYTES], path[PLACE_BYTES + 16];
    struct swap_file file;
    int err;

    snprintf(path, sizeof(path), "%s/%s", dir, name);
    ck_assert_int_eq(swap_file_open(&file, path, blocks, message), 0);
    err = swap_add(swap, &file, priority);
    if (err)
        swap_file_close(&file);
    return err;
}

static void setup(void)
{
    const struct swap_file none = { .fd = -1 };

    place_dir(dir);
    ck_assert_int_eq(arena_create(&arena, 300 * (PAGE_SIZE +
                                                 sizeof(struct frame))), 0);
    ck_assert_int_eq(swap_create(&swap, &none, arena, 4), 0);
}

static void teardown(void)
{
    swap_destroy(swap);
    ck_assert_uint_eq(arena_nr_free(arena), arena->nr_frames - 1);
    arena_destroy(arena);
    place_dir_remove(dir);
}

static void grow_all(void)
{
    uint32_t got;

    while (swap_grow(swap, 1000, &got) == 0)
        ck_assert_uint_gt(got, 0);
    ck_assert_uint_eq(swap_nr_backed(swap), swap_nr_max(swap));
}

static uint32_t alloc(uint32_t hint, uint32_t want, uint32_t *got)
{
    uint32_t first;

    ck_assert_int_eq(swap_alloc(swap, hint, want, &first, got), 0);
    return first;
}

/* Which area a block is of: its place in the list. */
static unsigned which(uint32_t block)
{
    for (unsigned i = 0; i < swap->nr_areas; i++)
        if (block - swap->area[i]->base < swap->area[i]->file.nr_blocks)
            return i;
    ck_abort_msg("block %u is of no area", block);
}

static void expect_names(const char *names)
{
    struct swap_area_info list[SWAP_AREAS_MAX];
    uint32_t nr = swap_list(swap, list);

    ck_assert_uint_eq(nr, strlen(names));
    for (uint32_t i = 0; i < nr; i++)
        ck_assert_int_eq(list[i].name[strlen(list[i].name) - 1], names[i]);
}

START_TEST(areas_are_listed_by_priority_and_then_by_age)
{
    setup();
    ck_assert_int_eq(add("a", 512, -1), 0);
    ck_assert_int_eq(add("b", 512, 3), 0);
    ck_assert_int_eq(add("c", 512, -1), 0);
    ck_assert_int_eq(add("d", 512, 3), 0);
    ck_assert_int_eq(add("e", 512, 7), 0);
    expect_names("ebdac");
    ck_assert_int_eq(add("b", 512, 0), -EEXIST);
    expect_names("ebdac");
    teardown();
}
END_TEST

START_TEST(there_are_sixteen_and_no_more)
{
    char name[2] = "a";

    setup();
    for (unsigned i = 0; i < SWAP_AREAS_MAX; i++, name[0]++)
        ck_assert_int_eq(add(name, 10, 0), 0);
    ck_assert_int_eq(add(name, 10, 0), -EMFILE);
    teardown();
}
END_TEST

/* Every block is handed out, and none follows that of another area. */
START_TEST(runs_lie_in_one_area)
{
    uint32_t got, all = 0, first[4000], nr[4000], n = 0, end = 0;

    setup();
    add("a", 1024, 0);
    add("b", 1537, 0);
    add("c", 5, 0);
    grow_all();
    while (swap_nr_free(swap) > 0) {
        first[n] = alloc(end, 200, &got);
        nr[n++] = got;
        end = first[n - 1] + got;
        all += got;
        ck_assert_uint_eq(which(first[n - 1]), which(end - 1));
    }
    ck_assert_uint_eq(all, 1024 + 1537 + 5);
    ck_assert_int_eq(swap_alloc(swap, end, 1, &end, &got), -ENOSPC);
    for (unsigned i = 0; i < 3; i++)
        for (unsigned k = 0; k < 3; k++)
            ck_assert_uint_ne(swap->area[i]->base +
                                  swap->area[i]->file.nr_blocks,
                              swap->area[k]->base);
    for (uint32_t i = 0; i < n; i++)
        swap_free(swap, first[i], nr[i]);
    teardown();
}
END_TEST

START_TEST(the_highest_priority_is_used_up_first)
{
    uint32_t got, first, n = 0, at[8], nr[8];

    setup();
    add("a", 512, 1);
    add("b", 512, 2);
    grow_all();
    while (swap_nr_free(swap) > 0) {
        first = alloc(BLOCK_NONE, 256, &got);
        ck_assert_uint_eq(which(first), n < 2 ? 0 : 1);
        at[n] = first;
        nr[n++] = got;
    }
    ck_assert_uint_eq(n, 4);
    while (n-- > 0)
        swap_free(swap, at[n], nr[n]);
    teardown();
}
END_TEST

/* A stream goes on in its cluster, and at the end of it elsewhere. */
START_TEST(equal_priorities_take_turns_by_clusters)
{
    uint32_t got, end = BLOCK_NONE, changes = 0, last = 0, at[64], nr[64], n = 0;
    uint32_t in[2] = { 0, 0 };

    setup();
    add("a", 16 * 512, 0);
    add("b", 16 * 512, 0);
    grow_all();
    for (uint32_t all = 0; all < 16 * 512; all += got) {
        at[n] = alloc(end, 200, &got);
        nr[n] = got;
        in[which(at[n])] += got;
        changes += n > 0 && which(at[n]) != last;
        last = which(at[n]);
        end = at[n] + got;
        ck_assert_uint_lt(++n, 64);
    }
    ck_assert_uint_ge(changes, 14);
    ck_assert_uint_le(changes, 16);
    ck_assert_uint_eq(in[0], in[1]);
    while (n-- > 0)
        swap_free(swap, at[n], nr[n]);
    teardown();
}
END_TEST

START_TEST(growth_is_even_among_equals_and_highest_first)
{
    uint32_t got;

    setup();
    add("a", 64 * 512, 5);
    add("b", 64 * 512, 5);
    add("c", 64 * 512, 4);
    while (swap_nr_backed(swap) < 32 * 512)
        ck_assert_int_eq(swap_grow(swap, 1, &got), 0);
    ck_assert_uint_gt(space_nr_backed(swap->area[0]->space), 0);
    ck_assert_uint_gt(space_nr_backed(swap->area[1]->space), 0);
    ck_assert_uint_eq(space_nr_backed(swap->area[2]->space), 0);
    teardown();
}
END_TEST

START_TEST(an_area_goes_and_its_numbers_are_used_again)
{
    uint32_t first, block, got, nr_tables;
    struct swap_area_info info;

    setup();
    add("a", 1024, 1);
    add("b", 1024, 0);
    grow_all();
    nr_tables = swap_nr_tables(swap);
    block = alloc(BLOCK_NONE, 10, &got);
    ck_assert_int_eq(swap_close(swap, "nowhere", &first), -ENOENT);
    ck_assert_int_eq(swap_close(swap, swap->area[0]->file.name, &first), 0);
    ck_assert_int_eq(swap_close(swap, swap->area[1]->file.name, &first),
                     -EBUSY);
    ck_assert_uint_eq(swap_nr_max(swap), 2048);
    ck_assert(!swap_is_leaving(swap, block));
    swap_leave(swap, first);
    ck_assert(swap_is_leaving(swap, block));
    ck_assert_uint_eq(swap_nr_max(swap), 1024);
    ck_assert_uint_eq(swap_nr_free(swap), 1024);
    swap_get(swap, first, &info);
    ck_assert_uint_eq(info.nr_used, 10);
    swap_reopen(swap, first);
    ck_assert_uint_eq(swap_nr_free(swap), 2048 - 10);
    ck_assert_int_eq(swap_close(swap, swap->area[0]->file.name, &first), 0);
    swap_leave(swap, first);
    swap_free(swap, block, 10);
    swap_drop(swap, first);
    expect_names("b");
    ck_assert_uint_lt(swap_nr_tables(swap), nr_tables);
    add("c", 700, 2);
    expect_names("cb");
    ck_assert_uint_eq(swap->area[0]->base, first);
    teardown();
}
END_TEST

UNIT_MAIN("area", areas_are_listed_by_priority_and_then_by_age,
          there_are_sixteen_and_no_more, runs_lie_in_one_area,
          the_highest_priority_is_used_up_first,
          equal_priorities_take_turns_by_clusters,
          growth_is_even_among_equals_and_highest_first,
          an_area_goes_and_its_numbers_are_used_again)

/* test_pagemap_leaf.c - the forms of a leaf and the ways between them. */
#include "pagemap_internal.h"

#include "unit.h"

#include <errno.h>
#include <string.h>

static struct arena *arena;
static struct pagemap map;
static uint64_t slot;

static void up(void)
{
    memset(&map, 0, sizeof(map));
    slot = 0;
    ck_assert_int_eq(arena_create(&arena, 256 * (PAGE_SIZE + 32)), 0);
}

static void down(void)
{
    leaf_set(arena, &map, &slot, 0, slot_tag(slot) == SLOT_FOLD ? 64 : 1, 0);
    for (unsigned i = 0; slot != 0 && i < slot_size(slot); i++)
        leaf_set(arena, &map, &slot, i, 1, 0);
    ck_assert_uint_eq(slot, 0);
    ck_assert_uint_eq(map.nr_units, 0);
    ck_assert_uint_eq(map.nr_present, 0);
    arena_destroy(arena);
}

static pagemap_entry block(uint32_t n)
{
    return pagemap_entry_make(ENTRY_BLOCK, n);
}

static void fill_with_blocks(void)
{
    ck_assert_int_eq(leaf_prepare(arena, &map, &slot, 63, true), 0);
    for (unsigned i = 0; i < 64; i++)
        leaf_set(arena, &map, &slot, i, 1, block(500 + i));
}

START_TEST(a_small_file_grows)
{
    static const unsigned sizes[] = { 8, 16, 32, 64 };

    up();
    ck_assert_int_eq(leaf_prepare(arena, &map, &slot, 0, true), 0);
    ck_assert_uint_eq(slot, 0);
    leaf_set(arena, &map, &slot, 0, 1, block(7));
    ck_assert_int_eq(slot_tag(slot), SLOT_ENTRY);
    ck_assert_uint_eq(map.nr_units, 0);
    for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
        unsigned last = sizes[i] - 1;

        ck_assert_int_eq(leaf_prepare(arena, &map, &slot, sizes[i] / 2, true), 0);
        ck_assert_uint_eq(slot_size(slot), sizes[i]);
        ck_assert_uint_eq(map.nr_units, sizes[i] * 4 / 32);
        leaf_set(arena, &map, &slot, last, 1, block(9));
        ck_assert_uint_eq(leaf_get(arena, slot, 0), block(7));
        ck_assert_uint_eq(leaf_get(arena, slot, last), block(9));
        ck_assert_uint_eq(slot_used(slot), 2 + i);
    }
    down();
}
END_TEST

START_TEST(folds_and_unfolds)
{
    struct pagemap_run run;

    up();
    fill_with_blocks();
    leaf_fold(arena, &map, &slot);
    ck_assert_int_eq(slot_tag(slot), SLOT_FOLD);
    ck_assert_uint_eq(map.nr_units, 0);
    for (unsigned i = 0; i < 64; i++)
        ck_assert_uint_eq(leaf_get(arena, slot, i), block(500 + i));
    ck_assert(leaf_run(arena, slot, 10, 64, &run));
    ck_assert_uint_eq(run.index, 10);
    ck_assert_uint_eq(run.nr, 54);
    ck_assert_uint_eq(run.entry, block(510));
    ck_assert_int_eq(leaf_prepare(arena, &map, &slot, 5, true), 0);
    ck_assert_int_eq(slot_tag(slot), SLOT_LEAF);
    leaf_set(arena, &map, &slot, 5, 1, block(1));
    leaf_fold(arena, &map, &slot);
    ck_assert_int_eq(slot_tag(slot), SLOT_LEAF);
    ck_assert_uint_eq(leaf_get(arena, slot, 6), block(506));
    down();
}
END_TEST

START_TEST(zeros_not_settled)
{
    up();
    ck_assert_int_eq(leaf_fill(arena, &map, &slot), 0);
    ck_assert_uint_eq(map.nr_present, 64);
    ck_assert_uint_eq(leaf_settle(arena, &map, &slot, 0, 64, false), 64);
    ck_assert_uint_eq(slot, 0);
    ck_assert_uint_eq(map.nr_present, 0);
    ck_assert_int_eq(leaf_fill(arena, &map, &slot), 0);
    ck_assert_uint_eq(leaf_settle(arena, &map, &slot, 0, 64, true), 64);
    ck_assert_uint_eq(leaf_settle(arena, &map, &slot, 0, 64, false), 0);
    ck_assert_int_eq(pagemap_entry_kind(leaf_get(arena, slot, 63)), ENTRY_ZERO);
    /* A page written in between is nobody's to take back. */
    ck_assert_int_eq(leaf_prepare(arena, &map, &slot, 63, true), 0);
    leaf_set(arena, &map, &slot, 0, 1, 0);
    leaf_set(arena, &map, &slot, 0, 1, ENTRY_ZERO_FRESH);
    leaf_set(arena, &map, &slot, 1, 1, block(3));
    ck_assert_uint_eq(leaf_settle(arena, &map, &slot, 0, 64, false), 1);
    ck_assert_uint_eq(map.nr_present, 63);
    down();
}
END_TEST

START_TEST(the_last_entry_frees)
{
    up();
    ck_assert_int_eq(leaf_prepare(arena, &map, &slot, 20, true), 0);
    leaf_set(arena, &map, &slot, 0, 1, block(3));
    leaf_set(arena, &map, &slot, 20, 1, block(4));
    leaf_shrink(arena, &map, &slot);
    ck_assert_int_eq(slot_tag(slot), SLOT_LEAF);
    leaf_set(arena, &map, &slot, 20, 1, 0);
    leaf_shrink(arena, &map, &slot);
    ck_assert_int_eq(slot_tag(slot), SLOT_ENTRY);
    ck_assert_uint_eq(map.nr_units, 0);
    down();
}
END_TEST

UNIT_MAIN("pagemap_leaf", a_small_file_grows, folds_and_unfolds,
          zeros_not_settled, the_last_entry_frees)

/* test_pagemap_node.c - the tree's height, and nodes that come and go. */
#include "pagemap_internal.h"

#include "unit.h"

#include <errno.h>
#include <string.h>

static struct arena *arena;
static struct pagemap map;
static uint32_t charged, charge_limit;

static int charge(void *ctx)
{
    (void)ctx;
    if (charged == charge_limit)
        return -ENOSPC;
    charged++;
    return 0;
}

static void uncharge(void *ctx)
{
    (void)ctx;
    charged--;
}

static void nothing(void *ctx)
{
    (void)ctx;
}

static const struct arena_ops ops = { charge, uncharge, nothing, nothing };

static void up(void)
{
    memset(&map, 0, sizeof(map));
    charged = 0;
    charge_limit = UINT32_MAX;
    ck_assert_int_eq(arena_create(&arena, 256 * (PAGE_SIZE + 32)), 0);
    arena_set_ops(arena, &ops, NULL, 0, 4);
}

static void down(void)
{
    ck_assert_uint_eq(map.root, 0);
    ck_assert_uint_eq(map.height, 0);
    ck_assert_uint_eq(map.nr_units, 0);
    ck_assert_uint_eq(charged, 0);
    arena_destroy(arena);
}

static void put(uint64_t index, pagemap_entry entry)
{
    ck_assert_int_eq(pagemap_prepare(arena, &map, index, 1), 0);
    pagemap_set(arena, &map, index, entry);
    pagemap_check(arena, &map);
}

/* As high as the last entry wants: 64 pages, and 64 times more a level. */
START_TEST(height_follows_the_last_entry)
{
    up();
    put(0, ENTRY_LOST);
    for (unsigned level = 0; level < MAX_LEVELS - 1; level++) {
        uint64_t first = (uint64_t)1 << (6 * (level + 1));

        put(first - 1, ENTRY_LOST);
        ck_assert_uint_eq(map.height, level);
        put(first, ENTRY_LOST);
        ck_assert_uint_eq(map.height, level + 1);
        put(first, 0);
        ck_assert_uint_eq(map.height, level);
        put(first - 1, 0);
        ck_assert_uint_eq(map.height, 0);
        ck_assert_uint_eq(map.nr_units, 0);
    }
    put(PAGEMAP_MAX_PAGES - 1, ENTRY_LOST);
    ck_assert_uint_eq(map.height, MAX_LEVELS - 1);
    put(0, 0);
    put(PAGEMAP_MAX_PAGES - 1, 0);
    down();
}
END_TEST

/* Memory refused anywhere on the way: nothing has changed. */
START_TEST(no_memory_on_the_way)
{
    struct pagemap before;
    uint64_t far = (uint64_t)1 << 50;

    up();
    put(5, ENTRY_LOST);
    put(64, ENTRY_LOST);
    before = map;
    for (charge_limit = charged;
         pagemap_prepare(arena, &map, far, 1) != 0; charge_limit++) {
        ck_assert_int_eq(memcmp(&map, &before, sizeof(map)), 0);
        pagemap_check(arena, &map);
        ck_assert_uint_lt(charge_limit, charged + 20);
    }
    pagemap_set(arena, &map, far, ENTRY_LOST);
    pagemap_check(arena, &map);
    put(far, 0);
    ck_assert_int_eq(memcmp(&map, &before, sizeof(map)), 0);
    put(64, 0);
    put(5, 0);
    down();
}
END_TEST

/* An absent subtree is passed in one step, however large. */
START_TEST(absent_subtrees)
{
    uint64_t next;

    up();
    ck_assert_uint_eq(map_node_find(arena, &map, 64, &next), 0);
    ck_assert_uint_eq(next, PAGEMAP_MAX_PAGES);
    put(0, ENTRY_LOST);
    put((uint64_t)1 << 30, ENTRY_LOST);
    ck_assert_uint_eq(map_node_find(arena, &map, 64, &next), 0);
    ck_assert_uint_eq(next, 128);
    ck_assert_uint_eq(map_node_find(arena, &map, 4096, &next), 0);
    ck_assert_uint_eq(next, 8192);
    ck_assert_uint_eq(map_node_find(arena, &map, (uint64_t)1 << 29, &next), 0);
    ck_assert_uint_eq(next, ((uint64_t)1 << 29) + (1 << 24));
    put(0, 0);
    put((uint64_t)1 << 30, 0);
    down();
}
END_TEST

UNIT_MAIN("pagemap_node", height_follows_the_last_entry, no_memory_on_the_way,
          absent_subtrees)

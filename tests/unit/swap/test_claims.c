/* test_claims.c - whose the blocks of all areas are, while they come and go. */
#include "swap_internal.h"

#include "places.h"
#include "unit.h"

#include <errno.h>
#include <string.h>

enum { CLUSTERS = 16, BLOCKS = CLUSTERS * SPACE_CLUSTER + 3, FRAMES = 200 };

static struct arena *arena;
static struct swap *swap;
static struct audit audit;
static char dir[PLACE_BYTES], other[PLACE_BYTES];
static uint64_t memory[2 * 8 * SPACE_CLUSTER / 64];

static void place_at(char *at, struct swap_file *file)
{
    char message[SWAP_MESSAGE_BYTES];

    place_dir(at);
    ck_assert_msg(swap_file_open(file, at, BLOCKS, message) == 0, "%s", message);
}

static void setup(void)
{
    struct swap_file file;
    uint32_t got;

    ck_assert_int_eq(arena_create(&arena, (uint64_t)FRAMES *
                                  (PAGE_SIZE + sizeof(struct frame))), 0);
    place_at(dir, &file);
    ck_assert_int_eq(swap_create(&swap, &file, arena, 4), 0);
    ck_assert_int_eq(swap_grow(swap, BLOCKS, &got), 0);
    ck_assert_uint_eq(got, BLOCKS);
    audit_init(&audit, memory, sizeof(memory));
    ck_assert_uint_eq(audit.nr_max, 8 * SPACE_CLUSTER);
}

static void teardown(void)
{
    swap_destroy(swap);
    arena_destroy(arena);
    place_dir_remove(dir);
}

static uint32_t take(uint32_t hint, uint32_t nr)
{
    uint32_t first, got;

    ck_assert_int_eq(swap_alloc(swap, hint, nr, &first, &got), 0);
    ck_assert_uint_eq(got, nr);
    ck_assert_uint_eq(first, hint);
    return first;
}

static void claim(uint32_t first, uint32_t nr, uint32_t claimed,
                  enum audit_verdict wanted)
{
    enum audit_verdict verdict;

    ck_assert_uint_eq(swap_audit_claim(swap, first, nr, &verdict), claimed);
    ck_assert_int_eq(verdict, wanted);
}

/* The only ones that nobody has claimed; nr 0: there are none. */
static void expect_unclaimed(uint32_t first, uint32_t nr)
{
    uint32_t at = audit.first, found = 0;

    ck_assert_uint_eq(swap_audit_unclaimed(swap, &at, &found), nr);
    if (nr == 0)
        return;
    ck_assert_uint_eq(found, first);
    ck_assert_uint_eq(swap_audit_unclaimed(swap, &at, &found), 0);
}

START_TEST(each_block_has_one_owner)
{
    uint32_t old, new;

    setup();
    old = take(100, 300);
    swap_audit_begin(swap, &audit, 0);
    expect_unclaimed(old, 300);
    claim(old, 300, 300, AUDIT_WELL);
    expect_unclaimed(0, 0);
    new = take(1000, 100);
    expect_unclaimed(0, 0);
    claim(new, 50, 50, AUDIT_WELL);
    claim(old + 7, 20, 1, AUDIT_TWICE);
    claim(new + 40, 20, 1, AUDIT_TWICE);
    claim(new + 99, 5, 2, AUDIT_FREE);
    claim(BLOCKS, 1, 1, AUDIT_WELL); /* behind the window */
    audit.beyond = true;
    claim(BLOCKS, 1, 1, AUDIT_FREE);
    claim(BLOCKS - 1, 1, 1, AUDIT_FREE);
    audit.beyond = false;
    swap_free(swap, old, 100);
    swap_free(swap, new, 100);
    expect_unclaimed(0, 0);
    swap_audit_end(swap);
    swap_free(swap, old + 100, 200);
    teardown();
}
END_TEST

START_TEST(what_nobody_claims_is_found_in_runs)
{
    uint32_t at = 0, first;

    setup();
    take(500, 30); /* over the end of a cluster */
    take(600, 1);
    swap_audit_begin(swap, &audit, 0);
    claim(520, 1, 1, AUDIT_WELL);
    ck_assert_uint_eq(swap_audit_unclaimed(swap, &at, &first), 12);
    ck_assert_uint_eq(first, 500);
    ck_assert_uint_eq(swap_audit_unclaimed(swap, &at, &first), 8);
    ck_assert_uint_eq(first, 512);
    ck_assert_uint_eq(swap_audit_unclaimed(swap, &at, &first), 9);
    ck_assert_uint_eq(first, 521);
    ck_assert_uint_eq(swap_audit_unclaimed(swap, &at, &first), 1);
    ck_assert_uint_eq(first, 600);
    ck_assert_uint_eq(swap_audit_unclaimed(swap, &at, &first), 0);
    swap_audit_end(swap);
    swap_free(swap, 500, 30);
    swap_free(swap, 600, 1);
    teardown();
}
END_TEST

static bool look(void *ctx, uint32_t nr)
{
    unsigned *asked = ctx;

    ck_assert_uint_gt(nr, 0);
    expect_unclaimed(0, 0);
    return (*asked)++ % 2 == 0;
}

/* Clusters that a trim has in hand are not lost, whether it keeps them or not. */
START_TEST(a_trim_is_an_owner)
{
    unsigned asked = 0;

    setup();
    swap_audit_begin(swap, &audit, (CLUSTERS - 7) * SPACE_CLUSTER);
    swap_trim(swap, UINT32_MAX, look, &asked);
    ck_assert(asked == 2 || !swap_can_trim(swap));
    expect_unclaimed(0, 0);
    swap_audit_end(swap);
    teardown();
}
END_TEST

START_TEST(retired_blocks_hide_their_cluster_only)
{
    setup();
    take(0, 10);
    take(512, 10);
    swap_retire(swap, 3, 1);
    swap_audit_begin(swap, &audit, 0);
    expect_unclaimed(512, 10);
    claim(2, 1, 1, AUDIT_WELL);
    claim(2, 1, 1, AUDIT_TWICE);
    swap_retire(swap, 512, 10);
    expect_unclaimed(0, 0);
    swap_audit_end(swap);
    swap_free(swap, 0, 3);
    swap_free(swap, 4, 6);
    teardown();
}
END_TEST

START_TEST(windows_over_several_areas)
{
    struct swap_area_info info[SWAP_AREAS_MAX];
    struct swap_file file;
    uint32_t got, second;

    setup();
    take(700, 5);
    place_at(other, &file);
    ck_assert_int_eq(swap_add(swap, &file, 0), 0);
    ck_assert_uint_eq(swap_list(swap, info), 2);
    second = MAX(info[0].first, info[1].first);
    ck_assert_uint_gt(second, BLOCKS);
    ck_assert_int_eq(swap_grow(swap, BLOCKS, &got), 0);
    ck_assert_uint_eq(swap_audit_next(swap, 1024), BLOCK_NONE);
    take(second + 1030, 5); /* of the higher priority */
    ck_assert_uint_eq(swap_audit_next(swap, 0), 512);
    ck_assert_uint_eq(swap_audit_next(swap, 1024), second + 1024);
    ck_assert_uint_eq(swap_audit_next(swap, second + 1536), BLOCK_NONE);
    swap_audit_begin(swap, &audit, 512);
    claim(second + 1030, 5, 5, AUDIT_WELL);
    expect_unclaimed(700, 5);
    claim(700, 5, 5, AUDIT_WELL);
    swap_audit_end(swap);
    swap_audit_begin(swap, &audit, second + 1024);
    claim(700, 5, 5, AUDIT_WELL);
    expect_unclaimed(second + 1030, 5);
    swap_audit_end(swap);
    swap_free(swap, 700, 5);
    swap_free(swap, second + 1030, 5);
    teardown();
    place_dir_remove(other);
}
END_TEST

/* The last cluster of an area is short: what is behind its end is nobody's. */
START_TEST(a_short_cluster)
{
    setup();
    take(CLUSTERS * SPACE_CLUSTER + 1, 2);
    swap_audit_begin(swap, &audit, CLUSTERS * SPACE_CLUSTER);
    expect_unclaimed(CLUSTERS * SPACE_CLUSTER + 1, 2);
    swap_audit_end(swap);
    swap_free(swap, CLUSTERS * SPACE_CLUSTER + 1, 2);
    ck_assert_uint_eq(swap_audit_next(swap, 0), BLOCK_NONE);
    teardown();
}
END_TEST

UNIT_MAIN("claims", each_block_has_one_owner, what_nobody_claims_is_found_in_runs,
          a_trim_is_an_owner, retired_blocks_hide_their_cluster_only,
          windows_over_several_areas, a_short_cluster)

/* test_space_back.c - clusters come and go, and so do their tables. */
#include "space.h"

#include "space_pages.h"
#include "unit.h"

#include <errno.h>

START_TEST(nothing_is_handed_out_before_it_is_backed)
{
    struct space_pages pages;
    struct space *space = space_pages_create(&pages, 5000);
    uint32_t first, got;

    ck_assert_int_eq(space_alloc(space, BLOCK_NONE, 1, &first, &got), -ENOSPC);
    ck_assert_int_eq(space_alloc(space, 17, 1, &first, &got), -ENOSPC);
    ck_assert_uint_eq(space_nr_backed(space), 0);
    ck_assert_int_eq(space_back(space, 1024, 512), 0);
    /* The hint lies in a cluster without disk. */
    ck_assert_int_eq(space_alloc(space, 17, 600, &first, &got), 0);
    ck_assert_uint_eq(first, 1024);
    ck_assert_uint_eq(got, 512);
    space_free(space, first, got);
    space_pages_destroy(space, &pages);
}
END_TEST

START_TEST(lowest_unbacked_first_and_the_tail_is_short)
{
    struct space_pages pages;
    struct space *space = space_pages_create(&pages, 5 * SPACE_CLUSTER + 9);
    uint32_t first;

    ck_assert_int_eq(space_back(space, 1024, 512), 0);
    ck_assert_uint_eq(space_unbacked(space, 100000, &first), 1024);
    ck_assert_uint_eq(first, 0);
    ck_assert_uint_eq(space_unbacked(space, 3, &first), 512);
    ck_assert_int_eq(space_back(space, 0, 1024), 0);
    ck_assert_uint_eq(space_unbacked(space, 100000, &first), 2 * 512 + 9);
    ck_assert_uint_eq(first, 3 * 512);
    ck_assert_int_eq(space_back(space, first, 2 * 512 + 9), 0);
    ck_assert_uint_eq(space_unbacked(space, 100000, &first), 0);
    ck_assert_uint_eq(space_nr_free(space), 5 * 512 + 9);
    space_pages_destroy(space, &pages);
}
END_TEST

START_TEST(highest_free_first_when_trimmed)
{
    struct space_pages pages;
    struct space *space = space_pages_create(&pages, 5 * SPACE_CLUSTER + 9);
    uint32_t below = 5 * SPACE_CLUSTER + 9, first, nr, at;

    space_pages_back_all(space);
    ck_assert_int_eq(space_alloc(space, 3 * 512 + 7, 1, &at, &nr), 0);
    ck_assert(space_claim(space, below, &first, &nr));
    ck_assert_uint_eq(first, 5 * 512);
    ck_assert_uint_eq(nr, 9);
    space_unback(space, first);
    ck_assert(space_claim(space, first, &first, &nr));
    ck_assert_uint_eq(first, 4 * 512);
    space_free(space, first, nr);
    /* One block of it is in use. */
    ck_assert(space_claim(space, first, &first, &nr));
    ck_assert_uint_eq(first, 2 * 512);
    ck_assert_uint_eq(nr, 512);
    space_unback(space, first);
    ck_assert_uint_eq(space_nr_backed(space), 4 * 512);
    ck_assert(!space_claim(space, 0, &first, &nr));
    space_free(space, at, 1);
    space_pages_destroy(space, &pages);
}
END_TEST

START_TEST(a_shortage_of_pages_backs_nothing)
{
    struct space_pages pages;
    struct space *space = space_pages_create(&pages, 1u << 24);

    for (unsigned n = 0; n < 10; n++) {
        pages.fail_after = n;
        ck_assert_int_eq(space_back(space, 0, 1000 * SPACE_CLUSTER), -EAGAIN);
        ck_assert_uint_eq(pages.nr, 0);
        ck_assert_uint_eq(space_nr_backed(space), 0);
        space_check(space);
    }
    pages.fail_after = ~0u;
    ck_assert_int_eq(space_back(space, 0, 1000 * SPACE_CLUSTER), 0);
    /* Half of the pages are there already: they stay. */
    pages.fail_after = 3;
    ck_assert_int_eq(space_back(space, 1000 * SPACE_CLUSTER,
                                1000 * SPACE_CLUSTER), -EAGAIN);
    ck_assert_uint_eq(space_nr_free(space), 1000 * SPACE_CLUSTER);
    space_pages_destroy(space, &pages);
}
END_TEST

START_TEST(tables_cost_nothing_when_empty_and_35_mib_a_tib)
{
    struct space_pages pages;
    struct space *space = space_pages_create(&pages, 1u << 28);
    uint32_t first, nr, below = 1u << 28;

    ck_assert_uint_eq(pages.nr, 0);
    ck_assert_int_eq(space_back(space, 0, SPACE_CLUSTER), 0);
    ck_assert_uint_eq(pages.nr, 2);
    space_pages_back_all(space);
    ck_assert_uint_eq(space_nr_free(space), 1u << 28);
    ck_assert_uint_lt(pages.nr, 35 * 256);
    while (space_claim(space, below, &first, &nr)) {
        space_unback(space, first);
        below = first;
    }
    ck_assert_uint_eq(pages.nr, 0);
    space_pages_destroy(space, &pages);
}
END_TEST

START_TEST(sizes_out_of_range_are_refused)
{
    struct space_pages pages = { 0 };
    struct space *space;

    ck_assert_int_eq(space_create(&space, 0, &space_pages_ops, &pages),
                     -EINVAL);
    ck_assert_int_eq(space_create(&space, SPACE_MAX_BLOCKS + 1,
                                  &space_pages_ops, &pages), -EINVAL);
}
END_TEST

UNIT_MAIN("space_back", nothing_is_handed_out_before_it_is_backed,
          lowest_unbacked_first_and_the_tail_is_short,
          highest_free_first_when_trimmed, a_shortage_of_pages_backs_nothing,
          tables_cost_nothing_when_empty_and_35_mib_a_tib,
          sizes_out_of_range_are_refused)

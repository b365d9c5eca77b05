/* test_ghost.c - the memory of evicted pages: as long as promised, no longer. */
#include "ghost.h"

#include "unit.h"

#include <sys/mman.h>

enum { WINDOW = 6000 };

static unsigned known(struct ghost *ghost, uint64_t first, uint64_t nr)
{
    unsigned n = 0;

    for (uint64_t i = first; i < first + nr; i++)
        n += ghost_take(ghost, 1, i);
    return n;
}

START_TEST(remembers_what_was_evicted_lately)
{
    struct ghost ghost;

    ck_assert_int_eq(ghost_init(&ghost, WINDOW), 0);
    for (uint64_t i = 0; i < WINDOW; i++)
        ghost_add(&ghost, 1, i);
    /* Full buckets may have lost a few. */
    ck_assert_uint_gt(known(&ghost, 0, WINDOW), WINDOW * 9 / 10);
    ghost_fini(&ghost);
}
END_TEST

START_TEST(what_is_taken_is_forgotten)
{
    struct ghost ghost;

    ck_assert_int_eq(ghost_init(&ghost, WINDOW), 0);
    ghost_add(&ghost, 1, 5);
    ck_assert(!ghost_take(&ghost, 2, 5));
    ck_assert(!ghost_take(&ghost, 1, 6));
    ck_assert(ghost_take(&ghost, 1, 5));
    ck_assert(!ghost_take(&ghost, 1, 5));
    ghost_fini(&ghost);
}
END_TEST

START_TEST(forgets_what_lies_more_than_a_window_back)
{
    struct ghost ghost;

    ck_assert_int_eq(ghost_init(&ghost, WINDOW), 0);
    for (uint64_t i = 0; i < 1000; i++)
        ghost_add(&ghost, 1, i);
    for (uint64_t i = 0; i < WINDOW + WINDOW / 8; i++)
        ghost_add(&ghost, 2, i);
    ck_assert_uint_lt(known(&ghost, 0, 1000), 10);
    ghost_fini(&ghost);
}
END_TEST

START_TEST(rarely_takes_one_page_for_another)
{
    struct ghost ghost;

    ck_assert_int_eq(ghost_init(&ghost, WINDOW), 0);
    for (uint64_t i = 0; i < WINDOW; i++)
        ghost_add(&ghost, 1, i);
    ck_assert_uint_lt(known(&ghost, WINDOW, 100000), 100);
    ghost_fini(&ghost);
}
END_TEST

START_TEST(costs_no_memory_before_something_is_evicted)
{
    unsigned char resident[64];
    uint64_t pages = pages_for(ghost_bytes(WINDOW));
    struct ghost ghost;

    ck_assert_uint_le(pages, sizeof(resident));
    ck_assert_int_eq(ghost_init(&ghost, WINDOW), 0);
    ck_assert_uint_eq(known(&ghost, 0, WINDOW), 0);
    ck_assert_int_eq(mincore(ghost.slots, ghost_bytes(WINDOW), resident), 0);
    for (uint64_t i = 0; i < pages; i++)
        ck_assert_uint_eq(resident[i] & 1, 0);
    ghost_add(&ghost, 1, 5);
    ck_assert_uint_eq(known(&ghost, 0, WINDOW), 1);
    ghost_fini(&ghost);
}
END_TEST

UNIT_MAIN("ghost", costs_no_memory_before_something_is_evicted,
          remembers_what_was_evicted_lately,
          what_is_taken_is_forgotten, forgets_what_lies_more_than_a_window_back,
          rarely_takes_one_page_for_another)

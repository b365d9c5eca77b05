/* test_s3fifo.c - what moves where: SMALL, MAIN, ghosts. */
#include "replace.h"

#include "unit.h"

enum { FRAMES = 100 };

static struct page pages[FRAMES];
static struct replace r;

/* Pages 0..nr-1 of one file, page n in frame n. */
static void setup(uint32_t nr)
{
    ck_assert_int_eq(replace_init(&r, "s3fifo", pages, FRAMES), 0);
    for (uint32_t f = 0; f < nr; f++) {
        pages[f] = (struct page){ .state = PAGE_CLEAN, .index = f };
        replace_insert(&r, f, false);
    }
}

static uint32_t victim(void)
{
    uint32_t steps = 4 * FRAMES;

    return replace_victim(&r, &steps);
}

/* The page in frame f leaves and comes back. */
static void out_and_in(uint32_t f, bool cold)
{
    replace_evicted(&r, f);
    pages[f] = (struct page){ .state = PAGE_CLEAN, .index = f };
    replace_insert(&r, f, cold);
}

START_TEST(unused_pages_leave_in_order_of_arrival)
{
    setup(FRAMES);
    for (uint32_t f = 0; f < FRAMES; f++)
        ck_assert_uint_eq(victim(), f);
    ck_assert_uint_eq(victim(), FRAME_NONE);
    replace_fini(&r);
}
END_TEST

START_TEST(a_used_page_moves_to_main)
{
    setup(FRAMES);
    pool_page_touch(&pages[0]);
    ck_assert_uint_eq(victim(), 1);
    ck_assert_int_eq(pages[0].queue, QUEUE_MAIN);
    ck_assert_int_eq(pages[0].referenced, 0);
    replace_fini(&r);
}
END_TEST

START_TEST(a_page_that_returns_to_its_ghost_enters_main)
{
    setup(FRAMES);
    ck_assert_uint_eq(victim(), 0);
    out_and_in(0, false);
    ck_assert_int_eq(pages[0].queue, QUEUE_MAIN);
    ck_assert_uint_eq(r.refaults, 1);
    replace_fini(&r);
}
END_TEST

START_TEST(a_page_read_ahead_stays_in_small)
{
    setup(FRAMES);
    ck_assert_uint_eq(victim(), 0);
    out_and_in(0, true);
    ck_assert_int_eq(pages[0].queue, QUEUE_SMALL);
    replace_fini(&r);
}
END_TEST

START_TEST(main_is_left_alone_while_small_is_above_its_tenth)
{
    setup(FRAMES);
    for (uint32_t f = 0; f < 50; f++)
        pool_page_touch(&pages[f]);
    /* 50 go to MAIN; of the others all but a tenth of the whole leave first. */
    for (uint32_t f = 50; f < 95; f++)
        ck_assert_uint_eq(victim(), f);
    ck_assert_uint_eq(victim(), 0);
    replace_fini(&r);
}
END_TEST

START_TEST(a_used_page_of_main_goes_round)
{
    setup(20);
    for (uint32_t f = 0; f < 20; f++) {
        replace_remove(&r, f);
        replace_return(&r, f, true);
    }
    pool_page_touch(&pages[0]);
    ck_assert_uint_eq(victim(), 1);
    for (uint32_t f = 2; f < 20; f++)
        ck_assert_uint_eq(victim(), f);
    ck_assert_uint_eq(victim(), 0);
    replace_fini(&r);
}
END_TEST

START_TEST(what_main_lets_go_leaves_no_ghost)
{
    setup(1);
    replace_remove(&r, 0);
    replace_return(&r, 0, true);
    ck_assert_uint_eq(victim(), 0);
    out_and_in(0, false);
    ck_assert_int_eq(pages[0].queue, QUEUE_SMALL);
    replace_fini(&r);
}
END_TEST

START_TEST(a_scan_does_not_touch_what_proved_itself)
{
    setup(FRAMES);
    for (uint32_t f = 0; f < 89; f++) {
        replace_remove(&r, f);
        replace_return(&r, f, true);
    }
    for (uint64_t index = 1000; index < 10000; index++) {
        uint32_t f = victim();

        ck_assert_uint_ge(f, 89);
        replace_evicted(&r, f);
        pages[f] = (struct page){ .state = PAGE_CLEAN, .index = index };
        replace_insert(&r, f, false);
    }
    replace_fini(&r);
}
END_TEST

START_TEST(steps_bound_the_search)
{
    uint32_t steps = 10;

    setup(FRAMES);
    for (uint32_t f = 0; f < FRAMES; f++)
        pool_page_touch(&pages[f]);
    ck_assert_uint_eq(replace_victim(&r, &steps), FRAME_NONE);
    ck_assert_uint_eq(steps, 0);
    replace_fini(&r);
}
END_TEST

UNIT_MAIN("s3fifo", unused_pages_leave_in_order_of_arrival,
          a_used_page_moves_to_main,
          a_page_that_returns_to_its_ghost_enters_main,
          a_page_read_ahead_stays_in_small,
          main_is_left_alone_while_small_is_above_its_tenth,
          a_used_page_of_main_goes_round, what_main_lets_go_leaves_no_ghost,
          a_scan_does_not_touch_what_proved_itself, steps_bound_the_search)

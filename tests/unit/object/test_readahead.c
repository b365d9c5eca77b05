/* test_readahead.c - sequential reads are foreseen, random ones are not. */
#include "readahead.h"

#include "bits.h"
#include "unit.h"

#include <string.h>

static const uint64_t LIMIT = 100000; /* pages of the file */

static struct readahead_plan plan_at(struct readahead *ra, uint64_t first,
                                     uint32_t nr, bool miss)
{
    struct readahead_plan plan;

    readahead_plan(ra, first, nr, miss, LIMIT, READAHEAD_MAX_PAGES, &plan);
    return plan;
}

START_TEST(first_page_starts_a_stream)
{
    struct readahead ra = { 0 };
    struct readahead_plan plan = plan_at(&ra, 0, 32, true);

    ck_assert_uint_eq(plan.first, 32);
    ck_assert_uint_eq(plan.nr, READAHEAD_MIN_PAGES);
    ck_assert(!plan.around);
}
END_TEST

START_TEST(second_miss_starts_a_stream)
{
    struct readahead ra = { 0 };
    struct readahead_plan plan = plan_at(&ra, 5000, 32, true);

    ck_assert_uint_eq(plan.nr, 0);
    plan = plan_at(&ra, 5032, 32, true);
    ck_assert_uint_eq(plan.first, 5064);
    ck_assert_uint_eq(plan.nr, READAHEAD_MIN_PAGES);
}
END_TEST

/* However it is read, every page of a sequential file is planned once, in
 * order, before it is read, and the windows reach the maximum. */
START_TEST(sequential_windows_cover_the_file_once)
{
    struct readahead ra = { 0 };
    uint64_t planned = 32;
    uint32_t largest = 0;

    for (uint64_t page = 0; page + 32 <= LIMIT; page += 32) {
        struct readahead_plan plan = plan_at(&ra, page, 32, page == 0);

        if (plan.nr != 0) {
            ck_assert_uint_eq(plan.first, planned);
            planned += plan.nr;
            largest = MAX(largest, plan.nr);
        }
        ck_assert_uint_ge(planned, MIN(page + 64, LIMIT));
    }
    ck_assert_uint_eq(planned, LIMIT);
    ck_assert_uint_eq(largest, READAHEAD_MAX_PAGES);
}
END_TEST

START_TEST(reads_that_overtake_stay_in_their_stream)
{
    struct readahead ra = { 0 };

    plan_at(&ra, 0, 32, true);
    for (uint64_t page = 32; page < 20000; page += 64) {
        struct readahead_plan plan = plan_at(&ra, page + 32, 32, false);

        ck_assert(!plan.around);
        plan = plan_at(&ra, page, 32, false);
        ck_assert(!plan.around);
    }
    ck_assert_uint_ge(ra.stream[0].ahead, 20000);
    ck_assert_uint_eq(ra.stream[1].window, 0);
}
END_TEST

START_TEST(four_streams_at_once)
{
    struct readahead ra = { 0 };
    uint64_t planned[4] = { 0 };

    for (uint64_t step = 0; step < 100; step++) {
        for (unsigned i = 0; i < 4; i++) {
            struct readahead_plan plan =
                plan_at(&ra, 20000 * (uint64_t)i + step * 32, 32, step == 0);

            planned[i] += plan.around ? 0 : plan.nr;
        }
    }
    for (unsigned i = 0; i < 4; i++)
        ck_assert_uint_ge(planned[i], 99 * 32);
}
END_TEST

START_TEST(random_misses_ask_for_neighbours_only)
{
    struct readahead ra = { 0 };
    struct readahead_plan plan = plan_at(&ra, 777, 1, true);

    ck_assert(plan.around);
    ck_assert_uint_eq(plan.first, 768);
    ck_assert_uint_eq(plan.nr, READAHEAD_AROUND);
}
END_TEST

START_TEST(useless_neighbours_are_given_up_and_probed_again)
{
    struct readahead ra = { 0 };
    unsigned asked = 0;

    for (int i = 0; i < 100; i++)
        readahead_note(&ra, false);
    for (uint64_t i = 1; i <= 320; i++)
        asked += plan_at(&ra, (i * 7919) % LIMIT + 1, 1, true).around;
    ck_assert_uint_ge(asked, 5);
    ck_assert_uint_le(asked, 20);
    for (int i = 0; i < 1000; i++)
        readahead_note(&ra, true);
    ck_assert(plan_at(&ra, 55555, 1, true).around);
}
END_TEST

START_TEST(nothing_beyond_the_end_or_the_pool)
{
    struct readahead ra = { 0 };
    struct readahead_plan plan;

    readahead_plan(&ra, 0, 8, true, 20, READAHEAD_MAX_PAGES, &plan);
    ck_assert_uint_eq(plan.first + plan.nr, 20);
    readahead_plan(&ra, 16, 4, true, 20, READAHEAD_MAX_PAGES, &plan);
    ck_assert_uint_eq(plan.nr, 0);
    memset(&ra, 0, sizeof(ra));
    readahead_plan(&ra, 0, 8, true, LIMIT, 16, &plan);
    ck_assert_uint_eq(plan.nr, 16);
    memset(&ra, 0, sizeof(ra));
    readahead_plan(&ra, 0, 8, true, LIMIT, 0, &plan);
    ck_assert_uint_eq(plan.nr, 0);
}
END_TEST

/* What was planned and not asked for is planned again, from there. */
START_TEST(goes_on_where_it_was_stopped)
{
    struct readahead ra = { 0 };
    struct readahead_plan plan = plan_at(&ra, 0, 32, true);

    readahead_stopped(&ra, plan.first + plan.nr, plan.first + 10);
    plan = plan_at(&ra, 32, 4, false);
    ck_assert_uint_eq(plan.first, 42);
    readahead_stopped(&ra, plan.first + plan.nr, 0);
    plan = plan_at(&ra, 36, 4, false);
    ck_assert_uint_eq(plan.first, 40);
    readahead_stopped(&ra, 12345, 50);
    ck_assert_uint_eq(plan_at(&ra, 40, 4, false).nr, 0);
}
END_TEST

START_TEST(resident_reads_leave_no_trace)
{
    struct readahead ra = { 0 };

    ck_assert_uint_eq(plan_at(&ra, 4000, 32, false).nr, 0);
    ck_assert_uint_eq(ra.stream[0].window, 0);
}
END_TEST

UNIT_MAIN("readahead", first_page_starts_a_stream, second_miss_starts_a_stream,
          sequential_windows_cover_the_file_once,
          reads_that_overtake_stay_in_their_stream, four_streams_at_once,
          random_misses_ask_for_neighbours_only,
          useless_neighbours_are_given_up_and_probed_again,
          nothing_beyond_the_end_or_the_pool, goes_on_where_it_was_stopped,
          resident_reads_leave_no_trace)

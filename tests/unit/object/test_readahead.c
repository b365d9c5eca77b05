/* test_readahead.c - reads in order are foreseen, forward and backward, random ones
 * are not; and wrong guesses become small ones. */
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

/* The streams that have asked for something. */
static unsigned running(const struct readahead *ra, bool back)
{
    unsigned n = 0;

    for (unsigned i = 0; i < READAHEAD_STREAMS; i++)
        n += ra->stream[i].state >= STREAM_YOUNG && ra->stream[i].back == back;
    return n;
}

/* Reads backward from `from` (a multiple of nr) to the front.  The pages below
 * *planned must be planned once, in order, and before they are read. */
static uint32_t read_backward(struct readahead *ra, uint64_t from, uint32_t nr)
{
    uint64_t planned = from - 2 * (uint64_t)nr;
    uint32_t largest = 0;

    for (uint64_t page = from; page > 0; page -= nr) {
        bool miss = from - page < 2 * (uint64_t)nr;
        struct readahead_plan plan = plan_at(ra, page - nr, nr, miss);

        if (plan.nr != 0 && !plan.around) {
            ck_assert(plan.back);
            ck_assert_uint_eq(plan.first + plan.nr, planned);
            planned = plan.first;
            largest = MAX(largest, plan.nr);
        }
        if (!miss)
            ck_assert_uint_le(planned, page - nr - MIN(nr, page - nr));
        ck_assert_uint_eq(plan.foreseen, miss ? 0 : nr);
    }
    ck_assert_uint_eq(planned, 0);
    return largest;
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
    ck_assert_uint_ge(ra.stream[0].next + ra.stream[0].asked, 20000);
    ck_assert_uint_eq(ra.stream[1].state, STREAM_NONE);
}
END_TEST

/* Where nothing was read before, two that changed places look like reading backward.
 * The third does not. */
START_TEST(overtaken_at_once_is_forward)
{
    struct readahead ra = { 0 };
    uint32_t backward = 0;
    uint64_t planned = 0;

    for (uint64_t page = 5000; page < 20000; page += 64) {
        for (uint64_t half = 0; half < 64; half += 32) {
            struct readahead_plan plan = plan_at(&ra, page + 32 - half, 32, true);

            backward += plan.back ? plan.nr : 0;
            planned += plan.back ? 0 : plan.nr;
        }
    }
    ck_assert_uint_eq(backward, READAHEAD_MIN_PAGES);
    ck_assert_uint_ge(planned, 20000 - 5000 - 96);
    ck_assert_uint_eq(running(&ra, false), 1);
    ck_assert_uint_eq(running(&ra, true), 0);
}
END_TEST

START_TEST(backward_windows_cover_the_file_once)
{
    static const uint32_t steps[] = { 1, 4, 32, 50 };

    for (unsigned i = 0; i < ARRAY_SIZE(steps); i++) {
        struct readahead ra = { 0 };

        ck_assert_uint_eq(read_backward(&ra, 20000, steps[i]),
                          READAHEAD_MAX_PAGES);
        ck_assert_uint_eq(running(&ra, true), 1);
        ck_assert_uint_eq(running(&ra, false), 0);
    }
}
END_TEST

START_TEST(backward_reads_that_overtake_stay_in_their_stream)
{
    struct readahead ra = { 0 };

    for (uint64_t page = 20000; page > 10016; page -= 64) {
        plan_at(&ra, page - 64, 32, page > 19900);
        plan_at(&ra, page - 32, 32, page > 19900);
    }
    ck_assert_uint_eq(running(&ra, true), 1);
    ck_assert_uint_eq(running(&ra, false), 0);
    for (unsigned i = 0; i < READAHEAD_STREAMS; i++)
        if (ra.stream[i].back)
            ck_assert_uint_le(ra.stream[i].next - ra.stream[i].asked, 9900);
}
END_TEST

/* Two go backward; they pass those that come forward. */
START_TEST(four_streams_at_once)
{
    enum { STEPS = 400, PAGES = 32 };
    static const uint64_t from[4] = { 0, 10000, 12000, 40000 };
    struct readahead ra = { 0 };
    uint64_t asked[4] = { 0 };

    for (uint64_t step = 0; step < STEPS; step++) {
        for (unsigned i = 0; i < 4; i++) {
            bool back = i % 2 == 1;
            uint64_t first = back ? from[i] - (step + 1) * PAGES
                                  : from[i] + step * PAGES;
            struct readahead_plan plan;

            if (back && first > from[i])
                continue;
            plan = plan_at(&ra, first, PAGES, step < 2);
            ck_assert(plan.nr == 0 || plan.around || plan.back == back);
            asked[i] += plan.around ? 0 : plan.nr;
        }
    }
    ck_assert_uint_ge(asked[0], (STEPS - 1) * PAGES);
    ck_assert_uint_ge(asked[1], 10000 - 3 * PAGES);
    ck_assert_uint_ge(asked[2], (STEPS - 2) * PAGES);
    ck_assert_uint_ge(asked[3], (STEPS - 2) * PAGES);
}
END_TEST

/* From the end of what it read, and from its beginning, as it looks when what lies
 * between is cached elsewhere. */
START_TEST(a_stream_turns_round)
{
    static const uint64_t turn_at[] = { 8000, 5000 };

    for (unsigned i = 0; i < ARRAY_SIZE(turn_at); i++) {
        struct readahead ra = { 0 };
        uint64_t asked = 0, reads = 0;

        for (uint64_t page = 5000; page < 8000; page += 32)
            plan_at(&ra, page, 32, page < 5064);
        for (uint64_t page = turn_at[i]; page > 3000; page -= 8) {
            struct readahead_plan plan = plan_at(&ra, page - 8, 8, asked == 0);

            ck_assert(plan.nr == 0 || plan.around || plan.back);
            asked += plan.back ? plan.nr : 0;
            reads += asked == 0;
        }
        ck_assert_uint_le(reads, 64 / 8 + 2);
        ck_assert_uint_ge(asked, turn_at[i] - 3000 - reads * 8);
    }
}
END_TEST

START_TEST(the_same_again_teaches_nothing)
{
    struct readahead ra = { 0 };

    for (int i = 0; i < 10; i++) {
        struct readahead_plan plan = plan_at(&ra, 5000, 1, true);

        ck_assert_uint_eq(plan.around ? 0 : plan.nr, 0);
    }
    ck_assert_uint_eq(ra.stream[0].state, STREAM_CANDIDATE);
    ck_assert_uint_eq(ra.stream[1].state, STREAM_NONE);
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
    struct readahead_plan plan = plan_at(&ra, 0, 32, true), other = { 0 };

    readahead_stopped(&ra, &plan, 10);
    plan = plan_at(&ra, 32, 4, false);
    ck_assert_uint_eq(plan.first, 42);
    readahead_stopped(&ra, &plan, 0);
    plan = plan_at(&ra, 36, 16, false);
    ck_assert_uint_eq(plan.first, 52);
    ck_assert_uint_eq(plan.foreseen, 6);
    other.first = 12345;
    other.nr = 50;
    readahead_stopped(&ra, &other, 0);
    ck_assert_uint_eq(plan_at(&ra, 52, 4, false).foreseen, 4);
}
END_TEST

START_TEST(goes_on_backward_where_it_was_stopped)
{
    struct readahead ra = { 0 };
    struct readahead_plan plan;

    plan_at(&ra, 5032, 32, true);
    plan = plan_at(&ra, 5000, 32, true);
    ck_assert_uint_eq(plan.first + plan.nr, 5000);
    readahead_stopped(&ra, &plan, 10);
    plan = plan_at(&ra, 4996, 4, false);
    ck_assert_uint_eq(plan.first + plan.nr, 4990);
}
END_TEST

/* --- wrong guesses --------------------------------------------------------------- */

/* Reads one after the other from `first`, and returns the largest window. */
static uint32_t largest_window(struct readahead *ra, uint64_t first, unsigned reads)
{
    uint32_t largest = 0;

    for (unsigned i = 0; i < reads; i++) {
        struct readahead_plan plan = plan_at(ra, first + 32 * i, 32, i < 2);

        if (!plan.around)
            largest = MAX(largest, plan.nr);
        readahead_weigh(ra, plan.foreseen, 0);
    }
    return largest;
}

/* It goes on, but what it asks for is evicted again before it is read. */
START_TEST(evicted_too_early_is_asked_for_in_smaller_windows)
{
    struct readahead ra = { 0 };
    uint32_t windows = 0;

    for (uint64_t page = 0; page < 20000; page += 32) {
        struct readahead_plan plan = plan_at(&ra, page, 32, true);

        readahead_weigh(&ra, plan.foreseen, plan.foreseen);
        windows += page >= 10000 && plan.nr > 0;
        if (page >= 10000)
            ck_assert_uint_le(plan.nr, READAHEAD_MIN_PAGES);
    }
    /* Now and then a probe. */
    ck_assert_uint_ge(windows, 10000 / 32 / 40);
    ck_assert_uint_le(windows, 10000 / 32 / 20);
}
END_TEST

START_TEST(half_of_them_evicted_is_borne_with)
{
    struct readahead ra = { 0 };

    for (uint64_t page = 0; page < 20000; page += 32) {
        struct readahead_plan plan = plan_at(&ra, page, 32, true);

        readahead_weigh(&ra, plan.foreseen, plan.foreseen / 2);
    }
    ck_assert_uint_eq(ra.cut, 0);
}
END_TEST

/* Streams that end as soon as they were believed in.  Each is of no use. */
START_TEST(short_streams_are_given_up)
{
    struct readahead ra = { 0 };
    uint32_t asked = 0;

    for (uint64_t i = 1; i < 100; i++) {
        uint64_t page = i * 7919 % LIMIT;

        plan_at(&ra, page, 32, true);
        asked += plan_at(&ra, page + 32, 32, true).nr;
    }
    ck_assert_uint_eq(ra.cut, 3);
    ck_assert_uint_le(asked, 15 * READAHEAD_MIN_PAGES);
}
END_TEST

/* Windows are not larger than what is read in order: 256 pages at a time. */
START_TEST(windows_fit_the_streams)
{
    struct readahead ra = { 0 };
    uint32_t asked = 0, read = 0;

    for (uint64_t i = 1; i < 200; i++) {
        for (uint64_t page = 0; page < 256; page += 32) {
            struct readahead_plan plan =
                plan_at(&ra, i * 7919 % LIMIT + page, 32, page < 64);

            readahead_weigh(&ra, plan.foreseen, 0);
            asked += i < 100 ? 0 : plan.nr;
            read += i < 100 ? 0 : plan.foreseen;
        }
    }
    ck_assert_uint_ge(read, 100 * 256 / 2);
    ck_assert_uint_le(asked, 2 * read);
}
END_TEST

START_TEST(the_end_of_a_long_stream_costs_nothing)
{
    struct readahead ra = { 0 };

    ck_assert_uint_eq(largest_window(&ra, 5000, 1000), READAHEAD_MAX_PAGES);
    for (uint64_t i = 1; i <= 5; i++)
        plan_at(&ra, 5000 - i * 700, 1, true);
    ck_assert_uint_eq(ra.cut, 0);
    ck_assert_uint_eq(running(&ra, false), 0);
}
END_TEST

/* None, then a probe that is right: the windows grow to what they were. */
START_TEST(right_guesses_let_windows_grow_again)
{
    struct readahead ra = { 0 };

    for (int i = 0; i < 100; i++)
        readahead_weigh(&ra, 32, 0);
    ck_assert_uint_eq(ra.cut, 0);
    for (int i = 0; i < 100; i++)
        readahead_weigh(&ra, 32, 32);
    ck_assert_uint_eq(ra.cut, 3);
    ck_assert_uint_eq(largest_window(&ra, 5000, 20), 0);
    ck_assert_uint_eq(largest_window(&ra, 5000 + 20 * 32, 150),
                      READAHEAD_MAX_PAGES);
    ck_assert_uint_eq(ra.cut, 0);
}
END_TEST

/* Even where the file is so small that they often fall beside one another. */
START_TEST(random_reads_are_left_alone)
{
    struct readahead ra = { 0 };
    uint64_t state = 1, asked = 0;

    for (int i = 0; i < 20000; i++) {
        struct readahead_plan plan;

        state = state * 6364136223846793005u + 1442695040888963407u;
        readahead_plan(&ra, 1 + (state >> 33) % 500, 1, true, 501,
                       READAHEAD_MAX_PAGES, &plan);
        readahead_weigh(&ra, plan.foreseen, plan.foreseen);
        asked += plan.around ? 0 : plan.nr;
    }
    ck_assert_uint_le(asked, 20000 / 4);
}
END_TEST

START_TEST(resident_reads_leave_no_trace)
{
    struct readahead ra = { 0 };

    ck_assert_uint_eq(plan_at(&ra, 4000, 32, false).nr, 0);
    ck_assert_uint_eq(ra.stream[0].state, STREAM_NONE);
}
END_TEST

UNIT_MAIN("readahead", first_page_starts_a_stream, second_miss_starts_a_stream,
          sequential_windows_cover_the_file_once,
          reads_that_overtake_stay_in_their_stream,
          overtaken_at_once_is_forward, backward_windows_cover_the_file_once,
          backward_reads_that_overtake_stay_in_their_stream,
          four_streams_at_once, a_stream_turns_round,
          the_same_again_teaches_nothing,
          random_misses_ask_for_neighbours_only,
          useless_neighbours_are_given_up_and_probed_again,
          nothing_beyond_the_end_or_the_pool, goes_on_where_it_was_stopped,
          goes_on_backward_where_it_was_stopped,
          evicted_too_early_is_asked_for_in_smaller_windows,
          half_of_them_evicted_is_borne_with, short_streams_are_given_up,
          windows_fit_the_streams,
          the_end_of_a_long_stream_costs_nothing,
          right_guesses_let_windows_grow_again, random_reads_are_left_alone,
          resident_reads_leave_no_trace)

/* test_runs.c - every function of runs.h against one bit at a time. */
#include "runs.h"

#include "unit.h"

#include <string.h>

enum { ROUNDS = 20000 };

static bool is_used(const uint64_t *bitmap, unsigned i)
{
    return bitmap[i / 64] >> i % 64 & 1;
}

/* From nearly empty to nearly full, in pieces of all lengths. */
static void fill(uint64_t *bitmap)
{
    unsigned at = 0, longest = 1u << rand() % 10;
    bool used = rand() % 2;

    memset(bitmap, 0, RUN_WORDS * sizeof(*bitmap));
    while (at < SPACE_CLUSTER) {
        unsigned n = 1 + (unsigned)rand() % longest;

        for (; n > 0 && at < SPACE_CLUSTER; n--, at++) {
            if (used)
                bitmap[at / 64] |= UINT64_C(1) << at % 64;
        }
        used = !used;
    }
}

static unsigned longest_by_bits(const uint64_t *bitmap, unsigned limit,
                                unsigned *first)
{
    unsigned best = 0, run = 0;

    for (unsigned i = 0; i < SPACE_CLUSTER; i++) {
        run = is_used(bitmap, i) ? 0 : run + 1;
        if (run > best && best < limit) {
            best = run;
            *first = i + 1 - run;
        }
    }
    return best;
}

START_TEST(longest_is_the_first_of_the_longest)
{
    uint64_t bitmap[RUN_WORDS];

    for (unsigned i = 0; i < ROUNDS; i++) {
        unsigned limit = 1 + (unsigned)rand() % SPACE_CLUSTER;
        unsigned first = 0, expected = 0;

        fill(bitmap);
        unit_assert(runs_longest(bitmap, limit, &first) ==
                    longest_by_bits(bitmap, limit, &expected));
        unit_assert(first == expected);
    }
}
END_TEST

START_TEST(class_is_the_power_of_two_in_the_longest)
{
    uint64_t bitmap[RUN_WORDS];

    for (unsigned i = 0; i < ROUNDS; i++) {
        unsigned first, longest;

        fill(bitmap);
        longest = longest_by_bits(bitmap, SPACE_CLUSTER, &first);
        unit_assert(runs_class(bitmap, SPACE_CLUSTER) ==
                    (longest ? (int)bit_highest(longest) : -1));
        if (longest)
            unit_assert(runs_class(bitmap, longest) ==
                        (int)bit_highest(longest));
    }
}
END_TEST

START_TEST(free_at_and_before_stop_at_the_first_used)
{
    uint64_t bitmap[RUN_WORDS];

    for (unsigned i = 0; i < ROUNDS; i++) {
        unsigned at = (unsigned)rand() % SPACE_CLUSTER;
        unsigned limit = 1 + (unsigned)rand() % SPACE_CLUSTER;
        unsigned n = 0;

        fill(bitmap);
        while (n < limit && at + n < SPACE_CLUSTER && !is_used(bitmap, at + n))
            n++;
        unit_assert(runs_free_at(bitmap, at, limit) == n);
        n = 0;
        while (n < at && !is_used(bitmap, at - n - 1))
            n++;
        unit_assert(runs_free_before(bitmap, at) == n);
    }
}
END_TEST

START_TEST(use_and_free_touch_their_range_only)
{
    uint64_t bitmap[RUN_WORDS] = { 0 };

    for (unsigned i = 0; i < ROUNDS; i++) {
        unsigned first = (unsigned)rand() % SPACE_CLUSTER;
        unsigned nr = 1 + (unsigned)rand() % (SPACE_CLUSTER - first);

        unit_assert(runs_use(bitmap, first, nr));
        for (unsigned b = 0; b < SPACE_CLUSTER; b++)
            unit_assert(is_used(bitmap, b) ==
                        (b >= first && b < first + nr));
        unit_assert(runs_free(bitmap, first, nr));
        for (unsigned w = 0; w < RUN_WORDS; w++)
            unit_assert(bitmap[w] == 0);
    }
}
END_TEST

START_TEST(use_and_free_notice_one_wrong_bit)
{
    for (unsigned i = 0; i < ROUNDS; i++) {
        uint64_t bitmap[RUN_WORDS] = { 0 };
        unsigned first = (unsigned)rand() % SPACE_CLUSTER;
        unsigned nr = 1 + (unsigned)rand() % (SPACE_CLUSTER - first);
        unsigned wrong = first + (unsigned)rand() % nr;

        unit_assert(runs_use(bitmap, wrong, 1));
        unit_assert(!runs_use(bitmap, first, nr));
        unit_assert(runs_free(bitmap, wrong, 1));
        unit_assert(!runs_free(bitmap, first, nr));
    }
}
END_TEST

UNIT_MAIN("runs", longest_is_the_first_of_the_longest,
          class_is_the_power_of_two_in_the_longest,
          free_at_and_before_stop_at_the_first_used,
          use_and_free_touch_their_range_only,
          use_and_free_notice_one_wrong_bit)

/* test_replace.c - the shared queues, against a model that knows only which pages
 * are queued, with random operations under both policies.
 */
#include "replace.h"

#include "unit.h"

#include <errno.h>

enum { FRAMES = 64, OPERATIONS = 200000 };

static struct page pages[FRAMES];

static void fresh(uint32_t frame, uint64_t index)
{
    pages[frame] = (struct page){ .state = PAGE_CLEAN, .index = index };
}

static void random_operations(const char *policy)
{
    bool queued[FRAMES] = { false };
    struct replace r;
    unsigned seed = 1, nr = 0, wrong = 0;

    ck_assert_int_eq(replace_init(&r, policy, pages, FRAMES), 0);
    for (uint32_t f = 0; f < FRAMES; f++)
        fresh(f, f);
    for (unsigned i = 0; i < OPERATIONS; i++) {
        uint32_t f = (uint32_t)rand_r(&seed) % FRAMES, steps = 2 * FRAMES;

        switch (rand_r(&seed) % 6) {
        case 0:
        case 1:
            if (!queued[f]) {
                fresh(f, (uint64_t)rand_r(&seed) % 1000);
                replace_insert(&r, f, rand_r(&seed) % 4 == 0);
                queued[f] = true;
                nr++;
            }
            break;
        case 2:
            replace_remove(&r, f);
            nr -= queued[f];
            queued[f] = false;
            break;
        case 3:
            pool_page_touch(&pages[f]);
            break;
        case 4:
            f = replace_victim(&r, &steps);
            wrong += (f == FRAME_NONE) != (nr == 0);
            if (f == FRAME_NONE)
                break;
            wrong += !queued[f] || pages[f].referenced;
            if (rand_r(&seed) % 3 == 0) {
                replace_evicted(&r, f);
                queued[f] = false;
                nr--;
            } else if (rand_r(&seed) % 2) {
                replace_return(&r, f, rand_r(&seed) % 2);
            } else {
                replace_return_first(&r, f);
            }
            break;
        case 5:
            pages[f].state = rand_r(&seed) % 2 ? PAGE_CLEAN : PAGE_DIRTY;
            f = replace_next_clean(&r, &steps);
            wrong += f != FRAME_NONE &&
                     (!queued[f] || pages[f].state != PAGE_CLEAN);
        }
        wrong += replace_nr(&r) != nr;
        for (f = 0; f < FRAMES; f++)
            wrong += replace_queued(&pages[f]) != queued[f];
        if (i % 100 == 0)
            replace_check(&r);
        /* Every assertion of Check is a message to its parent: few of them. */
        if (wrong)
            ck_abort_msg("operation %u", i);
    }
    replace_fini(&r);
}

START_TEST(random_operations_s3fifo)
{
    random_operations("s3fifo");
}
END_TEST

START_TEST(random_operations_clock)
{
    random_operations("clock");
}
END_TEST

START_TEST(an_unknown_policy_is_refused)
{
    struct replace r;

    ck_assert_int_eq(replace_init(&r, "belady", pages, FRAMES), -EINVAL);
    ck_assert_int_eq(replace_init(&r, NULL, pages, FRAMES), 0);
    ck_assert_str_eq(r.ops->name, "s3fifo");
    replace_fini(&r);
}
END_TEST

START_TEST(coldest_clean_passes_over_dirty_used_and_pinned)
{
    struct replace r;

    ck_assert_int_eq(replace_init(&r, "clock", pages, FRAMES), 0);
    for (uint32_t f = 0; f < 10; f++) {
        fresh(f, f);
        replace_insert(&r, f, false);
    }
    pages[0].state = PAGE_DIRTY;
    pages[1].referenced = 1;
    pages[2].pins = 1;
    ck_assert_uint_eq(replace_coldest_clean(&r, 100), 3);
    ck_assert_uint_eq(replace_coldest_clean(&r, 6), FRAME_NONE);
    replace_fini(&r);
}
END_TEST

START_TEST(next_clean_walks_all_pages_round_and_round)
{
    unsigned seen[10] = { 0 };
    struct replace r;

    ck_assert_int_eq(replace_init(&r, "s3fifo", pages, FRAMES), 0);
    for (uint32_t f = 0; f < 10; f++) {
        fresh(f, f);
        replace_insert(&r, f, false);
    }
    for (uint32_t f = 0; f < 5; f++) {
        replace_remove(&r, f);
        replace_return(&r, f, true); /* to MAIN */
    }
    for (unsigned i = 0; i < 30; i++) {
        uint32_t steps = 1;

        seen[replace_next_clean(&r, &steps)]++;
    }
    for (uint32_t f = 0; f < 10; f++)
        ck_assert_uint_eq(seen[f], 3);
    replace_fini(&r);
}
END_TEST

START_TEST(the_walk_goes_on_where_a_page_was_taken_off)
{
    struct replace r;
    uint32_t steps = 5;

    ck_assert_int_eq(replace_init(&r, "clock", pages, FRAMES), 0);
    for (uint32_t f = 0; f < 10; f++) {
        fresh(f, f);
        replace_insert(&r, f, false);
    }
    for (uint32_t f = 0; f < 5; f++)
        ck_assert_uint_eq(replace_next_clean(&r, &steps), f);
    replace_remove(&r, 5);
    steps = 1;
    ck_assert_uint_eq(replace_next_clean(&r, &steps), 6);
    replace_fini(&r);
}
END_TEST

UNIT_MAIN("replace", random_operations_s3fifo, random_operations_clock,
          an_unknown_policy_is_refused,
          coldest_clean_passes_over_dirty_used_and_pinned,
          next_clean_walks_all_pages_round_and_round,
          the_walk_goes_on_where_a_page_was_taken_off)

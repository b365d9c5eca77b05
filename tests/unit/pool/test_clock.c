/* test_clock.c - CLOCK gives a used page a second chance, and counts returns. */
#include "replace.h"

#include "unit.h"

enum { FRAMES = 50 };

static struct page pages[FRAMES];
static struct replace r;

static void setup(void)
{
    ck_assert_int_eq(replace_init(&r, "clock", pages, FRAMES), 0);
    for (uint32_t f = 0; f < FRAMES; f++) {
        pages[f] = (struct page){ .state = PAGE_CLEAN, .index = f };
        replace_insert(&r, f, false);
    }
}

static uint32_t victim(void)
{
    uint32_t steps = 4 * FRAMES;

    return replace_victim(&r, &steps);
}

START_TEST(a_used_page_goes_round_once)
{
    setup();
    pool_page_touch(&pages[0]);
    for (uint32_t f = 1; f < FRAMES; f++)
        ck_assert_uint_eq(victim(), f);
    ck_assert_uint_eq(victim(), 0);
    replace_fini(&r);
}
END_TEST

START_TEST(all_used_means_the_oldest)
{
    setup();
    for (uint32_t f = 0; f < FRAMES; f++)
        pool_page_touch(&pages[f]);
    ck_assert_uint_eq(victim(), 0);
    replace_fini(&r);
}
END_TEST

START_TEST(returns_are_counted)
{
    setup();
    ck_assert_uint_eq(victim(), 0);
    replace_evicted(&r, 0);
    pages[0] = (struct page){ .state = PAGE_CLEAN, .index = 0 };
    replace_insert(&r, 0, false);
    ck_assert_uint_eq(r.refaults, 1);
    replace_fini(&r);
}
END_TEST

UNIT_MAIN("clock", a_used_page_goes_round_once, all_used_means_the_oldest,
          returns_are_counted)

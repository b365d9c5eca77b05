/* test_follow.c - the reader goes where its caller is, as long as that pays. */
#include "follow.h"

#include "unit.h"

#include <stdlib.h>

enum { CALLER = 100, HOME = 1, MANY = 100000 };

static struct follow follow;
static int mine;      /* the CPU that the reader is on */
static unsigned moves;

static void setup(void)
{
    follow_init(&follow);
    mine = HOME;
    moves = 0;
}

/* After a request; does what it is told. */
static enum follow_order request(bool alone, pid_t caller, int his)
{
    enum follow_order order;

    if (!follow_due(&follow, alone))
        return FOLLOW_STAY;
    order = follow_looked(&follow, alone, caller, his, mine);
    if (order == FOLLOW_GO) {
        mine = his;
        moves++;
    }
    ck_assert_int_eq(follow.bound, order == FOLLOW_GO || (follow.bound &&
                                                          order == FOLLOW_STAY));
    return order;
}

static void requests(unsigned nr, pid_t caller, int his)
{
    for (unsigned i = 0; i < nr; i++)
        request(true, caller, his);
}

START_TEST(it_goes_to_a_caller_who_is_elsewhere)
{
    setup();
    requests(100, CALLER, 0);
    ck_assert_uint_eq(moves, 1);
    ck_assert_int_eq(mine, 0);
    ck_assert(follow.bound);
    requests(MANY, CALLER, 0);
    ck_assert_uint_eq(moves, 1);
}
END_TEST

START_TEST(it_stays_free_where_they_are_together_anyway)
{
    setup();
    requests(MANY, CALLER, HOME);
    ck_assert_uint_eq(moves, 0);
    ck_assert(!follow.bound);
}
END_TEST

START_TEST(it_looks_seldom)
{
    unsigned looks = 0;

    setup();
    for (unsigned i = 0; i < 1600; i++)
        if (follow_due(&follow, true)) {
            looks++;
            follow_looked(&follow, true, CALLER, HOME, HOME);
        }
    ck_assert_uint_eq(looks, 100);
}
END_TEST

/* Load balancing takes him away now and then. */
START_TEST(it_goes_along_for_as_long_as_that_pays)
{
    setup();
    for (unsigned i = 0; i < 100; i++)
        requests(400, CALLER, (int)(i % 2));
    ck_assert_uint_ge(moves, 99);
}
END_TEST

/* Wherever it comes he goes away: each move costs, so they get rare. */
START_TEST(one_who_flees_is_left_alone)
{
    setup();
    for (unsigned i = 0; i < MANY; i++)
        request(true, CALLER, mine + 1);
    ck_assert_uint_le(moves, 8 + 14);
    ck_assert(!follow.bound);
    for (unsigned i = 0; i < MANY; i++)
        request(true, CALLER, mine + 1);
    ck_assert_uint_le(moves, 8 + 16);
}
END_TEST

START_TEST(who_flees_no_more_is_followed_again)
{
    setup();
    for (unsigned i = 0; i < MANY; i++)
        request(true, CALLER, mine + 1);
    srand(1);
    for (unsigned i = 0; i < 3000; i++)
        requests(200 + (unsigned)rand() % 1000, CALLER, (int)(i % 2));
    moves = 0;
    for (unsigned i = 0; i < 100; i++)
        requests(400, CALLER, (int)(i % 2));
    ck_assert_uint_ge(moves, 99);
}
END_TEST

START_TEST(callers_in_turn_are_not_followed)
{
    setup();
    requests(100, CALLER, 0);
    ck_assert(follow.bound);
    for (unsigned i = 0; i < MANY; i++)
        request(true, CALLER + (pid_t)i, (int)(i % 3));
    ck_assert(!follow.bound);
    ck_assert_uint_eq(moves, 1);
}
END_TEST

START_TEST(who_cannot_be_seen_is_not_followed)
{
    setup();
    requests(MANY, CALLER, -1);
    ck_assert_uint_eq(moves, 0);
}
END_TEST

START_TEST(beside_others_it_is_free)
{
    setup();
    requests(100, CALLER, 0);
    ck_assert(follow.bound);
    ck_assert_int_eq(request(false, CALLER, -1), FOLLOW_LET_GO);
    for (unsigned i = 0; i < MANY; i++)
        ck_assert_int_eq(request(false, CALLER, -1), FOLLOW_STAY);
    ck_assert(!follow.bound);
}
END_TEST

START_TEST(what_failed_is_not_tried_again_soon)
{
    unsigned tries = 0;

    setup();
    for (unsigned i = 0; i < MANY; i++)
        if (follow_due(&follow, true) &&
            follow_looked(&follow, true, CALLER, 0, HOME) == FOLLOW_GO) {
            follow_failed(&follow);
            tries++;
        }
    ck_assert_uint_le(tries, 3);
    ck_assert(!follow.bound);
}
END_TEST

UNIT_MAIN("follow", it_goes_to_a_caller_who_is_elsewhere,
          it_stays_free_where_they_are_together_anyway, it_looks_seldom,
          it_goes_along_for_as_long_as_that_pays, one_who_flees_is_left_alone,
          who_flees_no_more_is_followed_again, callers_in_turn_are_not_followed,
          who_cannot_be_seen_is_not_followed, beside_others_it_is_free,
          what_failed_is_not_tried_again_soon)

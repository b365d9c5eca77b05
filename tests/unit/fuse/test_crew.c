/* test_crew.c - somebody always reads; no more readers than the load wants, no
 * spinning that does not pay. */
#include "crew.h"

#include "unit.h"

#include <stdlib.h>

enum { ALL = 4, MANY = 100000 };

/* Looks as a reader does; false: it was not time. */
static bool look(struct crew *crew, struct crew_member *member,
                 enum crew_look seen, bool large, enum crew_order *order)
{
    bool alone = crew->in == 1;

    *order = CREW_STAY;
    if (!crew_due(member, alone, large))
        return false;
    if (seen == CREW_NOTHING && crew_spins(member, alone))
        seen = CREW_IN_VAIN;
    *order = crew_looked(crew, member, seen, large);
    return true;
}

/* So many requests, after each of which the same is seen. */
static unsigned requests(struct crew *crew, struct crew_member *member,
                         enum crew_look seen, bool large, unsigned nr)
{
    unsigned looks = 0;

    for (unsigned i = 0; i < nr; i++) {
        enum crew_order order;

        looks += look(crew, member, seen, large, &order);
    }
    return looks;
}

/* A machine in which nobody has an own thread: `clients` ask again as soon as
 * they are answered, each reader answers one request at a time. */
static unsigned settle(unsigned clients)
{
    struct crew crew;
    struct crew_member members[ALL] = { 0 };

    crew_init(&crew, ALL);
    for (unsigned i = 0; i < MANY; i++) {
        unsigned who = i % crew.in;
        enum crew_order order;
        enum crew_look seen = clients > crew.in ? CREW_AT_ONCE : CREW_NOTHING;

        look(&crew, &members[who], seen, false, &order);
    }
    return crew.in;
}

START_TEST(test_as_many_as_wanted)
{
    ck_assert_uint_eq(settle(1), 1);
    ck_assert_uint_ge(settle(3), 2);
    ck_assert_uint_eq(settle(100), ALL);
}
END_TEST

START_TEST(test_a_burst_changes_nothing)
{
    struct crew_member member = { 0 };
    struct crew crew;

    crew_init(&crew, ALL);
    for (unsigned i = 0; i < 1000; i++) {
        requests(&crew, &member, CREW_AT_ONCE, false, 100);
        requests(&crew, &member, CREW_NOTHING, false, 100);
    }
    ck_assert_uint_eq(crew.in, 1);
    /* Large ones take long: a few behind each other are enough. */
    requests(&crew, &member, CREW_AT_ONCE, true, 4);
    ck_assert_uint_eq(crew.in, 2);
}
END_TEST

START_TEST(test_goes_when_calm)
{
    struct crew_member member = { 0 };
    struct crew crew;

    crew_init(&crew, ALL);
    requests(&crew, &member, CREW_AT_ONCE, false, MANY);
    ck_assert_uint_eq(crew.in, ALL);
    requests(&crew, &member, CREW_NOTHING, false, 100);
    ck_assert_uint_eq(crew.in, ALL);
    requests(&crew, &member, CREW_NOTHING, false, MANY);
    ck_assert_uint_eq(crew.in, 1);
}
END_TEST

/* Looking costs a system call. */
START_TEST(test_looks_are_few)
{
    struct crew_member member = { 0 };
    struct crew crew;

    crew_init(&crew, ALL);
    ck_assert_uint_le(requests(&crew, &member, CREW_AT_ONCE, false, MANY),
                      MANY / 8 + 1);
    ck_assert_uint_le(requests(&crew, &member, CREW_NOTHING, false, MANY),
                      MANY / 8 + 30);
}
END_TEST

static unsigned spins(struct crew *crew, struct crew_member *member,
                      enum crew_look seen, unsigned nr)
{
    unsigned spins = 0;

    for (unsigned i = 0; i < nr; i++) {
        enum crew_order order;

        spins += crew_spins(member, crew->in == 1);
        look(crew, member, seen, false, &order);
    }
    return spins;
}

START_TEST(test_spins_while_it_pays)
{
    struct crew_member member = { 0 };
    struct crew crew;

    crew_init(&crew, ALL);
    ck_assert_uint_ge(spins(&crew, &member, CREW_SOON, MANY), MANY - 1);
    ck_assert_uint_le(spins(&crew, &member, CREW_NOTHING, MANY), 40);
    /* It tries again, now and then, and goes on when that helps. */
    spins(&crew, &member, CREW_SOON, 3 * 4096);
    ck_assert_uint_ge(spins(&crew, &member, CREW_SOON, 1000), 999);
    /* Who has company, or enough to do, does not spin. */
    spins(&crew, &member, CREW_AT_ONCE, 7);
    ck_assert(!crew_spins(&member, true));
    ck_assert(!crew_spins(&(struct crew_member){ 0 }, false));
}
END_TEST

/* Everybody away at once, and anything else, in any order (C1). */
START_TEST(test_somebody_reads)
{
    struct crew_member members[ALL] = { 0 };
    struct crew crew;
    unsigned in = 1, away = 0;

    crew_init(&crew, ALL);
    srand(1);
    for (unsigned i = 0; i < MANY; i++) {
        enum crew_order order;
        bool admit;

        switch (rand() % 4) {
        case 0:
            if (crew_away(&crew, &admit)) {
                away++;
                in += admit;
            } else {
                ck_assert_uint_eq(away, ALL - 1);
                ck_assert(!admit);
            }
            break;
        case 1:
            if (away > 0) {
                crew_back(&crew);
                away--;
            }
            break;
        default:
            look(&crew, &members[rand() % ALL],
                 i / 1000 % 2 ? CREW_AT_ONCE : CREW_NOTHING, rand() % 8 == 0,
                 &order);
            in += order == CREW_ADMIT;
            in -= order == CREW_LEAVE;
        }
        ck_assert_uint_eq(crew.in, in);
        ck_assert_uint_eq(crew.away, away);
        ck_assert_uint_lt(away, in);
        ck_assert_uint_le(in, ALL);
    }
}
END_TEST

/* One alone can never be done without. */
START_TEST(test_alone)
{
    struct crew crew;
    bool admit = true;

    crew_init(&crew, 1);
    ck_assert(!crew_away(&crew, &admit));
    ck_assert(!admit);
}
END_TEST

UNIT_MAIN("crew", test_as_many_as_wanted, test_a_burst_changes_nothing,
          test_goes_when_calm, test_looks_are_few, test_spins_while_it_pays,
          test_somebody_reads, test_alone)

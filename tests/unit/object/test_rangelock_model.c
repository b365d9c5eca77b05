/* test_rangelock_model.c - every state that four requests can bring a rangelock to.
 *
 * Four requests, each with a range and mode of its own, are locked, try-locked and
 * unlocked in all orders, again and again, until no state is new: which are idle,
 * hold or wait, in what order, and whether the lock is tracked.  What the code does
 * depends on nothing else, so that is all that four requests can ever meet.  It is
 * done for each choice of four out of all ranges over three bytes, in both modes.
 *
 * After each step, by the naive model (R2 word for word):
 *
 *     no two conflicting requests hold, and all hold that may: no grant is lost,
 *     and none goes past an earlier request that it conflicts with
 *     somebody holds if anybody waits
 *     a grant wakes the one who got it, once, if he sleeps, and nobody else:
 *     requests with odd numbers sleep when they wait, the others look
 */
#include "rangelock.h"

#include "bits.h"

#include "unit.h"
#include "wakes.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum { NR = 4, STATES_MAX = 8192, SLOTS = 4 * STATES_MAX };
enum phase { IDLE, WAITS, HOLDS };
enum action { LOCK, TRYLOCK, UNLOCK, NR_ACTIONS };

static const struct {
    uint64_t start, end;
} ranges[] = { { 0, 1 }, { 1, 2 }, { 2, RANGE_END }, { 0, 2 }, { 1, RANGE_END },
               { 0, RANGE_END } };
enum { KINDS = 2 * ARRAY_SIZE(ranges) };

/* All that there is; the pointers in it are to itself, so a copy that is put back
 * is what was. */
struct world {
    struct rangelock lock;
    struct range range[NR];
    uint8_t phase[NR];   /* the model's */
    uint8_t line[NR];    /* those who wait, by arrival */
    uint8_t waiting;
};

static struct world now, seen[STATES_MAX];
static unsigned kind[NR], nr_seen;
static uint64_t slots[SLOTS], steps;

static uint64_t start_of(unsigned i)
{
    return ranges[kind[i] / 2].start;
}

static uint64_t end_of(unsigned i)
{
    return ranges[kind[i] / 2].end;
}

static enum range_mode mode_of(unsigned i)
{
    return kind[i] % 2 ? RANGE_EXCLUSIVE : RANGE_SHARED;
}

static bool conflicts(unsigned a, unsigned b)
{
    return start_of(a) < end_of(b) && start_of(b) < end_of(a) &&
           (mode_of(a) == RANGE_EXCLUSIVE || mode_of(b) == RANGE_EXCLUSIVE);
}

/* --- the model ----------------------------------------------------------------- */

/* Is request i kept by a holder, or by one of the first `ahead` in line? */
static bool kept(unsigned i, unsigned ahead)
{
    for (unsigned k = 0; k < NR; k++)
        if (k != i && now.phase[k] == HOLDS && conflicts(i, k))
            return true;
    for (unsigned k = 0; k < ahead; k++)
        if (conflicts(i, now.line[k]))
            return true;
    return false;
}

/* Grants until nobody can be granted; *asleep is how many of these sleep. */
static void settle(unsigned *asleep)
{
    for (unsigned k = 0; k < now.waiting;) {
        unsigned i = now.line[k];

        if (kept(i, k)) {
            k++;
            continue;
        }
        now.phase[i] = HOLDS;
        *asleep += i % 2;
        now.waiting--;
        memmove(now.line + k, now.line + k + 1, now.waiting - k);
        k = 0;
    }
}

/* --- one step ------------------------------------------------------------------ */

static void enter(unsigned i, bool queue)
{
    struct range *range = &now.range[i];
    bool free = !kept(i, now.waiting), got;

    if (queue)
        got = rangelock_begin(&now.lock, range, start_of(i), end_of(i),
                              mode_of(i));
    else
        got = rangelock_trylock(&now.lock, range, start_of(i), end_of(i),
                                mode_of(i)) == 0;
    unit_assert(got == free);
    if (got) {
        now.phase[i] = HOLDS;
    } else if (queue) {
        now.phase[i] = WAITS;
        now.line[now.waiting++] = (uint8_t)i;
        if (i % 2)
            atomic_store(&range->state, RANGE_PARKED);
    }
}

static void check(unsigned asleep)
{
    bool holds = false;

    unit_assert(atomic_load(&wakes) == asleep);
    for (unsigned i = 0; i < NR; i++) {
        holds |= now.phase[i] == HOLDS;
        if (now.phase[i] != IDLE)
            unit_assert(rangelock_granted(&now.range[i]) ==
                        (now.phase[i] == HOLDS));
        for (unsigned k = 0; k < i; k++)
            unit_assert(now.phase[i] != HOLDS || now.phase[k] != HOLDS ||
                        !conflicts(i, k));
    }
    unit_assert(holds || now.waiting == 0);
    unit_assert(holds || atomic_load(&now.lock.held) == 0);
    rangelock_check(&now.lock);
}

/* False if request i can not do that now. */
static bool step(unsigned i, enum action action)
{
    unsigned asleep = 0;

    if (now.phase[i] != (action == UNLOCK ? HOLDS : IDLE))
        return false;
    wakes_start(NULL);
    if (action == UNLOCK) {
        now.phase[i] = IDLE;
        settle(&asleep);
        rangelock_unlock(&now.lock, &now.range[i]);
    } else {
        enter(i, action == LOCK);
    }
    check(asleep);
    steps++;
    return true;
}

/* --- all of them ---------------------------------------------------------------- */

/* The state in a number: phases, the line, the list of holders, the word's kind. */
static uint64_t name_of_state(void)
{
    uintptr_t held = atomic_load(&now.lock.held);
    uint64_t name = 1 + (held & 1);

    for (unsigned i = 0; i < NR; i++)
        name = name * 4 + now.phase[i];
    for (unsigned k = 0; k < NR; k++)
        name = name * 8 + (k < now.waiting ? now.line[k] : NR);
    if (held & 1)
        for (struct range *r = (struct range *)(held & ~(uintptr_t)1); r;
             r = r->next)
            name = name * 8 + (uint64_t)(r - now.range);
    return name;
}

static void note(void)
{
    uint64_t name = name_of_state();
    unsigned slot = (unsigned)(name * 0x9e3779b97f4a7c15u >> 40) % SLOTS;

    while (slots[slot] != 0 && slots[slot] != name)
        slot = (slot + 1) % SLOTS;
    if (slots[slot] == name)
        return;
    slots[slot] = name;
    unit_assert(nr_seen < STATES_MAX);
    seen[nr_seen++] = now;
}

static void explore(void)
{
    memset(slots, 0, sizeof(slots));
    now = (struct world){ .waiting = 0 };
    nr_seen = 0;
    note();
    for (unsigned s = 0; s < nr_seen; s++)
        for (unsigned i = 0; i < NR; i++)
            for (unsigned action = 0; action < NR_ACTIONS; action++) {
                now = seen[s];
                if (step(i, (enum action)action))
                    note();
            }
}

START_TEST(four_requests_in_all_orders)
{
    uint64_t states = 0;

    for (kind[0] = 0; kind[0] < KINDS; kind[0]++)
        for (kind[1] = kind[0]; kind[1] < KINDS; kind[1]++)
            for (kind[2] = kind[1]; kind[2] < KINDS; kind[2]++)
                for (kind[3] = kind[2]; kind[3] < KINDS; kind[3]++) {
                    explore();
                    states += nr_seen;
                }
    printf("%lu states, %lu steps\n", (unsigned long)states,
           (unsigned long)steps);
    ck_assert_uint_gt(steps, states);
}
END_TEST

UNIT_MAIN("rangelock_model", four_requests_in_all_orders)

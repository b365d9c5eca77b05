/* follow.c - counting looks at where callers are.
 *
 * A look costs some microseconds, a move some milliseconds, and a request whose
 * caller is elsewhere tens of microseconds: so a look comes every 16 requests, and a
 * move pays for itself when the caller was found there eight times.  What it brought
 * more or less than that is kept as credit: luck changes with the ticks of the
 * scheduler, and a few moves in vain mean little.
 */
#include "follow.h"

#include "bits.h"

enum {
    LOOK_EVERY = 16,    /* requests */
    PRICE = 8,          /* looks together, for which a move was worth it */
    CREDIT = 8 * PRICE, /* at first */
    CREDIT_MAX = 2 * CREDIT,
    STRANGERS_MANY = 4, /* looks, each with another caller */
    WASTE_MAX = 4095,   /* looks between moves in vain, at the most */
};

void follow_init(struct follow *follow)
{
    *follow = (struct follow){ .credit = CREDIT };
}

bool follow_due(struct follow *follow, bool alone)
{
    if (!alone)
        return follow->bound;
    follow->step -= follow->step > 0;
    return follow->step == 0;
}

static enum follow_order let_go(struct follow *follow)
{
    bool bound = follow->bound;

    follow->bound = false;
    return bound ? FOLLOW_LET_GO : FOLLOW_STAY;
}

/* The last move is over: he is elsewhere. */
static void judge(struct follow *follow)
{
    follow->credit = MIN(follow->credit + follow->together - PRICE,
                         (int)CREDIT_MAX);
    if (follow->credit < 0) {
        follow->credit = 0;
        follow->waste = MIN(2 * follow->waste + 1, (unsigned)WASTE_MAX);
        follow->rest = follow->waste;
    } else if (follow->together >= PRICE) {
        follow->waste /= 4;
    }
    follow->moved = false;
}

enum follow_order follow_looked(struct follow *follow, bool alone, pid_t caller,
                                int his, int mine)
{
    follow->step = LOOK_EVERY;
    if (!alone)
        return let_go(follow);
    if (his < 0 || caller != follow->caller) {
        follow->caller = caller;
        return ++follow->strangers < STRANGERS_MANY ? FOLLOW_STAY
                                                    : let_go(follow);
    }
    follow->strangers = 0;
    if (his == mine) {
        follow->together++;
        return FOLLOW_STAY;
    }
    if (follow->moved)
        judge(follow);
    if (follow->rest > 0) {
        follow->rest--;
        return let_go(follow);
    }
    follow->bound = follow->moved = true;
    follow->together = 0;
    return FOLLOW_GO;
}

void follow_failed(struct follow *follow)
{
    follow->bound = follow->moved = false;
    follow->waste = follow->rest = WASTE_MAX;
}

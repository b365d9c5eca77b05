/* crew.c - counting looks.
 *
 * The numbers are such that looking costs little (one poll for eight requests)
 * and that neither a burst nor a pause changes anything: being let in costs a
 * wake-up, and afterwards requests go to both in turn.  Reading from swap lets
 * another in with its first wait, who then stays as long as it goes on.
 */
#include "crew.h"

#include "bits.h"

enum {
    LOOK_EVERY = 8,      /* requests */
    LARGE_WEIGHT = 8,    /* of a look after a large request */
    BEHIND_MANY = 32,    /* looks, so weighted, before another is let in */
    CALM_MANY = 64,      /* looks before one goes out */
    WASTE_MAX = 4095,    /* requests from one spin in vain to the next */
};

void crew_init(struct crew *crew, unsigned all)
{
    *crew = (struct crew){ .all = all, .in = 1 };
}

bool crew_due(struct crew_member *member, bool alone, bool large)
{
    member->step -= member->step > 0;
    member->rest -= member->rest > 0;
    return large || member->step == 0 || crew_spins(member, alone);
}

bool crew_spins(const struct crew_member *member, bool alone)
{
    return alone && member->rest == 0;
}

static void remember(struct crew_member *member, enum crew_look look)
{
    member->step = LOOK_EVERY;
    switch (look) {
    case CREW_AT_ONCE: /* nothing to spin for */
        member->rest = MAX(member->rest, (unsigned)LOOK_EVERY);
        break;
    case CREW_SOON:
        member->waste /= 4;
        member->rest = member->waste;
        break;
    case CREW_IN_VAIN:
        member->waste = MIN(2 * member->waste + 1, (unsigned)WASTE_MAX);
        member->rest = member->waste;
        break;
    case CREW_NOTHING:
        break;
    }
}

enum crew_order crew_looked(struct crew *crew, struct crew_member *member,
                            enum crew_look look, bool large)
{
    remember(member, look);
    if (look == CREW_AT_ONCE) {
        crew->calm = 0;
        crew->behind += large ? LARGE_WEIGHT : 1;
        if (crew->behind < BEHIND_MANY)
            return CREW_STAY;
        crew->behind = 0;
        if (crew->in == crew->all)
            return CREW_STAY;
        crew->in++;
        return CREW_ADMIT;
    }
    crew->behind = 0;
    if (++crew->calm < CALM_MANY)
        return CREW_STAY;
    crew->calm = 0;
    if (crew->in - crew->away < 2)
        return CREW_STAY;
    crew->in--;
    return CREW_LEAVE;
}

bool crew_away(struct crew *crew, bool *admit)
{
    *admit = false;
    if (crew->away + 1 >= crew->all)
        return false;
    crew->calm = 0;
    crew->away++;
    if (crew->in == crew->away) {
        crew->in++;
        *admit = true;
    }
    return true;
}

void crew_back(struct crew *crew)
{
    crew->away--;
}

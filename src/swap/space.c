/* space.c - which run of blocks to hand out.
 *
 * What a pager wants from its swap space is that pages which belong together
 * lie together, for one large read later, although many files are written at
 * once and little by little.  Three rules do it, in this order:
 *
 *   hint     A run goes on where the file's last run ended, if there is room
 *            for a useful piece of it; over the end of a cluster too.
 *   stream   A long run (STREAM_MIN), or a middling one that goes on with a
 *            file whose next block is taken, starts a wholly free cluster, by
 *            next fit.  That cluster is then HELD: off the shelves, so that
 *            only hints find it, until it is full or the least recently used of
 *            those held.  So streams do not cut each other into pieces.
 *   shared   A short run goes into the cluster that took the last one, else
 *            into the tightest that has room; only then into a whole one.
 *
 * When no cluster has a run long enough, the held ones are let go, and at last
 * the longest run there is must do: a block is found whenever one is free (S2).
 *
 * Retired blocks stay set in the bitmap, and so are free never again.
 */
#include "space_internal.h"

#include "log.h"

#include <errno.h>

enum {
    STREAM_MIN = 64, /* a run this long is a stream by itself */
    USEFUL_MIN = 16, /* a piece shorter than this is not worth its own I/O */
    HOLD_PART = 8,   /* at most one backed cluster in so many is held */
};

/* --- clusters held for streams -------------------------------------------- */

/* Position among the held, most recently used first. */
static void held_remove(struct space *space, uint32_t cluster)
{
    uint32_t i = 0;

    while (space->held[i] != cluster)
        i++;
    for (space->nr_held--; i < space->nr_held; i++)
        space->held[i] = space->held[i + 1];
}

static void held_put_first(struct space *space, uint32_t cluster)
{
    for (uint32_t i = space->nr_held++; i > 0; i--)
        space->held[i] = space->held[i - 1];
    space->held[0] = cluster;
}

static void held_let_go(struct space *space)
{
    struct spot spot = spot_of(space, space->held[--space->nr_held]);

    shelf_move(space, &spot, shelf_by_runs(&spot));
}

static void hold(struct space *space, const struct spot *spot)
{
    uint32_t most = MIN((uint32_t)MAX_HELD,
                        space->nr_backed / SPACE_CLUSTER / HOLD_PART);

    if (most == 0) {
        shelf_move(space, spot, shelf_by_runs(spot));
        return;
    }
    while (space->nr_held >= most)
        held_let_go(space);
    held_put_first(space, spot->cluster);
    shelf_move(space, spot, SHELF_HELD);
}

/* Blocks of the cluster have been taken or freed: it may belong elsewhere, on
 * shelf `to` if it is not held. */
static void reshelve(struct space *space, const struct spot *spot,
                     enum shelf to)
{
    uint32_t nr_free = spot->leaf->nr_free[spot->slot];

    if (spot_shelf(spot) == SHELF_HELD) {
        held_remove(space, spot->cluster);
        if (nr_free > 0 && nr_free < cluster_size(space, spot->cluster)) {
            held_put_first(space, spot->cluster);
            return;
        }
        to = shelf_by_runs(spot);
    }
    shelf_move(space, spot, to);
}

/* The shelf after [first, first + nr) was freed: only the run that it became
 * part of can have grown past what the old shelf says. */
static enum shelf shelf_after_free(const struct spot *spot, uint32_t first)
{
    const uint64_t *bitmap = spot_bitmap(spot);
    unsigned length = runs_free_before(bitmap, first) +
                      runs_free_at(bitmap, first, SPACE_CLUSTER);
    enum shelf shelf = (enum shelf)(SHELF_RUN_1 + bit_highest(length));

    return spot_shelf(spot) == SHELF_FULL ? shelf
                                          : MAX(spot_shelf(spot), shelf);
}

/* --- taking and giving back ----------------------------------------------- */

/* How the number of free runs changes when [first, first + nr) becomes free;
 * the bitmap says it is not. */
static int runs_gained(const uint64_t *bitmap, uint32_t first, uint32_t nr)
{
    bool before = first > 0 && runs_free_at(bitmap, first - 1, 1) == 1;
    bool after = first + nr < SPACE_CLUSTER &&
                 runs_free_at(bitmap, first + nr, 1) == 1;

    return 1 - before - after;
}

static void count_free(struct space *space, const struct spot *spot, int nr,
                       int runs)
{
    uint16_t *nr_free = &spot->leaf->nr_free[spot->slot];

    *nr_free = (uint16_t)(*nr_free + nr);
    space->nr_free += (uint32_t)nr;
    space->nr_used -= (uint32_t)nr;
    space->nr_runs += (uint32_t)runs;
}

/* Part of a run that lies in one cluster: its place and length. */
static uint32_t part_of(uint32_t first, uint32_t nr)
{
    return MIN(nr, SPACE_CLUSTER - first % SPACE_CLUSTER);
}

void space_take(struct space *space, uint32_t first, uint32_t nr, bool stream)
{
    while (nr > 0) {
        uint32_t n = part_of(first, nr);
        struct spot spot = spot_of(space, first / SPACE_CLUSTER);
        bool whole = spot_shelf(&spot) == SHELF_WHOLE;

        INVARIANT("S1", spot_shelf(&spot) != SHELF_UNBACKED);
        if (!runs_use(spot_bitmap(&spot), first % SPACE_CLUSTER, n))
            assert_failed("S1", "a free block is in use", __FILE__, __LINE__);
        count_free(space, &spot, -(int)n,
                   -runs_gained(spot_bitmap(&spot), first % SPACE_CLUSTER, n));
        if (whole && stream && n < SPACE_CLUSTER)
            hold(space, &spot);
        else
            reshelve(space, &spot, shelf_by_runs(&spot));
        first += n;
        nr -= n;
    }
}

void space_free(struct space *space, uint32_t first, uint32_t nr)
{
    while (nr > 0) {
        uint32_t n = part_of(first, nr);
        struct spot spot = spot_of(space, first / SPACE_CLUSTER);
        int runs;

        INVARIANT("S1", spot_shelf(&spot) != SHELF_UNBACKED);
        runs = runs_gained(spot_bitmap(&spot), first % SPACE_CLUSTER, n);
        /* Two owners of one block would read each other's bytes: no build may
         * go on. */
        if (!runs_free(spot_bitmap(&spot), first % SPACE_CLUSTER, n))
            assert_failed("S1", "a block was freed twice", __FILE__, __LINE__);
        count_free(space, &spot, (int)n, runs);
        reshelve(space, &spot,
                 shelf_after_free(&spot, first % SPACE_CLUSTER));
        first += n;
        nr -= n;
    }
}

void space_retire(struct space *space, uint32_t first, uint32_t nr)
{
    INVARIANT("S4", first + nr <= space->nr_blocks);
    for (uint32_t block = first; block < first + nr; block++) {
        struct spot spot = spot_of(space, block / SPACE_CLUSTER);

        INVARIANT("S1", space_is_used(space, block));
        spot.leaf->retired |= (uint64_t)1 << spot.slot;
    }
    space->nr_used -= nr;
    space->nr_retired += nr;
}

bool space_is_used(const struct space *space, uint32_t block)
{
    struct spot spot = spot_of(space, block / SPACE_CLUSTER);

    return spot_shelf(&spot) != SHELF_UNBACKED &&
           runs_free_at(spot_bitmap(&spot), block % SPACE_CLUSTER, 1) == 0;
}

bool space_used(const struct space *space, uint32_t block,
                uint64_t used[SPACE_CLUSTER / 64])
{
    struct spot spot = spot_of(space, block / SPACE_CLUSTER);
    uint32_t size = cluster_size(space, spot.cluster);
    bool backed = spot_shelf(&spot) != SHELF_UNBACKED;

    for (uint32_t i = 0; i < RUN_WORDS; i++) {
        used[i] = backed ? spot_bitmap(&spot)[i] : 0;
        /* Blocks past the end of a short cluster have no owner. */
        if (size < 64 * (i + 1))
            used[i] &= size <= 64 * i ? 0
                                      : ((uint64_t)1 << size % 64) - 1;
    }
    return !(spot.leaf->retired >> spot.slot & 1);
}

/* --- choosing ------------------------------------------------------------- */

/* Free blocks from `first` on, through clusters that follow each other. */
static uint32_t free_from(const struct space *space, uint32_t first,
                          uint32_t want)
{
    uint32_t n = 0, part, room;

    do {
        struct spot spot = spot_of(space, (first + n) / SPACE_CLUSTER);

        if (first + n >= space->nr_blocks ||
            spot_shelf(&spot) == SHELF_UNBACKED)
            break;
        room = part_of(first + n, want - n);
        part = runs_free_at(spot_bitmap(&spot), (first + n) % SPACE_CLUSTER,
                            room);
        n += part;
    } while (n < want && part == room);
    return n;
}

static uint32_t next_around(const struct space *space, enum shelf shelf,
                            uint32_t from)
{
    uint32_t cluster;

    if (space->nr_on[shelf] == 0)
        return CLUSTER_NONE;
    cluster = shelf_next(space, shelf, from);
    return cluster != CLUSTER_NONE ? cluster : shelf_next(space, shelf, 0);
}

/* Next fit, so that clusters freed long ago are used before those freed just
 * now, which the trimmer may still want. */
static uint32_t whole_cluster(struct space *space)
{
    uint32_t cluster = next_around(space, SHELF_WHOLE, space->cursor);

    if (cluster != CLUSTER_NONE)
        space->cursor = cluster + 1;
    return cluster;
}

/* Of the clusters begun, one whose shelf promises least but enough. */
static uint32_t tightest_cluster(const struct space *space, enum shelf enough)
{
    for (unsigned shelf = enough; shelf <= SHELF_RUN_256; shelf++) {
        uint32_t cluster =
            next_around(space, (enum shelf)shelf, space->shared);

        if (cluster != CLUSTER_NONE)
            return cluster;
    }
    return CLUSTER_NONE;
}

static uint32_t shared_cluster(struct space *space, enum shelf enough)
{
    struct spot last = spot_of(space, space->shared);
    uint32_t cluster;

    if (spot_shelf(&last) >= enough && spot_shelf(&last) <= SHELF_RUN_256)
        return space->shared;
    cluster = tightest_cluster(space, enough);
    if (cluster == CLUSTER_NONE)
        cluster = whole_cluster(space);
    if (cluster != CLUSTER_NONE)
        space->shared = cluster;
    return cluster;
}

/* A cluster with a run of `want` blocks, or with the longest there is. */
static uint32_t choose(struct space *space, uint32_t want, bool stream)
{
    enum shelf enough = SHELF_WHOLE;
    uint32_t cluster;

    if (want <= SPACE_CLUSTER / 2)
        enough = (enum shelf)(SHELF_RUN_1 + (want == 1 ? 0
                                             : bit_highest(want - 1) + 1));
    cluster = stream ? whole_cluster(space) : shared_cluster(space, enough);
    if (cluster == CLUSTER_NONE)
        cluster = tightest_cluster(space, enough);
    if (cluster == CLUSTER_NONE && space->nr_held > 0) {
        while (space->nr_held > 0)
            held_let_go(space);
        cluster = tightest_cluster(space, enough);
    }
    for (unsigned shelf = enough;
         cluster == CLUSTER_NONE && --shelf >= SHELF_RUN_1;)
        cluster = next_around(space, (enum shelf)shelf, space->shared);
    return cluster;
}

int space_alloc(struct space *space, uint32_t hint, uint32_t want,
                uint32_t *first, uint32_t *got)
{
    bool stream = want >= STREAM_MIN ||
                  (hint != BLOCK_NONE && want >= USEFUL_MIN);
    uint32_t at_hint = 0, cluster, n = 0;
    struct spot spot;
    unsigned place;

    INVARIANT("S1", want > 0);
    if (space->nr_free == 0)
        return -ENOSPC;
    if (hint < space->nr_blocks)
        at_hint = free_from(space, hint, want);
    if (at_hint < MIN(want, (uint32_t)USEFUL_MIN)) {
        cluster = choose(space, want, stream);
        INVARIANT("S2", cluster != CLUSTER_NONE);
        spot = spot_of(space, cluster);
        n = runs_longest(spot_bitmap(&spot), MIN(want, SPACE_CLUSTER), &place);
    }
    if (n > at_hint) {
        *first = cluster * SPACE_CLUSTER + place;
        *got = n;
    } else {
        *first = hint;
        *got = at_hint;
    }
    space_take(space, *first, *got, stream);
    return 0;
}

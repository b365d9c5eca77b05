/* test_space.c - which run is handed out, and S1..S4 against a naive model. */
#include "space.h"

#include "space_pages.h"
#include "unit.h"

#include <errno.h>
#include <string.h>

enum { BLOCKS = 150 * SPACE_CLUSTER + 77, OPERATIONS = 400000 };

/* --- the model: what each block is ---------------------------------------- */

enum block { UNBACKED, FREE, USED, RETIRED };

struct model {
    struct space_pages pages;
    struct space *space;
    uint8_t block[BLOCKS]; /* enum block */
    uint32_t count[4];
};

static void model_set(struct model *m, uint32_t first, uint32_t nr,
                      enum block from, enum block to)
{
    unit_assert(nr <= BLOCKS);
    unit_assert(first <= BLOCKS - nr);
    for (uint32_t b = first; b < first + nr; b++) {
        unit_assert(m->block[b] == from);
        m->block[b] = (uint8_t)to;
    }
    m->count[from] -= nr;
    m->count[to] += nr;
}

/* A range of USED blocks, 1..most long, or 0. */
static uint32_t model_pick_used(const struct model *m, uint32_t most,
                                uint32_t *first)
{
    uint32_t at = (uint32_t)rand() % BLOCKS, nr = 0;

    for (uint32_t i = 0; i < 3000 && m->block[at] != USED; i++)
        at = (at + 1) % BLOCKS;
    most = 1 + (uint32_t)rand() % most;
    while (nr < most && at + nr < BLOCKS && m->block[at + nr] == USED)
        nr++;
    *first = at;
    return nr;
}

static void model_alloc(struct model *m)
{
    static uint32_t last[8]; /* where eight files would like to go on */
    uint32_t file = (uint32_t)rand() % 8, hint = last[file];
    uint32_t want = 1 + (uint32_t)rand() % (rand() % 4 ? 40 : 600);
    uint32_t first, got;
    int err;

    if (rand() % 4 == 0)
        hint = rand() % 2 ? BLOCK_NONE : (uint32_t)rand() % (BLOCKS + 10);
    err = space_alloc(m->space, hint, want, &first, &got);
    if (m->count[FREE] == 0) {
        unit_assert(err == -ENOSPC);
        return;
    }
    unit_assert(err == 0);
    unit_assert(got > 0);
    unit_assert(got <= want);
    model_set(m, first, got, FREE, USED);
    last[file] = first + got;
}

static void model_free(struct model *m, uint32_t most)
{
    uint32_t first, nr = model_pick_used(m, most, &first);

    if (nr == 0)
        return;
    space_free(m->space, first, nr);
    model_set(m, first, nr, USED, FREE);
}

static void model_retire(struct model *m)
{
    uint32_t first, nr = model_pick_used(m, 2, &first);

    if (nr == 0 || m->count[RETIRED] > 50)
        return;
    space_retire(m->space, first, nr);
    model_set(m, first, nr, USED, RETIRED);
}

static void model_back(struct model *m)
{
    uint32_t want = 1 + (uint32_t)rand() % 5000, first, nr;
    int err;

    m->pages.fail_after = rand() % 4 == 0 ? (unsigned)rand() % 2 : ~0u;
    nr = space_unbacked(m->space, want, &first);
    unit_assert(nr <= round_up(want, SPACE_CLUSTER));
    if (nr == 0) {
        unit_assert(m->count[UNBACKED] == 0);
        return;
    }
    err = space_back(m->space, first, nr);
    if (m->pages.fail_after == ~0u)
        unit_assert(err == 0);
    if (!err)
        model_set(m, first, nr, UNBACKED, FREE);
    else
        unit_assert(err == -EAGAIN);
}

static void model_unback(struct model *m)
{
    uint32_t below = BLOCKS, first, nr;

    for (int i = rand() % 10; i >= 0; i--) {
        if (!space_claim(m->space, below, &first, &nr))
            return;
        unit_assert(first < below);
        model_set(m, first, nr, FREE, USED);
        below = first;
        if (rand() % 4 == 0) {
            space_free(m->space, first, nr);
            model_set(m, first, nr, USED, FREE);
        } else {
            space_unback(m->space, first);
            model_set(m, first, nr, USED, UNBACKED);
        }
    }
}

/* What a cluster says of its blocks, unless some are retired. */
static void model_compare_used(const struct model *m)
{
    for (uint32_t first = 0; first < BLOCKS; first += SPACE_CLUSTER) {
        uint64_t used[SPACE_CLUSTER / 64];
        bool told = space_used(m->space, first, used), retired = false;

        for (uint32_t i = 0; i < SPACE_CLUSTER; i++) {
            uint32_t b = first + i;
            bool is = b < BLOCKS && (m->block[b] == USED ||
                                     m->block[b] == RETIRED);

            unit_assert((used[i / 64] >> i % 64 & 1) == is);
            retired |= b < BLOCKS && m->block[b] == RETIRED;
        }
        unit_assert(told == !retired);
    }
}

static void model_compare(const struct model *m)
{
    struct space_stats stats;
    uint32_t runs = 0;

    space_check(m->space);
    model_compare_used(m);
    space_stats(m->space, &stats);
    unit_assert(stats.nr_blocks == BLOCKS);
    unit_assert(stats.nr_backed == BLOCKS - m->count[UNBACKED]);
    unit_assert(stats.nr_free == m->count[FREE]);
    unit_assert(stats.nr_used == m->count[USED]);
    unit_assert(stats.nr_retired == m->count[RETIRED]);
    for (uint32_t b = 0; b < BLOCKS; b++) {
        bool starts = b % SPACE_CLUSTER == 0 || m->block[b - 1] != FREE;

        runs += starts && m->block[b] == FREE;
        unit_assert(space_is_used(m->space, b) ==
                  (m->block[b] == USED || m->block[b] == RETIRED));
    }
    unit_assert(stats.free_runs == runs);
}

static void model_run(struct model *m, unsigned seed)
{
    srand(seed);
    memset(m, 0, sizeof(*m));
    m->space = space_pages_create(&m->pages, BLOCKS);
    m->count[UNBACKED] = BLOCKS;
    for (unsigned i = 0; i < OPERATIONS; i++) {
        /* Seasons of growing and of shrinking, so that full, empty and all
         * between are visited. */
        bool growing = i / 5000 % 2 == 0;
        int dice = rand() % 1000;

        if (dice < 10)
            model_back(m);
        else if (dice < 12)
            model_unback(m);
        else if (dice < 14)
            model_retire(m);
        else if (dice < (growing ? 650 : 350))
            model_alloc(m);
        else
            model_free(m, growing ? 50 : 400);
        if (i % 1000 == 0)
            model_compare(m);
    }
    model_compare(m);
    for (uint32_t b = 0; b < BLOCKS; b++) {
        if (m->block[b] == USED)
            space_free(m->space, b, 1);
    }
    space_pages_destroy(m->space, &m->pages);
}

START_TEST(agrees_with_a_naive_model)
{
    static struct model m;

    for (unsigned seed = 1; seed <= 3; seed++)
        model_run(&m, seed);
}
END_TEST

/* --- what is chosen ------------------------------------------------------- */

static struct space *backed(struct space_pages *pages, uint32_t clusters)
{
    struct space *space = space_pages_create(pages, clusters * SPACE_CLUSTER);

    space_pages_back_all(space);
    return space;
}

static uint32_t alloc_all(struct space *space, uint32_t hint, uint32_t want)
{
    uint32_t first, got;

    ck_assert_int_eq(space_alloc(space, hint, want, &first, &got), 0);
    ck_assert_uint_eq(got, want);
    return first;
}

static void free_all(struct space *space, uint32_t clusters)
{
    for (uint32_t b = 0; b < clusters * SPACE_CLUSTER; b++) {
        if (space_is_used(space, b))
            space_free(space, b, 1);
    }
}

START_TEST(hint_is_continued_into_the_next_cluster)
{
    struct space_pages pages;
    struct space *space = backed(&pages, 64);
    uint32_t first = alloc_all(space, BLOCK_NONE, 200), at = first + 200;

    for (int i = 0; i < 10; i++, at += 256)
        ck_assert_uint_eq(alloc_all(space, at, 256), at);
    space_free(space, first, at - first);
    space_pages_destroy(space, &pages);
}
END_TEST

START_TEST(streams_do_not_cut_each_other)
{
    enum { STREAMS = 7, ROUNDS = 256 };
    struct space_pages pages;
    struct space *space = backed(&pages, 600);
    uint32_t next[STREAMS], breaks = 0;

    for (unsigned s = 0; s < STREAMS; s++)
        next[s] = BLOCK_NONE;
    for (unsigned i = 0; i < ROUNDS; i++) {
        for (unsigned s = 0; s < STREAMS; s++) {
            uint32_t at = alloc_all(space, next[s], 128);

            breaks += next[s] != BLOCK_NONE && at != next[s];
            next[s] = at + 128;
            /* Short files in between have places of their own. */
            alloc_all(space, BLOCK_NONE, 3);
        }
    }
    /* A break for each cluster at the most, of 512 pages. */
    ck_assert_uint_le(breaks, STREAMS * ROUNDS * 128 / SPACE_CLUSTER);
    free_all(space, 600);
    space_pages_destroy(space, &pages);
}
END_TEST

/* As a small pool writes: 16 pages at a time of each file in turn. */
START_TEST(slow_streams_get_clusters_of_their_own)
{
    enum { STREAMS = 5, ROUNDS = 512 };
    struct space_pages pages;
    struct space *space = backed(&pages, 600);
    uint32_t next[STREAMS], breaks = 0;

    for (unsigned s = 0; s < STREAMS; s++)
        next[s] = BLOCK_NONE;
    for (unsigned i = 0; i < ROUNDS; i++) {
        for (unsigned s = 0; s < STREAMS; s++) {
            uint32_t at = alloc_all(space, next[s], 16);

            breaks += next[s] != BLOCK_NONE && at != next[s];
            next[s] = at + 16;
        }
    }
    ck_assert_uint_le(breaks, STREAMS * (1 + ROUNDS * 16 / SPACE_CLUSTER));
    free_all(space, 600);
    space_pages_destroy(space, &pages);
}
END_TEST

START_TEST(short_runs_share_a_cluster)
{
    struct space_pages pages;
    struct space *space = backed(&pages, 64);
    uint32_t stream = alloc_all(space, BLOCK_NONE, 256);
    uint32_t at = alloc_all(space, BLOCK_NONE, 4);

    ck_assert_uint_ne(at / SPACE_CLUSTER, stream / SPACE_CLUSTER);
    for (uint32_t i = 1; i < SPACE_CLUSTER / 4; i++)
        ck_assert_uint_eq(alloc_all(space, BLOCK_NONE, 4), at + 4 * i);
    space_free(space, at, SPACE_CLUSTER);
    space_free(space, stream, 256);
    space_pages_destroy(space, &pages);
}
END_TEST

START_TEST(next_fit_goes_round)
{
    struct space_pages pages;
    struct space *space = backed(&pages, 8);
    uint32_t a = alloc_all(space, BLOCK_NONE, 512);
    uint32_t b = alloc_all(space, BLOCK_NONE, 512);

    space_free(space, a, 512);
    ck_assert_uint_gt(alloc_all(space, BLOCK_NONE, 512), b);
    space_free(space, b + 512, 512);
    for (int i = 0; i < 5; i++)
        alloc_all(space, BLOCK_NONE, 512);
    ck_assert_uint_eq(alloc_all(space, BLOCK_NONE, 512), a);
    space_free(space, a, 1024);
    space_free(space, b + 1024, 5 * 512);
    space_pages_destroy(space, &pages);
}
END_TEST

START_TEST(fragments_are_found_to_the_last_block)
{
    struct space_pages pages;
    struct space *space = backed(&pages, 16);
    uint32_t blocks = 16 * SPACE_CLUSTER, first, got, found = 0;

    while (space_nr_free(space) > 0)
        alloc_all(space, BLOCK_NONE, 512);
    for (uint32_t b = 0; b < blocks; b += 7)
        space_free(space, b, 1 + b % 3);
    while (space_alloc(space, BLOCK_NONE, 256, &first, &got) == 0) {
        ck_assert_uint_le(got, 3);
        found += got;
    }
    ck_assert_uint_eq(space_nr_free(space), 0);
    ck_assert_uint_gt(found, blocks / 7);
    space_free(space, 0, blocks);
    space_pages_destroy(space, &pages);
}
END_TEST

START_TEST(held_clusters_are_given_up_before_enospc)
{
    struct space_pages pages;
    struct space *space = backed(&pages, 16);
    uint32_t first, got, total = 0;

    /* Two streams stop early and keep the rest of their clusters. */
    for (int i = 0; i < 2; i++, total += 64)
        alloc_all(space, BLOCK_NONE, 64);
    while (space_alloc(space, BLOCK_NONE, 2, &first, &got) == 0)
        total += got;
    ck_assert_uint_eq(total, 16 * SPACE_CLUSTER);
    space_free(space, 0, total);
    space_pages_destroy(space, &pages);
}
END_TEST

START_TEST(a_scrap_at_the_hint_is_left_for_others)
{
    struct space_pages pages;
    struct space *space = backed(&pages, 16);
    uint32_t at = alloc_all(space, BLOCK_NONE, 512);

    space_free(space, at + 100, 3);
    ck_assert_uint_ne(alloc_all(space, at + 100, 64), at + 100);
    ck_assert_uint_eq(alloc_all(space, at + 100, 3), at + 100);
    free_all(space, 16);
    space_pages_destroy(space, &pages);
}
END_TEST

START_TEST(retired_blocks_never_return)
{
    struct space_pages pages;
    struct space *space = backed(&pages, 1);
    uint32_t at = alloc_all(space, BLOCK_NONE, 10), first, got;

    space_retire(space, at + 3, 2);
    space_free(space, at, 3);
    space_free(space, at + 5, 5);
    while (space_alloc(space, BLOCK_NONE, 512, &first, &got) == 0)
        ck_assert(first > at + 4 || first + got <= at + 3);
    space_free(space, 0, at + 3);
    space_free(space, at + 5, SPACE_CLUSTER - at - 5);
    ck_assert(!space_claim(space, SPACE_CLUSTER, &first, &got));
    space_pages_destroy(space, &pages);
}
END_TEST

UNIT_MAIN("space", agrees_with_a_naive_model,
          hint_is_continued_into_the_next_cluster,
          streams_do_not_cut_each_other,
          slow_streams_get_clusters_of_their_own, short_runs_share_a_cluster,
          next_fit_goes_round, fragments_are_found_to_the_last_block,
          held_clusters_are_given_up_before_enospc,
          a_scrap_at_the_hint_is_left_for_others, retired_blocks_never_return)

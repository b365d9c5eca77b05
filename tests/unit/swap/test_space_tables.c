/* test_space_tables.c - shelves and their index, over all of 4 TiB. */
#include "space_internal.h"

#include "space_pages.h"
#include "unit.h"

enum { CLUSTERS = SPACE_MAX_BLOCKS / SPACE_CLUSTER, SAMPLE = 400 };

/* Backed clusters far apart, on all shelves, and the same in a sorted array. */
struct sample {
    struct space_pages pages;
    struct space *space;
    uint32_t cluster[SAMPLE];
    enum shelf shelf[SAMPLE];
};

static int by_number(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

    return x < y ? -1 : x > y;
}

static void sample_make(struct sample *s)
{
    s->space = space_pages_create(&s->pages, SPACE_MAX_BLOCKS);
    for (unsigned i = 0; i < SAMPLE; i++) {
        /* Some at the seams of leaves and directories. */
        s->cluster[i] = (uint32_t)rand() % CLUSTERS;
        if (i % 4 == 0)
            s->cluster[i] -= s->cluster[i] % LEAF_CLUSTERS;
        if (i % 16 == 0)
            s->cluster[i] -= s->cluster[i] % DIR_CLUSTERS;
        if (i % 16 == 1)
            s->cluster[i] += DIR_CLUSTERS - 1 - s->cluster[i] % DIR_CLUSTERS;
        s->cluster[i] = MIN(s->cluster[i], (uint32_t)CLUSTERS - 1);
    }
    qsort(s->cluster, SAMPLE, sizeof(uint32_t), by_number);
    for (unsigned i = 0; i < SAMPLE; i++) {
        struct spot spot;
        unsigned to;

        if (i > 0 && s->cluster[i] == s->cluster[i - 1]) {
            s->shelf[i] = s->shelf[i - 1];
            continue;
        }
        ck_assert_int_eq(space_back(s->space, s->cluster[i] * SPACE_CLUSTER,
                                    SPACE_CLUSTER), 0);
        spot = spot_of(s->space, s->cluster[i]);
        to = SHELF_RUN_1 + (unsigned)rand() % 10;
        shelf_move(s->space, &spot, (enum shelf)to);
        s->shelf[i] = (enum shelf)to;
    }
}

static void sample_free(struct sample *s)
{
    for (unsigned i = 0; i < SAMPLE; i++) {
        struct spot spot = spot_of(s->space, s->cluster[i]);

        shelf_move(s->space, &spot, SHELF_WHOLE);
    }
    space_pages_destroy(s->space, &s->pages);
}

static uint32_t next_by_walk(const struct sample *s, enum shelf shelf,
                             uint32_t from)
{
    for (unsigned i = 0; i < SAMPLE; i++) {
        if (s->cluster[i] >= from && s->shelf[i] == shelf)
            return s->cluster[i];
    }
    return CLUSTER_NONE;
}

static uint32_t prev_by_walk(const struct sample *s, enum shelf shelf,
                             uint32_t before)
{
    for (unsigned i = SAMPLE; i-- > 0;) {
        if (s->cluster[i] < before && s->shelf[i] == shelf)
            return s->cluster[i];
    }
    return CLUSTER_NONE;
}

START_TEST(next_and_prev_find_the_nearest)
{
    static struct sample s;

    srand(1);
    sample_make(&s);
    for (unsigned i = 0; i < 50000; i++) {
        enum shelf shelf = (enum shelf)(SHELF_RUN_1 + rand() % 10);
        uint32_t at = (uint32_t)rand() % (CLUSTERS + 1);

        if (i % 2 == 0)
            at = s.cluster[i % SAMPLE] + (uint32_t)rand() % 3 - 1;
        if (at > CLUSTERS)
            at = 0;
        unit_assert(shelf_next(s.space, shelf, at) ==
                    next_by_walk(&s, shelf, at));
        unit_assert(shelf_prev(s.space, shelf, at) ==
                    prev_by_walk(&s, shelf, at));
    }
    sample_free(&s);
}
END_TEST

START_TEST(absent_tables_are_unbacked)
{
    static struct sample s;

    srand(2);
    sample_make(&s);
    for (unsigned i = 0; i < SAMPLE; i++) {
        uint32_t c = s.cluster[i], j = i;

        while (j < SAMPLE && s.cluster[j] <= c)
            c += s.cluster[j++] == c;
        unit_assert(shelf_next(s.space, SHELF_UNBACKED, s.cluster[i]) ==
                    (c < CLUSTERS ? c : CLUSTER_NONE));
    }
    sample_free(&s);
}
END_TEST

UNIT_MAIN("space_tables", next_and_prev_find_the_nearest,
          absent_tables_are_unbacked)

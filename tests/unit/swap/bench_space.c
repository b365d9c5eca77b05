/* bench_space.c - the block allocator at 1 TiB, nine tenths full.
 *
 * Runs of random lengths fill the space; then some are freed and others asked for,
 * over and over, so that what is free gets scattered.  Told: processor time of an
 * allocation and of a free, how much of what was asked for came in one run, and
 * the memory of the tables.
 */
#include "space.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { BLOCKS = 1 << 28, FULL = BLOCKS / 10 * 9, LONGEST = 256,
       ROUNDS = 30000, BATCH = 64, MOST_RUNS = BLOCKS / 16 };

struct run {
    uint32_t first, nr;
};

static unsigned nr_tables;
static struct run *runs;
static uint32_t nr_runs, nr_used;
static uint64_t state = 88172645463325252u;

static int table_alloc(void *ctx, void **page)
{
    (void)ctx;
    *page = calloc(1, PAGE_SIZE);
    nr_tables += *page != NULL;
    return *page ? 0 : -ENOSPC;
}

static void table_free(void *ctx, void *page)
{
    (void)ctx;
    nr_tables--;
    free(page);
}

static uint32_t random_below(uint32_t bound)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (uint32_t)(state % bound);
}

/* Short ones are common: half are of a page or a few. */
static uint32_t random_length(void)
{
    return random_below(2) ? 1 + random_below(8) : 1 + random_below(LONGEST);
}

static uint64_t processor_ns(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
    return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

static void take(struct space *space, uint32_t want)
{
    struct run *run = &runs[nr_runs];

    if (nr_runs == MOST_RUNS ||
        space_alloc(space, BLOCK_NONE, want, &run->first, &run->nr))
        abort();
    nr_runs++;
    nr_used += run->nr;
}

static void fill(struct space *space)
{
    while (nr_used < FULL)
        take(space, random_length());
}

/* Some runs leave the table, and are freed; returns how long the latter took. */
static uint64_t free_some(struct space *space)
{
    struct run gone[BATCH];
    uint64_t began;

    for (unsigned i = 0; i < BATCH; i++) {
        uint32_t at = random_below(nr_runs);

        gone[i] = runs[at];
        runs[at] = runs[--nr_runs];
        nr_used -= gone[i].nr;
    }
    began = processor_ns();
    for (unsigned i = 0; i < BATCH; i++)
        space_free(space, gone[i].first, gone[i].nr);
    return processor_ns() - began;
}

int main(void)
{
    static const struct space_ops ops = { table_alloc, table_free };
    uint64_t began, allocating = 0, freeing = 0, wanted = 0, got = 0;
    struct space *space;

    runs = calloc(MOST_RUNS, sizeof(*runs));
    if (!runs || space_create(&space, BLOCKS, &ops, NULL) ||
        space_back(space, 0, BLOCKS))
        return EXIT_FAILURE;
    for (unsigned round = 0; round < ROUNDS; round++) {
        uint32_t used, want[BATCH];

        fill(space);
        freeing += free_some(space);
        used = nr_used;
        for (unsigned i = 0; i < BATCH; i++)
            wanted += want[i] = random_length();
        began = processor_ns();
        for (unsigned i = 0; i < BATCH; i++)
            take(space, want[i]);
        allocating += processor_ns() - began;
        got += nr_used - used;
    }
    printf("1 TiB, %.0f %% full: allocate %.0f ns, free %.0f ns; %.1f %% came in "
           "one run; tables %.1f MiB\n", 100.0 * nr_used / BLOCKS,
           (double)allocating / ROUNDS / BATCH,
           (double)freeing / ROUNDS / BATCH,
           100.0 * (double)got / (double)wanted, nr_tables / 256.0);
    while (nr_runs > 0) {
        nr_runs--;
        space_free(space, runs[nr_runs].first, runs[nr_runs].nr);
    }
    space_destroy(space);
    free(runs);
    return EXIT_SUCCESS;
}

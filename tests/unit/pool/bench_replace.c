/* bench_replace.c - miss ratios of the replacement policies, for the choice of the
 * default: run it with `meson test --benchmark`, figures in docs/ARCHITECTURE.md.
 *
 * A pool of 4096 frames is asked for pages by index; a page that is not there is a
 * miss and takes the place of the policy's victim.
 *
 *     zipf a      popularity of the pages, 10 times the pool, follows rank^-a
 *     loop        1.2 times the pool, over and over, in order
 *     zipf+scan   zipf 1.1 over twice the pool, and in between one scan of pages
 *                 that are never used again, half of all requests
 *     zipf+loop   zipf 1.1 over twice the pool, and a loop of 1.2 times the pool
 *     shift       zipf 1.1 over 4 times the pool whose favourites change
 */
#include "replace.h"

#include "clock.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { POOL = 4096, REQUESTS = 4000000, PAGES = 1 << 23 };

struct sim {
    struct page pages[POOL];
    uint32_t *frame_of;   /* frame + 1 by page index, 0: not resident */
    struct replace replace;
    uint32_t used;
    uint64_t misses, requests;
};

struct zipf {
    double *sums; /* of popularities up to each rank, 0..1 */
    uint32_t nr;
};

static uint64_t state;

static uint64_t random64(void)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
}

static void zipf_init(struct zipf *zipf, uint32_t nr, double exponent)
{
    double sum = 0;

    zipf->nr = nr;
    zipf->sums = calloc(nr, sizeof(double));
    for (uint32_t i = 0; i < nr; i++)
        zipf->sums[i] = sum += pow(i + 1, -exponent);
    for (uint32_t i = 0; i < nr; i++)
        zipf->sums[i] /= sum;
}

/* Ranks are spread over the indexes, as favourites are over a file. */
static uint64_t zipf_next(const struct zipf *zipf)
{
    double at = (double)(random64() >> 11) / (double)(UINT64_C(1) << 53);
    uint32_t low = 0, high = zipf->nr - 1;

    while (low < high) {
        uint32_t middle = (low + high) / 2;

        if (zipf->sums[middle] < at)
            low = middle + 1;
        else
            high = middle;
    }
    return low * UINT64_C(2654435761) % zipf->nr;
}

static void request(struct sim *s, uint64_t index)
{
    struct replace *r = &s->replace;
    uint32_t frame = s->frame_of[index], steps = 4 * POOL;

    s->requests++;
    if (frame != 0) {
        pool_page_touch(&s->pages[frame - 1]);
        return;
    }
    s->misses++;
    if (s->used < POOL) {
        frame = s->used++;
    } else {
        frame = replace_victim(r, &steps);
        replace_evicted(r, frame);
        s->frame_of[s->pages[frame].index] = 0;
    }
    s->pages[frame] = (struct page){ .state = PAGE_CLEAN, .index = index,
                                     .owner = 1 };
    s->frame_of[index] = frame + 1;
    replace_insert(r, frame, false);
}

/* Request number i of a workload. */
typedef uint64_t workload(uint64_t i, const struct zipf *zipf);

static uint64_t only_zipf(uint64_t i, const struct zipf *zipf)
{
    (void)i;
    return zipf_next(zipf);
}

static uint64_t loop(uint64_t i, const struct zipf *zipf)
{
    (void)zipf;
    return i % (POOL * 12 / 10);
}

static uint64_t zipf_scan(uint64_t i, const struct zipf *zipf)
{
    return i & 1 ? zipf->nr + i / 2 : zipf_next(zipf);
}

static uint64_t zipf_loop(uint64_t i, const struct zipf *zipf)
{
    return i & 1 ? zipf->nr + i / 2 % (POOL * 12 / 10) : zipf_next(zipf);
}

static uint64_t shift(uint64_t i, const struct zipf *zipf)
{
    return (zipf_next(zipf) + i / (REQUESTS / 8) * 1000) % zipf->nr;
}

static void measure(const char *name, workload *next, uint32_t pages,
                    double exponent)
{
    static const char *const policies[] = { "clock", "s3fifo" };
    struct zipf zipf;

    zipf_init(&zipf, pages, exponent);
    printf("%-10s", name);
    for (unsigned p = 0; p < ARRAY_SIZE(policies); p++) {
        struct sim *s = calloc(1, sizeof(*s));
        uint64_t start;

        state = 88172645463325252u;
        s->frame_of = calloc(PAGES, sizeof(uint32_t));
        replace_init(&s->replace, policies[p], s->pages, POOL);
        for (uint64_t i = 0; i < REQUESTS / 4; i++)
            request(s, next(i, &zipf)); /* warm */
        s->misses = s->requests = 0;
        start = clock_monotonic_ns();
        for (uint64_t i = REQUESTS / 4; i < REQUESTS; i++)
            request(s, next(i, &zipf));
        printf("  %s %.4f (%3.0f ns)", policies[p],
               (double)s->misses / (double)s->requests,
               (double)(clock_monotonic_ns() - start) / (double)s->requests);
        replace_check(&s->replace);
        replace_fini(&s->replace);
        free(s->frame_of);
        free(s);
    }
    printf("\n");
    free(zipf.sums);
}

int main(void)
{
    measure("zipf 0.9", only_zipf, 10 * POOL, 0.9);
    measure("zipf 1.1", only_zipf, 10 * POOL, 1.1);
    measure("loop", loop, 1, 1);
    measure("zipf+scan", zipf_scan, 2 * POOL, 1.1);
    measure("zipf+loop", zipf_loop, 2 * POOL, 1.1);
    measure("shift", shift, 4 * POOL, 1.1);
    return EXIT_SUCCESS;
}

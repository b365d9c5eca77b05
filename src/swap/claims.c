/* claims.c - the blocks of all areas, and an audit that looks on.
 *
 * The audit (audit.c) is told under the lock of each block that is handed out or
 * given up, so what it knows and what the allocators say is one picture at every
 * instant.  Clusters that a trim takes for a moment are such blocks, too.
 *
 * Retired blocks are in use for ever and nobody's.  They are not told from others,
 * so of the cluster of one it is not said who owns nothing in it; the rest is
 * looked at as in all others.
 *
 * The lock is held for one cluster, or one run of blocks of a file, at a time.
 */
#include "swap_internal.h"

enum { WORDS = SPACE_CLUSTER / 64 };

void audit_tell(struct swap *swap, uint32_t first, uint32_t nr, bool in_use)
{
    if (!swap->audit)
        return;
    if (in_use)
        audit_allocated(swap->audit, first, nr);
    else
        audit_freed(swap->audit, first, nr);
}

void swap_audit_begin(struct swap *swap, struct audit *audit, uint32_t first)
{
    audit_begin(audit, first);
    mutex_lock(&swap->lock, RANK_SWAP);
    swap->audit = audit;
    mutex_unlock(&swap->lock);
}

void swap_audit_end(struct swap *swap)
{
    mutex_lock(&swap->lock, RANK_SWAP);
    swap->audit = NULL;
    mutex_unlock(&swap->lock);
}

/* The end of the numbers that areas have. */
static uint32_t numbers_end(struct swap *swap) REQUIRES(swap->lock)
{
    uint32_t end = 0;

    for (unsigned i = 0; i < swap->nr_areas; i++)
        end = MAX(end, swap->area[i]->base + swap->area[i]->file.nr_blocks);
    return end;
}

static bool any(const uint64_t *words)
{
    uint64_t all = 0;

    for (unsigned i = 0; i < WORDS; i++)
        all |= words[i];
    return all != 0;
}

uint32_t swap_audit_next(struct swap *swap, uint32_t from)
{
    bool found = false, end = false;

    for (; !found; from += SPACE_CLUSTER) {
        uint64_t used[WORDS] = { 0 };
        struct swap_area *area;

        mutex_lock(&swap->lock, RANK_SWAP);
        end = from >= numbers_end(swap);
        area = area_find(swap, from);
        if (area)
            space_used(area->space, from - area->base, used);
        mutex_unlock(&swap->lock);
        if (end)
            return BLOCK_NONE;
        found = any(used);
    }
    return from - SPACE_CLUSTER;
}

static enum audit_verdict claim(struct swap *swap, uint32_t block)
    REQUIRES(swap->lock)
{
    struct swap_area *area = area_find(swap, block);

    return audit_claim(swap->audit, block,
                       area && space_is_used(area->space, block - area->base));
}

uint32_t swap_audit_claim(struct swap *swap, uint32_t first, uint32_t nr,
                          enum audit_verdict *verdict)
{
    uint32_t n = 0;

    mutex_lock(&swap->lock, RANK_SWAP);
    do
        *verdict = claim(swap, first + n++);
    while (n < nr && *verdict == AUDIT_WELL);
    mutex_unlock(&swap->lock);
    return n;
}

/* Of the cluster of `block`, which is in the window, a bit for each block that is
 * in use and unknown. */
static void unclaimed(struct swap *swap, uint32_t block, uint64_t words[WORDS])
    EXCLUDES(swap->lock)
{
    uint32_t cluster = (uint32_t)round_down(block, SPACE_CLUSTER);
    struct swap_area *area;
    bool told;

    mutex_lock(&swap->lock, RANK_SWAP);
    area = area_find(swap, cluster);
    told = area && space_used(area->space, cluster - area->base, words);
    for (uint32_t i = 0; i < WORDS; i++)
        words[i] = told ? words[i] & audit_unknown(swap->audit, cluster + 64 * i)
                        : 0;
    mutex_unlock(&swap->lock);
}

/* Bits from `at` on that are alike: how many. */
static uint32_t alike(const uint64_t words[WORDS], uint32_t at)
{
    bool first = words[at / 64] >> at % 64 & 1;
    uint32_t n = 1;

    while (at + n < SPACE_CLUSTER &&
           (words[(at + n) / 64] >> (at + n) % 64 & 1) == first)
        n++;
    return n;
}

uint32_t swap_audit_unclaimed(struct swap *swap, uint32_t *at, uint32_t *first)
{
    const struct audit *audit = swap->audit;

    while (*at - audit->first < audit->nr) {
        uint32_t within = *at % SPACE_CLUSTER, nr;
        uint64_t words[WORDS] = { 0 };
        bool found;

        unclaimed(swap, *at, words);
        if (within == 0 && !any(words)) {
            *at += SPACE_CLUSTER;
            continue;
        }
        found = words[within / 64] >> within % 64 & 1;
        nr = alike(words, within);
        *first = *at;
        *at += nr;
        if (found)
            return nr;
    }
    return 0;
}

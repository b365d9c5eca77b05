/* runs.c - the longest free run of a bitmap, by doubling.
 *
 * Let F1 have a bit set where a block is free.  Then F2 = F1 & (F1 >> 1) has
 * one where a free run of at least two blocks starts, F4 = F2 & (F2 >> 2) where
 * one of four starts, and in general
 *
 *     F(n + s) = F(n) & (F(n) >> s)        for s <= n,
 *
 * all 512 bits at a time in eight words.  So the longest run is found as a
 * number is found bit by bit: double while the result is not empty, then try to
 * add each smaller power of two.  At most 18 steps, without a branch on data
 * inside a step, however the bitmap looks; its first set bit is the place.
 */
#include "runs.h"

#include <string.h>

/* out = in & (in >> s) for a power of two s; false if nothing is left. */
static bool narrow(uint64_t out[RUN_WORDS], const uint64_t in[RUN_WORDS],
                   unsigned s)
{
    uint64_t left = 0;

    if (s < 64) {
        for (unsigned i = 0; i < RUN_WORDS - 1; i++)
            out[i] = in[i] & (in[i] >> s | in[i + 1] << (64 - s));
        out[RUN_WORDS - 1] = in[RUN_WORDS - 1] & in[RUN_WORDS - 1] >> s;
    } else {
        unsigned words = s / 64;

        for (unsigned i = 0; i < RUN_WORDS - words; i++)
            out[i] = in[i] & in[i + words];
        memset(&out[RUN_WORDS - words], 0, words * sizeof(*out));
    }
    for (unsigned i = 0; i < RUN_WORDS; i++)
        left |= out[i];
    return left != 0;
}

/* Starts of runs of 2^k <= limit blocks for the largest k that has any, in
 * `starts`; returns k, or -1 if no block is free. */
static int doubled(const uint64_t bitmap[RUN_WORDS], unsigned limit,
                   uint64_t starts[RUN_WORDS])
{
    uint64_t next[RUN_WORDS], left = 0;
    int k = 0;

    for (unsigned i = 0; i < RUN_WORDS; i++)
        left |= starts[i] = ~bitmap[i];
    if (left == 0)
        return -1;
    while ((2u << k) <= limit && narrow(next, starts, 1u << k)) {
        memcpy(starts, next, sizeof(next));
        k++;
    }
    return k;
}

static unsigned first_set(const uint64_t words[RUN_WORDS])
{
    unsigned i = 0;

    while (words[i] == 0)
        i++;
    return i * 64 + bit_lowest(words[i]);
}

unsigned runs_longest(const uint64_t bitmap[RUN_WORDS], unsigned limit,
                      unsigned *first)
{
    uint64_t starts[RUN_WORDS], next[RUN_WORDS];
    unsigned length;
    int k = doubled(bitmap, limit, starts);

    if (k < 0)
        return 0;
    length = 1u << k;
    while (--k >= 0) {
        if (length + (1u << k) > limit || !narrow(next, starts, 1u << k))
            continue;
        memcpy(starts, next, sizeof(next));
        length += 1u << k;
    }
    *first = first_set(starts);
    return length;
}

int runs_class(const uint64_t bitmap[RUN_WORDS], unsigned most)
{
    uint64_t starts[RUN_WORDS];

    return doubled(bitmap, most, starts);
}

unsigned runs_free_at(const uint64_t bitmap[RUN_WORDS], unsigned first,
                      unsigned limit)
{
    unsigned at = first, end = MIN(first + limit, SPACE_CLUSTER);

    while (at < end) {
        uint64_t used = bitmap[at / 64] >> at % 64;

        if (used != 0) {
            at += bit_lowest(used);
            break;
        }
        at = (at / 64 + 1) * 64;
    }
    return MIN(at, end) - first;
}

unsigned runs_free_before(const uint64_t bitmap[RUN_WORDS], unsigned end)
{
    unsigned at = end;

    while (at > 0) {
        /* The bits below `at` in its word, moved to the top. */
        uint64_t used = bitmap[(at - 1) / 64] << (63 - (at - 1) % 64);

        if (used != 0) {
            at -= 63 - bit_highest(used);
            break;
        }
        at = (at - 1) / 64 * 64;
    }
    return end - at;
}

/* Bits of word i that belong to [first, first + nr), which touches the word. */
static uint64_t mask(unsigned i, unsigned first, unsigned nr)
{
    unsigned from = MAX(first, i * 64) % 64;
    unsigned last = (MIN(first + nr, (i + 1) * 64) - 1) % 64;

    return ~UINT64_C(0) << from & ~UINT64_C(0) >> (63 - last);
}

bool runs_use(uint64_t bitmap[RUN_WORDS], unsigned first, unsigned nr)
{
    uint64_t wrong = 0;

    for (unsigned i = first / 64; i * 64 < first + nr; i++) {
        wrong |= bitmap[i] & mask(i, first, nr);
        bitmap[i] |= mask(i, first, nr);
    }
    return wrong == 0;
}

bool runs_free(uint64_t bitmap[RUN_WORDS], unsigned first, unsigned nr)
{
    uint64_t wrong = 0;

    for (unsigned i = first / 64; i * 64 < first + nr; i++) {
        wrong |= ~bitmap[i] & mask(i, first, nr);
        bitmap[i] &= ~mask(i, first, nr);
    }
    return wrong == 0;
}

/* audit.c - is every block in use owned by exactly one page?
 *
 * Looked into while blocks come and go.  An audit keeps a bit for each block that
 * has been accounted for since it began:
 *
 *     handed out          whoever has it now is known: the allocator saw it go
 *     claimed by a page   as the walk over all files comes to it
 *
 * and takes it away when the block is freed.  So a block that is claimed when it
 * has been claimed before, and was not freed in between, has two owners, and one
 * that is claimed while it is free has one too many.  Blocks handed out during the
 * audit have a second bit until they are claimed, for the walk may come by or not.
 *
 * After the walk all blocks in use are accounted for, or nobody owns them; but
 * those of pages dropped while they were being read or written belong to the I/O
 * for a moment more, which the caller waits for.
 */
#include "audit.h"

#include <string.h>

enum { BITS = 64 };

void audit_init(struct audit *audit, void *memory, size_t bytes)
{
    uint64_t nr = MIN(round_down(bytes * 8 / 2, SPACE_CLUSTER),
                      (uint64_t)SPACE_MAX_BLOCKS);

    *audit = (struct audit){ .nr_max = (uint32_t)nr, .known = memory };
    audit->fresh = audit->known + nr / BITS;
}

void audit_begin(struct audit *audit, uint32_t first)
{
    audit->first = first;
    audit->nr = audit->nr_max;
    memset(audit->known, 0, audit->nr / 8);
    memset(audit->fresh, 0, audit->nr / 8);
}

static bool within(const struct audit *audit, uint32_t block)
{
    return block - audit->first < audit->nr;
}

static bool has(const uint64_t *bits, uint32_t i)
{
    return bits[i / BITS] >> i % BITS & 1;
}

static void set(uint64_t *bits, uint32_t i, bool to)
{
    uint64_t bit = (uint64_t)1 << i % BITS;

    bits[i / BITS] = to ? bits[i / BITS] | bit : bits[i / BITS] & ~bit;
}

/* Both bits of as many of the blocks as lie in the window. */
static void set_run(struct audit *audit, uint32_t first, uint32_t nr, bool to)
{
    for (uint32_t block = first; block < first + nr; block++) {
        if (!within(audit, block))
            continue;
        set(audit->known, block - audit->first, to);
        set(audit->fresh, block - audit->first, to);
    }
}

void audit_allocated(struct audit *audit, uint32_t first, uint32_t nr)
{
    set_run(audit, first, nr, true);
}

void audit_freed(struct audit *audit, uint32_t first, uint32_t nr)
{
    set_run(audit, first, nr, false);
}

enum audit_verdict audit_claim(struct audit *audit, uint32_t block, bool used)
{
    uint32_t i = block - audit->first;

    if (!within(audit, block))
        return used || !audit->beyond ? AUDIT_WELL : AUDIT_FREE;
    if (!used)
        return AUDIT_FREE;
    if (has(audit->known, i) && !has(audit->fresh, i))
        return AUDIT_TWICE;
    set(audit->known, i, true);
    set(audit->fresh, i, false);
    return AUDIT_WELL;
}

uint64_t audit_unknown(const struct audit *audit, uint32_t block)
{
    return ~audit->known[(block - audit->first) / BITS];
}

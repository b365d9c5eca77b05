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
 * After the walk all blocks in use are accounted for, or nobody owns them.  Those
 * of pages dropped while they were being read or written belong to the I/O for a
 * moment more: so what seems lost is looked at again later.
 *
 * The bits are two mappings as long as there can be blocks, of which only pages
 * that say something cost memory: 64 KiB for each GiB of swap in use, for as long
 * as the audit lasts.
 */
#include "audit.h"

#include <errno.h>
#include <sys/mman.h>

enum { BITS = 64 };
#define MAP_BYTES (SPACE_MAX_BLOCKS / 8)

static void *map_bits(void)
{
    void *bits = mmap(NULL, MAP_BYTES, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    return bits == MAP_FAILED ? NULL : bits;
}

int audit_init(struct audit *audit)
{
    *audit = (struct audit){ .known = map_bits() };
    if (!audit->known)
        return -ENOMEM;
    audit->handed_out = map_bits();
    if (audit->handed_out) {
        madvise(audit->known, MAP_BYTES, MADV_NOHUGEPAGE);
        madvise(audit->handed_out, MAP_BYTES, MADV_NOHUGEPAGE);
        return 0;
    }
    munmap(audit->known, MAP_BYTES);
    return -ENOMEM;
}

void audit_fini(struct audit *audit)
{
    munmap(audit->handed_out, MAP_BYTES);
    munmap(audit->known, MAP_BYTES);
}

static bool has(const uint64_t *bits, uint32_t block)
{
    return bits[block / BITS] >> block % BITS & 1;
}

static void set(uint64_t *bits, uint32_t block)
{
    bits[block / BITS] |= (uint64_t)1 << block % BITS;
}

/* Looks first: a page of bits that says nothing shall stay untouched. */
static void clear(uint64_t *bits, uint32_t block)
{
    if (has(bits, block))
        bits[block / BITS] &= ~((uint64_t)1 << block % BITS);
}

void audit_allocated(struct audit *audit, uint32_t first, uint32_t nr)
{
    for (uint32_t block = first; block < first + nr; block++) {
        if (has(audit->known, block))
            audit->twice++;
        else
            audit->nr_known++;
        set(audit->known, block);
        set(audit->handed_out, block);
    }
}

void audit_freed(struct audit *audit, uint32_t first, uint32_t nr)
{
    for (uint32_t block = first; block < first + nr; block++) {
        audit->nr_known -= has(audit->known, block);
        clear(audit->known, block);
        clear(audit->handed_out, block);
    }
}

void audit_claimed(struct audit *audit, uint32_t block, bool used)
{
    if (!used) {
        audit->not_used++;
    } else if (!has(audit->known, block)) {
        set(audit->known, block);
        audit->nr_known++;
    } else if (has(audit->handed_out, block)) {
        clear(audit->handed_out, block);
    } else {
        audit->twice++;
    }
}

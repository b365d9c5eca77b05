/* audit.h - which blocks in use have been accounted for.  A pure algorithm.
 *
 * Ownership   two mappings from init to fini.
 * Locking     the caller's: it sees every block come and go (RANK_SWAP).
 * Units       blocks, below SPACE_MAX_BLOCKS.
 * Errors      audit_init: -ENOMEM.
 */
#ifndef SWAP_AUDIT_H
#define SWAP_AUDIT_H

#include "space.h"

struct audit {
    uint64_t *known;      /* bit: accounted for */
    uint64_t *handed_out; /* bit: since the audit began, and not yet claimed */
    uint64_t nr_known;
    uint64_t twice;       /* found: blocks with two owners */
    uint64_t not_used;    /* found: blocks owned that are free */
};

int audit_init(struct audit *audit);
void audit_fini(struct audit *audit);
/* The allocator has handed out, or taken back, these. */
void audit_allocated(struct audit *audit, uint32_t first, uint32_t nr);
void audit_freed(struct audit *audit, uint32_t first, uint32_t nr);
/* A page says that this block is its own; the allocator, whether it is in use. */
void audit_claimed(struct audit *audit, uint32_t block, bool used);

#endif

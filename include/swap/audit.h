/* audit.h - which blocks in use have been accounted for.  A pure algorithm.
 *
 * Looks at a window of the block numbers, as many as there are bits for.
 *
 * Ownership   the memory is the caller's, from init to the last call.
 * Locking     the caller's: it sees every block come and go (RANK_SWAP).
 * Units       blocks.
 */
#ifndef SWAP_AUDIT_H
#define SWAP_AUDIT_H

#include "space.h"

enum audit_verdict {
    AUDIT_WELL,
    AUDIT_TWICE, /* the block has another owner */
    AUDIT_FREE,  /* the block is free */
};

struct audit {
    uint32_t first, nr; /* the window, in whole clusters */
    uint32_t nr_max;    /* as long as it can be */
    bool beyond;        /* blocks outside of it are looked at as far as can be */
    uint64_t *known;    /* bit: accounted for */
    uint64_t *fresh;    /* bit: handed out since the audit began, not claimed */
};

/* The least memory that a window needs. */
enum { AUDIT_MIN_BYTES = SPACE_CLUSTER / 4 };

/* Memory for two bits a block, aligned for words. */
void audit_init(struct audit *audit, void *memory, size_t bytes);
/* A new window, from a cluster on. */
void audit_begin(struct audit *audit, uint32_t first);
/* The allocator has handed out, or taken back, these. */
void audit_allocated(struct audit *audit, uint32_t first, uint32_t nr);
void audit_freed(struct audit *audit, uint32_t first, uint32_t nr);
/* A page says that this block is its own; the allocator, whether it is in use. */
enum audit_verdict audit_claim(struct audit *audit, uint32_t block, bool used);
/* Of the 64 blocks from `block` on, in the window, those not accounted for. */
uint64_t audit_unknown(const struct audit *audit, uint32_t block);

#endif

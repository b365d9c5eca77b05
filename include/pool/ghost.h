/* ghost.h - which pages were evicted not long ago.  A pure algorithm.
 *
 * A hash table of fixed size: buckets of eight slots, a slot is a fingerprint
 * of 16 bits and the age at which it was written, in 64ths of the window.  A
 * page is remembered for about `window` evictions.  Newcomers overwrite the
 * oldest slot of their bucket.  Wrong answers are possible (a fingerprint of
 * 16 bits among eight: once in 8000) and harmless: a page enters the wrong queue.
 *
 * Ownership   the table is mapped at init, 4 bytes a slot, untouched pages of
 *             it cost nothing; ghost_bytes tells how large it gets.  As long as
 *             nothing was evicted nobody touches it.
 * Locking     the caller's.
 * Errors      -ENOMEM from ghost_init.
 */
#ifndef POOL_GHOST_H
#define POOL_GHOST_H

#include "bits.h"

struct ghost {
    uint32_t *slots;     /* fingerprint << 16 | epoch; 0 is empty */
    uint64_t mask;       /* number of buckets - 1 */
    uint32_t epoch_size; /* evictions an epoch */
    uint32_t in_epoch;   /* evictions in this one */
    uint16_t epoch;
    bool used;           /* anything was ever added */
};

uint64_t ghost_bytes(uint32_t window);
int ghost_init(struct ghost *ghost, uint32_t window);
void ghost_fini(struct ghost *ghost);
void ghost_add(struct ghost *ghost, uint32_t owner, uint64_t index);
/* Was it there?  It is not any more. */
bool ghost_take(struct ghost *ghost, uint32_t owner, uint64_t index);

#endif

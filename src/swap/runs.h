/* runs.h - free runs in the bitmap of one cluster.  Pure arithmetic.
 *
 * A bitmap has a bit for each of the 512 blocks of a cluster, set if the block
 * is in use: memory fresh from the kernel means "all free".
 *
 * Units       bits, that is blocks; [first, first + nr) lies within the bitmap.
 */
#ifndef SWAP_RUNS_H
#define SWAP_RUNS_H

#include "space.h"

enum { RUN_WORDS = SPACE_CLUSTER / 64 };

/* Length of the longest free run, but no more than `limit` (at least 1), and
 * where the first run of that length starts.  0 if no bit is free. */
unsigned runs_longest(const uint64_t bitmap[RUN_WORDS], unsigned limit,
                      unsigned *first);
/* The longest free run has 2^result .. 2^(result+1) - 1 blocks; -1 if there is
 * none.  `most` is known not to be exceeded by any run. */
int runs_class(const uint64_t bitmap[RUN_WORDS], unsigned most);
/* Free blocks from `first` on, without a gap, at most `limit`. */
unsigned runs_free_at(const uint64_t bitmap[RUN_WORDS], unsigned first,
                      unsigned limit);
/* The same backwards from `end`: how many end just before it. */
unsigned runs_free_before(const uint64_t bitmap[RUN_WORDS], unsigned end);
/* Set (use) or clear (free) a range; false, with the bitmap spoilt, if any bit
 * of it was that way already. */
bool runs_use(uint64_t bitmap[RUN_WORDS], unsigned first, unsigned nr);
bool runs_free(uint64_t bitmap[RUN_WORDS], unsigned first, unsigned nr);

#endif

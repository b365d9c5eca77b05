/* readahead.h - guessing what will be read next, for one open file.
 *
 * Up to four streams an open file.  A stream is a place where reading goes on;
 * its window grows 256 KiB, 512 KiB, 1 MiB (the kernel's own is 128 KiB), and the
 * next window is asked for when reading reaches the beginning of the last.  A random
 * miss reads only its swap-contiguous neighbours within 64 KiB; not even those
 * when they turn out useless.  After Linux's mm/readahead.c and mm/swap_state.c.
 *
 * Pure: says which pages, the object starts the I/O.
 *
 * Ownership   one struct in each open file handle.
 * Locking     inside (a try-lock: a busy stream table just predicts nothing).
 * Units       pages.
 */
#ifndef OBJECT_READAHEAD_H
#define OBJECT_READAHEAD_H

#include "lock.h"

#include <stdbool.h>
#include <stdint.h>

#define READAHEAD_STREAMS 4
#define READAHEAD_MIN_PAGES 64u
#define READAHEAD_MAX_PAGES 256u
#define READAHEAD_AROUND 16u

struct readahead_stream {
    uint64_t next;   /* where the stream would go on */
    uint64_t ahead;  /* pages below this have been asked for */
    uint32_t window; /* pages; 0: slot unused, 1: a single miss */
    uint32_t used;   /* clock of the last use, for replacing the oldest */
};

struct readahead {
    struct mutex lock;
    uint32_t clock;
    uint32_t misses, useful; /* neighbours brought in; those of them used */
    struct readahead_stream stream[READAHEAD_STREAMS];
};

struct readahead_plan {
    uint64_t first;   /* pages to bring in, in the background, besides those read */
    uint32_t nr;
    bool around;      /* only blocks contiguous with the one missed */
};

/* Pages first..first+nr-1 are being read; `miss`: at least one was on swap.
 * `limit` is the file's size in pages, `max` the most the pool affords. */
void readahead_plan(struct readahead *ra, uint64_t first, uint32_t nr,
                    bool miss, uint64_t limit, uint32_t max,
                    struct readahead_plan *plan);
/* The same for a file that is known to be read from front to back: windows are
 * as large as they get from the first read on, and need no miss. */
void readahead_sequential(struct readahead *ra, uint64_t first, uint32_t nr,
                          bool miss, uint64_t limit, uint32_t max,
                          struct readahead_plan *plan);
/* Of what was planned up to page `end`, only the pages below `reached` have been
 * asked for: the stream plans from there again. */
void readahead_stopped(struct readahead *ra, uint64_t end, uint64_t reached);
/* Feedback on neighbours brought in by a random miss: were they ever used? */
void readahead_note(struct readahead *ra, bool useful);

#endif

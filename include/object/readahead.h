/* readahead.h - guessing what will be read next, for one open file.
 *
 * Up to four streams an open file, forward or backward.  A stream is a place where
 * reading goes on; its window grows 256 KiB, 512 KiB, 1 MiB (the kernel's own is
 * 128 KiB), and the next window is asked for when reading reaches the beginning of
 * the last.  A random miss reads only its swap-contiguous neighbours within 64 KiB.
 *
 * Wrong guesses cost less and less: what streams ask for is weighed, the pages that
 * came in time against those that nobody read or that were evicted before, and all
 * windows of the open file shrink by halves, to none at last, or grow again.
 * Neighbours have an account of their own.  After Linux's mm/readahead.c and
 * mm/swap_state.c.
 *
 * Pure: says which pages, the object starts the I/O.
 *
 * Invariants  RA1 a backward stream asks for no more than there is before it:
 *                 asked <= next.
 * Ownership   one struct in each open file handle, and it starts as zeros.
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

enum readahead_state {
    STREAM_NONE,      /* the slot is free */
    STREAM_CANDIDATE, /* one miss; nothing was read ahead */
    STREAM_YOUNG,     /* it has a direction, and may turn once more */
    STREAM_SETTLED,
};

/* What has been read lies between two edges: `next`, where it would go on, and
 * `read` pages from there where it began. */
struct readahead_stream {
    uint64_t next;   /* forward: the page behind the last one read; backward: the
                      * last one read */
    uint32_t asked;  /* pages beyond `next` that have been asked for */
    uint32_t used;   /* clock of the last use, for replacing the oldest */
    uint16_t window; /* pages asked for the last time */
    uint16_t read;   /* pages between the edges; UINT16_MAX: or more */
    uint8_t state;   /* enum readahead_state */
    bool back;       /* goes to the front */
};

struct readahead {
    struct mutex lock;
    uint32_t clock;
    uint16_t misses, useful; /* neighbours brought in; those of them used */
    int16_t balance; /* pages that streams asked for: right less wrong ones */
    uint16_t cut;    /* how often the largest window was halved; 3: to none */
    struct readahead_stream stream[READAHEAD_STREAMS];
};
_Static_assert(sizeof(struct readahead) == 112, "each open file has one");

struct readahead_plan {
    uint64_t first;   /* pages to bring in, in the background, besides those read */
    uint32_t nr;
    uint32_t foreseen; /* of the pages being read: the stream had asked for them */
    bool around;      /* only blocks contiguous with the one missed */
    bool back;        /* the last of them are wanted first */
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
/* Of what was planned, only `begun` pages, those wanted first, have been asked for:
 * the stream plans from there again. */
void readahead_stopped(struct readahead *ra, const struct readahead_plan *plan,
                       uint32_t begun);
/* Feedback on the pages foreseen: `gone` of them were not there, nor on their
 * way. */
void readahead_weigh(struct readahead *ra, uint32_t foreseen, uint32_t gone);
/* Feedback on neighbours brought in by a random miss: were they ever used? */
void readahead_note(struct readahead *ra, bool useful);

#endif

/* stream.h - one place of an open file where reading goes on, forward or backward.
 *
 * Locking     the caller's (struct readahead).
 * Units       pages.
 */
#ifndef OBJECT_STREAM_H
#define OBJECT_STREAM_H

#include "readahead.h"

/* How much may be asked for. */
struct stream_bounds {
    uint64_t limit; /* of the file */
    uint32_t most;  /* in a window */
    uint32_t max;   /* on their way */
};

/* How far a read of pages first..end-1 is off going on with the stream; more than
 * STREAM_NEAR: it is not one of its reads. */
#define STREAM_NEAR 64u
uint64_t stream_off(const struct readahead_stream *s, uint64_t first,
                    uint64_t end);
/* That read is one of its own.  Plans what it asks for; returns how many pages it
 * had asked for in vain, because it turns. */
uint32_t stream_follow(struct readahead_stream *s, uint64_t first, uint64_t end,
                       bool miss, const struct stream_bounds *bounds,
                       struct readahead_plan *plan);
/* The next window, of twice the size. */
void stream_ask(struct readahead_stream *s, const struct stream_bounds *bounds,
                struct readahead_plan *plan);
/* The page at which the next one would begin, or backward end. */
static inline uint64_t stream_ahead(const struct readahead_stream *s)
{
    return s->back ? s->next - s->asked : s->next + s->asked;
}

#endif

/* source.c - the bytes of a write, wherever its caller has them.
 *
 * One buffer for a write from outside; the pinned pages of a read for a copy.  The
 * source remembers the piece it was in last: a write looks at its bytes page by
 * page, once to see whether they are zeros and once to copy them, so the next
 * byte asked for is never far.
 *
 * Positions count from the first byte of the write.  The pieces hold at least as
 * many bytes as are asked for.
 */
#include "object_internal.h"

#include <string.h>

const uint8_t *source_at(struct source *source, size_t pos, size_t *n)
{
    const struct iovec *iov = &source->iov[source->at];
    size_t within;

    while (pos < source->start) {
        iov = &source->iov[--source->at];
        source->start -= iov->iov_len;
    }
    while (pos >= source->start + iov->iov_len) {
        source->start += iov->iov_len;
        iov = &source->iov[++source->at];
    }
    within = pos - source->start;
    *n = MIN(*n, iov->iov_len - within);
    return (const uint8_t *)iov->iov_base + within;
}

void source_copy(struct source *source, size_t pos, uint8_t *to, size_t n)
{
    while (n > 0) {
        size_t part = n;
        const uint8_t *from = source_at(source, pos, &part);

        memcpy(to, from, part);
        to += part;
        pos += part;
        n -= part;
    }
}

bool source_is_zero(struct source *source, size_t pos, size_t n)
{
    while (n > 0) {
        size_t part = n;
        const uint8_t *from = source_at(source, pos, &part);

        if (from[0] != 0 || memcmp(from, from + 1, part - 1) != 0)
            return false;
        pos += part;
        n -= part;
    }
    return true;
}

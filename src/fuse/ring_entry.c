/* ring_entry.c - the memory of one request of a ring, laid out.
 *
 *     page:      header | ...           ... | in_header op_in |
 *     payload:   names or data of the request; then data of the answer
 *
 * The kernel writes the header of a request and its fixed part to places of
 * their own.  Copied to just before the payload, at most 168 bytes, they make
 * one message with it, as /dev/fuse gives it; so everything behind knows only
 * one form, and the data of a WRITE stay where they are.
 *
 * An answer is written over the request, when the request has been used.
 */
#include "ring.h"

#include "arena_copy.h"
#include "bits.h"
#include "session.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

void ring_entry_init(struct ring_entry *entry, struct ring *ring,
                     struct request *rq, uint32_t max_write)
{
    *entry = (struct ring_entry){
        .ring = ring,
        .rq = rq,
        .header = (void *)(rq->data - PAGE_SIZE),
        .where = { { rq->data - PAGE_SIZE, sizeof(*entry->header) },
                   { rq->data, max_write } },
    };
    rq->entry = entry;
    ring_read_init(entry);
}

static void answer_header(struct ring_entry *entry, uint64_t unique, int error,
                          size_t bytes)
{
    struct fuse_out_header out = { .len = (uint32_t)(sizeof(out) + bytes),
                                   .error = error, .unique = unique };

    memcpy(entry->header->in_out, &out, sizeof(out));
    entry->header->payload_size = (uint32_t)bytes;
}

int ring_entry_take(struct ring_entry *entry, size_t *bytes)
{
    const struct proto_ring_header *header = entry->header;
    struct request *rq = entry->rq;
    size_t payload = header->payload_size, fixed;
    struct fuse_in_header in;

    memcpy(&in, header->in_out, sizeof(in));
    answer_header(entry, in.unique, -EIO, 0);
    if (payload > entry->where[1].iov_len || in.len < sizeof(in) + payload)
        return -EPROTO;
    fixed = in.len - sizeof(in) - payload;
    if (fixed > sizeof(header->op_in))
        return -EPROTO;
    rq->message = rq->data - fixed - sizeof(in);
    memcpy(rq->message, &in, sizeof(in));
    memcpy(rq->message + sizeof(in), header->op_in, fixed);
    *bytes = in.len;
    return 0;
}

int ring_entry_answer(struct ring_entry *entry, const struct iovec *iov,
                      int count)
{
    const struct fuse_out_header *out = iov[0].iov_base;
    uint8_t *to = entry->where[1].iov_base;
    size_t bytes = out->len - sizeof(*out);

    if (bytes > entry->where[1].iov_len)
        return -EINVAL;
    answer_header(entry, out->unique, out->error, bytes);
    if (arena_copy_out(entry->ring->session->arena, to, iov + 1,
                       (uint32_t)count - 1, bytes))
        return 0;
    for (int i = 1; i < count; i++) {
        if (iov[i].iov_base != to)
            memmove(to, iov[i].iov_base, iov[i].iov_len);
        to += iov[i].iov_len;
    }
    return 0;
}

bool ring_entry_is_large(const struct ring_entry *entry)
{
    return entry->header->payload_size > REQUEST_LARGE_BYTES;
}

void ring_entry_cool(struct ring_entry *entry)
{
    madvise(entry->where[1].iov_base, entry->where[1].iov_len, MADV_DONTNEED);
}

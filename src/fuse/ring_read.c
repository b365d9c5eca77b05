/* ring_read.c - reading from swap on a ring, for the request that needs it.
 *
 * The entry of a request is a lane (io.h): the pages that a READ finds on swap are
 * read by the ring that its thread sleeps in anyway.  So the way is
 *
 *     caller -> ring's thread -> disk -> ring's thread -> caller
 *
 * all on one CPU, and no thread is woken but the one that answers; the thread
 * serves other requests meanwhile.  When the last of them is over the request is
 * run again.  It finds its pages, mostly; if not, it reads once more or goes to a
 * worker (ops_file.c).
 *
 * The kernel's word about a transfer is told from that about an entry by the lowest
 * bit of what we gave with it.
 *
 * The thread waits for none of these reads but in the ring, so that it can wait for
 * all: it ends with none in flight, since what they read into, and whom they tell,
 * is not ours.  Nor may anything that it does wait for a page it is reading.  That
 * is so because a handler without leave to wait waits for no page, and because a
 * file's memory, the end of which waits for its reads, outlives the file's requests
 * that have not been answered.
 */
#include "ring.h"

#include "bits.h"

enum { IS_READ = 1 };

static void begin(struct swap_lane *lane, struct swap_io *io)
{
    struct ring_entry *entry = container_of(lane, struct ring_entry, lane);
    struct io_uring_sqe *sqe = ring_sqe(entry->ring);
    int fd = swap_io_fd(io);

    if (io->iov_count == 1)
        io_uring_prep_read(sqe, fd, io->iov->iov_base,
                           (unsigned)io->iov->iov_len, io->offset);
    else
        io_uring_prep_readv(sqe, fd, io->iov, io->iov_count, io->offset);
    io_uring_sqe_set_data64(sqe, (uintptr_t)io | IS_READ);
}

void ring_read_init(struct ring_entry *entry)
{
    entry->lane = (struct swap_lane){ .begin = begin, .room = RING_READS };
    entry->rq->lane = &entry->lane;
}

bool ring_read_is(uint64_t data)
{
    return data & IS_READ;
}

struct ring_entry *ring_read_over(uint64_t data, int result)
{
    struct swap_io *io = (void *)(uintptr_t)(data & ~(uint64_t)IS_READ);
    struct ring_entry *entry = container_of(io->lane, struct ring_entry, lane);

    if (!swap_io_result(io, result) || entry->lane.room < RING_READS)
        return NULL;
    return entry;
}

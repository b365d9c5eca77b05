/* io_uring.c - the engine on io_uring: one ring, one thread.
 *
 * The thread owns the ring from its making to its end: it alone submits and
 * completes, so the ring needs no lock, and none is held while the kernel maps
 * a megabyte of pages.  It also keeps completions away from the threads of the
 * file system: the kernel runs them on the thread that submitted, and would
 * wait for it if that was in the middle of, say, a long fallocate, or cancel
 * its requests if it exited.
 *
 * Others wake it through an eventfd that it always has a read pending on.  The
 * flag `asleep` saves that system call while the thread is busy: it is raised
 * before the thread looks at the queue for the last time and waits, and lowered
 * by whoever queues next.
 */
#include "io_internal.h"

#include "clock.h"
#include "log.h"

#include <errno.h>
#include <liburing.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum { BATCH = 32, RETRY_NS = 1000000 };

struct ring {
    struct swap_engine *engine; /* (c) */
    struct io_uring ring;       /* the thread's */
    unsigned inflight;          /* the thread's: requests in the kernel */
    bool armed;                 /* the thread's: the eventfd is being read */
    uint64_t woken;             /* what that read returned */
    int eventfd;                /* (c) */
    _Atomic bool asleep;
    pthread_t thread;           /* (c) */
    _Atomic uint32_t started;   /* the ring is there, or err says why not */
    int err;                    /* (c) once started */
};                              /* (c) constant */

static void ring_wake(struct swap_engine *engine)
{
    struct ring *ring = engine->state;

    if (atomic_exchange(&ring->asleep, false))
        eventfd_write(ring->eventfd, 1);
}

/* There are entries for max_inflight requests and the eventfd, and each has no
 * more than one at a time. */
static struct io_uring_sqe *next_entry(struct ring *ring)
{
    struct io_uring_sqe *sqe = io_uring_get_sqe(&ring->ring);

    if (!sqe)
        assert_failed("I9", "the ring has an entry", __FILE__, __LINE__);
    return sqe;
}

static void begin(struct ring *ring, struct swap_io *io)
{
    struct io_uring_sqe *sqe = next_entry(ring);
    int fd = ring->engine->file->fd;

    if (io->op == SWAP_IO_READ)
        io_uring_prep_readv(sqe, fd, io->iov, io->iov_count, io->offset);
    else
        io_uring_prep_writev(sqe, fd, io->iov, io->iov_count, io->offset);
    io_uring_sqe_set_data(sqe, io);
}

static void arm(struct ring *ring)
{
    struct io_uring_sqe *sqe = next_entry(ring);

    io_uring_prep_read(sqe, ring->eventfd, &ring->woken, sizeof(ring->woken),
                       0);
    io_uring_sqe_set_data(sqe, NULL);
    ring->armed = true;
}

/* Begins what is queued, as far as there is room.  Returns false when it is
 * time to stop. */
static bool fill(struct ring *ring)
{
    struct swap_engine *engine = ring->engine;
    struct swap_io *io;
    bool stopping;

    if (!ring->armed)
        arm(ring);
    /* From here on whoever queues something must wake us. */
    atomic_store(&ring->asleep, true);
    mutex_lock(&engine->lock, RANK_IO);
    while (ring->inflight < engine->max_inflight &&
           (io = engine_next(engine)) != NULL) {
        begin(ring, io);
        ring->inflight++;
    }
    stopping = engine->stopping && ring->inflight == 0;
    mutex_unlock(&engine->lock);
    return !stopping;
}

static void complete(struct ring *ring, struct swap_io *io, int result)
{
    int err;

    if (!io) {
        ring->armed = false;
        return;
    }
    if (!io_advance(io, result, &err)) {
        begin(ring, io);
        return;
    }
    ring->inflight--;
    engine_finish(ring->engine, io, err);
}

static void reap(struct ring *ring)
{
    struct io_uring_cqe *cqe[BATCH];
    struct swap_io *io[BATCH];
    int result[BATCH];
    unsigned n = io_uring_peek_batch_cqe(&ring->ring, cqe, BATCH);

    for (unsigned i = 0; i < n; i++) {
        io[i] = io_uring_cqe_get_data(cqe[i]);
        result[i] = cqe[i]->res;
    }
    io_uring_cq_advance(&ring->ring, n);
    for (unsigned i = 0; i < n; i++)
        complete(ring, io[i], result[i]);
}

/* A filter may allow the ring and forbid its use: one round trip tells. */
static int try_ring(struct io_uring *ring)
{
    struct io_uring_sqe *sqe = io_uring_get_sqe(ring);
    struct io_uring_cqe *cqe;
    int n;

    io_uring_prep_nop(sqe);
    n = io_uring_submit_and_wait(ring, 1);
    if (n >= 0)
        n = io_uring_wait_cqe(ring, &cqe);
    if (n < 0)
        return n;
    io_uring_cqe_seen(ring, cqe);
    return 0;
}

static int open_ring(struct ring *ring)
{
    unsigned entries = ring->engine->max_inflight + 1;
    int err;

    /* Completions wait until the thread asks for them, instead of interrupting
     * it; kernels before 6.1 do not know that. */
    err = io_uring_queue_init(entries, &ring->ring,
                              IORING_SETUP_SINGLE_ISSUER |
                                  IORING_SETUP_DEFER_TASKRUN);
    if (err == -EINVAL)
        err = io_uring_queue_init(entries, &ring->ring, 0);
    if (err)
        return err;
    err = try_ring(&ring->ring);
    if (err)
        io_uring_queue_exit(&ring->ring);
    return err;
}

static void *run(void *arg)
{
    struct ring *ring = arg;
    int err = open_ring(ring);

    ring->err = err;
    atomic_store(&ring->started, 1);
    futex_wake(&ring->started, 1);
    if (err)
        return NULL;
    while (fill(ring)) {
        int n = io_uring_submit_and_wait(&ring->ring, 1);

        /* The kernel is short of memory, or of room for completions: the
         * entries are still there, and reaping may be what helps. */
        if (n < 0 && n != -EINTR)
            clock_sleep_ns(RETRY_NS);
        atomic_store(&ring->asleep, false);
        reap(ring);
    }
    io_uring_queue_exit(&ring->ring);
    return NULL;
}

static void ring_stop(struct swap_engine *engine)
{
    struct ring *ring = engine->state;

    pthread_join(ring->thread, NULL);
    close(ring->eventfd);
    free(ring);
}

static int ring_start(struct swap_engine *engine)
{
    struct ring *ring = calloc(1, sizeof(*ring));
    int err;

    if (!ring)
        return -ENOMEM;
    ring->engine = engine;
    engine->state = ring;
    ring->eventfd = eventfd(0, EFD_CLOEXEC);
    if (ring->eventfd < 0) {
        err = -errno;
        goto free_ring;
    }
    err = io_thread_start(&ring->thread, run, ring);
    if (err)
        goto close_eventfd;
    while (!atomic_load(&ring->started))
        futex_wait(&ring->started, 0);
    err = ring->err;
    if (err)
        goto join_thread;
    return 0;

join_thread:
    pthread_join(ring->thread, NULL);
close_eventfd:
    close(ring->eventfd);
free_ring:
    free(ring);
    return err;
}

const struct io_backend io_backend_uring = {
    .name = "io_uring",
    .lends = true,
    .start = ring_start,
    .stop = ring_stop,
    .wake = ring_wake,
};

/* io_internal.h - the engine as its two backends see it.
 *
 * io.c         the queue, and what is the same for both: continuing a short
 *              transfer, finishing a request, starting threads
 * io_uring.c   one ring, owned by one thread that submits and completes
 * io_threads.c a few threads with preadv and pwritev
 */
#ifndef SWAP_IO_INTERNAL_H
#define SWAP_IO_INTERNAL_H

#include "io.h"

#include <pthread.h>

struct io_backend {
    const char *name;
    bool lends; /* a transfer on its file waits for nobody when it is begun, so
                 * that somebody else's ring may do it */
    int (*start)(struct swap_engine *engine);
    /* engine->stopping is set, the queue is empty and nothing is in flight. */
    void (*stop)(struct swap_engine *engine);
    /* A request was queued, or stopping was set.  No lock held. */
    void (*wake)(struct swap_engine *engine);
};

struct swap_engine {
    const struct io_backend *backend; /* (c) */
    struct swap_file *file;           /* (c) */
    unsigned max_inflight;            /* (c) */
    void *state;                      /* (c) the backend's */
    struct mutex lock;                /* RANK_IO */
    struct list queue;                /* (L) submitted, not yet begun */
    bool stopping;                    /* (L) */
    _Atomic uint32_t waking;          /* submitters that will wake the backend;
                                       * raised under the lock */
};                                    /* (c) constant after start */

extern const struct io_backend io_backend_uring, io_backend_threads;

/* The request to begin next, or NULL. */
struct swap_io *engine_next(struct swap_engine *engine)
    REQUIRES(engine->lock);

/* One try at what is left, on this thread: bytes moved, or -errno. */
ssize_t io_transfer(const struct swap_engine *engine, const struct swap_io *io);
/* `result` bytes of what is left have been transferred, or -errno.  Returns
 * false if the rest must be tried (again), else true and *err. */
bool io_advance(struct swap_io *io, ssize_t result, int *err);
/* The end of a request, with no lock held: it is the caller's again. */
void engine_finish(struct swap_engine *engine, struct swap_io *io, int err);

/* A thread that takes no signals, with a small stack. */
int io_thread_start(pthread_t *thread, void *(*run)(void *), void *arg);

#endif

/* io_threads.c - the engine where io_uring is refused, as many containers do.
 *
 * A few threads, each with one request at a time.  More would not make a disk
 * faster and would each want a stack.
 *
 * Without O_DIRECT a write may fail after it was taken by the host's cache.  The
 * kernel tells that once for each open file, to whoever waits for what is written
 * next, whatever it was that failed.  So on such a file one write is under way at
 * a time, and nobody else waits for any: an error is that of the write.
 */
#include "io_internal.h"

#include <errno.h>
#include <stdlib.h>

enum { MAX_THREADS = 4 };

struct threads {
    struct cond work;
    bool writing; /* (L) without O_DIRECT: a write is under way */
    unsigned nr;
    pthread_t thread[MAX_THREADS];
};

static bool is_alone(const struct swap_engine *engine, const struct swap_io *io)
{
    return io->op == SWAP_IO_WRITE && !engine->file->direct;
}

/* The first request that may begin now, or NULL. */
static struct swap_io *take(struct swap_engine *engine) REQUIRES(engine->lock)
{
    struct threads *threads = engine->state;

    list_for_each_safe(pos, &engine->queue) {
        struct swap_io *io = list_entry(pos, struct swap_io, link);

        if (is_alone(engine, io) && threads->writing)
            continue;
        list_del(pos);
        threads->writing |= is_alone(engine, io);
        return io;
    }
    return NULL;
}

/* Sleeps until there is a request; NULL when it is time to stop. */
static struct swap_io *wait_for_request(struct swap_engine *engine)
{
    struct threads *threads = engine->state;
    struct swap_io *io;

    mutex_lock(&engine->lock, RANK_IO);
    while ((io = take(engine)) == NULL && !engine->stopping)
        cond_wait(&threads->work, &engine->lock);
    mutex_unlock(&engine->lock);
    return io;
}

/* The next write may begin. */
static void written(struct swap_engine *engine)
{
    struct threads *threads = engine->state;

    mutex_lock(&engine->lock, RANK_IO);
    threads->writing = false;
    mutex_unlock(&engine->lock);
    cond_signal(&threads->work);
}

static void *run(void *arg)
{
    struct swap_engine *engine = arg;
    struct swap_io *io;

    while ((io = wait_for_request(engine)) != NULL) {
        bool alone = is_alone(engine, io);
        int err;

        while (!io_advance(io, io_transfer(engine, io), &err))
            ;
        engine_finish(engine, io, err);
        if (alone)
            written(engine);
    }
    return NULL;
}

static void threads_wake(struct swap_engine *engine)
{
    struct threads *threads = engine->state;

    cond_signal(&threads->work);
}

static void threads_stop(struct swap_engine *engine)
{
    struct threads *threads = engine->state;

    cond_broadcast(&threads->work);
    for (unsigned i = 0; i < threads->nr; i++)
        pthread_join(threads->thread[i], NULL);
    free(threads);
}

static int threads_start(struct swap_engine *engine)
{
    struct threads *threads = calloc(1, sizeof(*threads));
    unsigned want = MIN(engine->max_inflight, (unsigned)MAX_THREADS);
    int err = 0;

    if (!threads)
        return -ENOMEM;
    engine->state = threads;
    while (!err && threads->nr < want) {
        err = io_thread_start(&threads->thread[threads->nr], run, engine);
        threads->nr += !err;
    }
    /* Fewer than wanted will do. */
    if (threads->nr > 0)
        return 0;
    free(threads);
    return err;
}

const struct io_backend io_backend_threads = {
    .name = "threads",
    .start = threads_start,
    .stop = threads_stop,
    .wake = threads_wake,
};

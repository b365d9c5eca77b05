/* io.c - the queue of requests, and their ends.
 *
 * A request is queued by swap_engine_submit, begun by a thread of the backend
 * when it has a place for it, tried again for the rest while transfers are
 * short, and finished once:
 *
 *     submit --> queue --> in flight --> done()
 *                            ^   |
 *                            +---+ short, or EINTR, EAGAIN, ECANCELED
 *
 * A read may be in flight on a lane instead, a ring that is not the engine's: then
 * it is continued there, and the engine knows nothing of it.
 *
 * The queue is threaded through the requests themselves, so any number of them
 * may be submitted and nothing is allocated (9).  No lock is held in done(), so
 * it may submit.
 *
 * A request may be done, and with it the last block of its area be free and the
 * engine on its end, before its submitter has come to wake the backend.  So those
 * who are between the two are counted, and the end waits for them.
 */
#include "io_internal.h"

#include "clock.h"
#include "log.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

/* The callback of the pool does most of what happens on a thread. */
enum { STACK_BYTES = 256 * 1024 };
/* Until a submitter has let go of an engine that is to end. */
enum { PAUSE_NS = 100000 };

int io_thread_start(pthread_t *thread, void *(*run)(void *), void *arg)
{
    pthread_attr_t attr;
    sigset_t all, old;
    int err;

    err = -pthread_attr_init(&attr);
    if (err)
        return err;
    pthread_attr_setstacksize(&attr, STACK_BYTES);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    err = -pthread_create(thread, &attr, run, arg);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    pthread_attr_destroy(&attr);
    if (!err)
        pthread_setname_np(*thread, "pagerfs-io");
    return err;
}

static int start(struct swap_engine *engine, const struct io_backend *backend)
{
    engine->backend = backend;
    return backend->start(engine);
}

static int start_best(struct swap_engine *engine)
{
    int err;

    /* Without O_DIRECT the kernel would hand each transfer to a thread of its
     * own, and what comes after it (swap_file_settle) would block the ring. */
    if (!engine->file->direct)
        return start(engine, &io_backend_threads);
    err = start(engine, &io_backend_uring);
    if (!err)
        return 0;
    log_info("io_uring is not to be had (%s): paging with threads",
             strerror(-err));
    return start(engine, &io_backend_threads);
}

int swap_engine_create(struct swap_engine **out, struct swap_file *file,
                       enum swap_engine_kind kind, unsigned max_inflight)
{
    struct swap_engine *engine = calloc(1, sizeof(*engine));
    int err;

    if (!engine)
        return -ENOMEM;
    engine->file = file;
    engine->max_inflight = max_inflight;
    list_init(&engine->queue);
    if (kind == SWAP_ENGINE_BEST)
        err = start_best(engine);
    else
        err = start(engine, kind == SWAP_ENGINE_URING ? &io_backend_uring
                                                      : &io_backend_threads);
    if (err) {
        free(engine);
        return err;
    }
    *out = engine;
    return 0;
}

void swap_engine_destroy(struct swap_engine *engine)
{
    mutex_lock(&engine->lock, RANK_IO);
    INVARIANT("E1", list_empty(&engine->queue));
    engine->stopping = true;
    mutex_unlock(&engine->lock);
    while (atomic_load_explicit(&engine->waking, memory_order_acquire) > 0)
        clock_sleep_ns(PAUSE_NS);
    engine->backend->wake(engine);
    engine->backend->stop(engine);
    free(engine);
}

const char *swap_engine_name(const struct swap_engine *engine)
{
    return engine->backend->name;
}

static void prepare(struct swap_engine *engine, struct swap_io *io)
{
    INVARIANT("E1", io->nr > 0 && io->nr <= SWAP_IO_MAX_PAGES);
    INVARIANT("E1", io->block + io->nr <= engine->file->nr_blocks);
    io->engine = engine;
    io->lane = NULL;
    io->offset = (uint64_t)io->block << PAGE_SHIFT;
    io->left = (uint64_t)io->nr << PAGE_SHIFT;
}

void swap_engine_submit(struct swap_engine *engine, struct swap_io *io)
{
    prepare(engine, io);
    mutex_lock(&engine->lock, RANK_IO);
    list_add_tail(&engine->queue, &io->link);
    atomic_fetch_add_explicit(&engine->waking, 1, memory_order_relaxed);
    mutex_unlock(&engine->lock);
    engine->backend->wake(engine);
    atomic_fetch_sub_explicit(&engine->waking, 1, memory_order_release);
}

void swap_engine_run(struct swap_engine *engine, struct swap_io *io)
{
    int err;

    lock_assert_none(RANK_FUSE);
    prepare(engine, io);
    while (!io_advance(io, io_transfer(engine, io), &err))
        ;
    engine_finish(engine, io, err);
}

bool swap_engine_begin(struct swap_engine *engine, struct swap_io *io,
                       struct swap_lane *lane)
{
    INVARIANT("E1", io->op == SWAP_IO_READ);
    if (!swap_engine_lends(engine)) {
        swap_engine_submit(engine, io);
        return false;
    }
    prepare(engine, io);
    io->lane = lane;
    lane->room--;
    lane->begin(lane, io);
    return true;
}

bool swap_engine_lends(const struct swap_engine *engine)
{
    return engine->backend->lends;
}

int swap_io_fd(const struct swap_io *io)
{
    return io->engine->file->fd;
}

bool swap_io_result(struct swap_io *io, int result)
{
    int err;

    if (!io_advance(io, result, &err)) {
        io->lane->begin(io->lane, io);
        return false;
    }
    io->lane->room++;
    engine_finish(io->engine, io, err);
    return true;
}

ssize_t io_transfer(const struct swap_engine *engine, const struct swap_io *io)
{
    int fd = engine->file->fd;
    ssize_t n;

    if (io->op == SWAP_IO_READ)
        n = preadv(fd, io->iov, (int)io->iov_count, (off_t)io->offset);
    else
        n = pwritev(fd, io->iov, (int)io->iov_count, (off_t)io->offset);
    return n < 0 ? -errno : n;
}

struct swap_io *engine_next(struct swap_engine *engine)
{
    struct list *first = engine->queue.next;

    if (list_empty(&engine->queue))
        return NULL;
    list_del(first);
    return list_entry(first, struct swap_io, link);
}

bool io_advance(struct swap_io *io, ssize_t result, int *err)
{
    uint64_t bytes;

    *err = 0;
    /* ECANCELED: the ring's thread was asked to exec or the like. */
    if (result == -EINTR || result == -EAGAIN || result == -ECANCELED)
        return false;
    if (result < 0) {
        *err = (int)result;
        return true;
    }
    /* Whole pages, so that what is left stays aligned for O_DIRECT; less than
     * one is the end of the file or device, which no block lies beyond. */
    bytes = round_down((uint64_t)result, PAGE_SIZE);
    if (bytes == 0) {
        *err = -EIO;
        return true;
    }
    io->offset += bytes;
    io->left -= bytes;
    while (bytes > 0) {
        uint64_t n = MIN(bytes, io->iov->iov_len);

        io->iov->iov_base = (uint8_t *)io->iov->iov_base + n;
        io->iov->iov_len -= n;
        bytes -= n;
        if (io->iov->iov_len == 0) {
            io->iov++;
            io->iov_count--;
        }
    }
    return io->left == 0;
}

void engine_finish(struct swap_engine *engine, struct swap_io *io, int err)
{
    uint64_t at = (uint64_t)io->block << PAGE_SHIFT;
    uint64_t bytes = (uint64_t)io->nr << PAGE_SHIFT;
    int settled;

    if (io->op == SWAP_IO_READ) {
        swap_file_forget(engine->file, at, bytes);
    } else {
        /* A buffered write fails only here. */
        settled = swap_file_settle(engine->file, at, bytes);
        err = err ? err : settled;
    }
    io->done(io, err);
}

/* readers.c - reading requests from /dev/fuse.
 *
 * A few threads read from one descriptor; the kernel gives each message to one
 * of them.
 *
 * A read ends with ENODEV when the mount is gone, whoever unmounted it.  When
 * we end while the mount is still in use (unmounted lazily), nothing comes any
 * more: the readers are kicked out by a signal, again and again, because the
 * first one may come just before the read begins.
 *
 * Beside rings only FORGET and INTERRUPT come here, which nobody waits for.  A
 * pause after each then lets the kernel gather FORGETs into one message, instead
 * of waking the reader at each unlink.  An idle reader sleeps in its read.
 *
 * After large messages whoever read last waits a second for the next; if none
 * comes, the memory of all buffers that nobody uses goes back to the kernel.  The
 * other readers may be asleep with theirs: they are kicked, too, until each has
 * given its own back or is found to have other things to do.
 */
#include "readers.h"

#include "clock.h"
#include "log.h"
#include "session.h"
#include "threads.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

enum { KICK_PAUSE_NS = 1000000, KICKS = 100, IDLE_MS = 1000 };
/* A message whose buffer is worth giving back. */
enum { LARGE_BYTES = 4 * PAGE_SIZE };

/* False: there will be no more messages. */
static bool go_on(int err)
{
    /* ENOENT: the request was taken back while it was being read. */
    if (err == EINTR || err == EAGAIN || err == ENOENT)
        return true;
    if (err != ENODEV)
        log_error("reading from /dev/fuse: %s", strerror(err));
    return false;
}

/* Waits until there is a message or a second has passed; was it that? */
static bool is_idle(const struct session *session)
{
    struct pollfd from = { .fd = session->fd, .events = POLLIN };

    return poll(&from, 1, IDLE_MS) == 0;
}

/* Gives back what it holds, if that is due. */
static void cool(struct reader *reader, struct request *rq)
{
    unsigned due = atomic_load(&reader->readers->cooled);

    if (atomic_load(&reader->cooled) == due)
        return;
    request_pool_cool(reader->readers->session->requests, rq);
    atomic_store(&reader->cooled, due);
}

/* Kicks those that have not given back theirs; were there any? */
static bool kick_warm(struct readers *readers)
{
    unsigned due = atomic_load(&readers->cooled);
    bool any = false;

    for (unsigned i = 0; i < atomic_load(&readers->nr); i++)
        if (atomic_load(&readers->reader[i].cooled) != due) {
            pthread_kill(readers->reader[i].thread, THREAD_KICK);
            any = true;
        }
    return any;
}

/* The mount is idle: so say all readers. */
static void cool_all(struct reader *self, struct request *rq)
{
    struct readers *readers = self->readers;

    atomic_store(&readers->warm, false);
    atomic_fetch_add(&readers->cooled, 1);
    cool(self, rq);
    for (unsigned kicks = 0; kicks < KICKS && kick_warm(readers); kicks++)
        clock_sleep_ns(KICK_PAUSE_NS);
}

static void *read_on(void *ctx)
{
    struct reader *reader = ctx;
    struct readers *readers = reader->readers;
    struct session *session = readers->session;
    struct request *rq = request_get(session->requests);
    size_t room = request_room(session->requests);

    threads_allow_kick();
    while (!atomic_load_explicit(&session->stopping, memory_order_relaxed)) {
        ssize_t got;

        if (atomic_load(&readers->warm) && is_idle(session))
            cool_all(reader, rq);
        cool(reader, rq);
        got = read(session->fd, rq->message, room);
        if (got > 0) {
            if (got > LARGE_BYTES)
                atomic_store(&readers->warm, true);
            rq = session_serve(session, rq, (size_t)got);
            if (readers->pause_ns)
                clock_sleep_ns(readers->pause_ns);
        } else if (got == 0 || !go_on(errno)) {
            break;
        }
    }
    request_put(session->requests, rq);
    session_ended(session);
    return NULL;
}

int readers_start(struct readers *readers, struct session *session, unsigned nr,
                  uint64_t pause_ns)
{
    readers->session = session;
    readers->pause_ns = pause_ns;
    for (unsigned i = 0; i < nr; i++) {
        struct reader *reader = &readers->reader[i];
        int err;

        reader->readers = readers;
        err = threads_start(&reader->thread, "reader", read_on, reader);
        if (err)
            return err;
        atomic_store(&readers->nr, i + 1);
    }
    atomic_store_explicit(&session->spare_readers, nr - 1,
                          memory_order_relaxed);
    return 0;
}

void readers_stop(struct readers *readers)
{
    for (unsigned i = 0; i < atomic_load(&readers->nr); i++)
        while (pthread_tryjoin_np(readers->reader[i].thread, NULL) != 0) {
            pthread_kill(readers->reader[i].thread, THREAD_KICK);
            clock_sleep_ns(KICK_PAUSE_NS);
        }
}

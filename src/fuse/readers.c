/* readers.c - reading requests from /dev/fuse.
 *
 * A few threads may read from one descriptor, but as a rule one does, the others
 * sleep on a futex: the kernel gives each message to whoever has waited longest,
 * mostly on another CPU, whose sleep and caches each request would pay for.  crew.c
 * says when another is let in, and when one goes out again:
 *
 *     OUT --let_in: behind, or the only one is going to wait--> IN
 *      ^                                                        |
 *      +-----------------look: nothing is behind----------------+
 *
 * Who is in alone may spin for the next request, for as long as requests come
 * faster than a CPU wakes up.
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
 * After large messages somebody watches: who is out, by looking once a second
 * whether any message has come; if all are in, whoever read last waits a second
 * for the next.  If none comes, the memory of all buffers that nobody uses goes
 * back to the kernel.  The other readers may be asleep with theirs: they are
 * kicked, too, until each has given its own back or is found to have other things
 * to do.
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

enum { KICK_PAUSE_NS = 1000000, KICKS = 100 };
/* As long as it takes a sleeping CPU to wake up the caller and make its next
 * request. */
enum { SPIN_NS = 40000, SPIN_RELAX = 16 };

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

static bool is_stopping(const struct readers *readers)
{
    return atomic_load_explicit(&readers->session->stopping,
                                memory_order_relaxed);
}

/* --- in and out ---------------------------------------------------------- */

static void place_set(struct reader *reader, enum reader_place place)
{
    atomic_store(&reader->place, place);
    if (place == READER_IN)
        futex_wake(&reader->place, 1);
}

/* The crew has counted one more.  Caller holds the lock. */
static void let_in(struct readers *readers) REQUIRES(readers->lock)
{
    struct reader *reader = readers->reader;

    while (atomic_load(&reader->place) == READER_IN)
        reader++;
    place_set(reader, READER_IN);
    atomic_store(&readers->in, readers->crew.in);
}

bool readers_away(struct readers *readers)
{
    bool admit, may;

    mutex_lock(&readers->lock, RANK_FUSE);
    may = crew_away(&readers->crew, &admit);
    if (admit)
        let_in(readers);
    mutex_unlock(&readers->lock);
    return may;
}

void readers_back(struct readers *readers)
{
    mutex_lock(&readers->lock, RANK_FUSE);
    crew_back(&readers->crew);
    mutex_unlock(&readers->lock);
}

static bool has_message(const struct readers *readers)
{
    struct pollfd from = { .fd = readers->session->fd, .events = POLLIN };

    return poll(&from, 1, 0) > 0;
}

static enum crew_look look(const struct readers *readers, bool spins)
{
    uint64_t until;

    if (has_message(readers))
        return CREW_AT_ONCE;
    if (!spins)
        return CREW_NOTHING;
    until = clock_monotonic_ns() + SPIN_NS;
    do {
        for (unsigned i = 0; i < SPIN_RELAX; i++)
            lock_relax();
        if (has_message(readers))
            return CREW_SOON;
    } while (clock_monotonic_ns() < until);
    return CREW_IN_VAIN;
}

/* After a message, if it is time to. */
static void look_around(struct reader *reader, bool large)
{
    struct readers *readers = reader->readers;
    bool alone = atomic_load(&readers->in) == 1;
    enum crew_look seen;
    enum crew_order order;

    if (readers->crew.all == 1 || !crew_due(&reader->member, alone, large))
        return;
    seen = look(readers, crew_spins(&reader->member, alone));
    mutex_lock(&readers->lock, RANK_FUSE);
    order = crew_looked(&readers->crew, &reader->member, seen, large);
    if (order == CREW_ADMIT) {
        let_in(readers);
    } else if (order == CREW_LEAVE) {
        place_set(reader, READER_OUT);
        atomic_store(&readers->in, readers->crew.in);
    }
    mutex_unlock(&readers->lock);
}

/* --- memory of buffers ----------------------------------------------------- */

/* Waits until there is a message or a second has passed; was it that? */
static bool is_idle(const struct session *session)
{
    struct pollfd from = { .fd = session->fd, .events = POLLIN };

    return poll(&from, 1, REQUEST_IDLE_MS) == 0;
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

/* A large message has come: who is out must know, to watch. */
static void warm_up(struct readers *readers)
{
    if (atomic_load_explicit(&readers->warm, memory_order_relaxed))
        return;
    atomic_store(&readers->warm, true);
    for (unsigned i = 0; i < atomic_load(&readers->nr); i++)
        if (atomic_load(&readers->reader[i].place) == READER_OUT)
            futex_wake(&readers->reader[i].place, 1);
}

static uint64_t served_by_all(const struct readers *readers)
{
    uint64_t served = 0;

    for (unsigned i = 0; i < SIZING_MAX_READERS; i++)
        served += atomic_load_explicit(&readers->reader[i].served,
                                       memory_order_relaxed);
    return served;
}

/* Sleeps while it is out; meanwhile it watches. */
static void stay_out(struct reader *reader, struct request *rq)
{
    struct readers *readers = reader->readers;

    while (atomic_load(&reader->place) == READER_OUT && !is_stopping(readers)) {
        uint64_t served = served_by_all(readers);

        cool(reader, rq);
        if (!atomic_load(&readers->warm))
            futex_wait(&reader->place, READER_OUT);
        else if (!futex_wait_for(&reader->place, READER_OUT,
                                 REQUEST_IDLE_MS * (uint64_t)1000000) &&
                 served_by_all(readers) == served)
            cool_all(reader, rq);
    }
}

/* --- the threads ----------------------------------------------------------- */

/* One message, read and handed on.  False: there will be no more. */
static bool read_one(struct reader *reader, struct request **rq)
{
    struct readers *readers = reader->readers;
    struct session *session = readers->session;
    ssize_t got = read(session->fd, (*rq)->message,
                       request_room(session->requests));
    bool large = got > REQUEST_LARGE_BYTES;

    if (got <= 0)
        return got < 0 && go_on(errno);
    if (large)
        warm_up(readers);
    atomic_fetch_add_explicit(&reader->served, 1, memory_order_relaxed);
    *rq = session_serve(session, *rq, (size_t)got);
    if (readers->pause_ns)
        clock_sleep_ns(readers->pause_ns);
    else
        look_around(reader, large);
    return true;
}

static void *read_on(void *ctx)
{
    struct reader *reader = ctx;
    struct readers *readers = reader->readers;
    struct session *session = readers->session;
    struct request *rq = request_get(session->requests);

    threads_allow_kick();
    while (!is_stopping(readers)) {
        if (atomic_load(&reader->place) == READER_OUT) {
            stay_out(reader, rq);
            continue;
        }
        if (atomic_load(&readers->warm) &&
            atomic_load(&readers->in) == atomic_load(&readers->nr) &&
            is_idle(session))
            cool_all(reader, rq);
        cool(reader, rq);
        if (!read_one(reader, &rq))
            break;
    }
    request_put(session->requests, rq);
    session_ended(session);
    atomic_store(&reader->left, true);
    return NULL;
}

int readers_start(struct readers *readers, struct session *session, unsigned nr,
                  uint64_t pause_ns)
{
    readers->session = session;
    readers->pause_ns = pause_ns;
    crew_init(&readers->crew, nr);
    atomic_store(&readers->in, 1);
    atomic_store(&readers->reader[0].place, READER_IN);
    for (unsigned i = 0; i < nr; i++) {
        struct reader *reader = &readers->reader[i];
        int err;

        reader->readers = readers;
        err = threads_start(&reader->thread, "reader", read_on, reader);
        if (err)
            return err;
        atomic_store(&readers->nr, i + 1);
    }
    return 0;
}

/* Kicks those that have not left; were there any? */
static bool kick_out(struct readers *readers)
{
    bool any = false;

    for (unsigned i = 0; i < atomic_load(&readers->nr); i++)
        if (!atomic_load(&readers->reader[i].left)) {
            pthread_kill(readers->reader[i].thread, THREAD_KICK);
            any = true;
        }
    return any;
}

/* Readers kick one another, so none is joined before all have left. */
void readers_stop(struct readers *readers)
{
    while (kick_out(readers))
        clock_sleep_ns(KICK_PAUSE_NS);
    for (unsigned i = 0; i < atomic_load(&readers->nr); i++)
        pthread_join(readers->reader[i].thread, NULL);
}

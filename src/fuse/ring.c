/* ring.c - the thread of one queue.
 *
 * The kernel puts a request into the queue of the CPU that it comes from.  The
 * queue's thread is on that CPU (ring_place.c), so that nothing has to wake another
 * one: that, and no system call but one for answer and next request together, is
 * what the ring is for.
 *
 * It serves what does not have to wait.  A worker who has had to wait gives the
 * entry back on a list without a lock, and wakes the thread through an eventfd
 * that the ring reads, if it sleeps.  The thread alone uses the ring; the kernel
 * insists.  A read that needs no more than the disk stays here (ring_read.c).
 *
 * After large requests or answers the thread waits for a second at most.  When
 * nothing comes, what the entries carried is given back to the system, and then it
 * waits for ever.  That is safe where the kernel has all entries: it fills one only
 * on this thread, while that waits, and tells of it at once (DEFER_TASKRUN).
 *
 * An entry whose request is being served can do nothing else, so requests that
 * wait use up entries; the kernel keeps further ones until one is back.
 *
 * The end: all entries come back with ENOTCONN when the mount is gone; the thread
 * stays until no worker has one and nothing is being read.  When we
 * stop first, what the kernel has sent and nobody has begun is left: it is
 * told to callers as the end of the connection.
 */
#include "ring.h"

#include "clock.h"
#include "log.h"
#include "session.h"
#include "threads.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum { BATCH = 16, DEVICE = 0 /* in the ring's table of files */,
       RETRY_NS = 1000000 };

static void stage_set(struct ring *ring, enum ring_stage stage)
{
    atomic_store(&ring->stage, stage);
    futex_wake(&ring->stage, 1);
}

/* Returns the stage that follows. */
static enum ring_stage stage_after(struct ring *ring, enum ring_stage stage)
{
    uint32_t now;

    while ((now = atomic_load(&ring->stage)) == stage)
        futex_wait(&ring->stage, stage);
    return (enum ring_stage)now;
}

/* --- giving entries to the kernel ---------------------------------------- */

struct io_uring_sqe *ring_sqe(struct ring *ring)
{
    struct io_uring_sqe *sqe = io_uring_get_sqe(&ring->io);

    if (!sqe)
        assert_failed("F3", "the ring has an entry", __FILE__, __LINE__);
    return sqe;
}

static void give(struct ring_entry *entry, uint32_t command)
{
    struct ring *ring = entry->ring;
    struct io_uring_sqe *sqe = ring_sqe(ring);
    struct proto_ring_command argument = {
        .commit_id = entry->header->commit_id,
        .queue = (uint16_t)ring->queue,
    };

    io_uring_prep_rw(IORING_OP_URING_CMD, sqe, DEVICE, NULL, 0, 0);
    io_uring_sqe_set_flags(sqe, IOSQE_FIXED_FILE);
    io_uring_sqe_set_data(sqe, entry);
    sqe->cmd_op = command;
    if (command == PROTO_RING_REGISTER) {
        sqe->addr = (uintptr_t)entry->where;
        sqe->len = 2;
    }
    /* Entries of this ring are twice as long as their struct. */
    memcpy((uint8_t *)sqe + offsetof(struct io_uring_sqe, cmd), &argument,
           sizeof(argument));
    entry->command = command;
    ring->warm |= ring_entry_is_large(entry);
}

static void arm(struct ring *ring)
{
    struct io_uring_sqe *sqe = ring_sqe(ring);

    io_uring_prep_read(sqe, ring->eventfd, &ring->woken, sizeof(ring->woken),
                       0);
    io_uring_sqe_set_data(sqe, NULL);
    ring->armed = true;
}

/* What workers have given back leaves for the kernel. */
static void take_back(struct ring *ring)
{
    struct ring_entry *entry = atomic_exchange(&ring->back, NULL);

    while (entry) {
        struct ring_entry *next = entry->next;

        ring->parked--;
        if (!ring->ended)
            give(entry, PROTO_RING_COMMIT_AND_FETCH);
        entry = next;
    }
}

/* --- serving ------------------------------------------------------------- */

static bool stopping(const struct ring *ring)
{
    return ring->ended || atomic_load_explicit(&ring->session->stopping,
                                               memory_order_relaxed);
}

static void served(struct ring_entry *entry, enum session_outcome outcome)
{
    struct ring *ring = entry->ring;

    switch (outcome) {
    case SESSION_QUEUED:
        ring->parked++;
        break;
    case SESSION_READING:
        ring->reading++;
        ring_place_reads(&ring->place, ring->reading);
        break;
    case SESSION_ANSWERED:
        ring_place_answers(&ring->place);
        if (!ring->ended)
            give(entry, PROTO_RING_COMMIT_AND_FETCH);
    }
}

static void serve(struct ring_entry *entry)
{
    struct session *session = entry->ring->session;
    enum session_outcome outcome = SESSION_ANSWERED;
    size_t bytes;

    entry->ring->warm |= ring_entry_is_large(entry);
    if (ring_entry_take(entry, &bytes))
        log_error("a request of queue %u has impossible sizes",
                  entry->ring->queue);
    else
        outcome = session_serve_own(session, entry->rq, bytes);
    served(entry, outcome);
}

static void read_over(struct ring *ring, uint64_t data, int result)
{
    struct ring_entry *entry = ring_read_over(data, result);

    if (!entry)
        return;
    ring->reading--;
    served(entry, session_resume(ring->session, entry->rq));
}

static void refused(struct ring_entry *entry, int err)
{
    switch (err) {
    case -EAGAIN:
    case -EINTR:
        give(entry, entry->command);
        break;
    case -ENOTCONN:
    case -ECONNABORTED:
    case -ENODEV:
        entry->ring->ended = true;
        break;
    default:
        /* ring_start has told of those that were never taken. */
        if (entry->command != PROTO_RING_REGISTER)
            log_error("queue %u lost a buffer: %s", entry->ring->queue,
                      strerror(-err));
    }
}

static void complete(struct ring *ring, uint64_t data, int result)
{
    struct ring_entry *entry = (void *)(uintptr_t)data;

    if (!data)
        ring->armed = false;
    else if (ring_read_is(data))
        read_over(ring, data, result);
    else if (result < 0)
        refused(entry, result);
    else if (!stopping(ring))
        serve(entry);
}

static void reap(struct ring *ring)
{
    struct io_uring_cqe *cqe[BATCH];
    uint64_t data[BATCH];
    int result[BATCH];
    unsigned n = io_uring_peek_batch_cqe(&ring->io, cqe, BATCH);

    for (unsigned i = 0; i < n; i++) {
        data[i] = io_uring_cqe_get_data64(cqe[i]);
        result[i] = cqe[i]->res;
    }
    io_uring_cq_advance(&ring->io, n);
    for (unsigned i = 0; i < n; i++)
        complete(ring, data[i], result[i]);
}

/* Submits, and waits until there is something to do; or, when much was carried,
 * and then nothing for a while, until its memory has been given back. */
static int await(struct ring *ring)
{
    static struct __kernel_timespec idle = {
        .tv_sec = REQUEST_IDLE_MS / 1000,
        .tv_nsec = REQUEST_IDLE_MS % 1000 * 1000000,
    };
    struct io_uring_cqe *cqe;
    int n;

    if (!ring->warm)
        return io_uring_submit_and_wait(&ring->io, 1);
    n = io_uring_submit_and_wait_timeout(&ring->io, &cqe, 1, &idle, NULL);
    if (n < 0 && n != -ETIME)
        return n;
    if (io_uring_cq_ready(&ring->io) == 0 && ring->parked + ring->reading == 0) {
        for (unsigned i = 0; i < ring->depth; i++)
            ring_entry_cool(&ring->entries[i]);
        ring->warm = false;
    }
    return 0;
}

/* Commits, and serves what comes.  False when it is time to end. */
static bool turn(struct ring *ring)
{
    int n;

    if (!ring->armed)
        arm(ring);
    /* From here on whoever gives an entry back must wake us; nobody can if no
     * worker has one. */
    if (ring->parked > 0)
        atomic_store(&ring->asleep, true);
    take_back(ring);
    if (stopping(ring) && ring->parked + ring->reading == 0)
        return false;
    n = await(ring);
    /* Short of memory: what was not submitted is still there. */
    if (n < 0 && n != -EINTR)
        clock_sleep_ns(RETRY_NS);
    atomic_store_explicit(&ring->asleep, false, memory_order_relaxed);
    reap(ring);
    return true;
}

void ring_give_back(struct ring_entry *entry)
{
    struct ring *ring = entry->ring;

    entry->next = atomic_load_explicit(&ring->back, memory_order_relaxed);
    while (!atomic_compare_exchange_weak(&ring->back, &entry->next, entry))
        ;
    if (atomic_exchange(&ring->asleep, false))
        eventfd_write(ring->eventfd, 1);
}

/* --- beginning and end --------------------------------------------------- */

/* A filter may allow the ring and forbid its use: one round trip tells. */
static int try_ring(struct io_uring *io)
{
    struct io_uring_cqe *cqe;
    int n;

    io_uring_prep_nop(io_uring_get_sqe(io));
    n = io_uring_submit_and_wait(io, 1);
    if (n >= 0)
        n = io_uring_wait_cqe(io, &cqe);
    if (n < 0)
        return n;
    io_uring_cqe_seen(io, cqe);
    return 0;
}

static int set_up(struct ring *ring)
{
    int err = io_uring_queue_init(ring->depth * (1 + RING_READS) + 1, &ring->io,
                                  IORING_SETUP_SQE128 |
                                      IORING_SETUP_SUBMIT_ALL |
                                      IORING_SETUP_SINGLE_ISSUER |
                                      IORING_SETUP_DEFER_TASKRUN);

    if (err)
        return err;
    err = io_uring_register_files(&ring->io, &ring->session->fd, 1);
    if (!err)
        err = try_ring(&ring->io);
    if (err)
        io_uring_queue_exit(&ring->io);
    return err;
}

/* A refusal is there as soon as the command has been submitted. */
static int hand_over(struct ring *ring)
{
    struct io_uring_cqe *cqe;
    unsigned head;
    int err;

    for (unsigned i = 0; i < ring->depth; i++)
        give(&ring->entries[i], PROTO_RING_REGISTER);
    err = io_uring_submit(&ring->io);
    if (err >= 0)
        err = 0;
    io_uring_for_each_cqe(&ring->io, head, cqe)
        if (cqe->res < 0 && !err)
            err = cqe->res;
    return err;
}

static void *run(void *arg)
{
    struct ring *ring = arg;

    ring_place_settle(&ring->place, ring->queue);
    ring->err = set_up(ring);
    if (ring->err) {
        stage_set(ring, RING_FAILED);
        return NULL;
    }
    stage_set(ring, RING_OPEN);
    if (stage_after(ring, RING_OPEN) == RING_REGISTERING) {
        ring->err = hand_over(ring);
        stage_set(ring, RING_SERVING);
        while (turn(ring))
            ;
        io_uring_submit(&ring->io); /* the last answers */
    }
    io_uring_queue_exit(&ring->io);
    return NULL;
}

int ring_open(struct ring *ring, struct session *session, unsigned queue,
              unsigned depth, struct request_pool *requests,
              uint32_t max_write)
{
    char name[16];
    int err;

    *ring = (struct ring){ .session = session, .queue = queue,
                           .depth = depth };
    ring->entries = calloc(depth, sizeof(ring->entries[0]));
    if (!ring->entries)
        return -ENOMEM;
    for (unsigned i = 0; i < depth; i++)
        ring_entry_init(&ring->entries[i], ring, request_get(requests),
                        max_write);
    ring->eventfd = eventfd(0, EFD_CLOEXEC);
    if (ring->eventfd < 0) {
        err = -errno;
        goto free_entries;
    }
    snprintf(name, sizeof(name), "ring %u", queue);
    err = threads_start(&ring->thread, name, run, ring);
    if (err)
        goto close_eventfd;
    if (stage_after(ring, RING_OPENING) == RING_OPEN)
        return 0;
    pthread_join(ring->thread, NULL);
    err = ring->err;
close_eventfd:
    close(ring->eventfd);
free_entries:
    free(ring->entries);
    return err;
}

int ring_start(struct ring *ring)
{
    stage_set(ring, RING_REGISTERING);
    stage_after(ring, RING_REGISTERING);
    return ring->err;
}

void ring_stop(struct ring *ring)
{
    if (atomic_load(&ring->stage) == RING_OPEN)
        stage_set(ring, RING_CANCELLED);
    else
        eventfd_write(ring->eventfd, 1);
    pthread_join(ring->thread, NULL);
}

void ring_close(struct ring *ring)
{
    close(ring->eventfd);
    free(ring->entries);
}

/* ring.h - one queue of FUSE over io_uring; private to src/fuse.
 *
 * A queue has a thread, a ring and some entries.  An entry is memory that the
 * kernel writes one request into, and takes its answer from:
 *
 *     ours --REGISTER--> the kernel's --request--> served at once --COMMIT--> ..
 *                             ^                     |          |
 *                             |         would wait for   would wait: a worker's
 *                             |         the disk: reads,         |
 *                             |         is served again          |
 *                             +--COMMIT-- back <--ring_give_back-+
 *
 * Ownership   the entries' memory is that of `requests`, borrowed.
 * Locking     one thread opens, starts and stops rings; ring_give_back is for
 *             any thread, and may still be under way when the ring has stopped.
 * Errors      0 or -errno.
 */
#ifndef FUSE_RING_H
#define FUSE_RING_H

#include "protocol.h"
#include "request.h"
#include "ring_place.h"

#include <liburing.h>
#include <pthread.h>

struct ring;

/* Reads from swap that one request may have in flight. */
enum { RING_READS = 4 };

struct ring_entry {
    struct ring *ring;                /* (c) */
    struct request *rq;               /* (c) */
    struct proto_ring_header *header; /* (c) */
    struct iovec where[2];            /* (c) header and payload */
    uint32_t command;                 /* the last one given with it (t) */
    struct swap_lane lane;            /* reads for its request (t) */
    struct ring_entry *next;          /* among those given back */
};

/* What a ring's thread does; changed by stage_set alone. */
enum ring_stage {
    RING_OPENING,     /* sets itself up */
    RING_FAILED,      /* could not, and has ended */
    RING_OPEN,        /* waits to be told what next */
    RING_CANCELLED,   /* told to end */
    RING_REGISTERING, /* told to begin */
    RING_SERVING,     /* until unmounted, or the session is stopping */
};

struct ring {
    struct session *session;    /* (c) */
    unsigned queue;             /* (c) its number, and its CPU's */
    unsigned depth;             /* (c) */
    struct ring_entry *entries; /* (c) */
    struct io_uring io;         /* (t) */
    unsigned parked;            /* (t) entries that workers have */
    unsigned reading;           /* (t) entries whose requests read on the ring */
    struct ring_place place;    /* (t) */
    bool ended;                 /* (t) the kernel has no more for us */
    bool armed;                 /* (t) the eventfd is being read */
    bool warm;                  /* (t) an entry has carried much */
    uint64_t woken;             /* (t) what that read returned */
    int eventfd;                /* (c) */
    _Atomic bool asleep;        /* or about to be: whoever gives back wakes it */
    _Atomic(struct ring_entry *) back; /* given back, newest first */
    _Atomic uint32_t stage;
    int err;                    /* of setting up, of registering */
    pthread_t thread;           /* (c) */
};                              /* (c) constant (t) the ring's thread */

/* Starts the thread and sets up the ring.  On error nothing is left. */
int ring_open(struct ring *ring, struct session *session, unsigned queue,
              unsigned depth, struct request_pool *requests,
              uint32_t max_write);
/* Gives the entries to the kernel, who then sends requests.  On error some may
 * have been taken nevertheless, and are served. */
int ring_start(struct ring *ring);
/* Ends the thread, when no worker has an entry; the session is stopping. */
void ring_stop(struct ring *ring);
/* When the workers have ended, too. */
void ring_close(struct ring *ring);
/* The request of this entry is done with. */
void ring_give_back(struct ring_entry *entry);

/* For a command: there is room for one of each entry, for all reads, and for the
 * eventfd.  On the ring's thread. */
struct io_uring_sqe *ring_sqe(struct ring *ring);

/* --- ring_read.c --------------------------------------------------------- */

/* The request of this entry may read on its ring. */
void ring_read_init(struct ring_entry *entry);
/* Is this completion that of a read?  Then the entry whose request is to be run
 * again, or NULL if there is more to come. */
bool ring_read_is(uint64_t data);
struct ring_entry *ring_read_over(uint64_t data, int result);

/* --- ring_entry.c -------------------------------------------------------- */

void ring_entry_init(struct ring_entry *entry, struct ring *ring,
                     struct request *rq, uint32_t max_write);
/* Lays the request out as /dev/fuse gives it, and makes EIO its answer until
 * there is another.  -EPROTO if that is not possible. */
int ring_entry_take(struct ring_entry *entry, size_t *bytes);
/* -EINVAL if it does not fit.  iov[0] is the header.  Where an element lies at
 * its place already, it is not copied. */
int ring_entry_answer(struct ring_entry *entry, const struct iovec *iov,
                      int count);
/* Is what it carries, request or answer, much? */
bool ring_entry_is_large(const struct ring_entry *entry);
/* Gives the memory of its payload back, whatever is in it. */
void ring_entry_cool(struct ring_entry *entry);

#endif

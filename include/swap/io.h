/* io.h - the I/O engine: runs of blocks to and from frames, asynchronously.
 *
 * io_uring with one ring and one thread; where io_uring is refused (seccomp,
 * sysctl) or useless (no O_DIRECT), a few threads with preadv/pwritev do the
 * same.  Short transfers are continued here; a request is done once, whole or
 * with -errno.
 *
 * Invariants
 *   E1  every submitted request's done() is called exactly once.
 *   9   submitting allocates nothing and waits for nothing: the ring is sized
 *       at start for max_inflight, and what is submitted beyond it waits in a
 *       list inside the requests.
 *
 * Ownership   the request and its iovec must stay put until done() is called;
 *             inside done() they are the caller's again, the iovec spoilt.
 * Locking     locks inside (RANK_IO).  done() runs on an engine thread, or in
 *             swap_engine_run, or in swap_io_result, with no engine lock held, and
 *             may submit; it must not wait for I/O.
 * Units       blocks and pages of 4 KiB; every iovec element is one whole frame
 *             or several adjacent ones.
 * Errors      0 or -errno in done().
 */
#ifndef SWAP_IO_H
#define SWAP_IO_H

#include "list.h"
#include "lock.h"
#include "file.h"

#include <sys/uio.h>

#define SWAP_IO_MAX_PAGES 256u

enum swap_io_op { SWAP_IO_READ, SWAP_IO_WRITE };

struct swap_io {
    enum swap_io_op op;
    uint32_t block;     /* first */
    uint32_t nr;        /* blocks, at most SWAP_IO_MAX_PAGES */
    struct iovec *iov;  /* nr pages in all; used up by the engine, as are */
    uint32_t iov_count; /* these two fields: set them anew each time */
    void (*done)(struct swap_io *io, int err);
    /* the engine's; for a lane to read */
    uint64_t offset;    /* bytes of the file still to do, from here */
    struct swap_lane *lane; /* who has it in flight; NULL: the engine */
    /* private to the engine */
    struct swap_engine *engine; /* where a lane has it from */
    struct list link;
    uint64_t left;
};

struct swap_engine;

/* A ring of somebody else's, on which he reads himself: a thread that sleeps in
 * its ring anyway is then woken by the disk, and no other thread runs.
 *
 *     swap_engine_begin --> begin() --> in flight --> swap_io_result --> done()
 *                              ^                            |
 *                              +------- the rest of it -----+
 *
 * begin, swap_io_result and done() all run on the lane's thread, which must not
 * wait for a read that it has in flight itself. */
struct swap_lane {
    /* Starts reading io->iov, io->iov_count from io->offset of swap_io_fd. */
    void (*begin)(struct swap_lane *lane, struct swap_io *io);
    uint32_t room; /* how many more it takes now: counted here */
};

enum swap_engine_kind {
    SWAP_ENGINE_BEST,
    SWAP_ENGINE_URING,
    SWAP_ENGINE_THREADS,
};

int swap_engine_create(struct swap_engine **engine, struct swap_file *file,
                       enum swap_engine_kind kind, unsigned max_inflight);
/* Every done() must have been called, though the last may not have returned. */
void swap_engine_destroy(struct swap_engine *engine);
void swap_engine_submit(struct swap_engine *engine, struct swap_io *io);
/* The same on the caller's thread, for one that would only wait for it: spares
 * the two wake-ups, which cost more than a small read.  done() has been called,
 * here, on return.  No lock held. */
void swap_engine_run(struct swap_engine *engine, struct swap_io *io);
/* Begins a read on a lane that has room.  False: this engine is none for lanes
 * (threads), and has the request as if it had been submitted. */
bool swap_engine_begin(struct swap_engine *engine, struct swap_io *io,
                       struct swap_lane *lane);
/* It is one for lanes. */
bool swap_engine_lends(const struct swap_engine *engine);
int swap_io_fd(const struct swap_io *io);
/* What the lane's transfer came to: bytes, or -errno.  True: that was all, done()
 * has been called, and the request is not the lane's any more.  False: the lane
 * has begun with the rest. */
bool swap_io_result(struct swap_io *io, int result);
/* "io_uring" or "threads". */
const char *swap_engine_name(const struct swap_engine *engine);

#endif

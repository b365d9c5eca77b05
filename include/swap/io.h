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
 *             swap_engine_run, with no engine lock held, and may submit; it must
 *             not wait for I/O.
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
    /* private to the engine */
    struct list link;
    uint64_t offset;    /* bytes of the file still to do, from here */
    uint64_t left;
};

struct swap_engine;

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
/* "io_uring" or "threads". */
const char *swap_engine_name(const struct swap_engine *engine);

#endif

/* object.h - a memory object: the bytes of one file, wherever they are.
 *
 * Joins the pagemap (which page is where), the rangelock (who is in which
 * bytes) and the pool (frames, pageout).  Knows nothing of names, modes, times.
 *
 * Invariants of the design kept here
 *   1, 2  after a shrink to S every byte at or beyond S reads zero, at once.
 *   3     growing sets the size and nothing else.
 *   4     a page becomes visible only wholly valid.
 *   8     blocks in use = blocks mapped; charged pages = nr_present entries.
 *   10    no lock but rangelocks is held across I/O, waits or copies.
 *
 * Ownership   a `struct object` is embedded in the caller's arena memory (a node)
 *             and stays put; object_fini drops every page, waits for I/O under
 *             way on it, and leaves nothing charged.
 * Locking     locks inside (rangelocks, then RANK_OBJECT).  Called with no lock
 *             of RANK_NODE or later held.  With wait=false nothing blocks:
 *             -EAGAIN, and nothing has been changed but what the same call made
 *             again changes in the same way (a part of a range zeroed, say).
 * Units       bytes; offsets up to OBJECT_MAX_SIZE.
 * Errors      -EAGAIN would wait; -ENOSPC; -EFBIG beyond OBJECT_MAX_SIZE; -EIO
 *             the page was lost; -EINVAL; -ENXIO from seek.
 */
#ifndef OBJECT_OBJECT_H
#define OBJECT_OBJECT_H

#include "pagemap.h"
#include "pool.h"
#include "rangelock.h"
#include "readahead.h"

#include <sys/types.h>
#include <sys/uio.h>

/* Linux's MAX_LFS_FILESIZE: 8 EiB - 1. */
#define OBJECT_MAX_SIZE INT64_MAX
/* Largest read or write in one call. */
#define OBJECT_MAX_IO (SWAP_IO_MAX_PAGES * PAGE_SIZE)

/* Aligned as arena objects are, so that an object inside one has a handle. */
struct object {
    _Alignas(1 << HANDLE_SHIFT)
    struct mutex lock;           /* protects map and the state of its pages */
    _Atomic uint32_t inflight;   /* I/Os under way (futex: fini waits for 0) */
    struct rangelock range;
    struct pagemap map;          /* (lock) */
    _Atomic uint64_t size;       /* written under an exclusive range to infinity */
};
_Static_assert(sizeof(struct object) == 64, "an object costs 64 bytes");

/* How many pages may be pinned by requests that wait for frames (pins.c);
 * zeroed memory is a budget of which nothing is taken. */
struct pin_budget {
    struct mutex lock;           /* RANK_WAIT */
    struct cond changed;
    uint64_t tickets, served;    /* (lock) requests so far; those that got theirs */
    uint32_t taken;              /* (lock) pages */
    bool settling;               /* (lock) somebody waits for taken to fall */
};

/* One per mount: what every call needs. */
struct object_store {
    struct arena *arena;
    struct pool *pool;
    /* A page of an object was lost; called with its lock held. */
    void (*lost)(void *ctx, struct object *object, uint64_t index);
    /* The objects one after another, in any order that stays: the first whose
     * number is `from` or more, and that number; NULL if there is none.  It stays
     * until it is put.  No lock held. */
    struct object *(*next)(void *ctx, uint32_t from, uint32_t *number);
    void (*put)(void *ctx, struct object *object);
    void *ctx;
    struct pin_budget pins;      /* private; starts as zeros */
};

/* The ops that pool_create wants; its ctx is the store. */
extern const struct pool_ops object_pool_ops;

void object_init(struct object *object);
void object_fini(struct object_store *store, struct object *object);

static inline uint64_t object_size(struct object *object)
{
    return atomic_load_explicit(&object->size, memory_order_acquire);
}
/* Pages charged: st_blocks is eight times that. */
uint64_t object_pages(struct object *object);

/* A read in progress: iov names pinned frames (holes: the zero frame).
 * iov[0] is left to the caller, for a reply header; the data begin at iov[1]. */
struct object_read {
    struct range range;
    uint32_t nr_pins;
    uint32_t iov_count;          /* without iov[0] */
    size_t bytes;
    struct iovec iov[SWAP_IO_MAX_PAGES + 2];
    uint32_t pins[SWAP_IO_MAX_PAGES + 1];
};

/* The most bytes that a read can be sure to get at once: OBJECT_MAX_IO, but for
 * pools of a few MiB.  A longer one may be cut short there, which the kernel
 * takes for the end of the file: so it must not be let send one. */
uint32_t object_read_max(struct object_store *store);
/* Bytes of [offset, offset + length) below the size; length <= OBJECT_MAX_IO.
 * On 0 the caller owes object_read_end once it has used the iov.  `ahead`, the
 * open file's, may be NULL.  An -EIO inside cuts the read short, or is returned
 * if nothing comes before it. */
int object_read_begin(struct object_store *store, struct object *object,
                      struct readahead *ahead, uint64_t offset, size_t length,
                      bool wait, struct object_read *read);
void object_read_end(struct object_store *store, struct object *object,
                     struct object_read *read);
/* For who has got -EAGAIN and may not wait: begins, on its lane, to read what of
 * these bytes is on swap, and to read ahead.  Never waits, and holds nothing
 * afterwards.  Returns how many reads it has begun: when all are over it is worth
 * trying again, with `ahead` NULL, because that has been asked.  0: none could be.
 * -EAGAIN: none, and `ahead` has not been asked; it is not a disk that the read
 * would wait for, or somebody else reads already. */
int object_read_start(struct object_store *store, struct object *object,
                      struct readahead *ahead, uint64_t offset, size_t length,
                      struct swap_lane *lane);

/* Writes up to length <= OBJECT_MAX_IO bytes; *written is short when space runs
 * out, -ENOSPC when not one byte fits.  Grows the file as needed. */
int object_write(struct object_store *store, struct object *object,
                 uint64_t offset, const void *data, size_t length, bool wait,
                 size_t *written);
/* Sets the size; never -ENOSPC. */
int object_truncate(struct object_store *store, struct object *object,
                    uint64_t size, bool wait);

enum object_fallocate_mode { OBJECT_ALLOCATE, OBJECT_PUNCH, OBJECT_ZERO };
/* ALLOCATE charges every page of the range, all or nothing; PUNCH makes holes;
 * ZERO zeroes and charges.  The size grows to offset+length unless keep_size. */
int object_fallocate(struct object_store *store, struct object *object,
                     enum object_fallocate_mode mode, uint64_t offset,
                     uint64_t length, bool keep_size, bool wait);
/* whence SEEK_DATA or SEEK_HOLE, by pages; a page that is charged is data, also
 * one that was preallocated or reads as zeros.  A snapshot; never waits. */
int object_seek(struct object_store *store, struct object *object,
                uint64_t offset, int whence, uint64_t *found);
/* Copies within or between objects, any length; *copied may be short (end of
 * source, space, and without `wait` at the first thing to wait for).  Holes stay
 * holes.  Atomic in steps only.  Overlap in one object: -EINVAL. */
int object_copy(struct object_store *store, struct object *from,
                uint64_t from_offset, struct object *to, uint64_t to_offset,
                uint64_t length, bool wait, uint64_t *copied);

/* --- advice (advice.c) ------------------------------------------------------- */

enum object_advice { OBJECT_DEFAULT, OBJECT_SEQUENTIAL, OBJECT_RANDOM };
/* How it is read from now on, by whomever. */
void object_advise(struct object *object, enum object_advice advice);
enum object_advice object_advice(struct object *object);

/* Asked now and then by what takes long: false ends it (-EINTR). */
typedef bool object_go_on(void *ctx);
/* Starts bringing in what is on swap, as far as there is memory for it; of how
 * many pages. */
uint64_t object_willneed(struct object_store *store, struct object *object,
                         object_go_on *go_on, void *ctx);
/* Its resident pages, so many, are the next to go. */
uint64_t object_dontneed(struct object_store *store, struct object *object);
/* Its resident pages go, at once or when they have been written, which begins
 * now; how many it still found in memory.  -ENOSPC: there is no room on swap. */
int object_send_out(struct object_store *store, struct object *object,
                    object_go_on *go_on, void *ctx, uint64_t *found);
/* The same until they have gone: how many are left, being in use. */
int object_evict(struct object_store *store, struct object *object,
                 object_go_on *go_on, void *ctx, uint64_t *left);

/* --- figures ----------------------------------------------------------------- */

/* Pages by what their entry says; and those that have a block, resident or not.
 * Of these, two that follow each other in the file are a pair, and a break if
 * their blocks do not follow each other. */
struct object_usage {
    uint64_t resident, swapped, zero, lost;
    uint64_t blocks, pairs, breaks;
    uint64_t runs;      /* of contiguous blocks */
    uint64_t slots;     /* 64 for each 64 pages of which one is there */
    uint64_t map_bytes;
};
void object_usage(struct object_store *store, struct object *object,
                  struct object_usage *usage);
/* Calls visit for each run of pages that have blocks, resident or not: nr pages
 * from `index` on, in blocks from `block` on.  The object's lock is held: visit may
 * take locks of RANK_SWAP or later.  go_on is asked without it; true: that was all,
 * false: it was ended. */
typedef void object_block_visit(void *ctx, uint64_t index, uint32_t nr,
                                uint32_t block);
bool object_each_block(struct object_store *store, struct object *object,
                       object_block_visit *visit, object_go_on *go_on,
                       void *ctx);
/* Debug builds: pagemap against pages. */
void object_check(struct object_store *store, struct object *object);

#endif

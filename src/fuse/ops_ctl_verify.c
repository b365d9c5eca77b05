/* ops_ctl_verify.c - the control ABI: is every block owned once, and is what is
 * used what is charged?
 *
 * Looked at while the mount is in use:
 *
 *     blocks   An audit (audit.h) sees each block of swap come and go while a walk
 *              over all files claims those that pages have.  Owned twice, or
 *              owned and free, shows at once.
 *     leaks    A block in use that was not claimed may be that of a request that
 *              gives it up, or of I/O on a page that is gone.  When all requests
 *              and all I/O of that time have ended, what is left is nobody's.
 *     charges  With the requests shut out (gate.h) for as long as it takes to ask
 *              each file how many pages it has: the sum is what is charged, and
 *              likewise frames of metadata.  Whatever still runs then (pageout,
 *              other commands) changes neither for longer than an instant, or it
 *              is the end of a file that somebody was looking at: so what differs
 *              is counted again before it is believed.
 *
 * The audit's memory is the rest of the request's own buffer, a mebibyte, less in
 * small pools: nothing is asked of a pool that may be full.  That is bits for 16
 * GiB of swap; more is done window by window, a walk for each.
 */
#include "ops_ctl.h"

#include "clock.h"

#include <errno.h>

#define MS_NS ((uint64_t)1000000)
/* How long requests under way are waited for, with all others shut out: the first
 * time, and at last.  The mount goes on as long between two tries. */
#define PATIENCE_MIN_NS (10 * MS_NS)
#define PATIENCE_MAX_NS (5000 * MS_NS)
/* What differs is counted so often. */
enum { COUNTS = 20 };

struct verification {
    struct request *rq;
    struct swap *swap;
    struct pagerfs_verify *out;
    struct audit audit;
    uint64_t inode;    /* of the file being looked at */
    uint64_t pages;    /* of all files, so far */
    uint64_t shut_ns;  /* since when the gate is shut */
};

/* --- findings -------------------------------------------------------------- */

/* One that goes on with the last belongs to it. */
static bool joins(const struct pagerfs_finding *last,
                  const struct pagerfs_finding *next)
{
    return last->what == next->what && last->inode == next->inode &&
           last->block + last->nr == next->block &&
           (next->inode == 0 || last->page + last->nr == next->page);
}

static void found(struct verification *v, struct pagerfs_finding finding)
{
    struct pagerfs_verify *out = v->out;

    if (out->findings > 0 && out->findings <= PAGERFS_FINDINGS &&
        joins(&out->finding[out->findings - 1], &finding)) {
        out->finding[out->findings - 1].nr += finding.nr;
        return;
    }
    if (out->findings < PAGERFS_FINDINGS)
        out->finding[out->findings] = finding;
    out->findings++;
}

/* --- blocks ---------------------------------------------------------------- */

static bool verify_go_on(void *ctx)
{
    const struct verification *v = ctx;

    return !request_given_up(v->rq);
}

/* The window is the walker's to move: it may be looked at without the lock. */
static bool concerned(const struct audit *audit, uint32_t block, uint32_t nr)
{
    return audit->beyond || (block < audit->first + audit->nr &&
                             audit->first < block + nr);
}

static void claim(void *ctx, uint64_t index, uint32_t nr, uint32_t block)
{
    struct verification *v = ctx;

    if (!concerned(&v->audit, block, nr))
        return;
    v->out->blocks += v->audit.beyond ? nr : 0;
    while (nr > 0) {
        enum audit_verdict verdict;
        uint32_t n = swap_audit_claim(v->swap, block, nr, &verdict);

        index += n;
        block += n;
        nr -= n;
        if (verdict != AUDIT_WELL)
            found(v, (struct pagerfs_finding){
                         .what = verdict == AUDIT_TWICE ? PAGERFS_FOUND_TWICE
                                                        : PAGERFS_FOUND_FREE,
                         .inode = v->inode, .page = index - 1,
                         .block = block - 1, .nr = 1 });
    }
}

static bool claim_file(void *ctx, struct object *object)
{
    struct verification *v = ctx;

    v->out->files += v->audit.beyond;
    v->inode = tree_file_ino(object);
    return object_each_block(v->rq->session->store, object, claim, verify_go_on,
                             v);
}

static void look_for_leaks(struct verification *v)
{
    uint32_t at = v->audit.first, first, nr;

    while ((nr = swap_audit_unclaimed(v->swap, &at, &first)) > 0)
        found(v, (struct pagerfs_finding){ .what = PAGERFS_FOUND_LEAKED,
                                           .block = first, .nr = nr });
}

/* --- an instant ------------------------------------------------------------ */

static void open_again(struct verification *v)
{
    gate_open(&v->rq->session->gate);
    v->out->paused_ns += clock_monotonic_ns() - v->shut_ns;
}

/* Deleted files that were on their way out have gone. */
static int wait_for_the_dying(struct verification *v)
{
    while (tree_owed(v->rq->session->tree) == TREE_OWED_NOW) {
        if (request_given_up(v->rq))
            return -EINTR;
        clock_sleep_ns(MS_NS);
    }
    return 0;
}

/* All requests of before have ended, and none begins until open_again. */
static int shut_out(struct verification *v)
{
    struct gate *gate = &v->rq->session->gate;
    int err;

    for (uint64_t ns = PATIENCE_MIN_NS;; ns *= 2) {
        v->shut_ns = clock_monotonic_ns();
        if (gate_shut(gate, ns))
            break;
        v->out->paused_ns += ns;
        if (ns >= PATIENCE_MAX_NS)
            return -ETIMEDOUT;
        if (request_given_up(v->rq))
            return -EINTR;
        clock_sleep_ns(ns);
    }
    err = wait_for_the_dying(v);
    if (err)
        open_again(v);
    return err;
}

/* --- charges --------------------------------------------------------------- */

static bool count_file(void *ctx, struct object *object)
{
    struct verification *v = ctx;

    v->pages += object_pages(object);
    return true;
}

/* Counts what there is; true if that is what is charged. */
static bool count(struct verification *v)
{
    struct pagerfs_verify *out = v->out;
    struct session *session = v->rq->session;
    struct pool_stats pool;

    v->pages = 0;
    tree_each_file(session->tree, count_file, v);
    out->data_pages = v->pages;
    out->metadata_frames = arena_nr_metadata(session->arena);
    pool_stats(pool_of(v->rq), &pool);
    out->data_charged = pool.data;
    out->metadata_charged = pool.metadata;
    return out->data_charged == out->data_pages &&
           out->metadata_charged == out->metadata_frames;
}

static int compare_charges(struct verification *v)
{
    const struct pagerfs_verify *out = v->out;

    for (unsigned n = 0; n < COUNTS && !count(v); n++) {
        if (request_given_up(v->rq))
            return -EINTR;
        clock_sleep_ns(MS_NS);
    }
    if (out->data_charged != out->data_pages)
        found(v, (struct pagerfs_finding){ .what = PAGERFS_FOUND_DATA });
    if (out->metadata_charged != out->metadata_frames)
        found(v, (struct pagerfs_finding){ .what = PAGERFS_FOUND_METADATA });
    return 0;
}

/* --- all of it ------------------------------------------------------------- */

/* One window; the first time, all that is looked at once. */
static int pass(struct verification *v)
{
    int err;

    v->out->passes++;
    if (!tree_each_file(v->rq->session->tree, claim_file, v))
        return -EINTR;
    err = shut_out(v);
    if (err)
        return err;
    if (v->audit.beyond)
        err = compare_charges(v);
    open_again(v);
    if (!err)
        err = pool_io_wait_out(pool_of(v->rq), stop, v->rq);
    if (!err)
        look_for_leaks(v);
    return err;
}

static int all_passes(struct verification *v)
{
    uint32_t first = swap_audit_next(v->swap, 0);
    int err;

    v->audit.beyond = true;
    do {
        swap_audit_begin(v->swap, &v->audit, first == BLOCK_NONE ? 0 : first);
        err = pass(v);
        swap_audit_end(v->swap);
        v->audit.beyond = false;
        first = swap_audit_next(v->swap, v->audit.first + v->audit.nr);
    } while (!err && first != BLOCK_NONE);
    return err;
}

int ctl_verify(struct request *rq, uint64_t id, union argument *argument)
{
    struct pagerfs_verify *out = &argument->verify;
    struct verification v = { .rq = rq, .swap = pool_swap(pool_of(rq)),
                              .out = out };
    size_t room;
    void *memory = request_scratch(rq->session->requests, rq, &room);
    int err;

    (void)id;
    if (!is_zero(out->reserved, ARRAY_SIZE(out->reserved)))
        return -EINVAL;
    *out = (struct pagerfs_verify){ .head = out->head };
    audit_init(&v.audit, memory, room);
    err = all_passes(&v);
    /* What was found is told, whatever else could not be looked at. */
    return out->findings > 0 ? 0 : err;
}

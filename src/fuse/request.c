/* request.c - the buffers that requests are read into, and their reuse.
 *
 * One mapping holds them all.  Each starts so that the data of a WRITE lie on a
 * page boundary: copying whole pages to frames is then as fast as it can be.
 * Free ones are a stack, so a quiet mount touches the memory of one or two.
 *
 * The number of buffers is the number of threads that may be busy with one.  A
 * reader keeps its own until it hands it to a worker and takes another; if
 * there is none left, because all workers are busy or so many writers wait for one,
 * it does the work itself.
 *
 * A write that finds no space is not refused at once while deleted files wait
 * for the kernel's release and forget, which may be behind the write in its queue:
 * what was freed before the call must be there for it.
 */
#include "request.h"

#include "bits.h"
#include "caller.h"
#include "session.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

struct request_pool {
    struct mutex lock;
    struct list free;    /* (lock) */
    unsigned nr;
    uint32_t max_write;
    uint8_t *memory;     /* of all buffers */
    struct request requests[];
};

/* Times that a request is run again for space, 2 ms apart.  What comes back for
 * certain is worth half a minute, as a large file on a slow disk may take.  A file
 * that is open may have been closed before the call, but it may as well stay so. */
static const unsigned space_retries[] = {
    [TREE_OWED_NOTHING] = 0,
    [TREE_OWED_RELEASE] = 50,
    [TREE_OWED_FORGET] = 100,
    [TREE_OWED_NOW] = 15000,
};

static size_t stride(uint32_t max_write)
{
    return PAGE_SIZE + round_up(max_write, PAGE_SIZE);
}

int request_pool_create(struct request_pool **out, struct session *session,
                        unsigned nr, uint32_t max_write)
{
    size_t bytes = nr * stride(max_write);
    struct request_pool *pool;

    pool = calloc(1, sizeof(*pool) + nr * sizeof(pool->requests[0]));
    if (!pool)
        return -ENOMEM;
    pool->memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (pool->memory == MAP_FAILED) {
        free(pool);
        return -ENOMEM;
    }
    madvise(pool->memory, bytes, MADV_NOHUGEPAGE);
    pool->nr = nr;
    pool->max_write = max_write;
    list_init(&pool->free);
    for (unsigned i = 0; i < nr; i++) {
        struct request *rq = &pool->requests[i];

        rq->session = session;
        rq->data = pool->memory + i * stride(max_write) + PAGE_SIZE;
        rq->message = rq->data - REQUEST_HEAD;
        list_add_tail(&pool->free, &rq->link);
    }
    *out = pool;
    return 0;
}

void request_pool_destroy(struct request_pool *pool)
{
    munmap(pool->memory, pool->nr * stride(pool->max_write));
    free(pool);
}

struct request *request_get(struct request_pool *pool)
{
    struct request *rq = NULL;

    mutex_lock(&pool->lock, RANK_FUSE);
    if (!list_empty(&pool->free)) {
        rq = list_entry(pool->free.next, struct request, link);
        list_del(&rq->link);
    }
    mutex_unlock(&pool->lock);
    return rq;
}

void request_put(struct request_pool *pool, struct request *rq)
{
    mutex_lock(&pool->lock, RANK_FUSE);
    list_add_head(&pool->free, &rq->link);
    mutex_unlock(&pool->lock);
}

/* The buffer of `rq`, from its first page. */
static void cool(const struct request_pool *pool, const struct request *rq)
{
    madvise(rq->message + REQUEST_HEAD - PAGE_SIZE, stride(pool->max_write),
            MADV_DONTNEED);
}

/* A free buffer is taken only under the lock, so none is in use meanwhile. */
void request_pool_cool(struct request_pool *pool, struct request *own)
{
    cool(pool, own);
    mutex_lock(&pool->lock, RANK_FUSE);
    list_for_each_safe(pos, &pool->free)
        cool(pool, list_entry(pos, struct request, link));
    mutex_unlock(&pool->lock);
}

size_t request_room(const struct request_pool *pool)
{
    return REQUEST_HEAD + pool->max_write;
}

bool request_interrupt(struct request_pool *pool, uint64_t unique)
{
    for (unsigned i = 0; i < pool->nr; i++) {
        struct request *rq = &pool->requests[i];

        if (atomic_load_explicit(&rq->unique, memory_order_acquire) == unique) {
            /* It may have been answered, and be another's, by now: that one
             * stops early and its caller asks for the rest. */
            atomic_store_explicit(&rq->interrupted, true, memory_order_relaxed);
            return true;
        }
    }
    return false;
}

void *request_scratch(struct request_pool *pool, struct request *rq,
                      size_t *room)
{
    /* A message without names ends where the data would begin. */
    const uint8_t *end = rq->message + rq->bytes;
    size_t used = end > rq->data
                      ? round_up((size_t)(end - rq->data), PAGE_SIZE) : 0;

    *room = pool->max_write - used;
    return rq->data + used;
}

/* --- what handlers use --------------------------------------------------- */

bool request_again(struct request *rq, int error)
{
    if (error != -EAGAIN)
        return error == -ENOSPC && request_settle(rq, UINT_MAX);
    rq->again = REQUEST_WOULD_WAIT;
    reply_none(rq);
    return true;
}

bool request_given_up(const struct request *rq)
{
    return atomic_load_explicit(&rq->interrupted, memory_order_relaxed) ||
           atomic_load_explicit(&rq->session->stopping, memory_order_relaxed);
}

bool request_settle(struct request *rq, unsigned tries)
{
    unsigned most = space_retries[tree_owed(rq->session->tree)];

    if (rq->retries >= MIN(tries, most) || request_given_up(rq))
        return false;
    rq->again = REQUEST_NO_SPACE;
    reply_none(rq);
    return true;
}

void request_reads(struct request *rq)
{
    rq->again = REQUEST_READING;
    reply_none(rq);
}

static bool is_user(void *ctx, uid_t uid)
{
    struct request *rq = ctx;

    return caller_is((pid_t)request_header(rq)->pid, uid);
}

static bool is_member(void *ctx, gid_t gid)
{
    struct request *rq = ctx;
    pid_t thread = (pid_t)request_header(rq)->pid;

    return (request_header(rq)->gid == TREE_ID_UNKNOWN &&
            caller_leads(thread, gid)) || caller_joined(thread, gid);
}

struct tree_cred request_cred(struct request *rq, mode_t umask)
{
    const struct fuse_in_header *in = request_header(rq);

    return (struct tree_cred){ .uid = in->uid, .gid = in->gid, .umask = umask,
                               .is_user = is_user, .is_member = is_member,
                               .ctx = rq };
}

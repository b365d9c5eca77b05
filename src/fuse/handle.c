/* handle.c - from fh to handle and back.
 *
 * Handles are arena objects, charged like all metadata.  When none can be had
 * because the limits are reached, an open file is opened for each request anew.
 *
 * RELEASE makes a handle unfindable and gives up the kernel's use of it;
 * whoever gives up the last use closes it.
 */
#include "handle.h"

#include "arena.h"

#include <errno.h>

/* Of the sizes that the arena cuts frames into; the next is a third more. */
_Static_assert(sizeof(struct handle) <= 192, "a handle grew out of its slab");

static struct handle_bucket *bucket_of(struct session *session, uint64_t fh)
{
    return &session->handles[fh % HANDLE_BUCKETS];
}

/* NULL if the limits are reached. */
static int handle_new(struct session *session, enum handle_kind kind, bool wait,
                      struct handle **out)
{
    void *memory;
    int err;

    *out = NULL;
    while ((err = arena_alloc(session->arena, sizeof(**out), &memory)) ==
               -EAGAIN && wait)
        arena_wait(session->arena);
    if (err)
        return err == -EAGAIN ? err : 0;
    *out = memory;
    (*out)->kind = kind;
    (*out)->users = 1;
    (*out)->cached = false;
    return 0;
}

static void handle_free(struct session *session, struct handle *handle)
{
    if (handle)
        arena_free(session->arena, handle);
}

/* From here on it can be found.  Returns its number; 0 for NULL. */
static uint64_t handle_publish(struct session *session, struct handle *handle)
{
    struct handle_bucket *bucket;
    uint64_t fh;

    if (!handle)
        return 0;
    fh = atomic_fetch_add_explicit(&session->last_fh, 1, memory_order_relaxed) +
         1;
    handle->fh = fh;
    bucket = bucket_of(session, fh);
    mutex_lock(&bucket->lock, RANK_FUSE);
    handle->next = bucket->first;
    bucket->first = handle;
    mutex_unlock(&bucket->lock);
    return fh;
}

/* The link that leads to it, or to NULL.  Caller holds the bucket's lock.
 * file.id and scan.id are the same: both come first. */
static struct handle **find(struct handle_bucket *bucket, enum handle_kind kind,
                            uint64_t fh, uint64_t id) REQUIRES(bucket->lock)
{
    struct handle **link = &bucket->first;

    while (*link && ((*link)->fh != fh || (*link)->file.id != id ||
                     (*link)->kind != kind))
        link = &(*link)->next;
    return link;
}

static struct handle *handle_get(struct session *session, enum handle_kind kind,
                                 uint64_t fh, uint64_t id)
{
    struct handle_bucket *bucket = bucket_of(session, fh);
    struct handle *handle;

    mutex_lock(&bucket->lock, RANK_FUSE);
    handle = *find(bucket, kind, fh, id);
    if (handle)
        handle->users++;
    mutex_unlock(&bucket->lock);
    return handle;
}

static void handle_put(struct session *session, struct handle *handle)
{
    struct handle_bucket *bucket = bucket_of(session, handle->fh);
    bool last;

    mutex_lock(&bucket->lock, RANK_FUSE);
    last = --handle->users == 0;
    mutex_unlock(&bucket->lock);
    if (!last)
        return;
    if (handle->cached)
        writeback_leave(&session->writeback, &handle->writer);
    if (handle->kind == HANDLE_FILE)
        tree_release(session->tree, &handle->file);
    else
        tree_closedir(session->tree, &handle->scan);
    handle_free(session, handle);
}

void handle_close(struct session *session, enum handle_kind kind, uint64_t fh,
                  uint64_t id)
{
    struct handle_bucket *bucket = bucket_of(session, fh);
    struct handle **link, *handle;

    mutex_lock(&bucket->lock, RANK_FUSE);
    link = find(bucket, kind, fh, id);
    handle = *link;
    if (handle)
        *link = handle->next;
    mutex_unlock(&bucket->lock);
    if (handle)
        handle_put(session, handle);
}

void handle_free_all(struct session *session)
{
    for (unsigned i = 0; i < HANDLE_BUCKETS; i++) {
        struct handle *handle = session->handles[i].first;

        while (handle) {
            struct handle *next = handle->next;

            handle_free(session, handle);
            handle = next;
        }
        session->handles[i].first = NULL;
    }
}

/* --- files --------------------------------------------------------------- */

int handle_open_file(struct session *session, const struct tree_cred *killer,
                     uint64_t id, unsigned how, bool wait, uint64_t *fh)
{
    struct tree_file passing;
    struct handle *handle;
    int err;

    err = handle_new(session, HANDLE_FILE, wait, &handle);
    if (err)
        return err;
    err = tree_open(session->tree, killer, id, how, wait,
                    handle ? &handle->file : &passing);
    if (err) {
        handle_free(session, handle);
        return err;
    }
    *fh = handle_publish(session, handle);
    if (!handle)
        tree_release(session->tree, &passing);
    return 0;
}

bool handle_join(struct session *session, uint64_t fh, uint64_t id)
{
    struct handle *handle = handle_get(session, HANDLE_FILE, fh, id);
    bool cached;

    if (!handle)
        return false;
    cached = handle->cached =
        writeback_join(&session->writeback, &handle->writer, id);
    handle_put(session, handle);
    return cached;
}

bool handle_is_cached(struct session *session, uint64_t fh, uint64_t id)
{
    struct handle *handle = handle_get(session, HANDLE_FILE, fh, id);
    bool cached;

    if (!handle)
        return false;
    cached = handle->cached;
    handle_put(session, handle);
    return cached;
}

int handle_borrow_file(struct session *session, uint64_t fh, uint64_t id,
                       struct borrowed *borrowed, struct tree_file **file)
{
    borrowed->handle = handle_get(session, HANDLE_FILE, fh, id);
    if (!borrowed->handle) {
        *file = &borrowed->file;
        return tree_open(session->tree, NULL, id, 0, true, &borrowed->file);
    }
    *file = &borrowed->handle->file;
    return 0;
}

void handle_return_file(struct session *session, struct borrowed *borrowed)
{
    if (borrowed->handle)
        handle_put(session, borrowed->handle);
    else
        tree_release(session->tree, &borrowed->file);
}

/* --- directories --------------------------------------------------------- */

int handle_open_scan(struct session *session, uint64_t id, bool wait,
                     uint64_t *fh)
{
    struct tree_scan passing;
    struct handle *handle;
    int err;

    err = handle_new(session, HANDLE_SCAN, wait, &handle);
    if (err)
        return err;
    err = tree_opendir(session->tree, id, handle ? &handle->scan : &passing);
    if (err) {
        handle_free(session, handle);
        return err;
    }
    *fh = handle_publish(session, handle);
    if (!handle)
        tree_closedir(session->tree, &passing);
    return 0;
}

struct tree_scan *handle_borrow_scan(struct session *session, uint64_t fh,
                                     uint64_t id, struct borrowed *borrowed)
{
    borrowed->handle = handle_get(session, HANDLE_SCAN, fh, id);
    if (borrowed->handle)
        return &borrowed->handle->scan;
    borrowed->scan = (struct tree_scan){ .id = id, .end = UINT64_MAX };
    return &borrowed->scan;
}

void handle_return_scan(struct session *session, struct borrowed *borrowed)
{
    if (borrowed->handle)
        handle_put(session, borrowed->handle);
}

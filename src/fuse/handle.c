/* handle.c - from fh to handle and back.
 *
 * Handles are arena objects, charged like all metadata.  When none can be had
 * because the limits are reached, an open file is opened for each request anew.
 */
#include "handle.h"

#include "arena.h"

#include <errno.h>

/* NULL if the limits are reached. */
static int handle_new(struct session *session, bool wait, struct handle **out)
{
    struct handle *handle;
    void *memory;
    int err;

    *out = NULL;
    while ((err = arena_alloc(session->arena, sizeof(*handle), &memory)) ==
               -EAGAIN && wait)
        arena_wait(session->arena);
    if (err)
        return err == -EAGAIN ? err : 0;
    handle = memory;
    atomic_store(&handle->users, 1);
    do {
        handle->cookie = atomic_fetch_add_explicit(&session->cookie, 1,
                                                   memory_order_relaxed);
    } while (handle->cookie == 0);
    mutex_lock(&session->handles_lock, RANK_FUSE);
    list_add_tail(&session->handles, &handle->link);
    mutex_unlock(&session->handles_lock);
    *out = handle;
    return 0;
}

static void handle_free(struct session *session, struct handle *handle)
{
    handle->cookie = 0;
    mutex_lock(&session->handles_lock, RANK_FUSE);
    list_del(&handle->link);
    mutex_unlock(&session->handles_lock);
    arena_free(session->arena, handle);
}

void handle_free_all(struct session *session)
{
    while (!list_empty(&session->handles))
        handle_free(session,
                    list_entry(session->handles.next, struct handle, link));
}

static uint64_t fh_of(struct session *session, const struct handle *handle)
{
    return (uint64_t)handle->cookie << 32 |
           arena_handle(session->arena, handle);
}

/* file.id and scan.id are the same: both come first. */
static struct handle *find(struct session *session, uint64_t fh, uint64_t id)
{
    struct arena *arena = session->arena;
    uint64_t offset = (uint64_t)(uint32_t)fh << HANDLE_SHIFT;
    struct handle *handle;

    if (offset < PAGE_SIZE ||
        offset + sizeof(*handle) > (uint64_t)arena->nr_frames << PAGE_SHIFT)
        return NULL;
    handle = arena_ptr(arena, (uint32_t)fh);
    return handle->cookie != 0 && handle->cookie == fh >> 32 &&
           handle->file.id == id ? handle : NULL;
}

/* --- files --------------------------------------------------------------- */

int handle_open_file(struct session *session, const struct tree_cred *killer,
                     uint64_t id, unsigned how, bool wait, uint64_t *fh)
{
    struct tree_file passing;
    struct handle *handle;
    int err;

    err = handle_new(session, wait, &handle);
    if (err)
        return err;
    err = tree_open(session->tree, killer, id, how, wait,
                    handle ? &handle->file : &passing);
    if (err && handle)
        handle_free(session, handle);
    if (err)
        return err;
    *fh = handle ? fh_of(session, handle) : 0;
    if (!handle)
        tree_release(session->tree, &passing);
    return 0;
}

static void drop(struct session *session, struct handle *handle)
{
    if (atomic_fetch_sub(&handle->users, 1) > 1)
        return;
    tree_release(session->tree, &handle->file);
    handle_free(session, handle);
}

void handle_close_file(struct session *session, uint64_t fh, uint64_t id)
{
    struct handle *handle = find(session, fh, id);

    if (handle)
        drop(session, handle);
}

int handle_borrow(struct session *session, uint64_t fh, uint64_t id,
                  struct borrowed *borrowed, struct tree_file **file)
{
    borrowed->handle = find(session, fh, id);
    if (!borrowed->handle) {
        *file = &borrowed->passing;
        return tree_open(session->tree, NULL, id, 0, true,
                         &borrowed->passing);
    }
    atomic_fetch_add(&borrowed->handle->users, 1);
    *file = &borrowed->handle->file;
    return 0;
}

void handle_return(struct session *session, struct borrowed *borrowed)
{
    if (borrowed->handle)
        drop(session, borrowed->handle);
    else
        tree_release(session->tree, &borrowed->passing);
}

/* --- directories --------------------------------------------------------- */

int handle_open_scan(struct session *session, uint64_t id, bool wait,
                     uint64_t *fh)
{
    struct tree_scan passing;
    struct handle *handle;
    int err;

    err = handle_new(session, wait, &handle);
    if (err)
        return err;
    err = tree_opendir(session->tree, id, handle ? &handle->scan : &passing);
    if (err && handle)
        handle_free(session, handle);
    if (err)
        return err;
    *fh = handle ? fh_of(session, handle) : 0;
    if (!handle)
        tree_closedir(session->tree, &passing);
    return 0;
}

void handle_close_scan(struct session *session, uint64_t fh, uint64_t id)
{
    struct handle *handle = find(session, fh, id);

    if (!handle)
        return;
    tree_closedir(session->tree, &handle->scan);
    handle_free(session, handle);
}

struct tree_scan *handle_scan(struct session *session, uint64_t fh, uint64_t id,
                              struct tree_scan *passing)
{
    struct handle *handle = find(session, fh, id);

    if (handle)
        return &handle->scan;
    *passing = (struct tree_scan){ .id = id, .end = UINT64_MAX };
    return passing;
}

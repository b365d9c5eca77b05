/* handle.c - from fh to handle and back. */
#include "handle.h"

#include "arena.h"

#include <errno.h>

int handle_new(struct session *session, bool wait, struct handle **out)
{
    struct handle *handle;
    void *memory;
    int err;

    while ((err = arena_alloc(session->arena, sizeof(*handle), &memory)) ==
               -EAGAIN &&
           wait)
        arena_wait(session->arena);
    if (err == -EAGAIN)
        return err;
    *out = NULL;
    if (err)
        return 0;
    handle = memory;
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

void handle_free(struct session *session, struct handle *handle)
{
    if (!handle)
        return;
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

uint64_t handle_fh(struct session *session, const struct handle *handle)
{
    if (!handle)
        return 0;
    return (uint64_t)handle->cookie << 32 |
           arena_handle(session->arena, handle);
}

static struct handle *find(struct session *session, uint64_t fh)
{
    struct arena *arena = session->arena;
    uint64_t offset = (uint64_t)(uint32_t)fh << HANDLE_SHIFT;
    struct handle *handle;

    if (fh == 0 || offset < PAGE_SIZE ||
        offset + sizeof(*handle) > (uint64_t)arena->nr_frames << PAGE_SHIFT)
        return NULL;
    handle = arena_ptr(arena, (uint32_t)fh);
    return handle->cookie == fh >> 32 && handle->cookie != 0 ? handle : NULL;
}

struct handle *handle_of_file(struct session *session, uint64_t fh, uint64_t id)
{
    struct handle *handle = find(session, fh);

    return handle && handle->file.id == id ? handle : NULL;
}

struct handle *handle_of_scan(struct session *session, uint64_t fh, uint64_t id)
{
    struct handle *handle = find(session, fh);

    return handle && handle->scan.id == id ? handle : NULL;
}

struct tree_file *handle_file(struct session *session, uint64_t fh, uint64_t id,
                              struct tree_file *passing)
{
    struct handle *handle = handle_of_file(session, fh, id);

    if (handle)
        return &handle->file;
    *passing = (struct tree_file){ .id = id };
    return passing;
}

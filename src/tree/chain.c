/* chain.c - where extended attributes are kept: records and chunks.
 *
 *     node -> record -> record -> ...
 *              | name, value's first bytes
 *              v
 *             chunk -> chunk -> ...      the rest of a long value
 *
 * A record is an arena object just as large as it must be, up to a frame; an
 * attribute of usual size is one object.  Values of 64 KiB are 16 frames.  A
 * new value is a new record, made with no lock held and put in the place of the
 * old one in one step, so that readers see the one or the other.
 *
 * Three attributes mean something to the tree itself and are asked for often: a
 * flag in the node says whether they are there.
 */
#include "xattr.h"

#include "log.h"

#include <string.h>

struct chunk {
    uint32_t more;
    uint8_t bytes[];
};

#define RECORD_HEAD offsetof(struct xattr, name)
#define CHUNK_ROOM (PAGE_SIZE - offsetof(struct chunk, bytes))

static struct chunk *chunk_at(const struct tree *tree, uint32_t handle)
{
    return arena_ptr(tree->arena, handle);
}

/* Where in the record the value begins, and how much of it may be there. */
static uint8_t *value_head(struct xattr *xattr, size_t *room)
{
    size_t name = strlen(xattr->name) + 1;

    *room = PAGE_SIZE - RECORD_HEAD - name;
    return (uint8_t *)xattr->name + name;
}

/* Chunks for `bytes` bytes, linked behind the record. */
static int chunks_add(struct tree *tree, struct xattr *xattr, size_t bytes)
{
    while (bytes) {
        size_t part = (bytes - 1) % CHUNK_ROOM + 1;
        struct chunk *chunk;
        void *ptr;
        int err = arena_alloc(tree->arena,
                              offsetof(struct chunk, bytes) + part, &ptr);

        if (err)
            return err;
        chunk = ptr;
        chunk->more = xattr->more;
        xattr->more = handle_of(tree, chunk);
        bytes -= part;
    }
    return 0;
}

int xattr_make(struct tree *tree, const char *name, const void *value,
               size_t size, struct xattr **out)
{
    size_t room = PAGE_SIZE - RECORD_HEAD - strlen(name) - 1;
    size_t head = MIN(size, room);
    struct xattr *xattr;
    void *ptr;
    int err = arena_alloc(tree->arena, PAGE_SIZE - room + head, &ptr);

    if (err)
        return err;
    xattr = ptr;
    strcpy(xattr->name, name);
    xattr->size = (uint32_t)size;
    err = chunks_add(tree, xattr, size - head);
    if (err)
        goto free_xattr;
    if (size)
        xattr_put(tree, xattr, value);
    *out = xattr;
    return 0;

free_xattr:
    xattr_free(tree, xattr);
    return err;
}

/* The parts of the value one after the other: *at bytes were before. */
struct part {
    uint8_t *bytes;
    size_t size;
    size_t at;
    uint32_t more;
};

static struct part part_first(struct xattr *xattr)
{
    struct part part = { .more = xattr->more };

    part.bytes = value_head(xattr, &part.size);
    part.size = MIN(part.size, xattr->size);
    return part;
}

static bool part_next(const struct tree *tree, const struct xattr *xattr,
                      struct part *part)
{
    struct chunk *chunk = chunk_at(tree, part->more);

    part->at += part->size;
    if (part->at == xattr->size)
        return false;
    INVARIANT("xattr", chunk);
    part->bytes = chunk->bytes;
    part->size = MIN(CHUNK_ROOM, xattr->size - part->at);
    part->more = chunk->more;
    return true;
}

void xattr_get(const struct tree *tree, struct xattr *xattr, void *value)
{
    struct part part = part_first(xattr);

    do
        memcpy((uint8_t *)value + part.at, part.bytes, part.size);
    while (part_next(tree, xattr, &part));
}

void xattr_put(const struct tree *tree, struct xattr *xattr, const void *value)
{
    struct part part = part_first(xattr);

    do
        memcpy(part.bytes, (const uint8_t *)value + part.at, part.size);
    while (part_next(tree, xattr, &part));
}

unsigned xattr_flag(const char *name)
{
    if (strcmp(name, XATTR_ACL_ACCESS) == 0)
        return NODE_ACL_ACCESS;
    if (strcmp(name, XATTR_ACL_DEFAULT) == 0)
        return NODE_ACL_DEFAULT;
    return strcmp(name, XATTR_CAPABILITY) == 0 ? NODE_CAPABILITY : 0;
}

struct xattr *xattr_find(const struct tree *tree, const struct node *node,
                         const char *name)
{
    struct xattr *xattr = arena_ptr(tree->arena, node->xattr);

    while (xattr && strcmp(xattr->name, name) != 0)
        xattr = arena_ptr(tree->arena, xattr->next);
    return xattr;
}

void xattr_add(struct tree *tree, struct node *node, struct xattr *xattr)
{
    xattr->next = node->xattr;
    node->xattr = handle_of(tree, xattr);
    node->flags |= (uint8_t)xattr_flag(xattr->name);
}

struct xattr *xattr_take(struct tree *tree, struct node *node, const char *name)
{
    struct xattr *xattr = xattr_find(tree, node, name);
    uint32_t *link = &node->xattr, h = handle_of(tree, xattr);

    if (!xattr)
        return NULL;
    while (*link != h)
        link = &((struct xattr *)arena_ptr(tree->arena, *link))->next;
    *link = xattr->next;
    xattr->next = HANDLE_NONE;
    node->flags &= (uint8_t)~xattr_flag(name);
    return xattr;
}

void xattr_free(struct tree *tree, struct xattr *xattr)
{
    while (xattr) {
        struct xattr *next = arena_ptr(tree->arena, xattr->next);
        struct chunk *chunk = chunk_at(tree, xattr->more);

        while (chunk) {
            struct chunk *more = chunk_at(tree, chunk->more);

            arena_free(tree->arena, chunk);
            chunk = more;
        }
        arena_free(tree->arena, xattr);
        xattr = next;
    }
}

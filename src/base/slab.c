/* slab.c - small objects of a few sizes, cut from frames of the arena.
 *
 * A SLAB frame holds objects of one class.  Its header is its entry in the
 * frame table, so the frame itself is all objects:
 *
 *     used        objects handed out; at 0 the frame becomes FREE at once
 *     free_head   chain of objects given back, linked through their first bytes
 *     fresh       objects from here to the end were never handed out
 *     live        one bit an object: what arena_handle_is_node asks
 *
 * Frames with room are on the partial list of their class; allocation takes
 * from its head, and a frame that gets room again goes to the head, so that
 * frames fill up and others empty.  Objects above 2048 bytes take a RAW frame.
 *
 * A frame that metadata needs is charged first (ops->charge), with the lock
 * dropped.  What has been charged for a class is its frames and its frames
 * *owed*: these are not taken from the free ones until an object needs one.  An
 * ordinary allocation that finds all of that spoken for, by objects or by
 * promises (A6), charges another frame; a promise never has to.  Charges that
 * neither objects nor promises need are given back at once (surplus).
 */
#include "arena.h"

#include "arena_internal.h"

#include "log.h"

#include <errno.h>
#include <string.h>

static const uint16_t class_size[NR_SLAB_CLASSES] = {
    [SLAB_32] = 32,     [SLAB_64] = 64,     [SLAB_96] = 96,
    [SLAB_128] = 128,   [SLAB_192] = 192,   [SLAB_256] = 256,
    [SLAB_320] = 320,   [SLAB_512] = 512,   [SLAB_1024] = 1024,
    [SLAB_2048] = 2048, [SLAB_NODE] = SLAB_NODE_SIZE,
};

static uint32_t capacity(enum slab_class c)
{
    return PAGE_SIZE / class_size[c];
}

static enum frame_kind kind_of(enum slab_class c)
{
    return c == SLAB_NODE ? FRAME_NODES : FRAME_SLAB;
}

static bool class_of(size_t bytes, enum slab_class *c)
{
    for (unsigned i = 0; i < SLAB_NODE; i++) {
        if (bytes <= class_size[i]) {
            *c = (enum slab_class)i;
            return true;
        }
    }
    return false;
}

size_t arena_object_size(size_t bytes)
{
    enum slab_class c;

    return class_of(bytes, &c) ? class_size[c] : PAGE_SIZE;
}

/* Caller holds arena->lock. */
static void partial_add(struct arena *arena, uint32_t frame)
    REQUIRES(arena->lock)
{
    struct frame *h = &arena->table[frame];
    uint32_t *head = &arena->partial[h->slab_class];

    h->prev = FRAME_NONE;
    h->next = *head;
    if (*head != FRAME_NONE)
        arena->table[*head].prev = frame;
    *head = frame;
}

/* Caller holds arena->lock. */
static void partial_del(struct arena *arena, uint32_t frame)
    REQUIRES(arena->lock)
{
    struct frame *h = &arena->table[frame];

    if (h->prev != FRAME_NONE)
        arena->table[h->prev].next = h->next;
    else
        arena->partial[h->slab_class] = h->next;
    if (h->next != FRAME_NONE)
        arena->table[h->next].prev = h->prev;
}

/* One object out of a frame that has room.  Caller holds arena->lock. */
static void *object_take(struct arena *arena, uint32_t frame)
    REQUIRES(arena->lock)
{
    struct frame *h = &arena->table[frame];
    enum slab_class c = (enum slab_class)h->slab_class;
    uint8_t *base = arena_frame_ptr(arena, frame);
    uint32_t i;

    if (h->free_head != 0) {
        i = h->free_head - 1u;
        memcpy(&h->free_head, base + i * class_size[c], sizeof(h->free_head));
    } else {
        i = h->fresh++;
    }
    INVARIANT("A1", i < capacity(c));
    h->live[i / 32] |= 1u << (i % 32);
    h->used++;
    arena->nr_objects[c]++;
    if (h->used == capacity(c))
        partial_del(arena, frame);
    return base + i * class_size[c];
}

static int charge(struct arena *arena)
{
    return arena->ops ? arena->ops->charge(arena->ops_ctx) : 0;
}

static void uncharge(struct arena *arena)
{
    if (arena->ops)
        arena->ops->uncharge(arena->ops_ctx);
}

static int raw_alloc(struct arena *arena, void **out)
{
    bool low = false;
    uint32_t frame;
    int err = charge(arena);

    if (err)
        return err;
    mutex_lock(&arena->lock, RANK_ARENA);
    frame = arena_take(arena, arena->reserve, FRAME_RAW, &low);
    if (frame != FRAME_NONE)
        arena->nr_raw_frames++;
    mutex_unlock(&arena->lock);
    arena_tell_low(arena, low || frame == FRAME_NONE);
    if (frame == FRAME_NONE) {
        uncharge(arena);
        return -EAGAIN;
    }
    *out = arena_frame_ptr(arena, frame);
    memset(*out, 0, PAGE_SIZE);
    return 0;
}

/* What the charges of a class can hold beyond its objects and promises. */
static uint64_t spare(const struct arena *arena, enum slab_class c)
    REQUIRES(arena->lock)
{
    uint64_t frames = (uint64_t)arena->nr_class_frames[c] +
                      arena->nr_owed_frames[c];

    return frames * capacity(c) - arena->nr_objects[c] - arena->nr_owed[c];
}

/* Takes back the frames owed that nothing needs; the caller uncharges so many
 * once it has dropped the lock. */
static uint32_t surplus(struct arena *arena, enum slab_class c)
    REQUIRES(arena->lock)
{
    uint64_t frames = MIN(spare(arena, c) / capacity(c),
                          (uint64_t)arena->nr_owed_frames[c]);

    arena->nr_owed_frames[c] -= (uint32_t)frames;
    return (uint32_t)frames;
}

static void uncharge_frames(struct arena *arena, uint32_t nr)
{
    while (nr-- > 0)
        uncharge(arena);
}

/* An object from a frame with room, else from a frame owed; NULL if neither
 * can be had at this moment.  An object that was owed may take the last frame:
 * whoever waits for it may have others of the reserve in hand. */
static void *class_take(struct arena *arena, enum slab_class c, bool owed,
                        bool *low)
    REQUIRES(arena->lock)
{
    uint32_t frame = arena->partial[c];

    if (frame == FRAME_NONE && arena->nr_owed_frames[c] > 0) {
        frame = arena_take(arena, owed ? 0 : arena->reserve, kind_of(c), low);
        *low |= frame == FRAME_NONE;
        if (frame != FRAME_NONE) {
            arena->table[frame].slab_class = (uint8_t)c;
            arena->nr_owed_frames[c]--;
            arena->nr_class_frames[c]++;
            arena->nr_slab_frames++;
            partial_add(arena, frame);
        }
    }
    return frame == FRAME_NONE ? NULL : object_take(arena, frame);
}

/* A new frame and its first object are taken in the same breath: a frame left
 * empty would never be given back. */
static int class_alloc(struct arena *arena, enum slab_class c, bool owed,
                       void **out)
{
    uint32_t unneeded;
    bool low = false;
    int err;

    mutex_lock(&arena->lock, RANK_ARENA);
    while (!owed && spare(arena, c) == 0) {
        mutex_unlock(&arena->lock);
        err = charge(arena);
        if (err)
            return err;
        mutex_lock(&arena->lock, RANK_ARENA);
        arena->nr_owed_frames[c]++;
    }
    INVARIANT("A6", !owed || arena->nr_owed[c] > 0);
    *out = class_take(arena, c, owed, &low);
    if (*out && owed)
        arena->nr_owed[c]--;
    unneeded = surplus(arena, c);
    mutex_unlock(&arena->lock);
    arena_tell_low(arena, low);
    uncharge_frames(arena, unneeded);
    if (!*out)
        return -EAGAIN;
    memset(*out, 0, class_size[c]);
    return 0;
}

int arena_alloc(struct arena *arena, size_t bytes, void **out)
{
    enum slab_class c;

    if (bytes == 0 || bytes > PAGE_SIZE)
        return -EINVAL;
    return class_of(bytes, &c) ? class_alloc(arena, c, false, out)
                               : raw_alloc(arena, out);
}

int arena_alloc_node(struct arena *arena, void **out)
{
    return class_alloc(arena, SLAB_NODE, false, out);
}

/* A frame left empty becomes FREE, its charge a frame owed.  Caller holds
 * arena->lock. */
static void object_give(struct arena *arena, uint32_t frame, void *ptr)
    REQUIRES(arena->lock)
{
    struct frame *h = &arena->table[frame];
    enum slab_class c = (enum slab_class)h->slab_class;
    size_t offset = (size_t)((uint8_t *)ptr -
                             (uint8_t *)arena_frame_ptr(arena, frame));
    uint32_t i = (uint32_t)(offset / class_size[c]);

    INVARIANT("A1", offset % class_size[c] == 0);
    INVARIANT("A1", h->live[i / 32] & (1u << (i % 32)));
#ifdef PAGERFS_DEBUG
    memset(ptr, 0xdb, class_size[c]);
#endif
    h->live[i / 32] &= ~(1u << (i % 32));
    memcpy(ptr, &h->free_head, sizeof(h->free_head));
    h->free_head = (uint16_t)(i + 1);
    arena->nr_objects[c]--;
    if (h->used-- == capacity(c))
        partial_add(arena, frame);
    if (h->used != 0)
        return;
    partial_del(arena, frame);
    arena->nr_slab_frames--;
    arena->nr_class_frames[c]--;
    arena->nr_owed_frames[c]++;
    arena_give(arena, frame);
}

/* Returns how many frames to uncharge. */
static uint32_t slab_free(struct arena *arena, uint32_t frame, void *ptr,
                          bool owe) REQUIRES(arena->lock)
{
    enum slab_class c = (enum slab_class)arena->table[frame].slab_class;

    INVARIANT("A1", arena->table[frame].kind == kind_of(c));
    object_give(arena, frame, ptr);
    arena->nr_owed[c] += owe;
    return surplus(arena, c);
}

void arena_free(struct arena *arena, void *ptr)
{
    uint32_t frame, unneeded = 1;

    if (!ptr)
        return;
    frame = arena_frame_of(arena, ptr);
    INVARIANT("A1", frame > FRAME_ZERO && frame < arena->nr_frames);
    mutex_lock(&arena->lock, RANK_ARENA);
    if (arena->table[frame].kind == FRAME_RAW) {
        arena->nr_raw_frames--;
        arena_give(arena, frame);
    } else {
        unneeded = slab_free(arena, frame, ptr, false);
    }
    mutex_unlock(&arena->lock);
    uncharge_frames(arena, unneeded);
}

/* --- memory owed ------------------------------------------------------------- */

static enum slab_class owed_class(size_t bytes)
{
    enum slab_class c = SLAB_2048;
    bool found = class_of(bytes, &c);

    INVARIANT("A6", found);
    (void)found;
    return c;
}

void arena_free_owed(struct arena *arena, void *ptr)
{
    uint32_t unneeded;

    mutex_lock(&arena->lock, RANK_ARENA);
    unneeded = slab_free(arena, arena_frame_of(arena, ptr), ptr, true);
    mutex_unlock(&arena->lock);
    uncharge_frames(arena, unneeded);
}

int arena_alloc_owed(struct arena *arena, size_t bytes, void **out)
{
    return class_alloc(arena, owed_class(bytes), true, out);
}

/* Charges are kept aside until there are enough: others may use up what is
 * spare, and would give back what seems to be surplus, while the lock is
 * dropped. */
int arena_owe(struct arena *arena, size_t bytes, uint32_t nr)
{
    enum slab_class c = owed_class(bytes);
    uint32_t aside = 0, unneeded;
    int err = 0;

    mutex_lock(&arena->lock, RANK_ARENA);
    while (!err &&
           spare(arena, c) + (uint64_t)aside * capacity(c) < nr) {
        mutex_unlock(&arena->lock);
        err = charge(arena);
        mutex_lock(&arena->lock, RANK_ARENA);
        aside += !err;
    }
    arena->nr_owed_frames[c] += aside;
    if (!err)
        arena->nr_owed[c] += nr;
    unneeded = surplus(arena, c);
    mutex_unlock(&arena->lock);
    uncharge_frames(arena, unneeded);
    return err;
}

void arena_forgive(struct arena *arena, size_t bytes, uint32_t nr)
{
    enum slab_class c = owed_class(bytes);
    uint32_t unneeded;

    mutex_lock(&arena->lock, RANK_ARENA);
    INVARIANT("A6", arena->nr_owed[c] >= nr);
    arena->nr_owed[c] -= nr;
    unneeded = surplus(arena, c);
    mutex_unlock(&arena->lock);
    uncharge_frames(arena, unneeded);
}

static uint8_t kind_now(const struct frame *entry)
{
    return atomic_load_explicit(&entry->kind, memory_order_relaxed);
}

/* Frames become NODES, or cease to be, with the allocation or the free of a node;
 * so do the bits of `live` of such a frame.  The caller keeps these still, and with
 * that all that is read here of NODES; of other frames, only the kind is read. */
bool arena_handle_is_node(struct arena *arena, uint32_t handle)
{
    size_t offset = (size_t)handle << HANDLE_SHIFT;
    uint32_t frame = (uint32_t)(offset >> PAGE_SHIFT);
    uint32_t within = (uint32_t)(offset & PAGE_MASK);
    uint32_t i = within / SLAB_NODE_SIZE;

    return within % SLAB_NODE_SIZE == 0 &&
           frame < atomic_load_explicit(&arena->fresh, memory_order_relaxed) &&
           kind_now(&arena->table[frame]) == FRAME_NODES &&
           arena->table[frame].live[i / 32] & (1u << (i % 32));
}

uint32_t arena_node_next(struct arena *arena, uint32_t handle)
{
    size_t offset = (size_t)handle << HANDLE_SHIFT;
    uint32_t frame = MAX((uint32_t)(offset >> PAGE_SHIFT), 1u);
    uint32_t i = handle == HANDLE_NONE
                     ? 0
                     : (uint32_t)(offset & PAGE_MASK) / SLAB_NODE_SIZE + 1;
    uint32_t found = HANDLE_NONE;

    mutex_lock(&arena->lock, RANK_ARENA);
    for (; frame < arena->fresh && found == HANDLE_NONE; frame++, i = 0) {
        const struct frame *h = &arena->table[frame];

        if (kind_now(h) != FRAME_NODES)
            continue;
        while (i < capacity(SLAB_NODE) && !(h->live[i / 32] & 1u << (i % 32)))
            i++;
        if (i < capacity(SLAB_NODE))
            found = arena_handle(arena, (uint8_t *)arena_frame_ptr(arena, frame) +
                                            i * SLAB_NODE_SIZE);
    }
    mutex_unlock(&arena->lock);
    return found;
}

uint64_t arena_nr_metadata(struct arena *arena)
{
    uint64_t nr;

    mutex_lock(&arena->lock, RANK_ARENA);
    nr = (uint64_t)arena->nr_slab_frames + arena->nr_raw_frames;
    for (unsigned c = 0; c < NR_SLAB_CLASSES; c++)
        nr += arena->nr_owed_frames[c];
    mutex_unlock(&arena->lock);
    return nr;
}

#ifdef PAGERFS_DEBUG
void slab_check(struct arena *arena)
{
    uint32_t frames = 0;

    for (unsigned c = 0; c < NR_SLAB_CLASSES; c++) {
        for (uint32_t f = arena->partial[c]; f != FRAME_NONE;
             f = arena->table[f].next) {
            const struct frame *h = &arena->table[f];
            unsigned live = 0;

            for (unsigned i = 0; i < ARRAY_SIZE(h->live); i++)
                live += (unsigned)__builtin_popcount(h->live[i]);
            INVARIANT("A1", h->kind == kind_of((enum slab_class)c) &&
                                h->slab_class == c);
            INVARIANT("A1", live == h->used && h->used < capacity(c));
        }
        frames += arena->nr_class_frames[c];
        INVARIANT("A6", arena->nr_objects[c] + arena->nr_owed[c] <=
                            ((uint64_t)arena->nr_class_frames[c] +
                             arena->nr_owed_frames[c]) * capacity((enum slab_class)c));
    }
    INVARIANT("A1", frames == arena->nr_slab_frames);
}
#endif

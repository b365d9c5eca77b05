/* arena.c - the frames of a mount: who has which, and how many are left.
 *
 * The address range is reserved without memory behind it; a frame costs memory
 * when it is first touched.  `fresh` frames were never touched and are on no
 * list, so a mount with a large budget that holds little stays small: frames
 * given back (last in, first out) are used again before those whose memory has
 * been given back to the kernel (arena_trim), and those before fresh ones.
 *
 * The range may have more frames than the budget (arena_size.c).  Those behind
 * nr_mapped cannot be touched, so that the kernel counts no memory for them.
 *
 * The arena knows nothing of budgets beyond its own number of frames.  Frames
 * for metadata are charged through the ops; frames for file data were charged
 * by the pool, which asks with a floor: how many must stay free.
 *
 * slab.c cuts SLAB frames into objects.  What may wait, and for what, is the
 * business of the room behind the ops.
 */
#include "arena.h"

#include "arena_copy.h"
#include "arena_internal.h"

#include "log.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { MIN_FRAMES = 64, TRIM_AT_ONCE = 64 };

/* Addresses for `most` bytes, of which the first `bytes` can be used. */
static void *reserve(size_t bytes, size_t most)
{
    void *range = mmap(NULL, most, PROT_NONE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    if (range == MAP_FAILED)
        return NULL;
    if (mprotect(range, bytes, PROT_READ | PROT_WRITE) == 0)
        return range;
    munmap(range, most);
    return NULL;
}

static size_t touched_bytes(uint64_t frames)
{
    return (size_t)round_up(frames, 64) / 8;
}

static int map(struct arena *arena, uint64_t frames, uint64_t most)
{
    arena->base = reserve((size_t)frames << PAGE_SHIFT,
                          (size_t)most << PAGE_SHIFT);
    if (!arena->base)
        return -ENOMEM;
    arena->table = reserve((size_t)frames * sizeof(struct frame),
                           (size_t)most * sizeof(struct frame));
    if (!arena->table)
        goto unmap_frames;
    arena->touched = reserve(touched_bytes(most), touched_bytes(most));
    if (!arena->touched)
        goto unmap_table;
    arena->nr_mapped = (uint32_t)frames;
    arena->nr_frames = (uint32_t)most;
    return 0;

unmap_table:
    munmap(arena->table, (size_t)most * sizeof(struct frame));
unmap_frames:
    munmap(arena->base, (size_t)most << PAGE_SHIFT);
    return -ENOMEM;
}

static void unmap(struct arena *arena)
{
    munmap(arena->touched, touched_bytes(arena->nr_frames));
    munmap(arena->table, (size_t)arena->nr_frames * sizeof(struct frame));
    munmap(arena->base, (size_t)arena->nr_frames << PAGE_SHIFT);
}

int arena_create_range(struct arena **out, uint64_t bytes, uint64_t most)
{
    uint64_t frames = bytes / (PAGE_SIZE + sizeof(struct frame));
    struct arena *arena;
    int err;

    if (frames < MIN_FRAMES || bytes > ARENA_MAX_BYTES)
        return -EINVAL;
    most = MIN(MAX(most, bytes), ARENA_MAX_BYTES);
    arena = calloc(1, sizeof(*arena));
    if (!arena)
        return -ENOMEM;
    err = map(arena, frames, most / (PAGE_SIZE + sizeof(struct frame)));
    if (err)
        err = map(arena, frames, frames);
    if (err)
        goto free_arena;
    /* Huge pages would make memory of neighbours that are free. */
    madvise(arena->base, (size_t)arena->nr_frames << PAGE_SHIFT,
            MADV_NOHUGEPAGE);
    arena->touch_is_dear = arena_touch_is_dear();
    arena_note_touched(arena, FRAME_ZERO);
    arena->free_head = arena->trimmed_head = FRAME_NONE;
    for (unsigned c = 0; c < NR_SLAB_CLASSES; c++)
        arena->partial[c] = FRAME_NONE;
    arena->table[FRAME_ZERO].kind = FRAME_RAW;
    arena->fresh = 1;
    arena->nr_free = arena->nr_mapped - 1;
    arena->nr_withheld = arena->nr_frames - arena->nr_mapped;
    if (mprotect(arena->base, PAGE_SIZE, PROT_READ) != 0) {
        err = -ENOMEM;
        goto unmap_all;
    }
    *out = arena;
    return 0;

unmap_all:
    unmap(arena);
free_arena:
    free(arena);
    return err;
}

int arena_create(struct arena **out, uint64_t bytes)
{
    return arena_create_range(out, bytes, bytes);
}

void arena_destroy(struct arena *arena)
{
    arena_check(arena);
    INVARIANT("I6", arena->nr_free == arena_nr_frames(arena) - 1);
    unmap(arena);
    free(arena);
}

void arena_set_ops(struct arena *arena, const struct arena_ops *ops, void *ctx,
                   uint32_t low_mark, uint32_t reserve_frames)
{
    arena->ops = ops;
    arena->ops_ctx = ctx;
    arena->low_mark = low_mark;
    arena->reserve = reserve_frames;
}

/* A frame whose memory is not there; FRAME_NONE if there is none. */
static uint32_t pop_cold(struct arena *arena) REQUIRES(arena->lock)
{
    uint32_t frame = arena->trimmed_head;

    if (frame != FRAME_NONE)
        arena->trimmed_head = arena->table[frame].next;
    else if (arena->fresh < arena->nr_mapped)
        frame = arena->fresh++;
    return frame;
}

/* The frame freed last, whose memory is still there; else a cold one. */
static uint32_t pop_free(struct arena *arena) REQUIRES(arena->lock)
{
    uint32_t frame = arena->free_head;

    if (frame == FRAME_NONE) {
        frame = pop_cold(arena);
        INVARIANT("A1", frame != FRAME_NONE);
        return frame;
    }
    arena->free_head = arena->table[frame].next;
    arena->nr_warm--;
    arena->least_warm = MIN(arena->least_warm, arena->nr_warm);
    return frame;
}

static void push_warm(struct arena *arena, uint32_t frame)
    REQUIRES(arena->lock)
{
    arena->table[frame].next = arena->free_head;
    arena->free_head = frame;
    arena->nr_warm++;
}

/* Its kind may be read at any time (arena_handle_is_node). */
static void become(struct frame *entry, enum frame_kind kind)
{
    const size_t behind = offsetof(struct frame, slab_class);

    memset((uint8_t *)entry + behind, 0, sizeof(*entry) - behind);
    atomic_store_explicit(&entry->kind, (uint8_t)kind, memory_order_relaxed);
}

uint32_t arena_take(struct arena *arena, uint32_t floor, enum frame_kind kind,
                    bool *low)
{
    uint32_t frame;

    if (arena->nr_free <= (uint64_t)floor + arena->nr_warming)
        return FRAME_NONE;
    frame = pop_free(arena);
    INVARIANT("A1", arena->table[frame].kind == FRAME_FREE);
    become(&arena->table[frame], kind);
    if (kind != FRAME_PAGE)
        arena_note_touched(arena, frame);
    arena->nr_free--;
    *low = arena->nr_free <= arena->low_mark;
    return frame;
}

void arena_give(struct arena *arena, uint32_t frame)
{
    INVARIANT("A1", arena->table[frame].kind != FRAME_FREE);
    become(&arena->table[frame], FRAME_FREE);
    push_warm(arena, frame);
    arena->nr_free++;
}

void arena_tell_low(struct arena *arena, bool low)
{
    if (low && arena->ops)
        arena->ops->low(arena->ops_ctx);
}

uint32_t arena_frame_alloc(struct arena *arena, uint32_t floor)
{
    bool low = false;
    uint32_t frame;

    mutex_lock(&arena->lock, RANK_ARENA);
    frame = arena_take(arena, floor, FRAME_PAGE, &low);
    mutex_unlock(&arena->lock);
    arena_tell_low(arena, low || frame == FRAME_NONE);
    return frame;
}

void arena_frame_free(struct arena *arena, uint32_t frame)
{
    INVARIANT("A1", frame != FRAME_ZERO && frame < arena->nr_frames);
    mutex_lock(&arena->lock, RANK_ARENA);
    arena_give(arena, frame);
    mutex_unlock(&arena->lock);
}

bool arena_frames_alloc(struct arena *arena, uint32_t nr, uint32_t floor,
                        uint32_t *frames)
{
    bool low = true, enough;

    mutex_lock(&arena->lock, RANK_ARENA);
    enough = arena->nr_free >= (uint64_t)floor + nr + arena->nr_warming;
    for (uint32_t i = 0; enough && i < nr; i++)
        frames[i] = arena_take(arena, floor, FRAME_PAGE, &low);
    mutex_unlock(&arena->lock);
    arena_tell_low(arena, low);
    return enough;
}

void arena_frames_free(struct arena *arena, uint32_t nr, const uint32_t *frames)
{
    mutex_lock(&arena->lock, RANK_ARENA);
    for (uint32_t i = 0; i < nr; i++) {
        INVARIANT("A1", frames[i] != FRAME_ZERO && frames[i] < arena->nr_frames);
        arena_give(arena, frames[i]);
    }
    mutex_unlock(&arena->lock);
}

void arena_wait(struct arena *arena)
{
    if (arena->ops)
        arena->ops->wait(arena->ops_ctx);
}

uint32_t arena_idle(struct arena *arena)
{
    uint32_t least;

    mutex_lock(&arena->lock, RANK_ARENA);
    least = arena->least_warm;
    arena->least_warm = arena->nr_warm;
    mutex_unlock(&arena->lock);
    return least;
}

static int by_number(const void *a, const void *b)
{
    const uint32_t *x = a, *y = b;

    return (*x > *y) - (*x < *y);
}

/* Gives memory to these frames, or takes it; neighbours share a system call.
 * What the kernel will not give now comes with the first touch. */
static void advise(struct arena *arena, const uint32_t *frames, uint32_t nr,
                   int advice)
{
    for (uint32_t i = 0, n; i < nr; i += n) {
        for (n = 1; i + n < nr && frames[i + n] == frames[i] + n;)
            n++;
        madvise(arena_frame_ptr(arena, frames[i]), (size_t)n << PAGE_SHIFT,
                advice);
    }
}

/* Some frames, moved to the other list so that none is looked at twice.  The lock
 * is held over the system calls, hence not for more. */
static uint32_t trim_some(struct arena *arena, uint32_t max)
{
    uint32_t frames[TRIM_AT_ONCE], nr = 0;

    mutex_lock(&arena->lock, RANK_ARENA);
    while (nr < max && arena->free_head != FRAME_NONE)
        frames[nr++] = pop_free(arena);
    qsort(frames, nr, sizeof(*frames), by_number);
    advise(arena, frames, nr, MADV_DONTNEED);
    while (nr > 0) {
        arena->table[frames[--nr]].next = arena->trimmed_head;
        arena->trimmed_head = frames[nr];
        arena_note_untouched(arena, frames[nr]);
        max--;
    }
    mutex_unlock(&arena->lock);
    return max;
}

uint32_t arena_trim(struct arena *arena, uint32_t max)
{
    uint32_t left = max;

    while (left > 0) {
        uint32_t some = MIN(left, (uint32_t)TRIM_AT_ONCE);
        uint32_t missed = trim_some(arena, some);

        left -= some - missed;
        if (missed > 0)
            break;
    }
    return max - left;
}

/* Meanwhile they are on no list, but free: nobody sees a difference who is not in
 * need of the last ones. */
uint32_t arena_warm(struct arena *arena, uint32_t max, uint32_t floor)
{
    uint32_t frames[TRIM_AT_ONCE], nr = 0;

    max = MIN(max, (uint32_t)TRIM_AT_ONCE);
    mutex_lock(&arena->lock, RANK_ARENA);
    if (arena->nr_free <
        (uint64_t)MAX(floor, arena->nr_warm) + max + arena->nr_warming)
        max = 0; /* A7 */
    while (nr < max && (frames[nr] = pop_cold(arena)) != FRAME_NONE)
        nr++;
    arena->nr_warming += nr;
    mutex_unlock(&arena->lock);
    if (nr == 0)
        return 0;
    advise(arena, frames, nr, MADV_POPULATE_WRITE);
    for (uint32_t i = 0; i < nr && !arena->touch_is_dear; i++)
        arena_note_touched(arena, frames[i]);
    mutex_lock(&arena->lock, RANK_ARENA);
    for (uint32_t i = nr; i > 0; i--)
        push_warm(arena, frames[i - 1]);
    arena->nr_warming -= nr;
    mutex_unlock(&arena->lock);
    return nr;
}

#ifdef PAGERFS_DEBUG
static uint32_t list_length(const struct arena *arena, uint32_t frame)
{
    uint32_t length = 0;

    for (; frame != FRAME_NONE; frame = arena->table[frame].next) {
        INVARIANT("A1", arena->table[frame].kind == FRAME_FREE);
        length++;
    }
    return length;
}

void arena_check(struct arena *arena)
{
    uint32_t slabs = 0, raw = 0, pages = 0, listed;

    mutex_lock(&arena->lock, RANK_ARENA);
    for (uint32_t f = 1; f < arena->fresh; f++) {
        slabs += arena->table[f].kind == FRAME_SLAB ||
                 arena->table[f].kind == FRAME_NODES;
        raw += arena->table[f].kind == FRAME_RAW;
        pages += arena->table[f].kind == FRAME_PAGE;
    }
    listed = list_length(arena, arena->free_head) +
             list_length(arena, arena->trimmed_head);
    INVARIANT("A1", list_length(arena, arena->free_head) == arena->nr_warm);
    INVARIANT("A1", slabs == arena->nr_slab_frames);
    INVARIANT("A1", raw == arena->nr_raw_frames);
    INVARIANT("A1", listed + (arena->nr_frames - arena->fresh) +
                        arena->nr_warming ==
                        arena->nr_free + arena->nr_withheld);
    INVARIANT("A1", 1 + slabs + raw + pages + arena->nr_free ==
                        arena_nr_frames(arena));
    INVARIANT("A7", arena->nr_warm + arena->nr_warming <= arena->nr_free);
    slab_check(arena);
    mutex_unlock(&arena->lock);
}
#else
void arena_check(struct arena *arena)
{
    (void)arena;
}
#endif

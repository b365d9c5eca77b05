/* arena_size.c - the budget of an arena in use: fewer frames, and more.
 *
 * Frames beyond the budget are withheld: FREE, but not to be had.  They are a
 * number and not a list.  There are so many FREE frames without memory (trimmed,
 * or never touched), and what is handed out is counted against nr_free, so it
 * does not matter which of them are meant.
 *
 * Withholding waits for nothing: who wants frames to become free first is behind
 * the ops.  Their memory goes before the number changes, so that at every instant
 *
 *     frames in use + free frames with memory  <=  frames - withheld     (A7)
 *
 * The table has an entry for each frame of the range, and of that as much is in
 * memory as was ever used: a budget in bytes pays for the entries below `fresh`,
 * however few frames are left.  An arena that was large once and is small now
 * keeps a 128th of what it was then.
 *
 * The kernel lets nobody touch what was never within the budget, and counts no
 * memory as promised for it; arena_yield asks for that first.
 */
#include "arena.h"

#include "arena_internal.h"

#include "log.h"

#include <errno.h>
#include <sys/mman.h>

uint32_t arena_nr_touched(struct arena *arena)
{
    uint32_t fresh;

    mutex_lock(&arena->lock, RANK_ARENA);
    fresh = arena->fresh;
    mutex_unlock(&arena->lock);
    return fresh;
}

uint64_t arena_frames_for(struct arena *arena, uint64_t bytes)
{
    uint64_t frames = bytes / (PAGE_SIZE + sizeof(struct frame));
    uint64_t table = (uint64_t)arena_nr_touched(arena) * sizeof(struct frame);

    return MIN(frames, (bytes - MIN(bytes, table)) >> PAGE_SHIFT);
}

uint64_t arena_bytes_for(struct arena *arena, uint32_t frames)
{
    uint64_t entries = MAX(frames, arena_nr_touched(arena));

    return ((uint64_t)frames << PAGE_SHIFT) + entries * sizeof(struct frame);
}

bool arena_withhold(struct arena *arena, uint32_t nr, uint32_t floor)
{
    bool enough, low;
    uint32_t warm, held;

    do {
        mutex_lock(&arena->lock, RANK_ARENA);
        held = arena->nr_warm + arena->nr_warming;
        enough = arena->nr_free >= (uint64_t)floor + nr + arena->nr_warming;
        warm = enough && held > arena->nr_free - nr
                   ? held - (arena->nr_free - nr) : 0;
        if (enough && warm == 0) {
            arena->nr_free -= nr;
            arena->nr_withheld += nr;
        }
        low = arena->nr_free <= arena->low_mark;
        mutex_unlock(&arena->lock);
        if (warm > 0)
            arena_trim(arena, warm);
    } while (warm > 0);
    arena_tell_low(arena, low || !enough);
    return enough;
}

/* Entries whose page has others before them can be touched already. */
static int allow(struct arena *arena, uint32_t frames)
{
    size_t from = round_down((size_t)arena->nr_mapped * sizeof(struct frame),
                             PAGE_SIZE);
    size_t to = (size_t)frames * sizeof(struct frame);

    if (frames <= arena->nr_mapped)
        return 0;
    if (mprotect((uint8_t *)arena->table + from, to - from,
                 PROT_READ | PROT_WRITE) != 0 ||
        mprotect(arena_frame_ptr(arena, arena->nr_mapped),
                 (size_t)(frames - arena->nr_mapped) << PAGE_SHIFT,
                 PROT_READ | PROT_WRITE) != 0)
        return -ENOMEM;
    return 0;
}

int arena_yield(struct arena *arena, uint32_t nr)
{
    uint32_t frames = arena_nr_frames(arena) + nr;
    int err = allow(arena, frames);

    if (err)
        return err;
    mutex_lock(&arena->lock, RANK_ARENA);
    INVARIANT("A1", nr <= arena->nr_withheld);
    arena->nr_mapped = MAX(arena->nr_mapped, frames);
    arena->nr_free += nr;
    arena->nr_withheld -= nr;
    mutex_unlock(&arena->lock);
    return 0;
}

void arena_set_low(struct arena *arena, uint32_t low_mark)
{
    mutex_lock(&arena->lock, RANK_ARENA);
    arena->low_mark = low_mark;
    mutex_unlock(&arena->lock);
}

/* arena_copy.h - bytes into frames and out of them, by the kernel where that pays.
 *
 * A frame may never have been *touched* by us: it has no memory yet, or memory of
 * which only the kernel knows.  The first touch is a page fault, and in a guest whose
 * host keeps the page tables (shadow paging) a second one there.  The kernel can copy
 * without either, by its own mapping of all memory (process_vm_writev(2)), for the
 * price of a system call and of looking up each page.
 *
 * Which frames have been touched is one bit each (arena->touched), a hint: nothing
 * but speed depends on it.
 *
 * Ownership   the frames are the caller's, who sees to it that nobody else changes
 *             their bytes.
 * Locking     none; safe from any thread.
 * Errors      none: what the kernel will not copy is for the caller to copy.
 */
#ifndef BASE_ARENA_COPY_H
#define BASE_ARENA_COPY_H

#include "arena.h"

#include <sys/uio.h>

/* The most elements on either side of a copy. */
#define ARENA_COPY_MAX_IOV 1024u

enum arena_copy {
    ARENA_COPY_FILL,    /* frames just allocated, filled whole */
    ARENA_COPY_CHANGE,  /* parts of frames that may be changed again */
};

/* Bytes are about to be copied into these frames.  True: arena_copy_in should do it;
 * false: the caller, by touching them. */
bool arena_copy_pays(struct arena *arena, const uint32_t *frames, uint32_t nr,
                     enum arena_copy what);
/* Copies `bytes` from `from` to `to`, whose elements add up to as many each.  False:
 * it is not to be had here, and some may have been copied. */
bool arena_copy_in(struct arena *arena, const struct iovec *to, uint32_t nr_to,
                   const struct iovec *from, uint32_t nr_from, size_t bytes);
/* Copies `bytes` out of frames to `to`.  False: the caller should do it, by touching
 * them, because that is better, not all of it is frames, or it is not to be had. */
bool arena_copy_out(struct arena *arena, void *to, const struct iovec *from,
                    uint32_t nr_from, size_t bytes);

/* --- for arena.c ------------------------------------------------------------- */

/* True if on this machine the first touch of memory that is there costs about as
 * much as a page fault.  Takes some 50 us, or 100 where it does. */
bool arena_touch_is_dear(void);

static inline bool arena_is_touched(const struct arena *arena, uint32_t frame)
{
    return atomic_load_explicit(&arena->touched[frame / 64],
                                memory_order_relaxed) >> (frame % 64) & 1;
}

void arena_note_touched(struct arena *arena, uint32_t frame);
void arena_note_untouched(struct arena *arena, uint32_t frame);

#endif

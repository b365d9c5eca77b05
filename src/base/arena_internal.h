/* arena_internal.h - what arena.c lends to slab.c.  Caller holds arena->lock. */
#ifndef BASE_ARENA_INTERNAL_H
#define BASE_ARENA_INTERNAL_H

#include "arena.h"

/* A free frame becomes `kind`; FRAME_NONE if at most `floor` are free.  *low
 * tells whether ops->low is due once the lock is dropped (arena_tell_low). */
uint32_t arena_take(struct arena *arena, uint32_t floor, enum frame_kind kind,
                    bool *low) REQUIRES(arena->lock);
void arena_give(struct arena *arena, uint32_t frame) REQUIRES(arena->lock);
void arena_tell_low(struct arena *arena, bool low) EXCLUDES(arena->lock);
/* Aborts if a slab contradicts its header. */
void slab_check(struct arena *arena) REQUIRES(arena->lock);

#endif

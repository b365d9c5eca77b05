/* write.h - a write under way, and the bytes of its pages (write_copy.c).
 *
 * Ownership   frames named by a batch belong to it: new ones, or pinned.
 * Locking     the range is the writer's; copying takes no lock, and is done with
 *             none held.
 * Units       bytes of the file, pages, frames.
 */
#ifndef OBJECT_WRITE_H
#define OBJECT_WRITE_H

#include "object_internal.h"

struct write {
    struct object_store *store;
    struct object *object;
    struct source *source;
    uint64_t offset, end;  /* bytes of the file; end after the charge */
    uint32_t charged;      /* pages charged and not spent */
    bool wait;
};

/* What becomes of a page (write.c). */
enum plan { PLAN_FRESH, PLAN_ZERO, PLAN_IN_PLACE };

struct batch {
    uint64_t first;
    uint32_t nr, nr_fresh;
    uint8_t plan[SWAP_IO_MAX_PAGES];   /* enum plan */
    uint32_t frame[SWAP_IO_MAX_PAGES]; /* FRESH: new; IN_PLACE: pinned, later */
};

/* The bytes of page `index` that are written: from..to-1, and where they are in the
 * source. */
static inline uint32_t part_from(const struct write *w, uint64_t index)
{
    return index == page_of(w->offset) ? (uint32_t)(w->offset & PAGE_MASK) : 0;
}

static inline uint32_t part_to(const struct write *w, uint64_t index)
{
    return index == page_of(w->end - 1)
               ? (uint32_t)((w->end - 1) & PAGE_MASK) + 1 : PAGE_SIZE;
}

static inline size_t part_pos(const struct write *w, uint64_t index)
{
    return (size_t)((index << PAGE_SHIFT) + part_from(w, index) - w->offset);
}

/* Copies what page `index` gets to its frame. */
void copy_part(const struct write *w, uint64_t index, uint32_t frame);
/* The same for all pages of a batch with this plan, FRESH or IN_PLACE.  What the
 * write leaves of a FRESH page is zeros. */
void copy_planned(const struct write *w, const struct batch *b, enum plan plan);

#endif

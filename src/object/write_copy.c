/* write_copy.c - the bytes of a write into the frames of its pages.
 *
 * A new frame has mostly never been touched, and its first touch costs more than all
 * else that a write does.  So the kernel copies, where it can do so without
 * (arena_copy.h): all pages of a batch at once, from the pieces of the source and,
 * around them, from the frame of zeros.  Otherwise they are copied page by page.
 */
#include "write.h"

#include "arena_copy.h"

#include <string.h>

void copy_part(const struct write *w, uint64_t index, uint32_t frame)
{
    uint8_t *page = arena_frame_ptr(w->store->arena, frame);
    uint32_t from = part_from(w, index), to = part_to(w, index);

    source_copy(w->source, part_pos(w, index), page + from, to - from);
}

/* Of a new frame, what the write does not fill is zeros. */
static void fill_part(const struct write *w, uint64_t index, uint32_t frame)
{
    uint8_t *page = arena_frame_ptr(w->store->arena, frame);
    uint32_t to = part_to(w, index);

    memset(page, 0, part_from(w, index));
    memset(page + to, 0, PAGE_SIZE - to);
    copy_part(w, index, frame);
}

/* --- the same, by the kernel ----------------------------------------------------- */

/* Pieces of memory, neighbours joined. */
struct pieces {
    struct iovec iov[2 * SWAP_IO_MAX_PAGES + 2];
    uint32_t nr;
};
_Static_assert(2 * SWAP_IO_MAX_PAGES + 2 <= ARENA_COPY_MAX_IOV, "in one call");

static void add_piece(struct pieces *pieces, const uint8_t *base, size_t n)
{
    struct iovec *last = &pieces->iov[MAX(pieces->nr, 1u) - 1];

    if (n == 0)
        return;
    if (pieces->nr > 0 && (uint8_t *)last->iov_base + last->iov_len == base) {
        last->iov_len += n;
        return;
    }
    pieces->iov[pieces->nr++] = (struct iovec){ (void *)(uintptr_t)base, n };
}

static void add_data(const struct write *w, uint64_t index,
                     struct pieces *pieces)
{
    size_t pos = part_pos(w, index);
    size_t left = part_to(w, index) - part_from(w, index);

    while (left > 0) {
        size_t n = left;
        const uint8_t *from = source_at(w->source, pos, &n);

        add_piece(pieces, from, n);
        pos += n;
        left -= n;
    }
}

/* Copies what pages of this plan get; false: it could not. */
static bool kernel_copies(const struct write *w, const struct batch *b,
                          enum plan plan)
{
    const uint8_t *zeros = arena_frame_ptr(w->store->arena, FRAME_ZERO);
    struct pieces from, to;
    size_t bytes = 0;

    from.nr = to.nr = 0;
    for (uint32_t i = 0; i < b->nr; i++) {
        uint64_t index = b->first + i;
        uint32_t start = part_from(w, index), end = part_to(w, index);
        uint8_t *page;

        if (b->plan[i] != plan)
            continue;
        page = arena_frame_ptr(w->store->arena, b->frame[i]);
        if (plan == PLAN_FRESH)
            add_piece(&from, zeros, start);
        add_data(w, index, &from);
        if (plan == PLAN_FRESH) {
            add_piece(&from, zeros, PAGE_SIZE - end);
            start = 0;
            end = PAGE_SIZE;
        }
        add_piece(&to, page + start, end - start);
        bytes += end - start;
    }
    return arena_copy_in(w->store->arena, to.iov, to.nr, from.iov, from.nr,
                         bytes);
}

/* --- who does it ----------------------------------------------------------------- */

void copy_planned(const struct write *w, const struct batch *b, enum plan plan)
{
    enum arena_copy what = plan == PLAN_FRESH ? ARENA_COPY_FILL
                                              : ARENA_COPY_CHANGE;
    uint32_t frames[SWAP_IO_MAX_PAGES], nr = 0;

    for (uint32_t i = 0; i < b->nr; i++)
        if (b->plan[i] == plan)
            frames[nr++] = b->frame[i];
    if (nr == 0 || (arena_copy_pays(w->store->arena, frames, nr, what) &&
                    kernel_copies(w, b, plan)))
        return;
    for (uint32_t i = 0; i < b->nr; i++) {
        if (b->plan[i] != plan)
            continue;
        if (plan == PLAN_FRESH)
            fill_part(w, b->first + i, b->frame[i]);
        else
            copy_part(w, b->first + i, b->frame[i]);
    }
}

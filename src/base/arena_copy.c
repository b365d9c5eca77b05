/* arena_copy.c - who copies: we, or the kernel for us.
 *
 * What a page costs, in microseconds, in a guest of a host that keeps shadow page
 * tables; in brackets elsewhere, an estimate but for the 1.5, another guest's:
 *
 *     memcpy() to a page that has been touched     0.2  (0.2)
 *              to one that only has memory         6.3  (0.2)
 *              to one that has none               12    (0.5 to 1.5)
 *     process_vm_writev() to any of them    0.3 to 0.8, and 3 (0.5) for the call
 *
 * So the kernel copies if enough of the frames have not been touched to make up for
 * the call, and for what it takes longer with the others.  Elsewhere, memory is all
 * that a frame can lack, and it has that after the first copy, whoever made it.
 * Where the touch itself is dear, frames that the kernel has filled stay untouched,
 * and many at once are best left to it again; but a few that are changed or read in
 * small steps are touched for good.
 *
 *     untouched --memcpy, metadata------------------> touched
 *               --the kernel's copy, arena_warm-----> touched, unless that is dear
 *     touched   --arena_trim------------------------> untouched
 *
 * A system that does not let us use process_vm_writev(2) is asked once; one that has no
 * memory at the moment is asked again.
 */
#include "arena_copy.h"

#include "clock.h"

#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

/* So few pages are touched for good, if they may be used again. */
enum { FEW_PAGES = 4 };
/* Looking up a page that is touched costs so much less than touching one. */
enum { ONE_IN = 16 };
/* The touch of a page takes 0.1 us, or several. */
enum { PROBE_PAGES = 16, DEAR_NS = 1500 };

bool arena_touch_is_dear(void)
{
    size_t bytes = (size_t)PROBE_PAGES << PAGE_SHIFT;
    uint8_t *probe = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
                          MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    uint64_t least = UINT64_MAX;

    if (probe == MAP_FAILED)
        return false;
    madvise(probe, bytes, MADV_NOHUGEPAGE);
    if (madvise(probe, bytes, MADV_POPULATE_WRITE) != 0)
        least = 0;
    for (unsigned i = 0; i < PROBE_PAGES && least > 0; i++) {
        uint64_t start = clock_monotonic_ns();

        *(volatile uint8_t *)(probe + ((size_t)i << PAGE_SHIFT)) = 1;
        least = MIN(least, clock_monotonic_ns() - start);
    }
    munmap(probe, bytes);
    return least > DEAR_NS;
}

void arena_note_touched(struct arena *arena, uint32_t frame)
{
    if (!arena_is_touched(arena, frame))
        atomic_fetch_or_explicit(&arena->touched[frame / 64],
                                 UINT64_C(1) << (frame % 64),
                                 memory_order_relaxed);
}

void arena_note_untouched(struct arena *arena, uint32_t frame)
{
    if (arena_is_touched(arena, frame))
        atomic_fetch_and_explicit(&arena->touched[frame / 64],
                                  ~(UINT64_C(1) << (frame % 64)),
                                  memory_order_relaxed);
}

static bool pays(const struct arena *arena, uint32_t untouched, uint32_t nr,
                 enum arena_copy what)
{
    uint32_t least = what == ARENA_COPY_CHANGE ? FEW_PAGES
                     : arena->touch_is_dear    ? 1 : 2;

    return untouched >= least + nr / ONE_IN &&
           !atomic_load_explicit(&arena->copies_itself, memory_order_relaxed);
}

bool arena_copy_pays(struct arena *arena, const uint32_t *frames, uint32_t nr,
                     enum arena_copy what)
{
    uint32_t untouched = 0;
    bool result;

    for (uint32_t i = 0; i < nr; i++)
        untouched += !arena_is_touched(arena, frames[i]);
    if (untouched == 0)
        return false;
    result = pays(arena, untouched, nr, what);
    if (result && arena->touch_is_dear)
        return true;
    for (uint32_t i = 0; i < nr; i++)
        arena_note_touched(arena, frames[i]);
    return result;
}

/* By what the kernel says it has copied. */
static bool copied(struct arena *arena, ssize_t done, size_t bytes)
{
    if (done == (ssize_t)bytes)
        return true;
    if (done < 0 && (errno == EPERM || errno == ENOSYS))
        atomic_store_explicit(&arena->copies_itself, true, memory_order_relaxed);
    return false;
}

bool arena_copy_in(struct arena *arena, const struct iovec *to, uint32_t nr_to,
                   const struct iovec *from, uint32_t nr_from, size_t bytes)
{
    return copied(arena, process_vm_writev(getpid(), from, nr_from, to, nr_to, 0),
                  bytes);
}

/* Frames of the arena that hold bytes of the element: first..end-1. */
static uint32_t first_frame(const struct arena *arena, const struct iovec *iov)
{
    return arena_frame_of(arena, iov->iov_base);
}

static uint32_t end_frame(const struct arena *arena, const struct iovec *iov)
{
    return arena_frame_of(arena, (const uint8_t *)iov->iov_base + iov->iov_len -
                                     1) + 1;
}

static bool is_frames(const struct arena *arena, const struct iovec *iov)
{
    const uint8_t *base = iov->iov_base;

    return iov->iov_len > 0 && base >= arena->base &&
           base < arena->base + ((size_t)arena->nr_frames << PAGE_SHIFT);
}

bool arena_copy_out(struct arena *arena, void *to, const struct iovec *from,
                    uint32_t nr_from, size_t bytes)
{
    struct iovec here = { to, bytes };
    uint32_t nr = 0, untouched = 0;

    if (!arena->touch_is_dear)
        return false;
    for (uint32_t i = 0; i < nr_from; i++) {
        if (!is_frames(arena, &from[i]))
            return false;
        for (uint32_t f = first_frame(arena, &from[i]);
             f < end_frame(arena, &from[i]); f++, nr++)
            untouched += !arena_is_touched(arena, f);
    }
    if (pays(arena, untouched, nr, ARENA_COPY_CHANGE))
        return copied(arena,
                      process_vm_readv(getpid(), &here, 1, from, nr_from, 0),
                      bytes);
    for (uint32_t i = 0; i < nr_from && untouched > 0; i++)
        for (uint32_t f = first_frame(arena, &from[i]);
             f < end_frame(arena, &from[i]); f++)
            arena_note_touched(arena, f);
    return false;
}

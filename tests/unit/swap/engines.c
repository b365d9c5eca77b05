/* engines.c - an engine on an unlinked file, and blocks that tell their names. */
#include "engines.h"

#include "unit.h"

#include <stdlib.h>
#include <string.h>

void engine_setup(struct engine_place *place, enum swap_engine_kind kind,
                  uint32_t nr_blocks, unsigned max_inflight)
{
    char message[SWAP_MESSAGE_BYTES];

    place_dir(place->dir);
    ck_assert_msg(swap_file_open(&place->file, place->dir, nr_blocks,
                                 message) == 0, "%s", message);
    ck_assert_int_eq(swap_file_grow(&place->file, 0, nr_blocks), 0);
    ck_assert_int_eq(swap_engine_create(&place->engine, &place->file, kind,
                                        max_inflight), 0);
}

void engine_teardown(struct engine_place *place)
{
    swap_engine_destroy(place->engine);
    swap_file_close(&place->file);
    place_dir_remove(place->dir);
}

static void wait_io_done(struct swap_io *io, int err)
{
    struct wait_io *w = container_of(io, struct wait_io, io);

    w->err = err;
    atomic_fetch_add(&w->done, 1);
    futex_wake(&w->done, 1);
}

void wait_io_set(struct wait_io *w, enum swap_io_op op, uint32_t block,
                 uint32_t nr, uint8_t *pages)
{
    uint32_t count = MIN(nr, (uint32_t)ARRAY_SIZE(w->iov)), at = 0;

    w->pages = pages;
    w->io = (struct swap_io){ .op = op, .block = block, .nr = nr,
                              .iov = w->iov, .iov_count = count,
                              .done = wait_io_done };
    for (uint32_t i = 0; i < count; i++) {
        uint32_t n = i + 1 < count ? nr / count : nr - at;

        w->iov[i] = (struct iovec){ pages + (size_t)at * PAGE_SIZE,
                                    (size_t)n * PAGE_SIZE };
        at += n;
    }
    w->err = 1;
    atomic_store(&w->done, 0);
}

int wait_io_result(struct wait_io *w)
{
    while (atomic_load(&w->done) == 0)
        futex_wait(&w->done, 0);
    unit_assert(atomic_load(&w->done) == 1);
    return w->err;
}

int engine_io(struct swap_engine *engine, enum swap_io_op op, uint32_t block,
              uint32_t nr, uint8_t *pages)
{
    struct wait_io w;

    wait_io_set(&w, op, block, nr, pages);
    swap_engine_submit(engine, &w.io);
    return wait_io_result(&w);
}

uint8_t *pages_alloc(uint32_t nr)
{
    uint8_t *pages = aligned_alloc(PAGE_SIZE, (size_t)nr * PAGE_SIZE);

    ck_assert_ptr_nonnull(pages);
    return pages;
}

static uint64_t mark_of(uint32_t block, uint32_t version, size_t word)
{
    return ((uint64_t)block << 32 | version) ^
           word * UINT64_C(0x9e3779b97f4a7c15);
}

void pages_mark(uint8_t *pages, uint32_t block, uint32_t nr, uint32_t version)
{
    uint64_t *words = (uint64_t *)(void *)pages;
    size_t count = PAGE_SIZE / sizeof(*words);

    for (size_t i = 0; i < nr * count; i++)
        words[i] = mark_of(block + (uint32_t)(i / count), version, i % count);
}

bool pages_are(const uint8_t *pages, uint32_t block, uint32_t nr,
               uint32_t version)
{
    const uint64_t *words = (const uint64_t *)(const void *)pages;
    size_t count = PAGE_SIZE / sizeof(*words);

    for (size_t i = 0; i < nr * count; i++) {
        if (words[i] != mark_of(block + (uint32_t)(i / count), version,
                                i % count))
            return false;
    }
    return true;
}

/* test_io.c - what both engines promise, and io_advance by itself. */
#include "io_internal.h"

#include "clock.h"
#include "engines.h"
#include "fake_lane.h"
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static const enum swap_engine_kind kinds[] = { SWAP_ENGINE_URING,
                                               SWAP_ENGINE_THREADS };
static struct engine_place place;

START_TEST(advance_goes_on_by_whole_pages)
{
    static uint8_t pages[6 * PAGE_SIZE];
    struct iovec iov[3] = { { pages, PAGE_SIZE },
                            { pages + PAGE_SIZE, 3 * PAGE_SIZE },
                            { pages + 4 * PAGE_SIZE, 2 * PAGE_SIZE } };
    struct swap_io io = { .iov = iov, .iov_count = 3, .left = 6 * PAGE_SIZE };
    int err;

    ck_assert(!io_advance(&io, -EINTR, &err));
    ck_assert(!io_advance(&io, -EAGAIN, &err));
    ck_assert(!io_advance(&io, 2 * PAGE_SIZE + 77, &err));
    ck_assert_uint_eq(io.offset, 2 * PAGE_SIZE);
    ck_assert_uint_eq(io.left, 4 * PAGE_SIZE);
    ck_assert_ptr_eq(io.iov, &iov[1]);
    ck_assert_ptr_eq(iov[1].iov_base, pages + 2 * PAGE_SIZE);
    ck_assert_uint_eq(iov[1].iov_len, 2 * PAGE_SIZE);
    ck_assert(!io_advance(&io, 2 * PAGE_SIZE, &err));
    ck_assert_ptr_eq(io.iov, &iov[2]);
    ck_assert_uint_eq(io.iov_count, 1);
    ck_assert(io_advance(&io, 2 * PAGE_SIZE, &err));
    ck_assert_int_eq(err, 0);
    ck_assert_uint_eq(io.left, 0);
}
END_TEST

START_TEST(advance_stops_at_errors_and_at_the_end)
{
    struct iovec iov = { NULL, PAGE_SIZE };
    struct swap_io io = { .iov = &iov, .iov_count = 1, .left = PAGE_SIZE };
    int err;

    ck_assert(io_advance(&io, -EIO, &err));
    ck_assert_int_eq(err, -EIO);
    ck_assert(io_advance(&io, -ENOSPC, &err));
    ck_assert_int_eq(err, -ENOSPC);
    ck_assert(io_advance(&io, 0, &err));
    ck_assert_int_eq(err, -EIO);
    ck_assert(io_advance(&io, 512, &err));
    ck_assert_int_eq(err, -EIO);
}
END_TEST

START_TEST(what_is_written_is_read)
{
    uint8_t *out = pages_alloc(256), *in = pages_alloc(256);

    for (size_t k = 0; k < ARRAY_SIZE(kinds); k++) {
        static const uint32_t sizes[] = { 1, 2, 7, 64, 256 };

        engine_setup(&place, kinds[k], 1024, 4);
        for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
            uint32_t nr = sizes[i], block = 1024 - nr - (uint32_t)i;

            pages_mark(out, block, nr, nr);
            ck_assert_int_eq(engine_io(place.engine, SWAP_IO_WRITE, block, nr,
                                       out), 0);
            memset(in, 0, 256 * PAGE_SIZE);
            ck_assert_int_eq(engine_io(place.engine, SWAP_IO_READ, block, nr,
                                       in), 0);
            ck_assert(pages_are(in, block, nr, nr));
        }
        engine_teardown(&place);
    }
    free(in);
    free(out);
}
END_TEST

START_TEST(the_caller_may_move_the_bytes_itself)
{
    uint8_t *pages = pages_alloc(256);
    struct wait_io w;

    for (size_t k = 0; k < ARRAY_SIZE(kinds); k++) {
        engine_setup(&place, kinds[k], 1024, 1);
        pages_mark(pages, 100, 256, 1);
        wait_io_set(&w, SWAP_IO_WRITE, 100, 256, pages);
        swap_engine_run(place.engine, &w.io);
        ck_assert_int_eq(wait_io_result(&w), 0);
        memset(pages, 0, 256 * PAGE_SIZE);
        wait_io_set(&w, SWAP_IO_READ, 100, 256, pages);
        swap_engine_run(place.engine, &w.io);
        ck_assert_int_eq(wait_io_result(&w), 0);
        ck_assert(pages_are(pages, 100, 256, 1));
        engine_teardown(&place);
    }
    free(pages);
}
END_TEST

/* On a lane of its own, which moves a page at a time and is interrupted. */
START_TEST(a_lane_may_move_the_bytes)
{
    uint8_t *pages = pages_alloc(8);
    struct fake_lane lane = fake_lane();
    struct wait_io w;

    engine_setup(&place, SWAP_ENGINE_URING, 64, 1);
    ck_assert(swap_engine_lends(place.engine));
    pages_mark(pages, 40, 8, 1);
    ck_assert_int_eq(engine_io(place.engine, SWAP_IO_WRITE, 40, 8, pages), 0);
    memset(pages, 0, 8 * PAGE_SIZE);
    wait_io_set(&w, SWAP_IO_READ, 40, 8, pages);
    ck_assert(swap_engine_begin(place.engine, &w.io, &lane.lane));
    ck_assert_uint_eq(lane.lane.room, FAKE_LANE_ROOM - 1);
    ck_assert(!fake_lane_over(&lane, -EINTR));
    for (uint32_t i = 0; i < 8; i++) {
        ck_assert_uint_eq(w.done, 0);
        ck_assert_uint_eq(w.io.offset, (40 + i) * PAGE_SIZE);
        ck_assert_int_eq(pread(swap_io_fd(&w.io), w.io.iov->iov_base, PAGE_SIZE,
                               (off_t)w.io.offset), PAGE_SIZE);
        ck_assert_int_eq(fake_lane_over(&lane, PAGE_SIZE), i == 7);
    }
    ck_assert_int_eq(wait_io_result(&w), 0);
    ck_assert(pages_are(pages, 40, 8, 1));
    ck_assert_uint_eq(lane.begun, 1 + 8);
    ck_assert_uint_eq(lane.lane.room, FAKE_LANE_ROOM);
    wait_io_set(&w, SWAP_IO_READ, 40, 8, pages);
    ck_assert(swap_engine_begin(place.engine, &w.io, &lane.lane));
    ck_assert(fake_lane_over(&lane, -EIO));
    ck_assert_int_eq(wait_io_result(&w), -EIO);
    engine_teardown(&place);
    free(pages);
}
END_TEST

START_TEST(threads_lend_nothing)
{
    uint8_t *pages = pages_alloc(8);
    struct fake_lane lane = fake_lane();
    struct wait_io w;

    engine_setup(&place, SWAP_ENGINE_THREADS, 64, 1);
    ck_assert(!swap_engine_lends(place.engine));
    pages_mark(pages, 40, 8, 1);
    ck_assert_int_eq(engine_io(place.engine, SWAP_IO_WRITE, 40, 8, pages), 0);
    memset(pages, 0, 8 * PAGE_SIZE);
    wait_io_set(&w, SWAP_IO_READ, 40, 8, pages);
    ck_assert(!swap_engine_begin(place.engine, &w.io, &lane.lane));
    ck_assert_int_eq(wait_io_result(&w), 0);
    ck_assert(pages_are(pages, 40, 8, 1));
    ck_assert_uint_eq(lane.begun, 0);
    engine_teardown(&place);
    free(pages);
}
END_TEST

START_TEST(more_than_fit_are_all_done_once)
{
    enum { REQUESTS = 500 };
    static struct wait_io w[REQUESTS];
    uint8_t *pages = pages_alloc(REQUESTS);

    for (size_t k = 0; k < ARRAY_SIZE(kinds); k++) {
        engine_setup(&place, kinds[k], REQUESTS, 3);
        for (uint32_t i = 0; i < REQUESTS; i++) {
            pages_mark(pages + i * PAGE_SIZE, i, 1, 1);
            wait_io_set(&w[i], SWAP_IO_WRITE, i, 1, pages + i * PAGE_SIZE);
            swap_engine_submit(place.engine, &w[i].io);
        }
        for (uint32_t i = 0; i < REQUESTS; i++)
            ck_assert_int_eq(wait_io_result(&w[i]), 0);
        memset(pages, 0, REQUESTS * PAGE_SIZE);
        ck_assert_int_eq(engine_io(place.engine, SWAP_IO_READ, 100, 256,
                                   pages), 0);
        ck_assert(pages_are(pages, 100, 256, 1));
        engine_teardown(&place);
    }
    free(pages);
}
END_TEST

/* A request that submits itself again from done(), some times. */
struct chain {
    struct swap_io io;
    struct iovec iov;
    uint8_t *page;
    unsigned left;
    _Atomic uint32_t finished;
};

static void chain_submit(struct chain *c)
{
    c->iov = (struct iovec){ c->page, PAGE_SIZE };
    c->io.iov = &c->iov;
    c->io.iov_count = 1;
    swap_engine_submit(place.engine, &c->io);
}

static void chain_done(struct swap_io *io, int err)
{
    struct chain *c = container_of(io, struct chain, io);

    unit_assert(err == 0);
    if (--c->left > 0) {
        chain_submit(c);
        return;
    }
    atomic_store(&c->finished, 1);
    futex_wake(&c->finished, 1);
}

START_TEST(done_may_submit)
{
    enum { CHAINS = 10 };
    static struct chain chain[CHAINS];
    uint8_t *pages = pages_alloc(CHAINS);

    memset(pages, 1, CHAINS * PAGE_SIZE);
    for (size_t k = 0; k < ARRAY_SIZE(kinds); k++) {
        engine_setup(&place, kinds[k], CHAINS, 2);
        for (uint32_t i = 0; i < CHAINS; i++) {
            chain[i] = (struct chain){
                .io = { .op = SWAP_IO_WRITE, .block = i, .nr = 1,
                        .done = chain_done },
                .page = pages + i * PAGE_SIZE,
                .left = 50,
            };
            chain_submit(&chain[i]);
        }
        for (uint32_t i = 0; i < CHAINS; i++) {
            while (!atomic_load(&chain[i].finished))
                futex_wait(&chain[i].finished, 0);
        }
        engine_teardown(&place);
    }
    free(pages);
}
END_TEST

START_TEST(the_end_of_the_file_is_eio_after_what_there_is)
{
    uint8_t *pages = pages_alloc(8);

    for (size_t k = 0; k < ARRAY_SIZE(kinds); k++) {
        engine_setup(&place, kinds[k], 64, 2);
        pages_mark(pages, 0, 8, 3);
        ck_assert_int_eq(engine_io(place.engine, SWAP_IO_WRITE, 0, 8, pages),
                         0);
        ck_assert_int_eq(ftruncate(place.file.fd, 5 * PAGE_SIZE), 0);
        memset(pages, 0, 8 * PAGE_SIZE);
        ck_assert_int_eq(engine_io(place.engine, SWAP_IO_READ, 0, 8, pages),
                         -EIO);
        ck_assert(pages_are(pages, 0, 5, 3));
        ck_assert_int_eq(engine_io(place.engine, SWAP_IO_READ, 6, 1, pages),
                         -EIO);
        engine_teardown(&place);
    }
    free(pages);
}
END_TEST

START_TEST(a_write_error_is_told)
{
    uint8_t *pages = pages_alloc(2);

    memset(pages, 1, 2 * PAGE_SIZE);
    for (size_t k = 0; k < ARRAY_SIZE(kinds); k++) {
        struct swap_file full = { .fd = open("/dev/full", O_RDWR | O_CLOEXEC),
                                  .direct = true,
                                  .nr_blocks = 100 };

        ck_assert_int_eq(swap_engine_create(&place.engine, &full, kinds[k], 2),
                         0);
        ck_assert_int_eq(engine_io(place.engine, SWAP_IO_WRITE, 7, 2, pages),
                         -ENOSPC);
        ck_assert_int_eq(engine_io(place.engine, SWAP_IO_WRITE, 8, 1, pages),
                         -ENOSPC);
        swap_engine_destroy(place.engine);
        swap_file_close(&full);
    }
    free(pages);
}
END_TEST

/* Pageout must free memory, not move it to the page cache. */
START_TEST(without_o_direct_the_page_cache_stays_empty)
{
    unsigned char resident[64];
    uint8_t *pages = pages_alloc(64);
    void *map;

    memset(pages, 1, 64 * PAGE_SIZE);
    for (size_t k = 0; k < ARRAY_SIZE(kinds); k++) {
        engine_setup(&place, kinds[k], 64, 2);
        ck_assert_int_eq(fcntl(place.file.fd, F_SETFL, 0), 0);
        place.file.direct = false;
        map = mmap(NULL, 64 * PAGE_SIZE, PROT_READ, MAP_SHARED, place.file.fd,
                   0);
        ck_assert_ptr_ne(map, MAP_FAILED);
        for (int op = SWAP_IO_READ; op <= SWAP_IO_WRITE; op++) {
            ck_assert_int_eq(engine_io(place.engine, (enum swap_io_op)op, 0,
                                       64, pages), 0);
            ck_assert_int_eq(mincore(map, 64 * PAGE_SIZE, resident), 0);
            for (size_t i = 0; i < 64; i++)
                ck_assert(!(resident[i] & 1));
        }
        munmap(map, 64 * PAGE_SIZE);
        engine_teardown(&place);
    }
    free(pages);
}
END_TEST

static void slow_done(struct swap_io *io, int err)
{
    struct wait_io *w = container_of(io, struct wait_io, io);

    w->err = err;
    atomic_store(&w->done, 1);
    clock_sleep_ns(20000000);
    atomic_store(&w->done, 2);
}

START_TEST(destroy_waits_for_the_last_done_to_return)
{
    uint8_t *page = pages_alloc(1);
    struct wait_io w;

    memset(page, 1, PAGE_SIZE);
    for (size_t k = 0; k < ARRAY_SIZE(kinds); k++) {
        engine_setup(&place, kinds[k], 1, 2);
        wait_io_set(&w, SWAP_IO_WRITE, 0, 1, page);
        w.io.done = slow_done;
        swap_engine_submit(place.engine, &w.io);
        while (atomic_load(&w.done) == 0)
            clock_sleep_ns(100000);
        engine_teardown(&place);
        ck_assert_uint_eq(atomic_load(&w.done), 2);
        ck_assert_int_eq(w.err, 0);
    }
    free(page);
}
END_TEST

/* --- many threads --------------------------------------------------------- */

enum { THREADS = 8, BLOCKS_EACH = 512, ROUNDS = 150, AT_ONCE = 4 };

struct submitter {
    pthread_t thread;
    uint32_t base;
    unsigned seed;
    uint32_t version[BLOCKS_EACH];
};

/* AT_ONCE requests in flight, each on a quarter of this thread's blocks: writes
 * with a new version and reads that must show the last one. */
static void submitter_round(struct submitter *s, struct wait_io *w,
                            uint8_t *pages, uint32_t version)
{
    uint32_t block[AT_ONCE], nr[AT_ONCE];
    bool write[AT_ONCE];

    for (uint32_t i = 0; i < AT_ONCE; i++) {
        uint32_t part = BLOCKS_EACH / AT_ONCE;
        uint8_t *at = pages + (size_t)i * part * PAGE_SIZE;

        nr[i] = 1 + (uint32_t)rand_r(&s->seed) % 32;
        block[i] = i * part + (uint32_t)rand_r(&s->seed) % (part - nr[i]);
        write[i] = rand_r(&s->seed) % 2;
        for (uint32_t b = 0; write[i] && b < nr[i]; b++) {
            pages_mark(at + b * PAGE_SIZE, s->base + block[i] + b, 1, version);
            s->version[block[i] + b] = version;
        }
        wait_io_set(&w[i], write[i] ? SWAP_IO_WRITE : SWAP_IO_READ,
                    s->base + block[i], nr[i], at);
        swap_engine_submit(place.engine, &w[i].io);
    }
    for (uint32_t i = 0; i < AT_ONCE; i++) {
        unit_assert(wait_io_result(&w[i]) == 0);
        for (uint32_t b = 0; !write[i] && b < nr[i]; b++) {
            if (s->version[block[i] + b] > 0)
                unit_assert(pages_are(w[i].pages + b * PAGE_SIZE,
                                      s->base + block[i] + b, 1,
                                      s->version[block[i] + b]));
        }
    }
}

static void *submitter_run(void *arg)
{
    struct submitter *s = arg;
    struct wait_io w[AT_ONCE];
    uint8_t *pages = pages_alloc(BLOCKS_EACH);

    for (uint32_t version = 1; version <= ROUNDS; version++)
        submitter_round(s, w, pages, version);
    free(pages);
    return NULL;
}

START_TEST(eight_threads_read_what_they_wrote)
{
    static struct submitter submitter[THREADS];

    for (size_t k = 0; k < ARRAY_SIZE(kinds); k++) {
        engine_setup(&place, kinds[k], THREADS * BLOCKS_EACH, 8);
        for (unsigned i = 0; i < THREADS; i++) {
            submitter[i] = (struct submitter){ .base = i * BLOCKS_EACH,
                                               .seed = i + 1 };
            ck_assert_int_eq(pthread_create(&submitter[i].thread, NULL,
                                            submitter_run, &submitter[i]), 0);
        }
        for (unsigned i = 0; i < THREADS; i++)
            pthread_join(submitter[i].thread, NULL);
        engine_teardown(&place);
    }
}
END_TEST

/* --- a backend that does nothing, but can be held in its wake ----------------- */

static _Atomic bool in_wake, may_wake, stopped;

static void held_wake(struct swap_engine *engine)
{
    (void)engine;
    atomic_store(&in_wake, true);
    while (!atomic_load(&may_wake))
        clock_sleep_ns(100000);
}

static void note_stop(struct swap_engine *engine)
{
    (void)engine;
    atomic_store(&stopped, true);
}

static const struct io_backend held_backend = { .name = "held",
                                                .stop = note_stop,
                                                .wake = held_wake };

static void *submit_one(void *arg)
{
    struct swap_engine *engine = arg;
    static struct swap_io io = { .nr = 1 };

    swap_engine_submit(engine, &io);
    return NULL;
}

static void *destroy(void *engine)
{
    swap_engine_destroy(engine);
    return NULL;
}

/* Its request was done while it was between the queue and the wake. */
START_TEST(destroy_waits_for_who_has_yet_to_wake_the_backend)
{
    struct swap_engine *engine = calloc(1, sizeof(*engine));
    struct swap_file file = { .fd = -1, .nr_blocks = 1 };
    pthread_t submitter, destroyer;

    ck_assert_ptr_nonnull(engine);
    engine->backend = &held_backend;
    engine->file = &file;
    list_init(&engine->queue);
    pthread_create(&submitter, NULL, submit_one, engine);
    while (!atomic_load(&in_wake))
        clock_sleep_ns(100000);
    mutex_lock(&engine->lock, RANK_IO);
    ck_assert_ptr_nonnull(engine_next(engine));
    mutex_unlock(&engine->lock);
    pthread_create(&destroyer, NULL, destroy, engine);
    clock_sleep_ns(20000000);
    ck_assert(!atomic_load(&stopped));
    ck_assert_uint_eq(atomic_load(&engine->waking), 1);
    atomic_store(&may_wake, true);
    pthread_join(submitter, NULL);
    pthread_join(destroyer, NULL);
    ck_assert(atomic_load(&stopped));
}
END_TEST

UNIT_MAIN("io", advance_goes_on_by_whole_pages,
          advance_stops_at_errors_and_at_the_end, what_is_written_is_read,
          the_caller_may_move_the_bytes_itself, a_lane_may_move_the_bytes,
          threads_lend_nothing,
          more_than_fit_are_all_done_once, done_may_submit,
          the_end_of_the_file_is_eio_after_what_there_is,
          a_write_error_is_told, without_o_direct_the_page_cache_stays_empty,
          destroy_waits_for_the_last_done_to_return,
          destroy_waits_for_who_has_yet_to_wake_the_backend,
          eight_threads_read_what_they_wrote)

/* test_ring_read.c - reads from a swap file on the ring of a request: its entry is
 * told of once, when the last of them is over. */
#include "ring.h"

#include "swap.h"
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_WRITE (128u * 1024)
enum { BLOCKS = 512, PAGES = 8 };

static struct arena *arena;
static struct swap *swap;
static struct request_pool *requests;
static struct ring ring;
static struct ring_entry entry;
static uint8_t *memory;

struct one {
    struct swap_io io;
    struct iovec iov[2];
    int done, err;
};

static void done(struct swap_io *io, int err)
{
    struct one *one = container_of(io, struct one, io);

    one->done++;
    one->err = err;
}

/* Two pages of memory from page `at` on, in so many pieces. */
static void one_set(struct one *one, enum swap_io_op op, uint32_t block,
                    uint32_t at, uint32_t pieces)
{
    uint8_t *to = memory + at * PAGE_SIZE;

    *one = (struct one){
        .io = { .op = op, .block = block, .nr = 2, .iov = one->iov,
                .iov_count = pieces, .done = done },
        .iov = { { to, (pieces == 1 ? 2 : 1) * PAGE_SIZE },
                 { to + PAGE_SIZE, PAGE_SIZE } },
    };
}

static void write_blocks(uint32_t first)
{
    for (uint32_t i = 0; i < PAGES; i += 2) {
        struct one one;

        one_set(&one, SWAP_IO_WRITE, first + i, i, 1);
        swap_run(swap, &one.io);
        ck_assert_int_eq(one.err, 0);
        ck_assert_int_eq(one.done, 1);
    }
}

/* The first of the blocks that hold what memory held; false: no ring here. */
static bool start(uint32_t *first)
{
    char message[SWAP_MESSAGE_BYTES];
    struct swap_file file;
    uint32_t got;

    ring = (struct ring){ .depth = 1 };
    if (io_uring_queue_init(RING_READS + 2, &ring.io, IORING_SETUP_SQE128) != 0)
        return false;
    ck_assert_int_eq(arena_create(&arena, 1 << 20), 0);
    ck_assert_int_eq(swap_file_open(&file, "/var/tmp", BLOCKS, message), 0);
    ck_assert_int_eq(swap_create(&swap, &file, arena, 4), 0);
    ck_assert_int_eq(swap_grow(swap, BLOCKS, &got), 0);
    ck_assert_int_eq(swap_alloc(swap, BLOCK_NONE, PAGES, first, &got), 0);
    ck_assert_uint_eq(got, PAGES);
    ck_assert_int_eq(request_pool_create(&requests, NULL, 1, MAX_WRITE), 0);
    ring_entry_init(&entry, &ring, request_get(requests), MAX_WRITE);
    ck_assert_ptr_eq(entry.rq->lane, &entry.lane);
    memory = aligned_alloc(PAGE_SIZE, PAGES * PAGE_SIZE);
    ck_assert_ptr_nonnull(memory);
    for (uint32_t i = 0; i < PAGES; i++)
        memset(memory + i * PAGE_SIZE, (int)i + 1, PAGE_SIZE);
    write_blocks(*first);
    memset(memory, 0, PAGES * PAGE_SIZE);
    return true;
}

static void stop(uint32_t first)
{
    swap_free(swap, first, PAGES);
    free(memory);
    request_pool_destroy(requests);
    swap_destroy(swap);
    arena_destroy(arena);
    io_uring_queue_exit(&ring.io);
}

/* The next completion, which is a read's: the entry, when it was the last. */
static struct ring_entry *next_over(void)
{
    struct io_uring_cqe *cqe;
    uint64_t data;
    int result;

    ck_assert_int_eq(io_uring_wait_cqe(&ring.io, &cqe), 0);
    data = cqe->user_data;
    result = cqe->res;
    io_uring_cqe_seen(&ring.io, cqe);
    ck_assert(ring_read_is(data));
    return ring_read_over(data, result);
}

START_TEST(the_last_of_them_tells)
{
    struct one one[RING_READS];
    uint32_t first;

    if (!start(&first))
        return;
    if (!swap_lends(swap, first)) {
        stop(first);
        return;
    }
    for (uint32_t i = 0; i < RING_READS; i++) {
        one_set(&one[i], SWAP_IO_READ, first + 2 * i, 2 * i, 1 + i % 2);
        ck_assert(swap_begin(swap, &one[i].io, &entry.lane));
    }
    ck_assert_uint_eq(entry.lane.room, 0);
    ck_assert_int_eq(io_uring_submit(&ring.io), RING_READS);
    for (uint32_t i = 0; i < RING_READS; i++) {
        struct ring_entry *over = next_over();

        ck_assert_ptr_eq(over, i + 1 < RING_READS ? NULL : &entry);
    }
    ck_assert_uint_eq(entry.lane.room, RING_READS);
    for (uint32_t i = 0; i < RING_READS; i++) {
        ck_assert_int_eq(one[i].done, 1);
        ck_assert_int_eq(one[i].err, 0);
    }
    for (uint32_t i = 0; i < PAGES; i++) {
        ck_assert_int_eq(memory[i * PAGE_SIZE], i + 1);
        ck_assert_int_eq(memory[(i + 1) * PAGE_SIZE - 1], i + 1);
    }
    stop(first);
}
END_TEST

/* What is left of a short or interrupted one is begun anew, and nobody is told. */
START_TEST(the_rest_is_begun_on_the_ring)
{
    struct one one;
    uint32_t first;

    if (!start(&first))
        return;
    if (!swap_lends(swap, first)) {
        stop(first);
        return;
    }
    one_set(&one, SWAP_IO_READ, first, 0, 2);
    ck_assert(swap_begin(swap, &one.io, &entry.lane));
    ck_assert_ptr_null(ring_read_over((uintptr_t)&one.io | 1, -EINTR));
    ck_assert_ptr_null(ring_read_over((uintptr_t)&one.io | 1, PAGE_SIZE));
    ck_assert_uint_eq(one.io.iov_count, 1);
    ck_assert_ptr_eq(ring_read_over((uintptr_t)&one.io | 1, -EIO), &entry);
    ck_assert_int_eq(one.err, -EIO);
    stop(first);
}
END_TEST

START_TEST(entries_are_told_from_reads)
{
    ck_assert(!ring_read_is(0));
    ck_assert(!ring_read_is((uintptr_t)&entry));
}
END_TEST

UNIT_MAIN("ring_read", the_last_of_them_tells, the_rest_is_begun_on_the_ring,
          entries_are_told_from_reads)

/* test_ring_entry.c - a request of a ring becomes the message that /dev/fuse
 * gives, and its answer lies where the kernel looks for it. */
#include "ring.h"

#include "arena_copy.h"
#include "bits.h"
#include "message.h"
#include "session.h"
#include "unit.h"

#include <errno.h>
#include <string.h>

#define MAX_WRITE (128u * 1024)

enum { FRAMES = 256 };

static struct session session;
static struct ring ring = { .session = &session };
static struct request_pool *requests;
static struct ring_entry entry;
static uint8_t bytes[MAX_WRITE];

static void start(void)
{
    ck_assert_int_eq(request_pool_create(&requests, NULL, 1, MAX_WRITE), 0);
    ck_assert_int_eq(arena_create(&session.arena, FRAMES * (PAGE_SIZE + 32)), 0);
    ring_entry_init(&entry, &ring, request_get(requests), MAX_WRITE);
    ck_assert_ptr_eq(entry.rq->entry, &entry);
    for (unsigned i = 0; i < MAX_WRITE; i++)
        bytes[i] = (uint8_t)(i * 7 + i / 251);
}

static void stop(void)
{
    request_pool_destroy(requests);
    arena_destroy(session.arena);
}

/* As the kernel fills an entry. */
static void fill(uint32_t opcode, const void *fixed, size_t fixed_bytes,
                 const void *payload, size_t payload_bytes)
{
    struct fuse_in_header in = {
        .len = (uint32_t)(sizeof(in) + fixed_bytes + payload_bytes),
        .opcode = opcode,
        .unique = 42,
        .nodeid = 1,
    };

    memcpy(entry.header->in_out, &in, sizeof(in));
    memcpy(entry.header->op_in, fixed, fixed_bytes);
    memcpy(entry.where[1].iov_base, payload, payload_bytes);
    entry.header->payload_size = (uint32_t)payload_bytes;
}

static struct fuse_out_header answered(void)
{
    struct fuse_out_header out;

    memcpy(&out, entry.header->in_out, sizeof(out));
    ck_assert_uint_eq(out.len, sizeof(out) + entry.header->payload_size);
    ck_assert_uint_eq(out.unique, 42);
    return out;
}

START_TEST(test_name_only)
{
    size_t got;

    start();
    fill(FUSE_LOOKUP, "", 0, "name", 5);
    ck_assert_int_eq(ring_entry_take(&entry, &got), 0);
    ck_assert_uint_eq(got, sizeof(struct fuse_in_header) + 5);
    ck_assert(message_valid(entry.rq->message, got));
    ck_assert_str_eq(request_argument(entry.rq), "name");
    ck_assert_int_eq(answered().error, -EIO);
    stop();
}
END_TEST

START_TEST(test_write_stays)
{
    struct fuse_write_in in = { .fh = 3, .offset = 8192, .size = MAX_WRITE };
    const struct fuse_write_in *taken;
    size_t got;

    start();
    fill(FUSE_WRITE, &in, sizeof(in), bytes, MAX_WRITE);
    ck_assert_int_eq(ring_entry_take(&entry, &got), 0);
    ck_assert_uint_eq(got, REQUEST_HEAD + MAX_WRITE);
    ck_assert(message_valid(entry.rq->message, got));
    taken = request_argument(entry.rq);
    ck_assert_uint_eq(taken->offset, 8192);
    ck_assert_ptr_eq(taken + 1, entry.where[1].iov_base);
    ck_assert_uint_eq((uintptr_t)(taken + 1) % PAGE_SIZE, 0);
    ck_assert_int_eq(memcmp(taken + 1, bytes, MAX_WRITE), 0);
    stop();
}
END_TEST

/* Every size of the fixed part, next to every kind of payload. */
START_TEST(test_all_sizes)
{
    start();
    for (size_t fixed = 0; fixed <= 128; fixed += 8)
        for (size_t payload = 0; payload <= MAX_WRITE;
             payload = payload * 2 + 1) {
            size_t got;

            fill(FUSE_SETATTR, bytes, fixed, bytes, payload);
            ck_assert_int_eq(ring_entry_take(&entry, &got), 0);
            ck_assert_uint_eq(got,
                              sizeof(struct fuse_in_header) + fixed + payload);
            ck_assert_uint_eq(request_header(entry.rq)->len, got);
            ck_assert_int_eq(
                memcmp(request_argument(entry.rq), bytes, fixed), 0);
            ck_assert_int_eq(
                memcmp((const uint8_t *)request_argument(entry.rq) + fixed,
                       bytes, payload), 0);
        }
    stop();
}
END_TEST

START_TEST(test_impossible)
{
    struct fuse_in_header in = { .len = sizeof(in) - 1, .unique = 42 };
    size_t got;

    start();
    fill(FUSE_LOOKUP, "", 0, "name", 5);
    memcpy(entry.header->in_out, &in, sizeof(in));
    ck_assert_int_eq(ring_entry_take(&entry, &got), -EPROTO);
    ck_assert_int_eq(answered().error, -EIO);
    fill(FUSE_LOOKUP, "", 0, "name", 5);
    entry.header->payload_size = MAX_WRITE + 1;
    ck_assert_int_eq(ring_entry_take(&entry, &got), -EPROTO);
    fill(FUSE_LOOKUP, "", 0, "name", 5);
    in.len = sizeof(in) + 128 + 5 + 1;
    memcpy(entry.header->in_out, &in, sizeof(in));
    ck_assert_int_eq(ring_entry_take(&entry, &got), -EPROTO);
    stop();
}
END_TEST

/* Scattered, and in place; together no more than there is room for. */
START_TEST(test_answer)
{
    struct fuse_out_header out = { .unique = 42 };
    uint8_t *payload;
    struct iovec iov[3] = { { &out, sizeof(out) }, { bytes + 100, 50 },
                            { bytes + 10, 5000 } };

    start();
    payload = entry.where[1].iov_base;
    out.len = sizeof(out) + 5050;
    ck_assert_int_eq(ring_entry_answer(&entry, iov, 3), 0);
    ck_assert_uint_eq(answered().len, out.len);
    ck_assert_int_eq(memcmp(payload, bytes + 100, 50), 0);
    ck_assert_int_eq(memcmp(payload + 50, bytes + 10, 5000), 0);
    memcpy(payload, bytes + 5, 300);
    iov[1] = (struct iovec){ payload, 300 };
    out.len = sizeof(out) + 300;
    ck_assert_int_eq(ring_entry_answer(&entry, iov, 2), 0);
    ck_assert_int_eq(memcmp(payload, bytes + 5, 300), 0);
    /* From further on in the same memory. */
    memcpy(payload + 100, bytes + 7, 300);
    iov[1].iov_base = payload + 100;
    ck_assert_int_eq(ring_entry_answer(&entry, iov, 2), 0);
    ck_assert_int_eq(memcmp(payload, bytes + 7, 300), 0);
    out.len = sizeof(out);
    out.error = -ENOENT;
    ck_assert_int_eq(ring_entry_answer(&entry, iov, 1), 0);
    ck_assert_int_eq(answered().error, -ENOENT);
    ck_assert_uint_eq(entry.header->payload_size, 0);
    out.len = sizeof(out) + MAX_WRITE + 1;
    ck_assert_int_eq(ring_entry_answer(&entry, iov, 2), -EINVAL);
    stop();
}
END_TEST

/* What a file has in frames, touched or not. */
START_TEST(test_answer_from_frames)
{
    enum { NR = 20 };
    struct fuse_out_header out = { .unique = 42 };
    struct iovec iov[NR + 1] = { { &out, sizeof(out) } };
    uint32_t frames[NR];

    start();
    ck_assert(arena_frames_alloc(session.arena, NR, 0, frames));
    for (uint32_t i = 0; i < NR; i++) {
        uint8_t *frame = arena_frame_ptr(session.arena, frames[i]);
        uint32_t skip = i == 0 ? 100 : 0;

        memcpy(frame, bytes + i * PAGE_SIZE, PAGE_SIZE);
        iov[1 + i] = (struct iovec){ frame + skip, PAGE_SIZE - skip };
    }
    out.len = (uint32_t)sizeof(out) + NR * PAGE_SIZE - 100;
    for (unsigned dear = 0; dear < 2; dear++) {
        session.arena->touch_is_dear = dear;
        memset(entry.where[1].iov_base, 0, NR * PAGE_SIZE);
        ck_assert_int_eq(ring_entry_answer(&entry, iov, NR + 1), 0);
        ck_assert_uint_eq(answered().len, out.len);
        ck_assert_int_eq(memcmp(entry.where[1].iov_base, bytes + 100,
                                NR * PAGE_SIZE - 100), 0);
        ck_assert(!arena_is_touched(session.arena, frames[7]));
    }
    arena_frames_free(session.arena, NR, frames);
    stop();
}
END_TEST

UNIT_MAIN("ring_entry", test_name_only, test_write_stays, test_all_sizes,
          test_impossible, test_answer, test_answer_from_frames)

/* test_message.c - no message makes a decoder leave its buffer, and INIT agrees
 * to exactly what we can keep. */
#include "message.h"

#include "unit.h"

#include <fcntl.h>
#include <string.h>

enum { ROOM = 256 };

static union {
    struct fuse_in_header in;
    uint8_t bytes[ROOM];
} message;

/* A message of `opcode` with `fixed` zero bytes and then `tail`. */
static size_t make(uint32_t opcode, size_t fixed, const char *tail,
                   size_t bytes)
{
    size_t total = sizeof(message.in) + fixed + bytes;

    memset(&message, 0, sizeof(message));
    message.in =
        (struct fuse_in_header){ .len = (uint32_t)total, .opcode = opcode };
    memcpy(message.bytes + sizeof(message.in) + fixed, tail, bytes);
    return total;
}

START_TEST(test_names)
{
    size_t total = make(FUSE_LOOKUP, 0, "name", 5);

    ck_assert(message_valid(&message, total));
    message.in.len = (uint32_t)--total; /* without its NUL */
    ck_assert(!message_valid(&message, total));
    total = make(FUSE_SYMLINK, 0, "a\0b", 4);
    ck_assert(message_valid(&message, total));
    total = make(FUSE_SYMLINK, 0, "a\0b", 3);
    ck_assert(!message_valid(&message, total));
    total = make(FUSE_RENAME2, sizeof(struct fuse_rename2_in), "x", 2);
    ck_assert(!message_valid(&message, total));
}
END_TEST

START_TEST(test_lengths)
{
    size_t total = make(FUSE_GETATTR, sizeof(struct fuse_getattr_in), "", 0);

    ck_assert(message_valid(&message, total));
    ck_assert(!message_valid(&message, total + 1));
    message.in.len = (uint32_t)--total;
    ck_assert(!message_valid(&message, total));
    message.in.len = 8;
    ck_assert(!message_valid(&message, 8));
    ck_assert(!message_valid(&message, 0));
}
END_TEST

START_TEST(test_promised_data)
{
    struct fuse_write_in *write = (void *)(message.bytes + sizeof(message.in));
    struct fuse_batch_forget_in *forget = (void *)write;
    size_t total = make(FUSE_WRITE, sizeof(*write), "12345678", 8);

    write->size = 8;
    ck_assert(message_valid(&message, total));
    write->size = 9;
    ck_assert(!message_valid(&message, total));
    write->size = UINT32_MAX;
    ck_assert(!message_valid(&message, total));
    total = make(FUSE_BATCH_FORGET, sizeof(*forget) + 32, "", 0);
    forget->count = 2;
    ck_assert(message_valid(&message, total));
    forget->count = 3;
    ck_assert(!message_valid(&message, total));
    forget->count = 1u << 28; /* times 16 is 2^32 */
    ck_assert(!message_valid(&message, total));
}
END_TEST

START_TEST(test_unknown)
{
    static const uint32_t unknown[] = { 0, 7, 19, 48, 54, 4096, UINT32_MAX };

    for (size_t i = 0; i < sizeof(unknown) / sizeof(unknown[0]); i++) {
        size_t total = make(unknown[i], 64, "", 0);

        ck_assert_msg(!message_valid(&message, total), "opcode %u", unknown[i]);
    }
}
END_TEST

START_TEST(test_lanes)
{
    make(FUSE_WRITE, 0, "", 0);
    ck_assert_int_eq(message_lane(&message), MESSAGE_WRITES);
    make(FUSE_CREATE, 0, "", 0);
    ck_assert_int_eq(message_lane(&message), MESSAGE_WRITES);
    make(FUSE_READ, 0, "", 0);
    ck_assert_int_eq(message_lane(&message), MESSAGE_READS);
    make(FUSE_GETATTR, 0, "", 0);
    ck_assert_int_eq(message_lane(&message), MESSAGE_READS);
    make(4000, 0, "", 0);
    ck_assert_int_eq(message_lane(&message), MESSAGE_READS);
}
END_TEST

/* Opening is quick, unless it takes the bytes away: writers may be at them. */
START_TEST(test_lane_of_open)
{
    struct fuse_open_in open = { .flags = O_RDWR };

    make(FUSE_OPEN, sizeof(open), "", 0);
    memcpy(message.bytes + sizeof(struct fuse_in_header), &open, sizeof(open));
    ck_assert_int_eq(message_lane(&message), MESSAGE_READS);
    open.flags |= O_TRUNC;
    memcpy(message.bytes + sizeof(struct fuse_in_header), &open, sizeof(open));
    ck_assert_int_eq(message_lane(&message), MESSAGE_WRITES);
}
END_TEST

/* Random bytes after every header: nothing is read beyond the end (that is for
 * the address sanitizer to see, so each is in memory of its own size). */
START_TEST(test_random)
{
    srandom(1);
    for (int i = 0; i < 20000; i++) {
        size_t total = (size_t)random() % 128;
        uint8_t *copy = malloc(total ? total : 1);

        for (size_t b = 0; b < total; b++)
            copy[b] = random() % 3 ? (uint8_t)random() : 0;
        if (total >= sizeof(struct fuse_in_header)) {
            struct fuse_in_header *in = (void *)copy;

            in->len = (uint32_t)total;
            in->opcode = (uint32_t)random() % 60;
        }
        (void)message_valid(copy, total);
        free(copy);
    }
}
END_TEST

static struct fuse_init_out answer(const struct message_init *want,
                                   uint64_t offered)
{
    struct fuse_init_in in = { .major = 7, .minor = 40,
                               .flags = (uint32_t)offered,
                               .flags2 = (uint32_t)(offered >> 32) };
    struct fuse_init_out out = { .flags = UINT32_MAX, .flags2 = UINT32_MAX };

    message_init_answer(want, &in, &out);
    return out;
}

/* Whatever else a kernel may offer, this is agreed to. */
static const uint64_t always =
    FUSE_ASYNC_READ | FUSE_ATOMIC_O_TRUNC | FUSE_EXPORT_SUPPORT |
    FUSE_BIG_WRITES | FUSE_DO_READDIRPLUS | FUSE_READDIRPLUS_AUTO |
    FUSE_PARALLEL_DIROPS | FUSE_MAX_PAGES | FUSE_CACHE_SYMLINKS |
    FUSE_EXPLICIT_INVAL_DATA | FUSE_HANDLE_KILLPRIV_V2 | FUSE_SETXATTR_EXT |
    FUSE_INIT_EXT;
static const uint64_t acl = FUSE_POSIX_ACL | FUSE_DONT_MASK;

static uint64_t agreed(const struct message_init *want)
{
    struct fuse_init_out out = answer(want, UINT64_MAX);

    ck_assert_uint_eq(out.max_write, 128 * 1024);
    ck_assert_uint_eq(out.max_pages, 32);
    return (uint64_t)out.flags2 << 32 | out.flags;
}

/* By default; with cache=none, with -o writeback, with allow_root; without ACLs;
 * and with rings. */
START_TEST(test_init)
{
    struct message_init want = { .max_write = 128 * 1024, .xattr = true,
                                 .idmap = true };
    const uint64_t usual = always | acl | PROTO_ALLOW_IDMAP;

    ck_assert_uint_eq(agreed(&want), usual);
    want.direct_io = true;
    ck_assert_uint_eq(agreed(&want), usual | PROTO_DIRECT_IO_ALLOW_MMAP);
    want.direct_io = false;
    want.writeback = true;
    ck_assert_uint_eq(agreed(&want), usual | FUSE_WRITEBACK_CACHE |
                                         PROTO_DIRECT_IO_ALLOW_MMAP);
    want.writeback = want.idmap = false;
    ck_assert_uint_eq(agreed(&want), always | acl);
    want.xattr = false;
    ck_assert_uint_eq(agreed(&want), always);
    want.ring = true;
    ck_assert_uint_eq(agreed(&want), always | PROTO_OVER_IO_URING);
}
END_TEST

/* The same in figures, beside the names that message.c gives reasons against. */
START_TEST(test_init_words)
{
    struct message_init want = { .max_write = 128 * 1024, .xattr = true,
                                 .idmap = true };
    struct fuse_init_out out = answer(&want, UINT64_MAX);

    ck_assert_uint_eq(out.flags, 0x72d46079);
    ck_assert_uint_eq(out.flags2, 0x100);
    ck_assert(!(out.flags & (FUSE_AUTO_INVAL_DATA | FUSE_ASYNC_DIO |
                             FUSE_WRITEBACK_CACHE | FUSE_HANDLE_KILLPRIV |
                             FUSE_POSIX_LOCKS | FUSE_FLOCK_LOCKS)));
}
END_TEST

START_TEST(test_init_takes_only_offers)
{
    struct message_init want = { .max_write = 1 << 20, .xattr = true,
                                 .direct_io = true };
    struct fuse_init_out out = answer(&want, 0);

    ck_assert_uint_eq(out.flags, 0);
    ck_assert_uint_eq(out.flags2, 0);
    /* The upper half counts only if it was announced. */
    out = answer(&want, PROTO_DIRECT_IO_ALLOW_MMAP | FUSE_ASYNC_READ);
    ck_assert_uint_eq(out.flags, FUSE_ASYNC_READ);
    ck_assert_uint_eq(out.flags2, 0);
}
END_TEST

UNIT_MAIN("message", test_names, test_lengths, test_promised_data, test_unknown,
          test_lanes, test_lane_of_open, test_random, test_init, test_init_words,
          test_init_takes_only_offers)

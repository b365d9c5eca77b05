/* test_serve.c - every request gets its one answer: at once, by a worker, after
 * a wait for space, or as nonsense. */
#include "allocations.h"
#include "fake_kernel.h"
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

static struct kernel kernel;

static void start(void)
{
    kernel_start(&kernel, "pagerfs -o ram=16m,size=0,swap=none /mnt");
}

START_TEST(test_nonsense)
{
    uint64_t unique;

    start();
    ck_assert_int_eq(kernel_call(&kernel, 4000, 1, NULL, 0, "x", 2), -ENOSYS);
    ck_assert_int_eq(kernel_call(&kernel, FUSE_POLL, 1, NULL, 0, NULL, 0),
                     -ENOSYS);
    unique = kernel_send(&kernel, FUSE_MKDIR, 1, NULL, 0, "short", 5);
    ck_assert_uint_eq(kernel_receive(&kernel), unique);
    ck_assert_int_ne(kernel.reply.out.error, 0);
    ck_assert_int_eq(kernel_call(&kernel, FUSE_STATFS, 1, NULL, 0, NULL, 0), 0);
    kernel_stop(&kernel);
}
END_TEST

/* An interrupt for something that is not in work is to come again. */
START_TEST(test_interrupt)
{
    struct fuse_interrupt_in in = { .unique = 12345 };

    start();
    ck_assert_int_eq(CALL(&kernel, FUSE_INTERRUPT, 0, in, NULL, 0), -EAGAIN);
    kernel_stop(&kernel);
}
END_TEST

/* Two readers and the workers at once; every reply belongs to its request. */
START_TEST(test_many_at_once)
{
    enum { MANY = 64 };
    uint64_t first = 0, last = 0;
    struct fuse_getattr_in in = { 0 };

    start();
    for (int i = 0; i < MANY; i++) {
        last = kernel_send(&kernel, FUSE_GETATTR, 1, &in, sizeof(in), NULL, 0);
        first = first ? first : last;
    }
    for (int i = 0; i < MANY; i++) {
        uint64_t unique = kernel_receive(&kernel);

        ck_assert(unique >= first && unique <= last);
        ck_assert_int_eq(kernel.reply.out.error, 0);
    }
    kernel_stop(&kernel);
}
END_TEST

/* A full file system whose one deleted file is still open, and known. */
struct orphan {
    uint64_t id;
    struct fuse_release_in release;
};

static struct orphan full_with_orphan(void)
{
    struct orphan orphan = { 0 };

    kernel_start(&kernel,
                 "pagerfs -o ram=16m,swap=none,size=0,nr_inodes=2 /mnt");
    orphan.id = kernel_create(&kernel, "old", &orphan.release.fh).nodeid;
    ck_assert_int_eq(kernel_call(&kernel, FUSE_UNLINK, 1, NULL, 0, "old", 4),
                     0);
    return orphan;
}

static void release(const struct orphan *orphan)
{
    ck_assert_int_eq(CALL(&kernel, FUSE_RELEASE, orphan->id, orphan->release,
                          NULL, 0), 0);
}

static void forget(const struct orphan *orphan)
{
    struct fuse_forget_in in = { .nlookup = 1 };

    kernel_send(&kernel, FUSE_FORGET, orphan->id, &in, sizeof(in), NULL, 0);
}

static uint64_t send_mkdir(void)
{
    struct fuse_mkdir_in in = { .mode = 0755 };

    return kernel_send(&kernel, FUSE_MKDIR, 1, &in, sizeof(in), "new", 4);
}

static void answered(uint64_t unique, int error)
{
    ck_assert_uint_eq(kernel_receive(&kernel), unique);
    ck_assert_int_eq(kernel.reply.out.error, error);
}

START_TEST(test_space_comes_with_forget)
{
    struct orphan orphan = full_with_orphan();
    uint64_t unique;

    release(&orphan);
    unique = send_mkdir();
    ck_assert(kernel_silent(&kernel));
    ck_assert_int_eq(kernel_call(&kernel, FUSE_STATFS, 1, NULL, 0, NULL, 0), 0);
    forget(&orphan);
    answered(unique, 0);
    kernel_stop(&kernel);
}
END_TEST

/* close(2) has returned, and the kernel tells us so behind the next call. */
START_TEST(test_space_comes_with_release)
{
    struct orphan orphan = full_with_orphan();
    uint64_t unique = send_mkdir();

    release(&orphan);
    forget(&orphan);
    answered(unique, 0);
    kernel_stop(&kernel);
}
END_TEST

START_TEST(test_space_does_not_come)
{
    struct orphan orphan = full_with_orphan();

    answered(send_mkdir(), -ENOSPC); /* open */
    release(&orphan);
    answered(send_mkdir(), -ENOSPC); /* known */
    kernel_stop(&kernel);
}
END_TEST

/* Random bytes for every operation, with ids and handles that are real, stale
 * or made up: whatever is answered, the session lives and still serves. */
static void send_nonsense(const uint64_t *ids, const uint64_t *fhs, unsigned nr)
{
    uint64_t body[32];
    uint32_t opcode = (uint32_t)random() % 56;
    size_t bytes = (size_t)random() % sizeof(body);

    for (size_t i = 0; i < 32; i++) {
        switch (random() % 4) {
        case 0:
            body[i] = ids[(size_t)random() % nr];
            break;
        case 1:
            body[i] = fhs[(size_t)random() % nr];
            break;
        case 2:
            body[i] = (uint64_t)random() % 9000;
            break;
        default:
            body[i] = (uint64_t)random() << 33 ^ (uint64_t)random();
        }
    }
    if (random() % 2)
        ((char *)body)[sizeof(body) - 1] = '\0';
    kernel_send(&kernel, opcode, ids[(size_t)random() % nr], body, bytes,
                "x\0y", 4);
}

START_TEST(test_random_messages)
{
    enum { NODES = 8, MESSAGES = 30000 };
    uint64_t ids[NODES + 3] = { [NODES] = 1, 2, UINT64_MAX };
    uint64_t fhs[NODES + 3] = { [NODES] = 0, 1, UINT64_MAX };
    char name[8];
    uint64_t last;

    start();
    srandom(2);
    for (unsigned i = 0; i < NODES; i++) {
        snprintf(name, sizeof(name), "f%u", i);
        ids[i] = kernel_create(&kernel, name, &fhs[i]).nodeid;
    }
    for (unsigned i = 0; i < MESSAGES; i++) {
        send_nonsense(ids, fhs, NODES + 3);
        while (kernel_pending(&kernel))
            kernel_receive(&kernel);
    }
    /* Some that wait for space may be answered only now. */
    last = kernel_send(&kernel, FUSE_STATFS, 1, NULL, 0, NULL, 0);
    while (kernel_receive(&kernel) != last)
        ;
    ck_assert_int_eq(kernel.reply.out.error, 0);
    kernel_stop(&kernel);
}
END_TEST

/* --- what is allocated ---------------------------------------------------- */

static uint64_t allocated(void)
{
    return atomic_load(&nr_allocations);
}

/* All that programs do by the hundred thousand, with one file. */
static void live(const char *name)
{
    static const char data[100000] = "data";
    struct fuse_getattr_in getattr = { 0 };
    struct fuse_setattr_in chmod = { .valid = FATTR_MODE, .mode = 0600 };
    struct fuse_setattr_in cut = { .valid = FATTR_SIZE, .size = 4097 };
    struct fuse_getxattr_in getxattr = { .size = 64 };
    struct fuse_open_in open = { .flags = O_RDWR };
    struct fuse_release_in release = { 0 };
    struct fuse_rename_in rename = { .newdir = 1 };
    struct fuse_rename2_in rename2 = { .newdir = 1 };
    struct fuse_forget_in forget = { .nlookup = 2 };
    struct fuse_open_out opened;
    size_t bytes = strlen(name) + 1;
    char names[64];
    uint64_t id, fh;

    snprintf(names, sizeof(names), "%s%c%s+", name, 0, name);
    id = kernel_create(&kernel, name, &fh).nodeid;
    ck_assert_int_eq(kernel_write(&kernel, id, fh, 0, data, sizeof(data), 0),
                     0);
    ck_assert_int_eq(kernel_write(&kernel, id, fh, 300, data, 5, 0), 0);
    ck_assert_int_eq(kernel_read(&kernel, id, fh, 0, sizeof(data)), 0);
    ck_assert_int_eq(CALL(&kernel, FUSE_SETATTR, id, cut, NULL, 0), 0);
    release.fh = fh;
    ck_assert_int_eq(CALL(&kernel, FUSE_RELEASE, id, release, NULL, 0), 0);
    ck_assert_int_eq(kernel_call(&kernel, FUSE_LOOKUP, 1, NULL, 0, name, bytes),
                     0);
    ck_assert_int_eq(CALL(&kernel, FUSE_GETATTR, id, getattr, NULL, 0), 0);
    ck_assert_int_eq(CALL(&kernel, FUSE_SETATTR, id, chmod, NULL, 0), 0);
    ck_assert_int_eq(CALL(&kernel, FUSE_GETXATTR, id, getxattr, "user.a", 7),
                     -ENODATA);
    ck_assert_int_eq(CALL(&kernel, FUSE_OPEN, id, open, NULL, 0), 0);
    memcpy(&opened, kernel.reply.data, sizeof(opened));
    release.fh = opened.fh;
    ck_assert_int_eq(CALL(&kernel, FUSE_RELEASE, id, release, NULL, 0), 0);
    ck_assert_int_eq(CALL(&kernel, FUSE_RENAME, 1, rename, names, 2 * bytes + 1),
                     0);
    snprintf(names, sizeof(names), "%s+%c%s", name, 0, name);
    ck_assert_int_eq(CALL(&kernel, FUSE_RENAME2, 1, rename2, names,
                          2 * bytes + 1), 0);
    ck_assert_int_eq(kernel_call(&kernel, FUSE_UNLINK, 1, NULL, 0, name, bytes),
                     0);
    ck_assert_int_eq(kernel_call(&kernel, FUSE_LOOKUP, 1, NULL, 0, name, bytes),
                     0);
    kernel_send(&kernel, FUSE_FORGET, id, &forget, sizeof(forget), NULL, 0);
}

/* The rings use the same session_serve.  What else allocates nothing is in
 * test_launder.c. */
START_TEST(test_frequent_requests_allocate_nothing)
{
    uint64_t before;
    char name[16];

    allocates_freely = true; /* this thread is the kernel */
    start();
    before = allocated();
    for (unsigned i = 0; i < 200; i++) {
        snprintf(name, sizeof(name), "file%u", i);
        live(name);
    }
    ck_assert_uint_eq(allocated(), before);
    kernel_stop(&kernel);
}
END_TEST

/* libfuse decodes these, and makes one struct each time that one is tried; we make
 * nothing. */
START_TEST(test_rare_requests_allocate_what_libfuse_does)
{
    struct fuse_mkdir_in mkdir = { .mode = 0755 };
    struct fuse_open_in opendir = { .flags = O_RDONLY | O_DIRECTORY };
    struct fuse_read_in readdir = { .size = 4096 };
    struct fuse_release_in releasedir = { 0 };
    struct fuse_open_out opened;
    uint64_t before;

    allocates_freely = true;
    start();
    before = allocated();
    ck_assert_int_eq(kernel_call(&kernel, FUSE_STATFS, 1, NULL, 0, NULL, 0), 0);
    ck_assert_int_eq(CALL(&kernel, FUSE_MKDIR, 1, mkdir, "dir", 4), 0);
    ck_assert_int_eq(CALL(&kernel, FUSE_OPENDIR, 1, opendir, NULL, 0), 0);
    memcpy(&opened, kernel.reply.data, sizeof(opened));
    readdir.fh = releasedir.fh = opened.fh;
    ck_assert_int_eq(CALL(&kernel, FUSE_READDIR, 1, readdir, NULL, 0), 0);
    ck_assert_int_eq(CALL(&kernel, FUSE_READDIRPLUS, 1, readdir, NULL, 0), 0);
    ck_assert_int_eq(CALL(&kernel, FUSE_RELEASEDIR, 1, releasedir, NULL, 0), 0);
    ck_assert_int_eq(kernel_call(&kernel, FUSE_RMDIR, 1, NULL, 0, "dir", 4), 0);
    ck_assert_uint_eq(allocated() - before, COUNTING ? 7 : 0);
    kernel_stop(&kernel);
}
END_TEST

UNIT_MAIN("serve", test_nonsense, test_interrupt, test_many_at_once,
          test_space_comes_with_forget, test_space_comes_with_release,
          test_space_does_not_come, test_random_messages, test_frequent_requests_allocate_nothing,
          test_rare_requests_allocate_what_libfuse_does)

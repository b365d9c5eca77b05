/* test_transport.c - whatever refuses a ring, requests are served all the same,
 * unless nothing but rings was asked for.  (That rings serve takes a kernel:
 * tests/mount/transports.sh.) */
#include "transport.h"

#include "fake_kernel.h"
#include "sanitized.h"
#include "unit.h"

#include <liburing.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

static struct kernel kernel;

/* scripts/test tells what was skipped. */
static void skipped(const char *test, const char *why)
{
    const char *path = getenv("SKIP_LOG");
    FILE *log = path ? fopen(path, "a") : NULL;

    fprintf(log ? log : stderr, "test_transport, %s: %s\n", test, why);
    if (log)
        fclose(log);
}

static bool rings_can_be_had(const char *test)
{
    struct io_uring ring;
    int err = io_uring_queue_init(8, &ring,
                                  IORING_SETUP_SQE128 |
                                      IORING_SETUP_SINGLE_ISSUER |
                                      IORING_SETUP_DEFER_TASKRUN);

    if (err) {
        skipped(test, "no rings here");
        return false;
    }
    io_uring_queue_exit(&ring);
    return true;
}

static bool announced(void)
{
    return (uint64_t)kernel.init.flags2 << 32 & PROTO_OVER_IO_URING;
}

static void serves(void)
{
    uint64_t fh, id = kernel_create(&kernel, "file", &fh).nodeid;

    ck_assert_int_eq(kernel_write(&kernel, id, fh, 0, "abc", 3, 0), 0);
    ck_assert_int_eq(kernel_read(&kernel, id, fh, 0, 3), 0);
    ck_assert_uint_eq(kernel.bytes, 3);
}

START_TEST(test_dev)
{
    kernel_queues = 2;
    kernel_start(&kernel,
                 "pagerfs -o ram=16m,size=0,swap=none,transport=dev /mnt");
    ck_assert(!announced());
    ck_assert_ptr_eq(kernel.session->transport_ops, &transport_dev);
    serves();
    kernel_stop(&kernel);
}
END_TEST

/* The socket of the fake kernel takes no such command: both ways are served. */
START_TEST(test_refused_late)
{
    if (!rings_can_be_had("test_refused_late"))
        return;
    kernel_queues = 2;
    kernel_start(&kernel, "pagerfs -o ram=16m,size=0,swap=none /mnt");
    ck_assert_ptr_eq(kernel.session->transport_ops, &transport_uring);
    ck_assert(announced());
    serves();
    kernel_stop(&kernel);
}
END_TEST

/* No descriptors are left for the rings. */
START_TEST(test_refused_early)
{
    struct rlimit limit, low;

    ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
    low = limit;
    low.rlim_cur = 40;
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &low), 0);
    kernel_queues = 30;
    kernel_start(&kernel, "pagerfs -o ram=64m,size=0,swap=none /mnt");
    setrlimit(RLIMIT_NOFILE, &limit);
    ck_assert(!announced());
    ck_assert_ptr_eq(kernel.session->transport_ops, &transport_dev);
    serves();
    kernel_stop(&kernel);
}
END_TEST

static uint64_t resident_kib(void)
{
    FILE *file = fopen("/proc/self/status", "r");
    unsigned long kib = 0;
    char line[256];

    ck_assert_ptr_nonnull(file);
    while (kib == 0 && fgets(line, sizeof(line), file))
        sscanf(line, "VmRSS: %lu", &kib);
    fclose(file);
    ck_assert_uint_gt(kib, 0);
    return kib;
}

/* A ring, its thread's stack and the heads of its entries, but none of their
 * buffers, of half a MiB each: 40 KiB a queue were measured.  The rest of the mount
 * takes 0.2 MiB, and 1.8 the first time, the process included. */
enum { QUEUES = 64, QUEUE_KIB = 64, MOUNT_KIB = 3072 };

START_TEST(test_many_queues)
{
    uint64_t before, after;

    if (SANITIZED) {
        skipped("test_many_queues", "a sanitizer's memory is not ours");
        return;
    }
    if (!rings_can_be_had("test_many_queues"))
        return;
    before = resident_kib();
    kernel_queues = QUEUES;
    kernel_start(&kernel, "pagerfs -o ram=1g,size=0,swap=none /mnt");
    ck_assert_ptr_eq(kernel.session->transport_ops, &transport_uring);
    ck_assert_uint_eq(kernel.session->queues, QUEUES);
    ck_assert_uint_ge(QUEUES * kernel.session->depth *
                          kernel.session->init.max_write, 64u << 20);
    for (unsigned i = 0; i < 100; i++)
        ck_assert_int_eq(kernel_call(&kernel, FUSE_STATFS, 1, NULL, 0, NULL, 0),
                         0);
    serves();
    after = resident_kib();
    ck_assert_uint_le(after, before + QUEUES * QUEUE_KIB + MOUNT_KIB);
    kernel_stop(&kernel);
}
END_TEST

UNIT_MAIN("transport", test_dev, test_refused_late, test_refused_early,
          test_many_queues)

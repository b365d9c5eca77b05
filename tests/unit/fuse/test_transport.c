/* test_transport.c - whatever refuses a ring, requests are served all the same,
 * unless nothing but rings was asked for.  (That rings serve takes a kernel:
 * tests/mount/transports.sh.) */
#include "transport.h"

#include "fake_kernel.h"
#include "unit.h"

#include <sys/resource.h>

static struct kernel kernel;

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
    kernel_queues = 2;
    kernel_start(&kernel, "pagerfs -o ram=16m,size=0,swap=none /mnt");
    if (kernel.session->transport_ops == &transport_uring)
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

UNIT_MAIN("transport", test_dev, test_refused_late, test_refused_early)

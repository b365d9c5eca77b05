/* test_session.c - a session's beginning and its end. */
#include "session.h"

#include "fake_kernel.h"
#include "unit.h"

#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

static struct kernel kernel;

static void start(void)
{
    kernel_start(&kernel, "pagerfs -o ram=16m,size=0,swap=none /mnt");
}

START_TEST(test_init)
{
    start();
    ck_assert_uint_eq(kernel.init.max_write, 256 * 1024);
    ck_assert(kernel.init.flags & FUSE_PARALLEL_DIROPS);
    ck_assert(kernel.init.flags & FUSE_HANDLE_KILLPRIV_V2);
    ck_assert(!(kernel.init.flags & FUSE_AUTO_INVAL_DATA));
    kernel_stop(&kernel);
}
END_TEST

START_TEST(test_single_thread)
{
    uint64_t fh, id;

    kernel_start(&kernel, "pagerfs -s -o ram=16m,size=0,swap=none /mnt");
    id = kernel_create(&kernel, "file", &fh).nodeid;
    ck_assert_int_eq(kernel_write(&kernel, id, fh, 0, "abc", 3, 0), 0);
    ck_assert_int_eq(kernel_read(&kernel, id, fh, 0, 3), 0);
    ck_assert_uint_eq(kernel.bytes, 3);
    kernel_stop(&kernel);
}
END_TEST

/* Whoever unmounts: the end of the device ends the wait. */
START_TEST(test_ended)
{
    start();
    shutdown(kernel.fd, SHUT_RDWR);
    ck_assert_int_eq(session_wait(kernel.session), 0);
    kernel_stop(&kernel);
}
END_TEST

START_TEST(test_signal)
{
    start();
    kill(getpid(), SIGTERM);
    ck_assert_int_eq(session_wait(kernel.session), SIGTERM);
    kernel_stop(&kernel);
}
END_TEST

UNIT_MAIN("session", test_init, test_single_thread, test_ended, test_signal)

/* test_ring.c - a ring's thread begins and ends as it is told, whatever the
 * kernel says.  (That it serves takes a kernel: tests/mount/transports.sh.) */
#include "ring.h"

#include "session.h"
#include "threads.h"
#include "unit.h"

#include <sys/eventfd.h>
#include <unistd.h>

enum { DEPTH = 4 };
#define MAX_WRITE (128u * 1024)

static struct session *session;
static struct request_pool *requests;
static struct ring ring;

/* False: this machine allows no rings, and then that is what is told. */
static bool start(void)
{
    int err;

    threads_prepare();
    session = calloc(1, sizeof(*session));
    ck_assert_ptr_nonnull(session);
    session->fd = eventfd(0, EFD_CLOEXEC);
    ck_assert_int_ge(session->fd, 0);
    ck_assert_int_eq(
        request_pool_create(&requests, session, DEPTH, MAX_WRITE), 0);
    err = ring_open(&ring, session, 0, DEPTH, requests, MAX_WRITE);
    ck_assert_int_le(err, 0);
    return err == 0;
}

static void stop(void)
{
    request_pool_destroy(requests);
    close(session->fd);
    free(session);
}

START_TEST(test_never_started)
{
    if (start()) {
        ck_assert_ptr_null(request_get(requests));
        ring_stop(&ring);
        ring_close(&ring);
    }
    stop();
}
END_TEST

/* No eventfd takes such a command. */
START_TEST(test_refused)
{
    if (start()) {
        ck_assert_int_lt(ring_start(&ring), 0);
        atomic_store(&session->stopping, true);
        ring_stop(&ring);
        ring_close(&ring);
    }
    stop();
}
END_TEST

UNIT_MAIN("ring", test_never_started, test_refused)

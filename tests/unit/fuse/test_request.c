/* test_request.c - request buffers: aligned, bounded, used again while warm. */
#include "request.h"

#include "session.h"

#include "unit.h"

enum { NR = 4 };
#define MAX_WRITE (128u * 1024)

static struct request_pool *start(void)
{
    struct request_pool *pool;

    ck_assert_int_eq(request_pool_create(&pool, NULL, NR, MAX_WRITE), 0);
    return pool;
}

START_TEST(test_layout)
{
    struct request_pool *pool = start();
    struct request *requests[NR];

    ck_assert_uint_eq(request_room(pool), MAX_WRITE + REQUEST_HEAD);
    for (unsigned i = 0; i < NR; i++) {
        uint8_t *scratch;
        size_t room;

        requests[i] = request_get(pool);
        ck_assert_ptr_nonnull(requests[i]);
        ck_assert_uint_eq((uintptr_t)(requests[i]->message + REQUEST_HEAD) %
                          PAGE_SIZE, 0);
        /* Both ends can be touched, and nobody else's. */
        requests[i]->message[0] = (uint8_t)i;
        requests[i]->message[request_room(pool) - 1] = (uint8_t)i;
        scratch = request_scratch(pool, requests[i], &room);
        ck_assert_uint_ge(room, 65536);
        ck_assert(scratch + room <=
                  requests[i]->message + request_room(pool));
    }
    ck_assert_ptr_null(request_get(pool));
    for (unsigned i = 0; i < NR; i++) {
        ck_assert_uint_eq(requests[i]->message[0], i);
        ck_assert_uint_eq(requests[i]->message[request_room(pool) - 1], i);
        request_put(pool, requests[i]);
    }
    request_pool_destroy(pool);
}
END_TEST

START_TEST(test_last_used_first)
{
    struct request_pool *pool = start();
    struct request *a = request_get(pool), *b = request_get(pool);

    request_put(pool, a);
    request_put(pool, b);
    ck_assert_ptr_eq(request_get(pool), b);
    ck_assert_ptr_eq(request_get(pool), a);
    request_pool_destroy(pool);
}
END_TEST

START_TEST(test_interrupt)
{
    struct request_pool *pool = start();
    struct request *a = request_get(pool), *b = request_get(pool);

    atomic_store(&a->unique, 10);
    atomic_store(&b->unique, 12);
    ck_assert(!request_interrupt(pool, 14));
    ck_assert(request_interrupt(pool, 12));
    ck_assert(!atomic_load(&a->interrupted));
    ck_assert(atomic_load(&b->interrupted));
    request_pool_destroy(pool);
}
END_TEST

START_TEST(test_given_up)
{
    struct session session = { .stopping = false };
    struct request rq = { .session = &session };

    ck_assert(!request_given_up(&rq));
    atomic_store(&rq.interrupted, true);
    ck_assert(request_given_up(&rq));
    atomic_store(&rq.interrupted, false);
    atomic_store(&session.stopping, true);
    ck_assert(request_given_up(&rq));
}
END_TEST

UNIT_MAIN("request", test_layout, test_last_used_first, test_interrupt,
          test_given_up)

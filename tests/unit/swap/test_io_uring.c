/* test_io_uring.c - used where it is to be had, else done without. */
#include "io.h"

#include "clock.h"
#include "engines.h"
#include "refuse.h"
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

START_TEST(chosen_with_o_direct)
{
    struct engine_place place;

    engine_setup(&place, SWAP_ENGINE_BEST, 1, 4);
    if (place.file.direct)
        ck_assert_str_eq(swap_engine_name(place.engine), "io_uring");
    else
        printf("skipped: no O_DIRECT in %s\n", place.dir);
    engine_teardown(&place);
}
END_TEST

/* Exit status 0 if the engine falls back, and then works. */
static int child_falls_back(unsigned call, unsigned error)
{
    struct engine_place place;
    struct swap_engine *engine;
    uint8_t *page = pages_alloc(1);

    if (!refuse_call(call, error))
        return 2;
    dup2(open("/dev/null", O_WRONLY), STDERR_FILENO);
    engine_setup(&place, SWAP_ENGINE_BEST, 4, 4);
    if (strcmp(swap_engine_name(place.engine), "threads") != 0)
        return 3;
    if (swap_engine_create(&engine, &place.file, SWAP_ENGINE_URING, 4) !=
        -(int)error)
        return 4;
    pages_mark(page, 1, 1, 1);
    if (engine_io(place.engine, SWAP_IO_WRITE, 1, 1, page) != 0)
        return 5;
    engine_teardown(&place);
    free(page);
    return 0;
}

static void falls_back(unsigned call, unsigned error)
{
    pid_t child = fork();
    int status;

    if (child == 0)
        _exit(child_falls_back(call, error));
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_int_eq(status, 0);
}

START_TEST(threads_where_the_ring_is_refused)
{
    falls_back(SYS_io_uring_setup, ENOSYS);
    falls_back(SYS_io_uring_setup, EPERM);
    falls_back(SYS_io_uring_setup, ENOMEM);
}
END_TEST

START_TEST(threads_where_the_ring_may_not_be_used)
{
    falls_back(SYS_io_uring_enter, EPERM);
}
END_TEST

START_TEST(a_sleeping_ring_wakes_each_time)
{
    struct engine_place place;
    uint8_t *page = pages_alloc(1);

    engine_setup(&place, SWAP_ENGINE_URING, 4, 4);
    pages_mark(page, 1, 1, 1);
    for (unsigned i = 0; i < 200; i++) {
        /* Sleep or not: all moments of falling asleep are hit. */
        clock_sleep_ns(i % 20 * 10000);
        ck_assert_int_eq(engine_io(place.engine, SWAP_IO_WRITE, 1, 1, page),
                         0);
    }
    engine_teardown(&place);
    free(page);
}
END_TEST

/* A thread that has submitted may exit: its requests go on. */
static void *submit_and_exit(void *arg)
{
    struct wait_io *w = ((void **)arg)[1];

    swap_engine_submit(((void **)arg)[0], &w->io);
    return NULL;
}

START_TEST(requests_outlive_the_thread_that_submitted)
{
    struct engine_place place;
    uint8_t *pages = pages_alloc(256);
    struct wait_io w;

    engine_setup(&place, SWAP_ENGINE_URING, 256, 4);
    for (uint32_t i = 1; i < 50; i++) {
        void *arg[2] = { place.engine, &w };
        pthread_t thread;

        pages_mark(pages, 0, 256, i);
        wait_io_set(&w, SWAP_IO_WRITE, 0, 256, pages);
        ck_assert_int_eq(pthread_create(&thread, NULL, submit_and_exit, arg),
                         0);
        pthread_join(thread, NULL);
        ck_assert_int_eq(wait_io_result(&w), 0);
    }
    engine_teardown(&place);
    free(pages);
}
END_TEST

UNIT_MAIN("io_uring", chosen_with_o_direct, threads_where_the_ring_is_refused,
          threads_where_the_ring_may_not_be_used,
          a_sleeping_ring_wakes_each_time,
          requests_outlive_the_thread_that_submitted)

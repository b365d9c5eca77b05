/* test_writeback.c - with a writeback cache: who must ask, when, and what is said;
 * through a whole session, with the test as the kernel. */
#include "writeback.h"

#include "fake_kernel.h"
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

enum { DIRTY = 100, MANY = 200, SPARE = 8 };

static struct kernel kernel;
static struct fuse_entry_out entry;
static uint64_t fh;
static uint64_t taken; /* pages that others have */
static uint64_t at;    /* where the next page is written back */

/* With so small a limit as no real kernel has. */
static void start(void)
{
    struct writeback *wb;

    kernel_start(&kernel, "pagerfs -o ram=128m,size=0,swap=none,writeback /mnt");
    wb = &kernel.session->writeback;
    ck_assert_int_eq(wb->limit_fd, -1);
    mutex_lock(&wb->lock, RANK_FUSE);
    wb->dirty = DIRTY;
    mutex_unlock(&wb->lock);
}

static uint64_t writers(void)
{
    struct writeback *wb = &kernel.session->writeback;
    uint64_t nr;

    mutex_lock(&wb->lock, RANK_FUSE);
    nr = wb->nr;
    mutex_unlock(&wb->lock);
    return nr;
}

static void start_with_file(void)
{
    start();
    entry = kernel_create(&kernel, "file", &fh);
}

/* The bound is looked up anew each second, by whoever comes then. */
static uint64_t reserve_of(uint64_t nr)
{
    struct writeback *wb = &kernel.session->writeback;
    uint64_t reserve;

    mutex_lock(&wb->lock, RANK_FUSE);
    reserve = writeback_reserve(wb, nr);
    mutex_unlock(&wb->lock);
    return reserve;
}

static uint64_t room(void)
{
    uint64_t nr = writers();

    return pool_hold(kernel.pool, nr ? reserve_of(nr) : 0);
}

/* Others take all but `left` of the room, which may be some of what is held. */
static void leave(uint64_t left)
{
    uint32_t got, want = (uint32_t)(room() - left);

    pool_use_held(true);
    ck_assert_int_eq(pool_charge(kernel.pool, want, true, &got), 0);
    pool_use_held(false);
    ck_assert_uint_eq(got, want);
    taken += got;
}

static void give_back(uint64_t wanted)
{
    uint64_t nr = wanted - room();

    pool_uncharge(kernel.pool, nr);
    taken -= nr;
}

static void stop(void)
{
    pool_uncharge(kernel.pool, taken);
    kernel_stop(&kernel);
    taken = at = 0;
}

static int getattr(uint32_t flags, uint64_t *valid)
{
    struct fuse_getattr_in in = { .getattr_flags = flags, .fh = fh };
    struct fuse_attr_out out;
    int err = CALL(&kernel, FUSE_GETATTR, entry.nodeid, in, NULL, 0);

    if (err == 0) {
        memcpy(&out, kernel.reply.data, sizeof(out));
        *valid = out.attr_valid;
    }
    return err;
}

static int write_back_a_page(void)
{
    static char page[PAGE_SIZE] = "x";

    return kernel_write(&kernel, entry.nodeid, fh, PAGE_SIZE * at++, page,
                        PAGE_SIZE, FUSE_WRITE_CACHE);
}

static uint32_t flags_of_open(void)
{
    struct fuse_open_in in = { .flags = O_WRONLY };
    struct fuse_open_out out;

    ck_assert_int_eq(CALL(&kernel, FUSE_OPEN, entry.nodeid, in, NULL, 0), 0);
    memcpy(&out, kernel.reply.data, sizeof(out));
    return out.open_flags;
}

START_TEST(in_plenty_it_asks_once)
{
    uint64_t valid;

    start_with_file();
    ck_assert_uint_eq(entry.attr_valid, 0);
    ck_assert_int_eq(getattr(FUSE_GETATTR_FH, &valid), 0);
    ck_assert_uint_eq(valid, REPLY_FOR_EVER);
    ck_assert_int_eq(write_back_a_page(), 0);
    ck_assert(!(flags_of_open() & FOPEN_DIRECT_IO));
    ck_assert_uint_eq(kernel.stale, 0);
    stop();
}
END_TEST

START_TEST(in_short_each_write_asks)
{
    uint64_t reserve, valid;

    start_with_file();
    reserve = reserve_of(1);
    leave(reserve + reserve / 4 + 1);
    ck_assert_int_eq(getattr(FUSE_GETATTR_FH, &valid), 0);
    ck_assert_uint_eq(kernel.stale, 0);
    /* The notice comes before the answer to what made space short. */
    ck_assert_int_eq(write_back_a_page(), 0);
    ck_assert_int_eq(write_back_a_page(), 0);
    ck_assert_uint_eq(kernel.stale, 1);
    ck_assert_uint_eq(kernel.stale_id, entry.nodeid);
    for (unsigned i = 2; i < 5; i++) {
        ck_assert_int_eq(getattr(FUSE_GETATTR_FH, &valid), 0);
        ck_assert_uint_eq(kernel.stale, i);
    }
    ck_assert(flags_of_open() & FOPEN_DIRECT_IO);
    stop();
}
END_TEST

START_TEST(when_full_a_write_is_refused_and_nothing_else)
{
    uint64_t reserve, valid;
    struct fuse_setattr_in set = { .valid = FATTR_MODE, .mode = 0600 };
    struct fuse_attr_out out;

    start_with_file();
    reserve = reserve_of(1);
    leave(reserve + SPARE);
    for (unsigned i = 0; i < 2 * SPARE; i++)
        ck_assert_int_eq(write_back_a_page(), 0);
    ck_assert_int_eq(getattr(FUSE_GETATTR_FH, &valid), -ENOSPC);
    ck_assert_int_eq(getattr(0, &valid), 0);
    ck_assert_int_eq(CALL(&kernel, FUSE_SETATTR, entry.nodeid, set, NULL, 0),
                     0);
    memcpy(&out, kernel.reply.data, sizeof(out));
    ck_assert_uint_eq(out.attr_valid, 0);
    fh = 0; /* a handle that is not cached */
    ck_assert_int_eq(getattr(FUSE_GETATTR_FH, &valid), 0);
    stop();
}
END_TEST

START_TEST(what_was_accepted_fits_and_nobody_else_gets_it)
{
    uint64_t reserve;
    uint32_t got;

    start_with_file();
    reserve = reserve_of(1);
    ck_assert_int_eq(write_back_a_page(), 0);
    leave(reserve);
    ck_assert_int_eq(pool_charge(kernel.pool, 1, true, &got), -ENOSPC);
    ck_assert_int_eq(kernel_write(&kernel, entry.nodeid, fh, 1 << 30, "x", 1,
                                  0), -ENOSPC);
    for (unsigned i = 0; i < DIRTY; i++)
        ck_assert_int_eq(write_back_a_page(), 0);
    ck_assert_int_eq(pool_charge(kernel.pool, 1, true, &got), -ENOSPC);
    stop();
}
END_TEST

START_TEST(without_a_writer_nothing_is_held)
{
    struct fuse_release_in release;
    uint32_t got;

    start_with_file();
    leave(SPARE);
    ck_assert_int_eq(pool_charge(kernel.pool, 1, true, &got), -ENOSPC);
    release = (struct fuse_release_in){ .fh = fh };
    ck_assert_int_eq(CALL(&kernel, FUSE_RELEASE, entry.nodeid, release, NULL,
                          0), 0);
    ck_assert_int_eq(pool_charge(kernel.pool, 1, true, &got), 0);
    taken++;
    ck_assert(flags_of_open() & FOPEN_DIRECT_IO);
    ck_assert_int_eq(pool_charge(kernel.pool, 1, true, &got), 0);
    taken++;
    stop();
}
END_TEST

/* Back only when there is as much again as was kept ahead. */
START_TEST(plenty_comes_back_with_a_distance)
{
    uint64_t reserve, valid;

    start_with_file();
    reserve = reserve_of(1);
    leave(reserve);
    ck_assert_int_eq(write_back_a_page(), 0);
    ck_assert_uint_eq(kernel.stale, 1);
    give_back(reserve + reserve / 4 + SPARE);
    ck_assert_int_eq(getattr(FUSE_GETATTR_FH, &valid), 0);
    ck_assert_uint_eq(kernel.stale, 2);
    give_back(reserve + reserve / 2);
    ck_assert_int_eq(getattr(FUSE_GETATTR_FH, &valid), 0);
    ck_assert_uint_eq(valid, REPLY_FOR_EVER);
    ck_assert_uint_eq(kernel.stale, 2);
    give_back(3 * reserve);
    ck_assert(!(flags_of_open() & FOPEN_DIRECT_IO));
    stop();
}
END_TEST

START_TEST(all_writers_are_told_once)
{
    struct fuse_entry_out made[MANY];
    char name[16];

    start();
    for (unsigned i = 0; i < MANY; i++) {
        snprintf(name, sizeof(name), "%u", i);
        made[i] = kernel_create(&kernel, name, &fh);
        ck_assert_uint_eq(made[i].attr_valid, 0);
    }
    ck_assert_uint_eq(writers(), MANY);
    entry = made[MANY - 1];
    leave(reserve_of(MANY));
    ck_assert_int_eq(write_back_a_page(), 0);
    ck_assert_uint_eq(kernel.stale, MANY);
    ck_assert_int_eq(write_back_a_page(), 0);
    ck_assert_uint_eq(kernel.stale, MANY);
    stop();
}
END_TEST

static _Atomic bool asked, go_on, looked;

static void slow_ask(void *ctx, uint64_t id)
{
    (void)ctx;
    (void)id;
    atomic_store(&asked, true);
    while (!atomic_load(&go_on))
        usleep(1000);
}

static void *answer(void *wb)
{
    writeback_look(wb);
    return NULL;
}

static void *answer_another(void *wb)
{
    writeback_look(wb);
    atomic_store(&looked, true);
    return NULL;
}

/* Who answers a WRITE while another thread is still telling them waits for it. */
START_TEST(nothing_is_answered_before_all_are_told)
{
    struct writeback *wb;
    pthread_t first, second;

    start_with_file();
    wb = &kernel.session->writeback;
    wb->ask = slow_ask;
    leave(reserve_of(1));
    ck_assert_int_eq(pthread_create(&first, NULL, answer, wb), 0);
    while (!atomic_load(&asked))
        usleep(1000);
    ck_assert_int_eq(pthread_create(&second, NULL, answer_another, wb), 0);
    usleep(20000);
    ck_assert(!atomic_load(&looked));
    atomic_store(&go_on, true);
    pthread_join(first, NULL);
    pthread_join(second, NULL);
    ck_assert(atomic_load(&looked));
    stop();
}
END_TEST

/* A file more than there is room for is not cached, and nobody has to ask. */
START_TEST(one_too_many_is_not_cached)
{
    uint64_t valid, nr = 0;

    start_with_file();
    leave(2 * reserve_of(1));
    while (!(flags_of_open() & FOPEN_DIRECT_IO))
        nr++;
    ck_assert_uint_gt(nr, 0);
    ck_assert_uint_eq(writers(), nr + 1);
    ck_assert_int_eq(getattr(FUSE_GETATTR_FH, &valid), 0);
    ck_assert_uint_eq(valid, REPLY_FOR_EVER);
    ck_assert_uint_eq(kernel.stale, 0);
    stop();
}
END_TEST

START_TEST(without_the_option_there_is_none_of_it)
{
    struct fuse_setattr_in set = { .valid = FATTR_MODE, .mode = 0600 };
    struct fuse_attr_out out;

    kernel_start(&kernel, "pagerfs -o ram=16m,size=0,swap=none /mnt");
    entry = kernel_create(&kernel, "file", &fh);
    ck_assert_uint_eq(entry.attr_valid, REPLY_FOR_EVER);
    ck_assert_int_eq(CALL(&kernel, FUSE_SETATTR, entry.nodeid, set, NULL, 0),
                     0);
    memcpy(&out, kernel.reply.data, sizeof(out));
    ck_assert_uint_eq(out.attr_valid, REPLY_FOR_EVER);
    ck_assert(!writeback_is_on(&kernel.session->writeback));
    stop();
}
END_TEST

UNIT_MAIN("writeback", in_plenty_it_asks_once, in_short_each_write_asks,
          when_full_a_write_is_refused_and_nothing_else,
          what_was_accepted_fits_and_nobody_else_gets_it,
          without_a_writer_nothing_is_held, plenty_comes_back_with_a_distance,
          all_writers_are_told_once, nothing_is_answered_before_all_are_told,
          one_too_many_is_not_cached, without_the_option_there_is_none_of_it)

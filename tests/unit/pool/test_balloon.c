/* test_balloon.c - a pool in use gets fewer frames and more: refused or stopped it
 * is as before, and what is in it stays what it was. */
#include "crowd.h"
#include "pool_internal.h"

#include "unit.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>

static struct rig rig;

static void setup(uint32_t frames, uint32_t most, uint32_t blocks,
                  uint32_t owners, uint64_t pages)
{
    rig_up(&rig, &(struct rig_config){ .frames = frames, .frames_most = most,
                                       .blocks = blocks, .owners = owners,
                                       .pages = pages });
}

/* What is paid for so many frames, frame 0, and the table as it is by now. */
static uint64_t bytes(uint32_t frames)
{
    return arena_bytes_for(rig.arena, frames + 1);
}

static int resize(uint32_t frames)
{
    return pool_ram_change(rig.pool, bytes(frames), NULL, NULL);
}

static struct pool_stats stats(void)
{
    struct pool_stats stats;

    pool_stats(rig.pool, &stats);
    return stats;
}

/* What does not move by itself. */
static void expect_same(const struct pool_stats *before)
{
    struct pool_stats after = stats();

    ck_assert_uint_eq(after.frames, before->frames);
    ck_assert_uint_eq(after.min, before->min);
    ck_assert_uint_eq(after.low, before->low);
    ck_assert_uint_eq(after.high, before->high);
    ck_assert_uint_eq(after.metadata_max, before->metadata_max);
    ck_assert_uint_eq(after.used, before->used);
    ck_assert_uint_eq(after.used_max, before->used_max);
    pool_check(rig.pool);
    arena_check(rig.arena);
}

static void verify(uint32_t owner, uint64_t nr)
{
    for (uint64_t i = 0; i < nr; i++)
        ck_assert_int_eq(fake_read(&rig, owner, i, 16, true), 0);
}

static uint32_t resident_pages(void)
{
    struct pool_stats s;

    pool_quiesce(rig.pool);
    s = stats();
    return (uint32_t)(s.reading + s.clean + s.dirty + s.writing);
}

START_TEST(fewer_frames_page_out_what_does_not_fit)
{
    struct pool_stats s;

    setup(3000, 0, 8192, 1, 4000);
    for (uint64_t i = 0; i < 2500; i++)
        ck_assert_int_eq(fake_write(&rig, 1, i, 3, true), 0);
    ck_assert_uint_ge(resident_pages(), 2400);
    ck_assert_int_eq(resize(700), 0);
    s = stats();
    ck_assert_uint_eq(s.frames, 700);
    ck_assert_uint_eq(rig.settled, 1);
    ck_assert_uint_le(resident_pages(), 700);
    ck_assert_uint_lt(s.high, 700 / 2);
    pool_check(rig.pool);
    arena_check(rig.arena);
    verify(1, 2500);
    ck_assert_uint_eq(fake_fill(&rig, 1, 4), 4000);
    ck_assert_uint_le(resident_pages(), 700);
    verify(1, 4000);
    rig_down(&rig);
}
END_TEST

START_TEST(more_frames_are_used)
{
    uint32_t before;

    setup(300, 4000, 8192, 1, 2000);
    ck_assert_uint_eq(fake_fill(&rig, 1, 3), 2000);
    pool_quiesce(rig.pool);
    before = resident_pages();
    ck_assert_int_eq(resize(3000), 0);
    ck_assert_uint_eq(stats().frames, 3000);
    verify(1, 2000);
    ck_assert_uint_gt(resident_pages(), before + 1500);
    /* All at once, which is a dozen steps for the marks. */
    ck_assert_int_eq(resize(4000), 0);
    ck_assert_int_eq(resize(4001), -ERANGE);
    ck_assert_uint_eq(stats().frames, 4000);
    rig_down(&rig);
}
END_TEST

START_TEST(charges_count_on_what_there_is)
{
    uint32_t reserve;
    uint64_t nr;

    setup(600, 2000, 1024, 1, 4000);
    reserve = stats().reserve;
    nr = fake_fill(&rig, 1, 1);
    ck_assert_uint_eq(nr, 600 - reserve + 1024);
    ck_assert_int_eq(resize(1500), 0);
    nr = fake_fill(&rig, 1, 2);
    ck_assert_uint_eq(nr, 1500 - reserve + 1024);
    for (uint64_t i = 1200; i < nr; i++)
        fake_drop(&rig, 1, i);
    ck_assert_int_eq(resize(400), 0);
    nr = fake_fill(&rig, 1, 3);
    ck_assert_uint_eq(nr, 400 - reserve + 1024);
    verify(1, nr);
    rig_down(&rig);
}
END_TEST

/* More metadata may be charged with more frames, and have to fit in fewer. */
START_TEST(metadata_are_refused_not_squeezed)
{
    static void *page[2000];
    struct pool_stats before;
    uint32_t n = 0, least;

    setup(800, 3000, 1024, 1, 10);
    while (arena_alloc(rig.arena, PAGE_SIZE, &page[n]) == 0)
        n++;
    ck_assert_uint_lt(n, 800);
    before = stats();
    ck_assert_int_eq(resize(700), -ENOSPC);
    expect_same(&before);
    ck_assert_int_eq(resize(2000), 0);
    while (n < 1500)
        ck_assert_int_eq(arena_alloc(rig.arena, PAGE_SIZE, &page[n++]), 0);
    before = stats();
    least = before.frames_least;
    ck_assert_uint_gt(least, 1500);
    ck_assert_uint_lt(least, 2000);
    ck_assert_int_eq(resize(least - 1), -ENOSPC);
    expect_same(&before);
    ck_assert_int_eq(resize(least), 0);
    ck_assert_uint_eq(stats().frames_least, least);
    while (n > 0)
        arena_free(rig.arena, page[--n]);
    rig_down(&rig);
}
END_TEST

START_TEST(what_ram_and_swap_cannot_hold_is_refused)
{
    struct pool_stats before;
    uint64_t nr;

    setup(2000, 0, 1024, 1, 4000);
    nr = fake_fill(&rig, 1, 1);
    pool_quiesce(rig.pool);
    before = stats();
    ck_assert_int_eq(resize(1900), -ENOSPC);
    expect_same(&before);
    for (uint64_t i = nr - 100; i < nr; i++)
        fake_drop(&rig, 1, i);
    ck_assert_uint_eq(stats().frames_least, 1900);
    ck_assert_int_eq(resize(1899), -ENOSPC);
    ck_assert_int_eq(resize(1900), 0);
    verify(1, nr - 100);
    rig_down(&rig);
}
END_TEST

/* Swap must grow first: as far as the host's disk goes. */
START_TEST(swap_grows_for_what_must_leave)
{
    struct pool_stats before;

    setup(3000, 0, 8192, 1, 2800);
    fake_swap_host_room(0);
    for (uint64_t i = 0; i < 2500; i++)
        ck_assert_int_eq(fake_write(&rig, 1, i, 5, true), 0);
    ck_assert_int_eq(resize(700), -ENOSPC);
    /* used_max is what the host has given, since it refused. */
    before = stats();
    ck_assert_int_eq(resize(700), -ENOSPC);
    expect_same(&before);
    fake_swap_host_room(UINT32_MAX);
    ck_assert_int_eq(resize(700), 0);
    ck_assert_uint_ge(stats().blocks_backed, 1800);
    verify(1, 2500);
    rig_down(&rig);
}
END_TEST

START_TEST(no_less_than_requests_need)
{
    struct pool_stats before;
    uint32_t share;

    setup(20000, 0, 1024, 1, 10);
    before = stats();
    ck_assert_uint_ge(pool_pins_max(rig.pool), 257);
    share = 2 * pool_batch(rig.pool) + 257;
    ck_assert_uint_eq(before.frames_least, 2 * share);
    ck_assert_int_eq(resize(2 * share - 1), -ERANGE);
    ck_assert_int_eq(resize(0), -ERANGE);
    ck_assert_int_eq(pool_ram_change(rig.pool, 0, NULL, NULL), -ERANGE);
    ck_assert_int_eq(pool_ram_change(rig.pool, UINT64_MAX, NULL, NULL),
                     -ERANGE);
    expect_same(&before);
    ck_assert_int_eq(resize(2 * share), 0);
    ck_assert_uint_eq(pool_pins_max(rig.pool), 257);
    ck_assert_uint_lt(stats().high, share);
    ck_assert_uint_eq(rig.arena->low_mark, stats().low);
    ck_assert_int_eq(resize(20000), 0);
    expect_same(&before);
    rig_down(&rig);
}
END_TEST

START_TEST(stopped_it_is_as_before)
{
    struct pool_stats before;
    unsigned calls = 0;
    int err = -EINTR;

    setup(2000, 0, 8192, 1, 1900);
    for (uint64_t i = 0; i < 1800; i++)
        ck_assert_int_eq(fake_write(&rig, 1, i, 5, true), 0);
    pool_quiesce(rig.pool);
    before = stats();
    for (; err == -EINTR; calls++) {
        unsigned left = calls;

        err = pool_ram_change(rig.pool, bytes(500), stop_after, &left);
        pool_quiesce(rig.pool);
        if (err == -EINTR)
            expect_same(&before);
    }
    ck_assert_int_eq(err, 0);
    ck_assert_uint_gt(calls, 20);
    verify(1, 1800);
    rig_down(&rig);
}
END_TEST

/* Writes fail and blocks are lost to it, until what is charged does not fit. */
START_TEST(a_failing_disk_is_enospc_and_as_before)
{
    uint64_t nr;
    int err;

    setup(1200, 0, 1024, 1, 3000);
    nr = fake_fill(&rig, 1, 1);
    for (uint64_t i = nr - 300; i < nr; i++)
        fake_drop(&rig, 1, i);
    pool_quiesce(rig.pool);
    fake_swap_fail_write_after(0, EIO, 100000);
    err = resize(950);
    ck_assert(err == -ENOSPC || err == 0);
    ck_assert_uint_eq(stats().frames, err ? 1200 : 950);
    fake_swap_fail_write_after(0, 0, 0);
    pool_quiesce(rig.pool);
    pool_check(rig.pool);
    rig_down(&rig);
}
END_TEST

static bool resize_too(void *ctx)
{
    unsigned *calls = ctx;

    if (++*calls == 1)
        ck_assert_int_eq(resize(1000), -EBUSY);
    return false;
}

START_TEST(one_at_a_time)
{
    unsigned calls = 0;

    setup(1000, 2000, 1024, 1, 10);
    ck_assert_int_eq(pool_ram_change(rig.pool, bytes(500), resize_too,
                                     &calls), 0);
    ck_assert_uint_gt(calls, 1);
    ck_assert_uint_eq(stats().frames, 500);
    rig_down(&rig);
}
END_TEST

/* --- under load ----------------------------------------------------------- */

enum { MOST = 1800 };

static _Atomic bool over;

/* Metadata that come and go, so that both kinds of waiting are met. */
static void *work_metadata(void *unused)
{
    void *page[60];
    unsigned seed = 11, n = 0;

    (void)unused;
    while (!atomic_load(&over)) {
        int err = 0;

        if (n == ARRAY_SIZE(page) || (n > 0 && rand_r(&seed) % 2))
            arena_free(rig.arena, page[--n]);
        else if ((err = arena_alloc(rig.arena, PAGE_SIZE, &page[n])) == 0)
            n++;
        if (err == -EAGAIN)
            arena_wait(rig.arena);
    }
    while (n > 0)
        arena_free(rig.arena, page[--n]);
    return NULL;
}

/* Any size, now and then not to the end, against a model of one number. */
static void *shuffle(void *arg)
{
    _Atomic unsigned *done = arg;
    uint32_t model = stats().frames;
    unsigned seed = 7;

    while (!atomic_load(&over) || atomic_load(done) < 3) {
        unsigned left = (unsigned)rand_r(&seed) % 200;
        uint32_t frames = 300 + (uint32_t)rand_r(&seed) % (MOST - 300);
        int err = pool_ram_change(rig.pool, bytes(frames), stop_after,
                                  &left);

        unit_assert(err == 0 || err == -EINTR || err == -ENOSPC);
        /* Entries that others have used meanwhile: at most 12 pages of them. */
        if (err == 0)
            unit_assert(stats().frames <= frames &&
                        stats().frames + 12 >= frames);
        else
            unit_assert(stats().frames == model);
        model = stats().frames;
        atomic_fetch_add(done, err == 0);
    }
    return NULL;
}

static void run_under_load(uint32_t blocks)
{
    _Atomic unsigned done = 0;
    pthread_t shuffler, metadata;

    setup(900, MOST, blocks, 2, CROWD_PAGES);
    atomic_store(&over, false);
    fake_swap_shuffle(true);
    pthread_create(&shuffler, NULL, shuffle, &done);
    pthread_create(&metadata, NULL, work_metadata, NULL);
    crowd_run(&rig);
    atomic_store(&over, true);
    pthread_join(shuffler, NULL);
    pthread_join(metadata, NULL);
    pool_quiesce(rig.pool);
    pool_check(rig.pool);
    arena_check(rig.arena);
    verify(1, CROWD_PAGES);
    verify(2, CROWD_PAGES);
    rig_down(&rig);
}

START_TEST(any_size_under_load)
{
    run_under_load(4096);
}
END_TEST

/* So little swap that many sizes are refused, and writers are, too. */
START_TEST(any_size_when_all_is_full)
{
    run_under_load(900);
}
END_TEST

START_TEST(any_size_without_swap)
{
    run_under_load(0);
}
END_TEST

UNIT_MAIN("balloon", fewer_frames_page_out_what_does_not_fit,
          more_frames_are_used, charges_count_on_what_there_is,
          metadata_are_refused_not_squeezed,
          what_ram_and_swap_cannot_hold_is_refused,
          swap_grows_for_what_must_leave, no_less_than_requests_need,
          stopped_it_is_as_before, a_failing_disk_is_enospc_and_as_before,
          one_at_a_time, any_size_under_load, any_size_when_all_is_full,
          any_size_without_swap)

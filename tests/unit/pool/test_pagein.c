/* test_pagein.c - reads: runs, waiting, errors, and a full pool that goes on. */
#include "fake_owner.h"
#include "pool_internal.h"

#include "unit.h"

#include <errno.h>
#include <pthread.h>

static struct rig rig;

/* Pages 0..nr-1 of owner 1 on swap. */
static void setup(uint32_t frames, uint32_t blocks, uint64_t nr)
{
    rig_up(&rig, &(struct rig_config){ .frames = frames, .blocks = blocks,
                                       .pages = nr, .stopped = true });
    ck_assert_int_eq(grow_file(rig.pool, blocks), 0);
    fake_fill(&rig, 1, 1);
    for (uint64_t i = 0; i < nr; i++)
        if (fake_entry(&rig, 1, i).kind == FAKE_FRAME)
            fake_clean(&rig, 1, i, false);
}

START_TEST(a_run_of_blocks_is_one_read)
{
    setup(1024, 4096, 32);
    ck_assert_int_eq(fake_read(&rig, 1, 0, 32, true), 0);
    ck_assert_uint_eq(fake_swap_counts().reads, 1);
    ck_assert_uint_eq(fake_swap_counts().read_blocks, 32);
    for (uint64_t i = 0; i < 32; i++) {
        ck_assert_int_eq(fake_read(&rig, 1, i, 1, true), 0);
        ck_assert_int_eq(fake_state(&rig, 1, i), PAGE_CLEAN);
    }
    ck_assert_uint_eq(fake_swap_counts().reads, 1);
    rig_down(&rig);
}
END_TEST

START_TEST(with_blocks_to_spare_a_page_read_keeps_its_block)
{
    setup(1024, 256, 251);
    ck_assert_int_eq(fake_read(&rig, 1, 0, 1, true), 0);
    ck_assert_int_eq(fake_state(&rig, 1, 0), PAGE_CLEAN);
    ck_assert_uint_eq(fake_swap_counts().nr_used, 251);
    rig_down(&rig);
}
END_TEST

START_TEST(when_blocks_are_short_a_page_read_gives_its_block_back)
{
    setup(1024, 256, 254);
    ck_assert_int_eq(fake_read(&rig, 1, 0, 1, true), 0);
    ck_assert_int_eq(fake_state(&rig, 1, 0), PAGE_DIRTY);
    ck_assert_uint_eq(fake_swap_counts().nr_used, 253);
    rig_down(&rig);
}
END_TEST

START_TEST(blocks_the_file_can_grow_by_are_not_short)
{
    rig_up(&rig, &(struct rig_config){ .frames = 1024, .blocks = 4096,
                                       .pages = 40, .stopped = true });
    fake_swap_grow_step(1);
    ck_assert_int_eq(grow_file(rig.pool, 40), 0);
    fake_fill(&rig, 1, 1);
    fake_clean(&rig, 1, 0, false);
    ck_assert_int_eq(fake_read(&rig, 1, 0, 1, true), 0);
    ck_assert_int_eq(fake_state(&rig, 1, 0), PAGE_CLEAN);
    rig_down(&rig);
}
END_TEST

static void *read_page_0(void *unused)
{
    (void)unused;
    return (void *)(intptr_t)fake_read(&rig, 1, 0, 1, true);
}

START_TEST(who_finds_a_page_being_read_waits_for_it)
{
    pthread_t threads[3];
    void *err;

    setup(1024, 4096, 1);
    fake_swap_hold(true);
    for (unsigned i = 0; i < 3; i++)
        pthread_create(&threads[i], NULL, read_page_0, NULL);
    fake_swap_wait_held(1);
    ck_assert_int_eq(fake_read(&rig, 1, 0, 1, false), -EAGAIN);
    clock_sleep_ns(10000000);
    ck_assert_uint_eq(fake_swap_nr_held(), 1);
    fake_swap_hold(false);
    for (unsigned i = 0; i < 3; i++) {
        pthread_join(threads[i], &err);
        ck_assert_int_eq((intptr_t)err, 0);
    }
    ck_assert_uint_eq(fake_swap_counts().reads, 1);
    rig_down(&rig);
}
END_TEST

START_TEST(a_reader_may_read_itself)
{
    setup(1024, 4096, 4);
    rig.reads_itself = true;
    ck_assert_int_eq(fake_read(&rig, 1, 0, 2, true), 0);
    ck_assert_int_eq(fake_state(&rig, 1, 1), PAGE_CLEAN);
    /* The run fails, then each page is tried alone, and the second fails again. */
    fake_swap_fail_read_after(0, EIO, 1);
    ck_assert_int_eq(fake_read(&rig, 1, 2, 2, true), 0);
    ck_assert_int_eq(fake_read(&rig, 1, 3, 1, true), 0);
    ck_assert_uint_eq(fake_swap_counts().reads, 4);
    rig_down(&rig);
}
END_TEST

static void *get_io(void *unused)
{
    (void)unused;
    return pool_io_get(rig.pool, true);
}

START_TEST(descriptors_are_few_and_waited_for)
{
    struct pool_io *ios[64];
    unsigned n = 0;
    pthread_t thread;
    void *late;

    setup(1024, 4096, 1);
    while ((ios[n] = pool_io_get(rig.pool, false)) != NULL)
        n++;
    ck_assert_uint_eq(n, pagein_count(1024));
    pthread_create(&thread, NULL, get_io, NULL);
    clock_sleep_ns(5000000);
    pool_io_put(rig.pool, ios[--n]);
    pthread_join(thread, &late);
    ck_assert_ptr_eq(late, ios[n]);
    pool_io_put(rig.pool, late);
    while (n > 0)
        pool_io_put(rig.pool, ios[--n]);
    rig_down(&rig);
}
END_TEST

START_TEST(a_read_error_loses_the_pages_that_fail_alone)
{
    struct pool_stats stats;

    setup(1024, 4096, 16);
    /* The run fails; then alone the third page fails. */
    fake_swap_fail_read_after(0, EIO, 1);
    fake_swap_hold(true);
    ck_assert_uint_eq(fake_read_ahead(&rig, 1, 0, 16), 16);
    fake_swap_wait_held(1);
    fake_swap_release(1);
    fake_swap_wait_held(1);
    fake_swap_fail_read_after(2, EIO, 1);
    fake_swap_hold(false);
    pool_quiesce(rig.pool);
    for (uint64_t i = 0; i < 16; i++)
        ck_assert_int_eq(fake_read(&rig, 1, i, 1, true), i == 2 ? -EIO : 0);
    ck_assert_uint_eq(atomic_load(&rig.lost), 1);
    ck_assert_uint_eq(fake_swap_counts().nr_retired, 1);
    pool_stats(rig.pool, &stats);
    ck_assert_uint_eq(stats.lost, 1);
    rig_down(&rig);
}
END_TEST

/* The descriptor remembers nothing of an earlier read that went page by page. */
START_TEST(a_failed_page_is_lost_after_a_failed_run)
{
    setup(1024, 4096, 16);
    fake_swap_fail_read_after(0, EIO, 1);
    ck_assert_uint_eq(fake_read_ahead(&rig, 1, 0, 8), 8);
    pool_quiesce(rig.pool);
    fake_swap_fail_read_after(0, EIO, 1);
    ck_assert_int_eq(fake_read(&rig, 1, 12, 1, true), -EIO);
    ck_assert_uint_eq(atomic_load(&rig.lost), 1);
    rig_down(&rig);
}
END_TEST

START_TEST(who_waits_for_a_page_that_is_lost_gets_eio)
{
    pthread_t thread;
    void *err;

    setup(1024, 4096, 1);
    fake_swap_fail_read_after(0, EIO, 1);
    fake_swap_hold(true);
    pthread_create(&thread, NULL, read_page_0, NULL);
    fake_swap_wait_held(1);
    fake_swap_hold(false);
    pthread_join(thread, &err);
    ck_assert_int_eq((intptr_t)err, -EIO);
    rig_down(&rig);
}
END_TEST

START_TEST(pages_read_ahead_in_vain_are_counted)
{
    struct pool_stats stats;

    setup(1024, 4096, 8);
    ck_assert_uint_eq(fake_read_ahead(&rig, 1, 0, 8), 8);
    pool_quiesce(rig.pool);
    ck_assert_int_eq(fake_read(&rig, 1, 3, 1, true), 0);
    ck_assert_uint_eq(launder_reclaim(rig.pool, 8), 7);
    pool_stats(rig.pool, &stats);
    ck_assert_uint_eq(stats.readahead_unused, 7);
    rig_down(&rig);
}
END_TEST

/* I18.  RAM and swap hold not one page more; anything may still be read. */
static void random_reads_when_full(uint32_t frames, uint32_t blocks)
{
    struct pool_stats stats;
    unsigned seed = 1;
    uint64_t nr;

    rig_up(&rig, &(struct rig_config){ .frames = frames, .blocks = blocks,
                                       .pages = frames + blocks });
    nr = fake_fill(&rig, 1, 1);
    pool_stats(rig.pool, &stats);
    ck_assert_uint_eq(nr, frames - stats.reserve + blocks);
    ck_assert_uint_eq(stats.used, stats.used_max);
    for (unsigned i = 0; i < 3000; i++) {
        uint64_t index = (uint64_t)rand_r(&seed) % nr;

        ck_assert_int_eq(fake_read(&rig, 1, index, 1 + i % 32, true), 0);
        if (i % 3 == 0)
            ck_assert_int_eq(fake_write(&rig, 1, (uint64_t)rand_r(&seed) % nr,
                                        i, true), 0);
    }
    pool_stats(rig.pool, &stats);
    ck_assert_uint_eq(stats.used, nr);
    ck_assert_uint_gt(stats.pagein_pages, 1000);
    rig_down(&rig);
}

START_TEST(random_reads_go_on_when_ram_and_swap_are_full)
{
    random_reads_when_full(300, 2048);
    random_reads_when_full(1500, 1024);
}
END_TEST

UNIT_MAIN("pagein", a_run_of_blocks_is_one_read,
          with_blocks_to_spare_a_page_read_keeps_its_block,
          when_blocks_are_short_a_page_read_gives_its_block_back,
          blocks_the_file_can_grow_by_are_not_short,
          who_finds_a_page_being_read_waits_for_it, a_reader_may_read_itself,
          descriptors_are_few_and_waited_for,
          a_read_error_loses_the_pages_that_fail_alone,
          a_failed_page_is_lost_after_a_failed_run,
          who_waits_for_a_page_that_is_lost_gets_eio,
          pages_read_ahead_in_vain_are_counted,
          random_reads_go_on_when_ram_and_swap_are_full)

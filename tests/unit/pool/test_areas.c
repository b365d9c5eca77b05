/* test_areas.c - swap areas come and go while pages are on them. */
#include "crowd.h"

#include "clock.h"
#include "pool_internal.h"
#include "unit.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>

static struct rig rig;

static void setup(uint32_t frames, uint32_t blocks, uint32_t owners,
                  uint64_t pages)
{
    rig_up(&rig, &(struct rig_config){ .frames = frames, .blocks = blocks,
                                       .owners = owners, .pages = pages });
}

static int add(const char *name, uint32_t blocks)
{
    struct swap_file file = fake_swap_file(blocks);
    char copy[16];

    strcpy(copy, name);
    file.name = copy;
    return pool_swap_add(rig.pool, &file, 0);
}

static int take(const char *name)
{
    return pool_swap_remove(rig.pool, name, NULL, NULL);
}

static uint64_t blocks_max(void)
{
    struct pool_stats stats;

    pool_stats(rig.pool, &stats);
    return stats.blocks_max;
}

/* All pages below nr are there, or (lost) some of them cannot be read; how
 * many. */
static uint64_t verify(uint32_t owner, uint64_t nr)
{
    uint64_t lost = 0;

    for (uint64_t i = 0; i < nr; i++) {
        int err = fake_read(&rig, owner, i, 16, true);

        ck_assert(err == 0 || err == -EIO);
        lost += err == -EIO;
    }
    return lost;
}

START_TEST(an_added_area_holds_what_the_first_cannot)
{
    struct swap_area_info list[SWAP_AREAS_MAX];
    uint64_t nr;

    setup(300, 512, 1, 3000);
    nr = fake_fill(&rig, 1, 1);
    ck_assert_uint_lt(nr, 812);
    ck_assert_int_eq(add("b", 1024), 0);
    nr = fake_fill(&rig, 1, 2);
    ck_assert_uint_ge(nr, 512 + 1024 + 150);
    ck_assert_uint_eq(verify(1, nr), 0);
    ck_assert_uint_eq(pool_swap_list(rig.pool, list), 2);
    ck_assert_str_eq(list[1].name, "b");
    ck_assert_uint_gt(list[1].nr_used, 0);
    rig_down(&rig);
}
END_TEST

START_TEST(a_pool_without_swap_gets_some)
{
    uint64_t nr;

    setup(300, 0, 1, 1000);
    nr = fake_fill(&rig, 1, 1);
    ck_assert_int_eq(add("b", 512), 0);
    ck_assert_uint_ge(fake_fill(&rig, 1, 1), nr + 500);
    pool_check(rig.pool);
    rig_down(&rig);
}
END_TEST

START_TEST(all_of_a_removed_area_is_elsewhere)
{
    struct swap_area_info list[SWAP_AREAS_MAX];

    setup(300, 2048, 2, 1200);
    for (uint64_t i = 0; i < 700; i++) {
        ck_assert_int_eq(fake_write(&rig, 1, i, 5, true), 0);
        ck_assert_int_eq(fake_write(&rig, 2, i, 6, true), 0);
    }
    ck_assert_int_eq(add("b", 4096), 0);
    ck_assert_int_eq(take(""), 0);
    ck_assert_uint_eq(pool_swap_list(rig.pool, list), 1);
    ck_assert_str_eq(list[0].name, "b");
    ck_assert_uint_eq(list[0].state, SWAP_AREA_ACTIVE);
    ck_assert_uint_ge(list[0].nr_used, 1100);
    ck_assert_uint_eq(blocks_max(), 4096);
    pool_quiesce(rig.pool);
    pool_check(rig.pool);
    ck_assert_uint_eq(verify(1, 700) + verify(2, 700), 0);
    rig_down(&rig);
}
END_TEST

START_TEST(what_fits_in_ram_needs_no_area)
{
    setup(600, 2048, 1, 2000);
    fake_fill(&rig, 1, 1);
    for (uint64_t i = 300; i < 2000; i++)
        fake_drop(&rig, 1, i);
    ck_assert_int_eq(take(""), 0);
    ck_assert_uint_eq(blocks_max(), 0);
    ck_assert_uint_eq(verify(1, 300), 0);
    ck_assert_uint_ge(fake_fill(&rig, 1, 2), 500);
    rig_down(&rig);
}
END_TEST

START_TEST(enospc_changes_nothing)
{
    struct swap_area_info before, after;
    struct pool_stats stats;
    uint64_t nr;

    setup(300, 1024, 1, 3000);
    ck_assert_int_eq(add("b", 1000), 0);
    nr = fake_fill(&rig, 1, 1);
    pool_quiesce(rig.pool);
    swap_get(rig.swap, 0, &before);
    ck_assert_int_eq(take("b"), -ENOSPC);
    ck_assert_int_eq(take(""), -ENOSPC);
    swap_get(rig.swap, 0, &after);
    ck_assert_mem_eq(&before, &after, sizeof(before));
    pool_stats(rig.pool, &stats);
    ck_assert_uint_eq(stats.blocks_backed, 2024);
    pool_check(rig.pool);
    ck_assert_uint_eq(verify(1, nr), 0);
    fake_drop(&rig, 1, 0);
    ck_assert_int_eq(fake_write(&rig, 1, 0, 1, true), 0);
    rig_down(&rig);
}
END_TEST

/* The rest must grow first, and the host has no disk for it. */
START_TEST(a_full_host_is_enospc_and_growth_goes_on_where_it_was)
{
    setup(300, 2048, 1, 3000);
    for (uint64_t i = 0; i < 900; i++)
        ck_assert_int_eq(fake_write(&rig, 1, i, 5, true), 0);
    ck_assert_int_eq(add("b", 4096), 0);
    fake_swap_host_room(0);
    ck_assert_int_eq(take(""), -ENOSPC);
    ck_assert_uint_eq(verify(1, 900), 0);
    fake_swap_host_room(UINT32_MAX);
    for (uint64_t i = 900; i < 1800; i++)
        ck_assert_int_eq(fake_write(&rig, 1, i, 5, true), 0);
    ck_assert_int_eq(take(""), 0);
    ck_assert_uint_eq(verify(1, 1800), 0);
    rig_down(&rig);
}
END_TEST

START_TEST(a_stopped_removal_leaves_the_area_in_use)
{
    struct swap_area_info list[SWAP_AREAS_MAX];
    struct pool_stats stats;
    uint64_t nr = 0;

    setup(300, 2048, 1, 7000);
    for (; nr < 1500; nr++)
        ck_assert_int_eq(fake_write(&rig, 1, nr, 5, true), 0);
    ck_assert_int_eq(add("b", 4096), 0);
    fake_swap_max_run(7);
    for (unsigned calls = 0; calls < 12; calls++) {
        unsigned left = calls;
        int err = pool_swap_remove(rig.pool, "", stop_after, &left);

        pool_quiesce(rig.pool);
        pool_check(rig.pool);
        if (err == 0)
            break;
        ck_assert_int_eq(err, -EINTR);
        ck_assert_uint_eq(pool_swap_list(rig.pool, list), 2);
        ck_assert_uint_eq(list[0].state, SWAP_AREA_ACTIVE);
        pool_stats(rig.pool, &stats);
        ck_assert_uint_eq(stats.blocks_backed,
                          list[0].nr_backed + list[1].nr_backed);
    }
    ck_assert_uint_eq(verify(1, nr), 0);
    /* Everything can be charged as if nothing had been. */
    ck_assert_uint_ge(fake_fill(&rig, 1, 9), blocks_max() + 150);
    rig_down(&rig);
}
END_TEST

static bool take_another(void *ctx)
{
    unsigned *calls = ctx;

    if (++*calls == 1) {
        ck_assert_int_eq(take("b"), -EBUSY);
        ck_assert_int_eq(take("c"), -ENOENT);
    }
    return false;
}

START_TEST(one_at_a_time)
{
    unsigned calls = 0;

    setup(300, 2048, 1, 1200);
    ck_assert_int_eq(add("b", 2048), 0);
    for (uint64_t i = 0; i < 1000; i++)
        ck_assert_int_eq(fake_write(&rig, 1, i, 5, true), 0);
    ck_assert_int_eq(pool_swap_remove(rig.pool, "", take_another, &calls), 0);
    ck_assert_uint_gt(calls, 1);
    ck_assert_uint_eq(verify(1, 1000), 0);
    rig_down(&rig);
}
END_TEST

/* A run that fails is read page by page; those that fail again are lost. */
START_TEST(what_cannot_be_read_is_lost_and_holds_nothing_up)
{
    uint64_t lost;

    setup(300, 2048, 1, 1200);
    for (uint64_t i = 0; i < 1000; i++)
        ck_assert_int_eq(fake_write(&rig, 1, i, 5, true), 0);
    pool_quiesce(rig.pool);
    ck_assert_int_eq(add("b", 2048), 0);
    fake_swap_fail_read_after(0, EIO, 11);
    ck_assert_int_eq(take(""), 0);
    pool_quiesce(rig.pool);
    pool_check(rig.pool);
    lost = verify(1, 1000);
    ck_assert_uint_gt(lost, 0);
    ck_assert_uint_lt(lost, 11);
    ck_assert_uint_eq(blocks_max(), 2048);
    rig_down(&rig);
}
END_TEST

static void *take_first(void *unused)
{
    (void)unused;
    ck_assert_int_eq(take(""), 0);
    return NULL;
}

/* A page on its way to the area when that leaves. */
START_TEST(a_page_being_written_goes_elsewhere)
{
    struct swap_area_info area;
    pthread_t thread;

    setup(300, 512, 1, 400);
    for (uint64_t i = 0; i < 400; i++)
        ck_assert_int_eq(fake_write(&rig, 1, i, 5, true), 0);
    pool_quiesce(rig.pool);
    ck_assert_uint_eq(fake_state(&rig, 1, 399), PAGE_DIRTY);
    ck_assert_int_eq(add("b", 512), 0);
    fake_swap_hold(true);
    ck_assert_int_eq(fake_pageout(&rig, 1, 399), 0);
    ck_assert_uint_eq(fake_state(&rig, 1, 399), PAGE_WRITING);
    pthread_create(&thread, NULL, take_first, NULL);
    EVENTUALLY((swap_get(rig.swap, 0, &area),
                area.state == SWAP_AREA_LEAVING));
    clock_sleep_ns(5000000);
    fake_swap_hold(false);
    pthread_join(thread, NULL);
    ck_assert_uint_eq(blocks_max(), 512);
    ck_assert_uint_eq(verify(1, 400), 0);
    rig_down(&rig);
}
END_TEST

/* --- under load ----------------------------------------------------------- */

static _Atomic bool over;

/* Adds one area after another and takes the one before away, sometimes not to
 * the end. */
static void *shuffle(void *arg)
{
    _Atomic unsigned *moved = arg;
    unsigned seed = 7;
    char name[2] = "", next[2] = "A";
    int err;

    while (!atomic_load(&over)) {
        unsigned left = (unsigned)rand_r(&seed) % 60;

        ck_assert_int_eq(add(next, 1024 + (uint32_t)rand_r(&seed) % 1024), 0);
        do
            err = pool_swap_remove(rig.pool, name, stop_after, &left);
        while (err != 0 && !atomic_load(&over));
        ck_assert(err == 0 || err == -EINTR || err == -ENOSPC);
        if (err)
            break;
        strcpy(name, next);
        next[0] = next[0] == 'Z' ? 'A' : (char)(next[0] + 1);
        atomic_fetch_add(moved, 1);
    }
    return NULL;
}

START_TEST(areas_come_and_go_under_load)
{
    _Atomic unsigned moved = 0;
    pthread_t shuffler;

    setup(300, 1700, 2, CROWD_PAGES);
    atomic_store(&over, false);
    fake_swap_shuffle(true);
    pthread_create(&shuffler, NULL, shuffle, &moved);
    crowd_run(&rig);
    EVENTUALLY(moved > 0);
    atomic_store(&over, true);
    pthread_join(shuffler, NULL);
    pool_quiesce(rig.pool);
    pool_check(rig.pool);
    ck_assert_uint_eq(verify(1, CROWD_PAGES) + verify(2, CROWD_PAGES), 0);
    rig_down(&rig);
}
END_TEST

UNIT_MAIN("areas", an_added_area_holds_what_the_first_cannot,
          a_pool_without_swap_gets_some, all_of_a_removed_area_is_elsewhere,
          what_fits_in_ram_needs_no_area, enospc_changes_nothing,
          a_full_host_is_enospc_and_growth_goes_on_where_it_was,
          a_stopped_removal_leaves_the_area_in_use, one_at_a_time,
          what_cannot_be_read_is_lost_and_holds_nothing_up,
          a_page_being_written_goes_elsewhere, areas_come_and_go_under_load)

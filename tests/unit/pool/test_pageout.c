/* test_pageout.c - clusters: what goes along, where it lies, what errors do. */
#include "fake_owner.h"
#include "pool_internal.h"

#include "unit.h"

#include <errno.h>

static struct rig rig;

/* Clusters of 256 pages; blocks for everything; threads that do not interfere. */
static void setup(uint64_t pages)
{
    rig_up(&rig, &(struct rig_config){ .frames = 16384, .blocks = 65536,
                                       .pages = 4096, .stopped = true });
    ck_assert_uint_eq(rig.pool->cluster, 256);
    ck_assert_int_eq(grow_file(rig.pool, 16384), 0);
    for (uint64_t i = 0; i < pages; i++)
        ck_assert_int_eq(fake_write(&rig, 1, i, 1, true), 0);
}

static struct page *page_at(uint64_t index)
{
    return pool_page(rig.arena, fake_entry(&rig, 1, index).number);
}

/* Pages first..end-1 lie on swap one behind the other. */
static void check_contiguous(uint64_t first, uint64_t end)
{
    struct fake_entry e = fake_entry(&rig, 1, first);

    ck_assert_int_eq(e.kind, FAKE_BLOCK);
    for (uint64_t i = first; i < end; i++) {
        ck_assert_int_eq(fake_entry(&rig, 1, i).kind, FAKE_BLOCK);
        ck_assert_uint_eq(fake_entry(&rig, 1, i).number, e.number + i - first);
    }
}

static void check_values(void)
{
    for (uint64_t i = 0; i < rig.nr_pages; i++)
        ck_assert_int_eq(fake_read(&rig, 1, i, 64, true), 0);
}

START_TEST(a_cluster_goes_back_to_64_and_on_to_256_in_one_write)
{
    setup(1000);
    fake_clean(&rig, 1, 100, false);
    ck_assert_uint_eq(fake_swap_counts().writes, 1);
    ck_assert_uint_eq(fake_swap_counts().written_blocks, 256);
    check_contiguous(64, 64 + 256);
    ck_assert_int_eq(fake_state(&rig, 1, 63), PAGE_DIRTY);
    ck_assert_int_eq(fake_state(&rig, 1, 320), PAGE_DIRTY);
    check_values();
    rig_down(&rig);
}
END_TEST

START_TEST(the_next_cluster_lies_behind_the_last)
{
    setup(1024);
    fake_clean(&rig, 1, 0, false);
    fake_clean(&rig, 1, 256, false);
    check_contiguous(0, 512);
    /* Also when the last is still on its way. */
    fake_swap_hold(true);
    ck_assert_int_eq(fake_pageout(&rig, 1, 512), 0);
    ck_assert_int_eq(fake_pageout(&rig, 1, 768), 0);
    fake_swap_hold(false);
    pool_quiesce(rig.pool);
    check_contiguous(0, 1024);
    rig_down(&rig);
}
END_TEST

START_TEST(a_resident_page_tells_where_its_neighbour_goes)
{
    setup(1024);
    pool_page_touch(page_at(255));
    fake_clean(&rig, 1, 0, false);
    ck_assert_int_eq(fake_state(&rig, 1, 255), PAGE_CLEAN);
    fake_clean(&rig, 1, 512, false);
    for (uint64_t i = 512; i < 768; i++)
        fake_drop(&rig, 1, i); /* free again, but not where the swap goes on */
    fake_clean(&rig, 1, 256, false);
    ck_assert_uint_eq(fake_entry(&rig, 1, 256).number,
                      page_at(255)->block + 1);
    rig_down(&rig);
}
END_TEST

START_TEST(neighbours_in_use_are_written_but_stay)
{
    setup(10);
    pool_page_touch(page_at(3));
    fake_clean(&rig, 1, 0, false);
    ck_assert_uint_eq(fake_swap_counts().written_blocks, 10);
    ck_assert_int_eq(fake_state(&rig, 1, 3), PAGE_CLEAN);
    ck_assert_int_eq(fake_entry(&rig, 1, 4).kind, FAKE_BLOCK);
    pool_check(rig.pool);
    rig_down(&rig);
}
END_TEST

START_TEST(neighbours_that_proved_themselves_stay)
{
    uint32_t frame;

    setup(10);
    frame = fake_entry(&rig, 1, 3).number;
    replace_remove(&rig.pool->replace, frame);
    replace_return(&rig.pool->replace, frame, true); /* to MAIN */
    fake_clean(&rig, 1, 0, false);
    ck_assert_int_eq(fake_state(&rig, 1, 3), PAGE_CLEAN);
    rig_down(&rig);
}
END_TEST

START_TEST(a_cluster_ends_at_a_pinned_and_at_a_clean_page)
{
    uint32_t frame;

    setup(100);
    fake_clean(&rig, 1, 99, false); /* 64..99 */
    frame = fake_pin(&rig, 1, 20);
    fake_clean(&rig, 1, 30, false);
    check_contiguous(21, 64);
    ck_assert_int_eq(fake_state(&rig, 1, 20), PAGE_DIRTY);
    ck_assert_uint_eq(fake_swap_counts().written_blocks, 100 - 21);
    pool_page_unpin(rig.pool, frame);
    rig_down(&rig);
}
END_TEST

START_TEST(a_fragmented_swap_splits_the_cluster)
{
    setup(100);
    fake_swap_max_run(13);
    fake_clean(&rig, 1, 0, false);
    ck_assert_uint_eq(fake_swap_counts().writes, 8); /* 7 * 13 + 9 */
    ck_assert_uint_eq(fake_swap_counts().written_blocks, 100);
    check_values();
    rig_down(&rig);
}
END_TEST

START_TEST(without_descriptors_the_rest_waits)
{
    setup(100);
    fake_swap_max_run(1);
    fake_swap_hold(true);
    ck_assert_int_eq(fake_pageout(&rig, 1, 0), 0);
    ck_assert_uint_eq(atomic_load(&rig.pool->inflight), NR_PAGEOUTS);
    ck_assert(!pageout_ready(rig.pool));
    ck_assert_int_eq(fake_pageout(&rig, 1, 50), -EBUSY);
    ck_assert_int_eq(fake_state(&rig, 1, 50), PAGE_DIRTY);
    fake_swap_hold(false);
    pool_quiesce(rig.pool);
    pool_check(rig.pool);
    rig_down(&rig);
}
END_TEST

START_TEST(without_blocks_the_victim_stays_next)
{
    uint32_t frame, steps = 10;

    rig_up(&rig, &(struct rig_config){ .frames = 512, .blocks = 16,
                                       .pages = 32, .stopped = true });
    grow_file(rig.pool, 16);
    fake_fill(&rig, 1, 1);
    fake_clean(&rig, 1, 0, false);
    frame = fake_entry(&rig, 1, 20).number;
    ck_assert_int_eq(fake_pageout(&rig, 1, 20), -ENOSPC);
    ck_assert_int_eq(fake_state(&rig, 1, 20), PAGE_DIRTY);
    mutex_lock(&rig.pool->queue_lock, RANK_POOL);
    ck_assert_uint_eq(replace_victim(&rig.pool->replace, &steps), frame);
    replace_return_first(&rig.pool->replace, frame);
    mutex_unlock(&rig.pool->queue_lock);
    rig_down(&rig);
}
END_TEST

START_TEST(after_a_write_error_pages_are_written_elsewhere_each_alone)
{
    struct pool_stats stats;

    setup(3);
    fake_swap_fail_write_after(0, EIO, 1);
    ck_assert_int_eq(fake_pageout(&rig, 1, 0), 0);
    pool_quiesce(rig.pool);
    for (uint64_t i = 0; i < 3; i++) {
        ck_assert_int_eq(fake_state(&rig, 1, i), PAGE_DIRTY);
        ck_assert(page_at(i)->flags & PAGE_SUSPECT);
    }
    ck_assert_uint_eq(fake_swap_counts().nr_retired, 3);
    ck_assert_uint_eq(fake_swap_counts().nr_used, 0);
    fake_clean(&rig, 1, 1, false);
    ck_assert_uint_eq(fake_swap_counts().written_blocks, 3 + 1);
    ck_assert_int_eq(fake_state(&rig, 1, 0), PAGE_DIRTY);
    fake_clean(&rig, 1, 0, true);
    ck_assert(!(page_at(0)->flags & PAGE_SUSPECT));
    check_values();
    pool_stats(rig.pool, &stats);
    ck_assert_uint_eq(stats.lost, 0);
    rig_down(&rig);
}
END_TEST

START_TEST(a_suspect_page_goes_with_nobody_and_nobody_with_it)
{
    setup(3);
    fake_swap_fail_write_after(0, EIO, 1);
    ck_assert_int_eq(fake_pageout(&rig, 1, 0), 0);
    pool_quiesce(rig.pool);
    fake_write(&rig, 1, 3, 1, true);
    fake_clean(&rig, 1, 3, false);
    ck_assert_uint_eq(fake_swap_counts().written_blocks, 3 + 1);
    fake_write(&rig, 1, 3, 1, true);
    fake_clean(&rig, 1, 2, false);
    ck_assert_uint_eq(fake_swap_counts().written_blocks, 3 + 2);
    rig_down(&rig);
}
END_TEST

START_TEST(a_page_that_fails_twice_is_lost_and_no_other)
{
    uint32_t before;

    setup(3);
    before = arena_nr_free(rig.arena);
    fake_swap_fail_write_after(0, EIO, 2);
    fake_pageout(&rig, 1, 0);
    pool_quiesce(rig.pool);
    fake_pageout(&rig, 1, 1);
    pool_quiesce(rig.pool);
    ck_assert_uint_eq(atomic_load(&rig.lost), 1);
    ck_assert_int_eq(fake_read(&rig, 1, 1, 1, true), -EIO);
    ck_assert_uint_eq(arena_nr_free(rig.arena), before + 1);
    fake_clean(&rig, 1, 0, false);
    fake_clean(&rig, 1, 2, false);
    ck_assert_int_eq(fake_read(&rig, 1, 0, 1, true), 0);
    ck_assert_int_eq(fake_read(&rig, 1, 2, 1, true), 0);
    /* Written anew it is a page like any other. */
    ck_assert_int_eq(fake_write(&rig, 1, 1, 9, true), 0);
    ck_assert_int_eq(fake_read(&rig, 1, 1, 1, true), 0);
    rig_down(&rig);
}
END_TEST

START_TEST(a_suspect_page_redirtied_while_its_write_fails_is_not_lost)
{
    setup(1);
    fake_swap_fail_write_after(0, EIO, 2);
    fake_pageout(&rig, 1, 0);
    pool_quiesce(rig.pool);
    fake_swap_hold(true);
    fake_pageout(&rig, 1, 0);
    fake_write(&rig, 1, 0, 2, true);
    fake_swap_hold(false);
    pool_quiesce(rig.pool);
    ck_assert_uint_eq(atomic_load(&rig.lost), 0);
    ck_assert_int_eq(fake_state(&rig, 1, 0), PAGE_DIRTY);
    fake_clean(&rig, 1, 0, false);
    check_values();
    rig_down(&rig);
}
END_TEST

START_TEST(retired_blocks_are_charged_for_no_more)
{
    struct pool_stats before, after;

    setup(3);
    pool_stats(rig.pool, &before);
    fake_swap_fail_write_after(0, EIO, 1);
    fake_pageout(&rig, 1, 0);
    pool_quiesce(rig.pool);
    pool_stats(rig.pool, &after);
    ck_assert_uint_eq(after.used_max, before.used_max - 3);
    rig_down(&rig);
}
END_TEST

/* --- a load ------------------------------------------------------------------- */

/* Files of 1..MOST pages; so many of them grow by a page in turn, in a pool of a
 * quarter of all their pages. */
enum { FILES = 200, MOST = 50, GROWERS = 60, RESIDENT_MOST = 1200 };

struct place {
    uint32_t owner;
    uint64_t index;
};

static struct place written[FILES * MOST];
static uint32_t nr_written, oldest;

static uint32_t file_pages(uint32_t owner)
{
    return (uint32_t)div_up(owner * MOST, FILES);
}

static uint32_t nr_resident(void)
{
    return atomic_load(&rig.pool->nr_state[PAGE_DIRTY]) +
           atomic_load(&rig.pool->nr_state[PAGE_CLEAN]);
}

/* The page that was written first of those in memory goes, with its cluster. */
static void page_oldest_out(void)
{
    struct place at = written[oldest];
    uint32_t frame;

    while (fake_state(&rig, at.owner, at.index) == PAGE_NONE)
        at = written[++oldest];
    frame = fake_entry(&rig, at.owner, at.index).number;
    fake_owner_ops.lock(&rig, at.owner);
    ck_assert_int_eq(pool_page_evict(rig.pool, frame), 0);
    pool_quiesce(rig.pool);
}

static void grow_together(void)
{
    uint32_t file[GROWERS], at[GROWERS] = { 0 }, next = 1, growing = GROWERS;

    for (unsigned g = 0; g < GROWERS; g++)
        file[g] = next++;
    while (growing > 0) {
        for (unsigned g = 0; g < GROWERS; g++) {
            if (file[g] > FILES)
                continue;
            while (nr_resident() >= RESIDENT_MOST)
                page_oldest_out();
            ck_assert_int_eq(fake_write(&rig, file[g], at[g], 1, true), 0);
            written[nr_written++] = (struct place){ file[g], at[g] };
            if (++at[g] < file_pages(file[g]))
                continue;
            file[g] = next++;
            at[g] = 0;
            growing -= file[g] > FILES;
        }
    }
    while (nr_resident() > 0)
        page_oldest_out();
}

/* The blocks are those of a swap space that puts each run behind the last. */
START_TEST(files_that_grow_together_are_hardly_cut)
{
    uint32_t pairs = 0, breaks = 0;

    rig_up(&rig, &(struct rig_config){ .frames = 1400, .blocks = 16384,
                                       .owners = FILES, .pages = MOST,
                                       .stopped = true });
    ck_assert_int_eq(grow_file(rig.pool, 16384), 0);
    nr_written = oldest = 0;
    grow_together();
    for (uint32_t owner = 1; owner <= FILES; owner++) {
        for (uint64_t i = 1; i < file_pages(owner); i++) {
            pairs++;
            breaks += fake_entry(&rig, owner, i).number !=
                      fake_entry(&rig, owner, i - 1).number + 1;
        }
    }
    ck_assert_msg(breaks * 100 < pairs, "%u of %u pairs are broken", breaks,
                  pairs);
    rig_down(&rig);
}
END_TEST

UNIT_MAIN("pageout", a_cluster_goes_back_to_64_and_on_to_256_in_one_write,
          the_next_cluster_lies_behind_the_last,
          a_resident_page_tells_where_its_neighbour_goes,
          neighbours_in_use_are_written_but_stay,
          neighbours_that_proved_themselves_stay,
          a_cluster_ends_at_a_pinned_and_at_a_clean_page,
          a_fragmented_swap_splits_the_cluster,
          without_descriptors_the_rest_waits,
          without_blocks_the_victim_stays_next,
          after_a_write_error_pages_are_written_elsewhere_each_alone,
          a_suspect_page_goes_with_nobody_and_nobody_with_it,
          a_page_that_fails_twice_is_lost_and_no_other,
          a_suspect_page_redirtied_while_its_write_fails_is_not_lost,
          retired_blocks_are_charged_for_no_more,
          files_that_grow_together_are_hardly_cut)

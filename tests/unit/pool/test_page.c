/* test_page.c - every edge of the state diagram, and none but those. */
#include "fake_owner.h"
#include "pool_internal.h"

#include "unit.h"

#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

static struct rig rig;

/* Plenty of frames and blocks, and nothing moves but what the test moves. */
static void setup(void)
{
    rig_up(&rig, &(struct rig_config){ .frames = 512, .blocks = 65536,
                                       .pages = 256, .stopped = true });
    ck_assert_int_eq(grow_file(rig.pool, 4096), 0);
}

static struct page *page_at(uint64_t index)
{
    return pool_page(rig.arena, fake_entry(&rig, 1, index).number);
}

static uint32_t free_frames(void)
{
    return arena_nr_free(rig.arena);
}

START_TEST(a_page_written_is_dirty_and_has_no_block)
{
    setup();
    fake_write(&rig, 1, 0, 1, true);
    ck_assert_int_eq(fake_state(&rig, 1, 0), PAGE_DIRTY);
    ck_assert_uint_eq(page_at(0)->block, BLOCK_NONE);
    rig_down(&rig);
}
END_TEST

START_TEST(dirty_to_writing_to_clean)
{
    setup();
    fake_write(&rig, 1, 0, 1, true);
    fake_swap_hold(true);
    pool_page_touch(page_at(0));
    ck_assert_int_eq(fake_pageout(&rig, 1, 0), 0);
    ck_assert_int_eq(fake_state(&rig, 1, 0), PAGE_WRITING);
    ck_assert_uint_ne(page_at(0)->block, BLOCK_NONE);
    fake_swap_hold(false);
    pool_quiesce(rig.pool);
    ck_assert_int_eq(fake_state(&rig, 1, 0), PAGE_CLEAN);
    ck_assert_uint_eq(fake_swap_counts().nr_used, 1);
    rig_down(&rig);
}
END_TEST

START_TEST(clean_to_free_by_eviction)
{
    uint32_t before;

    setup();
    before = free_frames();
    fake_write(&rig, 1, 0, 1, true);
    fake_clean(&rig, 1, 0, true);
    ck_assert_uint_eq(free_frames(), before - 1);
    page_at(0)->referenced = 0;
    ck_assert_uint_eq(launder_reclaim(rig.pool, 1), 1);
    ck_assert_int_eq(fake_entry(&rig, 1, 0).kind, FAKE_BLOCK);
    ck_assert_uint_eq(free_frames(), before);
    ck_assert_int_eq(fake_read(&rig, 1, 0, 1, true), 0);
    rig_down(&rig);
}
END_TEST

START_TEST(clean_to_dirty_gives_the_block_back_at_once)
{
    setup();
    fake_write(&rig, 1, 0, 1, true);
    fake_clean(&rig, 1, 0, true);
    fake_write(&rig, 1, 0, 2, true);
    ck_assert_int_eq(fake_state(&rig, 1, 0), PAGE_DIRTY);
    ck_assert_uint_eq(fake_swap_counts().nr_used, 0);
    rig_down(&rig);
}
END_TEST

START_TEST(writing_redirtied_stays_dirty_and_frees_its_block)
{
    struct pool_stats stats;

    setup();
    fake_write(&rig, 1, 0, 1, true);
    fake_swap_hold(true);
    fake_pageout(&rig, 1, 0);
    fake_write(&rig, 1, 0, 2, true);
    ck_assert_int_eq(fake_state(&rig, 1, 0), PAGE_WRITING);
    fake_swap_hold(false);
    pool_quiesce(rig.pool);
    ck_assert_int_eq(fake_state(&rig, 1, 0), PAGE_DIRTY);
    ck_assert_uint_eq(fake_swap_counts().nr_used, 0);
    pool_stats(rig.pool, &stats);
    ck_assert_uint_eq(stats.redirtied, 1);
    fake_clean(&rig, 1, 0, false);
    ck_assert_int_eq(fake_read(&rig, 1, 0, 1, true), 0); /* the second value */
    rig_down(&rig);
}
END_TEST

START_TEST(dropped_while_writing_is_freed_by_the_io)
{
    uint32_t before;

    setup();
    before = free_frames();
    fake_write(&rig, 1, 0, 1, true);
    fake_swap_hold(true);
    fake_pageout(&rig, 1, 0);
    fake_drop(&rig, 1, 0);
    ck_assert_uint_eq(free_frames(), before - 1);
    ck_assert_uint_eq(fake_swap_counts().nr_used, 1);
    fake_swap_hold(false);
    pool_quiesce(rig.pool);
    ck_assert_uint_eq(free_frames(), before);
    ck_assert_uint_eq(fake_swap_counts().nr_used, 0);
    rig_down(&rig);
}
END_TEST

START_TEST(dropped_while_reading_is_freed_by_the_io)
{
    uint32_t before;

    setup();
    before = free_frames();
    fake_write(&rig, 1, 0, 1, true);
    fake_clean(&rig, 1, 0, false);
    fake_swap_hold(true);
    ck_assert_uint_eq(fake_read_ahead(&rig, 1, 0, 1), 1);
    ck_assert_int_eq(fake_state(&rig, 1, 0), PAGE_READING);
    fake_drop(&rig, 1, 0);
    ck_assert_uint_eq(free_frames(), before - 1);
    fake_swap_hold(false);
    pool_quiesce(rig.pool);
    ck_assert_uint_eq(free_frames(), before);
    ck_assert_uint_eq(fake_swap_counts().nr_used, 0);
    rig_down(&rig);
}
END_TEST

START_TEST(dropped_while_pinned_is_freed_with_the_last_pin)
{
    uint32_t before, frame;

    setup();
    before = free_frames();
    fake_write(&rig, 1, 0, 1, true);
    frame = fake_pin(&rig, 1, 0);
    ck_assert_uint_eq(fake_pin(&rig, 1, 0), frame);
    fake_drop(&rig, 1, 0);
    pool_page_unpin(rig.pool, frame);
    ck_assert_uint_eq(free_frames(), before - 1);
    pool_page_unpin(rig.pool, frame);
    ck_assert_uint_eq(free_frames(), before);
    rig_down(&rig);
}
END_TEST

START_TEST(dropped_clean_gives_frame_and_block_back)
{
    uint32_t before;

    setup();
    before = free_frames();
    fake_write(&rig, 1, 0, 1, true);
    fake_clean(&rig, 1, 0, true);
    fake_drop(&rig, 1, 0);
    ck_assert_uint_eq(free_frames(), before);
    ck_assert_uint_eq(fake_swap_counts().nr_used, 0);
    rig_down(&rig);
}
END_TEST

START_TEST(a_pinned_page_is_not_evicted)
{
    uint32_t frame;

    setup();
    fake_write(&rig, 1, 0, 1, true);
    fake_clean(&rig, 1, 0, true);
    page_at(0)->referenced = 0;
    frame = fake_pin(&rig, 1, 0);
    ck_assert_uint_eq(launder_reclaim(rig.pool, 1), 0);
    ck_assert_int_eq(fake_state(&rig, 1, 0), PAGE_CLEAN);
    pool_page_unpin(rig.pool, frame);
    ck_assert_uint_eq(launder_reclaim(rig.pool, 1), 1);
    rig_down(&rig);
}
END_TEST

START_TEST(a_victim_pinned_while_written_stays)
{
    uint32_t frame;

    setup();
    fake_write(&rig, 1, 0, 1, true);
    fake_swap_hold(true);
    fake_pageout(&rig, 1, 0);
    frame = fake_pin(&rig, 1, 0);
    fake_swap_hold(false);
    pool_quiesce(rig.pool);
    ck_assert_int_eq(fake_state(&rig, 1, 0), PAGE_CLEAN);
    pool_page_unpin(rig.pool, frame);
    pool_check(rig.pool);
    rig_down(&rig);
}
END_TEST

/* Does changing a page's state from one to the other abort? */
static bool refused(enum page_state from, enum page_state to)
{
    int status;
    pid_t pid = fork();

    if (pid == 0) {
        struct page *page = page_at(0);

        if (!freopen("/dev/null", "w", stderr))
            _exit(0);
        atomic_store(&page->state, (uint8_t)from);
        page->pins = 1;
        page_set_state(rig.pool, page, to,
                       to == PAGE_READING || to == PAGE_CLEAN ||
                       to == PAGE_WRITING ? 7 : BLOCK_NONE);
        _exit(0);
    }
    waitpid(pid, &status, 0);
    return WIFSIGNALED(status);
}

/* Only builds with invariants can tell. */
START_TEST(no_other_edge_is_legal)
{
    static const bool allowed[NR_PAGE_STATES][NR_PAGE_STATES] = {
        [PAGE_NONE] = { [PAGE_READING] = true, [PAGE_DIRTY] = true },
        [PAGE_READING] = { [PAGE_CLEAN] = true, [PAGE_DIRTY] = true,
                           [PAGE_DEAD] = true },
        [PAGE_CLEAN] = { [PAGE_NONE] = true, [PAGE_DIRTY] = true,
                         [PAGE_DEAD] = true },
        [PAGE_DIRTY] = { [PAGE_WRITING] = true, [PAGE_DEAD] = true },
        [PAGE_WRITING] = { [PAGE_CLEAN] = true, [PAGE_DIRTY] = true,
                           [PAGE_DEAD] = true },
        [PAGE_DEAD] = { [PAGE_NONE] = true },
    };

#ifndef PAGERFS_DEBUG
    return;
#endif
    setup();
    fake_write(&rig, 1, 0, 1, true);
    for (unsigned from = 0; from < NR_PAGE_STATES; from++)
        for (unsigned to = 0; to < NR_PAGE_STATES; to++)
            ck_assert_msg(refused(from, to) == !allowed[from][to],
                          "edge %u to %u", from, to);
    rig_down(&rig);
}
END_TEST

UNIT_MAIN("page", a_page_written_is_dirty_and_has_no_block,
          dirty_to_writing_to_clean, clean_to_free_by_eviction,
          clean_to_dirty_gives_the_block_back_at_once,
          writing_redirtied_stays_dirty_and_frees_its_block,
          dropped_while_writing_is_freed_by_the_io,
          dropped_while_reading_is_freed_by_the_io,
          dropped_while_pinned_is_freed_with_the_last_pin,
          dropped_clean_gives_frame_and_block_back,
          a_pinned_page_is_not_evicted, a_victim_pinned_while_written_stays,
          no_other_edge_is_legal)

/* test_evict.c - pages sent out when asked, and pages made the next to go. */
#include "fake_owner.h"
#include "pool_internal.h"
#include "unit.h"

#include <errno.h>

static struct rig rig;

/* The pageout thread does not run. */
static void up(uint32_t blocks)
{
    rig_up(&rig, &(struct rig_config){ .frames = 400, .blocks = blocks,
                                       .pages = 300, .stopped = true });
}

/* 0, too, if it is not there any more. */
static int evict(uint64_t index)
{
    const struct fake_entry *entry = &rig.owners[0].entries[index];

    fake_owner_ops.lock(&rig, 1);
    if (entry->kind == FAKE_FRAME)
        return pool_page_evict(rig.pool, entry->number);
    fake_owner_ops.unlock(&rig, 1);
    return 0;
}

static void write_pages(uint64_t nr)
{
    for (uint64_t i = 0; i < nr; i++)
        ck_assert_int_eq(fake_write(&rig, 1, i, (uint32_t)i + 1, true), 0);
}

static void drop_all(uint64_t nr)
{
    for (uint64_t i = 0; i < nr; i++) {
        ck_assert_int_eq(fake_read(&rig, 1, i, 1, true), 0);
        fake_drop(&rig, 1, i);
    }
    rig_down(&rig);
}

START_TEST(clean_goes_at_once)
{
    up(2048);
    ck_assert_int_eq(pool_blocks_want(rig.pool), 0);
    write_pages(1);
    fake_clean(&rig, 1, 0, true);
    ck_assert_int_eq(fake_state(&rig, 1, 0), PAGE_CLEAN);
    ck_assert_int_eq(evict(0), 0);
    ck_assert_int_eq(fake_entry(&rig, 1, 0).kind, FAKE_BLOCK);
    drop_all(1);
}
END_TEST

/* Asked once more if it is still there: it may have been pinned by its own I/O,
 * or all descriptors have been in use. */
static bool sent_out(uint64_t index)
{
    int err = evict(index);

    ck_assert(err == 0 || err == -EBUSY);
    return fake_entry(&rig, 1, index).kind == FAKE_BLOCK;
}

/* Also those that were used a moment ago. */
START_TEST(dirty_goes_when_written)
{
    up(2048);
    ck_assert_int_eq(pool_blocks_want(rig.pool), 0);
    write_pages(10);
    for (uint64_t i = 0; i < 10; i++)
        ck_assert_int_eq(fake_read(&rig, 1, i, 1, true), 0);
    for (uint64_t i = 0; i < 10; i++)
        EVENTUALLY(sent_out(i));
    drop_all(10);
}
END_TEST

START_TEST(pinned_stays)
{
    uint32_t frame;

    up(2048);
    ck_assert_int_eq(pool_blocks_want(rig.pool), 0);
    write_pages(1);
    frame = fake_pin(&rig, 1, 0);
    ck_assert_int_eq(evict(0), 0);
    ck_assert_int_eq(fake_state(&rig, 1, 0), PAGE_DIRTY);
    pool_page_unpin(rig.pool, frame);
    fake_clean(&rig, 1, 0, true);
    frame = fake_pin(&rig, 1, 0);
    ck_assert_int_eq(evict(0), 0);
    ck_assert_int_eq(fake_state(&rig, 1, 0), PAGE_CLEAN);
    pool_page_unpin(rig.pool, frame);
    pool_check(rig.pool);
    drop_all(1);
}
END_TEST

START_TEST(no_room_on_swap)
{
    up(0);
    write_pages(1);
    atomic_store(&rig.pool->launder.kicks, 0);
    ck_assert_int_eq(evict(0), -ENOSPC);
    ck_assert_int_eq(fake_state(&rig, 1, 0), PAGE_DIRTY);
    /* Pageout may have seen a descriptor in use, and wait for its I/O. */
    ck_assert_uint_eq(atomic_load(&rig.pool->launder.kicks), KICK_DONE);
    ck_assert_int_eq(pool_blocks_want(rig.pool), -ENOSPC);
    pool_check(rig.pool);
    drop_all(1);
}
END_TEST

static uint32_t next_victim(void)
{
    struct replace *r = &rig.pool->replace;
    uint32_t steps = 1000, frame;

    mutex_lock(&rig.pool->queue_lock, RANK_POOL);
    frame = replace_victim(r, &steps);
    replace_return_first(r, frame);
    mutex_unlock(&rig.pool->queue_lock);
    return frame;
}

START_TEST(cooled_is_next)
{
    uint32_t frame;

    up(2048);
    write_pages(20);
    frame = fake_entry(&rig, 1, 13).number;
    pool_page_touch(pool_page(rig.arena, frame));
    ck_assert_uint_ne(next_victim(), frame);
    fake_owner_ops.lock(&rig, 1);
    pool_page_cool(rig.pool, frame);
    fake_owner_ops.unlock(&rig, 1);
    ck_assert_uint_eq(next_victim(), frame);
    pool_check(rig.pool);
    drop_all(20);
}
END_TEST

UNIT_MAIN("evict", clean_goes_at_once, dirty_goes_when_written, pinned_stays,
          no_room_on_swap, cooled_is_next)

/* test_pool.c - making a pool, its marks, its figures, and its end. */
#include "fake_owner.h"
#include "pool_internal.h"

#include "unit.h"

#include <errno.h>

static struct rig rig;

static int create(uint32_t frames, const char *replacement)
{
    struct swap_file file = fake_swap_file(100);
    struct pool_config config = { .replacement = replacement,
                                  .ops = &fake_owner_ops };
    struct pool *pool;
    int err;

    ck_assert_int_eq(arena_create(&config.arena, (uint64_t)frames *
                                  (PAGE_SIZE + sizeof(struct frame))), 0);
    ck_assert_int_eq(swap_create(&config.swap, &file, config.arena, 64), 0);
    err = pool_create(&pool, &config);
    if (!err)
        pool_destroy(pool);
    swap_destroy(config.swap);
    arena_destroy(config.arena);
    return err;
}

START_TEST(what_cannot_be_made_is_refused)
{
    ck_assert_int_eq(create(POOL_MIN_FRAMES - 1, NULL), -EINVAL);
    ck_assert_int_eq(create(POOL_MIN_FRAMES, "lru"), -EINVAL);
    ck_assert_int_eq(create(POOL_MIN_FRAMES, NULL), 0);
    ck_assert_int_eq(create(POOL_MIN_FRAMES, "clock"), 0);
}
END_TEST

START_TEST(marks_are_in_order_at_every_size)
{
    static const uint32_t sizes[] = { POOL_MIN_FRAMES, 500, 1024, 1500, 2000,
                                      8192, 65536, 1000000 };

    for (unsigned i = 0; i < ARRAY_SIZE(sizes); i++) {
        struct pool_stats s;

        rig_up(&rig, &(struct rig_config){ .frames = sizes[i], .pages = 1,
                                           .stopped = true });
        pool_stats(rig.pool, &s);
        ck_assert_uint_ge(s.reserve, 32);
        ck_assert_uint_lt(s.reserve, s.min);
        ck_assert_uint_lt(s.min, s.low);
        ck_assert_uint_lt(s.low, s.high);
        ck_assert_uint_le(s.high, sizes[i] / 4);
        ck_assert_uint_ge(pool_batch(rig.pool), 16);
        ck_assert_uint_le(2 * pool_batch(rig.pool), s.reserve);
        rig_down(&rig);
    }
}
END_TEST

START_TEST(overhead_is_small_and_told_beforehand)
{
    ck_assert_uint_lt(pool_overhead_bytes(8 << 20), 256 << 10);
    ck_assert_uint_lt(pool_overhead_bytes(1ull << 30), 4 << 20);
    ck_assert_uint_ge(pool_overhead_bytes(8 << 20),
                      sizeof(struct pool) + pageout_bytes() +
                          pagein_bytes(2000) + ghost_bytes(2000));
}
END_TEST

START_TEST(room_for_metadata_is_told_beforehand)
{
    static const uint32_t sizes[] = { POOL_MIN_FRAMES, 500, 1023, 1024, 1025,
                                      8192, 65536, 1000000 };

    for (unsigned i = 0; i < ARRAY_SIZE(sizes); i++) {
        struct pool_stats s;
        uint64_t bytes;

        rig_up(&rig, &(struct rig_config){ .frames = sizes[i], .pages = 1,
                                           .stopped = true });
        pool_stats(rig.pool, &s);
        bytes = (uint64_t)arena_nr_frames(rig.pool->arena) *
                (PAGE_SIZE + sizeof(struct frame));
        ck_assert_uint_eq(pool_metadata_max(bytes), s.metadata_max);
        rig_down(&rig);
    }
    ck_assert_uint_eq(pool_metadata_max(0), 0);
}
END_TEST

START_TEST(figures_tell_what_happened)
{
    struct pool_stats s;

    rig_up(&rig, &(struct rig_config){ .frames = 1024, .blocks = 4096,
                                       .limit = 3000, .pages = 100,
                                       .stopped = true });
    grow_file(rig.pool, 4096);
    fake_fill(&rig, 1, 1);
    fake_clean(&rig, 1, 99, false); /* 96..99 at the least */
    ck_assert_int_eq(fake_read(&rig, 1, 99, 1, true), 0);
    pool_quiesce(rig.pool);
    pool_stats(rig.pool, &s);
    ck_assert_uint_eq(s.limit, 3000);
    ck_assert_uint_eq(s.used, 100);
    ck_assert_uint_eq(s.data, 100);
    ck_assert_uint_eq(s.metadata, 0);
    ck_assert_uint_eq(s.used_max, 3000);
    ck_assert_uint_eq(s.frames, 1024);
    ck_assert_uint_eq(s.blocks_max, 4096);
    ck_assert_uint_eq(s.blocks_backed, 4096);
    ck_assert_uint_eq(s.pageout_ios, 1);
    ck_assert_uint_eq(s.evictions, s.pageout_pages);
    ck_assert_uint_eq(s.frames_free, 1024 - 100 + s.evictions - 1);
    ck_assert_uint_eq(s.blocks_free, 4096 - s.pageout_pages);
    ck_assert_uint_eq(s.pagein_pages, 1);
    ck_assert_uint_eq(s.pagein_ios, 1);
    ck_assert_uint_eq(s.refaults, 1);
    rig_down(&rig);
}
END_TEST

START_TEST(the_end_waits_for_what_is_in_flight)
{
    rig_up(&rig, &(struct rig_config){ .frames = 1024, .blocks = 4096,
                                       .pages = 100 });
    grow_file(rig.pool, 4096);
    fake_fill(&rig, 1, 1);
    fake_swap_delay_us(50000);
    ck_assert_int_eq(fake_pageout(&rig, 1, 0), 0);
    rig_down(&rig);
}
END_TEST

UNIT_MAIN("pool", what_cannot_be_made_is_refused,
          marks_are_in_order_at_every_size,
          overhead_is_small_and_told_beforehand,
          room_for_metadata_is_told_beforehand, figures_tell_what_happened,
          the_end_waits_for_what_is_in_flight)

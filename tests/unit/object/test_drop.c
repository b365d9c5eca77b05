/* test_drop.c - pages given up in every state. */
#include "fixture.h"

#include "clock.h"

#include <pthread.h>

static struct fixture f;
static struct file file;

static void up(void)
{
    fixture_up(&f, 0, 2048, 0);
    file_up(&f, &file, 400 * PAGE_SIZE);
}

static void down(void)
{
    model_compare(&f, &file, 0, file.size);
    file_down(&f, &file);
    fixture_down(&f);
}

/* Dropped while it is written: the block comes back when the write is done. */
START_TEST(while_being_written)
{
    uint32_t taken[400], n = 0;

    up();
    model_write(&f, &file, 0, 8 * PAGE_SIZE, 1, false);
    fake_swap_hold(true);
    while (fake_swap_nr_held() == 0)
        if ((taken[n] = arena_frame_alloc(f.store.arena, 0)) != FRAME_NONE)
            n++;
    ck_assert_uint_eq(fake_swap_counts().nr_used, 8);
    model_truncate(&f, &file, 100);
    ck_assert_uint_eq(stats_of(&f).data, 1);
    ck_assert_uint_eq(fake_swap_counts().nr_used, 8);
    fake_swap_hold(false);
    fake_swap_release(1);
    pool_frames_put(f.store.pool, n, taken);
    pool_quiesce(f.store.pool);
    ck_assert_uint_le(fake_swap_counts().nr_used, 1);
    model_truncate(&f, &file, 8 * PAGE_SIZE);
    down();
}
END_TEST

static void *read_all(void *arg)
{
    model_compare(&f, arg, 0, 8 * PAGE_SIZE);
    return NULL;
}

/* A truncate of the pages that somebody waits for comes after him. */
START_TEST(while_being_read)
{
    struct file copy;
    pthread_t thread;

    up();
    model_write(&f, &file, 0, 80 * PAGE_SIZE, 1, false);
    swap_out(&f, &file);
    copy = file;
    fake_swap_delay_us(20000);
    pthread_create(&thread, NULL, read_all, &copy);
    fake_swap_wait_held(0);
    /* Beyond what is read: no waiting for him. */
    model_truncate(&f, &file, 8 * PAGE_SIZE);
    pthread_join(thread, NULL);
    model_truncate(&f, &file, 0);
    ck_assert_uint_eq(stats_of(&f).data, 0);
    pool_quiesce(f.store.pool);
    ck_assert_uint_eq(fake_swap_counts().nr_used, 0);
    down();
}
END_TEST

/* A folded leaf is cut in two, or goes as a whole. */
START_TEST(folded)
{
    up();
    model_write(&f, &file, 0, 256 * PAGE_SIZE, 1, false);
    swap_out(&f, &file);
    ck_assert_uint_eq(usage_of(&f, &file).map_bytes, 512);
    model_fallocate(&f, &file, OBJECT_PUNCH, 64 * PAGE_SIZE, 64 * PAGE_SIZE,
                    true);
    ck_assert_uint_eq(usage_of(&f, &file).map_bytes, 512);
    model_fallocate(&f, &file, OBJECT_PUNCH, 140 * PAGE_SIZE, 2 * PAGE_SIZE,
                    true);
    ck_assert_uint_eq(usage_of(&f, &file).map_bytes, 512 + 256);
    ck_assert_uint_eq(usage_of(&f, &file).runs, 3);
    ck_assert_uint_eq(fake_swap_counts().nr_used, 190);
    down();
}
END_TEST

START_TEST(many)
{
    up();
    for (int i = 0; i < 3; i++) {
        model_write(&f, &file, PAGE_SIZE, 200 * PAGE_SIZE, 1, false);
        if (i == 1)
            swap_out(&f, &file);
        model_truncate(&f, &file, 0);
        ck_assert_uint_eq(stats_of(&f).data, 0);
        ck_assert_uint_eq(stats_of(&f).metadata, 1); /* the object itself */
    }
    down();
}
END_TEST

UNIT_MAIN("drop", while_being_written, while_being_read, folded, many)

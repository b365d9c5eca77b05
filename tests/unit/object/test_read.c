/* test_read.c - what a read returns, pins and waits for. */
#include "fixture.h"

#include "clock.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>

static struct fixture f;
static struct file file;

static void up(void)
{
    fixture_up(&f, 0, 2048, 0);
    file_up(&f, &file, 400 * PAGE_SIZE);
}

static void down(void)
{
    file_down(&f, &file);
    fixture_down(&f);
}

static int begin(uint64_t offset, size_t n, bool wait, struct object_read *read)
{
    return object_read_begin(&f.store, file.object, NULL, offset, n, wait, read);
}

static void end(struct object_read *read)
{
    object_read_end(&f.store, file.object, read);
}

START_TEST(clipped_at_the_size)
{
    struct object_read read;

    up();
    model_write(&f, &file, 0, 5000, 1, false);
    ck_assert_int_eq(begin(4990, 100, false, &read), 0);
    ck_assert_uint_eq(read.bytes, 10);
    end(&read);
    for (uint64_t offset = 5000; offset < 10000; offset += 4999) {
        ck_assert_int_eq(begin(offset, 100, false, &read), 0);
        ck_assert_uint_eq(read.bytes, 0);
        ck_assert_uint_eq(read.iov_count, 0);
        end(&read);
    }
    ck_assert_int_eq(begin(0, 0, false, &read), 0);
    ck_assert_uint_eq(read.bytes, 0);
    end(&read);
    ck_assert_int_eq(begin(0, OBJECT_MAX_IO + 1, true, &read), -EINVAL);
    ck_assert_uint_eq(atomic_load(&file.object->range.held), 0);
    model_compare(&f, &file, 0, 20000);
    down();
}
END_TEST

/* Frames that lie side by side share an element; holes are the zero frame. */
START_TEST(the_iovec)
{
    struct object_read read;
    size_t bytes = 0;

    up();
    model_write(&f, &file, 0, 16 * PAGE_SIZE, 1, false);
    model_truncate(&f, &file, 20 * PAGE_SIZE);
    ck_assert_int_eq(begin(100, 19 * PAGE_SIZE, false, &read), 0);
    ck_assert_uint_eq(read.bytes, 19 * PAGE_SIZE);
    /* A fresh pool hands its frames out in order. */
    ck_assert_uint_eq(read.iov_count, 1 + 4);
    ck_assert_uint_eq(read.iov[1].iov_len, 16 * PAGE_SIZE - 100);
    for (uint32_t i = 1; i <= read.iov_count; i++)
        bytes += read.iov[i].iov_len;
    ck_assert_uint_eq(bytes, read.bytes);
    ck_assert_ptr_eq(read.iov[2].iov_base, f.store.arena->base);
    end(&read);
    down();
}
END_TEST

START_TEST(lost_pages_cut_the_read)
{
    struct object_read read;

    up();
    model_write(&f, &file, 0, 10 * PAGE_SIZE, 1, false);
    swap_out(&f, &file);
    fake_swap_fail_read_after(0, EIO, 1); /* the run, and then */
    ck_assert_int_eq(begin(4 * PAGE_SIZE, 1, true, &read), -EIO);
    ck_assert_uint_eq(usage_of(&f, &file).lost, 1);
    ck_assert_int_eq(begin(4 * PAGE_SIZE + 1, 1, false, &read), -EIO);
    ck_assert_int_eq(begin(10, 9 * PAGE_SIZE, true, &read), 0);
    ck_assert_uint_eq(read.bytes, 4 * PAGE_SIZE - 10);
    end(&read);
    ck_assert_int_eq(begin(5 * PAGE_SIZE, 5 * PAGE_SIZE, true, &read), 0);
    ck_assert_uint_eq(read.bytes, 5 * PAGE_SIZE);
    end(&read);
    down();
}
END_TEST

/* A read that fails in the middle of a run: the others are read one by one, and
 * what comes before the bad one is returned. */
START_TEST(an_error_in_a_run)
{
    struct object_read read;

    up();
    model_write(&f, &file, 0, 10 * PAGE_SIZE, 1, false);
    swap_out(&f, &file);
    fake_swap_fail_read_after(0, EIO, 1);
    ck_assert_int_eq(begin(0, 10 * PAGE_SIZE, true, &read), 0);
    ck_assert_uint_eq(read.bytes, 10 * PAGE_SIZE);
    end(&read);
    model_compare(&f, &file, 0, file.size);
    ck_assert_uint_eq(f.lost, 0);
    down();
}
END_TEST

START_TEST(without_waiting)
{
    struct object_read read;
    struct range range;

    up();
    model_write(&f, &file, 0, 10 * PAGE_SIZE, 1, false);
    ck_assert_int_eq(begin(0, 10 * PAGE_SIZE, false, &read), 0);
    end(&read);
    rangelock_lock(&file.object->range, &range, 5, 6, RANGE_EXCLUSIVE);
    ck_assert_int_eq(begin(0, 10, false, &read), -EAGAIN);
    rangelock_unlock(&file.object->range, &range);
    swap_out(&f, &file);
    ck_assert_int_eq(begin(0, 10, false, &read), -EAGAIN);
    ck_assert_uint_eq(fake_swap_counts().reads, 0);
    ck_assert_uint_eq(usage_of(&f, &file).resident, 0);
    down();
}
END_TEST

struct reader {
    uint64_t offset;
    size_t n;
    int err;
};

static void *reader_main(void *arg)
{
    struct reader *r = arg;
    struct object_read read;

    r->err = begin(r->offset, r->n, true, &read);
    if (!r->err) {
        unit_assert(read.bytes == r->n);
        end(&read);
    }
    return NULL;
}

/* Three runs are on their way before the first is waited for; and who comes
 * second waits for the same reads. */
START_TEST(all_runs_in_flight)
{
    struct reader one = { 0, 30 * PAGE_SIZE, 1 }, two = { 5, 9000, 1 };
    pthread_t first, second;

    up();
    for (uint64_t at = 0; at < 30; at += 10) {
        model_write(&f, &file, at * PAGE_SIZE, 9 * PAGE_SIZE, at + 1, false);
        model_truncate(&f, &file, (at + 10) * PAGE_SIZE);
    }
    swap_out(&f, &file);
    fake_swap_hold(true);
    pthread_create(&first, NULL, reader_main, &one);
    fake_swap_wait_held(3);
    pthread_create(&second, NULL, reader_main, &two);
    clock_sleep_ns(20000000);
    ck_assert_uint_eq(fake_swap_nr_held(), 3);
    fake_swap_hold(false);
    fake_swap_release(3);
    pthread_join(first, NULL);
    pthread_join(second, NULL);
    ck_assert_int_eq(one.err, 0);
    ck_assert_int_eq(two.err, 0);
    ck_assert_uint_eq(fake_swap_counts().reads, 3);
    ck_assert_uint_eq(fake_swap_counts().read_blocks, 27);
    model_compare(&f, &file, 0, file.size);
    down();
}
END_TEST

/* Pages of a read in progress stay where they are. */
START_TEST(pinned_until_the_end)
{
    struct object_read read;
    uint32_t taken[400], n = 0;

    up();
    model_write(&f, &file, 0, 10 * PAGE_SIZE, 1, false);
    ck_assert_int_eq(begin(0, 4 * PAGE_SIZE, false, &read), 0);
    for (int tries = 0; usage_of(&f, &file).resident > 4; tries++) {
        unit_assert(tries < 100000);
        while ((taken[n] = arena_frame_alloc(f.store.arena, 0)) != FRAME_NONE)
            n++;
        clock_sleep_ns(5000);
    }
    clock_sleep_ns(20000000);
    ck_assert_uint_eq(usage_of(&f, &file).resident, 4);
    for (uint32_t i = 1, at = 0; i <= read.iov_count; i++) {
        ck_assert_int_eq(memcmp(read.iov[i].iov_base, file.bytes + at,
                                read.iov[i].iov_len), 0);
        at += (uint32_t)read.iov[i].iov_len;
    }
    pool_frames_put(f.store.pool, n, taken);
    end(&read);
    down();
}
END_TEST

/* Many large reads at once in the smallest of pools: each needs more than half
 * of what there is, and all get it. */
enum { READERS = 6, READS = 40 };

static void *large_reader(void *arg)
{
    uint64_t seed = 1 + (uint64_t)(uintptr_t)arg;

    for (int i = 0; i < READS; i++) {
        struct object_read read;
        size_t n = object_read_max(&f.store);
        uint64_t offset = rnd(&seed, file.size - n);

        unit_assert(begin(offset, n, true, &read) == 0);
        unit_assert(read.bytes == n);
        for (uint32_t k = 1; k <= read.iov_count; k++) {
            unit_assert(memcmp(read.iov[k].iov_base, file.bytes + offset,
                               read.iov[k].iov_len) == 0);
            offset += read.iov[k].iov_len;
        }
        end(&read);
    }
    return NULL;
}

START_TEST(many_large_reads)
{
    pthread_t thread[READERS];

    fixture_up(&f, POOL_MIN_FRAMES, 512, 0);
    file_up(&f, &file, 900 * PAGE_SIZE);
    fake_swap_host_room(512);
    fake_swap_max_run(5);
    /* All that fits: every page-in must give its block back. */
    while (model_write(&f, &file, file.size, 8 * PAGE_SIZE, file.size + 1,
                       true) == 0)
        ;
    ck_assert_uint_gt(file.size, 700 * PAGE_SIZE);
    for (uintptr_t i = 0; i < READERS; i++)
        pthread_create(&thread[i], NULL, large_reader, (void *)i);
    for (int i = 0; i < READERS; i++)
        pthread_join(thread[i], NULL);
    down();
}
END_TEST

UNIT_MAIN("read", clipped_at_the_size, the_iovec, lost_pages_cut_the_read,
          an_error_in_a_run, without_waiting, all_runs_in_flight,
          pinned_until_the_end, many_large_reads)

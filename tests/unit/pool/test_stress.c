/* test_stress.c - threads that write, read and drop pages of a few owners in a
 * pool much smaller than what they hold, every byte of every read checked.
 *
 * Each thread has its own pages of every owner (every nth), so that pageout finds
 * clusters which several threads are at work in.
 */
#include "fake_owner.h"

#include "clock.h"

#include "unit.h"

#include <errno.h>
#include <pthread.h>

enum { THREADS = 4 };

struct worker {
    pthread_t thread;
    struct rig *rig;
    unsigned seed, nr, operations;
    bool faults;       /* reads may find lost pages */
    uint64_t enospc;
};

static void one_operation(struct worker *w, uint32_t value)
{
    struct rig *rig = w->rig;
    uint32_t owner = 1 + (uint32_t)rand_r(&w->seed) % rig->nr_owners;
    uint64_t index = (uint64_t)rand_r(&w->seed) % (rig->nr_pages / THREADS);
    unsigned what = (unsigned)rand_r(&w->seed) % 100;
    bool wait = rand_r(&w->seed) % 8 != 0;
    int err;

    index = index * THREADS + w->nr;
    if (what < 45) {
        err = fake_write(rig, owner, index, value, wait);
        w->enospc += err == -ENOSPC;
        ck_assert(err == 0 || err == -ENOSPC || (err == -EAGAIN && !wait));
    } else if (what < 90) {
        err = fake_read(rig, owner, index, 1 + what % 16, wait);
        ck_assert(err == 0 || (err == -EAGAIN && !wait) ||
                  (err == -EIO && w->faults));
    } else if (what < 94) {
        fake_read_ahead(rig, owner, index, 16);
    } else {
        fake_drop(rig, owner, index);
    }
}

static void *work(void *arg)
{
    struct worker *w = arg;

    for (unsigned i = 0; i < w->operations; i++)
        one_operation(w, i);
    return NULL;
}

static void run(struct rig *rig, unsigned operations, bool faults)
{
    struct worker workers[THREADS];
    struct pool_stats stats;

    for (unsigned i = 0; i < THREADS; i++) {
        workers[i] = (struct worker){ .rig = rig, .seed = i + 1, .nr = i,
                                      .operations = operations,
                                      .faults = faults };
        pthread_create(&workers[i].thread, NULL, work, &workers[i]);
    }
    for (unsigned i = 0; i < THREADS; i++) {
        pthread_join(workers[i].thread, NULL);
        /* What is there now is what was written last. */
        for (uint32_t o = 1; o <= rig->nr_owners; o++) {
            for (uint64_t p = i; p < rig->nr_pages; p += THREADS) {
                int err = fake_read(rig, o, p, 16, true);

                ck_assert(err == 0 || (err == -EIO && faults));
            }
        }
    }
    pool_quiesce(rig->pool);
    pool_check(rig->pool);
    pool_stats(rig->pool, &stats);
    ck_assert_uint_gt(stats.pageout_pages, 0);
    ck_assert_uint_gt(stats.pagein_pages, 0);
}

START_TEST(small_pool_much_swap)
{
    struct rig rig;

    rig_up(&rig, &(struct rig_config){ .frames = 400, .blocks = 8192,
                                       .owners = 3, .pages = 1200 });
    fake_swap_shuffle(true);
    run(&rig, 20000, false);
    rig_down(&rig);
}
END_TEST

START_TEST(swap_and_pool_full)
{
    struct rig rig;

    rig_up(&rig, &(struct rig_config){ .frames = 300, .blocks = 512,
                                       .owners = 2, .pages = 800 });
    run(&rig, 10000, false);
    rig_down(&rig);
}
END_TEST

START_TEST(clock_policy)
{
    struct rig rig;

    rig_up(&rig, &(struct rig_config){ .frames = 1500, .blocks = 8192,
                                       .owners = 5, .pages = 1000,
                                       .replacement = "clock" });
    run(&rig, 20000, false);
    rig_down(&rig);
}
END_TEST

START_TEST(errors_now_and_then)
{
    struct rig rig;

    rig_up(&rig, &(struct rig_config){ .frames = 400, .blocks = 16384,
                                       .owners = 3, .pages = 1200 });
    fake_swap_fail_write_after(50, EIO, 3);
    fake_swap_fail_read_after(200, EIO, 5);
    run(&rig, 20000, true);
    rig_down(&rig);
}
END_TEST

UNIT_MAIN("stress", small_pool_much_swap, swap_and_pool_full, clock_policy,
          errors_now_and_then)

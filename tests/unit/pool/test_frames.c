/* test_frames.c - who gets frames down to which mark, and who waits how. */
#include "fake_owner.h"
#include "pool_internal.h"

#include "unit.h"
#include "wakes.h"

#include <errno.h>
#include <pthread.h>

enum { FRAMES = 1024 };

static struct rig rig;
static uint32_t taken[FRAMES], nr_taken;

static void setup(uint32_t blocks, bool stopped)
{
    nr_taken = 0;
    rig_up(&rig, &(struct rig_config){ .frames = FRAMES, .blocks = blocks,
                                       .pages = FRAMES, .stopped = stopped });
}

static uint32_t free_frames(void)
{
    return arena_nr_free(rig.arena);
}

/* Takes frames one by one until that is refused; how many are left free. */
static uint32_t take_all(enum pool_wait wait)
{
    while (pool_frames_get(rig.pool, 1, &taken[nr_taken], wait) == 0)
        nr_taken++;
    return free_frames();
}

/* Straight from the arena, down to so many free. */
static void take_down_to(uint32_t left)
{
    while (free_frames() > left)
        taken[nr_taken++] = arena_frame_alloc(rig.arena, 0);
}

static void give_back(uint32_t nr)
{
    nr_taken -= nr;
    pool_frames_put(rig.pool, nr, taken + nr_taken);
}

START_TEST(readahead_stops_below_low_and_others_at_min)
{
    setup(4096, true);
    grow_file(rig.pool, 4096);
    ck_assert_uint_eq(take_all(POOL_AHEAD), rig.pool->low - rig.pool->batch);
    ck_assert_uint_eq(take_all(POOL_NOWAIT), rig.pool->min);
    give_back(nr_taken);
    rig_down(&rig);
}
END_TEST

/* Where pageout sleeps, there is a batch to be had. */
START_TEST(readahead_is_refused_only_while_pageout_works)
{
    uint32_t frames[SWAP_IO_MAX_PAGES], nr;

    setup(4096, true);
    grow_file(rig.pool, 4096);
    nr = rig.pool->batch;
    while (free_frames() > rig.pool->low)
        ck_assert_int_eq(pool_frames_get(rig.pool, 1, &taken[nr_taken++],
                                         POOL_NOWAIT), 0);
    ck_assert_int_eq(pool_frames_get(rig.pool, nr, frames, POOL_AHEAD), 0);
    ck_assert_uint_lt(free_frames(), rig.pool->low);
    ck_assert_int_eq(pool_frames_get(rig.pool, nr, frames, POOL_AHEAD), -EAGAIN);
    pool_frames_put(rig.pool, nr, frames);
    give_back(nr_taken);
    rig_down(&rig);
}
END_TEST

START_TEST(a_page_in_uses_up_the_reserve)
{
    setup(4096, true);
    while (free_frames() > 0)
        ck_assert_int_eq(pool_frames_get(rig.pool, 1, &taken[nr_taken++],
                                         POOL_WAIT_READ), 0);
    give_back(nr_taken);
    rig_down(&rig);
}
END_TEST

START_TEST(all_frames_or_none)
{
    uint32_t frames[64];

    setup(4096, true);
    grow_file(rig.pool, 4096);
    take_down_to(rig.pool->min + 5);
    ck_assert_int_eq(pool_frames_get(rig.pool, 6, frames, POOL_NOWAIT),
                     -EAGAIN);
    ck_assert_uint_eq(free_frames(), rig.pool->min + 5);
    ck_assert_int_eq(pool_frames_get(rig.pool, 5, frames, POOL_NOWAIT), 0);
    pool_frames_put(rig.pool, 5, frames);
    give_back(nr_taken);
    rig_down(&rig);
}
END_TEST

START_TEST(without_swap_every_page_that_was_charged_gets_its_frame)
{
    struct pool_stats stats;

    setup(0, false);
    pool_stats(rig.pool, &stats);
    ck_assert_uint_eq(fake_fill(&rig, 1, 1), FRAMES - stats.reserve);
    ck_assert_uint_eq(free_frames(), stats.reserve);
    rig_down(&rig);
}
END_TEST

START_TEST(one_who_wants_a_frame_evicts_a_clean_page_himself)
{
    uint32_t frame;

    setup(4096, true);
    grow_file(rig.pool, 4096);
    fake_write(&rig, 1, 0, 1, true);
    fake_clean(&rig, 1, 0, true);
    pool_page(rig.arena, fake_entry(&rig, 1, 0).number)->referenced = 0;
    take_down_to(rig.pool->min);
    ck_assert_int_eq(pool_frames_get(rig.pool, 1, &frame, POOL_NOWAIT), 0);
    ck_assert_int_eq(fake_entry(&rig, 1, 0).kind, FAKE_BLOCK);
    pool_frames_put(rig.pool, 1, &frame);
    give_back(nr_taken);
    rig_down(&rig);
}
END_TEST

struct getter {
    pthread_t thread;
    uint32_t nr, frames[64];
    enum pool_wait wait;
    _Atomic bool done;
};

static void *get(void *arg)
{
    struct getter *g = arg;

    ck_assert_int_eq(pool_frames_get(rig.pool, g->nr, g->frames, g->wait), 0);
    atomic_store(&g->done, true);
    return NULL;
}

static void get_start(struct getter *g, uint32_t nr, enum pool_wait wait)
{
    uint32_t sleepers = atomic_load(&rig.pool->frames.sleepers);

    g->nr = nr;
    g->wait = wait;
    atomic_store(&g->done, false);
    pthread_create(&g->thread, NULL, get, g);
    EVENTUALLY(atomic_load(&rig.pool->frames.sleepers) > sleepers ||
               atomic_load(&g->done));
}

static void get_end(struct getter *g)
{
    pthread_join(g->thread, NULL);
    pool_frames_put(rig.pool, g->nr, g->frames);
}

START_TEST(a_sleeper_is_woken_when_frames_come_back)
{
    struct getter g;

    setup(4096, true);
    grow_file(rig.pool, 4096);
    take_down_to(rig.pool->min);
    get_start(&g, 1, POOL_WAIT);
    ck_assert(!g.done);
    give_back(1);
    EVENTUALLY(atomic_load(&g.done));
    get_end(&g);
    give_back(nr_taken);
    rig_down(&rig);
}
END_TEST

START_TEST(small_requests_do_not_starve_a_large_one)
{
    struct getter large, small;
    uint32_t frame;

    setup(4096, true);
    grow_file(rig.pool, 4096);
    take_down_to(rig.pool->min);
    get_start(&large, 20, POOL_WAIT);
    get_start(&small, 1, POOL_WAIT);
    for (unsigned i = 0; i < 19; i++) {
        give_back(1);
        /* Neither a newcomer nor the second in the queue is served before. */
        ck_assert_int_eq(pool_frames_get(rig.pool, 1, &frame, POOL_NOWAIT),
                         -EAGAIN);
        clock_sleep_ns(1000000);
        ck_assert(!small.done);
    }
    give_back(1);
    EVENTUALLY(atomic_load(&large.done));
    give_back(1);
    EVENTUALLY(atomic_load(&small.done));
    get_end(&large);
    get_end(&small);
    give_back(nr_taken);
    rig_down(&rig);
}
END_TEST

/* One give-back serves several. */
START_TEST(all_who_can_be_served_are)
{
    static struct getter getters[10];

    setup(4096, true);
    grow_file(rig.pool, 4096);
    take_down_to(rig.pool->min);
    for (unsigned round = 0; round < 20; round++) {
        for (unsigned i = 0; i < 10; i++)
            get_start(&getters[i], 1, POOL_WAIT);
        give_back(10);
        for (unsigned i = 0; i < 10; i++)
            EVENTUALLY(atomic_load(&getters[i].done));
        for (unsigned i = 0; i < 10; i++)
            get_end(&getters[i]);
        take_down_to(rig.pool->min);
    }
    give_back(nr_taken);
    rig_down(&rig);
}
END_TEST

/* In the order in which they came, whatever their number; and what is handed to
 * one wakes none of the others. */
START_TEST(each_who_is_served_is_woken_once_and_nobody_else)
{
    static struct getter getters[8];
    enum { NR = ARRAY_SIZE(getters) };

    setup(4096, true);
    wakes_start(&rig.pool->launder.kicks);
    grow_file(rig.pool, 4096);
    take_down_to(rig.pool->min);
    for (unsigned i = 0; i < NR; i++)
        get_start(&getters[i], 1 + i, POOL_WAIT);
    EVENTUALLY(atomic_load(&sleeps) >= NR);
    for (unsigned i = 0; i < NR; i++) {
        for (unsigned k = 0; k < 1 + i; k++)
            give_back(1);
        EVENTUALLY(atomic_load(&getters[i].done));
        EVENTUALLY(atomic_load(&wakes) == i + 1);
        for (unsigned k = i + 1; k < NR; k++)
            ck_assert(!getters[k].done);
    }
    for (unsigned i = 0; i < NR; i++)
        get_end(&getters[i]);
    ck_assert_uint_eq(atomic_load(&wakes), NR);
    give_back(nr_taken);
    rig_down(&rig);
}
END_TEST

/* How long writers were held up is counted, and who only reads is not. */
START_TEST(the_time_that_writers_wait_is_counted)
{
    struct pool_stats stats;
    struct getter g;

    setup(4096, true);
    grow_file(rig.pool, 4096);
    take_down_to(0);
    get_start(&g, 1, POOL_WAIT_READ);
    give_back(1);
    get_end(&g);
    pool_stats(rig.pool, &stats);
    ck_assert_uint_eq(stats.writers_waited_ns, 0);
    get_start(&g, 1, POOL_WAIT);
    give_back(nr_taken);
    get_end(&g);
    pool_stats(rig.pool, &stats);
    ck_assert_uint_gt(stats.writers_waited_ns, 0);
    rig_down(&rig);
}
END_TEST

START_TEST(a_page_in_does_not_stand_behind_writers)
{
    struct getter writer, reader;

    setup(4096, true);
    grow_file(rig.pool, 4096);
    take_down_to(rig.pool->min);
    get_start(&writer, 20, POOL_WAIT);
    get_start(&reader, 20, POOL_WAIT_READ);
    EVENTUALLY(atomic_load(&reader.done));
    ck_assert(!writer.done);
    get_end(&reader);
    give_back(nr_taken);
    get_end(&writer);
    rig_down(&rig);
}
END_TEST

static void *wait_for_metadata(void *arg)
{
    _Atomic bool *done = arg;

    arena_wait(rig.arena);
    atomic_store(done, true);
    return NULL;
}

START_TEST(metadata_waits_within_the_reserve)
{
    _Atomic bool done = false;
    pthread_t thread;
    void *ptr;

    setup(4096, true);
    grow_file(rig.pool, 4096);
    take_down_to(rig.arena->reserve);
    ck_assert_int_eq(arena_alloc(rig.arena, PAGE_SIZE, &ptr), -EAGAIN);
    pthread_create(&thread, NULL, wait_for_metadata, &done);
    EVENTUALLY(atomic_load(&rig.pool->frames.sleepers) == 1);
    clock_sleep_ns(5000000);
    ck_assert(!done);
    give_back(1);
    pthread_join(thread, NULL);
    ck_assert_int_eq(arena_alloc(rig.arena, PAGE_SIZE, &ptr), 0);
    arena_free(rig.arena, ptr);
    give_back(nr_taken);
    rig_down(&rig);
}
END_TEST

enum { THREADS = 6, ROUNDS = 3000 };

static void *get_and_put(void *arg)
{
    unsigned seed = (unsigned)(uintptr_t)arg;
    uint32_t frames[32];

    for (unsigned i = 0; i < ROUNDS; i++) {
        uint32_t nr = 1 + (uint32_t)rand_r(&seed) % 32;

        ck_assert_int_eq(pool_frames_get(rig.pool, nr, frames,
                                         rand_r(&seed) % 2 ? POOL_WAIT
                                                           : POOL_WAIT_READ),
                         0);
        pool_frames_put(rig.pool, nr, frames);
    }
    return NULL;
}

START_TEST(no_wake_up_is_lost)
{
    pthread_t threads[THREADS];

    setup(4096, true);
    grow_file(rig.pool, 4096);
    take_down_to(rig.pool->min + 40);
    for (uintptr_t i = 0; i < THREADS; i++)
        pthread_create(&threads[i], NULL, get_and_put, (void *)(i + 1));
    for (unsigned i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    give_back(nr_taken);
    rig_down(&rig);
}
END_TEST

UNIT_MAIN("frames", readahead_stops_below_low_and_others_at_min,
          readahead_is_refused_only_while_pageout_works,
          a_page_in_uses_up_the_reserve, all_frames_or_none,
          without_swap_every_page_that_was_charged_gets_its_frame,
          one_who_wants_a_frame_evicts_a_clean_page_himself,
          a_sleeper_is_woken_when_frames_come_back,
          small_requests_do_not_starve_a_large_one, all_who_can_be_served_are,
          each_who_is_served_is_woken_once_and_nobody_else,
          the_time_that_writers_wait_is_counted,
          a_page_in_does_not_stand_behind_writers,
          metadata_waits_within_the_reserve, no_wake_up_is_lost)

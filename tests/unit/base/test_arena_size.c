/* test_arena_size.c - withheld frames are never handed out and have no memory. */
#include "arena.h"

#include "unit.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>

enum { FRAME_COST = PAGE_SIZE + sizeof(struct frame) };

/* Pages of the range that have memory, frame 0 left out. */
static uint32_t resident(const void *range, size_t pages)
{
    static unsigned char map[4096];
    uint32_t n = 0;

    ck_assert_uint_le(pages, sizeof(map));
    ck_assert_int_eq(mincore((void *)(uintptr_t)range, pages * PAGE_SIZE, map),
                     0);
    for (size_t page = 1; page < pages; page++)
        n += map[page] & 1;
    return n;
}

/* Takes all that can be had, and uses it. */
static uint32_t take_all(struct arena *arena, uint32_t *frames)
{
    uint32_t n = 0;

    while ((frames[n] = arena_frame_alloc(arena, 0)) != FRAME_NONE)
        memset(arena_frame_ptr(arena, frames[n++]), 1, PAGE_SIZE);
    return n;
}

START_TEST(frames_beyond_the_budget_are_withheld)
{
    static uint32_t frames[1024];
    struct arena *arena;
    uint32_t n;

    ck_assert_int_eq(arena_create_range(&arena, 256 * FRAME_COST,
                                        1024 * FRAME_COST), 0);
    ck_assert_uint_eq(arena_nr_frames(arena), 256);
    ck_assert_uint_eq(arena->nr_frames, 1024);
    n = take_all(arena, frames);
    ck_assert_uint_eq(n, 255);
    arena_check(arena);
    ck_assert_int_eq(arena_yield(arena, 700), 0);
    n += take_all(arena, frames + n);
    ck_assert_uint_eq(n, 955);
    arena_check(arena);
    arena_frames_free(arena, n, frames);
    ck_assert_uint_eq(arena_nr_free(arena), 955);
    arena_destroy(arena);
}
END_TEST

START_TEST(what_is_withheld_has_no_memory)
{
    static uint32_t frames[1024];
    struct arena *arena;
    uint32_t n;

    ck_assert_int_eq(arena_create(&arena, 1024 * FRAME_COST), 0);
    n = take_all(arena, frames);
    ck_assert(!arena_withhold(arena, 1, 0));
    arena_frames_free(arena, n - 100, frames + 100);
    ck_assert_uint_eq(resident(arena->base, 1024), 1023);
    ck_assert(!arena_withhold(arena, 900, 24));
    ck_assert_uint_eq(arena_nr_frames(arena), 1024);
    ck_assert(arena_withhold(arena, 900, 23));
    ck_assert_uint_eq(arena_nr_frames(arena), 124);
    ck_assert_uint_eq(arena_nr_free(arena), 23);
    ck_assert_uint_eq(resident(arena->base, 1024), 123);
    arena_check(arena);
    ck_assert_uint_eq(take_all(arena, frames + 100), 23);
    ck_assert_uint_eq(resident(arena->base, 1024), 123);
    arena_frames_free(arena, 123, frames);
    /* Nothing was taken away that has no memory to take. */
    ck_assert_uint_eq(arena_trim(arena, 1000), 123);
    ck_assert(arena_withhold(arena, 60, 0));
    ck_assert_int_eq(arena_yield(arena, 960), 0);
    ck_assert_uint_eq(take_all(arena, frames), 1023);
    arena_frames_free(arena, 1023, frames);
    arena_destroy(arena);
}
END_TEST

/* A large range costs what is used of it: two pages here, of frames and table. */
START_TEST(a_range_costs_nothing_before_it_is_used)
{
    struct arena *arena;
    uint32_t frame;

    ck_assert_int_eq(arena_create_range(&arena, 256 * FRAME_COST,
                                        4096 * FRAME_COST), 0);
    frame = arena_frame_alloc(arena, 0);
    /* Handles from outside may be anything. */
    for (uint32_t f = 0; f < 4096; f += 7)
        ck_assert(!arena_handle_is_node(arena, f << (PAGE_SHIFT - HANDLE_SHIFT)));
    ck_assert(arena_withhold(arena, 100, 0));
    ck_assert_int_eq(arena_yield(arena, 3000), 0);
    memset(arena_frame_ptr(arena, frame), 1, PAGE_SIZE);
    ck_assert_uint_eq(resident(arena->base, 4096), 1);
    ck_assert_uint_eq(resident(arena->table, 32), 0);
    arena_frame_free(arena, frame);
    arena_destroy(arena);
}
END_TEST

/* Entries that were used stay in memory, and are paid for. */
START_TEST(the_table_of_what_was_used_counts)
{
    static uint32_t frames[2048];
    struct arena *arena;
    uint32_t n;

    ck_assert_int_eq(arena_create(&arena, 2048 * FRAME_COST), 0);
    ck_assert_uint_eq(arena_frames_for(arena, 512 * FRAME_COST), 512);
    ck_assert_uint_eq(arena_bytes_for(arena, 512), 512 * FRAME_COST);
    n = take_all(arena, frames);
    arena_frames_free(arena, n, frames);
    /* 1536 entries more than frames: 12 pages of them. */
    ck_assert_uint_eq(arena_frames_for(arena, 512 * FRAME_COST), 500);
    ck_assert_uint_eq(arena_bytes_for(arena, 500), 512 * FRAME_COST);
    ck_assert_uint_eq(arena_frames_for(arena, 2048 * FRAME_COST), 2048);
    ck_assert_uint_eq(arena_frames_for(arena, 1000), 0);
    arena_destroy(arena);
}
END_TEST

/* Where addresses are short the arena is as large as it must be.  (A sanitizer has
 * more of them in use than the limit leaves.) */
START_TEST(no_addresses_no_range)
{
    struct rlimit before, now;
    struct arena *arena = NULL;
    void *some;
    int err = 0;

    ck_assert_int_eq(getrlimit(RLIMIT_AS, &before), 0);
    now = before;
    now.rlim_cur = (rlim_t)4 << 30;
    ck_assert_int_eq(setrlimit(RLIMIT_AS, &now), 0);
    some = mmap(NULL, 1 << 24, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (some != MAP_FAILED)
        err = arena_create_range(&arena, 256 * FRAME_COST, (uint64_t)64 << 30);
    ck_assert_int_eq(setrlimit(RLIMIT_AS, &before), 0);
    if (some == MAP_FAILED)
        return;
    munmap(some, 1 << 24);
    ck_assert_int_eq(err, 0);
    ck_assert_uint_eq(arena->nr_frames, 256);
    arena_destroy(arena);
}
END_TEST

static unsigned lows;

static int charge(void *ctx)
{
    (void)ctx;
    return 0;
}

static void nothing(void *ctx)
{
    (void)ctx;
}

static void low(void *ctx)
{
    (void)ctx;
    lock_assert_none(RANK_BUDGET);
    lows++;
}

static const struct arena_ops ops = { charge, nothing, low, nothing };

START_TEST(low_is_told_when_withholding_comes_to_it)
{
    struct arena *arena;

    ck_assert_int_eq(arena_create(&arena, 256 * FRAME_COST), 0);
    arena_set_ops(arena, &ops, NULL, 100, 8);
    ck_assert(arena_withhold(arena, 154, 0));
    ck_assert_uint_eq(lows, 0);
    ck_assert(arena_withhold(arena, 1, 0));
    ck_assert_uint_eq(lows, 1);
    ck_assert(!arena_withhold(arena, 1, 100));
    ck_assert_uint_eq(lows, 2);
    arena_set_low(arena, 50);
    ck_assert(arena_withhold(arena, 1, 0));
    ck_assert_uint_eq(lows, 2);
    arena_destroy(arena);
}
END_TEST

/* --- threads ------------------------------------------------------------------ */

enum { THREADS = 3, RANGE = 600, LEAST = 200, ROUNDS = 20000 };

static _Atomic uint32_t in_use;
static _Atomic bool over;

/* Takes, marks, checks and gives back. */
static void *taker(void *arg)
{
    struct arena *arena = arg;
    uint32_t frames[150], n = 0;

    for (unsigned i = 0; !atomic_load(&over); i++) {
        if (n == ARRAY_SIZE(frames) || (n > 0 && i % 3 == 0)) {
            uint32_t *bytes = arena_frame_ptr(arena, frames[--n]);

            unit_assert(*bytes == frames[n]);
            atomic_fetch_sub(&in_use, 1);
            arena_frame_free(arena, frames[n]);
            continue;
        }
        frames[n] = arena_frame_alloc(arena, 0);
        if (frames[n] == FRAME_NONE)
            continue;
        *(uint32_t *)arena_frame_ptr(arena, frames[n]) = frames[n];
        atomic_fetch_add(&in_use, 1);
        n++;
    }
    atomic_fetch_sub(&in_use, n);
    arena_frames_free(arena, n, frames);
    return NULL;
}

/* Withholds and yields at random; after each, no more frames are in use than the
 * model says there are. */
START_TEST(never_more_in_use_than_there_are)
{
    struct arena *arena;
    pthread_t thread[THREADS];
    uint32_t model = RANGE / 2, moved = 0;
    unsigned seed = 3;

    ck_assert_int_eq(arena_create_range(&arena, model * FRAME_COST,
                                        RANGE * FRAME_COST), 0);
    atomic_store(&over, false);
    for (unsigned i = 0; i < THREADS; i++)
        ck_assert_int_eq(pthread_create(&thread[i], NULL, taker, arena), 0);
    for (unsigned i = 0; i < ROUNDS; i++) {
        uint32_t nr = 1 + (uint32_t)rand_r(&seed) % 40;

        if (rand_r(&seed) % 2 && model + nr <= RANGE) {
            ck_assert_int_eq(arena_yield(arena, nr), 0);
            model += nr;
        } else if (model >= LEAST + nr && arena_withhold(arena, nr, 3)) {
            model -= nr;
            moved += nr;
            unit_assert(atomic_load(&in_use) < model);
        }
        unit_assert(arena_nr_frames(arena) == model);
    }
    atomic_store(&over, true);
    for (unsigned i = 0; i < THREADS; i++)
        pthread_join(thread[i], NULL);
    ck_assert_uint_gt(moved, 0);
    ck_assert_uint_eq(arena_nr_free(arena), model - 1);
    arena_destroy(arena);
}
END_TEST

UNIT_MAIN("arena_size", frames_beyond_the_budget_are_withheld,
          what_is_withheld_has_no_memory,
          a_range_costs_nothing_before_it_is_used,
          the_table_of_what_was_used_counts, no_addresses_no_range,
          low_is_told_when_withholding_comes_to_it,
          never_more_in_use_than_there_are)

/* test_arena.c - frames: bounded, given back, never one below the floor. */
#include "arena.h"

#include "unit.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

START_TEST(frames_run_out_at_the_floor)
{
    struct arena *arena;
    uint32_t frames[512], n = 0;

    ck_assert_int_eq(arena_create(&arena, 256 * (PAGE_SIZE + 32)), 0);
    while ((frames[n] = arena_frame_alloc(arena, 16)) != FRAME_NONE)
        n++;
    ck_assert_uint_eq(n, 256 - 1 - 16);
    ck_assert_uint_eq(arena_nr_free(arena), 16);
    while (n > 0)
        arena_frame_free(arena, frames[--n]);
    arena_destroy(arena);
}
END_TEST

START_TEST(frames_come_all_or_none)
{
    struct arena *arena;
    uint32_t frames[128], free;

    ck_assert_int_eq(arena_create(&arena, 128 * (PAGE_SIZE + 32)), 0);
    free = arena_nr_free(arena);
    ck_assert(!arena_frames_alloc(arena, free - 15, 16, frames));
    ck_assert_uint_eq(arena_nr_free(arena), free);
    ck_assert(arena_frames_alloc(arena, free - 16, 16, frames));
    ck_assert_uint_eq(arena_nr_free(arena), 16);
    arena_frames_free(arena, free - 16, frames);
    ck_assert_uint_eq(arena_nr_free(arena), free);
    arena_destroy(arena);
}
END_TEST

START_TEST(nodes_are_found_one_after_the_other)
{
    struct arena *arena;
    void *node[100];
    uint32_t handle = HANDLE_NONE, n = 0;

    ck_assert_int_eq(arena_create(&arena, 256 * (PAGE_SIZE + 32)), 0);
    ck_assert_uint_eq(arena_node_next(arena, HANDLE_NONE), HANDLE_NONE);
    for (uint32_t i = 0; i < 100; i++) {
        ck_assert_int_eq(arena_alloc_node(arena, &node[i]), 0);
        *(uint32_t *)node[i] = i;
    }
    for (uint32_t i = 0; i < 100; i++)
        if (i % 3)
            arena_free(arena, node[i]);
    while ((handle = arena_node_next(arena, handle)) != HANDLE_NONE) {
        ck_assert(arena_handle_is_node(arena, handle));
        ck_assert_ptr_eq(arena_ptr(arena, handle), node[3 * n]);
        n++;
    }
    ck_assert_uint_eq(n, 34);
    for (uint32_t i = 0; i < 100; i += 3)
        arena_free(arena, node[i]);
    arena_destroy(arena);
}
END_TEST

START_TEST(sizes_out_of_range_are_refused)
{
    struct arena *arena;

    ck_assert_int_eq(arena_create(&arena, 63 * (PAGE_SIZE + 32)), -EINVAL);
    ck_assert_int_eq(arena_create(&arena, 0), -EINVAL);
    ck_assert_int_eq(arena_create(&arena, ARENA_MAX_BYTES + 1), -EINVAL);
    ck_assert_int_eq(arena_create(&arena, 64 * (PAGE_SIZE + 32)), 0);
    arena_destroy(arena);
    ck_assert_int_eq(arena_create(&arena, ARENA_MAX_BYTES), 0);
    arena_destroy(arena);
}
END_TEST

START_TEST(frame_zero_reads_zero_and_cannot_be_written)
{
    struct arena *arena;
    volatile uint8_t *zero;
    pid_t child;
    int status;

    ck_assert_int_eq(arena_create(&arena, 256 * (PAGE_SIZE + 32)), 0);
    zero = arena_frame_ptr(arena, FRAME_ZERO);
    for (unsigned i = 0; i < PAGE_SIZE; i++)
        unit_assert(zero[i] == 0);
    child = fork();
    if (child == 0) {
        /* The sanitizers' reports would be noise. */
        close(STDERR_FILENO);
        zero[17] = 1;
        _exit(0);
    }
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_int_ne(status, 0);
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
    /* The pool takes its locks here, which come before the arena's. */
    lock_assert_none(RANK_BUDGET);
    ck_assert_ptr_eq(ctx, &lows);
    lows++;
}

static const struct arena_ops ops = { charge, nothing, low, nothing };

START_TEST(low_is_told_at_the_mark_and_below)
{
    struct arena *arena;
    uint32_t frames[256], n = 0;

    ck_assert_int_eq(arena_create(&arena, 256 * (PAGE_SIZE + 32)), 0);
    arena_set_ops(arena, &ops, &lows, 100, 8);
    lows = 0;
    while (arena_nr_free(arena) > 101)
        frames[n++] = arena_frame_alloc(arena, 0);
    ck_assert_uint_eq(lows, 0);
    frames[n++] = arena_frame_alloc(arena, 0);
    ck_assert_uint_eq(lows, 1);
    /* A floor that cannot be kept is a shortage too. */
    ck_assert_uint_eq(arena_frame_alloc(arena, 200), FRAME_NONE);
    ck_assert_uint_eq(lows, 2);
    while (n > 0)
        arena_frame_free(arena, frames[--n]);
    ck_assert_uint_eq(lows, 2);
    arena_destroy(arena);
}
END_TEST

/* Frames of the arena that have memory behind them. */
static uint32_t resident(const struct arena *arena)
{
    static unsigned char map[1024];
    uint32_t n = 0;

    ck_assert_uint_le(arena->nr_frames, sizeof(map));
    ck_assert_int_eq(mincore(arena->base, (size_t)arena->nr_frames * PAGE_SIZE,
                             map), 0);
    for (uint32_t f = 1; f < arena->nr_frames; f++)
        n += map[f] & 1;
    return n;
}

START_TEST(trimmed_frames_have_no_memory_and_are_used_last)
{
    struct arena *arena;
    uint32_t frames[200], again;

    ck_assert_int_eq(arena_create(&arena, 256 * (PAGE_SIZE + 32)), 0);
    ck_assert_uint_eq(resident(arena), 0);
    ck_assert(arena_frames_alloc(arena, 200, 0, frames));
    for (unsigned i = 0; i < 200; i++)
        memset(arena_frame_ptr(arena, frames[i]), 1, PAGE_SIZE);
    ck_assert_uint_eq(resident(arena), 200);
    arena_frames_free(arena, 200, frames);
    ck_assert_uint_eq(arena_trim(arena, 150), 150);
    ck_assert_uint_eq(resident(arena), 50);
    arena_check(arena);
    for (unsigned i = 0; i < 50; i++)
        frames[i] = arena_frame_alloc(arena, 0);
    ck_assert_uint_eq(resident(arena), 50);
    again = arena_frame_alloc(arena, 0);
    for (unsigned i = 0; i < PAGE_SIZE; i++)
        unit_assert(((uint8_t *)arena_frame_ptr(arena, again))[i] == 0);
    arena_frame_free(arena, again);
    arena_frames_free(arena, 50, frames);
    ck_assert_uint_eq(arena_trim(arena, 1000), 51);
    ck_assert_uint_eq(arena_trim(arena, 1000), 0);
    ck_assert_uint_eq(resident(arena), 0);
    ck_assert_uint_eq(arena_nr_free(arena), arena->nr_frames - 1);
    arena_destroy(arena);
}
END_TEST

START_TEST(warmed_frames_have_memory_and_are_free)
{
    struct arena *arena;
    uint32_t frames[200], free;

    ck_assert_int_eq(arena_create(&arena, 256 * (PAGE_SIZE + 32)), 0);
    free = arena_nr_free(arena);
    ck_assert_uint_eq(arena_warm(arena, 10, free - 9), 0);
    ck_assert_uint_eq(arena_warm(arena, 10, free - 10), 10);
    ck_assert_uint_eq(resident(arena), 10);
    ck_assert_uint_eq(arena_nr_warm(arena), 10);
    ck_assert_uint_eq(arena_nr_free(arena), free);
    arena_check(arena);
    ck_assert(arena_frames_alloc(arena, 200, 0, frames));
    ck_assert_uint_eq(arena_nr_warm(arena), 0);
    ck_assert_uint_eq(resident(arena), 10);
    arena_frames_free(arena, 200, frames);
    /* All that is left, whether it was used before or not. */
    ck_assert_uint_eq(arena_trim(arena, 200), 200);
    while (arena_warm(arena, 5, 0) > 0)
        ;
    ck_assert_uint_eq(resident(arena), free);
    ck_assert_uint_eq(arena_nr_warm(arena), free);
    arena_destroy(arena);
}
END_TEST

/* Threads that take, mark, check and give back: no frame has two owners. */
static void *taker(void *arg)
{
    struct arena *arena = arg;
    uint32_t frames[20], n = 0;

    for (unsigned i = 0; i < 20000; i++) {
        uint32_t frame;

        if (n == 20 || (n > 0 && i % 3 == 0)) {
            uint32_t *bytes = arena_frame_ptr(arena, frames[--n]);

            unit_assert(*bytes == frames[n]);
            *bytes = 0;
            arena_frame_free(arena, frames[n]);
            continue;
        }
        frame = arena_frame_alloc(arena, 5);
        if (frame != FRAME_NONE) {
            frames[n++] = frame;
            *(uint32_t *)arena_frame_ptr(arena, frame) = frame;
        }
        if (i % 1000 == 0)
            arena_trim(arena, 3);
        if (i % 1000 == 500)
            arena_warm(arena, 4, 5);
    }
    arena_frames_free(arena, n, frames);
    return NULL;
}

START_TEST(a_frame_has_one_owner)
{
    struct arena *arena;
    pthread_t thread[4];

    ck_assert_int_eq(arena_create(&arena, 70 * (PAGE_SIZE + 32)), 0);
    for (unsigned i = 0; i < 4; i++)
        ck_assert_int_eq(pthread_create(&thread[i], NULL, taker, arena), 0);
    for (unsigned i = 0; i < 4; i++)
        pthread_join(thread[i], NULL);
    arena_destroy(arena);
}
END_TEST

UNIT_MAIN("arena", frames_run_out_at_the_floor, frames_come_all_or_none,
          nodes_are_found_one_after_the_other, sizes_out_of_range_are_refused,
          frame_zero_reads_zero_and_cannot_be_written,
          low_is_told_at_the_mark_and_below,
          trimmed_frames_have_no_memory_and_are_used_last,
          warmed_frames_have_memory_and_are_free,
          a_frame_has_one_owner)

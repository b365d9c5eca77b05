/* test_arena.c - frames: bounded, given back, never one below the floor. */
#include "arena.h"

#include "unit.h"

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

UNIT_MAIN("arena", frames_run_out_at_the_floor, frames_come_all_or_none,
          nodes_are_found_one_after_the_other)

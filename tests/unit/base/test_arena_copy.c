/* test_arena_copy.c - the kernel copies into frames that nobody has touched, and
 * what it copies is what memcpy() would have.
 */
#include "arena.h"
#include "arena_copy.h"

#include "refuse.h"
#include "unit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>

enum { FRAMES = 256, MANY = 64 };

static struct arena *arena;
static uint32_t frames[MANY];

static void setup(bool dear)
{
    ck_assert_int_eq(arena_create(&arena, FRAMES * (PAGE_SIZE + 32)), 0);
    arena->touch_is_dear = dear;
    ck_assert(arena_frames_alloc(arena, MANY, 0, frames));
}

static void teardown(void)
{
    arena_frames_free(arena, MANY, frames);
    arena_destroy(arena);
}

static uint32_t nr_touched(void)
{
    uint32_t n = 0;

    for (unsigned i = 0; i < MANY; i++)
        n += arena_is_touched(arena, frames[i]);
    return n;
}

static struct iovec piece(uint32_t frame, uint32_t from, uint32_t to)
{
    uint8_t *base = arena_frame_ptr(arena, frame);

    return (struct iovec){ base + from, to - from };
}

START_TEST(new_frames_are_filled_by_the_kernel)
{
    setup(false);
    ck_assert_uint_eq(nr_touched(), 0);
    ck_assert(arena_copy_pays(arena, frames, MANY, ARENA_COPY_FILL));
    /* They have memory from now on, and that is all they lacked. */
    ck_assert_uint_eq(nr_touched(), MANY);
    ck_assert(!arena_copy_pays(arena, frames, MANY, ARENA_COPY_FILL));
    teardown();
}
END_TEST

START_TEST(where_touching_is_dear_they_stay_untouched)
{
    setup(true);
    for (unsigned i = 0; i < 3; i++)
        ck_assert(arena_copy_pays(arena, frames, MANY, ARENA_COPY_FILL));
    ck_assert(arena_copy_pays(arena, frames, MANY, ARENA_COPY_CHANGE));
    ck_assert(arena_copy_pays(arena, frames, 1, ARENA_COPY_FILL));
    ck_assert_uint_eq(nr_touched(), 0);
    teardown();
}
END_TEST

START_TEST(a_few_that_are_changed_are_touched_for_good)
{
    setup(true);
    ck_assert(!arena_copy_pays(arena, frames, 3, ARENA_COPY_CHANGE));
    ck_assert_uint_eq(nr_touched(), 3);
    /* And those that are few among others. */
    ck_assert(arena_copy_pays(arena, frames, MANY, ARENA_COPY_CHANGE));
    for (unsigned i = 0; i < MANY - 7; i++)
        arena_note_touched(arena, frames[i]);
    ck_assert(!arena_copy_pays(arena, frames, MANY, ARENA_COPY_CHANGE));
    ck_assert_uint_eq(nr_touched(), MANY);
    teardown();
}
END_TEST

START_TEST(memory_that_goes_and_comes_is_noticed)
{
    setup(false);
    for (unsigned i = 0; i < MANY; i++)
        arena_note_touched(arena, frames[i]);
    arena_frames_free(arena, MANY, frames);
    ck_assert_uint_eq(arena_trim(arena, MANY), MANY);
    ck_assert_uint_eq(nr_touched(), 0);
    ck_assert_uint_eq(arena_warm(arena, MANY, 0), MANY);
    ck_assert(arena_frames_alloc(arena, MANY, 0, frames));
    ck_assert_uint_eq(nr_touched(), MANY);
    /* Memory alone does not help where the touch is dear. */
    arena_frames_free(arena, MANY, frames);
    arena_trim(arena, MANY);
    arena->touch_is_dear = true;
    ck_assert_uint_eq(arena_warm(arena, MANY, 0), MANY);
    ck_assert(arena_frames_alloc(arena, MANY, 0, frames));
    ck_assert_uint_eq(nr_touched(), 0);
    teardown();
}
END_TEST

START_TEST(metadata_is_touched)
{
    void *object;

    setup(true);
    ck_assert_int_eq(arena_alloc(arena, 4096, &object), 0);
    ck_assert(arena_is_touched(arena, arena_frame_of(arena, object)));
    arena_free(arena, object);
    ck_assert_int_eq(arena_alloc(arena, 32, &object), 0);
    ck_assert(arena_is_touched(arena, arena_frame_of(arena, object)));
    arena_free(arena, object);
    teardown();
}
END_TEST

/* Elements of random lengths on both sides, in and out again. */
START_TEST(what_is_copied_is_the_same)
{
    static uint8_t bytes[MANY * PAGE_SIZE], back[MANY * PAGE_SIZE];
    unsigned seed = 1;

    setup(true);
    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (uint8_t)rand_r(&seed);
    for (unsigned round = 0; round < 100; round++) {
        struct iovec to[MANY], from[MANY];
        uint32_t nr_from = 0;
        size_t sum = 0, at = 0;

        for (unsigned i = 0; i < MANY; i++) {
            uint32_t start = (uint32_t)rand_r(&seed) % PAGE_SIZE;

            to[i] = piece(frames[MANY - 1 - i], start, PAGE_SIZE);
            sum += PAGE_SIZE - start;
        }
        for (; at < sum; nr_from++) {
            size_t n = MIN(sum - at, 1 + (size_t)rand_r(&seed) % 20000);

            if (nr_from == MANY - 1)
                n = sum - at;
            from[nr_from] = (struct iovec){ bytes + at, n };
            at += n;
        }
        ck_assert(arena_copy_in(arena, to, MANY, from, nr_from, sum));
        for (unsigned i = 0, start = 0; i < MANY; i++) {
            unit_assert(memcmp(to[i].iov_base, bytes + start,
                               to[i].iov_len) == 0);
            start += (unsigned)to[i].iov_len;
        }
        memset(back, 0, sum + 1);
        ck_assert(arena_copy_out(arena, back, to, MANY, sum));
        unit_assert(memcmp(back, bytes, sum) == 0);
        unit_assert(back[sum] == 0);
    }
    teardown();
}
END_TEST

START_TEST(only_untouched_frames_are_copied_out_by_the_kernel)
{
    static uint8_t back[MANY * PAGE_SIZE];
    struct iovec from[MANY];

    setup(true);
    for (unsigned i = 0; i < MANY; i++)
        from[i] = piece(frames[i], 0, PAGE_SIZE);
    ck_assert(arena_copy_out(arena, back, from, MANY, sizeof(back)));
    ck_assert(!arena_copy_out(arena, back, from, 2, 2 * PAGE_SIZE));
    ck_assert_uint_eq(nr_touched(), 2);
    from[5].iov_base = back;
    ck_assert(!arena_copy_out(arena, back, from, MANY, sizeof(back)));
    ck_assert(!arena_copy_out(arena, back, from, 0, 0));
    from[5] = piece(frames[5], 0, PAGE_SIZE);
    arena->touch_is_dear = false;
    ck_assert(!arena_copy_out(arena, back, from, MANY, sizeof(back)));
    teardown();
}
END_TEST

/* The last one: what is forbidden stays so in this process. */
START_TEST(a_system_that_forbids_it_is_asked_once)
{
    uint8_t byte = 1;
    struct iovec to, from = { &byte, 1 };

    setup(true);
    to = piece(frames[0], 0, 1);
    ck_assert(refuse_call(SYS_process_vm_writev, EPERM));
    ck_assert(arena_copy_pays(arena, frames, MANY, ARENA_COPY_FILL));
    ck_assert(!arena_copy_in(arena, &to, 1, &from, 1, 1));
    ck_assert(!arena_copy_pays(arena, frames, MANY, ARENA_COPY_FILL));
    ck_assert_uint_eq(nr_touched(), MANY);
    teardown();
}
END_TEST

/* Memory that cannot be written stands for memory that cannot be had. */
START_TEST(one_that_cannot_now_is_asked_again)
{
    uint8_t bytes[2] = { 1, 1 };
    uint8_t *nowhere = mmap(NULL, PAGE_SIZE, PROT_NONE,
                            MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    struct iovec to[2], from = { bytes, 2 };

    setup(true);
    ck_assert(nowhere != MAP_FAILED);
    to[0] = piece(frames[0], 0, 1);
    to[1] = (struct iovec){ nowhere, 1 };
    ck_assert(!arena_copy_in(arena, to, 2, &from, 1, 2));
    ck_assert(!arena_copy_in(arena, to + 1, 1, &from, 1, 1));
    ck_assert(arena_copy_pays(arena, frames, MANY, ARENA_COPY_FILL));
    munmap(nowhere, PAGE_SIZE);
    teardown();
}
END_TEST

UNIT_MAIN("arena_copy", new_frames_are_filled_by_the_kernel,
          where_touching_is_dear_they_stay_untouched,
          a_few_that_are_changed_are_touched_for_good,
          memory_that_goes_and_comes_is_noticed, metadata_is_touched,
          what_is_copied_is_the_same,
          only_untouched_frames_are_copied_out_by_the_kernel,
          one_that_cannot_now_is_asked_again,
          a_system_that_forbids_it_is_asked_once)

/* test_slab.c - small objects: zeroed, charged, and owed.
 *
 * The ops below stand for the budget: so many frames of metadata and no more.
 */
#include "arena.h"

#include "unit.h"

#include <errno.h>
#include <string.h>

static uint32_t charged, charge_limit;

static int charge(void *ctx)
{
    (void)ctx;
    if (charged == charge_limit)
        return -ENOSPC;
    charged++;
    return 0;
}

static void uncharge(void *ctx)
{
    (void)ctx;
    ck_assert_uint_gt(charged, 0);
    charged--;
}

static void nothing(void *ctx)
{
    (void)ctx;
}

static const struct arena_ops ops = { charge, uncharge, nothing, nothing };

static struct arena *setup(uint32_t limit, uint32_t reserve)
{
    struct arena *arena;

    charged = 0;
    charge_limit = limit;
    ck_assert_int_eq(arena_create(&arena, 256 * (PAGE_SIZE + 32)), 0);
    arena_set_ops(arena, &ops, NULL, 0, reserve);
    return arena;
}

static void *get(struct arena *arena, size_t bytes)
{
    void *object;

    ck_assert_int_eq(arena_alloc(arena, bytes, &object), 0);
    return object;
}

START_TEST(frames_are_charged_and_given_back)
{
    struct arena *arena = setup(2, 8);
    void *object[33];

    for (int i = 0; i < 32; i++) {
        object[i] = get(arena, 256);
        memset(object[i], 0xff, 256);
    }
    ck_assert_uint_eq(charged, 2);
    ck_assert_int_eq(arena_alloc(arena, 256, &object[32]), -ENOSPC);
    ck_assert_int_eq(arena_alloc(arena, 32, &object[32]), -ENOSPC);
    arena_check(arena);
    for (int i = 0; i < 16; i++)
        arena_free(arena, object[i]);
    ck_assert_uint_eq(charged, 1);
    object[0] = get(arena, 4096);
    for (int i = 0; i < 4096; i++)
        ck_assert_int_eq(((char *)object[0])[i], 0);
    arena_free(arena, object[0]);
    for (int i = 16; i < 32; i++)
        arena_free(arena, object[i]);
    ck_assert_uint_eq(charged, 0);
    arena_destroy(arena);
}
END_TEST

/* What is owed stays charged and takes no memory; nobody else gets it. */
START_TEST(what_is_owed_can_be_had)
{
    struct arena *arena = setup(2, 8);
    uint32_t free_before = arena_nr_free(arena);
    void *object[32], *other;

    for (int i = 0; i < 32; i++)
        object[i] = get(arena, 256);
    for (int i = 0; i < 32; i++)
        arena_free_owed(arena, object[i]);
    ck_assert_uint_eq(charged, 2);
    ck_assert_uint_eq(arena_nr_free(arena), free_before);
    ck_assert_int_eq(arena_alloc(arena, 256, &other), -ENOSPC);
    ck_assert_int_eq(arena_alloc(arena, 64, &other), -ENOSPC);
    arena_check(arena);
    for (int i = 0; i < 32; i++)
        ck_assert_int_eq(arena_alloc_owed(arena, 256, &object[i]), 0);
    ck_assert_uint_eq(charged, 2);
    for (int i = 0; i < 32; i++)
        arena_free(arena, object[i]);
    ck_assert_uint_eq(charged, 0);
    arena_destroy(arena);
}
END_TEST

START_TEST(promises_are_charged_and_forgiven)
{
    struct arena *arena = setup(3, 8);
    void *object;

    ck_assert_int_eq(arena_owe(arena, 256, 49), -ENOSPC);
    ck_assert_uint_eq(charged, 0);
    ck_assert_int_eq(arena_owe(arena, 256, 48), 0);
    ck_assert_uint_eq(charged, 3);
    arena_forgive(arena, 256, 15);
    ck_assert_uint_eq(charged, 3);
    arena_forgive(arena, 256, 1);
    ck_assert_uint_eq(charged, 2);
    /* What is spare in the last frame is anybody's. */
    arena_forgive(arena, 256, 1);
    object = get(arena, 256);
    ck_assert_uint_eq(charged, 2);
    arena_forgive(arena, 256, 31);
    ck_assert_uint_eq(charged, 1);
    arena_free(arena, object);
    ck_assert_uint_eq(charged, 0);
    arena_destroy(arena);
}
END_TEST

/* A promise is kept from the reserve.  No frame at all at this moment: -EAGAIN,
 * and the promise stands. */
START_TEST(a_promise_may_have_to_wait)
{
    struct arena *arena = setup(10, 8);
    uint32_t frames[256], n = 0;
    void *object;

    ck_assert_int_eq(arena_owe(arena, 256, 1), 0);
    while ((frames[n] = arena_frame_alloc(arena, 8)) != FRAME_NONE)
        n++;
    ck_assert_int_eq(arena_alloc(arena, 32, &object), -EAGAIN);
    ck_assert_int_eq(arena_alloc_owed(arena, 256, &object), 0);
    arena_free_owed(arena, object);
    while ((frames[n] = arena_frame_alloc(arena, 0)) != FRAME_NONE)
        n++;
    ck_assert_int_eq(arena_alloc_owed(arena, 256, &object), -EAGAIN);
    ck_assert_uint_eq(charged, 1);
    arena_frame_free(arena, frames[--n]);
    ck_assert_int_eq(arena_alloc_owed(arena, 256, &object), 0);
    arena_free(arena, object);
    while (n > 0)
        arena_frame_free(arena, frames[--n]);
    ck_assert_uint_eq(charged, 0);
    arena_destroy(arena);
}
END_TEST

/* Whatever is allocated, owed and freed in between, what is owed can be had:
 * the limit is lowered to what is charged before each redemption. */
START_TEST(random_promises_hold)
{
    struct arena *arena = setup(40, 8);
    void *object[400];
    int live = 0, owed = 0;
    unsigned seed = 7;

    for (int i = 0; i < 40000; i++) {
        int what = rand_r(&seed) % 6, pick = live ? rand_r(&seed) % live : 0;

        charge_limit = rand_r(&seed) % 2 ? 40 : charged;
        if (what < 2 && live < 400) {
            live += arena_alloc(arena, 256, &object[live]) == 0;
        } else if (what == 2 && live > 0) {
            arena_free(arena, object[pick]);
            object[pick] = object[--live];
        } else if (what == 3 && live > 0) {
            arena_free_owed(arena, object[pick]);
            object[pick] = object[--live];
            owed++;
        } else if (what == 4 && owed > 0 && live < 400) {
            charge_limit = charged;
            if (arena_alloc_owed(arena, 256, &object[live++]) != 0)
                ck_abort_msg("a promise was broken");
            owed--;
        } else if (what == 5 && owed > 0 && rand_r(&seed) % 2) {
            arena_forgive(arena, 256, 1);
            owed--;
        }
        if (i % 64 == 0)
            arena_check(arena);
    }
    while (live > 0)
        arena_free(arena, object[--live]);
    arena_forgive(arena, 256, (uint32_t)owed);
    ck_assert_uint_eq(charged, 0);
    arena_destroy(arena);
}
END_TEST

/* --- objects of all sizes ------------------------------------------------- */

struct thing {
    uint8_t *bytes;
    size_t size; /* asked for */
    uint8_t mark;
};

static bool all_are(const uint8_t *bytes, size_t size, uint8_t value)
{
    for (size_t i = 0; i < size; i++) {
        if (bytes[i] != value)
            return false;
    }
    return true;
}

START_TEST(objects_are_zeroed_and_nobody_elses)
{
    enum { THINGS = 300, ROUNDS = 60000 };
    static struct thing thing[THINGS];
    struct arena *arena = setup(UINT32_MAX, 8);
    unsigned seed = 3;

    memset(thing, 0, sizeof(thing));
    for (unsigned i = 0; i < ROUNDS; i++) {
        struct thing *t = &thing[rand_r(&seed) % THINGS];
        void *out;

        if (t->bytes) {
            unit_assert(all_are(t->bytes, t->size, t->mark));
            arena_free(arena, t->bytes);
            t->bytes = NULL;
            continue;
        }
        t->size = 1 + (size_t)rand_r(&seed) % (i % 8 ? 400 : 4096);
        if (arena_alloc(arena, t->size, &out) != 0)
            continue;
        t->bytes = out;
        unit_assert(arena_object_size(t->size) >= t->size);
        unit_assert(all_are(t->bytes, arena_object_size(t->size), 0));
        t->mark = (uint8_t)i;
        memset(t->bytes, t->mark, t->size);
        unit_assert(arena_ptr(arena, arena_handle(arena, out)) == out);
        if (i % 1000 == 0)
            arena_check(arena);
    }
    for (unsigned i = 0; i < THINGS; i++)
        arena_free(arena, thing[i].bytes);
    ck_assert_uint_eq(charged, 0);
    arena_destroy(arena);
}
END_TEST

START_TEST(sizes_out_of_range_are_refused)
{
    struct arena *arena = setup(10, 8);
    void *out;

    ck_assert_int_eq(arena_alloc(arena, 0, &out), -EINVAL);
    ck_assert_int_eq(arena_alloc(arena, 4097, &out), -EINVAL);
    arena_free(arena, NULL);
    ck_assert_ptr_null(arena_ptr(arena, HANDLE_NONE));
    ck_assert_uint_eq(arena_handle(arena, NULL), HANDLE_NONE);
    arena_destroy(arena);
}
END_TEST

/* Any number may come from outside: only the handles of live nodes pass. */
START_TEST(only_handles_of_live_nodes_pass)
{
    struct arena *arena = setup(UINT32_MAX, 8);
    uint32_t last = arena->nr_frames << (PAGE_SHIFT - HANDLE_SHIFT), n = 0;
    void *node[200], *other[50];

    for (unsigned i = 0; i < 200; i++)
        ck_assert_int_eq(arena_alloc_node(arena, &node[i]), 0);
    for (unsigned i = 0; i < 50; i++)
        other[i] = get(arena, i % 2 ? SLAB_NODE_SIZE : 4096);
    for (unsigned i = 0; i < 200; i += 2)
        arena_free(arena, node[i]);
    for (uint32_t handle = 0; handle < last + 1000; handle++)
        n += arena_handle_is_node(arena, handle);
    ck_assert_uint_eq(n, 100);
    ck_assert(!arena_handle_is_node(arena, UINT32_MAX));
    for (unsigned i = 0; i < 200; i++) {
        ck_assert(arena_handle_is_node(arena, arena_handle(arena, node[i])) ==
                  (i % 2 == 1));
        if (i % 2)
            arena_free(arena, node[i]);
    }
    for (unsigned i = 0; i < 50; i++)
        arena_free(arena, other[i]);
    arena_destroy(arena);
}
END_TEST

START_TEST(metadata_is_what_is_charged)
{
    struct arena *arena = setup(8, 0);
    void *small = get(arena, 32), *whole = get(arena, PAGE_SIZE), *owed;

    ck_assert_uint_eq(arena_nr_metadata(arena), 2);
    owed = get(arena, 2048);
    arena_free_owed(arena, owed);
    ck_assert_uint_eq(arena_nr_metadata(arena), 3);
    ck_assert_uint_eq(charged, 3);
    arena_forgive(arena, 2048, 1);
    arena_free(arena, whole);
    arena_free(arena, small);
    ck_assert_uint_eq(arena_nr_metadata(arena), 0);
    ck_assert_uint_eq(charged, 0);
    arena_destroy(arena);
}
END_TEST

UNIT_MAIN("slab", metadata_is_what_is_charged,
          frames_are_charged_and_given_back, what_is_owed_can_be_had,
          promises_are_charged_and_forgiven, a_promise_may_have_to_wait,
          random_promises_hold, objects_are_zeroed_and_nobody_elses,
          sizes_out_of_range_are_refused, only_handles_of_live_nodes_pass)

/* test_chain.c - values of every size come back, and their memory too. */
#include "fixture.h"

#include <linux/limits.h>
#include <stdlib.h>

static uint8_t in[XATTR_SIZE_MAX], out[XATTR_SIZE_MAX + 1];

static void round_trip(struct fixture *f, uint64_t id, size_t size)
{
    for (size_t i = 0; i < size; i++)
        in[i] = (uint8_t)rand();
    ck_assert_int_eq(tree_setxattr(f->tree, &root_cred, id, "user.x", in, size,
                                   0, true), 0);
    ck_assert_int_eq(tree_getxattr(f->tree, id, "user.x", out, sizeof(out)),
                     (ssize_t)size);
    ck_assert_mem_eq(in, out, size);
}

/* Around the end of each record size, of the record and of the chunks. */
START_TEST(all_sizes_come_back)
{
    struct fixture f = { 0 };
    uint64_t id;

    fixture_start(&f);
    id = mk_file(&f, TREE_ROOT, "x");
    for (size_t size = 0; size < 200; size++)
        round_trip(&f, id, size);
    for (size_t page = 0; page < 3; page++)
        for (size_t size = 4040; size < 4110; size++)
            round_trip(&f, id, page * 4092 + size);
    for (size_t size = XATTR_SIZE_MAX - 3; size <= XATTR_SIZE_MAX; size++)
        round_trip(&f, id, size);
    ck_assert_int_eq(tree_unlink(f.tree, TREE_ROOT, "x"), 0);
    tree_forget(f.tree, id, 1);
    ck_assert_uint_eq(arena_nr_free(f.arena), f.free_before);
    fixture_stop(&f);
}
END_TEST

/* Every allocation of a long value fails once: the old value stays, and not a
 * byte more is charged. */
START_TEST(what_does_not_fit_leaves_the_old)
{
    struct fixture f = { 0 };
    uint32_t before;
    unsigned failures = 0;
    uint64_t id;
    int err;

    fixture_start(&f);
    id = mk_file(&f, TREE_ROOT, "x");
    round_trip(&f, id, 5);
    fixture_fill(&f);
    before = arena_nr_free(f.arena);
    for (int64_t frames = 0;; frames++, failures++) {
        f.charges_left = frames;
        err = tree_setxattr(f.tree, &root_cred, id, "user.x", out,
                            XATTR_SIZE_MAX, 0, true);
        if (!err)
            break;
        ck_assert_int_eq(err, -ENOSPC);
        ck_assert_uint_eq(arena_nr_free(f.arena), before);
        ck_assert_int_eq(tree_getxattr(f.tree, id, "user.x", out, sizeof(out)),
                         5);
        ck_assert_mem_eq(in, out, 5);
    }
    ck_assert_uint_eq(failures, 17);
    fixture_drain(&f);
    fixture_stop(&f);
}
END_TEST

/* The same for want of a frame at this moment. */
START_TEST(no_frame_now_is_waited_for)
{
    struct fixture f = { 0 };
    uint64_t id;

    fixture_start(&f);
    id = mk_file(&f, TREE_ROOT, "x");
    fixture_fill(&f);
    f.charges_left = 0;
    f.charge_error = -EAGAIN;
    ck_assert_int_eq(tree_setxattr(f.tree, &root_cred, id, "user.x", "v", 1, 0,
                                   false), -EAGAIN);
    ck_assert_uint_eq(f.waits, 0);
    ck_assert_int_eq(tree_getxattr(f.tree, id, "user.x", out, 1), -ENODATA);
    fixture_drain(&f);
    fixture_stop(&f);
}
END_TEST

UNIT_MAIN("chain", all_sizes_come_back, what_does_not_fit_leaves_the_old,
          no_frame_now_is_waited_for)

/* test_tree.c - the mount as a whole: limits, statvfs, taking it down. */
#include "fixture.h"

START_TEST(an_empty_tree_leaves_nothing)
{
    struct fixture f = { 0 };

    fixture_start(&f);
    ck_assert_uint_eq(stats_of(&f).nodes, 1);
    ck_assert_uint_eq(stats_of(&f).entries, 0);
    fixture_stop(&f);
}
END_TEST

START_TEST(too_little_memory_to_begin_with)
{
    struct fixture f = { 0 };

    for (uint32_t taken = 0; taken < 4; taken++) {
        uint32_t frame[64], nr = 0, free_frames;

        ck_assert_int_eq(arena_create(&f.arena, 64 * (PAGE_SIZE + 32)), 0);
        while (arena_nr_free(f.arena) > taken)
            frame[nr++] = arena_frame_alloc(f.arena, 0);
        f.store.arena = f.arena;
        f.config.store = &f.store;
        free_frames = arena_nr_free(f.arena);
        if (taken < 3) {
            ck_assert_int_eq(tree_create(&f.tree, &f.config), -EAGAIN);
        } else {
            ck_assert_int_eq(tree_create(&f.tree, &f.config), 0);
            tree_destroy(f.tree);
        }
        ck_assert_uint_eq(arena_nr_free(f.arena), free_frames);
        while (nr > 0)
            arena_frame_free(f.arena, frame[--nr]);
        arena_destroy(f.arena);
    }
}
END_TEST

/* 30,000 levels: deeper than a walk by recursion would survive. */
START_TEST(a_deep_tree_is_taken_down)
{
    struct fixture f = { 0 };
    uint64_t dir = TREE_ROOT, middle = 0;

    fixture_start(&f);
    for (unsigned i = 0; i < 30000; i++) {
        dir = mk_dir(&f, dir, "d");
        if (i == 15000)
            middle = dir;
    }
    ck_assert_int_eq(try_rename(&f, TREE_ROOT, "d", dir, "loop", 0), -EINVAL);
    ck_assert_int_eq(try_rename(&f, middle, "d", TREE_ROOT, "e", 0), 0);
    fixture_stop(&f);
}
END_TEST

/* Open, orphaned, with attributes, with targets: all goes. */
START_TEST(whatever_is_held_is_taken_down)
{
    struct fixture f = { 0 };
    struct tree_entry entry;
    struct tree_file file;
    struct tree_scan scan;
    static char target[4096];
    uint64_t id;

    fixture_start(&f);
    id = mk_file(&f, TREE_ROOT, "x");
    ck_assert_int_eq(tree_setxattr(f.tree, &root_cred, id, "user.a", target,
                                   sizeof(target), 0, true), 0);
    ck_assert_int_eq(tree_open(f.tree, NULL, id, 0, true, &file), 0);
    ck_assert_int_eq(tree_unlink(f.tree, TREE_ROOT, "x"), 0);
    ck_assert_int_eq(tree_opendir(f.tree, mk_dir(&f, TREE_ROOT, "d"), &scan),
                     0);
    memset(target, 't', 4095);
    mk_symlink(&f, TREE_ROOT, "l", target);
    ck_assert_int_eq(tree_tmpfile(f.tree, &root_cred, TREE_ROOT, 0, true,
                                  &entry), 0);
    fixture_stop(&f);
}
END_TEST

START_TEST(inodes_have_a_limit)
{
    struct fixture f = { .config = { .nr_inodes = 3 } };
    struct tree_entry entry;
    struct statvfs st;

    fixture_start(&f);
    fake_objects.pool.metadata_max = fake_objects.pool.used_max = 1000;
    ck_assert_int_eq(tree_statvfs(f.tree, &st), 0);
    ck_assert_uint_eq(st.f_ffree, 2);
    mk_file(&f, TREE_ROOT, "a");
    mk_link(&f, mk_file(&f, TREE_ROOT, "b"), TREE_ROOT, "c");
    ck_assert_int_eq(try_file(&f, TREE_ROOT, "d"), -ENOSPC);
    ck_assert_int_eq(try_dir(&f, TREE_ROOT, "d"), -ENOSPC);
    ck_assert_int_eq(tree_tmpfile(f.tree, &root_cred, TREE_ROOT, 0, true,
                                  &entry), -ENOSPC);
    ck_assert_int_eq(tree_statvfs(f.tree, &st), 0);
    ck_assert_uint_eq(st.f_files, 3);
    ck_assert_uint_eq(st.f_ffree, 0);
    ck_assert_int_eq(tree_unlink(f.tree, TREE_ROOT, "a"), 0);
    ck_assert_int_eq(try_file(&f, TREE_ROOT, "d"), -ENOSPC); /* still known */
    ck_assert_uint_eq(stats_of(&f).nodes_max, 3);
    fixture_stop(&f);
}
END_TEST

START_TEST(an_inode_forgotten_may_be_made_again)
{
    struct fixture f = { .config = { .nr_inodes = 2 } };

    fixture_start(&f);
    for (unsigned i = 0; i < 10; i++) {
        mk_file_cold(&f, TREE_ROOT, "a");
        ck_assert_int_eq(try_file(&f, TREE_ROOT, "b"), -ENOSPC);
        ck_assert_int_eq(tree_unlink(f.tree, TREE_ROOT, "a"), 0);
    }
    fixture_stop(&f);
}
END_TEST

START_TEST(statvfs_tells_the_pool)
{
    struct fixture f = { 0 };
    struct statvfs st;

    fixture_start(&f);
    fake_objects.pool = (struct pool_stats){ .limit = 1000, .used = 300,
                                             .used_max = 5000,
                                             .metadata = 100,
                                             .metadata_max = 2000 };
    ck_assert_int_eq(tree_statvfs(f.tree, &st), 0);
    ck_assert_uint_eq(st.f_bsize, 4096);
    ck_assert_uint_eq(st.f_frsize, 4096);
    ck_assert_uint_eq(st.f_blocks, 1000);
    ck_assert_uint_eq(st.f_bfree, 700);
    ck_assert_uint_eq(st.f_bavail, 700);
    ck_assert_uint_eq(st.f_namemax, 255);
    ck_assert_uint_eq(st.f_files, st.f_ffree + 1);
    ck_assert_uint_gt(st.f_ffree, 700 * 15);
    fake_objects.pool.metadata_max = 110; /* RAM, which may be the less */
    ck_assert_int_eq(tree_statvfs(f.tree, &st), 0);
    ck_assert_uint_lt(st.f_ffree, 10 * 25);
    ck_assert_uint_gt(st.f_ffree, 10 * 15);
    fake_objects.pool.metadata = 111;
    ck_assert_int_eq(tree_statvfs(f.tree, &st), 0);
    ck_assert_uint_eq(st.f_ffree, 0);
    fake_objects.pool.used_max = 800;
    ck_assert_int_eq(tree_statvfs(f.tree, &st), 0);
    ck_assert_uint_eq(st.f_bfree, 500);
    fake_objects.pool.limit = 0;
    ck_assert_int_eq(tree_statvfs(f.tree, &st), 0);
    ck_assert_uint_eq(st.f_blocks, 800);
    fake_objects.pool.used = 900;
    ck_assert_int_eq(tree_statvfs(f.tree, &st), 0);
    ck_assert_uint_eq(st.f_bfree, 0);
    fake_objects.pool.used_max = 100900;
    ck_assert_int_eq(tree_statvfs(f.tree, &st), 0);
    ck_assert_uint_eq(st.f_bfree, 100000);
    ck_assert_uint_lt(st.f_bavail, 100000 - 100000 * 4 / 4096);
    ck_assert_uint_gt(st.f_bavail, 100000 - 100000 * 6 / 4096);
    fixture_stop(&f);
}
END_TEST

static void let_in(struct fixture *f)
{
    f->charges_left = -1;
}

/* Waiting gives everything up and begins again. */
START_TEST(short_of_memory_is_waited_for)
{
    struct fixture f = { .on_wait = let_in };
    struct tree_entry entry;
    uint64_t nodes;

    fixture_start(&f);
    fixture_fill(&f);
    nodes = stats_of(&f).nodes;
    f.charge_error = -EAGAIN;
    f.charges_left = 1;
    ck_assert_int_eq(tree_mknod(f.tree, &root_cred, TREE_ROOT, "x", S_IFREG, 0,
                                false, &entry), -EAGAIN);
    ck_assert_uint_eq(f.waits, 0);
    ck_assert_uint_eq(stats_of(&f).nodes, nodes);
    f.charges_left = 1;
    ck_assert_int_eq(try_file(&f, TREE_ROOT, "x"), 0);
    ck_assert_uint_eq(f.waits, 1);
    fixture_drain(&f);
    fixture_stop(&f);
}
END_TEST

UNIT_MAIN("tree", an_empty_tree_leaves_nothing, too_little_memory_to_begin_with,
          a_deep_tree_is_taken_down, whatever_is_held_is_taken_down,
          inodes_have_a_limit, an_inode_forgotten_may_be_made_again,
          statvfs_tells_the_pool, short_of_memory_is_waited_for)

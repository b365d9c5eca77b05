/* test_rename.c - every way to move a name, and every reason not to. */
#include "fixture.h"

#define NOREPLACE RENAME_NOREPLACE
#define EXCHANGE RENAME_EXCHANGE
#define WHITEOUT RENAME_WHITEOUT

START_TEST(a_name_moves_within_and_across)
{
    struct fixture f = { 0 };
    uint64_t dir, file;

    fixture_start(&f);
    dir = mk_dir(&f, TREE_ROOT, "dir");
    file = mk_file(&f, TREE_ROOT, "a");
    ck_assert_int_eq(try_rename(&f, TREE_ROOT, "a", TREE_ROOT, "b", 0), 0);
    ck_assert_uint_eq(find(&f, TREE_ROOT, "b"), file);
    ck_assert_uint_eq(find(&f, TREE_ROOT, "a"), 0);
    ck_assert_int_eq(try_rename(&f, TREE_ROOT, "b", dir, "c", NOREPLACE), 0);
    ck_assert_uint_eq(find(&f, dir, "c"), file);
    ck_assert_uint_eq(attr_of(&f, dir).size, 60);
    ck_assert_uint_eq(attr_of(&f, TREE_ROOT).size, 60);
    ck_assert_uint_eq(attr_of(&f, file).nlink, 1);
    fixture_stop(&f);
}
END_TEST

START_TEST(a_replaced_file_loses_its_name)
{
    struct fixture f = { 0 };
    struct tree_attr attr;
    uint64_t a, b;

    fixture_start(&f);
    a = mk_file(&f, TREE_ROOT, "a");
    b = mk_file(&f, TREE_ROOT, "b");
    ck_assert_int_eq(try_rename(&f, TREE_ROOT, "a", TREE_ROOT, "b", NOREPLACE),
                     -EEXIST);
    ck_assert_int_eq(try_rename(&f, TREE_ROOT, "a", TREE_ROOT, "b", 0), 0);
    ck_assert_uint_eq(find(&f, TREE_ROOT, "b"), a);
    ck_assert_uint_eq(attr_of(&f, b).nlink, 0);
    tree_forget(f.tree, b, 1);
    ck_assert_int_eq(tree_getattr(f.tree, b, &attr), -ESTALE);
    ck_assert_uint_eq(stats_of(&f).entries, 1);
    fixture_stop(&f);
}
END_TEST

START_TEST(a_replaced_file_nobody_knows_is_freed)
{
    struct fixture f = { 0 };

    fixture_start(&f);
    mk_file_cold(&f, TREE_ROOT, "a");
    mk_file_cold(&f, TREE_ROOT, "b");
    ck_assert_int_eq(try_rename(&f, TREE_ROOT, "a", TREE_ROOT, "b", 0), 0);
    ck_assert_int_eq(fake_objects.alive, 1);
    fixture_stop(&f);
}
END_TEST

START_TEST(directories_keep_their_counts)
{
    struct fixture f = { 0 };
    uint64_t a, b, sub, other;

    fixture_start(&f);
    a = mk_dir(&f, TREE_ROOT, "a");
    b = mk_dir(&f, TREE_ROOT, "b");
    sub = mk_dir(&f, a, "sub");
    ck_assert_int_eq(try_rename(&f, a, "sub", b, "sub", 0), 0);
    ck_assert_uint_eq(attr_of(&f, a).nlink, 2);
    ck_assert_uint_eq(attr_of(&f, b).nlink, 3);
    ck_assert_uint_eq(find(&f, sub, ".."), b);
    other = mk_dir(&f, a, "other");
    ck_assert_int_eq(try_rename(&f, b, "sub", a, "other", 0), 0);
    ck_assert_uint_eq(attr_of(&f, a).nlink, 3);
    ck_assert_uint_eq(attr_of(&f, b).nlink, 2);
    ck_assert_uint_eq(attr_of(&f, other).nlink, 0);
    ck_assert_uint_eq(find(&f, sub, ".."), a);
    tree_check(f.tree);
    fixture_stop(&f);
}
END_TEST

START_TEST(types_must_fit)
{
    struct fixture f = { 0 };
    uint64_t dir, full;

    fixture_start(&f);
    dir = mk_dir(&f, TREE_ROOT, "dir");
    full = mk_dir(&f, TREE_ROOT, "full");
    mk_file(&f, full, "x");
    mk_file(&f, TREE_ROOT, "file");
    ck_assert_int_eq(try_rename(&f, TREE_ROOT, "dir", TREE_ROOT, "file", 0),
                     -ENOTDIR);
    ck_assert_int_eq(try_rename(&f, TREE_ROOT, "file", TREE_ROOT, "dir", 0),
                     -EISDIR);
    ck_assert_int_eq(try_rename(&f, TREE_ROOT, "dir", TREE_ROOT, "full", 0),
                     -ENOTEMPTY);
    ck_assert_int_eq(try_rename(&f, TREE_ROOT, "full", TREE_ROOT, "dir", 0), 0);
    ck_assert_int_eq(try_rename(&f, TREE_ROOT, "none", TREE_ROOT, "dir", 0),
                     -ENOENT);
    ck_assert_int_eq(try_rename(&f, dir, "x", TREE_ROOT, "y", 0), -ENOENT);
    ck_assert_int_eq(try_rename(&f, find(&f, TREE_ROOT, "file"), "x", TREE_ROOT,
                                "y", 0), -ENOTDIR);
    fixture_stop(&f);
}
END_TEST

START_TEST(no_directory_moves_below_itself)
{
    struct fixture f = { 0 };
    uint64_t a, b, c;

    fixture_start(&f);
    a = mk_dir(&f, TREE_ROOT, "a");
    b = mk_dir(&f, a, "b");
    c = mk_dir(&f, b, "c");
    ck_assert_int_eq(try_rename(&f, TREE_ROOT, "a", a, "x", 0), -EINVAL);
    ck_assert_int_eq(try_rename(&f, TREE_ROOT, "a", c, "x", 0), -EINVAL);
    ck_assert_int_eq(try_rename(&f, b, "c", TREE_ROOT, "a", 0), -ENOTEMPTY);
    ck_assert_int_eq(try_rename(&f, b, "c", TREE_ROOT, "a", EXCHANGE), -EINVAL);
    ck_assert_int_eq(try_rename(&f, TREE_ROOT, "a", b, "c", EXCHANGE), -EINVAL);
    ck_assert_int_eq(try_rename(&f, b, "c", TREE_ROOT, "c", 0), 0);
    ck_assert_int_eq(try_rename(&f, TREE_ROOT, "a", c, "a", 0), 0);
    ck_assert_uint_eq(find(&f, c, "a"), a);
    tree_check(f.tree);
    fixture_stop(&f);
}
END_TEST

START_TEST(exchange_swaps_whatever_it_is)
{
    struct fixture f = { 0 };
    uint64_t a, b, dir, file;

    fixture_start(&f);
    a = mk_dir(&f, TREE_ROOT, "a");
    b = mk_dir(&f, TREE_ROOT, "b");
    dir = mk_dir(&f, a, "x");
    mk_file(&f, dir, "inside");
    file = mk_file(&f, b, "y");
    ck_assert_int_eq(try_rename(&f, a, "x", b, "none", EXCHANGE), -ENOENT);
    ck_assert_int_eq(try_rename(&f, a, "x", b, "y", EXCHANGE), 0);
    ck_assert_uint_eq(find(&f, a, "x"), file);
    ck_assert_uint_eq(find(&f, b, "y"), dir);
    ck_assert_uint_eq(find(&f, dir, ".."), b);
    ck_assert_uint_eq(attr_of(&f, a).nlink, 2);
    ck_assert_uint_eq(attr_of(&f, b).nlink, 3);
    ck_assert_int_eq(try_rename(&f, TREE_ROOT, "a", TREE_ROOT, "b", EXCHANGE),
                     0);
    ck_assert_uint_eq(find(&f, TREE_ROOT, "a"), b);
    tree_check(f.tree);
    fixture_stop(&f);
}
END_TEST

START_TEST(whiteout_leaves_a_device)
{
    struct fixture f = { 0 };
    struct tree_attr attr;
    uint64_t file, dir;

    fixture_start(&f);
    dir = mk_dir(&f, TREE_ROOT, "dir");
    file = mk_file(&f, TREE_ROOT, "a");
    ck_assert_int_eq(try_rename(&f, TREE_ROOT, "a", dir, "b", WHITEOUT), 0);
    ck_assert_uint_eq(find(&f, dir, "b"), file);
    attr = attr_of(&f, find(&f, TREE_ROOT, "a"));
    ck_assert_uint_eq(attr.mode, S_IFCHR);
    ck_assert_uint_eq(attr.rdev, 0);
    ck_assert_uint_eq(attr.nlink, 1);
    mk_file(&f, dir, "c");
    ck_assert_int_eq(try_rename(&f, dir, "b", dir, "c", WHITEOUT), 0);
    ck_assert_uint_eq(find(&f, dir, "c"), file);
    ck_assert_uint_eq(attr_of(&f, find(&f, dir, "b")).mode, S_IFCHR);
    ck_assert_int_eq(tree_unlink(f.tree, dir, "b"), 0);
    ck_assert_int_eq(tree_unlink(f.tree, TREE_ROOT, "a"), 0);
    fixture_stop(&f);
}
END_TEST

START_TEST(names_of_one_file_stay)
{
    struct fixture f = { 0 };
    uint64_t file;

    fixture_start(&f);
    file = mk_file(&f, TREE_ROOT, "a");
    mk_link(&f, file, TREE_ROOT, "b");
    ck_assert_int_eq(try_rename(&f, TREE_ROOT, "a", TREE_ROOT, "b", 0), 0);
    ck_assert_uint_eq(find(&f, TREE_ROOT, "a"), file);
    ck_assert_uint_eq(attr_of(&f, file).nlink, 2);
    ck_assert_int_eq(try_rename(&f, TREE_ROOT, "a", TREE_ROOT, "a", 0), 0);
    ck_assert_int_eq(try_rename(&f, TREE_ROOT, "a", TREE_ROOT, "a", NOREPLACE),
                     -EEXIST);
    fixture_stop(&f);
}
END_TEST

START_TEST(flags_and_names_are_checked)
{
    struct fixture f = { 0 };
    char name[257];

    fixture_start(&f);
    mk_file(&f, TREE_ROOT, "a");
    mk_file(&f, TREE_ROOT, "b");
    memset(name, 'n', 256);
    name[256] = '\0';
    ck_assert_int_eq(try_rename(&f, TREE_ROOT, "a", TREE_ROOT, "b",
                                EXCHANGE | NOREPLACE), -EINVAL);
    ck_assert_int_eq(try_rename(&f, TREE_ROOT, "a", TREE_ROOT, "b",
                                EXCHANGE | WHITEOUT), -EINVAL);
    ck_assert_int_eq(try_rename(&f, TREE_ROOT, "a", TREE_ROOT, "b", 8),
                     -EINVAL);
    ck_assert_int_eq(try_rename(&f, TREE_ROOT, "a", TREE_ROOT, name, 0),
                     -ENAMETOOLONG);
    ck_assert_int_eq(try_rename(&f, TREE_ROOT, "a", TREE_ROOT, "..", 0),
                     -EBUSY);
    ck_assert_int_eq(try_rename(&f, TREE_ROOT, "a", TREE_ROOT, "x/y", 0),
                     -EINVAL);
    fixture_stop(&f);
}
END_TEST

START_TEST(frozen_files_and_directories_stay)
{
    struct fixture f = { 0 };
    uint64_t dir, file;

    fixture_start(&f);
    dir = mk_dir(&f, TREE_ROOT, "dir");
    file = mk_file(&f, dir, "file");
    mk_file(&f, TREE_ROOT, "other");
    ck_assert_int_eq(tree_setflags(f.tree, file, FS_IMMUTABLE_FL), 0);
    ck_assert_int_eq(try_rename(&f, dir, "file", TREE_ROOT, "x", 0), -EPERM);
    ck_assert_int_eq(try_rename(&f, TREE_ROOT, "other", dir, "file", 0),
                     -EPERM);
    ck_assert_int_eq(tree_setflags(f.tree, file, 0), 0);
    ck_assert_int_eq(tree_setflags(f.tree, dir, FS_APPEND_FL), 0);
    ck_assert_int_eq(try_rename(&f, dir, "file", TREE_ROOT, "x", 0), -EPERM);
    ck_assert_int_eq(try_rename(&f, TREE_ROOT, "other", dir, "file", 0),
                     -EPERM);
    ck_assert_int_eq(try_rename(&f, TREE_ROOT, "other", dir, "new", 0), 0);
    ck_assert_int_eq(tree_setflags(f.tree, dir, FS_IMMUTABLE_FL), 0);
    mk_file(&f, TREE_ROOT, "other");
    ck_assert_int_eq(try_rename(&f, TREE_ROOT, "other", dir, "more", 0),
                     -EPERM);
    fixture_stop(&f);
}
END_TEST

/* In a full tree a name can still be changed for one that fits in its place,
 * and put in the place of another. */
START_TEST(most_renames_need_no_memory)
{
    struct fixture f = { 0 };
    uint64_t dir;

    fixture_start(&f);
    dir = mk_dir(&f, TREE_ROOT, "dir");
    mk_file(&f, TREE_ROOT, "a");
    mk_file(&f, TREE_ROOT, "b");
    fixture_fill(&f);
    f.charges_left = 0;
    ck_assert_int_eq(try_rename(&f, TREE_ROOT, "a", TREE_ROOT, "c", 0), 0);
    ck_assert_int_eq(try_rename(&f, TREE_ROOT, "c", dir, "d", 0), 0);
    ck_assert_int_eq(try_rename(&f, dir, "d", TREE_ROOT, "b", 0), 0);
    ck_assert_int_eq(try_rename(&f, TREE_ROOT, "b", TREE_ROOT,
                                "a-name-of-more-than-twenty-seven-bytes", 0),
                     -ENOSPC);
    ck_assert_int_eq(try_rename(&f, TREE_ROOT, "b", TREE_ROOT, "w", WHITEOUT),
                     -ENOSPC);
    ck_assert_uint_ne(find(&f, TREE_ROOT, "b"), 0);
    fixture_drain(&f);
    fixture_stop(&f);
}
END_TEST

UNIT_MAIN("rename", a_name_moves_within_and_across,
          a_replaced_file_loses_its_name, a_replaced_file_nobody_knows_is_freed,
          directories_keep_their_counts, types_must_fit,
          no_directory_moves_below_itself, exchange_swaps_whatever_it_is,
          whiteout_leaves_a_device, names_of_one_file_stay,
          flags_and_names_are_checked, frozen_files_and_directories_stay,
          most_renames_need_no_memory)

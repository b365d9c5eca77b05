/* test_dir.c - names come and go: lookup, mknod, symlink, link, unlink. */
#include "fixture.h"

START_TEST(made_names_are_found)
{
    struct fixture f = { 0 };
    struct tree_entry entry;
    uint64_t dir, file;

    fixture_start(&f);
    dir = mk_dir(&f, TREE_ROOT, "dir");
    file = mk_file(&f, dir, "file");
    ck_assert_uint_eq(find(&f, TREE_ROOT, "dir"), dir);
    ck_assert_uint_eq(find(&f, dir, "file"), file);
    ck_assert_uint_eq(find(&f, TREE_ROOT, "file"), 0);
    ck_assert_int_eq(tree_lookup(f.tree, dir, "fil", &entry), -ENOENT);
    ck_assert_int_eq(tree_lookup(f.tree, file, "x", &entry), -ENOTDIR);
    ck_assert_int_eq(try_file(&f, dir, "file"), -EEXIST);
    ck_assert_int_eq(try_dir(&f, dir, "file"), -EEXIST);
    ck_assert_int_eq(try_file(&f, file, "x"), -ENOTDIR);
    fixture_stop(&f);
}
END_TEST

START_TEST(names_have_their_limits)
{
    struct fixture f = { 0 };
    char name[258];

    fixture_start(&f);
    memset(name, 'n', sizeof(name));
    name[256] = '\0';
    ck_assert_int_eq(try_file(&f, TREE_ROOT, name), -ENAMETOOLONG);
    name[255] = '\0';
    ck_assert_int_eq(try_file(&f, TREE_ROOT, name), 0);
    ck_assert_uint_ne(find(&f, TREE_ROOT, name), 0);
    ck_assert_int_eq(try_file(&f, TREE_ROOT, ""), -ENOENT);
    ck_assert_int_eq(try_file(&f, TREE_ROOT, "a/b"), -EINVAL);
    ck_assert_int_eq(try_file(&f, TREE_ROOT, "."), -EEXIST);
    ck_assert_int_eq(try_dir(&f, TREE_ROOT, ".."), -EEXIST);
    ck_assert_int_eq(tree_unlink(f.tree, TREE_ROOT, name), 0);
    fixture_stop(&f);
}
END_TEST

START_TEST(dots_are_found_by_handles)
{
    struct fixture f = { 0 };
    struct tree_entry entry;
    uint64_t a, b, file;

    fixture_start(&f);
    a = mk_dir(&f, TREE_ROOT, "a");
    b = mk_dir(&f, a, "b");
    file = mk_file(&f, b, "file");
    ck_assert_uint_eq(find(&f, b, ".."), a);
    ck_assert_uint_eq(find(&f, a, ".."), TREE_ROOT);
    ck_assert_uint_eq(find(&f, TREE_ROOT, ".."), TREE_ROOT);
    ck_assert_uint_eq(find(&f, file, "."), file);
    ck_assert_int_eq(tree_lookup(f.tree, file, "..", &entry), -ENOTDIR);
    ck_assert_int_eq(tree_unlink(f.tree, b, "file"), 0);
    ck_assert_int_eq(tree_rmdir(f.tree, a, "b"), 0);
    ck_assert_int_eq(tree_lookup(f.tree, b, "..", &entry), -ENOENT);
    /* Who is asked for them has forgotten, or soon will. */
    ck_assert_int_eq(tree_lookup(f.tree, b, ".", &entry), -ESTALE);
    ck_assert_int_eq(tree_lookup(f.tree, file, ".", &entry), -ESTALE);
    fixture_stop(&f);
}
END_TEST

START_TEST(link_counts_follow)
{
    struct fixture f = { 0 };
    uint64_t dir, file;

    fixture_start(&f);
    ck_assert_uint_eq(attr_of(&f, TREE_ROOT).nlink, 2);
    dir = mk_dir(&f, TREE_ROOT, "dir");
    ck_assert_uint_eq(attr_of(&f, TREE_ROOT).nlink, 3);
    ck_assert_uint_eq(attr_of(&f, dir).nlink, 2);
    file = mk_file(&f, dir, "one");
    ck_assert_uint_eq(attr_of(&f, dir).nlink, 2);
    ck_assert_uint_eq(mk_link(&f, file, TREE_ROOT, "two"), file);
    ck_assert_uint_eq(attr_of(&f, file).nlink, 2);
    ck_assert_int_eq(tree_unlink(f.tree, dir, "one"), 0);
    ck_assert_uint_eq(attr_of(&f, file).nlink, 1);
    ck_assert_uint_eq(find(&f, TREE_ROOT, "two"), file);
    ck_assert_int_eq(tree_rmdir(f.tree, TREE_ROOT, "dir"), 0);
    ck_assert_uint_eq(attr_of(&f, TREE_ROOT).nlink, 2);
    ck_assert_uint_eq(attr_of(&f, dir).nlink, 0);
    fixture_stop(&f);
}
END_TEST

START_TEST(removal_wants_the_right_type)
{
    struct fixture f = { 0 };
    uint64_t dir;

    fixture_start(&f);
    dir = mk_dir(&f, TREE_ROOT, "dir");
    mk_file(&f, dir, "file");
    ck_assert_int_eq(tree_unlink(f.tree, TREE_ROOT, "dir"), -EISDIR);
    ck_assert_int_eq(tree_rmdir(f.tree, dir, "file"), -ENOTDIR);
    ck_assert_int_eq(tree_rmdir(f.tree, TREE_ROOT, "dir"), -ENOTEMPTY);
    ck_assert_int_eq(tree_unlink(f.tree, dir, "none"), -ENOENT);
    ck_assert_int_eq(tree_rmdir(f.tree, dir, "none"), -ENOENT);
    ck_assert_int_eq(tree_rmdir(f.tree, dir, "."), -EINVAL);
    ck_assert_int_eq(tree_rmdir(f.tree, dir, ".."), -ENOTEMPTY);
    ck_assert_int_eq(tree_unlink(f.tree, dir, "."), -EISDIR);
    fixture_stop(&f);
}
END_TEST

START_TEST(nothing_is_made_in_a_removed_directory)
{
    struct fixture f = { 0 };
    struct tree_entry entry;
    uint64_t dir, file;

    fixture_start(&f);
    file = mk_file(&f, TREE_ROOT, "file");
    dir = mk_dir(&f, TREE_ROOT, "dir");
    ck_assert_int_eq(tree_rmdir(f.tree, TREE_ROOT, "dir"), 0);
    ck_assert_int_eq(try_file(&f, dir, "x"), -ENOENT);
    ck_assert_int_eq(tree_link(f.tree, file, dir, "x", true, &entry), -ENOENT);
    ck_assert_int_eq(tree_tmpfile(f.tree, &root_cred, dir, 0600, true, &entry),
                     -ENOENT);
    ck_assert_int_eq(try_rename(&f, TREE_ROOT, "file", dir, "x", 0), -ENOENT);
    fixture_stop(&f);
}
END_TEST

START_TEST(links_have_their_rules)
{
    struct fixture f = { 0 };
    struct tree_entry entry;
    uint64_t dir, file;

    fixture_start(&f);
    dir = mk_dir(&f, TREE_ROOT, "dir");
    file = mk_file(&f, TREE_ROOT, "file");
    ck_assert_int_eq(tree_link(f.tree, dir, TREE_ROOT, "x", true, &entry),
                     -EPERM);
    ck_assert_int_eq(tree_link(f.tree, file, TREE_ROOT, "dir", true, &entry),
                     -EEXIST);
    ck_assert_int_eq(tree_unlink(f.tree, TREE_ROOT, "file"), 0);
    ck_assert_int_eq(tree_link(f.tree, file, TREE_ROOT, "x", true, &entry),
                     -ENOENT);
    fixture_stop(&f);
}
END_TEST

START_TEST(a_tmpfile_may_get_a_name_once)
{
    struct fixture f = { 0 };
    struct tree_entry entry;

    fixture_start(&f);
    ck_assert_int_eq(tree_tmpfile(f.tree, &user_cred, TREE_ROOT, 0600, true,
                                  &entry), 0);
    ck_assert_uint_eq(entry.attr.nlink, 0);
    ck_assert_uint_eq(entry.attr.mode, S_IFREG | 0600);
    ck_assert_uint_eq(entry.attr.uid, 1000);
    ck_assert_uint_eq(stats_of(&f).orphans, 1);
    mk_link(&f, entry.id, TREE_ROOT, "named");
    ck_assert_uint_eq(attr_of(&f, entry.id).nlink, 1);
    ck_assert_uint_eq(stats_of(&f).orphans, 0);
    ck_assert_int_eq(tree_unlink(f.tree, TREE_ROOT, "named"), 0);
    ck_assert_int_eq(tree_link(f.tree, entry.id, TREE_ROOT, "x", true, &entry),
                     -ENOENT);
    fixture_stop(&f);
}
END_TEST

START_TEST(symlinks_keep_their_target)
{
    struct fixture f = { 0 };
    struct tree_entry entry;
    char target[4097], buffer[TREE_SYMLINK_MAX + 1];
    uint64_t id;

    fixture_start(&f);
    memset(target, 't', sizeof(target));
    target[4096] = '\0';
    ck_assert_int_eq(tree_symlink(f.tree, &root_cred, TREE_ROOT, "l", target,
                                  true, &entry), -ENAMETOOLONG);
    ck_assert_int_eq(tree_symlink(f.tree, &root_cred, TREE_ROOT, "l", "", true,
                                  &entry), -ENOENT);
    target[4095] = '\0';
    id = mk_symlink(&f, TREE_ROOT, "l", target);
    ck_assert_uint_eq(attr_of(&f, id).size, 4095);
    ck_assert_uint_eq(attr_of(&f, id).mode, S_IFLNK | 0777);
    ck_assert_int_eq(tree_readlink(f.tree, id, buffer, sizeof(buffer)), 0);
    ck_assert_str_eq(buffer, target);
    ck_assert_int_eq(tree_readlink(f.tree, id, buffer, 4095), -ERANGE);
    ck_assert_int_eq(tree_readlink(f.tree, TREE_ROOT, buffer, 4096), -EINVAL);
    id = mk_symlink(&f, TREE_ROOT, "short", "x");
    ck_assert_int_eq(tree_readlink(f.tree, id, buffer, sizeof(buffer)), 0);
    ck_assert_str_eq(buffer, "x");
    fixture_stop(&f);
}
END_TEST

START_TEST(flags_protect_names)
{
    struct fixture f = { 0 };
    struct tree_entry entry;
    uint64_t dir, file;

    fixture_start(&f);
    dir = mk_dir(&f, TREE_ROOT, "dir");
    file = mk_file(&f, dir, "file");
    ck_assert_int_eq(tree_setflags(f.tree, dir, FS_APPEND_FL), 0);
    ck_assert_int_eq(tree_unlink(f.tree, dir, "file"), -EPERM);
    ck_assert_int_eq(try_file(&f, dir, "more"), 0);
    ck_assert_int_eq(tree_setflags(f.tree, dir, FS_IMMUTABLE_FL), 0);
    ck_assert_int_eq(try_file(&f, dir, "again"), -EPERM);
    ck_assert_int_eq(try_file(&f, dir, "file"), -EEXIST);
    ck_assert_int_eq(tree_unlink(f.tree, dir, "file"), -EPERM);
    ck_assert_int_eq(tree_tmpfile(f.tree, &root_cred, dir, 0600, true, &entry),
                     -EPERM);
    ck_assert_int_eq(tree_rmdir(f.tree, TREE_ROOT, "dir"), -EPERM);
    ck_assert_int_eq(tree_setflags(f.tree, dir, 0), 0);
    ck_assert_int_eq(tree_setflags(f.tree, file, FS_APPEND_FL), 0);
    ck_assert_int_eq(tree_unlink(f.tree, dir, "file"), -EPERM);
    ck_assert_int_eq(tree_link(f.tree, file, dir, "x", true, &entry), -EPERM);
    ck_assert_int_eq(tree_setflags(f.tree, file, 0), 0);
    ck_assert_int_eq(tree_unlink(f.tree, dir, "file"), 0);
    fixture_stop(&f);
}
END_TEST

UNIT_MAIN("dir", made_names_are_found, names_have_their_limits,
          dots_are_found_by_handles, link_counts_follow,
          removal_wants_the_right_type, nothing_is_made_in_a_removed_directory,
          links_have_their_rules, a_tmpfile_may_get_a_name_once,
          symlinks_keep_their_target, flags_protect_names)

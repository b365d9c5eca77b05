/* test_xattr.c - which attributes there may be, and what setting them means. */
#include "fixture.h"

#include <linux/limits.h>
#include <stdlib.h>
#include <sys/xattr.h>

static int set(struct fixture *f, uint64_t id, const char *name,
               const char *value, int flags)
{
    return tree_setxattr(f->tree, &root_cred, id, name, value, strlen(value),
                         flags, true);
}

static void value_is(struct fixture *f, uint64_t id, const char *name,
                     const char *value)
{
    char buffer[64] = "";

    ck_assert_int_eq(tree_getxattr(f->tree, id, name, buffer, sizeof(buffer)),
                     (ssize_t)strlen(value));
    ck_assert_str_eq(buffer, value);
}

START_TEST(values_are_kept_and_replaced)
{
    struct fixture f = { 0 };
    char buffer[8];
    uint64_t id;

    fixture_start(&f);
    id = mk_file(&f, TREE_ROOT, "x");
    ck_assert_int_eq(set(&f, id, "user.a", "one", 0), 0);
    ck_assert_int_eq(set(&f, id, "security.b", "two", 0), 0);
    ck_assert_int_eq(set(&f, id, "trusted.c", "", 0), 0);
    value_is(&f, id, "user.a", "one");
    value_is(&f, id, "security.b", "two");
    value_is(&f, id, "trusted.c", "");
    ck_assert_int_eq(set(&f, id, "user.a", "other", 0), 0);
    value_is(&f, id, "user.a", "other");
    ck_assert_int_eq(tree_getxattr(f.tree, id, "user.a", NULL, 0), 5);
    ck_assert_int_eq(tree_getxattr(f.tree, id, "user.a", buffer, 4), -ERANGE);
    ck_assert_int_eq(tree_getxattr(f.tree, id, "user.z", buffer, 4), -ENODATA);
    ck_assert_int_eq(tree_removexattr(f.tree, &root_cred, id, "user.a"), 0);
    ck_assert_int_eq(tree_removexattr(f.tree, &root_cred, id, "user.a"),
                     -ENODATA);
    ck_assert_int_eq(tree_getxattr(f.tree, id, "user.a", buffer, 4), -ENODATA);
    value_is(&f, id, "security.b", "two");
    fixture_stop(&f);
}
END_TEST

START_TEST(create_and_replace)
{
    struct fixture f = { 0 };

    fixture_start(&f);
    ck_assert_int_eq(set(&f, TREE_ROOT, "user.a", "1", XATTR_REPLACE),
                     -ENODATA);
    ck_assert_int_eq(set(&f, TREE_ROOT, "user.a", "1", XATTR_CREATE), 0);
    ck_assert_int_eq(set(&f, TREE_ROOT, "user.a", "2", XATTR_CREATE), -EEXIST);
    value_is(&f, TREE_ROOT, "user.a", "1");
    ck_assert_int_eq(set(&f, TREE_ROOT, "user.a", "2", XATTR_REPLACE), 0);
    value_is(&f, TREE_ROOT, "user.a", "2");
    ck_assert_int_eq(set(&f, TREE_ROOT, "user.a", "2", 4), -EINVAL);
    fixture_stop(&f);
}
END_TEST

START_TEST(names_have_their_rules)
{
    struct fixture f = { 0 };
    char name[300] = "user.", big[2] = "";
    uint64_t link;

    fixture_start(&f);
    ck_assert_int_eq(set(&f, TREE_ROOT, "", "", 0), -ERANGE);
    ck_assert_int_eq(set(&f, TREE_ROOT, "user.", "", 0), -EINVAL);
    ck_assert_int_eq(set(&f, TREE_ROOT, "other.a", "", 0), -EOPNOTSUPP);
    ck_assert_int_eq(set(&f, TREE_ROOT, "system.a", "", 0), -EOPNOTSUPP);
    ck_assert_int_eq(set(&f, TREE_ROOT, "gnu.author", "", 0), -EOPNOTSUPP);
    memset(name + 5, 'n', 250);
    ck_assert_int_eq(set(&f, TREE_ROOT, name, "long", 0), 0);
    value_is(&f, TREE_ROOT, name, "long");
    name[255] = 'n';
    ck_assert_int_eq(set(&f, TREE_ROOT, name, "", 0), -ERANGE);
    ck_assert_int_eq(tree_setxattr(f.tree, &root_cred, TREE_ROOT, "user.a", big,
                                   XATTR_SIZE_MAX + 1, 0, true), -E2BIG);
    link = mk_symlink(&f, TREE_ROOT, "l", "target");
    ck_assert_int_eq(set(&f, link, "user.a", "", 0), -EPERM);
    ck_assert_int_eq(set(&f, link, "trusted.a", "", 0), 0);
    ck_assert_int_eq(set(&f, link, "security.a", "", 0), 0);
    fixture_stop(&f);
}
END_TEST

START_TEST(a_translator_is_kept_to_the_byte)
{
    struct fixture f = { 0 };
    const char record[] = "/hurd/ftpfs\0-v\0host";
    char buffer[64];
    uint64_t id;

    fixture_start(&f);
    id = mk_file(&f, TREE_ROOT, "x");
    ck_assert_int_eq(tree_setxattr(f.tree, &user_cred, id, "gnu.translator",
                                   record, sizeof(record), 0, true), -EPERM);
    ck_assert_int_eq(tree_setxattr(f.tree, &root_cred, id, "gnu.translator",
                                   record, sizeof(record), 0, true), 0);
    mk_link(&f, id, TREE_ROOT, "second");
    ck_assert_int_eq(try_rename(&f, TREE_ROOT, "x", TREE_ROOT, "y", 0), 0);
    ck_assert_int_eq(tree_getxattr(f.tree, find(&f, TREE_ROOT, "y"),
                                   "gnu.translator", buffer, 64),
                     sizeof(record));
    ck_assert_mem_eq(buffer, record, sizeof(record));
    ck_assert_int_eq(tree_removexattr(f.tree, &user_cred, id, "gnu.translator"),
                     -EPERM);
    fixture_stop(&f);
}
END_TEST

START_TEST(names_are_listed)
{
    struct fixture f = { 0 };
    char list[64];

    fixture_start(&f);
    ck_assert_int_eq(tree_listxattr(f.tree, &root_cred, TREE_ROOT, list, 64),
                     0);
    ck_assert_int_eq(set(&f, TREE_ROOT, "user.a", "x", 0), 0);
    ck_assert_int_eq(set(&f, TREE_ROOT, "trusted.b", "x", 0), 0);
    ck_assert_int_eq(tree_listxattr(f.tree, &root_cred, TREE_ROOT, NULL, 0),
                     17);
    ck_assert_int_eq(tree_listxattr(f.tree, &root_cred, TREE_ROOT, list, 16),
                     -ERANGE);
    ck_assert_int_eq(tree_listxattr(f.tree, &root_cred, TREE_ROOT, list, 17),
                     17);
    ck_assert_mem_eq(list, "trusted.b\0user.a", 17);
    ck_assert_int_eq(tree_listxattr(f.tree, &user_cred, TREE_ROOT, list, 64),
                     7);
    ck_assert_mem_eq(list, "user.a", 7);
    fixture_stop(&f);
}
END_TEST

START_TEST(a_list_never_passes_64k)
{
    struct fixture f = { 0 };
    static char list[XATTR_LIST_MAX];
    char name[32];
    unsigned made = 0;
    int err;

    fixture_start(&f);
    do {
        sprintf(name, "user.%015u", made++);
        err = set(&f, TREE_ROOT, name, "x", 0);
    } while (!err);
    ck_assert_int_eq(err, -ENOSPC);
    ck_assert_uint_eq(made - 1, XATTR_LIST_MAX / 21);
    ck_assert_int_eq(tree_listxattr(f.tree, &root_cred, TREE_ROOT, list,
                                    sizeof(list)), (made - 1) * 21);
    ck_assert_int_eq(set(&f, TREE_ROOT, "user.000000000000001", "y", 0), 0);
    fixture_stop(&f);
}
END_TEST

static void set_first(struct fixture *f)
{
    f->on_charge = NULL;
    ck_assert_int_eq(set(f, TREE_ROOT, "user.a", "first", 0), 0);
}

/* Another call has set it while this one made its record. */
START_TEST(a_lost_race_is_seen)
{
    struct fixture f = { 0 };
    static char value[3000];

    fixture_start(&f);
    f.on_charge = set_first;
    memset(value, 'v', sizeof(value) - 1);
    ck_assert_int_eq(set(&f, TREE_ROOT, "user.a", value, XATTR_CREATE),
                     -EEXIST);
    value_is(&f, TREE_ROOT, "user.a", "first");
    ck_assert_int_eq(tree_removexattr(f.tree, &root_cred, TREE_ROOT, "user.a"),
                     0);
    ck_assert_uint_eq(arena_nr_free(f.arena), f.free_before);
    fixture_stop(&f);
}
END_TEST

START_TEST(flags_stand_against)
{
    struct fixture f = { 0 };
    uint64_t id;

    fixture_start(&f);
    id = mk_file(&f, TREE_ROOT, "x");
    ck_assert_int_eq(set(&f, id, "user.a", "1", 0), 0);
    for (unsigned i = 0; i < 2; i++) {
        ck_assert_int_eq(tree_setflags(f.tree, id,
                                       i ? FS_APPEND_FL : FS_IMMUTABLE_FL), 0);
        ck_assert_int_eq(set(&f, id, "user.a", "2", 0), -EPERM);
        ck_assert_int_eq(tree_removexattr(f.tree, &root_cred, id, "user.a"),
                         -EPERM);
    }
    value_is(&f, id, "user.a", "1");
    fixture_stop(&f);
}
END_TEST

UNIT_MAIN("xattr", values_are_kept_and_replaced, create_and_replace,
          names_have_their_rules, a_translator_is_kept_to_the_byte,
          names_are_listed, a_list_never_passes_64k, a_lost_race_is_seen,
          flags_stand_against)

/* test_birth.c - whose a new node is, and with which permissions. */
#include "fixture.h"

static struct tree_attr born(struct fixture *f, struct tree_cred cred,
                             uint64_t dir, const char *name, mode_t mode,
                             dev_t rdev)
{
    struct tree_entry entry;

    ck_assert_int_eq(tree_mknod(f->tree, &cred, dir, name, mode, rdev, true,
                                &entry), 0);
    return entry.attr;
}

static uint64_t setgid_dir(struct fixture *f, uint32_t gid)
{
    struct tree_attr attr = { .mode = 02775, .gid = gid };
    uint64_t dir = mk_dir(f, TREE_ROOT, "setgid");

    ck_assert_int_eq(tree_setattr(f->tree, &root_cred, dir,
                                  TREE_SET_MODE | TREE_SET_GID, &attr, true,
                                  &attr), 0);
    return dir;
}

START_TEST(owner_group_and_umask)
{
    struct fixture f = { 0 };
    struct tree_cred cred = { .uid = 5, .gid = 6, .umask = 027 };
    struct tree_attr attr;

    fixture_start(&f);
    attr = born(&f, cred, TREE_ROOT, "x", S_IFREG | 06777, 0);
    ck_assert_uint_eq(attr.mode, S_IFREG | 06750);
    ck_assert_uint_eq(attr.uid, 5);
    ck_assert_uint_eq(attr.gid, 6);
    ck_assert_uint_eq(attr.nlink, 1);
    attr = born(&f, cred, TREE_ROOT, "d", S_IFDIR | 01777, 0);
    ck_assert_uint_eq(attr.mode, S_IFDIR | 01750);
    ck_assert_uint_eq(attr.size, 40);
    fixture_stop(&f);
}
END_TEST

START_TEST(a_setgid_directory_hands_its_group_down)
{
    struct fixture f = { 0 };
    struct tree_attr attr;
    uint64_t dir;

    fixture_start(&f);
    dir = setgid_dir(&f, 77);
    attr = born(&f, user_cred, dir, "file", S_IFREG | 0644, 0);
    ck_assert_uint_eq(attr.gid, 77);
    ck_assert_uint_eq(attr.mode, S_IFREG | 0644);
    attr = born(&f, user_cred, dir, "dir", S_IFDIR | 0755, 0);
    ck_assert_uint_eq(attr.gid, 77);
    ck_assert_uint_eq(attr.mode, S_IFDIR | 02755);
    fixture_stop(&f);
}
END_TEST

START_TEST(grpid_hands_the_group_down_without_the_bit)
{
    struct fixture f = { .config = { .grpid = true, .root_gid = 88 } };
    struct tree_attr attr;

    fixture_start(&f);
    attr = born(&f, user_cred, TREE_ROOT, "dir", S_IFDIR | 0755, 0);
    ck_assert_uint_eq(attr.gid, 88);
    ck_assert_uint_eq(attr.mode, S_IFDIR | 0755);
    fixture_stop(&f);
}
END_TEST

START_TEST(all_types_are_made)
{
    static const mode_t types[] = { S_IFREG, S_IFDIR, S_IFIFO, S_IFSOCK,
                                    S_IFCHR, S_IFBLK };
    struct fixture f = { 0 };
    struct tree_entry entry;
    char name[2] = "a";

    fixture_start(&f);
    for (unsigned i = 0; i < ARRAY_SIZE(types); i++, name[0]++) {
        struct tree_attr attr = born(&f, user_cred, TREE_ROOT, name,
                                     types[i] | 0600, 0x12345678);
        bool device = types[i] == S_IFCHR || types[i] == S_IFBLK;

        ck_assert_uint_eq(attr.mode, types[i] | 0600);
        ck_assert_uint_eq(attr.rdev, device ? 0x12345678 : 0);
    }
    ck_assert_int_eq(tree_mknod(f.tree, &root_cred, TREE_ROOT, "x",
                                S_IFLNK | 0777, 0, true, &entry), -EINVAL);
    ck_assert_int_eq(tree_mknod(f.tree, &root_cred, TREE_ROOT, "x", 0600, 0,
                                true, &entry), -EINVAL);
    fixture_stop(&f);
}
END_TEST

START_TEST(nodump_and_noatime_are_inherited)
{
    struct fixture f = { 0 };
    uint64_t dir;

    fixture_start(&f);
    dir = mk_dir(&f, TREE_ROOT, "d");
    ck_assert_int_eq(tree_setflags(f.tree, dir, FS_NODUMP_FL | FS_NOATIME_FL |
                                                    FS_APPEND_FL), 0);
    ck_assert_uint_eq(attr_of(&f, mk_file(&f, dir, "x")).flags,
                      FS_NODUMP_FL | FS_NOATIME_FL);
    ck_assert_uint_eq(attr_of(&f, mk_dir(&f, dir, "y")).flags,
                      FS_NODUMP_FL | FS_NOATIME_FL);
    fixture_stop(&f);
}
END_TEST

UNIT_MAIN("birth", owner_group_and_umask,
          a_setgid_directory_hands_its_group_down,
          grpid_hands_the_group_down_without_the_bit, all_types_are_made,
          nodump_and_noatime_are_inherited)

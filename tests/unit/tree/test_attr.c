/* test_attr.c - setting attributes: what changes, what is taken away, what is
 * refused. */
#include "fixture.h"

static int set(struct fixture *f, const struct tree_cred *cred, uint64_t id,
               unsigned which, struct tree_attr attr)
{
    struct tree_attr result;

    return tree_setattr(f->tree, cred, id, which, &attr, true, &result);
}

/* The permission bits that are left of `perm` of root's file. */
static unsigned left_after(struct fixture *f, const struct tree_cred *cred,
                           unsigned perm, unsigned which)
{
    uint64_t id = mk_file(f, TREE_ROOT, "x");

    ck_assert_int_eq(set(f, &root_cred, id, TREE_SET_MODE,
                         (struct tree_attr){ .mode = perm }), 0);
    ck_assert_int_eq(set(f, cred, id, which,
                         (struct tree_attr){ .uid = 1, .gid = 1 }), 0);
    perm = attr_of(f, id).mode & 07777;
    ck_assert_int_eq(tree_unlink(f->tree, TREE_ROOT, "x"), 0);
    return perm;
}

START_TEST(attributes_are_set_and_told)
{
    struct fixture f = { 0 };
    struct tree_attr attr = { .mode = S_IFDIR | 02751, .uid = 5, .gid = 6,
                              .size = 12345 }, result;
    uint64_t id;

    fixture_start(&f);
    id = mk_file(&f, TREE_ROOT, "x");
    ck_assert_int_eq(tree_setattr(f.tree, &root_cred, id,
                                  TREE_SET_MODE | TREE_SET_SIZE, &attr, true,
                                  &result), 0);
    ck_assert_uint_eq(result.mode, S_IFREG | 02751);
    ck_assert_uint_eq(result.size, 12345);
    ck_assert_uint_eq(result.uid, 0);
    ck_assert_int_eq(set(&f, &root_cred, id, TREE_SET_UID | TREE_SET_GID, attr),
                     0);
    ck_assert_uint_eq(attr_of(&f, id).uid, 5);
    ck_assert_uint_eq(attr_of(&f, id).gid, 6);
    fixture_stop(&f);
}
END_TEST

START_TEST(only_files_have_a_size_to_set)
{
    struct fixture f = { 0 };
    struct tree_attr attr = { .size = (uint64_t)OBJECT_MAX_SIZE + 1 };
    uint64_t id;

    fixture_start(&f);
    ck_assert_int_eq(set(&f, &root_cred, TREE_ROOT, TREE_SET_SIZE, attr),
                     -EISDIR);
    id = mk_symlink(&f, TREE_ROOT, "l", "target");
    ck_assert_int_eq(set(&f, &root_cred, id, TREE_SET_SIZE, attr), -EINVAL);
    id = mk_file(&f, TREE_ROOT, "x");
    ck_assert_int_eq(set(&f, &root_cred, id, TREE_SET_SIZE, attr), -EFBIG);
    attr.size = OBJECT_MAX_SIZE;
    ck_assert_int_eq(set(&f, &root_cred, id, TREE_SET_SIZE, attr), 0);
    ck_assert_uint_eq(attr_of(&f, id).size, INT64_MAX);
    fixture_stop(&f);
}
END_TEST

static bool in_no_group(void *ctx, gid_t gid)
{
    (void)ctx;
    (void)gid;
    return false;
}

static bool in_group_0(void *ctx, gid_t gid)
{
    ++*(unsigned *)ctx;
    return gid == 0;
}

START_TEST(a_chown_to_nobody_by_a_stranger_takes_none)
{
    struct tree_attr attr = { .mode = 06755 };
    struct fixture f = { 0 };
    uint64_t id;

    fixture_start(&f);
    id = mk_file(&f, TREE_ROOT, "x");
    ck_assert_int_eq(set(&f, &user_cred, id, TREE_SET_OWNER_KEPT, attr), 0);
    ck_assert_int_eq(set(&f, &root_cred, id, TREE_SET_MODE, attr), 0);
    ck_assert_int_eq(set(&f, &user_cred, id, TREE_SET_OWNER_KEPT, attr), 0);
    ck_assert_uint_eq(attr_of(&f, id).mode & 07777, 06755);
    fixture_stop(&f);
}
END_TEST

START_TEST(chown_takes_set_ids)
{
    struct fixture f = { 0 };
    unsigned asked = 0;
    const struct tree_cred stranger = { .uid = 7, .gid = 7,
                                        .is_member = in_no_group };
    const struct tree_cred member = { .uid = 7, .gid = 7, .is_member = in_group_0,
                                      .ctx = &asked };

    fixture_start(&f);
    ck_assert_uint_eq(left_after(&f, &root_cred, 06755, TREE_SET_UID), 0755);
    ck_assert_uint_eq(left_after(&f, &root_cred, 06745, TREE_SET_GID), 02745);
    ck_assert_uint_eq(left_after(&f, &root_cred, 06745,
                                 TREE_SET_UID | TREE_SET_KILL_PRIV), 02745);
    ck_assert_uint_eq(left_after(&f, &root_cred, 06755, TREE_SET_OWNER_KEPT),
                      0755);
    ck_assert_uint_eq(left_after(&f, &root_cred, 06745, TREE_SET_OWNER_KEPT),
                      02745);
    ck_assert_uint_eq(left_after(&f, &stranger, 06745, TREE_SET_GID), 0745);
    ck_assert_uint_eq(left_after(&f, &member, 06745, TREE_SET_GID), 02745);
    ck_assert_uint_eq(asked, 1);
    ck_assert_uint_eq(left_after(&f, &member, 06755, TREE_SET_GID), 0755);
    ck_assert_uint_eq(left_after(&f, &root_cred, 06755, TREE_SET_ATIME), 06755);
    fixture_stop(&f);
}
END_TEST

START_TEST(kill_priv_takes_set_ids)
{
    struct fixture f = { 0 };
    unsigned asked = 0;
    const struct tree_cred member = { .uid = 7, .gid = 7, .is_member = in_group_0,
                                      .ctx = &asked };
    const struct tree_cred bare_root = { .uid = 0, .gid = 7 };

    fixture_start(&f);
    ck_assert_uint_eq(left_after(&f, &user_cred, 06755, TREE_SET_KILL_PRIV),
                      0755);
    ck_assert_uint_eq(left_after(&f, &user_cred, 06745, TREE_SET_KILL_PRIV),
                      0745);
    ck_assert_uint_eq(left_after(&f, &member, 06745, TREE_SET_KILL_PRIV),
                      02745);
    ck_assert_uint_eq(left_after(&f, &bare_root, 06745, TREE_SET_KILL_PRIV),
                      0745);
    ck_assert_uint_eq(left_after(&f, &user_cred, 04711,
                                 TREE_SET_KILL_PRIV | TREE_SET_SIZE), 0711);
    fixture_stop(&f);
}
END_TEST

static bool user_is_0(void *ctx, uid_t uid)
{
    ++*(unsigned *)ctx;
    return uid == 0;
}

static bool user_is_7(void *ctx, uid_t uid)
{
    (void)ctx;
    return uid == 7;
}

/* The kernel did not say who it is: so it is asked for, where it matters. */
START_TEST(unknown_callers_are_asked_for)
{
    struct fixture f = { 0 };
    unsigned asked = 0;
    const struct tree_cred root = { .uid = TREE_ID_UNKNOWN,
                                    .gid = TREE_ID_UNKNOWN,
                                    .is_user = user_is_0, .ctx = &asked };
    const struct tree_cred user = { .uid = TREE_ID_UNKNOWN,
                                    .gid = TREE_ID_UNKNOWN,
                                    .is_user = user_is_7,
                                    .is_member = in_no_group };
    const struct tree_cred nobody = { .uid = TREE_ID_UNKNOWN,
                                      .gid = TREE_ID_UNKNOWN };

    fixture_start(&f);
    ck_assert_uint_eq(left_after(&f, &root, 06745, TREE_SET_ATIME), 06745);
    ck_assert_uint_eq(asked, 0);
    ck_assert_uint_eq(left_after(&f, &root, 06745, TREE_SET_UID), 02745);
    ck_assert_uint_eq(asked, 1);
    ck_assert_uint_eq(left_after(&f, &user, 06745, TREE_SET_UID), 0745);
    ck_assert_uint_eq(left_after(&f, &nobody, 06745, TREE_SET_UID), 0745);
    fixture_stop(&f);
}
END_TEST

START_TEST(directories_keep_set_ids)
{
    struct fixture f = { 0 };
    uint64_t dir;

    fixture_start(&f);
    dir = mk_dir(&f, TREE_ROOT, "d");
    ck_assert_int_eq(set(&f, &root_cred, dir, TREE_SET_MODE,
                         (struct tree_attr){ .mode = 06755 }), 0);
    ck_assert_int_eq(set(&f, &user_cred, dir,
                         TREE_SET_UID | TREE_SET_KILL_PRIV,
                         (struct tree_attr){ .uid = 3 }), 0);
    ck_assert_uint_eq(attr_of(&f, dir).mode, S_IFDIR | 06755);
    fixture_stop(&f);
}
END_TEST

/* Without waiting nothing is taken away: what follows may have to be done
 * again. */
START_TEST(taking_away_is_for_those_who_wait)
{
    struct fixture f = { 0 };
    struct tree_attr attr = { .mode = 04755 }, result;
    uint64_t id;

    fixture_start(&f);
    id = mk_file(&f, TREE_ROOT, "x");
    ck_assert_int_eq(set(&f, &root_cred, id, TREE_SET_MODE, attr), 0);
    ck_assert_int_eq(tree_setattr(f.tree, &user_cred, id,
                                  TREE_SET_SIZE | TREE_SET_KILL_PRIV, &attr,
                                  false, &result), -EAGAIN);
    ck_assert_uint_eq(attr_of(&f, id).mode, S_IFREG | 04755);
    attr.mode = 0755;
    ck_assert_int_eq(set(&f, &root_cred, id, TREE_SET_MODE, attr), 0);
    ck_assert_int_eq(tree_setattr(f.tree, &user_cred, id,
                                  TREE_SET_SIZE | TREE_SET_KILL_PRIV, &attr,
                                  false, &result), 0);
    fixture_stop(&f);
}
END_TEST

START_TEST(capabilities_go_with_set_ids)
{
    struct fixture f = { 0 };
    uint64_t id;
    char value[4];

    fixture_start(&f);
    for (unsigned i = 0; i < 2; i++) {
        id = mk_file(&f, TREE_ROOT, i ? "a" : "b");
        ck_assert_int_eq(tree_setxattr(f.tree, &root_cred, id,
                                       "security.capability", "cap", 3, 0,
                                       true), 0);
        ck_assert_int_eq(set(&f, &root_cred, id,
                             i ? TREE_SET_UID : TREE_SET_KILL_PRIV,
                             (struct tree_attr){ .uid = 3 }), 0);
        /* The kernel itself takes it from a file that changes hands. */
        ck_assert_int_eq(tree_getxattr(f.tree, id, "security.capability", value,
                                       4), i ? 3 : -ENODATA);
    }
    fixture_stop(&f);
}
END_TEST

START_TEST(flags_stand_against)
{
    static const struct {
        unsigned set;
        int append, immutable;
    } rows[] = {
        { TREE_SET_MODE, -EPERM, -EPERM },
        { TREE_SET_UID, -EPERM, -EPERM },
        { TREE_SET_SIZE, -EPERM, -EPERM },
        { TREE_SET_ATIME, -EPERM, -EPERM },
        { TREE_SET_MTIME, -EPERM, -EPERM },
        { TREE_SET_MTIME_NOW | TREE_SET_MTIME, 0, -EPERM },
        { TREE_SET_ATIME_NOW, 0, -EPERM },
        { TREE_SET_MTIME | TREE_SET_CTIME, 0, 0 },
    };
    struct fixture f = { 0 };
    uint64_t id;

    fixture_start(&f);
    id = mk_file(&f, TREE_ROOT, "x");
    for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
        struct tree_attr attr = { .mode = 0600 };

        ck_assert_int_eq(tree_setflags(f.tree, id, FS_APPEND_FL), 0);
        ck_assert_int_eq(set(&f, &root_cred, id, rows[i].set, attr),
                         rows[i].append);
        ck_assert_int_eq(tree_setflags(f.tree, id, FS_IMMUTABLE_FL), 0);
        ck_assert_int_eq(set(&f, &root_cred, id, rows[i].set, attr),
                         rows[i].immutable);
        ck_assert_int_eq(tree_setflags(f.tree, id, 0), 0);
        ck_assert_int_eq(set(&f, &root_cred, id, rows[i].set, attr), 0);
    }
    fixture_stop(&f);
}
END_TEST

START_TEST(flags_are_four)
{
    struct fixture f = { 0 };
    const uint32_t all = FS_APPEND_FL | FS_IMMUTABLE_FL | FS_NODUMP_FL |
                         FS_NOATIME_FL;

    fixture_start(&f);
    ck_assert_int_eq(tree_setflags(f.tree, TREE_ROOT, all), 0);
    ck_assert_uint_eq(attr_of(&f, TREE_ROOT).flags, all);
    ck_assert_int_eq(tree_setflags(f.tree, TREE_ROOT, FS_NODUMP_FL), 0);
    ck_assert_uint_eq(attr_of(&f, TREE_ROOT).flags, FS_NODUMP_FL);
    ck_assert_int_eq(tree_setflags(f.tree, TREE_ROOT, FS_COMPR_FL),
                     -EOPNOTSUPP);
    fixture_stop(&f);
}
END_TEST

static uint64_t told;

static void note(void *ctx, uint64_t id)
{
    lock_assert_none(RANK_TREE);
    ++*(unsigned *)ctx;
    told = id;
}

/* The kernel remembers attributes; what its own calls do not show, it is told. */
START_TEST(changes_behind_the_kernels_back_are_told)
{
    unsigned times = 0;
    struct fixture f = { .config = { .changed = note, .ctx = &times } };
    struct tree_file file;
    size_t written;
    uint64_t id;

    fixture_start(&f);
    id = mk_file(&f, TREE_ROOT, "x");
    ck_assert_int_eq(set(&f, &root_cred, id, TREE_SET_MODE,
                         (struct tree_attr){ .mode = 04755 }), 0);
    ck_assert_int_eq(tree_open(f.tree, NULL, id, TREE_OPEN_WRITE, true, &file),
                     0);
    ck_assert_uint_eq(times, 0);
    for (unsigned i = 0; i < 2; i++)
        ck_assert_int_eq(tree_write(f.tree, &user_cred, &file, 0, "x", 1, true,
                                    &written), 0);
    ck_assert_uint_eq(times, 1);
    ck_assert_uint_eq(told, id);
    ck_assert_int_eq(tree_setflags(f.tree, TREE_ROOT, FS_NODUMP_FL), 0);
    ck_assert_uint_eq(times, 2);
    ck_assert_uint_eq(told, TREE_ROOT);
    tree_release(f.tree, &file);
    fixture_stop(&f);
}
END_TEST

UNIT_MAIN("attr", attributes_are_set_and_told, only_files_have_a_size_to_set,
          chown_takes_set_ids,
          a_chown_to_nobody_by_a_stranger_takes_none, kill_priv_takes_set_ids,
          unknown_callers_are_asked_for,
          directories_keep_set_ids, taking_away_is_for_those_who_wait,
          capabilities_go_with_set_ids, flags_stand_against, flags_are_four,
          changes_behind_the_kernels_back_are_told)

/* test_times.c - which operation moves which time of which node. */
#include "fixture.h"

#include <time.h>

/* A directory, a file and a target, all old. */
struct old {
    struct fixture f;
    uint64_t dir, other, file, target;
};

static void start(struct old *o, enum tree_atime atime)
{
    memset(o, 0, sizeof(*o));
    o->f.config.atime = atime;
    fixture_start(&o->f);
    o->dir = mk_dir(&o->f, TREE_ROOT, "dir");
    o->other = mk_dir(&o->f, TREE_ROOT, "other");
    o->file = mk_file(&o->f, o->dir, "file");
    o->target = mk_file(&o->f, o->other, "target");
    set_old(&o->f, o->dir);
    set_old(&o->f, o->other);
    set_old(&o->f, o->file);
    set_old(&o->f, o->target);
}

static void moved_are(struct old *o, const char *dir, const char *other,
                      const char *file, const char *target)
{
    ck_assert_str_eq(moved(&o->f, o->dir), dir);
    ck_assert_str_eq(moved(&o->f, o->other), other);
    ck_assert_str_eq(moved(&o->f, o->file), file);
    ck_assert_str_eq(moved(&o->f, o->target), target);
    fixture_stop(&o->f);
}

START_TEST(making)
{
    struct old o;
    struct tree_attr attr;

    start(&o, TREE_RELATIME);
    attr = attr_of(&o.f, mk_dir(&o.f, o.dir, "new"));
    ck_assert_int_gt(attr.btime.tv_sec, 1000);
    ck_assert_int_eq(attr.btime.tv_sec, attr.mtime.tv_sec);
    ck_assert_int_eq(attr.btime.tv_nsec, attr.ctime.tv_nsec);
    ck_assert_int_eq(attr.btime.tv_nsec, attr.atime.tv_nsec);
    moved_are(&o, "mc", "", "", "");
}
END_TEST

START_TEST(making_without_a_name)
{
    struct old o;
    struct tree_entry entry;

    start(&o, TREE_RELATIME);
    ck_assert_int_eq(tree_tmpfile(o.f.tree, &root_cred, o.dir, 0600, true,
                                  &entry), 0);
    moved_are(&o, "", "", "", "");
}
END_TEST

START_TEST(linking)
{
    struct old o;

    start(&o, TREE_RELATIME);
    mk_link(&o.f, o.file, o.other, "second");
    moved_are(&o, "", "mc", "c", "");
}
END_TEST

START_TEST(unlinking)
{
    struct old o;

    start(&o, TREE_RELATIME);
    ck_assert_int_eq(tree_unlink(o.f.tree, o.dir, "file"), 0);
    moved_are(&o, "mc", "", "c", "");
}
END_TEST

START_TEST(removing_a_directory)
{
    struct old o;

    start(&o, TREE_RELATIME);
    ck_assert_int_eq(tree_unlink(o.f.tree, o.dir, "file"), 0);
    set_old(&o.f, o.dir);
    set_old(&o.f, TREE_ROOT);
    ck_assert_int_eq(tree_rmdir(o.f.tree, TREE_ROOT, "dir"), 0);
    ck_assert_str_eq(moved(&o.f, TREE_ROOT), "mc");
    moved_are(&o, "c", "", "c", "");
}
END_TEST

START_TEST(renaming)
{
    struct old o;

    start(&o, TREE_RELATIME);
    ck_assert_int_eq(try_rename(&o.f, o.dir, "file", o.other, "new", 0), 0);
    moved_are(&o, "mc", "mc", "c", "");
}
END_TEST

START_TEST(renaming_within)
{
    struct old o;

    start(&o, TREE_RELATIME);
    ck_assert_int_eq(try_rename(&o.f, o.dir, "file", o.dir, "new", 0), 0);
    moved_are(&o, "mc", "", "c", "");
}
END_TEST

START_TEST(replacing)
{
    struct old o;

    start(&o, TREE_RELATIME);
    ck_assert_int_eq(try_rename(&o.f, o.dir, "file", o.other, "target", 0), 0);
    moved_are(&o, "mc", "mc", "c", "c");
}
END_TEST

START_TEST(exchanging)
{
    struct old o;

    start(&o, TREE_RELATIME);
    ck_assert_int_eq(try_rename(&o.f, o.dir, "file", o.other, "target",
                                RENAME_EXCHANGE), 0);
    moved_are(&o, "mc", "mc", "c", "c");
}
END_TEST

START_TEST(looking_moves_nothing)
{
    struct old o;

    start(&o, TREE_STRICTATIME);
    ck_assert_uint_eq(find(&o.f, o.dir, "file"), o.file);
    moved_are(&o, "", "", "", "");
}
END_TEST

START_TEST(writing)
{
    struct old o;
    struct tree_file file;
    size_t written;

    start(&o, TREE_RELATIME);
    ck_assert_int_eq(tree_open(o.f.tree, NULL, o.file, TREE_OPEN_WRITE, true,
                               &file), 0);
    ck_assert_int_eq(tree_write(o.f.tree, NULL, &file, 0, "x", 1, true,
                                &written), 0);
    tree_release(o.f.tree, &file);
    moved_are(&o, "", "", "mc", "");
}
END_TEST

START_TEST(preallocating)
{
    struct old o;
    struct tree_file file;

    start(&o, TREE_RELATIME);
    ck_assert_int_eq(tree_open(o.f.tree, NULL, o.file, TREE_OPEN_WRITE, true,
                               &file), 0);
    ck_assert_int_eq(tree_fallocate(o.f.tree, &root_cred, &file, 0, 0, 1, true),
                     0);
    tree_release(o.f.tree, &file);
    moved_are(&o, "", "", "mc", "");
}
END_TEST

START_TEST(truncating_by_open)
{
    struct old o;
    struct tree_file file;

    start(&o, TREE_RELATIME);
    ck_assert_int_eq(tree_open(o.f.tree, NULL, o.file,
                               TREE_OPEN_WRITE | TREE_OPEN_TRUNCATE, true,
                               &file), 0);
    tree_release(o.f.tree, &file);
    moved_are(&o, "", "", "mc", "");
}
END_TEST

START_TEST(truncating)
{
    struct old o;
    struct tree_attr attr = { .size = 0 };

    start(&o, TREE_RELATIME);
    ck_assert_int_eq(tree_setattr(o.f.tree, &root_cred, o.file, TREE_SET_SIZE,
                                  &attr, true, &attr), 0);
    ck_assert_str_eq(moved(&o.f, o.file), "");
    attr.size = 5;
    ck_assert_int_eq(tree_setattr(o.f.tree, &root_cred, o.file, TREE_SET_SIZE,
                                  &attr, true, &attr), 0);
    ck_assert_uint_eq(attr.size, 5);
    moved_are(&o, "", "", "mc", "");
}
END_TEST

START_TEST(changing_attributes)
{
    static const unsigned sets[] = { TREE_SET_MODE, TREE_SET_UID, TREE_SET_GID,
                                     TREE_SET_KILL_PRIV,
                                     TREE_SET_OWNER_KEPT };
    struct tree_attr attr = { .mode = 0600 };
    struct old o;

    start(&o, TREE_RELATIME);
    for (unsigned i = 0; i < ARRAY_SIZE(sets); i++) {
        set_old(&o.f, o.file);
        ck_assert_int_eq(tree_setattr(o.f.tree, &root_cred, o.file, sets[i],
                                      &attr, true, &attr), 0);
        ck_assert_str_eq(moved(&o.f, o.file), "c");
    }
    set_old(&o.f, o.file);
    ck_assert_int_eq(tree_setattr(o.f.tree, &root_cred, o.file, 0, &attr, true,
                                  &attr), 0);
    ck_assert_str_eq(moved(&o.f, o.file), "");
    ck_assert_int_eq(tree_setflags(o.f.tree, o.file, FS_NODUMP_FL), 0);
    ck_assert_str_eq(moved(&o.f, o.file), "c");
    ck_assert_int_eq(tree_setxattr(o.f.tree, &root_cred, o.target, "user.a",
                                   "v", 1, 0, true), 0);
    moved_are(&o, "", "", "c", "c");
}
END_TEST

START_TEST(times_are_set_as_told)
{
    struct old o;
    struct tree_attr attr = { .atime = { 5, 6 }, .mtime = { -7, 8 },
                              .ctime = { 9, 10 } };

    start(&o, TREE_RELATIME);
    ck_assert_int_eq(tree_setattr(o.f.tree, &root_cred, o.file,
                                  TREE_SET_ATIME | TREE_SET_MTIME |
                                      TREE_SET_CTIME, &attr, true, &attr), 0);
    ck_assert_int_eq(attr.atime.tv_sec, 5);
    ck_assert_int_eq(attr.atime.tv_nsec, 6);
    ck_assert_int_eq(attr.mtime.tv_sec, -7);
    ck_assert_int_eq(attr.ctime.tv_nsec, 10);
    ck_assert_int_eq(tree_setattr(o.f.tree, &root_cred, o.dir,
                                  TREE_SET_ATIME | TREE_SET_ATIME_NOW, &attr,
                                  true, &attr), 0);
    moved_are(&o, "ac", "", "amc", "");
}
END_TEST

static void read_all(struct old *o, bool noatime)
{
    struct tree_file file;
    static struct object_read read;

    ck_assert_int_eq(tree_open(o->f.tree, NULL, o->file,
                               noatime ? TREE_OPEN_NOATIME : 0, true, &file),
                     0);
    ck_assert_int_eq(tree_read_begin(o->f.tree, &file, 0, 10, true, &read), 0);
    tree_read_end(o->f.tree, &file, &read);
    tree_release(o->f.tree, &file);
}

START_TEST(reading_moves_atime_once)
{
    struct old o;
    struct timespec first;
    char text[64];

    start(&o, TREE_RELATIME);
    read_all(&o, true);
    ck_assert_str_eq(moved(&o.f, o.file), "");
    read_all(&o, false);
    ck_assert_str_eq(moved(&o.f, o.file), "a");
    first = attr_of(&o.f, o.file).atime;
    read_all(&o, false);
    ck_assert_int_eq(attr_of(&o.f, o.file).atime.tv_nsec, first.tv_nsec);
    list_dir(&o.f, o.dir, text, sizeof(text));
    moved_are(&o, "a", "", "a", "");
}
END_TEST

/* relatime: not later than mtime or ctime, or a day old. */
START_TEST(relatime)
{
    static const struct {
        int64_t atime, mtime, ctime; /* seconds ago */
        bool moves;
    } rows[] = { { 100, 200, 200, false }, { 200, 100, 300, true },
                 { 200, 300, 100, true },  { 200, 200, 300, true },
                 { 90000, 99999, 99999, true } };
    struct timespec now;
    struct old o;

    clock_gettime(CLOCK_REALTIME, &now);
    start(&o, TREE_RELATIME);
    for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
        struct tree_attr attr = { .atime = { now.tv_sec - rows[i].atime, 0 },
                                  .mtime = { now.tv_sec - rows[i].mtime, 0 },
                                  .ctime = { now.tv_sec - rows[i].ctime, 0 } };
        struct tree_attr before;

        ck_assert_int_eq(tree_setattr(o.f.tree, &root_cred, o.file,
                                      TREE_SET_ATIME | TREE_SET_MTIME |
                                          TREE_SET_CTIME, &attr, true,
                                      &before), 0);
        read_all(&o, false);
        ck_assert_int_eq(attr_of(&o.f, o.file).atime.tv_sec !=
                             before.atime.tv_sec, rows[i].moves);
    }
    fixture_stop(&o.f);
}
END_TEST

START_TEST(noatime)
{
    struct old o;
    char text[64];

    start(&o, TREE_NOATIME);
    read_all(&o, false);
    list_dir(&o.f, o.dir, text, sizeof(text));
    moved_are(&o, "", "", "", "");
}
END_TEST

START_TEST(nodiratime)
{
    struct fixture f = { .config = { .nodiratime = true } };
    struct tree_file file;
    struct object_read read;
    char text[64];
    uint64_t id;

    fixture_start(&f);
    id = mk_file(&f, TREE_ROOT, "x");
    set_old(&f, TREE_ROOT);
    set_old(&f, id);
    list_dir(&f, TREE_ROOT, text, sizeof(text));
    ck_assert_str_eq(moved(&f, TREE_ROOT), "");
    ck_assert_int_eq(tree_open(f.tree, NULL, id, 0, true, &file), 0);
    ck_assert_int_eq(tree_read_begin(f.tree, &file, 0, 1, true, &read), 0);
    tree_read_end(f.tree, &file, &read);
    tree_release(f.tree, &file);
    ck_assert_str_eq(moved(&f, id), "a");
    fixture_stop(&f);
}
END_TEST

START_TEST(strictatime_but_for_noatime_files)
{
    struct old o;
    struct timespec first;

    start(&o, TREE_STRICTATIME);
    read_all(&o, false);
    first = attr_of(&o.f, o.file).atime;
    read_all(&o, false);
    ck_assert_int_ne(attr_of(&o.f, o.file).atime.tv_nsec, first.tv_nsec);
    ck_assert_int_eq(tree_setflags(o.f.tree, o.file, FS_NOATIME_FL), 0);
    first = attr_of(&o.f, o.file).atime;
    read_all(&o, false);
    ck_assert_int_eq(attr_of(&o.f, o.file).atime.tv_nsec, first.tv_nsec);
    fixture_stop(&o.f);
}
END_TEST

START_TEST(readlink_is_reading)
{
    struct old o;
    char buffer[8];
    uint64_t id;

    start(&o, TREE_RELATIME);
    id = mk_symlink(&o.f, TREE_ROOT, "l", "x");
    set_old(&o.f, id);
    ck_assert_int_eq(tree_readlink(o.f.tree, id, buffer, 8), 0);
    ck_assert_str_eq(moved(&o.f, id), "a");
    fixture_stop(&o.f);
}
END_TEST

UNIT_MAIN("times", making, making_without_a_name, linking, unlinking,
          removing_a_directory, renaming, renaming_within, replacing,
          exchanging, looking_moves_nothing, writing, preallocating,
          truncating_by_open, truncating, changing_attributes,
          times_are_set_as_told, reading_moves_atime_once, relatime, noatime,
          nodiratime, strictatime_but_for_noatime_files, readlink_is_reading)

/* test_data.c - open files: what goes through, who may open, what goes away. */
#include "fixture.h"

#include <fcntl.h>
#include <linux/falloc.h>

static struct tree_file opened(struct fixture *f, uint64_t id, unsigned how)
{
    struct tree_file file;

    ck_assert_int_eq(tree_open(f->tree, NULL, id, how, true, &file), 0);
    return file;
}

static void text_is(struct fixture *f, struct tree_file *file, uint64_t offset,
                    const char *text)
{
    static struct object_read read;

    ck_assert_int_eq(tree_read_begin(f->tree, file, offset, 100, true, &read),
                     0);
    ck_assert_uint_eq(read.bytes, strlen(text));
    ck_assert_mem_eq(read.iov[1].iov_base, text, read.bytes);
    tree_read_end(f->tree, file, &read);
}

static int write_text(struct fixture *f, struct tree_file *file,
                      uint64_t offset, const char *text, bool kill)
{
    size_t written;
    int err = tree_write(f->tree, kill ? &user_cred : NULL, file, offset, text,
                         strlen(text), true, &written);

    ck_assert_uint_eq(written, err ? 0 : strlen(text));
    return err;
}

static void chmod_to(struct fixture *f, uint64_t id, unsigned perm)
{
    struct tree_attr attr = { .mode = perm };

    ck_assert_int_eq(tree_setattr(f->tree, &root_cred, id, TREE_SET_MODE, &attr,
                                  true, &attr), 0);
}

/* Readahead is asked once for each read, and a second try moves atime, too. */
START_TEST(a_read_that_is_begun_and_tried_again)
{
    static struct object_read read;
    const struct timespec old = { .tv_sec = 1 };
    struct fixture f = { 0 };
    struct tree_file file;
    uint64_t id;

    fixture_start(&f);
    id = mk_file(&f, TREE_ROOT, "x");
    file = opened(&f, id, TREE_OPEN_WRITE);
    ck_assert_int_eq(write_text(&f, &file, 0, "hello", false), 0);
    /* What the fake says with readahead, and without. */
    ck_assert_int_eq(tree_read_start(f.tree, &file, 0, 5, false, NULL), 2);
    ck_assert_int_eq(tree_read_start(f.tree, &file, 0, 5, true, NULL), 1);
    ck_assert_int_eq(tree_setattr(f.tree, &root_cred, id, TREE_SET_ATIME,
                                  &(struct tree_attr){ .atime = old }, true,
                                  &(struct tree_attr){ 0 }), 0);
    ck_assert_int_eq(tree_read_again(f.tree, &file, 1, 100, false, &read), 0);
    ck_assert_uint_eq(read.bytes, 4);
    ck_assert_mem_eq(read.iov[1].iov_base, "ello", 4);
    tree_read_end(f.tree, &file, &read);
    ck_assert_int_gt(attr_of(&f, id).atime.tv_sec, old.tv_sec);
    tree_release(f.tree, &file);
    fixture_stop(&f);
}
END_TEST

START_TEST(bytes_go_in_and_out)
{
    struct fixture f = { 0 };
    struct tree_file file;
    uint64_t id, found;

    fixture_start(&f);
    id = mk_file(&f, TREE_ROOT, "x");
    file = opened(&f, id, TREE_OPEN_WRITE);
    ck_assert_int_eq(write_text(&f, &file, 5000, "hello", false), 0);
    text_is(&f, &file, 5002, "llo");
    text_is(&f, &file, 5005, "");
    ck_assert_uint_eq(attr_of(&f, id).size, 5005);
    ck_assert_uint_eq(attr_of(&f, id).blocks, 8);
    ck_assert_int_eq(tree_lseek(f.tree, &file, 5, SEEK_DATA, &found), 0);
    ck_assert_int_eq(tree_lseek(f.tree, &file, 5005, SEEK_DATA, &found),
                     -ENXIO);
    tree_release(f.tree, &file);
    file = opened(&f, id, TREE_OPEN_WRITE | TREE_OPEN_TRUNCATE);
    ck_assert_uint_eq(attr_of(&f, id).size, 0);
    tree_release(f.tree, &file);
    fixture_stop(&f);
}
END_TEST

START_TEST(only_files_are_opened)
{
    struct fixture f = { 0 };
    struct tree_file file;
    uint64_t id;

    fixture_start(&f);
    ck_assert_int_eq(tree_open(f.tree, NULL, TREE_ROOT, 0, true, &file),
                     -EISDIR);
    id = mk_symlink(&f, TREE_ROOT, "l", "x");
    ck_assert_int_eq(tree_open(f.tree, NULL, id, 0, true, &file), -EINVAL);
    fixture_stop(&f);
}
END_TEST

START_TEST(flags_stand_against_opening)
{
    static const struct {
        unsigned how;
        int append, immutable;
    } rows[] = {
        { 0, 0, 0 },
        { TREE_OPEN_APPEND, 0, 0 },
        { TREE_OPEN_WRITE, -EPERM, -EPERM },
        { TREE_OPEN_WRITE | TREE_OPEN_APPEND, 0, -EPERM },
        { TREE_OPEN_WRITE | TREE_OPEN_APPEND | TREE_OPEN_TRUNCATE, -EPERM,
          -EPERM },
        { TREE_OPEN_TRUNCATE, -EPERM, -EPERM },
    };
    struct fixture f = { 0 };
    struct tree_file file;
    uint64_t id;

    fixture_start(&f);
    id = mk_file(&f, TREE_ROOT, "x");
    for (unsigned i = 0; i < ARRAY_SIZE(rows); i++)
        for (unsigned immutable = 0; immutable < 2; immutable++) {
            int want = immutable ? rows[i].immutable : rows[i].append;

            ck_assert_int_eq(tree_setflags(f.tree, id, immutable
                                                           ? FS_IMMUTABLE_FL
                                                           : FS_APPEND_FL), 0);
            ck_assert_int_eq(tree_open(f.tree, NULL, id, rows[i].how, true,
                                       &file), want);
            if (!want)
                tree_release(f.tree, &file);
        }
    fixture_stop(&f);
}
END_TEST

START_TEST(writing_takes_set_ids_if_told)
{
    struct fixture f = { 0 };
    struct tree_file file;
    size_t written;
    uint64_t id;

    fixture_start(&f);
    id = mk_file(&f, TREE_ROOT, "x");
    file = opened(&f, id, TREE_OPEN_WRITE);
    chmod_to(&f, id, 06755);
    ck_assert_int_eq(write_text(&f, &file, 0, "x", false), 0);
    ck_assert_uint_eq(attr_of(&f, id).mode, S_IFREG | 06755);
    ck_assert_int_eq(tree_write(f.tree, &user_cred, &file, 0, "x", 1,
                                false, &written), -EAGAIN);
    ck_assert_uint_eq(attr_of(&f, id).mode, S_IFREG | 06755);
    ck_assert_int_eq(write_text(&f, &file, 0, "x", true), 0);
    ck_assert_uint_eq(attr_of(&f, id).mode, S_IFREG | 0755);
    /* Nothing to take any more: no reason to wait. */
    ck_assert_int_eq(tree_write(f.tree, &user_cred, &file, 0, "x", 1,
                                false, &written), 0);
    tree_release(f.tree, &file);
    chmod_to(&f, id, 04755);
    file = opened(&f, id, TREE_OPEN_TRUNCATE);
    ck_assert_uint_eq(attr_of(&f, id).mode, S_IFREG | 04755);
    tree_release(f.tree, &file);
    ck_assert_int_eq(tree_open(f.tree, &user_cred, id, TREE_OPEN_TRUNCATE, true,
                               &file), 0);
    ck_assert_uint_eq(attr_of(&f, id).mode, S_IFREG | 0755);
    tree_release(f.tree, &file);
    fixture_stop(&f);
}
END_TEST

START_TEST(failures_come_through_and_leave_times)
{
    struct fixture f = { 0 };
    struct tree_file file, bad;
    uint64_t id;

    fixture_start(&f);
    id = mk_file(&f, TREE_ROOT, "x");
    file = opened(&f, id, TREE_OPEN_WRITE);
    set_old(&f, id);
    fake_objects.error = -ENOSPC;
    fake_objects.fail_in = 1;
    ck_assert_int_eq(write_text(&f, &file, 0, "x", false), -ENOSPC);
    fake_objects.fail_in = 1;
    ck_assert_int_eq(tree_fallocate(f.tree, &root_cred, &file, 0, 0, 9, true),
                     -ENOSPC);
    fake_objects.fail_in = 1;
    fake_objects.error = -EAGAIN;
    ck_assert_int_eq(tree_open(f.tree, NULL, id, TREE_OPEN_TRUNCATE, false,
                               &bad), -EAGAIN);
    ck_assert_str_eq(moved(&f, id), "");
    tree_release(f.tree, &file);
    tree_forget(f.tree, id, 1);
    ck_assert_int_eq(tree_unlink(f.tree, TREE_ROOT, "x"), 0);
    ck_assert_uint_eq(stats_of(&f).nodes, 1);
    fixture_stop(&f);
}
END_TEST

START_TEST(fallocate_has_three_modes)
{
    struct fixture f = { 0 };
    struct tree_file file;
    uint64_t id;
    const int keep = FALLOC_FL_KEEP_SIZE, punch = FALLOC_FL_PUNCH_HOLE;
    const int zero = FALLOC_FL_ZERO_RANGE;

    fixture_start(&f);
    id = mk_file(&f, TREE_ROOT, "x");
    file = opened(&f, id, TREE_OPEN_WRITE);
#define ALLOCATE(mode, offset, length) \
    tree_fallocate(f.tree, &root_cred, &file, mode, offset, length, true)
    ck_assert_int_eq(ALLOCATE(keep, 0, 8192), 0);
    ck_assert_uint_eq(attr_of(&f, id).size, 0);
    ck_assert_uint_eq(attr_of(&f, id).blocks, 16);
    ck_assert_int_eq(ALLOCATE(punch | keep, 0, 4096), 0);
    ck_assert_uint_eq(attr_of(&f, id).blocks, 8);
    ck_assert_int_eq(ALLOCATE(zero, 0, 5000), 0);
    ck_assert_uint_eq(attr_of(&f, id).size, 5000);
    ck_assert_int_eq(ALLOCATE(punch, 0, 4096), -EOPNOTSUPP);
    ck_assert_int_eq(ALLOCATE(punch | zero | keep, 0, 4096), -EOPNOTSUPP);
    ck_assert_int_eq(ALLOCATE(FALLOC_FL_COLLAPSE_RANGE, 0, 4096), -EOPNOTSUPP);
    ck_assert_int_eq(ALLOCATE(0, 0, 0), -EINVAL);
    ck_assert_int_eq(ALLOCATE(0, INT64_MAX, 1), -EFBIG);
    ck_assert_int_eq(tree_setflags(f.tree, id, FS_APPEND_FL), 0);
    ck_assert_int_eq(ALLOCATE(punch | keep, 0, 4096), -EPERM);
    ck_assert_int_eq(ALLOCATE(0, 0, 4096), 0);
    ck_assert_int_eq(tree_setflags(f.tree, id, FS_IMMUTABLE_FL), 0);
    ck_assert_int_eq(ALLOCATE(0, 0, 4096), -EPERM);
    ck_assert_int_eq(tree_setflags(f.tree, id, 0), 0);
    chmod_to(&f, id, 06755);
    ck_assert_int_eq(ALLOCATE(0, 0, 4096), 0);
    ck_assert_uint_eq(attr_of(&f, id).mode, S_IFREG | 06755);
    ck_assert_int_eq(tree_fallocate(f.tree, &user_cred, &file, 0, 0, 1, true),
                     0);
    ck_assert_uint_eq(attr_of(&f, id).mode, S_IFREG | 0755);
    chmod_to(&f, id, 02745);
    ck_assert_int_eq(tree_fallocate(f.tree, &user_cred, &file, 0, 0, 1, true),
                     0);
    ck_assert_uint_eq(attr_of(&f, id).mode, S_IFREG | 0745);
    tree_release(f.tree, &file);
    fixture_stop(&f);
}
END_TEST

START_TEST(copying_changes_one_and_reads_the_other)
{
    struct fixture f = { 0 };
    struct tree_file from, to;
    uint64_t source, target, copied;

    fixture_start(&f);
    source = mk_file(&f, TREE_ROOT, "source");
    target = mk_file(&f, TREE_ROOT, "target");
    from = opened(&f, source, TREE_OPEN_WRITE);
    to = opened(&f, target, TREE_OPEN_WRITE);
    ck_assert_int_eq(write_text(&f, &from, 0, "some text", false), 0);
    chmod_to(&f, target, 04755);
    set_old(&f, source);
    set_old(&f, target);
    ck_assert_int_eq(tree_copy_range(f.tree, &user_cred, &from, 5, &to, 0, 100,
                                     true, &copied), 0);
    ck_assert_uint_eq(copied, 4);
    text_is(&f, &to, 0, "text");
    ck_assert_str_eq(moved(&f, source), "a");
    ck_assert_str_eq(moved(&f, target), "amc"); /* a: text_is */
    ck_assert_uint_eq(attr_of(&f, target).mode, S_IFREG | 0755);
    ck_assert_int_eq(tree_setflags(f.tree, target, FS_IMMUTABLE_FL), 0);
    ck_assert_int_eq(tree_copy_range(f.tree, &user_cred, &from, 5, &to, 0, 100,
                                     true, &copied), -EPERM);
    tree_release(f.tree, &from);
    tree_release(f.tree, &to);
    fixture_stop(&f);
}
END_TEST

/* Its times have come before, or come after: not from here. */
START_TEST(what_is_written_back_moves_no_time_and_no_bit)
{
    struct fixture f = { 0 };
    struct tree_attr before, after;
    struct tree_file file;
    size_t written;
    uint64_t id;

    fixture_start(&f);
    id = mk_file(&f, TREE_ROOT, "x");
    file = opened(&f, id, TREE_OPEN_WRITE);
    chmod_to(&f, id, 06755);
    before = attr_of(&f, id);
    ck_assert_int_eq(tree_write_back(f.tree, &file, 0, "hello", 5, true,
                                     &written), 0);
    ck_assert_uint_eq(written, 5);
    text_is(&f, &file, 0, "hello");
    after = attr_of(&f, id);
    ck_assert_uint_eq(after.size, 5);
    ck_assert_uint_eq(after.mode, before.mode);
    ck_assert_mem_eq(&after.mtime, &before.mtime, sizeof(after.mtime));
    ck_assert_mem_eq(&after.ctime, &before.ctime, sizeof(after.ctime));
    tree_release(f.tree, &file);
    fixture_stop(&f);
}
END_TEST

UNIT_MAIN("data", bytes_go_in_and_out,
          a_read_that_is_begun_and_tried_again, only_files_are_opened,
          flags_stand_against_opening, writing_takes_set_ids_if_told,
          what_is_written_back_moves_no_time_and_no_bit,
          failures_come_through_and_leave_times, fallocate_has_three_modes,
          copying_changes_one_and_reads_the_other)

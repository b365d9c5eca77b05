/* test_seek.c - data and holes, by pages. */
#include "fixture.h"

#include <errno.h>
#include <unistd.h>

static struct fixture f;
static struct file file;

static int seek(uint64_t offset, int whence, uint64_t *found)
{
    return object_seek(&f.store, file.object, offset, whence, found);
}

START_TEST(every_offset)
{
    fixture_up(&f, 0, 1024, 0);
    file_up(&f, &file, 200 * PAGE_SIZE);
    model_seek(&f, &file, 0);
    model_write(&f, &file, 5 * PAGE_SIZE + 7, 3000, 1, false);
    model_write(&f, &file, 60 * PAGE_SIZE, 70 * PAGE_SIZE, 1, false);
    model_write(&f, &file, 140 * PAGE_SIZE, PAGE_SIZE, 0, false);
    model_truncate(&f, &file, 150 * PAGE_SIZE + 9);
    for (int swapped = 0; swapped < 2; swapped++) {
        for (uint64_t at = 0; at <= file.size + 3; at += 1021)
            model_seek(&f, &file, at);
        swap_out(&f, &file);
    }
    model_truncate(&f, &file, 60 * PAGE_SIZE + 1);
    for (uint64_t at = 0; at <= file.size + 3; at += 1021)
        model_seek(&f, &file, at);
    file_down(&f, &file);
    fixture_down(&f);
}
END_TEST

START_TEST(far_apart)
{
    uint64_t far = (uint64_t)1 << 62, found;
    uint8_t byte = 1;
    size_t written;

    fixture_up(&f, 0, 1024, 0);
    file_up(&f, &file, PAGE_SIZE);
    ck_assert_int_eq(object_write(&f.store, file.object, far, &byte, 1, true,
                                  &written), 0);
    ck_assert_int_eq(seek(0, SEEK_DATA, &found), 0);
    ck_assert_uint_eq(found, far);
    ck_assert_int_eq(seek(0, SEEK_HOLE, &found), 0);
    ck_assert_uint_eq(found, 0);
    ck_assert_int_eq(seek(far, SEEK_HOLE, &found), 0);
    ck_assert_uint_eq(found, far + 1);
    ck_assert_int_eq(seek(far + 1, SEEK_DATA, &found), -ENXIO);
    ck_assert_int_eq(seek(far + 1, SEEK_HOLE, &found), -ENXIO);
    ck_assert_int_eq(seek(0, SEEK_SET, &found), -EINVAL);
    file_down(&f, &file);
    fixture_down(&f);
}
END_TEST

UNIT_MAIN("seek", every_offset, far_apart)

/* test_decode.c - what goes around libfuse arrives whole, and is refused to whom
 * libfuse would refuse it. */
#include "fake_kernel.h"
#include "unit.h"

#include <errno.h>
#include <linux/fs.h>
#include <string.h>
#include <unistd.h>

static struct kernel kernel;

static int rename_file(uint32_t flags, const char *names, size_t bytes)
{
    struct fuse_rename2_in in = { .newdir = TREE_ROOT, .flags = flags };

    return CALL(&kernel, FUSE_RENAME2, TREE_ROOT, in, names, bytes);
}

static uint64_t make(const char *name)
{
    struct fuse_release_in release = { 0 };
    uint64_t id = kernel_create(&kernel, name, &release.fh).nodeid;

    ck_assert_int_eq(CALL(&kernel, FUSE_RELEASE, id, release, NULL, 0), 0);
    return id;
}

static uint64_t look(const char *name)
{
    struct fuse_entry_out entry;

    ck_assert_int_eq(kernel_call(&kernel, FUSE_LOOKUP, TREE_ROOT, NULL, 0, name,
                                 strlen(name) + 1), 0);
    memcpy(&entry, kernel.reply.data, sizeof(entry));
    return entry.nodeid;
}

START_TEST(test_rename)
{
    struct fuse_rename_in old = { .newdir = TREE_ROOT };
    uint64_t a, b;

    kernel_start(&kernel, "pagerfs -s -o ram=16m,size=0,swap=none /mnt");
    a = make("a");
    b = make("bb");
    ck_assert_int_eq(rename_file(RENAME_NOREPLACE, "a\0bb", 5), -EEXIST);
    ck_assert_int_eq(rename_file(RENAME_EXCHANGE, "a\0bb", 5), 0);
    ck_assert_uint_eq(look("a"), b);
    ck_assert_uint_eq(look("bb"), a);
    ck_assert_int_eq(CALL(&kernel, FUSE_RENAME, TREE_ROOT, old, "bb\0ccc", 7),
                     0);
    ck_assert_uint_eq(look("ccc"), a);
    ck_assert_uint_eq(look("bb"), 0);
    kernel_stop(&kernel);
}
END_TEST

/* One that was looked up twice, and one nobody was told of.  One thread serves,
 * in the order of sending. */
START_TEST(test_batch_forget)
{
    struct fuse_batch_forget_in in = { .count = 3 };
    struct fuse_forget_one ones[3] = { { .nlookup = 1 }, { .nlookup = 2 },
                                       { 987654321, 1 } };
    uint64_t unique;

    kernel_start(&kernel, "pagerfs -s -o ram=16m,size=0,swap=none /mnt");
    ones[0].nodeid = make("a");
    ones[1].nodeid = make("b");
    ck_assert_uint_eq(look("b"), ones[1].nodeid);
    ck_assert_int_eq(kernel_call(&kernel, FUSE_UNLINK, 1, NULL, 0, "a", 2), 0);
    ck_assert_int_eq(kernel_call(&kernel, FUSE_UNLINK, 1, NULL, 0, "b", 2), 0);
    ck_assert_uint_eq(kernel_nodes(&kernel), 3);
    kernel_send(&kernel, FUSE_BATCH_FORGET, 0, &in, sizeof(in), ones,
                sizeof(ones));
    unique = kernel_send(&kernel, FUSE_STATFS, 1, NULL, 0, NULL, 0);
    ck_assert_uint_eq(kernel_receive(&kernel), unique);
    ck_assert_uint_eq(kernel_nodes(&kernel), 1);
    kernel_stop(&kernel);
}
END_TEST

/* Others are kept out, but not from what was opened and handed to them. */
START_TEST(test_allow_root)
{
    struct fuse_release_in release = { 0 };
    struct fuse_getattr_in getattr = { 0 };
    uint64_t id;

    kernel_start(&kernel,
                 "pagerfs -s -o ram=16m,size=0,swap=none,allow_root /mnt");
    id = kernel_create(&kernel, "file", &release.fh).nodeid;
    kernel.uid = getuid() + 4321;
    ck_assert_int_eq(CALL(&kernel, FUSE_GETATTR, id, getattr, NULL, 0),
                     -EACCES);
    ck_assert_int_eq(kernel_call(&kernel, FUSE_LOOKUP, TREE_ROOT, NULL, 0,
                                 "file", 5), -EACCES);
    ck_assert_int_eq(kernel_write(&kernel, id, release.fh, 0, "abc", 3, 0), 0);
    ck_assert_int_eq(kernel_read(&kernel, id, release.fh, 0, 3), 0);
    ck_assert_int_eq(CALL(&kernel, FUSE_RELEASE, id, release, NULL, 0), 0);
    kernel_stop(&kernel);
}
END_TEST

UNIT_MAIN("decode", test_rename, test_batch_forget, test_allow_root)

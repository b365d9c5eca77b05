/* test_ops.c - what each operation answers, through a whole session against a
 * kernel made of this test. */
#include "fake_kernel.h"
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static struct kernel kernel;

static void start(void)
{
    kernel_start(&kernel, "pagerfs -o ram=16m,size=0,swap=none /mnt");
}

static struct fuse_attr getattr(uint64_t id)
{
    struct fuse_getattr_in in = { 0 };
    struct fuse_attr_out out;

    ck_assert_int_eq(CALL(&kernel, FUSE_GETATTR, id, in, NULL, 0), 0);
    memcpy(&out, kernel.reply.data, sizeof(out));
    return out.attr;
}

START_TEST(test_write_and_read_back)
{
    static uint8_t data[100000];
    struct fuse_entry_out entry;
    uint64_t fh;

    start();
    entry = kernel_create(&kernel, "file", &fh);
    for (size_t i = 0; i < sizeof(data); i++)
        data[i] = (uint8_t)(i * 7 + i / 4096);
    ck_assert_int_eq(
        kernel_write(&kernel, entry.nodeid, fh, 5000, data, sizeof(data), 0),
        0);
    ck_assert_uint_eq(getattr(entry.nodeid).size, 5000 + sizeof(data));
    ck_assert_int_eq(
        kernel_read(&kernel, entry.nodeid, fh, 5000, sizeof(data) + 4096), 0);
    ck_assert_uint_eq(kernel.bytes, sizeof(data));
    ck_assert(memcmp(kernel.reply.data, data, sizeof(data)) == 0);
    ck_assert_int_eq(kernel_read(&kernel, entry.nodeid, fh, 0, 5000), 0);
    ck_assert_uint_eq(kernel.bytes, 5000);
    for (size_t i = 0; i < 5000; i++)
        ck_assert_uint_eq(kernel.reply.data[i], 0);
    ck_assert_int_eq(kernel_read(&kernel, entry.nodeid, fh, 200000, 4096), 0);
    ck_assert_uint_eq(kernel.bytes, 0);
    kernel_stop(&kernel);
}
END_TEST

START_TEST(test_handle_that_is_none)
{
    struct fuse_entry_out entry;
    uint64_t fh;

    start();
    entry = kernel_create(&kernel, "file", &fh);
    ck_assert_int_eq(kernel_write(&kernel, entry.nodeid, fh, 0, "abc", 3, 0),
                     0);
    ck_assert_int_eq(kernel_read(&kernel, entry.nodeid, 0, 0, 16), 0);
    ck_assert_uint_eq(kernel.bytes, 3);
    ck_assert_int_eq(kernel_read(&kernel, entry.nodeid, UINT64_MAX, 0, 16), 0);
    ck_assert_uint_eq(kernel.bytes, 3);
    ck_assert_int_eq(
        kernel_read(&kernel, entry.nodeid, fh ^ (1ULL << 40), 0, 16), 0);
    ck_assert_uint_eq(kernel.bytes, 3);
    kernel_stop(&kernel);
}
END_TEST

START_TEST(test_negative_entry)
{
    struct fuse_entry_out out;

    start();
    ck_assert_int_eq(kernel_call(&kernel, FUSE_LOOKUP, 1, NULL, 0, "no", 3), 0);
    memcpy(&out, kernel.reply.data, sizeof(out));
    ck_assert_uint_eq(out.nodeid, 0);
    ck_assert_uint_gt(out.entry_valid, 1000000);
    ck_assert_int_eq(kernel_call(&kernel, FUSE_LOOKUP, 0xdead, NULL, 0, "x", 2),
                     -ESTALE);
    kernel_stop(&kernel);
}
END_TEST

START_TEST(test_forget_frees)
{
    struct fuse_forget_in forget = { .nlookup = 1 };
    struct fuse_release_in release = { 0 };
    struct fuse_entry_out entry;
    uint64_t before, fh;

    start();
    before = kernel_nodes(&kernel);
    entry = kernel_create(&kernel, "file", &fh);
    release.fh = fh;
    ck_assert_int_eq(
        CALL(&kernel, FUSE_RELEASE, entry.nodeid, release, NULL, 0), 0);
    ck_assert_int_eq(kernel_call(&kernel, FUSE_UNLINK, 1, NULL, 0, "file", 5),
                     0);
    ck_assert_uint_eq(kernel_nodes(&kernel), before + 1);
    kernel_send(&kernel, FUSE_FORGET, entry.nodeid, &forget, sizeof(forget),
                NULL, 0);
    ck_assert(kernel_silent(&kernel));
    ck_assert_uint_eq(kernel_nodes(&kernel), before);
    kernel_stop(&kernel);
}
END_TEST

START_TEST(test_kill_suidgid)
{
    struct fuse_setattr_in set = { .valid = FATTR_MODE, .mode = 06755 };
    struct fuse_open_in open = { .flags = O_WRONLY | O_TRUNC,
                                 .open_flags = FUSE_OPEN_KILL_SUIDGID };
    struct fuse_entry_out entry;
    uint64_t fh;

    start();
    entry = kernel_create(&kernel, "file", &fh);
    ck_assert_int_eq(CALL(&kernel, FUSE_SETATTR, entry.nodeid, set, NULL, 0),
                     0);
    ck_assert_int_eq(kernel_write(&kernel, entry.nodeid, fh, 0, "x", 1, 0), 0);
    ck_assert_uint_eq(getattr(entry.nodeid).mode & 07777, 06755);
    ck_assert_int_eq(kernel_write(&kernel, entry.nodeid, fh, 0, "x", 1,
                              FUSE_WRITE_KILL_SUIDGID), 0);
    ck_assert_uint_eq(kernel.stale, 1); /* it does not expect another mode */
    ck_assert_uint_eq(kernel.stale_id, entry.nodeid);
    ck_assert_uint_eq(getattr(entry.nodeid).mode & 07777, 0755);
    ck_assert_int_eq(CALL(&kernel, FUSE_SETATTR, entry.nodeid, set, NULL, 0),
                     0);
    ck_assert_int_eq(CALL(&kernel, FUSE_OPEN, entry.nodeid, open, NULL, 0), 0);
    ck_assert_uint_eq(getattr(entry.nodeid).mode & 07777, 0755);
    ck_assert_uint_eq(getattr(entry.nodeid).size, 0);
    kernel_stop(&kernel);
}
END_TEST

/* Each entry of a listing that is not "." or ".." is looked up. */
START_TEST(test_readdirplus)
{
    struct fuse_open_in open = { .flags = O_DIRECTORY };
    struct fuse_read_in read = { .size = 4096 };
    struct fuse_open_out opened;
    unsigned seen = 0, listed = 0;
    char name[16];
    uint64_t fh;

    start();
    for (unsigned i = 0; i < 100; i++) {
        snprintf(name, sizeof(name), "file%u", i);
        kernel_create(&kernel, name, &fh);
    }
    ck_assert_int_eq(CALL(&kernel, FUSE_OPENDIR, 1, open, NULL, 0), 0);
    memcpy(&opened, kernel.reply.data, sizeof(opened));
    read.fh = opened.fh;
    for (;;) {
        const uint8_t *at = kernel.reply.data;

        ck_assert_int_eq(CALL(&kernel, FUSE_READDIRPLUS, 1, read, NULL, 0), 0);
        ck_assert_uint_le(kernel.bytes, 4096);
        if (kernel.bytes == 0)
            break;
        while (at < kernel.reply.data + kernel.bytes) {
            const struct fuse_direntplus *plus = (const void *)at;

            seen += plus->entry_out.nodeid != 0;
            listed++;
            read.offset = plus->dirent.off;
            at += FUSE_DIRENTPLUS_SIZE(plus);
        }
    }
    ck_assert_uint_eq(seen, 100);
    ck_assert_uint_eq(listed, 102);
    kernel_stop(&kernel);
}
END_TEST

START_TEST(test_raw_operations)
{
    struct fuse_create_in make = { .flags = O_RDWR, .mode = S_IFREG | 0600 };
    struct proto_statx_in statx_in = { 0 };
    struct proto_statx_out statx_out;
    struct fuse_copy_file_range_in copy = { .len = 1 << 20 };
    struct proto_copy_file_range_out copied;
    struct fuse_entry_out entry, tmp;
    struct fuse_open_out open;
    uint64_t zero = 0, fh;

    start();
    ck_assert_int_eq(CALL(&kernel, PROTO_SYNCFS, 1, zero, NULL, 0), 0);
    ck_assert_int_eq(CALL(&kernel, PROTO_TMPFILE, 1, make, "#1", 3), 0);
    memcpy(&tmp, kernel.reply.data, sizeof(tmp));
    memcpy(&open, kernel.reply.data + sizeof(tmp), sizeof(open));
    ck_assert_uint_eq(tmp.attr.nlink, 0);
    entry = kernel_create(&kernel, "from", &fh);
    ck_assert_int_eq(kernel_write(&kernel, entry.nodeid, fh, 0, "hello", 5, 0),
                     0);
    copy.fh_in = fh;
    copy.fh_out = open.fh;
    copy.nodeid_out = tmp.nodeid;
    ck_assert_int_eq(
        CALL(&kernel, PROTO_COPY_FILE_RANGE_64, entry.nodeid, copy, NULL, 0),
        0);
    memcpy(&copied, kernel.reply.data, sizeof(copied));
    ck_assert_uint_eq(copied.bytes_copied, 5);
    ck_assert_int_eq(CALL(&kernel, PROTO_STATX, tmp.nodeid, statx_in, NULL, 0),
                     0);
    memcpy(&statx_out, kernel.reply.data, sizeof(statx_out));
    ck_assert_uint_eq(statx_out.stat.size, 5);
    ck_assert(statx_out.stat.mask & STATX_BTIME);
    ck_assert_int_ne(statx_out.stat.btime.seconds, 0);
    kernel_stop(&kernel);
}
END_TEST

START_TEST(test_xattrs)
{
    static const char name_value[] = "user.a\0value";
    struct fuse_setxattr_in set = { .size = 5 };
    struct fuse_getxattr_in get = { .size = 0 };
    struct fuse_getxattr_out size;

    start();
    ck_assert_int_eq(CALL(&kernel, FUSE_SETXATTR, 1, set, name_value, 12), 0);
    ck_assert_int_eq(CALL(&kernel, FUSE_GETXATTR, 1, get, "user.a", 7), 0);
    memcpy(&size, kernel.reply.data, sizeof(size));
    ck_assert_uint_eq(size.size, 5);
    get.size = 4;
    ck_assert_int_eq(CALL(&kernel, FUSE_GETXATTR, 1, get, "user.a", 7),
                     -ERANGE);
    get.size = 100;
    ck_assert_int_eq(CALL(&kernel, FUSE_GETXATTR, 1, get, "user.a", 7), 0);
    ck_assert_uint_eq(kernel.bytes, 5);
    ck_assert(memcmp(kernel.reply.data, "value", 5) == 0);
    ck_assert_int_eq(CALL(&kernel, FUSE_LISTXATTR, 1, get, NULL, 0), 0);
    ck_assert_uint_eq(kernel.bytes, 7);
    kernel_stop(&kernel);
}
END_TEST

START_TEST(test_file_flags)
{
    struct fuse_ioctl_in control = { .cmd = (uint32_t)FS_IOC_SETFLAGS,
                                     .in_size = 4 };
    uint32_t flags = FS_NODUMP_FL, got;
    struct fsxattr fsx;
    uint64_t fh;
    uint64_t id;

    start();
    id = kernel_create(&kernel, "file", &fh).nodeid;
    ck_assert_int_eq(CALL(&kernel, FUSE_IOCTL, id, control, &flags, 4), 0);
    ck_assert_uint_eq(kernel.stale, 1); /* nor another ctime */
    control.cmd = (uint32_t)FS_IOC_GETFLAGS;
    control.in_size = 0;
    control.out_size = 4;
    ck_assert_int_eq(CALL(&kernel, FUSE_IOCTL, id, control, NULL, 0), 0);
    memcpy(&got, kernel.reply.data + sizeof(struct fuse_ioctl_out), 4);
    ck_assert_uint_eq(got, FS_NODUMP_FL);
    control.cmd = (uint32_t)FS_IOC_FSGETXATTR;
    control.out_size = sizeof(fsx);
    ck_assert_int_eq(CALL(&kernel, FUSE_IOCTL, id, control, NULL, 0), 0);
    memcpy(&fsx, kernel.reply.data + sizeof(struct fuse_ioctl_out),
           sizeof(fsx));
    ck_assert_uint_eq(fsx.fsx_xflags, FS_XFLAG_NODUMP);
    control.cmd = 0x12345678;
    ck_assert_int_eq(CALL(&kernel, FUSE_IOCTL, id, control, NULL, 0), -ENOTTY);
    kernel_stop(&kernel);
}
END_TEST

UNIT_MAIN("ops", test_write_and_read_back, test_handle_that_is_none,
          test_negative_entry, test_forget_frees, test_kill_suidgid,
          test_readdirplus, test_raw_operations, test_xattrs, test_file_flags)

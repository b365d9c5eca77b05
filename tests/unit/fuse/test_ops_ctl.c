/* test_ops_ctl.c - the control ABI, asked by a kernel made of this test: what is
 * refused, and what the answers say. */
#include "fake_kernel.h"
#include "unit.h"

#include "pagerfs_ioctl.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

static struct kernel kernel;

static void start(void)
{
    kernel_start(&kernel, "pagerfs -o ram=16m,size=0,swap=none /mnt");
    kernel.uid = getuid();
}

/* As the kernel sends it: the size is in the number. */
static int control(uint64_t id, unsigned long number, void *argument)
{
    struct fuse_ioctl_in in = { .cmd = (uint32_t)number,
                                .flags = id == 1 ? FUSE_IOCTL_DIR : 0,
                                .in_size = _IOC_SIZE(number),
                                .out_size = _IOC_SIZE(number) };
    int err = CALL(&kernel, FUSE_IOCTL, id, in, argument, in.in_size);

    if (err)
        return err;
    ck_assert_uint_eq(kernel.bytes, sizeof(struct fuse_ioctl_out) + in.out_size);
    memcpy(argument, kernel.reply.data + sizeof(struct fuse_ioctl_out),
           in.out_size);
    return 0;
}

START_TEST(test_stat)
{
    struct pagerfs_stat stat = { .head = PAGERFS_HEAD(stat) };
    struct fuse_entry_out entry;
    uint64_t fh;

    start();
    entry = kernel_create(&kernel, "file", &fh);
    ck_assert_int_eq(kernel_write(&kernel, entry.nodeid, fh, 0, "abc", 3, 0), 0);
    ck_assert_int_eq(control(1, PAGERFS_IOC_STAT, &stat), 0);
    ck_assert_uint_eq(stat.data, 1);
    ck_assert_uint_eq(stat.pages_dirty, 1);
    ck_assert_uint_eq(stat.nodes, 2);
    ck_assert_uint_eq(stat.names, 1);
    ck_assert_uint_eq(stat.blocks_max, 0);
    ck_assert_uint_eq(stat.requests[FUSE_WRITE], 1);
    ck_assert_uint_eq(stat.requests[FUSE_CREATE], 1);
    ck_assert_uint_eq(stat.requests[FUSE_READ], 0);
    ck_assert_str_eq(stat.transport, "/dev/fuse");
    ck_assert_str_eq(stat.swap_engine, "none");
    ck_assert_str_eq(stat.replacement, "s3fifo");
    ck_assert_uint_gt(stat.uptime_ns, 0);
    kernel_stop(&kernel);
}
END_TEST

START_TEST(test_frag_without_swap)
{
    struct pagerfs_frag frag = { .head = PAGERFS_HEAD(frag), .files = 77 };
    struct fuse_entry_out entry;
    uint64_t fh;

    start();
    entry = kernel_create(&kernel, "file", &fh);
    ck_assert_int_eq(kernel_write(&kernel, entry.nodeid, fh, 0, "abc", 3, 0), 0);
    ck_assert_int_eq(control(1, PAGERFS_IOC_FRAG, &frag), 0);
    ck_assert_uint_eq(frag.files, 0);
    ck_assert_uint_eq(frag.pages, 0);
    ck_assert_uint_eq(frag.slots, 64);
    kernel_stop(&kernel);
}
END_TEST

START_TEST(test_wrong_heads)
{
    struct pagerfs_stat stat;

    start();
    stat = (struct pagerfs_stat){ .head = { 2, sizeof(stat) } };
    ck_assert_int_eq(control(1, PAGERFS_IOC_STAT, &stat), -EINVAL);
    stat = (struct pagerfs_stat){ .head = { 1, sizeof(stat) - 8 } };
    ck_assert_int_eq(control(1, PAGERFS_IOC_STAT, &stat), -EINVAL);
    stat = (struct pagerfs_stat){ .head = PAGERFS_HEAD(stat) };
    stat.reserved[ARRAY_SIZE(stat.reserved) - 1] = 1;
    ck_assert_int_eq(control(1, PAGERFS_IOC_STAT, &stat), -EINVAL);
    kernel_stop(&kernel);
}
END_TEST

START_TEST(test_unknown_commands)
{
    struct pagerfs_stat stat = { .head = PAGERFS_HEAD(stat) };
    struct fuse_entry_out entry;
    uint64_t fh;

    start();
    entry = kernel_create(&kernel, "file", &fh);
    ck_assert_int_eq(control(1, _IOWR(PAGERFS_IOC_TYPE, 99, struct pagerfs_stat),
                             &stat), -ENOTTY);
    /* Another size is another command. */
    ck_assert_int_eq(control(1, _IOWR(PAGERFS_IOC_TYPE, 1, struct pagerfs_frag),
                             &stat), -ENOTTY);
    ck_assert_int_eq(control(entry.nodeid, PAGERFS_IOC_STAT, &stat), -ENOTTY);
    kernel_stop(&kernel);
}
END_TEST

/* A kernel never sends it, but it must not be read beyond. */
START_TEST(test_short_argument)
{
    struct fuse_ioctl_in in = { .cmd = (uint32_t)PAGERFS_IOC_STAT,
                                .flags = FUSE_IOCTL_DIR, .in_size = 8,
                                .out_size = 8 };
    struct pagerfs_head head = { 1, sizeof(struct pagerfs_stat) };

    start();
    ck_assert_int_eq(CALL(&kernel, FUSE_IOCTL, 1, in, &head, sizeof(head)),
                     -EINVAL);
    kernel_stop(&kernel);
}
END_TEST

START_TEST(test_rights)
{
    struct pagerfs_set set = { .head = PAGERFS_HEAD(set),
                               .what = PAGERFS_SET_SIZE, .size = 4 << 20 };
    struct pagerfs_stat stat = { .head = PAGERFS_HEAD(stat) };

    start();
    kernel.uid = getuid() + 1000;
    ck_assert_int_eq(control(1, PAGERFS_IOC_SET, &set), -EPERM);
    ck_assert_int_eq(control(1, PAGERFS_IOC_STAT, &stat), 0);
    ck_assert_uint_eq(stat.limit, 0);
    kernel.uid = 0;
    ck_assert_int_eq(control(1, PAGERFS_IOC_SET, &set), 0);
    kernel.uid = getuid();
    set.size = 5 << 20;
    ck_assert_int_eq(control(1, PAGERFS_IOC_SET, &set), 0);
    ck_assert_int_eq(control(1, PAGERFS_IOC_STAT, &stat), 0);
    ck_assert_uint_eq(stat.limit, 5 << 8);
    kernel_stop(&kernel);
}
END_TEST

START_TEST(test_set_size)
{
    struct pagerfs_set set = { .head = PAGERFS_HEAD(set),
                               .what = PAGERFS_SET_SIZE };
    static uint8_t data[1 << 20];
    struct fuse_entry_out entry;
    uint64_t fh;

    start();
    memset(data, 1, sizeof(data));
    entry = kernel_create(&kernel, "file", &fh);
    for (unsigned i = 0; i < 2; i++)
        ck_assert_int_eq(kernel_write(&kernel, entry.nodeid, fh, i << 16, data,
                                      1 << 16, 0), 0);
    set.size = 16 << 10;
    ck_assert_int_eq(control(1, PAGERFS_IOC_SET, &set), -EINVAL);
    set.size = 1 << 30;
    ck_assert_int_eq(control(1, PAGERFS_IOC_SET, &set), -ENOSPC);
    set.size = 1 << 18;
    ck_assert_int_eq(control(1, PAGERFS_IOC_SET, &set), 0);
    ck_assert_int_eq(kernel_write(&kernel, entry.nodeid, fh, 1 << 20, data,
                                  1 << 17, 0), 0); /* short */
    ck_assert_int_eq(kernel_write(&kernel, entry.nodeid, fh, 2 << 20, data,
                                  4096, 0), -ENOSPC);
    set.size = 0;
    ck_assert_int_eq(control(1, PAGERFS_IOC_SET, &set), 0);
    ck_assert_int_eq(kernel_write(&kernel, entry.nodeid, fh, 2 << 20, data,
                                  4096, 0), 0);
    set.what = 0;
    ck_assert_int_eq(control(1, PAGERFS_IOC_SET, &set), -EINVAL);
    set.what = PAGERFS_SET_SIZE | (uint64_t)1 << 40;
    ck_assert_int_eq(control(1, PAGERFS_IOC_SET, &set), -EINVAL);
    kernel_stop(&kernel);
}
END_TEST

static struct pagerfs_stat stat_now(void)
{
    struct pagerfs_stat stat = { .head = PAGERFS_HEAD(stat) };

    ck_assert_int_eq(control(1, PAGERFS_IOC_STAT, &stat), 0);
    return stat;
}

START_TEST(test_set_ram)
{
    struct pagerfs_set set = { .head = PAGERFS_HEAD(set),
                               .what = PAGERFS_SET_RAM };
    struct pagerfs_stat before;

    start();
    before = stat_now();
    ck_assert_uint_eq(before.ram, 16 << 20);
    ck_assert_uint_lt(before.ram_least, 16 << 20);
    ck_assert_uint_ge(before.ram_most, 127 << 20);
    set.ram = before.ram_least;
    ck_assert_int_eq(control(1, PAGERFS_IOC_SET, &set), 0);
    ck_assert_uint_eq(stat_now().ram, set.ram);
    ck_assert_uint_lt(stat_now().frames, before.frames);
    set.ram--;
    ck_assert_int_eq(control(1, PAGERFS_IOC_SET, &set), -ERANGE);
    set.ram = 0;
    ck_assert_int_eq(control(1, PAGERFS_IOC_SET, &set), -ERANGE);
    set.ram = before.ram_most;
    ck_assert_int_eq(control(1, PAGERFS_IOC_SET, &set), 0);
    ck_assert_uint_ge(stat_now().frames, before.frames +
                      (before.ram_most - before.ram) / (4096 + 32));
    set.ram += 4096 + 32;
    ck_assert_int_eq(control(1, PAGERFS_IOC_SET, &set), -ERANGE);
    set.ram = UINT64_MAX;
    ck_assert_int_eq(control(1, PAGERFS_IOC_SET, &set), -ERANGE);
    set.ram = before.ram;
    set.what |= PAGERFS_SET_SIZE;
    ck_assert_int_eq(control(1, PAGERFS_IOC_SET, &set), -EINVAL);
    set.what = PAGERFS_SET_RAM;
    kernel.uid = getuid() + 1000;
    ck_assert_int_eq(control(1, PAGERFS_IOC_SET, &set), -EPERM);
    kernel.uid = getuid();
    ck_assert_int_eq(control(1, PAGERFS_IOC_SET, &set), 0);
    ck_assert_uint_eq(stat_now().frames, before.frames);
    kernel_stop(&kernel);
}
END_TEST

START_TEST(test_swap_areas)
{
    static struct pagerfs_swaps swaps = { .head = PAGERFS_HEAD(swaps) };
    struct pagerfs_swapon on = { .head = PAGERFS_HEAD(on), .size = 4 << 20 };
    struct pagerfs_swapoff off = { .head = PAGERFS_HEAD(off) };

    start();
    ck_assert_int_eq(control(1, PAGERFS_IOC_SWAPS, &swaps), 0);
    ck_assert_uint_eq(swaps.nr, 0);
    strcpy(on.path, "relative");
    ck_assert_int_eq(control(1, PAGERFS_IOC_SWAPON, &on), -EINVAL);
    strcpy(on.path, "/nothing/there");
    on.priority = (int64_t)1 << 40;
    ck_assert_int_eq(control(1, PAGERFS_IOC_SWAPON, &on), -EINVAL);
    on.priority = 0;
    ck_assert_int_eq(control(1, PAGERFS_IOC_SWAPON, &on), 0);
    ck_assert_uint_ne(strlen(on.message), 0);
    memset(on.path, '/', sizeof(on.path)); /* it does not end */
    ck_assert_int_eq(control(1, PAGERFS_IOC_SWAPON, &on), -EINVAL);
    strcpy(off.name, "/nothing");
    ck_assert_int_eq(control(1, PAGERFS_IOC_SWAPOFF, &off), -ENOENT);
    memset(off.name, 'x', sizeof(off.name));
    ck_assert_int_eq(control(1, PAGERFS_IOC_SWAPOFF, &off), -EINVAL);
    kernel.uid = getuid() + 1000;
    ck_assert_int_eq(control(1, PAGERFS_IOC_SWAPS, &swaps), -EPERM);
    ck_assert_int_eq(control(1, PAGERFS_IOC_SWAPON, &on), -EPERM);
    ck_assert_int_eq(control(1, PAGERFS_IOC_SWAPOFF, &off), -EPERM);
    kernel_stop(&kernel);
}
END_TEST

UNIT_MAIN("ops_ctl", test_stat, test_frag_without_swap, test_wrong_heads,
          test_unknown_commands, test_short_argument, test_rights,
          test_set_size, test_set_ram, test_swap_areas)

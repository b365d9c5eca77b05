/* test_ops_ctl_verify.c - all is well, and each thing that can be wrong is found
 * and named. */
#include "fake_kernel.h"
#include "unit.h"

#include "pagerfs_ioctl.h"
#include "pool.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static struct kernel kernel;
static struct fuse_entry_out one, two;
static struct pagerfs_verify answer;

enum { FILE_PAGES = 512, CHUNK = 16 };

/* As the kernel sends it: the size is in the number. */
static uint64_t send_control(unsigned long number, const void *argument)
{
    struct fuse_ioctl_in in = { .cmd = (uint32_t)number,
                                .flags = FUSE_IOCTL_DIR,
                                .in_size = _IOC_SIZE(number),
                                .out_size = _IOC_SIZE(number) };

    return kernel_send(&kernel, FUSE_IOCTL, 1, &in, sizeof(in), argument,
                       in.in_size);
}

static int control(unsigned long number, void *argument)
{
    uint64_t unique = send_control(number, argument);

    ck_assert_uint_eq(kernel_receive(&kernel), unique);
    if (kernel.reply.out.error == 0)
        memcpy(argument, kernel.reply.data + sizeof(struct fuse_ioctl_out),
               _IOC_SIZE(number));
    return kernel.reply.out.error;
}

static struct fuse_entry_out file(const char *name)
{
    static uint8_t data[CHUNK * PAGE_SIZE];
    struct fuse_entry_out entry;
    uint64_t fh;

    memset(data, 5, sizeof(data));
    entry = kernel_create(&kernel, name, &fh);
    for (uint64_t at = 0; at < FILE_PAGES; at += CHUNK)
        ck_assert_int_eq(kernel_write(&kernel, entry.nodeid, fh, at << PAGE_SHIFT,
                                      data, sizeof(data), 0), 0);
    return entry;
}

/* Two files, both on swap. */
static void start(void)
{
    struct pagerfs_evict evict = { .head = PAGERFS_HEAD(evict) };

    kernel_swap = "/var/tmp";
    kernel_start(&kernel, "pagerfs -o ram=16m,size=0,swap=none /mnt");
    kernel.uid = getuid();
    one = file("one");
    two = file("two");
    ck_assert_int_eq(control(PAGERFS_IOC_EVICT, &evict), 0);
    ck_assert_uint_eq(evict.evicted, 2 * FILE_PAGES);
}

static int ask(void)
{
    answer = (struct pagerfs_verify){ .head = PAGERFS_HEAD(answer) };
    return control(PAGERFS_IOC_VERIFY, &answer);
}

static void expect_well(void)
{
    ck_assert_int_eq(ask(), 0);
    ck_assert_uint_eq(answer.findings, 0);
    ck_assert_uint_eq(answer.files, 2);
    ck_assert_uint_eq(answer.blocks, 2 * FILE_PAGES);
    ck_assert_uint_eq(answer.passes, 1);
    ck_assert_uint_eq(answer.data_charged, 2 * FILE_PAGES);
    ck_assert_uint_eq(answer.data_pages, 2 * FILE_PAGES);
    ck_assert_uint_gt(answer.metadata_charged, 0);
    ck_assert_uint_eq(answer.metadata_charged, answer.metadata_frames);
}

/* The first of that kind. */
static const struct pagerfs_finding *found(uint64_t what)
{
    for (uint64_t i = 0; i < MIN(answer.findings, PAGERFS_FINDINGS); i++)
        if (answer.finding[i].what == what)
            return &answer.finding[i];
    return NULL;
}

struct change {
    uint64_t page;
    pagemap_entry entry;
};

/* The entry of a page becomes another; what it was is told. */
static bool change_entry(void *ctx, struct object *object)
{
    struct change *change = ctx;
    pagemap_entry was;

    mutex_lock(&object->lock, RANK_OBJECT);
    was = pagemap_get(kernel.arena, &object->map, change->page);
    ck_assert_int_eq(pagemap_prepare(kernel.arena, &object->map, change->page,
                                     1), 0);
    pagemap_set(kernel.arena, &object->map, change->page, change->entry);
    pagemap_fold(kernel.arena, &object->map, change->page);
    mutex_unlock(&object->lock);
    change->entry = was;
    return true;
}

static pagemap_entry change(uint64_t id, uint64_t page, pagemap_entry entry)
{
    struct change to = { page, entry };

    ck_assert_int_eq(tree_one_file(kernel.tree, id, change_entry, &to), 0);
    return to.entry;
}

START_TEST(test_all_is_well)
{
    start();
    expect_well();
    answer.reserved[7] = 1;
    ck_assert_int_eq(control(PAGERFS_IOC_VERIFY, &answer), -EINVAL);
    kernel.uid = getuid() + 1000;
    ck_assert_int_eq(ask(), -EPERM);
    kernel_stop(&kernel);
}
END_TEST

START_TEST(test_no_swap)
{
    kernel_swap = NULL;
    kernel_start(&kernel, "pagerfs -o ram=16m,size=0,swap=none /mnt");
    kernel.uid = getuid();
    file("one");
    ck_assert_int_eq(ask(), 0);
    ck_assert_uint_eq(answer.findings, 0);
    ck_assert_uint_eq(answer.blocks, 0);
    ck_assert_uint_eq(answer.data_charged, FILE_PAGES);
    kernel_stop(&kernel);
}
END_TEST

START_TEST(test_owned_twice)
{
    const struct pagerfs_finding *f;
    pagemap_entry theirs, own;
    uint32_t block;

    start();
    theirs = pagemap_entry_make(ENTRY_HOLE, 0);
    theirs = change(one.nodeid, 77, theirs);
    ck_assert_int_eq(pagemap_entry_kind(theirs), ENTRY_BLOCK);
    change(one.nodeid, 77, theirs);
    block = pagemap_entry_number(theirs);
    own = change(two.nodeid, 300, theirs);
    ck_assert_int_eq(ask(), 0);
    ck_assert_uint_eq(answer.findings, 2);
    f = found(PAGERFS_FOUND_TWICE);
    ck_assert_ptr_nonnull(f);
    ck_assert_uint_eq(f->block, block);
    ck_assert_uint_eq(f->nr, 1);
    ck_assert((f->inode == two.attr.ino && f->page == 300) ||
              (f->inode == one.attr.ino && f->page == 77));
    f = found(PAGERFS_FOUND_LEAKED);
    ck_assert_ptr_nonnull(f);
    ck_assert_uint_eq(f->block, pagemap_entry_number(own));
    ck_assert_uint_eq(f->nr, 1);
    ck_assert_uint_eq(f->inode, 0);
    change(two.nodeid, 300, own);
    expect_well();
    kernel_stop(&kernel);
}
END_TEST

/* Of a free block, and of one that no area has. */
START_TEST(test_owned_but_free)
{
    static const uint32_t blocks[] = { KERNEL_SWAP_BLOCKS - 1, 1u << 29 };
    const struct pagerfs_finding *f;

    start();
    for (unsigned i = 0; i < 2; i++) {
        pagemap_entry own = change(two.nodeid, 9,
                                   pagemap_entry_make(ENTRY_BLOCK, blocks[i]));

        ck_assert_int_eq(ask(), 0);
        f = found(PAGERFS_FOUND_FREE);
        ck_assert_ptr_nonnull(f);
        ck_assert_uint_eq(f->block, blocks[i]);
        ck_assert_uint_eq(f->inode, two.attr.ino);
        ck_assert_uint_eq(f->page, 9);
        change(two.nodeid, 9, own);
        expect_well();
    }
    kernel_stop(&kernel);
}
END_TEST

START_TEST(test_leaked)
{
    const struct pagerfs_finding *f;
    uint32_t first, nr;

    start();
    ck_assert_int_eq(swap_alloc(kernel.swap, BLOCK_NONE, 20, &first, &nr), 0);
    ck_assert_uint_eq(nr, 20);
    ck_assert_int_eq(ask(), 0);
    ck_assert_uint_eq(answer.findings, 1);
    f = &answer.finding[0];
    ck_assert_uint_eq(f->what, PAGERFS_FOUND_LEAKED);
    ck_assert_uint_eq(f->block, first);
    ck_assert_uint_eq(f->nr, 20);
    swap_free(kernel.swap, first, nr);
    expect_well();
    kernel_stop(&kernel);
}
END_TEST

/* More than can be told. */
START_TEST(test_many_findings)
{
    uint32_t block[300], nr;

    start();
    for (unsigned i = 0; i < 300; i++)
        ck_assert_int_eq(swap_alloc(kernel.swap, BLOCK_NONE, 1, &block[i], &nr),
                         0);
    for (unsigned i = 1; i < 300; i += 2)
        swap_free(kernel.swap, block[i], 1);
    ck_assert_int_eq(ask(), 0);
    ck_assert_uint_eq(answer.findings, 150);
    ck_assert_uint_eq(answer.finding[PAGERFS_FINDINGS - 1].nr, 1);
    for (unsigned i = 0; i < 300; i += 2)
        swap_free(kernel.swap, block[i], 1);
    expect_well();
    kernel_stop(&kernel);
}
END_TEST

START_TEST(test_wrong_charges)
{
    uint32_t got;

    start();
    ck_assert_int_eq(pool_charge(kernel.pool, 3, true, &got), 0);
    ck_assert_int_eq(ask(), 0);
    ck_assert_uint_eq(answer.findings, 1);
    ck_assert_ptr_nonnull(found(PAGERFS_FOUND_DATA));
    ck_assert_uint_eq(answer.data_charged, answer.data_pages + 3);
    pool_uncharge(kernel.pool, 3);
    expect_well();
    ck_assert_int_eq(kernel.arena->ops->charge(kernel.arena->ops_ctx), 0);
    ck_assert_int_eq(ask(), 0);
    ck_assert_uint_eq(answer.findings, 1);
    ck_assert_ptr_nonnull(found(PAGERFS_FOUND_METADATA));
    ck_assert_uint_eq(answer.metadata_charged, answer.metadata_frames + 1);
    kernel.arena->ops->uncharge(kernel.arena->ops_ctx);
    expect_well();
    kernel_stop(&kernel);
}
END_TEST

/* A request that does not end: the mount goes on, another such command is refused,
 * and the caller may go. */
START_TEST(test_interrupted)
{
    struct pagerfs_frag frag = { .head = PAGERFS_HEAD(frag) };
    struct fuse_interrupt_in interrupt;
    uint64_t unique;

    start();
    gate_enter(&kernel.session->gate);
    answer = (struct pagerfs_verify){ .head = PAGERFS_HEAD(answer) };
    unique = send_control(PAGERFS_IOC_VERIFY, &answer);
    while (!atomic_load(&kernel.session->gate.shut))
        ck_assert(!kernel_pending(&kernel));
    ck_assert_int_eq(control(PAGERFS_IOC_FRAG, &frag), -EBUSY);
    ck_assert_int_eq(kernel_call(&kernel, FUSE_STATFS, 1, NULL, 0, NULL, 0), 0);
    interrupt.unique = unique;
    kernel_send(&kernel, FUSE_INTERRUPT, 0, &interrupt, sizeof(interrupt), NULL,
                0);
    ck_assert_uint_eq(kernel_receive(&kernel), unique);
    ck_assert_int_eq(kernel.reply.out.error, -EINTR);
    gate_leave(&kernel.session->gate);
    expect_well();
    kernel_stop(&kernel);
}
END_TEST

UNIT_MAIN("ops_ctl_verify", test_all_is_well, test_no_swap, test_owned_twice,
          test_owned_but_free, test_leaked, test_many_findings,
          test_wrong_charges, test_interrupted)

/* test_handle.c - open files outlive their RELEASE while a request uses them,
 * numbers that mean nothing do no harm, and a full file system can be read. */
#include "handle.h"

#include "fake_kernel.h"
#include "pool.h"
#include "unit.h"

#include <errno.h>
#include <sys/stat.h>

static struct kernel kernel;

static uint64_t make(const char *name, mode_t mode)
{
    struct tree_cred cred = { 0 };
    struct tree_entry entry;

    ck_assert_int_eq(tree_mknod(kernel.tree, &cred, TREE_ROOT, name, mode, 0,
                                true, &entry), 0);
    return entry.id;
}

static uint64_t start(void)
{
    kernel_start(&kernel, "pagerfs -o ram=16m,size=0,swap=none /mnt");
    return make("file", S_IFREG | 0644);
}

static uint64_t nodes(void)
{
    struct tree_stats stats;

    tree_stats(kernel.tree, &stats);
    return stats.nodes;
}

START_TEST(test_borrowed_outlives_close)
{
    uint64_t id = start(), fh;
    struct session *session = kernel.session;
    struct borrowed borrowed;
    struct tree_file *file;

    ck_assert_int_eq(handle_open_file(session, NULL, id, 0, true, &fh), 0);
    ck_assert_uint_ne(fh, 0);
    ck_assert_int_eq(handle_borrow_file(session, fh, id, &borrowed, &file), 0);
    ck_assert_ptr_nonnull(borrowed.handle);
    handle_close(session, HANDLE_FILE, fh, id);
    ck_assert_int_eq(tree_unlink(kernel.tree, TREE_ROOT, "file"), 0);
    tree_forget(kernel.tree, id, 1);
    ck_assert_uint_eq(file->id, id);
    ck_assert_uint_eq(nodes(), 2);
    handle_return_file(session, &borrowed);
    ck_assert_uint_eq(nodes(), 1);
    kernel_stop(&kernel);
}
END_TEST

START_TEST(test_strange_numbers)
{
    uint64_t id = start(), other = make("other", S_IFREG | 0644), fh;
    const uint64_t strange[] = { 0, 2, 127, 128, UINT32_MAX, UINT64_MAX,
                                 (uint64_t)7 << 32, (uint64_t)1 << 63 };
    struct session *session = kernel.session;
    struct borrowed borrowed;
    struct tree_file *file;

    ck_assert_int_eq(handle_open_file(session, NULL, id, 0, true, &fh), 0);
    for (size_t i = 0; i < ARRAY_SIZE(strange); i++) {
        ck_assert_int_eq(handle_borrow_file(session, strange[i], id, &borrowed,
                                       &file), 0);
        ck_assert_ptr_null(borrowed.handle);
        handle_return_file(session, &borrowed);
        handle_close(session, HANDLE_FILE, strange[i], id);
        handle_close(session, HANDLE_SCAN, strange[i], id);
        ck_assert_ptr_eq(handle_borrow_scan(session, strange[i], id, &borrowed),
                         &borrowed.scan);
        handle_return_scan(session, &borrowed);
    }
    /* A right number for the wrong node, or an id that was never there. */
    ck_assert_int_eq(handle_borrow_file(session, fh, other, &borrowed, &file),
                     0);
    ck_assert_ptr_null(borrowed.handle);
    handle_return_file(session, &borrowed);
    ck_assert_int_eq(
        handle_borrow_file(session, fh, 0x123456789, &borrowed, &file),
        -ESTALE);
    handle_close(session, HANDLE_FILE, fh, id);
    ck_assert_int_eq(handle_borrow_file(session, fh, id, &borrowed, &file), 0);
    ck_assert_ptr_null(borrowed.handle);
    handle_return_file(session, &borrowed);
    kernel_stop(&kernel);
}
END_TEST

START_TEST(test_full)
{
    uint64_t id = start(), fh = 1, scan_fh = 1;
    struct session *session = kernel.session;
    struct borrowed borrowed;
    struct tree_file *file;

    pool_limit_set(kernel.pool, 1);
    ck_assert_int_eq(handle_open_file(session, NULL, id, 0, true, &fh), 0);
    ck_assert_uint_eq(fh, 0);
    ck_assert_int_eq(handle_open_scan(session, TREE_ROOT, true, &scan_fh), 0);
    ck_assert_uint_eq(scan_fh, 0);
    ck_assert_int_eq(handle_borrow_file(session, fh, id, &borrowed, &file), 0);
    ck_assert_uint_eq(file->id, id);
    handle_return_file(session, &borrowed);
    handle_close(session, HANDLE_FILE, fh, id);
    handle_close(session, HANDLE_SCAN, scan_fh, TREE_ROOT);
    pool_limit_set(kernel.pool, 0);
    kernel_stop(&kernel);
}
END_TEST

/* What the kernel did not release is freed with the session. */
START_TEST(test_left_open)
{
    uint64_t id = start(), fh;

    for (int i = 0; i < 100; i++)
        ck_assert_int_eq(handle_open_file(kernel.session, NULL, id, 0, true,
                                          &fh), 0);
    ck_assert_int_eq(handle_open_scan(kernel.session, TREE_ROOT, true, &fh), 0);
    kernel_stop(&kernel);
}
END_TEST

UNIT_MAIN("handle", test_borrowed_outlives_close, test_strange_numbers,
          test_full, test_left_open)

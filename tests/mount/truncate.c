/* What a truncation cut off never comes back, whichever way the file grows. */
#include "probe.h"

#include <limits.h>

enum { PAGES = 200 };

static uint8_t bytes[PAGES * PAGE];

/* bytes [0, keep) are 0xee, the rest of size is zero. */
static void expect(int fd, size_t keep, size_t size)
{
    CHECK(stat_of("f").st_size == (off_t)size);
    uncache(fd);
    CHECK(pread(fd, bytes, sizeof(bytes), 0) == (ssize_t)size);
    for (size_t i = 0; i < keep; i++)
        CHECK(bytes[i] == 0xee);
    CHECK(all_zero(bytes + keep, size - keep));
}

static int full_file(size_t size)
{
    int fd = open("f", O_RDWR | O_CREAT | O_TRUNC, 0644);

    memset(bytes, 0xee, size);
    CHECK(fd >= 0 && write(fd, bytes, size) == (ssize_t)size);
    return fd;
}

static void down_and_up(void)
{
    static const size_t sizes[] = {
        0, 1, 100, PAGE - 1, PAGE, PAGE + 1, 5 * PAGE + 17, 63 * PAGE,
        64 * PAGE, 64 * PAGE + 1, 65 * PAGE, 127 * PAGE + 3000, 199 * PAGE,
        200 * PAGE - 1
    };

    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        int fd = full_file(sizeof(bytes));

        CHECK(ftruncate(fd, (off_t)sizes[i]) == 0);
        CHECK(pages_of("f") == (long)((sizes[i] + PAGE - 1) / PAGE));
        expect(fd, sizes[i], sizes[i]);
        CHECK(truncate("f", sizeof(bytes)) == 0);
        expect(fd, sizes[i], sizeof(bytes));
        close(fd);
    }
}

static void up_by_a_write_far_out(void)
{
    int fd = full_file(10 * PAGE);

    CHECK(ftruncate(fd, PAGE + 10) == 0);
    CHECK(pwrite(fd, "\xee", 1, 20 * PAGE) == 1);
    CHECK(ftruncate(fd, 20 * PAGE) == 0);
    expect(fd, PAGE + 10, 20 * PAGE);
    close(fd);
}

static void open_truncates(void)
{
    int fd = full_file(10 * PAGE);
    int other = open("f", O_WRONLY | O_TRUNC);

    CHECK(other >= 0 && close(other) == 0);
    CHECK(pages_of("f") == 0);
    CHECK(ftruncate(fd, 10 * PAGE) == 0);
    expect(fd, 0, 10 * PAGE);
    close(fd);
}

/* The way of the oldest bug of this kind: write, shrink, write behind, read. */
static void four_steps(void)
{
    int fd = open("f", O_RDWR | O_CREAT, 0644);

    memset(bytes, 0xee, 0x20);
    CHECK(pwrite(fd, bytes, 0x20, 0x100) == 0x20);
    CHECK(ftruncate(fd, 0x80) == 0);
    CHECK(pwrite(fd, bytes, 0x20, 0x200) == 0x20);
    uncache(fd);
    CHECK(pread(fd, bytes, 0x200, 0) == 0x200);
    CHECK(all_zero(bytes, 0x200));
    close(fd);
}

static void impossible_sizes(void)
{
    int fd = full_file(PAGE);

    CHECK_FAILS(EINVAL, ftruncate(fd, -1));
    CHECK_FAILS(EINVAL, ftruncate(fd, LLONG_MIN));
    CHECK_FAILS(EISDIR, truncate(".", 0));
    CHECK_FAILS(ENOENT, truncate("absent", 0));
    expect(fd, PAGE, PAGE);
    close(fd);
}

PROBE_MAIN(CASE(down_and_up), CASE(up_by_a_write_far_out),
           CASE(open_truncates), CASE(four_steps), CASE(impossible_sizes))

/* fallocate(2) promises space, gives it back, and zeroes, to the byte. */
#include "probe.h"

static int pattern_file(size_t size)
{
    uint8_t *bytes = malloc(size);
    int fd;

    CHECK(bytes != NULL);
    memset(bytes, 0xee, size);
    make_file("f", bytes, size);
    free(bytes);
    fd = open("f", O_RDWR);
    CHECK(fd >= 0);
    return fd;
}

/* Zero in [from, to), 0xee elsewhere, after the cache is dropped. */
static void expect_zeroed(int fd, size_t size, size_t from, size_t to)
{
    uint8_t *bytes = malloc(size);

    CHECK(bytes != NULL);
    uncache(fd);
    CHECK(pread(fd, bytes, size, 0) == (ssize_t)size);
    for (size_t i = 0; i < size; i++)
        CHECK(bytes[i] == (i >= from && i < to ? 0 : 0xee));
    free(bytes);
}

static void plain_charges_and_grows(void)
{
    int fd = open("f", O_RDWR | O_CREAT, 0644);

    CHECK(fallocate(fd, 0, 100, 3 * PAGE) == 0);
    CHECK(stat_of("f").st_size == 100 + 3 * PAGE);
    CHECK(pages_of("f") == 4);
    CHECK(fallocate(fd, 0, 0, PAGE) == 0); /* again, within: nothing changes */
    CHECK(pages_of("f") == 4);
    CHECK(posix_fallocate(fd, MIB, MIB) == 0);
    CHECK(stat_of("f").st_size == 2 * MIB);
    CHECK(pages_of("f") == 4 + MIB / PAGE);
    close(fd);
}

static void keep_size_keeps_it(void)
{
    int fd = pattern_file(1000);

    CHECK(fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, 10 * PAGE) == 0);
    CHECK(stat_of("f").st_size == 1000);
    CHECK(pages_of("f") == 10);
    CHECK(ftruncate(fd, 2000) == 0);
    expect_zeroed(fd, 2000, 1000, 2000);
    close(fd);
}

/* Truncated to the size it has, a file keeps nothing beyond it. */
static void truncation_takes_what_lies_beyond(void)
{
    int fd = pattern_file(PAGE);

    CHECK(fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, 10 * PAGE) == 0);
    CHECK(ftruncate(fd, PAGE) == 0 && pages_of("f") == 1);
    CHECK(ftruncate(fd, 0) == 0);
    CHECK(fallocate(fd, FALLOC_FL_KEEP_SIZE, PAGE, 300 * PAGE) == 0);
    CHECK(pages_of("f") == 300);
    close(open("f", O_WRONLY | O_TRUNC));
    CHECK(pages_of("f") == 0);
    close(fd);
}

static void punch_returns_pages(void)
{
    int mode = FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE;
    int fd = pattern_file(10 * PAGE);

    CHECK(fallocate(fd, mode, PAGE / 2, 3 * PAGE) == 0);
    CHECK(pages_of("f") == 8);
    expect_zeroed(fd, 10 * PAGE, PAGE / 2, PAGE / 2 + 3 * PAGE);
    CHECK(fallocate(fd, mode, 0, 100 * PAGE) == 0); /* beyond the end */
    CHECK(pages_of("f") == 0);
    CHECK(stat_of("f").st_size == 10 * PAGE);
    expect_zeroed(fd, 10 * PAGE, 0, 10 * PAGE);
    close(fd);
}

static void punch_inside_one_page(void)
{
    int mode = FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE;
    int fd = pattern_file(2 * PAGE);

    CHECK(fallocate(fd, mode, 10, 20) == 0);
    CHECK(pages_of("f") == 2);
    expect_zeroed(fd, 2 * PAGE, 10, 30);
    close(fd);
}

static void zero_range_keeps_pages(void)
{
    int fd = pattern_file(4 * PAGE);

    if (fallocate(fd, FALLOC_FL_ZERO_RANGE, PAGE / 2, 2 * PAGE) != 0) {
        CHECK(errno == EOPNOTSUPP && on_tmpfs());
        return;
    }
    CHECK(pages_of("f") == 4);
    expect_zeroed(fd, 4 * PAGE, PAGE / 2, PAGE / 2 + 2 * PAGE);
    CHECK(fallocate(fd, FALLOC_FL_ZERO_RANGE, 3 * PAGE, 3 * PAGE) == 0);
    CHECK(stat_of("f").st_size == 6 * PAGE && pages_of("f") == 6);
    CHECK(fallocate(fd, FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE, 0,
                    8 * PAGE) == 0);
    CHECK(stat_of("f").st_size == 6 * PAGE && pages_of("f") == 8);
    close(fd);
}

/* All or nothing: what does not fit leaves no page behind. */
static void too_much_changes_nothing(void)
{
    int fd = pattern_file(PAGE);
    fsblkcnt_t before = free_blocks();
    struct statfs st;

    CHECK(fstatfs(fd, &st) == 0);
    CHECK_FAILS(ENOSPC, fallocate(fd, 0, 0, (off_t)(st.f_blocks + 1) * PAGE));
    CHECK(free_blocks() == before);
    CHECK(stat_of("f").st_size == PAGE && pages_of("f") == 1);
    close(fd);
}

/* Fills the mount with a file of its own, but for `left` pages.  What keeps the
 * record of so many takes space as well: hence by halves. */
static void leave_pages(fsblkcnt_t left)
{
    struct statfs st;
    off_t end = 0, size;
    int fd = open("filler", O_RDWR | O_CREAT, 0644);

    CHECK(fd >= 0 && fstatfs(fd, &st) == 0);
    while (st.f_bfree > left) {
        size = (off_t)(st.f_bfree - left + 1) / 2 * PAGE;
        CHECK(fallocate(fd, 0, end, size) == 0 && fstatfs(fd, &st) == 0);
        end += size;
    }
    CHECK(st.f_bfree > left / 2);
    close(fd);
}

/* The range of 64 pages has some already, the others do not all fit: the file
 * has those it had, with what was in them, and the space is there for others. */
static void rolls_back(int mode)
{
    fsblkcnt_t before;
    uint8_t bytes[PAGE];
    int fd = open("f", O_RDWR | O_CREAT, 0644);

    memset(bytes, 0xee, sizeof(bytes));
    for (off_t page = 3; page < 64; page += 7)
        CHECK(pwrite(fd, bytes, PAGE, page * PAGE) == PAGE);
    CHECK(fsync(fd) == 0 && pages_of("f") == 9);
    before = free_blocks();
    CHECK(fallocate(fd, mode, 0, 64 * PAGE) == -1);
    CHECK(errno == ENOSPC || (errno == EOPNOTSUPP && on_tmpfs()));
    CHECK(free_blocks() == before);
    CHECK(pages_of("f") == 9 && stat_of("f").st_size == 60 * PAGE);
    uncache(fd);
    for (off_t page = 0; page < 60; page++) {
        CHECK(pread(fd, bytes, PAGE, page * PAGE) == PAGE);
        CHECK(bytes[0] == (page % 7 == 3 ? 0xee : 0));
        CHECK(memcmp(bytes, bytes + 1, PAGE - 1) == 0);
    }
    CHECK(fallocate(fd, 0, 0, 8 * PAGE) == 0 && pages_of("f") == 9 + 7);
    CHECK(close(fd) == 0 && unlink("f") == 0);
}

/* Just what is free, from the middle of one leaf of the page map to that of
 * another, which need memory themselves: some of it fits, and then no more. */
static bool fits(off_t page)
{
    fsblkcnt_t before;
    bool done;
    int fd = open("f", O_RDWR | O_CREAT, 0644);

    CHECK(fd >= 0 && pwrite(fd, "x", 1, page * PAGE) == 1 && fsync(fd) == 0);
    before = free_blocks();
    CHECK(before > 0);
    done = fallocate(fd, 0, (page + 1) * PAGE, (off_t)before * PAGE) == 0;
    CHECK(done || errno == ENOSPC);
    CHECK(free_blocks() == (done ? 0 : before));
    CHECK(pages_of("f") == 1 + (done ? (long)before : 0));
    CHECK(close(fd) == 0 && unlink("f") == 0);
    return done;
}

static void memory_ends_half_way(void)
{
    int failed = 0;

    leave_pages(4000);
    for (int i = 0; i < 32; i++)
        failed += !fits((off_t)i * 100000 + 37 * i);
    CHECK(on_tmpfs() || failed > 0);
}

static void half_way_is_undone(void)
{
    leave_pages(40);
    rolls_back(0);
    rolls_back(FALLOC_FL_KEEP_SIZE);
    rolls_back(FALLOC_FL_ZERO_RANGE);
    rolls_back(FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE);
}

static void impossible_arguments(void)
{
    int fd = pattern_file(PAGE);

    CHECK_FAILS(EINVAL, fallocate(fd, 0, 0, 0));
    CHECK_FAILS(EINVAL, fallocate(fd, 0, -1, PAGE));
    CHECK_FAILS(EFBIG, fallocate(fd, 0, INT64_MAX, PAGE));
    CHECK_FAILS(EOPNOTSUPP, fallocate(fd, FALLOC_FL_PUNCH_HOLE, 0, PAGE));
    CHECK_FAILS(EOPNOTSUPP, fallocate(fd, FALLOC_FL_COLLAPSE_RANGE, 0, PAGE));
    CHECK_FAILS(EOPNOTSUPP, fallocate(fd, FALLOC_FL_INSERT_RANGE, 0, PAGE));
    close(fd);
}

PROBE_MAIN(CASE(plain_charges_and_grows), CASE(keep_size_keeps_it),
           CASE(truncation_takes_what_lies_beyond),
           CASE(punch_returns_pages), CASE(punch_inside_one_page),
           CASE(zero_range_keeps_pages), CASE(too_much_changes_nothing),
           CASE(half_way_is_undone),
           CASE(memory_ends_half_way), CASE(impossible_arguments))

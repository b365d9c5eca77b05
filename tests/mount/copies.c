/* Copying inside the mount by copy_file_range(2): any length, any place. */
#include "probe.h"

static uint8_t data[3 * MIB + 1000], back[sizeof(data)];

static void fill(void)
{
    for (size_t i = 0; i < sizeof(data); i++)
        data[i] = (uint8_t)(i * 7 + i / 251);
}

static int file_of(const char *path, size_t size)
{
    make_file(path, data, size);
    return open(path, O_RDWR);
}

static ssize_t copy(int from, off_t from_at, int to, off_t to_at, size_t length)
{
    size_t total = 0;

    while (total < length) {
        ssize_t got = copy_file_range(from, &from_at, to, &to_at,
                                      length - total, 0);

        if (got < 0)
            return -1;
        if (got == 0)
            break;
        total += (size_t)got;
    }
    return (ssize_t)total;
}

static void every_alignment(void)
{
    static const size_t starts[] = { 0, 1, PAGE - 1, PAGE, PAGE + 1, MIB };
    static const size_t lengths[] = { 1, 100, PAGE, PAGE + 1, 2 * MIB };
    enum { STARTS = sizeof(starts) / sizeof(starts[0]),
           LENGTHS = sizeof(lengths) / sizeof(lengths[0]) };
    int from, to;

    fill();
    from = file_of("from", sizeof(data));
    to = open("to", O_RDWR | O_CREAT, 0644);
    for (size_t i = 0; i < STARTS * STARTS * LENGTHS; i++) {
        size_t a = starts[i % STARTS], b = starts[i / STARTS % STARTS];
        size_t length = lengths[i / STARTS / STARTS];

        CHECK(ftruncate(to, 0) == 0);
        CHECK(copy(from, (off_t)a, to, (off_t)b, length) == (ssize_t)length);
        CHECK(stat_of("to").st_size == (off_t)(b + length));
        CHECK(pread(to, back, b + length, 0) == (ssize_t)(b + length));
        CHECK(all_zero(back, b) && memcmp(back + b, data + a, length) == 0);
    }
    close(from);
    close(to);
}

static void within_one_file(void)
{
    int fd;

    fill();
    fd = file_of("f", MIB);
    CHECK(copy(fd, 0, fd, MIB, MIB) == MIB);
    CHECK(stat_of("f").st_size == 2 * MIB);
    CHECK(pread(fd, back, 2 * MIB, 0) == 2 * MIB);
    CHECK(memcmp(back, data, MIB) == 0 && memcmp(back + MIB, data, MIB) == 0);
    CHECK_FAILS(EINVAL, copy(fd, 0, fd, 100, 200));
    close(fd);
}

static void up_to_the_end(void)
{
    int from, to;

    fill();
    from = file_of("from", 1000);
    to = file_of("to", 0);
    CHECK(copy(from, 900, to, 0, 500) == 100);
    CHECK(copy(from, 1000, to, 0, 500) == 0);
    CHECK(copy(from, 5000, to, 0, 500) == 0);
    CHECK(stat_of("to").st_size == 100);
    close(from);
    close(to);
}

static void what_was_mapped_or_cached(void)
{
    int from, to;

    fill();
    from = file_of("from", MIB);
    to = file_of("to", MIB);
    CHECK(pread(to, back, MIB, 0) == MIB); /* now in the page cache */
    data[5] ^= 1;
    CHECK(pwrite(from, data, MIB, 0) == MIB);
    CHECK(copy(from, 0, to, 0, MIB) == MIB);
    CHECK(pread(to, back, MIB, 0) == MIB && memcmp(back, data, MIB) == 0);
    close(from);
    close(to);
}

/* More than the old request can say; tmpfs would make pages of the holes. */
static void holes_beyond_4_gib(void)
{
    const off_t far = (off_t)9 << 29, end = (off_t)5 << 30;
    int from = open("from", O_RDWR | O_CREAT, 0644);
    int to = open("to", O_RDWR | O_CREAT, 0644);
    char byte = 0;

    if (!on_tmpfs()) {
        CHECK(pwrite(from, "x", 1, far) == 1 && ftruncate(from, end) == 0);
        CHECK(copy(from, 0, to, 0, (size_t)end) == end);
        CHECK(stat_of("to").st_size == end && pages_of("to") == 1);
        CHECK(pread(to, &byte, 1, far) == 1 && byte == 'x');
    }
    close(from);
    close(to);
}

static void wrong_arguments(void)
{
    int from, to, dir = open(".", O_RDONLY);

    from = file_of("from", 1000);
    to = open("to", O_RDONLY | O_CREAT, 0644);
    CHECK_FAILS(EBADF, copy(from, 0, to, 0, 10));
    close(to);
    to = open("to", O_WRONLY | O_APPEND);
    CHECK_FAILS(EBADF, copy(from, 0, to, 0, 10));
    CHECK_FAILS(EISDIR, copy(dir, 0, from, 0, 10));
    CHECK_FAILS(EINVAL, copy_file_range(from, NULL, from, NULL, 1, 1));
    close(from);
    close(to);
    close(dir);
}

static void syncing(void)
{
    int fd = file_of("f", 1000);

    CHECK(fsync(fd) == 0 && fdatasync(fd) == 0 && syncfs(fd) == 0);
    CHECK(sync_file_range(fd, 0, 0, SYNC_FILE_RANGE_WRITE) == 0);
    close(fd);
    fd = open(".", O_RDONLY);
    CHECK(fsync(fd) == 0 && syncfs(fd) == 0);
    close(fd);
}

PROBE_MAIN(CASE(every_alignment), CASE(within_one_file), CASE(up_to_the_end),
           CASE(what_was_mapped_or_cached), CASE(holes_beyond_4_gib),
           CASE(wrong_arguments), CASE(syncing))

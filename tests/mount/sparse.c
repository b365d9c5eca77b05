/* Files are sparse up to 8 EiB - 1 and cost what is written in them. */
#include "probe.h"

static void the_very_last_byte(void)
{
    int fd = open("f", O_RDWR | O_CREAT, 0644);
    uint8_t bytes[PAGE];

    CHECK(ftruncate(fd, INT64_MAX) == 0);
    CHECK(stat_of("f").st_size == INT64_MAX);
    CHECK(pwrite(fd, "z", 1, INT64_MAX - 1) == 1);
    CHECK(pages_of("f") == 1);
    CHECK(pwrite(fd, "z", 1, INT64_MAX) == -1);
    uncache(fd);
    CHECK(pread(fd, bytes, 1, INT64_MAX - 1) == 1 && bytes[0] == 'z');
    CHECK(pread(fd, bytes, PAGE, INT64_MAX - PAGE) == PAGE);
    CHECK(all_zero(bytes, PAGE - 1) && bytes[PAGE - 1] == 'z');
    CHECK(pread(fd, bytes, 100, (off_t)1 << 62) == 100);
    CHECK(all_zero(bytes, 100));
    /* The kernel's tmpfs does not find data this far out. */
    CHECK(on_tmpfs() ||
          lseek(fd, 0, SEEK_DATA) == (INT64_MAX & ~(off_t)(PAGE - 1)));
    CHECK(lseek(fd, 0, SEEK_END) == INT64_MAX);
    CHECK(ftruncate(fd, INT64_MAX - 1) == 0 && ftruncate(fd, 1) == 0);
    CHECK(pages_of("f") == 0);
    close(fd);
}

/* One page at each power of two: every height of the pagemap. */
static void every_height(void)
{
    int fd = open("f", O_RDWR | O_CREAT, 0644);

    for (int bit = 12; bit < 63; bit++)
        CHECK(pwrite(fd, &bit, sizeof(bit), (off_t)1 << bit) == sizeof(bit));
    CHECK(pages_of("f") == 63 - 12);
    uncache(fd);
    for (int bit = 12, got; bit < 63; bit++)
        CHECK(pread(fd, &got, sizeof(got), (off_t)1 << bit) == sizeof(got) &&
              got == bit);
    for (int bit = 62; bit >= 12; bit--) {
        CHECK(ftruncate(fd, (off_t)1 << bit) == 0);
        CHECK(pages_of("f") == bit - 12);
    }
    close(fd);
}

/* 100 GiB with a page in each 64 MiB, read back whole by its data. */
static void hundred_gib(void)
{
    off_t step = 64 * MIB, size = (off_t)100 << 30, at = 0, got;
    int fd = open("f", O_RDWR | O_CREAT, 0644);
    long found = 0;

    CHECK(ftruncate(fd, size) == 0);
    for (off_t where = 0; where < size; where += step)
        CHECK(pwrite(fd, &where, sizeof(where), where) == sizeof(where));
    CHECK(pages_of("f") == size / step);
    uncache(fd);
    while ((at = lseek(fd, at, SEEK_DATA)) >= 0) {
        CHECK(at == found * step);
        CHECK(pread(fd, &got, sizeof(got), at) == sizeof(got) && got == at);
        at = lseek(fd, at, SEEK_HOLE);
        found++;
    }
    CHECK(errno == ENXIO && found == size / step);
    close(fd);
}

PROBE_MAIN(CASE(the_very_last_byte), CASE(every_height), CASE(hundred_gib))

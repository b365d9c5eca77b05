/* Holes read as zeros and cost nothing; a page costs itself once. */
#include "probe.h"

static void one_byte_far_out(void)
{
    uint8_t bytes[64 << 10];
    int fd = open("f", O_RDWR | O_CREAT, 0644);

    CHECK(pwrite(fd, "x", 1, MIB) == 1);
    CHECK(stat_of("f").st_size == MIB + 1);
    CHECK(pages_of("f") == 1);
    uncache(fd);
    for (off_t at = 0; at < MIB; at += (off_t)sizeof(bytes)) {
        CHECK(pread(fd, bytes, sizeof(bytes), at) == sizeof(bytes));
        CHECK(all_zero(bytes, sizeof(bytes)));
    }
    CHECK(pread(fd, bytes, sizeof(bytes), MIB) == 1 && bytes[0] == 'x');
    CHECK(pread(fd, bytes, sizeof(bytes), MIB + 1) == 0);
    close(fd);
}

static void around_what_is_written(void)
{
    uint8_t bytes[3 * PAGE];
    int fd = open("f", O_RDWR | O_CREAT, 0644);

    memset(bytes, 0xff, sizeof(bytes));
    CHECK(pwrite(fd, bytes, 10, PAGE + 100) == 10);
    CHECK(ftruncate(fd, 3 * PAGE) == 0);
    uncache(fd);
    CHECK(pread(fd, bytes, sizeof(bytes), 0) == sizeof(bytes));
    CHECK(all_zero(bytes, PAGE + 100));
    CHECK(bytes[PAGE + 100] == 0xff && bytes[PAGE + 109] == 0xff);
    CHECK(all_zero(bytes + PAGE + 110, 2 * PAGE - 110));
    CHECK(pages_of("f") == 1);
    close(fd);
}

static void pages_are_counted_once(void)
{
    char page[PAGE] = "data";
    int fd = open("f", O_RDWR | O_CREAT, 0644);

    for (int round = 0; round < 3; round++)
        for (int i = 0; i < 50; i++)
            CHECK(pwrite(fd, page, PAGE, (off_t)i * 10 * MIB) == PAGE);
    CHECK(pages_of("f") == 50);
    CHECK(ftruncate(fd, 10 * MIB) == 0);
    CHECK(pages_of("f") == 1);
    CHECK(ftruncate(fd, 0) == 0);
    CHECK(pages_of("f") == 0);
    close(fd);
}

static void growing_is_free(void)
{
    int fd = open("f", O_RDWR | O_CREAT, 0644);
    fsblkcnt_t before = free_blocks();

    CHECK(ftruncate(fd, (off_t)100 << 30) == 0);
    CHECK(pages_of("f") == 0);
    CHECK(free_blocks() == before);
    close(fd);
}

PROBE_MAIN(CASE(one_byte_far_out), CASE(around_what_is_written),
           CASE(pages_are_counted_once), CASE(growing_is_free))

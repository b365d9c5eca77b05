/* SEEK_DATA and SEEK_HOLE tell, to the page, where data are. */
#include "probe.h"

static int three_islands(void)
{
    char page[PAGE] = "data";
    int fd = open("f", O_RDWR | O_CREAT, 0644);

    CHECK(pwrite(fd, page, PAGE, 2 * PAGE) == PAGE);
    CHECK(pwrite(fd, page, PAGE, 3 * PAGE) == PAGE);
    CHECK(pwrite(fd, page, 10, 1000 * PAGE + 5) == 10);
    CHECK(pwrite(fd, page, 1, (off_t)3 << 40) == 1);
    CHECK(ftruncate(fd, (off_t)4 << 40) == 0);
    return fd;
}

static void finds_data_and_holes(void)
{
    off_t far = (off_t)3 << 40;
    int fd = three_islands();

    CHECK(lseek(fd, 0, SEEK_DATA) == 2 * PAGE);
    CHECK(lseek(fd, 0, SEEK_HOLE) == 0);
    CHECK(lseek(fd, 2 * PAGE, SEEK_HOLE) == 4 * PAGE);
    CHECK(lseek(fd, 3 * PAGE + 7, SEEK_HOLE) == 4 * PAGE);
    CHECK(lseek(fd, 3 * PAGE + 7, SEEK_DATA) == 3 * PAGE + 7);
    CHECK(lseek(fd, 4 * PAGE, SEEK_DATA) == 1000 * PAGE);
    CHECK(lseek(fd, 1001 * PAGE, SEEK_DATA) == far);
    CHECK(lseek(fd, far, SEEK_HOLE) == far + PAGE);
    close(fd);
}

static void ends_at_the_end(void)
{
    off_t end = (off_t)4 << 40;
    int fd = three_islands();

    CHECK_FAILS(ENXIO, lseek(fd, ((off_t)3 << 40) + PAGE, SEEK_DATA));
    CHECK(lseek(fd, end - 1, SEEK_HOLE) == end - 1);
    CHECK_FAILS(ENXIO, lseek(fd, end, SEEK_HOLE));
    CHECK_FAILS(ENXIO, lseek(fd, end, SEEK_DATA));
    CHECK(lseek(fd, 0, SEEK_END) == end);
    close(fd);
}

/* A file without a hole has the one that begins at its end. */
static void full_file(void)
{
    char bytes[PAGE + 100] = "data";
    int fd;

    make_file("f", bytes, sizeof(bytes));
    fd = open("f", O_RDONLY);
    CHECK(lseek(fd, 0, SEEK_HOLE) == sizeof(bytes));
    CHECK(lseek(fd, PAGE + 50, SEEK_HOLE) == sizeof(bytes));
    CHECK(lseek(fd, PAGE + 50, SEEK_DATA) == PAGE + 50);
    close(fd);
}

PROBE_MAIN(CASE(finds_data_and_holes), CASE(ends_at_the_end), CASE(full_file))

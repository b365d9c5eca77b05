/* O_DIRECT reads and writes agree with cached ones and with mappings. */
#include "probe.h"

#include <sys/mman.h>

static uint8_t *buffer;

static int open_direct(int flags)
{
    int fd = open("f", flags | O_DIRECT, 0644);

    CHECK(fd >= 0);
    if (buffer == NULL)
        CHECK(posix_memalign((void **)&buffer, PAGE, MIB) == 0);
    return fd;
}

static void round_trip(void)
{
    int fd = open_direct(O_RDWR | O_CREAT);

    for (int i = 0; i < MIB; i++)
        buffer[i] = (uint8_t)(i * 7 + i / 251);
    for (int at = 0; at < 20; at++)
        CHECK(pwrite(fd, buffer, MIB, (off_t)at * MIB) == MIB);
    for (int at = 0; at < 20; at++) {
        memset(buffer, 0, MIB);
        CHECK(pread(fd, buffer, MIB, (off_t)at * MIB) == MIB);
        for (int i = 0; i < MIB; i++)
            CHECK(buffer[i] == (uint8_t)(i * 7 + i / 251));
    }
    CHECK(pread(fd, buffer, PAGE, (off_t)20 * MIB) == 0);
    close(fd);
}

static void agrees_with_the_cache(void)
{
    int direct = open_direct(O_RDWR | O_CREAT), fd = open("f", O_RDWR);
    uint8_t cached[PAGE];

    for (int round = 1; round < 50; round++) {
        memset(buffer, round, PAGE);
        CHECK(pwrite(direct, buffer, PAGE, PAGE) == PAGE);
        CHECK(pread(fd, cached, PAGE, PAGE) == PAGE);
        CHECK(cached[0] == round && cached[PAGE - 1] == round);
        memset(cached, 100 + round, PAGE);
        CHECK(pwrite(fd, cached, PAGE, PAGE) == PAGE);
        CHECK(pread(direct, buffer, PAGE, PAGE) == PAGE);
        CHECK(buffer[0] == 100 + round && buffer[PAGE - 1] == 100 + round);
    }
    close(fd);
    close(direct);
}

static void agrees_with_a_mapping(void)
{
    int direct = open_direct(O_RDWR | O_CREAT);
    uint8_t *map;

    CHECK(ftruncate(direct, 4 * PAGE) == 0);
    map = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, direct, 0);
    CHECK(map != MAP_FAILED);
    map[PAGE] = 0x11;
    CHECK(pread(direct, buffer, PAGE, PAGE) == PAGE && buffer[0] == 0x11);
    buffer[0] = 0x22;
    CHECK(pwrite(direct, buffer, PAGE, PAGE) == PAGE);
    CHECK(map[PAGE] == 0x22);
    CHECK(munmap(map, 4 * PAGE) == 0);
    close(direct);
}

static void short_at_the_end(void)
{
    int fd = open_direct(O_RDWR | O_CREAT);

    CHECK(ftruncate(fd, PAGE + 100) == 0);
    CHECK(pread(fd, buffer, 2 * PAGE, 0) == PAGE + 100);
    CHECK(pread(fd, buffer, PAGE, PAGE) == 100);
    CHECK(pread(fd, buffer, PAGE, 2 * PAGE) == 0);
    close(fd);
}

PROBE_MAIN(CASE(round_trip), CASE(agrees_with_the_cache),
           CASE(agrees_with_a_mapping), CASE(short_at_the_end))

/* Mapped files: shared ones are the file, private ones are not, and neither
 * ends with the name. */
#include "probe.h"

#include <setjmp.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>

enum { SIZE = 64 * PAGE };

static uint8_t *map_file(const char *path, int prot, int flags, size_t size)
{
    int fd = open(path, prot & PROT_WRITE ? O_RDWR : O_RDONLY);
    uint8_t *map;

    CHECK(fd >= 0);
    map = mmap(NULL, size, prot, flags, fd, 0);
    CHECK(map != MAP_FAILED);
    close(fd);
    return map;
}

static void zero_file(void)
{
    make_file("f", "", 0);
    CHECK(truncate("f", SIZE) == 0);
}

static void shared_is_the_file(void)
{
    uint8_t *map, byte;
    int fd;

    zero_file();
    map = map_file("f", PROT_READ | PROT_WRITE, MAP_SHARED, SIZE);
    fd = open("f", O_RDWR);
    for (int i = 0; i < 64; i++) {
        map[i * PAGE + i] = (uint8_t)(i + 1);
        CHECK(pread(fd, &byte, 1, i * PAGE + i) == 1 && byte == i + 1);
        byte = (uint8_t)(100 + i);
        CHECK(pwrite(fd, &byte, 1, i * PAGE + 2000) == 1);
        CHECK(map[i * PAGE + 2000] == 100 + i);
    }
    CHECK(msync(map, SIZE, MS_SYNC) == 0 && munmap(map, SIZE) == 0);
    uncache(fd);
    for (int i = 0; i < 64; i++) {
        CHECK(pread(fd, &byte, 1, i * PAGE + i) == 1 && byte == i + 1);
        CHECK(pread(fd, &byte, 1, i * PAGE + 2000) == 1 && byte == 100 + i);
    }
    CHECK(pages_of("f") == 64);
    close(fd);
}

static void shared_between_processes(void)
{
    uint8_t *map;
    int status;

    zero_file();
    map = map_file("f", PROT_READ | PROT_WRITE, MAP_SHARED, SIZE);
    if (fork() == 0) {
        uint8_t *other = map_file("f", PROT_READ | PROT_WRITE, MAP_SHARED, SIZE);

        memset(other, 0x5a, SIZE);
        _exit(0);
    }
    CHECK(wait(&status) > 0 && status == 0);
    for (int i = 0; i < SIZE; i++)
        CHECK(map[i] == 0x5a);
    CHECK(munmap(map, SIZE) == 0);
}

static void private_is_not(void)
{
    uint8_t *map, byte;
    int fd;

    zero_file();
    map = map_file("f", PROT_READ | PROT_WRITE, MAP_PRIVATE, SIZE);
    memset(map, 0x77, SIZE);
    fd = open("f", O_RDONLY);
    CHECK(pread(fd, &byte, 1, 5 * PAGE) == 1 && byte == 0);
    CHECK(munmap(map, SIZE) == 0);
    uncache(fd);
    CHECK(pread(fd, &byte, 1, 5 * PAGE) == 1 && byte == 0);
    close(fd);
}

static void outlives_the_name(void)
{
    uint8_t *map;

    zero_file();
    map = map_file("f", PROT_READ | PROT_WRITE, MAP_SHARED, SIZE);
    map[0] = 1;
    CHECK(unlink("f") == 0);
    map[10 * PAGE] = 2;
    CHECK(msync(map, SIZE, MS_SYNC) == 0);
    CHECK(madvise(map, SIZE, MADV_DONTNEED) == 0);
    CHECK(map[0] == 1 && map[10 * PAGE] == 2 && map[20 * PAGE] == 0);
    CHECK(munmap(map, SIZE) == 0);
}

static sigjmp_buf fault;

static void on_sigbus(int signal)
{
    siglongjmp(fault, signal);
}

static bool touch_faults(volatile uint8_t *byte)
{
    if (sigsetjmp(fault, 1) != 0)
        return true;
    (void)*byte;
    return false;
}

static void beyond_the_end_is_sigbus(void)
{
    uint8_t *map;

    zero_file();
    CHECK(truncate("f", PAGE + 10) == 0);
    map = map_file("f", PROT_READ | PROT_WRITE, MAP_SHARED, SIZE);
    CHECK(signal(SIGBUS, on_sigbus) != SIG_ERR);
    CHECK(!touch_faults(map + 2 * PAGE - 1) && map[2 * PAGE - 1] == 0);
    CHECK(touch_faults(map + 2 * PAGE));
    CHECK(truncate("f", 10 * PAGE) == 0);
    CHECK(!touch_faults(map + 9 * PAGE));
    CHECK(truncate("f", PAGE) == 0);
    CHECK(touch_faults(map + PAGE));
    CHECK(signal(SIGBUS, SIG_DFL) != SIG_ERR);
    CHECK(munmap(map, SIZE) == 0);
}

static void rights(void)
{
    int fd;

    zero_file();
    fd = open("f", O_WRONLY);
    CHECK(mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0) == MAP_FAILED &&
          errno == EACCES);
    close(fd);
    fd = open("f", O_RDONLY);
    CHECK(mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) ==
              MAP_FAILED && errno == EACCES);
    close(fd);
}

PROBE_MAIN(CASE(shared_is_the_file), CASE(shared_between_processes),
           CASE(private_is_not), CASE(outlives_the_name),
           CASE(beyond_the_end_is_sigbus), CASE(rights))

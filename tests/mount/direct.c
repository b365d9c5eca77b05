/* O_DIRECT reads and writes agree with cached ones and with mappings. */
#include "probe.h"

#include <linux/aio_abi.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>

enum { AIO_SECONDS = 3 };

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

/* Keeps the file in the page cache, until killed; not longer than we live. */
static pid_t reader(void)
{
    static uint8_t bytes[MIB];
    pid_t child = fork();
    int fd;

    CHECK(child >= 0);
    if (child != 0)
        return child;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    fd = open("f", O_RDONLY);
    while (pread(fd, bytes, sizeof(bytes), 0) >= 0)
        ;
    _exit(EXIT_FAILURE);
}

static void write_by_aio(aio_context_t aio, int fd, size_t size)
{
    struct iocb iocb = { .aio_lio_opcode = IOCB_CMD_PWRITE,
                         .aio_fildes = (uint32_t)fd,
                         .aio_buf = (uint64_t)(uintptr_t)buffer,
                         .aio_nbytes = size };
    struct iocb *list = &iocb;
    struct io_event event;

    CHECK(syscall(SYS_io_submit, aio, 1, &list) == 1);
    CHECK(syscall(SYS_io_getevents, aio, 1, 1, &event, NULL) == 1);
    CHECK(event.res == (int64_t)size);
}

/* An asynchronous write that has ended is what everybody reads, even those who
 * read while it was under way. */
static void agrees_with_readers_meanwhile(void)
{
    int direct = open_direct(O_RDWR | O_CREAT), fd = open("f", O_RDONLY);
    time_t end = time(NULL) + AIO_SECONDS;
    static uint8_t cached[MIB];
    aio_context_t aio = 0;
    pid_t children[2];

    memset(buffer, 0, MIB);
    CHECK(pwrite(direct, buffer, MIB, 0) == MIB);
    for (int i = 0; i < 2; i++)
        children[i] = reader();
    CHECK(syscall(SYS_io_setup, 1, &aio) == 0);
    for (uint8_t round = 1; time(NULL) < end; round++) {
        memset(buffer, round, MIB);
        write_by_aio(aio, direct, MIB);
        CHECK(pread(fd, cached, MIB, 0) == MIB);
        CHECK(cached[0] == round && memcmp(cached, cached + 1, MIB - 1) == 0);
    }
    for (int i = 0; i < 2; i++)
        CHECK(kill(children[i], SIGKILL) == 0 && wait(NULL) > 0);
    CHECK(syscall(SYS_io_destroy, aio) == 0);
    close(fd);
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
           CASE(agrees_with_a_mapping), CASE(agrees_with_readers_meanwhile),
           CASE(short_at_the_end))

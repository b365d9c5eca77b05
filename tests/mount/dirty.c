/* What the kernel's cache still holds back (with -o writeback; without, there is
 * little) is seen by everything else that is done to the file meanwhile: lengths,
 * holes, copies, mappings, direct I/O, other names and other processes.  A file and
 * a copy of it in memory are changed alike, and must be the same in the end, read
 * from the cache and then from the file system. */
#include "probe.h"

#include <linux/falloc.h>
#include <sys/mman.h>

enum { SIZE = 200 * PAGE, SPOT = 300 };

static uint8_t shadow[SIZE], back[SIZE] __attribute__((aligned(PAGE)));
static off_t shadow_size;
static unsigned turn;

/* Dirty, here and there: some pages in part, others whole, many not at all. */
static void scatter(int fd)
{
    for (size_t at = turn++ % 7 * 500; at + SPOT <= SIZE; at += 3 * PAGE + 77) {
        for (size_t i = 0; i < SPOT; i++)
            shadow[at + i] = (uint8_t)(at / 11 + i + turn);
        CHECK(pwrite(fd, shadow + at, SPOT, (off_t)at) == SPOT);
        if (shadow_size < (off_t)(at + SPOT))
            shadow_size = (off_t)(at + SPOT);
    }
}

static void expect(int fd)
{
    struct stat st;

    for (int uncached = 0; uncached < 2; uncached++) {
        if (uncached)
            uncache(fd);
        CHECK(fstat(fd, &st) == 0 && st.st_size == shadow_size);
        CHECK(pread(fd, back, SIZE, 0) == shadow_size);
        CHECK(memcmp(back, shadow, (size_t)shadow_size) == 0);
    }
}

static int new_file(const char *path)
{
    int fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0644);

    CHECK(fd >= 0);
    memset(shadow, 0, sizeof(shadow));
    shadow_size = 0;
    scatter(fd);
    return fd;
}

static void resize(int fd, off_t size)
{
    memset(shadow + size, 0, (size_t)(SIZE - size));
    shadow_size = size;
    CHECK(ftruncate(fd, size) == 0);
}

static void down_and_up_again(void)
{
    static const off_t sizes[] = { 100 * PAGE + 123, SIZE, 5 * PAGE, 5 * PAGE + 1,
                                   SIZE - 1, 17, 60 * PAGE - 1, 0, SIZE };
    int fd = new_file("f");

    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        resize(fd, sizes[i]);
        if (i % 3 == 2)
            expect(fd);
        scatter(fd);
    }
    expect(fd);
    close(fd);
}

static void holes_punched_and_zeroed(void)
{
    static const struct { int mode; off_t at, length; } steps[] = {
        { FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 10 * PAGE, 30 * PAGE },
        { FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 45 * PAGE + 99, PAGE },
        { FALLOC_FL_ZERO_RANGE, 60 * PAGE + 7, 20 * PAGE },
        { FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE, 0, 3 },
        { FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, SIZE },
    };
    int fd = new_file("f");

    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        if (on_tmpfs() && steps[i].mode & FALLOC_FL_ZERO_RANGE)
            continue;
        CHECK(fallocate(fd, steps[i].mode, steps[i].at, steps[i].length) == 0);
        memset(shadow + steps[i].at, 0, (size_t)steps[i].length);
        if (i % 2)
            expect(fd);
        scatter(fd);
    }
    expect(fd);
    CHECK(fallocate(fd, 0, 0, SIZE) == 0);
    shadow_size = SIZE;
    scatter(fd);
    expect(fd);
    CHECK(pages_of("f") == SIZE / PAGE);
    close(fd);
}

/* Whoever copies by looking for data misses none. */
static void data_is_not_taken_for_a_hole(void)
{
    int fd = new_file("f");
    off_t at = 0, data, hole;

    resize(fd, SIZE);
    while (at < SIZE && (data = lseek(fd, at, SEEK_DATA)) >= 0) {
        CHECK(all_zero(shadow + at, (size_t)(data - at)));
        hole = lseek(fd, data, SEEK_HOLE);
        CHECK(hole > data && hole <= SIZE);
        at = hole;
    }
    CHECK(all_zero(shadow + at, (size_t)(SIZE - at)));
    CHECK(lseek(fd, SIZE, SEEK_DATA) == -1 && errno == ENXIO);
    close(fd);
}

static void copied_from_and_over(void)
{
    static uint8_t source[SIZE];
    off_t from_at = 11 * PAGE + 5, to_at = 90 * PAGE + 3000;
    size_t length = 50 * PAGE + 1;
    int from = new_file("from"), to;

    memcpy(source, shadow, sizeof(source));
    to = new_file("to");
    memcpy(shadow + to_at, source + from_at, length);
    while (length > 0) {
        ssize_t got = copy_file_range(from, &from_at, to, &to_at, length, 0);

        CHECK(got > 0);
        length -= (size_t)got;
    }
    expect(to);
    scatter(to);
    expect(to);
    close(from);
    close(to);
}

static void stored_through_a_mapping(void)
{
    int fd = new_file("f");
    uint8_t *map;

    resize(fd, SIZE);
    map = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    CHECK(map != MAP_FAILED);
    for (int round = 0; round < 3; round++) {
        for (size_t at = 1000; at < SIZE; at += 5 * PAGE)
            map[at] = shadow[at] = (uint8_t)(at + (size_t)round);
        scatter(fd);
        CHECK(memcmp(map, shadow, SIZE) == 0);
        CHECK(msync(map, SIZE, round ? MS_SYNC : MS_ASYNC) == 0);
    }
    CHECK(munmap(map, SIZE) == 0);
    expect(fd);
    close(fd);
}

static void beside_direct_io(void)
{
    static uint8_t page[PAGE] __attribute__((aligned(PAGE)));
    int fd = new_file("f"), direct = open("f", O_RDWR | O_DIRECT);

    CHECK(direct >= 0);
    resize(fd, SIZE);
    for (int round = 0; round < 20; round++) {
        size_t at = (size_t)round * 9 * PAGE;

        CHECK(pread(direct, back, PAGE, (off_t)at) == PAGE);
        CHECK(memcmp(back, shadow + at, PAGE) == 0);
        memset(page, round + 1, sizeof(page));
        memcpy(shadow + at, page, sizeof(page));
        CHECK(pwrite(direct, page, PAGE, (off_t)at) == PAGE);
        scatter(fd);
    }
    expect(fd);
    close(direct);
    close(fd);
}

/* The name goes to another file; what is open stays as it is. */
static void replaced_and_deleted(void)
{
    static uint8_t old[SIZE];
    off_t old_size;
    int victim = new_file("f"), fd;

    memcpy(old, shadow, sizeof(old));
    old_size = shadow_size;
    fd = new_file("new");
    CHECK(rename("new", "f") == 0);
    expect(fd);
    CHECK(fsync(victim) == 0);
    CHECK(pread(victim, back, SIZE, 0) == old_size);
    CHECK(memcmp(back, old, (size_t)old_size) == 0);
    close(victim);
    scatter(fd);
    CHECK(unlink("f") == 0);
    scatter(fd);
    expect(fd);
    close(fd);
}

static void emptied_by_opening(void)
{
    int fd = new_file("f"), other;

    other = open("f", O_WRONLY | O_TRUNC);
    CHECK(other >= 0);
    memset(shadow, 0, sizeof(shadow));
    shadow_size = 0;
    expect(fd);
    scatter(other);
    close(other);
    scatter(fd);
    expect(fd);
    close(fd);
}

/* Each keeps to its own bytes of every page. */
static void two_processes(void)
{
    int fd = new_file("f"), status;
    pid_t child;

    resize(fd, SIZE);
    child = fork();
    CHECK(child >= 0);
    for (size_t at = child ? 0 : PAGE / 2; at < SIZE; at += PAGE) {
        memset(back, child ? 'p' : 'c', PAGE / 2);
        CHECK(pwrite(fd, back, PAGE / 2, (off_t)at) == PAGE / 2);
    }
    if (child == 0)
        _exit(EXIT_SUCCESS);
    CHECK(waitpid(child, &status, 0) == child && status == 0);
    for (size_t at = 0; at < SIZE; at += PAGE / 2)
        memset(shadow + at, at % PAGE ? 'c' : 'p', PAGE / 2);
    expect(fd);
    close(fd);
}

PROBE_MAIN(CASE(down_and_up_again), CASE(holes_punched_and_zeroed),
           CASE(data_is_not_taken_for_a_hole), CASE(copied_from_and_over),
           CASE(stored_through_a_mapping), CASE(beside_direct_io),
           CASE(replaced_and_deleted), CASE(emptied_by_opening),
           CASE(two_processes))

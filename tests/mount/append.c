/* O_APPEND: every record of many writers is in the file, whole, once. */
#include "probe.h"

#include <sys/uio.h>
#include <sys/wait.h>

enum { WRITERS = 8, RECORDS = 400, MAX_BODY = 6000 };

/* A record: who, its number, length of the body; body of the writer's byte. */
struct record {
    uint32_t writer, number, length;
};

static uint32_t length_of(uint32_t writer, uint32_t number)
{
    return 1 + (writer * 7919 + number * 104729) % MAX_BODY;
}

static void write_records(uint32_t writer)
{
    int fd = open("f", O_WRONLY | O_APPEND);
    uint8_t bytes[sizeof(struct record) + MAX_BODY];

    CHECK(fd >= 0);
    for (uint32_t number = 0; number < RECORDS; number++) {
        struct record r = { writer, number, length_of(writer, number) };
        size_t size = sizeof(r) + r.length;

        memcpy(bytes, &r, sizeof(r));
        memset(bytes + sizeof(r), (int)(writer + 1), r.length);
        CHECK(write(fd, bytes, size) == (ssize_t)size);
    }
    CHECK(close(fd) == 0);
}

static void read_records(void)
{
    uint32_t next[WRITERS] = { 0 };
    uint8_t body[MAX_BODY];
    FILE *f = fopen("f", "r");
    struct record r;

    CHECK(f != NULL);
    while (fread(&r, sizeof(r), 1, f) == 1) {
        CHECK(r.writer < WRITERS && r.number == next[r.writer]);
        CHECK(r.length == length_of(r.writer, r.number));
        CHECK(fread(body, 1, r.length, f) == r.length);
        for (uint32_t i = 0; i < r.length; i++)
            CHECK(body[i] == r.writer + 1);
        next[r.writer]++;
    }
    for (int writer = 0; writer < WRITERS; writer++)
        CHECK(next[writer] == RECORDS);
    fclose(f);
}

static void many_writers(void)
{
    int status, fd;

    make_file("f", "", 0);
    for (uint32_t writer = 0; writer < WRITERS; writer++) {
        if (fork() == 0) {
            write_records(writer);
            _exit(0);
        }
    }
    for (int writer = 0; writer < WRITERS; writer++)
        CHECK(wait(&status) > 0 && status == 0);
    fd = open("f", O_RDONLY);
    uncache(fd);
    close(fd);
    read_records();
}

/* Linux: with O_APPEND even pwrite(2) appends. */
static void offset_is_ignored(void)
{
    char bytes[6];
    int fd = open("f", O_RDWR | O_APPEND | O_CREAT, 0644);

    CHECK(write(fd, "abc", 3) == 3);
    CHECK(pwrite(fd, "def", 3, 0) == 3);
    CHECK(pread(fd, bytes, 6, 0) == 6 && memcmp(bytes, "abcdef", 6) == 0);
    CHECK(ftruncate(fd, 1) == 0);
    CHECK(write(fd, "z", 1) == 1 && stat_of("f").st_size == 2);
    close(fd);
}

PROBE_MAIN(CASE(many_writers), CASE(offset_is_ignored))

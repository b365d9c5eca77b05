/* blob.c - writes a file of random bytes, and reads it back.
 *
 *     blob write SEED BYTES FILE         sequentially, 1 MiB a write
 *     blob read SEED BYTES FILE          the same, and compares
 *     blob peek SEED BYTES FILE COUNT    COUNT reads anywhere, and compares
 *
 * Reading begins by dropping the kernel's pages of the file.  Speed is printed.
 */
#include "blob.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { CHUNK = 1 << 20, PEEK_MAX = 40000 };

static uint8_t buffer[CHUNK];

static _Noreturn void die(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
    exit(EXIT_FAILURE);
}

static void write_all(int fd, uint64_t seed, uint64_t size)
{
    for (uint64_t at = 0; at < size; at += CHUNK) {
        size_t length = size - at < CHUNK ? size - at : CHUNK;
        ssize_t put;

        blob_fill(buffer, seed, at, length);
        put = pwrite(fd, buffer, length, (off_t)at);
        if (put != (ssize_t)length)
            die("blob: write at %" PRIu64 ": %s", at,
                put < 0 ? strerror(errno) : "short");
    }
}

static void compare(int fd, uint64_t seed, uint64_t at, size_t length)
{
    ssize_t got = pread(fd, buffer, length, (off_t)at);
    size_t bad;

    if (got != (ssize_t)length)
        die("blob: read of %zu at %" PRIu64 ": %s", length, at,
            got < 0 ? strerror(errno) : "short");
    bad = blob_compare(buffer, seed, at, length);
    if (bad != length)
        die("blob: wrong byte at %" PRIu64 " (0x%02x, not 0x%02x)", at + bad,
            buffer[bad], blob_byte(seed, at + bad));
}

static void drop_cache(int fd)
{
    int error;

    if (fsync(fd) != 0)
        die("blob: fsync: %s", strerror(errno));
    error = posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
    if (error != 0)
        die("blob: fadvise: %s", strerror(error));
}

static uint64_t read_all(int fd, uint64_t seed, uint64_t size)
{
    drop_cache(fd);
    for (uint64_t at = 0; at < size; at += CHUNK)
        compare(fd, seed, at, size - at < CHUNK ? size - at : CHUNK);
    return size;
}

static uint64_t peek(int fd, uint64_t seed, uint64_t size, uint64_t count)
{
    uint64_t bytes = 0;

    drop_cache(fd);
    posix_fadvise(fd, 0, 0, POSIX_FADV_RANDOM);
    for (uint64_t i = 0; i < count; i++) {
        uint64_t at = blob_word(seed + 1, 2 * i) % size;
        size_t length = 1 + blob_word(seed + 1, 2 * i + 1) % PEEK_MAX;

        if (length > size - at)
            length = size - at;
        compare(fd, seed, at, length);
        bytes += length;
    }
    return bytes;
}

int main(int argc, char **argv)
{
    struct timespec begin, end;
    uint64_t seed, size, bytes;
    double seconds;
    int fd;

    if (argc < 5)
        die("usage: blob write|read|peek SEED BYTES FILE [COUNT]");
    seed = strtoumax(argv[2], NULL, 0);
    bytes = size = strtoumax(argv[3], NULL, 0);
    clock_gettime(CLOCK_MONOTONIC, &begin);
    fd = open(argv[4], O_RDWR | O_CREAT, 0644);
    if (fd < 0)
        die("blob: %s: %s", argv[4], strerror(errno));
    if (strcmp(argv[1], "write") == 0)
        write_all(fd, seed, size);
    else if (strcmp(argv[1], "read") == 0)
        bytes = read_all(fd, seed, size);
    else if (strcmp(argv[1], "peek") == 0 && argc == 6)
        bytes = peek(fd, seed, size, strtoumax(argv[5], NULL, 0));
    else
        die("blob: %s: what?", argv[1]);
    if (close(fd) != 0)
        die("blob: close: %s", strerror(errno));
    clock_gettime(CLOCK_MONOTONIC, &end);
    seconds = (double)(end.tv_sec - begin.tv_sec) +
              (double)(end.tv_nsec - begin.tv_nsec) / 1e9;
    printf("blob: %s %.0f MiB in %.2f s, %.0f MiB/s\n", argv[1],
           (double)bytes / CHUNK, seconds, (double)bytes / CHUNK / seconds);
    return EXIT_SUCCESS;
}

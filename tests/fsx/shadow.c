/* shadow.c - what every byte of the file must be.
 *
 * Beyond the end of the file the shadow is zero, always: so growing needs no
 * work, and what a shrink cut off cannot come back.
 *
 * What operation n writes tells who wrote it: bytes at even offsets are n
 * modulo 256, those at odd offsets n plus a hash of the offset and the seed.  A
 * stale byte thus names the operation it comes from, and two places of a file
 * never look the same by chance for long.
 */
#include "fsx.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define CHECK_CHUNK (1u << 20)

static uint8_t hash_byte(uint64_t seed, uint64_t offset)
{
    uint64_t h = (offset + 1) * 0x9e3779b97f4a7c15u ^ seed * 0xbf58476d1ce4e5b9u;

    h ^= h >> 29;
    h *= 0x94d049bb133111ebu;
    return (uint8_t)(h >> 56);
}

void pattern(const struct fsx *x, uint8_t *bytes, uint64_t offset,
             uint64_t length, uint64_t number)
{
    for (uint64_t i = 0; i < length; i++) {
        uint8_t byte = (uint8_t)number;

        if ((offset + i) % 2 != 0)
            byte = (uint8_t)(byte + hash_byte(x->opt.seed, offset + i));
        bytes[i] = byte;
    }
}

void shadow_resize(struct fsx *x, uint64_t size)
{
    if (size < x->size)
        memset(x->good + size, 0, x->size - size);
    x->size = size;
}

/* x->buffer has been written at offset. */
void shadow_store(struct fsx *x, uint64_t offset, uint64_t length)
{
    memcpy(x->good + offset, x->buffer, length);
    if (offset + length > x->size)
        x->size = offset + length;
}

void shadow_zero(struct fsx *x, uint64_t offset, uint64_t length)
{
    memset(x->good + offset, 0, length);
}

/* The report of a difference: where it begins, what is there, how many bytes
 * of this read are wrong, and who may have written them. */
static _Noreturn void bad_data(struct fsx *x, const uint8_t *bytes,
                               uint64_t offset, uint64_t length)
{
    const uint8_t *good = x->good + offset;
    uint64_t first = 0, count = 0;
    unsigned writer;
    char message[512];

    while (bytes[first] == good[first])
        first++;
    for (uint64_t i = first; i < length; i++)
        count += bytes[i] != good[i];
    /* Past the end of the read the second byte is shown as equal. */
    uint8_t next_good = first + 1 < length ? good[first + 1] : 0;
    uint8_t next_bad = first + 1 < length ? bytes[first + 1] : 0;
    writer = (offset + first) % 2 == 0 ? bytes[first] : next_bad;

    int n = snprintf(message, sizeof(message),
        "READ BAD DATA: offset = 0x%lx, size = 0x%lx\n"
        "OFFSET\tGOOD\tBAD\tRANGE\n"
        "0x%lx\t0x%02x%02x\t0x%02x%02x\t0x%5lx\n",
        offset, length, offset + first, good[first], next_good, bytes[first],
        next_bad, count);
    if (writer != 0)
        snprintf(message + n, sizeof(message) - (size_t)n,
            "operation# (mod 256) for the bad data may be %u\n", writer);
    else
        snprintf(message + n, sizeof(message) - (size_t)n,
            "operation# (mod 256) for the bad data unknown, "
            "check HOLE and EXTEND ops\n");
    fputs(message, stdout);
    log_dump(x, stdout, SCREEN_LOG_LINES, offset + first);
    save_evidence(x, offset + first, message);
    exit(EXIT_FAILURE);
}

void check_bytes(struct fsx *x, const uint8_t *bytes, uint64_t offset,
                 uint64_t length)
{
    if (memcmp(bytes, x->good + offset, length) != 0)
        bad_data(x, bytes, offset, length);
}

void check_size(struct fsx *x)
{
    struct stat st;
    off_t end;

    if (fstat(x->fd, &st) != 0)
        fail(x, errno, "fstat");
    end = lseek(x->fd, 0, SEEK_END);
    if ((uint64_t)st.st_size != x->size || (uint64_t)end != x->size)
        fail(x, 0, "SIZE BAD: 0x%lx expected, fstat says 0x%lx, lseek 0x%lx",
             x->size, (uint64_t)st.st_size, (uint64_t)end);
}

void check_all(struct fsx *x)
{
    drop_cache(x);
    check_size(x);
    for (uint64_t at = 0; at < x->size; at += CHECK_CHUNK) {
        uint64_t length = x->size - at;

        if (length > CHECK_CHUNK)
            length = CHECK_CHUNK;
        read_exactly(x, x->fd, at, length);
        check_bytes(x, x->buffer, at, length);
    }
}

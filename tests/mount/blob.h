/* blob.h - bytes that follow from a seed and an offset, and that nothing can
 * compress: what a file must hold, without a copy of it. */
#ifndef TESTS_MOUNT_BLOB_H
#define TESTS_MOUNT_BLOB_H

#include <stddef.h>
#include <stdint.h>

/* splitmix64 of the counter */
static inline uint64_t blob_word(uint64_t seed, uint64_t index)
{
    uint64_t r = (seed << 40) + (index + 1) * 0x9e3779b97f4a7c15u;

    r = (r ^ r >> 30) * 0xbf58476d1ce4e5b9u;
    r = (r ^ r >> 27) * 0x94d049bb133111ebu;
    return r ^ r >> 31;
}

static inline uint8_t blob_byte(uint64_t seed, uint64_t offset)
{
    return (uint8_t)(blob_word(seed, offset / 8) >> offset % 8 * 8);
}

static inline void blob_fill(uint8_t *bytes, uint64_t seed, uint64_t offset,
                             size_t length)
{
    size_t i = 0;

    for (; i < length && (offset + i) % 8 != 0; i++)
        bytes[i] = blob_byte(seed, offset + i);
    for (; i + 8 <= length; i += 8) {
        uint64_t word = blob_word(seed, (offset + i) / 8);

        __builtin_memcpy(bytes + i, &word, 8);
    }
    for (; i < length; i++)
        bytes[i] = blob_byte(seed, offset + i);
}

/* Index of the first byte that is wrong, or length. */
static inline size_t blob_compare(const uint8_t *bytes, uint64_t seed,
                                  uint64_t offset, size_t length)
{
    size_t i = 0;

    while (i < length) {
        uint64_t word = blob_word(seed, (offset + i) / 8);

        if ((offset + i) % 8 == 0 && i + 8 <= length &&
            __builtin_memcmp(bytes + i, &word, 8) == 0)
            i += 8;
        else if (bytes[i] != blob_byte(seed, offset + i))
            return i;
        else
            i++;
    }
    return length;
}

#endif

/* bits.h - arithmetic every room needs: rounding, minima, set bits.
 *
 * Units       whatever the caller's are; `align` is a power of two.
 * Errors      none; overflow is the caller's to exclude.
 */
#ifndef BASE_BITS_H
#define BASE_BITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PAGE_SHIFT 12
#define PAGE_SIZE 4096u
#define PAGE_MASK (PAGE_SIZE - 1)

#define MIN(a, b) ((a) < (b) ? (a) : (b))
#define MAX(a, b) ((a) > (b) ? (a) : (b))
#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define container_of(ptr, type, member) \
    ((type *)(void *)((char *)(ptr) - offsetof(type, member)))

static inline uint64_t round_up(uint64_t value, uint64_t align)
{
    return (value + align - 1) & ~(align - 1);
}

static inline uint64_t round_down(uint64_t value, uint64_t align)
{
    return value & ~(align - 1);
}

static inline uint64_t div_up(uint64_t value, uint64_t by)
{
    return value / by + (value % by != 0);
}

static inline bool is_pow2(uint64_t value)
{
    return value != 0 && (value & (value - 1)) == 0;
}

/* Index of the lowest set bit; value is not 0. */
static inline unsigned bit_lowest(uint64_t value)
{
    return (unsigned)__builtin_ctzll(value);
}

/* Index of the highest set bit, which is floor(log2(value)); value is not 0. */
static inline unsigned bit_highest(uint64_t value)
{
    return 63u - (unsigned)__builtin_clzll(value);
}

/* Page index of a byte offset, and the number of pages that bytes touch. */
static inline uint64_t page_of(uint64_t offset)
{
    return offset >> PAGE_SHIFT;
}

static inline uint64_t pages_for(uint64_t bytes)
{
    return (bytes >> PAGE_SHIFT) + ((bytes & PAGE_MASK) != 0);
}

#endif

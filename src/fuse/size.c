/* size.c - numbers in options, read strictly.
 *
 * strtoull accepts a sign, leading space and trailing anything; a mount that
 * takes "size=-1" for 16 EiB helps nobody, so every character is looked at
 * here.
 */
#include "size.h"

#include "bits.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const char units[] = "kmgtpe";

/* Reads digits of `base` from *text and moves it behind them. */
static int digits(const char **text, unsigned base, uint64_t *value)
{
    const char *p = *text;
    uint64_t sum = 0;

    while (*p >= '0' && *p < (char)('0' + (int)base)) {
        if (__builtin_mul_overflow(sum, (uint64_t)base, &sum) ||
            __builtin_add_overflow(sum, (uint64_t)(*p - '0'), &sum))
            return -ERANGE;
        p++;
    }
    if (p == *text)
        return -EINVAL;
    *text = p;
    *value = sum;
    return 0;
}

static int percent(uint64_t part, uint64_t whole, uint64_t *value)
{
    __extension__ unsigned __int128 product = part;

    product = product * whole / 100;
    if (product > UINT64_MAX)
        return -ERANGE;
    *value = (uint64_t)product;
    return 0;
}

int size_parse(const char *text, uint64_t whole, uint64_t *value)
{
    const char *unit;
    uint64_t number;
    unsigned shift;
    int err;

    err = digits(&text, 10, &number);
    if (err)
        return err;
    if (strcmp(text, "%") == 0 && whole != 0)
        return percent(number, whole, value);
    if (*text == '\0') {
        *value = number;
        return 0;
    }
    unit = strchr(units, tolower((unsigned char)*text));
    if (!unit || text[1] != '\0')
        return -EINVAL;
    shift = 10 * (unsigned)(unit - units + 1);
    if (number > UINT64_MAX >> shift)
        return -ERANGE;
    *value = number << shift;
    return 0;
}

int number_parse(const char *text, int base, uint64_t max, uint64_t *value)
{
    uint64_t number;
    int err;

    err = digits(&text, (unsigned)base, &number);
    if (err)
        return err;
    if (*text != '\0')
        return -EINVAL;
    if (number > max)
        return -ERANGE;
    *value = number;
    return 0;
}

const char *size_format(uint64_t bytes, char *buffer, size_t room)
{
    unsigned unit = 0;
    uint64_t whole, tenth;

    if (bytes < 1024) {
        snprintf(buffer, room, "%" PRIu64, bytes);
        return buffer;
    }
    while (unit < sizeof(units) - 2 && bytes >> (10 * (unit + 1)) >= 1024)
        unit++;
    whole = bytes >> (10 * (unit + 1));
    tenth = (bytes >> (10 * unit)) % 1024 * 10 / 1024;
    if (tenth != 0)
        snprintf(buffer, room, "%" PRIu64 ".%" PRIu64 "%c", whole, tenth,
                 units[unit]);
    else
        snprintf(buffer, room, "%" PRIu64 "%c", whole, units[unit]);
    return buffer;
}

const char *size_exact(uint64_t bytes, char *buffer, size_t room)
{
    char unit[2] = "";

    for (unsigned i = 0; bytes > 0 && bytes % 1024 == 0; i++) {
        unit[0] = units[i];
        bytes /= 1024;
    }
    snprintf(buffer, room, "%" PRIu64 "%s", bytes, unit);
    return buffer;
}

/* number.c - sizes as people write and read them; powers of 1024. */
#include "ctl.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static const char units[] = "kmgtp";

/* The digits that text begins with; end: what is behind them. */
static bool digits(const char *text, char **end, uint64_t *number)
{
    if (!isdigit((unsigned char)*text))
        return false;
    errno = 0;
    *number = strtoull(text, end, 10);
    return errno == 0;
}

bool number_plain(const char *text, uint64_t *number)
{
    uint64_t value;
    char *end;

    if (!digits(text, &end, &value) || *end != '\0')
        return false;
    *number = value;
    return true;
}

bool number_size(const char *text, uint64_t *bytes)
{
    unsigned shift = 0;
    uint64_t number;
    char *end;

    if (!digits(text, &end, &number))
        return false;
    if (*end != '\0') {
        const char *unit = strchr(units, tolower((unsigned char)*end));

        if (!unit || end[1] != '\0')
            return false;
        shift = 10 * (unsigned)(unit - units + 1);
    }
    if (number > UINT64_MAX >> shift)
        return false;
    *bytes = number << shift;
    return true;
}

bool number_size_of(const char *word, uint64_t *bytes)
{
    if (number_size(strchr(word, '=') + 1, bytes))
        return true;
    complain(word, "is no size: give bytes, or a number with k, m, g, t or p "
                   "behind it, as in 64m");
    return false;
}

const char *number_bytes(uint64_t bytes, char *buffer, size_t room)
{
    unsigned unit = 0;

    if (bytes < 1024) {
        snprintf(buffer, room, "%" PRIu64, bytes);
        return buffer;
    }
    while (unit < sizeof(units) - 2 && bytes >> 10 * (unit + 1) >= 1024)
        unit++;
    snprintf(buffer, room, "%.1f%c",
             (double)bytes / (double)((uint64_t)1 << 10 * (unit + 1)),
             toupper((unsigned char)units[unit]));
    return buffer;
}

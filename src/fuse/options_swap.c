/* options_swap.c - swap=PLACE[:pri=N][:size=BYTES].
 *
 * A place may have colons in its name, so parts are taken from the end as long as
 * they are ours.  Whatever is wrong with one is said with all of the value.
 */
#include "options_internal.h"

#include "bits.h"
#include "pagerfs_ioctl.h"
#include "size.h"

#include <errno.h>
#include <string.h>

static int refuse(struct parse *parse, const char *value, const char *why)
{
    return parse_fail(parse, -EINVAL, "swap=%s: %s", value, why);
}

static int take_size(struct parse *parse, struct option_swap *swap,
                     const char *text, const char *value)
{
    uint64_t bytes;

    if (swap->size.given)
        return refuse(parse, value, ":size= is given twice: give it once");
    if (size_parse(text, 0, &bytes) || bytes == 0 || bytes > OPTIONS_BYTES_MAX)
        return refuse(parse, value, "give swap=PLACE:size=BYTES, a number, with "
                      "k, m, g, t, p or e, and more than 0");
    swap->size = (struct option_size){ true, bytes };
    return 1;
}

static int take_priority(struct parse *parse, struct option_swap *swap,
                         const char *text, const char *value)
{
    uint64_t number;

    if (swap->priority >= 0)
        return refuse(parse, value, ":pri= is given twice: give it once");
    if (number_parse(text, 10, PAGERFS_SWAP_PRIORITY_MAX, &number))
        return refuse(parse, value, "give swap=PLACE:pri=N, 0 to 32767");
    swap->priority = (int)number;
    return 1;
}

/* One of the parts behind a place.  1: it was; 0: it is part of the name. */
static int take_part(struct parse *parse, struct option_swap *swap,
                     const char *text, const char *value)
{
    if (strncmp(text, "size=", 5) == 0)
        return take_size(parse, swap, text + 5, value);
    if (strncmp(text, "pri=", 4) == 0)
        return take_priority(parse, swap, text + 4, value);
    return 0;
}

/* There is a place, and "none" goes with nothing else. */
static int check_place(struct parse *parse, const struct option_swap *swap,
                       const char *value)
{
    const struct options *options = parse->options;
    bool none = false, parts = false;

    if (*swap->place == '\0')
        return refuse(parse, value, "give a file, a directory, a block device, "
                      "or none");

    for (unsigned i = 0; i < options->nr_swap; i++) {
        none |= strcmp(options->swap[i].place, "none") == 0;
        parts |= options->swap[i].priority >= 0 || options->swap[i].size.given;
    }
    if (none && options->nr_swap > 1)
        return parse_fail(parse, -EINVAL, "swap=none and another swap=: give "
                          "one or the other");
    if (none && parts)
        return refuse(parse, value, "none takes no :pri= or :size=; give a "
                      "place, or swap=none alone");
    return 0;
}

int parse_swap(struct parse *parse, const char *value)
{
    struct options *options = parse->options;
    struct option_swap *swap;
    int taken = 0;
    char *part;

    if (options->nr_swap == OPTIONS_SWAPS_MAX)
        return parse_fail(parse, -EINVAL, "swap=%s is one too many: %u places "
                          "at most", value, OPTIONS_SWAPS_MAX);
    swap = &options->swap[options->nr_swap];
    *swap = (struct option_swap){ .priority = -1 };
    if (parse_string(parse, &swap->place, value))
        return -1;
    options->nr_swap++;
    while ((part = strrchr(swap->place, ':')) != NULL &&
           (taken = take_part(parse, swap, part + 1, value)) > 0)
        *part = '\0';
    return taken < 0 ? -1 : check_place(parse, swap, value);
}

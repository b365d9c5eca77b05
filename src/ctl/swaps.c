/* swaps.c - pagerctl swapon, pagerctl swapoff: the swap areas of a mount. */
#include "ctl.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SWAPON_WORDS WORDS_PATH ", and a place with size= and priority="

/* The daemon has another working directory. */
static bool absolute(const char *place, char name[PAGERFS_SWAP_NAME_BYTES])
{
    char here[PATH_MAX] = "";
    int length;

    if (*place != '/' && !getcwd(here, sizeof(here))) {
        complain(place, "is below a folder whose name cannot be told (%s): "
                        "begin it with /", strerror(errno));
        return false;
    }
    length = snprintf(name, PAGERFS_SWAP_NAME_BYTES, "%s%s%s", here,
                      *place == '/' ? "" : "/", place);
    while (length > 1 && length < PAGERFS_SWAP_NAME_BYTES &&
           name[length - 1] == '/')
        name[--length] = '\0';
    if (length < PAGERFS_SWAP_NAME_BYTES)
        return true;
    complain(place, "is too long: with the folders above it, a place may have "
                    "%d bytes", PAGERFS_SWAP_NAME_BYTES - 1);
    return false;
}

static void print(const struct pagerfs_swaps *swaps)
{
    char most[32], used[32];

    printf("%-40s %8s %8s %9s\n", "PLACE", "SIZE", "USED", "PRIORITY");
    for (uint64_t i = 0; i < swaps->nr && i < PAGERFS_SWAP_AREAS; i++) {
        const struct pagerfs_swap_area *area = &swaps->area[i];

        number_bytes(area->blocks_max * CTL_PAGE_SIZE, most, sizeof(most));
        number_bytes(area->blocks_used * CTL_PAGE_SIZE, used, sizeof(used));
        printf("%-40.*s %8s %8s %9" PRId64 "%s\n", PAGERFS_SWAP_NAME_BYTES,
               area->name, most, used, area->priority,
               area->leaving ? " leaving" : "");
    }
}

/* NULL after a line. */
static const struct pagerfs_swaps *get(int fd, const char *path)
{
    static struct pagerfs_swaps swaps;

    swaps = (struct pagerfs_swaps){ .head = PAGERFS_HEAD(swaps) };
    return call(fd, path, PAGERFS_IOC_SWAPS, &swaps) < 0 ? NULL : &swaps;
}

static int list(int fd, const char *path, bool json)
{
    const struct pagerfs_swaps *swaps = get(fd, path);

    if (!swaps)
        return STATUS_FAILED;
    if (json)
        json_print(stdout, json_swaps(swaps), false);
    else
        print(swaps);
    return 0;
}

static bool take_size(struct pagerfs_swapon *args, const char *word)
{
    if (!number_size_of(word, &args->size))
        return false;
    if (args->size == 0)
        complain(word, "is no swap: give what it may take, as in size=8g; for a "
                       "device it can be left out");
    return args->size > 0;
}

static bool take_priority(struct pagerfs_swapon *args, const char *word)
{
    uint64_t number;

    if (number_plain(strchr(word, '=') + 1, &number) &&
        number <= PAGERFS_SWAP_PRIORITY_MAX) {
        args->priority = (int64_t)number;
        return true;
    }
    complain(word, "is no priority: give 0 to %d; left out, it is behind all "
                   "others", PAGERFS_SWAP_PRIORITY_MAX);
    return false;
}

/* False after a line that says why the word is no good. */
static bool take(struct pagerfs_swapon *args, const char *word)
{
    if (strncmp(word, "size=", 5) == 0)
        return take_size(args, word);
    if (strncmp(word, "priority=", 9) == 0)
        return take_priority(args, word);
    complain(word, "is not known behind the place: give size=SIZE or "
                   "priority=N");
    return false;
}

/* What an area can have beside the others, in MiB; less, if they do not lie
 * together. */
static uint64_t most_mib(const struct pagerfs_swaps *swaps)
{
    const uint64_t blocks_a_mib = ((uint64_t)1 << 20) / CTL_PAGE_SIZE;
    uint64_t left = PAGERFS_SWAP_BLOCKS / blocks_a_mib;

    for (uint64_t i = 0; i < swaps->nr && i < PAGERFS_SWAP_AREAS; i++) {
        uint64_t taken = swaps->area[i].blocks_max / blocks_a_mib;

        left -= taken < left ? taken : left;
    }
    return left;
}

static void explain_too_much(int fd, const char *place)
{
    const struct pagerfs_swaps *swaps = get(fd, place);

    if (swaps)
        complain(place, "is more than swap can have, %" PRIu64 "t with what is in "
                        "use: give less than size=%" PRIu64 "m",
                 PAGERFS_SWAP_BLOCKS * CTL_PAGE_SIZE >> 40, most_mib(swaps));
}

static int add(int fd, const char *path, struct pagerfs_swapon *args)
{
    int err = call_try(fd, PAGERFS_IOC_SWAPON, args);

    if (err == -EEXIST)
        complain(args->path, "is swap of this mount already");
    else if (err == -EMFILE)
        complain(path, "has %d swap areas, which is the most there can be",
                 PAGERFS_SWAP_AREAS);
    else if (err == -ENOSPC)
        explain_too_much(fd, args->path);
    else if (err)
        call_explain(path, err);
    else if (args->message[0])
        fprintf(stderr, "pagerctl: %.*s\n", (int)sizeof(args->message),
                args->message);
    return err || args->message[0] ? STATUS_FAILED : 0;
}

/* What is to be taken into use: the place, and what is said about it. */
static bool take_all(struct pagerfs_swapon *args, char **word)
{
    if (strcmp(word[0], "none") == 0) {
        complain(word[0], "is no place: give a directory, a file (of that name: "
                          "./none) or a block device");
        return false;
    }
    if (!absolute(word[0], args->path))
        return false;
    for (word++; *word; word++)
        if (!take(args, *word))
            return false;
    return true;
}

static bool has_size(const struct pagerfs_swapon *args)
{
    struct stat st;

    if (args->size > 0 ||
        (stat(args->path, &st) == 0 && S_ISBLK(st.st_mode)))
        return true;
    complain(args->path, "is no device: say with size= how much it may take");
    return false;
}

static int swapon(int argc, char **argv)
{
    struct pagerfs_swapon args = { .head = PAGERFS_HEAD(args),
                                   .priority = -1 };
    bool json;
    char **word = words_json(argc, argv, &json, 1, 4, SWAPON_WORDS);
    int fd, status;

    if (!word)
        return STATUS_USAGE;
    if (word[1] && json) {
        complain("--json", "is for the list: give no place");
        return STATUS_USAGE;
    }
    if (word[1] && !take_all(&args, word + 1))
        return STATUS_USAGE;
    if (word[1] && !has_size(&args))
        return STATUS_FAILED;
    fd = place_open_root(word[0]);
    if (fd < 0)
        return STATUS_FAILED;
    status = word[1] ? add(fd, word[0], &args) : list(fd, word[0], json);
    close(fd);
    return status;
}

static int swapoff(int argc, char **argv)
{
    struct pagerfs_swapoff args = { .head = PAGERFS_HEAD(args) };
    char **word = words_json(argc, argv, NULL, 2, 2, WORDS_PATH " and a place");
    int fd, err;

    if (!word || !absolute(word[1], args.name))
        return STATUS_USAGE;
    fd = place_open_root(word[0]);
    if (fd < 0)
        return STATUS_FAILED;
    err = call_try(fd, PAGERFS_IOC_SWAPOFF, &args);
    close(fd);
    if (err == -ENOENT)
        complain(args.name, "is no swap of this mount: pagerctl swapon %s "
                            "lists what is", word[0]);
    else if (err == -ENOSPC)
        complain(args.name, "cannot go: the rest of ram= and swap could not "
                            "hold what is in use");
    else if (err)
        call_explain(word[0], err);
    return err ? STATUS_FAILED : 0;
}

const struct command command_swapon = {
    "swapon", swapon, "[--json] PATH | PATH PLACE [size=SIZE] [priority=N]",
    "another swap file or device; without: a list",
    "  -j, --json  the list, for programs\n"
    "  PLACE       a directory, a file or a block device\n"
    "  size=SIZE   the most it may take; not needed for a device\n"
    "  priority=N  0 to 32767: the highest is used first\n",
};
const struct command command_swapoff = {
    "swapoff", swapoff, "PATH PLACE",
    "move what a swap area holds, and give it up", "",
};

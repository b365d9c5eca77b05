/* swaps.c - pagerctl swapon, pagerctl swapoff: the swap areas of a mount. */
#include "ctl.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SWAPON_USAGE \
    "swapon [--json] PATH | swapon PATH PLACE [size=SIZE] [priority=N]"
#define SWAPOFF_USAGE "swapoff PATH PLACE"

/* The daemon has another working directory. */
static bool absolute(const char *place, char name[PAGERFS_SWAP_NAME_BYTES])
{
    char here[PAGERFS_SWAP_NAME_BYTES] = "";
    int length;

    if (*place != '/' && !getcwd(here, sizeof(here) - 1))
        return false;
    length = snprintf(name, PAGERFS_SWAP_NAME_BYTES, "%s%s%s", here,
                      *place == '/' ? "" : "/", place);
    while (length > 1 && length < PAGERFS_SWAP_NAME_BYTES &&
           name[length - 1] == '/')
        name[--length] = '\0';
    return length < PAGERFS_SWAP_NAME_BYTES;
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

static int list(int fd, const char *path, bool json)
{
    static struct pagerfs_swaps swaps;

    swaps = (struct pagerfs_swaps){ .head = PAGERFS_HEAD(swaps) };
    if (call(fd, path, PAGERFS_IOC_SWAPS, &swaps) < 0)
        return STATUS_FAILED;
    if (json)
        json_print(stdout, json_swaps(&swaps), false);
    else
        print(&swaps);
    return 0;
}

static bool take(struct pagerfs_swapon *swapon, const char *word)
{
    char *end;

    if (strncmp(word, "size=", 5) == 0)
        return number_size(word + 5, &swapon->size) && swapon->size > 0;
    if (strncmp(word, "priority=", 9) != 0)
        return false;
    swapon->priority = strtoll(word + 9, &end, 10);
    return end != word + 9 && *end == '\0';
}

static int add(int fd, const char *path, struct pagerfs_swapon *swapon)
{
    int err = call_try(fd, PAGERFS_IOC_SWAPON, swapon);

    if (err == -EEXIST)
        complain(swapon->path, "is swap of this mount already");
    else if (err == -EMFILE)
        complain(path, "has %d swap areas, which is the most there can be",
                 PAGERFS_SWAP_AREAS);
    else if (err == -ENOSPC)
        complain(swapon->path, "is more than swap can have: give a smaller "
                               "size=");
    else if (err)
        call_explain(path, err);
    else if (swapon->message[0])
        fprintf(stderr, "pagerctl: %.*s\n", (int)sizeof(swapon->message),
                swapon->message);
    return err || swapon->message[0] ? STATUS_FAILED : 0;
}

int command_swapon(int argc, char **argv)
{
    struct pagerfs_swapon swapon = { .head = PAGERFS_HEAD(swapon),
                                     .priority = -1 };
    struct stat st;
    bool json;
    int first = words_json(argc, argv, &json), words = argc - first;
    char **word = argv + first;
    int fd, status;

    if (first < 0 || words < 1 || (json && words > 1) ||
        (words > 1 && !absolute(word[1], swapon.path)))
        return usage(SWAPON_USAGE);
    for (int i = 2; i < words; i++)
        if (!take(&swapon, word[i]))
            return usage(SWAPON_USAGE);
    if (words > 1 && swapon.size == 0 &&
        (stat(swapon.path, &st) != 0 || !S_ISBLK(st.st_mode))) {
        complain(swapon.path, "is no device: say with size= how much it may "
                              "take");
        return STATUS_FAILED;
    }
    fd = place_open_root(word[0]);
    if (fd < 0)
        return STATUS_FAILED;
    status = words == 1 ? list(fd, word[0], json) : add(fd, word[0], &swapon);
    close(fd);
    return status;
}

int command_swapoff(int argc, char **argv)
{
    struct pagerfs_swapoff swapoff = { .head = PAGERFS_HEAD(swapoff) };
    int fd, err;

    if (argc != 3 || !absolute(argv[2], swapoff.name))
        return usage(SWAPOFF_USAGE);
    fd = place_open_root(argv[1]);
    if (fd < 0)
        return STATUS_FAILED;
    err = call_try(fd, PAGERFS_IOC_SWAPOFF, &swapoff);
    close(fd);
    if (err == -ENOENT)
        complain(swapoff.name, "is no swap of this mount: pagerctl swapon %s "
                               "lists what is", argv[1]);
    else if (err == -ENOSPC)
        complain(swapoff.name, "cannot go: the rest of ram= and swap could not "
                               "hold what is in use");
    else if (err)
        call_explain(argv[1], err);
    return err ? STATUS_FAILED : 0;
}

/* set.c - pagerctl set: other limits for a mount in use. */
#include "ctl.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#define USAGE "set size=SIZE PATH"

/* What the figures say about a refusal. */
static void explain(int fd, const char *path, const struct pagerfs_set *set,
                    int err)
{
    struct pagerfs_stat stat = { .head = PAGERFS_HEAD(stat) };
    char asked[32], used[32];

    if ((err != -EINVAL && err != -ENOSPC) ||
        call_try(fd, PAGERFS_IOC_STAT, &stat) != 0) {
        call_explain(path, err);
        return;
    }
    number_bytes(set->size, asked, sizeof(asked));
    number_bytes(stat.used * CTL_PAGE_SIZE, used, sizeof(used));
    if (err == -EINVAL)
        complain(path, "size=%s is less than what is used, %s: remove files, "
                       "or give a larger size=", asked, used);
    else
        complain(path, "size=%s is more than ram= and swap= hold: give a "
                       "smaller size=", asked);
}

/* False if the word is no setting. */
static bool take(struct pagerfs_set *set, const char *word)
{
    static const char size[] = "size=";

    if (strncmp(word, size, sizeof(size) - 1) != 0 ||
        set->what & PAGERFS_SET_SIZE)
        return false;
    set->what |= PAGERFS_SET_SIZE;
    return number_size(word + sizeof(size) - 1, &set->size);
}

int command_set(int argc, char **argv)
{
    struct pagerfs_set set = { .head = PAGERFS_HEAD(set) };
    const char *path = argv[argc - 1];
    int fd, err;

    for (int i = 1; i < argc - 1; i++)
        if (!take(&set, argv[i]))
            return usage(USAGE);
    if (set.what == 0)
        return usage(USAGE);
    fd = place_open_root(path);
    if (fd < 0)
        return STATUS_FAILED;
    err = call_try(fd, PAGERFS_IOC_SET, &set);
    if (err)
        explain(fd, path, &set, err);
    close(fd);
    return err ? STATUS_FAILED : 0;
}

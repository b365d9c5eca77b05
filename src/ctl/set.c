/* set.c - pagerctl set: other limits for a mount in use.
 *
 * ram= and size= together are two calls, ram= first, since more of it makes room
 * for a larger size=.  Each is refused or done by itself, so a refused size= is told
 * with ram= changed.
 */
#include "ctl.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#define MIB ((uint64_t)1 << 20)

/* `done`: what has been changed already, for the beginning of the line. */
static void explain(const char *path, int err, const char *done)
{
    if (*done)
        complain(path, "%s%s", done, words_error(err));
    else
        call_explain(path, err);
}

/* What RAM and swap hold, but for what it takes to keep the books of swap. */
static uint64_t hold_mib(const struct pagerfs_stat *stat)
{
    uint64_t blocks = stat->blocks_max - stat->blocks_retired;

    return (stat->frames + blocks) * CTL_PAGE_SIZE / MIB;
}

static void explain_size(const char *path, const struct pagerfs_set *set,
                         const struct pagerfs_stat *stat, int err,
                         const char *done)
{
    char asked[32], used[32];

    number_bytes(set->size, asked, sizeof(asked));
    number_bytes(stat->used * CTL_PAGE_SIZE, used, sizeof(used));
    if (err == -EINVAL)
        complain(path, "%ssize=%s is less than what is used, %s: remove files, "
                       "or give a larger size=", done, asked, used);
    else if (err == -ENOSPC)
        complain(path, "%ssize=%s is more than ram= and swap hold, about "
                       "%" PRIu64 "m together: give less, or them more first, "
                       "with pagerctl swapon or a larger ram=", done, asked,
                 hold_mib(stat));
    else
        explain(path, err, done);
}

/* Limits are told so that they can be given: in whole MiB. */
static void explain_ram(const char *path, const struct pagerfs_set *set,
                        const struct pagerfs_stat *stat, int err)
{
    uint64_t least = (stat->ram_least + MIB - 1) / MIB;
    char asked[32];

    number_bytes(set->ram, asked, sizeof(asked));
    if (err == -ERANGE && set->ram > stat->ram_most)
        complain(path, "ram=%s is more than this mount can have: give at most "
                       "%" PRIu64 "m", asked, stat->ram_most / MIB);
    else if (err == -ERANGE || (err == -ENOSPC && set->ram < least * MIB))
        complain(path, "ram=%s is too little for what is in use: give at least "
                       "%" PRIu64 "m", asked, least);
    else if (err == -ENOSPC)
        complain(path, "ram=%s is too little: the disk under swap= has no room "
                       "for what would have to leave memory", asked);
    else
        call_explain(path, err);
}

/* One setting; a refusal is told with the figures it is due to. */
static int apply(int fd, const char *path, struct pagerfs_set *set,
                 const char *done)
{
    struct pagerfs_stat stat = { .head = PAGERFS_HEAD(stat) };
    int err = call_try(fd, PAGERFS_IOC_SET, set);

    if (!err)
        return 0;
    if (call_try(fd, PAGERFS_IOC_STAT, &stat) != 0)
        explain(path, err, done);
    else if (set->what == PAGERFS_SET_RAM)
        explain_ram(path, set, &stat, err);
    else
        explain_size(path, set, &stat, err, done);
    return err;
}

/* False after a line that says why the word is no setting. */
static bool take(struct pagerfs_set *size, struct pagerfs_set *ram,
                 const char *word)
{
    bool is_size = strncmp(word, "size=", 5) == 0;
    struct pagerfs_set *set = is_size ? size : ram;

    if (!is_size && strncmp(word, "ram=", 4) != 0) {
        complain(word, "is nothing that can be set: give ram=SIZE or size=SIZE "
                       "or both, and then the path");
        return false;
    }
    if (set->what) {
        complain(word, "is given twice: give one of them");
        return false;
    }
    set->what = is_size ? PAGERFS_SET_SIZE : PAGERFS_SET_RAM;
    return number_size_of(word, is_size ? &size->size : &ram->ram);
}

static int run(int argc, char **argv)
{
    struct pagerfs_set size = { .head = PAGERFS_HEAD(size) }, ram = size;
    char **word = words_json(argc, argv, NULL, 2, INT_MAX,
                             "ram= or size=, and then " WORDS_PATH);
    const char *path = argv[argc - 1];
    int fd, err = 0;

    if (!word)
        return STATUS_USAGE;
    for (; word[1]; word++)
        if (!take(&size, &ram, *word))
            return STATUS_USAGE;
    fd = place_open_root(path);
    if (fd < 0)
        return STATUS_FAILED;
    if (ram.what)
        err = apply(fd, path, &ram, "");
    if (!err && size.what)
        err = apply(fd, path, &size,
                    ram.what ? "ram= is changed, but " : "");
    close(fd);
    return err ? STATUS_FAILED : 0;
}

const struct command command_set = {
    "set", run, "[ram=SIZE] [size=SIZE] PATH",
    "change size= or ram= of a mount in use",
    "  ram=SIZE   what the daemon keeps in RAM\n"
    "  size=SIZE  the most that files may take; 0: what ram= and swap hold\n",
};

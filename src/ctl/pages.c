/* pages.c - pagerctl advise, pagerctl evict: the pages of a file. */
#include "ctl.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

static const char *const advices[] = {
    [PAGERFS_DEFAULT] = "default",
    [PAGERFS_SEQUENTIAL] = "sequential",
    [PAGERFS_RANDOM] = "random",
    [PAGERFS_WILLNEED] = "willneed",
    [PAGERFS_DONTNEED] = "dontneed",
};
enum { NR_ADVICES = sizeof(advices) / sizeof(advices[0]) };

/* NR_ADVICES after a line that it is none. */
static unsigned advice_of(const char *word)
{
    unsigned i = 0;

    while (i < NR_ADVICES && strcmp(word, advices[i]) != 0)
        i++;
    if (i == NR_ADVICES)
        complain(word, "is no advice: give default, sequential, random, "
                       "willneed or dontneed");
    return i;
}

static int advise(int argc, char **argv)
{
    struct pagerfs_advise args = { .head = PAGERFS_HEAD(args) };
    char **word = words_json(argc, argv, NULL, 2, 2, "a file and an advice");
    bool is_file;
    int fd, err;

    if (!word || (args.advice = advice_of(word[1])) == NR_ADVICES)
        return STATUS_USAGE;
    fd = place_open_file(word[0], &is_file);
    if (fd < 0)
        return STATUS_FAILED;
    err = -1;
    if (is_file)
        err = call(fd, word[0], PAGERFS_IOC_ADVISE, &args);
    else
        complain(word[0], "is a directory: advice is for regular files");
    close(fd);
    if (!err && args.advice == PAGERFS_WILLNEED)
        printf("%" PRIu64 " pages are being read\n", args.pages);
    if (!err && args.advice == PAGERFS_DONTNEED)
        printf("%" PRIu64 " pages go first\n", args.pages);
    return err ? STATUS_FAILED : 0;
}

static bool has_swap(const char *path)
{
    struct pagerfs_stat stat;
    dev_t device;

    return call_stat(path, &stat, &device) != 0 || stat.blocks_max > 0;
}

static int tell_evicted(const char *path, const struct pagerfs_evict *args,
                        int err)
{
    bool nothing = err == -ENOSPC || (!err && args->evicted == 0);

    if (nothing && !has_swap(path)) {
        complain(path, "there is no swap to evict to: give the mount some with "
                       "pagerctl swapon");
        return STATUS_FAILED;
    }
    if (err == -ENOSPC)
        complain(path, "swap has no room for all of it: give the mount more with "
                       "pagerctl swapon, or its disk more room");
    else if (err)
        call_explain(path, err);
    else
        printf("%" PRIu64 " pages evicted, %" PRIu64 " in use\n", args->evicted,
               args->left);
    return err ? STATUS_FAILED : 0;
}

static int evict(int argc, char **argv)
{
    struct pagerfs_evict args = { .head = PAGERFS_HEAD(args) };
    char **word = words_json(argc, argv, NULL, 1, 1, WORDS_PATH);
    bool is_file;
    int fd, err;

    if (!word)
        return STATUS_USAGE;
    fd = place_open_file(word[0], &is_file);
    if (fd < 0)
        return STATUS_FAILED;
    err = call_try(fd, PAGERFS_IOC_EVICT, &args);
    close(fd);
    return tell_evicted(word[0], &args, err);
}

const struct command command_advise = {
    "advise", advise, "FILE default|sequential|random|willneed|dontneed",
    "how a file will be used", "",
};
const struct command command_evict = {
    "evict", evict, "PATH", "write pages to swap and free their memory",
    "  PATH  a file, or a directory: all files of the mount\n",
};

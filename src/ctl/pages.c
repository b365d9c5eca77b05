/* pages.c - pagerctl advise, pagerctl evict: the pages of a file. */
#include "ctl.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#define ADVISE_USAGE                                                           \
    "advise FILE default|sequential|random|willneed|dontneed"
#define EVICT_USAGE "evict PATH"

static const char *const advices[] = {
    [PAGERFS_DEFAULT] = "default",
    [PAGERFS_SEQUENTIAL] = "sequential",
    [PAGERFS_RANDOM] = "random",
    [PAGERFS_WILLNEED] = "willneed",
    [PAGERFS_DONTNEED] = "dontneed",
};
enum { NR_ADVICES = sizeof(advices) / sizeof(advices[0]) };

int command_advise(int argc, char **argv)
{
    struct pagerfs_advise advise = { .head = PAGERFS_HEAD(advise) };
    bool is_file;
    int fd, err;

    while (argc == 3 && advise.advice < NR_ADVICES &&
           strcmp(argv[2], advices[advise.advice]) != 0)
        advise.advice++;
    if (argc != 3 || advise.advice == NR_ADVICES)
        return usage(ADVISE_USAGE);
    fd = place_open_file(argv[1], &is_file);
    if (fd < 0)
        return STATUS_FAILED;
    err = -1;
    if (is_file)
        err = call(fd, argv[1], PAGERFS_IOC_ADVISE, &advise);
    else
        complain(argv[1], "is a directory: advice is for regular files");
    close(fd);
    if (!err && advise.advice == PAGERFS_WILLNEED)
        printf("%" PRIu64 " pages are being read\n", advise.pages);
    if (!err && advise.advice == PAGERFS_DONTNEED)
        printf("%" PRIu64 " pages go first\n", advise.pages);
    return err ? STATUS_FAILED : 0;
}

int command_evict(int argc, char **argv)
{
    struct pagerfs_evict evict = { .head = PAGERFS_HEAD(evict) };
    bool is_file;
    int fd, err;

    if (argc != 2)
        return usage(EVICT_USAGE);
    fd = place_open_file(argv[1], &is_file);
    if (fd < 0)
        return STATUS_FAILED;
    err = call_try(fd, PAGERFS_IOC_EVICT, &evict);
    close(fd);
    if (err == -ENOSPC)
        complain(argv[1], "swap has no room for all of it: give the mount a "
                          "larger swapsize=, or its disk more room");
    else if (err)
        call_explain(argv[1], err);
    else
        printf("%" PRIu64 " pages evicted, %" PRIu64 " in use\n", evict.evicted,
               evict.left);
    return err ? STATUS_FAILED : 0;
}

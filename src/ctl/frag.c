/* frag.c - pagerctl frag: how well the files lie together on swap.
 *
 * Two figures for the same breaks.  Of the pairs of pages that could lie
 * together, and, as FreeBSD's fragc counts, of all slots of the block map, which
 * is the smaller: to be compared with figures that were got with fragc.
 */
#include "ctl.h"

#include <inttypes.h>
#include <unistd.h>

static double percent(uint64_t part, uint64_t whole)
{
    return whole ? 100.0 * (double)part / (double)whole : 0;
}

static void print(const struct pagerfs_frag *frag)
{
    double mean = frag->runs ? (double)frag->pages / (double)frag->runs : 0;

    printf("files on swap  %12" PRIu64 "\n", frag->files);
    printf("pages          %12" PRIu64 "\n", frag->pages);
    printf("runs           %12" PRIu64 "  %.1f pages each\n", frag->runs, mean);
    printf("breaks/pairs   %12.3f%%  %" PRIu64 " of %" PRIu64 "\n",
           percent(frag->breaks, frag->pairs), frag->breaks, frag->pairs);
    printf("breaks/slots   %12.3f%%  as fragc counts, of %" PRIu64 "\n",
           percent(frag->breaks, frag->slots), frag->slots);
    printf("free blocks    %12" PRIu64 "  in %" PRIu64
           " runs, the longest at least %" PRIu64 "\n",
           frag->blocks_free, frag->free_runs, frag->largest_run);
}

static int run(int argc, char **argv)
{
    struct pagerfs_frag frag = { .head = PAGERFS_HEAD(frag) };
    bool json;
    const char *path = words_report(argc, argv, &json);
    int fd, err;

    if (!path)
        return STATUS_USAGE;
    fd = place_open_root(path);
    if (fd < 0)
        return STATUS_FAILED;
    err = call(fd, path, PAGERFS_IOC_FRAG, &frag);
    close(fd);
    if (err)
        return STATUS_FAILED;
    if (json)
        json_print(stdout, json_frag(&frag), false);
    else
        print(&frag);
    return 0;
}

const struct command command_frag = {
    "frag", run, "[--json] PATH", "how well files lie together on swap",
    "  -j, --json  an object, for programs\n",
};

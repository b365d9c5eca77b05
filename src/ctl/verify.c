/* verify.c - pagerctl verify: what is owned, used and charged agrees.
 *
 * A line for each thing found, on standard output as the rest: it is the answer,
 * not an error.  Blocks that follow each other and have the same wrong with them
 * are one line.
 */
#include "ctl.h"

#include <errno.h>
#include <inttypes.h>
#include <unistd.h>

const char *verify_kind(uint64_t what)
{
    static const char *const kinds[] = {
        [PAGERFS_FOUND_TWICE] = "owned twice",
        [PAGERFS_FOUND_FREE] = "owned but free",
        [PAGERFS_FOUND_LEAKED] = "owned by nobody",
        [PAGERFS_FOUND_DATA] = "data",
        [PAGERFS_FOUND_METADATA] = "metadata",
    };

    if (what >= sizeof(kinds) / sizeof(kinds[0]) || !kinds[what])
        return "unknown";
    return kinds[what];
}

static void print_blocks(const struct pagerfs_finding *f)
{
    printf("block %" PRIu64, f->block);
    if (f->nr > 1)
        printf(" to %" PRIu64, f->block + f->nr - 1);
    printf(": %s", verify_kind(f->what));
    if (f->inode)
        printf(", by inode %" PRIu64 " page %" PRIu64, f->inode, f->page);
    putchar('\n');
}

static void print_finding(const struct pagerfs_verify *verify,
                          const struct pagerfs_finding *f)
{
    if (f->what == PAGERFS_FOUND_DATA)
        printf("data: %" PRIu64 " pages charged, files have %" PRIu64 "\n",
               verify->data_charged, verify->data_pages);
    else if (f->what == PAGERFS_FOUND_METADATA)
        printf("metadata: %" PRIu64 " frames charged, %" PRIu64 " in use\n",
               verify->metadata_charged, verify->metadata_frames);
    else
        print_blocks(f);
}

static void print(const struct pagerfs_verify *verify)
{
    printf("%" PRIu64 " files, %" PRIu64 " pages charged, %" PRIu64
           " blocks of swap, %" PRIu64 " frames of metadata\n",
           verify->files, verify->data_charged, verify->blocks,
           verify->metadata_charged);
    for (uint64_t i = 0; i < verify->findings && i < PAGERFS_FINDINGS; i++)
        print_finding(verify, &verify->finding[i]);
    if (verify->findings > PAGERFS_FINDINGS)
        printf("and %" PRIu64 " more\n", verify->findings - PAGERFS_FINDINGS);
    if (verify->findings == 0)
        printf("all is well\n");
}

static int ask(const char *path, struct pagerfs_verify *verify)
{
    int fd = place_open_root(path), err;

    if (fd < 0)
        return -1;
    err = call_try(fd, PAGERFS_IOC_VERIFY, verify);
    close(fd);
    if (err == -ETIMEDOUT)
        complain(path, "requests under way take too long to count anything "
                       "between two of them: try again later");
    else if (err)
        call_explain(path, err);
    return err;
}

static int run(int argc, char **argv)
{
    struct pagerfs_verify verify = { .head = PAGERFS_HEAD(verify) };
    bool json;
    const char *path = words_report(argc, argv, &json);

    if (!path)
        return STATUS_USAGE;
    if (ask(path, &verify) != 0)
        return STATUS_FAILED;
    if (json)
        json_print(stdout, json_verify(&verify), false);
    else
        print(&verify);
    return verify.findings > 0 ? STATUS_FAILED : 0;
}

const struct command command_verify = {
    "verify", run, "[--json] PATH", "every block owned once, used = charged",
    "  -j, --json  an object, for programs\n",
};

/* figures.c - one table of all figures: their names, units, and where they are.
 *
 * What people read and what programs read (json.c) is made from this table, so
 * both have the same names; a name, once here, keeps its meaning.
 */
#include "ctl.h"

#include <inttypes.h>
#include <linux/fuse.h>
#include <string.h>

#define AT(field) offsetof(struct pagerfs_stat, field)
#define PAGES(group, field) { group, #field, AT(field), UNIT_PAGES, false }
#define COUNT(group, field) { group, #field, AT(field), UNIT_COUNT, false }
#define BYTES(group, field) { group, #field, AT(field), UNIT_BYTES, false }
#define RISES(group, field) { group, #field, AT(field), UNIT_COUNT, true }
#define MOVED(group, field) { group, #field, AT(field), UNIT_PAGES, true }

const struct figure figures[] = {
    PAGES("space", limit), PAGES("space", used), PAGES("space", used_max),
    PAGES("space", data), PAGES("space", metadata),
    COUNT("space", nodes), COUNT("space", nodes_limit), COUNT("space", names),
    COUNT("space", orphans),

    PAGES("memory", frames), PAGES("memory", frames_free),
    PAGES("memory", frames_reserve), PAGES("memory", frames_min),
    PAGES("memory", frames_low), PAGES("memory", frames_high),
    PAGES("memory", pages_reading), PAGES("memory", pages_clean),
    PAGES("memory", pages_dirty), PAGES("memory", pages_writing),
    BYTES("memory", ram), BYTES("memory", ram_least),
    BYTES("memory", ram_most),

    PAGES("swap", blocks_max), PAGES("swap", blocks_backed),
    PAGES("swap", blocks_free), PAGES("swap", blocks_used),
    PAGES("swap", blocks_retired),

    MOVED("paging", pageout_pages), RISES("paging", pageout_ios),
    MOVED("paging", pagein_pages), RISES("paging", pagein_ios),
    MOVED("paging", evictions), MOVED("paging", redirtied),
    MOVED("paging", refaults), MOVED("paging", lost),
    MOVED("paging", readahead_pages), MOVED("paging", readahead_used),
    MOVED("paging", readahead_unused),
    { "paging", "writers_waited_ns", AT(writers_waited_ns), UNIT_NS, true },
    { NULL, NULL, 0, UNIT_COUNT, false },
};

/* Those that this kernel's header may not know yet have their number. */
static const char *const requests[PAGERFS_OPCODES] = {
    [FUSE_LOOKUP] = "lookup",
    [FUSE_FORGET] = "forget",
    [FUSE_GETATTR] = "getattr",
    [FUSE_SETATTR] = "setattr",
    [FUSE_READLINK] = "readlink",
    [FUSE_SYMLINK] = "symlink",
    [FUSE_MKNOD] = "mknod",
    [FUSE_MKDIR] = "mkdir",
    [FUSE_UNLINK] = "unlink",
    [FUSE_RMDIR] = "rmdir",
    [FUSE_RENAME] = "rename",
    [FUSE_LINK] = "link",
    [FUSE_OPEN] = "open",
    [FUSE_READ] = "read",
    [FUSE_WRITE] = "write",
    [FUSE_STATFS] = "statfs",
    [FUSE_RELEASE] = "release",
    [FUSE_FSYNC] = "fsync",
    [FUSE_SETXATTR] = "setxattr",
    [FUSE_GETXATTR] = "getxattr",
    [FUSE_LISTXATTR] = "listxattr",
    [FUSE_REMOVEXATTR] = "removexattr",
    [FUSE_FLUSH] = "flush",
    [FUSE_INIT] = "init",
    [FUSE_OPENDIR] = "opendir",
    [FUSE_READDIR] = "readdir",
    [FUSE_RELEASEDIR] = "releasedir",
    [FUSE_FSYNCDIR] = "fsyncdir",
    [FUSE_GETLK] = "getlk",
    [FUSE_SETLK] = "setlk",
    [FUSE_SETLKW] = "setlkw",
    [FUSE_ACCESS] = "access",
    [FUSE_CREATE] = "create",
    [FUSE_INTERRUPT] = "interrupt",
    [FUSE_BMAP] = "bmap",
    [FUSE_DESTROY] = "destroy",
    [FUSE_IOCTL] = "ioctl",
    [FUSE_POLL] = "poll",
    [FUSE_BATCH_FORGET] = "batch_forget",
    [FUSE_FALLOCATE] = "fallocate",
    [FUSE_READDIRPLUS] = "readdirplus",
    [FUSE_RENAME2] = "rename2",
    [FUSE_LSEEK] = "lseek",
    [FUSE_COPY_FILE_RANGE] = "copy_file_range",
    [50] = "syncfs",
    [51] = "tmpfile",
    [52] = "statx",
    [53] = "copy_file_range_64",
};

uint64_t figure_of(const struct pagerfs_stat *stat, const struct figure *figure)
{
    uint64_t value;

    memcpy(&value, (const char *)stat + figure->offset, sizeof(value));
    return value;
}

const char *figure_request(unsigned opcode)
{
    return opcode < PAGERFS_OPCODES ? requests[opcode] : NULL;
}

static void print_figure(FILE *out, const struct figure *figure, uint64_t value)
{
    char text[32];

    fprintf(out, "%-8s %-18s %14" PRIu64, figure->group, figure->name, value);
    if (figure->unit == UNIT_PAGES)
        value *= CTL_PAGE_SIZE;
    if (figure->unit == UNIT_PAGES || figure->unit == UNIT_BYTES)
        fprintf(out, "  %s", number_bytes(value, text, sizeof(text)));
    fputc('\n', out);
}

void figures_print(FILE *out, const struct pagerfs_stat *stat)
{
    fprintf(out, "%-8s %-18s %14" PRIu64 " s\n", "mount", "uptime",
            stat->uptime_ns / 1000000000u);
    fprintf(out, "%-8s %-18s %14s\n", "mount", "transport", stat->transport);
    fprintf(out, "%-8s %-18s %14s\n", "mount", "swap_engine",
            stat->swap_engine);
    fprintf(out, "%-8s %-18s %14s\n", "mount", "replacement",
            stat->replacement);
    for (const struct figure *f = figures; f->name; f++)
        print_figure(out, f, figure_of(stat, f));
    for (unsigned op = 0; op < PAGERFS_OPCODES; op++)
        if (figure_request(op) && stat->requests[op] > 0)
            fprintf(out, "%-8s %-18s %14" PRIu64 "\n", "requests",
                    figure_request(op), stat->requests[op]);
}

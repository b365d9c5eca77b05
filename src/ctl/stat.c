/* stat.c - pagerctl stat: all figures once, or what has happened since the last
 * look, again and again.
 *
 * With -w a line an interval, in the manner of vmstat(8): rates are those since
 * the line before, by the daemon's own clock.  The mount is open only while it is
 * asked, so that it can be unmounted at any time, which ends it.
 */
#include "ctl.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <linux/fuse.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { LINES_A_HEAD = 20 };

struct wanted {
    double seconds; /* 0: once */
    uint64_t count; /* 0: for ever */
    bool json;
    const char *path;
};

static void print_once(const struct pagerfs_stat *stat, bool json)
{
    if (json)
        json_print(stdout, json_stat(stat, NULL), false);
    else
        figures_print(stdout, stat);
}

static double rate(uint64_t now, uint64_t before, double seconds)
{
    return seconds > 0 ? (double)(now - before) / seconds : 0;
}

static double mib(double pages)
{
    return pages * CTL_PAGE_SIZE / (1024 * 1024);
}

static uint64_t all_requests(const struct pagerfs_stat *stat)
{
    uint64_t sum = 0;

    for (unsigned op = 0; op < PAGERFS_OPCODES; op++)
        sum += stat->requests[op];
    return sum;
}

static void print_head(void)
{
    printf("-------- MiB ------- --- MiB/s --- ------ pages/s ----- "
           "------ requests/s ------  waited\n"
           "   used   free  dirty    out     in  evict  ahead unused "
           "    all    read   write    ms/s\n");
}

static void print_line(const struct pagerfs_stat *now,
                       const struct pagerfs_stat *before)
{
    double s = (double)(now->uptime_ns - before->uptime_ns) / 1e9;

#define RATE(field) rate(now->field, before->field, s)
    printf("%7.0f%7.0f%7.0f%7.1f%7.1f%7.0f%7.0f%7.0f%8.0f%8.0f%8.0f%8.0f\n",
           mib((double)now->used), mib((double)now->frames_free),
           mib((double)now->pages_dirty), mib(RATE(pageout_pages)),
           mib(RATE(pagein_pages)), RATE(evictions), RATE(readahead_pages),
           RATE(readahead_unused),
           rate(all_requests(now), all_requests(before), s),
           RATE(requests[FUSE_READ]), RATE(requests[FUSE_WRITE]),
           RATE(writers_waited_ns) / 1e6);
#undef RATE
}

static void pause_for(double seconds)
{
    double whole = floor(seconds);
    struct timespec time = { (time_t)whole, (long)((seconds - whole) * 1e9) };

    nanosleep(&time, NULL);
}

/* Nothing of ours is where the mount was. */
static bool is_gone(int err)
{
    return err == -ENOENT || err == -ENOTDIR || err == -ENOTTY ||
           err == -EOPNOTSUPP;
}

/* The next look at the mount of this device.  Another that is there instead may
 * have got its number, but is younger. */
static int look_again(const char *path, struct pagerfs_stat *now, dev_t device,
                      const struct pagerfs_stat *before)
{
    dev_t there;
    int err = call_stat(path, now, &there);

    if (is_gone(err) ||
        (!err && (there != device || now->uptime_ns < before->uptime_ns))) {
        complain(path, "is not there any more: removed, or not mounted");
        return -ENOENT;
    }
    if (err)
        call_explain(path, err);
    return err;
}

static int watch(const struct wanted *wanted, struct pagerfs_stat before,
                 dev_t device)
{
    struct pagerfs_stat now;

    for (uint64_t n = 0; wanted->count == 0 || n < wanted->count; n++) {
        pause_for(wanted->seconds);
        if (look_again(wanted->path, &now, device, &before) != 0)
            return STATUS_FAILED;
        if (!wanted->json && n % LINES_A_HEAD == 0)
            print_head();
        if (wanted->json)
            json_print(stdout, json_stat(&now, &before), true);
        else
            print_line(&now, &before);
        if (!words_flush())
            return STATUS_FAILED;
        before = now;
    }
    return 0;
}

static bool take_seconds(struct wanted *wanted, const char *word)
{
    char *end;

    wanted->seconds = strtod(word, &end);
    if (*end == '\0' && wanted->seconds >= 0.01 && wanted->seconds <= 1e6)
        return true;
    complain("-w", "%s is no interval: give seconds, 0.01 to 1000000", word);
    return false;
}

static bool take_count(struct wanted *wanted, const char *word)
{
    if (number_plain(word, &wanted->count) && wanted->count > 0)
        return true;
    complain("-c", "%s is no number of lines: give 1 or more", word);
    return false;
}

static bool take_option(struct wanted *wanted, int option)
{
    switch (option) {
    case 'j':
        wanted->json = true;
        return true;
    case 'w':
        return take_seconds(wanted, optarg);
    case 'c':
        return take_count(wanted, optarg);
    default:
        return false;
    }
}

static bool take(struct wanted *wanted, int argc, char **argv)
{
    static const struct option options[] = {
        { "json", no_argument, NULL, 'j' },
        { "watch", required_argument, NULL, 'w' },
        { "count", required_argument, NULL, 'c' },
        { NULL, 0, NULL, 0 },
    };
    char **word;
    int option;

    *wanted = (struct wanted){ .seconds = 0 };
    while ((option = words_option(argc, argv, ":w:c:j", options)) != -1)
        if (!take_option(wanted, option))
            return false;
    if (wanted->count > 0 && wanted->seconds <= 0) {
        complain("-c", "is for lines of -w: give -w SECONDS, too");
        return false;
    }
    word = words_rest(argc, argv, 1, 1, WORDS_PATH);
    if (word)
        wanted->path = word[0];
    return word;
}

static int run(int argc, char **argv)
{
    struct pagerfs_stat stat;
    struct wanted wanted;
    dev_t device;
    int err;

    if (!take(&wanted, argc, argv))
        return STATUS_USAGE;
    err = call_stat(wanted.path, &stat, &device);
    if (err) {
        call_explain(wanted.path, err);
        return STATUS_FAILED;
    }
    if (wanted.seconds > 0)
        return watch(&wanted, stat, device);
    print_once(&stat, wanted.json);
    return 0;
}

const struct command command_stat = {
    "stat", run, "[-w SECONDS [-c COUNT]] [--json] PATH",
    "figures: space, memory, swap, paging, requests",
    "  -w, --watch SECONDS  a line each interval with what happened in it\n"
    "  -c, --count COUNT    so many of them\n"
    "  -j, --json           objects, for programs\n",
};

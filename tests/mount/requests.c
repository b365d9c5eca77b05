/* requests - how many requests each system call makes the kernel send.
 *
 *     requests LOG DIRECTORY
 *
 * LOG is what the daemon says with -o debug: a line with "opcode:" for each
 * request, written before the answer.  RELEASE and FORGET are sent when nobody
 * waits, so they are left out here, and counted by requests.sh.
 *
 * Each call is done in a directory that the kernel knows, and in one that has
 * changed since, where one GETATTR more is due: the kernel checks its modes.
 * Several times, because what it keeps of directories is good for a second only,
 * and then it asks again; but most must be right. */
#include "probe.h"

#include <dirent.h>
#include <sys/xattr.h>

enum { TRIES = 20, MAY_FAIL = TRIES / 4, ENTRIES = 100, NAME_BYTES = 32,
       KINDS = 64 };

static FILE *log_file;
static char name[NAME_BYTES]; /* new for each try */
static char page[PAGE];

/* --- counting ------------------------------------------------------------ */

struct count {
    unsigned nr;
    char kinds[256]; /* their names */
};

static bool counts(const char *kind)
{
    return strncmp(kind, "RELEASE", 7) != 0 && strcmp(kind, "FORGET") != 0 &&
           strcmp(kind, "BATCH_FORGET") != 0;
}

/* What was added to the log since the last time. */
static struct count count_new(void)
{
    struct count count = { 0 };
    char line[1024];

    clearerr(log_file);
    while (fgets(line, sizeof(line), log_file)) {
        char *opcode = strstr(line, "opcode: ");
        char kind[KINDS];
        size_t used = strlen(count.kinds);

        if (!opcode || sscanf(opcode + 8, "%63s", kind) != 1 || !counts(kind))
            continue;
        count.nr++;
        snprintf(count.kinds + used, sizeof(count.kinds) - used, " %s", kind);
    }
    return count;
}

/* --- calls --------------------------------------------------------------- */

static void nothing(void)
{
}

static void make(void)
{
    int fd = open(name, O_CREAT | O_WRONLY, 0644);

    CHECK(fd >= 0 && write(fd, page, PAGE) == PAGE && close(fd) == 0);
}

static void make_and_read(void)
{
    char byte;
    int fd;

    make();
    fd = open(name, O_RDONLY);
    CHECK(fd >= 0 && read(fd, &byte, 1) == 1 && close(fd) == 0);
    stat_of(name);
}

static void call_stat(void)
{
    stat_of(name);
}

static void call_read(void)
{
    char byte;
    int fd = open(name, O_RDONLY);

    CHECK(fd >= 0 && read(fd, &byte, 1) == 1 && close(fd) == 0);
}

static void call_overwrite(void)
{
    int fd = open(name, O_WRONLY);

    CHECK(fd >= 0 && write(fd, page, PAGE) == PAGE && close(fd) == 0);
}

static void call_create(void)
{
    int fd = open(name, O_CREAT | O_WRONLY, 0644);

    CHECK(fd >= 0 && close(fd) == 0);
}

static void ask_absent(void)
{
    CHECK(!exists(name));
}

static void call_chmod(void)
{
    CHECK(chmod(name, 0600) == 0);
}

static void call_unlink(void)
{
    CHECK(unlink(name) == 0);
}

static void call_rename(void)
{
    char to[NAME_BYTES + 1];

    snprintf(to, sizeof(to), "%s+", name);
    CHECK(rename(name, to) == 0);
}

static void call_mkdir(void)
{
    CHECK(mkdir(name, 0755) == 0);
}

static void call_rmdir(void)
{
    CHECK(rmdir(name) == 0);
}

static void make_link(void)
{
    char target[PAGE];

    CHECK(symlink("some/where/else", name) == 0);
    CHECK(readlink(name, target, sizeof(target)) == 15);
}

static void call_readlink(void)
{
    char target[PAGE];

    CHECK(readlink(name, target, sizeof(target)) == 15);
}

/* As `ls -l`, without what coreutils asks besides. */
static void list(void)
{
    DIR *dir = opendir(name);
    const struct dirent *entry;
    struct stat st;
    int nr = 0;

    CHECK(dir);
    while ((entry = readdir(dir))) {
        CHECK(fstatat(dirfd(dir), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) ==
              0);
        nr++;
    }
    CHECK(nr == ENTRIES + 2 && closedir(dir) == 0);
}

static void make_listed(void)
{
    char path[2 * NAME_BYTES];

    CHECK(mkdir(name, 0755) == 0);
    for (int i = 0; i < ENTRIES; i++) {
        snprintf(path, sizeof(path), "%s/%d", name, i);
        make_file(path, "", 0);
    }
    list();
    list();
}

static void call_fsync(void)
{
    int fd = open(name, O_WRONLY);

    CHECK(fd >= 0 && fsync(fd) == 0 && close(fd) == 0);
}

/* --- each of them -------------------------------------------------------- */

struct call {
    const char *what;
    void (*before)(void);
    void (*call)(void);
    unsigned most; /* in a directory that is known */
};

static const struct call calls[] = {
    { "stat, known", make_and_read, call_stat, 0 },
    { "stat of what is not there, again", ask_absent, ask_absent, 0 },
    { "open, read, close; cached", make_and_read, call_read, 1 },
    { "open, write 4 KiB, close", make_and_read, call_overwrite, 3 },
    { "create, close", nothing, call_create, 2 },
    { "create, write 4 KiB, close", nothing, make, 4 },
    { "chmod", make_and_read, call_chmod, 1 },
    { "unlink", make_and_read, call_unlink, 1 },
    { "rename", make_and_read, call_rename, 2 },
    { "mkdir", nothing, call_mkdir, 2 },
    { "rmdir", call_mkdir, call_rmdir, 1 },
    { "readlink, known", make_link, call_readlink, 0 },
    { "open, fsync, close", make_and_read, call_fsync, 1 },
    { "100 names listed and looked at, again", make_listed, list, 1 },
};

static void know_directory(void)
{
    stat_of(".");
}

static void change_directory(void)
{
    make_file("change", "", 0);
    CHECK(unlink("change") == 0);
}

static bool costs(const struct call *call, bool changed)
{
    unsigned most = call->most + changed, beyond = 0;
    struct count count, best = { .nr = UINT32_MAX }, worst = { .nr = 0 };

    for (int try = 0; try < TRIES; try++) {
        snprintf(name, sizeof(name), "n%td-%d-%d", call - calls, changed, try);
        call->before();
        if (changed)
            change_directory();
        else
            know_directory();
        count_new();
        call->call();
        count = count_new();
        beyond += count.nr > most;
        best = count.nr < best.nr ? count : best;
        worst = count.nr > worst.nr ? count : worst;
    }
    printf("%-40s %-8s %2u  %s\n", call->what, changed ? "changed" : "",
           best.nr, best.kinds);
    if (beyond <= MAY_FAIL)
        return true;
    fprintf(stderr, "%s%s: more than %u requests, %u times of %u: %s\n",
            call->what, changed ? ", directory changed" : "", most, beyond,
            TRIES, worst.kinds);
    return false;
}

int main(int argc, char **argv)
{
    bool good = true;

    CHECK(argc == 3);
    log_file = fopen(argv[1], "r");
    CHECK(log_file && chdir(argv[2]) == 0);
    for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
        good &= costs(&calls[i], false);
        good &= costs(&calls[i], true);
    }
    return good ? EXIT_SUCCESS : EXIT_FAILURE;
}

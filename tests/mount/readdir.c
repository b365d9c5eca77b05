/* Reading a directory shows each entry that stays exactly once, whatever else
 * comes and goes meanwhile. */
#include "probe.h"

#include <dirent.h>

enum { STAY = 3000, CHURN = 3000 };

static void name_of(char *name, const char *prefix, int i)
{
    sprintf(name, "%s%d", prefix, i);
}

static void touch(const char *prefix, int i)
{
    char name[32];
    int fd;

    name_of(name, prefix, i);
    fd = open(name, O_CREAT | O_WRONLY, 0644);
    CHECK(fd >= 0 && close(fd) == 0);
}

static void drop(const char *prefix, int i)
{
    char name[32];

    name_of(name, prefix, i);
    CHECK(unlink(name) == 0);
}

/* While one scan goes on, the churn files are removed, made again and renamed;
 * those that stay must be seen once each. */
static void stable_under_churn(void)
{
    static uint8_t seen[STAY];
    char from[32], to[32];
    struct dirent *entry;
    int step = 0, number;
    DIR *dir;

    memset(seen, 0, sizeof(seen));
    for (int i = 0; i < STAY; i++) {
        touch("stay", i);
        touch("churn", i % CHURN);
    }
    dir = opendir(".");
    CHECK(dir != NULL);
    while ((entry = readdir(dir)) != NULL) {
        if (sscanf(entry->d_name, "stay%d", &number) == 1) {
            CHECK(number < STAY && ++seen[number] == 1);
            CHECK(entry->d_type == DT_REG);
        }
        drop("churn", step % CHURN);
        touch("churn", step % CHURN);
        name_of(from, "churn", (step + 7) % CHURN);
        name_of(to, "other", (step + 7) % CHURN);
        CHECK(rename(from, to) == 0 && rename(to, from) == 0);
        CHECK(step++ < 4 * (STAY + CHURN)); /* the scan must end */
    }
    CHECK(closedir(dir) == 0);
    for (int i = 0; i < STAY; i++)
        CHECK(seen[i] == 1);
}

static void positions_stay_good(void)
{
    enum { COUNT = 500 };
    static long position[COUNT + 2];
    static char names[COUNT + 2][32];
    struct dirent *entry;
    int count = 0;
    DIR *dir;

    for (int i = 0; i < COUNT; i++)
        touch("f", i);
    dir = opendir(".");
    for (;;) {
        long here = telldir(dir);

        entry = readdir(dir);
        if (entry == NULL)
            break;
        CHECK(count < COUNT + 2);
        position[count] = here;
        strcpy(names[count++], entry->d_name);
    }
    CHECK(count == COUNT + 2);
    for (int i = 0; i < COUNT; i += 2)
        drop("f", i);
    /* Backwards, so that no buffer of readdir helps. */
    for (int i = count - 1; i >= 0; i--) {
        if (!exists(names[i]))
            continue;
        seekdir(dir, position[i]);
        entry = readdir(dir);
        CHECK(entry != NULL && strcmp(entry->d_name, names[i]) == 0);
    }
    CHECK(closedir(dir) == 0);
}

static void removing_while_reading(void)
{
    enum { COUNT = 20000 };
    struct dirent *entry;
    int removed = 0;
    DIR *dir;

    for (int i = 0; i < COUNT; i++)
        touch("f", i);
    dir = opendir(".");
    while ((entry = readdir(dir)) != NULL)
        if (entry->d_name[0] == 'f')
            CHECK(unlink(entry->d_name) == 0 && ++removed);
    CHECK(removed == COUNT);
    rewinddir(dir);
    for (int i = 0; i < 2; i++) {
        entry = readdir(dir);
        CHECK(entry != NULL && entry->d_name[0] == '.');
    }
    CHECK(readdir(dir) == NULL && closedir(dir) == 0);
}

/* A scan that makes what it will see next would never end. */
static void new_entries_do_not_feed_the_scan(void)
{
    char from[32], to[32];
    struct dirent *entry;
    int step = 0;
    DIR *dir;

    for (int i = 0; i < 1000; i++)
        touch("old", i);
    dir = opendir(".");
    while ((entry = readdir(dir)) != NULL) {
        if (entry->d_name[0] == '.')
            continue;
        snprintf(from, sizeof(from), "%.31s", entry->d_name);
        name_of(to, "new", step);
        CHECK(rename(from, to) == 0);
        touch("more", step);
        CHECK(step++ < 10000);
    }
    CHECK(closedir(dir) == 0);
}

static void dots_and_numbers(void)
{
    ino_t here = stat_of(".").st_ino, up = stat_of("..").st_ino;
    struct dirent *entry;
    int seen = 0;
    DIR *dir;

    make_file("f", "x", 1);
    CHECK(symlink("f", "l") == 0 && mkdir("d", 0755) == 0);
    dir = opendir(".");
    while ((entry = readdir(dir)) != NULL) {
        if (strcmp(entry->d_name, ".") == 0)
            CHECK(entry->d_ino == here && entry->d_type == DT_DIR);
        else if (strcmp(entry->d_name, "..") == 0)
            CHECK(entry->d_ino == up && entry->d_type == DT_DIR);
        else
            CHECK(entry->d_ino == stat_of(entry->d_name).st_ino);
        if (strcmp(entry->d_name, "l") == 0)
            CHECK(entry->d_type == DT_LNK);
        seen++;
    }
    CHECK(seen == 5 && closedir(dir) == 0);
}

PROBE_MAIN(CASE(stable_under_churn), CASE(positions_stay_good),
           CASE(removing_while_reading), CASE(new_entries_do_not_feed_the_scan),
           CASE(dots_and_numbers))

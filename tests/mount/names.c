/* Names: up to 255 bytes of anything but '/' and NUL, and directories of them. */
#include "probe.h"

/* "nnn...": the end of one long name, so all of them can be used at once. */
static const char *name_of(size_t length)
{
    static char name[257];

    memset(name, 'n', sizeof(name) - 1);
    return name + sizeof(name) - 1 - length;
}

static void longest_name(void)
{
    struct stat st;

    make_file(name_of(255), "x", 1);
    CHECK(exists(name_of(255)) && !exists(name_of(254)));
    CHECK(link(name_of(255), name_of(254)) == 0);
    CHECK(rename(name_of(254), name_of(253)) == 0);
    CHECK(unlink(name_of(255)) == 0 && exists(name_of(253)));
    CHECK_FAILS(ENAMETOOLONG, open(name_of(256), O_CREAT | O_WRONLY, 0644));
    CHECK_FAILS(ENAMETOOLONG, stat(name_of(256), &st));
    CHECK_FAILS(ENAMETOOLONG, mkdir(name_of(256), 0755));
    CHECK_FAILS(ENAMETOOLONG, symlink("x", name_of(256)));
    CHECK_FAILS(ENAMETOOLONG, link(name_of(253), name_of(256)));
    CHECK_FAILS(ENAMETOOLONG, rename(name_of(253), name_of(256)));
}

static void any_byte(void)
{
    char name[3] = "x";

    for (int c = 1; c < 256; c++) {
        if (c == '/')
            continue;
        name[1] = (char)c;
        make_file(name, &name[1], 1);
    }
    for (int c = 1; c < 256; c++) {
        name[1] = (char)c;
        CHECK(exists(name) == (c != '/'));
    }
}

static void directories(void)
{
    CHECK(mkdir("d", 0751) == 0);
    CHECK((stat_of("d").st_mode & 07777) == 0751);
    CHECK(stat_of("d").st_nlink == 2);
    CHECK(mkdir("d/e", 0755) == 0 && stat_of("d").st_nlink == 3);
    CHECK_FAILS(EEXIST, mkdir("d", 0755));
    CHECK_FAILS(ENOTEMPTY, rmdir("d"));
    CHECK_FAILS(EISDIR, unlink("d"));
    make_file("f", "x", 1);
    CHECK_FAILS(ENOTDIR, rmdir("f"));
    CHECK_FAILS(ENOTDIR, mkdir("f/g", 0755));
    CHECK_FAILS(EINVAL, rmdir("d/."));
    CHECK_FAILS(ENOTEMPTY, rmdir("d/e/.."));
    CHECK(rmdir("d/e") == 0 && stat_of("d").st_nlink == 2 && rmdir("d") == 0);
    CHECK_FAILS(ENOENT, rmdir("d"));
}

/* 1,000 directories inside one another, by relative steps. */
static void deep(void)
{
    enum { DEPTH = 1000 };

    for (int i = 0; i < DEPTH; i++)
        CHECK(mkdir("d", 0755) == 0 && chdir("d") == 0);
    for (int i = 0; i < DEPTH; i++)
        CHECK(chdir("..") == 0 && rmdir("d") == 0);
}

static void absent_again_and_again(void)
{
    for (int i = 0; i < 100; i++) {
        CHECK(!exists("f"));
        make_file("f", "x", 1);
        CHECK(exists("f"));
        CHECK(unlink("f") == 0);
    }
}

PROBE_MAIN(CASE(longest_name), CASE(any_byte), CASE(directories), CASE(deep),
           CASE(absent_again_and_again))

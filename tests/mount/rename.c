/* rename(2) with all its flags, across directories, over files and empty
 * directories, with link counts and ".." right afterwards. */
#include "probe.h"

static ino_t ino_of(const char *path)
{
    return stat_of(path).st_ino;
}

static nlink_t links_of(const char *path)
{
    return stat_of(path).st_nlink;
}

static int rename2(const char *from, const char *to, unsigned flags)
{
    return renameat2(AT_FDCWD, from, AT_FDCWD, to, flags);
}

static void over_a_file(void)
{
    ino_t a;

    make_file("a", "a", 1);
    make_file("b", "b", 1);
    a = ino_of("a");
    CHECK(rename("a", "b") == 0);
    CHECK(!exists("a") && ino_of("b") == a && links_of("b") == 1);
    CHECK(rename("b", "b") == 0 && ino_of("b") == a);
    CHECK(link("b", "c") == 0);
    CHECK(rename("b", "c") == 0); /* the same file: nothing happens */
    CHECK(exists("b") && links_of("c") == 2);
}

static void noreplace(void)
{
    make_file("a", "a", 1);
    make_file("b", "b", 1);
    CHECK_FAILS(EEXIST, rename2("a", "b", RENAME_NOREPLACE));
    CHECK(exists("a") && exists("b"));
    CHECK(rename2("a", "c", RENAME_NOREPLACE) == 0);
    CHECK(!exists("a") && exists("c"));
}

static void exchange(void)
{
    ino_t file, dir;

    CHECK(mkdir("one", 0755) == 0 && mkdir("two", 0755) == 0);
    CHECK(mkdir("one/dir", 0755) == 0 && mkdir("one/dir/sub", 0755) == 0);
    make_file("two/file", "x", 1);
    dir = ino_of("one/dir");
    file = ino_of("two/file");
    CHECK_FAILS(ENOENT, rename2("one/dir", "two/absent", RENAME_EXCHANGE));
    CHECK(rename2("one/dir", "two/file", RENAME_EXCHANGE) == 0);
    CHECK(ino_of("one/dir") == file && ino_of("two/file") == dir);
    CHECK(links_of("one") == 2 && links_of("two") == 3);
    CHECK(ino_of("two/file/..") == ino_of("two"));
    CHECK(ino_of("two/file/sub/..") == dir);
    CHECK_FAILS(EINVAL, rename2("one/dir", "two/file",
                                RENAME_EXCHANGE | RENAME_NOREPLACE));
}

static void directory_moves(void)
{
    CHECK(mkdir("one", 0755) == 0 && mkdir("two", 0755) == 0);
    CHECK(mkdir("one/dir", 0755) == 0);
    make_file("one/dir/f", "x", 1);
    CHECK(links_of("one") == 3 && links_of("two") == 2);
    CHECK(rename("one/dir", "two/moved") == 0);
    CHECK(links_of("one") == 2 && links_of("two") == 3);
    CHECK(ino_of("two/moved/..") == ino_of("two"));
    CHECK(exists("two/moved/f") && !exists("one/dir"));
}

static void over_a_directory(void)
{
    CHECK(mkdir("a", 0755) == 0 && mkdir("b", 0755) == 0);
    make_file("a/f", "x", 1);
    CHECK(rename("a", "b") == 0);
    CHECK(exists("b/f") && !exists("a"));
    CHECK(mkdir("c", 0755) == 0);
    CHECK(rename("c", "b") == -1 && (errno == ENOTEMPTY || errno == EEXIST));
    make_file("file", "x", 1);
    CHECK_FAILS(ENOTDIR, rename("c", "file"));
    CHECK_FAILS(EISDIR, rename("file", "c"));
}

static void not_into_itself(void)
{
    CHECK(mkdir("a", 0755) == 0 && mkdir("a/b", 0755) == 0);
    CHECK_FAILS(EINVAL, rename("a", "a/b/c"));
    CHECK_FAILS(EINVAL, rename2("a", "a/b", RENAME_EXCHANGE));
    CHECK(rename("a/b", "a") == -1 && (errno == ENOTEMPTY || errno == EEXIST));
    CHECK_FAILS(ENOENT, rename("absent", "x"));
}

/* An open directory stays the same directory, wherever it is. */
static void open_directory_follows(void)
{
    int dir;

    CHECK(mkdir("a", 0755) == 0 && mkdir("b", 0755) == 0);
    dir = open("a", O_RDONLY | O_DIRECTORY);
    CHECK(rename("a", "b/a") == 0);
    CHECK(symlinkat("x", dir, "link") == 0);
    CHECK(exists("b/a/link"));
    close(dir);
}

PROBE_MAIN(CASE(over_a_file), CASE(noreplace), CASE(exchange),
           CASE(directory_moves), CASE(over_a_directory), CASE(not_into_itself),
           CASE(open_directory_follows))

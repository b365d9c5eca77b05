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

/* Where a name was moved away, a whiteout stays: what overlayfs takes for
 * "deleted", a character device 0:0. */
static void whiteout(void)
{
    ino_t a;

    make_file("a", "a", 1);
    make_file("b", "b", 1);
    a = ino_of("a");
    CHECK_FAILS(EINVAL, rename2("a", "b", RENAME_WHITEOUT | RENAME_EXCHANGE));
    CHECK_FAILS(EEXIST, rename2("a", "b", RENAME_WHITEOUT | RENAME_NOREPLACE));
    CHECK_FAILS(ENOENT, rename2("absent", "b", RENAME_WHITEOUT));
    CHECK(ino_of("a") == a && !exists("absent"));
    CHECK(rename2("a", "b", RENAME_WHITEOUT) == 0);
    CHECK(ino_of("b") == a && links_of("b") == 1);
    CHECK(S_ISCHR(stat_of("a").st_mode) && stat_of("a").st_rdev == 0);
    CHECK(links_of("a") == 1 && ino_of("a") != a);
    CHECK(stat_of("a").st_uid == geteuid());
    CHECK(rename("b", "a") == 0 && ino_of("a") == a);
}

static void whiteout_of_a_directory(void)
{
    CHECK(mkdir("one", 0755) == 0 && mkdir("two", 0755) == 0);
    CHECK(mkdir("one/dir", 0755) == 0 && mkdir("one/dir/sub", 0755) == 0);
    CHECK(rename2("one/dir", "two/dir", RENAME_WHITEOUT) == 0);
    CHECK(S_ISCHR(stat_of("one/dir").st_mode));
    CHECK(links_of("one") == 2 && links_of("two") == 3);
    CHECK(ino_of("two/dir/..") == ino_of("two") && exists("two/dir/sub"));
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

/* The parents count what they have, and the one that was there is gone. */
static void over_an_empty_directory(void)
{
    int there;
    struct stat st;

    CHECK(mkdir("one", 0755) == 0 && mkdir("two", 0755) == 0);
    CHECK(mkdir("one/dir", 0755) == 0 && mkdir("one/dir/sub", 0755) == 0);
    CHECK(mkdir("two/dir", 0755) == 0);
    there = open("two/dir", O_RDONLY | O_DIRECTORY);
    CHECK(there >= 0 && rename("one/dir", "two/dir") == 0);
    CHECK(links_of("one") == 2 && links_of("two") == 3);
    CHECK(ino_of("two/dir/..") == ino_of("two") && links_of("two/dir") == 3);
    CHECK(fstat(there, &st) == 0 && st.st_nlink == 0);
    CHECK_FAILS(ENOENT, mkdirat(there, "late", 0755));
    CHECK(close(there) == 0);
    CHECK(rename("two/dir/sub", "two/sub") == 0);
    CHECK(links_of("two/dir") == 2 && links_of("two") == 4);
}

/* Two directories change places: each has the other's parent. */
static void exchanged_directories(void)
{
    CHECK(mkdir("one", 0755) == 0 && mkdir("two", 0755) == 0);
    CHECK(mkdir("one/a", 0755) == 0 && mkdir("two/b", 0755) == 0);
    CHECK(mkdir("one/a/sub", 0755) == 0);
    CHECK(rename2("one/a", "two/b", RENAME_EXCHANGE) == 0);
    CHECK(links_of("one") == 3 && links_of("two") == 3);
    CHECK(ino_of("one/a/..") == ino_of("one") && links_of("one/a") == 2);
    CHECK(ino_of("two/b/..") == ino_of("two") && links_of("two/b") == 3);
    CHECK(ino_of("two/b/sub/..") == ino_of("two/b"));
    CHECK_FAILS(EINVAL, rename2("two", "two/b/sub", RENAME_EXCHANGE));
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
           CASE(whiteout), CASE(whiteout_of_a_directory), CASE(directory_moves),
           CASE(over_a_directory), CASE(over_an_empty_directory),
           CASE(exchanged_directories), CASE(not_into_itself),
           CASE(open_directory_follows))

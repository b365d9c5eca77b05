/* Which operation moves which of the times of which file: the rules of tmpfs,
 * as a table.
 *
 * The times of access are read where relatime and strictatime agree: they were
 * long past.  No case waits: a time has moved when it is not what it was, and
 * the clock has ticked in between. */
#include "probe.h"

#include <dirent.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/xattr.h>

/* What there is for every row: d/f of a page with an attribute and d/l to it,
 * e/g, and empty directories d/sub and e/sub. */
enum { F, G, L, D, E, SUB, WATCHED };
static const char *const watched[WATCHED] = {
    "d/f", "e/g", "d/l", "d", "e", "d/sub",
};

static int opened(int flags)
{
    int fd = open("d/f", flags);

    CHECK(fd >= 0);
    return fd;
}

static void nothing(void)
{
}

static void do_open(void)
{
    close(opened(O_RDWR));
    close(opened(O_RDWR | O_CREAT));
}

static void do_stat(void)
{
    struct stat st;

    CHECK(stat("d/f", &st) == 0 && access("d/f", W_OK) == 0);
    CHECK(!exists("d/absent"));
}

static void follow(void)
{
    struct stat st;

    CHECK(stat("d/l", &st) == 0);
}

static void do_read(void)
{
    char byte;
    int fd = opened(O_RDONLY);

    CHECK(read(fd, &byte, 1) == 1 && close(fd) == 0);
}

static void do_write(void)
{
    int fd = opened(O_WRONLY);

    CHECK(write(fd, "y", 1) == 1 && close(fd) == 0);
}

static void write_nothing(void)
{
    int fd = opened(O_WRONLY);

    CHECK(write(fd, "y", 0) == 0 && close(fd) == 0);
}

static void do_append(void)
{
    int fd = opened(O_WRONLY | O_APPEND);

    CHECK(write(fd, "y", 1) == 1 && close(fd) == 0);
}

static void do_sync(void)
{
    int fd = opened(O_RDWR);

    CHECK(fsync(fd) == 0 && close(fd) == 0);
}

static void open_truncating(void)
{
    close(opened(O_WRONLY | O_TRUNC));
}

static void grow(void)
{
    CHECK(truncate("d/f", 2 * PAGE) == 0);
}

static void shrink(void)
{
    CHECK(truncate("d/f", 1) == 0);
}

static void allocate(void)
{
    int fd = opened(O_WRONLY);

    CHECK(fallocate(fd, 0, PAGE, PAGE) == 0 && close(fd) == 0);
}

static void allocate_beyond(void)
{
    int fd = opened(O_WRONLY);

    CHECK(fallocate(fd, FALLOC_FL_KEEP_SIZE, PAGE, PAGE) == 0);
    CHECK(close(fd) == 0);
}

static void punch(void)
{
    int mode = FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE;
    int fd = opened(O_WRONLY);

    CHECK(fallocate(fd, mode, 0, PAGE) == 0 && close(fd) == 0);
}

/* FUSE's kernel side does not think of the times of what is copied from, and
 * learns of them when it asks again. */
static void copy(void)
{
    struct statx stx;
    int in = opened(O_RDONLY), out = open("e/g", O_WRONLY);

    CHECK(out >= 0 && copy_file_range(in, NULL, out, NULL, PAGE, 0) == PAGE);
    CHECK(statx(in, "", AT_EMPTY_PATH | AT_STATX_FORCE_SYNC, STATX_BASIC_STATS,
                &stx) == 0);
    CHECK(close(in) == 0 && close(out) == 0);
}

static void change_mode(void)
{
    CHECK(chmod("d/f", 0600) == 0);
}

static void change_owner(void)
{
    CHECK(chown("d/f", geteuid(), getegid()) == 0);
}

static void change_nobody(void)
{
    CHECK(chown("d/f", (uid_t)-1, (gid_t)-1) == 0);
}

static void set_attribute(void)
{
    CHECK(setxattr("d/f", "user.a", "2", 1, 0) == 0);
}

static void remove_attribute(void)
{
    CHECK(removexattr("d/f", "user.a") == 0);
}

static void read_attribute(void)
{
    char bytes[16];

    CHECK(getxattr("d/f", "user.a", bytes, sizeof(bytes)) == 1);
    CHECK(listxattr("d/f", bytes, sizeof(bytes)) >= 7);
}

static void set_flags(void)
{
    int fd = opened(O_RDONLY), flags = FS_NODUMP_FL;

    CHECK(ioctl(fd, FS_IOC_SETFLAGS, &flags) == 0 && close(fd) == 0);
}

static void set_atime(void)
{
    struct timespec times[2] = { { 5, 6 }, { 0, UTIME_OMIT } };

    CHECK(utimensat(AT_FDCWD, "d/f", times, 0) == 0);
}

static void set_mtime(void)
{
    struct timespec times[2] = { { 0, UTIME_OMIT }, { 0, UTIME_NOW } };

    CHECK(utimensat(AT_FDCWD, "d/f", times, 0) == 0);
}

static void set_no_time(void)
{
    struct timespec times[2] = { { 0, UTIME_OMIT }, { 0, UTIME_OMIT } };

    CHECK(utimensat(AT_FDCWD, "d/f", times, 0) == 0);
}

static void create(void)
{
    int fd = open("d/new", O_WRONLY | O_CREAT, 0600);

    CHECK(fd >= 0 && close(fd) == 0);
}

static void create_unnamed(void)
{
    int fd = open("d", O_TMPFILE | O_WRONLY, 0600);

    CHECK(fd >= 0 && close(fd) == 0);
}

static void make_node(void)
{
    CHECK(mkfifo("d/new", 0600) == 0);
}

static void make_dir(void)
{
    CHECK(mkdir("d/new", 0700) == 0);
}

static void make_symlink(void)
{
    CHECK(symlink("f", "d/new") == 0);
}

static void make_link(void)
{
    CHECK(link("d/f", "e/new") == 0);
}

static void do_unlink(void)
{
    CHECK(unlink("d/f") == 0);
}

static void do_rmdir(void)
{
    CHECK(rmdir("d/sub") == 0);
}

static void move_here(void)
{
    CHECK(rename("d/f", "d/new") == 0);
}

static void move_there(void)
{
    CHECK(rename("d/f", "e/new") == 0);
}

static void move_over(void)
{
    CHECK(rename("d/f", "e/g") == 0);
}

static void move_directory(void)
{
    CHECK(rename("d/sub", "e/new") == 0);
}

static void exchange(void)
{
    CHECK(renameat2(AT_FDCWD, "d/f", AT_FDCWD, "e/g", RENAME_EXCHANGE) == 0);
}

static void list(void)
{
    DIR *dir = opendir("d");

    CHECK(dir && readdir(dir) && closedir(dir) == 0);
}

static void read_link(void)
{
    char to[8];

    CHECK(readlink("d/l", to, sizeof(to)) == 1);
}

/* The initials of the times that move: access, modification, change. */
static const struct row {
    const char *name;
    void (*run)(void);
    const char *moves[WATCHED]; /* NULL: none */
} rows[] = {
#define ROW(fn, ...) { #fn, fn, { __VA_ARGS__ } }
    ROW(nothing, NULL),
    ROW(do_open, NULL),
    ROW(do_stat, NULL),
    ROW(follow, [L] = "a"),
    ROW(do_sync, NULL),
    ROW(do_read, [F] = "a"),
    ROW(do_write, [F] = "mc"),
    ROW(write_nothing, NULL),
    ROW(do_append, [F] = "mc"),
    ROW(open_truncating, [F] = "mc"),
    ROW(grow, [F] = "mc"),
    ROW(shrink, [F] = "mc"),
    ROW(allocate, [F] = "mc"),
    ROW(allocate_beyond, [F] = "mc"),
    ROW(punch, [F] = "mc"),
    ROW(copy, [F] = "a", [G] = "mc"),
    ROW(change_mode, [F] = "c"),
    ROW(change_owner, [F] = "c"),
    ROW(change_nobody, [F] = "c"),
    ROW(set_attribute, [F] = "c"),
    ROW(remove_attribute, [F] = "c"),
    ROW(read_attribute, NULL),
    ROW(set_flags, [F] = "c"),
    ROW(set_atime, [F] = "ac"),
    ROW(set_mtime, [F] = "mc"),
    ROW(set_no_time, NULL),
    ROW(create, [D] = "mc"),
    ROW(create_unnamed, NULL),
    ROW(make_node, [D] = "mc"),
    ROW(make_dir, [D] = "mc"),
    ROW(make_symlink, [D] = "mc"),
    ROW(make_link, [F] = "c", [E] = "mc"),
    ROW(do_unlink, [F] = "c", [D] = "mc"),
    ROW(do_rmdir, [D] = "mc", [SUB] = "c"),
    ROW(move_here, [F] = "c", [D] = "mc"),
    ROW(move_there, [F] = "c", [D] = "mc", [E] = "mc"),
    ROW(move_over, [F] = "c", [G] = "c", [D] = "mc", [E] = "mc"),
    ROW(move_directory, [SUB] = "c", [D] = "mc", [E] = "mc"),
    ROW(exchange, [F] = "c", [G] = "c", [D] = "mc", [E] = "mc"),
    ROW(list, [D] = "a"),
    ROW(read_link, [L] = "a"),
};

static void furnish(void)
{
    static const char page[PAGE] = "x";
    int fd;

    CHECK(mkdir("d", 0755) == 0 && mkdir("e", 0755) == 0);
    CHECK(mkdir("d/sub", 0755) == 0 && symlink("f", "d/l") == 0);
    make_file("d/f", page, PAGE);
    make_file("e/g", page, PAGE);
    CHECK(setxattr("d/f", "user.a", "1", 1, 0) == 0);
    fd = opened(O_RDWR);
    uncache(fd); /* the kernel reads what it has without telling a daemon */
    CHECK(close(fd) == 0);
}

static bool same(struct timespec a, struct timespec b)
{
    return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

/* What changes from now on has another time than what has changed before. */
static void await_tick(struct timespec last)
{
    struct timespec now;

    make_file("clock", "", 0);
    do {
        CHECK(chmod("clock", 0600) == 0);
        now = stat_of("clock").st_ctim;
    } while (now.tv_sec < last.tv_sec ||
             (now.tv_sec == last.tv_sec && now.tv_nsec <= last.tv_nsec));
}

static struct stat stat_of_fd(int fd)
{
    struct stat st;

    CHECK(fstatat(fd, "", &st, AT_EMPTY_PATH) == 0);
    return st;
}

/* Says so if something else moves. */
static bool as_in(const struct row *row, int which, const struct stat *before,
                  const struct stat *after)
{
    char moved[4], *at = moved;
    const char *wanted = row->moves[which] ? row->moves[which] : "";

    if (!same(before->st_atim, after->st_atim))
        *at++ = 'a';
    if (!same(before->st_mtim, after->st_mtim))
        *at++ = 'm';
    if (!same(before->st_ctim, after->st_ctim))
        *at++ = 'c';
    *at = 0;
    if (strcmp(moved, wanted) == 0)
        return true;
    fprintf(stderr, "%s: of %s move \"%s\", not \"%s\"\n", row->name,
            watched[which], moved, wanted);
    return false;
}

static bool try(const struct row *row)
{
    static const struct timespec past[2] = { { 1000, 1 }, { 1000, 1 } };
    struct stat before[WATCHED], after;
    int fds[WATCHED];
    bool right = true;

    furnish();
    for (int i = 0; i < WATCHED; i++) {
        CHECK(utimensat(AT_FDCWD, watched[i], past, AT_SYMLINK_NOFOLLOW) == 0);
        fds[i] = open(watched[i], O_PATH | O_NOFOLLOW);
        CHECK(fds[i] >= 0);
        before[i] = stat_of_fd(fds[i]);
    }
    await_tick(before[WATCHED - 1].st_ctim);
    row->run();
    for (int i = 0; i < WATCHED; i++) {
        after = stat_of_fd(fds[i]);
        right &= as_in(row, i, &before[i], &after);
        CHECK(close(fds[i]) == 0);
    }
    return right;
}

static void the_table(void)
{
    bool right = true;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        CHECK(mkdir(rows[i].name, 0755) == 0 && chdir(rows[i].name) == 0);
        right &= try(&rows[i]);
        CHECK(chdir("..") == 0);
    }
    CHECK(right); /* what is not has been told */
}

PROBE_MAIN(CASE(the_table))

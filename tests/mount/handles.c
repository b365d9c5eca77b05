/* File handles (NFS export) and inode numbers: a file's own for ever.
 *
 * Opening by handle needs root. */
#include "probe.h"

static union {
    struct file_handle handle;
    char room[sizeof(struct file_handle) + MAX_HANDLE_SZ];
} kept;

static int mount_fd(void)
{
    int fd = open(".", O_RDONLY | O_DIRECTORY);

    CHECK(fd >= 0);
    return fd;
}

static void handle_of(const char *path)
{
    int mount_id;

    kept.handle.handle_bytes = MAX_HANDLE_SZ;
    CHECK(name_to_handle_at(AT_FDCWD, path, &kept.handle, &mount_id, 0) == 0);
}

static int open_handle(int flags)
{
    int dir = mount_fd();
    int fd = open_by_handle_at(dir, &kept.handle, flags), error = errno;

    close(dir);
    errno = error;
    return fd;
}

/* So that the kernel asks instead of remembering. */
static void forget_names(void)
{
    int fd = open("/proc/sys/vm/drop_caches", O_WRONLY);

    if (fd >= 0) {
        CHECK(write(fd, "2", 1) == 1);
        close(fd);
    }
}

static void opens_what_it_was_made_of(void)
{
    char byte = 0;
    int fd;

    CHECK(mkdir("d", 0755) == 0);
    make_file("d/f", "x", 1);
    handle_of("d/f");
    if (geteuid() != 0)
        return;
    CHECK(rename("d/f", "g") == 0);
    forget_names();
    fd = open_handle(O_RDONLY);
    CHECK(fd >= 0 && read(fd, &byte, 1) == 1 && byte == 'x');
    close(fd);
}

static void opens_directories(void)
{
    struct stat st;
    int fd;

    CHECK(mkdir("d", 0755) == 0 && mkdir("d/sub", 0755) == 0);
    make_file("d/sub/f", "x", 1);
    handle_of("d/sub");
    if (geteuid() != 0)
        return;
    CHECK(rename("d/sub", "moved") == 0);
    forget_names();
    fd = open_handle(O_RDONLY | O_DIRECTORY);
    CHECK(fd >= 0 && fstatat(fd, "f", &st, 0) == 0);
    CHECK(fstatat(fd, "../moved/f", &st, 0) == 0);
    close(fd);
}

static void lives_while_open(void)
{
    int fd, again;

    if (geteuid() != 0)
        return;
    make_file("f", "x", 1);
    handle_of("f");
    fd = open("f", O_RDONLY);
    CHECK(unlink("f") == 0);
    again = open_handle(O_RDONLY);
    CHECK(again >= 0);
    close(again);
    close(fd);
}

/* However many are made in its place, none is mistaken for it. */
static void dead_ones_are_stale(void)
{
    char name[16];
    int fd;

    if (geteuid() != 0)
        return;
    make_file("f", "x", 1);
    handle_of("f");
    CHECK(unlink("f") == 0);
    forget_names();
    CHECK_FAILS(ESTALE, open_handle(O_RDONLY));
    for (int i = 0; i < 3000; i++) {
        snprintf(name, sizeof(name), "n%d", i);
        fd = open(name, O_WRONLY | O_CREAT, 0644);
        CHECK(fd >= 0 && close(fd) == 0);
        if (i % 100 == 0)
            CHECK_FAILS(ESTALE, open_handle(O_RDONLY));
    }
}

enum { DEAD = 2000 };

/* Thousands are deleted, and as many made of every kind where they were: each
 * old handle is stale, each living one opens its own file. */
static void thousands_die(void)
{
    static struct {
        struct file_handle handle;
        unsigned char room[32];
    } all[DEAD];
    struct stat st;
    char name[16];
    int fd;

    if (geteuid() != 0)
        return;
    for (int i = 0; i < DEAD; i++) {
        snprintf(name, sizeof(name), "n%d", i);
        CHECK(mknod(name, S_IFREG | 0600, 0) == 0);
        handle_of(name);
        CHECK(kept.handle.handle_bytes <= sizeof(all[i].room));
        memcpy(&all[i], &kept, sizeof(kept.handle) + kept.handle.handle_bytes);
    }
    for (int i = 0; i < DEAD; i++) {
        snprintf(name, sizeof(name), "n%d", i);
        if (i % 8 != 0)
            CHECK(unlink(name) == 0);
    }
    forget_names();
    for (int i = 0; i < DEAD; i++) {
        snprintf(name, sizeof(name), "m%d", i);
        CHECK((i % 2 ? mkdir(name, 0700) : mknod(name, S_IFREG, 0)) == 0);
    }
    forget_names();
    for (int i = 0; i < DEAD; i++) {
        snprintf(name, sizeof(name), "n%d", i);
        memcpy(&kept, &all[i], sizeof(all[i]));
        if (i % 8 != 0) {
            CHECK_FAILS(ESTALE, open_handle(O_PATH));
            continue;
        }
        fd = open_handle(O_PATH);
        CHECK(fd >= 0 && fstat(fd, &st) == 0 && close(fd) == 0);
        CHECK(st.st_ino == stat_of(name).st_ino);
    }
}

static void nonsense_is_stale(void)
{
    struct stat st;
    int fd;

    make_file("f", "x", 1);
    handle_of("f");
    if (geteuid() != 0)
        return;
    for (unsigned i = 0; i < kept.handle.handle_bytes * 8; i++) {
        kept.handle.f_handle[i / 8] ^= (unsigned char)(1 << i % 8);
        fd = open_handle(O_RDONLY);
        if (fd >= 0) { /* a neighbour, perhaps: but a file of this mount */
            CHECK(fstat(fd, &st) == 0 && st.st_dev == stat_of(".").st_dev);
            close(fd);
        } else {
            CHECK(errno == ESTALE || errno == EISDIR || errno == EINVAL);
        }
        kept.handle.f_handle[i / 8] ^= (unsigned char)(1 << i % 8);
    }
}

static void numbers_are_not_reused(void)
{
    ino_t last = stat_of(".").st_ino;

    for (int i = 0; i < 2000; i++) {
        make_file("f", "", 0);
        CHECK(stat_of("f").st_ino > last);
        last = stat_of("f").st_ino;
        CHECK(unlink("f") == 0);
    }
}

PROBE_MAIN(CASE(opens_what_it_was_made_of), CASE(opens_directories),
           CASE(lives_while_open), CASE(dead_ones_are_stale),
           CASE(thousands_die), CASE(nonsense_is_stale),
           CASE(numbers_are_not_reused))

/* Device nodes, fifos and sockets: they keep their numbers, the kernel passes
 * their bytes, and only root makes devices.
 *
 * Needs a mount with dev: otherwise nobody may open a device there. */
#include "probe.h"

#include <sys/socket.h>
#include <sys/sysmacros.h>
#include <sys/un.h>

static void kept(mode_t kind, dev_t number)
{
    struct stat st;

    CHECK(mknod("n", kind | 0640, number) == 0);
    st = stat_of("n");
    CHECK((st.st_mode & S_IFMT) == kind && (st.st_mode & 07777) == 0640);
    CHECK(st.st_rdev == number && st.st_nlink == 1);
    CHECK(st.st_size == 0 && st.st_blocks == 0);
    CHECK_FAILS(EEXIST, mknod("n", kind | 0640, number));
    CHECK(link("n", "m") == 0 && rename("n", "o") == 0 && unlink("m") == 0);
    CHECK(stat_of("o").st_rdev == number && unlink("o") == 0);
}

static void numbers_are_kept(void)
{
    kept(S_IFIFO, 0);
    kept(S_IFSOCK, 0);
    kept(S_IFREG, 0);
    if (geteuid() != 0)
        return;
    kept(S_IFCHR, makedev(1, 3));
    kept(S_IFCHR, 0);
    kept(S_IFBLK, makedev(8, 17));
    kept(S_IFCHR, makedev(4095, 1048575)); /* the largest that Linux has */
    kept(S_IFBLK, makedev(259, 70000));
}

static void no_devices(void)
{
    CHECK_FAILS(EPERM, mknod("c", S_IFCHR | 0600, makedev(1, 3)));
    CHECK_FAILS(EPERM, mknod("b", S_IFBLK | 0600, makedev(8, 0)));
    CHECK(mknod("p", S_IFIFO | 0600, 0) == 0);
    CHECK(mknod("s", S_IFSOCK | 0600, 0) == 0);
    CHECK(mknod("f", S_IFREG | 0600, 0) == 0);
    /* A whiteout opens nothing, so that anybody may make one. */
    CHECK(mknod("w", S_IFCHR | 0600, 0) == 0);
}

static void devices_are_roots(void)
{
    if (geteuid() != 0) {
        no_devices();
        return;
    }
    CHECK(chmod(".", 0777) == 0);
    as_user(1234, 1234, 1234, no_devices);
    CHECK(!exists("c") && !exists("b") && stat_of("p").st_uid == 1234);
}

static void devices_work(void)
{
    char bytes[8] = "garbage";
    int fd;

    if (geteuid() != 0)
        return;
    CHECK(mknod("null", S_IFCHR | 0666, makedev(1, 3)) == 0);
    CHECK(mknod("zero", S_IFCHR | 0666, makedev(1, 5)) == 0);
    CHECK(mknod("absent", S_IFCHR | 0666, makedev(4095, 1)) == 0);
    fd = open("null", O_RDWR);
    CHECK(fd >= 0 && write(fd, "lost", 4) == 4 && read(fd, bytes, 8) == 0);
    CHECK(close(fd) == 0 && stat_of("null").st_size == 0);
    fd = open("zero", O_RDONLY);
    CHECK(fd >= 0 && read(fd, bytes, 8) == 8 && all_zero((uint8_t *)bytes, 8));
    CHECK(close(fd) == 0);
    CHECK_FAILS(ENXIO, open("absent", O_RDONLY));
}

static void fifos_pass_bytes(void)
{
    char bytes[8];
    int in, out;

    CHECK(mkfifo("p", 0600) == 0);
    CHECK_FAILS(ENXIO, open("p", O_WRONLY | O_NONBLOCK));
    out = open("p", O_RDONLY | O_NONBLOCK);
    in = open("p", O_WRONLY);
    CHECK(out >= 0 && in >= 0 && write(in, "through", 7) == 7);
    CHECK(rename("p", "q") == 0 && unlink("q") == 0); /* both ends stay */
    CHECK(read(out, bytes, sizeof(bytes)) == 7);
    CHECK(memcmp(bytes, "through", 7) == 0);
    CHECK(close(in) == 0 && read(out, bytes, 1) == 0 && close(out) == 0);
}

static void sockets_pass_bytes(void)
{
    struct sockaddr_un at = { .sun_family = AF_UNIX, .sun_path = "s" };
    struct sockaddr_un moved = { .sun_family = AF_UNIX, .sun_path = "t" };
    int listener = socket(AF_UNIX, SOCK_STREAM, 0), here, there;
    char bytes[8];

    CHECK(bind(listener, (struct sockaddr *)&at, sizeof(at)) == 0);
    CHECK(S_ISSOCK(stat_of("s").st_mode));
    CHECK_FAILS(ENXIO, open("s", O_RDWR));
    CHECK(listen(listener, 1) == 0 && rename("s", "t") == 0);
    here = socket(AF_UNIX, SOCK_STREAM, 0);
    CHECK_FAILS(ENOENT, connect(here, (struct sockaddr *)&at, sizeof(at)));
    CHECK(connect(here, (struct sockaddr *)&moved, sizeof(moved)) == 0);
    there = accept(listener, NULL, NULL);
    CHECK(there >= 0 && write(here, "through", 7) == 7);
    CHECK(read(there, bytes, sizeof(bytes)) == 7);
    CHECK(memcmp(bytes, "through", 7) == 0);
    CHECK(close(here) == 0 && close(there) == 0 && close(listener) == 0);
    here = socket(AF_UNIX, SOCK_STREAM, 0);
    CHECK_FAILS(ECONNREFUSED,
                connect(here, (struct sockaddr *)&moved, sizeof(moved)));
    CHECK_FAILS(EADDRINUSE,
                bind(here, (struct sockaddr *)&moved, sizeof(moved)));
    CHECK(close(here) == 0);
}

PROBE_MAIN(CASE(numbers_are_kept), CASE(devices_are_roots), CASE(devices_work),
           CASE(fifos_pass_bytes), CASE(sockets_pass_bytes))

/* Hard links, symbolic links and special files. */
#include "probe.h"

#include <limits.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

static void hard_links(void)
{
    char byte;
    int fd;

    make_file("a", "1", 1);
    CHECK(link("a", "b") == 0);
    CHECK(stat_of("a").st_nlink == 2);
    CHECK(stat_of("a").st_ino == stat_of("b").st_ino);
    make_file("b", "2", 1);
    fd = open("a", O_RDONLY);
    CHECK(read(fd, &byte, 1) == 1 && byte == '2');
    close(fd);
    CHECK(unlink("a") == 0 && stat_of("b").st_nlink == 1);
    CHECK(mkdir("dir", 0755) == 0);
    CHECK_FAILS(EPERM, link("dir", "dir2"));
    CHECK_FAILS(EEXIST, link("b", "dir"));
    CHECK_FAILS(ENOENT, link("absent", "x"));
}

static void many_hard_links(void)
{
    char name[32];

    make_file("f", "x", 1);
    for (int i = 0; i < 5000; i++) {
        snprintf(name, sizeof(name), "l%d", i);
        CHECK(link("f", name) == 0);
    }
    CHECK(stat_of("f").st_nlink == 5001);
    CHECK(unlink("f") == 0 && stat_of("l4999").st_nlink == 5000);
}

static void symlink_of(size_t length)
{
    char target[PATH_MAX], back[PATH_MAX + 1];

    for (size_t i = 0; i < length; i++)
        target[i] = i % 200 == 199 ? '/' : (char)('a' + i % 26);
    target[length] = '\0';
    CHECK(symlink(target, "l") == 0);
    CHECK(stat_of("l").st_size == (off_t)length);
    CHECK(S_ISLNK(stat_of("l").st_mode));
    CHECK(readlink("l", back, sizeof(back)) == (ssize_t)length);
    CHECK(memcmp(target, back, length) == 0);
    CHECK(readlink("l", back, 1) == 1);
    CHECK(unlink("l") == 0);
}

static void symlinks_of_all_lengths(void)
{
    static const size_t lengths[] = { 1, 31, 32, 63, 64, 127, 128, 255, 256,
                                      511, 1023, 1024, 2048, 4094, 4095 };
    char target[PATH_MAX + 1];

    for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++)
        symlink_of(lengths[i]);
    memset(target, 'a', PATH_MAX);
    target[PATH_MAX] = '\0';
    CHECK_FAILS(ENAMETOOLONG, symlink(target, "l"));
    CHECK_FAILS(ENOENT, symlink("", "l"));
}

static void symlinks_are_followed(void)
{
    CHECK(mkdir("dir", 0755) == 0);
    make_file("dir/f", "x", 1);
    CHECK(symlink("dir", "to_dir") == 0 && symlink("to_dir/f", "to_f") == 0);
    CHECK(access("to_f", R_OK) == 0);
    CHECK(symlink("../dir/f", "dir/up") == 0 && access("dir/up", R_OK) == 0);
    CHECK(symlink("loop", "loop") == 0);
    CHECK_FAILS(ELOOP, open("loop", O_RDONLY));
    CHECK_FAILS(ELOOP, open("to_f", O_RDONLY | O_NOFOLLOW));
    CHECK(symlink("nowhere", "dangling") == 0);
    CHECK_FAILS(ENOENT, open("dangling", O_RDONLY));
    CHECK_FAILS(EEXIST, open("dangling", O_RDWR | O_CREAT | O_EXCL, 0644));
    CHECK_FAILS(EINVAL, readlink("dir", (char[1]){ 0 }, 1));
}

static void fifo_carries_bytes(void)
{
    char byte = 0;
    int status, fd;

    CHECK(mkfifo("fifo", 0600) == 0 && S_ISFIFO(stat_of("fifo").st_mode));
    if (fork() == 0) {
        fd = open("fifo", O_WRONLY);
        _exit(write(fd, "!", 1) == 1 ? 0 : 1);
    }
    fd = open("fifo", O_RDONLY);
    CHECK(fd >= 0 && read(fd, &byte, 1) == 1 && byte == '!');
    close(fd);
    CHECK(wait(&status) > 0 && status == 0);
}

static void socket_can_be_reached(void)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX, .sun_path = "socket" };
    int server = socket(AF_UNIX, SOCK_STREAM, 0);
    int client = socket(AF_UNIX, SOCK_STREAM, 0);

    CHECK(bind(server, (struct sockaddr *)&address, sizeof(address)) == 0);
    CHECK(S_ISSOCK(stat_of("socket").st_mode));
    CHECK(listen(server, 1) == 0);
    CHECK(connect(client, (struct sockaddr *)&address, sizeof(address)) == 0);
    close(client);
    close(server);
}

static void mknod_makes_files(void)
{
    CHECK(mknod("f", S_IFREG | 0640, 0) == 0);
    CHECK(S_ISREG(stat_of("f").st_mode) && stat_of("f").st_size == 0);
    CHECK((stat_of("f").st_mode & 0777) == 0640);
    CHECK_FAILS(EEXIST, mknod("f", S_IFREG | 0640, 0));
}

PROBE_MAIN(CASE(hard_links), CASE(many_hard_links),
           CASE(symlinks_of_all_lengths), CASE(symlinks_are_followed),
           CASE(fifo_carries_bytes), CASE(socket_can_be_reached),
           CASE(mknod_makes_files))

/* An open file lives on without a name, and gives its space back at the end. */
#include "probe.h"

enum { SIZE = 4 * MIB };

static void fill(int fd, int byte)
{
    uint8_t *bytes = malloc(SIZE);

    CHECK(bytes != NULL);
    memset(bytes, byte, SIZE);
    CHECK(pwrite(fd, bytes, SIZE, 0) == SIZE);
    free(bytes);
}

static void expect(int fd, int byte)
{
    uint8_t *bytes = malloc(SIZE);

    CHECK(bytes != NULL);
    uncache(fd);
    CHECK(pread(fd, bytes, SIZE, 0) == SIZE);
    for (int i = 0; i < SIZE; i++)
        CHECK(bytes[i] == byte);
    free(bytes);
}

/* Space may come back a little later, when the kernel forgets the file. */
static void wait_for_free(uint64_t blocks)
{
    for (int tries = 0; tries < 200 && free_blocks() < blocks; tries++)
        usleep(50000);
    CHECK(free_blocks() >= blocks);
}

static void lives_until_closed(void)
{
    int fd = open("f", O_RDWR | O_CREAT, 0644);
    uint64_t before = free_blocks();
    struct stat st;

    fill(fd, 1);
    CHECK(unlink("f") == 0 && !exists("f"));
    CHECK(fstat(fd, &st) == 0 && st.st_nlink == 0 && st.st_size == SIZE);
    expect(fd, 1);
    fill(fd, 2);
    expect(fd, 2);
    CHECK(before - free_blocks() >= SIZE / PAGE);
    CHECK(fchmod(fd, 0600) == 0 && ftruncate(fd, SIZE + 1) == 0);
    CHECK(close(fd) == 0);
    wait_for_free(before);
}

static void name_can_be_used_again(void)
{
    int old = open("f", O_RDWR | O_CREAT, 0644), new;

    fill(old, 3);
    CHECK(unlink("f") == 0);
    new = open("f", O_RDWR | O_CREAT | O_EXCL, 0644);
    CHECK(new >= 0);
    fill(new, 4);
    expect(old, 3);
    expect(new, 4);
    CHECK(close(old) == 0);
    expect(new, 4);
    CHECK(close(new) == 0);
}

static void replaced_by_rename(void)
{
    int old = open("f", O_RDWR | O_CREAT, 0644), new;

    fill(old, 5);
    new = open("g", O_RDWR | O_CREAT, 0644);
    fill(new, 6);
    CHECK(rename("g", "f") == 0);
    expect(old, 5);
    expect(new, 6);
    CHECK(close(old) == 0 && close(new) == 0);
}

static void directory_without_name(void)
{
    int dir;

    CHECK(mkdir("d", 0755) == 0);
    dir = open("d", O_RDONLY | O_DIRECTORY);
    CHECK(dir >= 0 && rmdir("d") == 0);
    CHECK_FAILS(ENOENT, openat(dir, "f", O_CREAT | O_WRONLY, 0644));
    CHECK_FAILS(ENOENT, mkdirat(dir, "e", 0755));
    CHECK(close(dir) == 0);
}

PROBE_MAIN(CASE(lives_until_closed), CASE(name_can_be_used_again),
           CASE(replaced_by_rename), CASE(directory_without_name))

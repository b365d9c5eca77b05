/* Space of a deleted file can be written at once: also while the kernel has yet
 * to forget the file, and while its pages, on swap by now, are given back.
 *
 * What a full file system took is written again and again, each time as soon as
 * the file before is deleted. */
#include "probe.h"

enum { ROUNDS = 8 };

static char piece[256 << 10];

/* Writes to the end of space, at most `most`; returns how much. */
static size_t write_until(int fd, size_t most)
{
    size_t done = 0;

    while (done < most) {
        size_t want = most - done < sizeof(piece) ? most - done : sizeof(piece);
        ssize_t got = write(fd, piece, want);

        if (got < 0) {
            CHECK(errno == ENOSPC);
            break;
        }
        done += (size_t)got;
    }
    return done;
}

static void at_once(void)
{
    char name[2][8] = { "a", "b" };
    size_t room = SIZE_MAX;
    int fd, next;

    for (size_t i = 0; i < sizeof(piece); i++)
        piece[i] = (char)(i % 251 + 1);
    fd = open(name[0], O_WRONLY | O_CREAT, 0644);
    CHECK(fd >= 0);
    /* The second file's own needs are left out. */
    room = write_until(fd, room) - 64 * PAGE;
    CHECK(ftruncate(fd, (off_t)room) == 0);
    for (unsigned round = 1; round <= ROUNDS; round++) {
        next = open(name[round % 2], O_WRONLY | O_CREAT, 0644);
        CHECK(next >= 0 && close(fd) == 0);
        CHECK(unlink(name[(round + 1) % 2]) == 0);
        CHECK(write_until(next, room) == room);
        fd = next;
    }
    close(fd);
}

PROBE_MAIN(CASE(at_once))

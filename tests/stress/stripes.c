/* stripes.c - one file, many threads, each with bytes of its own in each page.
 *
 * The file is cut into stripes of an odd length, dealt to the threads in turn,
 * so that each page belongs to several.  A thread writes, punches and reads
 * only in its own stripes, at the same time as the others, with no lock here at
 * all: what it reads must be what it wrote last.
 */
#include "stress.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { STRIPE = 1013, FILE_BYTES = 12 << 20, NR_STRIPES = FILE_BYTES / STRIPE };

static int fd;
static unsigned nr_threads;
static uint8_t *shadow; /* a stripe belongs to one thread */
static bool can_punch;

void stripes_create(unsigned threads)
{
    nr_threads = threads;
    fd = open("stripes", O_RDWR | O_CREAT | O_TRUNC, 0644);
    shadow = calloc(NR_STRIPES, STRIPE);
    if (fd < 0 || shadow == NULL || ftruncate(fd, FILE_BYTES) != 0)
        die("stripes");
    can_punch = fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0,
                          1) == 0;
}

static void check(unsigned stripe)
{
    uint8_t bytes[STRIPE];
    off_t at = (off_t)stripe * STRIPE;

    if (pread(fd, bytes, STRIPE, at) != STRIPE)
        die("read of stripe %u", stripe);
    errno = 0;
    if (memcmp(bytes, shadow + at, STRIPE) != 0)
        die("stripe %u, at %lld, is wrong", stripe, (long long)at);
}

static void store(struct random *r, unsigned stripe)
{
    size_t from = random_below(r, STRIPE);
    size_t length = 1 + random_below(r, STRIPE - from);
    off_t at = (off_t)stripe * STRIPE + (off_t)from;
    uint8_t bytes[STRIPE + 8];
    size_t written;

    random_bytes(r, bytes, length);
    if (!write_all(fd, bytes, length, at, &written))
        die("write to stripe %u", stripe);
    memcpy(shadow + at, bytes, written);
}

static void punch(unsigned stripe)
{
    off_t at = (off_t)stripe * STRIPE;

    if (fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, at,
                  STRIPE) != 0)
        die("hole in stripe %u", stripe);
    memset(shadow + at, 0, STRIPE);
}

void stripes_step(struct random *r, unsigned thread)
{
    unsigned mine = NR_STRIPES / nr_threads;
    unsigned stripe = (unsigned)random_below(r, mine) * nr_threads + thread;

    switch (random_below(r, 16)) {
    case 0:
        if (can_punch)
            punch(stripe);
        break;
    case 1:
        uncache(fd);
        break;
    default:
        store(r, stripe);
        break;
    }
    check(stripe);
    check((unsigned)random_below(r, mine) * nr_threads + thread);
}

void stripes_check(void)
{
    uncache(fd);
    for (unsigned stripe = 0; stripe < NR_STRIPES; stripe++)
        check(stripe);
    close(fd);
}

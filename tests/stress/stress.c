/* stress.c - many threads on one file system, each byte known.
 *
 *     stress DIR THREADS SECONDS [SEED [full]]
 *
 * Each thread takes random steps: on a file that it has to itself for the
 * length of a step, names included (slots.c), or in its own bytes of the one
 * file that all share (stripes.c).  At the end everything is read once more.
 * With `full`, there may be no space now and then: what was refused has not
 * happened, and what was accepted has.
 */
#include "stress.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { MAX_THREADS = 64 };

bool may_be_full;

static _Atomic bool stop;
static _Atomic uint64_t steps, refusals;
static uint64_t seed;

/* splitmix64 */
static uint64_t random_next(struct random *r)
{
    uint64_t v = r->state += 0x9e3779b97f4a7c15u;

    v = (v ^ v >> 30) * 0xbf58476d1ce4e5b9u;
    v = (v ^ v >> 27) * 0x94d049bb133111ebu;
    return v ^ v >> 31;
}

uint64_t random_below(struct random *r, uint64_t bound)
{
    return random_next(r) % bound;
}

void random_bytes(struct random *r, uint8_t *bytes, size_t length)
{
    for (size_t i = 0; i < length; i += 8) {
        uint64_t word = random_next(r);

        memcpy(bytes + i, &word, length - i < 8 ? length - i : 8);
    }
}

void die(const char *format, ...)
{
    int error = errno;
    va_list args;

    va_start(args, format);
    flockfile(stderr);
    fprintf(stderr, "stress: ");
    vfprintf(stderr, format, args);
    fprintf(stderr, " (%s; seed %" PRIu64 ", after %" PRIu64 " steps)\n",
            strerror(error), seed, atomic_load(&steps));
    _exit(EXIT_FAILURE);
}

bool no_space(void)
{
    bool is = may_be_full && errno == ENOSPC;

    atomic_fetch_add(&refusals, is);
    return is;
}

bool write_all(int fd, const uint8_t *bytes, size_t length, off_t at,
               size_t *written)
{
    *written = 0;
    while (*written < length) {
        ssize_t n = pwrite(fd, bytes + *written, length - *written,
                           at + (off_t)*written);

        if (n < 0)
            return no_space();
        *written += (size_t)n;
        if (!may_be_full && *written < length)
            return false;
    }
    return true;
}

void uncache(int fd)
{
    if (fsync(fd) != 0)
        die("fsync");
    if (posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED) != 0)
        die("posix_fadvise");
}

static void *work(void *number)
{
    unsigned thread = (unsigned)(uintptr_t)number;
    struct random r = { seed * MAX_THREADS + thread };

    while (!atomic_load(&stop)) {
        if (random_below(&r, 3) == 0)
            stripes_step(&r, thread);
        else
            slots_step(&r);
        atomic_fetch_add(&steps, 1);
    }
    return NULL;
}

int main(int argc, char **argv)
{
    pthread_t threads[MAX_THREADS];
    unsigned count, seconds;

    if (argc < 4 || chdir(argv[1]) != 0) {
        fputs("usage: stress DIR THREADS SECONDS [SEED [full]]\n", stderr);
        return 2;
    }
    count = (unsigned)atoi(argv[2]);
    seconds = (unsigned)atoi(argv[3]);
    seed = argc > 4 ? strtoumax(argv[4], NULL, 0) : (uint64_t)time(NULL);
    may_be_full = argc > 5 && strcmp(argv[5], "full") == 0;
    if (count == 0 || count > MAX_THREADS)
        die("1 to %d threads", MAX_THREADS);
    slots_create(seed);
    stripes_create(count);
    for (unsigned i = 0; i < count; i++)
        if (pthread_create(&threads[i], NULL, work, (void *)(uintptr_t)i) != 0)
            die("thread");
    sleep(seconds);
    atomic_store(&stop, true);
    for (unsigned i = 0; i < count; i++)
        pthread_join(threads[i], NULL);
    slots_check();
    stripes_check();
    printf("stress: %" PRIu64 " steps of %u threads, every byte right; %" PRIu64
           " times no space (seed %" PRIu64 ")\n", atomic_load(&steps), count,
           atomic_load(&refusals), seed);
    return EXIT_SUCCESS;
}

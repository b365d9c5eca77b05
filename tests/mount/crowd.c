/* crowd.c - more writers at once than the kernel's cache can be told to stop.
 *
 *     crowd one FILE THREADS LENGTH      in one descriptor, by LENGTH, until each
 *                                        has met ENOSPC
 *     crowd many DIR FILES LENGTH PID    LENGTH bytes by a page, a thread and an
 *                                        open file each, while the daemon PID is
 *                                        stopped: the kernel has nobody to hand
 *                                        them to
 *
 * What write(2) has accepted fsync must not take back, and must be there when it
 * is read from the file system again.
 */
#include "blob.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

enum { PAGE = 4096, MAX_THREADS = 4096, MAX_LENGTH = 1 << 20 };
enum { STACK = 256 << 10, STOPPED_US = 500000 };

struct writer {
    pthread_t thread;
    int fd;
    uint64_t name, accepted; /* seed of what it writes; bytes from the start */
};

static struct writer writers[MAX_THREADS];
static int nr;
static size_t length;
static pthread_barrier_t line;
static _Atomic uint64_t next; /* place in the one file, in lengths */
static _Atomic uint64_t total;

static _Noreturn void die(const char *what, uint64_t name)
{
    fprintf(stderr, "crowd: %" PRIu64 ": %s: %s\n", name, what,
            strerror(errno));
    exit(EXIT_FAILURE);
}

/* What was accepted at that place, or less if space was short. */
static size_t put(int fd, uint64_t name, uint64_t at, size_t bytes,
                  uint8_t *buffer)
{
    ssize_t got;

    blob_fill(buffer, name, at, bytes);
    got = pwrite(fd, buffer, bytes, (off_t)at);
    if (got < 0 && errno != ENOSPC)
        die("write", name);
    if (got > 0)
        atomic_fetch_add(&total, (uint64_t)got);
    return got < 0 ? 0 : (size_t)got;
}

static void check(int fd, uint64_t name, uint64_t at, size_t bytes,
                  uint8_t *buffer)
{
    ssize_t got = pread(fd, buffer, bytes, (off_t)at);

    if (got != (ssize_t)bytes ||
        blob_compare(buffer, name, at, bytes) != bytes)
        die("what was accepted is not there", name);
}

static void uncache(int fd, uint64_t name)
{
    if (fsync(fd) != 0)
        die("fsync took accepted bytes back", name);
    if (posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED) != 0)
        die("uncache", name);
}

static void start(void *(*run)(void *))
{
    pthread_attr_t attr;

    pthread_attr_init(&attr);
    pthread_attr_setstacksize(&attr, STACK);
    for (int i = 0; i < nr; i++)
        if (pthread_create(&writers[i].thread, &attr, run, &writers[i]) != 0)
            die("thread", writers[i].name);
    pthread_attr_destroy(&attr);
}

static void join(void)
{
    for (int i = 0; i < nr; i++)
        pthread_join(writers[i].thread, NULL);
}

/* --- one descriptor ------------------------------------------------------- */

/* How much each of the places has got. */
static size_t *accepted_at;
static uint64_t places;

static void *fill_one(void *argument)
{
    const struct writer *w = argument;
    uint8_t *buffer = malloc(length);

    for (;;) {
        uint64_t place = atomic_fetch_add(&next, 1);

        if (place >= places)
            die("there is no end of space", w->name);
        accepted_at[place] = put(w->fd, place, place * length, length, buffer);
        if (accepted_at[place] < length)
            break;
    }
    free(buffer);
    return NULL;
}

static void one(const char *path)
{
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL, 0644);
    uint8_t *buffer = malloc(length);

    places = ((uint64_t)4 << 30) / length;
    accepted_at = calloc(places, sizeof(*accepted_at));
    if (fd < 0 || accepted_at == NULL || buffer == NULL)
        die("open", 0);
    for (int i = 0; i < nr; i++)
        writers[i] = (struct writer){ .fd = fd, .name = (uint64_t)i };
    start(fill_one);
    join();
    uncache(fd, 0);
    for (uint64_t place = 0; place < next; place++)
        check(fd, place, place * length, accepted_at[place], buffer);
    if (close(fd) != 0)
        die("close took accepted bytes back", 0);
    free(buffer);
    free(accepted_at);
}

/* --- many files ----------------------------------------------------------- */

static void *fill_own(void *argument)
{
    struct writer *w = argument;
    uint8_t buffer[PAGE];

    pthread_barrier_wait(&line);
    while (w->accepted < length) {
        size_t got = put(w->fd, w->name, w->accepted, sizeof(buffer), buffer);

        w->accepted += got;
        if (got < sizeof(buffer))
            break;
    }
    return NULL;
}

/* With a page that is not in the cache any more, so that it has asked. */
static void open_own(const char *directory, struct writer *w)
{
    char path[4096];
    uint8_t buffer[PAGE];

    snprintf(path, sizeof(path), "%s/%" PRIu64, directory, w->name);
    w->fd = open(path, O_RDWR | O_CREAT | O_EXCL, 0644);
    if (w->fd < 0)
        die("open", w->name);
    w->accepted = put(w->fd, w->name, 0, sizeof(buffer), buffer);
    uncache(w->fd, w->name);
}

static void many(const char *directory, pid_t daemon)
{
    struct rlimit files = { MAX_THREADS + 64, MAX_THREADS + 64 };
    uint8_t *buffer = malloc(length);

    if (buffer == NULL || setrlimit(RLIMIT_NOFILE, &files) != 0)
        die("limit of open files", 0);
    for (int i = 0; i < nr; i++) {
        writers[i].name = (uint64_t)i;
        open_own(directory, &writers[i]);
    }
    pthread_barrier_init(&line, NULL, (unsigned)nr + 1);
    start(fill_own);
    if (kill(daemon, SIGSTOP) != 0)
        die("stop the daemon", 0);
    pthread_barrier_wait(&line);
    usleep(STOPPED_US);
    kill(daemon, SIGCONT);
    join();
    for (int i = 0; i < nr; i++) {
        uncache(writers[i].fd, writers[i].name);
        check(writers[i].fd, writers[i].name, 0, writers[i].accepted, buffer);
        if (close(writers[i].fd) != 0)
            die("close took accepted bytes back", writers[i].name);
    }
    free(buffer);
}

int main(int argc, char **argv)
{
    bool is_one = argc == 5 && strcmp(argv[1], "one") == 0;
    bool is_many = argc == 6 && strcmp(argv[1], "many") == 0;

    if (is_one || is_many) {
        nr = atoi(argv[3]);
        length = (size_t)atol(argv[4]);
    }
    if (nr < 1 || nr > MAX_THREADS || length < 1 || length > MAX_LENGTH) {
        fputs("usage: crowd one FILE THREADS LENGTH | "
              "many DIR FILES LENGTH PID\n", stderr);
        return 2;
    }
    if (is_one)
        one(argv[2]);
    else
        many(argv[2], (pid_t)atoi(argv[5]));
    printf("crowd: %s: %" PRIu64 " bytes accepted\n", argv[1],
           atomic_load(&total));
    return EXIT_SUCCESS;
}

/* copiers.c - many threads that copy many small files, again and again.
 *
 *     copiers DIR FILES THREADS ROUNDS STEP [turns]
 *
 * The load that FreeBSD's VM6 was measured with for fragmentation: FILES files,
 * the n-th of n KiB.  THREADS threads copy them to another folder, in parallel,
 * and the copies are deleted; ROUNDS times.  At last they are copied once more,
 * and the originals deleted: what is left are copies.
 *
 * A copier writes STEP bytes at a time.  With `turns` no one makes its next step
 * before all others have made theirs: as many files as there are copiers grow at
 * the same pace, which is the worst there can be, and does not depend on how the
 * threads are scheduled.  Data are not zeros, which would take no room.  Prints
 * MiB written, and the seconds it took.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { KIB = 1024, NAME_BYTES = 32, MAX_STEP = 1024 * KIB };

/* What all threads of a round do: each takes the next file, till there is none. */
struct round {
    const char *from, *to;
    unsigned files, step;
    atomic_uint next;
    atomic_uint copied;     /* files done */
    atomic_ullong written;
    pthread_barrier_t *turn; /* NULL: no turns */
};

static double now(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static void fail(const char *what, const char *name)
{
    fprintf(stderr, "copiers: %s %s: %s\n", what, name, strerror(errno));
    exit(1);
}

static const char *name_of(char name[NAME_BYTES], const char *folder, unsigned n)
{
    snprintf(name, NAME_BYTES, "%s/%u", folder, n);
    return name;
}

static int open_one(const char *folder, unsigned n, int flags)
{
    char name[NAME_BYTES];
    int fd = open(name_of(name, folder, n), flags, 0644);

    if (fd < 0)
        fail("open", name);
    return fd;
}

/* --- originals --------------------------------------------------------------- */

static void make_one(const char *folder, unsigned n)
{
    int fd = open_one(folder, n, O_WRONLY | O_CREAT | O_EXCL);
    char kib[KIB];

    for (unsigned i = 0; i < n; i++) {
        memset(kib, 1 + (int)(n + i) % 255, sizeof(kib));
        if (write(fd, kib, sizeof(kib)) != (ssize_t)sizeof(kib))
            fail("write", folder);
    }
    close(fd);
}

static void delete_all(const char *folder, unsigned files)
{
    char name[NAME_BYTES];

    for (unsigned n = 1; n <= files; n++) {
        if (unlink(name_of(name, folder, n)) < 0)
            fail("unlink", name);
    }
    if (rmdir(folder) < 0)
        fail("rmdir", folder);
}

/* --- copies -------------------------------------------------------------------- */

struct copy {
    int from, to;           /* from -1: at no file */
    char *buffer;
};

/* One step of the file that the copier is at, or its start, or its end.  False
 * when there is no file left to begin. */
static bool copy_step(struct round *round, struct copy *copy)
{
    ssize_t got;

    if (copy->from < 0) {
        unsigned n = 1 + atomic_fetch_add(&round->next, 1);

        if (n > round->files)
            return false;
        copy->from = open_one(round->from, n, O_RDONLY);
        copy->to = open_one(round->to, n, O_WRONLY | O_CREAT | O_EXCL);
    }
    got = read(copy->from, copy->buffer, round->step);
    if (got < 0)
        fail("read", round->from);
    if (got > 0) {
        if (write(copy->to, copy->buffer, (size_t)got) != got)
            fail("write", round->to);
        atomic_fetch_add(&round->written, (unsigned long long)got);
        return true;
    }
    close(copy->from);
    close(copy->to);
    copy->from = -1;
    atomic_fetch_add(&round->copied, 1);
    return true;
}

static void *copier(void *arg)
{
    struct round *round = arg;
    struct copy copy = { .from = -1, .buffer = malloc(round->step) };
    bool more = true;

    if (!copy.buffer)
        fail("malloc", "of a buffer");
    while (more) {
        more = copy_step(round, &copy);
        if (!round->turn)
            continue;
        /* Who has nothing left to copy lets the others have their turns.  All
         * read the count between the same two barriers. */
        pthread_barrier_wait(round->turn);
        more = atomic_load(&round->copied) < round->files;
        pthread_barrier_wait(round->turn);
    }
    free(copy.buffer);
    return NULL;
}

/* Fills in the rest of the round.  Returns how many bytes were written. */
static uint64_t copy_all(struct round round, unsigned nr_threads, bool turns)
{
    pthread_barrier_t turn;
    pthread_t *threads = calloc(nr_threads, sizeof(*threads));

    if (!threads)
        fail("calloc", "of threads");
    if (mkdir(round.to, 0755) < 0)
        fail("mkdir", round.to);
    pthread_barrier_init(&turn, NULL, nr_threads);
    round.turn = turns ? &turn : NULL;
    for (unsigned i = 0; i < nr_threads; i++) {
        errno = pthread_create(&threads[i], NULL, copier, &round);
        if (errno)
            fail("pthread_create", "");
    }
    for (unsigned i = 0; i < nr_threads; i++)
        pthread_join(threads[i], NULL);
    pthread_barrier_destroy(&turn);
    free(threads);
    return round.written;
}

static unsigned number(const char *text, unsigned most)
{
    unsigned long value = strtoul(text, NULL, 10);

    if (value == 0 || value > most) {
        fprintf(stderr, "copiers: %s is not a number of 1 to %u\n", text, most);
        exit(2);
    }
    return (unsigned)value;
}

int main(int argc, char **argv)
{
    struct round copies = { .from = "originals", .to = "copies" };
    struct round last = { .from = "originals", .to = "last" };
    bool turns = argc == 7 && strcmp(argv[6], "turns") == 0;
    unsigned files, threads, rounds;
    double began = now();
    uint64_t written = 0;

    if (argc != 6 && !turns) {
        fprintf(stderr, "usage: copiers DIR FILES THREADS ROUNDS STEP [turns]\n");
        return 2;
    }
    files = copies.files = last.files = number(argv[2], 100000);
    threads = number(argv[3], 1000);
    rounds = number(argv[4], 100000);
    copies.step = last.step = number(argv[5], MAX_STEP);
    if (chdir(argv[1]) < 0)
        fail("chdir", argv[1]);
    if (mkdir("originals", 0755) < 0)
        fail("mkdir", "originals");
    for (unsigned n = 1; n <= files; n++)
        make_one("originals", n);
    for (unsigned i = 0; i < rounds; i++) {
        written += copy_all(copies, threads, turns);
        delete_all("copies", files);
    }
    written += copy_all(last, threads, turns);
    delete_all("originals", files);
    printf("%.1f %.2f\n", (double)written / (1024.0 * KIB), now() - began);
    return 0;
}

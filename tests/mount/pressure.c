/* pressure.c - many threads on a full file system: does each get its turn?
 *
 *     pressure DIR THREADS SECONDS PAGES STUCK
 *
 * One file of PAGES pages for all, of which thread n owns every THREADS-th page
 * from the n-th: it alone writes them, by write(2) or through a mapping, and knows
 * what is in them.  It also reads pages of others, and has a file of its own that
 * it lets grow and cuts again; there is no space for all of these, so ENOSPC is
 * no failure.  Data are noise.
 *
 * The main thread looks how long each has been at its operation.  More than STUCK
 * seconds is the end; the longest of all is told.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

enum { MAX_THREADS = 64, PAGE = 4096, WORDS = PAGE / 8, OWN_PAGES = 512 };

static unsigned nr_threads, nr_pages;
static int shared_fd;
static uint64_t *mapping; /* of all of it */
static uint64_t *seeds;   /* of each page: its owner's */
static _Atomic bool stop;

struct worker {
    pthread_t thread;
    unsigned number;
    uint64_t random;
    int fd;                  /* of the file of its own */
    _Atomic uint64_t since;  /* its operation began, or 0 */
    const char *_Atomic what;
    /* Its own until it has ended: */
    uint64_t longest, done;
    const char *longest_what;
};

static struct worker workers[MAX_THREADS];

static _Noreturn void die(const char *what)
{
    fprintf(stderr, "pressure: %s: %s\n", what, strerror(errno));
    _exit(EXIT_FAILURE);
}

static uint64_t now(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

static uint64_t next_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

static void fill(uint64_t *page, uint64_t seed)
{
    for (unsigned i = 0; i < WORDS; i++)
        page[i] = next_random(&seed);
}

static void check(const uint64_t *page, unsigned index)
{
    uint64_t expected[WORDS];

    fill(expected, seeds[index]);
    errno = 0;
    if (memcmp(page, expected, PAGE) != 0)
        die("a page is not what was written");
}

/* --- operations ------------------------------------------------------------ */

static off_t offset_of(unsigned index)
{
    return (off_t)index * PAGE;
}

static void read_page(unsigned index, bool mine)
{
    uint64_t page[WORDS];

    if (pread(shared_fd, page, PAGE, offset_of(index)) != PAGE)
        die("read");
    if (mine)
        check(page, index);
}

static void write_page(unsigned index, uint64_t seed)
{
    uint64_t page[WORDS];

    fill(page, seed);
    if (pwrite(shared_fd, page, PAGE, offset_of(index)) != PAGE)
        die("overwriting a page that is there");
    seeds[index] = seed;
}

static void map_page(unsigned index, uint64_t seed)
{
    uint64_t *page = mapping + (size_t)index * WORDS;

    check(page, index);
    fill(page, seed);
    seeds[index] = seed;
}

static void cut(struct worker *w)
{
    if (ftruncate(w->fd, (off_t)(next_random(&w->random) % (OWN_PAGES * PAGE))))
        die("ftruncate");
}

static void grow(struct worker *w)
{
    uint64_t page[WORDS];
    off_t end = lseek(w->fd, 0, SEEK_END);

    if (end >= (off_t)OWN_PAGES * PAGE) {
        cut(w);
        return;
    }
    fill(page, next_random(&w->random));
    if (write(w->fd, page, PAGE) < 0 && errno != ENOSPC)
        die("write");
}

/* What is cached of the file goes, so that reads ask the file system. */
static void uncache(void)
{
    posix_fadvise(shared_fd, 0, 0, POSIX_FADV_DONTNEED);
}

static void step(struct worker *w)
{
    uint64_t random = next_random(&w->random);
    unsigned mine = (unsigned)(random >> 8) % (nr_pages / nr_threads) *
                        nr_threads + w->number;

    switch (random % 16) {
    case 0:
        w->what = "truncating";
        cut(w);
        break;
    case 1: case 2: case 3:
        w->what = "appending";
        grow(w);
        break;
    case 4: case 5: case 6:
        w->what = "writing";
        write_page(mine, random | 1);
        break;
    case 7: case 8:
        w->what = "writing through the mapping";
        map_page(mine, random | 1);
        break;
    case 9:
        w->what = "dropping what is cached";
        uncache();
        break;
    case 10: case 11: case 12:
        w->what = "reading";
        read_page(mine, true);
        break;
    default:
        w->what = "reading what others write";
        read_page((unsigned)(random >> 8) % nr_pages, false);
    }
}

static void *work(void *arg)
{
    struct worker *w = arg;

    while (!atomic_load(&stop)) {
        uint64_t began = now(), took;

        atomic_store(&w->since, began);
        step(w);
        atomic_store(&w->since, 0);
        took = now() - began;
        if (took > w->longest) {
            w->longest = took;
            w->longest_what = w->what;
        }
        w->done++;
    }
    return NULL;
}

/* --- all of it -------------------------------------------------------------- */

static void prepare(void)
{
    shared_fd = open("shared", O_RDWR | O_CREAT | O_EXCL, 0644);
    seeds = calloc(nr_pages, sizeof(*seeds));
    if (shared_fd < 0 || !seeds)
        die("shared");
    for (unsigned i = 0; i < nr_pages; i++)
        write_page(i, i + 1);
    mapping = mmap(NULL, (size_t)nr_pages * PAGE, PROT_READ | PROT_WRITE,
                   MAP_SHARED, shared_fd, 0);
    if (mapping == MAP_FAILED)
        die("mmap");
}

static void start(void)
{
    for (unsigned i = 0; i < nr_threads; i++) {
        struct worker *w = &workers[i];
        char name[32];

        w->number = i;
        w->random = 0x9e3779b97f4a7c15u * (i + 1);
        snprintf(name, sizeof(name), "own%u", i);
        w->fd = open(name, O_RDWR | O_CREAT | O_APPEND, 0644);
        if (w->fd < 0)
            die(name);
        if (pthread_create(&w->thread, NULL, work, w) != 0)
            die("thread");
    }
}

/* The longest that anybody has been at it; ends everything if that is too long. */
static void watch(uint64_t seconds, uint64_t stuck)
{
    uint64_t end = now() + seconds * 1000000000u;

    while (now() < end) {
        usleep(50000);
        for (unsigned i = 0; i < nr_threads; i++) {
            uint64_t since = atomic_load(&workers[i].since), time = now();

            if (since == 0 || time < since + stuck * 1000000000u)
                continue;
            fprintf(stderr, "pressure: thread %u has been %s for %" PRIu64
                    " seconds\n", i, workers[i].what, (time - since) / 1000000000u);
            _exit(EXIT_FAILURE);
        }
    }
}

int main(int argc, char **argv)
{
    const struct worker *slowest = &workers[0];
    uint64_t done = 0;

    if (argc != 6) {
        fprintf(stderr, "usage: pressure DIR THREADS SECONDS PAGES STUCK\n");
        return 2;
    }
    nr_threads = (unsigned)atoi(argv[2]);
    nr_pages = (unsigned)atoi(argv[4]);
    if (nr_threads == 0 || nr_threads > MAX_THREADS || nr_pages < nr_threads ||
        chdir(argv[1]) != 0)
        die("arguments");
    prepare();
    start();
    watch((uint64_t)atoi(argv[3]), (uint64_t)atoi(argv[5]));
    atomic_store(&stop, true);
    for (unsigned i = 0; i < nr_threads; i++) {
        pthread_join(workers[i].thread, NULL);
        if (workers[i].longest > slowest->longest)
            slowest = &workers[i];
        done += workers[i].done;
    }
    uncache();
    for (unsigned i = 0; i < nr_pages; i++)
        read_page(i, true);
    printf("%" PRIu64 " operations, the longest %" PRIu64 " ms, %s\n", done,
           slowest->longest / 1000000, slowest->longest_what);
    return 0;
}

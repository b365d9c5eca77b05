/* pressure.c - many threads on a full file system: does each get its turn?
 *
 *     pressure DIR THREADS SECONDS PAGES STUCK OVERTAKEN
 *
 * One file of PAGES pages for all, of which thread n owns every THREADS-th page
 * from the n-th: it alone writes them, by write(2) or through a mapping, and knows
 * what is in them.  It also reads pages of others, and has a file of its own that
 * it lets grow and cuts again; there is no space for all of these, so ENOSPC is
 * no failure.  Data are noise.  One thread more drops what is cached: alone,
 * because the kernel does that for one at a time, on all CPUs (lru_add_drain_all).
 *
 * Told of each kind of operation: how many, how long half, 99 % and 99.9 % of them
 * took at most, and the longest; and by how many of its kind, begun later and done
 * earlier, one was overtaken at most.  More than OVERTAKEN and a quarter of its kind
 * is a failure: where a busy machine takes the CPU away from somebody for a second,
 * a tenth of all went by.  The main thread looks how long each has been at its
 * operation; more than STUCK seconds is the end.
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
/* Times by microseconds: so many steps to each power of two. */
enum { STEPS = 8, BUCKETS = 32 * STEPS };
enum { DROP_PAUSE_US = 20000 };

enum kind { CUT, GROW, WRITE, MAP, READ, READ_OTHERS, READ_DIRECT, DROP, NR_KINDS };

#define MIN(a, b) ((a) < (b) ? (a) : (b))

static const char *const names[NR_KINDS] = {
    [CUT] = "truncating",
    [GROW] = "appending",
    [WRITE] = "writing",
    [MAP] = "writing through the mapping",
    [READ] = "reading",
    [READ_OTHERS] = "reading what others write",
    [READ_DIRECT] = "reading past the cache",
    [DROP] = "dropping what is cached",
};

static unsigned nr_threads, nr_pages;
static int shared_fd, direct_fd;
static uint64_t *mapping; /* of all of it */
static uint64_t *seeds;   /* of each page: its owner's */
static _Atomic bool stop;

static _Atomic uint64_t begun[NR_KINDS], ended[NR_KINDS];

struct tally {
    uint64_t longest, overtaken;
    uint64_t times[BUCKETS];
};

struct worker {
    pthread_t thread;
    unsigned number;
    uint64_t random;
    int fd;                  /* of the file of its own */
    _Atomic uint64_t since;  /* its operation began, or 0 */
    _Atomic unsigned kind;
    struct tally tally[NR_KINDS]; /* its own until it has ended */
};

static struct worker workers[MAX_THREADS + 1];

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

static void read_direct(unsigned index)
{
    _Alignas(PAGE) uint64_t page[WORDS];

    if (pread(direct_fd, page, PAGE, offset_of(index)) != PAGE)
        die("reading past the cache");
    check(page, index);
}

static enum kind choose(uint64_t random)
{
    static const uint8_t kinds[16] = {
        CUT, GROW, GROW, GROW, WRITE, WRITE, WRITE, MAP, MAP, READ, READ,
        READ_OTHERS, READ_OTHERS, READ_DIRECT, READ_DIRECT, READ_DIRECT,
    };

    return (enum kind)kinds[random % 16];
}

static void act(struct worker *w, enum kind kind, uint64_t random)
{
    unsigned mine = (unsigned)(random >> 8) % (nr_pages / nr_threads) *
                        nr_threads + w->number;

    switch (kind) {
    case CUT:
        cut(w);
        break;
    case GROW:
        grow(w);
        break;
    case WRITE:
        write_page(mine, random | 1);
        break;
    case MAP:
        map_page(mine, random | 1);
        break;
    case READ:
        read_page(mine, true);
        break;
    case READ_OTHERS:
        read_page((unsigned)(random >> 8) % nr_pages, false);
        break;
    case READ_DIRECT:
        read_direct(mine);
        break;
    default:
        uncache();
    }
}

/* --- one operation, timed ---------------------------------------------------- */

static unsigned bucket_of(uint64_t us)
{
    unsigned power = 63 - (unsigned)__builtin_clzll(us | STEPS);

    return (power - 3) * STEPS + (unsigned)(us >> (power - 3));
}

/* The first time, in microseconds, that is beyond the bucket. */
static uint64_t bucket_end(unsigned bucket)
{
    unsigned power = bucket < STEPS ? 0 : bucket / STEPS - 1;

    return (bucket - power * STEPS + 1ull) << power;
}

static void run(struct worker *w, enum kind kind, uint64_t random)
{
    struct tally *t = &w->tally[kind];
    uint64_t done = atomic_load(&ended[kind]), began = now(), took, passed;
    /* At least those that began before us and are not done. */
    uint64_t before = atomic_fetch_add(&begun[kind], 1) - done;

    atomic_store(&w->kind, kind);
    atomic_store(&w->since, began);
    act(w, kind, random);
    atomic_store(&w->since, 0);
    took = now() - began;
    passed = atomic_fetch_add(&ended[kind], 1) - done;
    if (passed > before && passed - before > t->overtaken)
        t->overtaken = passed - before;
    if (took > t->longest)
        t->longest = took;
    t->times[bucket_of(took / 1000)]++;
}

static void *work(void *arg)
{
    struct worker *w = arg;

    while (!atomic_load(&stop)) {
        uint64_t random = next_random(&w->random);

        run(w, choose(random), random);
    }
    return NULL;
}

static void *drop(void *arg)
{
    while (!atomic_load(&stop)) {
        run(arg, DROP, 0);
        usleep(DROP_PAUSE_US);
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
    direct_fd = open("shared", O_RDONLY | O_DIRECT);
    if (direct_fd < 0)
        die("shared, past the cache");
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
    if (pthread_create(&workers[nr_threads].thread, NULL, drop,
                       &workers[nr_threads]) != 0)
        die("thread");
}

/* Ends everything if somebody has been at it for too long. */
static void watch(uint64_t seconds, uint64_t stuck)
{
    uint64_t end = now() + seconds * 1000000000u;

    while (now() < end) {
        usleep(50000);
        for (unsigned i = 0; i <= nr_threads; i++) {
            uint64_t since = atomic_load(&workers[i].since), time = now();

            if (since == 0 || time < since + stuck * 1000000000u)
                continue;
            fprintf(stderr, "pressure: thread %u has been %s for %" PRIu64
                    " seconds\n", i, names[atomic_load(&workers[i].kind)],
                    (time - since) / 1000000000u);
            _exit(EXIT_FAILURE);
        }
    }
}

/* The time within which `part` of 1000 were done, in milliseconds. */
static double within(const struct tally *t, uint64_t nr, uint64_t part)
{
    uint64_t left = (nr * part + 999) / 1000;
    unsigned b = 0;

    while (b + 1 < BUCKETS && t->times[b] < left)
        left -= t->times[b++];
    return MIN((double)bucket_end(b) / 1e3, (double)t->longest / 1e6);
}

/* Tells about one kind.  Was one of it overtaken by more than `most`, and a quarter
 * of all? */
static bool tell(enum kind kind, uint64_t most)
{
    struct tally all = { .longest = 0 };
    uint64_t nr = 0;

    for (unsigned i = 0; i <= nr_threads; i++) {
        const struct tally *t = &workers[i].tally[kind];

        if (t->longest > all.longest)
            all.longest = t->longest;
        if (t->overtaken > all.overtaken)
            all.overtaken = t->overtaken;
        for (unsigned b = 0; b < BUCKETS; b++) {
            all.times[b] += t->times[b];
            nr += t->times[b];
        }
    }
    printf("%-28s %7" PRIu64 " times, ms: %8.3f %8.1f %8.1f %8.1f, overtaken by"
           " %" PRIu64 "\n", names[kind], nr, within(&all, nr, 500),
           within(&all, nr, 990), within(&all, nr, 999),
           (double)all.longest / 1e6, all.overtaken);
    return all.overtaken > most && all.overtaken > nr / 4;
}

int main(int argc, char **argv)
{
    bool overtaken = false;

    if (argc != 7) {
        fprintf(stderr, "usage: pressure DIR THREADS SECONDS PAGES STUCK "
                        "OVERTAKEN\n");
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
    for (unsigned i = 0; i <= nr_threads; i++)
        pthread_join(workers[i].thread, NULL);
    uncache();
    for (unsigned i = 0; i < nr_pages; i++)
        read_page(i, true);
    for (unsigned kind = 0; kind < NR_KINDS; kind++)
        overtaken |= tell((enum kind)kind, (uint64_t)atoi(argv[6]));
    return overtaken;
}

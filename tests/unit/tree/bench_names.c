/* bench_names.c - what one shared directory costs to use from many threads.
 *
 * Each thread has names of its own in a directory that all share, as threads of a
 * program that look at different files of one place.  What they do:
 *
 *     lookup           the name is found, and counted as known to the kernel
 *     getattr          by id
 *     lookup, forget   both, as when the kernel keeps nothing
 *     make, unlink     a file is made, its lookup forgotten, and it is unlinked
 *     mixed            32 lookups with their forgets for each of these
 *
 * Told is the processor time of one round, which the load of the machine hardly
 * changes, and how often a thread slept in a million rounds.  Where there are more
 * threads than processors, time goes to changing between them; what matters then
 * is the sleeps, for on a machine with a processor each it would be standing idle.
 */
#include "tree.h"

#include "clock.h"

#include <pthread.h>
#include <stdio.h>
#include <sys/resource.h>
#include <time.h>

enum { THREADS = 32, NAMES = 64 };
#define RAM ((uint64_t)64 << 20)
#define RUN_NS 200000000u

static struct tree *tree;
static uint64_t dir;
static const struct tree_cred cred = { .uid = 0 };
static _Atomic bool stop;

struct worker {
    pthread_t thread;
    void (*round)(struct worker *w);
    char name[NAMES][32];
    char made[32];
    uint64_t id[NAMES];
    uint64_t done, ns, sleeps;
};

static struct worker workers[THREADS];

static void lookup(struct worker *w)
{
    struct tree_entry entry;

    tree_lookup(tree, dir, w->name[w->done % NAMES], &entry);
}

static void getattr(struct worker *w)
{
    struct tree_attr attr;

    tree_getattr(tree, w->id[w->done % NAMES], &attr);
}

static void lookup_forget(struct worker *w)
{
    lookup(w);
    tree_forget(tree, w->id[w->done % NAMES], 1);
}

static void make_unlink(struct worker *w)
{
    struct tree_entry entry;

    if (tree_mknod(tree, &cred, dir, w->made, S_IFREG | 0644, 0, true,
                   &entry) != 0)
        return;
    tree_forget(tree, entry.id, 1);
    tree_unlink(tree, dir, w->made);
}

static void mixed(struct worker *w)
{
    if (w->done % 33 == 0)
        make_unlink(w);
    else
        lookup_forget(w);
}

static const struct {
    const char *name;
    void (*round)(struct worker *w);
} acts[] = {
    { "lookup", lookup }, { "getattr", getattr },
    { "lookup, forget", lookup_forget }, { "make, unlink", make_unlink },
    { "mixed", mixed },
};

static void *work(void *arg)
{
    struct worker *w = arg;
    struct rusage usage;
    struct timespec ts;

    while (!atomic_load_explicit(&stop, memory_order_relaxed)) {
        w->round(w);
        w->done++;
    }
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
    getrusage(RUSAGE_THREAD, &usage);
    w->ns = (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
    w->sleeps = (uint64_t)usage.ru_nvcsw;
    return NULL;
}

static int together(unsigned act, unsigned nr)
{
    uint64_t began = clock_monotonic_ns(), took, done = 0, ns = 0, sleeps = 0;

    atomic_store(&stop, false);
    for (unsigned i = 0; i < nr; i++) {
        workers[i].round = acts[act].round;
        workers[i].done = 0;
        if (pthread_create(&workers[i].thread, NULL, work, &workers[i]) != 0)
            return 1;
    }
    clock_sleep_ns(RUN_NS);
    atomic_store(&stop, true);
    for (unsigned i = 0; i < nr; i++) {
        pthread_join(workers[i].thread, NULL);
        done += workers[i].done;
        ns += workers[i].ns;
        sleeps += workers[i].sleeps;
    }
    took = clock_monotonic_ns() - began;
    printf("%-15s %2u threads: %6.0f ns of processor, %6.0f ns passed, "
           "%8.0f sleeps in a million\n", acts[act].name, nr,
           (double)ns / (double)done, (double)took / (double)done,
           (double)sleeps * 1e6 / (double)done);
    return 0;
}

/* A directory with the names of all threads, looked up once by the kernel. */
static int fill(struct arena *arena, struct object_store *store)
{
    struct tree_config config = { .store = store, .root_mode = 0755 };
    struct tree_entry entry;
    int err;

    store->arena = arena;
    err = tree_create(&tree, &config);
    if (!err)
        err = tree_mknod(tree, &cred, TREE_ROOT, "dir", S_IFDIR | 0755, 0, true,
                         &entry);
    dir = entry.id;
    for (unsigned i = 0; !err && i < THREADS * NAMES; i++) {
        struct worker *w = &workers[i % THREADS];
        unsigned n = i / THREADS;

        snprintf(w->made, sizeof(w->made), "made by %u", i % THREADS);
        snprintf(w->name[n], sizeof(w->name[n]), "file %u", i);
        err = tree_mknod(tree, &cred, dir, w->name[n], S_IFREG | 0644, 0, true,
                         &entry);
        w->id[n] = entry.id;
    }
    return err;
}

int main(void)
{
    static const unsigned threads[] = { 1, 2, 8, THREADS };
    struct object_store store = { .pool = NULL };
    struct arena *arena;
    int err = arena_create(&arena, RAM);

    if (!err)
        err = fill(arena, &store);
    for (unsigned a = 0; !err && a < sizeof(acts) / sizeof(acts[0]); a++)
        for (unsigned i = 0; !err && i < 4; i++)
            err = together(a, threads[i]);
    if (!err) {
        tree_destroy(tree);
        arena_destroy(arena);
    }
    return err != 0;
}

/* bench_rangelock.c - what a range costs to lock, against simpler locks.
 *
 *     rangelock      ours
 *     mutex, list    the textbook: holders on a list, one mutex, one condition
 *                    variable for all who wait, all woken at each unlock
 *     mutex, rwlock  of libc, over the whole file: no ranges at all
 *
 * Ours and the rwlock also shared, as by readers: nobody waits then.
 *
 * First one thread beside holders that stay: processor time of lock and unlock,
 * the best of several batches, so that the load of the machine does not count.
 * Then threads that each lock, copy a page and unlock, for a while, in ranges
 * that are all different or all the same: time passed for each, and the time of
 * processors, which a busy machine does not make longer.
 */
#include "rangelock.h"

#include "clock.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum { HOLDERS = 32, BATCHES = 20, BATCH = 100000, RANGE = 4096 };
#define RUN_NS 100000000u

/* --- the locks ------------------------------------------------------------------ */

static struct rangelock ranges;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_rwlock_t rwlock = PTHREAD_RWLOCK_INITIALIZER;
static pthread_mutex_t list_mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t list_changed = PTHREAD_COND_INITIALIZER;
static struct range *list;

static void rangelock_in(struct range *range, uint64_t start)
{
    rangelock_lock(&ranges, range, start, start + RANGE, RANGE_EXCLUSIVE);
}

static void rangelock_in_shared(struct range *range, uint64_t start)
{
    rangelock_lock(&ranges, range, start, start + RANGE, RANGE_SHARED);
}

static void rangelock_out(struct range *range)
{
    rangelock_unlock(&ranges, range);
}

static void mutex_in(struct range *range, uint64_t start)
{
    (void)range;
    (void)start;
    pthread_mutex_lock(&mutex);
}

static void mutex_out(struct range *range)
{
    (void)range;
    pthread_mutex_unlock(&mutex);
}

static void rwlock_in(struct range *range, uint64_t start)
{
    (void)range;
    (void)start;
    pthread_rwlock_wrlock(&rwlock);
}

static void rwlock_in_shared(struct range *range, uint64_t start)
{
    (void)range;
    (void)start;
    pthread_rwlock_rdlock(&rwlock);
}

static void rwlock_out(struct range *range)
{
    (void)range;
    pthread_rwlock_unlock(&rwlock);
}

static bool list_keeps(const struct range *range)
{
    for (const struct range *r = list; r; r = r->next)
        if (r->start < range->end && range->start < r->end)
            return true;
    return false;
}

static void list_in(struct range *range, uint64_t start)
{
    range->start = start;
    range->end = start + RANGE;
    pthread_mutex_lock(&list_mutex);
    while (list_keeps(range))
        pthread_cond_wait(&list_changed, &list_mutex);
    range->next = list;
    list = range;
    pthread_mutex_unlock(&list_mutex);
}

static void list_out(struct range *range)
{
    struct range **link = &list;

    pthread_mutex_lock(&list_mutex);
    while (*link != range)
        link = &(*link)->next;
    *link = range->next;
    pthread_cond_broadcast(&list_changed);
    pthread_mutex_unlock(&list_mutex);
}

static const struct kind {
    const char *name;
    bool has_ranges;
    void (*in)(struct range *range, uint64_t start);
    void (*out)(struct range *range);
} kinds[] = {
    { "rangelock", true, rangelock_in, rangelock_out },
    { "mutex, list", true, list_in, list_out },
    { "pthread_mutex", false, mutex_in, mutex_out },
    { "pthread_rwlock", false, rwlock_in, rwlock_out },
    { "rangelock shared", true, rangelock_in_shared, rangelock_out },
    { "rwlock shared", false, rwlock_in_shared, rwlock_out },
};
enum { KINDS = sizeof(kinds) / sizeof(kinds[0]) };

/* --- one thread beside holders ----------------------------------------------------- */

/* CLOCK_THREAD_CPUTIME_ID, or that of the process. */
static uint64_t processor_ns(clockid_t of)
{
    struct timespec ts;

    clock_gettime(of, &ts);
    return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

static double alone(const struct kind *kind, uint64_t start)
{
    uint64_t best = UINT64_MAX;

    for (int batch = 0; batch < BATCHES; batch++) {
        uint64_t began = processor_ns(CLOCK_THREAD_CPUTIME_ID), took;

        for (int i = 0; i < BATCH; i++) {
            struct range range;

            kind->in(&range, start);
            kind->out(&range);
        }
        took = processor_ns(CLOCK_THREAD_CPUTIME_ID) - began;
        best = took < best ? took : best;
    }
    return (double)best / BATCH;
}

static void beside_holders(const struct kind *kind, unsigned nr)
{
    struct range held[HOLDERS];

    for (unsigned i = 0; i < nr; i++)
        kind->in(&held[i], 2 * i * RANGE);
    printf("%-16s beside %2u disjoint holders: first %.1f ns, middle %.1f ns, "
           "last %.1f ns\n", kind->name, nr, alone(kind, RANGE),
           alone(kind, (nr + 1) / 2 * 2 * RANGE + RANGE),
           alone(kind, 2 * HOLDERS * RANGE));
    for (unsigned i = 0; i < nr; i++)
        kind->out(&held[i]);
}

/* --- many threads ---------------------------------------------------------------------- */

static _Atomic bool stop;

struct worker {
    pthread_t thread;
    const struct kind *kind;
    uint64_t start, done;
    uint8_t from[RANGE], to[RANGE];
};

static void *work(void *arg)
{
    struct worker *w = arg;

    while (!atomic_load_explicit(&stop, memory_order_relaxed)) {
        struct range range;

        w->kind->in(&range, w->start);
        memcpy(w->to, w->from, RANGE);
        w->kind->out(&range);
        w->done++;
    }
    return NULL;
}

/* For each: time passed, and of processors. */
struct price {
    double passed, processor;
};

static struct price together(const struct kind *kind, unsigned nr, bool disjoint)
{
    static struct worker workers[HOLDERS];
    uint64_t began = clock_monotonic_ns(), done = 0;
    uint64_t used = processor_ns(CLOCK_PROCESS_CPUTIME_ID);

    atomic_store(&stop, false);
    for (unsigned i = 0; i < nr; i++) {
        workers[i].kind = kind;
        workers[i].start = disjoint ? i * (uint64_t)RANGE : 0;
        workers[i].done = 0;
        if (pthread_create(&workers[i].thread, NULL, work, &workers[i]) != 0)
            return (struct price){ -1, -1 };
    }
    clock_sleep_ns(RUN_NS);
    atomic_store(&stop, true);
    for (unsigned i = 0; i < nr; i++) {
        pthread_join(workers[i].thread, NULL);
        done += workers[i].done;
    }
    began = clock_monotonic_ns() - began;
    used = processor_ns(CLOCK_PROCESS_CPUTIME_ID) - used;
    return (struct price){ (double)began / (double)done,
                           (double)used / (double)done };
}

static void copying(const struct kind *kind, unsigned nr)
{
    struct price apart = together(kind, nr, true);
    struct price same = together(kind, nr, false);

    printf("%-16s %2u threads copying pages: disjoint %.0f ns each, %.0f of a "
           "processor; overlapping %.0f, %.0f\n", kind->name, nr, apart.passed,
           apart.processor, same.passed, same.processor);
}

static void *nothing(void *unused)
{
    return unused;
}

int main(void)
{
    static const unsigned others[] = { 0, 1, 8, HOLDERS };
    static const unsigned threads[] = { 1, 2, 8, HOLDERS };
    pthread_t thread;

    /* While a process has had one thread only, libc's locks are not atomic. */
    if (pthread_create(&thread, NULL, nothing, NULL) == 0)
        pthread_join(thread, NULL);
    for (unsigned k = 0; k < KINDS; k++)
        for (unsigned i = 0; i < 4 && (i == 0 || kinds[k].has_ranges); i++)
            beside_holders(&kinds[k], others[i]);
    for (unsigned i = 0; i < 4; i++)
        for (unsigned k = 0; k < KINDS; k++)
            copying(&kinds[k], threads[i]);
    return 0;
}

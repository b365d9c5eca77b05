/* work.c - the two queues and their threads.
 *
 * A thread takes from the queue of reads first; from that of writes only while
 * few enough others are at it.  So neither starves: reads end, and the threads
 * they leave go to writes.
 */
#include "work.h"

#include "lock.h"
#include "threads.h"

#include <errno.h>
#include <stdlib.h>

enum { FOR_READS_ONLY = 2 };

struct work {
    struct mutex lock;       /* protects what has a (w) */
    struct cond more;
    struct list reads, writes; /* (w) */
    unsigned writers;        /* (w) threads at work on writes */
    unsigned max_writers;
    bool stopping;           /* (w) */
    void (*run)(void *ctx, struct list *item);
    void *ctx;
    unsigned nr_threads;
    pthread_t threads[];
};

/* NULL: nothing that this thread may do now.  Caller holds the lock. */
static struct list *take(struct work *work, bool *writes)
{
    struct list *queue = NULL;
    struct list *item;

    if (!list_empty(&work->reads))
        queue = &work->reads;
    else if (!list_empty(&work->writes) && work->writers < work->max_writers)
        queue = &work->writes;
    if (!queue)
        return NULL;
    item = queue->next;
    list_del(item);
    *writes = queue == &work->writes;
    work->writers += *writes;
    return item;
}

static void *serve(void *ctx)
{
    struct work *work = ctx;

    mutex_lock(&work->lock, RANK_FUSE);
    for (;;) {
        bool writes;
        struct list *item = take(work, &writes);

        if (item) {
            mutex_unlock(&work->lock);
            work->run(work->ctx, item);
            mutex_lock(&work->lock, RANK_FUSE);
            work->writers -= writes;
            continue;
        }
        if (work->stopping)
            break;
        cond_wait(&work->more, &work->lock);
    }
    mutex_unlock(&work->lock);
    return NULL;
}

int work_create(struct work **out, unsigned nr_threads,
                void (*run)(void *ctx, struct list *item), void *ctx)
{
    struct work *work;
    int err = 0;

    work = calloc(1, sizeof(*work) + nr_threads * sizeof(work->threads[0]));
    if (!work)
        return -ENOMEM;
    list_init(&work->reads);
    list_init(&work->writes);
    work->max_writers = nr_threads > FOR_READS_ONLY
                            ? nr_threads - FOR_READS_ONLY : 1;
    work->run = run;
    work->ctx = ctx;
    while (work->nr_threads < nr_threads && !err) {
        err = threads_start(&work->threads[work->nr_threads], "worker", serve,
                            work);
        work->nr_threads += !err;
    }
    if (err) {
        work_destroy(work);
        return err;
    }
    *out = work;
    return 0;
}

void work_destroy(struct work *work)
{
    mutex_lock(&work->lock, RANK_FUSE);
    work->stopping = true;
    mutex_unlock(&work->lock);
    cond_broadcast(&work->more);
    for (unsigned i = 0; i < work->nr_threads; i++)
        pthread_join(work->threads[i], NULL);
    free(work);
}

void work_push(struct work *work, struct list *item, enum message_lane lane)
{
    mutex_lock(&work->lock, RANK_FUSE);
    list_add_tail(lane == MESSAGE_READS ? &work->reads : &work->writes, item);
    mutex_unlock(&work->lock);
    cond_signal(&work->more);
}

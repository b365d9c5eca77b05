/* work.h - threads that run what the readers must not wait for.
 *
 * Two queues.  Requests that take memory or space may wait long for it, so at
 * most all but two of the threads work on those at once: a read that must go to
 * disk finds a thread, however many writers are held up; if there was a buffer to
 * read it into, as what waits here keeps its own.
 *
 * Ownership   a request belongs to the queue from work_push until `run` gets
 * it.
 * Locking     inside (RANK_FUSE); `run` is called with no lock held.
 */
#ifndef FUSE_WORK_H
#define FUSE_WORK_H

#include "list.h"
#include "message.h"

struct work;

/* `run` gets the `struct list` that was pushed. */
int work_create(struct work **work, unsigned nr_threads,
                void (*run)(void *ctx, struct list *item), void *ctx);
/* Runs what is queued, then ends the threads. */
void work_destroy(struct work *work);
void work_push(struct work *work, struct list *item, enum message_lane lane);

#endif

/* crowd.c - who is about while a pool is changed in use. */
#include "crowd.h"

#include "unit.h"

#include <errno.h>
#include <pthread.h>

enum { THREADS = 3, OPERATIONS = 6000 };

struct one {
    struct rig *rig;
    unsigned nr;
};

/* Each thread has every third page of both owners to itself. */
static void *work(void *arg)
{
    const struct one *one = arg;
    unsigned seed = one->nr + 1;

    for (uint32_t n = 0; n < OPERATIONS; n++) {
        uint32_t owner = 1 + (uint32_t)rand_r(&seed) % 2;
        uint64_t index = (uint64_t)rand_r(&seed) % (CROWD_PAGES / THREADS);
        unsigned what = (unsigned)rand_r(&seed) % 10;
        int err = 0;

        index = index * THREADS + one->nr;
        if (what < 5)
            err = fake_write(one->rig, owner, index, n, true);
        else if (what < 9)
            err = fake_read(one->rig, owner, index, 1 + what, true);
        else
            fake_drop(one->rig, owner, index);
        unit_assert(err == 0 || err == -ENOSPC);
    }
    return NULL;
}

void crowd_run(struct rig *rig)
{
    pthread_t threads[THREADS];
    struct one ones[THREADS];

    for (unsigned i = 0; i < THREADS; i++) {
        ones[i] = (struct one){ .rig = rig, .nr = i };
        pthread_create(&threads[i], NULL, work, &ones[i]);
    }
    for (unsigned i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
}

bool stop_after(void *ctx)
{
    unsigned *left = ctx;

    return (*left)-- == 0;
}

/* ops_ctl_pages.c - the control ABI: what will be done with pages, and eviction.
 *
 * On the root, eviction is of all files; of that walk only where it is now is
 * known, so it ends where its caller is interrupted.
 */
#include "ops_ctl.h"

#include <errno.h>

struct advising {
    struct request *rq;
    struct pagerfs_advise *args;
};

static bool advise_file(void *ctx, struct object *object)
{
    struct advising *advising = ctx;
    struct object_store *store = advising->rq->session->store;
    struct pagerfs_advise *args = advising->args;

    args->pages = 0;
    switch (args->advice) {
    case PAGERFS_DEFAULT:
        object_advise(object, OBJECT_DEFAULT);
        break;
    case PAGERFS_SEQUENTIAL:
        object_advise(object, OBJECT_SEQUENTIAL);
        break;
    case PAGERFS_RANDOM:
        object_advise(object, OBJECT_RANDOM);
        break;
    case PAGERFS_WILLNEED:
        args->pages = object_willneed(store, object, go_on, advising->rq);
        break;
    case PAGERFS_DONTNEED:
        args->pages = object_dontneed(store, object);
        break;
    }
    return true;
}

int ctl_advise(struct request *rq, uint64_t id, union argument *argument)
{
    struct advising advising = { rq, &argument->advise };

    if (!is_zero(advising.args->reserved,
                 ARRAY_SIZE(advising.args->reserved)) ||
        advising.args->advice > PAGERFS_DONTNEED)
        return -EINVAL;
    return tree_one_file(rq->session->tree, id, advise_file, &advising);
}

struct eviction {
    struct request *rq;
    uint64_t resident, left;
    int err;
};

static bool send_out_file(void *ctx, struct object *object)
{
    struct eviction *eviction = ctx;
    struct object_store *store = eviction->rq->session->store;
    struct object_usage usage;
    uint64_t found;

    object_usage(store, object, &usage);
    eviction->resident += usage.resident;
    eviction->err = object_send_out(store, object, go_on, eviction->rq, &found);
    return eviction->err == 0;
}

static bool evict_file(void *ctx, struct object *object)
{
    struct eviction *eviction = ctx;
    uint64_t left;

    eviction->err = object_evict(eviction->rq->session->store, object, go_on,
                                 eviction->rq, &left);
    eviction->left += left;
    return eviction->err == 0;
}

/* One file, or all. */
static int visit(struct request *rq, uint64_t id, tree_visit *file, void *ctx)
{
    if (id != TREE_ROOT)
        return tree_one_file(rq->session->tree, id, file, ctx);
    tree_each_file(rq->session->tree, file, ctx);
    return 0;
}

/* The memory of free frames goes back to the system, in small holds of the
 * arena's lock. */
static void give_memory_back(struct arena *arena)
{
    enum { FRAMES_A_TIME = 64 };

    while (arena_trim(arena, FRAMES_A_TIME) == FRAMES_A_TIME)
        ;
}

/* First all are begun, then each is waited for: small files would make for many
 * short waits. */
int ctl_evict(struct request *rq, uint64_t id, union argument *argument)
{
    struct pagerfs_evict *args = &argument->evict;
    struct eviction eviction = { .rq = rq };
    int err;

    if (!is_zero(args->reserved, ARRAY_SIZE(args->reserved)))
        return -EINVAL;
    err = visit(rq, id, send_out_file, &eviction);
    if (!err && !eviction.err)
        err = visit(rq, id, evict_file, &eviction);
    give_memory_back(rq->session->arena);
    args->left = eviction.left;
    args->evicted = eviction.resident - MIN(eviction.left, eviction.resident);
    return err ? err : eviction.err;
}

/* ops_ctl.c - the control ABI: ioctls by which a mount is seen and steered.
 *
 * A command is a row of a table: its number (which holds the size of its
 * argument), where it may be asked, who may ask, whether it takes long, and what
 * it does with the argument, which is answered as it was left.  Checked here for
 * all of them: the node, the caller, the head, the fields that must be zero.
 *
 * What takes long walks over all files.  It runs on a worker, one such command at
 * a time that looks and one that steers, so that most workers stay free for others
 * whatever is asked; and it looks now and then whether the caller is still there.
 *
 * Numbers are our own: what the kernel calls its own ioctls is in ops_extra.c.
 */
#include "ops.h"

#include "caller.h"
#include "clock.h"

#include "pagerfs_ioctl.h"

#include <errno.h>
#include <string.h>

/* The largest argument: on the stack of a thread of ours. */
union argument {
    struct pagerfs_head head;
    struct pagerfs_stat stat;
    struct pagerfs_frag frag;
    struct pagerfs_set set;
    struct pagerfs_advise advise;
    struct pagerfs_evict evict;
    struct pagerfs_swaps swaps;
    struct pagerfs_swapon swapon;
    struct pagerfs_swapoff swapoff;
};

typedef int run_command(struct request *rq, uint64_t id,
                        union argument *argument);

struct command {
    unsigned number;
    bool steers; /* for root and the owner */
    bool walks;  /* takes long */
    bool files;  /* asked on a regular file, too */
    run_command *run;
};

_Static_assert((int)PAGERFS_OPCODES == (int)SERVED_OPCODES, "counted alike");

static bool asked_by(struct request *rq, uid_t uid)
{
    const struct fuse_in_header *in = request_header(rq);

    return in->uid == TREE_ID_UNKNOWN ? caller_is((pid_t)in->pid, uid)
                                      : in->uid == uid;
}

static bool may_steer(struct request *rq)
{
    return asked_by(rq, rq->session->owner) || asked_by(rq, 0);
}

static bool interrupted(const struct request *rq)
{
    return atomic_load_explicit(&rq->interrupted, memory_order_relaxed);
}

static bool is_zero(const uint64_t *words, size_t nr)
{
    for (size_t i = 0; i < nr; i++)
        if (words[i] != 0)
            return false;
    return true;
}

static struct pool *pool_of(const struct request *rq)
{
    return rq->session->store->pool;
}

/* What takes long: one that steers at a time, and one that looks. */
static int run_walk(run_command *run, bool steers, struct request *rq,
                    uint64_t id, union argument *argument)
{
    struct session *session = rq->session;
    int err;

    if (!rq->may_wait)
        return -EAGAIN;
    if (atomic_exchange(&session->walking[steers], true))
        return -EBUSY;
    err = run(rq, id, argument);
    atomic_store(&session->walking[steers], false);
    return err;
}

/* --- figures --------------------------------------------------------------- */

static void fill_pool(struct pagerfs_stat *out, const struct pool_stats *pool)
{
    out->limit = pool->limit;
    out->used = pool->used;
    out->used_max = pool->used_max;
    out->data = pool->data;
    out->metadata = pool->metadata;
    out->frames = pool->frames;
    out->frames_free = pool->frames_free;
    out->frames_reserve = pool->reserve;
    out->frames_min = pool->min;
    out->frames_low = pool->low;
    out->frames_high = pool->high;
    out->pages_reading = pool->reading;
    out->pages_clean = pool->clean;
    out->pages_dirty = pool->dirty;
    out->pages_writing = pool->writing;
    out->blocks_max = pool->blocks_max;
    out->blocks_backed = pool->space.nr_backed;
    out->blocks_free = pool->space.nr_free;
    out->blocks_used = pool->space.nr_used;
    out->blocks_retired = pool->space.nr_retired;
}

static void fill_counters(struct pagerfs_stat *out,
                          const struct pool_stats *pool)
{
    out->pageout_pages = pool->pageout_pages;
    out->pageout_ios = pool->pageout_ios;
    out->pagein_pages = pool->pagein_pages;
    out->pagein_ios = pool->pagein_ios;
    out->evictions = pool->evictions;
    out->redirtied = pool->redirtied;
    out->refaults = pool->refaults;
    out->lost = pool->lost;
    out->readahead_pages = pool->readahead_pages;
    out->readahead_used = pool->readahead_used;
    out->readahead_unused = pool->readahead_unused;
    out->throttled_ns = pool->throttled_ns;
}

static void fill_ram(struct pagerfs_stat *out, struct session *session,
                     const struct pool_stats *pool)
{
    struct arena *arena = session->arena;

    out->ram = atomic_load(&session->ram);
    /* Frame 0 belongs to nobody, but costs as much as any. */
    out->ram_least = session->ram_fixed +
                     arena_bytes_for(arena, pool->frames_least + 1);
    out->ram_most = session->ram_fixed +
                    arena_bytes_for(arena, pool->frames_most + 1);
}

static void fill_name(char out[PAGERFS_NAME_BYTES], const char *name)
{
    size_t length = strnlen(name, PAGERFS_NAME_BYTES - 1);

    memcpy(out, name, length);
    memset(out + length, 0, PAGERFS_NAME_BYTES - length);
}

static int run_stat(struct request *rq, uint64_t id, union argument *argument)
{
    struct session *session = rq->session;
    struct pagerfs_stat *out = &argument->stat;
    struct pool_stats pool;
    struct tree_stats tree;

    (void)id;
    if (!is_zero(out->reserved, ARRAY_SIZE(out->reserved)))
        return -EINVAL;
    pool_stats(pool_of(rq), &pool);
    tree_stats(session->tree, &tree);
    out->uptime_ns = clock_monotonic_ns() - session->started_ns;
    fill_name(out->transport, session->transport_ops->name);
    fill_name(out->swap_engine, pool.engine);
    fill_name(out->replacement, pool.replacement);
    fill_pool(out, &pool);
    fill_counters(out, &pool);
    fill_ram(out, session, &pool);
    out->nodes = tree.nodes;
    out->nodes_limit = tree.nodes_limit;
    out->names = tree.entries;
    out->orphans = tree.orphans;
    session_served(session, out->requests);
    return 0;
}

struct frag_walk {
    struct request *rq;
    struct pagerfs_frag *out;
};

static bool frag_file(void *ctx, struct object *object)
{
    struct frag_walk *walk = ctx;
    struct pagerfs_frag *out = walk->out;
    struct object_usage usage;

    object_usage(walk->rq->session->store, object, &usage);
    out->files += usage.blocks > 0;
    out->pages += usage.blocks;
    out->pairs += usage.pairs;
    out->breaks += usage.breaks;
    out->slots += usage.slots;
    out->runs += usage.runs;
    return !interrupted(walk->rq);
}

static int run_frag(struct request *rq, uint64_t id, union argument *argument)
{
    struct pagerfs_frag *out = &argument->frag;
    struct frag_walk walk = { rq, out };
    struct pool_stats pool;

    (void)id;
    if (!is_zero(out->reserved, ARRAY_SIZE(out->reserved)))
        return -EINVAL;
    *out = (struct pagerfs_frag){ .head = out->head };
    if (!tree_each_file(rq->session->tree, frag_file, &walk))
        return -EINTR;
    pool_stats(pool_of(rq), &pool);
    out->blocks_free = pool.space.nr_free;
    out->free_runs = pool.space.free_runs;
    out->largest_run = pool.space.largest_run;
    return 0;
}

/* --- steering -------------------------------------------------------------- */

static bool stop(void *ctx)
{
    return interrupted(ctx);
}

static int set_ram(struct request *rq, uint64_t id, union argument *argument)
{
    struct session *session = rq->session;
    uint64_t ram = argument->set.ram;
    int err;

    (void)id;
    if (ram < session->ram_fixed)
        return -ERANGE;
    err = pool_ram_change(pool_of(rq), ram - session->ram_fixed, stop, rq);
    if (!err)
        atomic_store(&session->ram, ram);
    return err;
}

static int run_set(struct request *rq, uint64_t id, union argument *argument)
{
    struct pagerfs_set *in = &argument->set;

    if (!is_zero(in->reserved, ARRAY_SIZE(in->reserved)))
        return -EINVAL;
    switch (in->what) {
    case PAGERFS_SET_SIZE:
        return pool_limit_change(pool_of(rq), pages_for(in->size));
    case PAGERFS_SET_RAM:
        return run_walk(set_ram, true, rq, id, argument);
    default:
        return -EINVAL;
    }
}

static bool go_on(void *ctx)
{
    return !interrupted(ctx);
}

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

static int run_advise(struct request *rq, uint64_t id, union argument *argument)
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
static int run_evict(struct request *rq, uint64_t id, union argument *argument)
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

/* --- swap areas ------------------------------------------------------------ */

static int run_swaps(struct request *rq, uint64_t id, union argument *argument)
{
    struct swap_area_info list[SWAP_AREAS_MAX];
    uint32_t nr = pool_swap_list(pool_of(rq), list);

    (void)id;
    argument->swaps = (struct pagerfs_swaps){ .head = argument->head, .nr = nr };
    for (uint32_t i = 0; i < nr; i++) {
        struct pagerfs_swap_area *out = &argument->swaps.area[i];

        memcpy(out->name, list[i].name, sizeof(out->name));
        out->priority = list[i].priority;
        out->leaving = list[i].state != SWAP_AREA_ACTIVE;
        out->blocks_max = list[i].nr_max;
        out->blocks_backed = list[i].nr_backed;
        out->blocks_used = list[i].nr_used;
        out->blocks_free = list[i].nr_free;
        out->blocks_retired = list[i].nr_retired;
    }
    return 0;
}

/* A place on this very mount would have us wait for ourselves, if there is no
 * other thread; it is refused when there is one (swap_file_open). */
static int run_swapon(struct request *rq, uint64_t id, union argument *argument)
{
    struct pagerfs_swapon *args = &argument->swapon;
    struct swap_file file;
    int err;

    (void)id;
    if (!is_zero(args->reserved, ARRAY_SIZE(args->reserved)) ||
        args->path[0] != '/' || !memchr(args->path, 0, sizeof(args->path)) ||
        args->priority < INT16_MIN || args->priority > INT16_MAX)
        return -EINVAL;
    memset(args->message, 0, sizeof(args->message));
    if (!rq->session->work) {
        strcpy(args->message, "a mount with -s takes no more swap");
        return 0;
    }
    if (swap_file_open(&file, args->path, pages_for(args->size),
                       args->message) != 0)
        return 0;
    err = pool_swap_add(pool_of(rq), &file, (int)args->priority);
    if (err)
        swap_file_close(&file);
    return err;
}

static int run_swapoff(struct request *rq, uint64_t id, union argument *argument)
{
    struct pagerfs_swapoff *args = &argument->swapoff;

    (void)id;
    if (!is_zero(args->reserved, ARRAY_SIZE(args->reserved)) ||
        !memchr(args->name, 0, sizeof(args->name)))
        return -EINVAL;
    return pool_swap_remove(pool_of(rq), args->name, stop, rq);
}

_Static_assert((int)PAGERFS_SWAP_AREAS == (int)SWAP_AREAS_MAX &&
               (int)PAGERFS_SWAP_NAME_BYTES == (int)SWAP_NAME_BYTES &&
               sizeof(((struct pagerfs_swapon *)0)->message) >=
                   SWAP_MESSAGE_BYTES, "as in swap.h and file.h");

/* --- any command ----------------------------------------------------------- */

static const struct command commands[] = {
    { PAGERFS_IOC_STAT, .run = run_stat },
    { PAGERFS_IOC_FRAG, .walks = true, .run = run_frag },
    { PAGERFS_IOC_SET, .steers = true, .run = run_set },
    { PAGERFS_IOC_ADVISE, .steers = true, .walks = true, .files = true,
      .run = run_advise },
    { PAGERFS_IOC_EVICT, .steers = true, .walks = true, .files = true,
      .run = run_evict },
    { PAGERFS_IOC_SWAPS, .steers = true, .run = run_swaps },
    { PAGERFS_IOC_SWAPON, .steers = true, .walks = true, .run = run_swapon },
    { PAGERFS_IOC_SWAPOFF, .steers = true, .walks = true, .run = run_swapoff },
};

static const struct command *command_of(unsigned number)
{
    for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
        if (commands[i].number == number)
            return &commands[i];
    return NULL;
}

void ctl_ioctl(struct request *rq, uint64_t id, unsigned number, const void *in,
               size_t in_bytes, size_t out_bytes)
{
    const struct command *command = command_of(number);
    size_t bytes = _IOC_SIZE(number);
    union argument argument;
    int err;

    if (!command || (id != TREE_ROOT && !command->files)) {
        reply_error(rq, -ENOTTY);
        return;
    }
    if (command->steers && !may_steer(rq)) {
        reply_error(rq, -EPERM);
        return;
    }
    if (in_bytes < bytes || out_bytes < bytes) {
        reply_error(rq, -EINVAL);
        return;
    }
    memcpy(&argument, in, bytes);
    if (argument.head.version != PAGERFS_CTL_VERSION ||
        argument.head.size != bytes)
        err = -EINVAL;
    else if (command->walks)
        err = run_walk(command->run, command->steers, rq, id, &argument);
    else
        err = command->run(rq, id, &argument);
    if (err)
        op_result(rq, err);
    else
        reply_ioctl(rq, &argument, bytes);
}

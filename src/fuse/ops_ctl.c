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
#include "ops_ctl.h"

#include "caller.h"
#include "clock.h"

#include <errno.h>
#include <string.h>

/* Those that take long run one at a time in each lane. */
enum lane { AT_ONCE, LOOKS, STEERS };

struct command {
    unsigned number;
    bool owner;     /* for root and the owner */
    bool files;     /* asked on a regular file, too */
    enum lane lane;
    ctl_command *run;
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

/* What takes long: one of its lane at a time.  It changes no charge, and who shuts
 * the gate does not wait for it. */
static int run_walk(ctl_command *run, enum lane lane, struct request *rq,
                    uint64_t id, union argument *argument)
{
    struct session *session = rq->session;
    _Atomic bool *taken = &session->walking[lane - LOOKS];
    int err;

    if (!rq->may_wait)
        return -EAGAIN;
    if (atomic_exchange(taken, true))
        return -EBUSY;
    gate_leave(&session->gate);
    err = run(rq, id, argument);
    atomic_store(taken, false);
    gate_enter(&session->gate);
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
    out->writers_waited_ns = pool->writers_waited_ns;
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
    return !request_given_up(walk->rq);
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
        return run_walk(set_ram, STEERS, rq, id, argument);
    default:
        return -EINVAL;
    }
}

/* --- any command ----------------------------------------------------------- */

static const struct command commands[] = {
    { PAGERFS_IOC_STAT, .run = run_stat },
    { PAGERFS_IOC_FRAG, .lane = LOOKS, .run = run_frag },
    { PAGERFS_IOC_SET, .owner = true, .run = run_set },
    { PAGERFS_IOC_ADVISE, .owner = true, .files = true, .lane = STEERS,
      .run = ctl_advise },
    { PAGERFS_IOC_EVICT, .owner = true, .files = true, .lane = STEERS,
      .run = ctl_evict },
    { PAGERFS_IOC_SWAPS, .owner = true, .run = ctl_swaps },
    { PAGERFS_IOC_SWAPON, .owner = true, .lane = STEERS, .run = ctl_swapon },
    { PAGERFS_IOC_SWAPOFF, .owner = true, .lane = STEERS, .run = ctl_swapoff },
    { PAGERFS_IOC_VERIFY, .owner = true, .lane = LOOKS, .run = ctl_verify },
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
    if (command->owner && !may_steer(rq)) {
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
    else if (command->lane != AT_ONCE)
        err = run_walk(command->run, command->lane, rq, id, &argument);
    else
        err = command->run(rq, id, &argument);
    if (err)
        op_result(rq, err);
    else
        reply_ioctl(rq, &argument, bytes);
}

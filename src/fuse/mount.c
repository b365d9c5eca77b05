/* mount.c - putting a mount together, and taking it apart in reverse.
 *
 *     options --> sizing --> [fork] --> arena --> swap --> pool --> tree
 *                                                                    |
 *         served <-- threads <-- INIT answered <-- mounted <-- session
 *
 * Everything is made before the mount appears, so that an error leaves nothing
 * behind: no mount, no process, no file in the place for swap.  Threads come
 * last; the parent process goes when they run.
 *
 * A signal ends the mount as umount does; what was in it is gone.
 */
#include "mount.h"

#include "arena.h"
#include "sizing.h"
#include "daemon.h"
#include "log.h"
#include "object.h"
#include "pool.h"
#include "queues.h"
#include "session.h"
#include "size.h"
#include "swap.h"
#include "threads.h"
#include "tree.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

/* Requests under way to the swap place at once. */
enum { SWAP_INFLIGHT = 16 };

struct mount {
    const struct options *options;
    struct sizing sizing;
    struct daemon daemon;
    char mountpoint[PATH_MAX]; /* absolute */
    struct arena *arena;
    struct swap *swap;
    uint64_t room;             /* blocks that the host's disk holds now */
    struct object_store store; /* the tree's; the pool's way up to it */
    struct pool *pool;
    struct tree *tree;
    struct session *session;
};

/* --- checks before anything is made -------------------------------------- */

static bool is_dead(int err)
{
    return err == ENOTCONN || err == ECONNABORTED;
}

static int refuse(const char *what, int err)
{
    const char *advice = is_dead(err)
        ? ": a dead mount is there; fusermount3 -u it first" : "";

    log_error("mount point %s: %s%s", what, strerror(err), advice);
    return -err;
}

/* stat(2) is answered from the kernel's cache even then; statfs(2) asks the daemon
 * each time.  Through O_PATH, because by name either would wake an automount, which
 * may be waiting for us. */
static int check_alive(const char *mountpoint)
{
    int fd = open(mountpoint, O_PATH | O_CLOEXEC), err = 0;
    struct statfs fs;

    if (fd < 0)
        return -errno;
    if (fstatfs(fd, &fs) != 0 && is_dead(errno))
        err = -errno;
    close(fd);
    return err;
}

static int check_mountpoint(struct mount *mount)
{
    const char *given = mount->options->mountpoint;
    struct stat st;
    int err;

    if (session_is_passed(given)) {
        snprintf(mount->mountpoint, sizeof(mount->mountpoint), "%s", given);
        return 0;
    }
    if (!realpath(given, mount->mountpoint) ||
        stat(mount->mountpoint, &st) != 0)
        return refuse(given, errno);
    if (!S_ISDIR(st.st_mode))
        return refuse(given, ENOTDIR);
    err = check_alive(mount->mountpoint);
    return err ? refuse(given, -err) : 0;
}

/* The places for swap: those given, or the one that is taken otherwise. */
static unsigned swap_count(const struct options *options)
{
    return MAX(options->nr_swap, 1);
}

static struct option_swap swap_at(const struct options *options, unsigned i)
{
    static char usual[] = "/var/tmp";

    return options->nr_swap ? options->swap[i]
                            : (struct option_swap){ usual, -1, { 0 } };
}

/* Where `spec` is, or will be made; false if not even its directory is there,
 * which swap_file_open tells. */
static bool swap_place(const char *spec, char path[PATH_MAX])
{
    char parent[PATH_MAX];

    if (realpath(spec, path))
        return true;
    if (strlen(spec) >= sizeof(parent))
        return false;
    strcpy(parent, spec);
    return realpath(dirname(parent), path) != NULL;
}

/* Swap below the mount point would be hidden by the mount, if it is not the
 * mount itself by some other name. */
static int check_swap_place(const struct mount *mount, const char *spec)
{
    size_t length = strlen(mount->mountpoint);
    char path[PATH_MAX];

    if (strcmp(spec, "none") == 0 || !swap_place(spec, path))
        return 0;
    if (strncmp(path, mount->mountpoint, length) != 0 ||
        (path[length] != '/' && path[length] != '\0'))
        return 0;
    log_error("swap=%s lies under the mount point: name a place elsewhere",
              spec);
    return -EINVAL;
}

static int check_swap(const struct mount *mount)
{
    int err = 0;

    for (unsigned i = 0; !err && i < swap_count(mount->options); i++)
        err = check_swap_place(mount, swap_at(mount->options, i).place);
    return err;
}

/* --- putting together ---------------------------------------------------- */

static int make_arena(struct mount *mount)
{
    int err = arena_create_range(&mount->arena, mount->sizing.arena_bytes,
                                 mount->sizing.arena_most);
    char text[32];

    if (err)
        log_error("ram=%s cannot be had: %s; give less",
                  size_format(mount->sizing.ram, text, sizeof(text)),
                  strerror(-err));
    return err;
}

/* The most blocks that a place may take; 0: it is not needed. */
static uint64_t swap_blocks(const struct mount *mount,
                            const struct option_swap *place)
{
    struct stat st;

    if (place->size.given)
        return pages_for(place->size.bytes);
    if (!mount->options->swapsize.given && stat(place->place, &st) == 0 &&
        S_ISBLK(st.st_mode))
        return SPACE_MAX_BLOCKS; /* the whole device */
    return pages_for(mount->sizing.swapsize);
}

static int add_swap(struct mount *mount, const struct option_swap *place)
{
    uint64_t blocks = swap_blocks(mount, place);
    char message[SWAP_MESSAGE_BYTES];
    struct swap_file file;
    int err;

    if (blocks == 0 || strcmp(place->place, "none") == 0)
        return 0;
    err = swap_file_open(&file, place->place, blocks, message);
    if (err) {
        log_error("%s", message);
        return err;
    }
    mount->room += MIN(swap_file_room(&file), (uint64_t)file.nr_blocks);
    err = swap_add(mount->swap, &file, place->priority);
    if (err) {
        log_error("swap=%s cannot be used: %s", place->place,
                  err == -EEXIST ? "it is named twice" : strerror(-err));
        swap_file_close(&file);
    }
    return err;
}

static int make_swap(struct mount *mount)
{
    const struct swap_file none = { .fd = -1 };
    int err = swap_create(&mount->swap, &none, mount->arena, SWAP_INFLIGHT);

    if (err) {
        log_error("no memory for swap: %s", strerror(-err));
        return err;
    }
    for (unsigned i = 0; !err && i < swap_count(mount->options); i++) {
        struct option_swap place = swap_at(mount->options, i);

        err = add_swap(mount, &place);
    }
    if (err)
        swap_destroy(mount->swap);
    return err;
}

/* The pool knows what RAM and swap hold once it is there; then size= is
 * settled. */
static int make_pool(struct mount *mount)
{
    const struct pool_config config = { .arena = mount->arena,
                                        .swap = mount->swap,
                                        .replacement =
                                            mount->options->replacement,
                                        .ops = &object_pool_ops,
                                        .ctx = &mount->store };
    char message[OPTIONS_MESSAGE_BYTES];
    struct pool_stats stats;
    uint64_t limit;
    int err;

    err = pool_create(&mount->pool, &config);
    if (err) {
        log_error("no memory for the pool: %s", strerror(-err));
        return err;
    }
    pool_stats(mount->pool, &stats);
    err = sizing_limit(&mount->sizing, mount->options, stats.used_max,
                       stats.used_max - stats.blocks_max, mount->room, &limit,
                       message);
    if (err) {
        log_error("%s", message);
        pool_destroy(mount->pool);
        return err;
    }
    pool_limit_set(mount->pool, limit);
    return 0;
}

/* No request comes before there is a session. */
static void attributes_changed(void *ctx, uint64_t id)
{
    struct mount *mount = ctx;

    session_forget_attr(mount->session, id);
}

static int make_tree(struct mount *mount)
{
    static const enum tree_atime atimes[] = {
        [OPTIONS_RELATIME] = TREE_RELATIME,
        [OPTIONS_NOATIME] = TREE_NOATIME,
        [OPTIONS_STRICTATIME] = TREE_STRICTATIME,
    };
    const struct options *options = mount->options;
    const struct tree_config config = {
        .store = &mount->store,
        .nr_inodes = mount->sizing.nr_inodes,
        .root_mode = options->mode,
        .root_uid = options->uid,
        .root_gid = options->gid,
        .grpid = options->grpid,
        .atime = atimes[options->atime],
        .nodiratime = options->nodiratime,
        .changed = attributes_changed,
        .ctx = mount,
    };
    int err;

    mount->store.arena = mount->arena;
    mount->store.pool = mount->pool;
    err = tree_create(&mount->tree, &config);
    if (err)
        log_error("no room for the root directory: %s; give more by size= or "
                  "ram=", strerror(-err));
    return err;
}

static int make_session(struct mount *mount)
{
    const struct session_config config = { .options = mount->options,
                                           .sizing = &mount->sizing,
                                           .tree = mount->tree,
                                           .store = &mount->store,
                                           .arena = mount->arena,
                                           .pool = mount->pool };

    return session_create(&mount->session, &config);
}

static int start(struct mount *mount)
{
    int err = pool_start(mount->pool);

    if (err) {
        log_error("pageout could not be started: %s", strerror(-err));
        return err;
    }
    return session_start(mount->session);
}

static void serve(struct mount *mount)
{
    int number;

    daemon_ready(&mount->daemon);
    number = session_wait(mount->session);
    if (number)
        log_info("%s: ended by signal %d (%s)", mount->mountpoint, number,
                 strsignal(number));
}

/* Makes all, serves, and undoes all; also what was made before an error. */
static int live(struct mount *mount)
{
    int err;

    err = make_arena(mount);
    if (err)
        return err;
    err = make_swap(mount);
    if (err)
        goto destroy_arena;
    err = make_pool(mount);
    if (err)
        goto destroy_swap;
    err = make_tree(mount);
    if (err)
        goto destroy_pool;
    err = make_session(mount);
    if (err)
        goto destroy_tree;
    err = session_mount(mount->session, mount->mountpoint);
    if (err)
        goto destroy_session;
    err = start(mount);
    if (!err)
        serve(mount);
    session_end(mount->session);
destroy_session:
    session_destroy(mount->session);
destroy_tree:
    tree_destroy(mount->tree);
destroy_pool:
    pool_destroy(mount->pool);
destroy_swap:
    swap_destroy(mount->swap);
destroy_arena:
    arena_destroy(mount->arena);
    return err;
}

/* Queues that are to be tried.  io_uring lets go of /dev/fuse some time after the
 * process is gone; fusermount3 has looked at the mount by then, not found it dead,
 * and given up. */
static unsigned queues_wanted(const struct options *options)
{
    unsigned queues;

    if (options->single_thread || options->transport == OPTIONS_TRANSPORT_DEV)
        return 0;
    queues = queues_needed("");
    if (queues == 0 || !options->auto_unmount)
        return queues;
    log_info("auto_unmount would come too early for FUSE over io_uring: "
             "/dev/fuse is used");
    return 0;
}

static int plan(struct mount *mount, uint64_t memory)
{
    const struct options *options = mount->options;
    bool uring = options->transport == OPTIONS_TRANSPORT_URING;
    long cpus = sysconf(_SC_NPROCESSORS_ONLN);
    unsigned queues = queues_wanted(options);
    const struct sizing_machine machine = {
        .memory = memory,
        .cpus = cpus > 0 ? (unsigned)cpus : 1,
        .queues = queues,
        .pool_bytes = pool_overhead_bytes,
        .metadata_max = pool_metadata_max,
    };
    char message[OPTIONS_MESSAGE_BYTES];
    int err;

    if (uring && queues == 0) {
        log_error("transport=uring: FUSE over io_uring is off: it takes Linux "
                  "6.14, and Y in /sys/module/fuse/parameters/enable_uring");
        return -EOPNOTSUPP;
    }
    err = sizing_plan(&mount->sizing, options, &machine, message);
    if (err) {
        log_error("%s", message);
    } else if (queues > 0 && mount->sizing.queues == 0) {
        log_line(uring ? LOG_LEVEL_ERROR : LOG_LEVEL_INFO,
                 "ram= is too little for FUSE over io_uring on %u CPUs%s",
                 queues, uring ? "" : ": /dev/fuse is used");
        err = uring ? -EINVAL : 0;
    }
    return err;
}

int mount_run(const struct options *options, uint64_t memory)
{
    struct mount *mount;
    int err;

    mount = calloc(1, sizeof(*mount));
    if (!mount)
        return -ENOMEM;
    mount->options = options;
    err = check_mountpoint(mount);
    if (!err)
        err = check_swap(mount);
    if (err)
        goto free_mount;
    err = plan(mount, memory);
    if (err)
        goto free_mount;
    err = daemon_detach(&mount->daemon, options->foreground);
    if (err)
        goto free_mount;
    threads_prepare();
    err = live(mount);
free_mount:
    free(mount);
    return err;
}

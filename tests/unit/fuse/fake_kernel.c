/* fake_kernel.c - see fake_kernel.h. */
#include "fake_kernel.h"

#include "object.h"
#include "pool.h"
#include "swap.h"
#include "threads.h"
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MAX_WORDS = 8, SILENT_MS = 30, MAX_WAIT_MS = 20000 };
#define MEMORY ((uint64_t)64 << 20)

const struct transport_ops *kernel_transport;
unsigned kernel_queues;
const char *kernel_swap;

static void attributes_changed(void *ctx, uint64_t id)
{
    struct kernel *kernel = ctx;

    session_forget_attr(kernel->session, id);
}

static void stack_make(struct kernel *kernel, const struct options *options,
                       const struct sizing *sizing)
{
    struct swap_file file = { .fd = -1 };
    char message[SWAP_MESSAGE_BYTES];
    struct pool_config pool = { .ops = &object_pool_ops,
                                .ctx = &kernel->store };
    struct tree_config tree = { .nr_inodes = sizing->nr_inodes,
                                .root_mode = options->mode,
                                .grpid = options->grpid,
                                .changed = attributes_changed,
                                .ctx = kernel };

    ck_assert_int_eq(arena_create_range(&kernel->arena, sizing->arena_bytes,
                                        sizing->arena_most), 0);
    ck_assert_int_eq(swap_file_open(&file, kernel_swap ? kernel_swap : "none",
                                    kernel_swap ? KERNEL_SWAP_BLOCKS : 0,
                                    message), 0);
    ck_assert_int_eq(swap_create(&kernel->swap, &file, kernel->arena, 1), 0);
    pool.arena = kernel->store.arena = kernel->arena;
    pool.swap = kernel->swap;
    ck_assert_int_eq(pool_create(&kernel->pool, &pool), 0);
    kernel->store.pool = kernel->pool;
    tree.store = &kernel->store;
    ck_assert_int_eq(tree_create(&kernel->tree, &tree), 0);
    ck_assert_int_eq(pool_start(kernel->pool), 0);
}

/* INIT is waiting in the socket when the session "mounts". */
static void put_init(struct kernel *kernel)
{
    struct fuse_init_in in = { .major = 7, .minor = 41, .flags = UINT32_MAX,
                               .flags2 = UINT32_MAX };

    kernel_send(kernel, FUSE_INIT, 0, &in, sizeof(in), NULL, 0);
}

void kernel_start(struct kernel *kernel, const char *words)
{
    char message[OPTIONS_MESSAGE_BYTES], copy[512], name[32];
    char *argv[MAX_WORDS + 1] = { NULL };
    struct options options;
    struct sizing_machine machine;
    struct sizing sizing;
    struct session_config config;
    int argc = 0, ends[2], room = 4 << 20;

    memset(kernel, 0, sizeof(*kernel));
    snprintf(copy, sizeof(copy), "%s", words);
    for (char *word = strtok(copy, " "); word; word = strtok(NULL, " "))
        argv[argc++] = word;
    ck_assert_msg(options_parse(&options, argc, argv, MEMORY, message) == 0,
                  "%s", message);
    machine = (struct sizing_machine){ .memory = MEMORY, .cpus = 2,
                                       .queues = kernel_queues,
                                       .pool_bytes = pool_overhead_bytes,
                                       .metadata_max = pool_metadata_max };
    ck_assert_int_eq(sizing_plan(&sizing, &options, &machine, message), 0);
    stack_make(kernel, &options, &sizing);
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends), 0);
    for (int i = 0; i < 2; i++)
        setsockopt(ends[i], SOL_SOCKET, SO_SNDBUF, &room, sizeof(room));
    kernel->fd = ends[0];
    config = (struct session_config){ .options = &options, .sizing = &sizing,
                                      .tree = kernel->tree,
                                      .store = &kernel->store,
                                      .arena = kernel->arena,
                                      .pool = kernel->pool };
    threads_prepare();
    ck_assert_int_eq(session_create(&kernel->session, &config), 0);
    if (kernel_transport)
        kernel->session->transport_ops = kernel_transport;
    put_init(kernel);
    snprintf(name, sizeof(name), "/dev/fd/%d", ends[1]);
    ck_assert_int_eq(session_mount(kernel->session, name), 0);
    kernel_receive(kernel);
    ck_assert_uint_eq(kernel->bytes, sizeof(kernel->init));
    memcpy(&kernel->init, kernel->reply.data, sizeof(kernel->init));
    ck_assert_int_eq(session_start(kernel->session), 0);
    options_fini(&options);
}

void kernel_stop(struct kernel *kernel)
{
    session_end(kernel->session);
    session_destroy(kernel->session);
    close(kernel->fd);
    tree_destroy(kernel->tree);
    pool_destroy(kernel->pool);
    swap_destroy(kernel->swap);
    arena_destroy(kernel->arena);
}

uint64_t kernel_send(struct kernel *kernel, uint32_t opcode, uint64_t nodeid,
                     const void *fixed, size_t fixed_bytes, const void *more,
                     size_t more_bytes)
{
    struct fuse_in_header in = {
        .len = (uint32_t)(sizeof(in) + fixed_bytes + more_bytes),
        .opcode = opcode,
        .unique = kernel->unique += 2,
        .nodeid = nodeid,
        .uid = kernel->uid,
        .gid = kernel->gid,
    };
    struct iovec iov[] = { { &in, sizeof(in) },
                           { (void *)(uintptr_t)fixed, fixed_bytes },
                           { (void *)(uintptr_t)more, more_bytes } };

    ck_assert_int_eq(writev(kernel->fd, iov, 3), in.len);
    return in.unique;
}

static bool ready(struct kernel *kernel, int ms)
{
    struct pollfd event = { .fd = kernel->fd, .events = POLLIN };

    return poll(&event, 1, ms) == 1;
}

bool kernel_pending(struct kernel *kernel)
{
    return ready(kernel, 0);
}

bool kernel_silent(struct kernel *kernel)
{
    return !ready(kernel, SILENT_MS);
}

static void take_notice(struct kernel *kernel)
{
    struct fuse_notify_inval_inode_out inode;

    ck_assert_int_eq(kernel->reply.out.error, FUSE_NOTIFY_INVAL_INODE);
    ck_assert_uint_eq(kernel->bytes, sizeof(inode));
    memcpy(&inode, kernel->reply.data, sizeof(inode));
    ck_assert_int_lt(inode.off, 0);
    kernel->stale++;
    kernel->stale_id = inode.ino;
}

static uint64_t receive(struct kernel *kernel)
{
    ssize_t got;

    ck_assert_msg(ready(kernel, MAX_WAIT_MS), "no reply came");
    got = read(kernel->fd, &kernel->reply, sizeof(kernel->reply));
    ck_assert_int_ge(got, (ssize_t)sizeof(kernel->reply.out));
    ck_assert_uint_eq(kernel->reply.out.len, (size_t)got);
    kernel->bytes = (size_t)got - sizeof(kernel->reply.out);
    return kernel->reply.out.unique;
}

uint64_t kernel_receive(struct kernel *kernel)
{
    uint64_t unique;

    while ((unique = receive(kernel)) == 0)
        take_notice(kernel);
    return unique;
}

int kernel_call(struct kernel *kernel, uint32_t opcode, uint64_t nodeid,
                const void *fixed, size_t fixed_bytes, const void *more,
                size_t more_bytes)
{
    uint64_t unique = kernel_send(kernel, opcode, nodeid, fixed, fixed_bytes,
                                  more, more_bytes);

    ck_assert_uint_eq(kernel_receive(kernel), unique);
    return kernel->reply.out.error;
}

uint64_t kernel_nodes(struct kernel *kernel)
{
    struct tree_stats stats;

    tree_stats(kernel->tree, &stats);
    return stats.nodes;
}

struct fuse_entry_out kernel_create(struct kernel *kernel, const char *name,
                                    uint64_t *fh)
{
    struct fuse_create_in in = { .flags = O_RDWR, .mode = S_IFREG | 0644 };
    struct fuse_open_out open;
    struct fuse_entry_out entry;

    ck_assert_int_eq(kernel_call(kernel, FUSE_CREATE, 1, &in, sizeof(in), name,
                                 strlen(name) + 1), 0);
    ck_assert_uint_eq(kernel->bytes, sizeof(entry) + sizeof(open));
    memcpy(&entry, kernel->reply.data, sizeof(entry));
    memcpy(&open, kernel->reply.data + sizeof(entry), sizeof(open));
    *fh = open.fh;
    return entry;
}

int kernel_write(struct kernel *kernel, uint64_t id, uint64_t fh,
                 uint64_t offset, const void *data, uint32_t size,
                 uint32_t flags)
{
    struct fuse_write_in in = { .fh = fh, .offset = offset, .size = size,
                                .write_flags = flags };

    return kernel_call(kernel, FUSE_WRITE, id, &in, sizeof(in), data, size);
}

int kernel_read(struct kernel *kernel, uint64_t id, uint64_t fh,
                uint64_t offset, uint32_t size)
{
    struct fuse_read_in in = { .fh = fh, .offset = offset, .size = size };

    return kernel_call(kernel, FUSE_READ, id, &in, sizeof(in), NULL, 0);
}

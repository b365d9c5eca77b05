/* sizing.c - dividing ram=, and defaults for the sizes not given.
 *
 * Requests are as large as a sixty-fourth of the budget, within 128 KiB (what
 * the kernel reads ahead) and 1 MiB (the most it sends): a small mount should
 * not spend its memory on buffers.  Each thread that may be busy with a request
 * has a buffer: the readers, and the workers to which they hand what must wait.
 *
 * FUSE over io_uring wants a thread and buffers for each CPU that there may ever
 * be.  A buffer nobody used is no memory yet, and the kernel takes the one used
 * last, but together they may come to that much, so they are paid for: a part
 * of the budget, of which each queue has as many buffers as it can.  A request
 * that waits keeps its buffer; so four, before requests of full size, and at
 * least two, or /dev/fuse it is.
 *
 * A larger ram= in use is the arena's alone; so addresses are set aside for it,
 * which cost nothing: for eight times ram=, or all memory if that is more.
 *
 * Files on swap still need RAM for their pagemaps and for the tables of swap: a size
 * for whose bookkeeping there can be no room is no limit that anybody could reach.
 *
 * Defaults: ram a quarter of what the process may use; size half of it, as the
 * kernel's tmpfs has; swap as much as size, if half of ram does not hold it: the
 * other half is left for metadata, reserves and room to breathe.  Less swap would
 * do, but then a page that was read back could not keep its copy there, and would
 * have to be written again.
 */
#include "sizing.h"

#include "arena.h"
#include "bits.h"
#include "pagemap.h"
#include "size.h"
#include "space.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum {
    WORKERS = 6,
    /* What a thread touches of its stack; glibc's own part included. */
    STACK_TOUCHED = 24 * 1024,
    REQUEST_MIN = 128 * 1024,
    REQUEST_MAX = 1024 * 1024,
    REQUEST_SHARE = 64,
    RINGS_SHARE = 6,
    DEPTH_MIN = 2,
    DEPTH_GOOD = 4,
    DEPTH_MAX = 8,
    MOST_SHARE = 8,
    /* One inode for that many bytes of memory, as the kernel's tmpfs. */
    BYTES_PER_INODE = 8192,
};
_Static_assert(OPTIONS_RAM_MAX <= ARENA_MAX_BYTES, "an arena holds it");
#define MIB ((uint64_t)1 << 20)
#define SWAP_STEP ((uint64_t)2 << 20)

static uint32_t request_size(uint64_t ram)
{
    uint64_t share = ram / REQUEST_SHARE;

    if (share <= REQUEST_MIN)
        return REQUEST_MIN;
    if (share >= REQUEST_MAX)
        return REQUEST_MAX;
    return (uint32_t)1 << bit_highest(share);
}

/* Buffers that each queue can have; 0: too few. */
static unsigned ring_depth(uint64_t ram, unsigned queues, uint32_t max_write)
{
    uint64_t share = ram / RINGS_SHARE / queues;
    uint64_t depth;

    if (share < STACK_TOUCHED)
        return 0;
    depth = (share - STACK_TOUCHED) / (max_write + PAGE_SIZE);
    return depth < DEPTH_MIN ? 0 : (unsigned)MIN(depth, (uint64_t)DEPTH_MAX);
}

/* Leaves queues 0 if there is no memory for them. */
static void plan_rings(struct sizing *sizing, unsigned queues)
{
    uint32_t max_write = sizing->max_write;
    unsigned depth;

    if (queues == 0)
        return;
    while ((depth = ring_depth(sizing->ram, queues, max_write)) < DEPTH_GOOD &&
           max_write > REQUEST_MIN)
        max_write /= 2;
    if (depth == 0)
        return;
    sizing->max_write = max_write;
    sizing->queues = queues;
    sizing->depth = depth;
}

/* Requests are in the rings, but for a reader's; or in the buffers. */
static void plan_buffers(struct sizing *sizing, const struct options *options,
                         unsigned cpus)
{
    uint64_t one, rings;

    sizing->readers =
        options->single_thread ? 1 : MIN(MAX(cpus, 1), SIZING_MAX_READERS);
    sizing->workers = options->single_thread ? 0 : WORKERS;
    sizing->buffers = sizing->readers + sizing->workers;
    one = sizing->max_write + PAGE_SIZE;
    rings = (uint64_t)sizing->queues * sizing->depth + 1;
    sizing->buffer_bytes = one * MAX(sizing->buffers, rings);
    sizing->stack_bytes =
        (uint64_t)(sizing->buffers + sizing->queues + 1) * STACK_TOUCHED;
}

static bool swap_is_none(const struct options *options)
{
    return options->nr_swap > 0 && strcmp(options->swap[0].place, "none") == 0;
}

static uint64_t swap_default(const struct sizing *sizing, uint64_t memory)
{
    uint64_t size = sizing->size ? sizing->size : memory / 2;
    uint64_t in_ram = sizing->arena_bytes / 2;

    return size > in_ram ? round_up(size, SWAP_STEP) : 0;
}

/* Divides a budget; false: it is too little, and `least` would do. */
static bool divide(struct sizing *sizing, const struct options *options,
                   const struct sizing_machine *machine, uint64_t ram,
                   uint64_t *least)
{
    uint64_t fixed;

    *sizing = (struct sizing){ .ram = ram, .max_write = request_size(ram) };
    plan_rings(sizing, machine->queues);
    plan_buffers(sizing, options, machine->cpus);
    fixed =
        sizing->buffer_bytes + sizing->stack_bytes + machine->pool_bytes(ram);
    *least = fixed + OPTIONS_RAM_MIN / 4;
    if (ram < *least)
        return false;
    sizing->arena_bytes = ram - fixed;
    sizing->arena_most =
        MAX(ram > UINT64_MAX / MOST_SHARE ? UINT64_MAX : ram * MOST_SHARE,
            machine->memory) - fixed;
    return true;
}

/* The most pages that files can take, whatever swap holds.  With m frames of
 * metadata and F of all kinds,
 *
 *     pagemaps      (pages - m) * LEAF_LEAST / LEAF_PAGES / PAGE_SIZE  <=  m
 *     swap tables   (pages - F) / TABLE_BLOCKS  <=  metadata_max - m
 *
 * which leaves out what is rounded up, names, and nodes: so what fits is never
 * refused, and what is let pass may be some percent too much. */
static uint64_t pages_most(const struct sizing *sizing,
                           const struct sizing_machine *machine)
{
    const uint64_t one = (uint64_t)PAGEMAP_LEAF_PAGES * PAGE_SIZE;
    const uint64_t part = one + PAGEMAP_LEAF_LEAST;
    uint64_t frames = sizing->arena_bytes >> PAGE_SHIFT;
    uint64_t room = machine->metadata_max(sizing->arena_bytes);
    __extension__ unsigned __int128 most = part;

    most *= room * SPACE_TABLE_BLOCKS + frames;
    return (uint64_t)(most / ((uint64_t)PAGEMAP_LEAF_LEAST *
                              SPACE_TABLE_BLOCKS + part)) + 1;
}

/* The least ram=, in MiB, that has room to keep account of so many pages; 0: none
 * has. */
static uint64_t ram_for(const struct options *options,
                        const struct sizing_machine *machine, uint64_t pages)
{
    struct sizing sizing;
    uint64_t least;

    for (uint64_t ram = OPTIONS_RAM_MIN; ram <= OPTIONS_RAM_MAX; ram += MIB)
        if (divide(&sizing, options, machine, ram, &least) &&
            pages_most(&sizing, machine) >= pages)
            return ram;
    return 0;
}

static int refuse_size(const struct sizing *sizing,
                       const struct options *options,
                       const struct sizing_machine *machine,
                       char message[OPTIONS_MESSAGE_BYTES])
{
    uint64_t ram = ram_for(options, machine, pages_for(options->size.bytes));
    char size[32], now[32], most[32], larger[32];

    size_exact(round_down(pages_most(sizing, machine) << PAGE_SHIFT, MIB), most,
               sizeof(most));
    snprintf(message, OPTIONS_MESSAGE_BYTES,
             "size=%s: the bookkeeping for so much does not fit into ram=%s: "
             "give size=%s at most%s%s",
             size_exact(options->size.bytes, size, sizeof(size)),
             size_format(sizing->ram, now, sizeof(now)), most,
             ram ? ", or at least ram=" : "",
             ram ? size_exact(ram, larger, sizeof(larger)) : "");
    return -EINVAL;
}

/* Without swap the data's own frames are the narrower limit (sizing_limit). */
static int plan_size(struct sizing *sizing, const struct options *options,
                     const struct sizing_machine *machine,
                     char message[OPTIONS_MESSAGE_BYTES])
{
    uint64_t most = pages_most(sizing, machine);

    if (!options->size.given) {
        sizing->size = MIN(machine->memory / 2, most << PAGE_SHIFT);
        return 0;
    }
    sizing->size = options->size.bytes;
    return pages_for(sizing->size) <= most || swap_is_none(options)
               ? 0 : refuse_size(sizing, options, machine, message);
}

int sizing_plan(struct sizing *sizing, const struct options *options,
                const struct sizing_machine *machine,
                char message[OPTIONS_MESSAGE_BYTES])
{
    uint64_t memory = machine->memory, least;
    uint64_t ram = options->ram.given
                       ? options->ram.bytes
                       : MIN(MAX(memory / 4, OPTIONS_RAM_MIN), OPTIONS_RAM_MAX);
    int err;

    if (!divide(sizing, options, machine, ram, &least)) {
        char text[32];

        snprintf(message, OPTIONS_MESSAGE_BYTES,
                 "ram=%s is too little: give at "
                 "least %um",
                 size_format(ram, text, sizeof(text)),
                 (unsigned)(least >> 20) + 1);
        return -EINVAL;
    }
    sizing->nr_inodes = options->nr_inodes.given ? options->nr_inodes.bytes
                                                 : memory / BYTES_PER_INODE;
    err = plan_size(sizing, options, machine, message);
    if (err)
        return err;
    if (options->swapsize.given)
        sizing->swapsize = options->swapsize.bytes;
    else if (!swap_is_none(options))
        sizing->swapsize = swap_default(sizing, memory);
    return 0;
}

/* What would make swap hold more, whose file or device limits it. */
static const char *more_swap(const struct options *options)
{
    bool sized = false;

    for (unsigned i = 0; i < options->nr_swap; i++)
        sized |= options->swap[i].size.given;
    if (swap_is_none(options))
        return "a place for swap= instead of none";
    if (options->swapsize.given)
        return "a larger swapsize=";
    return sized ? "a larger swap=PLACE:size=" : "another swap= besides";
}

int sizing_limit(const struct sizing *sizing, const struct options *options,
                 uint64_t held, uint64_t ram, uint64_t room, uint64_t *limit,
                 char message[OPTIONS_MESSAGE_BYTES])
{
    uint64_t now = MIN(held, ram + MIN(room, UINT64_MAX - ram));
    uint64_t wanted = pages_for(sizing->size);
    char size[32], most[32];

    *limit = wanted;
    if (!options->size.given)
        *limit = MIN(wanted, now);
    if (!options->size.given || wanted <= now)
        return 0;
    size_format(sizing->size, size, sizeof(size));
    size_format(now << PAGE_SHIFT, most, sizeof(most));
    if (now < held)
        snprintf(message, OPTIONS_MESSAGE_BYTES,
                 "size=%s is more than ram= and "
                 "the disk under swap= hold now, %s: give a smaller size=, a "
                 "larger ram=, or another place for swap=",
                 size, most);
    else
        snprintf(message, OPTIONS_MESSAGE_BYTES,
                 "size=%s is more than ram= and "
                 "swap= hold, %s: give a smaller size=, a larger ram=, or %s",
                 size, most, more_swap(options));
    return -EINVAL;
}

/* budget.c - dividing ram=, and defaults for the sizes not given.
 *
 * Requests are as large as a sixty-fourth of the budget, within 128 KiB (what
 * the kernel reads ahead) and 1 MiB (the most it sends): a small mount should
 * not spend its memory on buffers.  Each thread that may be busy with a request
 * has a buffer: the readers, and the workers to which they hand what must wait.
 *
 * Defaults: ram a quarter of what the process may use; size half of it, as the
 * kernel's tmpfs has; swap what size needs beyond the half of ram, the other
 * half being left for metadata, reserves and room to breathe.
 */
#include "budget.h"

#include "bits.h"
#include "size.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum {
    MAX_READERS = 2,
    WORKERS = 6,
    /* What a thread touches of its stack; glibc's own part included. */
    STACK_TOUCHED = 24 * 1024,
    REQUEST_MIN = 128 * 1024,
    REQUEST_MAX = 1024 * 1024,
    REQUEST_SHARE = 64,
    /* One inode for that many bytes of memory, as the kernel's tmpfs. */
    BYTES_PER_INODE = 8192,
};
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

static bool swap_is_none(const struct options *options)
{
    return options->swap && strcmp(options->swap, "none") == 0;
}

static uint64_t swap_default(const struct budget *budget, uint64_t memory)
{
    uint64_t size = budget->size ? budget->size : memory / 2;
    uint64_t in_ram = budget->arena_bytes / 2;

    return size > in_ram ? round_up(size - in_ram, SWAP_STEP) : 0;
}

int budget_plan(struct budget *budget, const struct options *options,
                uint64_t memory, unsigned cpus,
                uint64_t (*pool_bytes)(uint64_t ram),
                char message[OPTIONS_MESSAGE_BYTES])
{
    uint64_t fixed;

    *budget = (struct budget){ 0 };
    budget->ram = options->ram.given ? options->ram.bytes
                                     : MAX(memory / 4, OPTIONS_RAM_MIN);
    budget->max_write = request_size(budget->ram);
    budget->readers =
        options->single_thread ? 1 : MIN(MAX(cpus, 1), MAX_READERS);
    budget->workers = options->single_thread ? 0 : WORKERS;
    budget->buffers = budget->readers + budget->workers;
    budget->buffer_bytes =
        (uint64_t)budget->buffers * (budget->max_write + PAGE_SIZE);
    budget->stack_bytes = (uint64_t)(budget->buffers + 1) * STACK_TOUCHED;
    fixed =
        budget->buffer_bytes + budget->stack_bytes + pool_bytes(budget->ram);
    if (budget->ram < fixed + OPTIONS_RAM_MIN / 4) {
        char text[32];

        snprintf(message, OPTIONS_MESSAGE_BYTES,
                 "ram=%s is too little: give at "
                 "least %um",
                 size_format(budget->ram, text, sizeof(text)),
                 (unsigned)((fixed + OPTIONS_RAM_MIN / 4) >> 20) + 1);
        return -EINVAL;
    }
    budget->arena_bytes = budget->ram - fixed;
    budget->nr_inodes = options->nr_inodes.given ? options->nr_inodes.bytes
                                                 : memory / BYTES_PER_INODE;
    budget->size = options->size.given ? options->size.bytes : memory / 2;
    if (options->swapsize.given)
        budget->swapsize = options->swapsize.bytes;
    else if (!swap_is_none(options))
        budget->swapsize = swap_default(budget, memory);
    return 0;
}

int budget_limit(const struct budget *budget, const struct options *options,
                 uint64_t held, uint64_t ram, uint64_t room, uint64_t *limit,
                 char message[OPTIONS_MESSAGE_BYTES])
{
    uint64_t now = MIN(held, ram + MIN(room, UINT64_MAX - ram));
    uint64_t wanted = pages_for(budget->size);
    char size[32], most[32];

    *limit = wanted;
    if (!options->size.given)
        *limit = MIN(wanted, now);
    if (!options->size.given || wanted <= now)
        return 0;
    size_format(budget->size, size, sizeof(size));
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
                 "swap= hold, %s: give a smaller size=, or a larger ram= or "
                 "swapsize=",
                 size, most);
    return -EINVAL;
}

/* mapped.c - operations through mmap.
 *
 * Nothing stays mapped between operations, so drop_cache always finds pages it
 * can drop.  Half of the mapped writes leave their pages dirty, for the kernel
 * to write back whenever it likes.  SIGBUS is caught and reported: a file
 * system may raise it here only beyond the end of the file, where fsx never
 * goes.
 */
#include "fsx.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static sigjmp_buf bus_error;

static void on_sigbus(int signal)
{
    siglongjmp(bus_error, signal);
}

/* Copies with SIGBUS caught: false if it came. */
static bool copy_mapped(uint8_t *to, const uint8_t *from, uint64_t length)
{
    struct sigaction action = { .sa_handler = on_sigbus }, before;

    sigemptyset(&action.sa_mask);
    sigaction(SIGBUS, &action, &before);
    if (sigsetjmp(bus_error, 1) != 0) {
        sigaction(SIGBUS, &before, NULL);
        return false;
    }
    memcpy(to, from, length);
    sigaction(SIGBUS, &before, NULL);
    return true;
}

/* Bytes of the last page beyond the end of the file read zero, unless this
 * very program stores garbage there. */
static void check_tail(struct fsx *x, const uint8_t *map, uint64_t map_offset)
{
    uint64_t page_end = (x->size + x->page - 1) / x->page * x->page;

    if (x->opt.pollute)
        return;
    for (uint64_t at = x->size; at < page_end; at++)
        if (map[at - map_offset] != 0)
            fail(x, 0, "byte 0x%02x beyond the end of the file at 0x%lx",
                 map[at - map_offset], at);
}

void do_mapread(struct fsx *x, const struct op *op)
{
    int flags = op->flags & OP_PRIVATE ? MAP_PRIVATE : MAP_SHARED;
    uint64_t lead = op->offset % x->page;
    uint64_t map_offset = op->offset - lead;
    uint8_t *map = mmap(NULL, op->length + lead, PROT_READ, flags, x->fd,
                        (off_t)map_offset);

    if (map == MAP_FAILED)
        fail(x, errno, "mmap of 0x%lx at 0x%lx", op->length, op->offset);
    if (!copy_mapped(x->buffer, map + lead, op->length))
        fail(x, 0, "SIGBUS in a mapped read of 0x%lx at 0x%lx", op->length,
             op->offset);
    check_bytes(x, x->buffer, op->offset, op->length);
    if (op->offset + op->length == x->size)
        check_tail(x, map, map_offset);
    if (munmap(map, op->length + lead) != 0)
        fail(x, errno, "munmap");
}

void do_mapwrite(struct fsx *x, const struct op *op)
{
    uint64_t end = op->offset + op->length;
    uint64_t lead = op->offset % x->page;
    uint64_t map_offset = op->offset - lead;
    uint8_t *map;

    if (end > x->size) {
        if (ftruncate(x->fd, (off_t)end) != 0)
            fail(x, errno, "truncate to 0x%lx before a mapped write", end);
        shadow_resize(x, end);
    }
    map = mmap(NULL, op->length + lead, PROT_READ | PROT_WRITE, MAP_SHARED,
               x->fd, (off_t)map_offset);
    if (map == MAP_FAILED)
        fail(x, errno, "mmap of 0x%lx at 0x%lx", op->length, op->offset);
    pattern(x, x->buffer, op->offset, op->length, x->nr_done);
    if (!copy_mapped(map + lead, x->buffer, op->length))
        fail(x, 0, "SIGBUS in a mapped write of 0x%lx at 0x%lx", op->length,
             op->offset);
    if (op->flags & OP_MSYNC && msync(map, op->length + lead, MS_SYNC) != 0)
        fail(x, errno, "msync of 0x%lx at 0x%lx", op->length, op->offset);
    shadow_store(x, op->offset, op->length);
    if (end == x->size)
        check_tail(x, map, map_offset);
    if (munmap(map, op->length + lead) != 0)
        fail(x, errno, "munmap");
}

void pollute_eof(struct fsx *x)
{
    uint64_t tail = x->size % x->page;
    uint8_t *map;

    if (tail == 0)
        return;
    map = mmap(NULL, x->page, PROT_READ | PROT_WRITE, MAP_SHARED, x->fd,
               (off_t)(x->size - tail));
    if (map == MAP_FAILED)
        fail(x, errno, "mmap of the last page");
    memset(x->buffer, 0xee, x->page - tail);
    if (!copy_mapped(map + tail, x->buffer, x->page - tail))
        fail(x, 0, "SIGBUS in the last page");
    if (munmap(map, x->page) != 0)
        fail(x, errno, "munmap");
}

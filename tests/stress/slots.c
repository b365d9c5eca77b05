/* slots.c - whole files, each with its shadow, used by one thread at a time.
 *
 * A slot is a file with a lock, a name in one of a few directories, and a copy
 * of what must be in it.  A step locks one slot, does one thing with it, checks
 * the result and lets it go: so within a file things happen in order, and the
 * files, their directories and the memory behind them are used by all threads
 * at once.  A slot's file is renamed, linked, removed and made anew as well; where
 * there may be no space for it, the slot has no file until there is.
 */
#include "stress.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { NR_SLOTS = 24, NR_DIRS = 4, MAX_SIZE = 1 << 20, MAX_IO = 96 << 10 };

struct slot {
    pthread_mutex_t lock; /* protects everything below and the file */
    unsigned dir;
    unsigned number;
    int fd;        /* -1: there was no space for the file */
    uint64_t size;
    uint8_t *shadow; /* MAX_SIZE bytes, zero beyond size */
};

static struct slot slots[NR_SLOTS];

static void name_of(const struct slot *slot, unsigned dir, char *name)
{
    sprintf(name, "d%u/file%u", dir, slot->number);
}

static void open_slot(struct slot *slot, int flags)
{
    char name[32];

    name_of(slot, slot->dir, name);
    slot->fd = open(name, O_RDWR | flags, 0644);
    if (slot->fd < 0 && !no_space())
        die("open %s", name);
}

void slots_create(uint64_t seed)
{
    struct random r = { seed };
    char name[32];

    for (unsigned dir = 0; dir < NR_DIRS; dir++) {
        sprintf(name, "d%u", dir);
        if (mkdir(name, 0755) != 0)
            die("mkdir %s", name);
    }
    for (unsigned i = 0; i < NR_SLOTS; i++) {
        pthread_mutex_init(&slots[i].lock, NULL);
        slots[i].number = i;
        slots[i].dir = (unsigned)random_below(&r, NR_DIRS);
        slots[i].shadow = calloc(1, MAX_SIZE);
        if (slots[i].shadow == NULL)
            die("memory");
        open_slot(&slots[i], O_CREAT | O_EXCL);
    }
}

static void check_range(struct slot *slot, uint64_t at, uint64_t length)
{
    uint8_t *bytes = malloc(length + 1);
    ssize_t got = pread(slot->fd, bytes, length, (off_t)at);

    if (got != (ssize_t)length)
        die("file%u: read of %lu at %lu gave %zd", slot->number, length, at, got);
    errno = 0;
    for (uint64_t i = 0; i < length; i++)
        if (bytes[i] != slot->shadow[at + i])
            die("file%u: byte %lu is 0x%02x, not 0x%02x", slot->number, at + i,
                bytes[i], slot->shadow[at + i]);
    free(bytes);
}

static void check_size(struct slot *slot)
{
    struct stat st;

    if (fstat(slot->fd, &st) != 0)
        die("file%u: fstat", slot->number);
    errno = 0;
    if ((uint64_t)st.st_size != slot->size)
        die("file%u: size %lld, not %lu", slot->number, (long long)st.st_size,
            slot->size);
}

static void step_read(struct slot *slot, struct random *r)
{
    uint64_t at = random_below(r, slot->size + 1);
    uint64_t length = random_below(r, MAX_IO);

    check_range(slot, at, length < slot->size - at ? length : slot->size - at);
}

static uint64_t range_in(struct random *r, uint64_t *at)
{
    uint64_t length = 1 + random_below(r, MAX_IO);

    *at = random_below(r, MAX_SIZE);
    return length < MAX_SIZE - *at ? length : MAX_SIZE - *at;
}

static void grow_shadow(struct slot *slot, uint64_t size)
{
    if (size > slot->size)
        slot->size = size;
}

static void step_write(struct slot *slot, struct random *r)
{
    uint64_t at, length = range_in(r, &at);
    static _Thread_local uint8_t bytes[MAX_IO + 8];
    size_t written;

    random_bytes(r, bytes, length);
    if (!write_all(slot->fd, bytes, length, (off_t)at, &written))
        die("file%u: write of %lu at %lu gave %zu", slot->number, length, at,
            written);
    memcpy(slot->shadow + at, bytes, written);
    if (written > 0)
        grow_shadow(slot, at + written);
}

/* A page for which there is no space is a SIGBUS: they are asked for before. */
static void step_mapwrite(struct slot *slot, struct random *r)
{
    uint64_t at, length = range_in(r, &at), lead = at % 4096;
    uint8_t *map;

    if (may_be_full && fallocate(slot->fd, 0, (off_t)at, (off_t)length) != 0) {
        if (!no_space())
            die("file%u: fallocate", slot->number);
        return;
    }
    if (!may_be_full && at + length > slot->size &&
        ftruncate(slot->fd, (off_t)(at + length)) != 0)
        die("file%u: ftruncate", slot->number);
    grow_shadow(slot, at + length);
    map = mmap(NULL, length + lead, PROT_READ | PROT_WRITE, MAP_SHARED,
               slot->fd, (off_t)(at - lead));
    if (map == MAP_FAILED)
        die("file%u: mmap", slot->number);
    random_bytes(r, slot->shadow + at, length);
    memcpy(map + lead, slot->shadow + at, length);
    if (munmap(map, length + lead) != 0)
        die("file%u: munmap", slot->number);
}

static void step_truncate(struct slot *slot, struct random *r)
{
    uint64_t size = random_below(r, MAX_SIZE + 1);

    if (ftruncate(slot->fd, (off_t)size) != 0)
        die("file%u: truncate to %lu", slot->number, size);
    if (size < slot->size)
        memset(slot->shadow + size, 0, slot->size - size);
    slot->size = size;
}

static void step_punch(struct slot *slot, struct random *r)
{
    uint64_t at, length = range_in(r, &at);

    if (fallocate(slot->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
                  (off_t)at, (off_t)length) != 0) {
        if (errno == EOPNOTSUPP)
            return;
        die("file%u: hole of %lu at %lu", slot->number, length, at);
    }
    memset(slot->shadow + at, 0, length);
}

static void step_rename(struct slot *slot, struct random *r)
{
    unsigned dir = (unsigned)random_below(r, NR_DIRS);
    char from[32], to[32];

    name_of(slot, slot->dir, from);
    name_of(slot, dir, to);
    if (rename(from, to) != 0) {
        if (!no_space())
            die("rename %s to %s", from, to);
        return;
    }
    slot->dir = dir;
    close(slot->fd);
    open_slot(slot, 0);
}

/* Without a name the file is still the file; then a new one takes its place. */
static void step_replace(struct slot *slot, struct random *r)
{
    char name[32];

    name_of(slot, slot->dir, name);
    if (unlink(name) != 0)
        die("unlink %s", name);
    step_read(slot, r);
    if (close(slot->fd) != 0)
        die("close %s", name);
    memset(slot->shadow, 0, slot->size);
    slot->size = 0;
    open_slot(slot, O_CREAT | O_EXCL);
}

static void step_link(struct slot *slot, struct random *r)
{
    char name[32], other[32];
    struct stat st;

    name_of(slot, slot->dir, name);
    sprintf(other, "d%u/link%u", (unsigned)random_below(r, NR_DIRS),
            slot->number);
    if (link(name, other) != 0 && no_space())
        return;
    errno = 0;
    if (access(other, F_OK) != 0 || fstat(slot->fd, &st) != 0 || unlink(other))
        die("link %s to %s", name, other);
    errno = 0;
    if (st.st_nlink != 2)
        die("%s has %lu links, not 2", name, (unsigned long)st.st_nlink);
}

static void step_uncache(struct slot *slot, struct random *r)
{
    uncache(slot->fd);
    step_read(slot, r);
}

void slots_step(struct random *r)
{
    static void (*const kinds[])(struct slot *, struct random *) = {
        step_read, step_read, step_read, step_write, step_write, step_write,
        step_mapwrite, step_truncate, step_punch, step_rename, step_replace,
        step_link, step_uncache, step_uncache
    };
    struct slot *slot = &slots[random_below(r, NR_SLOTS)];

    pthread_mutex_lock(&slot->lock);
    if (slot->fd < 0)
        open_slot(slot, O_CREAT | O_EXCL);
    if (slot->fd >= 0)
        kinds[random_below(r, sizeof(kinds) / sizeof(kinds[0]))](slot, r);
    if (slot->fd >= 0)
        check_size(slot);
    pthread_mutex_unlock(&slot->lock);
}

void slots_check(void)
{
    for (unsigned i = 0; i < NR_SLOTS; i++) {
        if (slots[i].fd < 0)
            continue;
        uncache(slots[i].fd);
        check_range(&slots[i], 0, slots[i].size);
        close(slots[i].fd);
    }
}

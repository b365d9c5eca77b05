/* space.c - making write(2) ask, when the kernel caches what is written.
 *
 * Before it takes a write(2) into its cache the kernel wants a file's size and
 * mode, and sends GETATTR with the handle if what it knows has been called out of
 * date; an error in the answer is write(2)'s.  So the notice that attributes have
 * changed (session_forget_attr) makes it ask: `ask`, here.  Until then it asks
 * nothing, and may accept as much as its limit for the dirty pages of this mount,
 * bdi/max_bytes: a hundredth of all dirty pages, a five-hundredth of the memory
 * or so.  That much must fit when it comes.
 *
 * Why it fits.  The kernel holds back D at most.  While space is plentiful there
 * is more room than the reserve, D and a bit, and nobody else is granted the
 * reserve.  What is written back takes from the room what it takes from the
 * kernel's share, so room and share stay apart; but the share may be filled
 * again.  So, before the write-back that leaves less than the reserve and a
 * quarter is answered, all writers are made to ask.  From then on each write(2)
 * is let go on only if the room holds D and all the writes that may be on their
 * way at once, of SPACE_WRITE each.
 *
 * A notice to a file that the kernel is only about to know is lost.  So an answer
 * that makes a file says nothing about how long its attributes are good: its
 * first write asks.  One that overtakes the notice changes nothing: the kernel
 * numbers the versions of files, and the notice makes a newer one.
 *
 * The limit follows the machine's free memory, and is read again every second
 * as long as there is something to decide.
 */
#include "space.h"

#include "bits.h"
#include "clock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/sysinfo.h>
#include <unistd.h>

#define SECOND_NS 1000000000u

enum {
    /* The kernel finds out a little late that a writer should be stopped. */
    SLACK = 512, SLACK_SHARE = 4,
    /* Writers that may be at it at once. */
    WRITERS_MAX = 32,
    /* What they need is there beforehand, as long as there are few. */
    FEW_WRITERS = 4,
    /* Of the size, where we may set the limit; but not below 1 MiB. */
    LIMIT_SHARE = 16, LIMIT_MIN = 256,
    /* Of memory: the limit that cannot be read, and the lack of one. */
    DEFAULT_SHARE = 500, UNLIMITED_SHARE = 5,
    /* Asked at once, with no lock held. */
    BATCH = 64,
};

/* --- the kernel's limit -------------------------------------------------- */

static uint64_t memory_pages(void)
{
    struct sysinfo info;

    return sysinfo(&info) == 0 ? (uint64_t)info.totalram * info.mem_unit >>
                                     PAGE_SHIFT : 0;
}

/* The number in it, *number unchanged if there is none. */
static void read_number(int fd, uint64_t *number)
{
    char text[32];
    ssize_t got = pread(fd, text, sizeof(text) - 1, 0);

    if (got > 0) {
        text[got] = '\0';
        *number = strtoull(text, NULL, 10);
    }
}

static int open_property(const struct statx *stx, const char *name, int flags)
{
    char path[64];

    snprintf(path, sizeof(path), "/sys/class/bdi/%u:%u/%s", stx->stx_dev_major,
             stx->stx_dev_minor, name);
    return open(path, flags | O_CLOEXEC);
}

/* It means something only if it is strict: FUSE's are, unless somebody has
 * changed that. */
static bool is_strict(const struct statx *stx)
{
    uint64_t strict = 1; /* kernels that do not tell */
    int fd = open_property(stx, "strict_limit", O_RDONLY);

    if (fd >= 0) {
        read_number(fd, &strict);
        close(fd);
    }
    return strict != 0;
}

static void lower(const struct statx *stx, uint64_t pages)
{
    int fd = open_property(stx, "max_bytes", O_WRONLY);

    if (fd < 0)
        return;
    dprintf(fd, "%llu", (unsigned long long)pages << PAGE_SHIFT);
    close(fd);
}

static void read_limit(struct space *space)
{
    uint64_t bytes = space->dirty << PAGE_SHIFT;

    if (space->limit_fd >= 0)
        read_number(space->limit_fd, &bytes);
    space->dirty = bytes >> PAGE_SHIFT;
    space->looked_ns = clock_monotonic_ns();
}

/* No thread serves requests yet: asking for the number of the device alone sends
 * none. */
static void find_limit(struct space *space, const char *mountpoint)
{
    struct pool_stats stats;
    struct statx stx;
    uint64_t share;

    space->dirty = memory_pages() / DEFAULT_SHARE;
    if (statx(AT_FDCWD, mountpoint, AT_STATX_DONT_SYNC | AT_NO_AUTOMOUNT, 0,
              &stx) != 0)
        return;
    if (!is_strict(&stx)) {
        space->dirty = memory_pages() / UNLIMITED_SHARE;
        return;
    }
    space->limit_fd = open_property(&stx, "max_bytes", O_RDONLY);
    read_limit(space);
    pool_stats(space->pool, &stats);
    share = MAX(stats.used_max / LIMIT_SHARE, (uint64_t)LIMIT_MIN);
    if (space->dirty > share) {
        lower(&stx, share);
        read_limit(space);
    }
}

/* --- the state ----------------------------------------------------------- */

uint64_t space_reserve(uint64_t dirty, uint64_t writers)
{
    return dirty + dirty / SLACK_SHARE + SLACK +
           MIN(writers, (uint64_t)WRITERS_MAX) * SPACE_WRITE;
}

static enum space_state state_for(enum space_state now, uint64_t room,
                                  uint64_t reserve)
{
    uint64_t more = now == SPACE_PLENTIFUL ? reserve / 4 : reserve / 2;

    if (room < reserve)
        return SPACE_FULL;
    return room < reserve + more ? SPACE_SHORT : SPACE_PLENTIFUL;
}

/* For `nr` writers.  True if all of them must be made to ask. */
static bool settle(struct space *space, uint64_t nr) REQUIRES(space->lock)
{
    enum space_state old = atomic_load_explicit(&space->state,
                                                memory_order_relaxed);
    enum space_state new;
    uint64_t reserve;

    if (clock_monotonic_ns() - space->looked_ns > SECOND_NS)
        read_limit(space);
    space->nr = nr;
    reserve = space_reserve(space->dirty, nr);
    new = state_for(old, pool_hold(space->pool, nr ? reserve : 0), reserve);
    atomic_store_explicit(&space->state, new, memory_order_release);
    if (old != SPACE_PLENTIFUL || new == SPACE_PLENTIFUL)
        return false;
    space->times++;
    return true;
}

/* Some of those that were not told this time; they go to the end of the list. */
static unsigned gather(struct space *space, uint64_t ids[BATCH])
{
    unsigned nr = 0;

    mutex_lock(&space->lock, RANK_FUSE);
    while (nr < BATCH && !list_empty(&space->writers)) {
        struct space_writer *writer =
            list_entry(space->writers.next, struct space_writer, link);

        if (writer->told == space->times)
            break;
        writer->told = space->times;
        list_del(&writer->link);
        list_add_tail(&space->writers, &writer->link);
        ids[nr++] = writer->id;
    }
    mutex_unlock(&space->lock);
    return nr;
}

static void make_all_ask(struct space *space)
{
    uint64_t ids[BATCH];
    unsigned nr;

    do {
        nr = gather(space, ids);
        for (unsigned i = 0; i < nr; i++)
            space->ask(space->ctx, ids[i]);
    } while (nr == BATCH);
}

/* --- what the front end calls -------------------------------------------- */

void space_init(struct space *space, struct pool *pool, const char *mountpoint,
                void (*ask)(void *ctx, uint64_t id), void *ctx)
{
    space->pool = pool;
    space->ask = ask;
    space->ctx = ctx;
    space->limit_fd = -1;
    list_init(&space->writers);
    find_limit(space, mountpoint);
    pool_grow_ahead(pool, 2 * space_reserve(space->dirty, FEW_WRITERS));
}

void space_fini(struct space *space)
{
    if (space_is_on(space) && space->limit_fd >= 0)
        close(space->limit_fd);
    space->pool = NULL;
}

bool space_join(struct space *space, struct space_writer *writer, uint64_t id)
{
    bool joins, told;

    mutex_lock(&space->lock, RANK_FUSE);
    told = settle(space, space->nr + 1);
    joins = space_is_plentiful(space);
    if (joins) {
        *writer = (struct space_writer){ .told = space->times, .id = id };
        list_add_tail(&space->writers, &writer->link);
    } else {
        told |= settle(space, space->nr - 1);
    }
    mutex_unlock(&space->lock);
    if (told)
        make_all_ask(space);
    return joins;
}

void space_leave(struct space *space, struct space_writer *writer)
{
    bool told;

    mutex_lock(&space->lock, RANK_FUSE);
    list_del(&writer->link);
    told = settle(space, space->nr - 1);
    mutex_unlock(&space->lock);
    if (told)
        make_all_ask(space);
}

static enum space_state look(struct space *space)
{
    bool told;

    mutex_lock(&space->lock, RANK_FUSE);
    told = settle(space, space->nr);
    mutex_unlock(&space->lock);
    if (told)
        make_all_ask(space);
    return atomic_load_explicit(&space->state, memory_order_acquire);
}

void space_look(struct space *space)
{
    look(space);
}

int space_ask(struct space *space)
{
    return look(space) == SPACE_FULL ? -ENOSPC : 0;
}

/* writeback.c - making write(2) ask, when the kernel caches what is written.
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
 * quarter is answered, all writers are made to ask; whoever answers another one
 * meanwhile helps, and waits until all have been told.  From then on each write(2)
 * is let go on only if the room holds D and all the writes that may be on their
 * way at once, of WRITEBACK_LONGEST each.
 *
 * How many that are nobody says: the kernel asks before it queues for the lock of
 * the file, so any number of threads may be writing to one that is open once, and
 * those that queued before they were told have not asked at all.  So there is
 * room for AT_ONCE of them, and for one in each open file.
 *
 * D is not kept by the page, either: the kernel stops a thread only when it has
 * made some 32 pages dirty (UNSEEN), so a thousand of them exceed it by far.
 * Thus each open file costs that much, and when there is no room for it any more,
 * the next one is not cached.
 *
 * A notice to a file that the kernel is only about to know is lost.  So an answer
 * that makes a file says nothing about how long its attributes are good: its
 * first write asks.  One that overtakes the notice changes nothing: the kernel
 * numbers the versions of files, and the notice makes a newer one.
 *
 * The limit follows the machine's free memory, and is read again every second
 * as long as there is something to decide.  Root may set it: lower, because it is
 * held back, or higher (writeback_max), because what exceeds it is handed on page by
 * page.
 */
#include "writeback.h"

#include "bits.h"
#include "clock.h"
#include "log.h"
#include "size.h"

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
    /* Open files that may be written to at once; each of the others may have a
     * little that the kernel has not seen yet. */
    WRITERS_MAX = 64, UNSEEN = 32,
    /* What write(2)s may have on their way at once in any case: 64 MiB, or a
     * part of the size. */
    AT_ONCE = 64 * WRITEBACK_LONGEST, AT_ONCE_SHARE = 8,
    /* What they need is there beforehand, as long as there are few. */
    FEW_WRITERS = 4,
    /* Of the size, where we may set the limit; but not below 1 MiB. */
    LIMIT_SHARE = 16, LIMIT_MIN = 256,
    /* And where we are told what it should be. */
    LIMIT_GIVEN_SHARE = 4,
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

static void set_limit(const struct statx *stx, uint64_t pages)
{
    int fd = open_property(stx, "max_bytes", O_WRONLY);

    if (fd < 0)
        return;
    dprintf(fd, "%llu", (unsigned long long)pages << PAGE_SHIFT);
    close(fd);
}

/* The kernel keeps it as a share of the memory, so it comes back rounded. */
static bool is_about(uint64_t pages, uint64_t wanted)
{
    return pages >= wanted - wanted / 8 && pages <= wanted + wanted / 8;
}

/* writeback_max= was asked for: what holds instead, if something else does. */
static void tell_limit(const struct writeback *wb, uint64_t max, uint64_t wanted)
{
    char asked[32], now[32];

    if (max == 0 || is_about(wb->dirty, max))
        return;
    size_format(max << PAGE_SHIFT, asked, sizeof(asked));
    size_format(wb->dirty << PAGE_SHIFT, now, sizeof(now));
    if (is_about(wb->dirty, wanted))
        log_warn("writeback_max=%s is more than a quarter of size=: the kernel "
                 "gathers up to %s", asked, now);
    else
        log_warn("writeback_max=%s could not be set, which only root may: the "
                 "kernel gathers up to %s", asked, now);
}

static void read_limit(struct writeback *wb)
{
    uint64_t bytes = wb->dirty << PAGE_SHIFT;

    if (wb->limit_fd >= 0)
        read_number(wb->limit_fd, &bytes);
    wb->dirty = bytes >> PAGE_SHIFT;
    wb->looked_ns = clock_monotonic_ns();
}

/* The kernel's, or that of writeback_max=, or less if the mount is small. */
static uint64_t wanted_limit(const struct writeback *wb, uint64_t size,
                             uint64_t max)
{
    uint64_t wanted = max ? max : wb->dirty;
    uint64_t share = size / (max ? LIMIT_GIVEN_SHARE : LIMIT_SHARE);

    return MIN(wanted, MAX(share, (uint64_t)LIMIT_MIN));
}

/* Returns what was wanted.  No thread serves requests yet: asking for the number of
 * the device alone sends none. */
static uint64_t find_limit(struct writeback *wb, const char *mountpoint,
                           uint64_t size, uint64_t max)
{
    uint64_t wanted = wanted_limit(wb, size, max);
    struct statx stx;

    if (!mountpoint || statx(AT_FDCWD, mountpoint,
                             AT_STATX_DONT_SYNC | AT_NO_AUTOMOUNT, 0, &stx) != 0)
        return wanted;
    if (!is_strict(&stx)) {
        wb->dirty = memory_pages() / UNLIMITED_SHARE;
        return wanted;
    }
    wb->limit_fd = open_property(&stx, "max_bytes", O_RDONLY);
    read_limit(wb);
    wanted = wanted_limit(wb, size, max);
    if (wb->dirty != wanted) {
        set_limit(&stx, wanted);
        read_limit(wb);
    }
    return wanted;
}

/* --- the state ----------------------------------------------------------- */

uint64_t writeback_reserve(const struct writeback *wb, uint64_t writers)
{
    uint64_t few = MIN(writers, (uint64_t)WRITERS_MAX);

    return wb->dirty + wb->dirty / SLACK_SHARE + SLACK +
           MAX(few * WRITEBACK_LONGEST, wb->at_once) + (writers - few) * UNSEEN;
}

static enum writeback_state state_for(enum writeback_state now, uint64_t room,
                                      uint64_t reserve)
{
    uint64_t more = now == WRITEBACK_PLENTIFUL ? reserve / 4 : reserve / 2;

    if (room < reserve)
        return WRITEBACK_FULL;
    return room < reserve + more ? WRITEBACK_SHORT : WRITEBACK_PLENTIFUL;
}

/* For `nr` writers.  They have all to be told again if it was plentiful, and is
 * no longer. */
static void settle(struct writeback *wb, uint64_t nr) REQUIRES(wb->lock)
{
    enum writeback_state old = atomic_load_explicit(&wb->state,
                                                    memory_order_relaxed);
    enum writeback_state new;
    uint64_t reserve;

    if (clock_monotonic_ns() - wb->looked_ns > SECOND_NS)
        read_limit(wb);
    wb->nr = nr;
    reserve = writeback_reserve(wb, nr);
    new = state_for(old, pool_hold(wb->pool, nr ? reserve : 0), reserve);
    atomic_store_explicit(&wb->state, new, memory_order_release);
    wb->times += old == WRITEBACK_PLENTIFUL && new != WRITEBACK_PLENTIFUL;
}

/* Is it plentiful, and would be with one writer more?  Held beforehand, so that
 * nobody gets it in between. */
static bool has_room_for_one(struct writeback *wb) REQUIRES(wb->lock)
{
    enum writeback_state now = atomic_load_explicit(&wb->state,
                                                    memory_order_relaxed);
    uint64_t reserve = writeback_reserve(wb, wb->nr + 1);

    return state_for(now, pool_hold(wb->pool, reserve), reserve) ==
           WRITEBACK_PLENTIFUL;
}

/* Some of those that were not told this time; they go to the end of the list. */
static unsigned gather(struct writeback *wb, uint64_t ids[BATCH])
    REQUIRES(wb->lock)
{
    unsigned nr = 0;

    while (nr < BATCH && !list_empty(&wb->writers)) {
        struct writeback_writer *writer =
            list_entry(wb->writers.next, struct writeback_writer, link);

        if (writer->told == wb->times)
            break;
        writer->told = wb->times;
        list_del(&writer->link);
        list_add_tail(&wb->writers, &writer->link);
        ids[nr++] = writer->id;
    }
    return nr;
}

/* Returns when all who had to be told have been, be it by others.  A notice waits
 * for no request, so neither does this. */
static void make_all_ask(struct writeback *wb) REQUIRES(wb->lock)
{
    uint64_t ids[BATCH];
    unsigned nr;

    while ((nr = gather(wb, ids)) > 0) {
        wb->telling++;
        mutex_unlock(&wb->lock);
        for (unsigned i = 0; i < nr; i++)
            wb->ask(wb->ctx, ids[i]);
        mutex_lock(&wb->lock, RANK_FUSE);
        if (--wb->telling == 0)
            cond_broadcast(&wb->all_told);
    }
    while (wb->telling > 0)
        cond_wait(&wb->all_told, &wb->lock);
}

/* --- what the front end calls -------------------------------------------- */

void writeback_init(struct writeback *wb, struct pool *pool,
                    const char *mountpoint, uint64_t max,
                    void (*ask)(void *ctx, uint64_t id), void *ctx)
{
    struct pool_stats stats;

    pool_stats(pool, &stats);
    wb->pool = pool;
    wb->ask = ask;
    wb->ctx = ctx;
    wb->limit_fd = -1;
    wb->at_once = MIN(stats.used_max / AT_ONCE_SHARE, (uint64_t)AT_ONCE);
    list_init(&wb->writers);
    wb->dirty = memory_pages() / DEFAULT_SHARE;
    tell_limit(wb, max, find_limit(wb, mountpoint, stats.used_max, max));
    pool_grow_ahead(pool, 2 * writeback_reserve(wb, FEW_WRITERS));
}

void writeback_fini(struct writeback *wb)
{
    if (writeback_is_on(wb) && wb->limit_fd >= 0)
        close(wb->limit_fd);
    wb->pool = NULL;
}

bool writeback_join(struct writeback *wb, struct writeback_writer *writer,
                    uint64_t id)
{
    bool joins;

    mutex_lock(&wb->lock, RANK_FUSE);
    joins = has_room_for_one(wb);
    if (joins) {
        *writer = (struct writeback_writer){ .told = wb->times, .id = id };
        list_add_tail(&wb->writers, &writer->link);
    }
    settle(wb, wb->nr + joins); /* the limit may be another by now */
    make_all_ask(wb);
    mutex_unlock(&wb->lock);
    return joins;
}

void writeback_leave(struct writeback *wb, struct writeback_writer *writer)
{
    mutex_lock(&wb->lock, RANK_FUSE);
    list_del(&writer->link);
    settle(wb, wb->nr - 1);
    make_all_ask(wb);
    mutex_unlock(&wb->lock);
}

void writeback_look(struct writeback *wb)
{
    if (!writeback_is_on(wb))
        return;
    mutex_lock(&wb->lock, RANK_FUSE);
    settle(wb, wb->nr);
    make_all_ask(wb);
    mutex_unlock(&wb->lock);
}

int writeback_ask(struct writeback *wb)
{
    enum writeback_state state;

    mutex_lock(&wb->lock, RANK_FUSE);
    settle(wb, wb->nr);
    make_all_ask(wb);
    state = atomic_load_explicit(&wb->state, memory_order_relaxed);
    mutex_unlock(&wb->lock);
    return state == WRITEBACK_FULL ? -ENOSPC : 0;
}

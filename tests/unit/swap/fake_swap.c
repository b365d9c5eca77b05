/* fake_swap.c - swap space in RAM that fails, stalls and checks on command.
 *
 * One mapping holds the bytes, one array says what each block is (the shadow).
 * One thread finishes requests: it takes one from the queue when none is held
 * back, moves the bytes, and calls done() with no lock held.
 *
 * Allocation is a next-fit walk over the shadow.  It is slow on purpose: simple
 * enough to be believed when it and the code under test disagree.  Areas are
 * used by their numbers, whatever their priority (fake_areas.c).
 */
#include "fake_swap_internal.h"

#include "clock.h"
#include "log.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

struct fake fake;

void fake_lock(void)
{
    mutex_lock(&fake.lock, RANK_SWAP);
}

void fake_unlock(void)
{
    mutex_unlock(&fake.lock);
}

static void wait_for_change(void) REQUIRES(fake.lock)
{
    cond_wait(&fake.changed, &fake.lock);
}

void fake_expect(bool good, const char *what, uint32_t block)
{
    if (good)
        return;
    log_error("fake swap: %s block %u (state %u)", what, block,
              block < fake.nr_blocks ? fake.state[block] : 99u);
    abort();
}

static int fault_due(struct fault *fault)
{
    if (fault->times == 0)
        return 0;
    if (fault->after > 0) {
        fault->after--;
        return 0;
    }
    fault->times--;
    return -fault->err;
}

/* --- requests ------------------------------------------------------------- */

/* Whole pages out of frames.  Not watched by ThreadSanitizer: a page may be
 * written to while pageout writes it to disk, and its block is then discarded
 * (I12).  Word by word, because memcpy() is always watched; a suppression would
 * need the stack of the older of two accesses, which may be forgotten. */
__attribute__((no_sanitize("thread")))
static void copy_unwatched(uint8_t *to, const void *from, size_t bytes)
{
    volatile uint64_t *word = (uint64_t *)to;
    const uint64_t *source = from;

    for (size_t i = 0; i < bytes / sizeof(*word); i++)
        word[i] = source[i];
}

static void move_bytes(const struct swap_io *io)
{
    uint8_t *at = fake.bytes + ((size_t)io->block << PAGE_SHIFT);

    for (uint32_t i = 0; i < io->iov_count; i++) {
        if (io->op == SWAP_IO_WRITE)
            copy_unwatched(at, io->iov[i].iov_base, io->iov[i].iov_len);
        else
            memcpy(io->iov[i].iov_base, at, io->iov[i].iov_len);
        at += io->iov[i].iov_len;
    }
}

/* Caller holds the lock. */
static struct swap_io *next_request(void) REQUIRES(fake.lock)
{
    struct list *at = fake.queue.next;

    if (fake.nr_queued == 0 || (fake.hold && fake.may_finish == 0))
        return NULL;
    if (fake.shuffle)
        for (int n = rand_r(&fake.seed) % (int)fake.nr_queued; n > 0; n--)
            at = at->next;
    return list_entry(at, struct swap_io, link);
}

/* Caller holds the lock, which is dropped for done(). */
static void finish(struct swap_io *io) REQUIRES(fake.lock)
{
    bool write = io->op == SWAP_IO_WRITE;
    void (*done)(struct swap_io *, int) = io->done;
    int err = fault_due(write ? &fake.write : &fake.read);

    if (!err)
        move_bytes(io);
    if (write) {
        fake.counts.writes++;
        fake.counts.written_blocks += io->nr;
        for (uint32_t b = io->block; b < io->block + io->nr; b++)
            fake.writing[b]--;
    } else {
        fake.counts.reads++;
        fake.counts.read_blocks += io->nr;
    }
    fake_unlock();
    done(io, err);
    fake_lock();
}

static void *completion_thread(void *unused)
{
    (void)unused;
    fake_lock();
    while (!fake.stop || fake.nr_queued > 0) {
        struct swap_io *io = next_request();

        if (!io) {
            wait_for_change();
            continue;
        }
        list_del(&io->link);
        fake.nr_queued--;
        if (fake.delay_us > 0) {
            unsigned us = fake.delay_us;

            fake_unlock();
            clock_sleep_ns(us * UINT64_C(1000));
            fake_lock();
        }
        finish(io);
        if (fake.may_finish > 0)
            fake.may_finish--;
        cond_broadcast(&fake.changed);
    }
    fake_unlock();
    return NULL;
}

static void check_request(const struct swap_io *io)
{
    size_t bytes = 0;

    for (uint32_t i = 0; i < io->iov_count; i++) {
        fake_expect(io->iov[i].iov_len % PAGE_SIZE == 0 && io->iov[i].iov_len > 0,
               "iovec not in whole pages for", io->block);
        bytes += io->iov[i].iov_len;
    }
    fake_expect(io->nr > 0 && io->nr <= SWAP_IO_MAX_PAGES, "size of I/O at",
           io->block);
    fake_expect(bytes == (size_t)io->nr << PAGE_SHIFT, "iovec sum of I/O at",
           io->block);
}

/* Its blocks; caller holds the lock. */
static void check_blocks(const struct swap_io *io) REQUIRES(fake.lock)
{
    for (uint32_t b = io->block; b < io->block + io->nr; b++)
        fake_expect(b < fake.nr_blocks && fake.state[b] == USED,
               "I/O on an unused", b);
}

void swap_submit(struct swap *swap, struct swap_io *io)
{
    (void)swap;
    check_request(io);
    fake_lock();
    check_blocks(io);
    for (uint32_t b = io->block; b < io->block + io->nr; b++)
        if (io->op == SWAP_IO_WRITE)
            fake.writing[b]++;
    list_add_tail(&fake.queue, &io->link);
    fake.nr_queued++;
    cond_broadcast(&fake.changed);
    fake_unlock();
}

/* The caller looks at its pages before it relies on them, so another thread may
 * finish: faults, delays and order are those of all requests. */
void swap_run(struct swap *swap, struct swap_io *io)
{
    swap_submit(swap, io);
}

bool swap_lends(struct swap *swap, uint32_t block)
{
    bool lends;

    (void)swap;
    fake_lock();
    fake_expect(block < fake.nr_blocks && fake.state[block] == USED,
           "asked about an unused", block);
    lends = fake.lends;
    fake_unlock();
    return lends;
}

bool swap_begin(struct swap *swap, struct swap_io *io, struct swap_lane *lane)
{
    if (!swap_lends(swap, io->block)) {
        swap_submit(swap, io);
        return false;
    }
    check_request(io);
    fake_lock();
    check_blocks(io);
    fake_unlock();
    fake_expect(lane->room > 0, "no room on a lane for", io->block);
    lane->room--;
    io->lane = lane;
    lane->begin(lane, io);
    return true;
}

/* What the lane says is only whether it went well: the bytes are here. */
bool swap_io_result(struct swap_io *io, int result)
{
    io->lane->room++;
    fake_lock();
    if (result < 0)
        fake.read = (struct fault){ .times = 1, .err = -result };
    finish(io);
    fake_unlock();
    return true;
}

/* --- blocks --------------------------------------------------------------- */

/* Caller holds the lock. */
static uint32_t run_at(uint32_t block, uint32_t want) REQUIRES(fake.lock)
{
    uint32_t n = 0;

    while (n < want && block + n < fake.nr_blocks &&
           fake.state[block + n] == FREE && !fake_is_leaving(block + n))
        n++;
    return n;
}

int swap_alloc(struct swap *swap, uint32_t hint, uint32_t want,
               uint32_t *first, uint32_t *got)
{
    uint32_t blocks, n = 0, at = hint;

    (void)swap;
    fake_lock();
    blocks = fake.nr_blocks;
    if (fake.max_run > 0)
        want = MIN(want, fake.max_run);
    if (hint < blocks)
        n = run_at(hint, want);
    for (uint32_t i = 0; n == 0 && i < blocks; i++) {
        at = (fake.cursor + i) % blocks;
        n = run_at(at, want);
    }
    if (n > 0) {
        memset(&fake.state[at], USED, n);
        fake.cursor = (at + n) % blocks;
        fake.nr_free -= n;
        fake.counts.nr_used += n;
        *first = at;
        *got = n;
    }
    fake_unlock();
    return n > 0 ? 0 : -ENOSPC;
}

static void give_up(uint32_t first, uint32_t nr, enum block_state to)
{
    fake_lock();
    for (uint32_t b = first; b < first + nr; b++) {
        fake_expect(b < fake.nr_blocks && fake.state[b] == USED,
               "gave up an unused", b);
        fake_expect(fake.writing[b] == 0, "gave up, while being written,", b);
        fake.state[b] = (uint8_t)to;
        memset(fake.bytes + ((size_t)b << PAGE_SHIFT), 0xdd, PAGE_SIZE);
    }
    fake.counts.nr_used -= nr;
    if (to == RETIRED)
        fake.counts.nr_retired += nr;
    else if (!fake_is_leaving(first))
        fake.nr_free += nr;
    fake_unlock();
}

void swap_free(struct swap *swap, uint32_t first, uint32_t nr)
{
    (void)swap;
    give_up(first, nr, FREE);
}

void swap_retire(struct swap *swap, uint32_t first, uint32_t nr)
{
    (void)swap;
    give_up(first, nr, RETIRED);
}

/* One more table frame when the blocks need it.  Caller holds the lock. */
static int tables_grow(uint32_t nr_backed) REQUIRES(fake.lock)
{
    while (fake.table_blocks > 0 &&
           (uint64_t)fake.nr_tables * fake.table_blocks < nr_backed) {
        uint32_t frame = arena_frame_alloc(fake.swap.arena,
                                           fake.swap.arena->reserve);

        if (frame == FRAME_NONE)
            return -EAGAIN;
        fake.tables[fake.nr_tables++] = frame;
    }
    return 0;
}

uint64_t swap_file_room(const struct swap_file *file)
{
    uint64_t room;

    (void)file;
    fake_lock();
    room = fake.host_room - MIN(fake.host_room, fake.nr_backed);
    fake_unlock();
    return room;
}

static bool may_grow(uint32_t block) REQUIRES(fake.lock)
{
    const struct fake_area *area = fake_area_of(block);

    return area && area->state == SWAP_AREA_ACTIVE &&
           fake.state[block] == UNBACKED;
}

int swap_grow(struct swap *swap, uint32_t want, uint32_t *got)
{
    uint32_t n, unbacked = 0;
    int err;

    (void)swap;
    *got = 0;
    lock_assert_none(RANK_BUDGET);
    fake_lock();
    fake.counts.grows++;
    err = fault_due(&fake.grow);
    for (uint32_t b = 0; b < fake.nr_blocks; b++)
        unbacked += may_grow(b);
    n = MIN(MAX(want, fake.grow_step), unbacked);
    n = MIN(n, fake.host_room - MIN(fake.host_room, fake.nr_backed));
    if (!err && n == 0)
        err = -ENOSPC;
    if (!err)
        err = tables_grow(fake.nr_backed + n);
    if (!err) {
        *got = n;
        fake.nr_backed += n;
        fake.nr_free += n;
        for (uint32_t b = 0; n > 0; b++) {
            if (may_grow(b)) {
                fake.state[b] = FREE;
                n--;
            }
        }
    }
    fake_unlock();
    return err;
}

uint64_t swap_room(struct swap *swap)
{
    return swap_file_room(&swap->file);
}

bool swap_can_trim(struct swap *swap)
{
    return swap->file.can_punch;
}

/* Caller holds the lock. */
static bool cluster_free(uint32_t first) REQUIRES(fake.lock)
{
    return run_at(first, SPACE_CLUSTER) == SPACE_CLUSTER;
}

void fake_swap_before_release(void (*hook)(void))
{
    fake_lock();
    fake.before_release = hook;
    fake_unlock();
}

uint32_t swap_trim(struct swap *swap, uint32_t max,
                   bool (*release)(void *ctx, uint32_t nr), void *ctx)
{
    uint32_t first, taken = 0;
    bool released = true;

    (void)swap;
    lock_assert_none(RANK_BUDGET);
    fake_lock();
    first = fake.nr_blocks / SPACE_CLUSTER * SPACE_CLUSTER;
    fake.counts.trims++;
    while (released && first > 0 && taken + SPACE_CLUSTER <= max) {
        first -= SPACE_CLUSTER;
        if (!cluster_free(first))
            continue;
        /* Out of reach while the owner is asked. */
        memset(&fake.state[first], UNBACKED, SPACE_CLUSTER);
        fake.nr_free -= SPACE_CLUSTER;
        fake_unlock();
        if (fake.before_release)
            fake.before_release();
        released = release(ctx, SPACE_CLUSTER);
        fake_lock();
        if (released) {
            fake.nr_backed -= SPACE_CLUSTER;
            taken += SPACE_CLUSTER;
        } else {
            memset(&fake.state[first], FREE, SPACE_CLUSTER);
            fake.nr_free += SPACE_CLUSTER;
        }
    }
    fake_unlock();
    return taken;
}

static uint32_t read_locked(const uint32_t *counter)
{
    uint32_t value;

    fake_lock();
    value = *counter;
    fake_unlock();
    return value;
}

uint32_t swap_nr_free(struct swap *swap)
{
    (void)swap;
    return read_locked(&fake.nr_free);
}

uint32_t swap_nr_backed(struct swap *swap)
{
    (void)swap;
    return read_locked(&fake.nr_backed);
}

uint32_t swap_nr_tables(struct swap *swap)
{
    (void)swap;
    return read_locked(&fake.nr_tables);
}

uint32_t swap_nr_max(struct swap *swap)
{
    uint32_t nr;

    (void)swap;
    fake_lock();
    nr = fake_nr_max();
    fake_unlock();
    return nr;
}

void swap_stats(struct swap *swap, struct space_stats *stats)
{
    uint32_t run = 0;

    (void)swap;
    memset(stats, 0, sizeof(*stats));
    fake_lock();
    stats->nr_blocks = fake_nr_max();
    stats->nr_backed = fake.nr_backed;
    stats->nr_free = fake.nr_free;
    stats->nr_used = fake.counts.nr_used;
    stats->nr_retired = fake.counts.nr_retired;
    for (uint32_t b = 0; b < fake.nr_blocks; b++) {
        run = fake.state[b] == FREE ? run + 1 : 0;
        stats->free_runs += run == 1;
        stats->largest_run = MAX(stats->largest_run, run);
    }
    fake_unlock();
}

/* --- life ----------------------------------------------------------------- */

struct swap_file fake_swap_file(uint32_t nr_blocks)
{
    return (struct swap_file){ .fd = nr_blocks > 0 ? 1 << 20 : -1,
                               .direct = true,
                               .can_allocate = true,
                               .can_punch = true,
                               .nr_blocks = nr_blocks };
}

static void *zeroed(size_t count, size_t size)
{
    void *p = calloc(MAX(count, 1), size);

    fake_expect(p != NULL, "no memory for", BLOCK_NONE);
    return p;
}

int swap_create(struct swap **out, const struct swap_file *file,
                struct arena *arena, unsigned max_inflight)
{
    uint32_t capacity = file->nr_blocks + FAKE_SWAP_MORE_BLOCKS;
    size_t bytes = (size_t)capacity << PAGE_SHIFT;

    (void)max_inflight;
    fake_lock();
    fake.swap = (struct swap){ .file = *file, .arena = arena };
    fake.nr_blocks = 0;
    fake.capacity = capacity;
    fake.nr_areas = 0;
    fake.bytes = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    fake_expect(fake.bytes != MAP_FAILED, "no memory for", BLOCK_NONE);
    fake.state = zeroed(capacity, sizeof(*fake.state));
    fake.writing = zeroed(capacity, sizeof(*fake.writing));
    fake.tables = zeroed(arena->nr_frames, sizeof(*fake.tables));
    fake.nr_tables = fake.nr_backed = fake.nr_free = fake.cursor = 0;
    list_init(&fake.queue);
    fake.nr_queued = fake.may_finish = 0;
    fake.stop = fake.hold = fake.shuffle = false;
    fake.lends = true;
    fake.read = fake.write = fake.grow = (struct fault){ 0 };
    fake.host_room = UINT32_MAX;
    fake.grow_step = SPACE_CLUSTER;
    fake.max_run = fake.table_blocks = 0;
    fake.delay_us = 0;
    fake.seed = 1;
    fake.counts = (struct fake_swap_counts){ 0 };
    fake_unlock();
    if (file->fd != -1)
        swap_add(&fake.swap, file, -1);
    *out = &fake.swap;
    return -pthread_create(&fake.thread, NULL, completion_thread, NULL);
}

void swap_destroy(struct swap *swap)
{
    fake_lock();
    fake_expect(fake.nr_queued == 0, "I/O left in flight at destroy;", BLOCK_NONE);
    for (uint32_t b = 0; b < fake.nr_blocks; b++)
        fake_expect(fake.state[b] != USED, "leaked", b);
    fake.stop = true;
    cond_broadcast(&fake.changed);
    fake_unlock();
    pthread_join(fake.thread, NULL);
    while (fake.nr_tables > 0)
        arena_frame_free(swap->arena, fake.tables[--fake.nr_tables]);
    munmap(fake.bytes, (size_t)fake.capacity << PAGE_SHIFT);
    free(fake.state);
    free(fake.writing);
    free(fake.tables);
}

/* --- settings ------------------------------------------------------------- */

static void set_fault(struct fault *fault, unsigned n, int err, unsigned times)
{
    fake_lock();
    *fault = (struct fault){ .after = n, .times = times, .err = err };
    fake_unlock();
}

void fake_swap_fail_read_after(unsigned n, int err, unsigned times)
{
    set_fault(&fake.read, n, err, times);
}

void fake_swap_fail_write_after(unsigned n, int err, unsigned times)
{
    set_fault(&fake.write, n, err, times);
}

void fake_swap_fail_grow_after(unsigned n, int err, unsigned times)
{
    set_fault(&fake.grow, n, err, times);
}

static void set(uint32_t *setting, uint32_t value)
{
    fake_lock();
    *setting = value;
    fake_unlock();
}

void fake_swap_host_room(uint32_t nr_blocks)
{
    set(&fake.host_room, nr_blocks);
}

void fake_swap_grow_step(uint32_t nr_blocks)
{
    set(&fake.grow_step, nr_blocks);
}

void fake_swap_max_run(uint32_t nr_blocks)
{
    set(&fake.max_run, nr_blocks);
}

void fake_swap_table_blocks(uint32_t nr_blocks)
{
    set(&fake.table_blocks, nr_blocks);
}

void fake_swap_delay_us(unsigned us)
{
    set(&fake.delay_us, us);
}

void fake_swap_shuffle(bool on)
{
    fake_lock();
    fake.shuffle = on;
    fake_unlock();
}

void fake_swap_hold(bool on)
{
    fake_lock();
    fake.hold = on;
    fake.may_finish = 0;
    cond_broadcast(&fake.changed);
    fake_unlock();
}

void fake_swap_lends(bool on)
{
    fake_lock();
    fake.lends = on;
    fake_unlock();
}

void fake_swap_release(unsigned n)
{
    fake_lock();
    fake.may_finish += MIN(n, fake.nr_queued);
    cond_broadcast(&fake.changed);
    while (fake.hold && fake.may_finish > 0)
        wait_for_change();
    fake_unlock();
}

void fake_swap_wait_held(unsigned n)
{
    fake_lock();
    while (fake.nr_queued < n)
        wait_for_change();
    fake_unlock();
}

unsigned fake_swap_nr_held(void)
{
    return read_locked(&fake.nr_queued);
}

struct fake_swap_counts fake_swap_counts(void)
{
    struct fake_swap_counts counts;

    fake_lock();
    counts = fake.counts;
    fake_unlock();
    return counts;
}

void *fake_swap_block(uint32_t block)
{
    fake_expect(block < fake.nr_blocks, "no such", block);
    return fake.bytes + ((size_t)block << PAGE_SHIFT);
}

const char *swap_io_engine(struct swap *swap)
{
    (void)swap;
    return "fake";
}

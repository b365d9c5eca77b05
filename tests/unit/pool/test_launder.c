/* test_launder.c - the pageout thread: when it works, what it takes, that it
 * allocates nothing, and that it always gets somewhere.
 */
#include "fake_owner.h"
#include "pool_internal.h"

#include "allocations.h"
#include "unit.h"

#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>

static struct rig rig;

static void setup(uint32_t frames, uint32_t blocks, uint32_t owners,
                  uint64_t pages)
{
    rig_up(&rig, &(struct rig_config){ .frames = frames, .blocks = blocks,
                                       .owners = owners, .pages = pages });
}

static struct pool_stats stats(void)
{
    struct pool_stats s;

    pool_stats(rig.pool, &s);
    return s;
}

static void fill(uint32_t owner, uint64_t nr)
{
    for (uint64_t i = 0; i < nr; i++)
        ck_assert_int_eq(fake_write(&rig, owner, i, 1, true), 0);
}

/* --- what is allocated -------------------------------------------------- */

/* Check's assertions allocate, so there are none between the counts. */
START_TEST(nothing_is_allocated_once_the_pool_is_made)
{
    uint64_t before, after;
    void *volatile seen = NULL;
    int err = 0;

    setup(1024, 16384, 2, 4000);
    before = atomic_load(&nr_allocations);
    for (uint64_t i = 0; i < 8000 && !err; i++)
        err = fake_write(&rig, 1 + i % 2, i / 2, 1, true);
    for (uint64_t i = 0; i < 4000 && !err; i++)
        err = fake_read(&rig, 1, i, 16, true);
    pool_quiesce(rig.pool);
    after = atomic_load(&nr_allocations);
    ck_assert_int_eq(err, 0);
    ck_assert_uint_eq(after, before);
    ck_assert_uint_gt(stats().pageout_pages, 8000 - 1024);
#if COUNTING
    before = atomic_load(&nr_allocations);
    seen = malloc(1);
    free((void *)seen);
    after = atomic_load(&nr_allocations);
    ck_assert_uint_eq(after, before + 1);
#endif
    (void)seen;
    (void)allocates_freely;
    rig_down(&rig);
}
END_TEST

/* --- when --------------------------------------------------------------- */

START_TEST(nothing_is_written_while_frames_are_plenty)
{
    setup(2048, 16384, 1, 4000);
    fill(1, 2048 - rig.pool->low - 1);
    clock_sleep_ns(20000000);
    ck_assert_uint_eq(stats().pageout_pages, 0);
    rig_down(&rig);
}
END_TEST

/* Where nobody takes frames any more, nobody tells pageout again after it has given
 * up, as it does when the owner's lock was held, by a thread that was preempted,
 * whenever it came by. */
static bool room_is_made(void)
{
    /* The last pages were written while it was at it already. */
    if (arena_nr_free(rig.arena) >= rig.pool->high - 4)
        return true;
    launder_kick(rig.pool, KICK_LOW);
    return false;
}

START_TEST(below_low_it_makes_room_up_to_high)
{
    setup(2048, 16384, 1, 4000);
    fill(1, 2048 - rig.pool->low + 1);
    EVENTUALLY(room_is_made());
    pool_quiesce(rig.pool);
    /* The last cluster may go beyond by all of it but a page.  And one more may have
     * been begun while the frames of another were no longer coming, and not yet free
     * (pageout_done); of those there is one at a time here. */
    ck_assert_uint_lt(arena_nr_free(rig.arena),
                      rig.pool->high + 2 * rig.pool->cluster);
    rig_down(&rig);
}
END_TEST

/* On one CPU, writer and pageout take turns.  On two they race where the file ends,
 * and there are up to 25 breaks instead of none, under ThreadSanitizer 98. */
START_TEST(what_is_written_in_order_lies_in_order)
{
    cpu_set_t all, one;
    uint64_t breaks = 0;

    ck_assert_int_eq(sched_getaffinity(0, sizeof(all), &all), 0);
    CPU_ZERO(&one);
    CPU_SET((size_t)sched_getcpu(), &one);
    ck_assert_int_eq(sched_setaffinity(0, sizeof(one), &one), 0);
    setup(16384, 65536, 1, 60000);
    fill(1, 60000);
    pool_quiesce(rig.pool);
    for (uint64_t i = 0; i + 1 < 40000; i++) {
        struct fake_entry a = fake_entry(&rig, 1, i);
        struct fake_entry b = fake_entry(&rig, 1, i + 1);

        if (a.kind == FAKE_BLOCK && b.kind == FAKE_BLOCK)
            breaks += b.number != a.number + 1;
    }
    ck_assert_uint_lt(breaks, 40);
    ck_assert_uint_lt(stats().pageout_ios, stats().pageout_pages / 128);
    rig_down(&rig);
    ck_assert_int_eq(sched_setaffinity(0, sizeof(all), &all), 0);
}
END_TEST

/* --- whom --------------------------------------------------------------- */

static void *fill_owner_2(void *unused)
{
    (void)unused;
    fill(2, 1500);
    return NULL;
}

START_TEST(a_busy_owner_does_not_stop_the_others)
{
    pthread_t thread;

    setup(1024, 16384, 2, 1500);
    fill(1, 400);
    mutex_lock(&rig.owners[0].lock, RANK_OBJECT);
    pthread_create(&thread, NULL, fill_owner_2, NULL);
    pthread_join(thread, NULL);
    for (uint64_t i = 0; i < 400; i++)
        ck_assert_int_eq(rig.owners[0].entries[i].kind, FAKE_FRAME);
    mutex_unlock(&rig.owners[0].lock);
    rig_down(&rig);
}
END_TEST

START_TEST(pages_in_use_stay_and_cold_ones_go)
{
    unsigned resident = 0;

    setup(2048, 16384, 2, 4000);
    fill(1, 500);
    for (unsigned round = 0; round < 10; round++) {
        for (uint64_t i = 0; i < 500; i++)
            ck_assert_int_eq(fake_read(&rig, 1, i, 1, true), 0);
        for (uint64_t i = 0; i < 400; i++)
            fake_write(&rig, 2, round * 400 + i, 1, true);
    }
    pool_quiesce(rig.pool);
    for (uint64_t i = 0; i < 500; i++)
        resident += fake_entry(&rig, 1, i).kind == FAKE_FRAME;
    ck_assert_uint_gt(resident, 450);
    rig_down(&rig);
}
END_TEST

/* A reader may pin more pages than SMALL should hold, and want more frames. */
START_TEST(pinned_pages_do_not_hide_the_others)
{
    static uint32_t pinned[200], frames[640];
    uint32_t batch, nr = 0;

    rig_up(&rig, &(struct rig_config){ .frames = 1024, .blocks = 8192,
                                       .owners = 2, .pages = 800,
                                       .stopped = true });
    ck_assert_int_eq(grow_file(rig.pool, 8192), 0);
    fill(1, 600);
    for (uint64_t i = 0; i < 600; i++) {
        uint32_t frame = fake_entry(&rig, 1, i).number;

        replace_remove(&rig.pool->replace, frame);
        replace_return(&rig.pool->replace, frame, true); /* to MAIN */
    }
    fill(2, 200);
    for (uint64_t i = 0; i < 200; i++)
        pinned[i] = fake_pin(&rig, 2, i);
    ck_assert_int_eq(pool_start(rig.pool), 0);
    batch = pool_batch(rig.pool);
    for (; nr + batch <= 640; nr += batch)
        ck_assert_int_eq(pool_frames_get(rig.pool, batch, frames + nr,
                                         POOL_WAIT_READ), 0);
    pool_frames_put(rig.pool, nr, frames);
    for (uint64_t i = 0; i < 200; i++)
        pool_page_unpin(rig.pool, pinned[i]);
    rig_down(&rig);
}
END_TEST

START_TEST(blocks_of_clean_pages_in_use_go_to_colder_dirty_ones)
{
    rig_up(&rig, &(struct rig_config){ .frames = 1024, .blocks = 700,
                                       .owners = 2, .pages = 1000,
                                       .stopped = true });
    ck_assert_int_eq(grow_file(rig.pool, 700), 0);
    fill(1, 600);
    for (uint64_t i = 0; i < 600; i++)
        pool_page_touch(pool_page(rig.arena, fake_entry(&rig, 1, i).number));
    for (uint64_t i = 0; i < 600; i++)
        if (fake_state(&rig, 1, i) == PAGE_DIRTY)
            fake_clean(&rig, 1, i, true);
    ck_assert_uint_eq(atomic_load(&rig.pool->nr_state[PAGE_CLEAN]), 600);
    ck_assert_int_eq(pool_start(rig.pool), 0);
    fill(2, 900);
    for (uint64_t i = 0; i < 600; i++)
        ck_assert_int_eq(fake_read(&rig, 1, i, 1, true), 0);
    for (uint64_t i = 0; i < 900; i++)
        ck_assert_int_eq(fake_read(&rig, 2, i, 1, true), 0);
    rig_down(&rig);
}
END_TEST

/* --- always ------------------------------------------------------------- */

START_TEST(a_host_without_disk_is_seen_by_charges_and_never_by_pageout)
{
    uint64_t nr;

    setup(1024, 65536, 1, 8000);
    fake_swap_grow_step(1);
    fake_swap_host_room(3000);
    nr = fake_fill(&rig, 1, 1);
    ck_assert_uint_eq(nr, 1024 - stats().reserve - 4 + 3000);
    for (uint64_t i = 0; i < nr; i++)
        ck_assert_int_eq(fake_write(&rig, 1, (i * 7919) % nr, 2, true), 0);
    for (uint64_t i = 0; i < nr; i++)
        ck_assert_int_eq(fake_read(&rig, 1, i, 16, true), 0);
    ck_assert_uint_eq(atomic_load(&rig.lost), 0);
    rig_down(&rig);
}
END_TEST

static void *write_page_1900(void *unused)
{
    (void)unused;
    return (void *)(intptr_t)fake_write(&rig, 1, 1900, 1, true);
}

START_TEST(when_all_is_pinned_a_writer_waits_for_the_first_unpin)
{
    static uint32_t frames[2048], spare[1024];
    uint32_t nr = 0, nr_spare = 0;
    pthread_t thread;
    void *err;

    setup(1024, 16384, 1, 2000);
    fill(1, 700);
    for (uint64_t i = 0; i < 700; i++)
        if ((frames[nr] = fake_pin(&rig, 1, i)) != FRAME_NONE)
            nr++;
    while (arena_nr_free(rig.arena) > 1)
        spare[nr_spare++] = arena_frame_alloc(rig.arena, 0);
    pthread_create(&thread, NULL, write_page_1900, NULL);
    EVENTUALLY(atomic_load(&rig.pool->launder.exhausted));
    clock_sleep_ns(30000000);
    ck_assert_int_eq(fake_entry(&rig, 1, 1900).kind, FAKE_HOLE);
    while (nr > 0)
        pool_page_unpin(rig.pool, frames[--nr]);
    pthread_join(thread, &err);
    ck_assert_int_eq((intptr_t)err, 0);
    pool_frames_put(rig.pool, nr_spare, spare);
    rig_down(&rig);
}
END_TEST

START_TEST(blocks_lost_to_errors_end_in_enospc_not_in_a_hang)
{
    uint64_t i = 0;
    int err = 0;

    setup(300, 1024, 1, 4000);
    fake_fill(&rig, 1, 1);
    fake_swap_fail_write_after(0, EIO, 400);
    for (unsigned n = 0; n < 20000 && err == 0; n++)
        err = fake_write(&rig, 1, i++ % 1000, 2, true);
    ck_assert(err == 0 || err == -ENOSPC);
    fake_swap_fail_write_after(0, EIO, 0);
    rig_down(&rig);
}
END_TEST

/* --- threads ------------------------------------------------------------ */

/* What a thread's status file says after `field`; false when there is none. */
static bool status_of(const char *tid, const char *field, char *value,
                      size_t bytes)
{
    char path[64], line[256];
    bool found = false;
    FILE *file;

    snprintf(path, sizeof(path), "/proc/self/task/%.20s/status", tid);
    file = fopen(path, "r");
    while (file && !found && fgets(line, sizeof(line), file)) {
        size_t n = strlen(field);

        found = strncmp(line, field, n) == 0;
        if (found)
            snprintf(value, bytes, "%.*s", (int)bytes - 1, line + n);
    }
    if (file)
        fclose(file);
    return found;
}

START_TEST(threads_have_names_and_take_no_signals)
{
    unsigned ours = 0;
    struct dirent *entry;
    DIR *dir;

    setup(1024, 1024, 1, 1);
    dir = opendir("/proc/self/task");
    while ((entry = readdir(dir)) != NULL) {
        char name[64], blocked[64];

        if (!status_of(entry->d_name, "Name:\tpool-", name, sizeof(name)))
            continue;
        ck_assert(status_of(entry->d_name, "SigBlk:\t", blocked,
                            sizeof(blocked)));
        /* HUP, INT, TERM, USR1, ALRM: bits 0, 1, 14, 9, 13. */
        ck_assert_uint_eq(strtoull(blocked, NULL, 16) & 0x6203, 0x6203);
        ours++;
    }
    closedir(dir);
    ck_assert_uint_eq(ours, 3);
    rig_down(&rig);
}
END_TEST

UNIT_MAIN("launder", nothing_is_allocated_once_the_pool_is_made,
          nothing_is_written_while_frames_are_plenty,
          below_low_it_makes_room_up_to_high,
          what_is_written_in_order_lies_in_order,
          a_busy_owner_does_not_stop_the_others,
          pages_in_use_stay_and_cold_ones_go,
          pinned_pages_do_not_hide_the_others,
          blocks_of_clean_pages_in_use_go_to_colder_dirty_ones,
          a_host_without_disk_is_seen_by_charges_and_never_by_pageout,
          when_all_is_pinned_a_writer_waits_for_the_first_unpin,
          blocks_lost_to_errors_end_in_enospc_not_in_a_hang,
          threads_have_names_and_take_no_signals)

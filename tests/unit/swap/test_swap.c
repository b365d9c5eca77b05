/* test_swap.c - growth, trimming, and blocks with real bytes. */
#include "swap_internal.h"

#include "clock.h"
#include "engines.h"
#include "unit.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>

enum { MIB = 256 /* blocks */ };

static struct arena *arena;
static struct swap *swap;
static char dir[PLACE_BYTES];

static void setup_at(const char *place, uint32_t max_blocks,
                     uint32_t nr_frames)
{
    char message[SWAP_MESSAGE_BYTES];
    struct swap_file file;

    ck_assert_int_eq(arena_create(&arena, (uint64_t)nr_frames *
                                  (PAGE_SIZE + sizeof(struct frame))), 0);
    ck_assert_msg(swap_file_open(&file, place, max_blocks, message) == 0, "%s",
                  message);
    ck_assert_int_eq(swap_create(&swap, &file, arena, 8), 0);
}

static void setup(uint32_t max_blocks, uint32_t nr_frames)
{
    place_dir(dir);
    setup_at(dir, max_blocks, nr_frames);
}

static bool yes(void *ctx, uint32_t nr)
{
    uint32_t *sum = ctx;

    *sum += nr;
    return true;
}

/* Trims everything, so that all tables must have come back. */
static void teardown(void)
{
    uint32_t sum = 0;

    swap_trim(swap, UINT32_MAX, yes, &sum);
    if (swap_can_trim(swap)) {
        ck_assert_uint_eq(swap_nr_backed(swap), 0);
        ck_assert_uint_eq(swap_nr_tables(swap), 0);
        ck_assert_uint_eq(arena_nr_free(arena), arena->nr_frames - 1);
    }
    swap_destroy(swap);
    arena_destroy(arena);
    place_dir_remove(dir);
}

static uint64_t disk_blocks(void)
{
    struct stat st;

    ck_assert_int_eq(fstat(swap->area[0]->file.fd, &st), 0);
    return (uint64_t)st.st_blocks * 512 / PAGE_SIZE;
}

START_TEST(none_has_no_blocks)
{
    uint32_t first, got = 1, sum = 0;
    struct space_stats stats;

    place_dir(dir);
    setup_at("none", 1000, 200);
    ck_assert_int_eq(swap_grow(swap, 1, &got), -ENOSPC);
    ck_assert_uint_eq(got, 0);
    ck_assert_int_eq(swap_alloc(swap, BLOCK_NONE, 1, &first, &got), -ENOSPC);
    ck_assert_uint_eq(swap_nr_max(swap), 0);
    ck_assert_uint_eq(swap_nr_free(swap), 0);
    ck_assert_uint_eq(swap_trim(swap, 1000, yes, &sum), 0);
    swap_stats(swap, &stats);
    ck_assert_uint_eq(stats.nr_blocks, 0);
    teardown();
}
END_TEST

START_TEST(growth_is_large_far_from_the_limit_and_small_near_it)
{
    uint32_t got, all = 0, last = UINT32_MAX;

    setup(1024 * MIB, 500);
    ck_assert_int_eq(swap_grow(swap, 1, &got), 0);
    ck_assert_uint_eq(got, 64 * MIB);
    ck_assert_uint_ge(disk_blocks(), 64 * MIB);
    for (all = got; swap_grow(swap, 1, &got) == 0; all += got) {
        ck_assert_uint_le(got, last);
        last = got;
    }
    ck_assert_uint_eq(last, SPACE_CLUSTER);
    ck_assert_uint_eq(all, 1024 * MIB);
    ck_assert_uint_eq(swap_nr_backed(swap), all);
    ck_assert_uint_eq(swap_nr_free(swap), all);
    teardown();
}
END_TEST

START_TEST(growth_gives_what_is_wanted)
{
    uint32_t got;

    setup(20 * MIB + 3, 200);
    ck_assert_int_eq(swap_grow(swap, 10 * MIB, &got), 0);
    ck_assert_uint_ge(got, 10 * MIB);
    ck_assert_int_eq(swap_grow(swap, 100 * MIB, &got), 0);
    ck_assert_uint_eq(swap_nr_backed(swap), 20 * MIB + 3);
    ck_assert_int_eq(swap_grow(swap, 1, &got), -ENOSPC);
    teardown();
}
END_TEST

START_TEST(tables_are_frames_above_the_reserve)
{
    uint32_t frame[200], n = 0, got;

    setup(100 * MIB, 100);
    arena->reserve = 20;
    while ((frame[n] = arena_frame_alloc(arena, 21)) != FRAME_NONE)
        n++;
    /* One frame, but a table needs two. */
    ck_assert_int_eq(swap_grow(swap, 1, &got), -EAGAIN);
    ck_assert_uint_eq(got, 0);
    ck_assert_uint_eq(swap_nr_backed(swap), 0);
    ck_assert_uint_eq(swap_nr_tables(swap), 0);
    ck_assert_uint_eq(arena_nr_free(arena), 21);
    if (swap->area[0]->file.can_punch)
        ck_assert_uint_lt(disk_blocks(), 100);
    arena_frame_free(arena, frame[--n]);
    ck_assert_int_eq(swap_grow(swap, 1, &got), 0);
    ck_assert_uint_eq(swap_nr_tables(swap), 2);
    ck_assert_uint_eq(arena_nr_free(arena), 20);
    while (n > 0)
        arena_frame_free(arena, frame[--n]);
    teardown();
}
END_TEST

struct release {
    uint32_t sum, most;
};

static bool release_some(void *ctx, uint32_t nr)
{
    struct release *r = ctx;

    if (r->sum + nr > r->most)
        return false;
    r->sum += nr;
    return true;
}

START_TEST(trim_takes_what_is_released_and_no_more)
{
    struct release r = { .most = 3 * SPACE_CLUSTER };
    uint32_t first, nr, got;

    setup(64 * MIB, 200);
    if (!swap->area[0]->file.can_punch) {
        printf("skipped: holes cannot be punched in %s\n", dir);
        teardown();
        return;
    }
    ck_assert_int_eq(swap_grow(swap, 64 * MIB, &got), 0);
    ck_assert_int_eq(swap_alloc(swap, 63 * MIB, 1, &first, &nr), 0);
    ck_assert_uint_eq(swap_trim(swap, UINT32_MAX, release_some, &r),
                      3 * SPACE_CLUSTER);
    ck_assert_uint_eq(r.sum, 3 * SPACE_CLUSTER);
    ck_assert_uint_eq(swap_nr_backed(swap), 64 * MIB - 3 * SPACE_CLUSTER);
    ck_assert_uint_eq(swap_nr_free(swap), 64 * MIB - 3 * SPACE_CLUSTER - 1);
    ck_assert_uint_le(disk_blocks(), 64 * MIB - 3 * SPACE_CLUSTER + 16);
    r = (struct release){ .most = UINT32_MAX };
    ck_assert_uint_eq(swap_trim(swap, 2 * SPACE_CLUSTER + 5, release_some, &r),
                      2 * SPACE_CLUSTER);
    ck_assert_uint_eq(swap_trim(swap, UINT32_MAX, release_some, &r),
                      64 * MIB - 6 * SPACE_CLUSTER);
    ck_assert_uint_eq(swap_nr_backed(swap), SPACE_CLUSTER);
    ck_assert_uint_lt(disk_blocks(), 2 * SPACE_CLUSTER);
    swap_free(swap, first, nr);
    teardown();
}
END_TEST

START_TEST(retired_blocks_stay_away)
{
    struct space_stats stats;
    uint32_t first, nr, got;

    setup(SPACE_CLUSTER, 100);
    ck_assert_int_eq(swap_grow(swap, 1, &got), 0);
    ck_assert_int_eq(swap_alloc(swap, BLOCK_NONE, 512, &first, &nr), 0);
    swap_retire(swap, first + 7, 1);
    swap_free(swap, first, 7);
    swap_free(swap, first + 8, 504);
    swap_stats(swap, &stats);
    ck_assert_uint_eq(stats.nr_retired, 1);
    ck_assert_uint_eq(stats.nr_free, 511);
    ck_assert_uint_eq(stats.free_runs, 2);
    ck_assert_uint_eq(stats.largest_run, 256);
    ck_assert_uint_eq(swap_nr_free(swap), 511);
    swap_destroy(swap);
    arena_destroy(arena);
    place_dir_remove(dir);
}
END_TEST

/* Synchronous transfer of one run. */
static void transfer(enum swap_io_op op, uint32_t block, uint32_t nr,
                     uint8_t *pages)
{
    struct wait_io w;

    wait_io_set(&w, op, block, nr, pages);
    swap_submit(swap, &w.io);
    unit_assert(wait_io_result(&w) == 0);
}

/* Grows as far as it goes, fills every block, and reads all of them back. */
static uint32_t fill_and_verify(void)
{
    uint8_t *pages = pages_alloc(256);
    uint32_t first[4096], nr[4096], runs = 0, all = 0, got;
    int err;

    while ((err = swap_grow(swap, 1, &got)) == 0)
        ck_assert_uint_gt(got, 0);
    ck_assert_int_eq(err, -ENOSPC);
    while (swap_alloc(swap, BLOCK_NONE, 256, &first[runs], &nr[runs]) == 0) {
        pages_mark(pages, first[runs], nr[runs], 9);
        transfer(SWAP_IO_WRITE, first[runs], nr[runs], pages);
        all += nr[runs++];
    }
    ck_assert_uint_eq(all, swap_nr_backed(swap));
    for (uint32_t i = 0; i < runs; i++) {
        transfer(SWAP_IO_READ, first[i], nr[i], pages);
        unit_assert(pages_are(pages, first[i], nr[i], 9));
        swap_free(swap, first[i], nr[i]);
    }
    free(pages);
    return all;
}

START_TEST(a_full_host_disk_is_enospc_and_breaks_nothing)
{
    char under[PLACE_BYTES], mounted[PLACE_BYTES];
    uint32_t all;

    place_dir(under);
    place_dir(mounted);
    if (place_ext4(under, 40 << 20, mounted)) {
        place_dir(dir);
        setup_at(mounted, 1024 * MIB, 300);
        all = fill_and_verify();
        printf("full ext4 of 40 MiB: %u MiB of swap\n", all / MIB);
        ck_assert_uint_gt(all, 20 * MIB);
        ck_assert_uint_lt(swap_room(swap), SPACE_CLUSTER);
        teardown();
        umount2(mounted, MNT_DETACH);
    }
    place_dir_remove(mounted);
    place_dir_remove(under);
}
END_TEST

START_TEST(a_device_is_used_to_the_end)
{
    char under[PLACE_BYTES], device[PLACE_BYTES];

    place_dir(under);
    if (place_loop(under, (20 << 20) + 12345, device)) {
        place_dir(dir);
        setup_at(device, 0, 300);
        ck_assert_uint_eq(swap_nr_backed(swap), 0);
        ck_assert_uint_eq(fill_and_verify(), 20 * MIB + 3);
        teardown();
    }
    place_dir_remove(under);
}
END_TEST

/* --- many threads --------------------------------------------------------- */

enum { THREADS = 6, ROUNDS = 120, OWNED = 24 };

/* Writes, reads back and frees runs of its own; nobody else's bytes appear. */
static void *owner_run(void *arg)
{
    unsigned seed = *(unsigned *)arg;
    uint32_t first[OWNED], nr[OWNED] = { 0 }, version[OWNED];
    uint8_t *pages = pages_alloc(64);

    for (uint32_t i = 0; i < ROUNDS * OWNED; i++) {
        uint32_t k = (uint32_t)rand_r(&seed) % OWNED, got, hint = BLOCK_NONE;

        if (nr[k] > 0) {
            transfer(SWAP_IO_READ, first[k], nr[k], pages);
            unit_assert(pages_are(pages, first[k], nr[k], version[k]));
            swap_free(swap, first[k], nr[k]);
            nr[k] = 0;
        }
        if (k > 0 && nr[k - 1] > 0)
            hint = first[k - 1] + nr[k - 1];
        if (swap_alloc(swap, hint, 1 + (uint32_t)rand_r(&seed) % 64, &first[k],
                       &nr[k]) != 0) {
            nr[k] = 0;
            swap_grow(swap, 64, &got);
            continue;
        }
        version[k] = i * 8 + seed % 8;
        pages_mark(pages, first[k], nr[k], version[k]);
        transfer(SWAP_IO_WRITE, first[k], nr[k], pages);
    }
    for (uint32_t k = 0; k < OWNED; k++) {
        if (nr[k] > 0)
            swap_free(swap, first[k], nr[k]);
    }
    free(pages);
    return NULL;
}

static _Atomic bool owners_done;

static void *trimmer_run(void *arg)
{
    while (!atomic_load(&owners_done)) {
        swap_trim(swap, 3 * SPACE_CLUSTER, yes, arg);
        clock_sleep_ns(200000);
    }
    return NULL;
}

START_TEST(owners_grower_and_trimmer_do_not_meet)
{
    pthread_t owner[THREADS], trimmer;
    unsigned seed[THREADS];
    uint32_t trimmed = 0;

    setup(40 * MIB, 300);
    for (unsigned i = 0; i < THREADS; i++) {
        seed[i] = i + 1;
        ck_assert_int_eq(pthread_create(&owner[i], NULL, owner_run, &seed[i]),
                         0);
    }
    ck_assert_int_eq(pthread_create(&trimmer, NULL, trimmer_run, &trimmed), 0);
    for (unsigned i = 0; i < THREADS; i++)
        pthread_join(owner[i], NULL);
    atomic_store(&owners_done, true);
    pthread_join(trimmer, NULL);
    if (swap->area[0]->file.can_punch)
        ck_assert_uint_gt(trimmed, 0);
    ck_assert_uint_eq(swap_nr_free(swap), swap_nr_backed(swap));
    teardown();
}
END_TEST

UNIT_MAIN("swap", none_has_no_blocks,
          growth_is_large_far_from_the_limit_and_small_near_it,
          growth_gives_what_is_wanted, tables_are_frames_above_the_reserve,
          trim_takes_what_is_released_and_no_more, retired_blocks_stay_away,
          a_full_host_disk_is_enospc_and_breaks_nothing,
          a_device_is_used_to_the_end, owners_grower_and_trimmer_do_not_meet)

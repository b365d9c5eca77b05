/* test_io_threads.c - chosen where it serves better, and quiet threads. */
#include "io.h"

#include "clock.h"
#include "engines.h"
#include "unit.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

START_TEST(chosen_without_o_direct)
{
    struct engine_place place;
    struct swap_engine *engine;

    engine_setup(&place, SWAP_ENGINE_THREADS, 1, 4);
    place.file.direct = false;
    ck_assert_int_eq(swap_engine_create(&engine, &place.file, SWAP_ENGINE_BEST,
                                        4), 0);
    ck_assert_str_eq(swap_engine_name(engine), "threads");
    swap_engine_destroy(engine);
    engine_teardown(&place);
}
END_TEST

/* Value of a field of a thread's status file, after its name and a tab. */
static void thread_status(const char *tid, const char *field, char value[128])
{
    char path[300], line[256];
    FILE *status;

    value[0] = '\0';
    snprintf(path, sizeof(path), "/proc/self/task/%s/status", tid);
    status = fopen(path, "re");
    while (status && fgets(line, sizeof(line), status)) {
        if (strncmp(line, field, strlen(field)) == 0)
            snprintf(value, 128, "%.100s", line + strlen(field) + 2);
    }
    if (status)
        fclose(status);
    value[strcspn(value, "\n")] = '\0';
}

/* SIGKILL, SIGSTOP, and the two that libc keeps for itself. */
#define UNBLOCKABLE (UINT64_C(1) << 8 | UINT64_C(1) << 18 | UINT64_C(3) << 31)

static unsigned count_quiet_threads(void)
{
    DIR *tasks = opendir("/proc/self/task");
    struct dirent *entry;
    char value[128];
    unsigned n = 0;

    ck_assert_ptr_nonnull(tasks);
    while ((entry = readdir(tasks)) != NULL) {
        thread_status(entry->d_name, "Name", value);
        if (strcmp(value, "pagerfs-io") != 0)
            continue;
        thread_status(entry->d_name, "SigBlk", value);
        ck_assert_uint_eq(strtoull(value, NULL, 16) | UNBLOCKABLE,
                          ~UINT64_C(0));
        n++;
    }
    closedir(tasks);
    return n;
}

START_TEST(threads_are_named_and_take_no_signals)
{
    struct engine_place place;

    engine_setup(&place, SWAP_ENGINE_THREADS, 1, 100);
    ck_assert_uint_eq(count_quiet_threads(), 4);
    engine_teardown(&place);
    engine_setup(&place, SWAP_ENGINE_THREADS, 1, 2);
    ck_assert_uint_eq(count_quiet_threads(), 2);
    engine_teardown(&place);
    ck_assert_uint_eq(count_quiet_threads(), 0);
}
END_TEST

/* The host's cache takes writes, and one block's is lost on its way to disk.  As in
 * the kernel, whoever waits for his own bytes next is told. */
enum { BAD_BLOCK = 5, NR_BLOCKS = 16 };
static _Atomic bool lost;

int sync_file_range(int fd, off_t at, off_t bytes, unsigned flags)
{
    (void)fd;
    (void)bytes;
    (void)flags;
    if (at == BAD_BLOCK * PAGE_SIZE)
        atomic_store(&lost, true);
    clock_sleep_ns(5000000);
    if (!atomic_exchange(&lost, false))
        return 0;
    errno = EIO;
    return -1;
}

START_TEST(without_o_direct_an_error_is_that_of_its_write)
{
    static struct wait_io w[2 * NR_BLOCKS];
    uint8_t *pages = pages_alloc(2 * NR_BLOCKS);
    struct engine_place place;

    memset(pages, 1, 2 * NR_BLOCKS * PAGE_SIZE);
    engine_setup(&place, SWAP_ENGINE_THREADS, 2 * NR_BLOCKS, 4);
    ck_assert_int_eq(fcntl(place.file.fd, F_SETFL, 0), 0);
    place.file.direct = false;
    for (uint32_t i = 0; i < 2 * NR_BLOCKS; i++) {
        uint32_t block = i % 2 == 0 ? i / 2 : NR_BLOCKS + i / 2;

        wait_io_set(&w[i], i % 2 == 0 ? SWAP_IO_WRITE : SWAP_IO_READ, block, 1,
                    pages + i * PAGE_SIZE);
        swap_engine_submit(place.engine, &w[i].io);
    }
    for (uint32_t i = 0; i < 2 * NR_BLOCKS; i++)
        ck_assert_int_eq(wait_io_result(&w[i]), i == 2 * BAD_BLOCK ? -EIO : 0);
    engine_teardown(&place);
    free(pages);
}
END_TEST

UNIT_MAIN("io_threads", chosen_without_o_direct,
          threads_are_named_and_take_no_signals,
          without_o_direct_an_error_is_that_of_its_write)

/* test_io_threads.c - chosen where it serves better, and quiet threads. */
#include "io.h"

#include "engines.h"
#include "unit.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
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

UNIT_MAIN("io_threads", chosen_without_o_direct,
          threads_are_named_and_take_no_signals)

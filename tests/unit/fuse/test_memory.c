/* test_memory.c - limits of control groups, in a tree of our own. */
#include "memory.h"

#include "unit.h"

#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MIB ((uint64_t)1 << 20)

static char root[] = "/tmp/pagerfs-memory-XXXXXX";

static void setup(void)
{
    strcpy(root + strlen(root) - 6, "XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(root));
}

static void teardown(void)
{
    char command[PATH_MAX];

    snprintf(command, sizeof(command), "rm -rf %s", root);
    ck_assert_int_eq(system(command), 0);
}

/* Makes root/path with its directories. */
static void put(const char *path, const char *text)
{
    char full[PATH_MAX];
    FILE *file;

    snprintf(full, sizeof(full), "%s%s", root, path);
    for (char *slash = full + strlen(root) + 1; (slash = strchr(slash, '/'));
         *slash++ = '/') {
        *slash = '\0';
        mkdir(full, 0700);
    }
    file = fopen(full, "w");
    ck_assert_ptr_nonnull(file);
    fputs(text, file);
    fclose(file);
}

START_TEST(test_nothing_known)
{
    setup();
    ck_assert_uint_eq(memory_usable(root), 1024 * MIB);
    teardown();
}
END_TEST

START_TEST(test_machine_only)
{
    setup();
    put("/proc/meminfo", "MemTotal:        2048000 kB\nMemFree: 1 kB\n");
    put("/proc/self/cgroup", "0::/\n");
    ck_assert_uint_eq(memory_usable(root), (uint64_t)2048000 * 1024);
    teardown();
}
END_TEST

START_TEST(test_version_1)
{
    setup();
    put("/proc/meminfo", "MemTotal: 2048000 kB\n");
    put("/proc/self/cgroup",
        "9:name=systemd:/x\n4:hugetlb,memory:/a/b/c\n2:cpu:/a\n0::/\n");
    put("/sys/fs/cgroup/memory/a/b/c/memory.limit_in_bytes",
        "9223372036854771712\n");
    put("/sys/fs/cgroup/memory/a/memory.limit_in_bytes", "104857600\n");
    put("/sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n");
    put("/sys/fs/cgroup/memory/x/memory.limit_in_bytes", "1048576\n");
    ck_assert_uint_eq(memory_usable(root), 100 * MIB);
    teardown();
}
END_TEST

START_TEST(test_version_2)
{
    setup();
    put("/proc/meminfo", "MemTotal: 2048000 kB\n");
    put("/proc/self/cgroup", "0::/user.slice/job.scope\n");
    put("/sys/fs/cgroup/user.slice/job.scope/memory.max", "max\n");
    put("/sys/fs/cgroup/user.slice/memory.max", "67108864\n");
    ck_assert_uint_eq(memory_usable(root), 64 * MIB);
    put("/sys/fs/cgroup/user.slice/job.scope/memory.max", "33554432\n");
    ck_assert_uint_eq(memory_usable(root), 32 * MIB);
    teardown();
}
END_TEST

START_TEST(test_container_sees_only_its_root)
{
    setup();
    put("/proc/meminfo", "MemTotal: 2048000 kB\n");
    put("/proc/self/cgroup", "0::/kubepods/pod1/box\n");
    put("/sys/fs/cgroup/memory.max", "50331648\n");
    ck_assert_uint_eq(memory_usable(root), 48 * MIB);
    teardown();
}
END_TEST

START_TEST(test_strange_lines)
{
    setup();
    put("/proc/meminfo", "MemTotal: 2048000 kB\n");
    put("/proc/self/cgroup", "\nnonsense\n4:memory\n::\n");
    ck_assert_uint_eq(memory_usable(root), (uint64_t)2048000 * 1024);
    teardown();
}
END_TEST

START_TEST(test_this_machine)
{
    ck_assert_uint_gt(memory_usable(""), MIB);
}
END_TEST

UNIT_MAIN("memory", test_nothing_known, test_machine_only, test_version_1,
          test_version_2, test_container_sees_only_its_root, test_strange_lines,
          test_this_machine)

/* test_memory.c - limits of control groups, in a tree of our own. */
#include "memory.h"

#include "fake_system.h"
#include "unit.h"

#define MIB ((uint64_t)1 << 20)

START_TEST(test_nothing_known)
{
    fake_system_make();
    ck_assert_uint_eq(memory_usable(fake_system), 1024 * MIB);
    fake_system_remove();
}
END_TEST

START_TEST(test_machine_only)
{
    fake_system_make();
    fake_system_put("/proc/meminfo",
                    "MemTotal:        2048000 kB\nMemFree: 1 kB\n");
    fake_system_put("/proc/self/cgroup", "0::/\n");
    ck_assert_uint_eq(memory_usable(fake_system), (uint64_t)2048000 * 1024);
    fake_system_remove();
}
END_TEST

START_TEST(test_version_1)
{
    fake_system_make();
    fake_system_put("/proc/meminfo", "MemTotal: 2048000 kB\n");
    fake_system_put("/proc/self/cgroup",
        "9:name=systemd:/x\n4:hugetlb,memory:/a/b/c\n2:cpu:/a\n0::/\n");
    fake_system_put("/sys/fs/cgroup/memory/a/b/c/memory.limit_in_bytes",
        "9223372036854771712\n");
    fake_system_put("/sys/fs/cgroup/memory/a/memory.limit_in_bytes",
                    "104857600\n");
    fake_system_put("/sys/fs/cgroup/memory/memory.limit_in_bytes",
                    "9223372036854771712\n");
    fake_system_put("/sys/fs/cgroup/memory/x/memory.limit_in_bytes",
                    "1048576\n");
    ck_assert_uint_eq(memory_usable(fake_system), 100 * MIB);
    fake_system_remove();
}
END_TEST

START_TEST(test_version_2)
{
    fake_system_make();
    fake_system_put("/proc/meminfo", "MemTotal: 2048000 kB\n");
    fake_system_put("/proc/self/cgroup", "0::/user.slice/job.scope\n");
    fake_system_put("/sys/fs/cgroup/user.slice/job.scope/memory.max", "max\n");
    fake_system_put("/sys/fs/cgroup/user.slice/memory.max", "67108864\n");
    ck_assert_uint_eq(memory_usable(fake_system), 64 * MIB);
    fake_system_put("/sys/fs/cgroup/user.slice/job.scope/memory.max",
                    "33554432\n");
    ck_assert_uint_eq(memory_usable(fake_system), 32 * MIB);
    fake_system_remove();
}
END_TEST

START_TEST(test_container_sees_only_its_root)
{
    fake_system_make();
    fake_system_put("/proc/meminfo", "MemTotal: 2048000 kB\n");
    fake_system_put("/proc/self/cgroup", "0::/kubepods/pod1/box\n");
    fake_system_put("/sys/fs/cgroup/memory.max", "50331648\n");
    ck_assert_uint_eq(memory_usable(fake_system), 48 * MIB);
    fake_system_remove();
}
END_TEST

START_TEST(test_strange_lines)
{
    fake_system_make();
    fake_system_put("/proc/meminfo", "MemTotal: 2048000 kB\n");
    fake_system_put("/proc/self/cgroup", "\nnonsense\n4:memory\n::\n");
    ck_assert_uint_eq(memory_usable(fake_system), (uint64_t)2048000 * 1024);
    fake_system_remove();
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

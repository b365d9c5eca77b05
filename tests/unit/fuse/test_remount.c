/* test_remount.c - the flags of one mount in the kernel's list. */
#include "remount.h"

#include "bits.h"
#include "unit.h"

#include <string.h>

/* As the kernel prints it: 12 is not 112, nor the parent of 13. */
static const char list[] =
    "1 1 0:1 / / rw,relatime - rootfs rootfs rw\n"
    "112 1 0:5 / /a\\040long\\040name ro,noatime shared:3 - tmpfs none rw\n"
    "13 12 0:6 / /12 rw,nosuid,nodev,noatime - tmpfs none rw\n"
    "12 1 0:7 / /mnt rw,nosuid,nodev,nodiratime,relatime - fuse.x y rw,noatime\n"
    "14 1 0:8 / /strict rw,nosuid shared:4 master:2 - fuse.x y rw,relatime\n"
    "15 1 0:9 / /last rw,noatime,nodiratime - fuse.x y rw\n";

/* Reads the list in pieces of `step` bytes. */
static bool look(uint64_t id, size_t step, struct remount_flags *flags)
{
    struct remount_scan scan;
    size_t length = strlen(list);

    remount_scan_init(&scan, id);
    for (size_t at = 0; at < length; at += step)
        if (remount_scan_feed(&scan, list + at, MIN(step, length - at), flags))
            return true;
    return false;
}

START_TEST(each_line_has_its_own)
{
    struct remount_flags flags;

    for (size_t step = 1; step <= sizeof(list); step++) {
        ck_assert(look(1, step, &flags));
        ck_assert(flags.atime == TREE_RELATIME && !flags.nodiratime);
        ck_assert(look(12, step, &flags));
        ck_assert(flags.atime == TREE_RELATIME && flags.nodiratime);
        ck_assert(look(13, step, &flags));
        ck_assert(flags.atime == TREE_NOATIME && !flags.nodiratime);
        ck_assert(look(14, step, &flags));
        ck_assert(flags.atime == TREE_STRICTATIME && !flags.nodiratime);
        ck_assert(look(15, step, &flags));
        ck_assert(flags.atime == TREE_NOATIME && flags.nodiratime);
    }
}
END_TEST

START_TEST(a_mount_that_is_not_there)
{
    struct remount_flags flags;

    ck_assert(!look(11, 7, &flags));
    ck_assert(!look(2, sizeof(list), &flags));
    ck_assert(!look(0, 100, &flags));
}
END_TEST

START_TEST(flags_that_are_too_many)
{
    struct remount_scan scan;
    struct remount_flags flags;

    remount_scan_init(&scan, 7);
    ck_assert(!remount_scan_feed(&scan, "7 1 0:1 / / noatime", 19, &flags));
    for (unsigned i = 0; i < 1000; i++)
        ck_assert(!remount_scan_feed(&scan, ",more", 5, &flags));
    ck_assert(remount_scan_feed(&scan, " ", 1, &flags));
    ck_assert(flags.atime == TREE_NOATIME);
}
END_TEST

START_TEST(nothing_to_look_at)
{
    struct remount remount;

    remount_init(&remount, "/no/such/mount/point");
    ck_assert_int_eq(remount.fd, -1);
    remount_look(&remount, NULL);
    remount_fini(&remount);
}
END_TEST

UNIT_MAIN("remount", each_line_has_its_own, a_mount_that_is_not_there,
          flags_that_are_too_many, nothing_to_look_at)

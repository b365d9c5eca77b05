/* test_file_place.c - swap is refused where it would be RAM or FUSE (15). */
#include "file.h"

#include "places.h"
#include "unit.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>

static char message[SWAP_MESSAGE_BYTES];
static struct swap_file file;

static void refused(const char *place, const char *why)
{
    ck_assert_int_eq(swap_file_open(&file, place, 1000, message), -EINVAL);
    ck_assert_ptr_nonnull(strstr(message, place));
    ck_assert_msg(strstr(message, why) != NULL, "%s", message);
    ck_assert_ptr_null(strchr(message, '\n'));
    ck_assert_int_eq(file.fd, -1);
}

static void accepted(const char *place)
{
    ck_assert_msg(swap_file_open(&file, place, 1000, message) == 0, "%s",
                  message);
    ck_assert_str_eq(message, "");
    swap_file_close(&file);
}

START_TEST(a_directory_on_a_disk_is_accepted)
{
    char dir[PLACE_BYTES];

    place_dir(dir);
    accepted(dir);
    place_dir_remove(dir);
}
END_TEST

/* Mounts `type` on a new directory and expects it to be refused. */
static void refused_on(const char *type, const char *why)
{
    char dir[PLACE_BYTES], file_in_it[PLACE_BYTES + 8];

    place_dir(dir);
    if (place_mount(dir, type)) {
        refused(dir, why);
        snprintf(file_in_it, sizeof(file_in_it), "%s/new", dir);
        refused(file_in_it, why);
        ck_assert_uint_eq(place_count_names(dir), 0);
        umount2(dir, MNT_DETACH);
    }
    place_dir_remove(dir);
}

START_TEST(tmpfs_is_refused)
{
    refused_on("tmpfs", "tmpfs, which is RAM");
}
END_TEST

START_TEST(ramfs_is_refused)
{
    refused_on("ramfs", "ramfs, which is RAM");
}
END_TEST

START_TEST(fuse_is_refused)
{
    char dir[PLACE_BYTES];

    place_dir(dir);
    if (place_fuse(dir)) {
        refused(dir, "a FUSE mount");
        umount2(dir, MNT_DETACH);
    }
    place_dir_remove(dir);
}
END_TEST

START_TEST(loop_over_tmpfs_is_refused)
{
    char dir[PLACE_BYTES], device[PLACE_BYTES];

    place_dir(dir);
    if (place_mount(dir, "tmpfs") && place_loop(dir, 1 << 20, device))
        refused(device, "loop device over tmpfs");
    umount2(dir, MNT_DETACH);
    place_dir_remove(dir);
}
END_TEST

START_TEST(loop_over_a_disk_is_accepted)
{
    char dir[PLACE_BYTES], device[PLACE_BYTES];

    place_dir(dir);
    if (place_loop(dir, 1 << 20, device))
        accepted(device);
    place_dir_remove(dir);
}
END_TEST

START_TEST(a_file_system_on_loop_over_tmpfs_is_refused)
{
    char dir[PLACE_BYTES], ext4[PLACE_BYTES];

    place_dir(dir);
    place_dir(ext4);
    if (place_mount(dir, "tmpfs") && place_ext4(dir, 4 << 20, ext4))
        refused(ext4, "loop device over tmpfs");
    umount2(ext4, MNT_DETACH);
    umount2(dir, MNT_DETACH);
    place_dir_remove(ext4);
    place_dir_remove(dir);
}
END_TEST

START_TEST(loop_over_loop_over_tmpfs_is_refused)
{
    char dir[PLACE_BYTES], ext4[PLACE_BYTES], device[PLACE_BYTES];

    place_dir(dir);
    place_dir(ext4);
    if (place_mount(dir, "tmpfs") && place_ext4(dir, 8 << 20, ext4) &&
        place_loop(ext4, 1 << 20, device))
        refused(device, "loop device over tmpfs");
    umount2(ext4, MNT_DETACH);
    umount2(dir, MNT_DETACH);
    place_dir_remove(ext4);
    place_dir_remove(dir);
}
END_TEST

UNIT_MAIN("file_place", a_directory_on_a_disk_is_accepted, tmpfs_is_refused,
          ramfs_is_refused, fuse_is_refused, loop_over_tmpfs_is_refused,
          loop_over_a_disk_is_accepted,
          a_file_system_on_loop_over_tmpfs_is_refused,
          loop_over_loop_over_tmpfs_is_refused)

/* test_file.c - disk comes with growth, goes with a punch, and runs out. */
#include "file.h"

#include "places.h"
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

static struct swap_file file;
static char dir[PLACE_BYTES], message[SWAP_MESSAGE_BYTES];

static void open_in_dir(void)
{
    place_dir(dir);
    ck_assert_msg(swap_file_open(&file, dir, 1 << 20, message) == 0, "%s",
                  message);
}

static void close_and_remove(void)
{
    swap_file_close(&file);
    place_dir_remove(dir);
}

/* Disk behind the file, in blocks. */
static uint64_t disk_blocks(void)
{
    struct stat st;

    ck_assert_int_eq(fstat(file.fd, &st), 0);
    return (uint64_t)st.st_blocks * 512 / PAGE_SIZE;
}

START_TEST(growth_and_punch_are_seen_on_the_disk)
{
    open_in_dir();
    printf("swap on %s: O_DIRECT %d, fallocate %d, punch %d\n", dir,
           file.direct, file.can_allocate, file.can_punch);
    ck_assert_uint_eq(disk_blocks(), 0);
    ck_assert_uint_gt(swap_file_room(&file), 0);
    ck_assert_int_eq(swap_file_grow(&file, 512, 1024), 0);
    ck_assert_uint_ge(disk_blocks(), 1024);
    if (file.can_punch) {
        swap_file_punch(&file, 512, 1024);
        ck_assert_uint_lt(disk_blocks(), 100);
    }
    close_and_remove();
}
END_TEST

START_TEST(without_fallocate_zeros_are_written)
{
    uint8_t *map;

    open_in_dir();
    file.can_allocate = false;
    ck_assert_int_eq(swap_file_grow(&file, 300, 700), 0);
    ck_assert_uint_ge(disk_blocks(), 700);
    map = mmap(NULL, 1000 * PAGE_SIZE, PROT_READ, MAP_SHARED, file.fd, 0);
    ck_assert_ptr_ne(map, MAP_FAILED);
    for (size_t i = 0; i < 1000 * PAGE_SIZE; i++)
        unit_assert(map[i] == 0);
    munmap(map, 1000 * PAGE_SIZE);
    close_and_remove();
}
END_TEST

/* A file system that is smaller than the swap: growth says so, and gives back
 * what it got on the way. */
static void full_disk(bool can_allocate)
{
    char under[PLACE_BYTES];
    uint64_t room;
    uint32_t at = 0;
    int err;

    place_dir(under);
    place_dir(dir);
    if (place_ext4(under, 8 << 20, dir)) {
        ck_assert_int_eq(swap_file_open(&file, dir, 1 << 20, message), 0);
        file.can_allocate = can_allocate;
        room = swap_file_room(&file);
        ck_assert_uint_gt(room, 500);
        ck_assert_uint_lt(room, 2048);
        ck_assert_int_eq(swap_file_grow(&file, 0, 4096), -ENOSPC);
        ck_assert_uint_lt(disk_blocks(), 16);
        while ((err = swap_file_grow(&file, at, 64)) == 0)
            at += 64;
        ck_assert_int_eq(err, -ENOSPC);
        ck_assert_uint_gt(at + 128, room);
        ck_assert_uint_lt(swap_file_room(&file), 128);
        swap_file_close(&file);
        umount2(dir, MNT_DETACH);
    }
    place_dir_remove(dir);
    place_dir_remove(under);
}

START_TEST(a_full_disk_is_enospc)
{
    full_disk(true);
}
END_TEST

START_TEST(a_full_disk_is_enospc_when_zeros_are_written)
{
    full_disk(false);
}
END_TEST

START_TEST(a_full_disk_is_explained_at_open)
{
    char under[PLACE_BYTES], command[PLACE_BYTES + 64];

    place_dir(under);
    place_dir(dir);
    if (place_ext4(under, 4 << 20, dir)) {
        snprintf(command, sizeof(command),
                 "dd if=/dev/zero of=%s/fill bs=4k >/dev/null 2>&1", dir);
        ck_assert_int_ne(system(command), 0);
        ck_assert_int_eq(swap_file_open(&file, dir, 1 << 20, message),
                         -ENOSPC);
        ck_assert_ptr_nonnull(strstr(message, "free some space there"));
        umount2(dir, MNT_DETACH);
    }
    place_dir_remove(dir);
    place_dir_remove(under);
}
END_TEST

START_TEST(settling_empties_the_page_cache)
{
    enum { PAGES = 64 };
    static uint8_t page[PAGE_SIZE];
    unsigned char resident[PAGES];
    void *map;

    open_in_dir();
    file.direct = false;
    ck_assert_int_eq(fcntl(file.fd, F_SETFL, 0), 0);
    for (int i = 0; i < PAGES; i++)
        ck_assert_int_eq(pwrite(file.fd, page, PAGE_SIZE, i * (off_t)PAGE_SIZE),
                         PAGE_SIZE);
    map = mmap(NULL, PAGES * PAGE_SIZE, PROT_READ, MAP_SHARED, file.fd, 0);
    ck_assert_ptr_ne(map, MAP_FAILED);
    ck_assert_int_eq(mincore(map, PAGES * PAGE_SIZE, resident), 0);
    ck_assert(resident[0] & 1);
    swap_file_settle(&file, 0, PAGES * PAGE_SIZE);
    ck_assert_int_eq(mincore(map, PAGES * PAGE_SIZE, resident), 0);
    for (int i = 0; i < PAGES; i++)
        ck_assert(!(resident[i] & 1));
    munmap(map, PAGES * PAGE_SIZE);
    close_and_remove();
}
END_TEST

UNIT_MAIN("file", growth_and_punch_are_seen_on_the_disk,
          without_fallocate_zeros_are_written, a_full_disk_is_enospc,
          a_full_disk_is_enospc_when_zeros_are_written,
          a_full_disk_is_explained_at_open, settling_empties_the_page_cache)

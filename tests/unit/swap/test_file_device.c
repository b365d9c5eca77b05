/* test_file_device.c - a loop device has disk where swap has grown, and nowhere
 * else. */
#include "file_internal.h"

#include "places.h"
#include "unit.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { MIB = 256 /* blocks */ };

static struct swap_file file;
static char dir[PLACE_BYTES], device[PLACE_BYTES];

static bool setup(void)
{
    char message[SWAP_MESSAGE_BYTES];

    place_dir(dir);
    if (!place_loop(dir, 64 << 20, device))
        return false;
    ck_assert_msg(swap_file_open(&file, device, 0, message) == 0, "%s", message);
    return true;
}

/* Blocks that the device's own file takes. */
static uint64_t disk_blocks(void)
{
    char path[PLACE_BYTES + 64];
    struct stat st;

    snprintf(path, sizeof(path), "%s/backing", dir);
    if (stat(path, &st) != 0)
        return UINT64_MAX;
    return (uint64_t)st.st_blocks * 512 / PAGE_SIZE;
}

START_TEST(growth_allocates_and_trimming_discards)
{
    uint64_t before;

    if (setup()) {
        before = disk_blocks();
        if (file.thin && before != UINT64_MAX) {
            ck_assert_int_eq(swap_file_grow(&file, 0, 16 * MIB), 0);
            ck_assert_uint_ge(disk_blocks(), 16 * MIB);
        }
        if (file.can_punch && before != UINT64_MAX) {
            swap_file_punch(&file, 0, 16 * MIB);
            ck_assert_uint_le(disk_blocks(), before + MIB);
        }
        swap_file_close(&file);
    }
    place_dir_remove(dir);
}
END_TEST

START_TEST(growth_leaves_other_blocks_alone)
{
    _Alignas(PAGE_SIZE) uint8_t page[PAGE_SIZE];

    if (setup()) {
        memset(page, 'x', sizeof(page));
        ck_assert_int_eq(pwrite(file.fd, page, PAGE_SIZE, 8 << 20), PAGE_SIZE);
        ck_assert_int_eq(swap_file_grow(&file, 0, 8 * MIB), 0);
        swap_file_punch(&file, 9 * MIB, 7 * MIB);
        memset(page, 0, sizeof(page));
        ck_assert_int_eq(pread(file.fd, page, PAGE_SIZE, 8 << 20), PAGE_SIZE);
        ck_assert_int_eq(page[PAGE_SIZE - 1], 'x');
        swap_file_close(&file);
    }
    place_dir_remove(dir);
}
END_TEST

UNIT_MAIN("file_device", growth_allocates_and_trimming_discards,
          growth_leaves_other_blocks_alone)

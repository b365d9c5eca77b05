/* test_queues.c - how many queues, by a /sys of our own. */
#include "queues.h"

#include "unit.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define SWITCH "/sys/module/fuse/parameters/enable_uring"
#define POSSIBLE "/sys/devices/system/cpu/possible"

static char root[] = "/tmp/pagerfs-queues-XXXXXX";

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

START_TEST(test_switch)
{
    setup();
    put(POSSIBLE, "0-3\n");
    put(SWITCH, "Y\n");
    ck_assert_uint_eq(queues_needed(root), 4);
    put(SWITCH, "N\n");
    ck_assert_uint_eq(queues_needed(root), 0);
    teardown();
}
END_TEST

/* A module of before 6.14 has no switch; one that is not there may have. */
START_TEST(test_no_switch)
{
    setup();
    put(POSSIBLE, "0-3\n");
    ck_assert_uint_eq(queues_needed(root), 4);
    put("/sys/module/fuse/parameters/max_user_bgreq", "1\n");
    ck_assert_uint_eq(queues_needed(root), 0);
    teardown();
}
END_TEST

START_TEST(test_lists)
{
    static const struct {
        const char *list;
        unsigned nr;
    } lists[] = {
        { "0\n", 1 }, { "0-1\n", 2 }, { "0-127\n", 128 }, { "0,2-5\n", 5 },
        { "0-1,4,8-9\n", 5 }, { "\n", 0 }, { "x\n", 0 }, { "0-\n", 0 },
        { "3-1\n", 0 }, { "0,\n", 0 },
    };

    setup();
    ck_assert_uint_eq(queues_needed(root), 0);
    put(SWITCH, "Y\n");
    for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
        put(POSSIBLE, lists[i].list);
        ck_assert_msg(queues_needed(root) == lists[i].nr, "%s", lists[i].list);
    }
    teardown();
}
END_TEST

UNIT_MAIN("queues", test_switch, test_no_switch, test_lists)

/* test_queues.c - how many queues, by a /sys of our own. */
#include "queues.h"

#include "fake_system.h"
#include "unit.h"

#define SWITCH "/sys/module/fuse/parameters/enable_uring"
#define POSSIBLE "/sys/devices/system/cpu/possible"

START_TEST(test_switch)
{
    fake_system_make();
    fake_system_put(POSSIBLE, "0-3\n");
    fake_system_put(SWITCH, "Y\n");
    ck_assert_uint_eq(queues_needed(fake_system), 4);
    fake_system_put(SWITCH, "N\n");
    ck_assert_uint_eq(queues_needed(fake_system), 0);
    fake_system_remove();
}
END_TEST

/* A module of before 6.14 has no switch; one that is not there may have. */
START_TEST(test_no_switch)
{
    fake_system_make();
    fake_system_put(POSSIBLE, "0-3\n");
    ck_assert_uint_eq(queues_needed(fake_system), 4);
    fake_system_put("/sys/module/fuse/parameters/max_user_bgreq", "1\n");
    ck_assert_uint_eq(queues_needed(fake_system), 0);
    fake_system_remove();
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

    fake_system_make();
    ck_assert_uint_eq(queues_needed(fake_system), 0);
    fake_system_put(SWITCH, "Y\n");
    for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
        fake_system_put(POSSIBLE, lists[i].list);
        ck_assert_msg(queues_needed(fake_system) == lists[i].nr, "%s",
                      lists[i].list);
    }
    fake_system_remove();
}
END_TEST

UNIT_MAIN("queues", test_switch, test_no_switch, test_lists)

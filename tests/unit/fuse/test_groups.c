/* test_groups.c - our own supplementary groups, which getgroups(2) also
 * tells. */
#include "groups.h"

#include "unit.h"

#include <grp.h>
#include <sys/wait.h>
#include <unistd.h>

static bool listed(gid_t gid, const gid_t *groups, int nr)
{
    for (int i = 0; i < nr; i++)
        if (groups[i] == gid)
            return true;
    return false;
}

START_TEST(test_own_groups)
{
    gid_t groups[1024];
    int nr = getgroups(1024, groups);

    ck_assert_int_ge(nr, 0);
    for (gid_t gid = 0; gid < 300; gid++)
        ck_assert_msg(groups_member(getpid(), gid) == listed(gid, groups, nr),
                      "group %u", gid);
}
END_TEST

/* So many that the line is longer than the window that it is read through. */
START_TEST(test_many_groups)
{
    enum { MANY = 500, FIRST = 1000, STEP = 37 };
    gid_t groups[MANY];
    int status;
    pid_t child;

    if (geteuid() != 0)
        return; /* only root may set them */
    for (unsigned i = 0; i < MANY; i++)
        groups[i] = FIRST + i * STEP;
    child = fork();
    ck_assert_int_ge(child, 0);
    if (child == 0) {
        bool right = setgroups(MANY, groups) == 0;

        for (unsigned i = 0; right && i < MANY; i++)
            right = groups_member(getpid(), groups[i]) &&
                    !groups_member(getpid(), groups[i] + 1);
        _exit(right ? 0 : 1);
    }
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_int_eq(status, 0);
}
END_TEST

START_TEST(test_nobody)
{
    ck_assert(!groups_member(0, 0));
    ck_assert(!groups_member(-1, 0));
}
END_TEST

UNIT_MAIN("groups", test_own_groups, test_many_groups, test_nobody)

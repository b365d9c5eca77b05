/* test_caller.c - ourselves, of whom getuid(2), getgroups(2) tell the same. */
#include "caller.h"

#include "unit.h"

#include <grp.h>
#include <sys/fsuid.h>
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
        ck_assert_msg(caller_joined(getpid(), gid) == listed(gid, groups, nr),
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
            right = caller_joined(getpid(), groups[i]) &&
                    !caller_joined(getpid(), groups[i] + 1);
        _exit(right ? 0 : 1);
    }
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_int_eq(status, 0);
}
END_TEST

START_TEST(test_own_user)
{
    int status;
    pid_t child;

    ck_assert(caller_is(getpid(), geteuid()));
    ck_assert(!caller_is(getpid(), geteuid() + 1));
    ck_assert(caller_leads(getpid(), getegid()));
    ck_assert(!caller_leads(getpid(), getegid() + 1));
    if (geteuid() != 0)
        return; /* only root may become somebody else for files alone */
    child = fork();
    ck_assert_int_ge(child, 0);
    if (child == 0) {
        setfsgid(12);
        setfsuid(34);
        _exit(caller_is(getpid(), 34) && !caller_is(getpid(), 0) &&
              caller_leads(getpid(), 12) && !caller_leads(getpid(), 0) ? 0 : 1);
    }
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_int_eq(status, 0);
}
END_TEST

START_TEST(test_nobody)
{
    ck_assert(!caller_is(0, 0));
    ck_assert(!caller_leads(-1, 0));
    ck_assert(!caller_joined(0, 0));
    ck_assert(!caller_joined(-1, 0));
}
END_TEST

UNIT_MAIN("caller", test_own_user, test_own_groups, test_many_groups,
          test_nobody)

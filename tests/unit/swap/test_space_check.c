/* test_space_check.c - the check fails when a table is wrong. */
#include "space_internal.h"

#include "space_pages.h"
#include "unit.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

/* Only debug builds check. */
#ifdef PAGERFS_DEBUG

/* Whether space_check aborts, found out in a child. */
static bool check_aborts(const struct space *space)
{
    pid_t child = fork();
    int status;

    if (child == 0) {
        dup2(open("/dev/null", O_WRONLY), STDERR_FILENO);
        space_check(space);
        _exit(0);
    }
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    return WIFSIGNALED(status) || WEXITSTATUS(status) != 0;
}

#endif

START_TEST(each_kind_of_damage_is_seen)
{
#ifdef PAGERFS_DEBUG
    struct space_pages pages;
    struct space *space = space_pages_create(&pages, 1000);
    uint32_t first, got;
    struct leaf *leaf;

    space_pages_back_all(space);
    ck_assert_int_eq(space_alloc(space, BLOCK_NONE, 3, &first, &got), 0);
    leaf = space->dir[0]->leaf[0];
    ck_assert(!check_aborts(space));
    leaf->bitmap[0][5] ^= 1;
    ck_assert(check_aborts(space));
    leaf->bitmap[0][5] ^= 1;
    leaf->nr_free[1]--;
    ck_assert(check_aborts(space));
    leaf->nr_free[1]++;
    leaf->shelf[0]--;
    ck_assert(check_aborts(space));
    leaf->shelf[0]++;
    leaf->index[SHELF_RUN_1] ^= 2;
    ck_assert(check_aborts(space));
    leaf->index[SHELF_RUN_1] ^= 2;
    space->index[SHELF_RUN_1][0] ^= 1;
    ck_assert(check_aborts(space));
    space->index[SHELF_RUN_1][0] ^= 1;
    space->nr_used++;
    ck_assert(check_aborts(space));
    space->nr_used--;
    space_free(space, first, got);
    space_pages_destroy(space, &pages);
#endif
}
END_TEST

UNIT_MAIN("space_check", each_kind_of_damage_is_seen)

/* test_check.c - pool_check sees a contradiction when there is one. */
#include "fake_owner.h"
#include "pool_internal.h"

#include "unit.h"

#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

static struct rig rig;

static struct page *page_0(void)
{
    return pool_page(rig.arena, fake_entry(&rig, 1, 0).number);
}

static void block_of_a_dirty_page(void)
{
    page_0()->block = 7;
}

static void pin_of_nobody(void)
{
    page_0()->pins = PIN_DEAD;
    page_0()->state = PAGE_DEAD;
}

static void victim_at_rest(void)
{
    page_0()->flags |= PAGE_VICTIM;
}

static void off_its_queue(void)
{
    replace_remove(&rig.pool->replace, fake_entry(&rig, 1, 0).number);
}

static void link_astray(void)
{
    page_0()->prev = fake_entry(&rig, 1, 5).number;
}

static void count_of_states(void)
{
    atomic_fetch_add(&rig.pool->nr_state[PAGE_CLEAN], 1);
}

static void charges_above_the_limit(void)
{
    rig.pool->budget.data = rig.pool->budget.limit + 1;
}

static void charges_above_what_is_there(void)
{
    rig.pool->budget.limit = UINT64_MAX;
    rig.pool->budget.data = 1000000;
}

static bool seen(void (*spoil)(void))
{
    pid_t pid = fork();
    int status;

    if (pid == 0) {
        if (!freopen("/dev/null", "w", stderr))
            _exit(0);
        spoil();
        pool_check(rig.pool);
        _exit(0);
    }
    waitpid(pid, &status, 0);
    return WIFSIGNALED(status);
}

static void nothing(void)
{
}

/* Only builds with invariants can tell. */
START_TEST(contradictions_are_seen)
{
#ifndef PAGERFS_DEBUG
    return;
#endif
    rig_up(&rig, &(struct rig_config){ .frames = 512, .blocks = 1024,
                                       .limit = 100, .pages = 10,
                                       .stopped = true });
    fake_fill(&rig, 1, 1);
    ck_assert(!seen(nothing));
    ck_assert(seen(block_of_a_dirty_page));
    ck_assert(seen(pin_of_nobody));
    ck_assert(seen(victim_at_rest));
    ck_assert(seen(off_its_queue));
    ck_assert(seen(link_astray));
    ck_assert(seen(count_of_states));
    ck_assert(seen(charges_above_the_limit));
    ck_assert(seen(charges_above_what_is_there));
    rig_down(&rig);
}
END_TEST

UNIT_MAIN("check", contradictions_are_seen)

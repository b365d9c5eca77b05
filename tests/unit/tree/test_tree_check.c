/* test_tree_check.c - the check of the whole tree sees what is wrong with it.
 *
 * A child spoils one dentry, found in the arena by its name, and must die of it;
 * only debug builds check, so only they are tested.
 */
#include "fixture.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#ifdef PAGERFS_DEBUG

enum { NAME_AT = 36 }; /* in a dentry; its cookie is at 0 */

static uint8_t *dentry_of(struct fixture *f, const char *name)
{
    for (uint32_t frame = 1; frame < f->arena->fresh; frame++) {
        uint8_t *base = arena_frame_ptr(f->arena, frame);

        if (f->arena->table[frame].kind != FRAME_SLAB ||
            f->arena->table[frame].slab_class != SLAB_64)
            continue;
        for (unsigned at = 0; at < PAGE_SIZE; at += 64)
            if (strcmp((char *)base + at + NAME_AT, name) == 0)
                return base + at;
    }
    ck_abort_msg("no dentry of that name");
}

/* The signal that ends a child which checks after `spoil`; 0 if none did. */
static int check_ends_by(void (*spoil)(struct fixture *f))
{
    struct fixture f = { 0 };
    int status;
    pid_t child;

    fixture_start(&f);
    for (unsigned i = 0; i < 20; i++) {
        char name[16];

        sprintf(name, "name%u", i);
        mk_file(&f, TREE_ROOT, name);
    }
    child = fork();
    if (child == 0) {
        signal(SIGABRT, SIG_DFL);
        spoil(&f);
        tree_check(f.tree);
        _exit(0);
    }
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    fixture_stop(&f);
    return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

static void nothing(struct fixture *f)
{
    dentry_of(f, "name7");
}

static void name(struct fixture *f)
{
    dentry_of(f, "name7")[NAME_AT] = 'x';
}

static void cookie(struct fixture *f)
{
    dentry_of(f, "name7")[0] = 1;
}

START_TEST(only_a_spoilt_tree_is_complained_of)
{
    ck_assert_int_eq(check_ends_by(nothing), 0);
    ck_assert_int_eq(check_ends_by(name), SIGABRT);
    ck_assert_int_eq(check_ends_by(cookie), SIGABRT);
}
END_TEST
#else
START_TEST(only_a_spoilt_tree_is_complained_of)
{
    struct fixture f = { 0 };

    fixture_start(&f);
    tree_check(f.tree);
    fixture_stop(&f);
}
END_TEST
#endif

UNIT_MAIN("tree_check", only_a_spoilt_tree_is_complained_of)

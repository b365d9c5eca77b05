/* test_tree_exhaustion.c - an arena too small at every point of an operation.
 *
 * All slabs are filled, so that each allocation wants a frame, and then 0, 1,
 * 2, ... frames are let through until the operation succeeds.  A failed one
 * must leave the tree, its counts and the arena as they were.
 */
#include "fixture.h"

#include <linux/posix_acl.h>
#include <linux/posix_acl_xattr.h>

struct given {
    struct fixture f;
    uint64_t dir, file;
};

typedef int operation(struct given *g);

/* So large that each copy of it takes a frame. */
static void default_acl(struct given *g)
{
    enum { NAMED = 300 };
    struct {
        struct posix_acl_xattr_header header;
        struct posix_acl_xattr_entry entry[NAMED + 4];
    } acl = { { POSIX_ACL_XATTR_VERSION }, { { ACL_USER_OBJ, 7, 0 } } };

    for (unsigned i = 1; i <= NAMED; i++)
        acl.entry[i] = (struct posix_acl_xattr_entry){ ACL_USER, 7, i };
    acl.entry[NAMED + 1].e_tag = ACL_GROUP_OBJ;
    acl.entry[NAMED + 2].e_tag = ACL_MASK;
    acl.entry[NAMED + 3].e_tag = ACL_OTHER;
    ck_assert_int_eq(tree_setxattr(g->f.tree, &root_cred, g->dir,
                                   "system.posix_acl_default", &acl,
                                   sizeof(acl), 0, true), 0);
}

/* Returns how many times it failed. */
static unsigned exhaust(operation *op, int error)
{
    struct given g = { 0 };
    struct tree_stats before, after;
    unsigned failures = 0;
    uint32_t frames;
    int err;

    fixture_start(&g.f);
    g.dir = mk_dir(&g.f, TREE_ROOT, "dir");
    g.file = mk_file(&g.f, TREE_ROOT, "file");
    default_acl(&g);
    fixture_fill(&g.f);
    before = stats_of(&g.f);
    frames = arena_nr_free(g.f.arena);
    g.f.charge_error = error;
    for (;; failures++) {
        g.f.charges_left = failures;
        err = op(&g);
        tree_check(g.f.tree);
        if (!err)
            break;
        ck_assert_int_eq(err, error);
        after = stats_of(&g.f);
        ck_assert_uint_eq(after.nodes, before.nodes);
        ck_assert_uint_eq(after.entries, before.entries);
        ck_assert_uint_eq(after.orphans, before.orphans);
        ck_assert_uint_eq(arena_nr_free(g.f.arena), frames);
    }
    ck_assert_uint_eq(arena_nr_free(g.f.arena), frames - failures);
    g.f.charges_left = -1;
    fixture_drain(&g.f);
    fixture_stop(&g.f);
    return failures;
}

static void exhaust_both(operation *op, unsigned allocations)
{
    ck_assert_uint_eq(exhaust(op, -ENOSPC), allocations);
    ck_assert_uint_eq(exhaust(op, -EAGAIN), allocations);
}

static int op_mknod(struct given *g)
{
    struct tree_entry entry;

    return tree_mknod(g->f.tree, &root_cred, TREE_ROOT, "x", S_IFREG | 0600, 0,
                      false, &entry);
}

/* In a directory with a default ACL: two attributes, dentry, node. */
static int op_mkdir(struct given *g)
{
    struct tree_entry entry;

    return tree_mknod(g->f.tree, &root_cred, g->dir, "x", S_IFDIR | 0700, 0,
                      false, &entry);
}

static int op_symlink(struct given *g)
{
    struct tree_entry entry;
    char target[3000];

    memset(target, 't', sizeof(target));
    target[sizeof(target) - 1] = '\0';
    return tree_symlink(g->f.tree, &root_cred, TREE_ROOT, "x", target, false,
                        &entry);
}

static int op_tmpfile(struct given *g)
{
    struct tree_entry entry;

    return tree_tmpfile(g->f.tree, &root_cred, g->dir, 0600, false, &entry);
}

static int op_link(struct given *g)
{
    struct tree_entry entry;

    return tree_link(g->f.tree, g->file, g->dir, "x", false, &entry);
}

static int op_rename(struct given *g)
{
    return tree_rename(g->f.tree, &root_cred, TREE_ROOT, "file", g->dir,
                       "a-name-of-more-than-twenty-seven-bytes", 0, false);
}

static int op_whiteout(struct given *g)
{
    return tree_rename(g->f.tree, &root_cred, TREE_ROOT, "file", g->dir,
                       "x", RENAME_WHITEOUT, false);
}

static int op_setxattr(struct given *g)
{
    static const char value[20000];

    return tree_setxattr(g->f.tree, &root_cred, g->file, "user.x", value,
                         sizeof(value), 0, false);
}

START_TEST(every_allocation_may_fail)
{
    exhaust_both(op_mknod, 2);
    exhaust_both(op_mkdir, 4);
    exhaust_both(op_symlink, 3);
    exhaust_both(op_tmpfile, 2);
    exhaust_both(op_link, 1);
    exhaust_both(op_rename, 1);
    exhaust_both(op_whiteout, 2);
    exhaust_both(op_setxattr, 5);
}
END_TEST

/* Filled to the last frame, emptied, and filled again: as much fits. */
START_TEST(a_full_tree_empties_and_fills_again)
{
    struct fixture f = { .ram = 2 << 20 };
    unsigned made[3] = { 0 };
    char name[16];

    fixture_start(&f);
    for (unsigned round = 0; round < 3; round++) {
        struct tree_entry entry;

        for (;; made[round]++) {
            sprintf(name, "%u", made[round]);
            if (tree_mknod(f.tree, &root_cred, TREE_ROOT, name, S_IFREG, 0,
                           false, &entry) != 0)
                break;
            tree_forget(f.tree, entry.id, 1);
        }
        tree_check(f.tree);
        ck_assert_uint_eq(made[round], made[0]);
        for (unsigned i = made[round]; i-- > 0;) {
            sprintf(name, "%u", i);
            ck_assert_int_eq(tree_unlink(f.tree, TREE_ROOT, name), 0);
        }
        ck_assert_uint_eq(arena_nr_free(f.arena), f.free_before);
    }
    ck_assert_uint_gt(made[0], 8000);
    fixture_stop(&f);
}
END_TEST

UNIT_MAIN("tree_exhaustion", every_allocation_may_fail,
          a_full_tree_empties_and_fills_again)

/* test_dentry.c - names of all lengths, moved between all lengths. */
#include "fixture.h"

static char *name_of(char *name, unsigned length, char with)
{
    memset(name, with, length);
    name[length] = '\0';
    return name;
}

START_TEST(names_of_all_lengths_are_kept)
{
    struct fixture f = { 0 };
    uint64_t id[256];
    char name[256];

    fixture_start(&f);
    for (unsigned n = 1; n <= TREE_NAME_MAX; n++)
        id[n] = mk_file(&f, TREE_ROOT, name_of(name, n, 'x'));
    for (unsigned n = 1; n <= TREE_NAME_MAX; n++)
        ck_assert_uint_eq(find(&f, TREE_ROOT, name_of(name, n, 'x')), id[n]);
    tree_check(f.tree);
    fixture_stop(&f);
}
END_TEST

/* From every length to every other class, within and across directories. */
START_TEST(a_move_may_change_the_size)
{
    static const unsigned lengths[] = { 1, 27, 28, 59, 60, 91, 92, 155, 156,
                                        219, 220, 255 };
    struct fixture f = { 0 };
    uint64_t dir, id;
    char a[256], b[256];

    fixture_start(&f);
    dir = mk_dir(&f, TREE_ROOT, "dir");
    for (unsigned i = 0; i < ARRAY_SIZE(lengths); i++)
        for (unsigned k = 0; k < ARRAY_SIZE(lengths); k++) {
            name_of(a, lengths[i], 'a');
            name_of(b, lengths[k], 'b');
            id = mk_file(&f, TREE_ROOT, a);
            ck_assert_int_eq(try_rename(&f, TREE_ROOT, a, TREE_ROOT, b, 0), 0);
            ck_assert_uint_eq(find(&f, TREE_ROOT, b), id);
            ck_assert_uint_eq(find(&f, TREE_ROOT, a), 0);
            ck_assert_int_eq(try_rename(&f, TREE_ROOT, b, dir, a, 0), 0);
            ck_assert_uint_eq(find(&f, dir, a), id);
            tree_check(f.tree);
            tree_forget(f.tree, id, 1);
            ck_assert_int_eq(tree_unlink(f.tree, dir, a), 0);
        }
    fixture_stop(&f);
}
END_TEST

START_TEST(a_short_name_takes_64_bytes)
{
    struct fixture f = { 0 };
    char name[32];
    uint32_t before;

    fixture_start(&f);
    mk_file(&f, TREE_ROOT, "first");
    before = (uint32_t)f.arena->nr_objects[SLAB_64];
    mk_file(&f, TREE_ROOT, name_of(name, 27, 'x'));
    ck_assert_uint_eq(f.arena->nr_objects[SLAB_64], before + 1);
    mk_file(&f, TREE_ROOT, name_of(name, 28, 'x'));
    ck_assert_uint_eq(f.arena->nr_objects[SLAB_64], before + 1);
    fixture_stop(&f);
}
END_TEST

UNIT_MAIN("dentry", names_of_all_lengths_are_kept, a_move_may_change_the_size,
          a_short_name_takes_64_bytes)

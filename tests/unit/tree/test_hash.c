/* test_hash.c - the table of all names grows and shrinks without a trace. */
#include "fixture.h"

enum { MANY = 60000 };

static const char *name_of(unsigned i)
{
    static char name[32];

    sprintf(name, "%x-%u", i * 2654435761u, i);
    return name;
}

START_TEST(names_are_found_while_it_grows_and_shrinks)
{
    struct fixture f = { 0 };

    fixture_start(&f);
    for (unsigned i = 0; i < MANY; i++) {
        mk_file_cold(&f, TREE_ROOT, name_of(i));
        ck_assert_uint_ne(find(&f, TREE_ROOT, name_of(i / 2)), 0);
    }
    tree_check(f.tree);
    for (unsigned i = 0; i < MANY; i++) {
        unsigned n = (i * 7919) % MANY;

        ck_assert_int_eq(tree_unlink(f.tree, TREE_ROOT, name_of(n)), 0);
        ck_assert_uint_eq(find(&f, TREE_ROOT, name_of(n)), 0);
        if (i % 20000 == 0)
            tree_check(f.tree);
    }
    ck_assert_uint_eq(arena_nr_free(f.arena), f.free_before);
    fixture_stop(&f);
}
END_TEST

/* No frame for buckets is no reason to refuse a name that has room: only what
 * nodes and dentries want may be charged, until there is room again. */
START_TEST(it_does_without_growing)
{
    struct fixture f = { 0 };

    fixture_start(&f);
    for (unsigned i = 0; i < 9000; i++) {
        int err = -ENOSPC;

        for (int64_t frames = i < 2000 || i > 6000 ? -1 : 0; err; frames++) {
            f.charges_left = frames;
            err = try_file(&f, TREE_ROOT, name_of(i));
            ck_assert(err == 0 || err == -ENOSPC);
        }
        tree_forget(f.tree, find(&f, TREE_ROOT, name_of(i)), 1);
    }
    tree_check(f.tree);
    for (unsigned i = 0; i < 9000; i++)
        ck_assert_int_eq(tree_unlink(f.tree, TREE_ROOT, name_of(i)), 0);
    ck_assert_uint_eq(arena_nr_free(f.arena), f.free_before);
    fixture_stop(&f);
}
END_TEST

/* The same name in many directories is many names. */
START_TEST(directories_are_told_apart)
{
    struct fixture f = { 0 };
    uint64_t dir[500], file[500];

    fixture_start(&f);
    for (unsigned i = 0; i < 500; i++) {
        dir[i] = mk_dir(&f, TREE_ROOT, name_of(i));
        file[i] = mk_file(&f, dir[i], "same");
    }
    for (unsigned i = 0; i < 500; i++)
        ck_assert_uint_eq(find(&f, dir[i], "same"), file[i]);
    fixture_stop(&f);
}
END_TEST

/* Up and down around the ends of frames of buckets. */
START_TEST(it_may_breathe)
{
    static const unsigned levels[] = { 2500, 1500, 6000, 2300, 9000,
                                       900,  4200, 1100, 2600 };
    struct fixture f = { 0 };
    unsigned made = 0;

    fixture_start(&f);
    for (unsigned i = 0; i < ARRAY_SIZE(levels); i++) {
        for (; made < levels[i]; made++)
            mk_file_cold(&f, TREE_ROOT, name_of(made));
        while (made > levels[i])
            ck_assert_int_eq(tree_unlink(f.tree, TREE_ROOT, name_of(--made)),
                             0);
        tree_check(f.tree);
    }
    fixture_stop(&f);
}
END_TEST

UNIT_MAIN("hash", names_are_found_while_it_grows_and_shrinks,
          it_does_without_growing, directories_are_told_apart, it_may_breathe)

/* test_files.c - every regular file is visited once, whatever it is called. */
#include "fixture.h"

struct seen {
    struct fixture *f;
    unsigned files, stop_after;
    uint64_t last_ino;
    uint64_t remove; /* to be forgotten while it is visited; 0 none */
};

static bool see(void *ctx, struct object *object)
{
    struct seen *seen = ctx;

    ck_assert_ptr_nonnull(object);
    ck_assert_uint_ne(tree_file_ino(object), seen->last_ino);
    seen->last_ino = tree_file_ino(object);
    if (seen->remove)
        tree_forget(seen->f->tree, seen->remove, 1);
    seen->remove = 0;
    return ++seen->files != seen->stop_after;
}

START_TEST(test_all_files)
{
    struct fixture f = { 0 };
    struct seen seen = { .f = &f };
    struct tree_entry entry;
    uint64_t dir;
    char name[16];

    fixture_start(&f);
    ck_assert(tree_each_file(f.tree, see, &seen));
    ck_assert_uint_eq(seen.files, 0);
    dir = mk_dir(&f, TREE_ROOT, "dir");
    mk_symlink(&f, dir, "link", "target");
    for (unsigned i = 0; i < 100; i++) {
        snprintf(name, sizeof(name), "%u", i);
        mk_file(&f, i % 2 ? dir : TREE_ROOT, name);
    }
    mk_link(&f, find(&f, dir, "1"), dir, "again");
    ck_assert_int_eq(tree_tmpfile(f.tree, &root_cred, dir, S_IFREG | 0600, true,
                                  &entry), 0);
    ck_assert(tree_each_file(f.tree, see, &seen));
    ck_assert_uint_eq(seen.files, 101);
    tree_forget(f.tree, entry.id, 1);
    seen.files = 0;
    seen.stop_after = 10;
    ck_assert(!tree_each_file(f.tree, see, &seen));
    ck_assert_uint_eq(seen.files, 10);
    fixture_stop(&f);
}
END_TEST

/* The last that held it has gone: it ends with the visit, not under it. */
START_TEST(test_removed_while_visited)
{
    struct fixture f = { 0 };
    struct seen seen = { .f = &f };
    struct tree_entry entry;

    fixture_start(&f);
    ck_assert_int_eq(tree_tmpfile(f.tree, &root_cred, TREE_ROOT, S_IFREG | 0600,
                                  true, &entry), 0);
    seen.remove = entry.id;
    ck_assert(tree_each_file(f.tree, see, &seen));
    ck_assert_uint_eq(seen.files, 1);
    ck_assert_uint_eq(seen.last_ino, entry.attr.ino);
    ck_assert(tree_each_file(f.tree, see, &seen));
    ck_assert_uint_eq(seen.files, 1);
    fixture_stop(&f);
}
END_TEST

UNIT_MAIN("files", test_all_files, test_removed_while_visited)

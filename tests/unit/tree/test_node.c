/* test_node.c - a node lives as long as somebody knows it, and no id lies. */
#include "fixture.h"

START_TEST(freed_when_links_lookups_and_opens_are_gone)
{
    struct fixture f = { 0 };
    struct tree_entry entry;
    struct tree_attr attr;
    struct tree_file file;
    uint64_t id;

    fixture_start(&f);
    id = mk_file(&f, TREE_ROOT, "x");
    ck_assert_int_eq(tree_lookup(f.tree, TREE_ROOT, "x", &entry), 0);
    ck_assert_int_eq(tree_open(f.tree, NULL, id, TREE_OPEN_WRITE, true, &file),
                     0);
    ck_assert_int_eq(tree_unlink(f.tree, TREE_ROOT, "x"), 0);
    ck_assert_uint_eq(stats_of(&f).orphans, 1);
    ck_assert(tree_owed(f.tree) == TREE_OWED_RELEASE);
    tree_forget(f.tree, id, 1);
    tree_release(f.tree, &file);
    ck_assert(tree_owed(f.tree) == TREE_OWED_FORGET);
    ck_assert_int_eq(tree_getattr(f.tree, id, &attr), 0);
    ck_assert_int_eq(fake_objects.alive, 1);
    tree_forget(f.tree, id, 1);
    ck_assert_int_eq(tree_getattr(f.tree, id, &attr), -ESTALE);
    ck_assert_int_eq(fake_objects.alive, 0);
    ck_assert_uint_eq(stats_of(&f).orphans, 0);
    ck_assert_uint_eq(stats_of(&f).nodes, 1);
    ck_assert(tree_owed(f.tree) == TREE_OWED_NOTHING);
    fixture_stop(&f);
}
END_TEST

static void look_what_is_owed(void *ctx)
{
    struct tree *tree = ctx;

    ck_assert(tree_owed(tree) == TREE_OWED_NOW);
    fake_objects.at_fini = NULL;
}

START_TEST(owed_while_its_bytes_are_given_back)
{
    struct fixture f = { 0 };
    uint64_t id;

    fixture_start(&f);
    id = mk_file(&f, TREE_ROOT, "x");
    ck_assert_int_eq(tree_unlink(f.tree, TREE_ROOT, "x"), 0);
    ck_assert(tree_owed(f.tree) == TREE_OWED_FORGET);
    fake_objects.at_fini = look_what_is_owed;
    fake_objects.ctx = f.tree;
    tree_forget(f.tree, id, 1);
    ck_assert(fake_objects.at_fini == NULL);
    ck_assert(tree_owed(f.tree) == TREE_OWED_NOTHING);
    fixture_stop(&f);
}
END_TEST

START_TEST(a_named_node_outlives_its_lookups)
{
    struct fixture f = { 0 };
    uint64_t id;

    fixture_start(&f);
    id = mk_file(&f, TREE_ROOT, "x");
    tree_forget(f.tree, id, 1000);
    ck_assert_uint_eq(find(&f, TREE_ROOT, "x"), id);
    ck_assert_int_eq(tree_unlink(f.tree, TREE_ROOT, "x"), 0);
    ck_assert_uint_eq(stats_of(&f).nodes, 1);
    fixture_stop(&f);
}
END_TEST

START_TEST(last_release_frees)
{
    struct fixture f = { 0 };
    struct tree_entry entry;
    struct tree_file file;

    fixture_start(&f);
    ck_assert_int_eq(tree_tmpfile(f.tree, &root_cred, TREE_ROOT, 0600, true,
                                  &entry), 0);
    ck_assert_int_eq(tree_open(f.tree, NULL, entry.id, 0, true, &file), 0);
    tree_forget(f.tree, entry.id, 1);
    ck_assert_uint_eq(stats_of(&f).nodes, 2);
    tree_release(f.tree, &file);
    ck_assert_uint_eq(stats_of(&f).nodes, 1);
    ck_assert_uint_eq(arena_nr_free(f.arena), f.free_before);
    fixture_stop(&f);
}
END_TEST

START_TEST(forged_ids_are_stale)
{
    struct fixture f = { 0 };
    struct tree_entry entry;
    struct tree_attr attr;
    struct tree_file file;
    struct tree_scan scan;
    uint64_t id, forged[9];
    char buffer[8];

    fixture_start(&f);
    id = mk_file(&f, TREE_ROOT, "x");
    forged[0] = 0;
    forged[1] = id + 1;                  /* inside the node */
    forged[2] = id ^ (uint64_t)1 << 32;  /* another sequence number */
    forged[3] = id & UINT32_MAX;
    forged[4] = UINT64_MAX;
    forged[5] = 2;                       /* the zero frame */
    forged[6] = (uint64_t)2 << 32 | 0x80;
    forged[7] = (uint64_t)2 << 32 | UINT32_MAX;
    forged[8] = id + SLAB_NODE_SIZE / 32; /* the next, not handed out */
    for (size_t i = 0; i < ARRAY_SIZE(forged); i++) {
        uint64_t bad = forged[i];

        ck_assert_int_eq(tree_getattr(f.tree, bad, &attr), -ESTALE);
        ck_assert_int_eq(tree_lookup(f.tree, bad, "x", &entry), -ESTALE);
        ck_assert_int_eq(tree_lookup(f.tree, bad, ".", &entry), -ESTALE);
        ck_assert_int_eq(try_file(&f, bad, "y"), -ESTALE);
        ck_assert_int_eq(tree_link(f.tree, bad, TREE_ROOT, "y", true, &entry),
                         -ESTALE);
        ck_assert_int_eq(tree_link(f.tree, id, bad, "y", true, &entry),
                         -ESTALE);
        ck_assert_int_eq(tree_unlink(f.tree, bad, "x"), -ESTALE);
        ck_assert_int_eq(try_rename(&f, bad, "x", TREE_ROOT, "y", 0), -ESTALE);
        ck_assert_int_eq(try_rename(&f, TREE_ROOT, "x", bad, "y", 0), -ESTALE);
        ck_assert_int_eq(tree_open(f.tree, NULL, bad, 0, true, &file), -ESTALE);
        ck_assert_int_eq(tree_opendir(f.tree, bad, &scan), -ESTALE);
        ck_assert_int_eq(tree_readlink(f.tree, bad, buffer, 8), -ESTALE);
        ck_assert_int_eq(tree_setattr(f.tree, &root_cred, bad, TREE_SET_MODE,
                                      &attr, true, &attr), -ESTALE);
        ck_assert_int_eq(tree_setflags(f.tree, bad, 0), -ESTALE);
        ck_assert_int_eq(tree_setxattr(f.tree, &root_cred, bad, "user.a", "", 0,
                                       0, true), -ESTALE);
        ck_assert_int_eq(tree_getxattr(f.tree, bad, "user.a", buffer, 8),
                         -ESTALE);
        ck_assert_int_eq(tree_listxattr(f.tree, &root_cred, bad, buffer, 8),
                         -ESTALE);
        ck_assert_int_eq(tree_removexattr(f.tree, &root_cred, bad, "user.a"),
                         -ESTALE);
        tree_forget(f.tree, bad, 5);
    }
    ck_assert_uint_eq(find(&f, TREE_ROOT, "x"), id);
    fixture_stop(&f);
}
END_TEST

/* The memory of a node is used again at once; its id and number are not. */
START_TEST(ids_are_not_used_again)
{
    struct fixture f = { 0 };
    struct tree_attr attr;
    uint64_t old = 0, ino = 0;

    fixture_start(&f);
    mk_file(&f, TREE_ROOT, "stays");
    for (unsigned i = 0; i < 1000; i++) {
        uint64_t id = mk_file(&f, TREE_ROOT, "x");

        ck_assert_uint_gt(attr_of(&f, id).ino, ino);
        ino = attr_of(&f, id).ino;
        if (old) {
            ck_assert_uint_eq((uint32_t)id, (uint32_t)old);
            ck_assert_int_eq(tree_getattr(f.tree, old, &attr), -ESTALE);
        }
        tree_forget(f.tree, id, 1);
        ck_assert_int_eq(tree_unlink(f.tree, TREE_ROOT, "x"), 0);
        old = id;
    }
    fixture_stop(&f);
}
END_TEST

START_TEST(the_root_stays)
{
    struct fixture f = { 0 };

    fixture_start(&f);
    tree_forget(f.tree, TREE_ROOT, 100);
    ck_assert_uint_eq(attr_of(&f, TREE_ROOT).ino, 1);
    ck_assert_uint_eq(attr_of(&f, TREE_ROOT).mode, S_IFDIR | 0755);
    fixture_stop(&f);
}
END_TEST

/* Only that it tells, whoever holds what: the text is for people. */
START_TEST(a_lost_page_is_told)
{
    struct fixture f = { 0 };
    struct object *object;
    uint64_t id;

    fixture_start(&f);
    id = mk_file(&f, mk_dir(&f, mk_dir(&f, TREE_ROOT, "some"), "path"), "file");
    object = arena_ptr(f.arena, (uint32_t)id);
    mutex_lock(&object->lock, RANK_OBJECT);
    f.store.lost(f.store.ctx, object, 7);
    mutex_unlock(&object->lock);
    fixture_stop(&f);
}
END_TEST

UNIT_MAIN("node", freed_when_links_lookups_and_opens_are_gone,
          owed_while_its_bytes_are_given_back,
          a_named_node_outlives_its_lookups, last_release_frees,
          forged_ids_are_stale, ids_are_not_used_again, the_root_stays,
          a_lost_page_is_told)

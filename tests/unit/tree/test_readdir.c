/* test_readdir.c - a scan sees what stays exactly once, and it ends. */
#include "fixture.h"

enum { MANY = 1000 };

struct scan_state {
    unsigned seen[2 * MANY]; /* how often "n" was */
    uint64_t cookie;
    unsigned nr, max;        /* entries in this call, and at most */
    char last[32];
    struct tree_entry entry;
};

static bool see(void *ctx, const char *name, uint64_t cookie,
                const struct tree_entry *entry)
{
    struct scan_state *s = ctx;

    if (s->nr == s->max)
        return false;
    ck_assert_uint_gt(cookie, s->cookie);
    s->nr++;
    s->cookie = cookie;
    s->entry = *entry;
    strcpy(s->last, name);
    if (name[0] >= '0' && name[0] <= '9')
        s->seen[atoi(name)]++;
    return true;
}

/* At most `max` entries more; false at the end. */
static bool go_on(struct fixture *f, struct tree_scan *scan,
                  struct scan_state *s, unsigned max)
{
    s->nr = 0;
    s->max = max;
    ck_assert_int_eq(tree_readdir(f->tree, scan, s->cookie, false, see, s), 0);
    return s->nr != 0;
}

static void mk_numbered(struct fixture *f, unsigned i)
{
    char name[16];

    sprintf(name, "%u", i);
    mk_file_cold(f, TREE_ROOT, name);
}

static int rm_numbered(struct fixture *f, unsigned i)
{
    char name[16];

    sprintf(name, "%u", i);
    return tree_unlink(f->tree, TREE_ROOT, name);
}

START_TEST(dots_come_first)
{
    struct fixture f = { 0 };
    struct scan_state s = { 0 };
    struct tree_scan scan;
    uint64_t dir;

    fixture_start(&f);
    dir = mk_dir(&f, TREE_ROOT, "dir");
    ck_assert_int_eq(tree_opendir(f.tree, dir, &scan), 0);
    ck_assert(go_on(&f, &scan, &s, 1));
    ck_assert_str_eq(s.last, ".");
    ck_assert_uint_eq(s.entry.attr.ino, attr_of(&f, dir).ino);
    ck_assert_uint_eq(s.entry.id, 0);
    ck_assert(go_on(&f, &scan, &s, 1));
    ck_assert_str_eq(s.last, "..");
    ck_assert_uint_eq(s.entry.attr.ino, attr_of(&f, TREE_ROOT).ino);
    ck_assert_uint_eq(s.entry.attr.mode, S_IFDIR);
    ck_assert(!go_on(&f, &scan, &s, 1));
    tree_closedir(f.tree, &scan);
    fixture_stop(&f);
}
END_TEST

START_TEST(what_stays_is_seen_once)
{
    struct fixture f = { 0 };
    struct scan_state s = { 0 };
    struct tree_scan scan;
    bool removed[MANY] = { false };
    unsigned made = 0;

    srand(2);
    fixture_start(&f);
    for (unsigned i = 0; i < MANY; i++)
        mk_numbered(&f, i);
    ck_assert_int_eq(tree_opendir(f.tree, TREE_ROOT, &scan), 0);
    while (go_on(&f, &scan, &s, 7)) {
        for (unsigned i = 0; i < 3; i++) {
            unsigned n = (unsigned)rand() % MANY;

            if (!removed[n])
                ck_assert_int_eq(rm_numbered(&f, n), 0);
            removed[n] = true;
        }
        mk_numbered(&f, MANY + made++);
    }
    for (unsigned i = 0; i < MANY; i++)
        ck_assert(removed[i] ? s.seen[i] <= 1 : s.seen[i] == 1);
    for (unsigned i = MANY; i < 2 * MANY; i++)
        ck_assert_uint_eq(s.seen[i], 0);
    tree_closedir(f.tree, &scan);
    fixture_stop(&f);
}
END_TEST

/* rm -r: unlinks all it sees, and misses nothing. */
START_TEST(removing_all_that_is_seen_empties)
{
    struct fixture f = { 0 };
    struct scan_state s = { 0 };
    struct tree_scan scan;

    fixture_start(&f);
    for (unsigned i = 0; i < MANY; i++)
        mk_numbered(&f, i);
    ck_assert_int_eq(tree_opendir(f.tree, TREE_ROOT, &scan), 0);
    while (go_on(&f, &scan, &s, 1))
        if (s.last[0] != '.')
            ck_assert_int_eq(tree_unlink(f.tree, TREE_ROOT, s.last), 0);
    ck_assert_uint_eq(stats_of(&f).entries, 0);
    tree_closedir(f.tree, &scan);
    fixture_stop(&f);
}
END_TEST

/* for f in *: mv f f.new, by a program that reads as it goes. */
START_TEST(renaming_all_that_is_seen_ends)
{
    struct fixture f = { 0 };
    struct scan_state s = { 0 };
    struct tree_scan scan;
    char name[80];
    unsigned steps = 0;

    fixture_start(&f);
    for (unsigned i = 0; i < 100; i++)
        mk_numbered(&f, i);
    ck_assert_int_eq(tree_opendir(f.tree, TREE_ROOT, &scan), 0);
    while (go_on(&f, &scan, &s, 1)) {
        ck_assert_uint_lt(steps++, 102);
        /* Every other one needs a larger dentry. */
        sprintf(name, "new-%s%s", s.last,
                steps % 2 ? "" : "-with-a-name-of-more-than-27-bytes");
        if (s.last[0] != '.')
            ck_assert_int_eq(try_rename(&f, TREE_ROOT, s.last, TREE_ROOT, name,
                                        0), 0);
    }
    for (unsigned i = 0; i < 100; i++)
        ck_assert_uint_eq(s.seen[i], 1);
    tree_closedir(f.tree, &scan);
    fixture_stop(&f);
}
END_TEST

/* A name that is there all the time is seen, also when another file gets it. */
START_TEST(a_replaced_name_is_still_seen)
{
    struct fixture f = { 0 };
    struct scan_state s = { 0 };
    struct tree_scan scan;

    fixture_start(&f);
    mk_numbered(&f, 0);
    mk_numbered(&f, 1);
    ck_assert_int_eq(tree_opendir(f.tree, TREE_ROOT, &scan), 0);
    ck_assert(go_on(&f, &scan, &s, 3)); /* "0" has been seen */
    ck_assert_int_eq(try_rename(&f, TREE_ROOT, "0", TREE_ROOT, "1", 0), 0);
    ck_assert(go_on(&f, &scan, &s, 3));
    ck_assert_uint_eq(s.seen[0], 1);
    ck_assert_uint_eq(s.seen[1], 1);
    tree_closedir(f.tree, &scan);
    fixture_stop(&f);
}
END_TEST

START_TEST(going_back_to_the_start_shows_new_ones)
{
    struct fixture f = { 0 };
    struct scan_state s = { 0 };
    struct tree_scan scan;

    fixture_start(&f);
    ck_assert_int_eq(tree_opendir(f.tree, TREE_ROOT, &scan), 0);
    ck_assert(go_on(&f, &scan, &s, 2));
    mk_numbered(&f, 5);
    ck_assert(!go_on(&f, &scan, &s, 10));
    s.cookie = 0;
    ck_assert(go_on(&f, &scan, &s, 10));
    ck_assert_uint_eq(s.seen[5], 1);
    tree_closedir(f.tree, &scan);
    fixture_stop(&f);
}
END_TEST

static bool take_two(void *ctx, const char *name, uint64_t cookie,
                     const struct tree_entry *entry)
{
    unsigned *left = ctx;

    (void)name;
    (void)entry;
    return cookie <= 2 || (*left)-- > 0;
}

START_TEST(lookups_are_counted_for_what_was_taken)
{
    struct fixture f = { 0 };
    struct tree_scan scan;
    struct tree_attr attr;
    uint64_t id[4];
    unsigned left = 2;
    char name[2] = "a";

    fixture_start(&f);
    for (unsigned i = 0; i < 4; i++, name[0]++) {
        id[i] = mk_file(&f, TREE_ROOT, name);
        tree_forget(f.tree, id[i], 1);
    }
    ck_assert_int_eq(tree_opendir(f.tree, TREE_ROOT, &scan), 0);
    ck_assert_int_eq(tree_readdir(f.tree, &scan, 0, true, take_two, &left), 0);
    tree_closedir(f.tree, &scan);
    for (name[0] = 'a'; name[0] < 'e'; name[0]++)
        ck_assert_int_eq(tree_unlink(f.tree, TREE_ROOT, name), 0);
    for (unsigned i = 0; i < 4; i++)
        ck_assert_int_eq(tree_getattr(f.tree, id[i], &attr),
                         i < 2 ? 0 : -ESTALE);
    tree_forget(f.tree, id[0], 1);
    tree_forget(f.tree, id[1], 1);
    ck_assert_uint_eq(stats_of(&f).nodes, 1);
    fixture_stop(&f);
}
END_TEST

START_TEST(only_directories_are_scanned)
{
    struct fixture f = { 0 };
    struct scan_state s = { .max = 1 };
    struct tree_scan scan;
    uint64_t dir;

    fixture_start(&f);
    ck_assert_int_eq(tree_opendir(f.tree, mk_file(&f, TREE_ROOT, "f"), &scan),
                     -ENOTDIR);
    dir = mk_dir(&f, TREE_ROOT, "d");
    ck_assert_int_eq(tree_opendir(f.tree, dir, &scan), 0);
    ck_assert_int_eq(tree_rmdir(f.tree, TREE_ROOT, "d"), 0);
    ck_assert_int_eq(tree_readdir(f.tree, &scan, 0, false, see, &s), -ENOENT);
    tree_forget(f.tree, dir, 1);
    ck_assert_uint_eq(stats_of(&f).orphans, 1);
    tree_closedir(f.tree, &scan);
    ck_assert_uint_eq(stats_of(&f).orphans, 0);
    fixture_stop(&f);
}
END_TEST

UNIT_MAIN("readdir", dots_come_first, what_stays_is_seen_once,
          removing_all_that_is_seen_empties, renaming_all_that_is_seen_ends,
          a_replaced_name_is_still_seen, going_back_to_the_start_shows_new_ones,
          lookups_are_counted_for_what_was_taken, only_directories_are_scanned)

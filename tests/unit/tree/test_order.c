/* test_order.c - the order of cookies against a sorted array, at random. */
#include "fixture.h"

enum { MANY = 2000, ROUNDS = 60000 };

struct seen {
    uint64_t cookie[MANY];
    unsigned nr, max;
};

static bool note(void *ctx, const char *name, uint64_t cookie,
                 const struct tree_entry *entry)
{
    struct seen *seen = ctx;

    (void)name;
    (void)entry;
    if (seen->nr == seen->max)
        return false;
    seen->cookie[seen->nr++] = cookie;
    return true;
}

static struct seen read_from(struct fixture *f, struct tree_scan *scan,
                             uint64_t cookie, unsigned max)
{
    struct seen seen = { .max = max };

    ck_assert_int_eq(tree_readdir(f->tree, scan, cookie, false, note, &seen),
                     0);
    return seen;
}

/* Cookies of the entries there are, in the model: position by age. */
struct model {
    uint64_t cookie[ROUNDS];
    bool there[ROUNDS];
    unsigned made;
};

static void seeks_agree(struct fixture *f, struct tree_scan *scan,
                        const struct model *m)
{
    unsigned from = (unsigned)rand() % m->made, want = 0;
    struct seen seen = read_from(f, scan, m->cookie[from], 5);

    for (unsigned i = from + 1; i < m->made && want < seen.max; i++)
        if (m->there[i])
            ck_assert_uint_eq(seen.cookie[want++], m->cookie[i]);
    ck_assert_uint_eq(seen.nr, want);
}

START_TEST(seeks_agree_with_a_sorted_array)
{
    static struct model m;
    struct fixture f = { 0 };
    struct tree_scan scan = { .id = TREE_ROOT };
    char name[16];

    srand(1);
    fixture_start(&f);
    for (unsigned round = 0; round < ROUNDS; round++) {
        unsigned i = m.made ? (unsigned)rand() % m.made : 0;
        unsigned window = m.made > MANY ? m.made - MANY : 0;

        if (rand() % 100 < 52 || m.made == 0) {
            sprintf(name, "%u", m.made);
            mk_file_cold(&f, TREE_ROOT, name);
            m.cookie[m.made] = m.made ? m.cookie[m.made - 1] + 1 : 3;
            m.there[m.made++] = true;
        } else if (i >= window && m.there[i]) {
            sprintf(name, "%u", i);
            ck_assert_int_eq(tree_unlink(f.tree, TREE_ROOT, name), 0);
            m.there[i] = false;
        } else {
            seeks_agree(&f, &scan, &m);
        }
        if (round % 15000 == 0)
            tree_check(f.tree);
    }
    fixture_stop(&f);
}
END_TEST

/* From both ends and from the middle: the last entry must be known always. */
START_TEST(removal_in_any_order_keeps_the_end)
{
    struct fixture f = { 0 };
    char name[16];

    fixture_start(&f);
    for (unsigned order = 0; order < 3; order++) {
        uint64_t dir = mk_dir(&f, TREE_ROOT, "dir");

        for (unsigned i = 0; i < 200; i++) {
            sprintf(name, "%u", i);
            mk_file_cold(&f, dir, name);
        }
        for (unsigned i = 0; i < 200; i++) {
            sprintf(name, "%u",
                    order == 0 ? i : order == 1 ? 199 - i : i * 77 % 200);
            ck_assert_int_eq(tree_unlink(f.tree, dir, name), 0);
            mk_file_cold(&f, dir, "probe");
            tree_check(f.tree);
            ck_assert_int_eq(tree_unlink(f.tree, dir, "probe"), 0);
        }
        ck_assert_int_eq(tree_rmdir(f.tree, TREE_ROOT, "dir"), 0);
    }
    fixture_stop(&f);
}
END_TEST

UNIT_MAIN("order", seeks_agree_with_a_sorted_array,
          removal_in_any_order_keeps_the_end)

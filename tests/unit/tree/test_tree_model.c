/* test_tree_model.c - random operations against a namespace of two arrays.
 *
 * The model knows nodes and entries, and finds everything by looking at all of
 * them.  Every call must return what the model says, to the errno; every
 * directory must list what the model has, in the order of the model.
 */
#include "fixture.h"

#include <stdlib.h>

enum { NODES = 48, ENTRIES = 128, ROUNDS = 40000, ROOT = 0 };

struct mnode {
    bool live;
    uint64_t id, nlookup;
    mode_t type;
    int nlink, parent;
};

struct mentry {
    bool live;
    int dir, node;
    const char *name;
    uint64_t order; /* in its directory */
};

static struct model {
    struct fixture f;
    struct mnode node[NODES];
    struct mentry entry[ENTRIES];
    uint64_t next_order;
    uint64_t stale[64]; /* ids of nodes that are gone */
    unsigned nr_stale;
} m;

static const char *const names[] = {
    "a", "b", "c", "d", "e", "f", "g",
    "a-name-that-is-longer-than-what-64-bytes-hold",
    "one-that-takes-a-dentry-of-128-bytes-because-it-is-longer-than-59-bytes",
};

static int pick(int n)
{
    return (int)((unsigned)rand() % (unsigned)n);
}

static const char *pick_name(void)
{
    return names[pick(ARRAY_SIZE(names))];
}

/* A node that is live; of any type. */
static int pick_node(void)
{
    int n;

    do
        n = pick(NODES);
    while (!m.node[n].live);
    return n;
}

/* Mostly a directory with a name. */
static int pick_dir(void)
{
    for (int i = 0; i < 20; i++) {
        int n = pick_node();

        if (m.node[n].type == S_IFDIR)
            return n;
    }
    return pick_node();
}

static int find_entry(int dir, const char *name)
{
    for (int i = 0; i < ENTRIES; i++)
        if (m.entry[i].live && m.entry[i].dir == dir &&
            strcmp(m.entry[i].name, name) == 0)
            return i;
    return -1;
}

static int count_in(int dir)
{
    int count = 0;

    for (int i = 0; i < ENTRIES; i++)
        count += m.entry[i].live && m.entry[i].dir == dir;
    return count;
}

static int free_slot(bool node)
{
    for (int i = 0; i < (node ? NODES : ENTRIES); i++)
        if (!(node ? m.node[i].live : m.entry[i].live))
            return i;
    return -1;
}

static bool is_dir(int n)
{
    return m.node[n].type == S_IFDIR;
}

/* What dir_find says. */
static int dir_error(int dir)
{
    return !is_dir(dir) ? -ENOTDIR : m.node[dir].nlink ? 0 : -ENOENT;
}

static bool below(int node, int dir)
{
    for (; dir != ROOT; dir = m.node[dir].parent)
        if (dir == node)
            return true;
    return node == ROOT;
}

static void settle(int n)
{
    if (m.node[n].nlink || m.node[n].nlookup)
        return;
    m.node[n].live = false;
    m.stale[m.nr_stale++ % ARRAY_SIZE(m.stale)] = m.node[n].id;
}

static void add_entry(int dir, const char *name, int node)
{
    m.entry[free_slot(false)] = (struct mentry){ true, dir, node, name,
                                                 m.next_order++ };
}

static void drop_link(int dir, int node)
{
    if (is_dir(node)) {
        m.node[node].nlink = 0;
        m.node[dir].nlink--;
    } else {
        m.node[node].nlink--;
    }
    settle(node);
}

static void step_make(void)
{
    static const mode_t types[] = { S_IFREG, S_IFDIR, S_IFDIR, S_IFIFO,
                                    S_IFLNK };
    mode_t type = types[pick(5)];
    int dir = pick_dir(), n = free_slot(true), err, want = dir_error(dir);
    const char *name = pick_name();
    struct tree_entry entry;

    if (n < 0 || free_slot(false) < 0)
        return;
    if (!want && find_entry(dir, name) >= 0)
        want = -EEXIST;
    if (type == S_IFLNK)
        err = tree_symlink(m.f.tree, &root_cred, m.node[dir].id, name, "t",
                           false, &entry);
    else
        err = tree_mknod(m.f.tree, &root_cred, m.node[dir].id, name, type, 0,
                         false, &entry);
    ck_assert_int_eq(err, want);
    if (err)
        return;
    m.node[n] = (struct mnode){ true, entry.id, 1, type,
                                type == S_IFDIR ? 2 : 1, dir };
    m.node[dir].nlink += type == S_IFDIR;
    add_entry(dir, name, n);
    ck_assert_uint_eq(entry.attr.nlink, (unsigned)m.node[n].nlink);
}

static void step_link(void)
{
    int dir = pick_dir(), n = pick_node(), want = dir_error(dir);
    const char *name = pick_name();
    struct tree_entry entry;

    if (free_slot(false) < 0)
        return;
    if (!want && find_entry(dir, name) >= 0)
        want = -EEXIST;
    if (!want && is_dir(n))
        want = -EPERM;
    if (!want && !m.node[n].nlink)
        want = -ENOENT;
    ck_assert_int_eq(tree_link(m.f.tree, m.node[n].id, m.node[dir].id, name,
                               false, &entry), want);
    if (want)
        return;
    add_entry(dir, name, n);
    m.node[n].nlink++;
    m.node[n].nlookup++;
}

static void step_remove(void)
{
    bool rmdir = pick(2);
    int dir = pick_dir(), want = is_dir(dir) ? 0 : -ENOTDIR, e, n = -1;
    const char *name = pick_name();

    e = want ? -1 : find_entry(dir, name);
    if (!want && e < 0)
        want = -ENOENT;
    if (!want) {
        n = m.entry[e].node;
        if (is_dir(n) != rmdir)
            want = rmdir ? -ENOTDIR : -EISDIR;
        else if (rmdir && count_in(n))
            want = -ENOTEMPTY;
    }
    ck_assert_int_eq(rmdir ? tree_rmdir(m.f.tree, m.node[dir].id, name)
                           : tree_unlink(m.f.tree, m.node[dir].id, name),
                     want);
    if (want)
        return;
    m.entry[e].live = false;
    drop_link(dir, n);
}

/* What a rename of entry `o` onto entry `t` (-1: none) of `to` should say. */
static int rename_error(int from, int to, int o, int t, unsigned flags)
{
    int n = m.entry[o].node, target = t < 0 ? -1 : m.entry[t].node;
    bool exchange = flags & RENAME_EXCHANGE;

    if (is_dir(n) && below(n, to))
        return -EINVAL;
    if (target >= 0 && is_dir(target) && below(target, from))
        return exchange ? -EINVAL : -ENOTEMPTY;
    if (exchange || target < 0)
        return 0;
    if (is_dir(n) && !is_dir(target))
        return -ENOTDIR;
    if (!is_dir(n) && is_dir(target))
        return -EISDIR;
    return is_dir(target) && count_in(target) ? -ENOTEMPTY : 0;
}

static void reparent(int n, int from, int to)
{
    if (!is_dir(n))
        return;
    m.node[from].nlink--;
    m.node[to].nlink++;
    m.node[n].parent = to;
}

static void renamed(int from, int to, int o, int t, const char *name)
{
    int n = m.entry[o].node;

    reparent(n, from, to);
    if (t >= 0) {
        int target = m.entry[t].node;

        m.entry[t].node = n;
        m.entry[o].live = false;
        drop_link(to, target);
    } else {
        m.entry[o].name = name;
        m.entry[o].dir = to;
        if (from != to)
            m.entry[o].order = m.next_order++;
    }
}

static void step_rename(void)
{
    static const unsigned all[] = { 0, 0, 0, RENAME_NOREPLACE,
                                    RENAME_EXCHANGE };
    unsigned flags = all[pick(5)];
    int from = pick_dir(), to = pick(2) ? from : pick_dir(), o = -1, t = -1;
    const char *name = pick_name(), *to_name = pick_name();
    int want = dir_error(from);

    if (!want)
        want = dir_error(to);
    if (!want && (o = find_entry(from, name)) < 0)
        want = -ENOENT;
    if (!want) {
        t = find_entry(to, to_name);
        if (t >= 0 && flags == RENAME_NOREPLACE)
            want = -EEXIST;
        else if (t < 0 && flags == RENAME_EXCHANGE)
            want = -ENOENT;
    }
    if (!want && t >= 0 && m.entry[o].node == m.entry[t].node) {
        ck_assert_int_eq(try_rename(&m.f, m.node[from].id, name,
                                    m.node[to].id, to_name, flags), 0);
        return;
    }
    if (!want)
        want = rename_error(from, to, o, t, flags);
    ck_assert_int_eq(try_rename(&m.f, m.node[from].id, name, m.node[to].id,
                                to_name, flags), want);
    if (want)
        return;
    if (flags == RENAME_EXCHANGE) {
        int n = m.entry[o].node, target = m.entry[t].node;

        m.entry[o].node = target;
        m.entry[t].node = n;
        reparent(n, from, to);
        reparent(target, to, from);
    } else {
        renamed(from, to, o, t, to_name);
    }
}

static void step_lookup(void)
{
    int dir = pick_dir(), want = is_dir(dir) ? 0 : -ENOTDIR, e = -1, n;
    const char *name = pick_name();
    struct tree_entry entry;

    if (!want && (e = find_entry(dir, name)) < 0)
        want = -ENOENT;
    ck_assert_int_eq(tree_lookup(m.f.tree, m.node[dir].id, name, &entry), want);
    if (want)
        return;
    n = m.entry[e].node;
    m.node[n].nlookup++;
    ck_assert_uint_eq(entry.id, m.node[n].id);
    ck_assert_uint_eq(entry.attr.mode & S_IFMT, m.node[n].type);
    ck_assert_uint_eq(entry.attr.nlink, (unsigned)m.node[n].nlink);
    if (is_dir(n))
        ck_assert_uint_eq(entry.attr.size, 40u + 20u * (unsigned)count_in(n));
}

static void step_forget(void)
{
    int n = pick_node();
    uint64_t nr = m.node[n].nlookup;

    if (n == ROOT || !nr)
        return;
    nr = pick(2) ? nr : 1;
    m.node[n].nlookup -= nr;
    tree_forget(m.f.tree, m.node[n].id, nr);
    settle(n);
}

static void step_stale(void)
{
    struct tree_attr attr;
    unsigned nr = MIN(m.nr_stale, ARRAY_SIZE(m.stale));

    if (nr)
        ck_assert_int_eq(tree_getattr(m.f.tree, m.stale[pick((int)nr)], &attr),
                         -ESTALE);
}

static int by_order(const void *a, const void *b)
{
    const struct mentry *ea = *(const struct mentry *const *)a;
    const struct mentry *eb = *(const struct mentry *const *)b;

    return ea->order < eb->order ? -1 : 1;
}

static void step_list(void)
{
    const struct mentry *sorted[ENTRIES];
    char want[16384] = "", got[16384];
    int dir = pick_dir();
    size_t nr = 0;

    if (dir_error(dir))
        return;
    for (int i = 0; i < ENTRIES; i++)
        if (m.entry[i].live && m.entry[i].dir == dir)
            sorted[nr++] = &m.entry[i];
    qsort(sorted, nr, sizeof(sorted[0]), by_order);
    for (size_t i = 0; i < nr; i++)
        strcat(strcat(want, sorted[i]->name), " ");
    list_dir(&m.f, m.node[dir].id, got, sizeof(got));
    ck_assert_str_eq(got, want);
    ck_assert_uint_eq(attr_of(&m.f, m.node[dir].id).nlink,
                      (unsigned)m.node[dir].nlink);
}

static void counts_agree(void)
{
    uint64_t nodes = 0, entries = 0;

    for (int i = 0; i < NODES; i++)
        nodes += m.node[i].live;
    for (int i = 0; i < ENTRIES; i++)
        entries += m.entry[i].live;
    ck_assert_uint_eq(stats_of(&m.f).nodes, nodes);
    ck_assert_uint_eq(stats_of(&m.f).entries, entries);
    tree_check(m.f.tree);
}

static void run(unsigned seed)
{
    static void (*const steps[])(void) = {
        step_make, step_make, step_make, step_link, step_remove, step_remove,
        step_rename, step_rename, step_rename, step_lookup, step_forget,
        step_forget, step_stale, step_list };

    srand(seed);
    memset(&m, 0, sizeof(m));
    fixture_start(&m.f);
    m.node[ROOT] = (struct mnode){ true, TREE_ROOT, 1, S_IFDIR, 2, ROOT };
    for (unsigned round = 0; round < ROUNDS; round++) {
        steps[pick(ARRAY_SIZE(steps))]();
        if (round % 100 == 0)
            counts_agree();
    }
    counts_agree();
    fixture_stop(&m.f);
}

START_TEST(random_operations_agree)
{
    run(1);
    run(2);
    run(3);
}
END_TEST

UNIT_MAIN("tree_model", random_operations_agree)

/* test_tree_threads.c - eight threads in one namespace, for the sanitizers too.
 *
 * Each does at random what programs do, in a few directories that all share:
 * most calls race for the same names.  Only success, and errors that a lost
 * race explains, may come back; afterwards all counts must be right.  Then six only
 * look, as is usual, beside two that change.
 */
#include "fixture.h"

#include <pthread.h>
#include <stdlib.h>

enum { THREADS = 8, STEPS = 20000, DIRS = 4, NAMES = 6 };

static struct fixture f;
static uint64_t dirs[DIRS];

struct worker {
    pthread_t thread;
    unsigned seed;
    uint64_t done; /* calls that succeeded */
};

static unsigned pick(struct worker *w, unsigned n)
{
    return (unsigned)rand_r(&w->seed) % n;
}

static uint64_t pick_dir(struct worker *w)
{
    return dirs[pick(w, DIRS)];
}

static const char *pick_name(struct worker *w)
{
    static const char *const names[NAMES] = {
        "a", "b", "c", "d", "e", "a-name-of-more-than-twenty-seven-bytes" };

    return names[pick(w, NAMES)];
}

static void count(struct worker *w, int err)
{
    ck_assert(err == 0 || err == -ENOENT || err == -EEXIST ||
              err == -EISDIR || err == -ENOTDIR || err == -ENOTEMPTY ||
              err == -EINVAL || err == -ENODATA || err == -EAGAIN);
    w->done += err == 0;
}

static void make(struct worker *w)
{
    struct tree_entry entry;
    int err = tree_mknod(f.tree, &root_cred, pick_dir(w), pick_name(w),
                         pick(w, 4) ? S_IFREG : S_IFDIR, 0, true, &entry);

    count(w, err);
    if (!err)
        tree_forget(f.tree, entry.id, 1);
}

static void drop(struct worker *w)
{
    if (pick(w, 4))
        count(w, tree_unlink(f.tree, pick_dir(w), pick_name(w)));
    else
        count(w, tree_rmdir(f.tree, pick_dir(w), pick_name(w)));
}

static void shift(struct worker *w)
{
    static const unsigned flags[] = { 0, RENAME_NOREPLACE, RENAME_EXCHANGE,
                                      RENAME_WHITEOUT };

    count(w, try_rename(&f, pick_dir(w), pick_name(w), pick_dir(w),
                        pick_name(w), flags[pick(w, 4)]));
}

static void use_file(struct worker *w, uint64_t id)
{
    static _Thread_local struct object_read read;
    struct tree_file file;
    size_t written;

    if (tree_open(f.tree, NULL, id, TREE_OPEN_WRITE, true, &file) != 0)
        return;
    count(w, tree_write(f.tree, &user_cred, &file, pick(w, 9000), "data", 4,
                        true, &written));
    ck_assert_int_eq(tree_read_begin(f.tree, &file, 0, 4096, true, &read), 0);
    tree_read_end(f.tree, &file, &read);
    tree_release(f.tree, &file);
}

static void use_attributes(struct worker *w, uint64_t id)
{
    struct tree_attr attr = { .mode = 06711, .size = pick(w, 9000), .uid = 1 };
    static const unsigned sets[] = { TREE_SET_MODE, TREE_SET_UID,
                                     TREE_SET_ATIME_NOW };
    char value[100];

    count(w, tree_setattr(f.tree, &root_cred, id, sets[pick(w, 3)], &attr, true,
                          &attr));
    memset(value, 'v', sizeof(value));
    count(w, tree_setxattr(f.tree, &root_cred, id, "trusted.a", value,
                           pick(w, 100), 0, true));
    ck_assert_int_ge(tree_listxattr(f.tree, &root_cred, id, NULL, 0), 0);
    if (pick(w, 2))
        count(w, tree_removexattr(f.tree, &root_cred, id, "trusted.a"));
}

static void use(struct worker *w)
{
    struct tree_entry entry;
    int err = tree_lookup(f.tree, pick_dir(w), pick_name(w), &entry);

    count(w, err);
    if (err)
        return;
    if (S_ISREG(entry.attr.mode))
        use_file(w, entry.id);
    use_attributes(w, entry.id);
    ck_assert_int_eq(tree_getattr(f.tree, entry.id, &entry.attr), 0);
    tree_forget(f.tree, entry.id, 1);
}

static void add_name(struct worker *w)
{
    struct tree_entry entry, again;
    int err = tree_lookup(f.tree, pick_dir(w), pick_name(w), &entry);

    if (err)
        return;
    err = S_ISDIR(entry.attr.mode)
              ? -EISDIR
              : tree_link(f.tree, entry.id, pick_dir(w), pick_name(w), true,
                          &again);
    count(w, err);
    tree_forget(f.tree, entry.id, err ? 1 : 2);
}

static bool see(void *ctx, const char *name, uint64_t cookie,
                const struct tree_entry *entry)
{
    uint64_t *seen = ctx;

    (void)entry;
    ck_assert_uint_gt(cookie, seen[0]);
    ck_assert_uint_gt(strlen(name), 0);
    seen[0] = cookie;
    if (cookie > 2 && seen[1] < 30)
        seen[2 + seen[1]++] = entry->id;
    return seen[1] < 30;
}

static void scan(struct worker *w)
{
    struct tree_scan scan;
    uint64_t seen[32] = { 0 };

    if (tree_opendir(f.tree, pick_dir(w), &scan) != 0)
        return;
    count(w, tree_readdir(f.tree, &scan, 0, true, see, seen));
    tree_closedir(f.tree, &scan);
    for (uint64_t i = 0; i < seen[1]; i++)
        tree_forget(f.tree, seen[2 + i], 1);
}

static void *work(void *arg)
{
    static void (*const acts[])(struct worker *) = { make, make, drop, shift,
                                                     use, add_name, scan };
    struct worker *w = arg;

    for (unsigned i = 0; i < STEPS; i++)
        acts[pick(w, ARRAY_SIZE(acts))](w);
    return NULL;
}

START_TEST(eight_threads_leave_a_tree_that_is_right)
{
    struct worker worker[THREADS];
    uint64_t done = 0;

    memset(&f, 0, sizeof(f));
    fixture_start(&f);
    for (unsigned i = 0; i < DIRS; i++) {
        char name[8];

        sprintf(name, "dir%u", i);
        dirs[i] = mk_dir(&f, TREE_ROOT, name);
    }
    for (unsigned i = 0; i < THREADS; i++) {
        worker[i] = (struct worker){ .seed = i + 1 };
        ck_assert_int_eq(pthread_create(&worker[i].thread, NULL, work,
                                        &worker[i]), 0);
    }
    for (unsigned i = 0; i < THREADS; i++) {
        pthread_join(worker[i].thread, NULL);
        done += worker[i].done;
    }
    ck_assert_uint_gt(done, THREADS * STEPS / 4);
    ck_assert_uint_eq(stats_of(&f).orphans, 0);
    fixture_stop(&f);
}
END_TEST

/* One directory moves up and down under another while threads try to make a
 * loop of it: a walk upwards must always end. */
static void *loop(void *arg)
{
    struct worker *w = arg;

    for (unsigned i = 0; i < STEPS; i++) {
        unsigned a = pick(w, DIRS), b = pick(w, DIRS);
        char name[8];

        sprintf(name, "dir%u", a);
        count(w, try_rename(&f, pick(w, 2) ? TREE_ROOT : dirs[b], name,
                            pick(w, 2) ? TREE_ROOT : dirs[pick(w, DIRS)], name,
                            RENAME_NOREPLACE));
    }
    return NULL;
}

START_TEST(no_loop_is_ever_made)
{
    struct worker worker[THREADS];

    memset(&f, 0, sizeof(f));
    fixture_start(&f);
    for (unsigned i = 0; i < DIRS; i++) {
        char name[8];

        sprintf(name, "dir%u", i);
        dirs[i] = mk_dir(&f, TREE_ROOT, name);
    }
    for (unsigned i = 0; i < THREADS; i++) {
        worker[i] = (struct worker){ .seed = 100 + i };
        ck_assert_int_eq(pthread_create(&worker[i].thread, NULL, loop,
                                        &worker[i]), 0);
    }
    for (unsigned i = 0; i < THREADS; i++)
        pthread_join(worker[i].thread, NULL);
    fixture_stop(&f);
}
END_TEST

/* --- one directory that most only look at ----------------------------------------- */

enum { SHARED = 32, LOOKS = 40000, MOVES = 4000 };

static uint64_t shared, stays[SHARED];
static _Atomic uint64_t found;

static const char *name_of(char *name, char kind, unsigned i)
{
    sprintf(name, "%c%u", kind, i);
    return name;
}

/* What stays is found, by name and by id, whatever goes on around it; of the others
 * whatever is found may be used until it is forgotten. */
static void *look(void *arg)
{
    struct worker *w = arg;
    struct tree_entry entry;
    char name[8];

    for (unsigned i = 0; i < LOOKS; i++) {
        unsigned n = pick(w, SHARED);

        unit_assert(tree_lookup(f.tree, shared, name_of(name, 's', n),
                                &entry) == 0);
        unit_assert(entry.id == stays[n]);
        tree_forget(f.tree, entry.id, 1);
        unit_assert(tree_getattr(f.tree, stays[n], &entry.attr) == 0);
        unit_assert(entry.attr.nlink == 1);
        if (tree_lookup(f.tree, shared, name_of(name, 'g', pick(w, SHARED)),
                        &entry) == 0) {
            unit_assert(tree_getattr(f.tree, entry.id, &entry.attr) == 0);
            tree_forget(f.tree, entry.id, 1);
            atomic_fetch_add(&found, 1);
        }
        if (i % 64 == 0)
            scan(w);
        if (i % 8 == 0)
            use_file(w, stays[n]);
    }
    return NULL;
}

/* Files come, are renamed over others, and go. */
static void *change(void *arg)
{
    struct worker *w = arg;
    struct tree_entry entry;
    char name[8], to[8];

    for (unsigned i = 0; i < MOVES; i++) {
        name_of(name, 'g', pick(w, SHARED));
        switch (pick(w, 3)) {
        case 0:
            if (tree_mknod(f.tree, &root_cred, shared, name, S_IFREG, 0, true,
                           &entry) == 0)
                tree_forget(f.tree, entry.id, 1);
            break;
        case 1:
            count(w, try_rename(&f, shared, name, shared,
                                name_of(to, 'g', pick(w, SHARED)), 0));
            break;
        default:
            count(w, tree_unlink(f.tree, shared, name));
        }
    }
    return NULL;
}

START_TEST(lookups_beside_renames_and_unlinks)
{
    struct worker worker[THREADS];
    char name[8];

    memset(&f, 0, sizeof(f));
    fixture_start(&f);
    shared = mk_dir(&f, TREE_ROOT, "shared");
    for (unsigned i = 0; i < DIRS; i++)
        dirs[i] = shared;
    for (unsigned i = 0; i < SHARED; i++)
        stays[i] = mk_file(&f, shared, name_of(name, 's', i));
    for (unsigned i = 0; i < THREADS; i++) {
        worker[i] = (struct worker){ .seed = 200 + i };
        ck_assert_int_eq(pthread_create(&worker[i].thread, NULL,
                                        i < 2 ? change : look, &worker[i]), 0);
    }
    for (unsigned i = 0; i < THREADS; i++)
        pthread_join(worker[i].thread, NULL);
    ck_assert_uint_gt(atomic_load(&found), 0);
    for (unsigned i = 0; i < SHARED; i++)
        tree_forget(f.tree, stays[i], 1);
    fixture_stop(&f);
}
END_TEST

UNIT_MAIN("tree_threads", eight_threads_leave_a_tree_that_is_right,
          no_loop_is_ever_made, lookups_beside_renames_and_unlinks)

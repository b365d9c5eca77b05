/* test_tree_million.c - 1,000,000 entries in one directory, and what they cost.
 *
 * Prints bytes an inode and an entry, and nanoseconds of processor time a call.
 * The limits that are asserted are far above what is measured, and far below
 * anything that grows with the number of entries.
 */
#include "fixture.h"

#include <time.h>

/* Sanitizers make it too slow; that it works is seen with fewer, too. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { MILLION = 50000, LIMIT_NS = 200000 };
#else
enum { MILLION = 1000000, LIMIT_NS = 50000 };
#endif

static uint64_t began;

static uint64_t cpu_ns(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
    return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

static void tell(const char *what)
{
    uint64_t ns = (cpu_ns() - began) / MILLION;

    printf("%-28s %6llu ns\n", what, (unsigned long long)ns);
    ck_assert_uint_lt(ns, LIMIT_NS);
    began = cpu_ns();
}

/* A permutation of the numbers below a million. */
static unsigned shuffled(unsigned i)
{
    return (unsigned)((uint64_t)i * 742938287 % MILLION);
}

static const char *name_of(unsigned i)
{
    static char name[16];

    sprintf(name, "file%07u", i);
    return name;
}

static bool count(void *ctx, const char *name, uint64_t cookie,
                  const struct tree_entry *entry)
{
    uint64_t *seen = ctx;

    (void)name;
    (void)entry;
    seen[0] = cookie;
    seen[1]++;
    return ++seen[2] % 100 != 0; /* a buffer full */
}

/* As ck_assert, which writes a line to a file each time it is met. */
static void must(bool so)
{
    if (!so)
        ck_abort();
}

static void make_million(struct fixture *f)
{
    struct tree_entry entry;

    began = cpu_ns();
    for (unsigned i = 0; i < MILLION; i++) {
        must(tree_mknod(f->tree, &root_cred, TREE_ROOT, name_of(i), S_IFREG, 0,
                        true, &entry) == 0);
        tree_forget(f->tree, entry.id, 1);
    }
    tell("create and forget");
}

static void tell_bytes(const struct fixture *f, const char *what, double most)
{
    double bytes = (double)(f->free_before - arena_nr_free(f->arena)) *
                   (PAGE_SIZE + sizeof(struct frame)) / MILLION;

    printf("%-28s %6.1f bytes\n", what, bytes);
    ck_assert(bytes <= most);
}

START_TEST(a_million_entries_cost_microseconds)
{
    struct fixture f = { .ram = (uint64_t)320 << 20 };
    uint64_t seen[3] = { 0 };
    struct tree_entry entry;
    struct tree_scan scan;

    fixture_start(&f);
    make_million(&f);
    tell_bytes(&f, "inode and entry, all told", 256);
    began = cpu_ns();
    for (unsigned i = 0; i < MILLION; i++) {
        must(tree_lookup(f.tree, TREE_ROOT, name_of(shuffled(i)), &entry) == 0);
        tree_forget(f.tree, entry.id, 1);
    }
    tell("lookup and forget, at random");
    must(tree_opendir(f.tree, TREE_ROOT, &scan) == 0);
    for (uint64_t before = 1; before != seen[1];) {
        before = seen[1];
        must(tree_readdir(f.tree, &scan, seen[0], false, count, seen) == 0);
    }
    tell("readdir, each");
    tree_closedir(f.tree, &scan);
    for (unsigned i = 0; i < MILLION; i++)
        must(try_rename(&f, TREE_ROOT, name_of(shuffled(i)), TREE_ROOT, "moved",
                        0) == 0);
    tell("rename onto one, at random");
    fixture_stop(&f);
}
END_TEST

START_TEST(a_million_entries_go_as_they_came)
{
    struct fixture f = { .ram = (uint64_t)320 << 20 };

    fixture_start(&f);
    make_million(&f);
    for (unsigned i = 0; i < MILLION; i++)
        must(tree_unlink(f.tree, TREE_ROOT, name_of(shuffled(i))) == 0);
    tell("unlink, at random");
    ck_assert_uint_eq(arena_nr_free(f.arena), f.free_before);
    make_million(&f);
    tree_destroy(f.tree);
    tell("destroy, each");
    arena_destroy(f.arena);
}
END_TEST

START_TEST(a_million_names_of_one_file)
{
    struct fixture f = { .ram = (uint64_t)128 << 20 };
    struct tree_entry entry;
    uint64_t id;

    fixture_start(&f);
    id = mk_file(&f, TREE_ROOT, "first");
    began = cpu_ns();
    for (unsigned i = 0; i < MILLION; i++)
        must(tree_link(f.tree, id, TREE_ROOT, name_of(i), true, &entry) == 0);
    tell("link");
    tell_bytes(&f, "entry, all told", 80);
    ck_assert_uint_eq(attr_of(&f, id).nlink, MILLION + 1);
    fixture_stop(&f);
}
END_TEST

UNIT_MAIN("tree_million", a_million_entries_cost_microseconds,
          a_million_entries_go_as_they_came, a_million_names_of_one_file)

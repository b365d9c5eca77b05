/* test_tree_whole.c - the tree on real objects and a real pool, few frames.
 *
 * What the fake cannot show: data and names share one budget; freeing a node
 * gives back pages that are on swap or on their way there; what is charged
 * comes back to the block.
 */
#include "tree.h"

#include "fake_swap.h"
#include "unit.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

enum { FRAMES = 400, BLOCKS = 2000, LIMIT = 1800 };

static const struct tree_cred root_cred = { .uid = 0 };

struct whole {
    struct arena *arena;
    struct swap *swap;
    struct pool *pool;
    struct object_store store; /* the tree's; the pool's way up to it */
    struct tree *tree;
    struct pool_stats before;
};

static struct pool_stats stats_of(struct whole *w)
{
    struct pool_stats stats;

    pool_stats(w->pool, &stats);
    return stats;
}

static void whole_up(struct whole *w)
{
    struct swap_file file = fake_swap_file(BLOCKS);
    struct pool_config pool = { .limit = LIMIT, .ops = &object_pool_ops,
                                .ctx = &w->store };
    struct tree_config tree = { .root_mode = 0755 };

    ck_assert_int_eq(arena_create(&w->arena, FRAMES * (PAGE_SIZE + 32)), 0);
    ck_assert_int_eq(swap_create(&w->swap, &file, w->arena, 64), 0);
    pool.arena = w->store.arena = w->arena;
    pool.swap = w->swap;
    ck_assert_int_eq(pool_create(&w->pool, &pool), 0);
    w->store.pool = w->pool;
    tree.store = &w->store;
    ck_assert_int_eq(tree_create(&w->tree, &tree), 0);
    ck_assert_int_eq(pool_start(w->pool), 0);
    w->before = stats_of(w);
}

static void whole_down(struct whole *w)
{
    tree_check(w->tree);
    tree_destroy(w->tree);
    pool_quiesce(w->pool);
    pool_check(w->pool);
    ck_assert_uint_eq(stats_of(w).used, 0);
    ck_assert_uint_eq(fake_swap_counts().nr_used, 0);
    pool_destroy(w->pool);
    swap_destroy(w->swap);
    arena_destroy(w->arena);
}

static void nothing_is_left(struct whole *w)
{
    ck_assert_uint_eq(stats_of(w).data, 0);
    ck_assert_uint_eq(stats_of(w).metadata, w->before.metadata);
    pool_quiesce(w->pool);
    ck_assert_uint_eq(fake_swap_counts().nr_used, 0);
}

/* The bytes of page `page` of file `file`. */
static void fill(uint8_t *bytes, unsigned file, unsigned page)
{
    memset(bytes, (int)(1 + (file * 31 + page * 7) % 255), PAGE_SIZE);
}

static int write_file(struct whole *w, struct tree_file *file, unsigned number,
                      unsigned pages)
{
    uint8_t bytes[PAGE_SIZE];
    size_t written;

    for (unsigned page = 0; page < pages; page++) {
        int err;

        fill(bytes, number, page);
        err = tree_write(w->tree, &root_cred, file, (uint64_t)page * PAGE_SIZE,
                         bytes, PAGE_SIZE, true, &written);
        if (err)
            return err;
        ck_assert_uint_eq(written, PAGE_SIZE);
    }
    return 0;
}

static void file_is(struct whole *w, uint64_t id, unsigned number,
                    unsigned pages)
{
    struct object_read read;
    struct tree_file file;
    uint8_t bytes[PAGE_SIZE];

    ck_assert_int_eq(tree_open(w->tree, NULL, id, 0, true, &file), 0);
    for (unsigned page = 0; page < pages; page++) {
        fill(bytes, number, page);
        ck_assert_int_eq(tree_read_begin(w->tree, &file,
                                         (uint64_t)page * PAGE_SIZE, PAGE_SIZE,
                                         true, &read), 0);
        ck_assert_uint_eq(read.bytes, PAGE_SIZE);
        ck_assert_mem_eq(read.iov[1].iov_base, bytes, PAGE_SIZE);
        tree_read_end(w->tree, &file, &read);
    }
    tree_release(w->tree, &file);
}

static int make_file(struct whole *w, uint64_t dir, unsigned number,
                     unsigned pages, uint64_t *id)
{
    struct tree_entry entry;
    struct tree_file file;
    char name[16];
    int err;

    sprintf(name, "%u", number);
    err = tree_mknod(w->tree, &root_cred, dir, name, S_IFREG | 0600, 0, true,
                     &entry);
    if (err)
        return err;
    *id = entry.id;
    ck_assert_int_eq(tree_open(w->tree, NULL, entry.id, TREE_OPEN_WRITE, true,
                               &file), 0);
    err = write_file(w, &file, number, pages);
    tree_release(w->tree, &file);
    return err;
}

static int remove_file(struct whole *w, uint64_t dir, unsigned number)
{
    char name[16];

    sprintf(name, "%u", number);
    return tree_unlink(w->tree, dir, name);
}

/* Four times what fits in the frames; each byte comes back. */
START_TEST(files_survive_being_paged_out)
{
    enum { FILES = 30, PAGES = 40 };
    struct whole w;
    uint64_t id[FILES];
    struct tree_attr attr;

    whole_up(&w);
    for (unsigned i = 0; i < FILES; i++)
        ck_assert_int_eq(make_file(&w, TREE_ROOT, i, PAGES, &id[i]), 0);
    ck_assert_uint_gt(fake_swap_counts().writes, 0);
    for (unsigned i = 0; i < FILES; i++)
        file_is(&w, id[i], i, PAGES);
    ck_assert_int_eq(tree_getattr(w.tree, id[3], &attr), 0);
    ck_assert_uint_eq(attr.blocks, PAGES * 8);
    for (unsigned i = 0; i < FILES; i++) {
        ck_assert_int_eq(remove_file(&w, TREE_ROOT, i), 0);
        tree_forget(w.tree, id[i], 1);
    }
    nothing_is_left(&w);
    whole_down(&w);
}
END_TEST

/* Files of a page until nothing fits: names and nodes count in the limit, df
 * says full, and after all is gone as much fits again. */
START_TEST(full_and_empty_again)
{
    unsigned made[2] = { 0 };
    struct statvfs st;
    struct whole w;

    whole_up(&w);
    for (unsigned round = 0; round < 2; round++) {
        uint64_t id = 0;
        int err;

        while ((err = make_file(&w, TREE_ROOT, made[round], 1, &id)) == 0) {
            tree_forget(w.tree, id, 1);
            made[round]++;
        }
        tree_forget(w.tree, id, 1); /* made, but not one byte written */
        ck_assert_int_eq(err, -ENOSPC);
        ck_assert_uint_eq(stats_of(&w).used, LIMIT);
        ck_assert_int_eq(tree_statvfs(w.tree, &st), 0);
        ck_assert_uint_eq(st.f_blocks, LIMIT);
        ck_assert_uint_eq(st.f_bfree, 0);
        for (unsigned i = 0; i <= made[round]; i++)
            ck_assert(remove_file(&w, TREE_ROOT, i) == 0 || i == made[round]);
        ck_assert_int_eq(tree_statvfs(w.tree, &st), 0);
        ck_assert_uint_eq(st.f_bfree, LIMIT - w.before.used);
    }
    ck_assert_uint_gt(made[0], 1500);
    ck_assert_uint_eq(made[0], made[1]);
    whole_down(&w);
}
END_TEST

struct worker {
    pthread_t thread;
    struct whole *w;
    unsigned number;
};

/* Makes, checks and removes files of its own in the directory of all; some are
 * removed while they are open and read afterwards. */
static void *work(void *arg)
{
    struct worker *me = arg;
    struct whole *w = me->w;

    for (unsigned round = 0; round < 25; round++) {
        unsigned number = me->number * 1000 + round, pages = 1 + round * 3 % 40;
        struct tree_file file;
        uint64_t id;

        ck_assert_int_eq(make_file(w, TREE_ROOT, number, pages, &id), 0);
        ck_assert_int_eq(tree_open(w->tree, NULL, id, 0, true, &file), 0);
        if (round % 2)
            ck_assert_int_eq(remove_file(w, TREE_ROOT, number), 0);
        file_is(w, id, number, pages);
        tree_forget(w->tree, id, 1);
        tree_release(w->tree, &file);
        if (round % 2 == 0)
            ck_assert_int_eq(remove_file(w, TREE_ROOT, number), 0);
    }
    return NULL;
}

START_TEST(threads_come_and_go)
{
    struct worker worker[4];
    struct whole w;

    whole_up(&w);
    for (unsigned i = 0; i < 4; i++) {
        worker[i] = (struct worker){ .w = &w, .number = i };
        ck_assert_int_eq(pthread_create(&worker[i].thread, NULL, work,
                                        &worker[i]), 0);
    }
    for (unsigned i = 0; i < 4; i++)
        pthread_join(worker[i].thread, NULL);
    nothing_is_left(&w);
    whole_down(&w);
}
END_TEST

UNIT_MAIN("tree_whole", files_survive_being_paged_out, full_and_empty_again,
          threads_come_and_go)

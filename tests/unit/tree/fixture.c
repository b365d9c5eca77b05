/* fixture.c - see fixture.h. */
#include "fixture.h"

#include <stdlib.h>

const struct tree_cred root_cred = { .uid = 0 };
const struct tree_cred user_cred = { .uid = 1000, .gid = 1000 };

static int charge(void *ctx)
{
    struct fixture *f = ctx;

    if (f->on_charge)
        f->on_charge(f);
    if (f->charges_left < 0)
        return 0;
    if (f->charges_left == 0)
        return f->charge_error;
    f->charges_left--;
    return 0;
}

static void uncharge(void *ctx)
{
    (void)ctx;
}

static void wait_for_frame(void *ctx)
{
    struct fixture *f = ctx;

    lock_assert_none(RANK_TREE);
    f->waits++;
    if (f->on_wait)
        f->on_wait(f);
}

static const struct arena_ops ops = { .charge = charge, .uncharge = uncharge,
                                      .low = uncharge, .wait = wait_for_frame };

void fixture_start(struct fixture *f)
{
    uint64_t ram = f->ram ? f->ram : 64 << 20;

    f->charges_left = -1;
    f->charge_error = -ENOSPC;
    ck_assert_int_eq(arena_create(&f->arena, ram), 0);
    arena_set_ops(f->arena, &ops, f, 0, 0);
    f->store.arena = f->arena;
    f->config.store = &f->store;
    if (!f->config.root_mode)
        f->config.root_mode = 0755;
    ck_assert_int_eq(tree_create(&f->tree, &f->config), 0);
    f->free_before = arena_nr_free(f->arena);
}

void fixture_stop(struct fixture *f)
{
    tree_check(f->tree);
    tree_destroy(f->tree);
    ck_assert_int_eq(fake_objects.alive, 0);
    ck_assert_uint_eq(arena_nr_free(f->arena), f->arena->nr_frames - 1);
    arena_destroy(f->arena);
}

void fixture_fill(struct fixture *f)
{
    static const size_t sizes[NR_SLAB_CLASSES] = { 32, 64, 96, 128, 192, 256,
                                                   320, 512, 1024, 2048, 0 };
    struct tree_entry entry;

    f->hoard = calloc(100000, sizeof(void *));
    f->nr_hoard = 0;
    for (unsigned c = 0; c < NR_SLAB_CLASSES; c++)
        while (f->arena->partial[c] != FRAME_NONE) {
            if (sizes[c])
                ck_assert_int_eq(arena_alloc(f->arena, sizes[c],
                                             &f->hoard[f->nr_hoard++]), 0);
            else /* nodes must be real: files without names, to the end */
                ck_assert_int_eq(tree_tmpfile(f->tree, &root_cred, TREE_ROOT, 0,
                                              true, &entry), 0);
        }
}

void fixture_drain(struct fixture *f)
{
    while (f->nr_hoard > 0)
        arena_free(f->arena, f->hoard[--f->nr_hoard]);
    free(f->hoard);
}

static uint64_t mk_node(struct fixture *f, uint64_t dir, const char *name,
                        mode_t mode)
{
    struct tree_entry entry;

    ck_assert_int_eq(tree_mknod(f->tree, &root_cred, dir, name, mode, 0, true,
                                &entry), 0);
    return entry.id;
}

uint64_t mk_file(struct fixture *f, uint64_t dir, const char *name)
{
    return mk_node(f, dir, name, S_IFREG | 0644);
}

uint64_t mk_dir(struct fixture *f, uint64_t dir, const char *name)
{
    return mk_node(f, dir, name, S_IFDIR | 0755);
}

void mk_file_cold(struct fixture *f, uint64_t dir, const char *name)
{
    tree_forget(f->tree, mk_file(f, dir, name), 1);
}

uint64_t mk_link(struct fixture *f, uint64_t id, uint64_t dir, const char *name)
{
    struct tree_entry entry;

    ck_assert_int_eq(tree_link(f->tree, id, dir, name, true, &entry), 0);
    return entry.id;
}

uint64_t mk_symlink(struct fixture *f, uint64_t dir, const char *name,
                    const char *target)
{
    struct tree_entry entry;

    ck_assert_int_eq(tree_symlink(f->tree, &root_cred, dir, name, target, true,
                                  &entry), 0);
    return entry.id;
}

int try_file(struct fixture *f, uint64_t dir, const char *name)
{
    struct tree_entry entry;

    return tree_mknod(f->tree, &root_cred, dir, name, S_IFREG | 0644, 0, true,
                      &entry);
}

int try_dir(struct fixture *f, uint64_t dir, const char *name)
{
    struct tree_entry entry;

    return tree_mknod(f->tree, &root_cred, dir, name, S_IFDIR | 0755, 0, true,
                      &entry);
}

int try_rename(struct fixture *f, uint64_t from, const char *name, uint64_t to,
               const char *to_name, unsigned flags)
{
    return tree_rename(f->tree, &root_cred, from, name, to, to_name, flags,
                       true);
}

uint64_t find(struct fixture *f, uint64_t dir, const char *name)
{
    struct tree_entry entry;

    if (tree_lookup(f->tree, dir, name, &entry) != 0)
        return 0;
    tree_forget(f->tree, entry.id, 1);
    return entry.id;
}

struct tree_attr attr_of(struct fixture *f, uint64_t id)
{
    struct tree_attr attr;

    ck_assert_int_eq(tree_getattr(f->tree, id, &attr), 0);
    return attr;
}

struct tree_stats stats_of(struct fixture *f)
{
    struct tree_stats stats;

    tree_stats(f->tree, &stats);
    return stats;
}

struct listing {
    char *text;
    size_t bytes;
};

static bool list_one(void *ctx, const char *name, uint64_t cookie,
                     const struct tree_entry *entry)
{
    struct listing *l = ctx;
    size_t at = strlen(l->text);

    (void)entry;
    if (cookie > 2) {
        ck_assert_uint_lt(at + strlen(name) + 2, l->bytes);
        sprintf(l->text + at, "%s ", name);
    }
    return true;
}

void list_dir(struct fixture *f, uint64_t dir, char *text, size_t bytes)
{
    struct listing l = { text, bytes };
    struct tree_scan scan;

    text[0] = '\0';
    ck_assert_int_eq(tree_opendir(f->tree, dir, &scan), 0);
    ck_assert_int_eq(tree_readdir(f->tree, &scan, 0, false, list_one, &l), 0);
    tree_closedir(f->tree, &scan);
}

void set_old(struct fixture *f, uint64_t id)
{
    struct tree_attr attr = { .atime = { 1000, 0 }, .mtime = { 1000, 0 },
                              .ctime = { 1000, 0 } }, result;

    ck_assert_int_eq(tree_setattr(f->tree, &root_cred, id,
                                  TREE_SET_ATIME | TREE_SET_MTIME |
                                      TREE_SET_CTIME, &attr, true, &result), 0);
}

const char *moved(struct fixture *f, uint64_t id)
{
    static char text[4][4];
    static unsigned next;
    struct tree_attr attr = attr_of(f, id);
    char *at = text[next++ % 4];

    memset(at, 0, 4);
    if (attr.atime.tv_sec != 1000)
        strcat(at, "a");
    if (attr.mtime.tv_sec != 1000)
        strcat(at, "m");
    if (attr.ctime.tv_sec != 1000)
        strcat(at, "c");
    return at;
}

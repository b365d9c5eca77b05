/* fixture.h - a tree on an arena of its own, and short forms of its calls.
 *
 * The arena's budget is the test's: `charges_left` frames of metadata may still
 * be charged before `charge_error`.
 */
#ifndef TREE_FIXTURE_H
#define TREE_FIXTURE_H

#include "fake_object.h"
#include "tree.h"
#include "unit.h"

#include <errno.h>
#include <linux/fs.h>
#include <stdio.h>
#include <string.h>

struct fixture {
    struct arena *arena;
    struct object_store store;
    struct tree *tree;
    struct tree_config config; /* set what is wanted before fixture_start */
    uint64_t ram;              /* 0: 64 MiB */
    _Atomic int64_t charges_left; /* -1: any number */
    int charge_error;
    _Atomic uint64_t waits;    /* calls of arena_wait */
    void (*on_wait)(struct fixture *f);
    void (*on_charge)(struct fixture *f);
    uint32_t free_before;      /* frames when the tree had been made */
    /* fixture_fill's */
    void **hoard;
    size_t nr_hoard;
};

extern const struct tree_cred root_cred, user_cred;

void fixture_start(struct fixture *f);
/* Checks the tree, destroys it, and sees that nothing is left. */
void fixture_stop(struct fixture *f);
/* Fills all slabs that have room: from now on the first object of any size
 * needs a new frame, and so a charge.  fixture_drain undoes it. */
void fixture_fill(struct fixture *f);
void fixture_drain(struct fixture *f);

/* They must succeed; what is made or looked up owes no forget at the end. */
uint64_t mk_file(struct fixture *f, uint64_t dir, const char *name);
uint64_t mk_dir(struct fixture *f, uint64_t dir, const char *name);
uint64_t mk_link(struct fixture *f, uint64_t id, uint64_t dir,
                 const char *name);
uint64_t mk_symlink(struct fixture *f, uint64_t dir, const char *name,
                    const char *target);
/* Without a lookup left: as the kernel has it after forgetting. */
void mk_file_cold(struct fixture *f, uint64_t dir, const char *name);

/* As the calls return. */
int try_file(struct fixture *f, uint64_t dir, const char *name);
int try_dir(struct fixture *f, uint64_t dir, const char *name);
int try_rename(struct fixture *f, uint64_t from, const char *name, uint64_t to,
               const char *to_name, unsigned flags);
/* 0 if nobody has that name; forgets at once. */
uint64_t find(struct fixture *f, uint64_t dir, const char *name);
struct tree_attr attr_of(struct fixture *f, uint64_t id);
struct tree_stats stats_of(struct fixture *f);
/* All names after "." and "..", one space behind each, in `text`. */
void list_dir(struct fixture *f, uint64_t dir, char *text, size_t bytes);
/* Sets all times to 1000 s (ctime too), to see which move. */
void set_old(struct fixture *f, uint64_t id);
/* Which of "amc" are not 1000 s, as a string of at most three letters. */
const char *moved(struct fixture *f, uint64_t id);

#endif

/* fixture.h - objects over a small pool and a swap in RAM, with shadows.
 *
 * A shadow is a plain array of what a file should hold, and a flag for each page
 * that should be charged.  The model_ functions do one operation on the file and
 * on its shadow, and compare what comes back.
 */
#ifndef TESTS_OBJECT_FIXTURE_H
#define TESTS_OBJECT_FIXTURE_H

#include "fake_swap.h"
#include "object.h"

#include "eventually.h"
#include "unit.h"

enum { FIXTURE_FILES = 8 };

struct fixture {
    struct swap *swap;
    struct object_store store;
    _Atomic uint32_t lost;     /* pages reported lost */
    /* Those that are up, as a walk over all objects meets them; and how many of
     * these it has in hand. */
    struct object *objects[FIXTURE_FILES];
    _Atomic uint32_t in_hand;
};

/* frames 0: 300; blocks 0: none.  limit in pages, 0 none. */
void fixture_up(struct fixture *f, uint32_t frames, uint32_t blocks,
                uint64_t limit);
/* Everything must have been given back. */
void fixture_down(struct fixture *f);

struct file {
    struct object *object;
    uint8_t *bytes;            /* the shadow; beyond size it is zeros */
    bool *there;               /* pages charged */
    uint64_t size, max;
};

void file_up(struct fixture *f, struct file *file, uint64_t max);
void file_down(struct fixture *f, struct file *file);

uint64_t rnd(uint64_t *state, uint64_t below);

/* Bytes of both must be equal, by reads of at most 1 MiB. */
void model_compare(struct fixture *f, struct file *file, uint64_t from,
                   uint64_t to);
/* Writes n bytes made of `value`, or zeros if that is 0; what is accepted must
 * be `n`, unless `may_be_short`.  Returns what object_write did. */
int model_write(struct fixture *f, struct file *file, uint64_t offset, size_t n,
                uint64_t value, bool may_be_short);
void model_truncate(struct fixture *f, struct file *file, uint64_t size);
/* 0, or -ENOSPC, and then nothing has changed. */
int model_fallocate(struct fixture *f, struct file *file,
                    enum object_fallocate_mode mode, uint64_t offset,
                    uint64_t length, bool keep_size);
void model_copy(struct fixture *f, struct file *from, uint64_t from_offset,
                struct file *to, uint64_t to_offset, uint64_t length);
void model_seek(struct fixture *f, struct file *file, uint64_t offset);
/* Pages charged, by the shadow and by the object, which must agree. */
uint64_t model_pages(struct fixture *f, struct file *file);

struct object_usage usage_of(struct fixture *f, struct file *file);
/* Takes frames away until no page of the file is resident. */
void swap_out(struct fixture *f, struct file *file);
struct pool_stats stats_of(struct fixture *f);

#endif

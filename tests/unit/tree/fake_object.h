/* fake_object.h - memory objects for the tests of the tree, in one buffer each.
 *
 * Behaves as object.h says, up to FAKE_OBJECT_BYTES; what lies beyond is taken
 * and forgotten.  `fail_in` counts calls that may fail down to the one that
 * returns `error`.
 */
#ifndef FAKE_OBJECT_H
#define FAKE_OBJECT_H

#include "object.h"

#define FAKE_OBJECT_BYTES (64 * 1024u)

struct fake_objects {
    _Atomic int64_t alive;     /* init minus fini */
    _Atomic int64_t fail_in;   /* 0: never */
    int error;
    void (*at_fini)(void *ctx); /* called by object_fini, if set */
    void *ctx;
    struct pool_stats pool;    /* what pool_stats tells */
};
extern struct fake_objects fake_objects;

#endif

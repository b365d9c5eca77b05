/* sizing.h - what ram=, size= and swapsize= come to, before anything is made.
 *
 * Pure arithmetic.  ram= pays for all of this (invariant 7 of the design):
 *
 *     request buffers    each max_write and a page; or those of the rings of
 *                        FUSE over io_uring, if they come to more
 *     stacks             of the front end's threads
 *     pool               its tables outside the arena
 *     arena              the rest: files' pages and all metadata
 *
 * The program itself, its libraries and their malloc, about 3 MiB, are the
 * constant that comes on top.
 *
 * Units       bytes; a `page` is 4 KiB.
 */
#ifndef FUSE_SIZING_H
#define FUSE_SIZING_H

#include "options.h"

enum { SIZING_MAX_READERS = 2 };

struct sizing {
    uint64_t ram;
    uint32_t max_write;     /* largest WRITE and READ; a power of two */
    unsigned readers, workers, buffers;
    unsigned queues, depth; /* rings and the buffers of each; 0: /dev/fuse */
    uint64_t buffer_bytes;  /* of all request buffers */
    uint64_t stack_bytes;   /* of all our threads, as far as they are touched */
    uint64_t arena_bytes;
    uint64_t arena_most;    /* what another ram=, in use, may make of it */
    uint64_t nr_inodes;     /* 0: no limit */
    uint64_t size;          /* asked for, or tmpfs's default; 0: no limit */
    uint64_t swapsize;      /* limit for a file; a device may be larger */
};

/* What there is, and what the pool says of itself. */
struct sizing_machine {
    uint64_t memory;        /* that the process may use */
    unsigned cpus;          /* threads are started for that many */
    unsigned queues;        /* that FUSE over io_uring needs; 0: not offered */
    uint64_t (*pool_bytes)(uint64_t ram); /* outside the arena */
    uint64_t (*metadata_max)(uint64_t arena_bytes); /* frames, swap's tables
                             * among them */
};

/* An explicit size= for whose bookkeeping there can be no room, wherever the data
 * are, is refused; a default one is lowered.  0, or -EINVAL and a line that names
 * the option. */
int sizing_plan(struct sizing *sizing, const struct options *options,
                const struct sizing_machine *machine,
                char message[OPTIONS_MESSAGE_BYTES]);

/* The limit for the pool, in pages (0: none): `held` is what RAM and the swap
 * limit hold, of which `ram` pages are in RAM; the host's disk has room for
 * `room` pages at this moment.  An explicit size= that does not fit is -EINVAL;
 * a default one is lowered. */
int sizing_limit(const struct sizing *sizing, const struct options *options,
                 uint64_t held, uint64_t ram, uint64_t room, uint64_t *limit,
                 char message[OPTIONS_MESSAGE_BYTES]);

#endif

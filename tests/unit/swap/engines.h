/* engines.h - an engine on a real file, and requests that can be waited for. */
#ifndef TESTS_ENGINES_H
#define TESTS_ENGINES_H

#include "io.h"

#include "places.h"

struct engine_place {
    char dir[PLACE_BYTES];
    struct swap_file file;
    struct swap_engine *engine;
};

/* File of nr_blocks, all with disk behind them. */
void engine_setup(struct engine_place *place, enum swap_engine_kind kind,
                  uint32_t nr_blocks, unsigned max_inflight);
void engine_teardown(struct engine_place *place);

/* A request with room for its pages and its result. */
struct wait_io {
    struct swap_io io;
    struct iovec iov[8];
    uint8_t *pages;        /* of the caller, page aligned */
    _Atomic uint32_t done; /* how often */
    int err;
};

/* nr pages at `pages` in as many iovecs as fit; not submitted. */
void wait_io_set(struct wait_io *w, enum swap_io_op op, uint32_t block,
                 uint32_t nr, uint8_t *pages);
/* Sleeps until it is done; checks that it is so once. */
int wait_io_result(struct wait_io *w);
/* Both in one. */
int engine_io(struct swap_engine *engine, enum swap_io_op op, uint32_t block,
              uint32_t nr, uint8_t *pages);

uint8_t *pages_alloc(uint32_t nr);
/* Fills pages so that each shows which block it is and in what version. */
void pages_mark(uint8_t *pages, uint32_t block, uint32_t nr, uint32_t version);
bool pages_are(const uint8_t *pages, uint32_t block, uint32_t nr,
               uint32_t version);

#endif

/* fake_swap_internal.h - what fake_swap.c and fake_areas.c share. */
#ifndef TESTS_FAKE_SWAP_INTERNAL_H
#define TESTS_FAKE_SWAP_INTERNAL_H

#include "fake_swap.h"

#include <pthread.h>

enum block_state { UNBACKED, FREE, USED, RETIRED };

struct fault {
    unsigned after, times;
    int err;
};

struct swap {
    struct swap_file file;
    struct arena *arena;
};

struct fake_area {
    char name[SWAP_NAME_BYTES];
    uint32_t first, nr;
    int priority;
    enum swap_area_state state;
};

struct fake {
    struct swap swap;
    uint32_t nr_blocks;  /* numbers in use, gaps between areas included */
    uint32_t capacity;   /* numbers there are */
    struct fake_area areas[SWAP_AREAS_MAX];
    unsigned nr_areas;
    uint8_t *bytes;
    uint8_t *state;      /* enum block_state of each block */
    uint16_t *writing;   /* writes in flight on each block */
    uint32_t *tables;    /* frames lent by the arena */
    uint32_t nr_tables, nr_backed, nr_free, cursor;
    pthread_t thread;
    struct mutex lock;   /* RANK_SWAP, so that callers' lock order is checked */
    struct cond changed;
    struct list queue;
    unsigned nr_queued;
    unsigned may_finish; /* held requests that were released */
    bool stop;
    struct fault read, write, grow;
    uint32_t host_room, grow_step, max_run, table_blocks;
    unsigned delay_us, seed;
    bool hold, shuffle, lends;
    void (*before_release)(void);
    struct fake_swap_counts counts;
};
extern struct fake fake;

void fake_lock(void) ACQUIRE(fake.lock);
void fake_unlock(void) RELEASE(fake.lock);
/* Aborts with the block's number. */
void fake_expect(bool good, const char *what, uint32_t block);

/* The area of a block, NULL if there is none. */
struct fake_area *fake_area_of(uint32_t block) REQUIRES(fake.lock);
bool fake_is_leaving(uint32_t block) REQUIRES(fake.lock);
/* Blocks of all areas that are not. */
uint32_t fake_nr_max(void) REQUIRES(fake.lock);

#endif

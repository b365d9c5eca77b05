/* fake_owner.h - the simplest owner of pages there can be, and a rig of arena,
 * fake swap and pool around it, for tests.
 *
 * An owner is an array of entries under one lock.  Each page holds a pattern made
 * of owner, index and a value; the value last written is kept beside it, so every
 * read checks every byte.  fake_write, fake_read and fake_drop show how a room
 * above uses the pool: charge, frame, fill, insert; pin, drop the lock, look.
 *
 * Two threads may work on one owner, but not on one page at a time (there is no
 * rangelock here).  Handles are 1..nr_owners.
 */
#ifndef TESTS_FAKE_OWNER_H
#define TESTS_FAKE_OWNER_H

#include "fake_swap.h"
#include "pool.h"

#include "eventually.h"

enum fake_kind { FAKE_HOLE, FAKE_FRAME, FAKE_BLOCK, FAKE_LOST };

struct fake_entry {
    enum fake_kind kind; /* (lock) */
    uint32_t number;     /* (lock) frame or block */
    uint32_t value;      /* what was written last; the page's user */
};

struct fake_owner {
    struct mutex lock;   /* RANK_OBJECT */
    _Atomic int inflight;
    struct fake_entry *entries;
};

struct rig {
    struct arena *arena;
    struct swap *swap;
    struct pool *pool;
    struct fake_owner *owners;
    uint32_t nr_owners;
    uint64_t nr_pages;   /* each */
    _Atomic uint32_t lost;
    _Atomic uint32_t settled; /* calls of pins_settle */
    bool reads_itself;   /* pages that are waited for, by pool_io_run */
};

struct rig_config {
    uint32_t frames, blocks;  /* blocks 0: no swap */
    uint32_t frames_most;     /* less than frames: the same */
    uint64_t limit;
    uint32_t owners;          /* 0 means 1 */
    uint64_t pages;           /* of each owner */
    const char *replacement;
    bool stopped;             /* do not start the pool's threads */
    bool quiet;               /* as if pageout had long done nothing: blocks that
                               * are not needed are trimmed at once */
};

extern const struct pool_ops fake_owner_ops;

/* The arena's budget for so many frames. */
static inline uint64_t rig_bytes(uint32_t frames)
{
    return (uint64_t)(frames + 1) * (PAGE_SIZE + sizeof(struct frame));
}

void rig_up(struct rig *rig, const struct rig_config *config);
/* Drops every page, and checks that everything has come back. */
void rig_down(struct rig *rig);

/* A whole page.  0, -ENOSPC, or (without wait) -EAGAIN. */
int fake_write(struct rig *rig, uint32_t owner, uint64_t index, uint32_t value,
               bool wait);
/* Checks every byte; 0, -EIO if the page is lost, (without wait) -EAGAIN.
 * Reads what lies on swap in runs of up to `run` pages. */
int fake_read(struct rig *rig, uint32_t owner, uint64_t index, uint32_t run,
              bool wait);
/* Asks for pages on swap from `first` on, without waiting; returns how many. */
uint32_t fake_read_ahead(struct rig *rig, uint32_t owner, uint64_t first,
                         uint32_t nr);
void fake_drop(struct rig *rig, uint32_t owner, uint64_t index);

/* The entry as it is now, and the page's state (PAGE_NONE if not resident). */
struct fake_entry fake_entry(struct rig *rig, uint32_t owner, uint64_t index);
enum page_state fake_state(struct rig *rig, uint32_t owner, uint64_t index);
/* Pins a resident page and returns its frame; FRAME_NONE if it is not. */
uint32_t fake_pin(struct rig *rig, uint32_t owner, uint64_t index);
/* As the pageout thread would, with this page as victim: starts writing it and
 * its neighbours.  What pageout_cluster returned. */
int fake_pageout(struct rig *rig, uint32_t owner, uint64_t index);
/* fake_pageout, and waits: afterwards the page is on swap, or (`stay`) resident
 * and CLEAN. */
void fake_clean(struct rig *rig, uint32_t owner, uint64_t index, bool stay);
/* Writes pages 0.. of owner 1 until the next would not be charged; how many. */
uint64_t fake_fill(struct rig *rig, uint32_t owner, uint32_t value);

#endif

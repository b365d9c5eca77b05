/* arena.h - all memory of a mount: one address range, cut into frames.
 *
 * A frame is 4 KiB.  It is FREE, a PAGE (lent whole to a room above: file data in
 * the pool, tables in swap), a SLAB (cut into small objects of one class), NODES (a
 * slab of the class SLAB_NODE) or RAW (one whole frame of metadata).  Every frame has
 * a 32-byte `struct frame` in a table; the pool lays its own `struct page` over the
 * entry of a PAGE.
 *
 *     FREE --arena_frame_alloc--> PAGE --arena_frame_free--> FREE
 *     FREE --arena_alloc--> SLAB/NODES/RAW --arena_free of the last object--> FREE
 *
 * Invariants
 *   A1  frames that are not FREE never exceed nr_frames - nr_withheld: memory in
 *       use is bounded by construction (invariant 7 of the design).
 *   A2  a SLAB, NODES or RAW frame has been charged through ops->charge, and is
 *       uncharged when it becomes FREE; an empty slab is FREE at once.
 *   A3  arena_alloc returns zeroed memory (invariant 4).
 *   A4  frame 0 is RAW, read-only and all zeros for ever: what holes are read from.
 *   A5  the arena holds nothing the kernel knows: no fd, thread or function.
 *   A6  memory that is owed has been charged: of each class, objects handed out
 *       and owed never exceed what its frames and its frames owed can hold.
 *   A7  nr_warm <= nr_free: of the FREE frames, so many have no memory as are
 *       withheld.  Which ones these are nobody needs to know.
 *
 * Ownership   who allocates, frees.  Pointers into the arena stay valid and
 *             equal for the life of the mount; a handle is the compact form.
 * Locking     locks inside (RANK_ARENA); ops are called with no arena lock held.
 *             Nothing here waits, but arena_wait.
 * Units       frames, bytes where the name says so; handles in 32 bytes.
 * Errors      -EAGAIN no frame is free at this moment (arena_wait, then again),
 *             -ENOSPC the metadata may not grow (limits reached).
 */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include "bits.h"
#include "list.h"
#include "lock.h"

#define FRAME_NONE UINT32_MAX
#define HANDLE_SHIFT 5
#define HANDLE_NONE 0u
#define FRAME_ZERO 0u
/* Handles reach 2^32 * 32 bytes. */
#define ARENA_MAX_BYTES ((uint64_t)1 << (32 + HANDLE_SHIFT))

enum frame_kind { FRAME_FREE, FRAME_PAGE, FRAME_SLAB, FRAME_NODES, FRAME_RAW };

/* Size classes of arena_alloc; the typed class lets its owner check a handle
 * that came from outside. */
enum slab_class {
    SLAB_32, SLAB_64, SLAB_96, SLAB_128, SLAB_192, SLAB_256, SLAB_320,
    SLAB_512, SLAB_1024, SLAB_2048,
    SLAB_NODE,
    NR_SLAB_CLASSES
};
#define SLAB_NODE_SIZE 160u

/* The table entry of a frame.  The first byte is the kind for all kinds. */
struct frame {
    _Atomic uint8_t kind; /* enum frame_kind; written under (a), read by anyone */
    uint8_t slab_class; /* SLAB, NODES (a) */
    uint16_t used;      /* SLAB: objects allocated (a) */
    uint32_t next;      /* FREE: next on its list; SLAB: partial list (a) */
    uint32_t prev;      /* SLAB: partial list (a) */
    uint16_t free_head; /* SLAB: first free object + 1, 0 none (a) */
    uint16_t fresh;     /* SLAB: objects from here on were never handed out (a) */
    uint32_t live[4];   /* SLAB: bitmap of allocated objects (a) */
};                      /* (a) arena lock */
_Static_assert(sizeof(struct frame) == 32, "a frame costs 32 bytes");

/* How the arena reaches the room that keeps the budget.  All may be called
 * from any thread with any lock before RANK_BUDGET held, except `wait`. */
struct arena_ops {
    /* One frame of metadata is about to be used: 0 or -ENOSPC, -EAGAIN. */
    int (*charge)(void *ctx);
    void (*uncharge)(void *ctx);
    /* Free frames have fallen to the low mark; must not block. */
    void (*low)(void *ctx);
    /* Sleep until a frame may be had.  No lock held. */
    void (*wait)(void *ctx);
};

struct arena {
    uint8_t *base;          /* (c) first frame; page aligned */
    struct frame *table;    /* (c) nr_frames entries */
    uint32_t nr_frames;     /* (c) of the range, withheld ones included */
    uint32_t nr_mapped;     /* frames that can be touched; written under lock by
                             * arena_yield, which alone reads it without */
    _Atomic uint64_t *touched; /* a bit a frame (arena_copy.h); anyone writes it */
    bool touch_is_dear;     /* (c) the first touch costs, even where memory is */
    _Atomic bool copies_itself; /* the kernel was asked to, and would not */
    const struct arena_ops *ops; /* (c) after arena_set_ops */
    void *ops_ctx;          /* (c) */
    struct mutex lock;      /* protects everything below */
    uint32_t free_head;     /* frames given back */
    _Atomic uint32_t nr_warm; /* of these; written under lock, read by anyone */
    uint32_t least_warm;    /* of nr_warm, since arena_idle */
    uint32_t trimmed_head;  /* the same, whose memory the kernel has */
    _Atomic uint32_t fresh; /* frames from here on were never used; the same */
    uint32_t nr_warming;    /* FREE, but in the hands of arena_warm */
    _Atomic uint32_t nr_free; /* FREE and not withheld; the same */
    _Atomic uint32_t nr_withheld; /* FREE, but not to be had; the same */
    uint32_t low_mark;      /* ops->low is called when nr_free falls to it */
    uint32_t reserve;       /* metadata leaves this many frames free */
    uint32_t partial[NR_SLAB_CLASSES]; /* frames with a free object */
    uint32_t nr_slab_frames;
    uint32_t nr_raw_frames;
    uint64_t nr_objects[NR_SLAB_CLASSES];
    uint32_t nr_class_frames[NR_SLAB_CLASSES]; /* their sum: nr_slab_frames */
    uint32_t nr_owed_frames[NR_SLAB_CLASSES]; /* charged, but not taken now */
    uint64_t nr_owed[NR_SLAB_CLASSES];        /* objects owed (A6) */
};                          /* (c) constant after creation */

/* Budget in bytes: frames and their table together fit in it.  -EINVAL below
 * 64 frames or above ARENA_MAX_BYTES, -ENOMEM if the range cannot be had. */
int arena_create(struct arena **arena, uint64_t bytes);
/* The same, with a range of addresses for `most` bytes, or as many as `bytes` if
 * the system does not have them: the frames beyond are withheld. */
int arena_create_range(struct arena **arena, uint64_t bytes, uint64_t most);
/* Everything must have been freed (debug builds check it). */
void arena_destroy(struct arena *arena);
void arena_set_ops(struct arena *arena, const struct arena_ops *ops, void *ctx,
                   uint32_t low_mark, uint32_t reserve);

/* --- the budget of an arena in use (arena_size.c); one thread at a time ------- */

/* Frames that are not withheld. */
static inline uint32_t arena_nr_frames(const struct arena *arena)
{
    return arena->nr_frames - atomic_load_explicit(&arena->nr_withheld,
                                                   memory_order_relaxed);
}
/* Frames from this one on were never used; their entries are not to be read. */
uint32_t arena_nr_touched(struct arena *arena);
/* How many frames a budget in bytes comes to now, and the budget for so many: the
 * entries of all that were ever used stay in memory. */
uint64_t arena_frames_for(struct arena *arena, uint64_t bytes);
uint64_t arena_bytes_for(struct arena *arena, uint32_t frames);
/* nr frames less, whose memory the kernel has got back, if then `floor` are still
 * free; else false. */
bool arena_withhold(struct arena *arena, uint32_t nr, uint32_t floor);
/* nr of the withheld frames more; -ENOMEM: the system does not allow it. */
int arena_yield(struct arena *arena, uint32_t nr);
/* Another low_mark of arena_set_ops. */
void arena_set_low(struct arena *arena, uint32_t low_mark);

/* A whole frame for the pool; contents undefined.  FRAME_NONE if at most
 * `floor` frames are free.  The caller has charged it. */
uint32_t arena_frame_alloc(struct arena *arena, uint32_t floor);
void arena_frame_free(struct arena *arena, uint32_t frame);
/* The same for nr frames in one breath: all of them, or none and false if that
 * would leave fewer than `floor` free. */
bool arena_frames_alloc(struct arena *arena, uint32_t nr, uint32_t floor,
                        uint32_t *frames);
void arena_frames_free(struct arena *arena, uint32_t nr, const uint32_t *frames);

static inline void *arena_frame_ptr(const struct arena *arena, uint32_t frame)
{
    return arena->base + ((size_t)frame << PAGE_SHIFT);
}

static inline uint32_t arena_frame_of(const struct arena *arena, const void *ptr)
{
    return (uint32_t)((size_t)((const uint8_t *)ptr - arena->base) >> PAGE_SHIFT);
}

static inline uint32_t arena_nr_free(struct arena *arena)
{
    return atomic_load_explicit(&arena->nr_free, memory_order_relaxed);
}

/* Zeroed metadata of 1..4096 bytes. */
int arena_alloc(struct arena *arena, size_t bytes, void **out);
/* The same from the typed class SLAB_NODE (SLAB_NODE_SIZE bytes). */
int arena_alloc_node(struct arena *arena, void **out);
void arena_free(struct arena *arena, void *ptr);
/* Frames of metadata, those owed included: as many as have been charged, but for
 * charges under way. */
uint64_t arena_nr_metadata(struct arena *arena);
/* Bytes really used by an object of `bytes`: its size class. */
size_t arena_object_size(size_t bytes);

/* Objects that may be had again for sure: what is owed stays charged, though it
 * takes no memory.  bytes: of one object, at most 2048.
 *
 * Frees an object and owes it; never fails. */
void arena_free_owed(struct arena *arena, void *ptr);
/* Takes an object that is owed: 0 or -EAGAIN, never -ENOSPC. */
int arena_alloc_owed(struct arena *arena, size_t bytes, void **out);
/* Owes `nr` more: 0, or what ops->charge returned. */
int arena_owe(struct arena *arena, size_t bytes, uint32_t nr);
/* Owes `nr` less. */
void arena_forgive(struct arena *arena, size_t bytes, uint32_t nr);

/* Blocks until a frame may be had: the answer to -EAGAIN.  No lock held. */
void arena_wait(struct arena *arena);

/* Handle 0 is "none" and maps to NULL. */
static inline void *arena_ptr(const struct arena *arena, uint32_t handle)
{
    return handle == HANDLE_NONE
               ? (void *)0
               : arena->base + ((size_t)handle << HANDLE_SHIFT);
}

static inline uint32_t arena_handle(const struct arena *arena, const void *ptr)
{
    return ptr == (void *)0
               ? HANDLE_NONE
               : (uint32_t)((size_t)((const uint8_t *)ptr - arena->base) >>
                            HANDLE_SHIFT);
}

/* True if the handle is that of a live object of class SLAB_NODE: a handle
 * that came from outside may be anything.  Takes no lock: the caller sees to it
 * that meanwhile no object of that class is allocated or freed. */
bool arena_handle_is_node(struct arena *arena, uint32_t handle);
/* The first live object of class SLAB_NODE behind `handle` (HANDLE_NONE: of
 * all), HANDLE_NONE if there is none: how an owner finds all of its own. */
uint32_t arena_node_next(struct arena *arena, uint32_t handle);

/* Free frames whose memory the kernel has not got back. */
static inline uint32_t arena_nr_warm(struct arena *arena)
{
    return atomic_load_explicit(&arena->nr_warm, memory_order_relaxed);
}
/* The fewest of them that there were since the last call: nobody needs those. */
uint32_t arena_idle(struct arena *arena);
/* Gives the memory of free frames back to the kernel, at most `max` frames, those
 * freed last; returns how many. */
uint32_t arena_trim(struct arena *arena, uint32_t max);
/* Puts memory behind free frames that have none, as long as more than `floor` are
 * free besides: how many, of at most `max` and 64. */
uint32_t arena_warm(struct arena *arena, uint32_t max, uint32_t floor);

/* Debug builds: walks the table and aborts on any contradiction. */
void arena_check(struct arena *arena);

#endif

/* ghost.c - fingerprints of evicted pages, with the epoch of their eviction.
 *
 * An epoch is a 64th of the window, so a page is remembered for 64 epochs.  The
 * counter of epochs wraps after 65536: a slot that nobody overwrote in 1024
 * windows would look young again, which is one wrong hint.
 */
#include "ghost.h"

#include <errno.h>
#include <sys/mman.h>

enum { WAYS = 8, EPOCHS = 64 };

/* A third more slots than pages to remember: buckets fill unevenly. */
static uint64_t nr_buckets(uint32_t window)
{
    uint64_t want = window / 6 + 1;

    return is_pow2(want) ? want : (uint64_t)2 << bit_highest(want);
}

uint64_t ghost_bytes(uint32_t window)
{
    return nr_buckets(window) * WAYS * sizeof(uint32_t);
}

int ghost_init(struct ghost *ghost, uint32_t window)
{
    void *slots = mmap(NULL, ghost_bytes(window), PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    if (slots == MAP_FAILED)
        return -ENOMEM;
    *ghost = (struct ghost){
        .slots = slots,
        .mask = nr_buckets(window) - 1,
        .epoch_size = window / EPOCHS + 1,
        .epoch = EPOCHS,
    };
    return 0;
}

void ghost_fini(struct ghost *ghost)
{
    munmap(ghost->slots, (ghost->mask + 1) * WAYS * sizeof(uint32_t));
}

/* The finalizer of MurmurHash3: every bit of the key moves every other. */
static uint64_t mix(uint32_t owner, uint64_t index)
{
    uint64_t h = index ^ ((uint64_t)owner << 32 | owner);

    h = (h ^ (h >> 33)) * 0xff51afd7ed558ccdu;
    h = (h ^ (h >> 33)) * 0xc4ceb9fe1a85ec53u;
    return h ^ (h >> 33);
}

static uint16_t age(const struct ghost *ghost, uint32_t slot)
{
    return (uint16_t)(ghost->epoch - (uint16_t)slot);
}

/* Fingerprints are never 0, so that an empty slot matches nothing. */
static uint32_t fingerprint(uint64_t hash)
{
    uint32_t print = (uint32_t)(hash >> 48);

    return print == 0 ? 1 : print;
}

void ghost_add(struct ghost *ghost, uint32_t owner, uint64_t index)
{
    uint64_t hash = mix(owner, index);
    uint32_t *bucket = ghost->slots + (hash & ghost->mask) * WAYS;
    uint32_t *oldest = bucket;

    ghost->used = true;
    for (uint32_t *slot = bucket; slot < bucket + WAYS; slot++) {
        if (*slot == 0) {
            oldest = slot;
            break;
        }
        if (age(ghost, *slot) > age(ghost, *oldest))
            oldest = slot;
    }
    *oldest = fingerprint(hash) << 16 | ghost->epoch;
    if (++ghost->in_epoch >= ghost->epoch_size) {
        ghost->in_epoch = 0;
        ghost->epoch++;
    }
}

bool ghost_take(struct ghost *ghost, uint32_t owner, uint64_t index)
{
    uint64_t hash = mix(owner, index);
    uint32_t *bucket = ghost->slots + (hash & ghost->mask) * WAYS;

    if (!ghost->used)
        return false;
    for (uint32_t *slot = bucket; slot < bucket + WAYS; slot++) {
        if (*slot >> 16 != fingerprint(hash) || age(ghost, *slot) > EPOCHS)
            continue;
        *slot = 0;
        return true;
    }
    return false;
}

/* hash.c - all names of the mount, found by directory and name.
 *
 * One table for all directories, so that an empty directory costs nothing and
 * a huge one is found in as quickly as a small one.  It grows by linear hashing
 * (Litwin, 1980): never by a big array copied at once, but by one bucket for
 * every other entry that comes,
 *
 *     buckets 0 .. n-1 exist, 2^k <= n < 2^(k+1)
 *     a hash lives in bucket (hash mod 2^(k+1)), or if that does not exist
 *     yet, in (hash mod 2^k)
 *     growing makes bucket n, and moves into it what is its own from n - 2^k
 *     shrinking moves bucket n - 1 back and is the same backwards
 *
 * so no call ever pauses for the table.  Buckets are heads of chains, 1024 in a
 * frame; frames are named in frames of 1024 and those in the tree.
 *
 *     H1  entries <= 2 buckets, unless there was no frame to grow into (chains
 *         are longer then, and the next insertion tries again);
 *     H2  buckets <= entries + 1, or the 1024 of an empty table: what grew is
 *         given back, and a tree emptied is as small as a new one.
 *
 * The hash is SipHash-1-3 with a key of this mount: names come from anybody,
 * and nobody shall be able to choose ones that fall into one chain.
 */
#include "tree_internal.h"

#include "log.h"

#include <errno.h>
#include <string.h>

enum { MIN_BUCKETS = BUCKETS, FULL = 2 };
#define MAX_BUCKETS ((uint32_t)1 << (3 * BUCKETS_SHIFT))

static uint64_t rotl(uint64_t x, int b)
{
    return x << b | x >> (64 - b);
}

static void sip_round(uint64_t v[4])
{
    v[0] += v[1];
    v[1] = rotl(v[1], 13) ^ v[0];
    v[0] = rotl(v[0], 32);
    v[2] += v[3];
    v[3] = rotl(v[3], 16) ^ v[2];
    v[0] += v[3];
    v[3] = rotl(v[3], 21) ^ v[0];
    v[2] += v[1];
    v[1] = rotl(v[1], 17) ^ v[2];
    v[2] = rotl(v[2], 32);
}

static void sip_word(uint64_t v[4], uint64_t word)
{
    v[3] ^= word;
    sip_round(v);
    v[0] ^= word;
}

uint32_t hash_name(const struct tree *tree, uint32_t parent, const char *name)
{
    const uint64_t *key = tree->hash_key;
    uint64_t v[4] = {
        key[0] ^ 0x736f6d6570736575, key[1] ^ 0x646f72616e646f6d,
        key[0] ^ 0x6c7967656e657261, key[1] ^ 0x7465646279746573,
    };
    size_t length = strlen(name), at = 0;
    uint64_t word;

    sip_word(v, parent);
    for (; length - at >= sizeof(word); at += sizeof(word)) {
        memcpy(&word, name + at, sizeof(word));
        sip_word(v, word);
    }
    word = (uint64_t)length << 56;
    memcpy(&word, name + at, length - at);
    sip_word(v, word);
    v[2] ^= 0xff;
    for (int i = 0; i < 3; i++)
        sip_round(v);
    word = v[0] ^ v[1] ^ v[2] ^ v[3];
    return (uint32_t)(word ^ word >> 32);
}

static uint32_t *bucket(struct tree *tree, uint32_t b) REQUIRES_SHARED(tree->lock)
{
    const uint32_t *frames = arena_ptr(
        tree->arena, tree->buckets[b >> 2 * BUCKETS_SHIFT]);
    uint32_t *heads = arena_ptr(
        tree->arena, frames[b >> BUCKETS_SHIFT & (BUCKETS - 1)]);

    return &heads[b & (BUCKETS - 1)];
}

/* The bucket of which `b`, the last there is or the next to be, is a part. */
static uint32_t buddy(uint32_t b)
{
    return b ^ (uint32_t)1 << bit_highest(b);
}

static uint32_t *bucket_of(struct tree *tree, uint32_t hash)
    REQUIRES_SHARED(tree->lock)
{
    uint32_t low = ((uint32_t)1 << bit_highest(tree->nr_buckets)) - 1;
    uint32_t b = hash & (2 * low + 1);

    return bucket(tree, b < tree->nr_buckets ? b : b & low);
}

/* Memory for buckets b .. b + 1023, all empty. */
static int frame_add(struct tree *tree, uint32_t b)
{
    uint32_t *top = &tree->buckets[b >> 2 * BUCKETS_SHIFT];
    bool first = *top == HANDLE_NONE;
    void *heads, *frames;
    int err;

    err = arena_alloc(tree->arena, PAGE_SIZE, &heads);
    if (err)
        return err;
    if (first) {
        err = arena_alloc(tree->arena, PAGE_SIZE, &frames);
        if (err)
            goto free_heads;
        *top = handle_of(tree, frames);
    }
    frames = arena_ptr(tree->arena, *top);
    ((uint32_t *)frames)[b >> BUCKETS_SHIFT & (BUCKETS - 1)] =
        handle_of(tree, heads);
    return 0;

free_heads:
    arena_free(tree->arena, heads);
    return err;
}

/* The reverse: b is the first bucket of its frame, and not in use any more. */
static void frame_del(struct tree *tree, uint32_t b)
{
    uint32_t *top = &tree->buckets[b >> 2 * BUCKETS_SHIFT];
    uint32_t *frames = arena_ptr(tree->arena, *top);
    uint32_t i = b >> BUCKETS_SHIFT & (BUCKETS - 1);

    arena_free(tree->arena, arena_ptr(tree->arena, frames[i]));
    frames[i] = HANDLE_NONE;
    if (i == 0) {
        arena_free(tree->arena, frames);
        *top = HANDLE_NONE;
    }
}

int hash_init(struct tree *tree)
{
    int err = frame_add(tree, 0);

    if (!err)
        tree->nr_buckets = MIN_BUCKETS;
    return err;
}

void hash_fini(struct tree *tree)
{
    INVARIANT("H2", tree->nr_buckets == MIN_BUCKETS);
    frame_del(tree, 0);
}

static void split(struct tree *tree) REQUIRES(tree->lock)
{
    uint32_t b = tree->nr_buckets, bit = (uint32_t)1 << bit_highest(b);
    uint32_t *from, *to, h;

    if (b % BUCKETS == 0 && frame_add(tree, b) != 0)
        return;
    from = bucket(tree, buddy(b));
    to = bucket(tree, b);
    h = *from;
    *from = HANDLE_NONE;
    while (h != HANDLE_NONE) {
        struct dentry *dentry = dentry_at(tree, h);
        uint32_t *head = dentry->hash & bit ? to : from;
        uint32_t next = dentry->next;

        dentry->next = *head;
        *head = h;
        h = next;
    }
    tree->nr_buckets++;
}

static void join(struct tree *tree) REQUIRES(tree->lock)
{
    uint32_t b = tree->nr_buckets - 1;
    uint32_t *end = bucket(tree, buddy(b));

    while (*end != HANDLE_NONE)
        end = &dentry_at(tree, *end)->next;
    *end = *bucket(tree, b);
    *bucket(tree, b) = HANDLE_NONE;
    tree->nr_buckets--;
    if (b % BUCKETS == 0)
        frame_del(tree, b);
}

/* One step up for an entry more is enough, H1 asking for half a bucket each; as
 * is one down for an entry less. */
void hash_balance(struct tree *tree)
{
    uint64_t entries = tree->stats.entries;

    if (entries > (uint64_t)FULL * tree->nr_buckets &&
        tree->nr_buckets < MAX_BUCKETS)
        split(tree);
    if (tree->nr_buckets > MIN_BUCKETS && entries + 1 < tree->nr_buckets)
        join(tree);
    INVARIANT("H2", tree->nr_buckets == MIN_BUCKETS ||
                        tree->nr_buckets <= entries + 1);
}

struct dentry *hash_find(struct tree *tree, uint32_t parent, const char *name)
{
    uint32_t hash = hash_name(tree, parent, name);
    uint32_t h = *bucket_of(tree, hash);

    while (h != HANDLE_NONE) {
        struct dentry *dentry = dentry_at(tree, h);

        if (dentry->hash == hash && dentry->parent == parent &&
            strcmp(dentry->name, name) == 0)
            return dentry;
        h = dentry->next;
    }
    return NULL;
}

void hash_add(struct tree *tree, struct dentry *dentry)
{
    uint32_t *head;

    dentry->hash = hash_name(tree, dentry->parent, dentry->name);
    head = bucket_of(tree, dentry->hash);
    dentry->next = *head;
    *head = handle_of(tree, dentry);
}

void hash_del(struct tree *tree, struct dentry *dentry)
{
    uint32_t h = handle_of(tree, dentry);
    uint32_t *link = bucket_of(tree, dentry->hash);

    while (*link != h) {
        INVARIANT("T3", *link != HANDLE_NONE);
        link = &dentry_at(tree, *link)->next;
    }
    *link = dentry->next;
    dentry->next = HANDLE_NONE;
}

struct dentry *hash_bucket(struct tree *tree, uint32_t b)
{
    return dentry_at(tree, *bucket(tree, b));
}

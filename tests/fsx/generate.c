/* generate.c - chooses operations: which, where and how long.
 *
 * Pure but for the probe: the choice follows from the seed, the options, the
 * size of the file and what the file system has, so the same seed on the same
 * kind of file system gives the same operations.
 *
 * Offsets are uniform, with a bias for the places where file systems go wrong:
 * multiples of a page and the end of the file.
 */
#include "fsx.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* How often an operation is chosen, relative to the others. */
static const unsigned weights[NR_OPS] = {
    [OP_READ] = 12, [OP_WRITE] = 12, [OP_MAPREAD] = 6, [OP_MAPWRITE] = 10,
    [OP_TRUNCATE] = 8, [OP_APPEND] = 4, [OP_FALLOCATE] = 4,
    [OP_PUNCH_HOLE] = 5, [OP_ZERO_RANGE] = 4, [OP_COPY_RANGE] = 5,
    [OP_FSYNC] = 1, [OP_REOPEN] = 2, [OP_INVALIDATE] = 6, [OP_SEEK] = 2,
};

/* splitmix64 */
uint64_t random_below(struct fsx *x, uint64_t bound)
{
    uint64_t r = x->rng += 0x9e3779b97f4a7c15u;

    r = (r ^ r >> 30) * 0xbf58476d1ce4e5b9u;
    r = (r ^ r >> 27) * 0x94d049bb133111ebu;
    return (r ^ r >> 31) % bound;
}

static bool one_in(struct fsx *x, uint64_t n)
{
    return n != 0 && random_below(x, n) == 0;
}

static void probe(struct fsx *x, enum op_kind kind, bool keep_size, int error)
{
    if (error == 0)
        return;
    if (error != EOPNOTSUPP && error != ENOSYS && error != EINVAL)
        fail(x, error, "%s: probe", op_names[kind]);
    if (!keep_size)
        x->unsupported[kind] = true;
    x->no_keep_size[kind] = true;
    if (!x->opt.quiet && x->replay == NULL)
        printf("fsx: %s%s: %s, turned off\n", op_names[kind],
               keep_size ? " with keep_size" : "", strerror(error));
}

static int try_fallocate(const struct fsx *x, int mode)
{
    return fallocate(x->fd, mode, 0, 1) == 0 ? 0 : errno;
}

static void probe_fallocate(struct fsx *x)
{
    if (!x->opt.disabled[OP_FALLOCATE]) {
        probe(x, OP_FALLOCATE, false, try_fallocate(x, 0));
        if (!x->unsupported[OP_FALLOCATE])
            probe(x, OP_FALLOCATE, true,
                  try_fallocate(x, FALLOC_FL_KEEP_SIZE));
    }
    if (!x->opt.disabled[OP_PUNCH_HOLE])
        probe(x, OP_PUNCH_HOLE, false,
              try_fallocate(x, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE));
    if (!x->opt.disabled[OP_ZERO_RANGE]) {
        probe(x, OP_ZERO_RANGE, false, try_fallocate(x, FALLOC_FL_ZERO_RANGE));
        if (!x->unsupported[OP_ZERO_RANGE])
            probe(x, OP_ZERO_RANGE, true,
                  try_fallocate(x, FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE));
    }
}

void probe_operations(struct fsx *x)
{
    off_t from = 0, to = 1;

    if (ftruncate(x->fd, 2) != 0)
        fail(x, errno, "ftruncate: probe");
    probe_fallocate(x);
    if (!x->opt.disabled[OP_COPY_RANGE])
        probe(x, OP_COPY_RANGE, false,
              copy_file_range(x->fd, &from, x->fd, &to, 1, 0) == 1 ? 0 : errno);
    if (ftruncate(x->fd, 0) != 0)
        fail(x, errno, "ftruncate: probe");
}

/* An offset in [0, bound), bound > 0. */
static uint64_t random_offset(struct fsx *x, uint64_t bound)
{
    uint64_t offset = random_below(x, bound);

    switch (random_below(x, 8)) {
    case 0:
    case 1:
        return offset / x->page * x->page;
    case 2: /* within a page of the end of the file, if that is below bound */
        offset = x->size + random_below(x, x->page);
        offset -= offset < x->page ? offset : random_below(x, x->page);
        return offset < bound ? offset : bound - 1;
    default:
        return offset;
    }
}

static uint64_t random_length(struct fsx *x, uint64_t offset)
{
    uint64_t room = x->opt.max_size - offset;

    return 1 + random_below(x, room < x->opt.max_op ? room : x->opt.max_op);
}

/* Rounds offset and length to align; false if nothing is left. */
static bool align_range(struct op *op, uint64_t align, uint64_t max_size)
{
    op->offset -= op->offset % align;
    if (op->length % align != 0)
        op->length += align - op->length % align;
    if (op->offset + op->length > max_size)
        op->length -= align;
    return op->length > 0;
}

static bool aim_read(struct fsx *x, struct op *op, bool mapped)
{
    if (x->size == 0)
        return false;
    op->offset = random_offset(x, x->size);
    op->offset -= op->offset % x->opt.read_align;
    op->length = random_length(x, op->offset);
    if (!mapped && one_in(x, x->opt.direct_one_in)) {
        op->flags |= OP_DIRECT;
        return align_range(op, DIRECT_ALIGN, x->opt.max_size);
    }
    /* One plain read in eight may reach over the end, and must be short. */
    if ((mapped || !one_in(x, 8)) && op->offset + op->length > x->size)
        op->length = x->size - op->offset;
    if (mapped && one_in(x, 4))
        op->flags |= OP_PRIVATE;
    return true;
}

static bool aim_write(struct fsx *x, struct op *op)
{
    op->offset = random_offset(x, x->opt.max_size);
    op->offset -= op->offset % x->opt.write_align;
    op->length = random_length(x, op->offset);
    if (op->kind == OP_WRITE && one_in(x, x->opt.direct_one_in)) {
        op->flags |= OP_DIRECT;
        return align_range(op, DIRECT_ALIGN, x->opt.max_size);
    }
    if (op->kind == OP_MAPWRITE && one_in(x, 2))
        op->flags |= OP_MSYNC;
    return true;
}

static bool aim_append(struct fsx *x, struct op *op)
{
    if (x->size == x->opt.max_size)
        return false;
    op->offset = x->size;
    op->length = random_length(x, op->offset);
    return true;
}

static bool aim_truncate(struct fsx *x, struct op *op)
{
    op->offset = 0;
    op->length = random_offset(x, x->opt.max_size + 1);
    op->length -= op->length % x->opt.truncate_align;
    return op->length != x->size;
}

static bool aim_fallocate(struct fsx *x, struct op *op)
{
    op->offset = random_offset(x, x->opt.max_size);
    op->length = random_length(x, op->offset);
    if (op->kind != OP_PUNCH_HOLE && !x->no_keep_size[op->kind] && one_in(x, 2))
        op->flags |= OP_KEEP_SIZE;
    return true;
}

static bool aim_copy(struct fsx *x, struct op *op)
{
    if (x->size == 0)
        return false;
    op->offset = random_offset(x, x->size);
    op->length = random_length(x, op->offset);
    if (op->length > x->size - op->offset)
        op->length = x->size - op->offset;
    op->to = random_offset(x, x->opt.max_size);
    if (op->to + op->length > x->opt.max_size)
        op->length = x->opt.max_size - op->to;
    return op->to + op->length <= op->offset ||
           op->offset + op->length <= op->to;
}

static bool aim(struct fsx *x, struct op *op)
{
    switch (op->kind) {
    case OP_READ:
    case OP_MAPREAD:
        return aim_read(x, op, op->kind == OP_MAPREAD);
    case OP_WRITE:
    case OP_MAPWRITE:
        return aim_write(x, op);
    case OP_TRUNCATE:
        return aim_truncate(x, op);
    case OP_APPEND:
        return aim_append(x, op);
    case OP_FALLOCATE:
    case OP_PUNCH_HOLE:
    case OP_ZERO_RANGE:
        return aim_fallocate(x, op);
    case OP_COPY_RANGE:
        return aim_copy(x, op);
    default:
        return true;
    }
}

void generate(struct fsx *x, struct op *op)
{
    unsigned total = 0;

    for (int kind = 0; kind < NR_OPS; kind++)
        total += weights[kind];
    do {
        uint64_t pick = random_below(x, total);
        int kind = 0;

        for (; pick >= weights[kind]; kind++)
            pick -= weights[kind];
        *op = (struct op){ .kind = (enum op_kind)kind };
    } while (x->opt.disabled[op->kind] || x->unsupported[op->kind] ||
             !aim(x, op));
    if (x->opt.pollute && x->size % x->page != 0 && one_in(x, 2))
        op->flags |= OP_POLLUTE;
}

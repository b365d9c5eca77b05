/* log.c - the operations done so far, for the report.
 *
 * A ring keeps the newest few thousand.  A line shows what the operation did
 * and, once a wrong byte is known, a mark on each line that touched it:
 *
 *     1(1 mod 256): WRITE     0x1f000 thru 0x21d28    (0x2d29 bytes) HOLE ***WWWW
 *     9(9 mod 256): TRUNCATE UP       from 0x21d29 to 0x32000
 *
 * HOLE: began beyond the end of the file and left one; EXTEND: grew the file.
 * The operation that saw the wrong byte is the last one, marked ***RRRR***.
 */
#include "fsx.h"

#include <stdlib.h>
#include <string.h>

void log_op(struct fsx *x, const struct op *op)
{
    x->log[(x->nr_done - 1) % LOG_ENTRIES] = *op;
}

static bool touches(uint64_t bad, uint64_t from, uint64_t to)
{
    return bad != UINT64_MAX && bad >= from && bad < to;
}

static void dump_truncate(FILE *out, const struct op *op, uint64_t bad)
{
    bool down = op->length < op->size_before;
    uint64_t low = down ? op->length : op->size_before;
    uint64_t high = down ? op->size_before : op->length;

    fprintf(out, "TRUNCATE %s\tfrom 0x%lx to 0x%lx", down ? "DOWN" : "UP",
            op->size_before, op->length);
    if (touches(bad, low, high))
        fputs("\t******WWWW", out);
}

/* Operations on [offset, offset + length), and the mark of those that write. */
static const struct {
    const char *name, *mark;
} ranged[NR_OPS] = {
    [OP_READ] = { "READ\t", NULL },
    [OP_WRITE] = { "WRITE\t", "***WWWW" },
    [OP_MAPREAD] = { "MAPREAD\t", NULL },
    [OP_MAPWRITE] = { "MAPWRITE ", "******WWWW" },
    [OP_APPEND] = { "APPEND\t", "***WWWW" },
    [OP_FALLOCATE] = { "FALLOC\t", "******FFFF" },
    [OP_PUNCH_HOLE] = { "PUNCH\t", "******PPPP" },
    [OP_ZERO_RANGE] = { "ZERO\t", "******ZZZZ" },
};

static void dump_ranged(FILE *out, const struct op *op, uint64_t bad)
{
    uint64_t end = op->offset + op->length;

    fprintf(out, "%s0x%lx thru 0x%lx\t(0x%lx bytes)", ranged[op->kind].name,
            op->offset, end - 1, op->length);
    if (op->kind == OP_WRITE && op->offset > op->size_before)
        fputs(" HOLE", out);
    else if (op->kind == OP_WRITE && end > op->size_before)
        fputs(" EXTEND", out);
    if (op->flags & OP_KEEP_SIZE)
        fputs(" KEEP_SIZE", out);
    if (op->flags & OP_DIRECT)
        fputs(" DIRECT", out);
    if (op->flags & OP_POLLUTE)
        fputs(" POLLUTED EOF", out);
    /* A write that leaves a hole also decided what is in the hole. */
    if (ranged[op->kind].mark != NULL &&
        (touches(bad, op->offset, end) ||
         (op->kind == OP_WRITE && touches(bad, op->size_before, end))))
        fprintf(out, "\t%s", ranged[op->kind].mark);
}

static void dump_op(FILE *out, const struct op *op, uint64_t bad)
{
    switch (op->kind) {
    case OP_TRUNCATE:
        dump_truncate(out, op, bad);
        break;
    case OP_COPY_RANGE:
        fprintf(out, "COPY\t0x%lx thru 0x%lx\t(0x%lx bytes) to 0x%lx",
                op->offset, op->offset + op->length - 1, op->length, op->to);
        if (touches(bad, op->to, op->to + op->length))
            fputs("\t***CCCC", out);
        break;
    case OP_FSYNC:
    case OP_REOPEN:
    case OP_INVALIDATE:
    case OP_SEEK:
        fputs(op_names[op->kind], out);
        break;
    default:
        dump_ranged(out, op, bad);
        break;
    }
}

void log_dump(const struct fsx *x, FILE *out, uint64_t max,
              uint64_t bad_offset)
{
    uint64_t count = x->nr_done;

    if (count > LOG_ENTRIES)
        count = LOG_ENTRIES;
    if (count > max)
        count = max;
    fprintf(out, "LOG DUMP (%lu total operations):\n", x->nr_done);
    for (uint64_t n = x->nr_done - count + 1; n <= x->nr_done; n++) {
        fprintf(out, "%lu(%lu mod 256): ", n, n % 256);
        dump_op(out, &x->log[(n - 1) % LOG_ENTRIES], bad_offset);
        fputs(n == x->nr_done && bad_offset != UINT64_MAX ? "\t***RRRR***\n"
                                                          : "\n", out);
    }
}

/* "SAVE_DIR/NAME.SUFFIX", or beside the file itself. */
static FILE *open_beside(const struct fsx *x, const char *suffix, char *path,
                         size_t bytes)
{
    const char *name = strrchr(x->opt.path, '/');

    name = name != NULL ? name + 1 : x->opt.path;
    if (x->opt.save_dir != NULL)
        snprintf(path, bytes, "%s/%s.%s", x->opt.save_dir, name, suffix);
    else
        snprintf(path, bytes, "%s.%s", x->opt.path, suffix);
    FILE *file = fopen(path, "w");
    if (file == NULL)
        perror(path);
    return file;
}

void save_evidence(const struct fsx *x, uint64_t bad_offset,
                   const char *message)
{
    char path[4096];
    FILE *file = open_beside(x, "fsxgood", path, sizeof(path));

    if (file != NULL) {
        size_t written = fwrite(x->good, 1, x->size, file);

        if (fclose(file) == 0 && written == x->size)
            printf("Correct content saved for comparison\n"
                   "(maybe cmp -l \"%s\" \"%s\")\n", x->opt.path, path);
    }
    file = open_beside(x, "fsxlog", path, sizeof(path));
    if (file != NULL) {
        fprintf(file, "seed %lu\n%s", x->opt.seed, message);
        log_dump(x, file, LOG_ENTRIES, bad_offset);
        fclose(file);
    }
    fflush(stdout);
}

/* replay.c - operations from a file, and into one.
 *
 * One operation a line, numbers in any base C knows, '#' begins a comment:
 *
 *     write 0x1f000 0x2d29 0x0          name offset length size-before
 *     truncate 0x0 0x32000 0x21d29      the length is the new size
 *     copy_range 0x0 0x1000 0x3000 to 0x2000
 *     fallocate 0x0 0x1000 0x0 keep_size
 *
 * Words after the numbers are the flags.  The size before each operation must
 * be the file's: a recording that does not fit is refused, not bent.
 */
#include "fsx.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { LINE_BYTES = 256 };

static const struct {
    const char *word;
    enum op_flag flag;
} flag_words[] = {
    { "keep_size", OP_KEEP_SIZE }, { "direct", OP_DIRECT },
    { "private", OP_PRIVATE }, { "msync", OP_MSYNC }, { "pollute", OP_POLLUTE },
};

static _Noreturn void malformed(const struct fsx *x, const char *why)
{
    fprintf(stderr, "fsx: %s:%lu: %s\n", x->opt.replay_path, x->replay_line,
            why);
    exit(2);
}

static uint64_t parse_number(const struct fsx *x, char **rest)
{
    char *word = strsep(rest, " "), *end;
    uint64_t value;

    if (word == NULL || *word == '\0')
        malformed(x, "a number is missing");
    value = strtoumax(word, &end, 0);
    if (*end != '\0')
        malformed(x, "not a number");
    return value;
}

static enum op_kind parse_name(const struct fsx *x, const char *name)
{
    int kind = 0;

    while (kind < NR_OPS && strcmp(op_names[kind], name) != 0)
        kind++;
    if (kind == NR_OPS)
        malformed(x, "unknown operation");
    return (enum op_kind)kind;
}

static void parse_flag(const struct fsx *x, const char *word, char **rest,
                       struct op *op)
{
    if (strcmp(word, "to") == 0) {
        op->to = parse_number(x, rest);
        return;
    }
    for (size_t i = 0; i < sizeof(flag_words) / sizeof(flag_words[0]); i++) {
        if (strcmp(flag_words[i].word, word) == 0) {
            op->flags |= flag_words[i].flag;
            return;
        }
    }
    malformed(x, "unknown word after the numbers");
}

static bool has_range(enum op_kind kind)
{
    return kind < OP_FSYNC && kind != OP_TRUNCATE;
}

static void validate(const struct fsx *x, const struct op *op)
{
    uint64_t max = x->opt.max_size;

    if (op->size_before != x->size)
        malformed(x, "the file has another size than this recording says");
    if (op->offset > max || op->length > max - op->offset || op->to > max ||
        op->length > max - op->to)
        malformed(x, "beyond the largest size (-l)");
    if (has_range(op->kind) && op->length == 0)
        malformed(x, "no bytes");
    if (op->kind == OP_APPEND && op->offset != x->size)
        malformed(x, "an append is at the end of the file");
    if (x->unsupported[op->kind] ||
        (op->flags & OP_KEEP_SIZE && x->no_keep_size[op->kind]))
        malformed(x, "the file system has no such operation");
    if (op->flags & OP_DIRECT && x->direct_fd < 0)
        malformed(x, "direct I/O needs -Z");
}

bool replay_next(struct fsx *x, struct op *op)
{
    char line[LINE_BYTES], *rest, *word;

    do {
        if (fgets(line, sizeof(line), x->replay) == NULL)
            return false;
        x->replay_line++;
        line[strcspn(line, "#\n")] = '\0';
    } while (line[strspn(line, " \t")] == '\0');
    rest = line;
    word = strsep(&rest, " ");
    *op = (struct op){ .kind = parse_name(x, word) };
    op->offset = parse_number(x, &rest);
    op->length = parse_number(x, &rest);
    op->size_before = parse_number(x, &rest);
    while ((word = strsep(&rest, " ")) != NULL)
        if (*word != '\0')
            parse_flag(x, word, &rest, op);
    validate(x, op);
    return true;
}

void record_op(FILE *out, const struct op *op)
{
    fprintf(out, "%s 0x%lx 0x%lx 0x%lx", op_names[op->kind], op->offset,
            op->length, op->size_before);
    if (op->kind == OP_COPY_RANGE)
        fprintf(out, " to 0x%lx", op->to);
    for (size_t i = 0; i < sizeof(flag_words) / sizeof(flag_words[0]); i++)
        if (op->flags & flag_words[i].flag)
            fprintf(out, " %s", flag_words[i].word);
    fputc('\n', out);
}

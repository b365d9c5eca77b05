/* fsx.c - a file-system exerciser: the loop, its options, its verdict.
 *
 * See fsx.h for the parts.  A run is a sequence of operations, each done to the
 * file and to a copy in memory; all that is read is compared.  After the last
 * one the cache is dropped and the whole file read.  Status 0: all bytes were
 * right; 1: they were not, or a system call failed; 2: fsx was used wrongly.
 *
 * --sabotage flips one byte of the file through a descriptor of its own: a run
 * with it must end with status 1, which shows that fsx sees what it looks at.
 */
#include "fsx.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define DEFAULT_OPS 1000u

const char *const op_names[NR_OPS] = {
    [OP_READ] = "read", [OP_WRITE] = "write", [OP_MAPREAD] = "mapread",
    [OP_MAPWRITE] = "mapwrite", [OP_TRUNCATE] = "truncate",
    [OP_APPEND] = "append", [OP_FALLOCATE] = "fallocate",
    [OP_PUNCH_HOLE] = "punch_hole", [OP_ZERO_RANGE] = "zero_range",
    [OP_COPY_RANGE] = "copy_range", [OP_FSYNC] = "fsync",
    [OP_REOPEN] = "reopen", [OP_INVALIDATE] = "invalidate", [OP_SEEK] = "seek",
};

static const char usage_text[] =
    "usage: fsx [OPTION...] FILE\n"
    "  -N OPS     operations (default 1000, or the whole recording)\n"
    "  -l SIZE    largest size of the file (256k)\n"
    "  -o SIZE    longest operation (64k)\n"
    "  -S SEED    of the random choices (from the clock)\n"
    "  -r -w -t BYTES  alignment of reads, writes, truncates (1)\n"
    "  -R, -W     no mapped reads, no mapped writes\n"
    "  -Z N       one in N reads and writes with O_DIRECT (1: all)\n"
    "  -e         store garbage beyond the end of the file through mmap\n"
    "  -v N       compare the whole file every N operations\n"
    "  -p N       report progress every N operations\n"
    "  -P DIR     where to save FILE.fsxgood and FILE.fsxlog\n"
    "  -d, -q     print every operation; print only what is wrong\n"
    "  --disable NAME[,NAME...]   leave operations out (names as recorded)\n"
    "  --replay-ops OPSFILE, --record-ops OPSFILE\n"
    "  --sabotage N      flip a byte behind fsx's back after operation N\n"
    "  --sabotage-at OFFSET\n"
    "Sizes take k, m and g.\n";

_Noreturn void fail(struct fsx *x, int error, const char *format, ...)
{
    char message[512];
    va_list args;
    int n;

    va_start(args, format);
    n = vsnprintf(message, sizeof(message) - 64, format, args);
    va_end(args);
    if (n < 0 || (size_t)n > sizeof(message) - 65)
        n = (int)sizeof(message) - 65;
    if (error != 0)
        snprintf(message + n, sizeof(message) - (size_t)n, ": %s\n",
                 strerror(error));
    else
        snprintf(message + n, sizeof(message) - (size_t)n, "\n");
    printf("fsx: %s: %s", x->opt.path, message);
    log_dump(x, stdout, SCREEN_LOG_LINES, UINT64_MAX);
    save_evidence(x, UINT64_MAX, message);
    exit(EXIT_FAILURE);
}

static int open_or_fail(struct fsx *x, int flags)
{
    int fd = open(x->opt.path, flags | O_CLOEXEC, 0644);

    if (fd < 0)
        fail(x, errno, "open");
    return fd;
}

void open_file(struct fsx *x, bool create)
{
    x->fd = open_or_fail(x, O_RDWR | (create ? O_CREAT | O_TRUNC : 0));
    x->append_fd = open_or_fail(x, O_WRONLY | O_APPEND);
    x->direct_fd = -1;
    if (x->opt.direct_one_in != 0)
        x->direct_fd = open_or_fail(x, O_RDWR | O_DIRECT);
}

void close_file(struct fsx *x)
{
    if (close(x->fd) != 0 || close(x->append_fd) != 0 ||
        (x->direct_fd >= 0 && close(x->direct_fd) != 0))
        fail(x, errno, "close");
}

static void sabotage(struct fsx *x)
{
    uint64_t at = x->opt.sabotage_at;
    uint8_t byte;
    int fd;

    if (at == UINT64_MAX)
        at = random_below(x, x->size);
    fd = open_or_fail(x, O_RDWR);
    if (pread(fd, &byte, 1, (off_t)at) != 1)
        fail(x, 0, "sabotage: nothing to read at 0x%lx", at);
    byte = (uint8_t)~byte;
    if (pwrite(fd, &byte, 1, (off_t)at) != 1 || close(fd) != 0)
        fail(x, errno, "sabotage");
    x->opt.sabotage_after = 0;
}

static bool next_op(struct fsx *x, struct op *op)
{
    if (x->nr_done == x->opt.nr_ops)
        return false;
    if (x->replay != NULL)
        return replay_next(x, op);
    generate(x, op);
    return true;
}

static void run(struct fsx *x)
{
    struct op op;

    while (next_op(x, &op)) {
        op.size_before = x->size;
        x->nr_done++;
        log_op(x, &op);
        if (x->record != NULL)
            record_op(x->record, &op);
        if (x->opt.debug)
            record_op(stdout, &op);
        execute(x, &op);
        check_size(x);
        if (x->opt.check_every != 0 && x->nr_done % x->opt.check_every == 0)
            check_all(x);
        if (x->opt.sabotage_after != 0 && x->size != 0 &&
            x->nr_done >= x->opt.sabotage_after)
            sabotage(x);
        if (x->opt.progress != 0 && x->nr_done % x->opt.progress == 0)
            printf("fsx: %s: %lu operations\n", x->opt.path, x->nr_done);
    }
    check_all(x);
}

static _Noreturn void usage(const char *why, const char *what)
{
    if (why != NULL)
        fprintf(stderr, "fsx: %s: %s\n", what, why);
    fputs(usage_text, why != NULL ? stderr : stdout);
    exit(why != NULL ? 2 : 0);
}

static uint64_t parse_size(const char *text)
{
    static const char units[] = "kmg";
    char *end;
    const char *unit;
    uint64_t value = strtoumax(text, &end, 0);

    if (end == text)
        usage("not a number", text);
    if (*end != '\0') {
        unit = strchr(units, *end | 0x20);
        if (unit == NULL || end[1] != '\0')
            usage("not a size", text);
        value <<= 10 * (unit - units + 1);
    }
    return value;
}

static uint64_t parse_positive(const char *text)
{
    uint64_t value = parse_size(text);

    if (value == 0)
        usage("must be positive", text);
    return value;
}

static void parse_disable(struct options *opt, char *names)
{
    char *name;

    while ((name = strsep(&names, ",")) != NULL) {
        int kind = 0;

        while (kind < NR_OPS && strcmp(op_names[kind], name) != 0)
            kind++;
        if (kind == NR_OPS)
            usage("no such operation", name);
        opt->disabled[kind] = true;
    }
}

enum long_option {
    LONG_DISABLE = 256, LONG_REPLAY, LONG_RECORD, LONG_SABOTAGE,
    LONG_SABOTAGE_AT
};

static void parse_long(struct options *opt, int option)
{
    switch (option) {
    case LONG_DISABLE: parse_disable(opt, optarg); break;
    case LONG_REPLAY: opt->replay_path = optarg; break;
    case LONG_RECORD: opt->record_path = optarg; break;
    case LONG_SABOTAGE: opt->sabotage_after = parse_positive(optarg); break;
    case LONG_SABOTAGE_AT: opt->sabotage_at = parse_size(optarg); break;
    default: usage("try -h", "wrong option");
    }
}

static void parse_option(struct options *opt, int option)
{
    switch (option) {
    case 'N': opt->nr_ops = parse_size(optarg); break;
    case 'l': opt->max_size = parse_positive(optarg); break;
    case 'o': opt->max_op = parse_positive(optarg); break;
    case 'S': opt->seed = parse_size(optarg); break;
    case 'r': opt->read_align = parse_positive(optarg); break;
    case 'w': opt->write_align = parse_positive(optarg); break;
    case 't': opt->truncate_align = parse_positive(optarg); break;
    case 'Z': opt->direct_one_in = (unsigned)parse_positive(optarg); break;
    case 'v': opt->check_every = parse_positive(optarg); break;
    case 'p': opt->progress = parse_positive(optarg); break;
    case 'P': opt->save_dir = optarg; break;
    case 'R': opt->disabled[OP_MAPREAD] = true; break;
    case 'W': opt->disabled[OP_MAPWRITE] = true; break;
    case 'e': opt->pollute = true; break;
    case 'd': opt->debug = true; break;
    case 'q': opt->quiet = true; break;
    case 'h': usage(NULL, NULL);
    default: parse_long(opt, option);
    }
}

static void parse_options(struct options *opt, int argc, char **argv)
{
    static const struct option longs[] = {
        { "disable", required_argument, NULL, LONG_DISABLE },
        { "replay-ops", required_argument, NULL, LONG_REPLAY },
        { "record-ops", required_argument, NULL, LONG_RECORD },
        { "sabotage", required_argument, NULL, LONG_SABOTAGE },
        { "sabotage-at", required_argument, NULL, LONG_SABOTAGE_AT },
        { "help", no_argument, NULL, 'h' },
        { NULL, 0, NULL, 0 },
    };
    int option;

    *opt = (struct options){
        .max_size = 256 << 10, .max_op = 64 << 10,
        .seed = (uint64_t)time(NULL), .sabotage_at = UINT64_MAX,
        .truncate_align = 1, .write_align = 1, .read_align = 1,
    };
    while ((option = getopt_long(argc, argv, "N:l:o:S:r:w:t:Z:v:p:P:RWedqh",
                                 longs, NULL)) != -1)
        parse_option(opt, option);
    if (optind != argc - 1)
        usage("exactly one FILE is needed", "fsx");
    opt->path = argv[optind];
    if (opt->nr_ops == 0)
        opt->nr_ops = opt->replay_path != NULL ? UINT64_MAX : DEFAULT_OPS;
}

static FILE *open_ops(const char *path, const char *mode)
{
    FILE *file = fopen(path, mode);

    if (file == NULL) {
        fprintf(stderr, "fsx: %s: %s\n", path, strerror(errno));
        exit(2);
    }
    return file;
}

static struct fsx *fsx_create(const struct options *opt)
{
    struct fsx *x = calloc(1, sizeof(*x));
    void *buffer = NULL;
    uint64_t slack;

    if (x == NULL)
        goto no_memory;
    x->opt = *opt;
    x->rng = opt->seed;
    x->page = (uint64_t)sysconf(_SC_PAGESIZE);
    slack = x->page + DIRECT_ALIGN;
    x->good = calloc(1, opt->max_size + slack);
    if (x->good == NULL ||
        posix_memalign(&buffer, x->page, opt->max_size + slack) != 0)
        goto no_memory;
    x->buffer = buffer;
    if (opt->replay_path != NULL)
        x->replay = open_ops(opt->replay_path, "r");
    if (opt->record_path != NULL) {
        x->record = open_ops(opt->record_path, "w");
        setvbuf(x->record, NULL, _IOLBF, 0); /* whole even if we are killed */
    }
    return x;

no_memory:
    fputs("fsx: not enough memory for -l\n", stderr);
    exit(2);
}

static void fsx_destroy(struct fsx *x)
{
    if (x->record != NULL && fclose(x->record) != 0)
        fail(x, errno, "recording");
    if (x->replay != NULL)
        fclose(x->replay);
    free(x->buffer);
    free(x->good);
    free(x);
}

int main(int argc, char **argv)
{
    struct options opt;
    struct fsx *x;

    parse_options(&opt, argc, argv);
    x = fsx_create(&opt);
    setvbuf(stdout, NULL, _IOLBF, 0);
    open_file(x, true);
    probe_operations(x);
    run(x);
    close_file(x);
    if (!opt.quiet)
        printf("fsx: %s: %lu operations, every byte right (seed %lu)\n",
               opt.path, x->nr_done, opt.seed);
    fsx_destroy(x);
    return EXIT_SUCCESS;
}

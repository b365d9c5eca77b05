/* fsx.h - what the parts of the file-system exerciser share.
 *
 * fsx does random (or recorded) operations on one file and does the same to a
 * copy in memory, the shadow.  Every byte read must be the shadow's.  The parts:
 *
 *     fsx.c       options, the loop, the last check
 *     generate.c  chooses the next operation
 *     replay.c    takes it from a file instead, and writes such files
 *     ops.c       does it, to the file and to the shadow
 *     mapped.c    those of them that go through mmap
 *     shadow.c    the shadow: what each byte must be, comparison, the report
 *     log.c       the operations done, for the report
 *
 * Units       bytes.
 * Errors      a difference or a system call that fails ends the program with
 *             status 1 after the report (fail, bad_data); wrong usage with 2.
 */
#ifndef FSX_H
#define FSX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define DIRECT_ALIGN 4096u
#define LOG_ENTRIES 4096u
/* Lines of the log that a report on the screen shows. */
#define SCREEN_LOG_LINES 256u

enum op_kind {
    OP_READ, OP_WRITE, OP_MAPREAD, OP_MAPWRITE, OP_TRUNCATE, OP_APPEND,
    OP_FALLOCATE, OP_PUNCH_HOLE, OP_ZERO_RANGE, OP_COPY_RANGE,
    OP_FSYNC, OP_REOPEN, OP_INVALIDATE, OP_SEEK,
    NR_OPS
};

enum op_flag {
    OP_KEEP_SIZE = 1, /* fallocate, zero_range: FALLOC_FL_KEEP_SIZE */
    OP_DIRECT = 2,    /* read, write: through the O_DIRECT descriptor */
    OP_PRIVATE = 4,   /* mapread: MAP_PRIVATE */
    OP_MSYNC = 8,     /* mapwrite: msync before munmap */
    OP_POLLUTE = 16,  /* store garbage beyond the end of the file first */
};

/* One operation, complete: done again on the same file it does the same. */
struct op {
    enum op_kind kind;
    uint64_t offset;      /* truncate: 0 */
    uint64_t length;      /* truncate: the new size */
    uint64_t to;          /* copy_range: where to */
    uint64_t size_before; /* of the file */
    unsigned flags;       /* enum op_flag */
};

struct options {
    const char *path;
    const char *save_dir;    /* for .fsxgood and .fsxlog; NULL: beside path */
    const char *replay_path; /* NULL: random operations */
    const char *record_path; /* NULL: not recorded */
    uint64_t nr_ops;         /* UINT64_MAX: all of a recording */
    uint64_t max_size;       /* -l: largest file */
    uint64_t max_op;         /* -o: longest read, write, ... */
    uint64_t seed;
    uint64_t progress;       /* -p: a line every so many operations, 0 none */
    uint64_t check_every;    /* -v: whole file compared every so many, 0 none */
    uint64_t sabotage_after; /* flip a byte behind the back after so many */
    uint64_t sabotage_at;    /* where; UINT64_MAX: anywhere */
    uint64_t truncate_align, write_align, read_align;
    unsigned direct_one_in;  /* -Z: one in so many reads and writes, 0 none */
    bool pollute;            /* -e */
    bool quiet;              /* -q */
    bool debug;              /* -d: print every operation */
    bool disabled[NR_OPS];
};

struct fsx {
    struct options opt;
    int fd;
    int append_fd;
    int direct_fd;           /* -1 unless asked for */
    uint64_t page;           /* of the machine */
    uint64_t size;           /* that the file must have */
    uint8_t *good;           /* the shadow: max_size bytes, zero beyond size */
    uint8_t *buffer;         /* of the current operation: max_size bytes */
    uint64_t nr_done;        /* operations begun: the number of the current one */
    uint64_t rng;
    bool unsupported[NR_OPS]; /* the file system said EOPNOTSUPP */
    bool no_keep_size[NR_OPS];
    FILE *record;
    FILE *replay;
    uint64_t replay_line;
    struct op log[LOG_ENTRIES]; /* ring: operation n is at (n - 1) % size */
};

/* --- fsx.c ------------------------------------------------------------------- */

extern const char *const op_names[NR_OPS];
void open_file(struct fsx *x, bool create);
void close_file(struct fsx *x);
/* Says why and prints the log; strerror(error) too unless error is 0. */
_Noreturn void fail(struct fsx *x, int error, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* --- generate.c -------------------------------------------------------------- */

uint64_t random_below(struct fsx *x, uint64_t bound);
/* Finds out which operations the file system has not, and says so. */
void probe_operations(struct fsx *x);
void generate(struct fsx *x, struct op *op);

/* --- replay.c ---------------------------------------------------------------- */

/* False at the end of the file. */
bool replay_next(struct fsx *x, struct op *op);
void record_op(FILE *out, const struct op *op);

/* --- ops.c, mapped.c --------------------------------------------------------- */

void execute(struct fsx *x, const struct op *op);
void do_mapread(struct fsx *x, const struct op *op);
void do_mapwrite(struct fsx *x, const struct op *op);
/* Drops the kernel's cached pages, so that the next reads ask the file system. */
void drop_cache(struct fsx *x);
void read_exactly(struct fsx *x, int fd, uint64_t offset, uint64_t length);
/* Stores garbage from the end of the file to the end of its last page. */
void pollute_eof(struct fsx *x);

/* --- shadow.c ---------------------------------------------------------------- */

/* What operation `number` writes at offset, into bytes. */
void pattern(const struct fsx *x, uint8_t *bytes, uint64_t offset,
             uint64_t length, uint64_t number);
/* The file now ends at size; what is cut off is forgotten. */
void shadow_resize(struct fsx *x, uint64_t size);
void shadow_store(struct fsx *x, uint64_t offset, uint64_t length);
void shadow_zero(struct fsx *x, uint64_t offset, uint64_t length);
/* Compares bytes read at offset with the shadow; does not return if they
 * differ. */
void check_bytes(struct fsx *x, const uint8_t *bytes, uint64_t offset,
                 uint64_t length);
void check_size(struct fsx *x);
/* The whole file, read afresh. */
void check_all(struct fsx *x);

/* --- log.c ------------------------------------------------------------------- */

void log_op(struct fsx *x, const struct op *op);
/* Prints the newest `max` operations; marks those that touched `bad_offset`
 * (UINT64_MAX: none did). */
void log_dump(const struct fsx *x, FILE *out, uint64_t max,
              uint64_t bad_offset);
/* Writes .fsxgood and .fsxlog. */
void save_evidence(const struct fsx *x, uint64_t bad_offset,
                   const char *message);

#endif

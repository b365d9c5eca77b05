/* ctl.h - what the files of pagerctl share.
 *
 *     main.c     which command                 place.c   opening a mount, a file
 *     call.c     one ioctl, and what it said   number.c  sizes as people write them
 *     figures.c  the figures, by name          json.c    the same for programs
 *     words.c    arguments, complaints
 *     stat.c, frag.c, set.c, pages.c, swaps.c, verify.c  the commands
 *
 * A command gets its own words, its name first, and returns the exit status: 0,
 * STATUS_FAILED after one line on standard error, STATUS_USAGE after one that says
 * which word is wrong and what to give; its usage follows (main.c).
 *
 * Ownership   descriptors are the caller's to close.
 * Errors      -1 after that line has been written.
 */
#ifndef CTL_CTL_H
#define CTL_CTL_H

#include "pagerfs_ioctl.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/types.h>

enum { STATUS_FAILED = 1, STATUS_USAGE = 2 };
enum { CTL_PAGE_SIZE = 4096 };

struct json_object;
struct option;

struct command {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *usage; /* its words, but for the name */
    const char *what;
    const char *help;  /* lines about these words; may be empty */
};

/* --- words.c --------------------------------------------------------------- */

#define WORDS_PATH "a path on the mount"

/* One line: "pagerctl: ABOUT: ...", about a path, a word, or a command. */
void complain(const char *about, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* What -errno means on a mount, and what to do. */
const char *words_error(int err);
/* False if standard output has lost something; words_end will tell. */
bool words_flush(void);
/* The status with which to end: if standard output has lost something, which is
 * told, STATUS_FAILED.  Nothing is written there after it. */
int words_end(int status);
/* The next option, as getopt_long has it: its letter, -1 behind the last, and '?'
 * after a line about one that is none.  `letters` begin with a colon. */
int words_option(int argc, char **argv, const char *letters,
                 const struct option *options);
/* The words behind the options, which are `least` to `most`; NULL after a line that
 * says what is `wanted`. */
char **words_rest(int argc, char **argv, int least, int most,
                  const char *wanted);
/* The same, with --json the only option there may be; json NULL: none. */
char **words_json(int argc, char **argv, bool *json, int least, int most,
                  const char *wanted);
/* The PATH of "[--json] PATH". */
const char *words_report(int argc, char **argv, bool *json);

/* --- place.c --------------------------------------------------------------- */

/* The root of the mount that `path` lies on. */
int place_open_root(const char *path);
/* The same, but says nothing: -errno. */
int place_find_root(const char *path);
/* A regular file there, or, if it is a directory, that root. */
int place_open_file(const char *path, bool *is_file);

/* --- call.c ---------------------------------------------------------------- */

/* The ioctl; an error is told. */
int call(int fd, const char *path, unsigned long number, void *argument);
/* The same in two steps, for who has more to say about some errors: 0 or
 * -errno, and the line about that. */
int call_try(int fd, unsigned long number, void *argument);
void call_explain(const char *path, int err);
/* The figures of the mount that `path` lies on, and its device: 0 or -errno. */
int call_stat(const char *path, struct pagerfs_stat *stat, dev_t *device);

/* --- number.c -------------------------------------------------------------- */

/* Digits alone.  False if it is no such number. */
bool number_plain(const char *text, uint64_t *number);
/* 64m, 1g, 4096: bytes.  False if it is no such size. */
bool number_size(const char *text, uint64_t *bytes);
/* The same of the word NAME=SIZE, whose name is known; an error is told. */
bool number_size_of(const char *word, uint64_t *bytes);
/* For people: "64.0M".  Returns buffer. */
const char *number_bytes(uint64_t bytes, char *buffer, size_t room);

/* --- figures.c ------------------------------------------------------------- */

enum figure_unit { UNIT_COUNT, UNIT_PAGES, UNIT_BYTES, UNIT_NS };

/* A field of struct pagerfs_stat. */
struct figure {
    const char *group, *name;
    size_t offset;
    enum figure_unit unit;
    bool counter; /* only rises: has a rate */
};

/* In the order of printing, those of a group together; the last has no name. */
extern const struct figure figures[];
uint64_t figure_of(const struct pagerfs_stat *stat, const struct figure *figure);
/* The name of a request, or NULL: there is none of that number. */
const char *figure_request(unsigned opcode);
void figures_print(FILE *out, const struct pagerfs_stat *stat);

/* --- verify.c ------------------------------------------------------------- */

/* In words; what is not known is "unknown". */
const char *verify_kind(uint64_t what);

/* --- json.c ---------------------------------------------------------------- */

/* All figures; with those of `before` also rates over seconds.  The caller puts
 * the object. */
struct json_object *json_stat(const struct pagerfs_stat *stat,
                              const struct pagerfs_stat *before);
struct json_object *json_frag(const struct pagerfs_frag *frag);
struct json_object *json_verify(const struct pagerfs_verify *verify);
struct json_object *json_swaps(const struct pagerfs_swaps *swaps);
/* Prints on one line, or for people on several, and puts the object. */
void json_print(FILE *out, struct json_object *object, bool one_line);

/* --- commands -------------------------------------------------------------- */

extern const struct command command_stat, command_frag, command_advise,
    command_evict, command_set, command_swapon, command_swapoff, command_verify;

#endif

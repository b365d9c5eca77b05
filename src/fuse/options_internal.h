/* options_internal.h - one run over the command line; private to options*.c. */
#ifndef FUSE_OPTIONS_INTERNAL_H
#define FUSE_OPTIONS_INTERNAL_H

#include "options.h"

struct parse {
    struct options *options;
    uint64_t memory;      /* the whole of a % */
    const char *name;     /* the option at hand, for messages */
    const char *names[2]; /* what is no option, borrowed from argv */
    unsigned nr_names;
    bool subtype_given;
    char *kept;           /* libfuse's share, as one list */
    char *message;
    int err;
};

/* Each returns 0, or -1 with parse->err and the message set. */

int parse_fail(struct parse *parse, int err, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
int parse_string(struct parse *parse, char **string, const char *value);
/* One option of a list after -o: "name" or "name=value" (options_table.c). */
int parse_option(struct parse *parse, const char *text);
/* "name=value" with the name of one of ours. */
bool parse_is_option(const char *text);
/* The value of one swap= (options_swap.c). */
int parse_swap(struct parse *parse, const char *value);
/* For libfuse: into parse->kept.  Commas in it were unescaped on the way in. */
int parse_keep(struct parse *parse, const char *text);

#endif

/* options.c - reading the command line.
 *
 * libfuse's parser takes lists after -o apart; every word ends up in one of
 * flag_take, parse_option (options_table.c) and the two names.  What libfuse is
 * to get is collected as one list, and what we always ask for is added.
 *
 * Left to others: whether the place for swap is any good (swap), whether the
 * sizes go together (sizing.c), whether the mount point is there (mount.c).
 */
#include "options_internal.h"

#include "bits.h"
#include "libfuse.h"

#include <errno.h>
#include <fuse_opt.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int parse_fail(struct parse *parse, int err, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(parse->message, OPTIONS_MESSAGE_BYTES, format, args);
    va_end(args);
    parse->err = err;
    return -1;
}

int parse_string(struct parse *parse, char **string, const char *value)
{
    char *copy = strdup(value);

    if (!copy)
        return parse_fail(parse, -ENOMEM,
                          "out of memory while reading options");
    free(*string);
    *string = copy;
    return 0;
}

int parse_keep(struct parse *parse, const char *text)
{
    if (fuse_opt_add_opt_escaped(&parse->kept, text) != 0)
        return parse_fail(parse, -ENOMEM,
                          "out of memory while reading options");
    return 0;
}

static int flag_take(struct parse *parse, const char *text)
{
    struct options *options = parse->options;

    if (strcmp(text, "-h") == 0 || strcmp(text, "--help") == 0)
        options->action = OPTIONS_HELP;
    else if (strcmp(text, "-V") == 0 || strcmp(text, "--version") == 0)
        options->action = OPTIONS_VERSION;
    else if (strcmp(text, "-f") == 0)
        options->foreground = true;
    else if (strcmp(text, "-s") == 0)
        options->single_thread = true;
    else if (strcmp(text, "-d") == 0 || strcmp(text, "debug") == 0)
        options->debug = options->foreground = true;
    else if (*text == '-')
        return parse_fail(parse, -EINVAL,
                          "unknown option '%s': pagerfs -h lists them "
                          "all",
                          text);
    else
        return parse_option(parse, text);
    return 0;
}

static int parse_one(void *data, const char *text, int key,
                     struct fuse_args *unused)
{
    struct parse *parse = data;

    (void)unused;
    if (key != FUSE_OPT_KEY_NONOPT)
        return flag_take(parse, text);
    if (parse->nr_names == ARRAY_SIZE(parse->names))
        return parse_fail(parse, -EINVAL,
                          "'%s' is one name too many: give [SOURCE] "
                          "MOUNTPOINT",
                          text);
    parse->names[parse->nr_names++] = text;
    return 0;
}

/* Options that cannot both be had. */
static int check_together(struct parse *parse)
{
    const struct options *options = parse->options;
    bool uring = options->transport == OPTIONS_TRANSPORT_URING;

    if (options->single_thread && uring)
        return parse_fail(parse, -EINVAL, "transport=uring needs a thread for "
                          "each CPU: leave -s away");
    if (options->auto_unmount && uring)
        return parse_fail(parse, -EINVAL, "transport=uring ends too late for "
                          "auto_unmount, which would leave a dead mount: give "
                          "one or the other");
    if (options->writeback && options->cache == OPTIONS_CACHE_NONE)
        return parse_fail(parse, -EINVAL, "writeback gathers writes in the "
                          "cache that cache=none forbids: give one or the "
                          "other");
    if (options->writeback_max.given && !options->writeback)
        return parse_fail(parse, -EINVAL, "writeback_max= means nothing without "
                          "writeback: give both");
    return 0;
}

/* The last name is the mount point; the one before it, the source. */
static int names_take(struct parse *parse)
{
    struct options *options = parse->options;
    const char *mountpoint;

    if (parse->nr_names == 0)
        return parse_fail(parse, -EINVAL, "no mount point given: pagerfs "
                    "[-o OPT,...] [SOURCE] MOUNTPOINT");
    mountpoint = parse->names[parse->nr_names - 1];
    if (*mountpoint == '\0')
        return parse_fail(parse, -EINVAL, "the mount point is an empty name");
    if (parse->nr_names == 2 && parse_is_option(parse->names[0]))
        return parse_fail(parse, -EINVAL, "the source is '%s': did you mean "
                          "-o %s?", parse->names[0], parse->names[0]);
    if (parse->nr_names == 2 && !options->source &&
        parse_string(parse, &options->source, parse->names[0]))
        return -1;
    return parse_string(parse, &options->mountpoint, mountpoint);
}

/* argv for fuse_session_new: the list, and what we always ask for. */
static int libfuse_args(struct parse *parse)
{
    struct options *options = parse->options;
    struct fuse_args args = FUSE_ARGS_INIT(0, NULL);
    char fsname[PATH_MAX + sizeof("fsname=")];

    snprintf(fsname, sizeof(fsname), "fsname=%s",
             options->source ? options->source : "pagerfs");
    if (parse_keep(parse, fsname) || parse_keep(parse, "default_permissions"))
        return -1;
    if (!parse->subtype_given && parse_keep(parse, "subtype=pagerfs"))
        return -1;
    if (fuse_opt_add_arg(&args, "pagerfs") != 0 ||
        fuse_opt_add_arg(&args, "-o") != 0 ||
        fuse_opt_add_arg(&args, parse->kept) != 0 ||
        (options->debug && fuse_opt_add_arg(&args, "-d") != 0)) {
        fuse_opt_free_args(&args);
        return parse_fail(parse, -ENOMEM,
                          "out of memory while reading options");
    }
    options->argc = args.argc;
    options->argv = args.argv;
    return 0;
}

static void defaults(struct options *options)
{
    *options = (struct options){
        .mode = 01777,
        .uid = getuid(),
        .gid = getgid(),
    };
}

int options_parse(struct options *options, int argc, char **argv,
                  uint64_t memory, char message[OPTIONS_MESSAGE_BYTES])
{
    struct parse parse = { .options = options, .memory = memory,
                           .message = message };
    struct fuse_args args = FUSE_ARGS_INIT(argc, argv);

    defaults(options);
    if (strcmp(argv[argc - 1], "-o") == 0) {
        parse_fail(&parse, -EINVAL,
                   "-o wants a list of options: pagerfs -h lists "
                   "them all");
        goto out;
    }
    if (fuse_opt_parse(&args, &parse, NULL, parse_one) != 0) {
        if (!parse.err)
            parse_fail(&parse, -ENOMEM, "out of memory while reading options");
        goto free_args;
    }
    if (options->action == OPTIONS_MOUNT && !names_take(&parse) &&
        !check_together(&parse))
        libfuse_args(&parse);
free_args:
    fuse_opt_free_args(&args);
out:
    free(parse.kept);
    if (parse.err)
        options_fini(options);
    return parse.err;
}

void options_fini(struct options *options)
{
    struct fuse_args args = FUSE_ARGS_INIT(options->argc, options->argv);

    args.allocated = options->argc != 0;
    fuse_opt_free_args(&args);
    free(options->source);
    free(options->mountpoint);
    for (unsigned i = 0; i < options->nr_swap; i++)
        free(options->swap[i].place);
    *options = (struct options){ 0 };
}

void options_version(void)
{
    printf("pagerfs %s, libfuse %s\n", PAGERFS_VERSION, fuse_pkgversion());
    fflush(stdout); /* a child writes next */
    fuse_lowlevel_version();
}

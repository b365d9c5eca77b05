/* options.c - reading the command line.
 *
 * Every option is a row of one of two tables: ours, with a function that takes
 * the value, and those handed on to libfuse and the kernel.  The help text is
 * made from the same rows, so an option cannot be accepted and undocumented, or
 * the other way round.  libfuse's parser only takes lists after -o apart.
 *
 * Left to others: whether the place for swap is any good (swap), whether the
 * sizes go together (budget.c), whether the mount point is there (mount.c).
 */
#include "options.h"

#include "bits.h"
#include "libfuse.h"
#include "size.h"

#include <ctype.h>
#include <errno.h>
#include <fuse_opt.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* One run of the parser. */
struct parse {
    struct options *options;
    uint64_t memory;
    const char *name;     /* the option at hand, for messages */
    const char *names[2]; /* what is no option, borrowed from argv */
    unsigned nr_names;
    bool subtype_given;
    char *kept;           /* libfuse's share, as one list */
    char *message;
    int err;
};

static int fail(struct parse *parse, int err, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static int fail(struct parse *parse, int err, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(parse->message, OPTIONS_MESSAGE_BYTES, format, args);
    va_end(args);
    parse->err = err;
    return -1;
}

static int set_string(struct parse *parse, char **string, const char *value)
{
    char *copy = strdup(value);

    if (!copy)
        return fail(parse, -ENOMEM, "out of memory while reading options");
    free(*string);
    *string = copy;
    return 0;
}

static int set_size(struct parse *parse, struct option_size *size,
                    uint64_t whole, uint64_t unit, const char *value)
{
    uint64_t number;
    int err = size_parse(value, whole, &number);

    if (err == 0 && __builtin_mul_overflow(number, unit, &number))
        err = -ERANGE;
    if (err == -ERANGE)
        return fail(parse, -EINVAL, "%s=%s is too large", parse->name, value);
    if (err)
        return fail(parse, -EINVAL,
                    "%s=%s is not a size: give a number, with k, m, g or t%s",
                    parse->name, value, whole ? ", or with %" : "");
    size->given = true;
    size->bytes = number;
    return 0;
}

static int set_bytes(struct parse *parse, struct option_size *size,
                     uint64_t whole, const char *value)
{
    int err = set_size(parse, size, whole, 1, value);

    if (!err && size->bytes > (uint64_t)INT64_MAX - PAGE_SIZE)
        return fail(parse, -EINVAL, "%s=%s is too large", parse->name, value);
    return err;
}

/* --- our options ------------------------------------------------------------ */

static int opt_size(struct parse *parse, const char *value)
{
    return set_bytes(parse, &parse->options->size, parse->memory, value);
}

static int opt_nr_blocks(struct parse *parse, const char *value)
{
    return set_size(parse, &parse->options->size, 0, PAGE_SIZE, value);
}

static int opt_nr_inodes(struct parse *parse, const char *value)
{
    return set_size(parse, &parse->options->nr_inodes, 0, 1, value);
}

static int opt_ram(struct parse *parse, const char *value)
{
    struct option_size *ram = &parse->options->ram;

    if (set_bytes(parse, ram, parse->memory, value))
        return -1;
    if (ram->bytes < OPTIONS_RAM_MIN)
        return fail(parse, -EINVAL, "ram=%s is too little: give at least %um",
                    value, (unsigned)(OPTIONS_RAM_MIN >> 20));
    return 0;
}

static int opt_swap(struct parse *parse, const char *value)
{
    if (*value == '\0')
        return fail(parse, -EINVAL, "swap= wants a file, a directory, a block "
                    "device, or none");
    return set_string(parse, &parse->options->swap, value);
}

static int opt_swapsize(struct parse *parse, const char *value)
{
    return set_bytes(parse, &parse->options->swapsize, 0, value);
}

static int opt_mode(struct parse *parse, const char *value)
{
    uint64_t mode;

    if (number_parse(value, 8, 07777, &mode))
        return fail(parse, -EINVAL, "mode=%s is not a mode: give octal digits, "
                    "at most 7777", value);
    parse->options->mode = (mode_t)mode;
    return 0;
}

static int set_id(struct parse *parse, uint32_t *id, const char *value)
{
    uint64_t number;

    if (number_parse(value, 10, UINT32_MAX - 1, &number))
        return fail(parse, -EINVAL, "%s=%s is not an id: give its number",
                    parse->name, value);
    *id = (uint32_t)number;
    return 0;
}

static int opt_uid(struct parse *parse, const char *value)
{
    return set_id(parse, &parse->options->uid, value);
}

static int opt_gid(struct parse *parse, const char *value)
{
    return set_id(parse, &parse->options->gid, value);
}

static int opt_grpid(struct parse *parse, const char *value)
{
    (void)value;
    parse->options->grpid = true;
    return 0;
}

static int opt_nogrpid(struct parse *parse, const char *value)
{
    (void)value;
    parse->options->grpid = false;
    return 0;
}

static int opt_cache(struct parse *parse, const char *value)
{
    if (strcmp(value, "auto") == 0)
        parse->options->cache = OPTIONS_CACHE_AUTO;
    else if (strcmp(value, "none") == 0)
        parse->options->cache = OPTIONS_CACHE_NONE;
    else
        return fail(parse, -EINVAL, "cache=%s: give cache=auto or cache=none",
                    value);
    return 0;
}

struct own_option {
    const char *name;
    int (*set)(struct parse *parse, const char *value);
    const char *value; /* how the help calls it; NULL: takes none */
    const char *help;
};

static const struct own_option own_options[] = {
    { "size", opt_size, "BYTES[k|m|g|t|%]",
      "most that files may take (half of memory; 0: no limit)" },
    { "nr_blocks", opt_nr_blocks, "N", "the same in blocks of 4 KiB" },
    { "nr_inodes", opt_nr_inodes, "N[k|m|g]",
      "most files (one for 8 KiB of memory; 0: no limit)" },
    { "mode", opt_mode, "OCTAL", "of the root directory (1777)" },
    { "uid", opt_uid, "ID", "owner of the root directory (yours)" },
    { "gid", opt_gid, "ID", "group of the root directory (yours)" },
    { "grpid", opt_grpid, NULL, "new files take their directory's group" },
    { "nogrpid", opt_nogrpid, NULL, "they take the creator's (default)" },
    { "ram", opt_ram, "BYTES[k|m|g|t|%]",
      "RAM for everything: data, names, buffers (a quarter of memory)" },
    { "swap", opt_swap, "PLACE",
      "a file, a directory, a block device, or none (/var/tmp)" },
    { "swapsize", opt_swapsize, "BYTES[k|m|g|t]",
      "most that swap may take (what size needs beyond ram)" },
    { "cache", opt_cache, "auto|none",
      "may the kernel cache file contents, outside ram (auto)" },
};

/* --- options of libfuse and of mount(8) ------------------------------------- */

/* Commas inside a value were unescaped on the way in. */
static int opt_keep(struct parse *parse, const char *text)
{
    if (fuse_opt_add_opt_escaped(&parse->kept, text) != 0)
        return fail(parse, -ENOMEM, "out of memory while reading options");
    return 0;
}

static int opt_allow_root(struct parse *parse, const char *text)
{
    parse->options->allow_root = true;
    return opt_keep(parse, text);
}

static int opt_subtype(struct parse *parse, const char *text)
{
    parse->subtype_given = true;
    return opt_keep(parse, text);
}

static int opt_fsname(struct parse *parse, const char *text)
{
    return set_string(parse, &parse->options->source, strchr(text, '=') + 1);
}

static int opt_noatime(struct parse *parse, const char *text)
{
    parse->options->atime = OPTIONS_NOATIME;
    return opt_keep(parse, text);
}

static int opt_relatime(struct parse *parse, const char *text)
{
    (void)text;
    parse->options->atime = OPTIONS_RELATIME;
    return 0;
}

static int opt_strictatime(struct parse *parse, const char *text)
{
    (void)text;
    parse->options->atime = OPTIONS_STRICTATIME;
    return 0;
}

static int opt_nodiratime(struct parse *parse, const char *text)
{
    (void)text;
    parse->options->nodiratime = true;
    return 0;
}

/* What is so anyway, or is meant for somebody else. */
static int opt_ignore(struct parse *parse, const char *text)
{
    (void)parse;
    (void)text;
    return 0;
}

static int opt_remount(struct parse *parse, const char *text)
{
    (void)text;
    return fail(parse, -EINVAL, "remount is not possible here: for mount flags "
                "give mount -i -o remount,...; sizes are fixed at mount");
}

struct mount_option {
    const char *name;  /* ends with '=' if it takes a value, with '-' if any
                        * ending will do */
    int (*take)(struct parse *parse, const char *text);
    const char *help;  /* NULL: in the list of plain flags */
};

static const struct mount_option mount_options[] = {
    { "allow_other", opt_keep, "other users may use the mount" },
    { "allow_root", opt_allow_root, "root may use it too" },
    { "auto_unmount", opt_keep, "unmount when pagerfs dies" },
    { "fsname=", opt_fsname, "the same as SOURCE" },
    { "subtype=", opt_subtype, "type is fuse.SUBTYPE (pagerfs)" },
    { "default_permissions", opt_ignore, "always on: the kernel checks modes" },
    { "context=", opt_keep, "SELinux; also fscontext= defcontext= rootcontext=" },
    { "fscontext=", opt_keep, NULL },
    { "defcontext=", opt_keep, NULL },
    { "rootcontext=", opt_keep, NULL },
    { "ro", opt_keep, NULL },
    { "rw", opt_keep, NULL },
    { "dev", opt_keep, NULL },
    { "nodev", opt_keep, NULL },
    { "suid", opt_keep, NULL },
    { "nosuid", opt_keep, NULL },
    { "exec", opt_keep, NULL },
    { "noexec", opt_keep, NULL },
    { "async", opt_keep, NULL },
    { "sync", opt_keep, NULL },
    { "dirsync", opt_keep, NULL },
    { "atime", opt_relatime, NULL },
    { "noatime", opt_noatime, NULL },
    { "relatime", opt_relatime, NULL },
    { "norelatime", opt_relatime, NULL },
    { "strictatime", opt_strictatime, NULL },
    { "nostrictatime", opt_relatime, NULL },
    { "diratime", opt_ignore, NULL },
    { "nodiratime", opt_nodiratime, NULL },
    { "defaults", opt_ignore, NULL },
    { "user=", opt_keep, NULL },
    { "remount", opt_remount, "refused: use mount -i -o remount,FLAGS" },
    { "x-", opt_ignore, NULL },
};

/* --- the command line ------------------------------------------------------- */

static bool mount_option_is(const struct mount_option *option, const char *text)
{
    size_t length = strlen(option->name);
    char last = option->name[length - 1];

    if (last == '=' || last == '-')
        return strncmp(text, option->name, length) == 0;
    return strcmp(text, option->name) == 0;
}

static int own_option_set(struct parse *parse, const struct own_option *option,
                          const char *value)
{
    parse->name = option->name;
    if (option->value && !value)
        return fail(parse, -EINVAL, "%s wants a value: %s=%s", option->name,
                    option->name, option->value);
    if (!option->value && value)
        return fail(parse, -EINVAL, "%s takes no value", option->name);
    return option->set(parse, value);
}

static int option_take(struct parse *parse, const char *text)
{
    size_t length = strcspn(text, "=");
    const char *value = text[length] == '=' ? text + length + 1 : NULL;

    for (size_t i = 0; i < ARRAY_SIZE(own_options); i++)
        if (strlen(own_options[i].name) == length &&
            strncmp(own_options[i].name, text, length) == 0)
            return own_option_set(parse, &own_options[i], value);
    for (size_t i = 0; i < ARRAY_SIZE(mount_options); i++)
        if (mount_option_is(&mount_options[i], text))
            return mount_options[i].take(parse, text);
    return fail(parse, -EINVAL, "unknown option '%s': pagerfs -h lists them all",
                text);
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
        return fail(parse, -EINVAL, "unknown option '%s': pagerfs -h lists them "
                    "all", text);
    else
        return option_take(parse, text);
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
        return fail(parse, -EINVAL, "'%s' is one name too many: give [SOURCE] "
                    "MOUNTPOINT", text);
    parse->names[parse->nr_names++] = text;
    return 0;
}

/* The last name is the mount point; the one before it, the source. */
static int names_take(struct parse *parse)
{
    struct options *options = parse->options;
    const char *mountpoint;

    if (parse->nr_names == 0)
        return fail(parse, -EINVAL, "no mount point given: pagerfs "
                    "[-o OPT,...] [SOURCE] MOUNTPOINT");
    mountpoint = parse->names[parse->nr_names - 1];
    if (*mountpoint == '\0')
        return fail(parse, -EINVAL, "the mount point is an empty name");
    if (parse->nr_names == 2 && !options->source &&
        set_string(parse, &options->source, parse->names[0]))
        return -1;
    return set_string(parse, &options->mountpoint, mountpoint);
}

/* argv for fuse_session_new: the list, and what we always ask for. */
static int libfuse_args(struct parse *parse)
{
    struct options *options = parse->options;
    struct fuse_args args = FUSE_ARGS_INIT(0, NULL);
    char fsname[PATH_MAX + sizeof("fsname=")];

    snprintf(fsname, sizeof(fsname), "fsname=%s",
             options->source ? options->source : "pagerfs");
    if (opt_keep(parse, fsname) || opt_keep(parse, "default_permissions"))
        return -1;
    if (!parse->subtype_given && opt_keep(parse, "subtype=pagerfs"))
        return -1;
    if (fuse_opt_add_arg(&args, "pagerfs") != 0 ||
        fuse_opt_add_arg(&args, "-o") != 0 ||
        fuse_opt_add_arg(&args, parse->kept) != 0 ||
        (options->debug && fuse_opt_add_arg(&args, "-d") != 0)) {
        fuse_opt_free_args(&args);
        return fail(parse, -ENOMEM, "out of memory while reading options");
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
        fail(&parse, -EINVAL, "-o wants a list of options: pagerfs -h lists "
             "them all");
        goto out;
    }
    if (fuse_opt_parse(&args, &parse, NULL, parse_one) != 0) {
        if (!parse.err)
            fail(&parse, -ENOMEM, "out of memory while reading options");
        goto free_args;
    }
    if (options->action == OPTIONS_MOUNT && !names_take(&parse))
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
    free(options->swap);
    *options = (struct options){ 0 };
}

static void help_line(const char *name, const char *value, const char *help)
{
    char left[64];

    snprintf(left, sizeof(left), "-o %s%s%s", name, value ? "=" : "",
             value ? value : "");
    printf("    %-32s %s\n", left, help);
}

void options_help(const char *program)
{
    printf("usage: %s [-f] [-d] [-s] [-o OPT,...] [SOURCE] MOUNTPOINT\n"
           "A tmpfs within a budget of RAM; what does not fit goes to swap of "
           "your choice.\n\n"
           "    -f                               stay in the foreground\n"
           "    -d, -o debug                     print every request; implies -f\n"
           "    -s                               one thread\n"
           "    -h, --help                       this text\n"
           "    -V, --version                    versions\n\n"
           "pagerfs (defaults in parentheses; memory: what this process may "
           "use):\n", program);
    for (size_t i = 0; i < ARRAY_SIZE(own_options); i++)
        help_line(own_options[i].name, own_options[i].value, own_options[i].help);
    printf("\nmount:\n");
    for (size_t i = 0; i < ARRAY_SIZE(mount_options); i++)
        if (mount_options[i].help)
            help_line(mount_options[i].name, NULL, mount_options[i].help);
    printf("    and the flags");
    for (size_t i = 0; i < ARRAY_SIZE(mount_options); i++)
        if (!mount_options[i].help && islower((unsigned char)
            mount_options[i].name[strlen(mount_options[i].name) - 1]))
            printf(" %s", mount_options[i].name);
    printf("\n\nUnmount with: fusermount3 -u MOUNTPOINT\n");
}

void options_version(void)
{
    printf("pagerfs %s, libfuse %s\n", PAGERFS_VERSION, fuse_pkgversion());
    fuse_lowlevel_version();
}

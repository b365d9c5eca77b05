/* options_table.c - every option, what it does and how the help calls it.
 *
 * Two tables: ours, with a function that takes the value, and those handed on
 * to libfuse and the kernel.  The help is made from the same rows, so an option
 * cannot be accepted and undocumented, or the other way round.
 */
#include "options_internal.h"

#include "bits.h"
#include "size.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

enum { WRITEBACK_MAX_LEAST = 1 << 20 };

static int too_large(struct parse *parse, const char *value)
{
    return parse_fail(parse, -EINVAL, "%s=%s is too large", parse->name, value);
}

/* kind: what the number is called; whole: of what it may be a %, or 0. */
static int set_number(struct parse *parse, struct option_size *size,
                      const char *kind, uint64_t whole, const char *value)
{
    uint64_t number;
    int err = size_parse(value, whole, &number);

    if (err == -ERANGE)
        return too_large(parse, value);
    if (err)
        return parse_fail(parse, -EINVAL, "%s=%s is not a %s: give a number, "
                          "with k, m, g, t, p or e%s", parse->name, value, kind,
                          whole ? ", or with %" : "");
    *size = (struct option_size){ true, number };
    return 0;
}

static int set_bytes(struct parse *parse, struct option_size *size,
                     uint64_t whole, const char *value)
{
    int err = set_number(parse, size, "size", whole, value);

    return !err && size->bytes > OPTIONS_BYTES_MAX ? too_large(parse, value)
                                                   : err;
}

static int set_count(struct parse *parse, struct option_size *size,
                     const char *value)
{
    return set_number(parse, size, "count", 0, value);
}

/* --- our options --------------------------------------------------------- */

static int opt_size(struct parse *parse, const char *value)
{
    struct option_size *size = &parse->options->size;
    int err = set_bytes(parse, size, parse->memory, value);

    if (!err && size->bytes > 0 && size->bytes < OPTIONS_SIZE_MIN)
        return parse_fail(parse, -EINVAL, "size=%s is too little for the root "
                          "directory: give at least %uk", value,
                          (unsigned)(OPTIONS_SIZE_MIN >> 10));
    return err;
}

static int opt_nr_blocks(struct parse *parse, const char *value)
{
    struct option_size *size = &parse->options->size;
    int err = set_count(parse, size, value);

    if (err)
        return err;
    if (size->bytes > UINT64_MAX / PAGE_SIZE)
        return too_large(parse, value);
    size->bytes *= PAGE_SIZE;
    if (size->bytes > 0 && size->bytes < OPTIONS_SIZE_MIN)
        return parse_fail(parse, -EINVAL, "nr_blocks=%s is too little for the "
                          "root directory: give at least %u", value,
                          (unsigned)(OPTIONS_SIZE_MIN / PAGE_SIZE));
    return 0;
}

static int opt_nr_inodes(struct parse *parse, const char *value)
{
    return set_count(parse, &parse->options->nr_inodes, value);
}

static int opt_ram(struct parse *parse, const char *value)
{
    struct option_size *ram = &parse->options->ram;

    if (set_bytes(parse, ram, parse->memory, value))
        return -1;
    if (ram->bytes < OPTIONS_RAM_MIN)
        return parse_fail(parse, -EINVAL,
                          "ram=%s is too little: give at least %um", value,
                          (unsigned)(OPTIONS_RAM_MIN >> 20));
    if (ram->bytes > OPTIONS_RAM_MAX)
        return parse_fail(parse, -EINVAL,
                          "ram=%s is too much: give at most %ug", value,
                          (unsigned)(OPTIONS_RAM_MAX >> 30));
    return 0;
}

static int opt_swapsize(struct parse *parse, const char *value)
{
    struct option_size *swapsize = &parse->options->swapsize;
    int err = set_bytes(parse, swapsize, 0, value);

    if (!err && swapsize->bytes == 0)
        return parse_fail(parse, -EINVAL, "swapsize=%s leaves no swap: give "
                          "more, or swap=none", value);
    return err;
}

static int opt_mode(struct parse *parse, const char *value)
{
    uint64_t mode;

    if (number_parse(value, 8, 07777, &mode))
        return parse_fail(parse, -EINVAL,
                          "mode=%s is not a mode: give octal digits, "
                          "at most 7777",
                          value);
    parse->options->mode = (mode_t)mode;
    return 0;
}

static int set_id(struct parse *parse, uint32_t *id, const char *value)
{
    uint64_t number;

    if (number_parse(value, 10, UINT32_MAX - 1, &number))
        return parse_fail(parse, -EINVAL, "%s=%s is not an id: give its number",
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

static int opt_noxattr(struct parse *parse, const char *value)
{
    (void)value;
    parse->options->noxattr = true;
    return 0;
}

static int opt_cache(struct parse *parse, const char *value)
{
    if (strcmp(value, "auto") == 0)
        parse->options->cache = OPTIONS_CACHE_AUTO;
    else if (strcmp(value, "none") == 0)
        parse->options->cache = OPTIONS_CACHE_NONE;
    else
        return parse_fail(parse, -EINVAL,
                          "cache=%s: give cache=auto or cache=none", value);
    return 0;
}

static int opt_writeback(struct parse *parse, const char *value)
{
    (void)value;
    parse->options->writeback = true;
    return 0;
}

static int opt_writeback_max(struct parse *parse, const char *value)
{
    struct option_size *max = &parse->options->writeback_max;
    int err = set_bytes(parse, max, 0, value);

    if (!err && max->bytes < WRITEBACK_MAX_LEAST)
        return parse_fail(parse, -EINVAL,
                          "writeback_max=%s: give 1m at least", value);
    return err;
}

static int opt_replacement(struct parse *parse, const char *value)
{
    static const char *const policies[] = { "s3fifo", "clock" };

    for (size_t i = 0; i < ARRAY_SIZE(policies); i++) {
        if (strcmp(value, policies[i]) == 0) {
            parse->options->replacement = policies[i];
            return 0;
        }
    }
    return parse_fail(parse, -EINVAL,
                      "replacement=%s: give replacement=s3fifo or "
                      "replacement=clock", value);
}

static int opt_transport(struct parse *parse, const char *value)
{
    if (strcmp(value, "auto") == 0)
        parse->options->transport = OPTIONS_TRANSPORT_AUTO;
    else if (strcmp(value, "dev") == 0)
        parse->options->transport = OPTIONS_TRANSPORT_DEV;
    else if (strcmp(value, "uring") == 0)
        parse->options->transport = OPTIONS_TRANSPORT_URING;
    else
        return parse_fail(parse, -EINVAL,
                          "transport=%s: give transport=auto, dev or uring",
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
    { "size", opt_size, "BYTES[kmgtpe|%]",
      "most that files may take (half of memory; 0: no limit of its own)" },
    { "nr_blocks", opt_nr_blocks, "N[kmgtpe]", "the same in blocks of 4 KiB" },
    { "nr_inodes", opt_nr_inodes, "N[kmgtpe]",
      "most files (one for 8 KiB of memory; 0: no limit)" },
    { "mode", opt_mode, "OCTAL", "of the root directory (1777)" },
    { "uid", opt_uid, "ID", "owner of the root directory (yours)" },
    { "gid", opt_gid, "ID", "group of the root directory (yours)" },
    { "grpid", opt_grpid, NULL, "new files take their directory's group" },
    { "nogrpid", opt_nogrpid, NULL, "they take the creator's (default)" },
    { "noxattr", opt_noxattr, NULL,
      "no extended attributes, and so no ACLs: the kernel asks less" },
    { "ram", opt_ram, "BYTES[kmgtpe|%]",
      "RAM for everything: data, names, buffers (a quarter of memory)" },
    { "swap", parse_swap, "PLACE[:pri=N][:size=N]",
      "a file, directory, block device, or none (/var/tmp); many times" },
    { "swapsize", opt_swapsize, "BYTES[kmgtpe]",
      "most that each swap file may take (as much as size)" },
    { "cache", opt_cache, "auto|none",
      "may the kernel cache file contents, outside ram (auto)" },
    { "writeback", opt_writeback, NULL,
      "the kernel gathers small writes before it hands them on" },
    { "writeback_max", opt_writeback_max, "BYTES[kmgtpe]",
      "the most of them; only root may set it (a five-hundredth of memory)" },
    { "replacement", opt_replacement, "s3fifo|clock",
      "which pages are paged out first (s3fifo)" },
    { "transport", opt_transport, "auto|dev|uring",
      "how requests come: /dev/fuse, or FUSE over io_uring (auto)" },
};

/* --- options of libfuse and of mount(8) ---------------------------------- */

static int opt_allow_root(struct parse *parse, const char *text)
{
    parse->options->allow_root = true;
    return parse_keep(parse, text);
}

static int opt_auto_unmount(struct parse *parse, const char *text)
{
    parse->options->auto_unmount = true;
    return parse_keep(parse, text);
}

static int opt_subtype(struct parse *parse, const char *text)
{
    parse->subtype_given = true;
    return parse_keep(parse, text);
}

static int opt_fsname(struct parse *parse, const char *text)
{
    return parse_string(parse, &parse->options->source, strchr(text, '=') + 1);
}

static int opt_noatime(struct parse *parse, const char *text)
{
    parse->options->atime = OPTIONS_NOATIME;
    return parse_keep(parse, text);
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
    return parse_fail(parse, -EINVAL,
                      "remount is not possible here: mount -i -o remount,... "
                      "changes mount flags, pagerctl set size= and ram=");
}

struct mount_option {
    const char *name;  /* ends with '=' if it takes a value, with '-' if any
                        * ending will do */
    int (*take)(struct parse *parse, const char *text);
    const char *help;  /* NULL: in the list of plain flags */
};

static const struct mount_option mount_options[] = {
    { "allow_other", parse_keep, "other users may use the mount" },
    { "allow_root", opt_allow_root, "root may use it too" },
    { "auto_unmount", opt_auto_unmount, "unmount when pagerfs dies" },
    { "fsname=", opt_fsname, "the same as SOURCE" },
    { "subtype=", opt_subtype, "type is fuse.SUBTYPE (pagerfs)" },
    { "default_permissions", opt_ignore, "always on: the kernel checks modes" },
    { "context=", parse_keep,
      "SELinux; also fscontext= defcontext= rootcontext=" },
    { "fscontext=", parse_keep, NULL },
    { "defcontext=", parse_keep, NULL },
    { "rootcontext=", parse_keep, NULL },
    { "ro", parse_keep, NULL },
    { "rw", parse_keep, NULL },
    { "dev", parse_keep, NULL },
    { "nodev", parse_keep, NULL },
    { "suid", parse_keep, NULL },
    { "nosuid", parse_keep, NULL },
    { "exec", parse_keep, NULL },
    { "noexec", parse_keep, NULL },
    { "async", parse_keep, NULL },
    { "sync", parse_keep, NULL },
    { "dirsync", parse_keep, NULL },
    { "atime", opt_relatime, NULL },
    { "noatime", opt_noatime, NULL },
    { "relatime", opt_relatime, NULL },
    { "norelatime", opt_relatime, NULL },
    { "strictatime", opt_strictatime, NULL },
    { "nostrictatime", opt_relatime, NULL },
    { "diratime", opt_ignore, NULL },
    { "nodiratime", opt_nodiratime, NULL },
    { "defaults", opt_ignore, NULL },
    { "user=", parse_keep, NULL },
    { "remount", opt_remount, "refused: use mount -i -o remount,FLAGS" },
    { "x-", opt_ignore, NULL },
};

/* --- looking them up ----------------------------------------------------- */

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
        return parse_fail(parse, -EINVAL, "%s wants a value: %s=%s",
                          option->name, option->name, option->value);
    if (!option->value && value)
        return parse_fail(parse, -EINVAL, "%s takes no value", option->name);
    return option->set(parse, value);
}

/* Behind its name *value is what follows the '=', or NULL. */
static const struct own_option *own_option_find(const char *text,
                                                const char **value)
{
    size_t length = strcspn(text, "=");

    *value = text[length] == '=' ? text + length + 1 : NULL;
    for (size_t i = 0; i < ARRAY_SIZE(own_options); i++)
        if (strlen(own_options[i].name) == length &&
            strncmp(own_options[i].name, text, length) == 0)
            return &own_options[i];
    return NULL;
}

bool parse_is_option(const char *text)
{
    const char *value;

    return own_option_find(text, &value) && value;
}

int parse_option(struct parse *parse, const char *text)
{
    const char *value;
    const struct own_option *own = own_option_find(text, &value);

    if (*text == '\0') /* as mount(8) has it */
        return 0;
    if (own)
        return own_option_set(parse, own, value);
    for (size_t i = 0; i < ARRAY_SIZE(mount_options); i++)
        if (mount_option_is(&mount_options[i], text))
            return mount_options[i].take(parse, text);
    return parse_fail(parse, -EINVAL,
                      "unknown option '%s': pagerfs -h lists them all", text);
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
    printf(
        "usage: %s [-f] [-d] [-s] [-o OPT,...] [SOURCE] MOUNTPOINT\n"
        "A tmpfs within a budget of RAM; what does not fit goes to swap of "
        "your choice.\n\n"
        "    -f                               stay in the foreground\n"
        "    -d, -o debug                     print every request; implies -f\n"
        "    -s                               one thread\n"
        "    -h, --help                       this text\n"
        "    -V, --version                    versions\n\n"
        "pagerfs (defaults in parentheses; memory: what this process may "
        "use):\n",
        program);
    for (size_t i = 0; i < ARRAY_SIZE(own_options); i++)
        help_line(own_options[i].name, own_options[i].value,
                  own_options[i].help);
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


/* main.c - pagerctl COMMAND ...: the user's window into a running mount.
 *
 * Each command is a function in a file of its own; all of them reach the mount
 * by the ioctls of pagerfs_ioctl.h and know nothing else of it.
 */
#include "ctl.h"

#include <string.h>

static const struct command *const commands[] = {
    &command_stat, &command_frag, &command_advise, &command_evict,
    &command_swapon, &command_swapoff, &command_verify, &command_set,
};
enum { NR_COMMANDS = sizeof(commands) / sizeof(commands[0]) };

static void help(FILE *out)
{
    fprintf(out, "usage: pagerctl COMMAND [OPTIONS] PATH ...\n\n");
    for (unsigned i = 0; i < NR_COMMANDS; i++)
        fprintf(out, "  %-8s %s\n", commands[i]->name, commands[i]->what);
    fprintf(out, "\nPATH is anything on the mount.  pagerctl COMMAND -h says "
                 "more; so does pagerctl(1).\n");
}

static void help_about(const struct command *command)
{
    printf("usage: pagerctl %s %s\n\n%s\n", command->name, command->usage,
           command->what);
    if (*command->help)
        printf("\n%s", command->help);
}

static bool is_help(const char *word)
{
    return strcmp(word, "-h") == 0 || strcmp(word, "--help") == 0;
}

/* Among the options, wherever they are; behind -- there are none. */
static bool wants_help(int argc, char **argv)
{
    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
        if (is_help(argv[i]))
            return true;
    return false;
}

/* NULL after a line. */
static const struct command *command_named(const char *name)
{
    for (unsigned i = 0; i < NR_COMMANDS; i++)
        if (strcmp(name, commands[i]->name) == 0)
            return commands[i];
    fprintf(stderr, "pagerctl: there is no command %s\n", name);
    return NULL;
}

/* Of the command argv[0]. */
static int run_command(int argc, char **argv)
{
    const struct command *command = command_named(argv[0]);
    int status;

    if (!command) {
        help(stderr);
        return STATUS_USAGE;
    }
    if (wants_help(argc, argv)) {
        help_about(command);
        return 0;
    }
    status = command->run(argc, argv);
    if (status == STATUS_USAGE)
        fprintf(stderr, "usage: pagerctl %s %s\n", command->name,
                command->usage);
    return status;
}

static int run_words(int argc, char **argv)
{
    const char *name = argc > 1 ? argv[1] : "";
    const struct command *command;

    if (*name == '\0') {
        help(stderr);
        return STATUS_USAGE;
    }
    if (strcmp(name, "-V") == 0 || strcmp(name, "--version") == 0) {
        printf("pagerctl %s\n", PAGERFS_VERSION);
        return 0;
    }
    if (!is_help(name) && strcmp(name, "help") != 0)
        return run_command(argc - 1, argv + 1);
    if (argc == 2) {
        help(stdout);
        return 0;
    }
    command = command_named(argv[2]);
    if (!command)
        return STATUS_USAGE;
    help_about(command);
    return 0;
}

int main(int argc, char **argv)
{
    return words_end(run_words(argc, argv));
}

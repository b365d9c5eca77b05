/* main.c - pagerctl COMMAND ...: the user's window into a running mount.
 *
 * Each command is a function in a file of its own; all of them reach the mount
 * by the ioctls of pagerfs_ioctl.h and know nothing else of it.
 */
#include "ctl.h"

#include <string.h>

static const struct {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *what;
} commands[] = {
    { "stat", command_stat, "figures: space, memory, swap, paging, requests" },
    { "frag", command_frag, "how well files lie together on swap" },
    { "advise", command_advise, "how a file will be used" },
    { "evict", command_evict, "write pages to swap and free their memory" },
    { "swapon", command_swapon, "another swap file or device; without: a list" },
    { "swapoff", command_swapoff, "move what a swap area holds, and give it up" },
    { "verify", command_verify, "every block owned once, used = charged" },
    { "set", command_set, "change size= or ram= of a mount in use" },
};
enum { NR_COMMANDS = sizeof(commands) / sizeof(commands[0]) };

static void help(FILE *out)
{
    fprintf(out, "usage: pagerctl COMMAND [OPTIONS] PATH ...\n\n");
    for (unsigned i = 0; i < NR_COMMANDS; i++)
        fprintf(out, "  %-8s %s\n", commands[i].name, commands[i].what);
    fprintf(out, "\nPATH is anything on the mount.  See pagerctl(1).\n");
}

int main(int argc, char **argv)
{
    const char *name = argc > 1 ? argv[1] : "";

    if (strcmp(name, "-h") == 0 || strcmp(name, "--help") == 0) {
        help(stdout);
        return 0;
    }
    if (strcmp(name, "-V") == 0 || strcmp(name, "--version") == 0) {
        printf("pagerctl %s\n", PAGERFS_VERSION);
        return 0;
    }
    for (unsigned i = 0; i < NR_COMMANDS; i++)
        if (strcmp(name, commands[i].name) == 0)
            return commands[i].run(argc - 1, argv + 1);
    if (*name)
        fprintf(stderr, "pagerctl: there is no command %s\n", name);
    help(stderr);
    return STATUS_USAGE;
}

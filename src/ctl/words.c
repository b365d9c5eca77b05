/* words.c - what a command was told, and what it says when that is no good. */
#include "ctl.h"

#include <getopt.h>
#include <stdarg.h>

void complain(const char *path, const char *format, ...)
{
    va_list args;

    fprintf(stderr, "pagerctl: %s: ", path);
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
}

int usage(const char *arguments)
{
    fprintf(stderr, "pagerctl: usage: pagerctl %s\n", arguments);
    return STATUS_USAGE;
}

int words_json(int argc, char **argv, bool *json)
{
    static const struct option options[] = {
        { "json", no_argument, NULL, 'j' },
        { NULL, 0, NULL, 0 },
    };
    int option;

    *json = false;
    while ((option = getopt_long(argc, argv, "j", options, NULL)) != -1) {
        if (option != 'j')
            return -1;
        *json = true;
    }
    return optind;
}

const char *words_report(int argc, char **argv, bool *json)
{
    return words_json(argc, argv, json) == argc - 1 ? argv[argc - 1] : NULL;
}

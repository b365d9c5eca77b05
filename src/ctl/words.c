/* words.c - what a command was told, and what it says when that is no good. */
#include "ctl.h"

#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <string.h>

void complain(const char *about, const char *format, ...)
{
    va_list args;

    fprintf(stderr, "pagerctl: %s: ", about);
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
}

const char *words_error(int err)
{
    switch (-err) {
    case EACCES:
        return "Permission denied: by its mode or that of a directory above, "
               "see ls -l; or another user mounted it without allow_other";
    case ENOTCONN:
    case ECONNABORTED: /* it died while we asked */
    case ECANCELED:
        return "its daemon is dead; fusermount3 -u removes the mount";
    default:
        return strerror(-err);
    }
}

/* Why standard output has lost something. */
static int output_error;

bool words_flush(void)
{
    if (fflush(stdout) != 0 && !output_error)
        output_error = errno;
    if (ferror(stdout) && !output_error)
        output_error = EIO; /* that of a write before: it is not known */
    return !output_error;
}

/* Who has nothing to say may have its standard output closed. */
int words_end(int status)
{
    if (words_flush() && fclose(stdout) != 0 && errno != EBADF)
        output_error = errno;
    if (!output_error)
        return status;
    complain("standard output", "cannot be written: %s",
             strerror(output_error));
    return STATUS_FAILED;
}

static bool is_letter_of(const struct option *options, int letter)
{
    for (; options->name; options++)
        if (options->val == letter)
            return true;
    return false;
}

/* getopt_long leaves the letter of an option in optopt; but 0 for a long one that
 * it does not know, and that of a known one which wants no value or lacks it. */
int words_option(int argc, char **argv, const char *letters,
                 const struct option *options)
{
    int option;

    opterr = 0;
    option = getopt_long(argc, argv, letters, options, NULL);
    if (option == ':')
        complain(argv[0], "option -%c wants a value", optopt);
    else if (option == '?' && optopt && !is_letter_of(options, optopt))
        complain(argv[0], "there is no option -%c", optopt);
    else if (option == '?')
        complain(argv[0], "there is no option %s", argv[optind - 1]);
    return option == ':' ? '?' : option;
}

char **words_rest(int argc, char **argv, int least, int most,
                  const char *wanted)
{
    if (argc - optind >= least && argc - optind <= most)
        return argv + optind;
    if (argc - optind < least)
        complain(argv[0], "give %s", wanted);
    else
        complain(argv[optind + most], "is one word too many: all that %s takes "
                                      "is %s", argv[0], wanted);
    return NULL;
}

char **words_json(int argc, char **argv, bool *json, int least, int most,
                  const char *wanted)
{
    static const struct option none = { NULL, 0, NULL, 0 };
    static const struct option options[] = {
        { "json", no_argument, NULL, 'j' },
        { NULL, 0, NULL, 0 },
    };
    int option;

    if (json)
        *json = false;
    while ((option = words_option(argc, argv, json ? ":j" : ":",
                                  json ? options : &none)) != -1) {
        if (option != 'j')
            return NULL;
        *json = true;
    }
    return words_rest(argc, argv, least, most, wanted);
}

const char *words_report(int argc, char **argv, bool *json)
{
    char **words = words_json(argc, argv, json, 1, 1, WORDS_PATH);

    return words ? words[0] : NULL;
}

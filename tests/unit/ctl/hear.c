/* hear.c - standard error goes to memory for a while. */
#include "hear.h"

#include <getopt.h>
#include <stdarg.h>
#include <string.h>

enum { MAX_WORDS = 8 };

char heard[1024];
static FILE *ear, *before;

void hear_begin(void)
{
    memset(heard, 0, sizeof(heard));
    optind = 0; /* from the beginning */
    ear = fmemopen(heard, sizeof(heard) - 1, "w");
    before = stderr;
    stderr = ear;
}

void hear_end(void)
{
    stderr = before;
    fclose(ear);
}

int hear(const struct command *command, ...)
{
    char name[16], *argv[MAX_WORDS + 1] = { name };
    va_list words;
    int argc = 1, status;

    snprintf(name, sizeof(name), "%s", command->name);
    va_start(words, command);
    while (argc < MAX_WORDS && (argv[argc] = va_arg(words, char *)))
        argc++;
    va_end(words);
    hear_begin();
    status = command->run(argc, argv);
    hear_end();
    return status;
}

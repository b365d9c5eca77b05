/* queues.c - is FUSE over io_uring switched on, and how many queues has it?
 *
 * Asked before anything is made, because buffers are paid for from ram=.  INIT
 * has the last word: this one only keeps a mount from setting memory aside where
 * the kernel's switch is off.  A module that is not loaded yet may be on.
 *
 * The kernel gives a request to the queue of the CPU that it comes from, and
 * waits until each possible CPU's queue has a buffer, present or not.
 */
#include "queues.h"

#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static bool first_line(const char *root, const char *path, char *line, int room)
{
    char full[PATH_MAX];
    FILE *file;
    bool read;

    snprintf(full, sizeof(full), "%s%s", root, path);
    file = fopen(full, "re");
    if (!file)
        return false;
    read = fgets(line, room, file) != NULL;
    fclose(file);
    return read;
}

static bool switched_on(const char *root)
{
    char line[16], module[PATH_MAX];

    if (first_line(root, "/sys/module/fuse/parameters/enable_uring", line,
                   sizeof(line)))
        return line[0] == 'Y';
    snprintf(module, sizeof(module), "%s/sys/module/fuse", root);
    return access(module, F_OK) != 0;
}

/* Of a list such as "0-3,8"; 0 if it is none. */
static unsigned count(const char *list)
{
    unsigned nr = 0;

    for (;;) {
        char *end;
        unsigned long first = strtoul(list, &end, 10), last = first;

        if (end == list)
            return 0;
        if (*end == '-') {
            list = end + 1;
            last = strtoul(list, &end, 10);
            if (end == list || last < first)
                return 0;
        }
        nr += (unsigned)(last - first) + 1;
        if (*end != ',')
            return nr;
        list = end + 1;
    }
}

unsigned queues_needed(const char *root)
{
    char line[1024];

    if (!switched_on(root) ||
        !first_line(root, "/sys/devices/system/cpu/possible", line,
                    sizeof(line)))
        return 0;
    return count(line);
}

/* memory.c - the machine's memory and the limits of the control groups.
 *
 * /proc/self/cgroup names the group of the process in each hierarchy:
 *
 *     4:memory:/user/1000      version 1, the hierarchy with "memory"
 *     0::/user.slice/a.scope   version 2
 *
 * A limit holds for everything below, so each group up to the root is asked.
 * In a container the path may be the host's, of which only a part, or nothing,
 * is visible: files that are not there are passed over.
 */
#include "memory.h"

#include "bits.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FALLBACK_BYTES ((uint64_t)1 << 30)

static FILE *open_below(const char *root, const char *name)
{
    char path[PATH_MAX];

    snprintf(path, sizeof(path), "%s/%s", root, name);
    return fopen(path, "re");
}

static uint64_t machine_memory(const char *root)
{
    FILE *file = open_below(root, "proc/meminfo");
    uint64_t kib = 0;
    char line[128];

    if (!file)
        return UINT64_MAX;
    while (fgets(line, sizeof(line), file))
        if (sscanf(line, "MemTotal: %" SCNu64 " kB", &kib) == 1)
            break;
    fclose(file);
    return kib ? kib << 10 : UINT64_MAX;
}

/* One number; "max" and everything unreadable is no limit. */
static uint64_t read_limit(const char *path)
{
    uint64_t bytes = UINT64_MAX;
    FILE *file = fopen(path, "re");

    if (!file)
        return UINT64_MAX;
    if (fscanf(file, "%" SCNu64, &bytes) != 1)
        bytes = UINT64_MAX;
    fclose(file);
    return bytes;
}

/* Walks from `group` up to the root of one hierarchy.  Shortens `group`. */
static uint64_t hierarchy_limit(const char *root, const char *mount,
                                char *group, const char *file)
{
    uint64_t least = UINT64_MAX;

    for (;;) {
        char path[2 * PATH_MAX];
        uint64_t limit;
        char *slash;

        snprintf(path, sizeof(path), "%s/sys/fs/cgroup%s%s/%s", root, mount,
                 group, file);
        limit = read_limit(path);
        least = MIN(least, limit);
        slash = strrchr(group, '/');
        if (!slash)
            return least;
        *slash = '\0';
    }
}

static bool has_controller(const char *list, const char *name)
{
    size_t length = strlen(name);

    while (*list) {
        size_t item = strcspn(list, ",");

        if (item == length && strncmp(list, name, length) == 0)
            return true;
        list += item + (list[item] == ',');
    }
    return false;
}

static uint64_t line_limit(const char *root, char *line)
{
    char *controllers = strchr(line, ':');
    char *group = controllers ? strchr(controllers + 1, ':') : NULL;
    char copy[PATH_MAX];

    if (!group)
        return UINT64_MAX;
    *controllers++ = '\0';
    *group++ = '\0';
    group[strcspn(group, "\n")] = '\0';
    if (strcmp(line, "0") == 0 && *controllers == '\0') {
        uint64_t hybrid, pure;

        snprintf(copy, sizeof(copy), "%s", group);
        hybrid = hierarchy_limit(root, "/unified", copy, "memory.max");
        pure = hierarchy_limit(root, "", group, "memory.max");
        return MIN(hybrid, pure);
    }
    if (has_controller(controllers, "memory"))
        return hierarchy_limit(root, "/memory", group, "memory.limit_in_bytes");
    return UINT64_MAX;
}

static uint64_t group_limit(const char *root)
{
    FILE *file = open_below(root, "proc/self/cgroup");
    uint64_t least = UINT64_MAX;
    char *line = NULL;
    size_t room = 0;

    if (!file)
        return UINT64_MAX;
    while (getline(&line, &room, file) > 0) {
        uint64_t limit = line_limit(root, line);

        least = MIN(least, limit);
    }
    free(line);
    fclose(file);
    return least;
}

uint64_t memory_usable(const char *root)
{
    uint64_t machine = machine_memory(root);
    uint64_t group = group_limit(root);
    uint64_t least = MIN(machine, group);

    return least == UINT64_MAX ? FALLBACK_BYTES : least;
}

/* main.c - pagerfs: a tmpfs within a budget of RAM, mounted by anybody.
 *
 * Malloc serves libfuse, which wants a small block for each request: one arena
 * of malloc for all threads, and its tops given back, keep that from costing
 * memory that ram= does not count.
 */
#include "daemon.h"
#include "log.h"
#include "memory.h"
#include "mount.h"

#include <malloc.h>
#include <stdlib.h>

enum { MALLOC_ARENAS = 1, MALLOC_TOP = 64 * 1024 };

int main(int argc, char **argv)
{
    char message[OPTIONS_MESSAGE_BYTES];
    int err = daemon_fill_standard();
    uint64_t memory = memory_usable("");
    struct options options;

    if (err)
        return EXIT_FAILURE; /* and nobody to tell why */
    mallopt(M_ARENA_MAX, MALLOC_ARENAS);
    mallopt(M_TRIM_THRESHOLD, MALLOC_TOP);
    if (options_parse(&options, argc, argv, memory, message)) {
        log_error("%s", message);
        return EXIT_FAILURE;
    }
    switch (options.action) {
    case OPTIONS_HELP:
        options_help(argv[0]);
        break;
    case OPTIONS_VERSION:
        options_version();
        break;
    case OPTIONS_MOUNT:
        log_setup("pagerfs", 0,
                  options.debug ? LOG_LEVEL_DEBUG : LOG_LEVEL_INFO);
        err = mount_run(&options, memory);
        break;
    }
    options_fini(&options);
    return err ? EXIT_FAILURE : EXIT_SUCCESS;
}

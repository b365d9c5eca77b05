/* memory.h - how much memory this process may use.
 *
 * The least of the machine's memory and of the limits of every control group
 * above the process, version 1 and version 2.
 */
#ifndef FUSE_MEMORY_H
#define FUSE_MEMORY_H

#include <stdint.h>

/* `root` is put before /proc and /sys: "" but in tests.  Bytes; what cannot be
 * read does not limit; 1 GiB if nothing can be read. */
uint64_t memory_usable(const char *root);

#endif

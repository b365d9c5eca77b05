/* mount.h - the life of one mount, from options to the last byte given back. */
#ifndef FUSE_MOUNT_H
#define FUSE_MOUNT_H

#include "options.h"

/* Mounts, serves until unmounted or told to end, takes everything down.
 * memory: what this process may use.  Returns only in the process that serves
 * (or on error): 0, or -errno with a line in the log. */
int mount_run(const struct options *options, uint64_t memory);

#endif

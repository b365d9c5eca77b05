/* queues.h - what FUSE over io_uring would need on this machine. */
#ifndef FUSE_QUEUES_H
#define FUSE_QUEUES_H

/* How many queues the kernel waits for, one for each CPU that there may ever
 * be; 0 if it says that it offers none.  `root` is put before /sys: "" but in
 * tests. */
unsigned queues_needed(const char *root);

#endif

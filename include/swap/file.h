/* file.h - the bytes behind the swap space: a file, a block device, or none.
 *
 * `swap=` names   a directory   an unlinked file is made in it (O_TMPFILE, or
 *                               created and unlinked at once), mode 0600
 *                 a file        that is missing, or empty and ours: its name
 *                               is removed at once; refused if it is not empty
 *                 a block device  the whole of it, opened O_EXCL
 *                 none          no swap: only RAM
 *
 * Invariants
 *   15  swap never lies on a FUSE mount (ours or another), nor on tmpfs/ramfs
 *       (it would not be a bound on RAM), nor on a loop device over either:
 *       refused here.
 *   16  nothing of it is left when the process is gone, however it went (but a
 *       device keeps what was written to it).
 *
 * Ownership   the file descriptor and the name are the swap_file's.
 * Locking     none needed after open: calls on distinct ranges may run at once.
 * Units       blocks of 4 KiB.
 * Errors      0 or -errno; swap_file_open also writes one line that says which
 *             place is wrong, why, and what to do.
 */
#ifndef SWAP_FILE_H
#define SWAP_FILE_H

#include "bits.h"

#include <sys/types.h>

struct swap_file {
    int fd;             /* -1: none */
    bool direct;        /* O_DIRECT works here */
    bool device;
    bool thin;          /* a device that has disk only where it was written */
    bool can_allocate;  /* fallocate works; else growth writes zeros */
    bool can_punch;     /* or, of a device, discard */
    uint32_t nr_blocks; /* the most it may hold: swapsize or the device */
    char *name;         /* absolute, of what was opened; NULL: none */
};

enum { SWAP_MESSAGE_BYTES = 256 };

/* max_blocks is the limit of nr_blocks; 0: none but what a device has, what a
 * file may be long (ulimit -f), and SPACE_MAX_BLOCKS.
 * message receives one line without newline on error. */
int swap_file_open(struct swap_file *file, const char *spec,
                   uint64_t max_blocks, char message[SWAP_MESSAGE_BYTES]);
void swap_file_close(struct swap_file *file);

/* Blocks that the host's disk could hold now (statvfs); devices: nr_blocks. */
uint64_t swap_file_room(const struct swap_file *file);
/* Puts disk behind blocks: -ENOSPC, -EDQUOT when the host has none.  Blocks of a
 * device that it discards have no contents afterwards. */
int swap_file_grow(struct swap_file *file, uint32_t first, uint32_t nr);
/* Takes it away again; failure is harmless and ignored. */
void swap_file_punch(struct swap_file *file, uint32_t first, uint32_t nr);
/* After a write, in bytes: without O_DIRECT what was written goes to disk, and the
 * host forgets its copy; else nothing.  The error may be that of any write since
 * the last call: so only one is under way. */
int swap_file_settle(const struct swap_file *file, uint64_t at, uint64_t bytes);
/* After a read: the host forgets its copy.  Takes nobody's error. */
void swap_file_forget(const struct swap_file *file, uint64_t at, uint64_t bytes);

#endif

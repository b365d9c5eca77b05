/* file_internal.h - what file_open.c, file_place.c and file.c share.
 *
 * file_open.c   finding and opening what `swap=` names, and making it private
 * file_place.c  refusing places that are RAM or FUSE in disguise
 * file.c        growing, punching, measuring what has been opened
 * file_device.c the same for block devices
 */
#ifndef SWAP_FILE_INTERNAL_H
#define SWAP_FILE_INTERNAL_H

#include "file.h"

#include <limits.h>
#include <sys/stat.h>

/* What is being opened, and where to say why it cannot be. */
struct opening {
    const char *spec;
    char *message;
    char path[PATH_MAX]; /* of a file that was there, for its name to go */
};

/* Writes "swap=SPEC: ..." and returns err, so that a refusal is one line. */
int opening_refuse(const struct opening *opening, int err, const char *format,
                   ...) __attribute__((format(printf, 3, 4)));

/* -EINVAL and a message if fd (with attributes st) lies on FUSE or in RAM, or
 * on a loop device over either, however deep (15). */
int place_check(const struct opening *opening, int fd, const struct stat *st);

/* A new file without a name in directory `dir`, made under a name and unlinked
 * at once: for file systems without O_TMPFILE.  fd or -errno. */
int unnamed_make(int dir);

/* Finds out what the file can do, by doing it. */
int file_probe(struct swap_file *file);

/* The parts of file_probe, swap_file_grow and swap_file_punch for devices. */
void device_probe(struct swap_file *file);
int device_grow(struct swap_file *file, uint64_t at, uint64_t bytes);
void device_discard(struct swap_file *file, uint64_t at, uint64_t bytes);

#endif

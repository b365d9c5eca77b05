/* places.h - kinds of places to put swap at, made for one test.
 *
 * All but the first need root; where that is lacking they print a word and
 * return false, and the test passes without having looked.  Mounts are made in
 * a mount namespace of the process and loop devices clear themselves, so both
 * are gone when the process is.
 */
#ifndef TESTS_PLACES_H
#define TESTS_PLACES_H

#include <stdbool.h>
#include <stdint.h>

enum { PLACE_BYTES = 256 };

/* A new empty directory on a disk. */
void place_dir(char dir[PLACE_BYTES]);
/* Its name goes, with the plain files in it. */
void place_dir_remove(const char *dir);
unsigned place_count_names(const char *dir);

/* A file system of this type (tmpfs, ramfs) on a directory of that kind. */
bool place_mount(const char *dir, const char *type);
/* A loop device over a new file of so many bytes in `dir`. */
bool place_loop(const char *dir, uint64_t bytes, char device[PLACE_BYTES]);
/* ext4 on a loop device over a file in `under`, mounted on `dir`. */
bool place_ext4(const char *under, uint64_t bytes, const char *dir);
/* A FUSE file system whose root is an empty directory. */
bool place_fuse(const char *dir);

#endif

/* groups.h - supplementary groups of a process.
 *
 * FUSE tells one group of the caller; who may keep the set-gid bit of a file
 * depends on all of them.  They are read from /proc when that question comes
 * up.
 */
#ifndef FUSE_GROUPS_H
#define FUSE_GROUPS_H

#include <stdbool.h>
#include <sys/types.h>

/* Is gid among those of the thread?  False if it is gone or not visible. */
bool groups_member(pid_t thread, gid_t gid);

#endif

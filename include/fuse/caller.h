/* caller.h - who the thread is that a request came from.
 *
 * FUSE tells one user and one group of the caller, and where mounts may be
 * idmapped not even these, unless something is made.  Who may keep the set-gid
 * bit of a file depends on all groups.  They are read from /proc when that
 * question comes up.
 *
 * Errors      false if the thread is gone or not visible.
 */
#ifndef FUSE_CALLER_H
#define FUSE_CALLER_H

#include <stdbool.h>
#include <sys/types.h>

/* Is /proc that of our own namespace of processes?  If not, nobody is visible. */
bool caller_visible(void);
/* Is this its user? */
bool caller_is(pid_t thread, uid_t uid);
/* Is this its first group? */
bool caller_leads(pid_t thread, gid_t gid);
/* Is this one of its supplementary groups? */
bool caller_joined(pid_t thread, gid_t gid);

#endif

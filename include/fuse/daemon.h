/* daemon.h - going into the background without leaving the user in the dark.
 *
 * The parent stays until the child says that the mount can be used, and ends
 * with its status: a script may use the mount right after the command, and an
 * error is on the user's terminal with a status that is not zero.
 *
 * Errors      0 or -errno, and a line in the log.
 */
#ifndef FUSE_DAEMON_H
#define FUSE_DAEMON_H

#include <stdbool.h>

struct daemon {
    bool background;
    int status; /* pipe to the parent; -1 in the foreground */
    int null;   /* for the terminal's place; later there may be none left to
                 * open.  -1 in the foreground */
};

/* Where no standard descriptor is open, /dev/null is: before anything else is
 * opened. */
int daemon_fill_standard(void);
/* Returns in the child; the parent exits.  No threads may exist yet. */
int daemon_detach(struct daemon *daemon, bool foreground);
/* The mount can be used: lets the parent go, and the terminal. */
void daemon_ready(struct daemon *daemon);

#endif

/* readers.h - threads that read /dev/fuse; private to src/fuse. */
#ifndef FUSE_READERS_H
#define FUSE_READERS_H

#include "crew.h"
#include "lock.h"
#include "sizing.h"

#include <pthread.h>
#include <stdint.h>

struct session;

struct readers;

/* Where a reader is; a futex word.  Changed in place_set only. */
enum reader_place {
    READER_OUT, /* sleeps until it is let in */
    READER_IN,  /* reads, or serves what it has read */
};

struct reader {
    struct readers *readers;
    pthread_t thread;
    _Atomic uint32_t place;   /* enum reader_place (l) */
    _Atomic unsigned cooled;  /* as in readers, when it last gave memory back */
    _Atomic uint64_t served;  /* messages */
    _Atomic bool left;        /* it does nothing more, and may be joined */
    struct crew_member member;
};

struct readers {
    struct session *session;
    uint64_t pause_ns; /* after each message; 0: none */
    _Atomic bool warm;      /* buffers have held large messages */
    _Atomic unsigned cooled; /* times that a reader found the mount idle */
    _Atomic unsigned nr;     /* threads started */
    struct mutex lock;
    struct crew crew;        /* (l) */
    _Atomic unsigned in;     /* (l) to change; crew.in, to be read without */
    struct reader reader[SIZING_MAX_READERS];
};                           /* (l) the lock's */

/* Those that were started before an error are for readers_stop. */
int readers_start(struct readers *readers, struct session *session, unsigned nr,
                  uint64_t pause_ns);
/* The calling thread, one of them, is going to wait.  False: nobody else would
 * read meanwhile. */
bool readers_away(struct readers *readers);
void readers_back(struct readers *readers);
/* The session is stopping. */
void readers_stop(struct readers *readers);

#endif

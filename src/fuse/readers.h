/* readers.h - threads that read /dev/fuse; private to src/fuse. */
#ifndef FUSE_READERS_H
#define FUSE_READERS_H

#include "sizing.h"

#include <pthread.h>
#include <stdint.h>

struct session;

struct readers;

struct reader {
    struct readers *readers;
    pthread_t thread;
    _Atomic unsigned cooled; /* as in readers, when it last gave memory back */
};

struct readers {
    struct session *session;
    uint64_t pause_ns; /* after each message; 0: none */
    _Atomic bool warm;      /* buffers have held large messages */
    _Atomic unsigned cooled; /* times that a reader found the mount idle */
    _Atomic unsigned nr;
    struct reader reader[SIZING_MAX_READERS];
};

/* Those that were started before an error are for readers_stop. */
int readers_start(struct readers *readers, struct session *session, unsigned nr,
                  uint64_t pause_ns);
/* The session is stopping. */
void readers_stop(struct readers *readers);

#endif

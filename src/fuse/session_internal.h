/* session_internal.h - what session.c and serve.c share. */
#ifndef FUSE_SESSION_INTERNAL_H
#define FUSE_SESSION_INTERNAL_H

#include "libfuse.h"
#include "session.h"

/* libfuse's reads and writes, once it has mounted. */
extern const struct fuse_custom_io serve_hooks;
/* What a worker does with a request: `item` is its link. */
void serve_queued(void *ctx, struct list *item);

#endif

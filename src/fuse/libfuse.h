/* libfuse.h - libfuse's low-level API, of one version for all of src/fuse. */
#ifndef FUSE_LIBFUSE_H
#define FUSE_LIBFUSE_H

#define FUSE_USE_VERSION 312
#include <fuse_lowlevel.h>

#endif

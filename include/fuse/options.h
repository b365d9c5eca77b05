/* options.h - what the user asked for on the command line.
 *
 *     pagerfs [-f -d -s] [-o OPT,...] [SOURCE] MOUNTPOINT
 *
 * Pure: looks at no file and no mount; what the machine has is handed in.
 * Sizes that were not given stay "not given" here; sizing.h fills them in.
 *
 * Ownership   strings and libfuse's arguments belong to the struct, until
 *             options_fini.
 * Units       bytes.
 * Errors      -EINVAL, -ENOMEM, and then `message` holds one line that names
 *             the option and says what to write instead.
 */
#ifndef FUSE_OPTIONS_H
#define FUSE_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum { OPTIONS_MESSAGE_BYTES = 512, OPTIONS_SWAPS_MAX = 16 };
/* Below this there is no room for buffers, reserves and a few files at once. */
#define OPTIONS_RAM_MIN ((uint64_t)4 << 20)
/* More than that an arena does not hold. */
#define OPTIONS_RAM_MAX ((uint64_t)128 << 30)
/* What an empty root directory takes. */
#define OPTIONS_SIZE_MIN ((uint64_t)12 << 10)
/* As long as a file may be, rounded to pages. */
#define OPTIONS_BYTES_MAX ((uint64_t)INT64_MAX - 4096)

enum options_action { OPTIONS_MOUNT, OPTIONS_HELP, OPTIONS_VERSION };
/* What the kernel may keep of file contents: everything, or nothing. */
enum options_cache { OPTIONS_CACHE_AUTO, OPTIONS_CACHE_NONE };
/* How requests come: whatever is best here, or nothing but that. */
enum options_transport { OPTIONS_TRANSPORT_AUTO, OPTIONS_TRANSPORT_DEV,
                         OPTIONS_TRANSPORT_URING };
/* When reading touches the access time. */
enum options_atime { OPTIONS_RELATIME, OPTIONS_NOATIME, OPTIONS_STRICTATIME };

/* A size that may not have been given. */
struct option_size {
    bool given;
    uint64_t bytes;
};

/* swap=PLACE[:pri=N][:size=BYTES] */
struct option_swap {
    char *place;               /* "none" only alone */
    int priority;              /* -1: below those before it */
    struct option_size size;   /* of a file; not given: swapsize= */
};

struct options {
    enum options_action action;
    char *source;              /* NULL: not given */
    char *mountpoint;          /* as given */
    bool foreground, debug, single_thread;
    bool allow_root;           /* libfuse's: others than root are refused */
    bool auto_unmount;         /* libfuse's: fusermount3 waits for our death */
    struct option_size
        size; /* size= or nr_blocks=, the last one; 0: no limit */
    struct option_size nr_inodes; /* a count; 0: no limit */
    struct option_size ram, swapsize;
    struct option_swap swap[OPTIONS_SWAPS_MAX]; /* in the order given */
    unsigned nr_swap;          /* 0: none was given */
    mode_t mode;
    uid_t uid;
    gid_t gid;
    bool grpid;
    bool noxattr;              /* no extended attributes, no ACLs */
    enum options_cache cache;
    bool writeback;            /* the kernel may keep what is written a while */
    struct option_size writeback_max; /* so much of it; bytes 0: not given */
    const char *replacement;   /* a policy of the pool; NULL: its default */
    enum options_transport transport;
    enum options_atime atime;
    bool nodiratime;
    int argc;                  /* libfuse's share, argv[0] included */
    char **argv;
};

/* memory: what this process may use, the base of every %. */
int options_parse(struct options *options, int argc, char **argv,
                  uint64_t memory, char message[OPTIONS_MESSAGE_BYTES]);
void options_fini(struct options *options);
/* Both to stdout. */
void options_help(const char *program);
void options_version(void);

#endif

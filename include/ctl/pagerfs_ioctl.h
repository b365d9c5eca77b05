/* pagerfs_ioctl.h - seeing and steering a mounted pagerfs from other programs.
 *
 * Open the root directory of the mount O_RDONLY and call ioctl(2) on it; where
 * it says so, a regular file inside does too.  No socket, no path: who can open
 * the mount can ask, and the kernel says who asks.
 *
 *     struct pagerfs_stat stat = { .head = PAGERFS_HEAD(stat) };
 *
 *     if (ioctl(fd, PAGERFS_IOC_STAT, &stat) < 0) ...
 *
 * Versions    every argument begins with a head: the version of this header
 *             and the size of the argument.  A later version that needs other
 *             fields has another size, which is part of the command's number.
 *             Reserved fields are zero, both ways.
 * Rights      (A) anybody who can open the root; (O) root and the user who
 *             mounted.
 * Units       pages, frames and blocks are 4 KiB; bytes and ns where it says so.
 *             Counters start at 0 with the mount and only rise.
 * Errors      ENOTTY not a pagerfs, not its root, or a command it does not know;
 *             EINVAL a head or a field that is wrong; EPERM not yours to do;
 *             EBUSY another such command is under way; EINTR interrupted; others
 *             with the commands.
 */
#ifndef CTL_PAGERFS_IOCTL_H
#define CTL_PAGERFS_IOCTL_H

#include <stdint.h>
#include <sys/ioctl.h>

#define PAGERFS_CTL_VERSION 1u
#define PAGERFS_IOC_TYPE 0xb6

struct pagerfs_head {
    uint32_t version; /* PAGERFS_CTL_VERSION */
    uint32_t size;    /* of the whole argument, in bytes */
};

#define PAGERFS_HEAD(argument) { PAGERFS_CTL_VERSION, sizeof(argument) }

/* --- figures (A) ----------------------------------------------------------- */

#define PAGERFS_NAME_BYTES 16
/* Requests are counted by their number in <linux/fuse.h>. */
#define PAGERFS_OPCODES 64

struct pagerfs_stat {
    struct pagerfs_head head;
    uint64_t uptime_ns;
    /* NUL-terminated. */
    char transport[PAGERFS_NAME_BYTES];
    char swap_engine[PAGERFS_NAME_BYTES];
    char replacement[PAGERFS_NAME_BYTES];

    /* What size= limits, in pages; limit 0: none.  used is data and metadata;
     * used_max is what RAM and swap hold. */
    uint64_t limit, used, used_max, data, metadata;
    uint64_t nodes, nodes_limit, names, orphans;

    /* Frames in RAM.  Marks: pageout works between low and high, writers wait
     * below min, the reserve is for page-ins. */
    uint64_t frames, frames_free, frames_reserve;
    uint64_t frames_min, frames_low, frames_high;
    uint64_t pages_reading, pages_clean, pages_dirty, pages_writing;

    /* Blocks of swap: the most there may be, those with disk behind them, and
     * of these free, in use, and withdrawn after errors. */
    uint64_t blocks_max, blocks_backed, blocks_free, blocks_used, blocks_retired;

    /* Counters of pages, and of I/Os. */
    uint64_t pageout_pages, pageout_ios, pagein_pages, pagein_ios;
    uint64_t evictions, redirtied, refaults, lost;
    /* Pages read ahead; of these, asked for later; and evicted unused. */
    uint64_t readahead_pages, readahead_used, readahead_unused;
    uint64_t writers_waited_ns; /* for memory, all together */

    uint64_t requests[PAGERFS_OPCODES];

    /* Bytes: ram= as it is, and the least and the most that it can be set to:
     * least with what is in use now, if the host has the disk. */
    uint64_t ram, ram_least, ram_most;
    uint64_t reserved[13];
};
#define PAGERFS_IOC_STAT _IOWR(PAGERFS_IOC_TYPE, 1, struct pagerfs_stat)

/* How well files lie together on swap.  A pair is two pages that follow each
 * other in a file and both have a block; it is a break if the blocks do not
 * follow each other.  `slots` counts 64 for each 64 pages of a file of which at
 * least one exists: the pointers that a block map would have. */
struct pagerfs_frag {
    struct pagerfs_head head;
    uint64_t files;         /* regular, that have a page on swap */
    uint64_t pages, pairs, breaks, slots, runs;
    uint64_t blocks_free;   /* of swap, and how these lie: */
    uint64_t free_runs;
    uint64_t largest_run;   /* rounded down to a power of two */
    uint64_t reserved[7];
};
#define PAGERFS_IOC_FRAG _IOWR(PAGERFS_IOC_TYPE, 2, struct pagerfs_frag)

/* --- limits (O) ------------------------------------------------------------ */

enum pagerfs_set_what { PAGERFS_SET_SIZE = 1, PAGERFS_SET_RAM = 2 };

/* One of them in a call.
 * size        EINVAL: it is less than what is used now.  ENOSPC: it is more than
 *             RAM and swap can hold.
 * ram         returns when so much, and no more, is in use: pages that do not fit
 *             are on swap then.  ERANGE: less than the daemon can do with, or more
 *             than ram_most.  ENOSPC: what is in use needs more than that, or more
 *             disk for swap than there is.  ENOMEM: the system refuses it.  On any
 *             error it is what it was. */
struct pagerfs_set {
    struct pagerfs_head head;
    uint64_t what; /* enum pagerfs_set_what */
    uint64_t size; /* bytes; 0: no limit but what there is */
    uint64_t ram;  /* bytes */
    uint64_t reserved[4];
};
#define PAGERFS_IOC_SET _IOWR(PAGERFS_IOC_TYPE, 3, struct pagerfs_set)

/* --- pages (O), on a regular file ------------------------------------------ */

/* The first three are remembered for the file until another comes; the others
 * are done at once. */
enum pagerfs_advice {
    PAGERFS_DEFAULT,    /* guess how it is read */
    PAGERFS_SEQUENTIAL, /* read far ahead; what was read goes first */
    PAGERFS_RANDOM,     /* read nothing that was not asked for */
    PAGERFS_WILLNEED,   /* start reading what is on swap, now */
    PAGERFS_DONTNEED,   /* its pages are the first to go */
};

struct pagerfs_advise {
    struct pagerfs_head head;
    uint64_t advice;   /* enum pagerfs_advice */
    uint64_t pages;    /* result: being read, or cooled */
    uint64_t reserved[5];
};
#define PAGERFS_IOC_ADVISE _IOWR(PAGERFS_IOC_TYPE, 4, struct pagerfs_advise)

/* On the root: the pages of all files.  Dirty pages are written to swap; their
 * memory is given back to the system.  ENOSPC: swap has no room for them. */
struct pagerfs_evict {
    struct pagerfs_head head;
    uint64_t evicted;  /* result: pages that went */
    uint64_t left;     /* result: pages that are in use */
    uint64_t reserved[5];
};
#define PAGERFS_IOC_EVICT _IOWR(PAGERFS_IOC_TYPE, 5, struct pagerfs_evict)

/* --- swap areas (O): the list too, for it names places of the owner's --------- */

#define PAGERFS_SWAP_NAME_BYTES 256
#define PAGERFS_SWAP_AREAS 16
#define PAGERFS_SWAP_PRIORITY_MAX 32767 /* as swapon(8) */
/* The most that all areas can have together. */
#define PAGERFS_SWAP_BLOCKS ((uint64_t)1 << 30)

struct pagerfs_swap_area {
    char name[PAGERFS_SWAP_NAME_BYTES]; /* absolute path, NUL-terminated */
    int64_t priority;                   /* higher is used first */
    uint64_t leaving;                   /* 1: it is being emptied */
    uint64_t blocks_max, blocks_backed, blocks_used, blocks_free;
    uint64_t blocks_retired;
};

struct pagerfs_swaps {
    struct pagerfs_head head;
    uint64_t nr; /* result */
    struct pagerfs_swap_area area[PAGERFS_SWAP_AREAS];
};
#define PAGERFS_IOC_SWAPS _IOWR(PAGERFS_IOC_TYPE, 6, struct pagerfs_swaps)

/* Takes another place into use, opened by the daemon with its own rights: what
 * swap= can name, but for none.  If the place is no good, `message` says why and
 * what to do, and the call returns 0.  EEXIST: it is in use; EMFILE: there are
 * PAGERFS_SWAP_AREAS; ENOSPC: swap cannot be as large as that. */
struct pagerfs_swapon {
    struct pagerfs_head head;
    char path[PAGERFS_SWAP_NAME_BYTES]; /* absolute */
    uint64_t size;    /* bytes; 0: all of a device */
    int64_t priority; /* negative: behind all others */
    char message[256]; /* result; empty: done */
    uint64_t reserved[4];
};
#define PAGERFS_IOC_SWAPON _IOWR(PAGERFS_IOC_TYPE, 7, struct pagerfs_swapon)

/* Moves what an area holds elsewhere and gives it up.  ENOENT: there is none of
 * that name; ENOSPC: the others cannot hold what is in use. */
struct pagerfs_swapoff {
    struct pagerfs_head head;
    char name[PAGERFS_SWAP_NAME_BYTES];
    uint64_t reserved[4];
};
#define PAGERFS_IOC_SWAPOFF _IOWR(PAGERFS_IOC_TYPE, 8, struct pagerfs_swapoff)

/* --- is all as it should be? (O) ------------------------------------------- */

enum pagerfs_found {
    PAGERFS_FOUND_TWICE = 1, /* blocks of a page that another page owns, too */
    PAGERFS_FOUND_FREE,      /* blocks of a page that are free */
    PAGERFS_FOUND_LEAKED,    /* blocks in use that no page owns */
    PAGERFS_FOUND_DATA,      /* data_charged is not data_pages */
    PAGERFS_FOUND_METADATA,  /* metadata_charged is not metadata_frames */
};

struct pagerfs_finding {
    uint64_t what;  /* enum pagerfs_found */
    uint64_t inode; /* 0: of no file */
    uint64_t page;  /* of the file, the first of them */
    uint64_t block; /* the first of nr */
    uint64_t nr;
};

#define PAGERFS_FINDINGS 64

/* Requests go on meanwhile, but for a moment in which pages are counted.
 * ETIMEDOUT: such a moment did not come, for requests under way took too long. */
struct pagerfs_verify {
    struct pagerfs_head head;
    uint64_t files;            /* results: regular files looked at */
    uint64_t blocks;           /* of swap that their pages own */
    uint64_t passes;           /* over all files: several if swap is large */
    uint64_t data_charged, data_pages;
    uint64_t metadata_charged, metadata_frames;
    uint64_t paused_ns;        /* how long requests were kept waiting */
    uint64_t findings;         /* of which the first are here: */
    struct pagerfs_finding finding[PAGERFS_FINDINGS];
    uint64_t reserved[8];
};
#define PAGERFS_IOC_VERIFY _IOWR(PAGERFS_IOC_TYPE, 9, struct pagerfs_verify)

#endif

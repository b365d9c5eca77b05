/* ops_ctl.h - what the files of the control ABI share.
 *
 *     ops_ctl.c         any command, the figures, the limits
 *     ops_ctl_pages.c   advice, eviction
 *     ops_ctl_swap.c    swap areas
 *     ops_ctl_verify.c  is all as it should be?
 *
 * A command gets its argument checked but for fields of its own, leaves its answer
 * there, and returns 0 or -errno.
 */
#ifndef FUSE_OPS_CTL_H
#define FUSE_OPS_CTL_H

#include "ops.h"

#include "pagerfs_ioctl.h"

/* The largest argument: on the stack of a thread of ours. */
union argument {
    struct pagerfs_head head;
    struct pagerfs_stat stat;
    struct pagerfs_frag frag;
    struct pagerfs_set set;
    struct pagerfs_advise advise;
    struct pagerfs_evict evict;
    struct pagerfs_swaps swaps;
    struct pagerfs_swapon swapon;
    struct pagerfs_swapoff swapoff;
    struct pagerfs_verify verify;
};

typedef int ctl_command(struct request *rq, uint64_t id,
                        union argument *argument);

ctl_command ctl_advise, ctl_evict;
ctl_command ctl_swaps, ctl_swapon, ctl_swapoff;
ctl_command ctl_verify;

/* request_given_up for those who ask others whether to go on, or to stop; ctx: the
 * request. */
static inline bool go_on(void *ctx)
{
    return !request_given_up(ctx);
}

static inline bool stop(void *ctx)
{
    return request_given_up(ctx);
}

static inline bool is_zero(const uint64_t *words, size_t nr)
{
    for (size_t i = 0; i < nr; i++)
        if (words[i] != 0)
            return false;
    return true;
}

static inline struct pool *pool_of(const struct request *rq)
{
    return rq->session->store->pool;
}

#endif

/* times.c - when a node's times move: the one place that knows the clock.
 *
 * The rules are those of Linux's tmpfs.
 *
 *     what happens                    atime   mtime   ctime
 *     node is made                    node    node    node    (and btime)
 *     name made or taken away                 dir     dir
 *     link, unlink, rename, replace                   node
 *     rename                                  both dirs, both dirs
 *     write, truncate, fallocate              node    node
 *     setattr, setxattr, flags, ACL                   node
 *     read, readdir, readlink         node
 *
 * (truncate: if the size changes or there are pages; see attr.c.)  atime moves by
 * relatime: when it is not later than mtime and ctime, or a day old, so that a
 * reader costs a change at most once after each write.
 */
#include "tree_internal.h"

#include "clock.h"

enum { DAY_SECONDS = 24 * 60 * 60 };

void times_set(struct node *node, enum node_time which,
               const struct timespec *ts)
{
    node->sec[which] = ts->tv_sec;
    node->nsec[which] = (uint32_t)ts->tv_nsec;
}

void times_born(struct node *node)
{
    struct timespec now = clock_realtime();

    mutex_lock(&node->lock, RANK_NODE);
    for (unsigned which = 0; which < NR_TIMES; which++)
        times_set(node, which, &now);
    mutex_unlock(&node->lock);
}

void times_modified(struct node *node)
{
    struct timespec now = clock_realtime();

    mutex_lock(&node->lock, RANK_NODE);
    times_set(node, TIME_MODIFY, &now);
    times_set(node, TIME_CHANGE, &now);
    mutex_unlock(&node->lock);
}

void times_changed(struct node *node)
{
    struct timespec now = clock_realtime();

    mutex_lock(&node->lock, RANK_NODE);
    times_set(node, TIME_CHANGE, &now);
    mutex_unlock(&node->lock);
}

static bool later(const struct node *node, enum node_time a, enum node_time b)
    REQUIRES(node->lock)
{
    return node->sec[a] > node->sec[b] ||
           (node->sec[a] == node->sec[b] && node->nsec[a] > node->nsec[b]);
}

enum tree_atime tree_atime(const struct tree *tree)
{
    return atomic_load_explicit(&tree->atime, memory_order_relaxed);
}

void tree_atime_set(struct tree *tree, enum tree_atime atime, bool nodiratime)
{
    atomic_store_explicit(&tree->atime, atime, memory_order_relaxed);
    atomic_store_explicit(&tree->nodiratime, nodiratime, memory_order_relaxed);
}

void times_accessed(struct tree *tree, struct node *node)
{
    struct timespec now = clock_realtime();
    enum tree_atime rule = tree_atime(tree);

    if (rule == TREE_NOATIME ||
        (node_is(node, S_IFDIR) &&
         atomic_load_explicit(&tree->nodiratime, memory_order_relaxed)))
        return;
    mutex_lock(&node->lock, RANK_NODE);
    if (!(node->flags & NODE_NOATIME) &&
        (rule == TREE_STRICTATIME ||
         !later(node, TIME_ACCESS, TIME_MODIFY) ||
         !later(node, TIME_ACCESS, TIME_CHANGE) ||
         now.tv_sec - node->sec[TIME_ACCESS] >= DAY_SECONDS))
        times_set(node, TIME_ACCESS, &now);
    mutex_unlock(&node->lock);
}

/* ops_ctl_swap.c - the control ABI: swap areas come and go.
 *
 * Places are named by the caller and opened by the daemon, with its own rights,
 * which are those of the only ones who may ask, or less.
 */
#include "ops_ctl.h"

#include <errno.h>
#include <string.h>

int ctl_swaps(struct request *rq, uint64_t id, union argument *argument)
{
    struct swap_area_info list[SWAP_AREAS_MAX];
    uint32_t nr = pool_swap_list(pool_of(rq), list);

    (void)id;
    argument->swaps = (struct pagerfs_swaps){ .head = argument->head, .nr = nr };
    for (uint32_t i = 0; i < nr; i++) {
        struct pagerfs_swap_area *out = &argument->swaps.area[i];

        memcpy(out->name, list[i].name, sizeof(out->name));
        out->priority = list[i].priority;
        out->leaving = list[i].state != SWAP_AREA_ACTIVE;
        out->blocks_max = list[i].nr_max;
        out->blocks_backed = list[i].nr_backed;
        out->blocks_used = list[i].nr_used;
        out->blocks_free = list[i].nr_free;
        out->blocks_retired = list[i].nr_retired;
    }
    return 0;
}

/* A place on this very mount would have us wait for ourselves, if there is no
 * other thread; it is refused when there is one (swap_file_open). */
int ctl_swapon(struct request *rq, uint64_t id, union argument *argument)
{
    struct pagerfs_swapon *args = &argument->swapon;
    struct swap_file file;
    int err;

    (void)id;
    if (!is_zero(args->reserved, ARRAY_SIZE(args->reserved)) ||
        args->path[0] != '/' || !memchr(args->path, 0, sizeof(args->path)) ||
        args->priority < INT16_MIN || args->priority > PAGERFS_SWAP_PRIORITY_MAX)
        return -EINVAL;
    memset(args->message, 0, sizeof(args->message));
    if (!rq->session->work) {
        strcpy(args->message, "a mount with -s takes no more swap");
        return 0;
    }
    if (swap_file_open(&file, args->path, pages_for(args->size),
                       args->message) != 0)
        return 0;
    err = pool_swap_add(pool_of(rq), &file, (int)args->priority);
    if (err)
        swap_file_close(&file);
    return err;
}

int ctl_swapoff(struct request *rq, uint64_t id, union argument *argument)
{
    struct pagerfs_swapoff *args = &argument->swapoff;

    (void)id;
    if (!is_zero(args->reserved, ARRAY_SIZE(args->reserved)) ||
        !memchr(args->name, 0, sizeof(args->name)))
        return -EINVAL;
    return pool_swap_remove(pool_of(rq), args->name, stop, rq);
}

_Static_assert((int)PAGERFS_SWAP_AREAS == (int)SWAP_AREAS_MAX &&
               (int)PAGERFS_SWAP_NAME_BYTES == (int)SWAP_NAME_BYTES &&
               PAGERFS_SWAP_BLOCKS == SPACE_MAX_BLOCKS &&
               sizeof(((struct pagerfs_swapon *)0)->message) >=
                   SWAP_MESSAGE_BYTES, "as in swap.h and file.h");

/* space_pages.c - table pages from malloc, so that the sanitizer watches them. */
#include "space_pages.h"

#include <check.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>

static int page_alloc(void *ctx, void **page)
{
    struct space_pages *pages = ctx;

    if (pages->fail_after == 0)
        return -EAGAIN;
    if (pages->fail_after != UINT_MAX)
        pages->fail_after--;
    *page = calloc(1, PAGE_SIZE);
    ck_assert_ptr_nonnull(*page);
    pages->nr++;
    return 0;
}

static void page_free(void *ctx, void *page)
{
    struct space_pages *pages = ctx;

    ck_assert_uint_gt(pages->nr, 0);
    pages->nr--;
    free(page);
}

const struct space_ops space_pages_ops = { page_alloc, page_free };

struct space *space_pages_create(struct space_pages *pages, uint32_t nr_blocks)
{
    struct space *space;

    *pages = (struct space_pages){ .fail_after = UINT_MAX };
    ck_assert_int_eq(space_create(&space, nr_blocks, &space_pages_ops, pages),
                     0);
    return space;
}

void space_pages_destroy(struct space *space, struct space_pages *pages)
{
    space_check(space);
    space_destroy(space);
    ck_assert_uint_eq(pages->nr, 0);
}

void space_pages_back_all(struct space *space)
{
    uint32_t first, nr;

    while ((nr = space_unbacked(space, SPACE_MAX_BLOCKS, &first)) > 0)
        ck_assert_int_eq(space_back(space, first, nr), 0);
}

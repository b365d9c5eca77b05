/* space_pages.h - table pages for a space under test: counted, and failing on
 * command. */
#ifndef TESTS_SPACE_PAGES_H
#define TESTS_SPACE_PAGES_H

#include "space.h"

struct space_pages {
    unsigned nr;         /* lent at this moment */
    unsigned fail_after; /* so many more succeed; UINT_MAX: all */
};

extern const struct space_ops space_pages_ops;

/* A space with its pages; space_pages_destroy checks that all came back. */
struct space *space_pages_create(struct space_pages *pages, uint32_t nr_blocks);
void space_pages_destroy(struct space *space, struct space_pages *pages);
/* Backs everything that is UNBACKED. */
void space_pages_back_all(struct space *space);

#endif

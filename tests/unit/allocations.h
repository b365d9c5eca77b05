/* allocations.h - counts malloc, calloc and realloc of the whole test, whoever
 * calls them; for the one test file that includes it.
 *
 * Sanitizers have allocators of their own: then COUNTING is 0, and so is the
 * count.  Check's assertions allocate: so there are none between two counts, or
 * the thread that makes them is left out.
 */
#ifndef TESTS_ALLOCATIONS_H
#define TESTS_ALLOCATIONS_H

#include "sanitized.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#define COUNTING (!SANITIZED)

static _Atomic uint64_t nr_allocations;
/* This thread's are left out. */
static _Thread_local bool allocates_freely;

#if COUNTING
void *__libc_malloc(size_t bytes);
void *__libc_calloc(size_t nr, size_t bytes);
void *__libc_realloc(void *ptr, size_t bytes);

static void allocation(void)
{
    if (!allocates_freely)
        atomic_fetch_add(&nr_allocations, 1);
}

void *malloc(size_t bytes)
{
    allocation();
    return __libc_malloc(bytes);
}

void *calloc(size_t nr, size_t bytes)
{
    allocation();
    return __libc_calloc(nr, bytes);
}

void *realloc(void *ptr, size_t bytes)
{
    allocation();
    return __libc_realloc(ptr, bytes);
}
#endif

#endif

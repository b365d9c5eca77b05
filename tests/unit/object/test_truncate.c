/* test_truncate.c - zeros where zeros belong, after every (old, new). */
#include "fixture.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { PAGES = 200 };

/* From old to new, with some odd bytes at both ends, and out again: down and up,
 * as the Hurd's pager could not. */
static void all_pairs(bool swapped)
{
    struct fixture f;
    struct file file;
    uint64_t seed = 42;
    /* All pairs in plain builds; sanitizers are ten times slower, and what they
     * look for is in some of the pairs as well. */
    uint64_t step = getenv("SANITIZED") ? 13 : 1;

    fixture_up(&f, 300, 2048, 0);
    file_up(&f, &file, (PAGES + 1) * PAGE_SIZE);
    for (uint64_t from = 0; from <= PAGES; from += step) {
        for (uint64_t to = 0; to <= PAGES; to++) {
            uint64_t old = from * PAGE_SIZE, new = to * PAGE_SIZE;
            uint64_t kept;

            if (rnd(&seed, 2))
                new += rnd(&seed, PAGE_SIZE);
            if (old > file.size)
                model_write(&f, &file, file.size, old - file.size, from + to + 1,
                            false);
            else
                model_truncate(&f, &file, old);
            kept = MIN(pages_for(new), from);
            if (swapped)
                swap_out(&f, &file);
            model_truncate(&f, &file, new);
            unit_assert(object_pages(file.object) == kept);
            model_truncate(&f, &file, (PAGES + 1) * PAGE_SIZE);
            unit_assert(object_pages(file.object) == kept);
            model_compare(&f, &file, new - MIN(new, 2 * PAGE_SIZE),
                          new + 2 * PAGE_SIZE);
            model_compare(&f, &file, 0, file.size);
            model_truncate(&f, &file, new);
            if (to % 16 == 0)
                object_check(&f.store, file.object);
        }
        unit_assert(stats_of(&f).data == object_pages(file.object));
    }
    file_down(&f, &file);
    fixture_down(&f);
}

START_TEST(every_pair_resident)
{
    all_pairs(false);
}
END_TEST

START_TEST(every_pair_swapped)
{
    all_pairs(true);
}
END_TEST

START_TEST(what_is_preallocated_beyond_the_end_goes)
{
    static const uint64_t sizes[] = { 0, 100, 3 * PAGE_SIZE };
    struct fixture f;
    struct file file;

    fixture_up(&f, 300, 2048, 0);
    file_up(&f, &file, 8 * PAGE_SIZE);
    for (unsigned i = 0; i < 2 * ARRAY_SIZE(sizes); i++) {
        uint64_t size = sizes[i / 2];

        model_write(&f, &file, 0, 3 * PAGE_SIZE, i + 1, false);
        model_truncate(&f, &file, size);
        unit_assert(object_fallocate(&f.store, file.object, OBJECT_ALLOCATE, 0,
                                     200 * PAGE_SIZE, true, true) == 0);
        unit_assert(object_pages(file.object) == 200);
        unit_assert(object_truncate(&f.store, file.object, size, i % 2) == 0);
        unit_assert(object_pages(file.object) == pages_for(size));
        model_compare(&f, &file, 0, file.size);
    }
    file_down(&f, &file);
    fixture_down(&f);
}
END_TEST

UNIT_MAIN("truncate", every_pair_resident, every_pair_swapped,
          what_is_preallocated_beyond_the_end_goes)

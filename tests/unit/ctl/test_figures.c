/* test_figures.c - the table names each figure of the ABI once. */
#include "ctl.h"
#include "unit.h"

#include <string.h>

/* From the first figure to the last there is nothing else but figures, and the
 * requests, which have names of their own. */
START_TEST(test_complete)
{
    static uint8_t named[sizeof(struct pagerfs_stat)];
    size_t first = offsetof(struct pagerfs_stat, limit);
    size_t requests = offsetof(struct pagerfs_stat, requests);
    size_t end = offsetof(struct pagerfs_stat, reserved);

    for (const struct figure *f = figures; f->name; f++) {
        ck_assert_uint_eq(f->offset % sizeof(uint64_t), 0);
        ck_assert_msg(f->offset >= first && f->offset < end, "%s", f->name);
        ck_assert_msg(!named[f->offset], "%s is named twice", f->name);
        named[f->offset] = 1;
    }
    memset(named + requests, 1, PAGERFS_OPCODES * sizeof(uint64_t));
    for (size_t at = first; at < end; at += sizeof(uint64_t))
        ck_assert_msg(named[at], "the figure at byte %zu has no name", at);
}
END_TEST

/* A group that comes twice would be two objects of one name. */
START_TEST(test_groups_together)
{
    for (const struct figure *f = figures; f->name; f++)
        for (const struct figure *g = f + 1; g->name; g++) {
            ck_assert_str_ne(f->name, g->name);
            if (strcmp(f->group, g->group) == 0)
                ck_assert_str_eq((g - 1)->group, g->group);
        }
}
END_TEST

START_TEST(test_value)
{
    struct pagerfs_stat stat = { .limit = 5, .writers_waited_ns = 9 };
    unsigned fives = 0, nines = 0;

    for (const struct figure *f = figures; f->name; f++) {
        fives += figure_of(&stat, f) == 5 && strcmp(f->name, "limit") == 0;
        nines += figure_of(&stat, f) == 9 && f->unit == UNIT_NS;
    }
    ck_assert_uint_eq(fives, 1);
    ck_assert_uint_eq(nines, 1);
}
END_TEST

START_TEST(test_requests)
{
    ck_assert_str_eq(figure_request(1), "lookup");
    ck_assert_str_eq(figure_request(15), "read");
    ck_assert_str_eq(figure_request(53), "copy_file_range_64");
    ck_assert_ptr_null(figure_request(0));
    ck_assert_ptr_null(figure_request(63));
    ck_assert_ptr_null(figure_request(64));
    ck_assert_ptr_null(figure_request(UINT32_MAX));
}
END_TEST

UNIT_MAIN("figures", test_complete, test_groups_together, test_value,
          test_requests)

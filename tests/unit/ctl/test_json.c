/* test_json.c - what programs get: names, exact numbers, rates. */
#include "ctl.h"
#include "unit.h"

#include <json-c/json.h>
#include <string.h>

/* Printed, and read again. */
static struct json_object *reread(struct json_object *object, bool one_line)
{
    char *text;
    size_t bytes;
    FILE *out = open_memstream(&text, &bytes);
    struct json_object *again;

    json_print(out, object, one_line);
    fclose(out);
    if (one_line)
        ck_assert_ptr_eq(strchr(text, '\n'), text + bytes - 1);
    again = json_tokener_parse(text);
    ck_assert_ptr_nonnull(again);
    free(text);
    return again;
}

static struct json_object *member(struct json_object *of, const char *name)
{
    struct json_object *found;

    ck_assert_msg(json_object_object_get_ex(of, name, &found), "no %s", name);
    return found;
}

START_TEST(test_stat)
{
    struct pagerfs_stat stat = {
        .uptime_ns = 5, .transport = "/dev/fuse",
        .limit = UINT64_MAX, .pages_dirty = 7, .pageout_pages = 9,
        .blocks_free = 11, .requests = { [15] = 13 },
    };
    struct json_object *all;

    memset(stat.replacement, 'x', sizeof(stat.replacement)); /* no NUL */
    all = reread(json_stat(&stat, NULL), false);
    ck_assert_uint_eq(json_object_get_uint64(member(all, "version")), 1);
    ck_assert_uint_eq(json_object_get_uint64(member(all, "page_size")), 4096);
    ck_assert_str_eq(json_object_get_string(member(all, "transport")),
                     "/dev/fuse");
    ck_assert_int_eq(json_object_get_string_len(member(all, "replacement")), 16);
    ck_assert_uint_eq(
        json_object_get_uint64(member(member(all, "space"), "limit")),
        UINT64_MAX);
    ck_assert_uint_eq(
        json_object_get_uint64(member(member(all, "memory"), "pages_dirty")), 7);
    ck_assert_uint_eq(
        json_object_get_uint64(member(member(all, "paging"), "pageout_pages")),
        9);
    ck_assert_uint_eq(
        json_object_get_uint64(member(member(all, "swap"), "blocks_free")), 11);
    ck_assert_uint_eq(
        json_object_get_uint64(member(member(all, "requests"), "read")), 13);
    ck_assert(!json_object_object_get_ex(all, "rates", NULL));
    json_object_put(all);
}
END_TEST

START_TEST(test_rates)
{
    struct pagerfs_stat before = { .uptime_ns = 1000000000, .pagein_pages = 10,
                                   .used = 3 };
    struct pagerfs_stat now = { .uptime_ns = 3000000000, .pagein_pages = 20,
                                .used = 9, .requests = { [16] = 4 } };
    struct json_object *all = reread(json_stat(&now, &before), true);
    struct json_object *rates = member(all, "rates");

    ck_assert(json_object_get_double(member(rates, "pagein_pages")) == 5.0);
    ck_assert(json_object_get_double(member(rates, "write")) == 2.0);
    ck_assert(!json_object_object_get_ex(rates, "used", NULL));
    json_object_put(all);
    all = reread(json_stat(&now, &now), true); /* no time has passed */
    rates = member(all, "rates");
    ck_assert(json_object_get_double(member(rates, "pagein_pages")) == 0.0);
    json_object_put(all);
}
END_TEST

START_TEST(test_frag)
{
    struct pagerfs_frag frag = { .files = 1, .pages = 2, .pairs = 3,
                                 .breaks = 4, .slots = 5, .runs = 6,
                                 .blocks_free = 7, .free_runs = 8,
                                 .largest_run = 9 };
    static const char *const names[] = { "files", "pages", "pairs", "breaks",
                                         "slots", "runs", "blocks_free",
                                         "free_runs", "largest_run" };
    struct json_object *all = reread(json_frag(&frag), false);

    for (unsigned i = 0; i < 9; i++)
        ck_assert_uint_eq(json_object_get_uint64(member(all, names[i])), i + 1);
    json_object_put(all);
}
END_TEST

START_TEST(test_verify)
{
    struct pagerfs_verify verify = {
        .files = 1, .blocks = 2, .passes = 3, .data_charged = 4,
        .data_pages = 5, .metadata_charged = 6, .metadata_frames = 7,
        .paused_ns = 8, .findings = 3,
        .finding = { { PAGERFS_FOUND_TWICE, 11, 12, 13, 14 },
                     { PAGERFS_FOUND_LEAKED, 0, 0, 15, 16 },
                     { PAGERFS_FOUND_DATA, 0, 0, 0, 0 } },
    };
    static const char *const names[] = {
        "files", "blocks", "passes", "data_charged", "data_pages",
        "metadata_charged", "metadata_frames", "paused_ns" };
    struct json_object *all, *list, *one;

    all = reread(json_verify(&verify), false);
    for (unsigned i = 0; i < 8; i++)
        ck_assert_uint_eq(json_object_get_uint64(member(all, names[i])), i + 1);
    list = member(all, "found");
    ck_assert_uint_eq(json_object_array_length(list), 3);
    one = json_object_array_get_idx(list, 0);
    ck_assert_str_eq(json_object_get_string(member(one, "what")), "owned twice");
    ck_assert_uint_eq(json_object_get_uint64(member(one, "inode")), 11);
    ck_assert_uint_eq(json_object_get_uint64(member(one, "page")), 12);
    ck_assert_uint_eq(json_object_get_uint64(member(one, "block")), 13);
    ck_assert_uint_eq(json_object_get_uint64(member(one, "nr")), 14);
    one = json_object_array_get_idx(list, 1);
    ck_assert(!json_object_object_get_ex(one, "inode", NULL));
    one = json_object_array_get_idx(list, 2);
    ck_assert(!json_object_object_get_ex(one, "block", NULL));
    json_object_put(all);
}
END_TEST

START_TEST(test_swaps)
{
    static struct pagerfs_swaps swaps = {
        .nr = 2,
        .area = { { "/one", -2, 1, 1, 2, 3, 4, 5 }, { .name = "/two" } },
    };
    static const char *const names[] = { "blocks_max", "blocks_backed",
                                         "blocks_used", "blocks_free",
                                         "blocks_retired" };
    struct json_object *all = reread(json_swaps(&swaps), false), *list, *one;

    list = member(all, "areas");
    ck_assert_uint_eq(json_object_array_length(list), 2);
    one = json_object_array_get_idx(list, 0);
    ck_assert_str_eq(json_object_get_string(member(one, "name")), "/one");
    ck_assert_int_eq(json_object_get_int64(member(one, "priority")), -2);
    ck_assert(json_object_get_boolean(member(one, "leaving")));
    for (unsigned i = 0; i < 5; i++)
        ck_assert_uint_eq(json_object_get_uint64(member(one, names[i])), i + 1);
    one = json_object_array_get_idx(list, 1);
    ck_assert_str_eq(json_object_get_string(member(one, "name")), "/two");
    ck_assert(!json_object_get_boolean(member(one, "leaving")));
    json_object_put(all);
}
END_TEST

UNIT_MAIN("json", test_stat, test_rates, test_frag, test_verify, test_swaps)

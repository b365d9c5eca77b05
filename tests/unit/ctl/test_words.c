/* test_words.c - the words of those commands that take a path, perhaps as JSON. */
#include "ctl.h"
#include "unit.h"

#include <getopt.h>

static const char *path_of(char **words, int nr, bool *json)
{
    optind = 0; /* from the beginning */
    opterr = 0;
    return words_report(nr, words, json);
}

START_TEST(test_taken)
{
    char *plain[] = { "frag", "place", NULL };
    char *first[] = { "frag", "--json", "place", NULL };
    char *last[] = { "frag", "place", "-j", NULL };
    bool json;

    ck_assert_str_eq(path_of(plain, 2, &json), "place");
    ck_assert(!json);
    ck_assert_str_eq(path_of(first, 3, &json), "place");
    ck_assert(json);
    ck_assert_str_eq(path_of(last, 3, &json), "place");
    ck_assert(json);
}
END_TEST

START_TEST(test_refused)
{
    char *none[] = { "frag", NULL };
    char *two[] = { "frag", "place", "other", NULL };
    char *unknown[] = { "frag", "--xml", "place", NULL };
    bool json;

    ck_assert_ptr_null(path_of(none, 1, &json));
    ck_assert_ptr_null(path_of(two, 3, &json));
    ck_assert_ptr_null(path_of(unknown, 3, &json));
    ck_assert_int_eq(usage("frag PATH"), STATUS_USAGE);
}
END_TEST

START_TEST(test_more_words)
{
    char *words[] = { "swapon", "place", "other", "--json", "size=1", NULL };
    bool json;

    optind = 0;
    ck_assert_int_eq(words_json(5, words, &json), 2);
    ck_assert(json);
    ck_assert_str_eq(words[2], "place");
    ck_assert_str_eq(words[4], "size=1");
}
END_TEST

UNIT_MAIN("words", test_taken, test_refused, test_more_words)

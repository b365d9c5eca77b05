/* test_words.c - the words of the commands: which are taken, and of each that is
 * wrong one line that names it and says what to give. */
#include "hear.h"
#include "unit.h"

#include <errno.h>

static const char *path_of(char **words, int nr, bool *json)
{
    const char *path;

    hear_begin();
    path = words_report(nr, words, json);
    hear_end();
    return path;
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
    ck_assert_str_eq(heard, "");
}
END_TEST

START_TEST(test_more_words)
{
    char *words[] = { "swapon", "place", "other", "--json", "size=1", NULL };
    char **found;
    bool json;

    hear_begin();
    found = words_json(5, words, &json, 1, 3, "anything");
    hear_end();
    ck_assert(json);
    ck_assert_str_eq(found[0], "place");
    ck_assert_str_eq(found[2], "size=1");
    ck_assert_ptr_null(found[3]);
}
END_TEST

/* This, of a wrong use. */
#define SAYS(line, ...)                                                       \
    do {                                                                      \
        ck_assert_int_eq(hear(__VA_ARGS__, NULL), STATUS_USAGE);              \
        ck_assert_str_eq(heard, "pagerctl: " line "\n");                      \
    } while (0)

START_TEST(test_number_of_words)
{
    SAYS("frag: give a path on the mount", &command_frag);
    SAYS("b: is one word too many: all that stat takes is a path on the mount",
         &command_stat, "a", "b");
    SAYS("verify: give a path on the mount", &command_verify, "-j");
    SAYS("evict: give a path on the mount", &command_evict);
    SAYS("swapoff: give a path on the mount and a place", &command_swapoff, "a");
    SAYS("advise: give a file and an advice", &command_advise, "a");
    SAYS("set: give ram= or size=, and then a path on the mount", &command_set,
         "a");
}
END_TEST

START_TEST(test_options)
{
    SAYS("frag: there is no option --xml", &command_frag, "--xml", "a");
    SAYS("frag: there is no option --json=a", &command_frag, "--json=a", "b");
    SAYS("stat: there is no option -x", &command_stat, "--json", "-xj", "a");
    SAYS("stat: option -w wants a value", &command_stat, "a", "-w");
    SAYS("stat: option -c wants a value", &command_stat, "a", "--count");
    SAYS("evict: there is no option -j", &command_evict, "-j", "a");
    SAYS("set: there is no option --ram=1m", &command_set, "--ram=1m", "a");
    SAYS("--json: is for the list: give no place", &command_swapon, "a", "b",
         "--json");
}
END_TEST

START_TEST(test_watching)
{
#define INTERVAL(word)                                                        \
    SAYS("-w: " word " is no interval: give seconds, 0.01 to 1000000",        \
         &command_stat, "-w", word, "a")
    INTERVAL("abc");
    INTERVAL("0");
    INTERVAL("-1");
    INTERVAL("nan");
    INTERVAL("1x");
    INTERVAL("99999999999");
    SAYS("-c: 0 is no number of lines: give 1 or more", &command_stat, "-w",
         "1", "-c", "0", "a");
    SAYS("-c: -1 is no number of lines: give 1 or more", &command_stat, "-w",
         "1", "-c", "-1", "a");
    SAYS("-c: is for lines of -w: give -w SECONDS, too", &command_stat, "-c",
         "2", "a");
}
END_TEST

#define NO_SIZE                                                               \
    ": is no size: give bytes, or a number with k, m, g, t or p behind it, as " \
    "in 64m"

START_TEST(test_settings)
{
    SAYS("size=abc" NO_SIZE, &command_set, "size=abc", "a");
    SAYS("size=50%" NO_SIZE, &command_set, "size=50%", "a");
    SAYS("ram=1e" NO_SIZE, &command_set, "ram=1e", "a");
    SAYS("nr_inodes=5: is nothing that can be set: give ram=SIZE or size=SIZE "
         "or both, and then the path", &command_set, "nr_inodes=5", "a");
    SAYS("ram=2m: is given twice: give one of them", &command_set, "ram=1m",
         "ram=2m", "a");
}
END_TEST

START_TEST(test_advices)
{
    SAYS("often: is no advice: give default, sequential, random, willneed or "
         "dontneed", &command_advise, "a", "often");
}
END_TEST

START_TEST(test_places)
{
    SAYS("pri=5: is not known behind the place: give size=SIZE or priority=N",
         &command_swapon, "a", "/b", "pri=5");
    SAYS("size=10%" NO_SIZE, &command_swapon, "a", "/b", "size=10%");
    SAYS("size=0: is no swap: give what it may take, as in size=8g; for a device "
         "it can be left out", &command_swapon, "a", "/b", "size=0");
#define PRIORITY(word)                                                        \
    SAYS(word ": is no priority: give 0 to 32767; left out, it is behind all " \
         "others", &command_swapon, "a", "/b", "size=1m", word)
    PRIORITY("priority=40000");
    PRIORITY("priority=-1");
    PRIORITY("priority=");
    SAYS("none: is no place: give a directory, a file (of that name: ./none) or "
         "a block device", &command_swapon, "a", "none");
}
END_TEST

START_TEST(test_errors)
{
    const char *dead = "its daemon is dead; fusermount3 -u removes the mount";

    ck_assert_str_eq(words_error(-ENOTCONN), dead);
    ck_assert_str_eq(words_error(-ECONNABORTED), dead);
    ck_assert_str_eq(words_error(-ECANCELED), dead);
    ck_assert_str_eq(words_error(-ENOENT), "No such file or directory");
}
END_TEST

UNIT_MAIN("words", test_taken, test_more_words, test_number_of_words,
          test_options, test_watching, test_settings, test_advices, test_places,
          test_errors)

/* unit.h - one main for each test file: a Check suite of its cases.
 *
 *     UNIT_MAIN("pagemap", test_empty, test_grow)
 *
 * CK_FORK=no in the environment keeps everything in one process (sanitizers).
 */
#ifndef TESTS_UNIT_H
#define TESTS_UNIT_H

#include <check.h>
#include <stdlib.h>

/* ck_assert for inner loops: says nothing to Check unless it fails (ck_assert
 * writes a message each time). */
#define unit_assert(expr)                                                     \
    ((expr) ? (void)0 : ck_abort_msg("%s", #expr))

#define UNIT_MAIN(name, ...)                                                  \
    int main(void)                                                            \
    {                                                                         \
        const TTest *tests[] = { __VA_ARGS__ };                               \
        Suite *suite = suite_create(name);                                    \
        TCase *tcase = tcase_create(name);                                    \
        SRunner *runner;                                                      \
        int failed;                                                           \
                                                                              \
        tcase_set_timeout(tcase, 240);                                        \
        for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++)         \
            tcase_add_test(tcase, tests[i]);                                  \
        suite_add_tcase(suite, tcase);                                        \
        runner = srunner_create(suite);                                       \
        srunner_run_all(runner, CK_ENV);                                      \
        failed = srunner_ntests_failed(runner);                               \
        srunner_free(runner);                                                 \
        return failed ? EXIT_FAILURE : EXIT_SUCCESS;                          \
    }

#endif

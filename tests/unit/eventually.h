/* eventually.h - waiting for what another thread does: as long as it takes on a
 * busy machine, and no longer. */
#ifndef TESTS_EVENTUALLY_H
#define TESTS_EVENTUALLY_H

#include "clock.h"

#include <check.h>

/* Waits ten seconds and more for the condition; looks no more once it holds. */
#define EVENTUALLY(cond)                                            \
    do {                                                            \
        int tries_ = 100000;                                        \
                                                                    \
        while (!(cond)) {                                           \
            ck_assert_msg(tries_-- > 0, "never became true: %s",    \
                          #cond);                                   \
            clock_sleep_ns(100000);                                 \
        }                                                           \
    } while (0)

#endif

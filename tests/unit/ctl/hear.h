/* hear.h - a command of pagerctl run with wrong words, and what it says of them.
 *
 *     ck_assert_int_eq(hear(&command_stat, "-w", "0", "place", NULL), STATUS_USAGE);
 *     ck_assert_str_eq(heard, "pagerctl: -w: ...\n");
 *
 * Also from inside: hear_begin, whatever complains, hear_end.
 */
#ifndef TESTS_HEAR_H
#define TESTS_HEAR_H

#include "ctl.h"

/* Of the last time, what was on standard error. */
extern char heard[1024];

void hear_begin(void);
void hear_end(void);
/* The exit status with these words behind the name; the last is NULL. */
int hear(const struct command *command, ...) __attribute__((sentinel));

#endif

/* wakes.h - counts the sleeps and wake-ups that the code under test asks for.
 *
 * For a unit linked with -Wl,--wrap for both (tests/unit/meson.build), which is
 * one test file.  Counted are calls from the room under test; those inside lock.c,
 * of mutexes and condition variables, are not.
 *
 * Whoever parks first says so in his word and then sleeps: once `sleeps` counts
 * him, whoever grants him anything must wake him.
 */
#ifndef TESTS_WAKES_H
#define TESTS_WAKES_H

#include "lock.h"

#include <stddef.h>

static _Atomic uint64_t sleeps, wakes;
/* What is said to this word does not count. */
static const _Atomic uint32_t *_Atomic wakes_ignored;

void __real_futex_wait(_Atomic uint32_t *word, uint32_t expected);
void __wrap_futex_wait(_Atomic uint32_t *word, uint32_t expected);
void __real_futex_wake(_Atomic uint32_t *word, int count);
void __wrap_futex_wake(_Atomic uint32_t *word, int count);

static void wakes_start(const _Atomic uint32_t *ignored)
{
    atomic_store(&sleeps, 0);
    atomic_store(&wakes, 0);
    atomic_store(&wakes_ignored, ignored);
}

void __wrap_futex_wait(_Atomic uint32_t *word, uint32_t expected)
{
    if (word != atomic_load(&wakes_ignored))
        atomic_fetch_add(&sleeps, 1);
    __real_futex_wait(word, expected);
}

void __wrap_futex_wake(_Atomic uint32_t *word, int count)
{
    if (word != atomic_load(&wakes_ignored))
        atomic_fetch_add(&wakes, 1);
    __real_futex_wake(word, count);
}

#endif

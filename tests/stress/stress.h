/* stress.h - what the parts of the stress test share.
 *
 *     stress.c   options, threads, time
 *     slots.c    whole files, each with a shadow and a lock of its own: every
 *                operation, names included; different files at the same time
 *     stripes.c  one file for all threads, each with bytes of its own in every
 *                page: the same page at the same time
 *
 * A wrong byte or a failed call ends the program with status 1 (die).
 */
#ifndef STRESS_H
#define STRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct random {
    uint64_t state;
};

uint64_t random_below(struct random *r, uint64_t bound);
void random_bytes(struct random *r, uint8_t *bytes, size_t length);
/* Says what is wrong, with errno, and ends. */
_Noreturn void die(const char *format, ...)
    __attribute__((format(printf, 1, 2)));
/* ENOSPC is no failure, when and where POSIX has it. */
extern bool may_be_full;
/* It is errno, and no failure. */
bool no_space(void);
/* Writes it all, or no_space: *written bytes, from the first on. */
bool write_all(int fd, const uint8_t *bytes, size_t length, off_t at,
               size_t *written);
/* The next reads of the file ask the file system. */
void uncache(int fd);

/* A step is random work of one thread; all happens in the working directory. */
void slots_create(uint64_t seed);
void slots_step(struct random *r);
void slots_check(void);

void stripes_create(unsigned threads);
void stripes_step(struct random *r, unsigned thread);
void stripes_check(void);

#endif

/* size.h - sizes and counts as people write them: 64m, 25%, 1t, 0755.
 *
 * Ownership   none.  Pure.
 * Errors      -EINVAL not a number, -ERANGE more than fits.
 */
#ifndef FUSE_SIZE_H
#define FUSE_SIZE_H

#include <stddef.h>
#include <stdint.h>

/* Decimal with an optional k, m, g, t, p or e (powers of 1024, either case),
 * or with %, which is that part of `whole`; whole 0 forbids %. */
int size_parse(const char *text, uint64_t whole, uint64_t *value);
/* A plain number in this base, at most `max`. */
int number_parse(const char *text, int base, uint64_t max, uint64_t *value);
/* For messages: "64m", "1.5g".  Returns buffer. */
const char *size_format(uint64_t bytes, char *buffer, size_t room);
/* The same without rounding, in the largest unit that it is a multiple of: what
 * size_parse takes for the same number. */
const char *size_exact(uint64_t bytes, char *buffer, size_t room);

#endif

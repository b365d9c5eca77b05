/* differ.h - between the operations (differ_ops.c) and what compares them. */
#ifndef TESTS_MOUNT_DIFFER_H
#define TESTS_MOUNT_DIFFER_H

#include <stddef.h>
#include <stdint.h>

/* What an operation came to. */
struct outcome {
    long result;      /* or -1 */
    int error;        /* errno then, else 0 */
    uint64_t told;    /* a sum of the bytes it was given */
};

/* A number below `below`, from the seed. */
uint32_t any(uint32_t below);
/* Chooses the next operation, its arguments and its caller. */
void operation_choose(void);
/* Runs it in the working directory, as the caller, on this side's open files. */
struct outcome operation_run(int side);
/* What was chosen, in words. */
const char *operation_text(void);
/* Closes all, and takes away what would hinder removing. */
void operations_end(void);

#endif

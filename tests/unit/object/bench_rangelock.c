/* bench_rangelock.c - nanoseconds of lock and unlock, alone and among others. */
#include "rangelock.h"

#include "clock.h"

#include <stdio.h>

enum { ROUNDS = 5000000 };

static double measure(struct rangelock *lock, uint64_t start, uint64_t end,
                      enum range_mode mode)
{
    uint64_t began = clock_monotonic_ns();

    for (int i = 0; i < ROUNDS; i++) {
        struct range range;

        rangelock_lock(lock, &range, start, end, mode);
        rangelock_unlock(lock, &range);
    }
    return (double)(clock_monotonic_ns() - began) / ROUNDS;
}

int main(void)
{
    static const unsigned others[] = { 0, 1, 8, 32 };
    static struct rangelock lock;
    struct range held[32];

    for (unsigned i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        for (unsigned h = 0; h < others[i]; h++)
            rangelock_lock(&lock, &held[h], h * 10u, h * 10u + 5, RANGE_EXCLUSIVE);
        printf("%2u disjoint holders: first %.1f ns, middle %.1f ns, last %.1f ns\n",
               others[i], measure(&lock, 6, 8, RANGE_EXCLUSIVE),
               measure(&lock, 156, 158, RANGE_EXCLUSIVE),
               measure(&lock, 1006, 1008, RANGE_EXCLUSIVE));
        for (unsigned h = 0; h < others[i]; h++)
            rangelock_unlock(&lock, &held[h]);
    }
    return 0;
}

/* test_source.c - bytes in pieces of any length, forwards and backwards. */
#include "fixture.h"
#include "object_internal.h"

#include <string.h>

enum { BYTES = 20000, PIECES = 60 };

START_TEST(as_one_buffer)
{
    static uint8_t bytes[BYTES], out[BYTES], zeros[BYTES];
    struct iovec iov[PIECES];
    struct source source = { iov, 0, 0 };
    uint64_t seed = 5, at = 0;

    for (size_t i = 0; i < BYTES; i++)
        bytes[i] = i / 500 % 2 ? 0 : (uint8_t)(i * 7 | 1);
    for (int i = 0; i < PIECES; i++) {
        uint64_t n = i == PIECES - 1 ? BYTES - at : 1 + rnd(&seed, 330);

        iov[i] = (struct iovec){ bytes + at, n };
        at += n;
    }
    for (int i = 0; i < 50000; i++) {
        size_t pos = rnd(&seed, BYTES), n = 1 + rnd(&seed, BYTES - pos);

        if (i % 2)
            n = 1 + n % 700 % (BYTES - pos);
        source_copy(&source, pos, out, n);
        unit_assert(memcmp(out, bytes + pos, n) == 0);
        unit_assert(source_is_zero(&source, pos, n) ==
                    (memcmp(bytes + pos, zeros, n) == 0));
    }
}
END_TEST

UNIT_MAIN("source", as_one_buffer)

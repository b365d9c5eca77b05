/* test_audit.c - owners that are right, and each way for them to be wrong. */
#include "audit.h"
#include "unit.h"

#include <string.h>

enum { NR = 2 * SPACE_CLUSTER, WORDS = 2 * NR / 64 };

static uint64_t memory[WORDS];
static struct audit audit;

static void begin(uint32_t first)
{
    memset(memory, 0xa5, sizeof(memory));
    audit_init(&audit, memory, sizeof(memory));
    audit_begin(&audit, first);
    ck_assert_uint_eq(audit.nr, NR);
}

static unsigned known(void)
{
    unsigned nr = 0;

    for (uint32_t i = 0; i < NR; i += 64)
        nr += 64 - (unsigned)__builtin_popcountll(
                       audit_unknown(&audit, audit.first + i));
    return nr;
}

START_TEST(all_is_well)
{
    begin(0);
    ck_assert_uint_eq(known(), 0);
    for (uint32_t block = 100; block < 200; block++)
        ck_assert_int_eq(audit_claim(&audit, block, true), AUDIT_WELL);
    ck_assert_uint_eq(known(), 100);
    audit_allocated(&audit, 500, 10);
    ck_assert_uint_eq(known(), 110);
    ck_assert_int_eq(audit_claim(&audit, 503, true), AUDIT_WELL);
    audit_freed(&audit, 500, 10); /* whether the walk came by or not */
    audit_freed(&audit, 150, 1);
    ck_assert_uint_eq(known(), 99);
    audit_allocated(&audit, 150, 1);
    ck_assert_int_eq(audit_claim(&audit, 150, true), AUDIT_WELL);
    audit_freed(&audit, 900, 3); /* nobody had come to it */
    ck_assert_uint_eq(known(), 100);
    ck_assert_uint_eq(audit_unknown(&audit, 128), UINT64_C(0));
    ck_assert_uint_eq(audit_unknown(&audit, 64), (UINT64_C(1) << 36) - 1);
}
END_TEST

START_TEST(two_owners)
{
    begin(0);
    ck_assert_int_eq(audit_claim(&audit, 64, true), AUDIT_WELL);
    ck_assert_int_eq(audit_claim(&audit, 64, true), AUDIT_TWICE);
    audit_allocated(&audit, 65, 1);
    ck_assert_int_eq(audit_claim(&audit, 65, true), AUDIT_WELL);
    ck_assert_int_eq(audit_claim(&audit, 65, true), AUDIT_TWICE);
    audit_freed(&audit, 64, 1);
    audit_allocated(&audit, 64, 1);
    ck_assert_int_eq(audit_claim(&audit, 64, true), AUDIT_WELL);
}
END_TEST

START_TEST(owned_and_free)
{
    begin(0);
    ck_assert_int_eq(audit_claim(&audit, 7, false), AUDIT_FREE);
    ck_assert_uint_eq(known(), 0);
}
END_TEST

START_TEST(windows)
{
    begin(3 * SPACE_CLUSTER);
    ck_assert_int_eq(audit_claim(&audit, 5, false), AUDIT_WELL);
    audit.beyond = true;
    ck_assert_int_eq(audit_claim(&audit, 5, false), AUDIT_FREE);
    ck_assert_int_eq(audit_claim(&audit, 5, true), AUDIT_WELL);
    ck_assert_int_eq(audit_claim(&audit, 5, true), AUDIT_WELL);
    ck_assert_int_eq(audit_claim(&audit, UINT32_MAX - 1, false), AUDIT_FREE);
    audit_allocated(&audit, 3 * SPACE_CLUSTER - 5, 7);
    ck_assert_uint_eq(known(), 2);
    audit_allocated(&audit, 5 * SPACE_CLUSTER - 3, 9);
    ck_assert_uint_eq(known(), 5);
    audit_freed(&audit, 5 * SPACE_CLUSTER - 1, 1);
    audit_freed(&audit, 5 * SPACE_CLUSTER, 1);
    ck_assert_uint_eq(known(), 4);
    audit_begin(&audit, 5 * SPACE_CLUSTER);
    ck_assert_uint_eq(known(), 0);
    /* Memory that is not a multiple of anything. */
    audit_init(&audit, memory, sizeof(memory) - 8);
    ck_assert_uint_eq(audit.nr_max, SPACE_CLUSTER);
    audit_init(&audit, memory, AUDIT_MIN_BYTES);
    ck_assert_uint_eq(audit.nr_max, SPACE_CLUSTER);
}
END_TEST

/* Against a plain model, with blocks that come and go under the walk. */
START_TEST(model)
{
    static bool used[NR], is_known[NR], fresh[NR];
    uint64_t state = 7;

    begin(0);
    for (uint32_t i = 0; i < NR; i += 2)
        used[i] = true;
    for (unsigned n = 0; n < 200000; n++) {
        uint32_t block, sum = 0;

        state = state * 6364136223846793005u + 1442695040888963407u;
        block = (uint32_t)(state >> 33) % NR;
        if (state >> 60 < 4) {
            enum audit_verdict verdict = audit_claim(&audit, block, used[block]);

            unit_assert(verdict == (!used[block] ? AUDIT_FREE
                                    : is_known[block] && !fresh[block]
                                        ? AUDIT_TWICE : AUDIT_WELL));
            is_known[block] |= used[block];
            fresh[block] = false;
        } else if (!used[block]) {
            audit_allocated(&audit, block, 1);
            used[block] = is_known[block] = fresh[block] = true;
        } else {
            audit_freed(&audit, block, 1);
            used[block] = is_known[block] = fresh[block] = false;
        }
        for (uint32_t i = 0; n % 1000 == 0 && i < NR; i++)
            sum += is_known[i];
        unit_assert(n % 1000 != 0 || known() == sum);
    }
}
END_TEST

UNIT_MAIN("audit", all_is_well, two_owners, owned_and_free, windows, model)

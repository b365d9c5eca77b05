/* test_audit.c - owners that are right, and each way for them to be wrong. */
#include "audit.h"
#include "unit.h"

#include <string.h>

static struct audit audit;

static void expect(uint64_t known, uint64_t twice, uint64_t not_used)
{
    ck_assert_uint_eq(audit.nr_known, known);
    ck_assert_uint_eq(audit.twice, twice);
    ck_assert_uint_eq(audit.not_used, not_used);
}

START_TEST(all_is_well)
{
    ck_assert_int_eq(audit_init(&audit), 0);
    for (uint32_t block = 100; block < 200; block++)
        audit_claimed(&audit, block, true);
    expect(100, 0, 0);
    audit_allocated(&audit, 500, 10);
    expect(110, 0, 0);
    audit_claimed(&audit, 503, true); /* the walk came by */
    audit_freed(&audit, 500, 10);     /* or did not */
    audit_freed(&audit, 150, 1);
    audit_allocated(&audit, 150, 1);
    audit_claimed(&audit, 150, true);
    expect(100, 0, 0);
    audit_freed(&audit, 900, 3); /* nobody had come to it */
    expect(100, 0, 0);
    audit_claimed(&audit, SPACE_MAX_BLOCKS - 1, true);
    audit_claimed(&audit, 0, true);
    expect(102, 0, 0);
    audit_fini(&audit);
}
END_TEST

START_TEST(two_owners)
{
    ck_assert_int_eq(audit_init(&audit), 0);
    audit_claimed(&audit, 64, true);
    audit_claimed(&audit, 64, true);
    expect(1, 1, 0);
    audit_allocated(&audit, 65, 1);
    audit_claimed(&audit, 65, true);
    audit_claimed(&audit, 65, true);
    expect(2, 2, 0);
    audit_allocated(&audit, 64, 1); /* handed out although it has an owner */
    expect(2, 3, 0);
    audit_fini(&audit);
}
END_TEST

START_TEST(owned_and_free)
{
    ck_assert_int_eq(audit_init(&audit), 0);
    audit_claimed(&audit, 7, false);
    expect(0, 0, 1);
    audit_fini(&audit);
}
END_TEST

/* Against a plain model, with blocks that come and go under the walk. */
START_TEST(model)
{
    enum { NR = 300 };
    static bool used[NR], known[NR], fresh[NR];
    uint64_t state = 7;

    ck_assert_int_eq(audit_init(&audit), 0);
    memset(used, 0, sizeof(used));
    for (uint32_t i = 0; i < NR; i += 2)
        used[i] = true;
    for (unsigned n = 0; n < 200000; n++) {
        uint32_t block, sum = 0;

        state = state * 6364136223846793005u + 1442695040888963407u;
        block = (uint32_t)(state >> 33) % NR;
        if (!used[block]) {
            audit_allocated(&audit, block, 1);
            used[block] = known[block] = fresh[block] = true;
        } else if (state >> 60 < 4 && (!known[block] || fresh[block])) {
            audit_claimed(&audit, block, true);
            known[block] = true;
            fresh[block] = false;
        } else {
            audit_freed(&audit, block, 1);
            used[block] = known[block] = fresh[block] = false;
        }
        for (uint32_t i = 0; n % 1000 == 0 && i < NR; i++)
            sum += known[i];
        if (n % 1000 == 0)
            expect(sum, 0, 0);
    }
    audit_fini(&audit);
}
END_TEST

UNIT_MAIN("audit", all_is_well, two_owners, owned_and_free, model)

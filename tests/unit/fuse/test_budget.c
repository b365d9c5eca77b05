/* test_budget.c - the parts of ram= never exceed it, and sizes that do not fit
 * are refused by name. */
#include "budget.h"

#include "bits.h"
#include "unit.h"

#include <errno.h>
#include <string.h>

#define MIB ((uint64_t)1 << 20)
#define GIB ((uint64_t)1 << 30)

static char message[OPTIONS_MESSAGE_BYTES];

static uint64_t pool_bytes(uint64_t ram)
{
    return ram / 64 + 65536;
}

static struct budget plan(const struct options *options, uint64_t memory)
{
    struct budget budget;

    ck_assert_int_eq(budget_plan(&budget, options, memory, 4, pool_bytes,
                                 message), 0);
    return budget;
}

START_TEST(test_parts_fit)
{
    for (uint64_t ram = OPTIONS_RAM_MIN; ram < 64 * GIB; ram += ram / 3) {
        struct options options = { .ram = { true, ram } };
        struct budget budget = plan(&options, 100 * GIB);

        ck_assert_uint_eq(budget.ram, ram);
        ck_assert_uint_le(budget.arena_bytes + budget.buffer_bytes +
                          budget.stack_bytes + pool_bytes(ram), ram);
        ck_assert_uint_ge(budget.arena_bytes, ram / 4);
        ck_assert(is_pow2(budget.max_write));
        ck_assert_uint_ge(budget.max_write, 128 * 1024);
        ck_assert_uint_le(budget.max_write, MIB);
        ck_assert_uint_eq(budget.buffers, budget.readers + budget.workers);
    }
}
END_TEST

START_TEST(test_request_size)
{
    struct options options = { .ram = { true, 8 * MIB } };

    ck_assert_uint_eq(plan(&options, GIB).max_write, 128 * 1024);
    options.ram.bytes = 20 * MIB;
    ck_assert_uint_eq(plan(&options, GIB).max_write, 256 * 1024);
    options.ram.bytes = 64 * MIB;
    ck_assert_uint_eq(plan(&options, GIB).max_write, MIB);
    options.ram.bytes = 10 * GIB;
    ck_assert_uint_eq(plan(&options, GIB).max_write, MIB);
}
END_TEST

START_TEST(test_defaults)
{
    struct options options = { 0 };
    struct budget budget = plan(&options, 16 * GIB);

    ck_assert_uint_eq(budget.ram, 4 * GIB);
    ck_assert_uint_eq(budget.size, 8 * GIB);
    ck_assert_uint_ge(budget.swapsize, 4 * GIB);
    ck_assert_uint_le(budget.swapsize, 8 * GIB);
    ck_assert_uint_eq(budget.nr_inodes, 2 * MIB);
    budget = plan(&options, MIB);
    ck_assert_uint_eq(budget.ram, OPTIONS_RAM_MIN);
}
END_TEST

START_TEST(test_swap_default)
{
    struct options options = { .ram = { true, 64 * MIB },
                               .size = { true, GIB } };

    ck_assert_uint_ge(plan(&options, GIB).swapsize, GIB - 32 * MIB);
    options.size.bytes = 16 * MIB;
    ck_assert_uint_eq(plan(&options, GIB).swapsize, 0);
    options.size.bytes = GIB;
    options.swap = "none";
    ck_assert_uint_eq(plan(&options, GIB).swapsize, 0);
    options.swap = "/somewhere";
    options.swapsize = (struct option_size){ true, 5 * MIB };
    ck_assert_uint_eq(plan(&options, GIB).swapsize, 5 * MIB);
}
END_TEST

static uint64_t greedy_pool(uint64_t ram)
{
    return ram;
}

START_TEST(test_too_little)
{
    struct options options = { .ram = { true, OPTIONS_RAM_MIN } };
    struct budget budget;

    ck_assert_int_eq(
        budget_plan(&budget, &options, GIB, 1, greedy_pool, message), -EINVAL);
    ck_assert_ptr_nonnull(strstr(message, "ram=4m"));
}
END_TEST

START_TEST(test_single_thread)
{
    struct options options = { .single_thread = true };
    struct budget budget = plan(&options, GIB);

    ck_assert_uint_eq(budget.readers, 1);
    ck_assert_uint_eq(budget.workers, 0);
    ck_assert_uint_eq(budget.buffers, 1);
}
END_TEST

START_TEST(test_limit)
{
    struct options options = { .size = { true, 100 * MIB } };
    struct budget budget = plan(&options, GIB);
    uint64_t pages = 100 * MIB / PAGE_SIZE;
    uint64_t limit;

    ck_assert_int_eq(budget_limit(&budget, &options, pages, 10, pages, &limit,
                                  message), 0);
    ck_assert_uint_eq(limit, pages);
    ck_assert_int_eq(
        budget_limit(&budget, &options, pages - 1, 10, pages, &limit, message),
        -EINVAL);
    ck_assert_ptr_nonnull(strstr(message, "size=100m"));
    ck_assert_ptr_nonnull(strstr(message, "swapsize="));
    ck_assert_int_eq(budget_limit(&budget, &options, pages, 10, pages - 11,
                                  &limit, message), -EINVAL);
    ck_assert_ptr_nonnull(strstr(message, "disk"));
    ck_assert_int_eq(budget_limit(&budget, &options, pages, 10, pages - 10,
                                  &limit, message), 0);
    options.size.given = false;
    ck_assert_int_eq(budget_limit(&budget, &options, pages, 10, 100, &limit,
                                  message), 0);
    ck_assert_uint_eq(limit, 110);
    options.size = (struct option_size){ true, 0 };
    budget = plan(&options, GIB);
    ck_assert_int_eq(budget_limit(&budget, &options, pages, 10, 100, &limit,
                                  message), 0);
    ck_assert_uint_eq(limit, 0);
}
END_TEST

UNIT_MAIN("budget", test_parts_fit, test_request_size, test_defaults,
          test_swap_default, test_too_little, test_single_thread, test_limit)

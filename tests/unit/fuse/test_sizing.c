/* test_sizing.c - the parts of ram= never exceed it, and sizes that do not fit
 * are refused by name. */
#include "sizing.h"

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

static struct sizing plan(const struct options *options, uint64_t memory)
{
    struct sizing sizing;

    ck_assert_int_eq(sizing_plan(&sizing, options, memory, 4, 0, pool_bytes,
                                 message), 0);
    return sizing;
}

START_TEST(test_parts_fit)
{
    for (uint64_t ram = OPTIONS_RAM_MIN; ram < 64 * GIB; ram += ram / 3) {
        struct options options = { .ram = { true, ram } };
        struct sizing sizing = plan(&options, 100 * GIB);

        ck_assert_uint_eq(sizing.ram, ram);
        ck_assert_uint_le(sizing.arena_bytes + sizing.buffer_bytes +
                          sizing.stack_bytes + pool_bytes(ram), ram);
        ck_assert_uint_ge(sizing.arena_bytes, ram / 4);
        ck_assert_uint_ge(sizing.arena_most, sizing.arena_bytes + 7 * ram);
        ck_assert(is_pow2(sizing.max_write));
        ck_assert_uint_ge(sizing.max_write, 128 * 1024);
        ck_assert_uint_le(sizing.max_write, MIB);
        ck_assert_uint_eq(sizing.buffers, sizing.readers + sizing.workers);
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
    struct sizing sizing = plan(&options, 16 * GIB);

    ck_assert_uint_eq(sizing.ram, 4 * GIB);
    ck_assert_uint_eq(sizing.size, 8 * GIB);
    ck_assert_uint_ge(sizing.swapsize, 4 * GIB);
    ck_assert_uint_le(sizing.swapsize, 8 * GIB);
    ck_assert_uint_eq(sizing.nr_inodes, 2 * MIB);
    sizing = plan(&options, MIB);
    ck_assert_uint_eq(sizing.ram, OPTIONS_RAM_MIN);
}
END_TEST

START_TEST(test_swap_default)
{
    struct options options = { .ram = { true, 64 * MIB },
                               .size = { true, GIB } };
    char none[] = "none", somewhere[] = "/somewhere";

    ck_assert_uint_ge(plan(&options, GIB).swapsize, GIB);
    options.size.bytes = 16 * MIB;
    ck_assert_uint_eq(plan(&options, GIB).swapsize, 0);
    options.size.bytes = GIB;
    options.nr_swap = 1;
    options.swap[0].place = none;
    ck_assert_uint_eq(plan(&options, GIB).swapsize, 0);
    options.swap[0].place = somewhere;
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
    struct sizing sizing;

    ck_assert_int_eq(
        sizing_plan(&sizing, &options, GIB, 1, 0, greedy_pool, message), -EINVAL);
    ck_assert_ptr_nonnull(strstr(message, "ram=4m"));
}
END_TEST

START_TEST(test_single_thread)
{
    struct options options = { .single_thread = true };
    struct sizing sizing = plan(&options, GIB);

    ck_assert_uint_eq(sizing.readers, 1);
    ck_assert_uint_eq(sizing.workers, 0);
    ck_assert_uint_eq(sizing.buffers, 1);
}
END_TEST

/* Rings are paid for, of whatever size the machine is; or there are none. */
START_TEST(test_rings)
{
    for (unsigned queues = 1; queues <= 512; queues *= 2)
        for (uint64_t ram = OPTIONS_RAM_MIN; ram < 64 * GIB; ram += ram / 3) {
            struct options options = { .ram = { true, ram } };
            struct sizing sizing;
            uint64_t one;

            ck_assert_int_eq(sizing_plan(&sizing, &options, GIB, 4, queues,
                                         pool_bytes, message), 0);
            one = sizing.max_write + PAGE_SIZE;
            ck_assert_uint_le(sizing.arena_bytes + sizing.buffer_bytes +
                              sizing.stack_bytes + pool_bytes(ram), ram);
            ck_assert_uint_ge(sizing.arena_bytes, ram / 4);
            ck_assert(is_pow2(sizing.max_write));
            ck_assert_uint_ge(sizing.max_write, 128 * 1024);
            if (sizing.queues == 0) {
                ck_assert_uint_eq(sizing.depth, 0);
                ck_assert_uint_lt(ram / 6, queues * 3 * one);
                continue;
            }
            ck_assert_uint_eq(sizing.queues, queues);
            ck_assert_uint_ge(sizing.depth, 2);
            ck_assert_uint_le(sizing.depth, 8);
            ck_assert_uint_ge(sizing.buffer_bytes,
                              (uint64_t)queues * sizing.depth * one);
        }
}
END_TEST

START_TEST(test_limit)
{
    struct options options = { .size = { true, 100 * MIB } };
    struct sizing sizing = plan(&options, GIB);
    uint64_t pages = 100 * MIB / PAGE_SIZE;
    uint64_t limit;

    ck_assert_int_eq(sizing_limit(&sizing, &options, pages, 10, pages, &limit,
                                  message), 0);
    ck_assert_uint_eq(limit, pages);
    ck_assert_int_eq(
        sizing_limit(&sizing, &options, pages - 1, 10, pages, &limit, message),
        -EINVAL);
    ck_assert_ptr_nonnull(strstr(message, "size=100m"));
    ck_assert_int_eq(sizing_limit(&sizing, &options, pages, 10, pages - 11,
                                  &limit, message), -EINVAL);
    ck_assert_ptr_nonnull(strstr(message, "disk"));
    ck_assert_int_eq(sizing_limit(&sizing, &options, pages, 10, pages - 10,
                                  &limit, message), 0);
    options.size.given = false;
    ck_assert_int_eq(sizing_limit(&sizing, &options, pages, 10, 100, &limit,
                                  message), 0);
    ck_assert_uint_eq(limit, 110);
    options.size = (struct option_size){ true, 0 };
    sizing = plan(&options, GIB);
    ck_assert_int_eq(sizing_limit(&sizing, &options, pages, 10, 100, &limit,
                                  message), 0);
    ck_assert_uint_eq(limit, 0);
}
END_TEST

static void advised(const struct options *options, const char *advice)
{
    struct sizing sizing = plan(options, GIB);
    uint64_t limit;

    ck_assert_int_eq(sizing_limit(&sizing, options, 10, 5, 5, &limit, message),
                     -EINVAL);
    ck_assert_msg(strstr(message, advice) != NULL, "%s", message);
}

/* What is named would help. */
START_TEST(test_advice)
{
    struct options options = { .size = { true, 100 * MIB } };
    char none[] = "none", somewhere[] = "/somewhere";

    advised(&options, "another swap=");
    options.nr_swap = 1;
    options.swap[0].place = somewhere;
    advised(&options, "another swap=");
    options.swap[0].size = (struct option_size){ true, MIB };
    advised(&options, "larger swap=PLACE:size=");
    options.swapsize = (struct option_size){ true, MIB };
    advised(&options, "larger swapsize=");
    options.swap[0] = (struct option_swap){ .place = none };
    advised(&options, "instead of none");
}
END_TEST

UNIT_MAIN("sizing", test_parts_fit, test_request_size, test_defaults,
          test_swap_default, test_too_little, test_single_thread, test_rings,
          test_limit, test_advice)

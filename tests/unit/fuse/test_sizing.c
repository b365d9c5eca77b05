/* test_sizing.c - the parts of ram= never exceed it, and sizes that do not fit
 * are refused by name. */
#include "sizing.h"

#include "bits.h"
#include "pool.h"
#include "size.h"
#include "unit.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define MIB ((uint64_t)1 << 20)
#define GIB ((uint64_t)1 << 30)

static char message[OPTIONS_MESSAGE_BYTES];

static uint64_t pool_bytes(uint64_t ram)
{
    return ram / 64 + 65536;
}

static struct sizing_machine machine_of(uint64_t memory)
{
    return (struct sizing_machine){ .memory = memory, .cpus = 4,
                                    .pool_bytes = pool_bytes,
                                    .metadata_max = pool_metadata_max };
}

static struct sizing plan(const struct options *options, uint64_t memory)
{
    const struct sizing_machine machine = machine_of(memory);
    struct sizing sizing;

    ck_assert_int_eq(sizing_plan(&sizing, options, &machine, message), 0);
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
    struct sizing_machine machine = machine_of(GIB);
    struct sizing sizing;

    machine.pool_bytes = greedy_pool;
    ck_assert_int_eq(sizing_plan(&sizing, &options, &machine, message),
                     -EINVAL);
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
            struct sizing_machine machine = machine_of(GIB);
            struct sizing sizing;
            uint64_t one;

            machine.queues = queues;
            ck_assert_int_eq(sizing_plan(&sizing, &options, &machine, message),
                             0);
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

/* The number behind the last `name` of the message. */
static uint64_t advised_size(const char *name)
{
    const char *at = NULL;
    char text[32];
    uint64_t bytes;

    for (const char *p = message; (p = strstr(p, name)) != NULL; p++)
        at = p + strlen(name);
    ck_assert_msg(at != NULL, "%s", message);
    snprintf(text, sizeof(text), "%.*s", (int)strcspn(at, " ,"), at);
    ck_assert_msg(size_parse(text, 0, &bytes) == 0, "%s", message);
    return bytes;
}

static int try(const struct options *options, unsigned queues,
               struct sizing *sizing)
{
    struct sizing_machine machine = machine_of(100 * GIB);

    machine.queues = queues;
    return sizing_plan(sizing, options, &machine, message);
}

/* A naive look at every way to share the frames between pagemaps and tables. */
static bool could_be_filled(const struct sizing *sizing, uint64_t bytes)
{
    uint64_t room = pool_metadata_max(sizing->arena_bytes);
    double pages = (double)(bytes >> PAGE_SHIFT);
    double frames = (double)(sizing->arena_bytes >> PAGE_SHIFT);

    for (uint64_t m = 0; m <= room; m++) {
        double pagemaps = (pages - (double)m) * 4.125 / PAGE_SIZE;
        double tables = (pages - frames) / (59 * 512);

        if (pagemaps <= (double)m && (double)m + tables <= (double)room)
            return true;
    }
    return false;
}

/* What is advised is taken, and just so much; what is refused could not be filled. */
START_TEST(test_bookkeeping)
{
    for (uint64_t ram = OPTIONS_RAM_MIN; ram < GIB; ram += ram / 3)
        for (unsigned queues = 0; queues <= 2; queues += 2) {
            struct options options = { .ram = { true, ram },
                                       .size = { true, 4096 * GIB } };
            struct sizing sizing;
            uint64_t most, least;

            ck_assert_int_eq(try(&options, queues, &sizing), -EINVAL);
            most = advised_size("give size=");
            least = advised_size("at least ram=");
            options.size.bytes = most + MIB;
            ck_assert_int_eq(try(&options, queues, &sizing), -EINVAL);
            ck_assert(!could_be_filled(&sizing, most + MIB));
            options.size.bytes = most;
            ck_assert_int_eq(try(&options, queues, &sizing), 0);
            options.size.bytes = 4096 * GIB;
            options.ram.bytes = least;
            ck_assert_int_eq(try(&options, queues, &sizing), 0);
            options.ram.bytes = least - MIB;
            ck_assert_int_eq(try(&options, queues, &sizing), -EINVAL);
        }
}
END_TEST

START_TEST(test_bookkeeping_of_defaults)
{
    struct options options = { .ram = { true, 4 * MIB } };
    char none[] = "none";
    struct sizing sizing = plan(&options, 64 * GIB);

    ck_assert_uint_lt(sizing.size, 2 * GIB);
    ck_assert_uint_gt(sizing.size, GIB);
    ck_assert_uint_ge(sizing.swapsize, sizing.size);
    options.size = (struct option_size){ true, 0 };
    ck_assert_uint_eq(plan(&options, 64 * GIB).size, 0);
    ck_assert_uint_ge(plan(&options, 64 * GIB).swapsize, 32 * GIB);
    /* There swap= is what to change. */
    options.size.bytes = 64 * GIB;
    options.nr_swap = 1;
    options.swap[0].place = none;
    plan(&options, 64 * GIB);
    options = (struct options){ .size = { true, 100000 * GIB * 1024 } };
    ck_assert_int_eq(try(&options, 0, &sizing), -EINVAL);
    ck_assert_ptr_null(strstr(message, "at least"));
}
END_TEST

UNIT_MAIN("sizing", test_parts_fit, test_request_size, test_defaults,
          test_swap_default, test_too_little, test_single_thread, test_rings,
          test_limit, test_advice, test_bookkeeping,
          test_bookkeeping_of_defaults)

/* test_pagemap.c - the tree against a plain array, at both ends of its range.
 *
 * The model is an array of entries for each of a few windows of page indexes;
 * everything between the windows is HOLE.  Memory is taken away at random, so
 * that each call that may fail does, and changes nothing then.
 */
#include "pagemap.h"

#include "sanitized.h"
#include "unit.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* Sanitizers are ten times slower, and have seen all there is long before. */
enum { WINDOW = 700, WINDOWS = 5, STEPS = SANITIZED ? 8000 : 40000 };

static const uint64_t base[WINDOWS] = {
    0, 3800, 262144 - 350, (uint64_t)1 << 36, PAGEMAP_MAX_PAGES - WINDOW,
};
static pagemap_entry model[WINDOWS][WINDOW];
static uint64_t nr_present;

static struct arena *arena;
static struct pagemap map;
static uint32_t charged, charge_limit;
static uint32_t lent[8192], nr_lent;
static uint64_t seed;

static uint64_t rnd(uint64_t below)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed % below;
}

/* --- memory that comes and goes ----------------------------------------------- */

static int charge(void *ctx)
{
    (void)ctx;
    if (charged >= charge_limit)
        return -ENOSPC;
    charged++;
    return 0;
}

static void uncharge(void *ctx)
{
    (void)ctx;
    unit_assert(charged > 0);
    charged--;
}

static void nothing(void *ctx)
{
    (void)ctx;
}

static const struct arena_ops ops = { charge, uncharge, nothing, nothing };

static void setup(void)
{
    memset(&map, 0, sizeof(map));
    memset(model, 0, sizeof(model));
    nr_present = 0;
    nr_lent = charged = 0;
    charge_limit = UINT32_MAX;
    seed = 88172645463325252u;
    ck_assert_int_eq(arena_create(&arena, 8192 * (PAGE_SIZE + 32)), 0);
    arena_set_ops(arena, &ops, NULL, 0, 4);
}

/* Nothing left, nothing charged. */
static void teardown(void)
{
    ck_assert_uint_eq(map.nr_present, 0);
    ck_assert_uint_eq(map.nr_units, 0);
    ck_assert_uint_eq(map.root, 0);
    ck_assert_uint_eq(charged, 0);
    arena_destroy(arena);
}

static void take_frames(void)
{
    while ((lent[nr_lent] = arena_frame_alloc(arena, 0)) != FRAME_NONE)
        nr_lent++;
}

static void give_frames(void)
{
    while (nr_lent > 0)
        arena_frame_free(arena, lent[--nr_lent]);
}

/* --- the model ----------------------------------------------------------------- */

static pagemap_entry random_entry(void)
{
    switch (rnd(8)) {
    case 0:
        return pagemap_entry_make(ENTRY_LOST, 0);
    case 1:
        return pagemap_entry_make(ENTRY_FRAME, (uint32_t)rnd(1u << 25));
    case 2:
    case 3:
        return pagemap_entry_make(ENTRY_ZERO, 0);
    default:
        return pagemap_entry_make(ENTRY_BLOCK, (uint32_t)rnd(1u << 29));
    }
}

static void model_set(int w, uint64_t i, pagemap_entry entry)
{
    nr_present += (uint64_t)(entry != 0) - (model[w][i] != 0);
    model[w][i] = entry;
}

/* A range within a window, often of whole leaves. */
static uint64_t random_range(int w, uint64_t most, uint32_t *nr)
{
    uint64_t first = rnd(WINDOW), n = 1 + rnd(most);

    if (rnd(2)) {
        first -= MIN(first, (base[w] + first) % 64);
        n = round_up(n, 64);
    }
    *nr = (uint32_t)MIN(n, WINDOW - first);
    return first;
}

static void compare_window(int w)
{
    static pagemap_entry out[WINDOW];

    pagemap_get_run(arena, &map, base[w], WINDOW, out);
    unit_assert(memcmp(out, model[w], sizeof(out)) == 0);
}

static uint64_t model_next(int w, uint64_t i, uint64_t end, bool hole)
{
    while (i < end && (model[w][i] == 0) != hole)
        i++;
    return i;
}

static void compare_searches(int w)
{
    uint32_t nr;
    uint64_t first = random_range(w, WINDOW, &nr), end = first + nr;
    uint64_t data = model_next(w, first, end, false);
    pagemap_entry entry = 0;
    struct pagemap_run run;
    uint32_t holes = 0;

    unit_assert(pagemap_next(arena, &map, base[w] + first, base[w] + end,
                             &entry) == base[w] + data);
    unit_assert(data == end || entry == model[w][data]);
    unit_assert(pagemap_next_hole(arena, &map, base[w] + first,
                                  base[w] + end) ==
                base[w] + model_next(w, first, end, true));
    for (uint64_t i = first; i < end; i++)
        holes += model[w][i] == 0;
    unit_assert(pagemap_holes(arena, &map, base[w] + first, nr) == holes);
    if (!pagemap_next_run(arena, &map, base[w] + first, base[w] + end, &run)) {
        unit_assert(data == end);
        return;
    }
    unit_assert(run.index == base[w] + data && run.entry == model[w][data]);
    unit_assert(run.nr >= 1 && data + run.nr <= end);
    for (uint32_t i = 0; i < run.nr; i++) {
        bool block = pagemap_entry_kind(run.entry) == ENTRY_BLOCK;

        unit_assert(model[w][data + i] == run.entry + (block ? i : 0));
    }
}

/* --- one step ------------------------------------------------------------------ */

/* As a write or pageout does: prepare, set. */
static void step_set(int w)
{
    uint32_t nr, units = map.nr_units;
    uint64_t first = random_range(w, 250, &nr);
    pagemap_entry entry = random_entry();
    int err;

    nr = MIN(nr, PAGEMAP_PREPARE_MAX);
    err = pagemap_prepare(arena, &map, base[w] + first, nr);
    if (err) {
        unit_assert(err == -ENOSPC || err == -EAGAIN);
        /* A small leaf may have been made larger, or one folded; no more. */
        unit_assert(map.nr_units <= units || map.height == 0);
        return;
    }
    for (uint32_t i = 0; i < nr; i++) {
        bool block = pagemap_entry_kind(entry) == ENTRY_BLOCK;
        pagemap_entry e = block ? entry + i : entry;

        pagemap_set(arena, &map, base[w] + first + i, e);
        model_set(w, first + i, e);
    }
    for (uint32_t i = 0; i < nr; i += 32)
        pagemap_fold(arena, &map, base[w] + first + i);
}

/* As a truncate or punch does: run by run; only the ends need preparing. */
static void step_clear(int w, pagemap_entry entry)
{
    uint32_t nr;
    uint64_t first = random_range(w, WINDOW, &nr), end = base[w] + first + nr;
    struct pagemap_run run;

    for (uint64_t at = base[w] + first;
         pagemap_next_run(arena, &map, at, end, &run); at = run.index + run.nr) {
        bool whole = run.index % 64 == 0 && run.nr == 64;

        if (!whole && pagemap_prepare(arena, &map, run.index, run.nr) != 0)
            return;
        pagemap_set_run(arena, &map, &run, entry);
        for (uint32_t i = 0; i < run.nr; i++)
            model_set(w, run.index - base[w] + i, entry);
    }
}

static void step_fill(int w)
{
    uint32_t nr, holes;
    uint64_t first = random_range(w, WINDOW, &nr);
    int err;
    bool keep;

    holes = pagemap_holes(arena, &map, base[w] + first, nr);
    err = pagemap_fill(arena, &map, base[w] + first, nr);
    keep = !err && rnd(3);
    if (!err) {
        unit_assert(map.nr_present == nr_present + holes);
        unit_assert(pagemap_entry_kind(pagemap_get(arena, &map,
                                                   base[w] + first)) !=
                    ENTRY_HOLE);
    }
    if (pagemap_settle(arena, &map, base[w] + first, nr, keep) != holes)
        unit_assert(err != 0);
    for (uint64_t i = first; keep && i < first + nr; i++)
        if (model[w][i] == 0)
            model_set(w, i, ENTRY_ZERO);
}

static void step_memory(void)
{
    give_frames();
    if (rnd(3) == 0)
        take_frames();
    charge_limit = rnd(3) == 0 ? charged + (uint32_t)rnd(3) : UINT32_MAX;
}

START_TEST(as_an_array)
{
    setup();
    for (int i = 0; i < STEPS; i++) {
        int w = (int)rnd(i / 10000 % 2 ? WINDOWS : 2);

        switch (rnd(8)) {
        case 0:
        case 1:
        case 2:
            step_set(w);
            break;
        case 3:
            step_clear(w, 0);
            break;
        case 4:
            step_clear(w, ENTRY_ZERO);
            break;
        case 5:
        case 6:
            step_fill(w);
            break;
        default:
            step_memory();
            break;
        }
        unit_assert(map.nr_present == nr_present);
        pagemap_check(arena, &map);
        compare_window(w);
        compare_searches(w);
    }
    give_frames();
    charge_limit = UINT32_MAX;
    for (int w = 0; w < WINDOWS; w++)
        for (int i = 0; i < 100; i++)
            step_clear(w, 0);
    for (int w = 0; w < WINDOWS; w++) {
        for (uint64_t i = 0; i < WINDOW; i++) {
            if (model[w][i] == 0)
                continue;
            ck_assert_int_eq(pagemap_prepare(arena, &map, base[w] + i, 1), 0);
            pagemap_set(arena, &map, base[w] + i, 0);
            model_set(w, i, 0);
        }
    }
    teardown();
}
END_TEST

/* --- truncation: every (old, new), as the Hurd's pager could not ----------------- */

static void fill_file(uint64_t pages, bool swapped)
{
    for (uint64_t i = 0; i < pages; i++) {
        unit_assert(pagemap_prepare(arena, &map, i, 1) == 0);
        pagemap_set(arena, &map, i,
                    pagemap_entry_make(swapped ? ENTRY_BLOCK : ENTRY_FRAME,
                                       (uint32_t)(1000 + i)));
        pagemap_fold(arena, &map, i);
    }
}

static void cut_file(uint64_t pages, uint64_t *dropped)
{
    struct pagemap_run run;

    for (uint64_t at = pages;
         pagemap_next_run(arena, &map, at, PAGEMAP_MAX_PAGES, &run);
         at = run.index + run.nr) {
        if (run.index % 64 != 0 || run.nr != 64)
            unit_assert(pagemap_prepare(arena, &map, run.index, run.nr) == 0);
        unit_assert(pagemap_entry_number(run.entry) == 1000 + run.index);
        pagemap_set_run(arena, &map, &run, 0);
        *dropped += run.nr;
    }
}

START_TEST(all_truncations)
{
    setup();
    for (int swapped = 0; swapped < 2; swapped++) {
        for (uint64_t from = 0; from <= 200; from++) {
            for (uint64_t to = 0; to <= 200; to++) {
                uint64_t dropped = 0, kept = MIN(from, to);

                fill_file(from, swapped);
                cut_file(to, &dropped);
                unit_assert(dropped == from - kept && map.nr_present == kept);
                for (uint64_t i = 0; i < 256; i += i % 64 == 62 ? 1 : 3)
                    unit_assert((pagemap_get(arena, &map, i) != 0) ==
                                (i < kept));
                pagemap_check(arena, &map);
                fill_file(to, swapped);
                unit_assert(map.nr_present == MAX(kept, to));
                cut_file(0, &dropped);
                unit_assert(map.root == 0 && map.nr_units == 0);
            }
        }
    }
    teardown();
}
END_TEST

/* --- what it costs ---------------------------------------------------------------- */

START_TEST(what_a_page_costs)
{
    static const struct {
        const char *what;
        uint64_t pages;
        bool swapped;
        double most;
    } row[] = {
        { "1 page", 1, false, 0 },
        { "10 pages", 10, false, 8 },
        { "1 GiB resident", 262144, false, 8 },
        { "1 GiB swapped, contiguous", 262144, true, 0.4 },
    };
    uint64_t dropped = 0;

    setup();
    for (size_t i = 0; i < ARRAY_SIZE(row); i++) {
        double bytes;

        fill_file(row[i].pages, row[i].swapped);
        bytes = (double)pagemap_bytes(&map) / (double)row[i].pages;
        printf("pagemap bytes a page: %s: %.2f\n", row[i].what, bytes);
        ck_assert(bytes <= row[i].most);
        cut_file(0, &dropped);
    }
    teardown();
}
END_TEST

/* A folded leaf can be unfolded though nothing more may be charged. */
START_TEST(unfolding_is_never_refused)
{
    uint64_t dropped = 0;

    setup();
    fill_file(64 * 64, true);
    ck_assert_uint_eq(pagemap_bytes(&map), 64 * 8);
    charge_limit = charged;
    for (uint64_t i = 0; i < 64 * 64; i += 64) {
        ck_assert_int_eq(pagemap_prepare(arena, &map, i + 5, 1), 0);
        pagemap_set(arena, &map, i + 5, pagemap_entry_make(ENTRY_FRAME, 7));
    }
    ck_assert_uint_eq(pagemap_bytes(&map), 64 * 8 + 64 * 256);
    /* Physically there may be no frame: that is no refusal. */
    for (uint64_t i = 0; i < 64 * 64; i += 64) {
        pagemap_set(arena, &map, i + 5,
                    pagemap_entry_make(ENTRY_BLOCK, (uint32_t)(1005 + i)));
        pagemap_fold(arena, &map, i + 5);
    }
    take_frames();
    ck_assert_int_eq(pagemap_prepare(arena, &map, 5, 1), -EAGAIN);
    give_frames();
    ck_assert_int_eq(pagemap_prepare(arena, &map, 5, 1), 0);
    charge_limit = UINT32_MAX;
    cut_file(0, &dropped);
    ck_assert_uint_eq(dropped, 64 * 64);
    teardown();
}
END_TEST

/* A terabyte preallocated: as many slots as leaves, no leaf. */
START_TEST(large_fills_fold)
{
    uint64_t dropped = 0, pages = (uint64_t)1 << 24;
    struct pagemap_run run;

    setup();
    for (uint64_t at = 0; at < pages; at += PAGEMAP_FILL_MAX) {
        ck_assert_int_eq(pagemap_fill(arena, &map, at, PAGEMAP_FILL_MAX), 0);
        ck_assert_uint_eq(pagemap_settle(arena, &map, at, PAGEMAP_FILL_MAX, true),
                          PAGEMAP_FILL_MAX);
    }
    ck_assert_uint_eq(map.nr_present, pages);
    ck_assert_uint_lt(pagemap_bytes(&map), pages * 13 / 100);
    pagemap_check(arena, &map);
    for (uint64_t at = 0; pagemap_next_run(arena, &map, at, pages, &run);
         at = run.index + run.nr) {
        unit_assert(run.entry == ENTRY_ZERO && run.nr == 64);
        pagemap_set_run(arena, &map, &run, 0);
        dropped += run.nr;
    }
    ck_assert_uint_eq(dropped, pages);
    teardown();
}
END_TEST

UNIT_MAIN("pagemap", as_an_array, all_truncations, what_a_page_costs,
          unfolding_is_never_refused, large_fills_fold)

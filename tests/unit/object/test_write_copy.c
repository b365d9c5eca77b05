/* test_write_copy.c - what a write puts into a file is the same whoever copies it;
 * new pages of a large one are filled without being touched.
 */
#include "fixture.h"

#include "arena_copy.h"

static struct fixture f;
static struct file file;

enum who { KERNEL, SELF };

static void up(enum who who)
{
    fixture_up(&f, 700, 2048, 0);
    file_up(&f, &file, 520 * PAGE_SIZE);
    f.store.arena->touch_is_dear = who == KERNEL;
    f.store.arena->copies_itself = who == SELF;
}

static void down(void)
{
    model_compare(&f, &file, 0, file.size);
    file_down(&f, &file);
    fixture_down(&f);
}

/* The map of a file that grows gives a frame back, which has been touched. */
enum { WAS_METADATA = 1 };

/* Pages first..end-1 that are in frames, and have been touched. */
static uint32_t touched(uint64_t first, uint64_t end)
{
    uint32_t n = 0;

    for (uint64_t i = first; i < end; i++) {
        pagemap_entry entry = pagemap_get(f.store.arena, &file.object->map, i);

        ck_assert_int_eq(pagemap_entry_kind(entry), ENTRY_FRAME);
        n += arena_is_touched(f.store.arena, pagemap_entry_number(entry));
    }
    return n;
}

START_TEST(new_pages_are_filled_untouched)
{
    up(KERNEL);
    model_write(&f, &file, 0, 100 * PAGE_SIZE, 7, false);
    ck_assert_uint_le(touched(0, 100), WAS_METADATA);
    down();
}
END_TEST

START_TEST(or_touched_where_the_kernel_does_not_copy)
{
    up(SELF);
    model_write(&f, &file, 0, 100 * PAGE_SIZE, 7, false);
    ck_assert_uint_eq(touched(0, 100), 100);
    down();
}
END_TEST

START_TEST(many_pages_are_changed_untouched_and_few_are_not)
{
    up(KERNEL);
    model_write(&f, &file, 0, 100 * PAGE_SIZE, 7, false);
    model_write(&f, &file, 5, 90 * PAGE_SIZE, 8, false);
    ck_assert_uint_le(touched(0, 100), WAS_METADATA);
    model_write(&f, &file, 10 * PAGE_SIZE + 9, 2 * PAGE_SIZE, 9, false);
    ck_assert_uint_le(touched(0, 100), 3 + WAS_METADATA);
    ck_assert_uint_eq(touched(10, 13), 3);
    model_write(&f, &file, PAGE_SIZE - 1, 2, 10, false);
    ck_assert_uint_eq(touched(0, 2), 2);
    down();
}
END_TEST

/* What surrounds the bytes of a write in a frame that had other bytes before. */
static void write_parts(enum who who)
{
    up(who);
    model_write(&f, &file, 0, 250 * PAGE_SIZE, 1, false);
    model_write(&f, &file, file.size, 250 * PAGE_SIZE, 1, false);
    model_truncate(&f, &file, 0);
    for (uint32_t i = 0; i < 25; i++) {
        model_write(&f, &file, i * 20 * PAGE_SIZE + 100 * i, 5 * PAGE_SIZE + i,
                    2 + i, false);
        model_compare(&f, &file, 0, file.size);
    }
    model_truncate(&f, &file, file.max);
    down();
}

START_TEST(around_the_bytes_are_zeros)
{
    write_parts(KERNEL);
    write_parts(SELF);
}
END_TEST

/* Pages that are there, holes and zeros in turn; read from another place in their
 * pages, so that each of them comes in two pieces. */
static void copy_mixture(enum who who)
{
    struct file source;

    up(who);
    file_up(&f, &source, 520 * PAGE_SIZE);
    model_write(&f, &source, 0, 256 * PAGE_SIZE, 3, false);
    for (uint32_t i = 0; i < 250; i += 10)
        model_write(&f, &source, i * PAGE_SIZE, 2 * PAGE_SIZE, 0, false);
    for (uint32_t i = 0; i < 256; i += 2)
        model_write(&f, &file, i * PAGE_SIZE + 7, 50, 4, false);
    for (uint32_t i = 0; i < 250; i += 25)
        model_write(&f, &file, i * PAGE_SIZE, 2 * PAGE_SIZE, 5, false);
    model_copy(&f, &source, 1, &file, 4000, 255 * PAGE_SIZE);
    model_compare(&f, &file, 0, file.size);
    model_copy(&f, &source, 0, &file, PAGE_SIZE, 255 * PAGE_SIZE);
    file_down(&f, &source);
    down();
}

START_TEST(a_mixture_is_copied_whoever_does_it)
{
    copy_mixture(KERNEL);
    copy_mixture(SELF);
}
END_TEST

UNIT_MAIN("write_copy", new_pages_are_filled_untouched,
          or_touched_where_the_kernel_does_not_copy,
          many_pages_are_changed_untouched_and_few_are_not,
          around_the_bytes_are_zeros, a_mixture_is_copied_whoever_does_it)

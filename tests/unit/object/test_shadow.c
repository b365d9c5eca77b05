/* test_shadow.c - random operations on several files, each with its shadow, over
 * a pool much smaller than they are; alone, and by eight threads.
 */
#include "fixture.h"

#include "clock.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>

enum {
    FILES = 4, MAX_BYTES = 500 * 4096, STEPS = 6000,
    THREADS = 8, THREAD_STEPS = 1500,
};

static struct fixture f;

static uint64_t random_offset(uint64_t *seed, const struct file *file)
{
    switch (rnd(seed, 4)) {
    case 0:
        return rnd(seed, file->max);
    case 1:
        return round_down(rnd(seed, file->max), PAGE_SIZE);
    default:
        return rnd(seed, file->size + 1);
    }
}

static size_t random_length(uint64_t *seed, const struct file *file,
                            uint64_t offset)
{
    static const uint32_t most[] = { 100, 4096, 9000, 131072, OBJECT_MAX_IO };
    uint64_t n = 1 + rnd(seed, most[rnd(seed, ARRAY_SIZE(most))]);

    if (rnd(seed, 3) == 0)
        n = round_up(n, PAGE_SIZE);
    return (size_t)MIN(MIN(n, OBJECT_MAX_IO), file->max - offset);
}

/* One of the operations on the file; `other` is read from by copies. */
static void step(uint64_t *seed, struct file *file, struct file *other)
{
    uint64_t offset = random_offset(seed, file);
    size_t n = random_length(seed, file, offset);
    uint64_t what = rnd(seed, 20);

    if (n == 0)
        return;
    if (what == 0) {
        model_truncate(&f, file, rnd(seed, 4) ? rnd(seed, file->size + 1)
                                              : offset);
    } else if (what == 1) {
        model_write(&f, file, offset, n, 0, false);
    } else if (what < 8) {
        model_write(&f, file, offset, n, 1 + rnd(seed, 1000), false);
    } else if (what < 10) {
        model_fallocate(&f, file, OBJECT_PUNCH, offset, n, false);
    } else if (what == 10) {
        model_fallocate(&f, file, OBJECT_ZERO, offset, n, rnd(seed, 2));
    } else if (what == 11) {
        model_fallocate(&f, file, OBJECT_ALLOCATE, offset, n, rnd(seed, 2));
    } else if (what < 14) {
        uint64_t source = random_offset(seed, other);

        if (rnd(seed, 2)) /* the same place in their pages */
            source = round_down(source, PAGE_SIZE) + (offset & PAGE_MASK);
        model_copy(&f, other, source, file, offset, n);
    } else if (what == 14) {
        model_seek(&f, file, offset);
    } else {
        model_compare(&f, file, offset, offset + n);
    }
}

static void files_up(struct file *files, uint64_t blocks)
{
    fixture_up(&f, 400, (uint32_t)blocks, 0);
    fake_swap_shuffle(true);
    for (int i = 0; i < FILES; i++)
        file_up(&f, &files[i], MAX_BYTES);
}

static void files_down(struct file *files)
{
    for (int i = 0; i < FILES; i++) {
        model_compare(&f, &files[i], 0, files[i].size);
        file_down(&f, &files[i]);
    }
    fixture_down(&f);
}

/* by_kernel: it copies all that may be untouched; else nothing. */
static void random_operations(uint32_t max_run, bool by_kernel)
{
    struct file files[FILES];
    uint64_t seed = 4711 + max_run;

    files_up(files, 4096);
    f.store.arena->touch_is_dear = by_kernel;
    f.store.arena->copies_itself = !by_kernel;
    fake_swap_max_run(max_run);
    for (int i = 0; i < STEPS; i++) {
        uint64_t pages = 0;

        step(&seed, &files[rnd(&seed, FILES)], &files[rnd(&seed, FILES)]);
        if (i % 64 != 0)
            continue;
        for (int k = 0; k < FILES; k++) {
            object_check(&f.store, files[k].object);
            pages += model_pages(&f, &files[k]);
        }
        unit_assert(stats_of(&f).data == pages);
    }
    unit_assert(stats_of(&f).pageout_pages > 1000);
    files_down(files);
}

START_TEST(alone)
{
    random_operations(0, true);
}
END_TEST

START_TEST(alone_with_fragments)
{
    random_operations(3, false);
}
END_TEST

/* --- threads ------------------------------------------------------------------- */

/* Each thread has its own bytes of the one file: slices that do not end at pages,
 * so that neighbours share pages. */
struct slice {
    struct object *object;
    uint8_t *bytes;
    uint64_t start, length, seed;
};

static void slice_write(struct slice *s, uint64_t offset, size_t n)
{
    size_t written;

    memset(s->bytes + offset, (int)rnd(&s->seed, 3), n);
    unit_assert(object_write(&f.store, s->object, s->start + offset,
                             s->bytes + offset, n, true, &written) == 0);
    unit_assert(written == n);
}

static void slice_read(struct slice *s, uint64_t offset, size_t n, bool wait)
{
    struct object_read read;
    int err = object_read_begin(&f.store, s->object, NULL, s->start + offset,
                                MIN(n, object_read_max(&f.store)), wait, &read);

    if (err) {
        unit_assert(err == -EAGAIN && !wait);
        return;
    }
    for (uint32_t i = 1; i <= read.iov_count; i++) {
        unit_assert(memcmp(read.iov[i].iov_base, s->bytes + offset,
                           read.iov[i].iov_len) == 0);
        offset += read.iov[i].iov_len;
    }
    object_read_end(&f.store, s->object, &read);
}

static void *slice_main(void *arg)
{
    struct slice *s = arg;

    for (int i = 0; i < THREAD_STEPS; i++) {
        uint64_t offset = rnd(&s->seed, s->length);
        size_t n = 1 + rnd(&s->seed, rnd(&s->seed, 2) ? 6000 : 200000);

        n = MIN(n, s->length - offset);
        if (rnd(&s->seed, 3) == 0)
            slice_write(s, offset, n);
        else
            slice_read(s, offset, n, rnd(&s->seed, 2));
    }
    return NULL;
}

START_TEST(threads_in_one_file)
{
    enum { LENGTH = 90 * 4096 + 1234 };
    struct slice slices[THREADS];
    pthread_t thread[THREADS];
    struct file file;

    fixture_up(&f, 400, 2048, 0);
    fake_swap_shuffle(true);
    file_up(&f, &file, THREADS * LENGTH);
    model_truncate(&f, &file, THREADS * LENGTH);
    for (int i = 0; i < THREADS; i++) {
        slices[i] = (struct slice){ file.object, file.bytes + i * LENGTH,
                                    (uint64_t)i * LENGTH, LENGTH,
                                    (uint64_t)i + 1 };
        ck_assert_int_eq(pthread_create(&thread[i], NULL, slice_main,
                                        &slices[i]), 0);
    }
    for (int i = 0; i < THREADS; i++)
        pthread_join(thread[i], NULL);
    model_compare(&f, &file, 0, file.size);
    file_down(&f, &file);
    fixture_down(&f);
}
END_TEST

static void *file_main(void *arg)
{
    uint64_t seed = (uint64_t)(uintptr_t)arg;
    struct file file = *(struct file *)arg;

    for (int i = 0; i < THREAD_STEPS; i++)
        step(&seed, &file, &file);
    *(struct file *)arg = file;
    return NULL;
}

START_TEST(threads_in_their_own_files)
{
    struct file files[FILES];
    pthread_t thread[FILES];

    files_up(files, 4096);
    for (int i = 0; i < FILES; i++)
        ck_assert_int_eq(pthread_create(&thread[i], NULL, file_main, &files[i]),
                         0);
    for (int i = 0; i < FILES; i++)
        pthread_join(thread[i], NULL);
    files_down(files);
}
END_TEST

UNIT_MAIN("shadow", alone, alone_with_fragments, threads_in_one_file,
          threads_in_their_own_files)

/* test_rangelock.c - who is granted when, against a naive model; then threads.
 *
 * The model keeps requests in order of arrival and applies R2 word for word:
 * a request is granted once no conflicting holder and no conflicting earlier
 * waiter remains.
 */
#include "rangelock.h"

#include "bits.h"

#include "unit.h"
#include "wakes.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <string.h>

enum { REQUESTS = 24, STEPS = 300000 };

static uint64_t seed = 88172645463325252u;

static uint64_t rnd(uint64_t below)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed % below;
}

/* --- the model ----------------------------------------------------------------- */

struct request {
    struct range range;
    uint64_t start, end;
    enum range_mode mode;
    uint64_t arrival; /* 0: not in use */
    bool granted;
};

static struct request requests[REQUESTS];
static struct rangelock lock;
static uint64_t clock_now;

static bool model_conflict(const struct request *a, const struct request *b)
{
    return a->start < b->end && b->start < a->end &&
           (a->mode == RANGE_EXCLUSIVE || b->mode == RANGE_EXCLUSIVE);
}

static bool model_kept(const struct request *me)
{
    for (int i = 0; i < REQUESTS; i++) {
        const struct request *other = &requests[i];

        if (other == me || !other->arrival || !model_conflict(other, me))
            continue;
        if (other->granted || other->arrival < me->arrival)
            return true;
    }
    return false;
}

static void model_settle(void)
{
    bool again = true;

    while (again) {
        again = false;
        for (int i = 0; i < REQUESTS; i++) {
            struct request *r = &requests[i];

            if (r->arrival && !r->granted && !model_kept(r))
                r->granted = again = true;
        }
    }
}

static void compare(void)
{
    bool quiet = true;

    for (int i = 0; i < REQUESTS; i++) {
        if (!requests[i].arrival)
            continue;
        quiet = false;
        unit_assert(rangelock_granted(&requests[i].range) ==
                    requests[i].granted);
    }
    if (quiet) { /* R3 */
        unit_assert(atomic_load(&lock.held) == 0);
        unit_assert(!lock.waiting);
    }
    rangelock_check(&lock);
}

static void choose(struct request *r)
{
    r->start = rnd(40);
    r->end = rnd(8) ? r->start + 1 + rnd(12) : RANGE_END;
    r->mode = rnd(2) ? RANGE_EXCLUSIVE : RANGE_SHARED;
}

static void step_new(struct request *r)
{
    choose(r);
    if (rnd(4) == 0) {
        bool kept = model_kept(&(struct request){ .start = r->start,
                                                  .end = r->end,
                                                  .mode = r->mode,
                                                  .arrival = UINT64_MAX });
        int err = rangelock_trylock(&lock, &r->range, r->start, r->end, r->mode);

        unit_assert(err == (kept ? -EAGAIN : 0));
        r->granted = !err;
        r->arrival = err ? 0 : ++clock_now;
        return;
    }
    r->arrival = ++clock_now;
    r->granted = rangelock_begin(&lock, &r->range, r->start, r->end, r->mode);
    unit_assert(r->granted == !model_kept(r));
}

static void step_held(struct request *r)
{
    rangelock_unlock(&lock, &r->range);
    r->arrival = 0;
    model_settle();
}

START_TEST(grants_as_the_model)
{
    memset(requests, 0, sizeof(requests));
    for (int i = 0; i < STEPS; i++) {
        /* Now few requests, so that the lock falls quiet; now many. */
        uint64_t in_use = (i / 1000) % 3 == 0 ? 2 : REQUESTS;
        struct request *r = &requests[rnd(in_use)];

        if (!r->arrival)
            step_new(r);
        else if (r->granted)
            step_held(r);
        compare();
    }
    for (bool left = true; left;) {
        left = false;
        for (int i = 0; i < REQUESTS; i++) {
            struct request *r = &requests[i];

            if (!r->arrival)
                continue;
            left = true;
            if (!r->granted)
                continue;
            rangelock_unlock(&lock, &r->range);
            r->arrival = 0;
            model_settle();
            compare();
        }
    }
    compare();
}
END_TEST

/* A waiter in front does not keep those whose bytes it does not want. */
START_TEST(no_head_of_line_blocking)
{
    struct range a, b, c;

    ck_assert(rangelock_begin(&lock, &a, 0, 10, RANGE_EXCLUSIVE));
    ck_assert(!rangelock_begin(&lock, &b, 5, 20, RANGE_EXCLUSIVE));
    ck_assert(rangelock_begin(&lock, &c, 20, 30, RANGE_EXCLUSIVE));
    rangelock_unlock(&lock, &c);
    rangelock_unlock(&lock, &a);
    ck_assert(rangelock_granted(&b));
    rangelock_unlock(&lock, &b);
}
END_TEST

/* A wide writer is not overtaken for ever by readers that come later. */
START_TEST(no_starvation)
{
    struct range reader, writer, late;

    ck_assert(rangelock_begin(&lock, &reader, 0, 10, RANGE_SHARED));
    ck_assert(!rangelock_begin(&lock, &writer, 0, RANGE_END, RANGE_EXCLUSIVE));
    ck_assert(!rangelock_begin(&lock, &late, 0, 10, RANGE_SHARED));
    rangelock_unlock(&lock, &reader);
    ck_assert(rangelock_granted(&writer));
    ck_assert(!rangelock_granted(&late));
    rangelock_unlock(&lock, &writer);
    ck_assert(rangelock_granted(&late));
    rangelock_unlock(&lock, &late);
}
END_TEST

/* More readers become free at once than one batch of wake-ups holds. */
START_TEST(many_are_granted_at_once)
{
    struct range writer, reader[100];

    ck_assert(rangelock_begin(&lock, &writer, 0, RANGE_END, RANGE_EXCLUSIVE));
    for (unsigned i = 0; i < ARRAY_SIZE(reader); i++)
        ck_assert(!rangelock_begin(&lock, &reader[i], i, i + 50, RANGE_SHARED));
    rangelock_unlock(&lock, &writer);
    for (unsigned i = 0; i < ARRAY_SIZE(reader); i++) {
        ck_assert(rangelock_granted(&reader[i]));
        rangelock_unlock(&lock, &reader[i]);
    }
    ck_assert_uint_eq(atomic_load(&lock.held), 0);
}
END_TEST

START_TEST(two_at_once)
{
    static struct rangelock other;
    struct range a, b, in_the_way;

    ck_assert_int_eq(rangelock_lock_two(&lock, &a, 0, 10, RANGE_SHARED, &lock, &b,
                                        20, 30, RANGE_EXCLUSIVE, true), 0);
    ck_assert_int_eq(a.mode, RANGE_EXCLUSIVE);
    ck_assert_uint_eq(a.start, 0);
    ck_assert_uint_eq(a.end, 30);
    rangelock_unlock_two(&lock, &a, &lock, &b);
    ck_assert_uint_eq(atomic_load(&lock.held), 0);

    for (int swap = 0; swap < 2; swap++) {
        struct rangelock *la = swap ? &other : &lock;
        struct rangelock *lb = swap ? &lock : &other;

        rangelock_lock(lb, &in_the_way, 25, 26, RANGE_SHARED);
        ck_assert_int_eq(rangelock_lock_two(la, &a, 0, 10, RANGE_SHARED, lb, &b,
                                            20, 30, RANGE_EXCLUSIVE, false),
                         -EAGAIN);
        ck_assert_uint_eq(atomic_load(&la->held), 0);
        rangelock_unlock(lb, &in_the_way);
        ck_assert_int_eq(rangelock_lock_two(la, &a, 0, 10, RANGE_SHARED, lb, &b,
                                            20, 30, RANGE_EXCLUSIVE, false), 0);
        rangelock_unlock_two(la, &a, lb, &b);
        ck_assert_uint_eq(atomic_load(&la->held), 0);
        ck_assert_uint_eq(atomic_load(&lb->held), 0);
    }
}
END_TEST

/* --- threads ------------------------------------------------------------------- */

enum { THREADS = 8, BYTES = 64, ROUNDS = 20000 };

static struct rangelock files[2];
static uint64_t bytes[2][BYTES]; /* plain: TSan sees a wrong grant as a race */

static void write_bytes(int file, uint64_t start, uint64_t end)
{
    for (uint64_t i = start; i < MIN(end, (uint64_t)BYTES); i++)
        bytes[file][i]++;
}

static uint64_t read_bytes(int file, uint64_t start, uint64_t end)
{
    uint64_t sum = 0;

    for (uint64_t i = start; i < MIN(end, (uint64_t)BYTES); i++)
        sum += bytes[file][i];
    return sum;
}

static void one_round(uint64_t random, uint64_t *written, uint64_t *sum)
{
    int file = (int)(random & 1);
    uint64_t start = (random >> 1) % BYTES;
    uint64_t end = start + 1 + (random >> 8) % (BYTES - start);
    uint64_t half = start + (end - start + 1) / 2;
    struct range a, b;

    switch ((random >> 16) % 4) {
    case 0:
        rangelock_lock(&files[file], &a, start, end, RANGE_SHARED);
        *sum += read_bytes(file, start, end);
        rangelock_unlock(&files[file], &a);
        break;
    case 1:
        rangelock_lock(&files[file], &a, start, end, RANGE_EXCLUSIVE);
        write_bytes(file, start, end);
        *written += end - start;
        *sum += read_bytes(file, start, end);
        rangelock_unlock(&files[file], &a);
        break;
    case 2:
        rangelock_lock(&files[file], &a, start, RANGE_END, RANGE_EXCLUSIVE);
        write_bytes(file, half, BYTES);
        *written += BYTES - MIN(half, (uint64_t)BYTES);
        write_bytes(file, start, half);
        *written += half - start;
        rangelock_unlock(&files[file], &a);
        break;
    default:
        rangelock_lock_two(&files[file], &a, start, end, RANGE_SHARED,
                           &files[!file], &b, start, half, RANGE_EXCLUSIVE, true);
        *sum += read_bytes(file, start, end);
        write_bytes(!file, start, half);
        *written += half - start;
        rangelock_unlock_two(&files[file], &a, &files[!file], &b);
        break;
    }
}

static void *worker(void *arg)
{
    uint64_t state = 1 + (uint64_t)(uintptr_t)arg * 0x9e3779b97f4a7c15u;
    uint64_t written = 0, sum = 0;

    for (int i = 0; i < ROUNDS; i++) {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        one_round(state >> 8, &written, &sum);
    }
    return (void *)(uintptr_t)written;
}

START_TEST(threads_never_meet)
{
    pthread_t thread[THREADS];
    uint64_t written = 0;

    for (uintptr_t i = 0; i < THREADS; i++)
        ck_assert_int_eq(pthread_create(&thread[i], NULL, worker, (void *)i), 0);
    for (int i = 0; i < THREADS; i++) {
        void *result;

        pthread_join(thread[i], &result);
        written += (uint64_t)(uintptr_t)result;
    }
    ck_assert_uint_eq(read_bytes(0, 0, BYTES) + read_bytes(1, 0, BYTES), written);
    for (int i = 0; i < 2; i++)
        ck_assert_uint_eq(atomic_load(&files[i].held), 0);
}
END_TEST

/* A stream of small ones and a wide writer, who wants to be next.  `turn` is odd
 * from when he stands in line until he has got all, and moves before he lets go. */
enum { STREAM = 4, SMALL_ROUNDS = 20000, WIDE_ROUNDS = 2000 };

static struct rangelock road;
static _Atomic uint64_t turn, overtaken, awaited;
static _Atomic bool over;

static void lock_counted(struct range *range, uint64_t start, uint64_t end,
                         enum range_mode mode)
{
    if (rangelock_begin(&road, range, start, end, mode))
        return;
    atomic_fetch_add(&awaited, 1);
    rangelock_wait(range);
}

static void *small_ones(void *arg)
{
    uint64_t state = 1 + (uint64_t)(uintptr_t)arg;

    for (int i = 0; i < SMALL_ROUNDS && !atomic_load(&over); i++) {
        uint64_t seen = atomic_load(&turn), at = (state = state * 13 + 7) % 8;
        struct range range;

        lock_counted(&range, at, at + 1,
                     i % 2 ? RANGE_EXCLUSIVE : RANGE_SHARED);
        /* He was in line before us and has not had his turn. */
        if (seen % 2 && atomic_load(&turn) == seen)
            atomic_fetch_add(&overtaken, 1);
        if (i % 4 == 0)
            sched_yield();
        rangelock_unlock(&road, &range);
    }
    return NULL;
}

START_TEST(nobody_overtakes_a_wide_writer_and_each_grant_wakes_once)
{
    pthread_t thread[STREAM];

    wakes_start(NULL);
    for (uintptr_t i = 0; i < STREAM; i++)
        pthread_create(&thread[i], NULL, small_ones, (void *)i);
    for (int i = 0; i < WIDE_ROUNDS; i++) {
        struct range wide;

        if (!rangelock_begin(&road, &wide, 0, RANGE_END, RANGE_EXCLUSIVE)) {
            atomic_fetch_add(&turn, 1);
            atomic_fetch_add(&awaited, 1);
            rangelock_wait(&wide);
            atomic_fetch_add(&turn, 1);
        }
        rangelock_unlock(&road, &wide);
    }
    atomic_store(&over, true);
    for (int i = 0; i < STREAM; i++)
        pthread_join(thread[i], NULL);
    ck_assert_uint_eq(atomic_load(&overtaken), 0);
    ck_assert_uint_le(atomic_load(&wakes), atomic_load(&awaited));
    ck_assert_uint_eq(atomic_load(&road.held), 0);
}
END_TEST

UNIT_MAIN("rangelock", grants_as_the_model, no_head_of_line_blocking,
          no_starvation, many_are_granted_at_once, two_at_once,
          threads_never_meet,
          nobody_overtakes_a_wide_writer_and_each_grant_wakes_once)

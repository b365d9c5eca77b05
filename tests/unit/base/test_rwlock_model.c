/* test_rwlock_model.c - every order in which threads can pass a shared lock.
 *
 * The code under test is compiled into this file with its atomic operations, mutex
 * and futex replaced: each of them is a *turn*, and who has the next turn is chosen
 * here.  The threads are coroutines, so a run is decided by the list of those
 * choices, and is repeated by repeating the list.  All lists are tried, but for those
 * that come to a state seen before: the lock, and where each thread stands.
 *
 * In every order
 *
 *     a writer is alone, and nobody comes in while he is (W1)
 *     somebody can go on until all are through: no wake-up is lost
 *     then nobody is counted, nobody has the mutex, the door is open or shut
 *
 * Memory is sequentially consistent here; the code asks for that wherever it looks
 * at one word after having changed another.
 */
#include "unit.h"

#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define __SANITIZE_THREAD__ 1
#endif
#endif

#ifdef __SANITIZE_THREAD__ /* it knows nothing of coroutines */
START_TEST(threads_in_all_orders)
{
}
END_TEST
#else

#include "bits.h"
#include "lock_internal.h"
#include "log.h"

#include <stdio.h>
#include <string.h>
#include <ucontext.h>

enum { NR = 3, MAX_TURNS = 200, STACK = 128 << 10, SLOTS = 1 << 20 };
enum act { READ, TRY_READ, WRITE };
#define UNKNOWN (~0u)
enum wait { WAITS_NOT, WAITS_FOR_MUTEX, WAITS_FOR_WAKE, DONE };

struct thread {
    ucontext_t context;
    enum act act;
    unsigned row, rounds;
    enum wait wait;
    unsigned how;     /* it holds the lock; UNKNOWN while it does not */
    uintptr_t stands; /* where (TURN) */
    uint8_t stack[STACK];
};

static struct thread threads[NR];
static ucontext_t chooser;
static unsigned running;

/* --- the turns ------------------------------------------------------------------ */

/* Sleeps until chosen.  Where a thread stands is told by whence it asks for a turn, at
 * what word, and how it holds the lock: there is no more to a thread than that. */
#define TURN(wait, word) \
    wait_turn(wait, (uintptr_t)__builtin_return_address(0), (uintptr_t)(word))
#define APART __attribute__((noinline))

static void wait_turn(enum wait wait, uintptr_t from, uintptr_t word)
{
    threads[running].wait = wait;
    threads[running].stands = from * 31 + word;
    swapcontext(&threads[running].context, &chooser);
    threads[running].wait = WAITS_NOT;
}

APART static uint32_t turn_load(_Atomic uint32_t *word)
{
    TURN(WAITS_NOT, word);
    return atomic_load(word);
}

APART static void turn_store(_Atomic uint32_t *word, uint32_t value)
{
    TURN(WAITS_NOT, word);
    atomic_store(word, value);
}

APART static void turn_add(_Atomic uint32_t *word, uint32_t value)
{
    TURN(WAITS_NOT, word);
    atomic_fetch_add(word, value);
}

APART static bool turn_exchange(_Atomic uint32_t *word, uint32_t *expected,
                                uint32_t value)
{
    TURN(WAITS_NOT, word);
    return atomic_compare_exchange_strong(word, expected, value);
}

APART static void turn_mutex_lock(struct mutex *m) NO_THREAD_SAFETY
{
    TURN(WAITS_FOR_MUTEX, m);
    atomic_store(&m->word, 1);
}

APART static bool turn_mutex_trylock(struct mutex *m) NO_THREAD_SAFETY
{
    TURN(WAITS_NOT, m);
    return atomic_exchange(&m->word, 1) == 0;
}

APART static void turn_mutex_unlock(struct mutex *m) NO_THREAD_SAFETY
{
    TURN(WAITS_NOT, m);
    atomic_store(&m->word, 0);
}

APART static void turn_futex_wait(_Atomic uint32_t *word, uint32_t expected)
{
    TURN(WAITS_NOT, word);
    if (atomic_load(word) == expected)
        TURN(WAITS_FOR_WAKE, word);
}

/* Only who has the mutex ever sleeps. */
APART static void turn_futex_wake(_Atomic uint32_t *word)
{
    TURN(WAITS_NOT, word);
    for (unsigned i = 0; i < NR; i++)
        if (threads[i].wait == WAITS_FOR_WAKE)
            threads[i].wait = WAITS_NOT;
}

/* --- the code under test ---------------------------------------------------------- */

#define rwlock_lock model_lock
#define rwlock_unlock model_unlock
#define rwlock_lock_shared model_lock_shared
#define rwlock_trylock_shared model_trylock_shared
#define rwlock_unlock_shared model_unlock_shared
#define rwlock_assert_held model_assert_held
#include "rwlock.h"

#undef atomic_load
#undef atomic_load_explicit
#undef atomic_store
#undef atomic_fetch_add
#undef atomic_fetch_sub
#undef atomic_compare_exchange_strong
#define atomic_load(word) turn_load(word)
#define atomic_load_explicit(word, order) turn_load(word)
#define atomic_store(word, value) turn_store(word, value)
#define atomic_fetch_add(word, value) turn_add(word, value)
#define atomic_fetch_sub(word, value) turn_add(word, 0u - (value))
#define atomic_compare_exchange_strong(word, expected, value) \
    turn_exchange(word, expected, value)
#define mutex_lock(m, rank) ((void)(rank), turn_mutex_lock(m))
#define mutex_trylock(m, rank) ((void)(rank), turn_mutex_trylock(m))
#define mutex_unlock(m) turn_mutex_unlock(m)
#define futex_wait(word, expected) turn_futex_wait(word, expected)
#define futex_wake(word, count) turn_futex_wake(word)
#define thread_number() (threads[running].row)
#define lock_order_check(rank) (void)(rank)
#define lock_order_push(m, rank) (void)(rank)
#define lock_order_pop(m) (void)(m)
#define LOCK_SPINS 0
#define RWLOCK_ROWS 2
#define RWLOCK_OPEN_AFTER 1
#include "rwlock.c"

/* --- a run ------------------------------------------------------------------------- */

/* What the threads do, how often, and in which row they are counted. */
static const struct scenario {
    enum door door; /* at the start */
    enum act act[NR];
    unsigned rounds[NR], row[NR];
} scenarios[] = {
    { OPEN, { READ, READ, WRITE }, { 2, 1, 2 }, { 0, 1, 0 } },
    { OPEN, { READ, READ, WRITE }, { 1, 1, 1 }, { 0, 0, 0 } },
    { OPEN, { READ, WRITE, WRITE }, { 2, 2, 1 }, { 1, 0, 0 } },
    { OPEN, { TRY_READ, READ, WRITE }, { 2, 1, 2 }, { 0, 1, 0 } },
    { OPEN, { READ, WRITE, WRITE }, { 3, 3, 0 }, { 0, 0, 0 } },
    { SHUT, { READ, WRITE, WRITE }, { 3, 3, 0 }, { 1, 0, 0 } },
    { SHUT, { READ, READ, WRITE }, { 2, 1, 2 }, { 0, 1, 0 } },
    { SHUT, { TRY_READ, WRITE, WRITE }, { 2, 2, 0 }, { 0, 0, 0 } },
};

static struct rwlock lock;
static unsigned reading, writing;

APART static void inside(unsigned *who)
{
    ++*who;
    unit_assert(writing == 0 || (writing == 1 && reading == 0));
    TURN(WAITS_NOT, who);
    unit_assert(writing == 0 || (writing == 1 && reading == 0));
    --*who;
}

static void look(unsigned *how) RELEASE_SHARED(lock)
{
    inside(&reading);
    rwlock_unlock_shared(&lock, *how);
    *how = UNKNOWN;
}

static void once(enum act act, unsigned *how) NO_THREAD_SAFETY
{
    unsigned row;

    if (act == WRITE) {
        rwlock_lock(&lock, RANK_TREE);
        inside(&writing);
        rwlock_unlock(&lock);
    } else if (act == READ) {
        *how = rwlock_lock_shared(&lock, RANK_TREE);
        look(how);
    } else if (rwlock_trylock_shared(&lock, RANK_TREE, &row)) {
        *how = row;
        look(how);
    }
}

static void body(void)
{
    struct thread *t = &threads[running];

    while (t->rounds > 0) {
        once(t->act, &t->how);
        t->rounds--;
    }
    for (;;)
        TURN(DONE, NULL);
}

static void go(unsigned i)
{
    running = i;
    swapcontext(&chooser, &threads[i].context);
}

/* As far as its first turn. */
static void start_thread(unsigned i, const struct scenario *sc)
{
    struct thread *t = &threads[i];

    t->act = sc->act[i];
    t->row = sc->row[i];
    t->rounds = sc->rounds[i];
    t->wait = WAITS_NOT;
    t->how = UNKNOWN;
    getcontext(&t->context);
    t->context.uc_stack.ss_sp = t->stack;
    t->context.uc_stack.ss_size = sizeof(t->stack);
    t->context.uc_link = NULL;
    makecontext(&t->context, body, 0);
    go(i);
}

static void start(const struct scenario *sc)
{
    memset(&lock, 0, sizeof(lock));
    atomic_init(&lock.door, sc->door);
    reading = writing = 0;
    for (unsigned i = 0; i < NR; i++)
        start_thread(i, sc);
}

static bool can_go(unsigned i)
{
    enum wait wait = threads[i].wait;

    return wait == WAITS_NOT ||
           (wait == WAITS_FOR_MUTEX && *(uint32_t *)&lock.mutex.word == 0);
}

/* --- all of them -------------------------------------------------------------------- */

static uint64_t slots[SLOTS], nr_states, nr_runs;

static uint64_t mix(uint64_t name, uint64_t value)
{
    name = (name + value + 1) * 0x9e3779b97f4a7c15u;
    return name ^ name >> 29;
}

static uint64_t name_of_state(void)
{
    uint64_t name = mix(mix(*(uint32_t *)&lock.door, lock.stood),
                        *(uint32_t *)&lock.mutex.word);

    for (unsigned row = 0; row < RWLOCK_ROWS; row++)
        name = mix(name, *(uint32_t *)&lock.row[row].inside);
    for (unsigned i = 0; i < NR; i++)
        name = mix(mix(mix(name, threads[i].stands), threads[i].how),
                   threads[i].rounds * 8u + threads[i].wait);
    return name | 1;
}

static bool is_new(uint64_t name)
{
    uint64_t slot = name >> 20 & (SLOTS - 1);

    while (slots[slot] != 0 && slots[slot] != name)
        slot = (slot + 1) & (SLOTS - 1);
    if (slots[slot] == name)
        return false;
    slots[slot] = name;
    unit_assert(++nr_states < SLOTS / 2);
    return true;
}

/* The end of a run: all are through. */
static void check_end(void)
{
    uint32_t door = *(uint32_t *)&lock.door;

    for (unsigned i = 0; i < NR; i++)
        unit_assert(threads[i].wait == DONE);
    for (unsigned row = 0; row < RWLOCK_ROWS; row++)
        unit_assert(*(uint32_t *)&lock.row[row].inside == 0);
    unit_assert(*(uint32_t *)&lock.mutex.word == 0);
    unit_assert(door == SHUT || door == OPEN);
}

/* Goes on with the lowest thread as long as that leads to new states; choice[] is
 * the list so far, and next[] the first thread not yet tried at each place. */
static void explore(const struct scenario *sc)
{
    unsigned choice[MAX_TURNS], depth = 0, first = 0;

    memset(slots, 0, sizeof(slots));
    nr_states = 0;
    for (;;) {
        start(sc);
        nr_runs++;
        for (unsigned k = 0; k < depth; k++)
            go(choice[k]);
        for (;;) {
            unsigned i = first;

            while (i < NR && !can_go(i))
                i++;
            if (i == NR) {
                if (first == 0)
                    check_end();
                break;
            }
            unit_assert(depth < MAX_TURNS);
            choice[depth++] = i;
            go(i);
            first = 0;
            if (!is_new(name_of_state()))
                break;
        }
        /* Back to the last place where another could have gone. */
        if (depth == 0)
            return;
        first = choice[--depth] + 1;
    }
}

START_TEST(threads_in_all_orders)
{
    uint64_t states = 0;

    for (unsigned i = 0; i < ARRAY_SIZE(scenarios); i++) {
        explore(&scenarios[i]);
        states += nr_states;
    }
    printf("%lu states, %lu runs\n", (unsigned long)states,
           (unsigned long)nr_runs);
    ck_assert_uint_gt(nr_runs, states);
}
END_TEST
#endif

UNIT_MAIN("rwlock_model", threads_in_all_orders)

/* readahead.c - which pages to bring in besides those being read.
 *
 * Each open file has a few stream slots. A slot is
 *
 *     unused      window 0
 *     candidate   window 1: one miss happened here; nothing was read ahead
 *     running     window 64..256 pages: `ahead` is as far as has been asked for
 *
 *     unused --miss--> candidate --miss or hit nearby--> running --> larger window
 *     unused --miss at the file's first page--> running
 *
 * A read belongs to the stream whose `next` lies within 64 pages of it, before
 * or behind: the kernel's own readahead sends its reads on several threads, and
 * they overtake one another.  When a running stream has come within a window of
 * `ahead`, the next one is planned and the window doubles: so two are on their
 * way, or one is while one is used up, and the disk is never idle.
 *
 * A miss that belongs to no stream is random.  It brings in its neighbours
 * within an aligned 16 pages, but only those that lie beside it on swap, so that
 * they cost no second request; if fewer than one in eight of them turn out to be
 * used, neighbours are left alone, save for every 32nd miss, which looks whether
 * that has changed.
 *
 * Planning is a guess, so it never waits: a table in use by another read of the
 * same open file plans nothing.
 */
#include "readahead.h"

#include "bits.h"

enum {
    NEAR = 64,         /* pages a read may be off its stream's next */
    CANDIDATE = 1,
    NOTES_JUDGED = 32, /* fewer notes say nothing */
    NOTES_KEPT = 256,  /* halved here, so that old ones fade */
    USEFUL_ONE_IN = 8,
    PROBE_EVERY = 32,
};

static bool is_near(uint64_t a, uint64_t b)
{
    return a < b ? b - a <= NEAR : a - b <= NEAR;
}

static struct readahead_stream *find(struct readahead *ra, uint64_t first)
{
    for (unsigned i = 0; i < READAHEAD_STREAMS; i++) {
        struct readahead_stream *s = &ra->stream[i];

        if (s->window != 0 && is_near(first, s->next))
            return s;
    }
    return NULL;
}

static struct readahead_stream *oldest(struct readahead *ra)
{
    struct readahead_stream *old = &ra->stream[0];

    for (unsigned i = 0; i < READAHEAD_STREAMS; i++) {
        struct readahead_stream *s = &ra->stream[i];

        if (s->window == 0)
            return s;
        if (ra->clock - s->used > ra->clock - old->used)
            old = s;
    }
    return old;
}

/* A window's worth from where the stream has asked up to, below the limit. */
static void plan_window(struct readahead_stream *s, uint64_t limit,
                        uint32_t max, struct readahead_plan *plan)
{
    uint32_t window = MIN(s->window, max);

    if (s->ahead < s->next)
        s->ahead = s->next;
    if (s->ahead >= limit || window == 0)
        return;
    plan->first = s->ahead;
    plan->nr = (uint32_t)MIN((uint64_t)window, limit - s->ahead);
    s->ahead += plan->nr;
}

/* How little may be left of what was asked for before more is: a whole window,
 * so that while one is being used up the next is on its way; half of one where
 * the pool affords no more. */
static uint64_t mark_of(const struct readahead_stream *s, uint32_t max)
{
    return s->window <= max / 2 ? s->window : MIN(s->window, max) / 2;
}

static void follow(struct readahead_stream *s, uint64_t end, bool miss,
                   uint64_t limit, uint32_t max, struct readahead_plan *plan)
{
    if (end > s->next)
        s->next = end;
    if (s->window == CANDIDATE) {
        s->window = READAHEAD_MIN_PAGES;
        s->ahead = s->next;
        plan_window(s, limit, max, plan);
    } else if (s->next + mark_of(s, max) >= s->ahead || miss) {
        s->window = MIN(s->window * 2, READAHEAD_MAX_PAGES);
        plan_window(s, limit, max, plan);
    }
}

static bool around_pays(const struct readahead *ra)
{
    return ra->misses < NOTES_JUDGED ||
           ra->useful * USEFUL_ONE_IN >= ra->misses ||
           ra->clock % PROBE_EVERY == 0;
}

static void start(struct readahead *ra, uint64_t first, uint64_t end,
                  uint64_t limit, uint32_t max, struct readahead_plan *plan)
{
    struct readahead_stream *s = oldest(ra);

    s->next = s->ahead = end;
    s->used = ra->clock;
    s->window = CANDIDATE;
    if (first == 0) {
        s->window = READAHEAD_MIN_PAGES;
        plan_window(s, limit, max, plan);
    } else if (end - first < READAHEAD_AROUND && around_pays(ra)) {
        plan->first = round_down(first, READAHEAD_AROUND);
        plan->nr = (uint32_t)MIN((uint64_t)READAHEAD_AROUND,
                                 limit - plan->first);
        plan->around = true;
    }
}

/* Both plans begin so: with nothing to read.  False, and the lock not held: so
 * they end, too. */
static bool begin(struct readahead *ra, uint64_t first, uint64_t limit,
                  struct readahead_plan *plan) TRY_ACQUIRE(true, ra->lock)
{
    *plan = (struct readahead_plan){ 0 };
    if (first >= limit || !mutex_trylock(&ra->lock, RANK_RANGE))
        return false;
    ra->clock++;
    return true;
}

void readahead_plan(struct readahead *ra, uint64_t first, uint32_t nr,
                    bool miss, uint64_t limit, uint32_t max,
                    struct readahead_plan *plan)
{
    struct readahead_stream *s;

    if (!begin(ra, first, limit, plan))
        return;
    s = find(ra, first);
    if (s) {
        s->used = ra->clock;
        follow(s, first + nr, miss, limit, max, plan);
    } else if (miss) {
        start(ra, first, first + nr, limit, max, plan);
    }
    mutex_unlock(&ra->lock);
}

void readahead_sequential(struct readahead *ra, uint64_t first, uint32_t nr,
                          bool miss, uint64_t limit, uint32_t max,
                          struct readahead_plan *plan)
{
    struct readahead_stream *s;

    if (!begin(ra, first, limit, plan))
        return;
    s = find(ra, first);
    if (!s) {
        s = oldest(ra);
        s->next = s->ahead = first + nr;
    }
    s->used = ra->clock;
    s->window = READAHEAD_MAX_PAGES;
    follow(s, first + nr, miss, limit, max, plan);
    mutex_unlock(&ra->lock);
}

void readahead_stopped(struct readahead *ra, uint64_t end, uint64_t reached)
{
    if (!mutex_trylock(&ra->lock, RANK_RANGE))
        return;
    for (unsigned i = 0; i < READAHEAD_STREAMS; i++) {
        struct readahead_stream *s = &ra->stream[i];

        if (s->window > CANDIDATE && s->ahead == end)
            s->ahead = MAX(reached, s->next);
    }
    mutex_unlock(&ra->lock);
}

void readahead_note(struct readahead *ra, bool useful)
{
    if (!mutex_trylock(&ra->lock, RANK_RANGE))
        return;
    if (++ra->misses >= NOTES_KEPT) {
        ra->misses /= 2;
        ra->useful /= 2;
    }
    ra->useful += useful;
    mutex_unlock(&ra->lock);
}

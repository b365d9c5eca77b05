/* readahead.c - which pages to bring in besides those being read.
 *
 * Each open file has a few slots for streams (stream.c).  A read goes to the nearest
 * of the streams that it may belong to.
 *
 * A miss that belongs to no stream is random.  It brings in its neighbours
 * within an aligned 16 pages, but only those that lie beside it on swap, so that
 * they cost no second request; if fewer than one in eight of them turn out to be
 * used, neighbours are left alone, save for every 31st read's, which shows
 * whether that has changed.
 *
 * Streams may be wrong, too.  A page that one asked for was right if it is there, or
 * on its way, when it is read; wrong if it was evicted before, which is seen when
 * it is read, or if nobody had read it when the stream lost its slot, or turned.
 * (It is not learned from pageout: who evicts a page knows no open file, and must
 * not wait for one; and which of them asked for it, the page does not say.)  Right
 * pages less wrong ones are a balance.  When it comes to one of its ends, a step is
 * taken, and it begins again at 0:
 *
 *     -64, the least window    windows are halved: at most 256, 128, 64, none
 *     +1024, four largest ones they are doubled
 *
 * A stream of L pages with windows of W leaves up to 2 W unread at its end.  So where
 * L > 2 W windows grow, where L < 2 W they shrink, and they come to rest between a
 * half and a quarter of what is read in order.  They grow slowly, for what a stream
 * left is seen only when four others have come, and these have been right first.
 * +1024 is also all that can be saved up: the end of a long stream costs nothing, but
 * many short ones are not excused by it.  Of pages evicted too early half are borne
 * with.
 *
 * Where even the least window was wrong there is none, and every 31st read that goes
 * on with a stream tries the least; once 64 pages were right, it stays.  (31 is a
 * prime, so that every stream has its turn where several are read in turns.)
 *
 * Planning is a guess, so it never waits: a table in use by another read of the
 * same open file plans nothing.
 */
#include "stream.h"

#include "bits.h"

enum {
    NO_WINDOW = 3,     /* cuts that leave none */
    SHRINK_AT = READAHEAD_MIN_PAGES, /* pages more wrong than right */
    GROW_AT = READAHEAD_STREAMS * READAHEAD_MAX_PAGES, /* more right than wrong */
    STAY_AT = READAHEAD_MIN_PAGES,   /* the same, after a probe */
    NOTES_JUDGED = 32, /* fewer notes say nothing */
    NOTES_KEPT = 256,  /* halved here, so that old ones fade */
    USEFUL_ONE_IN = 8,
    PROBE_EVERY = 31,
};

/* --- right and wrong ------------------------------------------------------------ */

static void weigh(struct readahead *ra, uint32_t right, uint32_t wrong)
    REQUIRES(ra->lock)
{
    int balance = ra->balance + (int)right - (int)wrong;
    bool none = ra->cut == NO_WINDOW;

    if (!none && balance <= -SHRINK_AT) {
        ra->cut++;
        balance = 0;
    } else if (ra->cut > 0 && balance >= (none ? STAY_AT : GROW_AT)) {
        ra->cut--;
        balance = 0;
    }
    ra->balance = (int16_t)MIN(none ? MAX(balance, 0) : balance, GROW_AT);
}

/* The largest window that is worth while. */
static uint32_t most_of(const struct readahead *ra)
{
    if (ra->cut < NO_WINDOW)
        return READAHEAD_MAX_PAGES >> ra->cut;
    return ra->clock % PROBE_EVERY == 0 ? READAHEAD_MIN_PAGES : 0;
}

/* --- streams -------------------------------------------------------------------- */

static struct readahead_stream *find(struct readahead *ra, uint64_t first,
                                     uint64_t end)
{
    struct readahead_stream *nearest = NULL;
    uint64_t least = STREAM_NEAR + 1;

    for (unsigned i = 0; i < READAHEAD_STREAMS; i++) {
        uint64_t off = stream_off(&ra->stream[i], first, end);

        if (off < least) {
            nearest = &ra->stream[i];
            least = off;
        }
    }
    return nearest;
}

static struct readahead_stream *oldest(struct readahead *ra)
{
    struct readahead_stream *old = &ra->stream[0];

    for (unsigned i = 0; i < READAHEAD_STREAMS; i++) {
        struct readahead_stream *s = &ra->stream[i];

        if (s->state == STREAM_NONE)
            return s;
        if (ra->clock - s->used > ra->clock - old->used)
            old = s;
    }
    return old;
}

/* The slot's stream ends, and one that has read pages first..end-1 begins.  What it
 * leaves is weighed unless its windows were larger than any are now: on those
 * others have given judgement since it read. */
static void replace(struct readahead *ra, struct readahead_stream *s,
                    uint64_t first, uint64_t end, enum readahead_state state)
    REQUIRES(ra->lock)
{
    if (s->window <= READAHEAD_MAX_PAGES >> ra->cut)
        weigh(ra, 0, s->asked);
    *s = (struct readahead_stream){ .next = end,
                                    .used = ra->clock,
                                    .read = (uint16_t)(end - first),
                                    .state = (uint8_t)state };
}

static bool around_pays(const struct readahead *ra)
{
    return ra->misses < NOTES_JUDGED ||
           ra->useful * USEFUL_ONE_IN >= ra->misses ||
           ra->clock % PROBE_EVERY == 0;
}

static void start(struct readahead *ra, uint64_t first, uint64_t end,
                  const struct stream_bounds *bounds,
                  struct readahead_plan *plan) REQUIRES(ra->lock)
{
    struct readahead_stream *s = oldest(ra);

    replace(ra, s, first, end, first == 0 ? STREAM_YOUNG : STREAM_CANDIDATE);
    if (first == 0) {
        stream_ask(s, bounds, plan);
    } else if (end - first < READAHEAD_AROUND && around_pays(ra)) {
        plan->first = round_down(first, READAHEAD_AROUND);
        plan->nr = (uint32_t)MIN((uint64_t)READAHEAD_AROUND,
                                 bounds->limit - plan->first);
        plan->around = true;
    }
}

/* --- plans ---------------------------------------------------------------------- */

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

static void follow(struct readahead *ra, struct readahead_stream *s,
                   uint64_t first, uint64_t end, bool miss,
                   const struct stream_bounds *bounds,
                   struct readahead_plan *plan) REQUIRES(ra->lock)
{
    s->used = ra->clock;
    weigh(ra, 0, stream_follow(s, first, end, miss, bounds, plan));
}

void readahead_plan(struct readahead *ra, uint64_t first, uint32_t nr,
                    bool miss, uint64_t limit, uint32_t max,
                    struct readahead_plan *plan)
{
    struct stream_bounds bounds = { .limit = limit, .max = max };
    struct readahead_stream *s;
    uint64_t end = first + nr;

    if (!begin(ra, first, limit, plan))
        return;
    bounds.most = most_of(ra);
    s = find(ra, first, end);
    if (s)
        follow(ra, s, first, end, miss, &bounds, plan);
    else if (miss)
        start(ra, first, end, &bounds, plan);
    mutex_unlock(&ra->lock);
}

/* What the user says is not weighed against what was guessed; a stream in the
 * other direction ends. */
void readahead_sequential(struct readahead *ra, uint64_t first, uint32_t nr,
                          bool miss, uint64_t limit, uint32_t max,
                          struct readahead_plan *plan)
{
    struct stream_bounds bounds = { limit, READAHEAD_MAX_PAGES, max };
    struct readahead_stream *s;
    uint64_t end = first + nr;

    if (!begin(ra, first, limit, plan))
        return;
    s = find(ra, first, end);
    if (!s || s->back || s->state != STREAM_SETTLED) {
        s = s ? s : oldest(ra);
        replace(ra, s, first, first, STREAM_SETTLED);
    }
    s->window = READAHEAD_MAX_PAGES;
    follow(ra, s, first, end, miss, &bounds, plan);
    mutex_unlock(&ra->lock);
}

void readahead_stopped(struct readahead *ra, const struct readahead_plan *plan,
                       uint32_t begun)
{
    uint64_t last = plan->back ? plan->first : plan->first + plan->nr;

    if (!mutex_trylock(&ra->lock, RANK_RANGE))
        return;
    for (unsigned i = 0; i < READAHEAD_STREAMS; i++) {
        struct readahead_stream *s = &ra->stream[i];

        if (s->back == plan->back && stream_ahead(s) == last)
            s->asked -= MIN(s->asked, plan->nr - begun);
    }
    mutex_unlock(&ra->lock);
}

void readahead_weigh(struct readahead *ra, uint32_t foreseen, uint32_t gone)
{
    if (!mutex_trylock(&ra->lock, RANK_RANGE))
        return;
    weigh(ra, foreseen - gone, gone);
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

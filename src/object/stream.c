/* stream.c - which reads belong to a stream, where it goes, and how far ahead.
 *
 *     NONE --miss--> CANDIDATE --read beside it, on either side--> YOUNG
 *     NONE --miss at the file's first page--> YOUNG, forward
 *     YOUNG --goes on--> SETTLED --goes on--> with a larger window
 *     YOUNG --goes on at the other edge--> SETTLED, the other way round
 *     any --it is the oldest, and a slot is wanted--> NONE
 *
 * What a stream has read lies between two edges.  A read that moves an edge shows
 * the direction; one between them is late, or a repetition, and shows nothing:
 * the kernel's own readahead sends its reads on several threads, and they overtake
 * one another, so coming behind the leading edge is no sign of a reader who turned.
 * Only at the very beginning is it not to be seen whether the second read, just
 * behind the first, was overtaken or goes backward.  It is taken for backward, and
 * the third, if it lies beyond the first, for the better witness.
 *
 * Who turns a settled stream is in what was just read, and needs nothing.  When he
 * comes to where pages are missing, that begins a stream, and the old one is the
 * first to lose its slot.
 *
 * A read belongs to the stream whose leading edge lies within 64 pages of where it
 * begins, on this side or that.  One that belongs to a candidate is no farther off
 * than the larger of the two reads is long: so one read can be missing between
 * them, and random reads seldom meet.
 *
 * When a stream has come within a window of what it asked for, the next one is
 * planned, twice as large: so two are on their way, or one is while one is used up,
 * and the disk is never idle.  A miss says that this is not enough, and plans one
 * more: how many there can be, memory says (POOL_AHEAD).
 */
#include "stream.h"

#include "bits.h"
#include "log.h"

static uint64_t apart(uint64_t a, uint64_t b)
{
    return a < b ? b - a : a - b;
}

/* Its direction is not certain. */
static bool may_turn(const struct readahead_stream *s)
{
    return s->state == STREAM_CANDIDATE || s->state == STREAM_YOUNG;
}

/* Where its reads end on that side. */
static uint64_t edge(const struct readahead_stream *s, bool back)
{
    if (s->back == back)
        return s->next;
    return back ? s->next - s->read : s->next + s->read;
}

uint64_t stream_off(const struct readahead_stream *s, uint64_t first,
                    uint64_t end)
{
    uint64_t up = apart(first, edge(s, false)), down = apart(end, edge(s, true));
    uint64_t off = s->back ? down : up;

    if (s->state == STREAM_NONE)
        return UINT64_MAX;
    if (may_turn(s))
        off = MIN(up, down);
    if (s->state == STREAM_CANDIDATE && off > MAX(end - first, s->read))
        return UINT64_MAX;
    return off;
}

/* How far pages first..end-1 reach beyond that edge. */
static uint64_t beyond(const struct readahead_stream *s, bool back,
                       uint64_t first, uint64_t end)
{
    uint64_t at = edge(s, back);

    if (back)
        return first < at ? at - first : 0;
    return end > at ? end - at : 0;
}

/* Of n pages that end `by` beyond its edge: how many it has asked for. */
static uint32_t foreseen(const struct readahead_stream *s, uint64_t by,
                         uint64_t n)
{
    uint64_t asked = s->asked;

    return (uint32_t)(MIN(asked, by) - MIN(asked, by - MIN(n, by)));
}

static uint32_t turn(struct readahead_stream *s)
{
    uint32_t in_vain = s->asked;

    s->asked = 0;
    s->next = edge(s, !s->back);
    s->back = !s->back;
    return in_vain;
}

static void move_edge(struct readahead_stream *s, uint64_t by)
{
    s->next = s->back ? s->next - by : s->next + by;
    s->asked -= (uint32_t)MIN((uint64_t)s->asked, by);
    s->read = (uint16_t)MIN(s->read + by, (uint64_t)UINT16_MAX);
    INVARIANT("RA1", !s->back || s->asked <= s->next);
}

/* How little may be left of what was asked for before more is: a whole window, or
 * half of one where no two are afforded. */
static uint32_t mark_of(const struct readahead_stream *s, uint32_t max)
{
    return s->window <= max / 2 ? s->window : s->window / 2;
}

void stream_ask(struct readahead_stream *s, const struct stream_bounds *bounds,
                struct readahead_plan *plan)
{
    uint32_t twice = MAX(2u * s->window, READAHEAD_MIN_PAGES);
    uint64_t at = stream_ahead(s);
    uint64_t room = s->back ? at : bounds->limit - MIN(at, bounds->limit);

    s->window = (uint16_t)MIN(twice, MIN(bounds->most, bounds->max));
    plan->nr = (uint32_t)MIN((uint64_t)s->window, room);
    plan->first = s->back ? at - plan->nr : at;
    plan->back = s->back;
    s->asked += plan->nr;
}

uint32_t stream_follow(struct readahead_stream *s, uint64_t first, uint64_t end,
                       bool miss, const struct stream_bounds *bounds,
                       struct readahead_plan *plan)
{
    bool back = s->back, settled = s->state == STREAM_SETTLED;
    uint64_t by = beyond(s, back, first, end);
    uint32_t in_vain = 0;

    if (by == 0 && may_turn(s)) {
        back = !back;
        by = beyond(s, back, first, end);
    }
    if (by == 0)
        return 0;
    if (back != s->back)
        in_vain = turn(s);
    plan->foreseen = foreseen(s, by, end - first);
    move_edge(s, by);
    if (!settled)
        s->state++;
    if (!settled || miss || s->asked <= mark_of(s, bounds->max))
        stream_ask(s, bounds, plan);
    return in_vain;
}

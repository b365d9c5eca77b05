/* fake_lane.h - a lane in the test's hands: what is begun on it stays in flight
 * until the test says what came of it. */
#ifndef TESTS_FAKE_LANE_H
#define TESTS_FAKE_LANE_H

#include "bits.h"
#include "io.h"
#include "unit.h"

enum { FAKE_LANE_ROOM = 4 };

struct fake_lane {
    struct swap_lane lane;
    struct swap_io *io[FAKE_LANE_ROOM]; /* in flight, the oldest first */
    unsigned nr;
    unsigned begun;                     /* so far */
};

static inline void fake_lane_begin(struct swap_lane *lane, struct swap_io *io)
{
    struct fake_lane *fake = container_of(lane, struct fake_lane, lane);

    ck_assert_uint_lt(fake->nr, FAKE_LANE_ROOM);
    fake->io[fake->nr++] = io;
    fake->begun++;
}

static inline struct fake_lane fake_lane(void)
{
    return (struct fake_lane){ .lane = { .begin = fake_lane_begin,
                                         .room = FAKE_LANE_ROOM } };
}

/* The oldest is over; what swap_io_result says. */
static inline bool fake_lane_over(struct fake_lane *fake, int result)
{
    struct swap_io *io = fake->io[0];

    ck_assert_uint_gt(fake->nr, 0);
    fake->nr--;
    for (unsigned i = 0; i < fake->nr; i++)
        fake->io[i] = fake->io[i + 1];
    return swap_io_result(io, result);
}

#endif

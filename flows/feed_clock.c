/* Times of a feed's agent, turned into ours. */
#include "flows/feed_clock.h"

struct feed_clock feed_clock_new(void)
{
    return (struct feed_clock){TICK_NONE, TICK_NONE, TICK_NONE, TICK_NONE};
}

static void begin_term(struct feed_clock *c, tick_t arrival)
{
    tick_t since = c->term == TICK_NONE ? 2 * FEED_CLOCK_TERM : arrival - c->term;
    if (since >= 0 && since < FEED_CLOCK_TERM)
        return;
    c->before = since >= 0 && since < 2 * FEED_CLOCK_TERM ? c->least : TICK_NONE;
    c->least = TICK_NONE;
    c->term = arrival;
}

static tick_t behind(const struct feed_clock *c)
{
    return c->before != TICK_NONE && c->before < c->least ? c->before : c->least;
}

tick_t feed_clock_time(struct feed_clock *c, tick_t said, tick_t arrival)
{
    if (said == TICK_NONE)
        return arrival;
    tick_t late = arrival - said;
    begin_term(c, arrival);
    if (c->least == TICK_NONE || late < c->least)
        c->least = late;
    if (c->all == TICK_NONE || late < c->all)
        c->all = late;
    tick_t off = behind(c);
    if (off >= -FEED_CLOCK_SLACK && off <= FEED_CLOCK_SLACK)
        off = 0;
    return said + off < arrival ? said + off : arrival;
}

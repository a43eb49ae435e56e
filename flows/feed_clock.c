/* Times of a feed's agent, turned into ours. */
#include "flows/feed_clock.h"

struct feed_clock feed_clock_new(void)
{
    return (struct feed_clock){
        .term = TICK_NONE, .least = TICK_NONE, .before = TICK_NONE, .all = TICK_NONE};
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

/* A message that would set a clock ahead which others, so far, tell to be less so. */
static bool only_a_rumour(struct feed_clock *c, tick_t late)
{
    tick_t known = c->least != TICK_NONE ? behind(c) : c->before;
    if (known == TICK_NONE || late >= -FEED_CLOCK_SLACK || late >= known - FEED_CLOCK_SLACK) {
        c->agree = 0;
        return false;
    }
    tick_t apart = late - c->rumour;
    if (!c->agree || apart < -FEED_CLOCK_SLACK || apart > FEED_CLOCK_SLACK)
        c->agree = 0;
    c->rumour = late;
    return ++c->agree < FEED_CLOCK_AGREE;
}

tick_t feed_clock_time(struct feed_clock *c, tick_t said, tick_t arrival)
{
    if (said == TICK_NONE)
        return arrival;
    tick_t late = arrival - said;
    begin_term(c, arrival);
    if (only_a_rumour(c, late))
        return arrival;
    if (c->least == TICK_NONE || late < c->least)
        c->least = late;
    if (c->all == TICK_NONE || late < c->all)
        c->all = late;
    tick_t off = behind(c);
    if (off >= -FEED_CLOCK_SLACK && off <= FEED_CLOCK_SLACK)
        off = 0;
    tick_t time = said + off;
    return time < arrival && arrival - time <= FEED_CLOCK_OLDEST ? time : arrival;
}

/* What TCP connects and UDP checks share. See attempts.h. */
#include "flows/attempts.h"

int attempts_open(struct attempts *s, uint64_t seed, const struct tracker_hooks *hooks)
{
    *s = (struct attempts){.hooks = *hooks};
    s->hosts = hosts_new(LIMIT_HOSTS, seed);
    s->proof[0] = evidence_new(LIMIT_EVIDENCE_SLOTS / 2);
    s->proof[1] = evidence_new(LIMIT_EVIDENCE_SLOTS / 2);
    if (s->hosts && s->proof[0] && s->proof[1])
        return 0;
    attempts_close(s);
    return -1;
}

void attempts_close(struct attempts *s)
{
    hosts_free(s->hosts);
    evidence_free(s->proof[0]);
    evidence_free(s->proof[1]);
    s->hosts = NULL;
    s->proof[0] = s->proof[1] = NULL;
}

static bool is_wanted(const struct attempts *s, const struct endpoint *src,
                      const struct endpoint *dst)
{
    return s->hooks.wanted && s->hooks.wanted(s->hooks.arg, src, dst);
}

uint64_t attempts_begin(struct attempts *s, const struct endpoint *src, const struct endpoint *dst,
                        enum wanted *wanted)
{
    const uint64_t id = ++s->counts.attempts;
    if (s->hooks.ask) {
        if (id >= LIMIT_QUESTIONS)
            attempts_answers(s, id - LIMIT_QUESTIONS);
        *wanted = s->hooks.ask(s->hooks.arg, id, src, dst);
    } else {
        *wanted = is_wanted(s, src, dst) ? WANTED_YES : WANTED_NO;
    }
    return id;
}

void attempts_asking(struct attempts *s, enum asker asker, uint64_t id, uint32_t n)
{
    s->questions[id % LIMIT_QUESTIONS] = (struct question){n, (uint8_t)asker, true};
}

void attempts_answers(struct attempts *s, uint64_t id)
{
    for (; s->answered <= id; s->answered++) {
        struct question *q = &s->questions[s->answered % LIMIT_QUESTIONS];
        const struct answered_hook *h = &s->asker[q->asker];
        if (q->open)
            h->answered(h->arg, q->n, s->answered, s->hooks.answer(s->hooks.arg, s->answered));
        q->open = false;
    }
}

bool attempts_proof(struct attempts *s, const struct endpoint *src, bool wanted, tick_t now)
{
    return wanted || hosts_within_rate(s->hosts, &src->addr, now, LIMIT_UNKNOWN_PER_MINUTE);
}

void attempts_lossy(struct attempts *s, tick_t from, tick_t to)
{
    struct lossy_span *last = &s->lossy[(s->n_lossy - 1) % LIMIT_LOSSY_SPANS];
    if (s->n_lossy && from >= last->from && from <= last->to)
        last->to = to > last->to ? to : last->to; /* it goes on */
    else
        s->lossy[s->n_lossy++ % LIMIT_LOSSY_SPANS] = (struct lossy_span){from, to};
}

void attempts_gap(struct attempts *s, tick_t now)
{
    tick_t from = now - now % BLIND_SPAN;
    const struct lossy_span *last = &s->gaps[(s->n_gaps - 1) % LIMIT_LOSSY_SPANS];
    if (!s->n_gaps || last->from != from)
        s->gaps[s->n_gaps++ % LIMIT_LOSSY_SPANS] = (struct lossy_span){from, from + BLIND_SPAN};
}

static bool touches(const struct lossy_span spans[], unsigned n, tick_t from, tick_t to)
{
    n = n < LIMIT_LOSSY_SPANS ? n : LIMIT_LOSSY_SPANS;
    for (unsigned i = 0; i < n; i++)
        if (spans[i].from <= to && from <= spans[i].to)
            return true;
    return false;
}

static bool lossy_between(const struct attempts *s, tick_t from, tick_t to)
{
    return touches(s->lossy, s->n_lossy, from, to);
}

static bool claims_silence(const struct attempt *a)
{
    return a->verdict == VERDICT_TIMEOUT || a->verdict == VERDICT_SINGLE_SYN;
}

void attempts_report(struct attempts *s, struct attempt *a, tick_t asked, bool spoke, bool final)
{
    if (claims_silence(a) && !spoke && hosts_is_one_way(s->hosts, &a->src.addr)) {
        a->verdict = VERDICT_UNSEEN;
        a->quality = QUALITY_ONE_WAY;
    }
    if (a->quality == QUALITY_GOOD && lossy_between(s, a->first, a->last))
        a->quality = QUALITY_LOSSY;
    /* every request went out while the sensor was losing packets: the answers may be lost, too */
    if (a->quality == QUALITY_LOSSY && claims_silence(a) && lossy_between(s, a->first, a->first) &&
        lossy_between(s, asked, asked))
        a->verdict = VERDICT_UNSEEN;
    /* a gap in some stream: frames are lost that no counter knows of, but few enough that TCP
     * repeats them. The claim stands, with a warning. */
    if (a->quality == QUALITY_GOOD && a->verdict != VERDICT_CONNECTED &&
        touches(s->gaps, s->n_gaps, a->first, a->last))
        a->quality = QUALITY_LOSSY;
    if (!s->hooks.ask)
        a->wanted = a->wanted || is_wanted(s, &a->src, &a->dst);
    if (s->hooks.attempt)
        s->hooks.attempt(s->hooks.arg, a, final);
}

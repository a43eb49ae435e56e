/*
 * Findings across failures: what one failure alone cannot say, because it needs other peers, other
 * Edges or other hours beside it.
 *
 * Rows of relay-peer ways that the Edge asked for are folded into lanes: one Edge, one peer, one
 * kind of port. Lanes side by side show whether it is the Edge or the peer that fails.
 */
#include <stdio.h>
#include <stdlib.h>

#include "flows/findings_window.h"

/* Thresholds: fewer than these is chance. */
enum {
    OUTBOUND_PEERS = 3, /* an own rule hits whoever is called */
    FAR_EDGES = 2,
    FAR_FAILURES = 5, /* of one Edge */
    FAR_OTHERS = 3,   /* peers that connect, to call it likely */
    DROP_TIMEOUTS = 3,
    DROP_PEERS = 2,
    NAMED_PEERS = 3, /* in an advice */
};

/* Dynamic ports (RFC 6335): relays of every kind take theirs from there, services listen below. */
enum { DYNAMIC_PORTS = 49152 };

/* One Edge, one peer, one kind of port. */
struct lane {
    const struct addr *edge, *peer;
    bool dynamic;
    unsigned failed, refused, timeouts, connected;
    unsigned peers_connected; /* of the same Edge and kind of port */
    const struct window_row **rows;
    size_t n_rows;
};
struct lanes {
    const struct window_row **rows; /* in order of lanes */
    size_t n_rows;
    struct lane *list;
    size_t n;
};

/* ---- the list of findings ---- */

static bool comes_before(const struct window_finding *a, const struct window_finding *b)
{
    if (a->finding.likely != b->finding.likely)
        return a->finding.likely;
    return a->n_failures > b->n_failures;
}

void window_offer(struct window_findings *l, const struct window_finding *f)
{
    unsigned at = l->n;
    while (at > 0 && comes_before(f, &l->out[at - 1]))
        at--;
    if (at == FINDINGS_MAX)
        return;
    unsigned last = l->n < FINDINGS_MAX ? l->n++ : FINDINGS_MAX - 1;
    memmove(&l->out[at + 1], &l->out[at], (last - at) * sizeof *f);
    l->out[at] = *f;
}

void window_count(struct window_finding *f, const struct window_row *r)
{
    enum { EXAMPLES = sizeof f->failures / sizeof *f->failures };
    if (f->n_failures < EXAMPLES)
        f->failures[f->n_failures] = r->failure;
    f->n_failures++;
}

bool window_failed(const struct window_row *r)
{
    return r->verdict == VERDICT_REFUSED || r->verdict == VERDICT_TIMEOUT ||
           r->verdict == VERDICT_UNREACHABLE;
}

bool window_outward(const struct window_row *r)
{
    return r->leg == LEG_RELAY_PEER && !r->from_peer;
}

/* ---- lanes ---- */

static bool dynamic_port(const struct window_row *r)
{
    return r->peer_port >= DYNAMIC_PORTS;
}

static int compare_rows(const void *pa, const void *pb)
{
    const struct window_row *a = *(const struct window_row *const *)pa;
    const struct window_row *b = *(const struct window_row *const *)pb;
    int c = addr_cmp(&a->edge, &b->edge);
    if (c == 0)
        c = dynamic_port(a) - dynamic_port(b);
    if (c == 0)
        c = addr_cmp(&a->peer, &b->peer);
    return c ? c : (a > b) - (a < b); /* the rows are in time order */
}

static int compare_lanes_by_peer(const void *pa, const void *pb)
{
    const struct lane *a = pa, *b = pb;
    int c = addr_cmp(a->peer, b->peer);
    if (c == 0)
        c = a->dynamic - b->dynamic;
    return c ? c : addr_cmp(a->edge, b->edge);
}

static bool same_group(const struct lane *a, const struct lane *b)
{
    return addr_eq(a->edge, b->edge) && a->dynamic == b->dynamic;
}

static void lanes_fill(struct lanes *l)
{
    for (size_t i = 0; i < l->n_rows; i++) {
        const struct window_row *r = l->rows[i];
        struct lane *lane = l->n ? &l->list[l->n - 1] : NULL;
        if (!lane || !addr_eq(lane->edge, &r->edge) || !addr_eq(lane->peer, &r->peer) ||
            lane->dynamic != dynamic_port(r)) {
            lane = &l->list[l->n++];
            *lane = (struct lane){.edge = &r->edge,
                                  .peer = &r->peer,
                                  .dynamic = dynamic_port(r),
                                  .rows = &l->rows[i]};
        }
        lane->n_rows++;
        lane->failed += window_failed(r);
        lane->refused += r->verdict == VERDICT_REFUSED;
        lane->timeouts += r->verdict == VERDICT_TIMEOUT;
        lane->connected += r->verdict == VERDICT_CONNECTED;
    }
}

/* End of the group (one Edge, one kind of port) that begins at from. */
static size_t group_end(const struct lanes *l, size_t from)
{
    size_t to = from;
    while (to < l->n && same_group(&l->list[from], &l->list[to]))
        to++;
    return to;
}

static void lanes_compare_peers(struct lanes *l)
{
    for (size_t from = 0, to; from < l->n; from = to) {
        unsigned connected = 0;
        to = group_end(l, from);
        for (size_t i = from; i < to; i++)
            connected += l->list[i].connected > 0;
        for (size_t i = from; i < to; i++)
            l->list[i].peers_connected = connected;
    }
}

static void lanes_free(struct lanes *l)
{
    free(l->rows);
    free(l->list);
}

static bool lanes_make(const struct window_row *rows, size_t n, struct lanes *l)
{
    *l = (struct lanes){.rows = calloc(n + 1, sizeof *l->rows),
                        .list = calloc(n + 1, sizeof *l->list)};
    if (!l->rows || !l->list) {
        lanes_free(l);
        return false;
    }
    for (size_t i = 0; i < n; i++)
        if (window_outward(&rows[i]))
            l->rows[l->n_rows++] = &rows[i];
    qsort(l->rows, l->n_rows, sizeof *l->rows, compare_rows);
    lanes_fill(l);
    lanes_compare_peers(l);
    return true;
}

static void count_lane(struct window_finding *f, const struct lane *lane)
{
    for (size_t i = 0; i < lane->n_rows; i++)
        if (window_failed(lane->rows[i]))
            window_count(f, lane->rows[i]);
}

/* First and last failed row of lanes [from, to). */
static const char *lanes_when(const struct lane *from, const struct lane *to, char out[64])
{
    tick_t first = INT64_MAX, last = TICK_NONE;
    for (; from < to; from++)
        for (size_t i = 0; i < from->n_rows; i++) {
            const struct window_row *r = from->rows[i];
            if (!window_failed(r))
                continue;
            first = r->first < first ? r->first : first;
            last = r->first > last ? r->first : last;
        }
    return hypothesis_when(first, last, out);
}

/* "1.1.1.1, 3.3.3.3, 4.4.4.4 and others" */
static void name_peers(const struct lane *from, const struct lane *to, char *out, size_t room)
{
    unsigned named = 0;
    size_t n = 0;
    out[0] = 0;
    for (; from < to && n < room; from++) {
        char text[ADDR_TEXT];
        if (!from->failed)
            continue;
        if (named == NAMED_PEERS) {
            snprintf(out + n, room - n, " and others");
            return;
        }
        n += (size_t)snprintf(out + n, room - n, "%s%s", named++ ? ", " : "",
                              addr_text(from->peer, text));
    }
}

/* ---- own-outbound-range-blocked ---- */

static unsigned connected_on_other_ports(const struct lanes *l, const struct lane *group)
{
    unsigned n = 0;
    for (size_t i = 0; i < l->n; i++)
        if (addr_eq(l->list[i].edge, group->edge) && l->list[i].dynamic != group->dynamic)
            n += l->list[i].connected;
    return n;
}

static void outbound_texts(const struct lane *from, const struct lane *to, unsigned peers,
                           unsigned others, struct window_finding *f)
{
    struct evidence_lists e;
    char edge[ADDR_TEXT], when[64], named[160];
    addr_text(from->edge, edge);
    lanes_when(from, to, when);
    name_peers(from, to, named, sizeof named);
    evidence_begin(&e);
    evidence_add(&e, EVIDENCE_FOR, "Edge %s: %u of %zu peers failed on ports from %d up", edge,
                 peers, (size_t)(to - from), DYNAMIC_PORTS);
    evidence_add(&e, EVIDENCE_FOR, "nothing of this Edge connected on such ports");
    if (others)
        evidence_add(&e, EVIDENCE_FOR, "%u connections of it to other ports worked", others);
    else
        evidence_add(&e, EVIDENCE_AGAINST, "no working traffic of this Edge to compare with");
    evidence_add(&e, EVIDENCE_SETTLE, "own firewall's outbound rule and log for that Edge");
    evidence_add(&e, EVIDENCE_SETTLE, "a capture outside the firewall: do the requests leave?");
    evidence_end(&e, f->finding.evidence);
    snprintf(
        f->finding.advice, FINDING_ADVICE,
        "Ask the firewall team for the log of outbound TCP from %s source ports 50000-59999 to %s, "
        "%s, and open that range outbound for the Edge.",
        edge, named, when);
}

static void rule_outbound(const struct lanes *l, struct window_findings *out)
{
    for (size_t from = 0, to; from < l->n; from = to) {
        struct window_finding f = {.finding = {.code = "own-outbound-range-blocked"}};
        unsigned peers = 0, connected = 0;
        to = group_end(l, from);
        for (size_t i = from; i < to; i++) {
            peers += l->list[i].failed > 0;
            connected += l->list[i].connected;
            count_lane(&f, &l->list[i]);
        }
        if (!l->list[from].dynamic || connected || peers < OUTBOUND_PEERS)
            continue;
        unsigned others = connected_on_other_ports(l, &l->list[from]);
        f.finding.likely = others > 0;
        outbound_texts(&l->list[from], &l->list[to], peers, others, &f);
        window_offer(out, &f);
    }
}

/* ---- silent-drop ---- */

static void drop_texts(const struct lane *from, const struct lane *to, unsigned peers,
                       unsigned refused, struct window_finding *f)
{
    struct evidence_lists e;
    char edge[ADDR_TEXT], when[64], named[160];
    addr_text(from->edge, edge);
    lanes_when(from, to, when);
    name_peers(from, to, named, sizeof named);
    evidence_begin(&e);
    evidence_add(&e, EVIDENCE_FOR, "Edge %s: %u requests to %u peers without any answer", edge,
                 f->n_failures, peers);
    if (refused)
        evidence_add(&e, EVIDENCE_AGAINST, "%u others of it were refused, not lost", refused);
    evidence_add(&e, EVIDENCE_AGAINST, "peers that are off or gone look alike");
    evidence_add(&e, EVIDENCE_SETTLE, "drops in the firewall's log at those times");
    evidence_add(&e, EVIDENCE_SETTLE, "a capture outside the firewall: do the requests leave?");
    evidence_end(&e, f->finding.evidence);
    snprintf(f->finding.advice, FINDING_ADVICE,
             "Ask the firewall team for dropped traffic from %s to %s, %s, and for answers to it.",
             edge, named, when);
}

/* A peer that connected on the same kind of port is none that drops. */
static void rule_drop(const struct lanes *l, struct window_findings *out)
{
    for (size_t from = 0, to; from < l->n; from = to) {
        struct window_finding f = {.finding = {.code = "silent-drop"}};
        unsigned peers = 0, refused = 0;
        to = group_end(l, from);
        for (size_t i = from; i < to; i++) {
            const struct lane *lane = &l->list[i];
            refused += lane->refused;
            if (!lane->timeouts || lane->connected)
                continue;
            peers++;
            for (size_t k = 0; k < lane->n_rows; k++)
                if (lane->rows[k]->verdict == VERDICT_TIMEOUT)
                    window_count(&f, lane->rows[k]);
        }
        if (f.n_failures < DROP_TIMEOUTS || peers < DROP_PEERS)
            continue;
        drop_texts(&l->list[from], &l->list[to], peers, refused, &f);
        window_offer(out, &f);
    }
}

/* ---- far-side-refuses ---- */

struct far_side {
    unsigned edges, connected, others; /* others: peers that those Edges did reach */
};

static void far_texts(const struct lane *from, const struct lane *to, const struct far_side *s,
                      struct window_finding *f)
{
    struct evidence_lists e;
    char peer[ADDR_TEXT], when[64];
    addr_text(from->peer, peer);
    lanes_when(from, to, when);
    evidence_begin(&e);
    evidence_add(&e, EVIDENCE_FOR, "%u failures of %u Edge%s to the one peer %s, none connected",
                 f->n_failures, s->edges, s->edges == 1 ? "" : "s", peer);
    if (s->others)
        evidence_add(&e, EVIDENCE_FOR, "meanwhile %u other peers connected on such ports",
                     s->others);
    else
        evidence_add(&e, EVIDENCE_AGAINST, "no other peer connected that one could compare with");
    if (s->edges < FAR_EDGES)
        evidence_add(&e, EVIDENCE_AGAINST,
                     "one Edge only: an own rule for this peer does the same");
    else
        evidence_add(&e, EVIDENCE_AGAINST, "the Edges may share one firewall");
    evidence_add(&e, EVIDENCE_SETTLE, "partner's capture: do the requests arrive, who answers?");
    evidence_add(&e, EVIDENCE_SETTLE, "own firewall's log for that peer");
    evidence_end(&e, f->finding.evidence);
    snprintf(
        f->finding.advice, FINDING_ADVICE,
        "Ask the partner who runs %s whether requests of %s reached it and what answered them: "
        "relay, host or firewall. Show him that other partners connect.",
        peer, when);
}

static bool far_judged(const struct far_side *s, unsigned failures)
{
    if (s->connected || (s->edges < FAR_EDGES && failures < FAR_FAILURES))
        return false;
    /* without anyone to compare with, it takes more Edges that agree */
    return s->others > 0 || s->edges > FAR_EDGES;
}

/* Sorts the lanes anew: last user of them. */
static void rule_far(struct lanes *l, struct window_findings *out)
{
    qsort(l->list, l->n, sizeof *l->list, compare_lanes_by_peer);
    for (size_t from = 0, to; from < l->n; from = to) {
        struct window_finding f = {.finding = {.code = "far-side-refuses"}};
        struct far_side s = {0};
        for (to = from; to < l->n && addr_eq(l->list[from].peer, l->list[to].peer) &&
                        l->list[from].dynamic == l->list[to].dynamic;
             to++) {
            const struct lane *lane = &l->list[to];
            s.edges += lane->failed > 0;
            s.connected += lane->connected;
            if (lane->failed && lane->peers_connected > s.others)
                s.others = lane->peers_connected;
            count_lane(&f, lane);
        }
        if (!far_judged(&s, f.n_failures))
            continue;
        f.finding.likely = s.edges >= FAR_EDGES && s.others >= FAR_OTHERS;
        far_texts(&l->list[from], &l->list[to], &s, &f);
        window_offer(out, &f);
    }
}

unsigned findings_of_window(const struct window_row *rows, size_t n, double capture_blind,
                            struct window_finding out[FINDINGS_MAX])
{
    struct window_findings l = {.out = out};
    struct lanes lanes;
    if (!lanes_make(rows, n, &lanes))
        return 0;
    rule_outbound(&lanes, &l);
    rule_drop(&lanes, &l);
    rule_far(&lanes, &l);
    lanes_free(&lanes);
    window_totals(rows, n, &l);
    window_ceilings(rows, n, &l);
    window_blind(rows, n, capture_blind, &l);
    return l.n;
}

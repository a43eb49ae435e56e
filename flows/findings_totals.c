/*
 * Findings across failures that need no comparison of peers: errors counted by their sender, a
 * ceiling of concurrent connections, a sensor that saw too little.
 */
#include <stdio.h>
#include <stdlib.h>

#include "flows/findings_window.h"

/* Fewer than these is chance. */
enum { SENDER_ERRORS = 2, COUNTED = 3, CEILING_PEERS = 5, CEILING_FLOWS = 100 };
#define BLIND_SHARE 0.2
#define BLIND_LIKELY 0.5

/* ---- admin-prohibited, by sender ---- */

static bool prohibited(const struct window_row *r)
{
    return r->verdict == VERDICT_UNREACHABLE &&
           hypothesis_prohibited(addr_is_v4(&r->peer), r->icmp_type, r->icmp_code);
}

static void admin_sender(const struct window_row *rows, size_t n, const struct addr *sender,
                         struct window_findings *out)
{
    struct window_finding f = {.finding = {.code = "admin-prohibited", .likely = true}};
    struct evidence_lists e;
    char from[ADDR_TEXT], when[64];
    tick_t first = TICK_NONE, last = TICK_NONE;
    for (size_t i = 0; i < n; i++)
        if (prohibited(&rows[i]) && addr_eq(&rows[i].icmp_from, sender)) {
            window_count(&f, &rows[i]);
            first = first == TICK_NONE ? rows[i].first : first;
            last = rows[i].first;
        }
    if (f.n_failures < SENDER_ERRORS)
        return;
    addr_text(sender, from);
    hypothesis_when(first, last, when);
    evidence_begin(&e);
    evidence_add(&e, EVIDENCE_FOR, "%u failures with ICMP \"forbidden by a filter\" from %s",
                 f.n_failures, from[0] ? from : "unknown senders");
    evidence_add(&e, EVIDENCE_SETTLE, "whose device that is, and which of its rules matched");
    evidence_end(&e, f.finding.evidence);
    snprintf(f.finding.advice, FINDING_ADVICE,
             "Ask who runs %s for the rule that rejected the Edge's traffic, %s.",
             from[0] ? from : "the device that sent the ICMP errors", when);
    window_offer(out, &f);
}

static void rule_admin(const struct window_row *rows, size_t n, struct window_findings *out)
{
    enum { SENDERS = 16 }; /* devices that forbid; of more the first ones stand for all */
    struct addr senders[SENDERS];
    unsigned n_senders = 0;
    for (size_t i = 0; i < n && n_senders < SENDERS; i++) {
        unsigned k = 0;
        if (!prohibited(&rows[i]))
            continue;
        while (k < n_senders && !addr_eq(&senders[k], &rows[i].icmp_from))
            k++;
        if (k < n_senders)
            continue;
        senders[n_senders++] = rows[i].icmp_from;
        admin_sender(rows, n, &rows[i].icmp_from, out);
    }
}

/* ---- client legs: the same error again and again ---- */

static bool is_pseudotls(const struct window_row *r)
{
    return r->verdict == VERDICT_PSEUDOTLS_FAIL;
}

static bool is_credentials(const struct window_row *r)
{
    return r->verdict == VERDICT_ALLOC_FAIL && hypothesis_credentials(r->error_code);
}

static bool is_quota(const struct window_row *r)
{
    return r->verdict == VERDICT_ALLOC_FAIL && r->error_code == 486;
}

static bool is_port_shortage(const struct window_row *r)
{
    return r->verdict == VERDICT_ALLOC_FAIL && r->error_code == 508;
}

static const struct counted {
    const char *code;
    bool (*is)(const struct window_row *r);
    bool likely; /* the relay itself says so */
    const char *what, *settle, *advice;
} counted[] = {
    {"tls-inspection-on-443", is_pseudotls, false, "pseudo-TLS hellos without the relay's answer",
     "what stands between these clients and the Edge's 443",
     "Exempt the Edge's 443 from TLS inspection: what looks like TLS there is relay traffic."},
    {"relay-auth-failed", is_credentials, true, "allocations refused for their credentials",
     "clocks, credential lifetime, and the credential service (port 5062 of the Edge)",
     "Check the service that issues relay credentials, their lifetime, and the clocks."},
    {"relay-quota", is_quota, true, "allocations refused by quota (486)",
     "who holds how many allocations (edgewatch allocations)",
     "Raise the allocation quota per user, or find out who holds so many ports."},
    {"relay-ports-exhausted", is_port_shortage, true, "allocations refused for lack of ports (508)",
     "allocations alive against the relay's port range",
     "Widen the relay port range or add an Edge."},
};

static void rule_counted(const struct counted *rule, const struct window_row *rows, size_t n,
                         struct window_findings *out)
{
    struct window_finding f = {.finding = {.code = rule->code, .likely = rule->likely}};
    struct evidence_lists e;
    bool several_clients = false;
    const struct addr *client = NULL;
    for (size_t i = 0; i < n; i++)
        if (rule->is(&rows[i])) {
            window_count(&f, &rows[i]);
            several_clients |= client && !addr_eq(client, &rows[i].peer);
            client = &rows[i].peer;
        }
    if (f.n_failures < COUNTED)
        return;
    evidence_begin(&e);
    evidence_add(&e, EVIDENCE_FOR, "%u %s", f.n_failures, rule->what);
    evidence_add(&e, several_clients ? EVIDENCE_FOR : EVIDENCE_AGAINST, "%s",
                 several_clients ? "of several clients" : "all of one client");
    evidence_add(&e, EVIDENCE_SETTLE, "%s", rule->settle);
    evidence_end(&e, f.finding.evidence);
    snprintf(f.finding.advice, FINDING_ADVICE, "%s", rule->advice);
    window_offer(out, &f);
}

void window_totals(const struct window_row *rows, size_t n, struct window_findings *out)
{
    rule_admin(rows, n, out);
    for (size_t i = 0; i < sizeof counted / sizeof *counted; i++)
        rule_counted(&counted[i], rows, n, out);
}

/* ---- connection-table-limit (P§8.3) ---- */

/*
 * A full connection table drops what is new, silently: timeouts to unrelated peers, all at the same
 * number of concurrent flows (which all connected, below it). A peer or a line that is down times
 * out at any number; refusals are no sign of it.
 */
struct ceiling {
    const struct window_row **timeouts; /* of one Edge, by concurrency; then, cut, by network */
    size_t n;
    uint32_t low, high;    /* concurrency at which nearly all of them stood */
    unsigned above, below; /* connected at low or more, under low */
    bool after;            /* connected again under low once the timeouts were over */
};

static bool counts(const struct window_row *r)
{
    return window_outward(r) && r->concurrency > 0;
}

static int compare_concurrency(const void *pa, const void *pb)
{
    const struct window_row *a = *(const struct window_row *const *)pa;
    const struct window_row *b = *(const struct window_row *const *)pb;
    return (a->concurrency > b->concurrency) - (a->concurrency < b->concurrency);
}

/* Neighbours are related: /24, /48. */
static size_t network_bytes(const struct addr *a)
{
    return addr_is_v4(a) ? 15 : 6;
}

static int compare_network(const void *pa, const void *pb)
{
    const struct window_row *a = *(const struct window_row *const *)pa;
    const struct window_row *b = *(const struct window_row *const *)pb;
    return memcmp(&a->peer, &b->peer, network_bytes(&a->peer));
}

static unsigned unrelated_peers(struct ceiling *c)
{
    unsigned networks = c->n > 0;
    qsort(c->timeouts, c->n, sizeof *c->timeouts, compare_network);
    for (size_t i = 1; i < c->n; i++)
        networks += compare_network(&c->timeouts[i - 1], &c->timeouts[i]) != 0;
    return networks;
}

static void hold_against_connected(struct ceiling *c, const struct window_row *rows, size_t n,
                                   const struct addr *edge)
{
    tick_t last = TICK_NONE;
    for (size_t i = 0; i < c->n; i++)
        last = c->timeouts[i]->first > last ? c->timeouts[i]->first : last;
    for (size_t i = 0; i < n; i++) {
        const struct window_row *r = &rows[i];
        if (!counts(r) || r->verdict != VERDICT_CONNECTED || !addr_eq(&r->edge, edge))
            continue;
        c->above += r->concurrency >= c->low;
        c->below += r->concurrency < c->low;
        c->after |= r->concurrency < c->low && r->first > last;
    }
}

static bool is_ceiling(struct ceiling *c, const struct window_row *rows, size_t n,
                       const struct addr *edge)
{
    size_t stray = 0; /* timeouts of other causes, lower down */
    if (c->n < CEILING_PEERS)
        return false;
    qsort(c->timeouts, c->n, sizeof *c->timeouts, compare_concurrency);
    c->high = c->timeouts[c->n - 1]->concurrency;
    while (c->timeouts[stray]->concurrency < c->high - c->high / 10)
        stray++;
    c->low = c->timeouts[stray]->concurrency;
    if (c->low < CEILING_FLOWS || stray > c->n / 5)
        return false;
    c->timeouts += stray;
    c->n -= stray;
    if (unrelated_peers(c) < CEILING_PEERS)
        return false;
    hold_against_connected(c, rows, n, edge);
    return c->above <= 1 + c->n / 10;
}

static void ceiling_offer(const struct ceiling *c, const struct addr *edge,
                          struct window_findings *out)
{
    struct window_finding f = {.finding = {.code = "connection-table-limit", .likely = c->after}};
    struct evidence_lists e;
    tick_t first = INT64_MAX, last = TICK_NONE;
    char at[ADDR_TEXT], when[64], flows[32];
    for (size_t i = 0; i < c->n; i++) {
        tick_t t = c->timeouts[i]->first;
        window_count(&f, c->timeouts[i]);
        first = t < first ? t : first;
        last = t > last ? t : last;
    }
    addr_text(edge, at);
    hypothesis_when(first, last, when);
    evidence_begin(&e);
    int len = snprintf(flows, sizeof flows, "%u", c->low);
    if (c->low < c->high)
        snprintf(flows + len, sizeof flows - (size_t)len, " to %u", c->high);
    evidence_add(&e, EVIDENCE_FOR,
                 "%zu timeouts to unrelated peers, all at %s open flows of Edge %s", c->n, flows,
                 at);
    evidence_add(&e, EVIDENCE_FOR,
                 "of the relays' connects seen, %u worked below that number, %u at it", c->below,
                 c->above);
    if (c->after)
        evidence_add(&e, EVIDENCE_FOR, "once the number had fallen, connects worked again");
    else
        evidence_add(&e, EVIDENCE_AGAINST,
                     "not seen: connects that work again once the number has fallen");
    evidence_add(&e, EVIDENCE_SETTLE, "the firewall's connection count and limit at that time");
    evidence_end(&e, f.finding.evidence);
    snprintf(f.finding.advice, FINDING_ADVICE,
             "Compare the firewall's connection limit (25,000 is a common default) with its count "
             "at %s, "
             "when Edge %s stood at about %u flows, and raise it.",
             when, at, c->high);
    window_offer(out, &f);
}

static bool edge_done(const struct addr *edges, unsigned n, const struct addr *edge)
{
    for (unsigned i = 0; i < n; i++)
        if (addr_eq(&edges[i], edge))
            return true;
    return false;
}

static void rule_ceiling(const struct window_row *rows, size_t n, const struct addr *edge,
                         const struct window_row **room, struct window_findings *out)
{
    struct ceiling c = {.timeouts = room};
    for (size_t i = 0; i < n; i++)
        if (counts(&rows[i]) && rows[i].verdict == VERDICT_TIMEOUT && addr_eq(&rows[i].edge, edge))
            c.timeouts[c.n++] = &rows[i];
    if (is_ceiling(&c, rows, n, edge))
        ceiling_offer(&c, edge, out);
}

void window_ceilings(const struct window_row *rows, size_t n, struct window_findings *out)
{
    enum { EDGES = 64 }; /* of one site */
    struct addr edges[EDGES];
    unsigned n_edges = 0;
    const struct window_row **room = calloc(n + 1, sizeof *room);
    for (size_t i = 0; room && i < n && n_edges < EDGES; i++) {
        if (!counts(&rows[i]) || rows[i].verdict != VERDICT_TIMEOUT ||
            edge_done(edges, n_edges, &rows[i].edge))
            continue;
        edges[n_edges++] = rows[i].edge;
        rule_ceiling(rows, n, &rows[i].edge, room, out);
    }
    free(room);
}

/* ---- sensor-blind ---- */

void window_blind(const struct window_row *rows, size_t n, double share,
                  struct window_findings *out)
{
    struct window_finding f = {.finding = {.code = "sensor-blind", .likely = share > BLIND_LIKELY}};
    struct evidence_lists e;
    if (!(share > BLIND_SHARE))
        return;
    for (size_t i = 0; i < n; i++)
        if (rows[i].verdict == VERDICT_TIMEOUT || rows[i].verdict == VERDICT_SINGLE_SYN ||
            rows[i].verdict == VERDICT_UNSEEN)
            window_count(&f, &rows[i]);
    evidence_begin(&e);
    evidence_add(&e, EVIDENCE_FOR,
                 "the sensor lost packets or saw one direction in %.0f %% of the time",
                 share * 100);
    evidence_add(&e, EVIDENCE_FOR, "%u failures in it rest on answers that were not seen",
                 f.n_failures);
    evidence_add(&e, EVIDENCE_SETTLE, "edgewatch health: drops, gaps, one-way flows by interface");
    evidence_add(&e, EVIDENCE_SETTLE, "edgewatch doctor on the span port");
    evidence_end(&e, f.finding.evidence);
    snprintf(
        f.finding.advice, FINDING_ADVICE,
        "Mend the sensor before trusting \"no answer\": both directions on the span port, a larger "
        "ring, a filter for what matters (edgewatch health, edgewatch doctor).");
    window_offer(out, &f);
}

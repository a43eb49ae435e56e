/*
 * Hypotheses on what became of the requests between a relay and its peer: refused, forbidden, lost.
 *
 * Nobody can tell from a RST alone who sent it (P§7.4): it carries the peer's address whoever made
 * it. So a single refused pair always gets several hypotheses, all of them "possible".
 */
#include "flows/hypothesis.h"

enum { RELAY_LOW = 50000, RELAY_HIGH = 59999 };

/* An answer from a peer out in the Internet does not come back sooner (P§7.4); from here on it is
 * too slow for a device beside the Edge. Between the two nothing is said. */
#define RTT_NEARBY_US 2000
#define RTT_DISTANT_US 10000
/* After the answer of the call the far client needs about this long for its first check. */
#define FAR_CLIENT_STARTS (2 * TICK_S)

static double ms(int64_t us)
{
    return (double)us / 1e3;
}

static unsigned relay_low(const struct hypothesis_case *c)
{
    return c->ctx->relay_low ? c->ctx->relay_low : RELAY_LOW;
}

static unsigned relay_high(const struct hypothesis_case *c)
{
    return c->ctx->relay_high ? c->ctx->relay_high : RELAY_HIGH;
}

static bool in_range(const struct hypothesis_case *c, uint16_t port)
{
    return port >= relay_low(c) && port <= relay_high(c);
}

/* A port unreachable is an ICMP way to say RST: hosts and "reject" rules both send it. */
static bool port_unreachable(const struct failure *f)
{
    bool v4 = addr_is_v4(&f->dst.addr);
    return f->verdict == VERDICT_UNREACHABLE &&
           (v4 ? f->icmp_type == 3 && f->icmp_code == 3 : f->icmp_type == 1 && f->icmp_code == 4);
}

static bool refused(const struct hypothesis_case *c)
{
    return c->f->leg == LEG_RELAY_PEER &&
           (c->f->verdict == VERDICT_REFUSED || port_unreachable(c->f));
}

/* Our relay asked, the answer was no, and the other end is not a relay of ours. */
static bool refused_outward(const struct hypothesis_case *c)
{
    return refused(c) && !c->ctx->from_far && !c->ctx->both_local;
}

static bool nearby_answer(const struct hypothesis_case *c)
{
    return c->f->rtt_us >= 0 && c->f->rtt_us < RTT_NEARBY_US && !addr_is_private(&c->dst.addr);
}

/* What the answers look like; each line speaks for one of two senders and against the other. */
static void answer_looks(const struct hypothesis_case *c, struct evidence_lists *e,
                         enum evidence_list filter, enum evidence_list host)
{
    const struct attempt *a = c->ctx->attempt;
    int64_t rtt = c->f->rtt_us;
    if (nearby_answer(c))
        evidence_add(e, filter, "answered after %.1f ms: too soon for an Internet peer", ms(rtt));
    else if (rtt >= RTT_DISTANT_US)
        evidence_add(e, host, "answered after %.0f ms: too long for a box next to the Edge",
                     ms(rtt));
    if (!a || c->f->verdict != VERDICT_REFUSED)
        return;
    if (a->answer_ttl > 0) {
        int initial = a->answer_ttl <= 64 ? 64 : a->answer_ttl <= 128 ? 128 : 255;
        evidence_add(e, initial == 128 ? host : filter,
                     "TTL %d of the answer: it set out with %d, a Windows Edge sends 128",
                     a->answer_ttl, initial);
    }
    if (a->answer_ipid == 0)
        evidence_add(e, filter, "IP id 0 in the answer; Windows counts up");
}

static void refusal_count(const struct hypothesis_case *c, struct evidence_lists *e)
{
    if (c->f->verdict == VERDICT_REFUSED)
        evidence_add(e, EVIDENCE_FOR, "%u SYNs, %u RSTs from the peer's address", c->f->syns,
                     c->f->rsts);
    else
        evidence_add(e, EVIDENCE_FOR, "ICMP port unreachable for %u %ss", c->f->syns, c->request);
}

/* ---- admin-prohibited ---- */

static bool prohibited(const struct hypothesis_case *c)
{
    return hypothesis_prohibited(addr_is_v4(&c->f->dst.addr), c->f->icmp_type, c->f->icmp_code);
}

static enum weight admin_applies(const struct hypothesis_case *c)
{
    return c->f->verdict == VERDICT_UNREACHABLE && prohibited(c) ? WEIGHT_LIKELY : WEIGHT_NONE;
}

static void admin_evidence(const struct hypothesis_case *c, struct evidence_lists *e)
{
    char from[ADDR_TEXT];
    addr_text(&c->f->icmp_from, from);
    evidence_add(e, EVIDENCE_FOR, "ICMP type %d code %d (forbidden by a filter) from %s",
                 c->f->icmp_type, c->f->icmp_code, from[0] ? from : "an unknown sender");
    if (addr_eq(&c->f->icmp_from, &c->f->dst.addr))
        evidence_add(e, EVIDENCE_FOR, "the sender is the peer's own address");
    else if (addr_is_private(&c->f->icmp_from))
        evidence_add(e, EVIDENCE_FOR, "the sender's address is private: a device on the own side");
    evidence_add(e, EVIDENCE_SETTLE, "whose device is %s, and which of its rules matched",
                 from[0] ? from : "the sender");
}

static void admin_advice(const struct hypothesis_case *c, char out[FINDING_ADVICE])
{
    char from[ADDR_TEXT];
    addr_text(&c->f->icmp_from, from);
    format_text(
        out, FINDING_ADVICE,
        "Ask who runs %s for the rule that rejected %s from %s to %s at %s, and have it let "
        "through.",
        from[0] ? from : "the device that sent the ICMP error", c->proto, c->src_text, c->dst_text,
        c->when);
}

/* ---- own-outbound-range-blocked ---- */

static enum weight outbound_applies(const struct hypothesis_case *c)
{
    if (!refused_outward(c))
        return WEIGHT_NONE;
    return nearby_answer(c) ? WEIGHT_STRONG : WEIGHT_FAIR;
}

static void outbound_evidence(const struct hypothesis_case *c, struct evidence_lists *e)
{
    char at[ENDPOINT_TEXT], peer[ADDR_TEXT];
    refusal_count(c, e);
    if (in_range(c, c->src.port) && in_range(c, c->dst.port))
        evidence_add(e, EVIDENCE_FOR, "ports %u and %u lie in %u-%u, which outbound rules forget",
                     c->src.port, c->dst.port, relay_low(c), relay_high(c));
    answer_looks(c, e, EVIDENCE_FOR, EVIDENCE_AGAINST);
    evidence_add(e, EVIDENCE_AGAINST, "one pair alone; other peers of this Edge are not looked at");
    evidence_add(e, EVIDENCE_SETTLE, "own firewall's log of outbound %s to %s", c->proto,
                 endpoint_text(&c->dst, at));
    evidence_add(e, EVIDENCE_SETTLE, "a capture outside the firewall: does the %s leave?",
                 c->request);
    evidence_add(e, EVIDENCE_SETTLE, "test connects from the Edge to 443 and another port of %s",
                 addr_text(&c->dst.addr, peer));
    evidence_add(e, EVIDENCE_SETTLE, "calls to other partners that night: refused as well?");
}

static void outbound_advice(const struct hypothesis_case *c, char out[FINDING_ADVICE])
{
    char src[SEEN_TEXT], real[ADDR_TEXT], wire[ADDR_TEXT];
    if (addr_eq(&c->src.addr, &c->f->src.addr))
        format_text(src, sizeof src, "%s", addr_text(&c->src.addr, real));
    else
        format_text(src, sizeof src, "%s (%s)", addr_text(&c->src.addr, real),
                    addr_text(&c->f->src.addr, wire));
    format_text(
        out, FINDING_ADVICE,
        "Ask the firewall team for the log of %s from %s source ports %u-%u to %s at %s. The Edge "
        "must be able to open outbound connections from and to %u-%u/%s.",
        c->proto, src, relay_low(c), relay_high(c), c->dst_text, c->when, relay_low(c),
        relay_high(c), c->proto);
}

/* ---- far-side-refuses ---- */

/* An answer that came too soon for the peer is none of the peer's. */
static enum weight far_applies(const struct hypothesis_case *c)
{
    return refused_outward(c) && !nearby_answer(c) ? WEIGHT_FAIR : WEIGHT_NONE;
}

static void far_evidence(const struct hypothesis_case *c, struct evidence_lists *e)
{
    char peer[ADDR_TEXT];
    addr_text(&c->dst.addr, peer);
    refusal_count(c, e);
    answer_looks(c, e, EVIDENCE_AGAINST, EVIDENCE_FOR);
    evidence_add(e, EVIDENCE_AGAINST, "whoever refuses, the answer carries the peer's address");
    evidence_add(e, EVIDENCE_SETTLE, "partner's capture: does the %s arrive, who answers?",
                 c->request);
    evidence_add(e, EVIDENCE_SETTLE, "TTL and round trip of other packets from %s", peer);
    evidence_add(e, EVIDENCE_SETTLE, "other sites or Edges to %s: refused as well?", peer);
}

static void far_advice(const struct hypothesis_case *c, char out[FINDING_ADVICE])
{
    format_text(
        out, FINDING_ADVICE,
        "Rule out the own firewall first. Then ask the partner whether %s from %s reached %s at "
        "%s, and what answered it there: the relay, its host, or a firewall.",
        c->proto, c->src_text, c->dst_text, c->when);
}

/* ---- permission-race (P§1.6) ---- */

static bool sent_before(const struct hypothesis_case *c)
{
    return c->ctx->send && c->ctx->send->first <= c->f->first;
}

static bool soon_after_answer(const struct hypothesis_case *c)
{
    const struct fact_call *call = c->ctx->call;
    return call && call->answered != TICK_NONE && c->f->last < call->answered + FAR_CLIENT_STARTS;
}

static enum weight race_applies(const struct hypothesis_case *c)
{
    if (!refused(c) || c->f->grade == 'C')
        return WEIGHT_NONE;
    if (c->ctx->from_far || c->ctx->far_sent_first)
        return !c->ctx->allocation ? WEIGHT_FAIR : sent_before(c) ? WEIGHT_FAINT : WEIGHT_STRONG;
    return soon_after_answer(c) ? WEIGHT_STRONG : WEIGHT_FAINT;
}

static void race_evidence(const struct hypothesis_case *c, struct evidence_lists *e)
{
    const struct fact_call *call = c->ctx->call;
    double span = (double)(c->f->last - c->f->first) / (double)TICK_S;
    if (c->ctx->from_far || c->ctx->far_sent_first) {
        evidence_add(e, EVIDENCE_FOR, "the far side asked first");
        if (sent_before(c))
            evidence_add(e, EVIDENCE_AGAINST, "our client had told its relay to send to it before");
        else if (c->ctx->allocation)
            evidence_add(e, EVIDENCE_FOR, "our client had not yet told its relay to send to it");
    } else if (soon_after_answer(c)) {
        evidence_add(e, EVIDENCE_FOR, "all of it within %d s of the call's answer",
                     (int)(FAR_CLIENT_STARTS / TICK_S));
    } else {
        evidence_add(e, EVIDENCE_FOR,
                     "a relay may refuse until its own client has sent to the peer");
        if (call && call->answered != TICK_NONE && c->f->first > call->answered)
            evidence_add(e, EVIDENCE_AGAINST, "the first %s came %.1f s after the call's answer",
                         c->request, (double)(c->f->first - call->answered) / (double)TICK_S);
    }
    if (c->f->syns > 1)
        evidence_add(e, EVIDENCE_AGAINST, "refused again and again over %.1f s", span);
    evidence_add(e, EVIDENCE_SETTLE,
                 "when the far client first sent to %s: partner's capture, client log",
                 c->ctx->from_far ? c->dst_text : c->src_text);
    evidence_add(e, EVIDENCE_SETTLE, "does a later call between the two connect?");
}

static void race_advice(const struct hypothesis_case *c, char out[FINDING_ADVICE])
{
    format_text(out, FINDING_ADVICE,
                "Compare the time of the refusals (%s, from %s) with the time at which the client "
                "behind %s "
                "first sent to that peer (its log, its relay connection). If it was later, no "
                "firewall needs "
                "to change.",
                c->when, c->src_text, c->dst_text);
}

/* ---- silent-drop ---- */

static enum weight drop_applies(const struct hypothesis_case *c)
{
    /* direct ways between two networks are expected to vanish in NAT */
    if (c->f->leg == LEG_DIRECT && c->ctx->other_pair_connected)
        return WEIGHT_NONE;
    bool lost = c->f->verdict == VERDICT_TIMEOUT || c->f->verdict == VERDICT_HALF_OPEN;
    if (lost && c->f->quality == QUALITY_GOOD)
        return WEIGHT_FAIR;
    return lost || c->f->verdict == VERDICT_SINGLE_SYN ? WEIGHT_FAINT : WEIGHT_NONE;
}

static void drop_evidence(const struct hypothesis_case *c, struct evidence_lists *e)
{
    if (c->f->verdict == VERDICT_HALF_OPEN)
        evidence_add(e, EVIDENCE_FOR, "the SYN was answered, the answer never acknowledged");
    else
        evidence_add(e, EVIDENCE_FOR, "%u %s%s, no answer of any kind", c->f->syns, c->request,
                     c->f->syns == 1 ? "" : "s");
    if (c->f->quality == QUALITY_GOOD)
        evidence_add(e, EVIDENCE_FOR, "the sensor lost nothing known and saw both directions then");
    else
        evidence_add(e, EVIDENCE_AGAINST, "the capture was %s: an answer may have been missed",
                     quality_name(c->f->quality));
    if (c->f->verdict == VERDICT_SINGLE_SYN)
        evidence_add(e, EVIDENCE_AGAINST, "not repeated: the sender may have given up by itself");
    if (c->f->leg == LEG_DIRECT)
        evidence_add(e, EVIDENCE_AGAINST,
                     "direct ways between private networks often do not exist");
    else
        evidence_add(e, EVIDENCE_AGAINST,
                     "a host that is off or a route that is missing looks alike");
    evidence_add(e, EVIDENCE_SETTLE, "firewall logs (drops) of both sides at that time");
    evidence_add(e, EVIDENCE_SETTLE, "a capture behind each firewall: how far does it get?");
    evidence_add(e, EVIDENCE_SETTLE, "other calls to the same peer, and to others, at that time");
}

static void drop_advice(const struct hypothesis_case *c, char out[FINDING_ADVICE])
{
    format_text(
        out, FINDING_ADVICE,
        "Ask the firewall team for dropped %s from %s to %s at %s, and for answers to it. If the "
        "own side passed it on, ask the partner whether it arrived.",
        c->proto, c->src_text, c->dst_text, c->when);
}

/* ---- sensor-blind ---- */

static enum weight blind_applies(const struct hypothesis_case *c)
{
    bool silent = c->f->verdict == VERDICT_TIMEOUT || c->f->verdict == VERDICT_SINGLE_SYN ||
                  c->f->verdict == VERDICT_HALF_OPEN;
    if (c->f->verdict == VERDICT_UNSEEN || (silent && c->f->quality != QUALITY_GOOD))
        return WEIGHT_FAIR;
    return WEIGHT_NONE;
}

static void blind_evidence(const struct hypothesis_case *c, struct evidence_lists *e)
{
    if (c->f->quality != QUALITY_GOOD)
        evidence_add(e, EVIDENCE_FOR, "the capture was %s at that time",
                     quality_name(c->f->quality));
    else
        evidence_add(e, EVIDENCE_FOR, "something was negotiated, but no packet of it was seen");
    if (c->ctx->send)
        evidence_add(e, EVIDENCE_FOR, "the client told its relay to send; nothing left it here");
    evidence_add(e, EVIDENCE_AGAINST, "perhaps nothing was sent");
    evidence_add(e, EVIDENCE_SETTLE,
                 "edgewatch doctor on the span: both directions, both Edge sides?");
    evidence_add(e, EVIDENCE_SETTLE, "edgewatch health: drops and one-way flows at that time");
}

static void blind_advice(const struct hypothesis_case *c, char out[FINDING_ADVICE])
{
    format_text(
        out, FINDING_ADVICE,
        "Check that the span port carries both directions of the Edge's inner and outer interface "
        "(edgewatch doctor), and what was lost at %s (edgewatch health).",
        c->when);
}

/*
 * The order of own-outbound-range-blocked before far-side-refuses, which weigh the same for a plain
 * refusal: the packets do not decide, so the one comes first that the reader can check in his own
 * firewall's log before he writes to a partner, and whose rule is his to provide (P§5). A round
 * trip of 40 ms excludes only a box beside the Edge that answers by itself; in the field it was the
 * own outbound rule all the same.
 */
const struct hypothesis hypotheses_of_path[] = {
    {"admin-prohibited", admin_applies, admin_evidence, admin_advice},
    {"own-outbound-range-blocked", outbound_applies, outbound_evidence, outbound_advice},
    {"far-side-refuses", far_applies, far_evidence, far_advice},
    {"permission-race", race_applies, race_evidence, race_advice},
    {"sensor-blind", blind_applies, blind_evidence, blind_advice},
    {"silent-drop", drop_applies, drop_evidence, drop_advice},
    {.code = NULL},
};

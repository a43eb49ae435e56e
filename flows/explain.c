/* One failure in one to four plain sentences: what the packets show, and nothing they do not. */
#include <stdarg.h>

#include "flows/hypothesis.h"

struct prose {
    char *out;
    size_t n, room;
};

__attribute__((format(printf, 2, 3))) static void say(struct prose *p, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int n = format_args(p->out + p->n, p->room - p->n, format, args);
    va_end(args);
    if (n > 0)
        p->n = p->n + (size_t)n < p->room ? p->n + (size_t)n : p->room - 1;
}

static const char *plural(unsigned n)
{
    return n == 1 ? "" : "s";
}

/* "The relay 2.2.2.2:58138 (seen as 10.3.0.40:58138)" */
static void say_end(struct prose *p, const char *role, const struct endpoint *wire,
                    const struct addr *alias)
{
    char seen[ENDPOINT_TEXT], real[ENDPOINT_TEXT];
    endpoint_text(wire, seen);
    if (addr_none(alias) || addr_eq(alias, &wire->addr)) {
        say(p, "%s%s", role, seen);
        return;
    }
    struct endpoint public_end = {*alias, wire->port};
    say(p, "%s%s (seen as %s)", role, endpoint_text(&public_end, real), seen);
}

static const char *asker(const struct failure *f, const struct failure_context *ctx)
{
    if (f->leg == LEG_CLIENT_RELAY)
        return "The client ";
    if (f->leg == LEG_DIRECT)
        return "The endpoint ";
    if (ctx->from_far)
        return "The peer ";
    return ctx->allocation || !addr_none(&f->src_public) ? "The relay " : "";
}

/* "The relay A sent 3 SYNs of one attempt to B within 1.13 s" */
static void say_requests(struct prose *p, const struct failure *f,
                         const struct failure_context *ctx)
{
    const char *what = f->proto == PROTO_UDP ? "check" : "SYN";
    say_end(p, asker(f, ctx), &f->src, &f->src_public);
    if (f->syns)
        say(p, " sent %u %s%s", f->syns, what, plural(f->syns));
    else
        say(p, " tried to connect");
    if (f->attempts > 1)
        say(p, " in %u attempts", f->attempts);
    else if (f->syns > 1 && f->proto != PROTO_UDP)
        say(p, " of one attempt");
    say_end(p, " to ", &f->dst, &f->dst_public);
    double span = (double)(f->last - f->first) / (double)TICK_S;
    if (f->syns > 1 && span >= 0.005)
        say(p, " within %.2f s", span);
}

static void say_round_trip(struct prose *p, const struct failure *f, const char *of)
{
    if (f->rtt_us >= 10000)
        say(p, "%s after %.0f ms", of, (double)f->rtt_us / 1e3);
    else if (f->rtt_us >= 0)
        say(p, "%s after %.1f ms", of, (double)f->rtt_us / 1e3);
}

static void say_refused(struct prose *p, const struct failure *f)
{
    if (f->rsts == 1 && f->syns == 1)
        say(p, "; it was answered by RST");
    else if (f->rsts >= f->syns)
        say(p, "; each was answered by RST");
    else
        say(p, "; RST came %u time%s", f->rsts, plural(f->rsts));
    say_round_trip(p, f, f->syns > 1 ? ", the first" : "");
    say(p, ". The trace does not show who sent the RST%s.", plural(f->rsts));
}

static const char *icmp_meaning(const struct failure *f)
{
    static const struct {
        bool v4;
        int8_t type, code;
        const char *text;
    } table[] = {
        {true, 3, 0, "network unreachable"}, {true, 3, 1, "host unreachable"},
        {true, 3, 3, "port unreachable"},    {true, 11, 0, "time to live exceeded"},
        {false, 1, 0, "no route"},           {false, 1, 3, "address unreachable"},
        {false, 1, 4, "port unreachable"},
    };
    bool v4 = addr_is_v4(&f->dst.addr);
    if (hypothesis_prohibited(v4, f->icmp_type, f->icmp_code))
        return "forbidden by a filter";
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (table[i].v4 == v4 && table[i].type == f->icmp_type && table[i].code == f->icmp_code)
            return table[i].text;
    return "destination unreachable";
}

static void say_unreachable(struct prose *p, const struct failure *f)
{
    char from[ADDR_TEXT];
    addr_text(&f->icmp_from, from);
    if (f->icmp_type < 0)
        say(p, "; an ICMP error that quotes it came back.");
    else
        say(p, "; ICMP%s type %d code %d (%s) that quotes it came from %s.",
            addr_is_v4(&f->dst.addr) ? "" : "v6", f->icmp_type, f->icmp_code, icmp_meaning(f),
            from[0] ? from : "an unknown sender");
}

static void say_opened(struct prose *p, const struct failure *f, const struct failure_context *ctx)
{
    const struct attempt *a = ctx->attempt;
    if (f->verdict == VERDICT_OPEN_NO_CHECK)
        say(p, "; %s, but the connectivity check got no good answer.",
            f->proto == PROTO_UDP ? "something answered" : "the connection opened");
    else
        say(p, "; the connection opened and was closed or reset within its first bytes.");
    if (a && (a->bytes_out || a->bytes_in))
        say(p, " %llu bytes went out, %llu came back.", (unsigned long long)a->bytes_out,
            (unsigned long long)a->bytes_in);
}

/* An attempt was seen on the wire: what became of it. */
static void say_attempt(struct prose *p, const struct failure *f, const struct failure_context *ctx)
{
    say_requests(p, f, ctx);
    switch (f->verdict) {
    case VERDICT_REFUSED:
        say_refused(p, f);
        break;
    case VERDICT_TIMEOUT:
        say(p, "; no answer of any kind was seen.");
        break;
    case VERDICT_SINGLE_SYN:
        say(p, " and did not repeat it; no answer was seen.");
        break;
    case VERDICT_UNREACHABLE:
        say_unreachable(p, f);
        break;
    case VERDICT_HALF_OPEN:
        say(p, "; a SYN-ACK came, but no ACK followed.");
        break;
    case VERDICT_RETRY_CONFLICT:
        say(p, "; a SYN-ACK came that did not fit, or the asker itself reset the connection after "
               "it.");
        break;
    default:
        say_opened(p, f, ctx);
    }
}

static void say_tls(struct prose *p, const struct failure *f, const struct failure_context *ctx)
{
    const char *instead = hypothesis_instead(ctx->tls_instead);
    say_end(p, f->leg == LEG_CLIENT_RELAY ? "The client " : "", &f->src, &f->src_public);
    say_end(p, " opened a connection to ", &f->dst, &f->dst_public);
    if (f->verdict == VERDICT_PSEUDOTLS_FAIL)
        say(p, "; the pseudo-TLS hello of the relay protocol was answered by %s.", instead);
    else if (ctx->tls_detail && ctx->tls_detail[0])
        say(p, "; its TLS handshake failed: %s.", ctx->tls_detail);
    else if (ctx->tls_instead >= 0)
        say(p, "; its TLS handshake ended with %s.", instead);
    else
        say(p, "; its TLS handshake did not finish.");
}

static const char *turn_error_meaning(uint16_t code)
{
    static const struct {
        uint16_t code;
        const char *text;
    } table[] = {
        {300, "try another server"}, {400, "bad request"},         {401, "unauthorized"},
        {403, "forbidden"},          {430, "stale credentials"},   {431, "integrity failure"},
        {432, "missing username"},   {434, "missing realm"},       {435, "missing nonce"},
        {436, "unknown user"},       {437, "allocation mismatch"}, {438, "stale nonce"},
        {439, "wrong credentials"},  {441, "wrong credentials"},   {442, "transport not supported"},
        {486, "quota reached"},      {500, "server error"},        {507, "no bandwidth"},
        {508, "no ports left"},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (table[i].code == code)
            return table[i].text;
    return "see the protocol's error list";
}

static void say_allocation(struct prose *p, const struct failure *f,
                           const struct failure_context *ctx)
{
    unsigned n = ctx->allocation ? ctx->allocation->requests : 0;
    say_end(p, "The client ", &f->src, &f->src_public);
    say_end(p, " asked ", &f->dst, &f->dst_public);
    say(p, " for a relay port");
    if (n > 1)
        say(p, " %u times", n);
    if (f->error_code)
        say(p, "; the last answer was error %u (%s), and none was granted.", f->error_code,
            turn_error_meaning(f->error_code));
    else
        say(p, "; no grant of one was seen.");
}

/* No attempt of the pair was seen on the wire, or half of one. */
static void say_nothing_seen(struct prose *p, const struct failure *f,
                             const struct failure_context *ctx)
{
    const struct fact_allocation *a = ctx->allocation;
    const struct fact_send *send = ctx->send;
    char at[ENDPOINT_TEXT];
    if (a && a->granted)
        say(p, "The client %s held the relay port ", endpoint_text(&a->client, at));
    else
        say(p, "Both sides agreed on %s", f->medium ? f->medium : "a medium");
    if (a && a->granted)
        say(p, "%s", endpoint_text(&a->relay, at));
    if (f->verdict == VERDICT_NOT_TRIED) {
        double held = (double)(f->last - f->first) / (double)TICK_S;
        say(p, ", but in the %.0f s until the end no request to send to the peer was seen.", held);
        return;
    }
    if (send)
        say(p, " and asked it %u time%s to send to %s", send->count, plural(send->count),
            endpoint_text(&send->peer, at));
    if (!f->attempts) {
        say(p,
            "; no connection attempt between the two ends was seen. Whether none was made or the "
            "capture does not cover that place cannot be told.");
        return;
    }
    say_end(p, "; ", &f->src, &f->src_public);
    say_end(p, " asked ", &f->dst, &f->dst_public);
    say(p,
        " to connect, but one direction alone was seen of it. Whether the other was silent or the "
        "capture does not show it cannot be told.");
}

static void say_circumstances(struct prose *p, const struct failure *f,
                              const struct failure_context *ctx)
{
    if (f->quality != QUALITY_GOOD && f->verdict != VERDICT_UNSEEN)
        say(p, " The capture was %s at that time, so an answer may have been missed.",
            quality_name(f->quality));
    if (ctx->other_pair_connected)
        say(p, " Another pair of the same medium connected.");
    else if (f->grade == 'C' && f->leg != LEG_SIGNALING)
        say(p, " Nothing negotiated is known of it.");
}

const char *finding_explain(const struct failure *f, const struct failure_context *ctx, char *out,
                            size_t room)
{
    struct prose p = {out, 0, room};
    out[0] = 0;
    switch (f->verdict) {
    case VERDICT_PSEUDOTLS_FAIL:
    case VERDICT_TLS_FAIL:
        say_tls(&p, f, ctx);
        break;
    case VERDICT_ALLOC_FAIL:
        say_allocation(&p, f, ctx);
        break;
    case VERDICT_NOT_TRIED:
    case VERDICT_UNSEEN:
        say_nothing_seen(&p, f, ctx);
        break;
    default:
        say_attempt(&p, f, ctx);
    }
    say_circumstances(&p, f, ctx);
    return out;
}

/*
 * What edgewatch reads out of one capture, counted as SOURCES.md of the real captures counts it:
 * SIP messages by method and status, candidates, STUN messages by type, TCP connections by how
 * their handshake went. One fact per line: NAME VALUE, sorted by captures.sh.
 *
 * It listens at the doors between the parsers and the sessions: the linker's --wrap puts the
 * __wrap_ functions here in front of the real ones, so that the engine runs as it ships.
 *
 *   usage: facts CAPTURE
 */
#include <stdio.h>
#include <stdlib.h>

#include "capture/source.h"
#include "flows/joiner.h"
#include "flows/pipeline.h"
#include "flows/session.h"
#include "flows/wire/framing.h"
#include "flows/wire/sdp.h"
#include "tests/help/deaf.h"

enum { STATUSES = 700, CALL_IDS = 4096, ATTEMPTS = 65536, CHECKS = 64 };

/* ---- SIP ---- */

static unsigned requests[SIP_METHODS], odd_methods, responses[STATUSES], candidates;
static char *call_ids[CALL_IDS];
static unsigned n_call_ids;

void __real_calls_sip(struct calls *c, const struct sip_msg *m, const struct message_at *at);
void __wrap_calls_sip(struct calls *c, const struct sip_msg *m, const struct message_at *at);

static void count_call_id(struct slice id)
{
    for (unsigned i = 0; i < n_call_ids; i++)
        if (slice_eq(slice_str(call_ids[i]), id))
            return;
    if (n_call_ids < CALL_IDS)
        call_ids[n_call_ids++] = strndup((const char *)id.p, id.n);
}

/* Lines of the bodies themselves: what SDP bodies the engine skips as repeated counts here too. */
static void count_candidates(const struct sip_msg *m)
{
    static struct sdp sdp;
    struct mime_walk walk;
    struct slice type, disposition, body;
    mime_start(&walk, m->content_type, m->body);
    while (mime_next(&walk, &type, &disposition, &body))
        if (sdp_parse(body, &sdp, NULL) == WIRE_OK)
            candidates += sdp.n_candidates + sdp.dropped_candidates + sdp.bad_candidates;
}

void __wrap_calls_sip(struct calls *c, const struct sip_msg *m, const struct message_at *at)
{
    if (!m->request)
        responses[m->status]++;
    else if (m->method != SIP_OTHER_METHOD)
        requests[m->method]++;
    else
        odd_methods++;
    count_call_id(slice_trim(m->call_id));
    if (m->body.n)
        count_candidates(m);
    __real_calls_sip(c, m, at);
}

/* ---- STUN ---- */

static unsigned stuns[2][STUN_KINDS]; /* UDP, TCP */

void __real_allocations_turn(struct allocations *a, const struct stun_msg *m,
                             const struct message_at *at);
void __wrap_allocations_turn(struct allocations *a, const struct stun_msg *m,
                             const struct message_at *at);

void __wrap_allocations_turn(struct allocations *a, const struct stun_msg *m,
                             const struct message_at *at)
{
    stuns[at->proto == PROTO_TCP][m->kind]++;
    __real_allocations_turn(a, m, at);
}

/* Checks on a connection of their own come framed. Recognition looks at the first ones of a stream
 * before its reader does: in one packet a check counts once. */
struct check {
    enum stun_kind kind;
    uint8_t id[16];
};
static struct check checks[CHECKS]; /* of the packet under way */
static unsigned n_checks;

enum wire_result __real_rfc4571_parse(struct slice in, struct rfc4571_frame *out,
                                      struct wire_fault *fault);
enum wire_result __wrap_rfc4571_parse(struct slice in, struct rfc4571_frame *out,
                                      struct wire_fault *fault);

static void count_check(const struct stun_msg *m)
{
    for (unsigned i = 0; i < n_checks; i++)
        if (checks[i].kind == m->kind && memcmp(checks[i].id, m->id, sizeof m->id) == 0)
            return;
    if (n_checks == CHECKS)
        return;
    checks[n_checks].kind = m->kind;
    memcpy(checks[n_checks++].id, m->id, sizeof m->id);
    stuns[1][m->kind]++;
}

enum wire_result __wrap_rfc4571_parse(struct slice in, struct rfc4571_frame *out,
                                      struct wire_fault *fault)
{
    struct stun_msg m;
    enum wire_result r = __real_rfc4571_parse(in, out, fault);
    if (r == WIRE_OK && stun_looks_like(out->payload, true) &&
        stun_parse(out->payload, true, &m, NULL) == WIRE_OK)
        count_check(&m);
    return r;
}

/* SOURCES.md's words; MS-TURN's Send and RFC's differ there. */
static const char *stun_word(enum stun_kind k)
{
    static const char *const words[STUN_KINDS] = {
        [STUN_BINDING_REQ] = "Binding-req",
        [STUN_BINDING_OK] = "Binding-ok",
        [STUN_BINDING_ERR] = "Binding-err",
        [STUN_ALLOCATE_REQ] = "Allocate-req",
        [STUN_ALLOCATE_OK] = "Allocate-ok",
        [STUN_ALLOCATE_ERR] = "Allocate-err",
        [STUN_REFRESH_REQ] = "Refresh-req",
        [STUN_REFRESH_OK] = "Refresh-ok",
        [STUN_REFRESH_ERR] = "Refresh-err",
        [STUN_SEND] = "Send",
        [STUN_DATA] = "Data",
        [STUN_PERMISSION_REQ] = "CreatePerm-req",
        [STUN_PERMISSION_OK] = "CreatePerm-ok",
        [STUN_PERMISSION_ERR] = "CreatePerm-err",
        [STUN_CHANNEL_REQ] = "ChannelBind-req",
        [STUN_CHANNEL_OK] = "ChannelBind-ok",
        [STUN_CHANNEL_ERR] = "ChannelBind-err",
    };
    return words[k] ? words[k] : "other";
}

/* ---- TCP ---- */

static struct attempt attempts[ATTEMPTS]; /* by id */

enum attempt_use __real_joiner_attempt(struct joiner *j, const struct attempt *a);
enum attempt_use __wrap_joiner_attempt(struct joiner *j, const struct attempt *a);

enum attempt_use __wrap_joiner_attempt(struct joiner *j, const struct attempt *a)
{
    if (a->proto == PROTO_TCP && a->id < ATTEMPTS)
        attempts[a->id] = *a;
    return __real_joiner_attempt(j, a);
}

/* The words of SOURCES.md for our verdicts. */
static const char *tcp_word(const struct attempt *a)
{
    switch ((enum verdict)a->verdict) {
    case VERDICT_CONNECTED:
    case VERDICT_RESET_AFTER_OPEN:
    case VERDICT_OPEN_NO_CHECK:
        return "established";
    case VERDICT_REFUSED:
        return "refused";
    case VERDICT_TIMEOUT:
    case VERDICT_SINGLE_SYN:
        return "unanswered";
    case VERDICT_UNREACHABLE:
        return "icmp-rejected";
    case VERDICT_HALF_OPEN:
    case VERDICT_RETRY_CONFLICT:
        return "half-open";
    default:
        return verdict_name(a->verdict);
    }
}

static void print_tcp(void)
{
    char src[ENDPOINT_TEXT], dst[ENDPOINT_TEXT];
    for (unsigned i = 0; i < ATTEMPTS; i++) {
        const struct attempt *a = &attempts[i];
        if (a->src.port == 0)
            continue;
        printf("tcp.%s\n", tcp_word(a));
        if (a->verdict != VERDICT_CONNECTED)
            printf("%s %s>%s %u\n", tcp_word(a), endpoint_text(&a->src, src),
                   endpoint_text(&a->dst, dst), a->syns);
    }
}

/* ---- the engine ---- */

static struct tracker_counts tracked;

void __real_tracker_counts(const struct tracker *t, struct tracker_counts *out);
void __wrap_tracker_counts(const struct tracker *t, struct tracker_counts *out);

void __wrap_tracker_counts(const struct tracker *t, struct tracker_counts *out)
{
    __real_tracker_counts(t, out);
    tracked = *out;
}

static int run(const char *path, uint64_t *packets)
{
    struct engine_config config = {.sensor = "facts"};
    struct engine_counts counts;
    struct raw_packet raw;
    tick_t idle;
    const char *why;
    struct source_options none = {0};
    struct sources *s = sources_new(&none);
    struct pipeline *p = pipeline_new(&config, &engine_deaf, &why);
    if (!s || !p || sources_add_file(s, path) != SOURCE_OK || sources_start(s) != 0) {
        fprintf(stderr, "facts: %s\n", s ? sources_error_text(s) : why);
        pipeline_free(p);
        sources_free(s);
        return -1;
    }
    for (*packets = 0; sources_next(s, 1000, &raw, &idle) == PULL_PACKET; ++*packets) {
        n_checks = 0;
        pipeline_frames(p, &raw, 1);
    }
    pipeline_finish(p);
    pipeline_counts(p, &counts);
    pipeline_free(p);
    sources_free(s);
    return 0;
}

static void print_messages(void)
{
    for (int i = 0; i < SIP_METHODS; i++)
        if (requests[i])
            printf("sip.req.%s %u\n", sip_method_name((enum sip_method)i), requests[i]);
    if (odd_methods)
        printf("sip.req.other %u\n", odd_methods);
    for (int i = 0; i < STATUSES; i++)
        if (responses[i])
            printf("sip.resp.%d %u\n", i, responses[i]);
    if (n_call_ids)
        printf("sip.call-ids %u\n", n_call_ids);
    printf("candidates %u\n", candidates);
    for (int tcp = 0; tcp < 2; tcp++)
        for (int i = 0; i < STUN_KINDS; i++)
            if (stuns[tcp][i])
                printf("stun.%s.%s %u\n", tcp ? "TCP" : "UDP", stun_word((enum stun_kind)i),
                       stuns[tcp][i]);
}

int main(int argc, char **argv)
{
    uint64_t packets;
    if (argc != 2 || run(argv[1], &packets) != 0)
        return 1;
    printf("packets %llu\n", (unsigned long long)packets);
    print_messages();
    if (tracked.midstream_flows)
        printf("tcp.mid-stream %llu\n", (unsigned long long)tracked.midstream_flows);
    print_tcp();
    return 0;
}

/*
 * The real captures through the tracker, against what tshark sees in them (SOURCES.md of the
 * captures; UDP: requests per pair of endpoints and what came back, counted with tshark in the same
 * way). tshark's numbers stand in the table untouched; where a correct reading differs, the
 * difference and its reason stand beside them.
 */
#include "flows/tracker.h"

#include "capture/defrag.h"
#include "capture/source.h"
#include "tests/help/captures.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

/* In SOURCES.md's words. unanswered: timeout, single-syn and what the capture ended too early for;
 * half_open: with those that the client then reset; one_sided: only one direction visible. */
struct tally {
    int established, refused, unanswered, icmp, half_open, one_sided;
    int udp_ok, udp_silent, udp_icmp, udp_error;
};

static const struct {
    const char *file;
    struct tally tshark, more; /* ours = tshark + more */
    const char *why;
} rows[] = {
    {.file = "arkime__gre-erspan-vxlan.pcap", .tshark = {.established = 1}},
    {.file = "arkime__gtp-iphone.pcap", .tshark = {.established = 4}},
    {.file = "arkime__ospf.pcap", .tshark = {.icmp = 17}},
    {.file = "arkime__stun-ice-testcall.pcap", .tshark = {.udp_ok = 9}},
    {.file = "arkime__tcp_handshake_synthetic.pcap",
     .tshark = {.established = 11, .unanswered = 2, .half_open = 2},
     .more = {.established = -5, .unanswered = 4, .half_open = 2},
     .why =
         "40002, 40004, 40005, 40010, 40011 acknowledge numbers the server never used, 40006 has a "
         "wrong sequence number: not open; four of them within 1.1 s of the end, too early to say; "
         "40007 shows SYN-ACK and ACK, which is a handshake"},
    {.file = "arkime__turn.pcap", .tshark = {.established = 1}},
    {.file = "corelight__stun-malformed-error.pcap", .tshark = {.udp_error = 1}},
    {.file = "heplify__sip_ipv4_tcp.pcap", .tshark = {.established = 1}},
    {.file = "heplify__sip_ipv4_tcp_fragmented.pcap"},
    {.file = "heplify__sip_tcp_websocket.pcap", .tshark = {.established = 1}},
    {.file = "libtrace__100_packets.pcap", .tshark = {.established = 2, .unanswered = 6}},
    {.file = "mercury__capture2.pcap",
     .tshark = {.established = 73,
                .refused = 20,
                .unanswered = 15,
                .icmp = 1,
                .half_open = 5,
                .one_sided = 2}},
    {.file = "ndpi__1kxun.pcap", .tshark = {.established = 22}},
    {.file = "ndpi__fuzz-2006-06-26-2594.pcap",
     .tshark = {.unanswered = 5, .one_sided = 1},
     .more = {.established = 1},
     .why =
         "the SYN-ACK of port 2720 is damaged, but data of both sides acknowledge each other; one "
         "SYN-ACK has a damaged address and stands alone: one-sided, mid-stream in tshark"},
    {.file = "ndpi__ip_fragmented_garbage.pcap",
     .more = {.one_sided = 1},
     .why = "a lone SYN-ACK is an attempt of which one direction is visible"},
    {.file = "ndpi__lru_ipv6_caches.pcapng",
     .tshark = {.udp_ok = 2, .udp_silent = 5},
     .more = {.established = 3},
     .why = "the captures of three connections begin with the SYN-ACK; the ACK completes it"},
    {.file = "ndpi__sites.pcapng", .tshark = {.established = 56, .half_open = 4}},
    {.file = "ndpi__stun.pcap",
     .tshark = {.established = 1, .udp_ok = 6},
     .more = {.established = 1},
     .why = "begins with the SYN-ACK"},
    {.file = "ndpi__stun_dtls_rtp.pcapng", .tshark = {.established = 1, .udp_ok = 1}},
    {.file = "ndpi__stun_signal.pcapng",
     .tshark = {.udp_ok = 24, .udp_silent = 12},
     .more = {.udp_silent = -12, .udp_icmp = 12},
     .why = "all the silent ones are quoted by ICMP port unreachable"},
    {.file = "ndpi__stun_tcp_multiple_msgs_same_pkt.pcap",
     .more = {.established = 1},
     .why = "begins with the SYN-ACK"},
    {.file = "ndpi__synscan.pcap", .tshark = {.refused = 5, .unanswered = 1986, .half_open = 3}},
    {.file = "ndpi__tcp_scan.pcapng", .tshark = {.established = 2, .refused = 2}},
    {.file = "ndpi__teams.pcap", .tshark = {.established = 38, .udp_ok = 9, .udp_silent = 5}},
    {.file = "ndpi__tls_multiple_synack_different_seq.pcapng",
     .more = {.one_sided = 1},
     .why = "SYN-ACKs 12 s apart and no client: unseen; its data 27 s later is a mid-stream flow"},
    {.file = "ndpi__vxlan.pcap", .tshark = {.established = 2}},
    {.file = "pcapfs__feature_test.pcap", .tshark = {.established = 3}},
    {.file = "pcapsql__tls12-dsb.pcapng"},
    {.file = "pcpp__example.pcap", .tshark = {.established = 65}},
    {.file = "pcpp__many_interfaces-1.pcapng", .tshark = {.established = 2}},
    {.file = "pcpp__nanosecs_big_endian.pcap", .tshark = {.established = 1}},
    {.file = "pcpp__raw_ip.pcap", .tshark = {.established = 2, .one_sided = 2}},
    {.file = "pcpp__sll.pcap", .tshark = {.established = 1}},
    {.file = "sngrep__aaa.pcap", .tshark = {.established = 2, .unanswered = 2}},
    {.file = "sngrep__ipip.pcap"},
    {.file = "suricata__null-http-range.pcap", .tshark = {.established = 41}},
    {.file = "suricata__sip-tcp.pcap", .tshark = {.established = 1}},
    {.file = "wireshark__rsasnakeoil2.pcap", .tshark = {.established = 2}},
    {.file = "zeek__fragmented-syn.pcap", .tshark = {.unanswered = 1}},
    {.file = "zeek__handshake-reorder.pcap", .tshark = {.established = 1}},
    {.file = "zeek__http-qinq-0.pcap", .tshark = {.established = 1}},
    {.file = "zeek__mixed-vlan-mpls.pcap", .tshark = {.established = 2, .one_sided = 1}},
    {.file = "zeek__nmap-vsn.pcap", .tshark = {.established = 3, .refused = 6, .unanswered = 8}},
    {.file = "zeek__pppoe-over-qinq.pcap", .tshark = {.established = 1}},
    {.file = "zeek__rst-inject-rae.pcap", .tshark = {.established = 1}},
    {.file = "zeek__syn-then-rst.pcap", .tshark = {.unanswered = 1}},
    {.file = "zeek__tcp-reassembly.pcap", .tshark = {.established = 1}},
};

/* Single attempts, from SOURCES.md "Handshakes that fail, by address". */
static const struct {
    const char *file, *src, *dst;
    enum verdict verdict;
    unsigned syns;
} singles[] = {
    {"mercury__capture2.pcap", "86.128.187.110:4048", "192.168.1.2:139", VERDICT_REFUSED, 2},
    {"mercury__capture2.pcap", "86.128.191.16:3527", "192.168.1.2:135", VERDICT_REFUSED, 3},
    {"mercury__capture2.pcap", "192.168.1.2:2946", "84.121.82.31:32333", VERDICT_REFUSED, 1},
    {"mercury__capture2.pcap", "192.168.1.2:1040", "66.161.193.72:33155", VERDICT_SINGLE_SYN, 1},
    {"mercury__capture2.pcap", "192.168.1.2:1113", "24.48.150.22:2023", VERDICT_TIMEOUT, 3},
    {"mercury__capture2.pcap", "192.168.1.2:4655", "24.242.44.13:1830", VERDICT_TIMEOUT, 2},
    {"mercury__capture2.pcap", "192.168.1.2:3098", "74.134.164.121:3398", VERDICT_UNREACHABLE, 2},
    {"ndpi__synscan.pcap", "172.16.0.8:36061", "64.13.134.52:113", VERDICT_REFUSED, 1},
    {"ndpi__synscan.pcap", "172.16.0.8:36050", "64.13.134.52:53", VERDICT_HALF_OPEN, 1},
    {"ndpi__sites.pcapng", "192.168.1.128:39036", "69.191.252.15:80", VERDICT_HALF_OPEN, 7},
    {"arkime__tcp_handshake_synthetic.pcap", "192.0.2.10:40004", "198.51.100.5:8080",
     VERDICT_RETRY_CONFLICT, 1},
    {"arkime__tcp_handshake_synthetic.pcap", "192.0.2.10:40002", "198.51.100.5:8080",
     VERDICT_HALF_OPEN, 1},
    {"arkime__ospf.pcap", "[2001:bef::a00:27ff:fe0d:5c3c]:34808", "[2607:f8b0:400f:801::200e]:80",
     VERDICT_UNREACHABLE, 1},
    {"zeek__syn-then-rst.pcap", "1.1.1.1:13131", "1.1.1.2:31313", VERDICT_SINGLE_SYN, 1},
    {"sngrep__aaa.pcap", "192.168.1.2:2717", "147.137.21.94:445", VERDICT_TIMEOUT, 3},
};

enum { ATTEMPTS = 4096 };

struct result {
    struct tally tally;
    struct attempt attempt[ATTEMPTS]; /* by id - 1, final report */
    uint8_t finals[ATTEMPTS];
    struct tracker_counts counts;
    unsigned packets;
};

static void count(struct tally *t, const struct attempt *a)
{
    bool udp = a->proto == PROTO_UDP;
    switch (a->verdict) {
    case VERDICT_CONNECTED:
    case VERDICT_RESET_AFTER_OPEN:
    case VERDICT_OPEN_NO_CHECK:
        if (udp && a->verdict == VERDICT_OPEN_NO_CHECK)
            t->udp_error++;
        else
            (*(udp ? &t->udp_ok : &t->established))++;
        break;
    case VERDICT_REFUSED:
        t->refused++;
        break;
    case VERDICT_UNREACHABLE:
        (*(udp ? &t->udp_icmp : &t->icmp))++;
        break;
    case VERDICT_HALF_OPEN:
    case VERDICT_RETRY_CONFLICT:
        t->half_open++;
        break;
    case VERDICT_UNSEEN:
    case VERDICT_TIMEOUT:
    case VERDICT_SINGLE_SYN:
        if (a->quality == QUALITY_ONE_WAY)
            t->one_sided++;
        else
            (*(udp ? &t->udp_silent : &t->unanswered))++;
        break;
    default:
        fail_msg("%s is no verdict of the tracker", verdict_name(a->verdict));
    }
}

static void reported(void *arg, const struct attempt *a, bool final)
{
    struct result *r = arg;
    assert_in_range(a->id, 1, ATTEMPTS);
    assert_int_equal(r->finals[a->id - 1], 0); /* nothing after the final report */
    if (!final)
        return;
    r->finals[a->id - 1] = 1;
    r->attempt[a->id - 1] = *a;
    count(&r->tally, a);
}

static void give(struct tracker *t, const struct packet *p)
{
    struct stun_msg m;
    if (p->proto == PROTO_TCP)
        tracker_tcp(t, p);
    else if (p->proto == PROTO_ICMP || p->proto == PROTO_ICMP6)
        tracker_icmp(t, p);
    else if (stun_looks_like(p->payload, true) && stun_parse(p->payload, true, &m, NULL) == WIRE_OK)
        tracker_stun(t, p, &m);
}

static struct sources *open_capture(const char *file)
{
    const struct source_options options = {0};
    struct sources *s = sources_new(&options);
    if (sources_add_file(s, captures_path(file)) != SOURCE_OK || sources_start(s) != 0)
        fail_msg("%s: %s", file, sources_error_text(s));
    return s;
}

/* At most so many frames; free the result. */
static struct result *run(const char *file, unsigned most)
{
    struct result *r = calloc(1, sizeof *r);
    const struct tracker_hooks hooks = {.arg = r, .attempt = reported};
    struct tracker *t = tracker_new(1 << 14, 1 << 10, 1, &hooks);
    struct sources *s = open_capture(file);
    struct defrag *d = defrag_new(1);
    struct raw_packet raw;
    tick_t last = 0, idle;
    while (r->packets < most && sources_next(s, 1000, &raw, &idle) == PULL_PACKET) {
        struct packet p;
        struct fragment f, inner;
        struct slice whole;
        r->packets++;
        last = raw.time;
        enum frame_kind kind = frame_decode(&raw, &p, &f);
        if (kind == FRAME_FRAGMENT && defrag_add(d, &f, raw.time, &whole))
            kind = frame_transport(&f, whole, &p, &inner);
        if (kind == FRAME_PACKET)
            give(t, &p);
    }
    tracker_finish(t, last);
    tracker_counts(t, &r->counts);
    sources_stop(s);
    sources_free(s);
    defrag_free(d);
    tracker_free(t);
    return r;
}

static int compare(const char *file, const char *word, int tshark, int more, int ours)
{
    if (tshark + more == ours)
        return 0;
    print_error("%s: %s: tshark %d, known difference %d, we %d\n", file, word, tshark, more, ours);
    return 1;
}

static void verdicts_agree_with_tshark(void **state)
{
    int wrong = 0;
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct result *r = run(rows[i].file, UINT32_MAX);
        const struct tally *a = &rows[i].tshark, *b = &rows[i].more, *c = &r->tally;
#define COMPARE(field) wrong += compare(rows[i].file, #field, a->field, b->field, c->field)
        COMPARE(established);
        COMPARE(refused);
        COMPARE(unanswered);
        COMPARE(icmp);
        COMPARE(half_open);
        COMPARE(one_sided);
        COMPARE(udp_ok);
        COMPARE(udp_silent);
        COMPARE(udp_icmp);
        COMPARE(udp_error);
        free(r);
    }
    assert_int_equal(wrong, 0);
}

static void known_failures_are_found_by_address(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof singles / sizeof *singles; i++) {
        struct result *r = run(singles[i].file, UINT32_MAX);
        struct endpoint src, dst;
        unsigned found = 0;
        assert_true(endpoint_parse(slice_str(singles[i].src), &src));
        assert_true(endpoint_parse(slice_str(singles[i].dst), &dst));
        for (unsigned j = 0; j < ATTEMPTS; j++) {
            const struct attempt *a = &r->attempt[j];
            if (!r->finals[j] || !endpoint_eq(&a->src, &src) || !endpoint_eq(&a->dst, &dst))
                continue;
            if (a->verdict != singles[i].verdict || a->syns != singles[i].syns)
                fail_msg("%s > %s: %s, %u SYNs", singles[i].src, singles[i].dst,
                         verdict_name(a->verdict), a->syns);
            found++;
        }
        assert_int_equal(found, 1);
        free(r);
    }
}

/* Cut anywhere, every attempt that began is decided, once. */
static void a_cut_capture_decides_every_attempt_once(void **state)
{
    static const char *const files[] = {"arkime__tcp_handshake_synthetic.pcap",
                                        "zeek__handshake-reorder.pcap",
                                        "zeek__rst-inject-rae.pcap",
                                        "ndpi__tcp_scan.pcapng",
                                        "ndpi__tls_multiple_synack_different_seq.pcapng",
                                        "arkime__gtp-iphone.pcap",
                                        "arkime__stun-ice-testcall.pcap"};
    (void)state;
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        for (unsigned cut = 1, packets = cut; packets == cut; cut++) {
            struct result *r = run(files[i], cut);
            unsigned decided = 0;
            for (unsigned j = 0; j < ATTEMPTS; j++)
                decided += r->finals[j];
            assert_int_equal(decided, r->counts.attempts);
            packets = r->packets;
            free(r);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(verdicts_agree_with_tshark),
        cmocka_unit_test(known_failures_are_found_by_address),
        cmocka_unit_test(a_cut_capture_decides_every_attempt_once),
    };
    if (!captures_dir()) {
        printf("skipped: no real captures (EW_CAPTURES)\n");
        return 0;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}

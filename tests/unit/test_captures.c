/*
 * The real captures: their frames against what tshark counts, and every file cut short.
 */
#include "capture/capfile.h"
#include "capture/defrag.h"
#include "capture/source.h"

#include "tests/help/captures.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <dirent.h>
#include <stdlib.h>

static void need_captures(void)
{
    if (captures_dir())
        return;
    print_message("no captures: skipped\n");
    skip();
}

static struct sources *start(const char *file)
{
    static const struct source_options plain;
    struct sources *s = sources_new(&plain);
    if (sources_add_file(s, file) != SOURCE_OK)
        fail_msg("%s", sources_error_text(s));
    assert_int_equal(sources_start(s), 0);
    return s;
}

/* What became of frames. */
struct counts {
    unsigned frames, tcp, udp, icmp, vlan;
};

static void count_frame(struct counts *c, struct defrag *d, const struct raw_packet *raw)
{
    struct packet p;
    struct fragment f;
    struct slice whole;
    enum frame_kind kind = frame_decode(raw, &p, &f);
    c->frames++;
    c->vlan += p.vlan > 0;
    while (kind == FRAME_FRAGMENT && defrag_add(d, &f, raw->time, &whole))
        kind = frame_transport(&f, whole, &p, &f);
    if (kind != FRAME_PACKET)
        return;
    c->tcp += p.proto == PROTO_TCP;
    c->udp += p.proto == PROTO_UDP;
    c->icmp += p.proto == PROTO_ICMP || p.proto == PROTO_ICMP6;
}

/* Frames, then what frame_decode() and the defragmenter make of them. From tshark 4.0.17, default
 * preferences: number of frames with -Y "tcp && !icmp && !icmpv6",
 * "udp && !tcp && !icmp && !icmpv6", "icmp || icmpv6", "vlan". */
static const struct {
    const char *name;
    struct counts want; /* frames, TCP, UDP, ICMP, with VLAN tag */
} facts[] = {
    {"arkime__gre-erspan-vxlan.pcap", {7, 7, 0, 0, 0}},
    {"arkime__gtp-iphone.pcap", {106, 58, 40, 8, 0}},
    {"arkime__ospf.pcap", {394, 31, 7, 22, 0}},
    {"arkime__stun-ice-testcall.pcap", {108, 0, 108, 0, 0}},
    {"arkime__tcp_handshake_synthetic.pcap", {50, 50, 0, 0, 0}},
    {"arkime__turn.pcap", {27, 27, 0, 0, 0}},
    {"corelight__stun-malformed-error.pcap", {2, 0, 2, 0, 0}},
    {"dnscap__sll2.pcap", {2, 0, 2, 0, 0}},
    {"heplify__erspan_sip_ipv4_udp.pcapng", {140, 0, 140, 0, 0}},
    {"heplify__ipv6_udp_fragmented.pcap", {6, 0, 3, 0, 0}},
    {"heplify__sip_ipv4_tcp.pcap", {84, 16, 68, 0, 0}},
    {"heplify__sip_ipv4_tcp_fragmented.pcap", {1542, 1542, 0, 0, 0}},
    {"heplify__sip_ipv6_udp.pcap", {6, 0, 6, 0, 0}},
    {"heplify__sip_tcp_websocket.pcap", {61, 33, 28, 0, 0}},
    {"libtrace__100_packets.pcap", {100, 92, 7, 0, 0}},
    {"mercury__capture2.pcap",
     {5617, 4019, 1523, 23, 0}}, /* tshark also opens Teredo: 1519 UDP, 29 ICMP */
    {"ndpi__1kxun.pcap", {1723, 1381, 342, 0, 0}},
    {"ndpi__ip_fragmented_garbage.pcap",
     {1252, 2, 0, 0, 0}}, /* two more have a data offset below 20 */
    {"ndpi__lru_ipv6_caches.pcapng", {88, 9, 79, 0, 0}},
    {"ndpi__sites.pcapng", {699, 693, 6, 0, 0}},
    {"ndpi__stun.pcap", {201, 35, 165, 1, 15}},
    {"ndpi__stun_dtls_rtp.pcapng", {102, 63, 39, 0, 0}},
    {"ndpi__stun_signal.pcapng", {460, 0, 407, 53, 0}},
    {"ndpi__stun_tcp_multiple_msgs_same_pkt.pcap", {5, 5, 0, 0, 0}},
    {"ndpi__synscan.pcap", {2011, 2011, 0, 0, 0}},
    {"ndpi__tcp_scan.pcapng", {30, 18, 0, 0, 0}},
    {"ndpi__teams.pcap", {1540, 1317, 179, 2, 0}},
    {"ndpi__tls_multiple_synack_different_seq.pcapng", {10, 10, 0, 0, 0}},
    {"ndpi__vxlan.pcap", {127, 119, 8, 0, 127}},
    {"pcapfs__feature_test.pcap", {58, 58, 0, 0, 0}},
    {"pcapsql__tls12-dsb.pcapng", {17, 17, 0, 0, 0}},
    {"pcpp__example.pcap", {4631, 4492, 139, 0, 0}},
    {"pcpp__many_interfaces-1.pcapng", {64, 32, 32, 0, 0}},
    {"pcpp__nanosecs_big_endian.pcap", {10, 10, 0, 0, 0}},
    {"pcpp__raw_ip.pcap", {100, 92, 8, 0, 0}},
    {"pcpp__sll.pcap", {518, 483, 28, 0, 0}},
    {"sngrep__aaa.pcap", {691, 57, 590, 0, 0}},
    {"sngrep__ipip.pcap", {4, 4, 0, 0, 0}},
    {"sngrep__ipv6frag.pcap", {34, 0, 32, 0, 0}},
    {"suricata__null-http-range.pcap", {614, 614, 0, 0, 0}},
    {"suricata__sip-tcp.pcap", {11, 11, 0, 0, 0}},
    {"tcpdump__heapoverflow-tcp_print.pcap", {1, 1, 0, 0, 0}},
    {"tcpdump__ipv4_tcp_http_xml_tso.pcap", {1, 1, 0, 0, 0}},
    {"wireshark__rsasnakeoil2.pcap", {58, 58, 0, 0, 0}},
    {"zeek__fragmented-syn.pcap", {2, 1, 0, 0, 0}},
    {"zeek__handshake-reorder.pcap", {14, 14, 0, 0, 0}},
    {"zeek__http-qinq-0.pcap", {14, 14, 0, 0, 0}}, /* both tags of all 14 say VLAN 0 */
    {"zeek__mixed-vlan-mpls.pcap", {47, 47, 0, 0, 14}},
    {"zeek__nmap-vsn.pcap", {547, 32, 12, 0, 0}},
    {"zeek__pcapng-multi-interface.pcapng", {6, 0, 6, 0, 0}},
    {"zeek__pppoe-over-qinq.pcap", {86, 86, 0, 0, 86}},
    {"zeek__rst-inject-rae.pcap", {9, 9, 0, 0, 0}},
    {"zeek__sip-invalid-content-length.pcap", {2, 0, 2, 0, 0}},
    {"zeek__syn-then-rst.pcap", {2, 2, 0, 0, 0}},
    {"zeek__tcp-reassembly.pcap", {117, 117, 0, 0, 0}},
};

static void real_captures_decode_as_tshark_counts(void **state)
{
    (void)state;
    need_captures();
    for (size_t i = 0; i < sizeof facts / sizeof *facts; i++) {
        const char *text = "";
        struct sources *s = start(captures_path(facts[i].name));
        struct defrag *d = defrag_new(1);
        struct counts c = {0};
        struct raw_packet raw;
        tick_t idle;
        while (sources_next(s, 100, &raw, &idle) == PULL_PACKET)
            count_frame(&c, d, &raw);
        if (memcmp(&c, &facts[i].want, sizeof c) != 0)
            fail_msg("%s: frames %u tcp %u udp %u icmp %u vlan %u", facts[i].name, c.frames, c.tcp,
                     c.udp, c.icmp, c.vlan);
        if (sources_damage(s, &text) != SOURCE_OK)
            fail_msg("%s", text);
        defrag_free(d);
        sources_free(s);
    }
}

static void interfaces_of_a_pcapng_are_told_apart(void **state)
{
    (void)state;
    need_captures();
    struct sources *s = start(captures_path("ndpi__sites.pcapng"));
    struct raw_packet raw;
    tick_t idle;
    uint64_t packets = 0;
    while (sources_next(s, 100, &raw, &idle) == PULL_PACKET)
        assert_in_range(raw.iface, 0, 21);
    assert_int_equal(sources_iface_count(s), 22); /* tshark: 22 interfaces in use, 699 frames */
    for (unsigned i = 0; i < 22; i++) {
        struct source_counts c;
        sources_iface_counts(s, i, &c);
        assert_true(c.packets > 0);
        packets += c.packets;
    }
    assert_int_equal(packets, 699);
    sources_free(s);
}

static uint16_t any_iface(void *ctx, unsigned number, struct slice name)
{
    (void)ctx;
    (void)name;
    return (uint16_t)number;
}

enum { ROOM = 4096 };

/* Lists and decodes the frames of a file of which the first n bytes are there, in memory that ends
 * with them. */
static size_t walk(struct slice file, size_t n, struct batch_packet *packets)
{
    uint8_t *copy = malloc(n + !n);
    memcpy(copy, file.p, n);
    struct batch b = {.bytes = copy, .size = n, .end = n, .packets = packets, .room = ROOM};
    struct capfile *c = capfile_new(any_iface, NULL);
    struct defrag *d = defrag_new(1);
    struct counts seen = {0};
    capfile_walk(c, &b);
    for (size_t i = 0; i < b.count; i++) {
        struct raw_packet raw = {.time = packets[i].time,
                                 .data = copy + packets[i].offset,
                                 .caplen = packets[i].caplen,
                                 .len = packets[i].len,
                                 .linktype = packets[i].linktype};
        count_frame(&seen, d, &raw);
    }
    capfile_finish(c, b.end - b.at);
    assert_true(n == file.n || b.count == ROOM || b.at == n || capfile_damage(c));
    defrag_free(d);
    capfile_free(c);
    free(copy);
    return b.count;
}

/* As many frames come out as lie whole before the cut (in pcapng the end of the last block may be
 * missing), and where the file does not end with one, that is damage. */
static void cut_captures_give_the_frames_before_the_cut(void **state)
{
    (void)state;
    static struct batch_packet whole[ROOM], part[ROOM];
    need_captures();
    DIR *dir = opendir(captures_dir());
    unsigned files = 0;
    for (struct dirent *e; (e = readdir(dir));) {
        if (!strstr(e->d_name, ".pcap"))
            continue;
        struct slice file = captures_read(captures_path(e->d_name));
        size_t most = file.n < 65536 ? file.n : 65536; /* enough to cut at */
        size_t count = walk(file, file.n, whole);
        for (size_t i = 0; i < 60; i++) {
            size_t n = i < 30 ? most * i / 30 : most - (i - 30), want = 0;
            while (want < count && whole[want].offset + whole[want].caplen <= n)
                want++;
            assert_in_range(walk(file, n, part) + 1, want, want + 1);
        }
        files++;
        free((void *)(uintptr_t)file.p);
    }
    closedir(dir);
    assert_true(files > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(real_captures_decode_as_tshark_counts),
        cmocka_unit_test(interfaces_of_a_pcapng_are_told_apart),
        cmocka_unit_test(cut_captures_give_the_frames_before_the_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

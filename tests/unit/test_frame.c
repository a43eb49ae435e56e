/* From a frame to a packet: every encapsulation, every length, and what must not be believed. */
#include "capture/frame.h"

#include "tests/help/guard.h"
#include "tests/help/layers.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static const char payload[] = "edgewatch";
enum { PAYLOAD = sizeof payload - 1, ETHERNET = 1 };

static const char *const src4 = "10.1.0.1", *const dst4 = "10.2.0.2";
static const char *const src6 = "2001:db8::1", *const dst6 = "2001:db8::2";
static const char *const tun_a = "192.0.2.1", *const tun_b = "192.0.2.2";

/* One header put in front of what is there; lengths are filled in. */
struct step {
    enum { END, HEX, UDP, IP4, IP6, ETHER } kind;
    uint16_t a, b; /* UDP: ports; IP: protocol; ETHER: type */
    const char *hex;
};

#define S_HEX(text)     \
    {                   \
        HEX, 0, 0, text \
    }
#define S_UDP(dport)            \
    {                           \
        UDP, 50001, dport, NULL \
    }
#define S_IP4(proto)        \
    {                       \
        IP4, proto, 0, NULL \
    }
#define S_IP6(next)        \
    {                      \
        IP6, next, 0, NULL \
    }
#define S_ETHER(type)        \
    {                        \
        ETHER, type, 0, NULL \
    }

/* Each wraps "UDP 1000 > 2000, edgewatch" (over IPv6 if six, else IPv4), from the inside out. */
static const struct wrap {
    const char *name;
    uint16_t linktype;
    bool six;
    uint16_t vlan;
    uint8_t tunnels;
    struct step steps[8];
} wraps[] = {
    {"Ethernet", ETHERNET, false, 0, 0, {S_ETHER(0x0800)}},
    {"Ethernet, IPv6", ETHERNET, true, 0, 0, {S_ETHER(0x86dd)}},
    {"802.1Q", ETHERNET, false, 100, 0, {S_HEX("2064 0800"), S_ETHER(0x8100)}},
    {"QinQ", ETHERNET, true, 5, 0, {S_HEX("0006 86dd"), S_HEX("0005 8100"), S_ETHER(0x88a8)}},
    {"old QinQ", ETHERNET, false, 7, 0, {S_HEX("0006 0800"), S_HEX("0007 8100"), S_ETHER(0x9100)}},
    {"SNAP", ETHERNET, false, 0, 0, {S_HEX("aaaa03 000000 0800"), S_ETHER(0x0042)}},
    {"MPLS, two labels",
     ETHERNET,
     false,
     0,
     0,
     {S_HEX("00010140"), S_HEX("000200ff"), S_HEX("00020040"), S_ETHER(0x8847)}},
    {"MPLS, IPv6", ETHERNET, true, 0, 0, {S_HEX("00010140"), S_ETHER(0x8847)}},
    {"MPLS, Ethernet",
     ETHERNET,
     false,
     0,
     0,
     {S_ETHER(0x0800), S_HEX("00010140"), S_ETHER(0x8848)}},
    {"MPLS, control word, Ethernet",
     ETHERNET,
     false,
     0,
     0,
     {S_ETHER(0x0800), S_HEX("00000000"), S_HEX("00010140"), S_ETHER(0x8847)}},
    {"PPPoE", ETHERNET, false, 0, 0, {S_HEX("1100 0001 0027 0021"), S_ETHER(0x8864)}},
    {"PPPoE, IPv6", ETHERNET, true, 0, 0, {S_HEX("1100 0001 003b 0057"), S_ETHER(0x8864)}},
    {"PPP", 9, false, 0, 0, {S_HEX("ff03 0021")}},
    {"PPP, short protocol", 9, false, 0, 0, {S_HEX("21")}},
    {"BSD loopback, this byte order", 0, false, 0, 0, {S_HEX("02000000")}},
    {"BSD loopback, macOS IPv6", 0, true, 0, 0, {S_HEX("1e000000")}},
    {"OpenBSD loopback", 108, false, 0, 0, {S_HEX("00000002")}},
    {"raw IP", 101, false, 0, 0, {{END, 0, 0, NULL}}},
    {"raw IP, libpcap's number", 12, true, 0, 0, {{END, 0, 0, NULL}}},
    {"raw IPv4", 228, false, 0, 0, {{END, 0, 0, NULL}}},
    {"raw IPv6", 229, true, 0, 0, {{END, 0, 0, NULL}}},
    {"SLL", 113, false, 0, 0, {S_HEX("0000 0001 0006 020000000001 0000 0800")}},
    {"SLL with VLAN",
     113,
     false,
     9,
     0,
     {S_HEX("0009 0800"), S_HEX("0000 0001 0006 020000000001 0000 8100")}},
    {"SLL2", 276, true, 0, 0, {S_HEX("86dd 0000 00000002 0001 00 06 020000000001 0000")}},
    {"IPv4 in IPv4", ETHERNET, false, 0, 1, {S_IP4(4), S_ETHER(0x0800)}},
    {"IPv6 in IPv4", ETHERNET, true, 0, 1, {S_IP4(41), S_ETHER(0x0800)}},
    {"IPv4 in IPv6", ETHERNET, false, 0, 1, {S_IP6(4), S_ETHER(0x86dd)}},
    {"IPv6 in IPv6", ETHERNET, true, 0, 1, {S_IP6(41), S_ETHER(0x86dd)}},
    {"GRE", ETHERNET, false, 0, 1, {S_HEX("0000 0800"), S_IP4(47), S_ETHER(0x0800)}},
    {"GRE, checksum, key, sequence",
     ETHERNET,
     true,
     0,
     1,
     {S_HEX("b000 86dd 00000000 00000007 00000001"), S_IP4(47), S_ETHER(0x0800)}},
    {"GRE, Ethernet",
     ETHERNET,
     false,
     0,
     1,
     {S_ETHER(0x0800), S_HEX("2000 6558 00000007"), S_IP6(47), S_ETHER(0x86dd)}},
    {"GRE, MPLS",
     ETHERNET,
     false,
     0,
     1,
     {S_HEX("00010140"), S_HEX("0000 8847"), S_IP4(47), S_ETHER(0x0800)}},
    {"ERSPAN I",
     ETHERNET,
     false,
     0,
     1,
     {S_ETHER(0x0800), S_HEX("0000 88be"), S_IP4(47), S_ETHER(0x0800)}},
    {"ERSPAN II",
     ETHERNET,
     false,
     0,
     1,
     {S_ETHER(0x0800), S_HEX("1001 0014 00000001"), S_HEX("1000 88be 00000001"), S_IP4(47),
      S_ETHER(0x0800)}},
    {"ERSPAN III",
     ETHERNET,
     false,
     0,
     1,
     {S_ETHER(0x0800), S_HEX("2001 0014 00000001 0000 0000"), S_HEX("1000 22eb 00000001"),
      S_IP4(47), S_ETHER(0x0800)}},
    {"ERSPAN III, platform header",
     ETHERNET,
     true,
     0,
     1,
     {S_ETHER(0x86dd), S_HEX("2001 0014 00000001 0000 0001 1122334455667788"),
      S_HEX("1000 22eb 00000001"), S_IP4(47), S_ETHER(0x0800)}},
    {"ERSPAN III, IP",
     ETHERNET,
     false,
     0,
     1,
     {S_HEX("2001 0014 00000001 0000 0800"), S_HEX("1000 22eb 00000001"), S_IP4(47),
      S_ETHER(0x0800)}},
    {"VXLAN",
     ETHERNET,
     false,
     0,
     1,
     {S_ETHER(0x0800), S_HEX("08000000 00002a00"), S_UDP(4789), S_IP4(17), S_ETHER(0x0800)}},
    {"VXLAN, Linux port, inner VLAN",
     ETHERNET,
     false,
     3,
     1,
     {S_HEX("0003 0800"), S_ETHER(0x8100), S_HEX("08000000 00002a00"), S_UDP(8472), S_IP6(17),
      S_ETHER(0x86dd)}},
    {"VXLAN GPE, IPv6",
     ETHERNET,
     true,
     0,
     1,
     {S_HEX("0c000002 00002a00"), S_UDP(4790), S_IP4(17), S_ETHER(0x0800)}},
    {"GENEVE with options, Ethernet",
     ETHERNET,
     false,
     0,
     1,
     {S_ETHER(0x0800), S_HEX("0200 6558 00002a00 0102 0301 aabbccdd"), S_UDP(6081), S_IP4(17),
      S_ETHER(0x0800)}},
    {"GENEVE, IPv6",
     ETHERNET,
     true,
     0,
     1,
     {S_HEX("0000 86dd 00002a00"), S_UDP(6081), S_IP4(17), S_ETHER(0x0800)}},
    {"GTP-U",
     ETHERNET,
     false,
     0,
     1,
     {S_HEX("30ff 0025 00000001"), S_UDP(2152), S_IP4(17), S_ETHER(0x0800)}},
    {"GTP-U, extension header",
     ETHERNET,
     false,
     0,
     1,
     {S_HEX("34ff 002d 00000001 0000 00 85 01 1000 00"), S_UDP(2152), S_IP4(17), S_ETHER(0x0800)}},
    {"hop-by-hop, destination options, routing", ETHERNET, true, 0, 0, {S_ETHER(0x86dd)}},
    {"AH", ETHERNET, false, 0, 0, {S_ETHER(0x0800)}},
};

static void put_inner(struct layers *l, const struct wrap *w)
{
    layers_begin(l, payload, PAYLOAD);
    layers_udp(l, 1000, 2000);
    if (strcmp(w->name, "AH") == 0) {
        layers_hex(l, "1104 0000 00000001 00000001 000102030405060708090a0b");
        layers_ip4(l, 51, src4, dst4);
    } else if (strncmp(w->name, "hop", 3) == 0) {
        layers_hex(l, "1100 0000 00000000");                   /* routing, then UDP */
        layers_hex(l, "2b01 0104 00000000 0106 000000000000"); /* destination options, 16 bytes */
        layers_hex(l, "3c00 0104 00000000");                   /* hop-by-hop */
        layers_ip6(l, 0, src6, dst6);
    } else if (w->six) {
        layers_ip6(l, 17, src6, dst6);
    } else {
        layers_ip4(l, 17, src4, dst4);
    }
}

static void put_step(struct layers *l, const struct step *s)
{
    switch (s->kind) {
    case HEX:
        layers_hex(l, s->hex);
        break;
    case UDP:
        layers_udp(l, s->a, s->b);
        break;
    case IP4:
        layers_ip4(l, (uint8_t)s->a, tun_a, tun_b);
        break;
    case IP6:
        layers_ip6(l, (uint8_t)s->a, "2001:db8:f::1", "2001:db8:f::2");
        break;
    case ETHER:
        layers_ethernet(l, s->a);
        break;
    case END:
        break;
    }
}

static struct slice put_all(struct layers *l, const struct wrap *w)
{
    put_inner(l, w);
    for (size_t i = 0; i < 8 && w->steps[i].kind != END; i++)
        put_step(l, &w->steps[i]);
    return layers_slice(l);
}

/* Decodes with the frame at the guard page; slices in *out die with the copy, which stays mapped.
 */
static enum frame_kind decode(struct slice s, uint32_t len, uint16_t linktype, struct packet *out,
                              struct fragment *frag, uint8_t **copy)
{
    *copy = guard_copy(s.p, s.n);
    struct raw_packet raw = {.time = 42,
                             .data = *copy,
                             .caplen = (uint32_t)s.n,
                             .len = len,
                             .linktype = linktype,
                             .iface = 3};
    return frame_decode(&raw, out, frag);
}

static void assert_endpoint(const struct endpoint *got, const char *addr, uint16_t port)
{
    char text[ADDR_TEXT];
    assert_string_equal(addr_text(&got->addr, text), addr);
    assert_int_equal(got->port, port);
}

static void assert_payload(const struct packet *p, const char *want)
{
    assert_int_equal(p->payload.n, strlen(want));
    assert_memory_equal(p->payload.p, want, p->payload.n);
    assert_int_equal(p->payload_len, strlen(want));
    assert_false(p->snapped);
}

static void every_encapsulation_is_taken_off(void **state)
{
    (void)state;
    struct layers l;
    for (size_t i = 0; i < sizeof wraps / sizeof *wraps; i++) {
        const struct wrap *w = &wraps[i];
        struct packet p;
        struct fragment f;
        uint8_t *copy;
        struct slice s = put_all(&l, w);
        enum frame_kind kind = decode(s, (uint32_t)s.n, w->linktype, &p, &f, &copy);
        if (kind != FRAME_PACKET || p.vlan != w->vlan || p.tunnels != w->tunnels)
            fail_msg("%s: kind %d vlan %u tunnels %u", w->name, kind, p.vlan, p.tunnels);
        bool six = w->six || strncmp(w->name, "hop", 3) == 0;
        assert_endpoint(&p.src, six ? src6 : src4, 1000);
        assert_endpoint(&p.dst, six ? dst6 : dst4, 2000);
        assert_int_equal(p.proto, PROTO_UDP);
        assert_int_equal(p.ttl, 64);
        assert_payload(&p, payload);
        assert_int_equal(p.iface, 3);
        assert_int_equal(p.time, 42);
        guard_free(copy, s.n);
    }
}

/* Cut frames (the wire had no more) and snapped ones (it had): never a byte too far, and nothing is
 * made up: what is called a packet has the right ends or is an outer packet taken as it is. */
static void no_cut_length_reads_too_far(void **state)
{
    (void)state;
    struct layers l;
    for (size_t i = 0; i < sizeof wraps / sizeof *wraps; i++) {
        struct slice s = put_all(&l, &wraps[i]);
        for (size_t n = 0; n < s.n; n++) {
            struct packet p;
            struct fragment f;
            uint8_t *copy;
            decode(slice_of(s.p, n), (uint32_t)n, wraps[i].linktype, &p, &f, &copy);
            guard_free(copy, n);
            enum frame_kind kind =
                decode(slice_of(s.p, n), (uint32_t)s.n, wraps[i].linktype, &p, &f, &copy);
            if (kind == FRAME_PACKET)
                assert_true(p.snapped && p.payload.n < p.payload_len);
            guard_free(copy, n);
        }
    }
}

static void ethernet_padding_is_no_payload(void **state)
{
    (void)state;
    struct layers l;
    struct packet p;
    struct fragment f;
    layers_begin(&l, "\0\0\0\0\0\0", 6);
    uint8_t inner[40];
    struct layers tcp;
    layers_begin(&tcp, "", 0);
    layers_tcp(&tcp, 1, 2, 0x01020304, TCP_ACK);
    layers_ip4(&tcp, 6, src4, dst4);
    memcpy(inner, layers_slice(&tcp).p, sizeof inner);
    layers_bytes(&l, inner, sizeof inner);
    layers_ethernet(&l, 0x0800);
    struct raw_packet raw = layers_raw(&l, 0);
    assert_int_equal(frame_decode(&raw, &p, &f), FRAME_PACKET);
    assert_int_equal(p.payload_len, 0);
    assert_int_equal(p.payload.n, 0);
    assert_int_equal(p.seq, 0x01020304);
    assert_int_equal(p.flags, TCP_ACK);
    assert_int_equal(p.window, 1000);
    assert_int_equal(p.ip_id, 0x1234);
}

static struct packet decode_l(const struct layers *l, uint32_t missing, enum frame_kind want)
{
    static struct packet p;
    struct fragment f;
    struct raw_packet raw = layers_raw(l, 0);
    raw.len += missing;
    assert_int_equal(frame_decode(&raw, &p, &f), want);
    return p;
}

static void ip_options_and_tcp_options_do_not_shift_ports(void **state)
{
    (void)state;
    struct layers l;
    layers_begin(&l, "x", 1);
    /* ports 4660 > 443, options: MSS 1460 and four no-ops */
    layers_hex(&l, "1234 01bb 00000001 00000002 7018 2000 0000 0000 020405b4 0101 0101");
    layers_hex(&l, "94040000"); /* router alert */
    layers_hex(&l, "46000035 0007 4000 3f06 0000 0a010001 0a020002");
    layers_ethernet(&l, 0x0800);
    struct packet p = decode_l(&l, 0, FRAME_PACKET);
    assert_endpoint(&p.src, src4, 0x1234);
    assert_endpoint(&p.dst, dst4, 443);
    assert_int_equal(p.tcp_options.n, 8);
    assert_int_equal(p.tcp_options.p[0], 2);
    assert_int_equal(p.flags, TCP_PSH | TCP_ACK);
    assert_true(p.df);
    assert_int_equal(p.ttl, 63);
    assert_payload(&p, "x");
}

static void total_length_zero_is_what_was_captured(void **state)
{
    (void)state;
    struct layers l;
    layers_begin(&l, "segment", 7);
    layers_tcp(&l, 1, 2, 3, TCP_ACK);
    layers_hex(&l, "45000000 0007 4000 4006 0000 0a010001 0a020002");
    layers_ethernet(&l, 0x0800);
    struct packet p = decode_l(&l, 0, FRAME_PACKET);
    assert_payload(&p, "segment");
    p = decode_l(&l, 100, FRAME_PACKET);
    assert_int_equal(p.payload.n, 7);
    assert_int_equal(p.payload_len, 107);
    assert_true(p.snapped);
}

static void a_snapped_tcp_header_still_shows_its_flags(void **state)
{
    (void)state;
    struct layers l;
    struct packet p;
    struct fragment f;
    layers_begin(&l, payload, PAYLOAD);
    layers_tcp(&l, 1, 2, 77, TCP_SYN);
    layers_ip4(&l, 6, src4, dst4);
    layers_ethernet(&l, 0x0800);
    struct raw_packet raw = layers_raw(&l, 0);
    raw.caplen = 14 + 20 + 14;
    assert_int_equal(frame_decode(&raw, &p, &f), FRAME_PACKET);
    assert_int_equal(p.flags, TCP_SYN);
    assert_int_equal(p.seq, 77);
    assert_int_equal(p.payload.n, 0);
    assert_int_equal(p.payload_len, PAYLOAD);
    assert_true(p.snapped);
    raw.caplen--;
    assert_int_equal(frame_decode(&raw, &p, &f), FRAME_BAD);
}

static void contradictions_are_bad(void **state)
{
    (void)state;
    static const char *const frames[] = {
        "44000028 0000 0000 4006 0000 0a010001 0a020002 00010002 00000000 00000000 50100000 "
        "00000000",
        "45000013 0000 0000 4006 0000 0a010001 0a020002 00010002 00000000 00000000 50100000 "
        "00000000",
        "55000028 0000 0000 4006 0000 0a010001 0a020002 00010002 00000000 00000000 50100000 "
        "00000000",
        /* data offset 4, and one beyond the segment */
        "45000028 0000 0000 4006 0000 0a010001 0a020002 00010002 00000000 00000000 40100000 "
        "00000000",
        "45000028 0000 0000 4006 0000 0a010001 0a020002 00010002 00000000 00000000 60100000 "
        "00000000",
        /* UDP length 7, and one beyond the datagram */
        "4500001c 0000 0000 4011 0000 0a010001 0a020002 00010002 0007 0000",
        "4500001c 0000 0000 4011 0000 0a010001 0a020002 00010002 0009 0000",
        /* a fragment that is not a multiple of eight, and one that ends beyond 65535 */
        "4500001b 0000 2000 4011 0000 0a010001 0a020002 01020304050607",
        "4500001c 0000 1fff 4011 0000 0a010001 0a020002 0102030405060708",
        /* ICMP without its header */
        "45000018 0000 0000 4001 0000 0a010001 0a020002 03030000",
    };
    struct layers l;
    for (size_t i = 0; i < sizeof frames / sizeof *frames; i++) {
        layers_begin(&l, "", 0);
        layers_hex(&l, frames[i]);
        layers_ethernet(&l, 0x0800);
        decode_l(&l, 0, FRAME_BAD);
    }
}

static void what_we_do_not_follow_is_other(void **state)
{
    (void)state;
    struct layers l;
    layers_begin(&l, payload, PAYLOAD);
    layers_ethernet(&l, 0x0806);
    decode_l(&l, 0, FRAME_OTHER);
    static const uint8_t protos[] = {2, 50, 89, 132};
    for (size_t i = 0; i < sizeof protos; i++) {
        layers_begin(&l, payload, PAYLOAD);
        layers_ip4(&l, protos[i], src4, dst4);
        layers_ethernet(&l, 0x0800);
        decode_l(&l, 0, FRAME_OTHER);
    }
    layers_begin(&l, "", 0);
    layers_ip6(&l, 59, src6, dst6);
    layers_ethernet(&l, 0x86dd);
    decode_l(&l, 0, FRAME_OTHER);
}

static void media_on_a_tunnel_port_stays_udp(void **state)
{
    (void)state;
    static const uint16_t ports[] = {4789, 4790, 8472, 6081, 2152};
    struct layers l;
    for (size_t i = 0; i < sizeof ports / sizeof *ports; i++) {
        layers_begin(&l, payload, PAYLOAD);
        layers_hex(&l, "8060 0001 00000010 01020304 00000000 00000000 00000000 00000000 00000000");
        layers_udp(&l, 1000, ports[i]);
        layers_ip4(&l, 17, src4, dst4);
        layers_ethernet(&l, 0x0800);
        struct packet p = decode_l(&l, 0, FRAME_PACKET);
        assert_endpoint(&p.dst, dst4, ports[i]);
        assert_int_equal(p.tunnels, 0);
        assert_int_equal(p.payload_len, 32 + PAYLOAD);
    }
}

static void endless_nesting_is_bad(void **state)
{
    (void)state;
    struct layers l;
    layers_begin(&l, payload, PAYLOAD);
    layers_udp(&l, 1, 2);
    layers_ip4(&l, 17, src4, dst4);
    for (int i = 0; i < FRAME_MAX_LAYERS; i++)
        layers_ip4(&l, 4, src4, dst4);
    layers_ethernet(&l, 0x0800);
    decode_l(&l, 0, FRAME_BAD);
}

static void an_icmp_error_quotes_the_syn(void **state)
{
    (void)state;
    struct layers l;
    layers_begin(&l, "", 0);
    layers_tcp(&l, 50000, 443, 0xdeadbeef, TCP_SYN);
    layers_ip4(&l, 6, src4, dst4);
    layers_hex(&l, "030d 0000 00000000");
    layers_ip4(&l, 1, tun_a, src4);
    layers_ethernet(&l, 0x0800);
    struct packet p = decode_l(&l, 0, FRAME_PACKET);
    assert_int_equal(p.proto, PROTO_ICMP);
    assert_int_equal(p.icmp_type, 3);
    assert_int_equal(p.icmp_code, 13);
    assert_endpoint(&p.src, tun_a, 0);
    assert_true(p.quoted.valid);
    assert_int_equal(p.quoted.proto, PROTO_TCP);
    assert_endpoint(&p.quoted.src, src4, 50000);
    assert_endpoint(&p.quoted.dst, dst4, 443);
    assert_int_equal(p.quoted.seq, 0xdeadbeef);
}

static void an_icmp6_error_quotes_udp_behind_extensions(void **state)
{
    (void)state;
    struct layers l;
    layers_begin(&l, payload, PAYLOAD);
    layers_udp(&l, 50000, 3478);
    layers_hex(&l, "1100 0104 00000000");
    layers_ip6(&l, 60, src6, dst6);
    layers_hex(&l, "0104 0000 00000000");
    layers_ip6(&l, 58, dst6, src6);
    layers_ethernet(&l, 0x86dd);
    struct packet p = decode_l(&l, 0, FRAME_PACKET);
    assert_int_equal(p.proto, PROTO_ICMP6);
    assert_int_equal(p.icmp_type, 1);
    assert_int_equal(p.icmp_code, 4);
    assert_true(p.quoted.valid);
    assert_int_equal(p.quoted.proto, PROTO_UDP);
    assert_endpoint(&p.quoted.src, src6, 50000);
    assert_endpoint(&p.quoted.dst, dst6, 3478);
    assert_int_equal(p.quoted.udp_payload.n, PAYLOAD);
    assert_memory_equal(p.quoted.udp_payload.p, payload, PAYLOAD);
}

static void an_echo_or_a_later_fragment_quotes_nothing(void **state)
{
    (void)state;
    struct layers l;
    layers_begin(&l, payload, PAYLOAD);
    layers_hex(&l, "0800 0000 00010001");
    layers_ip4(&l, 1, src4, dst4);
    layers_ethernet(&l, 0x0800);
    assert_false(decode_l(&l, 0, FRAME_PACKET).quoted.valid);
    layers_begin(&l, payload, PAYLOAD);
    layers_ip4_fragment(&l, 17, src4, dst4, 100);
    layers_hex(&l, "0301 0000 00000000");
    layers_ip4(&l, 1, dst4, src4);
    layers_ethernet(&l, 0x0800);
    assert_false(decode_l(&l, 0, FRAME_PACKET).quoted.valid);
}

static void fragments_tell_their_place(void **state)
{
    (void)state;
    struct layers l;
    struct packet p;
    struct fragment f;
    layers_begin(&l, "01234567", 8);
    layers_ip4_fragment(&l, 17, src4, dst4, 0x2000 | 185);
    layers_ethernet(&l, 0x0800);
    struct raw_packet raw = layers_raw(&l, 0);
    assert_int_equal(frame_decode(&raw, &p, &f), FRAME_FRAGMENT);
    assert_int_equal(f.offset, 1480);
    assert_true(f.more && !f.v6);
    assert_int_equal(f.id, 0x1234);
    assert_int_equal(f.proto, 17);
    assert_int_equal(f.data.n, 8);
    layers_begin(&l, "0123456", 7);
    layers_hex(&l, "1100 0008 89abcdef");
    layers_ip6(&l, 44, src6, dst6);
    layers_ethernet(&l, 0x86dd);
    raw = layers_raw(&l, 0);
    assert_int_equal(frame_decode(&raw, &p, &f), FRAME_FRAGMENT);
    assert_int_equal(f.offset, 8);
    assert_true(!f.more && f.v6);
    assert_int_equal(f.id, 0x89abcdef);
    assert_int_equal(f.data_len, 7);
}

static void an_atomic_fragment_is_a_packet(void **state)
{
    (void)state;
    struct layers l;
    layers_begin(&l, payload, PAYLOAD);
    layers_udp(&l, 1000, 2000);
    layers_hex(&l, "1100 0000 89abcdef");
    layers_ip6(&l, 44, src6, dst6);
    layers_ethernet(&l, 0x86dd);
    struct packet p = decode_l(&l, 0, FRAME_PACKET);
    assert_payload(&p, payload);
}

static void a_reassembled_datagram_may_be_a_tunnel(void **state)
{
    (void)state;
    struct layers l;
    struct packet p = {.tunnels = 0};
    struct fragment f = {.proto = 47}, inner;
    layers_begin(&l, payload, PAYLOAD);
    layers_udp(&l, 1000, 2000);
    layers_ip4(&l, 17, src4, dst4);
    layers_hex(&l, "0000 0800");
    assert_int_equal(frame_transport(&f, layers_slice(&l), &p, &inner), FRAME_PACKET);
    assert_endpoint(&p.dst, dst4, 2000);
    assert_int_equal(p.tunnels, 1);
    assert_payload(&p, payload);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_encapsulation_is_taken_off),
        cmocka_unit_test(no_cut_length_reads_too_far),
        cmocka_unit_test(ethernet_padding_is_no_payload),
        cmocka_unit_test(ip_options_and_tcp_options_do_not_shift_ports),
        cmocka_unit_test(total_length_zero_is_what_was_captured),
        cmocka_unit_test(a_snapped_tcp_header_still_shows_its_flags),
        cmocka_unit_test(contradictions_are_bad),
        cmocka_unit_test(what_we_do_not_follow_is_other),
        cmocka_unit_test(media_on_a_tunnel_port_stays_udp),
        cmocka_unit_test(endless_nesting_is_bad),
        cmocka_unit_test(an_icmp_error_quotes_the_syn),
        cmocka_unit_test(an_icmp6_error_quotes_udp_behind_extensions),
        cmocka_unit_test(an_echo_or_a_later_fragment_quotes_nothing),
        cmocka_unit_test(fragments_tell_their_place),
        cmocka_unit_test(an_atomic_fragment_is_a_packet),
        cmocka_unit_test(a_reassembled_datagram_may_be_a_tunnel),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* From a frame to a packet: every encapsulation, whole and cut at every length. */
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_encapsulation_is_taken_off),
        cmocka_unit_test(no_cut_length_reads_too_far),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* IP and what it carries: lengths, options, fragments, quotes, and what must not be believed. */
#include "capture/frame.h"

#include "tests/help/layers.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static const char payload[] = "edgewatch";
enum { PAYLOAD = sizeof payload - 1 };

static const char *const src4 = "10.1.0.1", *const dst4 = "10.2.0.2";
static const char *const src6 = "2001:db8::1", *const dst6 = "2001:db8::2";
static const char *const tun_a = "192.0.2.1";

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

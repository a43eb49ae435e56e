/* Which packets the kernel would hand over whole, cut or not at all: the program, run by libpcap's
 * own machine on packets made by hand. */
#include "capture/shed.h"

#include "tests/help/layers.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <pcap/pcap.h>

enum { WHOLE = 262144, DROP = 0 };
static const char *const relay4 = "10.3.0.40", *const peer4 = "1.1.1.1";
static const char *const a6 = "2001:db8::1", *const b6 = "2001:db8::2";
static struct shed_config c;
static struct layers l;
static uint8_t body[1000];

static int setup(void **state)
{
    (void)state;
    c = (struct shed_config){.linktype = 1,
                             .whole = WHOLE,
                             .cut = SHED_CUT,
                             .drop = DROP,
                             .relay_low = 50000,
                             .relay_high = 59999};
    shed_add_port(&c, 5061);
    shed_add_port(&c, 443);
    shed_add_relay(&c, 0x0a030028); /* 10.3.0.40 */
    memset(body, 0xa5, sizeof body);
    return 0;
}

static uint32_t run(const struct sock_filter *p, unsigned n)
{
    struct bpf_insn insns[2 * SHED_MOST];
    for (unsigned i = 0; i < n; i++)
        insns[i] = (struct bpf_insn){p[i].code, p[i].jt, p[i].jf, p[i].k};
    assert_true(bpf_validate(insns, (int)n));
    struct slice s = layers_slice(&l);
    return bpf_filter(insns, s.p, (unsigned)s.n, (unsigned)s.n);
}

static uint32_t kept(void)
{
    struct sock_filter p[SHED_MOST];
    unsigned n = shed_program(&c, p);
    assert_true(n > 10);
    return run(p, n);
}

static void ethernet(uint16_t type)
{
    if (c.linktype == 1)
        layers_ethernet(&l, type);
}

static void tcp(uint16_t from, uint16_t to, uint8_t flags, size_t n)
{
    layers_begin(&l, body, n);
    layers_tcp(&l, from, to, 1, flags);
    layers_ip4(&l, 6, relay4, peer4);
    ethernet(0x0800);
}

static void udp(uint16_t from, uint16_t to, uint8_t first)
{
    body[0] = first;
    layers_begin(&l, body, sizeof body);
    layers_udp(&l, from, to);
    layers_ip4(&l, 17, relay4, peer4);
    ethernet(0x0800);
}

static void signaling_and_turn_stay_whole(void **state)
{
    (void)state;
    tcp(40000, 5061, TCP_ACK, 1000);
    assert_int_equal(kept(), WHOLE);
    tcp(443, 40000, TCP_ACK, 1000);
    assert_int_equal(kept(), WHOLE);
    udp(443, 40000, 0xa5);
    assert_int_equal(kept(), WHOLE);
    tcp(50001, 50704, TCP_ACK, 1000);
    assert_int_equal(kept(), SHED_CUT);
    assert_true(shed_add_port(&c, 50704)); /* found to be signaling's */
    assert_false(shed_add_port(&c, 50704));
    assert_int_equal(kept(), WHOLE);
    c.n_relays = 0; /* SIP on a port that nobody named: its first bytes are to tell */
    tcp(40000, 6060, TCP_ACK, 1000);
    assert_int_equal(kept(), WHOLE);
    tcp(51234, 6060, TCP_ACK, 1000);
    assert_int_equal(kept(), WHOLE);
    tcp(6060, 51234, TCP_ACK, 1000);
    assert_int_equal(kept(), WHOLE);
}

static void control_segments_stay_whole(void **state)
{
    (void)state;
    c.drops = true;
    const uint8_t control[] = {TCP_SYN, TCP_FIN | TCP_ACK, TCP_RST, TCP_RST | TCP_ACK};
    for (unsigned i = 0; i < sizeof control; i++) {
        tcp(50001, 50704, control[i], 1000);
        assert_int_equal(kept(), WHOLE);
    }
    tcp(50001, 50704, TCP_ACK | TCP_PSH, 1000);
    assert_int_equal(kept(), DROP);
}

static void udp_is_judged_by_its_first_byte(void **state)
{
    (void)state;
    for (int drops = 0; drops < 2; drops++) {
        c.drops = drops;
        for (unsigned first = 0; first < 256; first++) {
            udp(50001, 50002, (uint8_t)first);
            uint32_t media = drops ? DROP : SHED_CUT;
            uint32_t want = first < 20    ? WHOLE
                            : first < 64  ? SHED_CUT
                            : first < 128 ? WHOLE
                                          : media;
            assert_int_equal(kept(), want);
        }
    }
    udp(50001, 4789, 0xff); /* a tunnel */
    assert_int_equal(kept(), WHOLE);
}

static void what_may_be_stun_over_tcp_stays_whole(void **state)
{
    (void)state;
    c.drops = true;
    body[2] = 0; /* behind a length: RFC 4571 */
    tcp(50001, 50704, TCP_ACK, 1000);
    assert_int_equal(kept(), WHOLE);
    body[2] = 0x80; /* RTP */
    tcp(50001, 50704, TCP_ACK, 1000);
    assert_int_equal(kept(), DROP);
    body[0] = 1; /* bare */
    tcp(50001, 50704, TCP_ACK, 1000);
    assert_int_equal(kept(), WHOLE);
}

static void only_a_relays_own_ports_are_dropped(void **state)
{
    (void)state;
    c.drops = true;
    tcp(49999, 50704, TCP_ACK, 1000); /* the relay's port is none of the range */
    assert_int_equal(kept(), SHED_CUT);
    tcp(60000, 50704, TCP_ACK, 1000);
    assert_int_equal(kept(), SHED_CUT);
    for (unsigned edge = 0; edge < 2; edge++) {
        tcp(edge ? 59999 : 50000, 1234, TCP_ACK, 1000);
        assert_int_equal(kept(), DROP);
    }
    layers_begin(&l, body, sizeof body); /* the other way */
    layers_tcp(&l, 1234, 50001, 1, TCP_ACK);
    layers_ip4(&l, 6, peer4, relay4);
    layers_ethernet(&l, 0x0800);
    assert_int_equal(kept(), DROP);
    c.n_relays = 0; /* nobody is known to be a relay */
    assert_int_equal(kept(), WHOLE);
    tcp(50001, 50704, TCP_ACK, 1000);
    assert_int_equal(kept(), SHED_CUT);
}

static void small_packets_and_pure_acks_stay_whole(void **state)
{
    (void)state;
    c.drops = true;
    tcp(50001, 50704, TCP_ACK, 0);
    assert_int_equal(kept(), WHOLE);
    tcp(50001, 50704, TCP_ACK, SHED_CUT - 54);
    assert_int_equal(kept(), WHOLE);
    tcp(50001, 50704, TCP_ACK, SHED_CUT - 53);
    assert_int_equal(kept(), DROP);
}

static void fragments_icmp_and_what_is_not_understood_stay_whole(void **state)
{
    (void)state;
    c.drops = true;
    const uint16_t fields[] = {0x2000, 0x0010, 0x2010};
    for (unsigned i = 0; i < 3; i++) {
        layers_begin(&l, body, sizeof body);
        layers_ip4_fragment(&l, 6, relay4, peer4, fields[i]);
        layers_ethernet(&l, 0x0800);
        assert_int_equal(kept(), WHOLE);
    }
    const uint8_t protos[] = {1, 4, 41, 47, 50, 132};
    for (unsigned i = 0; i < sizeof protos; i++) {
        layers_begin(&l, body, sizeof body);
        layers_ip4(&l, protos[i], relay4, peer4);
        layers_ethernet(&l, 0x0800);
        assert_int_equal(kept(), WHOLE);
    }
    const uint16_t types[] = {0x0806, 0x8100, 0x88a8, 0x8847, 0x8864};
    for (unsigned i = 0; i < sizeof types / sizeof *types; i++) {
        layers_begin(&l, body, sizeof body);
        layers_ethernet(&l, types[i]);
        assert_int_equal(kept(), WHOLE);
    }
}

static void ipv6(uint8_t next, uint16_t port)
{
    layers_begin(&l, body, sizeof body);
    if (next == 6)
        layers_tcp(&l, 50001, port, 1, TCP_ACK);
    else
        layers_udp(&l, 40000, port);
    layers_ip6(&l, next, a6, b6);
    ethernet(0x86dd);
}

static void ipv6_is_cut_but_never_dropped(void **state)
{
    (void)state;
    c.drops = true;
    ipv6(6, 5061);
    assert_int_equal(kept(), WHOLE);
    ipv6(6, 50704);
    assert_int_equal(kept(), SHED_CUT);
    ipv6(17, 50704);
    assert_int_equal(kept(), SHED_CUT);
    ipv6(44, 50704); /* fragment */
    assert_int_equal(kept(), WHOLE);
    ipv6(58, 50704);
    assert_int_equal(kept(), WHOLE);
}

static void raw_ip_is_the_same(void **state)
{
    (void)state;
    c.linktype = 12;
    tcp(40000, 5061, TCP_ACK, 1000);
    assert_int_equal(kept(), WHOLE);
    tcp(50001, 50704, TCP_ACK, 1000);
    assert_int_equal(kept(), SHED_CUT);
    ipv6(17, 50704);
    assert_int_equal(kept(), SHED_CUT);
    struct sock_filter p[SHED_MOST];
    c.linktype = 113; /* cooked: no header that the kernel's filter could see */
    assert_int_equal(shed_program(&c, p), 0);
}

static void it_stands_behind_the_users_filter(void **state)
{
    (void)state;
    struct sock_filter first[64], second[SHED_MOST], both[2 * SHED_MOST];
    struct bpf_program prog;
    pcap_t *dead = pcap_open_dead(DLT_EN10MB, WHOLE);
    assert_int_equal(pcap_compile(dead, &prog, "tcp port 50704 or vlan 7", 1, 0), 0);
    unsigned n = prog.bf_len;
    for (unsigned i = 0; i < n; i++)
        first[i] = (struct sock_filter){prog.bf_insns[i].code, prog.bf_insns[i].jt,
                                        prog.bf_insns[i].jf, prog.bf_insns[i].k};
    pcap_freecode(&prog);
    pcap_close(dead);
    unsigned m = shed_program(&c, second),
             all = shed_join(first, n, second, m, both, 2 * SHED_MOST);
    assert_int_equal(all, n + m);
    tcp(50001, 50704, TCP_ACK, 1000);
    assert_int_equal(run(both, all), SHED_CUT);
    tcp(50001, 50704, TCP_SYN, 1000);
    assert_int_equal(run(both, all), WHOLE);
    tcp(40000, 5061, TCP_ACK, 1000); /* signaling, but not wanted */
    assert_int_equal(run(both, all), 0);
    assert_int_equal(shed_join(first, n, second, m, both, n + m - 1), 0);
}

static void as_many_ports_and_relays_as_there_is_room(void **state)
{
    (void)state;
    for (uint16_t port = 1000; c.n_ports < SHED_PORTS; port++)
        assert_true(shed_add_port(&c, port));
    for (uint32_t a = 1; c.n_relays < SHED_RELAYS; a++)
        assert_true(shed_add_relay(&c, a));
    assert_false(shed_add_port(&c, 9999));
    assert_false(shed_add_relay(&c, 0xffffffff));
    c.drops = true;
    tcp(50001, 50704, TCP_ACK, 1000);
    assert_int_equal(kept(), DROP);
    tcp(50001, c.ports[SHED_PORTS - 1], TCP_ACK, 1000);
    assert_int_equal(kept(), WHOLE);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup(f, setup)
    const struct CMUnitTest tests[] = {
        T(signaling_and_turn_stay_whole),
        T(control_segments_stay_whole),
        T(udp_is_judged_by_its_first_byte),
        T(what_may_be_stun_over_tcp_stays_whole),
        T(only_a_relays_own_ports_are_dropped),
        T(small_packets_and_pure_acks_stay_whole),
        T(fragments_icmp_and_what_is_not_understood_stay_whole),
        T(ipv6_is_cut_but_never_dropped),
        T(raw_ip_is_the_same),
        T(it_stands_behind_the_users_filter),
        T(as_many_ports_and_relays_as_there_is_room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/*
 * Sources: whole files through threads and rings, merged by time, damaged, filtered, stopped; the
 * loopback interface live; and the frames of all real captures against what tshark counts.
 */
#include "capture/defrag.h"
#include "capture/source.h"

#include "tests/help/captures.h"
#include "tests/help/layers.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

static char dir[] = "/tmp/test_sources.XXXXXX";
static const struct source_options plain;

static int make_dir(void **state)
{
    (void)state;
    return mkdtemp(dir) ? 0 : -1;
}

static int drop_dir(void **state)
{
    char cmd[64];
    (void)state;
    snprintf(cmd, sizeof cmd, "rm -r %s", dir);
    return system(cmd);
}

static const char *in_dir(const char *name)
{
    static char path[2][256];
    static unsigned turn;
    char *p = path[turn++ % 2];
    snprintf(p, sizeof path[0], "%s/%s", dir, name);
    return p;
}

/* A little-endian microsecond pcap; its records are UDP to the port given, at the times given. */
static FILE *pcap_open_new(const char *name)
{
    static const uint32_t header[6] = {0xa1b2c3d4, 0x00040002, 0, 0, 65535, 1};
    FILE *f = fopen(in_dir(name), "wb");
    assert_non_null(f);
    fwrite(header, sizeof header, 1, f);
    return f;
}

static void pcap_add(FILE *f, uint32_t us, uint16_t port, size_t payload)
{
    static struct layers l;
    static const uint8_t zero[65000];
    layers_begin(&l, zero, payload);
    layers_udp(&l, 1000, port);
    layers_ip4(&l, 17, "10.0.0.1", "10.0.0.2");
    layers_ethernet(&l, 0x0800);
    struct slice s = layers_slice(&l);
    uint32_t h[4] = {us / 1000000, us % 1000000, (uint32_t)s.n, (uint32_t)s.n};
    fwrite(h, sizeof h, 1, f);
    fwrite(s.p, s.n, 1, f);
}

static void write_pcap(const char *name, const uint32_t *us, size_t n, uint16_t port)
{
    FILE *f = pcap_open_new(name);
    for (size_t i = 0; i < n; i++)
        pcap_add(f, us[i], port, 10);
    fclose(f);
}

static struct sources *start(const struct source_options *opt, const char *const *files, size_t n)
{
    struct sources *s = sources_new(opt);
    for (size_t i = 0; i < n; i++)
        if (sources_add_file(s, files[i]) != SOURCE_OK)
            fail_msg("%s", sources_error_text(s));
    assert_int_equal(sources_start(s), 0);
    return s;
}

static bool next(struct sources *s, struct packet *p)
{
    struct raw_packet raw;
    struct fragment f;
    tick_t idle;
    if (sources_next(s, 100, &raw, &idle) != PULL_PACKET)
        return false;
    assert_int_equal(frame_decode(&raw, p, &f), FRAME_PACKET);
    return true;
}

static void several_files_are_merged_by_time(void **state)
{
    (void)state;
    static const uint32_t a[] = {10, 40, 41, 70}, b[] = {20, 30, 50}, c[] = {5, 45, 90, 91};
    static const struct {
        uint32_t us;
        uint16_t port;
    } want[] = {{5, 3},  {10, 1}, {20, 2}, {30, 2}, {40, 1}, {41, 1},
                {45, 3}, {50, 2}, {70, 1}, {90, 3}, {91, 3}};
    char paths[3][256];
    write_pcap("a", a, 4, 1);
    write_pcap("b", b, 3, 2);
    write_pcap("c", c, 4, 3);
    for (int i = 0; i < 3; i++)
        snprintf(paths[i], sizeof paths[i], "%s/%c", dir, 'a' + i);
    /* in either order of the command line */
    for (int turn = 0; turn < 2; turn++) {
        const char *const files[3] = {paths[turn ? 2 : 0], paths[1], paths[turn ? 0 : 2]};
        struct sources *s = start(&plain, files, 3);
        struct packet p;
        const char *text;
        for (size_t i = 0; i < sizeof want / sizeof *want; i++) {
            assert_true(next(s, &p));
            assert_int_equal(p.time, want[i].us * TICK_US);
            assert_int_equal(p.dst.port, want[i].port);
        }
        assert_false(next(s, &p));
        assert_int_equal(sources_damage(s, &text), SOURCE_OK);
        assert_int_equal(sources_iface_count(s), 3);
        sources_free(s);
    }
}

static void within_a_file_its_own_order_stays(void **state)
{
    (void)state;
    static const uint32_t a[] = {100, 50, 60, 200};
    struct packet p;
    write_pcap("jump", a, 4, 1);
    const char *files[] = {in_dir("jump")};
    struct sources *s = start(&plain, files, 1);
    for (size_t i = 0; i < 4; i++) {
        assert_true(next(s, &p));
        assert_int_equal(p.time, a[i] * TICK_US);
    }
    sources_free(s);
}

/* Frames of every size up to the largest, many times the ring: each is carried over a batch's end
 * at some place, and the reader has to wait for us. */
static void frames_are_whole_across_batches(void **state)
{
    (void)state;
    struct packet p;
    FILE *f = pcap_open_new("big");
    for (uint32_t i = 0; i < 900; i++)
        pcap_add(f, i, (uint16_t)i, (i * 7919) % 64000);
    fclose(f);
    const char *files[] = {in_dir("big")};
    struct sources *s = start(&plain, files, 1);
    for (uint32_t i = 0; i < 900; i++) {
        assert_true(next(s, &p));
        assert_int_equal(p.dst.port, i);
        assert_int_equal(p.payload.n, (i * 7919) % 64000);
        for (size_t k = 0; k < p.payload.n; k += 997)
            assert_int_equal(p.payload.p[k], 0);
    }
    assert_false(next(s, &p));
    uint64_t done, total;
    struct source_counts c;
    sources_progress(s, &done, &total);
    assert_int_equal(done, total);
    sources_iface_counts(s, 0, &c);
    assert_int_equal(c.packets, 900);
    assert_int_equal(c.bytes, total - 24 - 900 * 16);
    assert_string_equal(sources_iface_name(s, 0), "big");
    sources_free(s);
}

static void a_cut_file_gives_what_is_before_and_says_where(void **state)
{
    (void)state;
    static const uint32_t a[] = {1, 2, 3};
    struct packet p;
    const char *text = "";
    write_pcap("cut", a, 3, 1);
    /* header 24, records of 16 + 52 */
    assert_int_equal(truncate(in_dir("cut"), 24 + 2 * 68 + 30), 0);
    const char *files[] = {in_dir("cut")};
    struct sources *s = start(&plain, files, 1);
    assert_true(next(s, &p));
    assert_true(next(s, &p));
    assert_false(next(s, &p));
    assert_int_equal(sources_damage(s, &text), SOURCE_BAD_INPUT);
    assert_non_null(strstr(text, "/cut: ends in the middle of the record at offset 160"));
    sources_free(s);
}

static void empty_and_foreign_files_are_bad_input(void **state)
{
    (void)state;
    static const struct {
        const char *name, *content, *want;
    } bad[] = {{"empty", "", "/empty: is empty"},
               {"text", "hello, world\n", "/text: is not a pcap or pcapng file"}};
    for (size_t i = 0; i < 2; i++) {
        FILE *f = fopen(in_dir(bad[i].name), "wb");
        fputs(bad[i].content, f);
        fclose(f);
        const char *files[] = {in_dir(bad[i].name)};
        struct sources *s = start(&plain, files, 1);
        struct packet p;
        const char *text = "";
        assert_false(next(s, &p));
        assert_int_equal(sources_damage(s, &text), SOURCE_BAD_INPUT);
        assert_non_null(strstr(text, bad[i].want));
        sources_free(s);
    }
}

static void what_cannot_be_opened_is_told_by_name(void **state)
{
    (void)state;
    struct sources *s = sources_new(&plain);
    assert_int_equal(sources_add_file(s, "/nowhere/x.pcap"), SOURCE_NOT_OPENED);
    assert_string_equal(sources_error_text(s), "/nowhere/x.pcap: No such file or directory");
    assert_int_equal(sources_add_file(s, dir), SOURCE_NOT_OPENED);
    assert_non_null(strstr(sources_error_text(s), "is not a file"));
    assert_int_equal(sources_add_interface(s, "nosuchif0"), SOURCE_NO_INTERFACE);
    assert_non_null(strstr(sources_error_text(s), "nosuchif0: "));
    sources_free(s);
}

static void a_filter_selects_frames_of_files(void **state)
{
    (void)state;
    struct source_options opt = {.filter = "udp port 7"};
    struct packet p;
    FILE *f = pcap_open_new("mix");
    for (uint32_t i = 0; i < 30; i++)
        pcap_add(f, i, (uint16_t)(5 + i % 3), 10);
    fclose(f);
    const char *files[] = {in_dir("mix")};
    struct sources *s = start(&opt, files, 1);
    struct source_counts c;
    for (uint32_t i = 0; i < 10; i++) {
        assert_true(next(s, &p));
        assert_int_equal(p.dst.port, 7);
    }
    assert_false(next(s, &p));
    sources_iface_counts(s, 0, &c);
    assert_int_equal(c.packets, 10);
    sources_free(s);
    opt.filter = "port beer";
    s = sources_new(&opt);
    assert_int_equal(sources_add_file(s, in_dir("mix")), SOURCE_BAD_FILTER);
    sources_free(s);
}

/* A pipe hands its frames out while it is still open, and stopping does not wait for its end. */
static void a_pipe_is_read_as_it_comes(void **state)
{
    (void)state;
    static const uint32_t a[] = {1, 2};
    struct packet p;
    write_pcap("fed", a, 2, 9);
    struct slice file = captures_read(in_dir("fed"));
    const char *fifo = in_dir("fifo");
    assert_int_equal(mkfifo(fifo, 0600), 0);
    FILE *feed = fopen(fifo, "r+b");
    fwrite(file.p, file.n, 1, feed);
    fflush(feed);
    struct sources *s = start(&plain, &fifo, 1);
    assert_true(next(s, &p));
    assert_true(next(s, &p));
    assert_int_equal(p.dst.port, 9);
    uint64_t done, total;
    sources_progress(s, &done, &total);
    assert_int_equal(total, 0);
    sources_stop(s);
    assert_false(next(s, &p));
    sources_free(s);
    fclose(feed);
    free((void *)(uintptr_t)file.p);
}

static void stopping_early_ends_without_damage(void **state)
{
    (void)state;
    struct packet p;
    const char *text, *files[] = {in_dir("big")};
    struct sources *s = start(&plain, files, 1);
    unsigned n = 0;
    assert_true(next(s, &p));
    sources_stop(s);
    while (next(s, &p))
        n++;
    assert_in_range(n, 0, 899);
    assert_int_equal(sources_damage(s, &text), SOURCE_OK);
    sources_free(s);
    sources_free(start(&plain, files, 1)); /* not even looked at */
}

static void send_udp(int fd, uint16_t port)
{
    struct sockaddr_in to = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    assert_int_equal(sendto(fd, "live", 4, 0, (struct sockaddr *)&to, sizeof to), 4);
}

/* True if a datagram to the port comes within two seconds or so. */
static bool comes(struct sources *s, uint16_t port)
{
    for (int i = 0; i < 20; i++) {
        struct raw_packet raw;
        struct packet p;
        struct fragment f;
        tick_t idle;
        while (sources_next(s, 100, &raw, &idle) == PULL_PACKET)
            if (frame_decode(&raw, &p, &f) == FRAME_PACKET && p.dst.port == port)
                return true;
    }
    return false;
}

static void the_loopback_interface_is_heard(void **state)
{
    (void)state;
    struct source_options opt = {.ring_mb = 2, .filter = "udp"};
    struct sources *s = sources_new(&opt);
    struct raw_packet raw;
    struct source_counts c;
    tick_t idle = TICK_NONE;
    if (sources_add_interface(s, "lo") != SOURCE_OK) {
        print_message("%s: skipped\n", sources_error_text(s));
        sources_free(s);
        skip();
    }
    assert_int_equal(sources_start(s), 0);
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    send_udp(fd, 40000);
    assert_true(comes(s, 40000));
    while (sources_next(s, 50, &raw, &idle) == PULL_PACKET)
        ;
    assert_true(idle > 1600000000 * TICK_S);
    send_udp(fd, 40001);
    assert_true(comes(s, 40001));
    sources_stop(s);
    while (sources_next(s, 50, &raw, &idle) != PULL_END)
        ;
    sources_iface_counts(s, 0, &c);
    assert_true(c.packets >= 2);
    assert_string_equal(sources_iface_name(s, 0), "lo");
    close(fd);
    sources_free(s);
}

/* Frames, then what frame_decode() and the defragmenter make of them. From tshark 4.0.17, default
 * preferences: number of frames with -Y "tcp && !icmp && !icmpv6",
 * "udp && !tcp && !icmp && !icmpv6", "icmp || icmpv6", "vlan". */
static const struct {
    const char *name;
    unsigned frames, tcp, udp, icmp, vlan;
} facts[] = {
    {"arkime__gre-erspan-vxlan.pcap", 7, 7, 0, 0, 0},
    {"arkime__gtp-iphone.pcap", 106, 58, 40, 8, 0},
    {"arkime__ospf.pcap", 394, 31, 7, 22, 0},
    {"arkime__stun-ice-testcall.pcap", 108, 0, 108, 0, 0},
    {"arkime__tcp_handshake_synthetic.pcap", 50, 50, 0, 0, 0},
    {"arkime__turn.pcap", 27, 27, 0, 0, 0},
    {"corelight__stun-malformed-error.pcap", 2, 0, 2, 0, 0},
    {"dnscap__sll2.pcap", 2, 0, 2, 0, 0},
    {"heplify__erspan_sip_ipv4_udp.pcapng", 140, 0, 140, 0, 0},
    {"heplify__ipv6_udp_fragmented.pcap", 6, 0, 3, 0, 0},
    {"heplify__sip_ipv4_tcp.pcap", 84, 16, 68, 0, 0},
    {"heplify__sip_ipv4_tcp_fragmented.pcap", 1542, 1542, 0, 0, 0},
    {"heplify__sip_ipv6_udp.pcap", 6, 0, 6, 0, 0},
    {"heplify__sip_tcp_websocket.pcap", 61, 33, 28, 0, 0},
    {"libtrace__100_packets.pcap", 100, 92, 7, 0, 0},
    {"mercury__capture2.pcap", 5617, 4019, 1523, 23,
     0}, /* tshark also opens Teredo: 1519 UDP, 29 ICMP */
    {"ndpi__1kxun.pcap", 1723, 1381, 342, 0, 0},
    {"ndpi__ip_fragmented_garbage.pcap", 1252, 2, 0, 0,
     0}, /* two more have a data offset below 20 */
    {"ndpi__lru_ipv6_caches.pcapng", 88, 9, 79, 0, 0},
    {"ndpi__sites.pcapng", 699, 693, 6, 0, 0},
    {"ndpi__stun.pcap", 201, 35, 165, 1, 15},
    {"ndpi__stun_dtls_rtp.pcapng", 102, 63, 39, 0, 0},
    {"ndpi__stun_signal.pcapng", 460, 0, 407, 53, 0},
    {"ndpi__stun_tcp_multiple_msgs_same_pkt.pcap", 5, 5, 0, 0, 0},
    {"ndpi__synscan.pcap", 2011, 2011, 0, 0, 0},
    {"ndpi__tcp_scan.pcapng", 30, 18, 0, 0, 0},
    {"ndpi__teams.pcap", 1540, 1317, 179, 2, 0},
    {"ndpi__tls_multiple_synack_different_seq.pcapng", 10, 10, 0, 0, 0},
    {"ndpi__vxlan.pcap", 127, 119, 8, 0, 127},
    {"pcapfs__feature_test.pcap", 58, 58, 0, 0, 0},
    {"pcapsql__tls12-dsb.pcapng", 17, 17, 0, 0, 0},
    {"pcpp__example.pcap", 4631, 4492, 139, 0, 0},
    {"pcpp__many_interfaces-1.pcapng", 64, 32, 32, 0, 0},
    {"pcpp__nanosecs_big_endian.pcap", 10, 10, 0, 0, 0},
    {"pcpp__raw_ip.pcap", 100, 92, 8, 0, 0},
    {"pcpp__sll.pcap", 518, 483, 28, 0, 0},
    {"sngrep__aaa.pcap", 691, 57, 590, 0, 0},
    {"sngrep__ipip.pcap", 4, 4, 0, 0, 0},
    {"sngrep__ipv6frag.pcap", 34, 0, 32, 0, 0},
    {"suricata__null-http-range.pcap", 614, 614, 0, 0, 0},
    {"suricata__sip-tcp.pcap", 11, 11, 0, 0, 0},
    {"tcpdump__heapoverflow-tcp_print.pcap", 1, 1, 0, 0, 0},
    {"tcpdump__ipv4_tcp_http_xml_tso.pcap", 1, 1, 0, 0, 0},
    {"wireshark__rsasnakeoil2.pcap", 58, 58, 0, 0, 0},
    {"zeek__fragmented-syn.pcap", 2, 1, 0, 0, 0},
    {"zeek__handshake-reorder.pcap", 14, 14, 0, 0, 0},
    {"zeek__http-qinq-0.pcap", 14, 14, 0, 0, 0}, /* both tags of all 14 say VLAN 0 */
    {"zeek__mixed-vlan-mpls.pcap", 47, 47, 0, 0, 14},
    {"zeek__nmap-vsn.pcap", 547, 32, 12, 0, 0},
    {"zeek__pcapng-multi-interface.pcapng", 6, 0, 6, 0, 0},
    {"zeek__pppoe-over-qinq.pcap", 86, 86, 0, 0, 86},
    {"zeek__rst-inject-rae.pcap", 9, 9, 0, 0, 0},
    {"zeek__sip-invalid-content-length.pcap", 2, 0, 2, 0, 0},
    {"zeek__syn-then-rst.pcap", 2, 2, 0, 0, 0},
    {"zeek__tcp-reassembly.pcap", 117, 117, 0, 0, 0},
};

static void real_captures_decode_as_tshark_counts(void **state)
{
    (void)state;
    if (!captures_dir()) {
        print_message("no captures: skipped\n");
        skip();
    }
    for (size_t i = 0; i < sizeof facts / sizeof *facts; i++) {
        const char *file = captures_path(facts[i].name), *text = "";
        struct sources *s = start(&plain, &file, 1);
        struct defrag *d = defrag_new(1);
        struct raw_packet raw;
        struct packet p;
        struct fragment f;
        struct slice whole;
        tick_t idle;
        unsigned frames = 0, tcp = 0, udp = 0, icmp = 0, vlan = 0;
        while (sources_next(s, 100, &raw, &idle) == PULL_PACKET) {
            enum frame_kind kind = frame_decode(&raw, &p, &f);
            frames++;
            vlan += p.vlan > 0;
            while (kind == FRAME_FRAGMENT && defrag_add(d, &f, raw.time, &whole))
                kind = frame_transport(&f, whole, &p, &f);
            if (kind == FRAME_PACKET) {
                tcp += p.proto == PROTO_TCP;
                udp += p.proto == PROTO_UDP;
                icmp += p.proto == PROTO_ICMP || p.proto == PROTO_ICMP6;
            }
        }
        if (frames != facts[i].frames || tcp != facts[i].tcp || udp != facts[i].udp ||
            icmp != facts[i].icmp || vlan != facts[i].vlan)
            fail_msg("%s: frames %u tcp %u udp %u icmp %u vlan %u", facts[i].name, frames, tcp, udp,
                     icmp, vlan);
        if (sources_damage(s, &text) != SOURCE_OK)
            fail_msg("%s", text);
        defrag_free(d);
        sources_free(s);
    }
}

static void interfaces_of_a_pcapng_are_told_apart(void **state)
{
    (void)state;
    if (!captures_dir()) {
        print_message("no captures: skipped\n");
        skip();
    }
    const char *file = captures_path("ndpi__sites.pcapng");
    struct sources *s = start(&plain, &file, 1);
    struct packet p;
    uint64_t packets = 0;
    while (next(s, &p))
        assert_in_range(p.iface, 0, 21);
    assert_int_equal(sources_iface_count(s), 22); /* tshark -z: 22 interfaces in use */
    for (unsigned i = 0; i < 22; i++) {
        struct source_counts c;
        sources_iface_counts(s, i, &c);
        assert_true(c.packets > 0);
        packets += c.packets;
    }
    assert_int_equal(packets, 699);
    sources_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(several_files_are_merged_by_time),
        cmocka_unit_test(within_a_file_its_own_order_stays),
        cmocka_unit_test(frames_are_whole_across_batches),
        cmocka_unit_test(a_cut_file_gives_what_is_before_and_says_where),
        cmocka_unit_test(empty_and_foreign_files_are_bad_input),
        cmocka_unit_test(what_cannot_be_opened_is_told_by_name),
        cmocka_unit_test(a_filter_selects_frames_of_files),
        cmocka_unit_test(a_pipe_is_read_as_it_comes),
        cmocka_unit_test(stopping_early_ends_without_damage),
        cmocka_unit_test(the_loopback_interface_is_heard),
        cmocka_unit_test(real_captures_decode_as_tshark_counts),
        cmocka_unit_test(interfaces_of_a_pcapng_are_told_apart),
    };
    return cmocka_run_group_tests(tests, make_dir, drop_dir);
}

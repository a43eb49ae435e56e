/* Which packets are the same packet seen twice, and which only look like it. */
#include "capture/dedup.h"

#include "tests/help/layers.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static const char *const a4 = "10.1.0.1", *const b4 = "10.2.0.2";
static const char *const a6 = "2001:db8::1", *const b6 = "2001:db8::2";

static struct dedup *d;

static int setup(void **state)
{
    (void)state;
    d = dedup_new(0x1234567);
    return d ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    dedup_free(d);
    return 0;
}

static bool seen(const struct layers *l, tick_t time)
{
    struct packet p;
    struct fragment f;
    struct raw_packet raw = layers_raw(l, time);
    assert_int_equal(frame_decode(&raw, &p, &f), FRAME_PACKET);
    return dedup_seen(d, &p);
}

static void tcp4(struct layers *l, const char *payload, uint32_t seq, uint8_t flags)
{
    layers_begin(l, payload, strlen(payload));
    layers_tcp(l, 50000, 443, seq, flags);
    layers_ip4(l, 6, a4, b4);
}

static void tcp6(struct layers *l, const char *payload, uint32_t seq, uint8_t flags)
{
    layers_begin(l, payload, strlen(payload));
    layers_tcp(l, 50000, 443, seq, flags);
    layers_ip6(l, 6, a6, b6);
    layers_ethernet(l, 0x86dd);
}

static void a_copy_is_seen_within_the_window_only(void **state)
{
    (void)state;
    struct layers l;
    tcp4(&l, "data", 1, TCP_ACK);
    layers_ethernet(&l, 0x0800);
    assert_false(seen(&l, 1000 * TICK_S));
    assert_true(seen(&l, 1000 * TICK_S + DEDUP_WINDOW));
    assert_false(seen(&l, 1000 * TICK_S + 2 * DEDUP_WINDOW));
}

static void a_copy_that_is_stamped_earlier_is_one_too(void **state)
{
    (void)state;
    struct layers l;
    tcp4(&l, "data", 1, TCP_ACK);
    layers_ethernet(&l, 0x0800);
    assert_false(seen(&l, TICK_S));
    assert_true(seen(&l, TICK_S - TICK_MS));
}

static void vlan_ttl_checksum_and_tunnel_do_not_matter(void **state)
{
    (void)state;
    struct layers l;
    tcp4(&l, "data", 1, TCP_ACK);
    layers_ethernet(&l, 0x0800);
    assert_false(seen(&l, 0));
    tcp4(&l, "data", 1, TCP_ACK);
    layers_hex(&l, "0064 0800");
    layers_ethernet(&l, 0x8100);
    assert_true(seen(&l, 1));
    tcp4(&l, "data", 1, TCP_ACK);
    l.room[l.at + 8] = 63;    /* TTL */
    l.room[l.at + 10] = 0x77; /* checksum */
    layers_ethernet(&l, 0x0800);
    assert_true(seen(&l, 2));
    tcp4(&l, "data", 1, TCP_ACK);
    layers_hex(&l, "0000 0800");
    layers_ip4(&l, 47, "192.0.2.1", "192.0.2.2");
    layers_ethernet(&l, 0x0800);
    assert_true(seen(&l, 3));
}

/* Every field that tells two packets apart, changed alone. */
static void a_difference_anywhere_is_another_packet(void **state)
{
    (void)state;
    static const struct {
        size_t at; /* in the IPv4 packet */
        const char *what;
    } bytes[] = {
        {5, "identification"}, {15, "source"},     {19, "destination"}, {21, "source port"},
        {23, "port"},          {27, "sequence"},   {31, "ack"},         {33, "flags"},
        {35, "window"},        {40, "first byte"}, {103, "64th byte"},
    };
    char payload[80];
    struct layers l;
    memset(payload, 'x', sizeof payload - 1);
    payload[sizeof payload - 1] = 0;
    tcp4(&l, payload, 1, TCP_ACK);
    layers_ethernet(&l, 0x0800);
    assert_false(seen(&l, 0));
    for (size_t i = 0; i < sizeof bytes / sizeof *bytes; i++) {
        tcp4(&l, payload, 1, TCP_ACK);
        l.room[l.at + bytes[i].at] ^= 8;
        layers_ethernet(&l, 0x0800);
        if (seen(&l, 1))
            fail_msg("%s", bytes[i].what);
    }
    tcp4(&l, payload + 1, 1, TCP_ACK);
    layers_ethernet(&l, 0x0800);
    assert_false(seen(&l, 1));
}

static void options_tell_segments_apart(void **state)
{
    (void)state;
    struct layers l;
    for (int i = 0; i < 2; i++) {
        layers_begin(&l, "", 0);
        layers_hex(&l, i ? "0101080a 00000002 00000001" : "0101080a 00000001 00000001");
        layers_tcp(&l, 1, 2, 3, TCP_ACK);
        l.room[l.at + 12] = 8 << 4;
        layers_ip4(&l, 6, a4, b4);
        layers_ethernet(&l, 0x0800);
        assert_false(seen(&l, 0));
    }
    assert_true(seen(&l, 1));
}

static void repeated_acks_without_identification_are_no_copies(void **state)
{
    (void)state;
    struct layers l;
    tcp6(&l, "", 7, TCP_ACK);
    assert_false(seen(&l, 0));
    assert_false(seen(&l, 1));
    assert_false(seen(&l, 2));
}

static void handshake_packets_of_ipv6_are_told(void **state)
{
    (void)state;
    static const uint8_t flags[] = {TCP_SYN, TCP_SYN | TCP_ACK, TCP_RST | TCP_ACK};
    struct layers l;
    for (size_t i = 0; i < sizeof flags; i++) {
        tcp6(&l, "", 7, flags[i]);
        assert_false(seen(&l, 0));
        assert_true(seen(&l, 1));
    }
}

static void a_retransmitted_syn_is_another_packet(void **state)
{
    (void)state;
    struct layers l;
    tcp6(&l, "", 7, TCP_SYN);
    assert_false(seen(&l, 0));
    assert_false(seen(&l, 200 * TICK_MS));
    assert_false(seen(&l, 1000 * TICK_MS));
}

/* At a million packets a second ten thousand are in the window: their copies must be found. */
static void copies_are_found_among_many(void **state)
{
    (void)state;
    struct layers l;
    unsigned found = 0, wrong = 0;
    for (unsigned pass = 0; pass < 2; pass++)
        for (uint32_t i = 0; i < 4000; i++) {
            tcp4(&l, "data", i, TCP_ACK);
            layers_ethernet(&l, 0x0800);
            bool copy = seen(&l, pass * 4 * TICK_MS + i * TICK_US);
            found += pass && copy;
            wrong += !pass && copy;
        }
    assert_int_equal(wrong, 0);
    assert_in_range(found, 3990, 4000); /* a fifth packet in a line pushes one out: very rare */
}

/* More packets within one window than the first table has entries, and all of them again. */
static void nobody_is_forgotten_within_the_window(void **state)
{
    (void)state;
    enum { PACKETS = 6000 };
    struct layers l;
    for (int again = 0; again < 2; again++)
        for (uint32_t i = 0; i < PACKETS; i++) {
            tcp4(&l, "data", i, TCP_ACK);
            layers_ethernet(&l, 0x0800);
            if (seen(&l, TICK_S) != (again == 1))
                fail_msg("packet %u, round %d", i, again);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_copy_is_seen_within_the_window_only, setup, teardown),
        cmocka_unit_test_setup_teardown(nobody_is_forgotten_within_the_window, setup, teardown),
        cmocka_unit_test_setup_teardown(a_copy_that_is_stamped_earlier_is_one_too, setup, teardown),
        cmocka_unit_test_setup_teardown(vlan_ttl_checksum_and_tunnel_do_not_matter, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_difference_anywhere_is_another_packet, setup, teardown),
        cmocka_unit_test_setup_teardown(options_tell_segments_apart, setup, teardown),
        cmocka_unit_test_setup_teardown(repeated_acks_without_identification_are_no_copies, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(handshake_packets_of_ipv6_are_told, setup, teardown),
        cmocka_unit_test_setup_teardown(a_retransmitted_syn_is_another_packet, setup, teardown),
        cmocka_unit_test_setup_teardown(copies_are_found_among_many, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Synthetic headers, byte by byte as RFC 791, RFC 9293 and RFC 7323 want them. */
#include "flows/synth.h"

#include "capture/frame.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void test_data_segment(void **state)
{
    (void)state;
    struct synth s = {.stream = 0x010203,
                      .from_client = true,
                      .flags = TCP_ACK,
                      .seq = 0x11223344,
                      .ack = 0x55667788};
    static const uint8_t want[40] = {
        0x45, 0,    0,    140, 0,    0,    0,    0,    64,   6,    0,    0, /* 140 bytes, no
                                                                               fragment, TCP */
        0xf0, 1,    2,    3,   255,  255,  255,  254, /* 240.1.2.3 to 255.255.255.254 */
        4,    0,    4,    1,   0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88, 0x50,
        0x10, 0xff, 0xff, 0,   0,    0,    0, /* 20 bytes, ACK, window 65535 */
    };
    uint8_t out[SYNTH_HEADERS_MAX];
    assert_int_equal(synth_headers(&s, 100, out), 40);
    assert_memory_equal(out, want, 40);
}

static void test_syn_announces_window_scale_14(void **state)
{
    (void)state;
    struct synth s = {.stream = 1, .from_client = true, .flags = TCP_SYN, .seq = 9};
    static const uint8_t end[12] = {0x60, 0x02, 0xff, 0xff, 0, 0, 0, 0, 1, 3, 3, 14};
    uint8_t out[SYNTH_HEADERS_MAX];
    assert_int_equal(synth_headers(&s, 0, out), 44);
    assert_int_equal(out[3], 44);
    assert_memory_equal(out + 32, end, 12);
}

static void test_server_segment_has_the_ends_swapped(void **state)
{
    (void)state;
    struct synth s = {.stream = SYNTH_STREAMS_MAX, .flags = TCP_ACK};
    static const uint8_t ends[12] = {255, 255, 255, 254, 255, 255, 255, 253, 4, 1, 4, 0};
    uint8_t out[SYNTH_HEADERS_MAX];
    synth_headers(&s, 0, out);
    assert_memory_equal(out + 12, ends, 12);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_data_segment),
        cmocka_unit_test(test_syn_announces_window_scale_14),
        cmocka_unit_test(test_server_segment_has_the_ends_swapped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

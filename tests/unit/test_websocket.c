/* WebSocket frames (examples of RFC 6455 §5.7) and upgrades (RFC 7118 §8). */
#include "flows/wire/websocket.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#include "tests/help/text.h"

#define MAX 70000

static const char request[] = "GET / HTTP/1.1\r\n"
                              "Host: sip-ws.example.com\r\n"
                              "Upgrade: websocket\r\n"
                              "Connection: Upgrade\r\n"
                              "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
                              "Sec-WebSocket-Protocol: sip\r\n"
                              "Sec-WebSocket-Version: 13\r\n\r\n";

static const char response[] = "HTTP/1.1 101 Switching Protocols\r\n"
                               "upgrade: foo, WebSocket\r\n"
                               "Connection: Upgrade\r\n"
                               "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"
                               "Sec-WebSocket-Protocol: sip\r\n\r\n";

static void upgrade_at_every_length(const char *head, bool client)
{
    for (size_t n = 0; n <= strlen(head); n++) {
        struct slice in = text_cut(head, n);
        size_t size = 77;
        bool whole = n == strlen(head);
        assert_int_equal(websocket_upgrade(in, client, &size, NULL), whole ? WIRE_OK : WIRE_MORE);
        assert_int_equal(size, whole ? n : 77);
        text_free(in);
    }
}

static void upgrades_are_recognised(void **state)
{
    size_t size = 0;
    (void)state;
    upgrade_at_every_length(request, true);
    upgrade_at_every_length(response, false);
    assert_int_equal(websocket_upgrade(slice_str("HTTP/1.1 101 x\nUpgrade:websocket\n\n\x81"),
                                       false, &size, NULL),
                     WIRE_OK);
    assert_int_equal(size, 34);
}

static void other_http_is_no_upgrade(void **state)
{
    static const struct {
        const char *head;
        bool client;
    } cases[] = {
        {"GET / HTTP/1.1\r\nHost: a\r\n\r\n", true},
        {"GET / HTTP/1.1\r\nUpgrade: h2c\r\n\r\n", true},
        {"GET / HTTP/1.1\r\nUpgrade: websockets\r\n\r\n", true},
        {"POST / HTTP/1.1\r\n", true},
        {"HTTP/1.1 200 OK\r\nUpgrade: websocket\r\n\r\n", false},
        {"HTTP/1.1 101 x\r\nUpgrade: websocket\r\n\r\n", true},
        {"GE\r\n", true},
        {"GX", true},
        {"\r\n", true},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct slice in = text_on_guard(cases[i].head);
        struct wire_fault fault = {0};
        size_t size = 77;
        assert_int_equal(websocket_upgrade(in, cases[i].client, &size, &fault), WIRE_BAD);
        assert_non_null(fault.reason);
        assert_int_equal(size, 77);
        text_free(in);
    }
}

static void an_endless_http_head_is_refused(void **state)
{
    static char head[20000];
    size_t size;
    (void)state;
    memset(head, 'x', sizeof head);
    memcpy(head, "GET ", 4);
    assert_int_equal(websocket_upgrade(slice_of(head, 16384), true, &size, NULL), WIRE_MORE);
    assert_int_equal(websocket_upgrade(slice_of(head, sizeof head), true, &size, NULL), WIRE_BAD);
}

static struct websocket_frame frame_at_every_length(const uint8_t *bytes, size_t size)
{
    struct websocket_frame f = {.opcode = 99};
    for (size_t n = 0; n < size; n++) {
        struct slice in = slice_of(guard_copy(bytes, n), n);
        assert_int_equal(websocket_parse(in, MAX, &f, NULL), WIRE_MORE);
        assert_int_equal(f.opcode, 99);
        text_free(in);
    }
    assert_int_equal(websocket_parse(slice_of(bytes, size), MAX, &f, NULL), WIRE_OK);
    assert_int_equal(f.size, size);
    return f;
}

static void the_examples_of_rfc_6455(void **state)
{
    static const uint8_t plain[] = {0x81, 0x05, 0x48, 0x65, 0x6c, 0x6c, 0x6f};
    static const uint8_t masked[] = {0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d,
                                     0x7f, 0x9f, 0x4d, 0x51, 0x58};
    static const uint8_t first[] = {0x01, 0x03, 0x48, 0x65, 0x6c};
    static const uint8_t last[] = {0x80, 0x02, 0x6c, 0x6f};
    static const uint8_t ping[] = {0x89, 0x05, 0x48, 0x65, 0x6c, 0x6c, 0x6f};
    uint8_t text[5];
    (void)state;

    struct websocket_frame f = frame_at_every_length(plain, sizeof plain);
    assert_true(f.fin && !f.masked && f.opcode == 1);
    websocket_unmask(&f, text);
    assert_memory_equal(text, "Hello", 5);

    f = frame_at_every_length(masked, sizeof masked);
    assert_true(f.fin && f.masked && f.opcode == 1);
    websocket_unmask(&f, text);
    assert_memory_equal(text, "Hello", 5);

    f = frame_at_every_length(first, sizeof first);
    assert_true(!f.fin && f.opcode == 1);
    assert_text(f.payload, "Hel");
    f = frame_at_every_length(last, sizeof last);
    assert_true(f.fin && f.opcode == 0);
    assert_text(f.payload, "lo");
    f = frame_at_every_length(ping, sizeof ping);
    assert_int_equal(f.opcode, 9);
}

static void long_lengths(void **state)
{
    static uint8_t bytes[10 + 65536] = {0x82, 0x7e, 0x01, 0x00};
    struct websocket_frame f;
    (void)state;
    assert_int_equal(websocket_parse(slice_of(bytes, 4 + 256), MAX, &f, NULL), WIRE_OK);
    assert_int_equal(f.payload.n, 256);
    assert_int_equal(f.size, 260);

    memcpy(bytes, "\x82\x7f\0\0\0\0\0\1\0\0", 10);
    assert_int_equal(websocket_parse(slice_of(bytes, sizeof bytes), MAX, &f, NULL), WIRE_OK);
    assert_int_equal(f.payload.n, 65536);
    assert_int_equal(websocket_parse(slice_of(bytes, 9), MAX, &f, NULL), WIRE_MORE);
    assert_int_equal(websocket_parse(slice_of(bytes, sizeof bytes), 65535, &f, NULL), WIRE_BAD);
    memset(bytes + 2, 0xff, 8);
    assert_int_equal(websocket_parse(slice_of(bytes, 10), MAX, &f, NULL), WIRE_BAD);
}

static void bad_frames(void **state)
{
    static const struct {
        const char *bytes;
        size_t n;
    } cases[] = {
        {"\xc1", 1},             /* reserved bit: compressed */
        {"\x83", 1},             /* opcode 3 */
        {"\x8b", 1},             /* opcode 11 */
        {"\x09\x00", 2},         /* ping in pieces */
        {"\x88\x7e\x00\x80", 4}, /* long close */
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct slice in = text_cut(cases[i].bytes, cases[i].n);
        struct websocket_frame f = {.opcode = 99};
        struct wire_fault fault = {0};
        assert_int_equal(websocket_parse(in, MAX, &f, &fault), WIRE_BAD);
        assert_non_null(fault.reason);
        assert_int_equal(f.opcode, 99);
        text_free(in);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(upgrades_are_recognised),
        cmocka_unit_test(other_http_is_no_upgrade),
        cmocka_unit_test(an_endless_http_head_is_refused),
        cmocka_unit_test(the_examples_of_rfc_6455),
        cmocka_unit_test(long_lengths),
        cmocka_unit_test(bad_frames),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

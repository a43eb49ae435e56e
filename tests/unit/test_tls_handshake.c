/* TLS handshake messages (RFC 5246, RFC 8446), on a guard page and cut at every length. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "flows/wire/keylog.h"
#include "flows/wire/tls_handshake.h"
#include "tests/help/guard.h"
#include "tests/help/stun_make.h"

#define T(f) cmocka_unit_test(f)

struct octets {
    uint8_t b[1024];
    size_t n;
};

static struct octets octets(const char *hex)
{
    struct octets o;
    o.n = octets_of(hex, o.b, sizeof o.b);
    return o;
}

/* A copy right before the guard page; the caller frees it. */
static struct slice guarded(const char *hex)
{
    struct octets o = octets(hex);
    return slice_of(guard_copy(o.b, o.n), o.n);
}

static void done(struct slice s)
{
    guard_free((uint8_t *)(uintptr_t)s.p, s.n);
}

static bool is(struct slice s, const char *text)
{
    return slice_eq(s, slice_str(text));
}

#define RANDOM "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"

/* RFC 8448 section 3: the first ClientHello (server name "server", one suite of TLS 1.3 first). */
static const char rfc8448_client_hello[] =
    "0303cb34ecb1e78163ba1c38c6dacb196a6dffa21a8d9912ec18a2ef6283024dece7000006130113031302010000"
    "910000000b0009000006736572766572ff01000100000a00140012001d0017001800190100010101020103010400"
    "230000003300260024001d002099381de560e4bd43d23d8e435a7dbafeb3c06e51c13cae4d5413691e529aaf2c00"
    "2b0003020304000d0020001e040305030603020308040805080604010501060102010402050206020202002d0002"
    "0101001c00024001";

static void client_hello_of_rfc_8448(void **state)
{
    (void)state;
    struct slice in = guarded(rfc8448_client_hello);
    struct tls_hello h;
    assert_int_equal(tls_client_hello_parse(in, &h, NULL), WIRE_OK);
    assert_int_equal(h.version, TLS_13);
    assert_int_equal(h.random[0], 0xcb);
    assert_int_equal(h.session.n, 0);
    assert_int_equal(h.suites.n, 6);
    assert_int_equal(be16(h.suites.p), 0x1301);
    assert_true(is(h.sni, "server"));
    assert_int_equal(h.alpn.n, 0);
    assert_false(h.psk || h.early_data || h.extended_master || h.encrypt_then_mac);
    done(in);
}

/* ... and its ServerHello */
static void server_hello_of_rfc_8448(void **state)
{
    (void)state;
    struct slice in =
        guarded("0303a6af06a4121860dc5e6e60249cd34c95930c8ac5cb1434dac155772ed3e2692800130100002e00"
                "330024001d"
                "0020c9828876112095fe66762bdbf7c672e156d6cc253b833df1dd69b1b04e751f0f002b00020304");
    struct tls_hello h;
    assert_int_equal(tls_server_hello_parse(in, &h, NULL), WIRE_OK);
    assert_int_equal(h.version, TLS_13);
    assert_int_equal(be16(h.suites.p), 0x1301);
    assert_false(h.retry);
    done(in);
}

static void a_retry_is_known_by_its_random(void **state)
{
    (void)state;
    struct slice in = guarded("0303cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c"
                              "00130100000c002b00020304003300020018");
    struct tls_hello h;
    assert_int_equal(tls_server_hello_parse(in, &h, NULL), WIRE_OK);
    assert_true(h.retry);
    done(in);
}

static void extensions_of_tls_12(void **state)
{
    (void)state;
    /* ticket of 4 bytes, EtM, EMS, ALPN sip/2 */
    struct slice in =
        guarded("0303" RANDOM "02aabb0004002f00350100"
                "001d 0023000401020304 00160000 00170000 00100009 0007 06 7369702f322e"
                "");
    struct tls_hello h;
    assert_int_equal(tls_client_hello_parse(in, &h, NULL), WIRE_OK);
    assert_int_equal(h.version, TLS_12);
    assert_int_equal(h.session.n, 2);
    assert_int_equal(h.ticket.n, 4);
    assert_true(h.encrypt_then_mac && h.extended_master);
    assert_true(is(h.alpn, "sip/2."));
    done(in);
}

static void a_hello_without_extensions(void **state)
{
    (void)state;
    struct slice in = guarded("0300" RANDOM "000002000a0100");
    struct tls_hello h;
    assert_int_equal(tls_client_hello_parse(in, &h, NULL), WIRE_OK);
    assert_int_equal(h.version, SSL_30);
    done(in);
}

/* GREASE is not a version, drafts neither. */
static void unknown_versions_are_passed_over(void **state)
{
    (void)state;
    struct slice in = guarded("0303" RANDOM "000002002f0100 000b 002b0007 06 7a7a 7f1c 0303");
    struct tls_hello h;
    assert_int_equal(tls_client_hello_parse(in, &h, NULL), WIRE_OK);
    assert_int_equal(h.version, TLS_12);
    done(in);
}

/* Whatever is cut off a hello: BAD, never a read too far; the output stays as it was. */
static void a_cut_hello_is_bad(void **state)
{
    (void)state;
    struct octets o = octets(rfc8448_client_hello);
    size_t without_extensions = 2 + 32 + 1 + 2 + 6 + 2;
    for (size_t n = 0; n < o.n; n++) {
        struct tls_hello h = {.compression = 77};
        uint8_t *copy = guard_copy(o.b, n);
        enum wire_result r = tls_client_hello_parse(slice_of(copy, n), &h, NULL);
        assert_int_equal(r, n == without_extensions ? WIRE_OK : WIRE_BAD);
        assert_true(r == WIRE_OK || h.compression == 77);
        guard_free(copy, n);
    }
}

static void a_message_waits_for_its_end(void **state)
{
    (void)state;
    struct octets o = octets("0b00000705010203040506ff");
    struct tls_message m;
    for (size_t n = 0; n < 11; n++) {
        uint8_t *copy = guard_copy(o.b, n);
        assert_int_equal(tls_message_parse(slice_of(copy, n), &m, NULL), WIRE_MORE);
        guard_free(copy, n);
    }
    assert_int_equal(tls_message_parse(slice_of(o.b, o.n), &m, NULL), WIRE_OK);
    assert_int_equal(m.type, TLS_CERTIFICATES);
    assert_int_equal(m.size, 11);
    o = octets("17000001");
    assert_int_equal(tls_message_parse(slice_of(o.b, o.n), &m, NULL), WIRE_MORE);
    o = octets("19");
    assert_int_equal(tls_message_parse(slice_of(o.b, o.n), &m, NULL), WIRE_BAD);
    o = octets("0b7fffff");
    assert_int_equal(tls_message_parse(slice_of(o.b, o.n), &m, NULL), WIRE_BAD);
}

static void the_first_certificate_is_the_senders(void **state)
{
    (void)state;
    struct slice own, in = guarded("00000b 000003 aabbcc 000002 ddee");
    assert_int_equal(tls_certificates_parse(in, false, &own, NULL), WIRE_OK);
    assert_int_equal(own.n, 3);
    assert_int_equal(own.p[0], 0xaa);
    done(in);
    in = guarded("00 00000a 000003 aabbcc 0000 0000");
    assert_int_equal(tls_certificates_parse(in, true, &own, NULL), WIRE_OK);
    assert_int_equal(own.n, 3);
    done(in);
    in = guarded("000000"); /* a client that has none */
    assert_int_equal(tls_certificates_parse(in, false, &own, NULL), WIRE_OK);
    assert_int_equal(own.n, 0);
    done(in);
    in = guarded("000004 000003 aa");
    assert_int_equal(tls_certificates_parse(in, false, &own, NULL), WIRE_BAD);
    done(in);
}

static void small_messages(void **state)
{
    (void)state;
    struct slice out, in = guarded("00001c20 0003 010203");
    assert_int_equal(tls_new_ticket_parse(in, &out, NULL), WIRE_OK);
    assert_int_equal(out.n, 3);
    done(in);
    in = guarded("0002 abcd");
    assert_int_equal(tls_client_key_parse(in, TLS_10, &out, NULL), WIRE_OK);
    assert_int_equal(out.n, 2);
    assert_int_equal(tls_client_key_parse(in, SSL_30, &out, NULL), WIRE_OK);
    assert_int_equal(out.n, 4); /* no length there */
    done(in);
    in = guarded("0009 0010 0005 0003 02 6832");
    struct tls_hello encrypted;
    assert_int_equal(tls_extensions_parse(in, &encrypted, NULL), WIRE_OK);
    assert_true(is(encrypted.alpn, "h2"));
    assert_false(encrypted.early_data);
    done(in);
    in = guarded("0004 002a 0000"); /* RFC 8446 4.2.10 */
    assert_int_equal(tls_extensions_parse(in, &encrypted, NULL), WIRE_OK);
    assert_true(encrypted.early_data);
    done(in);
    struct tls_alert a;
    in = guarded("0230");
    assert_int_equal(tls_alert_parse(in, &a, NULL), WIRE_OK);
    assert_true(a.fatal);
    assert_string_equal(tls_alert_name(a.code), "unknown_ca");
    done(in);
    in = guarded("0330");
    assert_int_equal(tls_alert_parse(in, &a, NULL), WIRE_BAD);
    done(in);
    assert_null(tls_alert_name(255));
}

/* RFC 5246 E.2 */
static void the_hello_of_an_old_client(void **state)
{
    (void)state;
    struct octets o = octets("80 2b 01 0300 0012 0000 0010 010080 020080 03008000002f00000a 000005"
                             "000102030405060708090a0b0c0d0e0f ee");
    struct tls_hello h;
    uint8_t random[TLS_RANDOM];
    size_t size = 0, whole = 2 + 0x2b;
    for (size_t n = 0; n < whole; n++) {
        uint8_t *copy = guard_copy(o.b, n);
        assert_int_equal(tls_old_hello_parse(slice_of(copy, n), random, &h, &size, NULL),
                         WIRE_MORE);
        guard_free(copy, n);
    }
    assert_int_equal(tls_old_hello_parse(slice_of(o.b, o.n), random, &h, &size, NULL), WIRE_OK);
    assert_int_equal(size, whole);
    assert_int_equal(random[0], 0); /* the challenge stands at the end */
    assert_int_equal(random[16], 0);
    assert_int_equal(random[31], 15);
    o.b[1]++;
    assert_int_equal(tls_old_hello_parse(slice_of(o.b, o.n), random, &h, &size, NULL), WIRE_BAD);
}

/* ---- key logs ---- */

#define SECRET48 RANDOM "202122232425262728292a2b2c2d2e2f"

static enum wire_result line(const char *text, struct keylog_line *k)
{
    size_t n = strlen(text);
    uint8_t *copy = guard_copy(text, n);
    enum wire_result r = keylog_parse(slice_of(copy, n), k, NULL);
    guard_free(copy, n);
    return r;
}

static void every_label_of_a_key_log(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint8_t kind;
        uint16_t n;
        uint8_t first_of_id;
    } rows[] = {
        {"CLIENT_RANDOM " RANDOM " " SECRET48, SECRET_MASTER, 48, 0},
        {"CLIENT_RANDOM\t" RANDOM "  " SECRET48 " \r", SECRET_MASTER, 48, 0},
        {"PMS_CLIENT_RANDOM " RANDOM " " SECRET48, SECRET_PREMASTER, 48, 0},
        {"PMS_CLIENT_RANDOM " RANDOM " " RANDOM, SECRET_PREMASTER, 32, 0}, /* X25519 */
        {"PMS_CLIENT_RANDOM " RANDOM " " SECRET48 SECRET48 SECRET48, SECRET_PREMASTER, 144, 0},
        {"CLIENT_EARLY_TRAFFIC_SECRET " RANDOM " " RANDOM, SECRET_CLIENT_EARLY, 32, 0},
        {"CLIENT_HANDSHAKE_TRAFFIC_SECRET " RANDOM " " RANDOM, SECRET_CLIENT_HANDSHAKE, 32, 0},
        {"SERVER_HANDSHAKE_TRAFFIC_SECRET " RANDOM " " SECRET48, SECRET_SERVER_HANDSHAKE, 48, 0},
        {"CLIENT_TRAFFIC_SECRET_0 " RANDOM " " RANDOM, SECRET_CLIENT_DATA, 32, 0},
        {"SERVER_TRAFFIC_SECRET_0 " RANDOM " " RANDOM, SECRET_SERVER_DATA, 32, 0},
        {"RSA A1b2030405060708 " SECRET48, SECRET_ENCRYPTED, 48, 0xa1},
        {"RSA Session-ID:c0ffee Master-Key:" SECRET48, SECRET_SESSION, 48, 0xc0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct keylog_line k;
        assert_int_equal(line(rows[i].text, &k), WIRE_OK);
        assert_int_equal(k.kind, rows[i].kind);
        assert_int_equal(k.n, rows[i].n);
        assert_int_equal(k.id[0], rows[i].first_of_id);
        assert_int_equal(k.secret[31], 31);
    }
}

static void what_is_no_secret(void **state)
{
    (void)state;
    static const char *const rows[] = {
        "",
        "# a comment",
        "EXPORTER_SECRET " RANDOM " " RANDOM,
        "CLIENT_RANDOM",
        "CLIENT_RANDOM " RANDOM,
        "CLIENT_RANDOM " RANDOM " " RANDOM, /* a master secret has 48 bytes */
        "CLIENT_RANDOM " RANDOM "00 " SECRET48,
        "PMS_CLIENT_RANDOM " RANDOM " ",
        "PMS_CLIENT_RANDOM " RANDOM " 000",
        "CLIENT_RANDOM 0" RANDOM " " SECRET48,
        "CLIENT_RANDOM x" RANDOM " " SECRET48,
        "SERVER_TRAFFIC_SECRET_0 " RANDOM " " SECRET48 "00",
        "RSA a1b20304050607 " SECRET48,
        "RSA Session-ID:c0ffee " SECRET48,
        "RSA Session-ID: Master-Key:" SECRET48,
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct keylog_line k = {.n = 77};
        assert_int_equal(line(rows[i], &k), WIRE_BAD);
        assert_int_equal(k.n, 77);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(client_hello_of_rfc_8448),
        T(server_hello_of_rfc_8448),
        T(a_retry_is_known_by_its_random),
        T(extensions_of_tls_12),
        T(a_hello_without_extensions),
        T(unknown_versions_are_passed_over),
        T(a_cut_hello_is_bad),
        T(a_message_waits_for_its_end),
        T(the_first_certificate_is_the_senders),
        T(small_messages),
        T(the_hello_of_an_old_client),
        T(every_label_of_a_key_log),
        T(what_is_no_secret),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* MS-TURN and the checks of MS-ICE: the sizes of P§1.5, the numbers of P§1.4, the traps of P§0. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "flows/wire/stun.h"
#include "tests/help/guard.h"
#include "tests/help/stun_make.h"

static const char ID[] = "2112a442 0102030405060708090a0b0c";
static const char OLD_ID[] = "a0795bec f1604648d01bc53f83135ee3"; /* OC 2007: no RFC cookie */
static const char TEXT_401[] = "The request did not contain a Message-Integrity attribute";

static struct stun_make begin(uint16_t type, const char *id)
{
    struct stun_make m = stun_begin(type, id, false);
    stun_add_hex(&m, 0x000f, "72c64bc6");
    return m;
}

static struct stun_msg parsed(struct stun_make *m)
{
    struct slice s = stun_seal(m);
    struct stun_msg msg;
    uint8_t *copy = guard_copy(s.p, s.n);
    assert_int_equal(stun_parse(slice_of(copy, s.n), true, &msg, NULL), WIRE_OK);
    assert_true(stun_looks_like(slice_of(copy, s.n), true));
    guard_free(copy, s.n);
    assert_int_equal(stun_parse(s, true, &msg, NULL), WIRE_OK);
    assert_int_equal(msg.size, m->n);
    return msg;
}

static void assert_endpoint(const struct endpoint *e, const char *expected)
{
    char text[ENDPOINT_TEXT];
    assert_string_equal(endpoint_text(e, text), expected);
}

static void assert_text(struct slice s, const char *expected)
{
    assert_int_equal(s.n, strlen(expected));
    assert_memory_equal(s.p, expected, s.n);
}

static void nonce_and_realm(struct stun_make *m) /* 38 bytes */
{
    stun_add_fill(m, 0x0014, 0x77, 20);
    stun_add_text(m, 0x0015, "\"rtcmedia\"");
}

static struct stun_make allocate_request(void)
{
    struct stun_make m = begin(0x0003, ID);
    stun_add_u32(&m, 0x8008, 2);
    stun_add_fill(&m, 0x0006, 0x55, 56);
    stun_add_u32(&m, 0x0010, 350);
    stun_add_hex(&m, 0x8055, "00040001");
    stun_add_u32(&m, 0x8006, 1);
    return m;
}

/* P§1.5, first row: 104 bytes over UDP. */
static void assessment_client_allocate_is_104_bytes(void **state)
{
    (void)state;
    struct stun_make m = begin(0x0003, ID);
    stun_add_u32(&m, 0x8008, 4);
    stun_add_fill(&m, 0x0006, 0x04, 48);
    stun_add_u32(&m, 0x0010, 0x15e);
    stun_add_u32(&m, 0x8006, 1);
    struct stun_msg msg = parsed(&m);
    assert_int_equal(msg.size, 104);
    assert_int_equal(msg.kind, STUN_ALLOCATE_REQ);
    assert_int_equal(msg.dialect, STUN_MS);
    assert_int_equal(msg.ms_version, 4);
    assert_int_equal(msg.username.n, 48);
    assert_int_equal(msg.has, STUN_HAS_MS_VERSION | STUN_HAS_USERNAME);
}

/* Frames 349 and 354 of the seed: payloads of 124 and 186 with the 4 bytes of framing. */
static void allocate_requests_of_the_seed(void **state)
{
    (void)state;
    struct stun_make m = allocate_request();
    struct stun_msg msg = parsed(&m);
    assert_int_equal(4 + msg.size, 124);
    assert_false(msg.damaged);
    assert_int_equal(msg.stream_type, 4);
    assert_int_equal(msg.quality, 1);
    nonce_and_realm(&m);
    stun_add_fill(&m, 0x0008, 0xaa, 20);
    msg = parsed(&m);
    assert_int_equal(4 + msg.size, 186);
    assert_false(msg.damaged);
    assert_text(msg.realm, "\"rtcmedia\"");
    assert_true(msg.has & STUN_HAS_NONCE);
    assert_true(msg.has & STUN_HAS_INTEGRITY);
}

/* Frame 350: 135 bytes, not a multiple of 4. */
static void challenge_of_the_seed(void **state)
{
    (void)state;
    struct stun_make m = begin(0x0113, ID);
    uint8_t error[61] = {0, 0, 4, 1};
    assert_int_equal(strlen(TEXT_401), 57);
    memcpy(error + 4, TEXT_401, 57);
    stun_add(&m, 0x0009, error, sizeof error);
    nonce_and_realm(&m);
    struct stun_msg msg = parsed(&m);
    assert_int_equal(4 + msg.size, 135);
    assert_false(msg.damaged);
    assert_int_equal(msg.kind, STUN_ALLOCATE_ERR);
    assert_int_equal(msg.error_code, 401);
    assert_text(msg.error_text, TEXT_401);
    assert_text(msg.realm, "\"rtcmedia\"");
    assert_int_equal(msg.has, STUN_HAS_ERROR | STUN_HAS_REALM | STUN_HAS_NONCE);
}

/* Frame 355: 124 bytes; MAPPED-ADDRESS is the relay, 8020 the client. */
static void allocate_response_of_the_seed(void **state)
{
    (void)state;
    struct stun_make m = begin(0x0103, ID);
    uint8_t connection[20];
    memset(connection, 0xc0, sizeof connection);
    stun_add_addr(&m, 0x0001, "2.2.2.2:58138");
    stun_add_xaddr(&m, 0x8020, "10.98.2.1:13211");
    stun_add_hex(&m, 0x8050, "c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0 00000005");
    stun_add_fill(&m, 0x0008, 0xaa, 20);
    stun_add_u32(&m, 0x000d, 60);
    stun_add_u32(&m, 0x8008, 2);
    struct stun_msg msg = parsed(&m);
    assert_int_equal(4 + msg.size, 124);
    assert_int_equal(msg.kind, STUN_ALLOCATE_OK);
    assert_endpoint(&msg.relay, "2.2.2.2:58138");
    assert_endpoint(&msg.mapped, "10.98.2.1:13211");
    assert_memory_equal(msg.connection_id, connection, 20);
    assert_int_equal(msg.sequence, 5);
    assert_int_equal(msg.lifetime, 60);
    assert_int_equal(msg.has, STUN_HAS_RELAY | STUN_HAS_MAPPED | STUN_HAS_SEQUENCE |
                                  STUN_HAS_INTEGRITY | STUN_HAS_LIFETIME | STUN_HAS_MS_VERSION);
}

static struct stun_make ice2_check(bool role_controlling)
{
    struct stun_make m = stun_begin(0x0001, "2112a442 1111111111111111 22222222", false);
    stun_add(&m, 0x0006, "abcd:efgh\0\0", 12);
    stun_add_u32(&m, 0x0024, 0x6e6bfcff);
    stun_add_fill(&m, role_controlling ? 0x802a : 0x8029, 9, 8);
    stun_add(&m, 0x8054, "1\0\0", 4);
    stun_add_u32(&m, 0x8070, 3);
    stun_add_fill(&m, 0x0008, 0xaa, 20);
    stun_add_u32(&m, 0x8028, 0x01020304);
    stun_seal(&m);
    return m;
}

/* Frame 420: 274 bytes, a Send request with a check of 104 bytes behind its RFC 4571 length. */
static void send_request_of_the_seed_nests_a_check(void **state)
{
    (void)state;
    struct stun_make check = ice2_check(true), m = begin(0x0004, ID);
    uint8_t data[106] = {0, 104};
    assert_int_equal(check.n, 104);
    memcpy(data + 2, check.b, check.n);
    stun_add_u32(&m, 0x8008, 2);
    stun_add_fill(&m, 0x0006, 0x55, 56);
    stun_add_addr(&m, 0x0011, "1.1.1.1:50704");
    stun_add_fill(&m, 0x8050, 0xc0, 24);
    stun_add_fill(&m, 0x0008, 0xaa, 20);
    stun_add(&m, 0x0013, data, sizeof data);
    struct stun_msg msg = parsed(&m), nested;
    assert_int_equal(4 + msg.size, 274);
    assert_int_equal(msg.kind, STUN_SEND);
    assert_endpoint(&msg.peer, "1.1.1.1:50704");

    assert_true(stun_nested(msg.data, &nested));
    assert_int_equal(nested.kind, STUN_BINDING_REQ);
    assert_int_equal(nested.dialect, STUN_MS);
    assert_text(nested.username, "abcd:efgh");
    assert_text(nested.foundation, "1");
    assert_int_equal(nested.ice_version, 3);
    assert_int_equal(nested.priority, 0x6e6bfcff);
    assert_true(nested.has & STUN_HAS_CONTROLLING);
    assert_false(nested.has & STUN_HAS_CONTROLLED);
    assert_false(nested.damaged);
}

static void types_are_whole_numbers(void **state)
{
    (void)state;
    static const struct {
        uint16_t type;
        enum stun_kind kind;
    } rows[] = {
        {0x0001, STUN_BINDING_REQ},
        {0x0101, STUN_BINDING_OK},
        {0x0111, STUN_BINDING_ERR},
        {0x0003, STUN_ALLOCATE_REQ},
        {0x0103, STUN_ALLOCATE_OK},
        {0x0113, STUN_ALLOCATE_ERR},
        {0x0004, STUN_SEND},
        {0x0115, STUN_DATA},
        {0x0006, STUN_ACTIVE_DEST_REQ},
        {0x0106, STUN_ACTIVE_DEST_OK},
        {0x0116, STUN_ACTIVE_DEST_ERR},
        {0x0008, STUN_UNKNOWN},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct stun_make m = begin(rows[i].type, ID);
        struct stun_msg msg = parsed(&m);
        assert_int_equal(msg.kind, rows[i].kind);
        assert_int_equal(msg.type, rows[i].type);
        assert_int_equal(msg.dialect, STUN_MS);
    }
}

static void data_indication_names_the_remote_in_clear(void **state)
{
    (void)state;
    struct stun_make m = begin(0x0115, OLD_ID);
    stun_add_addr(&m, 0x0012, "93.184.216.34:16332");
    stun_add_text(&m, 0x0013, "odd");
    struct stun_msg msg = parsed(&m);
    assert_endpoint(&msg.peer, "93.184.216.34:16332");
    assert_text(msg.data, "odd");
    assert_false(msg.damaged);
}

static void xor_uses_the_id_of_the_message(void **state)
{
    (void)state;
    struct stun_make m = begin(0x0103, OLD_ID);
    /* 192.0.2.1:32853 under a0795bec, worked out by hand */
    stun_add_hex(&m, 0x8020, "0001 202c 607959ed");
    struct stun_msg msg = parsed(&m);
    assert_endpoint(&msg.mapped, "192.0.2.1:32853");
    m = begin(0x0103, OLD_ID);
    /* 2001:db8::1 under all 16 bytes of the id */
    stun_add_hex(&m, 0x8020, "0002 202c 80785654f1604648d01bc53f83135ee2");
    msg = parsed(&m);
    assert_endpoint(&msg.mapped, "[2001:db8::1]:32853");
}

static void second_relay_has_its_own_attribute(void **state)
{
    (void)state;
    struct stun_make m = begin(0x0103, ID);
    stun_add_addr(&m, 0x0001, "2.2.2.2:58138");
    stun_add_addr(&m, 0x8090, "[2001:db8::2]:58139");
    stun_add_hex(&m, 0x8095, "7f20c4dd4f848dfa");
    struct stun_msg msg = parsed(&m);
    assert_endpoint(&msg.relay, "2.2.2.2:58138");
    assert_endpoint(&msg.relay2, "[2001:db8::2]:58139");
    assert_memory_equal(msg.session, "\x7f\x20\xc4\xdd\x4f\x84\x8d\xfa", 8);
    assert_int_equal(msg.has, STUN_HAS_RELAY | STUN_HAS_RELAY2 | STUN_HAS_SESSION);
}

static void mapped_address_of_a_binding_is_reflexive(void **state)
{
    (void)state;
    struct stun_make m = begin(0x0101, ID);
    stun_add_addr(&m, 0x0001, "203.0.113.7:4000");
    struct stun_msg msg = parsed(&m);
    assert_int_equal(msg.has, STUN_HAS_MAPPED);
    assert_endpoint(&msg.mapped, "203.0.113.7:4000");
}

static void a_challenge_allocates_no_relay(void **state)
{
    (void)state;
    struct stun_make m = begin(0x0113, ID);
    stun_add_addr(&m, 0x000e, "192.0.2.77:3478");
    stun_add_addr(&m, 0x0001, "192.0.2.78:3480"); /* port shared by all */
    struct stun_msg msg = parsed(&m);
    assert_int_equal(msg.has, STUN_HAS_ALTERNATE);
    assert_endpoint(&msg.alternate, "192.0.2.77:3478");
}

static void lifetime_zero_and_a_bare_sequence_release(void **state)
{
    (void)state;
    struct stun_make m = begin(0x0003, ID);
    stun_add_u32(&m, 0x000d, 0);
    stun_add_u32(&m, 0x8050, 0); /* real clients: no connection id when they release */
    stun_add_fill(&m, 0x0008, 0xaa, 32);
    struct stun_msg msg = parsed(&m);
    assert_int_equal(msg.has, STUN_HAS_LIFETIME | STUN_HAS_INTEGRITY);
    assert_int_equal(msg.lifetime, 0);
    assert_false(msg.damaged);
}

static void sip_call_id_is_read(void **state)
{
    (void)state;
    struct stun_make m = begin(0x0003, ID);
    stun_add_text(&m, 0x8062, "f3a1c0de@example.com");
    struct stun_msg msg = parsed(&m);
    assert_text(msg.sip_call_id, "f3a1c0de@example.com");
}

static void values_of_the_wrong_length_are_damage(void **state)
{
    (void)state;
    static const struct {
        uint16_t type;
        size_t n;
    } rows[] = {{0x0001, 7}, {0x0011, 9},  {0x0012, 4}, {0x000e, 0}, {0x8090, 8 + 1},
                {0x8008, 2}, {0x8050, 23}, {0x8050, 0}, {0x8055, 3}, {0x8095, 9},
                {0x0009, 3}, {0x000d, 5},  {0x8020, 12}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct stun_make m = begin(0x0103, ID);
        stun_add_text(&m, 0x0015, "rtcmedia");
        stun_add_fill(&m, rows[i].type, 0, rows[i].n);
        stun_add_text(&m, 0x0006, "token");
        struct stun_msg msg = parsed(&m);
        assert_true(msg.damaged);
        assert_int_equal(msg.has, STUN_HAS_REALM);
    }
}

static void cut_at_every_length_wants_more(void **state)
{
    (void)state;
    struct stun_make m = allocate_request();
    nonce_and_realm(&m);
    struct slice s = stun_seal(&m);
    for (size_t n = 0; n < s.n; n++) {
        struct stun_msg msg, before;
        uint8_t *copy = guard_copy(s.p, n);
        memset(&msg, 0x5a, sizeof msg);
        memset(&before, 0x5a, sizeof before);
        assert_int_equal(stun_parse(slice_of(copy, n), false, &msg, NULL), WIRE_MORE);
        assert_int_equal(stun_parse(slice_of(copy, n), true, &msg, NULL), WIRE_BAD);
        assert_memory_equal(&msg, &before, sizeof msg);
        assert_false(stun_looks_like(slice_of(copy, n), true));
        guard_free(copy, n);
    }
}

/* The declared length cut instead: only at ends of attributes is nothing damaged. */
static void shortened_messages_are_damaged_except_between_attributes(void **state)
{
    (void)state;
    const size_t ends[] = {28, 36, 96, 104, 112, 120};
    struct stun_make m = allocate_request();
    for (size_t n = 28; n <= 120; n++) {
        bool between = false;
        for (size_t i = 0; i < sizeof ends / sizeof *ends; i++)
            between |= ends[i] == n;
        m.n = n;
        struct stun_msg msg = parsed(&m);
        assert_int_equal(msg.damaged, !between);
    }
}

static void checks_are_ms_by_content_padded_or_not(void **state)
{
    (void)state;
    for (int padded = 0; padded < 2; padded++) {
        struct stun_make m = stun_begin(0x0001, ID, padded);
        stun_add_text(&m, 0x0006, "abcd:efgh"); /* 9 bytes */
        stun_add_text(&m, 0x8054, "13");
        stun_add_u32(&m, 0x8070, 3);
        stun_add(&m, 0x0025, "", 0);
        struct stun_msg msg = parsed(&m);
        assert_int_equal(msg.dialect, STUN_MS);
        assert_int_equal(msg.kind, STUN_BINDING_REQ);
        assert_text(msg.username, "abcd:efgh");
        assert_text(msg.foundation, "13");
        assert_true(msg.has & STUN_HAS_USE_CANDIDATE);
        assert_false(msg.damaged);
    }
}

static void ufrags_split_at_the_colon_without_nuls(void **state)
{
    (void)state;
    static const char legacy[] = "0123456789abcdef:123456789abcdef:1:"
                                 "fedcba9876543210fedcba987654321:"
                                 ":2\0\0";
    static const struct {
        const char *username;
        size_t n;
        const char *remote, *local;
    } rows[] = {
        {"abcd:efgh", 9, "abcd", "efgh"},
        {"abcd:efgh\0\0\0", 12, "abcd", "efgh"},
        {":x", 2, "", "x"},
        {"x:", 2, "x", ""},
        {"nocolon", 7, NULL, NULL},
        {"\0\0\0", 3, NULL, NULL},
        {"", 0, NULL, NULL},
        {legacy, 71, "0123456789abcdef:123456789abcdef", "fedcba9876543210fedcba987654321:"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct slice remote, local;
        uint8_t *copy = guard_copy(rows[i].username, rows[i].n);
        bool split = stun_ufrags(slice_of(copy, rows[i].n), &remote, &local);
        assert_int_equal(split, rows[i].remote != NULL);
        if (split) {
            assert_text(remote, rows[i].remote);
            assert_text(local, rows[i].local);
        }
        guard_free(copy, rows[i].n);
    }
}

static void looks_like_wants_the_cookie_first_and_the_exact_length(void **state)
{
    (void)state;
    struct stun_make m = begin(0x0003, OLD_ID);
    struct slice s = stun_seal(&m);
    assert_true(stun_looks_like(s, true));
    assert_false(stun_looks_like(slice_of(s.p, s.n + 1), true));
    assert_true(stun_looks_like(slice_of(s.p, s.n + 1), false));
    m = stun_begin(0x0003, OLD_ID, false);
    stun_add_u32(&m, 0x8008, 1);
    stun_add_hex(&m, 0x000f, "72c64bc6");
    s = stun_seal(&m);
    assert_false(stun_looks_like(s, true));
    struct stun_msg msg;
    assert_int_equal(stun_parse(s, true, &msg, NULL), WIRE_BAD);
}

static void unknown_types_need_the_rfc_cookie(void **state)
{
    (void)state;
    struct stun_make m = begin(0x0028, OLD_ID);
    struct slice s = stun_seal(&m);
    struct stun_msg msg;
    assert_false(stun_looks_like(s, true));
    assert_int_equal(stun_parse(s, true, &msg, NULL), WIRE_BAD);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(assessment_client_allocate_is_104_bytes),
        cmocka_unit_test(allocate_requests_of_the_seed),
        cmocka_unit_test(challenge_of_the_seed),
        cmocka_unit_test(allocate_response_of_the_seed),
        cmocka_unit_test(send_request_of_the_seed_nests_a_check),
        cmocka_unit_test(types_are_whole_numbers),
        cmocka_unit_test(data_indication_names_the_remote_in_clear),
        cmocka_unit_test(xor_uses_the_id_of_the_message),
        cmocka_unit_test(second_relay_has_its_own_attribute),
        cmocka_unit_test(mapped_address_of_a_binding_is_reflexive),
        cmocka_unit_test(a_challenge_allocates_no_relay),
        cmocka_unit_test(lifetime_zero_and_a_bare_sequence_release),
        cmocka_unit_test(sip_call_id_is_read),
        cmocka_unit_test(values_of_the_wrong_length_are_damage),
        cmocka_unit_test(cut_at_every_length_wants_more),
        cmocka_unit_test(shortened_messages_are_damaged_except_between_attributes),
        cmocka_unit_test(checks_are_ms_by_content_padded_or_not),
        cmocka_unit_test(ufrags_split_at_the_colon_without_nuls),
        cmocka_unit_test(looks_like_wants_the_cookie_first_and_the_exact_length),
        cmocka_unit_test(unknown_types_need_the_rfc_cookie),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* STUN and TURN as the RFCs have them: vectors of RFC 5769, layouts of RFC 3489, 5389, 6062, 8656.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "flows/wire/stun.h"
#include "tests/help/guard.h"
#include "tests/help/stun_make.h"

static const char ID[] = "2112a442 b7e7a701 bc34d686 fa87dfae";
static const char CLASSIC_ID[] = "b7e7a701 bc34d686 fa87dfae 01020304";

/* RFC 5769 §2.1-2.4 */
static const char SAMPLE_REQUEST[] =
    "00010058 2112a442 b7e7a701bc34d686fa87dfae"
    "80220010 5354554e207465737420636c69656e74"
    "00240004 6e0001ff  80290008 932ff9b151263b36"
    "00060009 6576746a3a68367659202020"
    "00080014 9aeaa70cbfd8cb56781ef2b5b2d3f249c1b571a2  80280004 e57a3bcf";
static const char SAMPLE_IPV4[] =
    "0101003c 2112a442 b7e7a701bc34d686fa87dfae"
    "8022000b 7465737420766563746f7220  00200008 0001a147e112a643"
    "00080014 2b91f599fd9e90c38c7489f92af9ba53f06be7d7  80280004 c07d4c96";
static const char SAMPLE_IPV6[] =
    "01010048 2112a442 b7e7a701bc34d686fa87dfae"
    "8022000b 7465737420766563746f7220"
    "00200014 0002a1470113a9faa5d3f179bc25f4b5bed2b9d9"
    "00080014 a382954e4be67bf11784c97c8292c275bfe3ed41  80280004 c8fb0b4c";
static const char SAMPLE_LONG_TERM[] =
    "00010060 2112a442 78ad3433c6ad72c029da412e"
    "00060012 e3839ee38388e383aae38383e382afe382b90000"
    "0015001c 662f2f3439396b39353464364f4c33346f4c394653547679363473 41"
    "0014000b 6578616d706c652e6f726700"
    "00080014 f67024656dd64a3e02b8e0712e85c9a28ca89666";

static struct stun_make from_hex(const char *hex)
{
    struct stun_make m = {.padded = true};
    m.n = octets_of(hex, m.b, sizeof m.b);
    return m;
}

/* Parses a message that must be whole and fills its datagram; slices of the result stay valid as
 * long as m does. */
static struct stun_msg parsed(const struct stun_make *m)
{
    struct stun_msg msg;
    struct wire_fault fault;
    uint8_t *copy = guard_copy(m->b, m->n);
    assert_int_equal(stun_parse(slice_of(copy, m->n), true, &msg, &fault), WIRE_OK);
    guard_free(copy, m->n);
    assert_int_equal(stun_parse(slice_of(m->b, m->n), true, &msg, &fault), WIRE_OK);
    assert_int_equal(msg.size, m->n);
    assert_true(stun_looks_like(slice_of(m->b, m->n), true));
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

static void reads_the_sample_request(void **state)
{
    (void)state;
    struct stun_make m = from_hex(SAMPLE_REQUEST);
    struct stun_msg msg = parsed(&m);
    struct slice remote, local;
    assert_int_equal(msg.kind, STUN_BINDING_REQ);
    assert_int_equal(msg.dialect, STUN_RFC);
    assert_int_equal(msg.has, STUN_HAS_PRIORITY | STUN_HAS_CONTROLLED | STUN_HAS_USERNAME |
                                  STUN_HAS_INTEGRITY | STUN_HAS_FINGERPRINT);
    assert_int_equal(msg.priority, 0x6e0001ff);
    assert_text(msg.username, "evtj:h6vY");
    assert_true(stun_ufrags(msg.username, &remote, &local));
    assert_text(remote, "evtj");
    assert_text(local, "h6vY");
    assert_memory_equal(msg.id, m.b + 4, 16);
    assert_false(msg.damaged);
}

static void reads_the_sample_responses_of_both_families(void **state)
{
    (void)state;
    struct stun_make four = from_hex(SAMPLE_IPV4), six = from_hex(SAMPLE_IPV6);
    struct stun_msg msg = parsed(&four);
    assert_int_equal(msg.kind, STUN_BINDING_OK);
    assert_int_equal(msg.has, STUN_HAS_MAPPED | STUN_HAS_INTEGRITY | STUN_HAS_FINGERPRINT);
    assert_endpoint(&msg.mapped, "192.0.2.1:32853");
    assert_false(msg.damaged);
    msg = parsed(&six);
    assert_endpoint(&msg.mapped, "[2001:db8:1234:5678:11:2233:4455:6677]:32853");
    assert_false(msg.damaged);
}

static void reads_the_long_term_sample(void **state)
{
    (void)state;
    struct stun_make m = from_hex(SAMPLE_LONG_TERM);
    struct stun_msg msg = parsed(&m);
    assert_text(msg.realm, "example.org");
    assert_int_equal(msg.username.n, 18);
    assert_true(msg.has & STUN_HAS_NONCE);
    assert_false(msg.damaged);
}

static void classic_mapped_address_is_reflexive(void **state)
{
    (void)state;
    struct stun_make m = stun_begin(0x0101, CLASSIC_ID, true);
    stun_add_addr(&m, 0x0001, "203.0.113.7:4000");
    stun_add_addr(&m, 0x0004, "198.51.100.1:3478"); /* SOURCE-ADDRESS */
    stun_add_addr(&m, 0x0005, "198.51.100.2:3479"); /* CHANGED-ADDRESS */
    stun_seal(&m);
    struct stun_msg msg = parsed(&m);
    assert_int_equal(msg.dialect, STUN_CLASSIC);
    assert_int_equal(msg.has, STUN_HAS_MAPPED);
    assert_endpoint(&msg.mapped, "203.0.113.7:4000");
}

static void xored_address_overrules_the_plain_one(void **state)
{
    (void)state;
    const uint16_t xor_types[] = {0x0020, 0x8020};
    for (size_t i = 0; i < 4; i++) {
        struct stun_make m = stun_begin(0x0101, ID, true);
        if (i & 1)
            stun_add_addr(&m, 0x0001, "10.0.0.1:1");
        stun_add_xaddr(&m, xor_types[i / 2], "203.0.113.7:4000");
        if (!(i & 1))
            stun_add_addr(&m, 0x0001, "10.0.0.1:1");
        stun_seal(&m);
        struct stun_msg msg = parsed(&m);
        assert_endpoint(&msg.mapped, "203.0.113.7:4000");
    }
}

static void allocate_response_names_relays_of_both_families(void **state)
{
    (void)state;
    struct stun_make m = stun_begin(0x0103, ID, true);
    stun_add_xaddr(&m, 0x0016, "[2001:db8::9]:50001");
    stun_add_xaddr(&m, 0x0016, "192.0.2.9:50000");
    stun_add_xaddr(&m, 0x0020, "203.0.113.7:4000");
    stun_add_u32(&m, 0x000d, 600);
    stun_add_text(&m, 0x8022, "server");
    stun_seal(&m);
    struct stun_msg msg = parsed(&m);
    assert_int_equal(msg.kind, STUN_ALLOCATE_OK);
    assert_endpoint(&msg.relay, "[2001:db8::9]:50001");
    assert_endpoint(&msg.relay2, "192.0.2.9:50000");
    assert_endpoint(&msg.mapped, "203.0.113.7:4000");
    assert_int_equal(msg.lifetime, 600);
    assert_int_equal(msg.has,
                     STUN_HAS_RELAY | STUN_HAS_RELAY2 | STUN_HAS_MAPPED | STUN_HAS_LIFETIME);
}

static void second_relay_is_of_the_other_family(void **state)
{
    (void)state;
    struct stun_make m = stun_begin(0x0103, ID, true);
    stun_add_xaddr(&m, 0x0016, "192.0.2.9:50000");
    stun_add_xaddr(&m, 0x0016, "192.0.2.10:50001");
    stun_seal(&m);
    struct stun_msg msg = parsed(&m);
    assert_endpoint(&msg.relay, "192.0.2.9:50000");
    assert_int_equal(msg.has, STUN_HAS_RELAY);
}

static void send_indication_carries_peer_and_data(void **state)
{
    (void)state;
    struct stun_make m = stun_begin(0x0016, ID, true);
    stun_add_xaddr(&m, 0x0012, "198.51.100.5:50704");
    stun_add_text(&m, 0x0013, "seven b");
    stun_add_xaddr(&m, 0x0012, "198.51.100.6:1");
    stun_seal(&m);
    struct stun_msg msg = parsed(&m);
    assert_int_equal(msg.kind, STUN_SEND);
    assert_endpoint(&msg.peer, "198.51.100.5:50704"); /* of several, the first */
    assert_text(msg.data, "seven b");
    assert_false(msg.damaged);
}

static void small_attributes_are_read(void **state)
{
    (void)state;
    struct stun_make m = stun_begin(0x000b, ID, true);
    stun_add_u32(&m, 0x002a, 0xcafe0001); /* CONNECTION-ID */
    stun_add_hex(&m, 0x0019, "06000000"); /* REQUESTED-TRANSPORT */
    stun_add_hex(&m, 0x000c, "40010000"); /* CHANNEL-NUMBER */
    stun_add_addr(&m, 0x8023, "192.0.2.44:3478");
    stun_add(&m, 0x0025, "", 0);
    stun_add_fill(&m, 0x802a, 1, 8);
    stun_add_fill(&m, 0x001c, 1, 32);
    stun_seal(&m);
    struct stun_msg msg = parsed(&m);
    assert_int_equal(msg.kind, STUN_CONNBIND_REQ);
    assert_int_equal(msg.connection, 0xcafe0001);
    assert_int_equal(msg.transport, 6);
    assert_int_equal(msg.channel, 0x4001);
    assert_endpoint(&msg.alternate, "192.0.2.44:3478");
    assert_int_equal(msg.has, STUN_HAS_CONNECTION | STUN_HAS_TRANSPORT | STUN_HAS_CHANNEL |
                                  STUN_HAS_ALTERNATE | STUN_HAS_USE_CANDIDATE |
                                  STUN_HAS_CONTROLLING | STUN_HAS_INTEGRITY);
}

static void of_a_repeated_attribute_the_first_counts(void **state)
{
    (void)state;
    struct stun_make m = stun_begin(0x0004, ID, true);
    stun_add_u32(&m, 0x000d, 0);
    stun_add_u32(&m, 0x000d, 600);
    stun_seal(&m);
    struct stun_msg msg = parsed(&m);
    assert_int_equal(msg.kind, STUN_REFRESH_REQ);
    assert_true(msg.has & STUN_HAS_LIFETIME);
    assert_int_equal(msg.lifetime, 0);
}

static void error_code_is_class_times_hundred_plus_number(void **state)
{
    (void)state;
    static const struct {
        const char *hex;
        uint16_t code;
        const char *text;
    } rows[] = {
        {"00000401 556e617574686f72697a6564", 401, "Unauthorized"},
        {"00000300", 300, ""},
        {"00000447", 471, ""},
        {"0000042f 6f6b00", 447, "ok"},
        {"00000663", 699, ""},
        {"0000024a", 274, ""}, /* bandwidth management */
        {"fffffd01", 501, ""}, /* 21 reserved bits are ignored */
        {"00000664", 0, NULL},
        {"00000101", 0, NULL},
        {"00000701", 0, NULL},
        {"000004", 0, NULL},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct stun_make m = stun_begin(0x0111, ID, true);
        stun_add_hex(&m, 0x0009, rows[i].hex);
        stun_seal(&m);
        struct stun_msg msg = parsed(&m);
        if (rows[i].text) {
            assert_int_equal(msg.error_code, rows[i].code);
            assert_text(msg.error_text, rows[i].text);
        }
        assert_int_equal(msg.damaged, rows[i].text == NULL);
        assert_int_equal(!(msg.has & STUN_HAS_ERROR), rows[i].text == NULL);
    }
}

/* Like the Binding error of a real implementation that counted neither its text nor its padding. */
static void damage_keeps_what_came_before_and_nothing_after(void **state)
{
    (void)state;
    struct stun_make m = stun_begin(0x0111, ID, true);
    stun_add_text(&m, 0x0006, "a:b");
    stun_add_hex(&m, 0x0009, "000005");
    stun_add_text(&m, 0x5345, "RVER ERR");
    stun_add_u32(&m, 0x0024, 1);
    stun_seal(&m);
    struct stun_msg msg = parsed(&m);
    assert_int_equal(msg.kind, STUN_BINDING_ERR);
    assert_true(msg.damaged);
    assert_int_equal(msg.has, STUN_HAS_USERNAME);
    assert_text(msg.username, "a:b");
}

static void values_of_the_wrong_length_are_damage(void **state)
{
    (void)state;
    static const struct {
        uint16_t type;
        const char *hex;
    } rows[] = {
        {0x0001, "00010fa0cb0071"},
        {0x0001, "00010fa0cb007107ff"},
        {0x0001, "00020fa0cb007107"},
        {0x0001, "00030fa0cb007107"},
        {0x0001, ""},
        {0x0012, "00010fa0"},
        {0x0016, "0002"},
        {0x0020, "00010fa0cb0071070000"},
        {0x8020, "00"},
        {0x8023, "000100"},
        {0x0009, "0000"},
        {0x000c, "4001"},
        {0x000d, "000258"},
        {0x0019, "11"},
        {0x0024, "6e0001ff00"},
        {0x002a, "cafe"},
        {0x8070, "03"},
        {0x8095, "00112233445566"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct stun_make m = stun_begin(0x0101, ID, true);
        stun_add_hex(&m, rows[i].type, rows[i].hex);
        stun_seal(&m);
        struct stun_msg msg = parsed(&m);
        assert_true(msg.damaged);
        assert_int_equal(msg.has, 0);
    }
}

static void attribute_length_past_the_end_is_damage(void **state)
{
    (void)state;
    struct stun_make m = stun_begin(0x0001, ID, true);
    stun_add_u32(&m, 0x0024, 7);
    stun_add_text(&m, 0x0006, "four");
    stun_seal(&m);
    m.b[m.n - 6] = 0xff; /* its length: FF04 */
    struct stun_msg msg = parsed(&m);
    assert_true(msg.damaged);
    assert_int_equal(msg.has, STUN_HAS_PRIORITY);
}

static void type_decides_the_kind(void **state)
{
    (void)state;
    static const struct {
        uint16_t type;
        enum stun_kind kind;
    } rows[] = {
        {0x0001, STUN_BINDING_REQ},     {0x0101, STUN_BINDING_OK},    {0x0111, STUN_BINDING_ERR},
        {0x0011, STUN_BINDING_IND},     {0x0003, STUN_ALLOCATE_REQ},  {0x0103, STUN_ALLOCATE_OK},
        {0x0113, STUN_ALLOCATE_ERR},    {0x0004, STUN_REFRESH_REQ},   {0x0104, STUN_REFRESH_OK},
        {0x0114, STUN_REFRESH_ERR},     {0x0016, STUN_SEND},          {0x0017, STUN_DATA},
        {0x0008, STUN_PERMISSION_REQ},  {0x0108, STUN_PERMISSION_OK}, {0x0118, STUN_PERMISSION_ERR},
        {0x0009, STUN_CHANNEL_REQ},     {0x0109, STUN_CHANNEL_OK},    {0x0119, STUN_CHANNEL_ERR},
        {0x000a, STUN_CONNECT_REQ},     {0x010a, STUN_CONNECT_OK},    {0x011a, STUN_CONNECT_ERR},
        {0x000b, STUN_CONNBIND_REQ},    {0x010b, STUN_CONNBIND_OK},   {0x011b, STUN_CONNBIND_ERR},
        {0x001c, STUN_CONNATTEMPT_IND}, {0x0002, STUN_SHARED_SECRET}, {0x0115, STUN_UNKNOWN},
        {0x0801, STUN_UNKNOWN},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct stun_make m = stun_begin(rows[i].type, ID, true);
        struct stun_msg msg = parsed(&m);
        assert_int_equal(msg.kind, rows[i].kind);
        assert_int_equal(msg.type, rows[i].type);
        assert_int_equal(msg.dialect, STUN_RFC);
    }
}

static void a_prefix_is_more_on_a_stream_and_bad_as_datagram(void **state)
{
    (void)state;
    const char *const vectors[] = {SAMPLE_REQUEST, SAMPLE_IPV4, SAMPLE_IPV6, SAMPLE_LONG_TERM};
    for (size_t v = 0; v < sizeof vectors / sizeof *vectors; v++) {
        struct stun_make m = from_hex(vectors[v]);
        for (size_t n = 0; n < m.n; n++) {
            struct stun_msg msg, before;
            struct wire_fault fault;
            uint8_t *copy = guard_copy(m.b, n);
            memset(&msg, 0x5a, sizeof msg);
            memset(&before, 0x5a, sizeof before);
            assert_int_equal(stun_parse(slice_of(copy, n), false, &msg, &fault), WIRE_MORE);
            assert_int_equal(stun_parse(slice_of(copy, n), true, &msg, &fault), WIRE_BAD);
            assert_memory_equal(&msg, &before, sizeof msg);
            assert_int_equal(fault.offset, n);
            assert_false(stun_looks_like(slice_of(copy, n), true));
            assert_int_equal(stun_looks_like(slice_of(copy, n), false), n >= 8);
            guard_free(copy, n);
        }
    }
}

static void body_cut_at_every_length_is_ok_and_perhaps_damaged(void **state)
{
    (void)state;
    struct stun_make whole = from_hex(SAMPLE_REQUEST);
    for (size_t n = 20; n <= whole.n; n += 4) {
        struct stun_make m = whole;
        m.n = n;
        stun_seal(&m);
        struct stun_msg msg = parsed(&m);
        assert_true(msg.damaged || n == 20 || n == 40 || n == 48 || n == 60 || n == 76 ||
                    n == 100 || n == 108);
    }
}

static void several_messages_are_found_by_size(void **state)
{
    (void)state;
    struct stun_make a = from_hex(SAMPLE_REQUEST), b = from_hex(SAMPLE_IPV4);
    memcpy(a.b + a.n, b.b, b.n);
    struct slice in = slice_of(a.b, a.n + b.n);
    struct stun_msg msg;
    assert_int_equal(stun_parse(in, false, &msg, NULL), WIRE_OK);
    assert_int_equal(msg.size, 108);
    in = slice_of(in.p + msg.size, in.n - msg.size);
    assert_int_equal(stun_parse(in, false, &msg, NULL), WIRE_OK);
    assert_int_equal(msg.size, 80);
    assert_int_equal(msg.kind, STUN_BINDING_OK);
}

static void what_is_not_stun_is_bad(void **state)
{
    (void)state;
    static const struct {
        const char *hex;
        bool strict;
        size_t offset;
    } rows[] = {
        {"80", false, 0},                                          /* RTP */
        {"4001000021", false, 0},                                  /* ChannelData */
        {"00050000 01020304", false, 0},                           /* no cookie, unknown type */
        {"00030000 01020304050607080910111213141516", false, 4},   /* Allocate without cookies */
        {"00010001 2112a442b7e7a701bc34d686fa87dfae 00", true, 2}, /* no attribute has 1 byte */
        {"00010000 2112a442b7e7a701bc34d686fa87dfae 00", true, 20},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct stun_make m = from_hex(rows[i].hex);
        struct stun_msg msg;
        struct wire_fault fault = {0};
        uint8_t *copy = guard_copy(m.b, m.n);
        assert_int_equal(stun_parse(slice_of(copy, m.n), rows[i].strict, &msg, &fault), WIRE_BAD);
        assert_int_equal(fault.offset, rows[i].offset);
        assert_non_null(fault.reason);
        guard_free(copy, m.n);
    }
}

static void the_last_padding_may_be_missing(void **state)
{
    (void)state;
    struct stun_make m = stun_begin(0x0001, ID, true);
    stun_add_text(&m, 0x0006, "ab:cd"); /* padded: 3 bytes follow */
    m.padded = false;
    stun_add_text(&m, 0x8022, "x");
    stun_seal(&m);
    struct stun_msg msg = parsed(&m);
    assert_false(msg.damaged);
    assert_text(msg.username, "ab:cd");
}

static void looks_like_refuses_other_protocols(void **state)
{
    (void)state;
    static const char *const rows[] = {
        "",
        "00",
        "00010000",
        "8060a1b2 00000001 deadbeef 00000000 00000000 00000000",       /* RTP */
        "80c80006 00000055 ce000000 00000000 00000000 00000000",       /* RTCP */
        "16fefd00 00000000 00000000 70010000 64000000 00000000",       /* DTLS 1.2 ClientHello */
        "40000010 00000000 00000000 00000000 00000000",                /* ChannelData */
        "00010100 00010000 00000000 03777777 03636f6d 00000100 01",    /* DNS query, id 1 */
        "00010008 b7e7a701bc34d686fa87dfae01020304 00010100 00000000", /* classic, chain open */
        "00010004 b7e7a701bc34d686fa87dfae01020304 00010000 00",       /* classic, 1 byte over */
        "00030000 b7e7a701bc34d686fa87dfae01020304",                   /* classic has no Allocate */
        "00010006 b7e7a701bc34d686fa87dfae01020304 00030002 0000",     /* classic, unpadded */
        "00010001 2112a442b7e7a701bc34d686fa87dfae 00",
        "00010000 2112a442b7e7a701bc34d686fa87dfae 00000000", /* cookie, length wrong */
        "c0010000 2112a442b7e7a701bc34d686fa87dfae",
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct stun_make m = from_hex(rows[i]);
        uint8_t *copy = guard_copy(m.b, m.n);
        assert_false(stun_looks_like(slice_of(copy, m.n), true));
        guard_free(copy, m.n);
    }
}

static void looks_like_takes_classic_only_when_exact(void **state)
{
    (void)state;
    struct stun_make m = stun_begin(0x0001, CLASSIC_ID, true);
    stun_add_u32(&m, 0x0003, 0); /* CHANGE-REQUEST */
    struct slice s = stun_seal(&m);
    assert_true(stun_looks_like(s, true));
    assert_true(stun_looks_like(s, false));
    assert_false(stun_looks_like(slice_of(s.p, s.n - 1), false));
    assert_false(stun_looks_like(slice_of(s.p, s.n + 1), false));
    m = stun_begin(0x0001, CLASSIC_ID, true); /* the very first test of RFC 3489 §10.1 */
    assert_true(stun_looks_like(slice_of(m.b, m.n), true));
}

static void nested_checks_are_found_with_and_without_length(void **state)
{
    (void)state;
    struct stun_make m = from_hex(SAMPLE_REQUEST);
    struct stun_msg msg;
    uint8_t framed[2 + 108 + 1] = {0, 108};
    memcpy(framed + 2, m.b, m.n);
    assert_true(stun_nested(slice_of(m.b, m.n), &msg));
    assert_int_equal(msg.priority, 0x6e0001ff);
    memset(&msg, 0, sizeof msg);
    assert_true(stun_nested(slice_of(framed, 110), &msg));
    assert_int_equal(msg.priority, 0x6e0001ff);
    assert_false(stun_nested(slice_of(framed, 111), &msg));
    assert_false(stun_nested(slice_of(framed, 109), &msg));
    assert_false(stun_nested(slice_of(framed, 0), &msg));
    assert_false(stun_nested(slice_str("\x80\x60 media"), &msg));
}

static void channel_data_is_padded_on_streams_only(void **state)
{
    (void)state;
    static const struct {
        const char *hex;
        bool stream;
        enum wire_result result;
        size_t size, data;
    } rows[] = {
        {"40000000", false, WIRE_OK, 4, 0},
        {"40000000", true, WIRE_OK, 4, 0},
        {"4fff0005 0102030405", false, WIRE_OK, 9, 5},
        {"4fff0005 0102030405000000", false, WIRE_OK, 12, 5}, /* padding is allowed on UDP */
        {"4fff0005 010203040500000000", false, WIRE_BAD, 0, 0},
        {"4fff0005 01020304", false, WIRE_BAD, 0, 0},
        {"4fff00", false, WIRE_BAD, 0, 0},
        {"", false, WIRE_BAD, 0, 0},
        {"4fff0005 0102030405000000 40", true, WIRE_OK, 12, 5},
        {"4fff0005 01020304050000", true, WIRE_MORE, 0, 0},
        {"4fff00", true, WIRE_MORE, 0, 0},
        {"", true, WIRE_MORE, 0, 0},
        {"3fff0000", true, WIRE_BAD, 0, 0},
        {"50000000", true, WIRE_BAD, 0, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct stun_make m = from_hex(rows[i].hex);
        uint8_t *copy = guard_copy(m.b, m.n);
        struct channel_data cd = {0};
        assert_int_equal(channel_data_parse(slice_of(copy, m.n), rows[i].stream, &cd, NULL),
                         rows[i].result);
        assert_int_equal(cd.size, rows[i].size);
        assert_int_equal(cd.data.n, rows[i].data);
        if (cd.size)
            assert_int_equal(cd.channel, be16(m.b));
        guard_free(copy, m.n);
    }
}

static void every_kind_has_its_own_name(void **state)
{
    (void)state;
    for (int a = 0; a < STUN_KINDS; a++) {
        assert_non_null(stun_kind_name((enum stun_kind)a));
        for (int b = 0; b < a; b++)
            assert_string_not_equal(stun_kind_name((enum stun_kind)a),
                                    stun_kind_name((enum stun_kind)b));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_the_sample_request),
        cmocka_unit_test(reads_the_sample_responses_of_both_families),
        cmocka_unit_test(reads_the_long_term_sample),
        cmocka_unit_test(classic_mapped_address_is_reflexive),
        cmocka_unit_test(xored_address_overrules_the_plain_one),
        cmocka_unit_test(allocate_response_names_relays_of_both_families),
        cmocka_unit_test(second_relay_is_of_the_other_family),
        cmocka_unit_test(send_indication_carries_peer_and_data),
        cmocka_unit_test(small_attributes_are_read),
        cmocka_unit_test(of_a_repeated_attribute_the_first_counts),
        cmocka_unit_test(error_code_is_class_times_hundred_plus_number),
        cmocka_unit_test(damage_keeps_what_came_before_and_nothing_after),
        cmocka_unit_test(values_of_the_wrong_length_are_damage),
        cmocka_unit_test(attribute_length_past_the_end_is_damage),
        cmocka_unit_test(type_decides_the_kind),
        cmocka_unit_test(a_prefix_is_more_on_a_stream_and_bad_as_datagram),
        cmocka_unit_test(body_cut_at_every_length_is_ok_and_perhaps_damaged),
        cmocka_unit_test(several_messages_are_found_by_size),
        cmocka_unit_test(what_is_not_stun_is_bad),
        cmocka_unit_test(the_last_padding_may_be_missing),
        cmocka_unit_test(looks_like_refuses_other_protocols),
        cmocka_unit_test(looks_like_takes_classic_only_when_exact),
        cmocka_unit_test(nested_checks_are_found_with_and_without_length),
        cmocka_unit_test(channel_data_is_padded_on_streams_only),
        cmocka_unit_test(every_kind_has_its_own_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

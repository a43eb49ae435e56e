/* Pseudo-TLS (P§1.1), TURN framing (P§1.2), RFC 4571, multiplexed TURN (P§1.8), TLS records. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "flows/wire/framing.h"
#include "tests/help/guard.h"
#include "tests/help/stun_make.h"

#define ANY32 "c1fcd5a36d93dd7e0b45673fec7985fbbc3fd660c2ce8485081b8121bcaa10fb"

static const char HELLO[] = "160301002d 01000029 0301 " ANY32 " 00 00020018 0100";
static const char ANSWER[] = "160301004e 02000046 0301 " ANY32 " 20 " ANY32 " 001800 0e000000";

struct octets {
    uint8_t b[512];
    size_t n;
};

static struct octets octets(const char *hex)
{
    struct octets o;
    o.n = octets_of(hex, o.b, sizeof o.b);
    return o;
}

typedef enum wire_result (*preamble)(struct slice, struct wire_fault *);

static enum wire_result guarded(preamble parse, const struct octets *o, struct wire_fault *fault)
{
    uint8_t *copy = guard_copy(o->b, o->n);
    enum wire_result r = parse(slice_of(copy, o->n), fault);
    guard_free(copy, o->n);
    return r;
}

/* any[i]: byte i may have every value. */
static void check_preamble(preamble parse, const char *hex, size_t size, const bool *any)
{
    struct octets whole = octets(hex), o;
    struct wire_fault fault;
    assert_int_equal(whole.n, size);
    for (size_t n = 0; n < size; n++) {
        o = whole, o.n = n;
        assert_int_equal(guarded(parse, &o, &fault), WIRE_MORE);
    }
    assert_int_equal(guarded(parse, &whole, &fault), WIRE_OK);
    o = whole, o.n = size + 9; /* frames may follow at once */
    assert_int_equal(guarded(parse, &o, &fault), WIRE_OK);
    for (size_t i = 0; i < size; i++) {
        o = whole, o.b[i] ^= 0x41;
        assert_int_equal(guarded(parse, &o, &fault), any[i] ? WIRE_OK : WIRE_BAD);
        if (any[i])
            continue;
        assert_int_equal(fault.offset, i);
        o.n = i + 1; /* told at the byte itself, not at the end */
        assert_int_equal(guarded(parse, &o, &fault), WIRE_BAD);
    }
}

static void hello_is_fixed_but_for_its_random(void **state)
{
    (void)state;
    bool any[PSEUDO_TLS_HELLO] = {false};
    for (size_t i = 11; i <= 42; i++)
        any[i] = true;
    check_preamble(pseudo_tls_hello, HELLO, PSEUDO_TLS_HELLO, any);
}

static void answer_is_fixed_but_for_random_and_session(void **state)
{
    (void)state;
    bool any[PSEUDO_TLS_ANSWER] = {false};
    for (size_t i = 11; i <= 42; i++)
        any[i] = true;
    for (size_t i = 44; i <= 75; i++)
        any[i] = true;
    check_preamble(pseudo_tls_answer, ANSWER, PSEUDO_TLS_ANSWER, any);
}

#define SERVER_HELLO "02000046 0301 " ANY32 " 20 " ANY32 " 001800"

static void what_came_instead_is_named(void **state)
{
    (void)state;
    static const struct {
        const char *hex;
        size_t needs; /* bytes before the judgement can fall */
        enum tls_instead what;
    } rows[] = {
        {"485454502f312e31", 1, TLS_NOT_TLS},
        {"170301001000", 5, TLS_NOT_TLS}, /* data without a handshake */
        {"1501", 2, TLS_NOT_TLS},
        {"16030148ff", 5, TLS_NOT_TLS}, /* record longer than 2^14+2048 */
        {"1503010002 0228", 5, TLS_ALERT},
        /* ServerHello and ServerHelloDone in two records: what a proxy did (P§1.1) */
        {"160301004a " SERVER_HELLO " 1603010004 0e000000", 85, TLS_SPLIT_HELLO},
        {"1603010020 02000046 0301", 9, TLS_SPLIT_HELLO},
        {"1603010003 020000", 5, TLS_SPLIT_HELLO},
        {"160301004a " SERVER_HELLO " 1603010100 0b0000fc", 85, TLS_CERTIFICATE},
        {"1603010400 " SERVER_HELLO " 0b0003b0", 80, TLS_CERTIFICATE},
        {"1603010400 0b0003fc", 9, TLS_CERTIFICATE},
        {"160301004a " SERVER_HELLO " 1503010002 0228", 85, TLS_ALERT},
        {"160301004a " SERVER_HELLO " 1603010100 0c0000fc", 85, TLS_OTHER_HELLO},
        {"160301004a " SERVER_HELLO " 1403010001 01", 85, TLS_OTHER_HELLO},
        {"160301004a " SERVER_HELLO " 1603010000", 84, TLS_OTHER_HELLO},
        {"160301004a " SERVER_HELLO " 48", 80, TLS_OTHER_HELLO},
        /* Google's variant: one record, another suite */
        {"160301004a 02000042 0301 " ANY32 " 1c " ANY32 " 0e000000", 76, TLS_OTHER_HELLO},
        {"1603010031 01000029", 9, TLS_OTHER_HELLO}, /* our own hello echoed */
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct octets o = octets(rows[i].hex);
        for (size_t n = 0; n <= o.n; n++) {
            enum tls_instead what = (enum tls_instead)99;
            uint8_t *copy = guard_copy(o.b, n);
            enum wire_result r = pseudo_tls_instead(slice_of(copy, n), &what);
            guard_free(copy, n);
            assert_int_equal(r, n < rows[i].needs ? WIRE_MORE : WIRE_OK);
            assert_int_equal((int)what, n < rows[i].needs ? 99 : (int)rows[i].what);
        }
    }
}

/* One row per input for the parsers of frames; size 0 = not OK. */
struct frame_row {
    const char *hex;
    enum wire_result result;
    size_t size, payload, offset;
};

struct frame {
    size_t size;
    struct slice payload;
};

typedef enum wire_result (*framer)(struct slice, struct frame *, struct wire_fault *);

static enum wire_result as_turn(struct slice in, struct frame *out, struct wire_fault *fault)
{
    struct turn_frame f;
    enum wire_result r = turn_frame_parse(in, &f, fault);
    if (r == WIRE_OK) {
        assert_int_equal(f.type, in.p[0]);
        *out = (struct frame){f.size, f.payload};
    }
    return r;
}

static enum wire_result as_rfc4571(struct slice in, struct frame *out, struct wire_fault *fault)
{
    struct rfc4571_frame f;
    enum wire_result r = rfc4571_parse(in, &f, fault);
    if (r == WIRE_OK)
        *out = (struct frame){f.size, f.payload};
    return r;
}

static enum wire_result as_mux(struct slice in, struct frame *out, struct wire_fault *fault)
{
    struct mux_frame f;
    enum wire_result r = mux_parse(in, &f, fault);
    if (r == WIRE_OK) {
        assert_memory_equal(f.session, in.p + 4, 8);
        *out = (struct frame){f.size, f.data};
    }
    return r;
}

static void check_frames(framer parse, const struct frame_row *rows, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct octets o = octets(rows[i].hex);
        struct frame f = {0};
        struct wire_fault fault = {0};
        uint8_t *copy = guard_copy(o.b, o.n);
        assert_int_equal(parse(slice_of(copy, o.n), &f, &fault), rows[i].result);
        assert_int_equal(f.size, rows[i].size);
        assert_int_equal(f.payload.n, rows[i].payload);
        if (rows[i].result == WIRE_OK)
            assert_ptr_equal(f.payload.p, copy + rows[i].size - rows[i].payload);
        if (rows[i].result == WIRE_BAD)
            assert_int_equal(fault.offset, rows[i].offset);
        guard_free(copy, o.n);
    }
}

static void turn_frames(void **state)
{
    (void)state;
    static const struct frame_row rows[] = {
        {"", WIRE_MORE, 0, 0, 0},
        {"02", WIRE_MORE, 0, 0, 0},
        {"030000", WIRE_MORE, 0, 0, 0},
        {"02000000", WIRE_OK, 4, 0, 0},
        {"02000003 0a0b", WIRE_MORE, 0, 0, 0},
        {"02000003 0a0b0c", WIRE_OK, 7, 3, 0},
        {"03000003 0a0b0c 02", WIRE_OK, 7, 3, 0},
        {"0200ffff 0a0b0c", WIRE_MORE, 0, 0, 0},
        {"04", WIRE_BAD, 0, 0, 0},
        {"01000000", WIRE_BAD, 0, 0, 0},
        {"0201", WIRE_BAD, 0, 0, 1},
    };
    check_frames(as_turn, rows, sizeof rows / sizeof *rows);
}

static void rfc4571_frames(void **state)
{
    (void)state;
    static const struct frame_row rows[] = {
        {"", WIRE_MORE, 0, 0, 0},          {"00", WIRE_MORE, 0, 0, 0},
        {"0000", WIRE_OK, 2, 0, 0},        {"0002 aa", WIRE_MORE, 0, 0, 0},
        {"0002 aabb", WIRE_OK, 4, 2, 0},   {"0002 aabbcc", WIRE_OK, 4, 2, 0},
        {"ffff aabb", WIRE_MORE, 0, 0, 0},
    };
    check_frames(as_rfc4571, rows, sizeof rows / sizeof *rows);
}

static void multiplexed_frames(void **state)
{
    (void)state;
    static const struct frame_row rows[] = {
        {"", WIRE_MORE, 0, 0, 0},
        {"ff10", WIRE_MORE, 0, 0, 0},
        {"ff100008 0102030405060708", WIRE_OK, 12, 0, 0},
        {"ff10000a 0102030405060708 aabb", WIRE_OK, 14, 2, 0},
        {"ff10000a 0102030405060708 aabbcc", WIRE_OK, 14, 2, 0},
        {"ff10000a 0102030405060708 aa", WIRE_MORE, 0, 0, 0},
        {"ff100007", WIRE_BAD, 0, 0, 2},
        {"fe", WIRE_BAD, 0, 0, 0},
        {"ff11", WIRE_BAD, 0, 0, 1},
    };
    check_frames(as_mux, rows, sizeof rows / sizeof *rows);
}

/* A largest frame, so that length arithmetic is seen at its end. */
static void frames_of_65535_bytes(void **state)
{
    (void)state;
    size_t n = 4 + 65535;
    uint8_t *b = calloc(1, n);
    assert_non_null(b);
    memcpy(b, "\x02\x00\xff\xff", 4);
    uint8_t *copy = guard_copy(b, n);
    struct turn_frame f;
    assert_int_equal(turn_frame_parse(slice_of(copy, n - 1), &f, NULL), WIRE_MORE);
    assert_int_equal(turn_frame_parse(slice_of(copy, n), &f, NULL), WIRE_OK);
    assert_int_equal(f.size, n);
    assert_int_equal(f.payload.n, 65535);
    guard_free(copy, n);
    free(b);
}

static void tls_records(void **state)
{
    (void)state;
    static const struct {
        const char *hex;
        enum wire_result result;
        size_t body, length, offset;
    } rows[] = {
        {"", WIRE_MORE, 0, 0, 0},
        {"16", WIRE_MORE, 0, 0, 0},
        {"16030102", WIRE_MORE, 0, 0, 0},
        {"1603010200", WIRE_OK, 0, 512, 0},
        {"1603010002 0a", WIRE_OK, 1, 2, 0},
        {"1703030002 0a0b0c", WIRE_OK, 2, 2, 0},
        {"1803040000", WIRE_OK, 0, 0, 0},
        {"1403004800", WIRE_OK, 0, 18432, 0},
        {"1403004801", WIRE_BAD, 0, 0, 3},
        {"13", WIRE_BAD, 0, 0, 0},
        {"19", WIRE_BAD, 0, 0, 0},
        {"1602", WIRE_BAD, 0, 0, 1},
        {"160305", WIRE_BAD, 0, 0, 1},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct octets o = octets(rows[i].hex);
        struct tls_record rec = {0};
        struct wire_fault fault = {0};
        uint8_t *copy = guard_copy(o.b, o.n);
        assert_int_equal(tls_record_parse(slice_of(copy, o.n), &rec, &fault), rows[i].result);
        assert_int_equal(rec.body.n, rows[i].body);
        assert_int_equal(rec.length, rows[i].length);
        assert_int_equal(fault.offset, rows[i].offset);
        if (rows[i].result == WIRE_OK) {
            assert_int_equal(rec.type, o.b[0]);
            assert_int_equal(rec.version, be16(o.b + 1));
        }
        guard_free(copy, o.n);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hello_is_fixed_but_for_its_random),
        cmocka_unit_test(answer_is_fixed_but_for_random_and_session),
        cmocka_unit_test(what_came_instead_is_named),
        cmocka_unit_test(turn_frames),
        cmocka_unit_test(rfc4571_frames),
        cmocka_unit_test(multiplexed_frames),
        cmocka_unit_test(frames_of_65535_bytes),
        cmocka_unit_test(tls_records),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

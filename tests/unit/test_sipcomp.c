/* MPPC against RFC 2118, and connections behind compression headers of several layouts. No capture
 * of MS-SIPCOMP was at hand: layouts are the ones that the dossier (§6) leaves open. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "flows/sipcomp.h"
#include "flows/wire/mppc.h"
#include "tests/help/guard.h"
#include "tests/help/mppc_make.h"

static struct mppc_made made;
static struct mppc history;
static uint8_t out[1 << 16];

static enum wire_result decode(size_t bytes, size_t room, size_t *n)
{
    struct wire_fault fault = {0};
    uint8_t *in = guard_copy(made.p, bytes);
    enum wire_result r = mppc_decode(&history, slice_of(in, bytes), out, room, n, &fault);
    assert_true((r == WIRE_BAD) == (fault.reason != NULL));
    guard_free(in, bytes);
    return r;
}

static void start(void)
{
    memset(&made, 0, sizeof made);
    memset(&history, 0, sizeof history);
}

static void put_literals(const char *text)
{
    for (; *text; text++)
        mppc_literal(&made, (uint8_t)*text);
}

/* RFC 2118 §4: "for whom the bell tolls,<16,15> <40,4><19,3>e." */
static void the_example_of_the_rfc(void **state)
{
    static const char want[] = "for whom the bell tolls, the bell tolls for thee.";
    size_t n;
    (void)state;
    start();
    put_literals("for whom the bell tolls,");
    mppc_copy(&made, 16, 15);
    put_literals(" ");
    mppc_copy(&made, 40, 4);
    mppc_copy(&made, 19, 3);
    put_literals("e.");
    assert_int_equal(decode(mppc_bytes(&made), sizeof out, &n), WIRE_OK);
    assert_int_equal(n, sizeof want - 1);
    assert_memory_equal(out, want, n);
}

/* Bits as the RFC's tables print them. */
static void tokens_bit_by_bit(void **state)
{
    static const struct {
        uint8_t bytes[8];
        size_t n;
        const char *text;
        size_t length;
    } rows[] = {
        {{0x41}, 1, "A", 1},                              /* 0 1000001 */
        {{0xa0, 0x80}, 2, "\xc1", 1},                     /* 10 1000001 */
        {{0x41, 0xf0, 0x40}, 3, "AAAA", 4},               /* 1111 000001, length 3: 0 */
        {{0x41, 0xf0, 0x60}, 3, "AAAAA", 5},              /* ..., length 4: 10 00 */
        {{0x41, 0xf0, 0x70, 0x00}, 4, "AAAAAAAAA\0", 10}, /* length 8: 110 000, then a NUL */
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        size_t n;
        start();
        memcpy(made.p, rows[i].bytes, rows[i].n);
        if (decode(rows[i].n, sizeof out, &n) != WIRE_OK || n != rows[i].length ||
            memcmp(out, rows[i].text, n) != 0)
            fail_msg("row %zu: %zu bytes", i, n);
    }
}

/* Every size of offset and length at the edges of their ranges. */
static void offsets_and_lengths(void **state)
{
    static const unsigned offsets[] = {1, 63, 64, 319, 320, 8191},
                          lengths[] = {3, 4, 7, 8, 15, 16, 255, 256, 4095, 4096, 8191};
    (void)state;
    for (size_t i = 0; i < sizeof offsets / sizeof *offsets; i++)
        for (size_t k = 0; k < sizeof lengths / sizeof *lengths; k++) {
            size_t n;
            start();
            for (unsigned b = 0; b < 8191; b++)
                mppc_literal(&made, (uint8_t)(b * b % 251));
            mppc_copy(&made, offsets[i], lengths[k]);
            assert_int_equal(decode(mppc_bytes(&made), sizeof out, &n), WIRE_OK);
            assert_int_equal(n, 8191 + lengths[k]);
            for (unsigned b = 0; b < lengths[k]; b++)
                assert_int_equal(out[8191 + b], out[8191 + b - offsets[i]]);
        }
}

static void bad_data(void **state)
{
    size_t n;
    (void)state;
    start();
    mppc_copy(&made, 1, 3); /* nothing there yet */
    assert_int_equal(decode(mppc_bytes(&made), sizeof out, &n), WIRE_BAD);
    start();
    put_literals("abc");
    mppc_copy(&made, 4, 3);
    assert_int_equal(decode(mppc_bytes(&made), sizeof out, &n), WIRE_BAD);
    start();
    put_literals("abcd");
    assert_int_equal(decode(mppc_bytes(&made), 3, &n), WIRE_BAD);
    start();
    put_literals("abc");
    mppc_copy(&made, 3, 8000);
    for (size_t cut = 0; cut <= mppc_bytes(&made); cut++) {
        memset(&history, 0, sizeof history);
        (void)decode(cut, sizeof out, &n);
    }
}

/* ---- connections ---- */

static const char plain[] = "REGISTER sip:contoso.com SIP/2.0\r\nCall-ID: 1\r\nCSeq: 1 REGISTER\r\n"
                            "Content-Length: 0\r\n\r\n",
                  next[] = "INVITE sip:b@contoso.com SIP/2.0\r\nCall-ID: 2\r\nCSeq: 1 INVITE\r\n"
                           "Content-Length: 0\r\n\r\n";

/* Where the size stands and what it counts. */
struct layout {
    unsigned header, at, counts;
    bool little;
};

static size_t packet(uint8_t *to, const struct layout *l, const void *body, size_t n)
{
    size_t told = n + l->counts;
    memset(to, 0xe7, l->header); /* flags and whatever: unknown */
    to[l->at] = (uint8_t)(l->little ? told : told >> 8);
    to[l->at + 1] = (uint8_t)(l->little ? told >> 8 : told);
    memcpy(to + l->header, body, n);
    return l->header + n;
}

static void layouts(void **state)
{
    static const struct layout rows[] = {
        {6, 0, 0, false}, {6, 4, 0, false}, {6, 2, 0, true},  {8, 2, 8, false},
        {6, 0, 4, false}, {12, 6, 0, true}, {2, 0, 0, false},
    };
    char both[sizeof plain + sizeof next];
    (void)state;
    snprintf(both, sizeof both, "%s%s", next, next);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        static uint8_t wire[4096];
        struct sipcomp *c = sipcomp_new();
        struct sip_msg m;
        size_t used, n = packet(wire, &rows[i], plain, sizeof plain - 1);
        size_t first = n;
        start(); /* two messages, the second out of the first's history */
        mppc_text(&made, both, 0, sizeof next - 1);
        n += packet(wire + n, &rows[i], made.p, mppc_bytes(&made));
        start();
        mppc_text(&made, both, sizeof next - 1, 2 * (sizeof next - 1));
        assert_true(mppc_bytes(&made) < 16);
        n += packet(wire + n, &rows[i], made.p, mppc_bytes(&made));
        for (size_t cut = 0; cut < first; cut++) {
            uint8_t *in = guard_copy(wire, cut);
            assert_int_equal(sipcomp_next(c, SIDE_CLIENT, slice_of(in, cut), &m, &used), WIRE_MORE);
            assert_int_equal(used, 0);
            guard_free(in, cut);
        }
        size_t at = 0;
        for (int k = 0; k < 3; k++) {
            if (sipcomp_next(c, SIDE_CLIENT, slice_of(wire + at, n - at), &m, &used) != WIRE_OK)
                fail_msg("layout %zu, message %d", i, k);
            assert_int_equal(m.method, k ? SIP_INVITE : SIP_REGISTER);
            at += used;
        }
        assert_int_equal(at, n);
        sipcomp_free(c);
    }
}

/* The first message is compressed already: its start line is legible, the rest is not. */
static void compressed_from_the_start(void **state)
{
    static const struct layout l = {6, 2, 0, true};
    static const char text[] =
        "INVITE sip:b@contoso.com SIP/2.0\r\nVia: SIP/2.0/TLS 10.1.9.7:49811\r\n"
        "Contact: <sip:b@contoso.com>\r\nCSeq: 1 INVITE\r\n\r\n";
    static uint8_t wire[4096];
    struct sipcomp *c = sipcomp_new();
    struct sip_msg m;
    size_t used;
    (void)state;
    start();
    mppc_text(&made, text, 0, sizeof text - 1);
    size_t n = packet(wire, &l, made.p, mppc_bytes(&made));
    for (size_t cut = 0; cut < n; cut++)
        assert_int_equal(sipcomp_next(c, SIDE_SERVER, slice_of(wire, cut), &m, &used), WIRE_MORE);
    assert_int_equal(sipcomp_next(c, SIDE_SERVER, slice_of(wire, n), &m, &used), WIRE_OK);
    assert_int_equal(used, n);
    assert_int_equal(m.cseq, 1);
    assert_int_equal(m.contact.n, strlen("<sip:b@contoso.com>"));
    sipcomp_free(c);
}

static void what_cannot_be_read(void **state)
{
    static const struct layout l = {6, 0, 0, false};
    static uint8_t wire[4096];
    struct sip_msg m;
    size_t used, n;
    (void)state;
    /* no text anywhere */
    struct sipcomp *c = sipcomp_new();
    memset(wire, 0x9b, sizeof wire);
    assert_int_equal(sipcomp_next(c, SIDE_CLIENT, slice_of(wire, 400), &m, &used), WIRE_BAD);
    sipcomp_free(c);
    /* text, but no size in front of it */
    c = sipcomp_new();
    memcpy(wire + 6, plain, sizeof plain);
    assert_int_equal(sipcomp_next(c, SIDE_CLIENT, slice_of(wire, 6 + sizeof plain - 1), &m, &used),
                     WIRE_BAD);
    sipcomp_free(c);
    /* decodes, but not to SIP: never taken for text */
    c = sipcomp_new();
    n = packet(wire, &l, plain, sizeof plain - 1);
    assert_int_equal(sipcomp_next(c, SIDE_CLIENT, slice_of(wire, n), &m, &used), WIRE_OK);
    start();
    put_literals("hello, this is no SIP message at all, is it?");
    n = packet(wire, &l, made.p, mppc_bytes(&made));
    assert_int_equal(sipcomp_next(c, SIDE_SERVER, slice_of(wire, n), &m, &used), WIRE_BAD);
    sipcomp_free(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_example_of_the_rfc),
        cmocka_unit_test(tokens_bit_by_bit),
        cmocka_unit_test(offsets_and_lengths),
        cmocka_unit_test(bad_data),
        cmocka_unit_test(layouts),
        cmocka_unit_test(compressed_from_the_start),
        cmocka_unit_test(what_cannot_be_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

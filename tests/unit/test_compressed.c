/* Connections whose SIP is compressed (MS-SIPCOMP) in a way that can't be worked out: each has a
 * row that says so, in clear and inside TLS. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "flows/proto.h"
#include "flows/tracker.h"
#include "flows/tls_keys.h"
#include "flows/wire/tls_handshake.h"
#include "tests/help/tls_make.h"

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

/* What the dossier has of the first exchange (§6). */
static const char ask[] = "NEGOTIATE sip:fe.contoso.com SIP/2.0\r\nCSeq: 1 NEGOTIATE\r\n"
                          "Compression: LZ77-8K\r\nContent-Length: 0\r\n\r\n",
                  yes[] = "SIP/2.0 200 OK\r\nCSeq: 1 NEGOTIATE\r\nCompression: LZ77-8K\r\n"
                          "Content-Length: 0\r\n\r\n";
static uint8_t closed[200];

struct line {
    struct joiner *joiner;
    struct calls *calls;
    struct handover *handover;
    struct tls_keys *keys;
    struct proto *proto;
    struct flow flow;
    struct stream stream;
    struct tls_maker made;
    size_t fed[2];
    char state[32], version[32], key[128], advice[400];
    uint32_t messages;
    bool readable;
    unsigned rows;
};

static void on_tls(void *arg, const struct fact_tls *t)
{
    struct line *l = arg;
    l->rows = (unsigned)t->id > l->rows ? (unsigned)t->id : l->rows;
    snprintf(l->state, sizeof l->state, "%s", t->state);
    snprintf(l->version, sizeof l->version, "%s", t->version ? t->version : "");
    snprintf(l->key, sizeof l->key, "%s", t->key ? t->key : "");
    snprintf(l->advice, sizeof l->advice, "%s", t->advice ? t->advice : "");
    l->messages = t->messages;
    l->readable = t->readable;
}

static void no_failure(void *arg, const struct failure *f, const struct finding *list, unsigned n)
{
    (void)arg, (void)f, (void)list, (void)n;
}

static struct line line;
static const struct engine_out out = {.arg = &line, .tls = on_tls};

static int setup(void **state)
{
    static const struct joiner_config plain = {.sensor = "here"};
    static const struct joiner_hooks hooks = {.failure = no_failure};
    static const uint16_t sip_ports[] = {5061};
    struct line *l = &line;
    memset(l, 0, sizeof *l);
    memset(closed, 0x9b, sizeof closed);
    l->keys = tls_keys_new();
    l->joiner = joiner_new(&plain, &hooks);
    l->calls = calls_new(l->joiner, &out, false, 1);
    const struct handover_to to = {.calls = l->calls, .joiner = l->joiner, .out = &out};
    l->handover = handover_new(&to, false);
    l->proto = proto_new(&(struct proto_config){.handover = l->handover,
                                                .joiner = l->joiner,
                                                .keys = l->keys,
                                                .sip_ports = sip_ports,
                                                .n_sip_ports = 1});
    l->flow.client.port = 50000;
    l->flow.server.port = 5061;
    l->stream = (struct stream){.flow = &l->flow, .from_start = true, .time = TICK_S};
    *state = l;
    return 0;
}

static int teardown(void **state)
{
    struct line *l = *state;
    proto_free(l->proto);
    handover_free(l->handover);
    calls_free(l->calls);
    joiner_free(l->joiner);
    tls_keys_free(l->keys);
    return 0;
}

static struct stream_take from(struct line *l, enum stream_side side, const void *p, size_t n)
{
    const struct stream_reader *r = proto_reader(l->proto);
    return r->data(r->arg, &l->stream, side, slice_of(p, n));
}

static void over(struct line *l)
{
    const struct stream_reader *r = proto_reader(l->proto);
    r->over(r->arg, &l->stream, true);
}

static void in_clear(void **state)
{
    struct line *l = *state;
    from(l, SIDE_CLIENT, ask, sizeof ask - 1);
    from(l, SIDE_SERVER, yes, sizeof yes - 1);
    assert_int_equal(l->rows, 0);
    assert_true(from(l, SIDE_CLIENT, closed, sizeof closed).release);
    over(l);
    assert_int_equal(l->rows, 1);
    assert_string_equal(l->state, "compressed");
    assert_string_equal(l->version, "");
    assert_false(l->readable);
    assert_int_equal(l->messages, 2);
    assert_non_null(strstr(l->advice, "edgewatch import"));
}

static void wire_on(struct line *l, int side)
{
    struct tls_wire *w = &l->made.wire[side];
    l->fed[side] += from(l, (enum stream_side)side, w->b + l->fed[side], w->n - l->fed[side]).used;
}

static void inside_tls(void **state)
{
    struct line *l = *state;
    char log[2048];
    tls_make_begin(&l->made, TLS_13, 0x1301, false);
    tls_keys_log(l->keys, tls_keys_source(l->keys, "key log x"),
                 slice_str(tls_make_keylog(&l->made, log)), true);
    tls_make_handshake(&l->made);
    l->fed[0] = from(l, SIDE_CLIENT, l->made.wire[0].b, 5u + be16(l->made.wire[0].b + 3)).used;
    wire_on(l, 1);
    wire_on(l, 0);
    tls_make_seal(&l->made, 0, 23, slice_str(ask));
    wire_on(l, 0);
    tls_make_seal(&l->made, 1, 23, slice_str(yes));
    wire_on(l, 1);
    tls_make_seal(&l->made, 0, 23, slice_of(closed, sizeof closed));
    wire_on(l, 0);
    over(l);
    assert_int_equal(l->rows, 1);
    assert_string_equal(l->state, "compressed");
    assert_string_equal(l->version, "TLS 1.3");
    assert_string_equal(l->key, "key log x");
    assert_false(l->readable);
    assert_int_equal(l->messages, 2);
    assert_non_null(strstr(l->advice, "edgewatch import"));
    tls_make_end(&l->made);
}

int main(void)
{
    const struct CMUnitTest tests[] = {T(in_clear), T(inside_tls)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

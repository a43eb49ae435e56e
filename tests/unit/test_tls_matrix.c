/*
 * Every TLS version x source of keys x family of ciphers, spoken by OpenSSL's own client and
 * server: whole, what comes out is what they wrote. Cut, reordered, lossy or changed: a clear
 * state, and never a byte that was not sent.
 *
 * What libssl of Debian does not speak any more (SSL 3.0, 3DES, RC4) is in tests/live/tls.sh
 * (GnuTLS) and tests/golden/tls.sh (captures).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "flows/limits.h"
#include "flows/tls_link.h"
#include "flows/wire/tls_handshake.h"
#include "tests/help/tls_talk.h"

#define T(f) cmocka_unit_test(f)

static const struct tls_talk_plan plans[] = {
    /* name, version, ciphers, groups, how, no_etm, no_ems, ec */
    {"1.0 RSA AES128-SHA etm", TLS_10, "AES128-SHA", NULL, TALK_FULL, 0, 0, 0},
    {"1.0 RSA AES256-SHA mte", TLS_10, "AES256-SHA", NULL, TALK_FULL, 1, 0, 0},
    {"1.0 RSA AES128-SHA mte, no ems", TLS_10, "AES128-SHA", NULL, TALK_FULL, 1, 1, 0},
    {"1.0 ECDHE AES128-SHA mte", TLS_10, "ECDHE-RSA-AES128-SHA", "X25519", TALK_FULL, 1, 0, 0},
    {"1.0 renegotiated", TLS_10, "AES128-SHA", NULL, TALK_RENEGOTIATED, 1, 0, 0},
    {"1.1 RSA AES128-SHA etm", TLS_11, "AES128-SHA", NULL, TALK_FULL, 0, 0, 0},
    {"1.1 RSA CAMELLIA256-SHA mte", TLS_11, "CAMELLIA256-SHA", NULL, TALK_FULL, 1, 0, 0},
    {"1.1 ECDHE AES256-SHA etm", TLS_11, "ECDHE-RSA-AES256-SHA", "X25519", TALK_FULL, 0, 0, 0},
    {"1.2 RSA AES128-SHA etm", TLS_12, "AES128-SHA", NULL, TALK_FULL, 0, 0, 0},
    {"1.2 RSA AES128-SHA256 mte", TLS_12, "AES128-SHA256", NULL, TALK_FULL, 1, 0, 0},
    {"1.2 RSA AES256-SHA256 no ems", TLS_12, "AES256-SHA256", NULL, TALK_FULL, 0, 1, 0},
    {"1.2 RSA NULL-SHA256", TLS_12, "NULL-SHA256", NULL, TALK_FULL, 0, 0, 0},
    {"1.2 RSA AES128-GCM", TLS_12, "AES128-GCM-SHA256", NULL, TALK_FULL, 0, 0, 0},
    {"1.2 RSA AES256-GCM", TLS_12, "AES256-GCM-SHA384", NULL, TALK_FULL, 0, 0, 0},
    {"1.2 RSA AES128-CCM", TLS_12, "AES128-CCM", NULL, TALK_FULL, 0, 0, 0},
    {"1.2 RSA AES256-CCM8", TLS_12, "AES256-CCM8", NULL, TALK_FULL, 0, 0, 0},
    {"1.2 RSA mutual", TLS_12, "AES128-SHA", NULL, TALK_MUTUAL, 0, 0, 0},
    {"1.2 RSA by session id", TLS_12, "AES128-SHA256", NULL, TALK_RESUMED_ID, 0, 0, 0},
    {"1.2 RSA by ticket", TLS_12, "AES128-GCM-SHA256", NULL, TALK_RESUMED_TICKET, 0, 0, 0},
    {"1.2 RSA renegotiated", TLS_12, "AES128-GCM-SHA256", NULL, TALK_RENEGOTIATED, 0, 0, 0},
    {"1.2 ECDHE AES256-SHA384 etm", TLS_12, "ECDHE-RSA-AES256-SHA384", "X25519", TALK_FULL, 0, 0,
     0},
    {"1.2 ECDHE AES128-GCM", TLS_12, "ECDHE-RSA-AES128-GCM-SHA256", "X25519", TALK_FULL, 0, 0, 0},
    {"1.2 ECDHE AES256-GCM, no ems", TLS_12, "ECDHE-RSA-AES256-GCM-SHA384", "X25519", TALK_FULL, 0,
     1, 0},
    {"1.2 ECDHE P-384", TLS_12, "ECDHE-RSA-AES256-GCM-SHA384", "P-384", TALK_FULL, 0, 0, 0},
    {"1.2 ECDHE ChaCha20", TLS_12, "ECDHE-RSA-CHACHA20-POLY1305", "X25519", TALK_FULL, 0, 0, 0},
    {"1.2 ECDHE-ECDSA AES128-CCM8", TLS_12, "ECDHE-ECDSA-AES128-CCM8", "X25519", TALK_FULL, 0, 0,
     1},
    {"1.2 ECDHE by session id", TLS_12, "ECDHE-RSA-AES128-GCM-SHA256", "X25519", TALK_RESUMED_ID, 0,
     0, 0},
    {"1.2 DHE AES256-GCM", TLS_12, "DHE-RSA-AES256-GCM-SHA384", NULL, TALK_FULL, 0, 0, 0},
    {"1.2 DHE AES256-SHA256 mte", TLS_12, "DHE-RSA-AES256-SHA256", NULL, TALK_FULL, 1, 0, 0},
    {"1.2 DHE AES128-CCM", TLS_12, "DHE-RSA-AES128-CCM", NULL, TALK_FULL, 0, 0, 0},
    {"1.3 AES128-GCM", TLS_13, "TLS_AES_128_GCM_SHA256", NULL, TALK_FULL, 0, 0, 0},
    {"1.3 AES256-GCM", TLS_13, "TLS_AES_256_GCM_SHA384", NULL, TALK_FULL, 0, 0, 0},
    {"1.3 ChaCha20", TLS_13, "TLS_CHACHA20_POLY1305_SHA256", NULL, TALK_FULL, 0, 0, 0},
    {"1.3 AES128-CCM", TLS_13, "TLS_AES_128_CCM_SHA256", NULL, TALK_FULL, 0, 0, 0},
    {"1.3 AES128-CCM8", TLS_13, "TLS_AES_128_CCM_8_SHA256", NULL, TALK_FULL, 0, 0, 0},
    {"1.3 HelloRetryRequest", TLS_13, "TLS_AES_128_GCM_SHA256", "P-384", TALK_FULL, 0, 0, 0},
    {"1.3 mutual", TLS_13, "TLS_AES_128_GCM_SHA256", NULL, TALK_MUTUAL, 0, 0, 0},
    {"1.3 resumed", TLS_13, "TLS_AES_256_GCM_SHA384", NULL, TALK_RESUMED_TICKET, 0, 0, 0},
    {"1.3 updated", TLS_13, "TLS_AES_128_GCM_SHA256", NULL, TALK_UPDATED, 0, 0, 0},
    {"1.3 early data", TLS_13, "TLS_AES_128_GCM_SHA256", NULL, TALK_EARLY, 0, 0, 0},
    {"1.3 early data, ChaCha20", TLS_13, "TLS_CHACHA20_POLY1305_SHA256", NULL, TALK_EARLY, 0, 0, 0},
    {"1.3 early data refused", TLS_13, "TLS_AES_128_GCM_SHA256", NULL, TALK_EARLY_REFUSED, 0, 0, 0},
};
enum { PLANS = sizeof plans / sizeof *plans };

enum source { PRIVATE_KEY, KEY_LOG, LATE_KEY_LOG, PREMASTER, ENCRYPTED, SESSION_ID, NOTHING };
static const char *const source_names[] = {
    "private key", "key log",        "late key log", "PMS_CLIENT_RANDOM",
    "RSA",         "RSA Session-ID", "nothing"};

static struct tls_talk talk, before;
static const struct tls_talk_plan *plan;
static enum source with;
static const char *pem;
static size_t pem_n;

/* ---- reading ---- */

enum { OUT = 2 * TALK_TEXT };

static struct {
    struct tls_reader reader;
    struct tls_link *link;
    size_t fed[2], have[2]; /* of the wire: taken, and there */
    uint8_t wire[2][TALK_ROOM];
    char text[2][OUT];
    size_t n[2];
    bool stopped;
    tick_t now;
    uint8_t scratch[TLS_PLAIN_MAX];
} lab;

static bool on_text(void *arg, struct tls_link *l, enum stream_side side, tick_t time,
                    struct slice text)
{
    (void)arg, (void)l, (void)time;
    assert_true(lab.n[side] + text.n < OUT);
    memcpy(lab.text[side] + lab.n[side], text.p, text.n);
    lab.n[side] += text.n;
    lab.text[side][lab.n[side]] = 0;
    return true;
}

static void on_hole(void *arg, struct tls_link *l, enum stream_side side)
{
    on_text(arg, l, side, 0, slice_str("\n"));
}

static struct tls_private *private_key; /* read once: its copy goes with each store of keys */

static void add_key(struct tls_keys *k)
{
    const char *why;
    private_key = tls_private_read(slice_of(pem, pem_n), "key", NULL, NULL, &why);
    assert_non_null(private_key);
    assert_int_equal(tls_keys_add(k, private_key, "key"), 0);
}

static void add_lines(const struct tls_talk *t)
{
    const char *const lines[] = {[KEY_LOG] = t->keylog,
                                 [LATE_KEY_LOG] = t->keylog,
                                 [PREMASTER] = t->premaster,
                                 [ENCRYPTED] = t->encrypted,
                                 [SESSION_ID] = t->session};
    tls_keys_log(lab.reader.keys, 0, slice_str(lines[with]), true);
}

static void begin_keys(void)
{
    memset(&lab.reader, 0, sizeof lab.reader);
    lab.reader = (struct tls_reader){
        .keys = tls_keys_new(), .scratch = lab.scratch, .on_text = on_text, .on_hole = on_hole};
    assert_non_null(lab.reader.keys);
    assert_int_equal(tls_keys_source(lab.reader.keys, "log"), 0);
    if (with == PRIVATE_KEY)
        add_key(lab.reader.keys);
    else if (with == LATE_KEY_LOG)
        tls_keys_set_growing(lab.reader.keys, true);
    else if (with != NOTHING)
        add_lines(&talk);
    if (before.n_steps && (with == PREMASTER || with == ENCRYPTED)) /* of the full handshake */
        add_lines(&before);
}

static unsigned links;

static void begin(void)
{
    links++;
    lab.link = tls_link_new(&lab.reader, &lab);
    lab.fed[0] = lab.fed[1] = lab.have[0] = lab.have[1] = lab.n[0] = lab.n[1] = 0;
    lab.text[0][0] = lab.text[1][0] = 0;
    lab.stopped = false;
    lab.now = TICK_S;
}

static void offer(enum stream_side side)
{
    if (lab.stopped || lab.fed[side] == lab.have[side])
        return;
    struct stream_take t =
        tls_link_data(lab.link, side, lab.now,
                      slice_of(lab.wire[side] + lab.fed[side], lab.have[side] - lab.fed[side]));
    lab.fed[side] += t.used;
    lab.stopped |= t.release;
}

static void add(const struct tls_talk *t, enum stream_side side, size_t at, size_t n)
{
    memcpy(lab.wire[side] + lab.have[side], t->wire[side] + at, n);
    lab.have[side] += n;
    offer(side);
}

static void add_step(const struct tls_talk *t, unsigned i)
{
    add(t, (enum stream_side)t->steps[i].side, t->steps[i].at, t->steps[i].n);
}

/* The key log line comes when all has been seen. */
static void late_line(void)
{
    if (with != LATE_KEY_LOG)
        return;
    add_lines(&talk);
    tls_link_retry(lab.link, lab.now);
}

static enum tls_state end(bool closed)
{
    late_line();
    tls_link_over(lab.link, lab.now, closed);
    struct tls_texts texts;
    struct fact_tls facts;
    enum tls_state state = tls_link_state(lab.link);
    tls_link_facts(lab.link, &texts, &facts);
    assert_non_null(tls_state_name(state));
    assert_int_not_equal(state, TLS_WAITING); /* it is over: nothing to wait for */
    if (facts.readable != (state == TLS_DECRYPTED))
        fail_msg("readable %d in state %s", facts.readable, tls_state_name(state));
    tls_link_free(lab.link);
    assert_int_equal(lab.reader.held, 0);
    return state;
}

/* The connection that this one resumes. */
static void replay_before(void)
{
    if (!before.n_steps || with != PRIVATE_KEY)
        return;
    begin();
    for (unsigned i = 0; i < before.n_steps; i++)
        add_step(&before, i);
    end(true);
}

/* ---- what may come out ---- */

/* Pieces between holes stand in the text that was sent, in that order. */
static const char *not_sent(enum stream_side side)
{
    static char piece[OUT];
    const char *at = lab.text[side], *from = talk.text[side];
    while (*at) {
        size_t n = strcspn(at, "\n");
        memcpy(piece, at, n);
        piece[n] = 0;
        const char *found = strstr(from, piece);
        if (!found)
            return at;
        from = found + n;
        at += n + (at[n] != 0);
    }
    return NULL;
}

static void check(const char *what, size_t where, enum tls_state state)
{
    for (int side = 0; side < 2; side++) {
        const char *wrong = not_sent((enum stream_side)side);
        if (wrong)
            fail_msg("%s, %s, %s %zu: '%.60s' was not sent", plan->name, source_names[with], what,
                     where, wrong);
        if (lab.n[side] && (with == NOTHING || state == TLS_NO_KEY || state == TLS_UNSUPPORTED))
            fail_msg("%s, %s, %s %zu: text, and state %s", plan->name, source_names[with], what,
                     where, tls_state_name(state));
    }
}

static void whole(size_t piece)
{
    begin();
    for (unsigned i = 0; i < talk.n_steps; i++)
        for (size_t at = 0, n; at < talk.steps[i].n; at += n) {
            n = piece && piece < talk.steps[i].n - at ? piece : talk.steps[i].n - at;
            add(&talk, (enum stream_side)talk.steps[i].side, talk.steps[i].at + at, n);
        }
    enum tls_state state = end(true);
    if (with == NOTHING) {
        if (state != TLS_NO_KEY || !lab.stopped) /* nothing more is read of it */
            fail_msg("%s, pieces of %zu: %s", plan->name, piece, tls_state_name(state));
        check("whole", piece, state);
        return;
    }
    if (state != TLS_DECRYPTED)
        fail_msg("%s, %s: %s", plan->name, source_names[with], tls_state_name(state));
    for (int side = 0; side < 2; side++)
        if (strcmp(lab.text[side], talk.text[side]) != 0)
            fail_msg("%s, %s, pieces of %zu, %s: got '%.400s' instead of '%.400s'", plan->name,
                     source_names[with], piece, side ? "server" : "client", lab.text[side],
                     talk.text[side]);
}

/* ---- damage ---- */

/* All of it takes 25 s (EW_TLS_MATRIX=all). Else one in SAMPLE, of each row another one. */
enum { SAMPLE = 7 };
static unsigned turn;
static bool thorough;

static bool has_turn(void)
{
    return turn++ % SAMPLE == 0 || thorough;
}

/* The capture ends after that many bytes of a step. */
static void cut(unsigned step, size_t bytes, bool closed)
{
    if (!has_turn())
        return;
    begin();
    for (unsigned i = 0; i < step; i++)
        add_step(&talk, i);
    add(&talk, (enum stream_side)talk.steps[step].side, talk.steps[step].at, bytes);
    check("cut in step", step, end(closed));
}

/* At every end of a record and beside it, and in the middle. */
static void cuts(void)
{
    for (unsigned i = 0; i < talk.n_steps; i++) {
        const struct tls_talk_step *s = &talk.steps[i];
        const uint8_t *p = talk.wire[s->side] + s->at;
        for (size_t at = 0; at + 5 <= s->n; at += 5u + be16(p + at + 3)) {
            size_t body = be16(p + at + 3);
            cut(i, at, false);
            cut(i, at + 3, true);
            cut(i, at + 5 + body / 2, i % 2);
            cut(i, at + 5 + body - 1, false);
        }
    }
}

/* The capture has one step before the one that it follows. */
static void swaps(void)
{
    for (unsigned i = 0; i + 1 < talk.n_steps; i++) {
        if (talk.steps[i].side == talk.steps[i + 1].side || !has_turn())
            continue; /* within a direction libnids puts it in order */
        begin();
        for (unsigned k = 0; k < talk.n_steps; k++)
            add_step(&talk, k == i ? k + 1 : k == i + 1 ? i : k);
        check("swapped step", i, end(true));
    }
}

/* A part of a step is missing; its size is known, or not. */
static void lose(unsigned step, size_t from, size_t n, bool sized)
{
    const struct tls_talk_step *s = &talk.steps[step];
    enum stream_side side = (enum stream_side)s->side;
    if (!has_turn())
        return;
    begin();
    for (unsigned i = 0; i < talk.n_steps; i++) {
        if (i != step) {
            add_step(&talk, i);
            continue;
        }
        add(&talk, side, s->at, from);
        lab.fed[side] = lab.have[side]; /* what was begun is thrown away, as streams.h says */
        if (!lab.stopped)
            tls_link_gap(lab.link, side, sized ? (uint32_t)n : 0);
        add(&talk, side, s->at + from + n, s->n - from - n);
    }
    check("lossy in step", step, end(true));
}

static void losses(void)
{
    for (unsigned i = 0; i < talk.n_steps; i++) {
        size_t n = talk.steps[i].n;
        lose(i, 0, n, true);
        lose(i, n / 3, n - n / 3, i % 2);
        lose(i, 0, n / 2, true);
        if (n > 10)
            lose(i, 7, 3, true);
    }
}

/* One bit of each record is another one. */
static void changes(void)
{
    for (unsigned i = 0; i < talk.n_steps; i++) {
        struct tls_talk_step s = talk.steps[i];
        uint8_t *p = talk.wire[s.side] + s.at;
        for (size_t at = 0; at + 5 <= s.n; at += 5u + be16(p + at + 3)) {
            uint8_t *changed = p + at + 5 + be16(p + at + 3) * 2u / 3;
            if (changed >= p + s.n)
                break;
            if (!has_turn())
                continue;
            *changed ^= 0x20;
            begin();
            for (unsigned k = 0; k < talk.n_steps; k++)
                add_step(&talk, k);
            check("changed in step", i, end(true));
            *changed ^= 0x20;
        }
    }
}

/* ---- rows ---- */

static bool has(enum source s)
{
    switch (s) {
    case PRIVATE_KEY:
        return talk.rsa && !plan->ec;
    case PREMASTER: /* a resumed handshake has none */
        return talk.premaster[0] && plan->how == TALK_FULL;
    case ENCRYPTED:
        return talk.encrypted[0] && plan->how == TALK_FULL;
    case SESSION_ID: /* what a resumed one is known by */
        return talk.session[0] && plan->how == TALK_RESUMED_ID;
    default:
        return true;
    }
}

static unsigned rows, damaged;

static void row(void)
{
    begin_keys();
    replay_before();
    whole(0);
    whole(13);
    if (with != PREMASTER && with != ENCRYPTED) { /* from there on they are key logs */
        cuts();
        swaps();
        losses();
        changes();
        damaged++;
    }
    tls_keys_free(lab.reader.keys);
    rows++;
}

static void every_row(void **state)
{
    (void)state;
    for (int i = 0; i < PLANS; i++) {
        plan = &plans[i];
        before.n_steps = 0;
        const char *wrong = tls_talk(plan, &before, &talk);
        if (wrong)
            fail_msg("%s: %s", plan->name, wrong);
        for (int s = PRIVATE_KEY; s <= NOTHING; s++) {
            with = (enum source)s;
            if (has(with))
                row();
        }
    }
    print_message("%u rows, %u of them damaged in every way: %u connections read\n", rows, damaged,
                  links);
    assert_true(rows > 150);
}

static void pick(enum tls_talk_how how, enum source source)
{
    for (int i = 0; i < PLANS; i++)
        if (plans[i].how == how)
            plan = &plans[i];
    with = source;
    before.n_steps = 0;
    assert_null(tls_talk(plan, &before, &talk));
}

/* A key log without the secret of early data: a hole in front, and the row says why. */
static void early_data_without_its_secret(void **state)
{
    struct tls_texts texts;
    struct fact_tls facts;
    (void)state;
    pick(TALK_EARLY, KEY_LOG);
    char *line = strstr(talk.keylog, "CLIENT_EARLY_TRAFFIC_SECRET");
    assert_non_null(line);
    memset(line, '#', strlen("CLIENT"));
    begin_keys();
    begin();
    for (unsigned i = 0; i < talk.n_steps; i++)
        add_step(&talk, i);
    assert_string_equal(lab.text[1], talk.text[1]);
    assert_int_equal(lab.text[0][0], '\n');
    assert_string_equal(lab.text[0] + 1, talk.text[0] + talk.early);
    tls_link_facts(lab.link, &texts, &facts);
    assert_non_null(strstr(facts.advice, "CLIENT_EARLY_TRAFFIC_SECRET"));
    assert_int_equal(end(true), TLS_DECRYPTED);
    tls_keys_free(lab.reader.keys);
}

/* Another connection's secrets: nothing comes out. */
static void a_wrong_secret(void **state)
{
    (void)state;
    for (int i = 0; i < PLANS; i++) {
        plan = &plans[i];
        with = KEY_LOG;
        before.n_steps = 0;
        assert_null(tls_talk(plan, &before, &talk));
        for (char *p = talk.keylog; (p = strchr(p, '\n')); p++) /* last digit of each secret */
            p[-1] = p[-1] == '0' ? '1' : '0';
        begin_keys();
        begin();
        for (unsigned k = 0; k < talk.n_steps; k++)
            add_step(&talk, k);
        assert_int_equal(end(true), TLS_BAD_MAC);
        assert_string_equal(lab.text[0], "");
        assert_string_equal(lab.text[1], "");
        assert_true(lab.stopped);
        tls_keys_free(lab.reader.keys);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {T(every_row), T(early_data_without_its_secret),
                                       T(a_wrong_secret)};
    thorough = getenv("EW_TLS_MATRIX") && strcmp(getenv("EW_TLS_MATRIX"), "all") == 0;
    pem = tls_talk_start(&pem_n);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    tls_talk_end();
    return failed;
}

/* One TLS connection: what is read of it, what gaps, late keys and damage make of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "flows/limits.h"
#include "flows/tls_link.h"
#include "flows/wire/tls_handshake.h"
#include "tests/help/tls_make.h"

#define T(f) cmocka_unit_test(f)

struct lab {
    struct tls_reader reader;
    struct tls_link *link;
    struct tls_maker made;
    size_t fed[2];
    char text[2][4096];
    size_t n[2];
    uint8_t scratch[TLS_PLAIN_MAX];
    tick_t now;
    bool released;
};

static bool on_text(void *arg, struct tls_link *l, enum stream_side side, tick_t time,
                    struct slice text)
{
    struct lab *b = tls_link_owner(l);
    (void)arg, (void)time;
    assert_true(b->n[side] + text.n < sizeof b->text[side]);
    memcpy(b->text[side] + b->n[side], text.p, text.n);
    b->n[side] += text.n;
    return true;
}

static void on_hole(void *arg, struct tls_link *l, enum stream_side side)
{
    on_text(arg, l, side, 0, slice_str("[gap]"));
}

static struct lab lab;

static void begin(uint16_t version, uint16_t suite, bool etm, bool with_key)
{
    char log[2048];
    memset(&lab, 0, sizeof lab);
    tls_make_begin(&lab.made, version, suite, etm);
    lab.reader = (struct tls_reader){
        .keys = tls_keys_new(), .scratch = lab.scratch, .on_text = on_text, .on_hole = on_hole};
    lab.link = tls_link_new(&lab.reader, &lab);
    lab.now = TICK_S;
    assert_non_null(lab.reader.keys);
    int source = tls_keys_source(lab.reader.keys, "log");
    if (with_key)
        tls_keys_log(lab.reader.keys, source, slice_str(tls_make_keylog(&lab.made, log)), true);
}

static void end(void)
{
    tls_link_free(lab.link);
    assert_int_equal(lab.reader.held, 0);
    tls_keys_free(lab.reader.keys);
    tls_make_end(&lab.made);
}

/* What is new on that side's wire, up to a place of it. */
static void feed_to(enum stream_side side, size_t to)
{
    struct tls_wire *w = &lab.made.wire[side];
    struct stream_take t =
        tls_link_data(lab.link, side, lab.now, slice_of(w->b + lab.fed[side], to - lab.fed[side]));
    lab.fed[side] += t.used;
    lab.released |= t.release;
}

static void feed(enum stream_side side)
{
    feed_to(side, lab.made.wire[side].n);
}

/* Hello first, as on the wire: the client's flight, the server's, the client's rest. */
static void handshake(void)
{
    tls_make_handshake(&lab.made);
    size_t hello = 5u + be16(lab.made.wire[0].b + 3);
    feed_to(SIDE_CLIENT, hello);
    if (lab.made.shape.version < TLS_13) {
        size_t at = 0;
        const uint8_t *b = lab.made.wire[1].b;
        while (b[at] == TLS_HANDSHAKES)
            at += 5u + be16(b + at + 3);
        feed_to(SIDE_SERVER, at);
    } else {
        feed(SIDE_SERVER);
    }
    feed(SIDE_CLIENT);
    feed(SIDE_SERVER);
}

static void say(enum stream_side side, const char *text)
{
    tls_make_seal(&lab.made, (int)side, TLS_DATA, slice_str(text));
}

static void expect_text(enum stream_side side, const char *text)
{
    lab.text[side][lab.n[side]] = 0;
    assert_string_equal(lab.text[side], text);
}

static const struct {
    uint16_t version, suite;
    bool etm;
} shapes[] = {
    {TLS_10, 0xc013, false}, {TLS_10, 0xc013, true},  {TLS_11, 0xc013, false},
    {TLS_12, 0xc027, true},  {TLS_12, 0xc02f, false}, {TLS_12, 0xc030, false},
    {TLS_12, 0xcca8, false}, {TLS_13, 0x1301, false}, {TLS_13, 0x1302, false},
    {TLS_13, 0x1303, false},
};
enum { SHAPES = sizeof shapes / sizeof *shapes };

static void both_directions_are_read(void **state)
{
    (void)state;
    for (int i = 0; i < SHAPES; i++) {
        begin(shapes[i].version, shapes[i].suite, shapes[i].etm, true);
        handshake();
        say(SIDE_CLIENT, "INVITE ");
        say(SIDE_CLIENT, "and more");
        say(SIDE_SERVER, "200 OK");
        feed(SIDE_CLIENT);
        feed(SIDE_SERVER);
        expect_text(SIDE_CLIENT, "INVITE and more");
        expect_text(SIDE_SERVER, "200 OK");
        assert_int_equal(tls_link_state(lab.link), TLS_DECRYPTED);
        assert_true(tls_link_done(lab.link));
        assert_false(lab.released);
        end();
    }
}

/* A lost piece: what follows is read again, and what is lost is told. */
static void after_a_gap_the_next_record_is_found(void **state)
{
    (void)state;
    for (int i = 0; i < SHAPES; i++) {
        begin(shapes[i].version, shapes[i].suite, shapes[i].etm, true);
        handshake();
        say(SIDE_CLIENT, "one ");
        feed(SIDE_CLIENT);
        say(SIDE_CLIENT, "lost");
        say(SIDE_CLIENT, "lost too");
        size_t half = lab.made.wire[0].n;
        say(SIDE_CLIENT, "half of this is lost");
        size_t missing = half + 9 - lab.fed[0];
        tls_link_gap(lab.link, SIDE_CLIENT, (uint32_t)missing);
        lab.fed[0] += missing;
        feed(SIDE_CLIENT);
        say(SIDE_CLIENT, "first behind the hole ");
        feed(SIDE_CLIENT);
        say(SIDE_CLIENT, "second ");
        feed(SIDE_CLIENT);
        say(SIDE_CLIENT, "third");
        feed(SIDE_CLIENT);
        /* the IV of TLS 1.0 is in the record before: one more is needed to go on */
        expect_text(SIDE_CLIENT, shapes[i].version == TLS_10
                                     ? "one [gap]second third"
                                     : "one [gap]first behind the hole second third");
        end();
    }
}

/* Of lost bytes nobody knows how many there were. */
static void garbage_is_never_text(void **state)
{
    (void)state;
    for (int i = 0; i < SHAPES; i++) {
        begin(shapes[i].version, shapes[i].suite, shapes[i].etm, true);
        handshake();
        say(SIDE_SERVER, "good ");
        feed(SIDE_SERVER);
        for (int k = 0; k < 200 && !lab.released; k++) {
            say(SIDE_SERVER, "this was changed on its way");
            lab.made.wire[1].b[lab.made.wire[1].n - 7] ^= 0x10;
            if (k == 0)
                tls_link_gap(lab.link, SIDE_SERVER, 0);
            feed(SIDE_SERVER);
        }
        assert_true(lab.released);
        assert_int_equal(tls_link_state(lab.link), TLS_GAP);
        expect_text(SIDE_SERVER, "good [gap]");
        end();
    }
}

static void a_wrong_secret_gives_no_text(void **state)
{
    (void)state;
    for (int i = 0; i < SHAPES; i++) {
        begin(shapes[i].version, shapes[i].suite, shapes[i].etm, false);
        char log[2048];
        tls_make_keylog(&lab.made, log);
        for (char *line = log; *line; line = strchr(line, '\n') + 1) /* last digit of each secret */
            strchr(line, '\n')[-1] = strchr(line, '\n')[-1] == '0' ? '1' : '0';
        int source = tls_keys_source(lab.reader.keys, "wrong");
        tls_keys_log(lab.reader.keys, source, slice_str(log), true);
        handshake();
        say(SIDE_CLIENT, "hidden");
        feed(SIDE_CLIENT);
        assert_int_equal(tls_link_state(lab.link), TLS_BAD_MAC);
        assert_true(lab.released);
        expect_text(SIDE_CLIENT, "");
        end();
    }
}

/* It costs nothing after its handshake: the reader lets go. */
static void without_a_key_it_is_released_with_the_handshake(void **state)
{
    (void)state;
    for (int i = 0; i < SHAPES; i++) {
        begin(shapes[i].version, shapes[i].suite, shapes[i].etm, false);
        handshake();
        assert_true(lab.released);
        assert_true(tls_link_done(lab.link));
        assert_int_equal(tls_link_state(lab.link), TLS_NO_KEY);
        assert_int_equal(tls_link_failure(lab.link), TLS_NO_FAILURE);
        end();
    }
}

static void late_secret(bool in_time)
{
    char log[2048];
    tls_keys_set_growing(lab.reader.keys, true);
    handshake();
    say(SIDE_CLIENT, "asked before the key came");
    feed(SIDE_CLIENT);
    assert_int_equal(tls_link_state(lab.link), TLS_WAITING);
    expect_text(SIDE_CLIENT, "");
    lab.now += in_time ? TLS_KEY_WAIT : TLS_KEY_WAIT + TICK_S;
    if (in_time)
        tls_keys_log(lab.reader.keys, 0, slice_str(tls_make_keylog(&lab.made, log)), true);
    tls_link_retry(lab.link, lab.now);
}

static void a_late_key_reads_what_was_kept(void **state)
{
    (void)state;
    for (int i = 0; i < SHAPES; i++) {
        begin(shapes[i].version, shapes[i].suite, shapes[i].etm, false);
        late_secret(true);
        expect_text(SIDE_CLIENT, "asked before the key came");
        say(SIDE_SERVER, "answered");
        feed(SIDE_SERVER);
        expect_text(SIDE_SERVER, "answered");
        end();
    }
}

static void the_wait_for_a_key_ends(void **state)
{
    (void)state;
    for (int i = 0; i < SHAPES; i++) {
        begin(shapes[i].version, shapes[i].suite, shapes[i].etm, false);
        late_secret(false);
        assert_int_equal(lab.reader.held, 0);
        assert_int_equal(tls_link_state(lab.link), TLS_NO_KEY);
        say(SIDE_CLIENT, "unread");
        feed(SIDE_CLIENT);
        assert_true(lab.released);
        end();
    }
}

static void ciphertext_that_waits_is_bounded(void **state)
{
    (void)state;
    static char much[9000];
    memset(much, 'x', sizeof much - 1);
    begin(TLS_12, 0xc02f, false, false);
    tls_keys_set_growing(lab.reader.keys, true);
    handshake();
    for (int i = 0; i < 64 && !lab.released; i++) {
        lab.made.wire[0].n = lab.fed[0] = 0;
        say(SIDE_CLIENT, much);
        feed(SIDE_CLIENT);
        assert_true(lab.reader.held <= LIMIT_TLS_HELD_EACH);
    }
    assert_true(lab.released);
    assert_int_equal(lab.reader.held, 0);
    end();
}

static void it_began_before_the_capture(void **state)
{
    (void)state;
    begin(TLS_12, 0xc02f, false, true);
    say(SIDE_CLIENT, "data first");
    feed(SIDE_CLIENT);
    assert_true(lab.released);
    assert_int_equal(tls_link_state(lab.link), TLS_MID_STREAM);
    end();
}

static void a_gap_in_the_handshake(void **state)
{
    (void)state;
    begin(TLS_12, 0xc02f, false, true);
    tls_make_handshake(&lab.made);
    feed_to(SIDE_CLIENT, 5u + be16(lab.made.wire[0].b + 3));
    tls_link_gap(lab.link, SIDE_SERVER, 100);
    assert_int_equal(tls_link_state(lab.link), TLS_GAP);
    end();
}

static void alert(int side, const char *two, const char *want, bool failed)
{
    char detail[TLS_DETAIL];
    begin(TLS_12, 0xc02f, false, false);
    tls_make_handshake(&lab.made);
    feed_to(SIDE_CLIENT, 5u + be16(lab.made.wire[0].b + 3));
    lab.made.wire[side].n = lab.fed[side];
    tls_make_clear(&lab.made, side, TLS_ALERTS, slice_of(two, 2));
    feed((enum stream_side)side);
    tls_link_over(lab.link, lab.now, false);
    tls_link_detail(lab.link, detail);
    assert_int_equal(tls_link_failure(lab.link) != TLS_NO_FAILURE, failed);
    if (!strstr(detail, want))
        fail_msg("'%s' lacks '%s'", detail, want);
    end();
}

/* RFC 8446 section 6: who sent which */
static void alerts_have_a_direction(void **state)
{
    (void)state;
    alert(1, "\2\50", "the server sent the alert handshake_failure (40): no cipher", true);
    alert(1, "\2\106",
          "protocol_version (70): no TLS version that both sides accept (the client offers up to "
          "TLS 1.2)",
          true);
    alert(0, "\2\60",
          "the client sent the alert unknown_ca (48): it does not know who signed the server's "
          "certificate",
          true);
    alert(1, "\2\56",
          "the server sent the alert certificate_unknown (46): it does not accept the client's "
          "certificate",
          true);
    alert(1, "\2\377", "alert 255", true);
    alert(1, "\1\160", "", false); /* a warning: unrecognized_name */
}

static void silence_is_a_failure_when_its_time_has_passed(void **state)
{
    (void)state;
    for (int late = 0; late < 2; late++) {
        begin(TLS_12, 0xc02f, false, false);
        tls_make_handshake(&lab.made);
        feed_to(SIDE_CLIENT, 5u + be16(lab.made.wire[0].b + 3));
        assert_true(tls_link_unanswered(lab.link));
        tls_link_over(lab.link, lab.now + (late ? TLS_SILENCE : TLS_SILENCE - 1), false);
        assert_int_equal(tls_link_failure(lab.link), late ? TLS_NO_ANSWER : TLS_NO_FAILURE);
        end();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(both_directions_are_read),
        T(after_a_gap_the_next_record_is_found),
        T(garbage_is_never_text),
        T(a_wrong_secret_gives_no_text),
        T(without_a_key_it_is_released_with_the_handshake),
        T(a_late_key_reads_what_was_kept),
        T(the_wait_for_a_key_ends),
        T(ciphertext_that_waits_is_bounded),
        T(it_began_before_the_capture),
        T(a_gap_in_the_handshake),
        T(alerts_have_a_direction),
        T(silence_is_a_failure_when_its_time_has_passed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

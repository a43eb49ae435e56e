/*
 * How fast records are opened: megabytes of plain text per second for one cipher, from records of
 * 16 kB (TLS) that one key opens again and again.
 *
 *     usage: tls_speed VERSION SUITE SECONDS      for example: tls_speed 0x303 0xc02f 1
 *            tls_speed unread                     bytes read of a connection without a key until it
 *                                                 is released, of 1000 records
 */
#include "flows/tls_link.h"
#include "flows/wire/tls_handshake.h"
#include "tests/help/tls_make.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { RECORD = 16000 };

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static struct tls_maker made;
static uint8_t plain[TLS_PLAIN_MAX];
static uint64_t bytes_of_text;

static bool on_text(void *arg, struct tls_link *l, enum stream_side side, tick_t time,
                    struct slice text)
{
    (void)arg, (void)l, (void)side, (void)time;
    bytes_of_text += text.n;
    return true;
}

static void on_hole(void *arg, struct tls_link *l, enum stream_side side)
{
    (void)arg, (void)l, (void)side;
}

/* Through the whole reader: hellos first, then new records all the time, of which only the reading
 * is timed. */
static struct tls_link *connect_link(struct tls_reader *r, bool with_key)
{
    char log[2048];
    *r = (struct tls_reader){
        .keys = tls_keys_new(), .scratch = plain, .on_text = on_text, .on_hole = on_hole};
    struct tls_link *l = r->keys ? tls_link_new(r, NULL) : NULL;
    if (!l)
        exit(1);
    if (with_key)
        tls_keys_log(r->keys, tls_keys_source(r->keys, "log"),
                     slice_str(tls_make_keylog(&made, log)), true);
    return l;
}

static struct stream_take feed(struct tls_link *l, enum stream_side side, size_t n)
{
    struct tls_wire *w = &made.wire[side];
    struct stream_take t = tls_link_data(l, side, TICK_S, slice_of(w->b, n));
    memmove(w->b, w->b + t.used, w->n - t.used);
    w->n -= t.used;
    return t;
}

static void shake_hands(struct tls_link *l)
{
    tls_make_handshake(&made);
    feed(l, SIDE_CLIENT, 5u + be16(made.wire[0].b + 3));
    size_t at = 0; /* the server's part before it changes ciphers */
    while (made.shape.version < TLS_13 && made.wire[1].b[at] == TLS_HANDSHAKES)
        at += 5u + be16(made.wire[1].b + at + 3);
    feed(l, SIDE_SERVER, at ? at : made.wire[1].n);
    feed(l, SIDE_CLIENT, made.wire[0].n);
    feed(l, SIDE_SERVER, made.wire[1].n);
}

static int unread(void)
{
    static uint8_t text[RECORD];
    struct tls_reader r;
    unsigned records = 0;
    tls_make_begin(&made, TLS_12, 0xc02f, false);
    struct tls_link *l = connect_link(&r, false);
    shake_hands(l);
    bool released = false;
    for (unsigned i = 0; i < 1000 && !released; i++, records++) {
        tls_make_seal(&made, SIDE_CLIENT, TLS_DATA, slice_of(text, sizeof text));
        released = feed(l, SIDE_CLIENT, made.wire[0].n).release;
    }
    printf("%u\n", records - released);
    return 0;
}

int main(int argc, char **argv)
{
    static uint8_t text[RECORD];
    struct tls_reader r;
    double spent = 0;
    if (argc == 2)
        return unread();
    if (argc != 4)
        return 64;
    tls_make_begin(&made, (uint16_t)strtoul(argv[1], NULL, 0), (uint16_t)strtoul(argv[2], NULL, 0),
                   false);
    struct tls_link *l = connect_link(&r, true);
    shake_hands(l);
    while (spent < atof(argv[3])) {
        tls_make_seal(&made, SIDE_CLIENT, TLS_DATA, slice_of(text, sizeof text));
        double start = now();
        feed(l, SIDE_CLIENT, made.wire[0].n);
        spent += now() - start;
    }
    if (tls_link_state(l) != TLS_DECRYPTED)
        return 1;
    printf("%.0f\n", (double)bytes_of_text / spent / 1e6);
    tls_link_free(l);
    tls_keys_free(r.keys);
    tls_make_end(&made);
    return 0;
}

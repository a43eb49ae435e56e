/*
 * A whole TLS connection from bytes that an attacker chose, in pieces, with gaps, late keys and
 * retries: the input is a list of  control 1 | length 2 | bytes.
 *
 * The key log that it knows is for client random 00..1f: inputs that use it come far.
 */
#include <stdlib.h>

#include "flows/tls_link.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct side_bytes {
    uint8_t b[1 << 16];
    size_t n;
};

static bool on_text(void *arg, struct tls_link *l, enum stream_side side, tick_t time,
                    struct slice text)
{
    (void)arg, (void)l, (void)side, (void)time;
    uint8_t sum = 0;
    for (size_t i = 0; i < text.n; i++)
        sum = (uint8_t)(sum + text.p[i]);
    return sum != 0x55;
}

static void on_hole(void *arg, struct tls_link *l, enum stream_side side)
{
    (void)arg, (void)l, (void)side;
}

static struct tls_keys *keys(void)
{
    static struct tls_keys *k;
    if (k)
        return k;
    k = tls_keys_new();
    uint8_t id[32], secret[48];
    for (int i = 0; i < 48; i++)
        secret[i] = (uint8_t)i;
    memcpy(id, secret, 32);
    for (int kind = SECRET_MASTER; kind <= SECRET_SERVER_DATA; kind++)
        tls_keys_put(k, (enum tls_secret)kind, slice_of(id, 32),
                     slice_of(secret, kind == SECRET_MASTER ? 48 : 32), 0);
    tls_keys_source(k, "fuzz");
    tls_keys_set_growing(k, true);
    return k;
}

static bool feed(struct tls_link *l, struct side_bytes *s, enum stream_side side, tick_t now,
                 struct slice more)
{
    if (s->n + more.n > sizeof s->b)
        return false;
    memcpy(s->b + s->n, more.p, more.n);
    s->n += more.n;
    struct stream_take t = tls_link_data(l, side, now, slice_of(s->b, s->n));
    if (t.used > s->n)
        abort();
    memmove(s->b, s->b + t.used, s->n - t.used);
    s->n -= t.used;
    return !t.release;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t scratch[TLS_PLAIN_MAX];
    static struct side_bytes sides[2];
    struct tls_reader r = {
        .keys = keys(), .scratch = scratch, .on_text = on_text, .on_hole = on_hole};
    struct tls_link *l = tls_link_new(&r, NULL);
    struct cursor c = cursor_on(slice_of(data, size));
    struct slice piece;
    struct tls_texts texts;
    struct fact_tls facts;
    char detail[TLS_DETAIL];
    uint8_t control;
    uint16_t n;
    tick_t now = TICK_S;
    bool on = l != NULL;
    sides[0].n = sides[1].n = 0;
    while (on && get_u8(&c, &control) && get_u16(&c, &n)) {
        enum stream_side side = (enum stream_side)(control & 1);
        if (n > cursor_left(&c))
            n = (uint16_t)cursor_left(&c);
        if (!get_slice(&c, n, &piece))
            break;
        now += control * TICK_MS;
        if (control & 2) {
            sides[side].n = 0;
            tls_link_gap(l, side, control >> 3);
        }
        if (control & 4)
            tls_link_retry(l, now + TICK_S * (control >> 3));
        on = feed(l, &sides[side], side, now, piece);
    }
    if (l) {
        tls_link_over(l, now, size % 2);
        tls_link_facts(l, &texts, &facts);
        tls_link_detail(l, detail);
    }
    tls_link_free(l);
    if (r.held)
        abort();
    return 0;
}

/*
 * Early data of TLS 1.3 (0-RTT): what a client that comes back sends before the server has
 * answered.
 *
 *   ClientHello+early_data, {early data}, ...     under CLIENT_EARLY_TRAFFIC_SECRET
 *                     ServerHello, {EncryptedExtensions: early_data if it is taken}
 *   {EndOfEarlyData}, then under the handshake's secret
 *
 * Its cipher is the one of the session before, which a server that takes it has to choose again
 * (RFC 8446 4.2.10). Early data that is not taken is nobody's: the client sends it once more.
 */
#include "flows/tls_link_state.h"

void tls_early_drop(struct tls_link *l)
{
    l->reader->held -= l->early.n;
    tls_bytes_free(&l->early);
}

bool tls_early_keep(struct tls_link *l, enum stream_side side, struct slice whole)
{
    bool undecided = l->g.early_data && (!l->g.server_hello || l->g.early_open);
    if (!undecided || tls_role(l, side) != 0 || !l->reader->keys ||
        tls_keys_empty(l->reader->keys) || l->reader->held + whole.n > LIMIT_TLS_HELD)
        return false;
    if (!l->early.n)
        l->early_time = l->now;
    if (!tls_bytes_add(&l->early, whole, LIMIT_TLS_HELD_EACH))
        return false;
    l->reader->held += whole.n;
    return true;
}

static bool has_secret(const struct tls_link *l)
{
    int source;
    return tls_keys_lend(l->reader->keys, SECRET_CLIENT_EARLY, slice_of(l->g.random[0], TLS_RANDOM),
                         &source)
        .n;
}

static void read_kept(struct tls_link *l, enum stream_side side)
{
    struct tls_record r;
    tick_t now = l->now;
    size_t at = 0;
    l->now = l->early_time;
    while (!l->stop && at < l->early.n &&
           tls_record_parse(slice_of(l->early.p + at, l->early.n - at), &r, NULL) == WIRE_OK) {
        tls_link_record(l, side, &r, l->early.p + at);
        at += TLS_RECORD_HEADER + (size_t)r.length;
    }
    l->now = now;
}

void tls_early_decided(struct tls_link *l, bool taken)
{
    enum stream_side side = (enum stream_side)l->client;
    if (!l->g.early_open)
        return;
    l->g.early_open = false;
    if (taken && has_secret(l)) {
        tls_secrets_epoch(l, side, EPOCH_EARLY);
        read_kept(l, side);
    } else if (taken) {
        l->early_unread = true;
        l->reader->on_hole(l->reader->arg, l, side);
    }
    tls_early_drop(l);
}

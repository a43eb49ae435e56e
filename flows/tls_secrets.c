/*
 * From what is known to how records are opened.
 *
 *   private key: encrypted pre-master -> pre-master -> master      (RSA key exchange)
 *   key log:     master, or pre-master, by client random or by the encrypted pre-master
 *   resumed:     master by session id or ticket, remembered from the handshake before
 *   TLS 1.3:     four secrets by client random, each its own key
 */
#include "flows/tls_link_state.h"
#include "flows/memory.h"

#include <stdlib.h>

static bool hidden(struct tls_link *l)
{
    if (!l->hidden)
        l->hidden = memory_got(tls_secret_new(sizeof *l->hidden));
    return l->hidden != NULL;
}

static struct tls_prf prf_of(const struct tls_greeting *g)
{
    return (struct tls_prf){g->shape.version, g->shape.suite->prf};
}

static struct slice client_random(const struct tls_greeting *g)
{
    return slice_of(g->random[0], TLS_RANDOM);
}

/* ---- master secret ---- */

/* RFC 7627 3: ClientHello, the server's flight, the client's up to its key exchange. */
static size_t session_hash(const struct tls_link *l, uint8_t out[TLS_HASH_MAX])
{
    const struct tls_bytes *client = &l->flight[0], *server = &l->flight[1];
    struct tls_bytes all = {0};
    size_t n = 0, most = client->n + server->n;
    if (l->hello_n <= client->n && tls_bytes_add(&all, slice_of(client->p, l->hello_n), most) &&
        tls_bytes_add(&all, slice_of(server->p, server->n), most) &&
        tls_bytes_add(&all, slice_of(client->p + l->hello_n, client->n - l->hello_n), most))
        n = tls_transcript_hash(prf_of(&l->g), slice_of(all.p, all.n), out);
    tls_bytes_free(&all);
    return n;
}

/* RFC 5246 8.1, RFC 7627 4 */
static bool derive_master(struct tls_link *l, struct slice premaster)
{
    struct tls_greeting *g = &l->g;
    uint8_t seed[2 * TLS_RANDOM];
    const char *label = "master secret";
    size_t n = sizeof seed;
    memcpy(seed, g->random, sizeof seed);
    if (g->extended_master) {
        label = "extended master secret";
        n = session_hash(l, seed);
    }
    return n &&
           tls_prf(prf_of(g), premaster, label, slice_of(seed, n), l->hidden->master, TLS_MASTER);
}

static bool master_from_log(struct tls_link *l)
{
    const struct tls_keys *k = l->reader->keys;
    struct tls_greeting *g = &l->g;
    uint8_t *m = l->hidden->master;
    if (tls_keys_find(k, SECRET_MASTER, client_random(g), m, &l->source))
        return true;
    struct slice pre = tls_keys_lend(k, SECRET_PREMASTER, client_random(g), &l->source);
    if (!pre.n && g->has_encrypted_id)
        pre = tls_keys_lend(k, SECRET_ENCRYPTED, slice_of(g->encrypted_id, sizeof g->encrypted_id),
                            &l->source);
    return pre.n && g->client_key && derive_master(l, pre);
}

/* What an earlier handshake of the same client and server agreed on. */
static bool master_from_before(struct tls_link *l)
{
    const struct tls_keys *k = l->reader->keys;
    struct tls_greeting *g = &l->g;
    uint8_t *m = l->hidden->master;
    bool same = g->session_n && g->session_n == g->offered_n &&
                memcmp(g->session, g->offered, g->session_n) == 0;
    if (g->server_cert || g->server_done)
        return false;
    return (same &&
            tls_keys_find(k, SECRET_SESSION, slice_of(g->session, g->session_n), m, &l->source)) ||
           (g->has_ticket &&
            tls_keys_find(k, SECRET_TICKET, slice_of(g->ticket, 32), m, &l->source));
}

void tls_secrets_remember(struct tls_link *l)
{
    struct tls_greeting *g = &l->g;
    if (!g->master_known || !l->hidden)
        return;
    struct slice master = slice_of(l->hidden->master, TLS_MASTER);
    if (g->session_n)
        tls_keys_put(l->reader->keys, SECRET_SESSION, slice_of(g->session, g->session_n), master,
                     l->source);
    if (g->has_new_ticket)
        tls_keys_put(l->reader->keys, SECRET_TICKET, slice_of(g->new_ticket, 32), master,
                     l->source);
}

static bool master_known(struct tls_link *l)
{
    struct tls_greeting *g = &l->g;
    if (g->master_known)
        return true;
    if (!l->reader->keys || !hidden(l))
        return false;
    g->master_known = master_from_log(l) || master_from_before(l);
    if (g->master_known)
        tls_secrets_remember(l);
    return g->master_known;
}

void tls_secrets_client_key(struct tls_link *l, struct slice encrypted)
{
    struct tls_greeting *g = &l->g;
    int source = -1;
    if (!encrypted.n || !l->reader->keys || !l->cert[1] || !g->shape.suite)
        return;
    const struct tls_private *key = tls_keys_private(l->reader->keys, l->cert[1]->key_id, &source);
    if (!key || !tls_private_is_rsa(key) || !hidden(l))
        return;
    uint8_t *premaster = l->hidden->block;
    if (tls_private_premaster(key, encrypted, premaster) &&
        derive_master(l, slice_of(premaster, TLS_MASTER))) {
        g->master_known = true;
        l->source = source;
        tls_secrets_remember(l);
    }
    tls_wipe(premaster, TLS_MASTER);
}

/* ---- shields ---- */

static struct tls_shield *take_shield(struct tls_link *l, unsigned role, const struct tls_parts *p)
{
    const uint8_t *mac = l->hidden->block + role * p->mac;
    const uint8_t *key = l->hidden->block + 2 * p->mac + role * p->key;
    const uint8_t *iv = l->hidden->block + 2 * (p->mac + p->key) + role * p->iv;
    return tls_shield_new(&l->g.shape, mac, key, iv);
}

/* key_block: client's and server's MAC key, key and IV in turn (RFC 5246 6.3) */
static bool make_shields(struct tls_link *l)
{
    struct tls_greeting *g = &l->g;
    struct tls_parts p = tls_shape_parts(&g->shape);
    uint8_t seed[2 * TLS_RANDOM];
    size_t n = 2 * (p.mac + p.key + p.iv);
    memcpy(seed, g->random[1], TLS_RANDOM);
    memcpy(seed + TLS_RANDOM, g->random[0], TLS_RANDOM);
    if (n > sizeof l->hidden->block ||
        !tls_prf(prf_of(g), slice_of(l->hidden->master, TLS_MASTER), "key expansion",
                 slice_of(seed, sizeof seed), l->hidden->block, n))
        return false;
    for (int side = 0; side < 2; side++) {
        struct tls_way *w = &l->way[side];
        tls_shield_free(w->next);
        w->next = take_shield(l, tls_role(l, (enum stream_side)side), &p);
    }
    tls_wipe(l->hidden->block, n);
    g->shields_made = l->way[0].next && l->way[1].next;
    return g->shields_made;
}

/* RFC 8446 7.3 */
static bool traffic_shield(struct tls_link *l, enum stream_side side)
{
    struct tls_way *w = &l->way[side];
    struct tls_parts p = tls_shape_parts(&l->g.shape);
    struct slice secret = slice_of(l->hidden->traffic[side], w->secret);
    uint8_t *key = l->hidden->block, *iv = key + p.key;
    uint8_t hash = l->g.shape.suite->prf;
    tls_shield_free(w->shield);
    w->shield = NULL;
    if (tls_expand(hash, secret, "key", key, p.key) && tls_expand(hash, secret, "iv", iv, p.iv))
        w->shield = tls_shield_new(&l->g.shape, NULL, key, iv);
    tls_wipe(key, p.key + p.iv);
    w->number = 0;
    return w->shield != NULL;
}

static bool find_traffic(struct tls_link *l, enum stream_side side)
{
    static const uint8_t kinds[EPOCHS][2] = {
        [EPOCH_EARLY] = {SECRET_CLIENT_EARLY, SECRET_CLIENT_EARLY},
        [EPOCH_HANDSHAKE] = {SECRET_CLIENT_HANDSHAKE, SECRET_SERVER_HANDSHAKE},
        [EPOCH_DATA] = {SECRET_CLIENT_DATA, SECRET_SERVER_DATA}};
    struct tls_way *w = &l->way[side];
    uint8_t kind = kinds[w->epoch][tls_role(l, side)];
    if (!l->reader->keys || !hidden(l))
        return false;
    w->secret = tls_keys_find(l->reader->keys, (enum tls_secret)kind, client_random(&l->g),
                              l->hidden->traffic[side], &l->source);
    return w->secret == tls_hash_size(l->g.shape.suite->prf);
}

bool tls_secrets_update(struct tls_link *l, enum stream_side side)
{
    struct tls_way *w = &l->way[side];
    uint8_t next[SECRET_MAX];
    if (w->epoch != EPOCH_DATA || !w->secret ||
        !tls_expand(l->g.shape.suite->prf, slice_of(l->hidden->traffic[side], w->secret),
                    "traffic upd", next, w->secret))
        return false;
    memcpy(l->hidden->traffic[side], next, w->secret);
    tls_wipe(next, sizeof next);
    return traffic_shield(l, side);
}

void tls_secrets_epoch(struct tls_link *l, enum stream_side side, enum tls_epoch epoch)
{
    struct tls_way *w = &l->way[side];
    w->epoch = (uint8_t)epoch;
    tls_shield_free(w->shield);
    w->shield = NULL;
    w->sealed = true;
    w->number = 0;
}

enum tls_step tls_secrets_shield(struct tls_link *l, enum stream_side side)
{
    struct tls_way *w = &l->way[side];
    struct tls_greeting *g = &l->g;
    if (w->shield)
        return STEP_ON;
    if (!g->shape.suite || g->compression || !tls_shape_supported(&g->shape)) {
        l->state = TLS_UNSUPPORTED;
        return STEP_STOP;
    }
    if (g->shape.version == TLS_13)
        return !find_traffic(l, side) ? STEP_WAIT : traffic_shield(l, side) ? STEP_ON : STEP_STOP;
    if (!g->shields_made && (!master_known(l) || !make_shields(l)))
        return STEP_WAIT;
    w->shield = w->next;
    w->next = NULL;
    /* what was passed over before the secret was known counts; a chained IV went with it */
    if (w->shield && w->number && !tls_shield_can_skip(w->shield)) {
        l->state = TLS_GAP;
        return STEP_STOP;
    }
    return w->shield ? STEP_ON : STEP_STOP;
}

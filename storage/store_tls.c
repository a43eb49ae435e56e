/* TLS connections into rows, and whose certificate stands at an address. */
#include "storage/store_inner.h"

static void bind_end(struct binds *b, const struct fact_tls_end *e)
{
    bind_text(b, e->subject);
    bind_text(b, e->issuer);
    bind_text(b, e->names);
    bind_tick(b, e->not_before);
    bind_tick(b, e->not_after);
}

/* "fabrikam.com" of "sip.fabrikam.com" and of "*.fabrikam.com"; a name of two labels is one itself.
 */
static void domain_of(const char *name, char out[TROUBLE_PARTNER])
{
    const char *rest = strchr(name, '.');
    size_t n = 0;
    for (const char *p = rest && strchr(rest + 1, '.') ? rest + 1 : name;
         *p && n + 1 < TROUBLE_PARTNER; p++)
        out[n++] = (char)ascii_lower((uint8_t)*p);
    out[n] = 0;
}

static int store_peer(struct store *s, const struct addr *a, const char *name, tick_t seen)
{
    char domain[TROUBLE_PARTNER];
    if (!name || addr_is_private(a))
        return 0;
    domain_of(name, domain);
    struct binds *b = store_bind(s);
    bind_addr(b, a);
    bind_text(b, name);
    bind_text(b, domain);
    bind_tick(b, seen);
    return store_run(s, WRITE_TLS_PEER);
}

int store_tls(struct store *s, const struct fact_tls *t)
{
    int64_t row = ids_row(&s->ids, &s->db, IDS_TLS, t->id);
    if (row < 0)
        return -1;
    struct binds *b = store_bind(s);
    bind_int(b, row);
    bind_int(b, s->run);
    bind_endpoint(b, &t->client);
    bind_endpoint(b, &t->server);
    bind_tick(b, t->first);
    bind_tick(b, t->last);
    bind_nonzero(b, (int64_t)t->hello);
    const char *const texts[] = {t->version, t->cipher, t->exchange, t->sni, t->alpn};
    for (unsigned i = 0; i < sizeof texts / sizeof *texts; i++)
        bind_text(b, texts[i]);
    bind_known(b, t->resumed);
    bind_text(b, t->mutual);
    bind_end(b, &t->server_end);
    bind_end(b, &t->client_end);
    bind_text(b, t->alert);
    bind_text(b, t->alert_from);
    bind_text(b, t->handshake);
    bind_text(b, t->state);
    bind_int(b, t->readable);
    bind_text(b, t->key);
    bind_int(b, t->messages);
    bind_text(b, t->advice);
    if (store_run(s, WRITE_TLS))
        return -1;
    return store_peer(s, &t->client.addr, t->partner_client, t->last) ||
                   store_peer(s, &t->server.addr, t->partner_server, t->last)
               ? -1
               : 0;
}

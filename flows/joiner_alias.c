/* Which addresses are relays', Edges' and servers', and which two are one relay's: the alias map.
 */
#include "flows/joiner_state.h"

/* ---- known relay addresses, servers, Edges ---- */

void relay_addr_add(struct joiner *j, const struct addr *a)
{
    struct endpoint e = {.addr = *a};
    if (!addr_none(a) && known_add(&j->relay_addrs, &e, j->config.seed))
        j->rescan = true; /* what touched its relay range while it was unknown */
}

bool is_configured_edge(const struct joiner *j, const struct addr *a)
{
    for (unsigned i = 0; i < j->config.n_edges; i++)
        if (addr_eq(&j->config.edges[i], a))
            return true;
    return false;
}

bool is_edge(const struct joiner *j, const struct addr *a)
{
    struct endpoint e = {.addr = *a};
    return known_has(&j->relay_addrs, &e, j->config.seed) || is_configured_edge(j, a);
}

bool is_server(const struct joiner *j, const struct endpoint *e)
{
    return known_has(&j->servers, e, j->config.seed);
}

void server_add(struct joiner *j, const struct endpoint *e)
{
    if (known_add(&j->servers, e, j->config.seed))
        rejudge_waiting(j, e, false);
}

/* ---- aliases ---- */

void alias_resolve(const struct joiner *j, const struct endpoint *wire, struct pair_end *out)
{
    *out = (struct pair_end){.wire = *wire, .pub = *wire, .edge = is_edge(j, &wire->addr)};
    for (unsigned i = 0; i < j->n_aliases; i++) {
        const struct fact_alias *a = &j->aliases[i].alias;
        if (!addr_eq(&a->private_addr, &wire->addr) ||
            (!a->configured && a->ports_seen < ALIAS_TRUSTED_PORTS))
            continue;
        out->pub.addr = a->public_addr;
        out->aliased = true;
        out->edge = true;
        return;
    }
}

static struct alias_entry *alias_entry(struct joiner *j, const struct addr *private_addr,
                                       const struct addr *public_addr)
{
    for (unsigned i = 0; i < j->n_aliases; i++)
        if (addr_eq(&j->aliases[i].alias.private_addr, private_addr) &&
            addr_eq(&j->aliases[i].alias.public_addr, public_addr))
            return &j->aliases[i];
    if (j->n_aliases == LIMIT_ALIASES)
        return NULL;
    struct alias_entry *e = &j->aliases[j->n_aliases++];
    *e =
        (struct alias_entry){.alias = {.private_addr = *private_addr, .public_addr = *public_addr}};
    return e;
}

void alias_configure(struct joiner *j, const struct fact_alias *a)
{
    struct alias_entry *e = alias_entry(j, &a->private_addr, &a->public_addr);
    if (!e)
        return;
    e->alias.configured = true;
    j->hooks.alias(j->hooks.arg, &e->alias);
    relay_addr_add(j, &a->private_addr);
    relay_addr_add(j, &a->public_addr);
    j->rescan = true; /* what it explains may be there already */
}

void alias_learn(struct joiner *j, const struct addr *private_addr, const struct addr *public_addr,
                 uint16_t port)
{
    struct alias_entry *e = alias_entry(j, private_addr, public_addr);
    if (!e || e->alias.configured)
        return;
    unsigned n = e->alias.ports_seen;
    for (unsigned i = 0; i < n && i < ALIAS_TRUSTED_PORTS; i++)
        if (e->ports[i] == port)
            return;
    if (n >= ALIAS_TRUSTED_PORTS)
        return;
    e->ports[n] = port;
    e->alias.ports_seen = n + 1;
    j->hooks.alias(j->hooks.arg, &e->alias);
    if (e->alias.ports_seen == ALIAS_TRUSTED_PORTS) {
        relay_addr_add(j, private_addr);
        j->rescan = true;
    }
}

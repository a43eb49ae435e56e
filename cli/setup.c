/* From options to the engine's configuration. */
#include "cli/setup.h"

#include "cli/check.h"
#include "cli/exits.h"
#include "storage/privacy_cipher.h"

#include "capture/log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { RELAY_LOW = 50000, RELAY_HIGH = 59999 };

/* The registered ports. 443 is none of TURN's: every web server listens there, and a relay on 443
 * makes itself known. */
static const uint16_t sip_hints[] = {5060, 5061}, turn_hints[] = {3478, 5349};
enum {
    SIP_HINTS = sizeof sip_hints / sizeof *sip_hints,
    TURN_HINTS = sizeof turn_hints / sizeof *turn_hints
};

/* The checks of the option table have passed, so that parsing cannot fail here. */
static void fill(const struct settings *s, struct setup *u)
{
    for (unsigned i = 0; i < s->nat.n; i++) {
        u->aliases[i] = (struct fact_alias){.configured = true};
        (void)parse_nat(s->nat.items[i], &u->aliases[i].private_addr, &u->aliases[i].public_addr);
    }
    for (unsigned i = 0; i < s->edge.n; i++)
        (void)addr_parse(slice_str(s->edge.items[i]), &u->edges[i]);
    memcpy(u->sip_ports, sip_hints, sizeof sip_hints);
    for (unsigned i = 0; i < s->sip_port.n; i++)
        (void)parse_port(s->sip_port.items[i], &u->sip_ports[SIP_HINTS + i]);
    memcpy(u->turn_ports, turn_hints, sizeof turn_hints);
    for (unsigned i = 0; i < s->turn_port.n; i++)
        (void)parse_port(s->turn_port.items[i], &u->turn_ports[TURN_HINTS + i]);
    u->config.relay_low = RELAY_LOW;
    u->config.relay_high = RELAY_HIGH;
    if (s->relay_ports)
        (void)parse_ports(s->relay_ports, &u->config.relay_low, &u->config.relay_high);
}

static const char *host_name(char out[SETUP_NAME])
{
    if (gethostname(out, SETUP_NAME) != 0)
        snprintf(out, SETUP_NAME, "sensor");
    out[SETUP_NAME - 1] = 0;
    return out;
}

int setup_make(const struct settings *s, struct setup *out)
{
    *out = (struct setup){
        .aliases = calloc(s->nat.n + 1, sizeof *out->aliases),
        .edges = calloc(s->edge.n + 1, sizeof *out->edges),
        .sip_ports = calloc(SIP_HINTS + s->sip_port.n, sizeof *out->sip_ports),
        .turn_ports = calloc(TURN_HINTS + s->turn_port.n, sizeof *out->turn_ports),
    };
    if (!out->aliases || !out->edges || !out->sip_ports || !out->turn_ports) {
        setup_free(out);
        return -1;
    }
    fill(s, out);
    struct engine_config *c = &out->config;
    c->sensor = s->sensor ? s->sensor : host_name(out->host);
    c->aliases = out->aliases;
    c->n_aliases = s->nat.n;
    c->edges = out->edges;
    c->n_edges = s->edge.n;
    c->sip_ports = out->sip_ports;
    c->n_sip_ports = SIP_HINTS + s->sip_port.n;
    c->turn_ports = out->turn_ports;
    c->n_turn_ports = TURN_HINTS + s->turn_port.n;
    return 0;
}

int setup_again(const struct settings *s, struct setup *u)
{
    struct setup fresh;
    if (setup_make(s, &fresh) != 0)
        return -1;
    fresh.config.sensor = u->config.sensor;
    setup_free(u);
    u->config = fresh.config;
    u->aliases = fresh.aliases;
    u->edges = fresh.edges;
    u->sip_ports = fresh.sip_ports;
    u->turn_ports = fresh.turn_ports;
    return 0;
}

void setup_free(struct setup *u)
{
    free(u->aliases);
    free(u->edges);
    free(u->sip_ports);
    free(u->turn_ports);
}

void setup_shed(const struct settings *s, struct shed_config *out)
{
    static const uint16_t always[] = {443, 80};
    struct addr a, b;
    uint16_t port;
    *out = (struct shed_config){.relay_low = RELAY_LOW, .relay_high = RELAY_HIGH};
    if (s->relay_ports)
        (void)parse_ports(s->relay_ports, &out->relay_low, &out->relay_high);
    for (unsigned i = 0; i < SIP_HINTS; i++)
        shed_add_port(out, sip_hints[i]);
    for (unsigned i = 0; i < TURN_HINTS; i++)
        shed_add_port(out, turn_hints[i]);
    for (unsigned i = 0; i < sizeof always / sizeof *always; i++)
        shed_add_port(out, always[i]);
    for (unsigned i = 0; i < s->sip_port.n; i++)
        if (parse_port(s->sip_port.items[i], &port))
            shed_add_port(out, port);
    for (unsigned i = 0; i < s->turn_port.n; i++)
        if (parse_port(s->turn_port.items[i], &port))
            shed_add_port(out, port);
    for (unsigned i = 0; i < s->edge.n; i++)
        if (addr_parse(slice_str(s->edge.items[i]), &a) && addr_is_v4(&a))
            shed_add_relay(out, addr_v4_of(&a));
    for (unsigned i = 0; i < s->nat.n; i++)
        if (parse_nat(s->nat.items[i], &a, &b) && addr_is_v4(&a)) {
            shed_add_relay(out, addr_v4_of(&a));
            shed_add_relay(out, addr_v4_of(&b));
        }
}

uint64_t setup_shed_above(const struct settings *s)
{
    enum { USUAL = 400000 };
    for (unsigned i = 0; i < n_option_defs; i++)
        if (strcmp(option_defs[i].name, "shed-above") == 0 && option_bit(s->valued, i))
            return (uint64_t)s->shed_above;
    return s->shed_above ? (uint64_t)s->shed_above : USUAL;
}

struct privacy_config setup_privacy(const struct settings *s)
{
    const char *users = s->users ? s->users : "keep", *addresses = s->addresses ? s->addresses : "";
    return (struct privacy_config){
        .users = strcmp(users, "pseudonym") == 0 ? USERS_PSEUDONYM
                 : strcmp(users, "drop") == 0    ? USERS_DROP
                                                 : USERS_KEEP,
        .addresses = strcmp(addresses, "pseudonym-internal") == 0,
        .key_file = s->privacy_key,
    };
}

int setup_check_privacy(const struct settings *s)
{
    uint8_t key[PRIVACY_KEY];
    char why[256];
    if (!s->privacy_key || privacy_key_read(s->privacy_key, false, key, why, sizeof why) == 0)
        return EXIT_DONE;
    log_error("%s", why);
    return EXIT_CONFIG;
}

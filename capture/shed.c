/*
 * Writing the program. "A" and "X" are the machine's registers; X is the length of the IP header
 * once that is known. Decisions return on the spot, so that no jump is longer than 255.
 */
#include "capture/shed.h"

#include <string.h>

enum { LINK_ETHERNET = 1, LINK_RAW = 12, LINK_RAW_FILE = 101 };
enum { RELAY_SENT = 1, RELAY_RECEIVED = 2, KEEP_X = 0, KEEP_RELAY = 1 };
enum { DTLS_FIRST = 20, TEXT_FIRST = 64, MEDIA_FIRST = 128, STUN_TYPES = 4 };
static const uint16_t tunnel_ports[] = {4789, 8472, 6081}; /* VXLAN (twice), GENEVE */

struct writer {
    const struct shed_config *c;
    struct sock_filter *out;
    unsigned n;
    uint32_t link; /* bytes before the IP header */
};

static void put(struct writer *w, unsigned code, uint8_t jt, uint8_t jf, uint32_t k)
{
    if (w->n < SHED_MOST)
        w->out[w->n] = (struct sock_filter){(uint16_t)code, jt, jf, k};
    w->n++;
}

static void load(struct writer *w, unsigned size, unsigned mode, uint32_t k)
{
    put(w, BPF_LD | size | mode, 0, 0, k);
}

static void done(struct writer *w, uint32_t value)
{
    put(w, BPF_RET | BPF_K, 0, 0, value);
}

static void whole_if(struct writer *w, unsigned test, uint32_t k)
{
    put(w, BPF_JMP | test | BPF_K, 0, 1, k);
    done(w, w->c->whole);
}

static void whole_unless(struct writer *w, unsigned test, uint32_t k)
{
    put(w, BPF_JMP | test | BPF_K, 1, 0, k);
    done(w, w->c->whole);
}

/* A jump to be aimed later, taken if the test holds. */
static unsigned jump_if(struct writer *w, unsigned test, uint32_t k)
{
    put(w, BPF_JMP | test | BPF_K, 0, 1, k);
    put(w, BPF_JMP | BPF_JA, 0, 0, 0);
    return w->n - 1;
}

static unsigned jump(struct writer *w)
{
    put(w, BPF_JMP | BPF_JA, 0, 0, 0);
    return w->n - 1;
}

/* The jump goes to what is written next. */
static void land(struct writer *w, unsigned from)
{
    if (from < SHED_MOST && w->n <= SHED_MOST)
        w->out[from].k = w->n - from - 1;
}

/* ---- the parts ---- */

static void ports(struct writer *w, bool udp)
{
    for (uint32_t at = 0; at <= 2; at += 2) {
        load(w, BPF_H, BPF_IND, w->link + at);
        for (unsigned i = 0; i < w->c->n_ports; i++)
            whole_if(w, BPF_JEQ, w->c->ports[i]);
        for (unsigned i = 0; udp && i < sizeof tunnel_ports / sizeof *tunnel_ports; i++)
            whole_if(w, BPF_JEQ, tunnel_ports[i]);
    }
}

/* Which side is a known relay's address, for relay_media(). */
static void note_relays(struct writer *w)
{
    const struct shed_config *c = w->c;
    put(w, BPF_LDX | BPF_W | BPF_IMM, 0, 0, 0);
    for (uint32_t side = 0; side < 2; side++) {
        load(w, BPF_W, BPF_ABS, w->link + 12 + 4 * side);
        for (unsigned i = 0; i < c->n_relays; i++) {
            put(w, BPF_JMP | BPF_JEQ | BPF_K, 0, 1, c->relays[i]);
            put(w, BPF_LDX | BPF_W | BPF_IMM, 0, 0, (uint32_t)RELAY_SENT << side);
        }
    }
    put(w, BPF_STX, 0, 0, KEEP_RELAY);
}

/* What is left of TCP and UDP: dropped if it is between a relay's port and its peer, else cut. */
static void relay_media(struct writer *w)
{
    const struct shed_config *c = w->c;
    for (uint32_t side = 0; c->drops && side < 2; side++) {
        load(w, BPF_W, BPF_MEM, KEEP_RELAY);
        put(w, BPF_JMP | BPF_JEQ | BPF_K, 0, 4, (uint32_t)RELAY_SENT << side);
        load(w, BPF_H, BPF_IND, w->link + 2 * side);
        put(w, BPF_JMP | BPF_JGE | BPF_K, 0, 2, c->relay_low);
        put(w, BPF_JMP | BPF_JGT | BPF_K, 1, 0, c->relay_high);
        done(w, c->drop);
    }
    done(w, c->cut);
}

static void udp(struct writer *w)
{
    ports(w, true);
    load(w, BPF_B, BPF_IND, w->link + 8);
    whole_unless(w, BPF_JGE, DTLS_FIRST);
    unsigned media = jump_if(w, BPF_JGE, MEDIA_FIRST);
    whole_if(w, BPF_JGE, TEXT_FIRST);
    done(w, w->c->cut); /* DTLS */
    land(w, media);
    relay_media(w);
}

/* Over TCP the first bytes of a connection tell what it is, and signaling may use any port: media
 * is only what runs from relay port to relay port, or at a relay that is known. */
static void whole_unless_relayed(struct writer *w)
{
    load(w, BPF_W, BPF_MEM, KEEP_RELAY);
    unsigned known = jump_if(w, BPF_JGT, 0);
    for (uint32_t at = 0; at <= 2; at += 2) {
        load(w, BPF_H, BPF_IND, w->link + at);
        whole_unless(w, BPF_JGE, w->c->relay_low);
        whole_if(w, BPF_JGT, w->c->relay_high);
    }
    land(w, known);
}

static void tcp(struct writer *w)
{
    load(w, BPF_B, BPF_IND, w->link + 13);
    whole_if(w, BPF_JSET, 7); /* FIN, SYN, RST */
    ports(w, false);
    whole_unless_relayed(w);
    /* to the payload, and back */
    put(w, BPF_STX, 0, 0, KEEP_X);
    load(w, BPF_B, BPF_IND, w->link + 12);
    put(w, BPF_ALU | BPF_AND | BPF_K, 0, 0, 0xf0);
    put(w, BPF_ALU | BPF_RSH | BPF_K, 0, 0, 2);
    put(w, BPF_ALU | BPF_ADD | BPF_X, 0, 0, 0);
    put(w, BPF_MISC | BPF_TAX, 0, 0, 0);
    load(w, BPF_W, BPF_LEN, 0);
    put(w, BPF_ALU | BPF_SUB | BPF_K, 0, 0, w->link + 3);
    put(w, BPF_JMP | BPF_JGT | BPF_X, 0, 6, 0);
    load(w, BPF_B, BPF_IND, w->link);
    whole_unless(w, BPF_JGE, STUN_TYPES);
    load(w, BPF_B, BPF_IND, w->link + 2);
    whole_unless(w, BPF_JGE, STUN_TYPES);
    put(w, BPF_LDX | BPF_W | BPF_MEM, 0, 0, KEEP_X);
    relay_media(w);
}

static void ip(struct writer *w)
{
    unsigned v4;
    if (w->link) {
        load(w, BPF_H, BPF_ABS, 12);
        v4 = jump_if(w, BPF_JEQ, 0x0800);
        whole_unless(w, BPF_JEQ, 0x86dd);
    } else {
        load(w, BPF_B, BPF_ABS, 0);
        put(w, BPF_ALU | BPF_AND | BPF_K, 0, 0, 0xf0);
        v4 = jump_if(w, BPF_JEQ, 0x40);
        whole_unless(w, BPF_JEQ, 0x60);
    }
    put(w, BPF_LDX | BPF_W | BPF_IMM, 0, 0, 0); /* relays: IPv4 only */
    put(w, BPF_STX, 0, 0, KEEP_RELAY);
    put(w, BPF_LDX | BPF_W | BPF_IMM, 0, 0, 40);
    load(w, BPF_B, BPF_ABS, w->link + 6);
    unsigned both = jump(w);
    land(w, v4);
    load(w, BPF_H, BPF_ABS, w->link + 6);
    whole_if(w, BPF_JSET, 0x3fff); /* a fragment */
    note_relays(w);
    put(w, BPF_LDX | BPF_B | BPF_MSH, 0, 0, w->link);
    load(w, BPF_B, BPF_ABS, w->link + 9);
    land(w, both);
    unsigned is_tcp = jump_if(w, BPF_JEQ, 6);
    whole_unless(w, BPF_JEQ, 17);
    udp(w);
    land(w, is_tcp);
    tcp(w);
}

unsigned shed_program(const struct shed_config *c, struct sock_filter out[SHED_MOST])
{
    struct writer w = {.c = c, .out = out};
    if (c->linktype != LINK_ETHERNET && c->linktype != LINK_RAW && c->linktype != LINK_RAW_FILE)
        return 0;
    w.link = c->linktype == LINK_ETHERNET ? 14 : 0;
    load(&w, BPF_W, BPF_LEN, 0);
    whole_unless(&w, BPF_JGT, SHED_CUT);
    ip(&w);
    return w.n <= SHED_MOST ? w.n : 0;
}

unsigned shed_join(const struct sock_filter *first, unsigned n_first,
                   const struct sock_filter *second, unsigned n_second, struct sock_filter *out,
                   unsigned room)
{
    if (n_first + n_second > room)
        return 0;
    memcpy(out, first, n_first * sizeof *out);
    memcpy(out + n_first, second, n_second * sizeof *out);
    for (unsigned i = 0; i < n_first; i++)
        if (out[i].code == (BPF_RET | BPF_K) && out[i].k)
            out[i] = (struct sock_filter){BPF_JMP | BPF_JA, 0, 0, n_first - i - 1};
    return n_first + n_second;
}

bool shed_add_port(struct shed_config *c, uint16_t port)
{
    for (unsigned i = 0; i < c->n_ports; i++)
        if (c->ports[i] == port)
            return false;
    if (c->n_ports == SHED_PORTS)
        return false;
    c->ports[c->n_ports++] = port;
    return true;
}

bool shed_add_relay(struct shed_config *c, uint32_t address)
{
    for (unsigned i = 0; i < c->n_relays; i++)
        if (c->relays[i] == address)
            return false;
    if (c->n_relays == SHED_RELAYS)
        return false;
    c->relays[c->n_relays++] = address;
    return true;
}

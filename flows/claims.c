/* ICEWarn bits against the wire. */
#include "flows/claims.h"

#include <string.h>

enum { SEVERAL_RELAYS = 0x100000, TRY_ALTERNATE = 300, INTEGRITY = 431 };

/* ---- what the wire shows ---- */

/* The connect or check itself got nowhere. */
static bool plain(const struct claim_wire *w)
{
    return w->verdict == VERDICT_REFUSED || w->verdict == VERDICT_TIMEOUT ||
           w->verdict == VERDICT_UNREACHABLE;
}

static bool client_failed(const struct claim_wire *w, bool tcp)
{
    return w->leg == LEG_CLIENT_RELAY && w->tcp == tcp && w->verdict != VERDICT_CONNECTED &&
           w->verdict != VERDICT_NOT_TRIED && w->verdict != VERDICT_UNSEEN;
}

static bool client_plain(const struct claim_wire *w, bool tcp)
{
    return client_failed(w, tcp) && plain(w);
}

static bool relay_failed(const struct claim_wire *w, bool tcp)
{
    return w->leg == LEG_RELAY_PEER && w->tcp == tcp && plain(w);
}

static bool granted(const struct claim_wire *w, bool tcp)
{
    return w->asked && w->granted && w->relay_tcp == tcp;
}

/* P§1.7: credentials expired, unknown, or wrong */
static bool rejected(const struct claim_wire *w)
{
    static const uint16_t codes[] = {401, 430, 431, 432, 434, 435, 436, 438, 439, 441};
    for (size_t i = 0; w->verdict == VERDICT_ALLOC_FAIL && i < sizeof codes / sizeof *codes; i++)
        if (codes[i] == w->error_code)
            return true;
    return false;
}

static bool no_way_to_relay(const struct claim_wire *w)
{
    return client_plain(w, true) || client_plain(w, false);
}

static bool any_granted(const struct claim_wire *w)
{
    return w->asked && w->granted;
}

static bool udp_client_failed(const struct claim_wire *w)
{
    return client_failed(w, false);
}

static bool udp_client_plain(const struct claim_wire *w)
{
    return client_plain(w, false);
}

static bool tcp_client_failed(const struct claim_wire *w)
{
    return client_failed(w, true);
}

static bool udp_granted(const struct claim_wire *w)
{
    return granted(w, false);
}

static bool tcp_granted(const struct claim_wire *w)
{
    return granted(w, true);
}

static bool tcp_sent(const struct claim_wire *w)
{
    return granted(w, true) && w->sends > 0;
}

static bool udp_sent(const struct claim_wire *w)
{
    return granted(w, false) && w->sends > 0;
}

static bool direct_failed(const struct claim_wire *w)
{
    return w->leg == LEG_DIRECT && plain(w);
}

static bool udp_relay_failed(const struct claim_wire *w)
{
    return relay_failed(w, false);
}

static bool tcp_relay_failed(const struct claim_wire *w)
{
    return relay_failed(w, true);
}

static bool udp_answered(const struct claim_wire *w)
{
    return granted(w, false) && w->answered > 0;
}

static bool tcp_answered(const struct claim_wire *w)
{
    return granted(w, true) && w->answered > 0;
}

static bool integrity_failed(const struct claim_wire *w)
{
    return w->verdict == VERDICT_ALLOC_FAIL && w->error_code == INTEGRITY;
}

static bool asked(const struct claim_wire *w)
{
    return w->asked;
}

static bool sent_elsewhere(const struct claim_wire *w)
{
    return w->error_code == TRY_ALTERNATE;
}

static bool pseudotls_failed(const struct claim_wire *w)
{
    return w->verdict == VERDICT_PSEUDOTLS_FAIL;
}

/* A relay of that kind lets nobody allocate over TCP without the hello (P§1.1). */
static bool pseudotls_worked(const struct claim_wire *w)
{
    return granted(w, true) && w->ms;
}

static bool sent_nothing(const struct claim_wire *w)
{
    return any_granted(w) && w->sends == 0 && w->verdict == VERDICT_NOT_TRIED;
}

/* ---- the tables ---- */

typedef bool wire_fact(const struct claim_wire *w);

static const struct {
    uint32_t bit;
    wire_fact *agrees;
    const char *agreeing;
    wire_fact *denies;
    const char *denying;
} set[] = {
    {0x1, no_way_to_relay, "its connection to the relay failed", any_granted,
     "the relay granted it a port"},
    {0x2, udp_client_failed, "it got no relay port over UDP", udp_granted,
     "the relay granted it a UDP port"},
    {0x4, udp_client_plain, "its UDP packets to the relay had no answer", udp_sent,
     "the relay granted it a UDP port and took its requests"},
    {0x8, tcp_client_failed, "it got no relay port over TCP", tcp_granted,
     "the relay granted it a TCP port"},
    {0x10, tcp_client_failed, "its TCP connection to the relay failed", tcp_sent,
     "the relay granted it a TCP port and took its requests"},
    {0x20, direct_failed, "the direct connection failed", NULL, NULL},
    {0x80, udp_relay_failed, "the relay's UDP checks to its peer failed", udp_answered,
     "a peer answered through its UDP relay port"},
    {0x200, tcp_relay_failed, "the relay's TCP connection to its peer failed", tcp_answered,
     "a peer answered through its TCP relay port"},
    {0x800, integrity_failed, "the relay answered error 431", NULL, NULL},
    {0x4000, rejected, "the relay rejected its credentials", any_granted,
     "the relay took its credentials and granted a port"},
    {0x80000, NULL, NULL, asked, "it asked a relay for a port"},
    {0x400000, sent_elsewhere, "the relay named another server", NULL, NULL},
    {0x800000, pseudotls_failed, "the pseudo-TLS hello was not answered as a relay answers",
     pseudotls_worked, "the relay granted it a port behind the pseudo-TLS hello"},
    {0x4000000, tcp_relay_failed, "the relay's TCP connection to its peer failed", tcp_answered,
     "a peer answered through its TCP relay port"},
    {0x8000000, sent_nothing, "it was granted a relay port and never sent through it", NULL, NULL},
};

/* Failures that leave one of these bits. */
static const struct {
    wire_fact *failed;
    uint32_t any_of;
    const char *words;
} missing[] = {
    {tcp_relay_failed, 0x200 | 0x4000000, "the relay's TCP connection to its peer failed"},
    {udp_relay_failed, 0x80, "the relay's UDP checks to its peer failed"},
    {pseudotls_failed, 0x800000 | 0x8 | 0x10 | 0x1, "the pseudo-TLS hello to the relay failed"},
    {rejected, 0x4000 | 0x800 | 0x8 | 0x2 | 0x1, "the relay rejected its credentials"},
    {tcp_client_failed, 0x1 | 0x8 | 0x10 | 0x4000 | 0x800000 | 0x400000,
     "its TCP connection to the relay got it no port"},
    {udp_client_failed, 0x1 | 0x2 | 0x4 | 0x4000 | 0x400000,
     "its UDP packets to the relay got it no port"},
};

enum claim_says claim_set(uint32_t bit, const struct claim_wire *w, const char **words)
{
    *words = NULL;
    for (size_t i = 0; i < sizeof set / sizeof *set; i++) {
        if (set[i].bit != bit)
            continue;
        if (set[i].agrees && set[i].agrees(w)) {
            *words = set[i].agreeing;
            return CLAIM_AGREES;
        }
        if (set[i].denies && set[i].denies(w)) {
            *words = set[i].denying;
            return CLAIM_DENIES;
        }
    }
    return CLAIM_UNKNOWN;
}

const char *claim_missing(uint32_t warn, const struct claim_wire *w)
{
    for (size_t i = 0; i < sizeof missing / sizeof *missing; i++)
        if (missing[i].failed(w))
            return warn & missing[i].any_of ? NULL : missing[i].words;
    return NULL;
}

/* With several relays, one may have failed and another not. */
uint32_t claim_denied(uint32_t warn, const struct claim_wire *w, const char **words)
{
    *words = NULL;
    if (warn & SEVERAL_RELAYS)
        return 0;
    for (size_t i = 0; i < sizeof set / sizeof *set; i++)
        if (warn & set[i].bit && claim_set(set[i].bit, w, words) == CLAIM_DENIES)
            return set[i].bit;
    *words = NULL;
    return 0;
}

uint32_t claim_of_finding(const char *code)
{
    static const struct {
        const char *code;
        uint32_t bit;
    } same[] = {
        {"tls-inspection-on-443", 0x800000},
        {"relay-auth-failed", 0x4000},
        {"client-endpoint-filter", 0x8000000},
    };
    for (size_t i = 0; i < sizeof same / sizeof *same; i++)
        if (strcmp(same[i].code, code) == 0)
            return same[i].bit;
    return 0;
}

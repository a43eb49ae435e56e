/*
 * ms-diagnostics, ms-diagnostics-public, ms-client-diagnostics with MediaDebug and ICEWarn (P§3).
 *
 *   51007;reason="...";CalleeMediaDebug="application-sharing:ICEWarn=0x0,LocalSite=1.2.3.4:5,..."
 */
#ifndef EW_FLOWS_WIRE_MS_DIAG_H
#define EW_FLOWS_WIRE_MS_DIAG_H

#include "flows/wire/wire.h"

enum { DIAG_MAX_MEDIA = 4 };
enum diag_side { DIAG_NO_SIDE, DIAG_CALLER, DIAG_CALLEE };

struct media_debug {
    enum diag_side side;
    struct slice medium; /* "application-sharing", "audio" ... */
    struct slice fields; /* all k=v,k=v of this block */
    bool has_icewarn;
    uint32_t icewarn;
    bool has_icewarn_ex;
    uint32_t icewarn_ex;
    struct endpoint local_site, remote_site, local_mr, remote_mr; /* none if absent or masked */
    bool has_local_mr, has_remote_mr;                             /* key present, masked or not */
    uint16_t local_mrtcp, remote_mrtcp;
    uint16_t port_low, port_high;           /* PortRange */
    int8_t local_location, remote_location; /* 0 unknown 1 internet 2 intranet; -1 absent */
    int8_t federation;                      /* 0 none 1 enterprise 2 public cloud; -1 absent */
};

struct ms_diag {
    uint32_t code;
    struct slice reason, source; /* quotes taken off */
    struct slice params;         /* everything after the code */
    struct media_debug media[DIAG_MAX_MEDIA];
    unsigned n_media;
};

/* Parses a header value. BAD if it does not begin with a number. Grammar P§3.1 (tolerant). */
enum wire_result ms_diag_parse(struct slice value, struct ms_diag *out, struct wire_fault *fault);

/* Walks ";name=value" of ms_diag.params; quotes are taken off. Start with *pos = 0. */
bool ms_diag_param(struct slice params, size_t *pos, struct slice *name, struct slice *value);
/* Walks "k=v,k=v" of media_debug.fields. */
bool media_debug_field(struct slice fields, size_t *pos, struct slice *key, struct slice *value);

/* One bit of ICEWarn (P§3.4). */
struct icewarn_bit {
    uint32_t bit;
    const char *text; /* one sentence */
    bool expected;    /* normal in many networks */
    bool can_break_ice;
};
/* Entry for one bit (a power of two); unknown bits give a generic entry, never NULL. */
const struct icewarn_bit *icewarn_bit(uint32_t bit);
extern const struct icewarn_bit icewarn_bits[];
extern const unsigned n_icewarn_bits;
/* Bits that mean nothing when the call connected: 0x100 0x200 0x1000 0x100000 0x1000000. */
#define ICEWARN_BENIGN 0x1101300u

/* What an error id means in own words, or NULL (P§3.3). */
const char *ms_diag_code_text(uint32_t code);

/* "Media connectivity" failure ids: 21-36, 52031, or a reason that says so. */
bool ms_diag_is_media_failure(const struct ms_diag *d);

#endif

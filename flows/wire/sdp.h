/*
 * SDP (RFC 4566) with the ICE candidates of every dialect seen (P§2).
 *
 *   legacy   a=candidate:<user> <comp> <password> UDP|TCP 0.ddd <ip> <port>        ms-ice
 *   MS-ICE2  a=candidate:<fnd> <comp> TCP-PASS <prio> <ip> <port> typ relay ...    ms-ice2
 *   RFC      a=candidate:<fnd> <comp> TCP <prio> <ip> 9 typ host tcptype active     rfc5245,
 * rfc6544 default  c= address + m= port                                                  default
 */
#ifndef EW_FLOWS_WIRE_SDP_H
#define EW_FLOWS_WIRE_SDP_H

#include "flows/wire/wire.h"

enum cand_transport { CAND_UDP, CAND_TCP_PASS, CAND_TCP_ACT, CAND_TCP_SO };
enum cand_type { CAND_HOST, CAND_SRFLX, CAND_PRFLX, CAND_RELAY, CAND_TYPE_UNKNOWN };
enum cand_dialect {
    DIALECT_MS_ICE,
    DIALECT_MS_ICE2,
    DIALECT_RFC5245,
    DIALECT_RFC6544,
    DIALECT_DEFAULT
};

struct candidate {
    struct slice foundation; /* legacy: user (43 base64 characters) */
    struct slice name;       /* FQDN or mDNS name, else empty */
    struct slice ufrag;      /* "ufrag" extension, else empty */
    uint32_t priority;       /* legacy 0.ddd times 1000 */
    struct endpoint at;      /* addr none if the address is a name */
    struct endpoint related; /* raddr/rport, none if absent */
    uint16_t component;
    uint8_t transport; /* enum cand_transport; legacy TCP = CAND_TCP_PASS (both roles) */
    uint8_t type;      /* enum cand_type; legacy: unknown */
    uint8_t dialect;   /* enum cand_dialect */
};

/* One a=candidate (or x-candidate-ipv6) value, after the colon. BAD with reason if it is none of
 * the dialects. Never MORE. P§2.2, 2.3, 2.6; RFC 8839 §5.1, RFC 6544 §4.5. Judged by the line
 * alone: TCP-PASS, TCP-ACT, TCP-SO are ms-ice2, TCP is rfc6544 (without tcptype: active if the port
 * is 0 or 9, else passive), UDP is rfc5245. A line that ends before "typ" takes its type from the
 * priority. A port may be 0 or 9; raddr 0.0.0.0 counts as absent. */
enum wire_result candidate_parse(struct slice value, struct candidate *out,
                                 struct wire_fault *fault);

const char *cand_transport_name(uint8_t t); /* "UDP" "TCP-PASS" "TCP-ACT" "TCP-SO" */
const char *cand_type_name(uint8_t t);      /* "host" ...; NULL for unknown */
const char *cand_dialect_name(uint8_t d);   /* "ms-ice" "ms-ice2" "rfc5245" "rfc6544" "default" */

enum { SDP_MAX_MEDIA = 12, SDP_MAX_CANDIDATES = 256 };

struct sdp_media {
    struct slice kind;  /* m= word as written */
    uint16_t port;      /* 0 = rejected */
    struct slice proto; /* "TCP/RTP/AVP" */
    bool tcp;           /* proto begins with TCP */
    struct slice label; /* a=label */
    struct slice mid;   /* a=mid */
    struct slice ufrag; /* media level, else session level */
    struct addr conn;   /* c=, media level or session level; none if a name or absent */
    uint16_t rtcp_port; /* a=rtcp, 0 = none */
    uint16_t first_candidate, n_candidates; /* in struct sdp.candidates */
    bool remote_candidates;                 /* a=remote-candidates seen: ICE concluded (P§2.3) */
    bool end_of_candidates;
    bool crypto;
    struct endpoint remote1; /* first remote candidate, if given with an address */
};

struct sdp {
    struct sdp_media media[SDP_MAX_MEDIA];
    unsigned n_media;
    struct candidate candidates[SDP_MAX_CANDIDATES];
    unsigned n_candidates;
    struct addr origin; /* o= address */
    bool ice_lite, trickle;
    unsigned bad_candidates;     /* lines that were none of the dialects */
    unsigned dropped_candidates; /* lines beyond SDP_MAX_CANDIDATES */
    unsigned dropped_media;
};

/* Parses one SDP body (also a trickle-ice-sdpfrag, RFC 8840: no m= line needed; its candidates then
 * belong to media[0] with an empty kind unless m=/mid says otherwise).
 * The UDP lines of a medium are raised from rfc5245 to ms-ice2 if the same medium has an ms-ice2
 * line, or two components of one candidate with priorities 0x201 apart (P§2.4). BAD only if no line
 * of it looks like SDP. out is large (about 40 kB): give static or pooled storage. */
enum wire_result sdp_parse(struct slice body, struct sdp *out, struct wire_fault *fault);

#endif

/*
 * The stage that most samples share: one Lync site and one far site, by story number N.
 *
 *   client  10.N.2.1     front end  10.N.10.1:5060 (SIP in clear)     router  10.N.0.1
 *   Edge    10.N.0.34:443 inside, 10.N.0.40 outside = 203.0.113.N in public
 *   far relay  198.51.100.N:50704, far client  192.168.N.50:50058
 *
 * One capture sees the internal and the external side. Functions that play a part of a call take
 * the time at which it begins and return the time at which it is over.
 */
#ifndef EW_PCAPS_SCENE_H
#define EW_PCAPS_SCENE_H

#include "pcaps/make/talk.h"
#include "pcaps/make/turn.h"

enum { SCENE_FAR_PORT = 50704, SCENE_FAR_HOST_PORT = 50058 };

struct scene {
    struct trace *trace;
    int number;
    int64_t start;
    uint64_t random;
    struct host client, front_end, edge_inside, edge_outside, far, router;
    struct endpoint4 relay; /* what the Edge gave the client, public address */
    struct endpoint4 far_relay, far_host;
    bool far_has_relay;
    const char *medium;                 /* of the m= line */
    const char *offer_sdp, *answer_sdp; /* instead of the usual ones */
    uint16_t sip_port, control_port;
    struct talk sip, control;
    struct turn turn;
    int cseq;
};

/* Puts everything in place; the capture starts at 2013-02-05 09:00 UTC plus N minutes. */
void scene_open(struct scene *s, int number);

/* A further call on the same stage: another client, relay port and far relay. */
void scene_next_call(struct scene *s, int index);

/*
 * An address of story `number`, call `index`: client (its end of the control connection), edge,
 * relay (as on the wire outside), public (the same as in SDP), far, farhost.
 */
struct endpoint4 scene_endpoint(int number, const char *what, int index);

/* Saves DIR/NAME and frees; 0 or -1. */
int scene_close(struct scene *s, const char *dir, const char *name);

/* Signaling. The offer and the answer name both relays. */
void scene_signaling_was_open(struct scene *s); /* before the capture: no handshake */
int64_t scene_invite(struct scene *s, int64_t at);
int64_t scene_answer(struct scene *s, int64_t at);
int64_t scene_answer_early(struct scene *s, int64_t at); /* the 183 with the same SDP */
int64_t scene_bye(struct scene *s, int64_t at,
                  const char *diagnostics); /* a header line, or NULL */

/* The client's relay connection: up to the hellos; the Allocate pair; one error instead. */
int64_t scene_control(struct scene *s, int64_t at);
int64_t scene_hello(struct scene *s, int64_t at);
int64_t scene_allocate(struct scene *s, int64_t at);
int64_t scene_challenge(struct scene *s, int64_t at); /* only its first half, the normal 401 */
int64_t scene_allocate_error(struct scene *s, int64_t at, unsigned code, const char *text);
int64_t scene_relay(struct scene *s, int64_t at); /* control and Allocate: the normal beginning */
void scene_control_message(struct scene *s, int side, int64_t at, const struct buf *message);
int64_t scene_release(struct scene *s, int64_t at);

/* The client asks the relay to send an ICE check to the far relay (or wherever). */
int64_t scene_send(struct scene *s, int64_t at);
int64_t scene_send_to(struct scene *s, int64_t at, struct endpoint4 to);

/* Relay, INVITE, answer, Send: everything up to the first SYN. */
int64_t scene_until_syn(struct scene *s);

/* Hang up with diagnostics 23 and release the relay. */
int64_t scene_give_up(struct scene *s, int64_t at);

/* The relay's connection to the far relay, not yet opened; and the reverse. */
struct talk scene_media(struct scene *s);
struct talk scene_media_reversed(struct scene *s);

/* On an open relay connection: check and answer, then some media both ways, then FIN. */
int64_t scene_use(struct scene *s, struct talk *media, int64_t at);
int64_t scene_check_on(struct scene *s, struct talk *media, int64_t at); /* unanswered */

#endif

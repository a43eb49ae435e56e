/*
 * Messages of the SDN API (SDN Interface) of Lync and Skype for Business: XML that a front end's
 * dialog listener posts about the calls it sees. Schemas A, C and D and version 1.0 differ in what
 * is left out here; the common part:
 *
 *   LyncDiagnostics
 *     ConnectionInfo      CallId, ConversationId, CSEQ, TimeStamp
 *     Invite              Caller/URI, Callee/URI         an INVITE; RawSDP is its offer
 *     Start, Update, StartOrUpdate  From/URI, To/URI     it was answered; RawSDP is the answer
 *     Ended, Bye                                         it is over
 *     Error, Properties   ResponseCode, MSDiagnostics, MSDiagnosticsPublic, MSDiagnosticsClient
 *     RawSDP              the SDP of the SIP message
 *
 * All else (QualityUpdate, InCallQuality ...) is a message of kind SDN_OTHER. Documents may follow
 * one another, or lie in an element around them. A document type declaration ends the reading: no
 * entity is ever defined or expanded. Depth and texts are bounded; memory is taken once.
 */
#ifndef EW_FLOWS_SDN_H
#define EW_FLOWS_SDN_H

#include "capture/tick.h"
#include "flows/wire/sip.h"

enum sdn_kind { SDN_NONE, SDN_INVITE, SDN_START, SDN_ENDED, SDN_ERROR, SDN_OTHER };
enum { SDN_DIAGS = 3, SDN_DEPTH_MAX = 32, SDN_SDP_MAX = 65536 };

/* All lent until the callback returns. */
struct sdn_msg {
    enum sdn_kind kind;
    struct slice call_id, conversation_id, caller, callee, sdp;
    uint32_t cseq;
    unsigned status;              /* of an error, 0 = not told */
    struct slice diag[SDN_DIAGS]; /* ms-diagnostics, -public, ms-client-diagnostics */
    tick_t time;                  /* TICK_NONE = not told; without a zone: as if UTC */
    bool cut;                     /* a text was longer than its bound */
};

struct sdn;

/* take is called for each message. utf8: the bytes are UTF-8, whatever the text says of itself.
 * NULL without memory. */
struct sdn *sdn_new(void (*take)(void *arg, const struct sdn_msg *m), void *arg, bool utf8);
void sdn_free(struct sdn *s);

/* The next bytes, in any pieces; last: nothing follows. False: damaged, with the reason and the
 * offset since sdn_new() or the last sdn_push() with last; what follows until then is ignored. */
bool sdn_push(struct sdn *s, struct slice bytes, bool last, const char **why, uint64_t *offset);

/* The SIP message that it tells of, as far as calls want to know. False: of none, or without a
 * Call-ID. Slices are the message's. */
bool sdn_sip(const struct sdn_msg *m, struct sip_msg *out);

#endif

/* SIP in streams: text, behind the headers of MS-SIPCOMP, and in WebSocket frames. */
#include "flows/conversation.h"
#include "flows/limits.h"
#include "flows/sipcomp.h"

#include <stdlib.h>
#include <string.h>

#include "flows/wire/websocket.h"
#include "flows/memory.h"

/* ---- text and MS-SIPCOMP ---- */

/* Its size: the rest of a start line ("PTIONS sip:...") would look like one, too. */
static size_t first_line(struct slice in)
{
    const uint8_t *end = memchr(in.p, '\n', in.n);
    return end ? (size_t)(end - in.p) + 1 : in.n;
}

struct stream_take sipcomp_data(struct proto *p, struct stream *s, struct conversation *c,
                                enum stream_side side, struct slice avail)
{
    struct stream_take take = {0};
    struct message_at at;
    struct sip_msg m;
    size_t used;
    conversation_at(p, s, side, &at);
    while (take.used < avail.n) {
        struct slice rest = slice_of(avail.p + take.used, avail.n - take.used);
        /* what is missing is missing in the history, too */
        enum wire_result r = c->half[side].lost || !c->compression
                                 ? WIRE_BAD
                                 : sipcomp_next(c->compression, side, rest, &m, &used);
        if (r == WIRE_MORE && rest.n <= 2 * LIMIT_SIP_MESSAGE)
            break;
        if (r != WIRE_OK) {
            p->counts.compressed_unread++;
            c->closed = true;
            if (!c->inside)
                tls_tell_compressed(p, s, c);
            take.release = true;
            break;
        }
        handover_sip(p->config.handover, &m, &at);
        c->messages++;
        take.used += used;
    }
    return take;
}

/* Client and server have agreed on compression: it holds for both from here on. */
static bool starts_compression(const struct sip_msg *m)
{
    return !m->request && m->method == SIP_NEGOTIATE && m->status == 200 &&
           slice_is(slice_trim(m->compression), "LZ77-8K");
}

/* The message at the front of rest. Nearly all that carry SDP come in several segments. */
static enum wire_result next_message(struct proto *p, const struct half *h, bool waited,
                                     struct slice rest, struct sip_msg **m,
                                     struct wire_fault *fault)
{
    struct sip_begun *b = &p->begun;
    bool begun = b->half == h && waited;
    if (b->half == h)
        b->half = NULL;
    *m = &b->head[begun ? b->waiting : !b->waiting];
    enum wire_result r = begun ? WIRE_OK : sip_head(rest, false, *m, fault);
    if (r != WIRE_OK)
        return r;
    r = sip_body(rest, false, *m, fault);
    if (r == WIRE_MORE) {
        b->half = h;
        b->waiting = *m == &b->head[1];
    }
    return r;
}

struct stream_take sip_data(struct proto *p, struct stream *s, struct conversation *c,
                            enum stream_side side, struct slice avail)
{
    struct half *h = &c->half[side];
    struct stream_take take = {0};
    struct message_at at;
    if (avail.n < h->enough && avail.n <= LIMIT_SIP_MESSAGE)
        return take;
    bool waited = h->enough != 0;
    h->enough = 0;
    conversation_at(p, s, side, &at);
    while (take.used < avail.n) {
        struct slice rest = slice_of(avail.p + take.used, avail.n - take.used);
        struct wire_fault fault;
        struct sip_msg *m;
        if (h->lost) {
            size_t skip = sip_resync(rest, 0);
            p->counts.resyncs++;
            take.used += skip;
            if (skip == rest.n || sip_looks_like(slice_of(rest.p + skip, rest.n - skip)) != WIRE_OK)
                return take;
            h->lost = false;
            continue;
        }
        enum wire_result r = next_message(p, h, waited, rest, &m, &fault);
        waited = false;
        if (r == WIRE_MORE && rest.n <= LIMIT_SIP_MESSAGE) {
            h->enough = fault.offset < UINT32_MAX ? (uint32_t)fault.offset : UINT32_MAX;
            return take;
        }
        if (r == WIRE_OK) {
            handover_sip(p->config.handover, m, &at);
            c->messages++;
            take.used += m->size;
            if (!starts_compression(m))
                continue;
            conversation_is(p, s, c, STREAM_SIPCOMP);
            c->compression = memory_got(sipcomp_new());
            return take;
        } else {
            bool oversized = r == WIRE_MORE || sip_looks_like(rest) == WIRE_OK;
            p->counts.oversized += oversized;
            h->lost = true;
            take.used += oversized ? first_line(rest) : 1; /* past the bad start */
        }
    }
    return take;
}

/* ---- WebSocket ---- */

/* Adds a frame's payload to the message under way; a final frame hands it over as one SIP message
 * (RFC 7118: one per WebSocket message). */
static void websocket_message(struct proto *p, struct conversation *c,
                              const struct websocket_frame *f, const struct message_at *at)
{
    struct sip_msg m;
    if (f->opcode > 2)
        return;
    if (f->opcode)
        c->text_used = 0;
    if (!c->text)
        c->text = memory_got(malloc(LIMIT_SIP_MESSAGE));
    if (!c->text || c->text_used + f->payload.n > LIMIT_SIP_MESSAGE) {
        p->counts.oversized++;
        return;
    }
    websocket_unmask(f, c->text + c->text_used);
    c->text_used += f->payload.n;
    if (!f->fin)
        return;
    struct slice text = slice_of(c->text, c->text_used);
    if (sip_looks_like(text) == WIRE_OK && sip_parse(text, true, &m, NULL) == WIRE_OK)
        handover_sip(p->config.handover, &m, at), c->messages++;
    c->text_used = 0;
}

struct stream_take websocket_data(struct proto *p, struct stream *s, struct conversation *c,
                                  enum stream_side side, struct slice avail)
{
    struct half *h = &c->half[side];
    struct stream_take take = {0};
    struct message_at at;
    struct websocket_frame f;
    conversation_at(p, s, side, &at);
    if (!h->greeted) {
        enum wire_result r = websocket_upgrade(avail, side == SIDE_CLIENT, &take.used, NULL);
        h->greeted = r == WIRE_OK;
        take.release = r == WIRE_BAD;
        if (r != WIRE_OK)
            return take;
    }
    while (take.used < avail.n) {
        struct slice rest = slice_of(avail.p + take.used, avail.n - take.used);
        enum wire_result r = websocket_parse(rest, LIMIT_SIP_MESSAGE, &f, NULL);
        if (r == WIRE_MORE)
            break;
        if (r == WIRE_BAD || h->lost) {
            take.release = true;
            break;
        }
        websocket_message(p, c, &f, &at);
        take.used += f.size;
    }
    return take;
}

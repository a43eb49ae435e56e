/*
 * SIP messages (RFC 3261) on datagrams and streams.
 *
 *   start line CRLF  headers CRLF  CRLF  body (Content-Length bytes)
 *
 * Tolerated because it is on the wire: LF alone, compact and folded headers, any case, CRLF
 * keep-alives before a message, repeated headers, a Content-Length that is a word, missing, too
 * long (datagram: body is what is there) or too short.
 */
#ifndef EW_FLOWS_WIRE_SIP_H
#define EW_FLOWS_WIRE_SIP_H

#include "flows/wire/wire.h"

enum sip_method {
    SIP_NO_METHOD,
    SIP_INVITE,
    SIP_ACK,
    SIP_BYE,
    SIP_CANCEL,
    SIP_UPDATE,
    SIP_PRACK,
    SIP_OPTIONS,
    SIP_REGISTER,
    SIP_INFO,
    SIP_SUBSCRIBE,
    SIP_NOTIFY,
    SIP_REFER,
    SIP_MESSAGE,
    SIP_PUBLISH,
    SIP_SERVICE,
    SIP_NEGOTIATE,
    SIP_BENOTIFY,
    SIP_OTHER_METHOD,
    SIP_METHODS
};

enum { SIP_MAX_DIAG = 4, SIP_MAX_HEADER = 65536 };

struct sip_header_ref {
    struct slice name, value;
};

struct sip_msg {
    bool request;
    enum sip_method method;   /* request: of the start line; response: of CSeq */
    struct slice method_text; /* start line (request) or CSeq (response) */
    struct slice uri;         /* request */
    int status;               /* response, 100-699; else 0 */
    struct slice reason;
    struct slice call_id;  /* empty if missing */
    struct slice from, to; /* whole header values, see sip_uri_of() */
    struct slice from_tag, to_tag;
    uint32_t cseq;
    struct slice contact;
    struct slice user_agent;
    struct slice conversation_id;             /* Ms-Conversation-ID */
    struct slice content_type;                /* whole value, parameters included */
    struct slice compression;                 /* NEGOTIATE: Compression header */
    struct slice location;                    /* ms-endpoint-location-data */
    struct sip_header_ref diag[SIP_MAX_DIAG]; /* ms-diagnostics, -public, ms-client-diagnostics */
    unsigned n_diag;
    int64_t content_length; /* -1 missing, -2 not a number */
    struct slice head;      /* start line and headers, blank line included */
    struct slice body;
    size_t size;   /* bytes from the front of the input: keep-alives, head, body */
    bool body_cut; /* datagram: Content-Length says more than there is */
};

/* Parses one message at the front of in (after skipping CRLF keep-alives).
 * datagram: the message ends with the slice; MORE never comes. A last header line without a line
 * end is left out: it may be cut in the middle. stream: MORE until head and Content-Length bytes
 * are there; a missing or bad Content-Length is 0. With MORE, fault->offset is the least size of
 * input that can do better (fault->reason is NULL): the caller need not try again before it has
 * that much. A Content-Length over 9 digits counts as bad. BAD: the front is not a SIP start line,
 * or the head exceeds SIP_MAX_HEADER. */
enum wire_result sip_parse(struct slice in, bool datagram, struct sip_msg *out,
                           struct wire_fault *fault);

/* The two halves of sip_parse, for who has the head before the body and wants to read it once. The
 * head: all but tags, body and body_cut; size is up to its end. Unless OK, *m is spoilt. The body:
 * with the m of the head and the same front of input, grown, and moved perhaps: the slices of *m
 * are moved, too. With MORE (a stream's, as above) *m is as it was; never BAD. */
enum wire_result sip_head(struct slice in, bool datagram, struct sip_msg *m,
                          struct wire_fault *fault);
enum wire_result sip_body(struct slice in, bool datagram, struct sip_msg *m,
                          struct wire_fault *fault);

/* Does in begin like SIP (after keep-alives)? MORE if too short to say. */
enum wire_result sip_looks_like(struct slice in);

/* Offset of the next thing at a line start in in[from..] that looks like a SIP start line, or in.n
 * less what could be the beginning of one. For resynchronising after damage or a GAP. */
size_t sip_resync(struct slice in, size_t from);

/* Next value of header name (full name; its compact form is found too) after *pos (start with 0).
 * For the seldom-read headers. */
bool sip_header_next(const struct sip_msg *m, const char *name, size_t *pos, struct slice *value);

/* "sip:u@h" out of any From/To/Contact value: no display name, brackets, parameters, headers. */
struct slice sip_uri_of(struct slice header_value);

/* Walks the parts of a body that may be multipart (nested once): each call gives one leaf part's
 * content type and content. A body that is not multipart is one part. */
struct mime_walk {
    struct slice rest, boundary, type;
    struct slice outer_rest, outer_boundary;
    int state;
};
void mime_start(struct mime_walk *w, struct slice content_type, struct slice body);
bool mime_next(struct mime_walk *w, struct slice *part_type, struct slice *part_disposition,
               struct slice *part_body);

const char *sip_method_name(enum sip_method m);

#endif

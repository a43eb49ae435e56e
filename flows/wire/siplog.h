/*
 * Lines and records of the two SIP logs of Lync and Skype for Business (protocol dossier §4).
 *
 * Client (UCCAPI):
 *   MM/DD/YYYY|hh:mm:ss.mmm pid:tid LEVEL :: Sending Packet - ip:port (From Local Address: ip:port)
 * n bytes: <the message's lines, the first or each of them behind the same stamp>
 *   MM/DD/YYYY|hh:mm:ss.mmm pid:tid LEVEL :: End of Sending Packet - ...
 * Server (SIPStack, two styles of context):
 *   TL_INFO(TF_PROTOCOL) [ctx]pid.tid::MM/DD/YYYY-hh:mm:ss.mmm.seq (component,...) [corr]
 * $$begin_record Name: value ... Message-Body: v=0 ...
 *   $$end_record
 *
 * Neither tells its time zone: times are microseconds as if they were UTC.
 */
#ifndef EW_FLOWS_WIRE_SIPLOG_H
#define EW_FLOWS_WIRE_SIPLOG_H

#include "flows/wire/wire.h"

enum siplog_mark {
    SIPLOG_BARE,     /* no prefix: of the record under way, or of nothing */
    SIPLOG_STAMPED,  /* a client log's line about something else */
    SIPLOG_SENT,     /* a client log's message begins */
    SIPLOG_RECEIVED, /* likewise */
    SIPLOG_ENDED,    /* its end line */
    SIPLOG_BEGIN,    /* a server log's record begins */
    SIPLOG_END,      /* $$end_record */
};

enum siplog_flag { SIPLOG_OTHER_FLAG, SIPLOG_PROTOCOL, SIPLOG_DIAG };

struct siplog_line {
    enum siplog_mark mark;
    int64_t time_us;             /* log clock, as if UTC; STAMPED, SENT, RECEIVED, ENDED, BEGIN */
    struct slice stamp;          /* time and thread as written: the same stamp is the same event */
    struct slice text;           /* behind the prefix; the whole line for BARE */
    struct endpoint peer, local; /* SENT, RECEIVED; none if not readable */
    int64_t size;                /* bytes of the message as told, -1 = not told; SENT, RECEIVED */
    enum siplog_flag flag;       /* BEGIN */
};

/* What one line is (without its line end). Always says something: a damaged prefix is BARE. */
void siplog_line(struct slice line, struct siplog_line *out);

/* How a record's message came out. */
struct siplog_text {
    size_t n;        /* bytes written */
    bool elided;     /* "..." stands for lines that somebody took out */
    size_t original; /* bytes that the lines would have had on the wire, with CRLF */
};

/* A record's lines ('\n' behind each) as a SIP message that sip_parse() reads as a datagram: CRLF,
 * Content-Length of the body that is there, a Content-Type if only its line is missing, headers and
 * body kept apart even where blank lines were doubled or lost. Of an SDP, what is no x= line (prose
 * around an excerpt) is dropped. server: fields before Start-Line are left out, the body is
 * Message-Body's. BAD: no SIP message in it, or more than room. */
enum wire_result siplog_message(struct slice record, bool server, uint8_t *out, size_t room,
                                struct siplog_text *text, struct wire_fault *fault);

/* The fields of a server's TF_DIAG record; empty where missing. */
struct siplog_diag {
    struct slice severity, text, start_line, call_id, cseq, peer, data;
    struct slice result; /* "SIPPROXY_E_..." */
    uint32_t code;       /* 0xC3E93C0D and the like */
    bool has_code;
};
/* BAD: neither a text nor a result code. */
enum wire_result siplog_diag(struct slice record, struct siplog_diag *out,
                             struct wire_fault *fault);

/* The value of a server record's field of that name, up to the message body. False if missing. */
bool siplog_field(struct slice record, const char *name, struct slice *value);

/* Walks lines of a record from *at = 0; line ends ('\n', '\r') cut off. */
bool siplog_next_line(struct slice record, size_t *at, struct slice *line);
/* Nothing but white space, no-break spaces included? */
bool siplog_blank(struct slice line);

#endif

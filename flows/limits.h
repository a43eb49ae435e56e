/*
 * Every cap and every deadline of the engine, with its unit and its reason. Memory is set here (and
 * by options that replace these defaults), never by traffic.
 */
#ifndef EW_FLOWS_LIMITS_H
#define EW_FLOWS_LIMITS_H

#include "capture/tick.h"

/* ---- tables (entries) ---- */
enum {
    LIMIT_FLOWS = 1 << 19,   /* TCP flows tracked; 192 bytes each at most (tracker.h) */
    LIMIT_EMBRYOS = 1 << 17, /* of these, unanswered SYNs of unknown endpoints: a flood of SYNs
                                stops here, 25 MB, and evicts its own kind */
    LIMIT_HOSTS = 1 << 13,   /* addresses whose visibility and failure rate are remembered */
    LIMIT_LOSSY_SPANS = 64,  /* newest times of loss that undecided attempts are held against */
    LIMIT_CHECKS = 1 << 16,  /* UDP endpoint pairs with STUN/TURN requests */
    LIMIT_STREAMS = 1 << 15, /* flows under reassembly or read in order (feeder.h) */
    LIMIT_NIDS_STREAMS = 1 << 14, /* of these, in the middle of a message or in disorder: in
                                     libnids, 288 B + 8 kB each at worst */
    LIMIT_STREAM_BYTES =
        64 << 20,          /* of messages that have begun, and in disorder, of all streams
                              together; beyond it the longest idle ones lose what they hold */
    LIMIT_CALLS = 1 << 16, /* dialogs kept; about 4 kB each with candidates */
    LIMIT_ALLOCATIONS = 1 << 17,
    LIMIT_ORPHANS = 1 << 15, /* finished attempts that nothing negotiated explains yet */
    LIMIT_ALIASES = 256,
    LIMIT_FEED_AGENTS = 64, /* senders of HEP and SDN messages that get a row and a clock of their
                               own; the rest shares one */
    LIMIT_TROUBLE_NOTES = 1024,  /* newest handshake failures whose story is kept word for word */
    LIMIT_TLS_ROWS = 3000,       /* rows of tls_sessions per minute; a scan of 5061 ends here */
    LIMIT_TLS_SECRETS = 1 << 16, /* of key logs and handshakes, 88 bytes of locked memory each; a
                                    TLS 1.3 connection needs four */
    LIMIT_TLS_LONG_SECRETS = 64, /* pre-master secrets of DHE in key logs, about 1 kB each */
    LIMIT_TLS_KEYS = 32,         /* servers' private keys */
    LIMIT_TLS_LINKS = 1 << 14,   /* TLS connections read at one time, about 3 kB each */
    LIMIT_TLS_HELD = 16 << 20,   /* bytes of ciphertext that wait for a key log, in all */
    LIMIT_EVIDENCE_SLOTS = 1 << 15, /* handshake packets kept until their attempt is decided */
    LIMIT_QUESTIONS = 1 << 10,      /* attempts of which it is asked and not yet known whether they
                                       are wanted: the answer is fetched so many attempts later */
};

/* ---- per object ---- */
enum {
    LIMIT_EVIDENCE_BYTES = 192, /* of each handshake or ICMP packet; headers and tunnels fit */
    LIMIT_EVIDENCE_PER_ATTEMPT = 12,
    LIMIT_SENDS_PER_ALLOCATION = 24, /* peers a client tried through one relay port */
    LIMIT_CANDIDATES_PER_SIDE = 64,
    LIMIT_MEDIA_PER_CALL = 6,
    LIMIT_DIAGS_PER_CALL = 8,
    LIMIT_PAIRS_PER_CALL = 64,
    LIMIT_SIP_MESSAGE = 65536 + 65536, /* head + body; beyond it the stream resynchronises */
    LIMIT_LOG_RECORD = 256 << 10,      /* of a SIP log; what a longer one says behind it is lost */
    LIMIT_PROBE_BYTES = 512,           /* of each direction before a stream is called unknown */
    LIMIT_TLS_HANDSHAKE =
        128 << 10, /* handshake messages of one connection, certificates and all */
    LIMIT_TLS_HELD_EACH = 256 << 10, /* ciphertext of one connection that waits for its key */
    LIMIT_TLS_TRIALS =
        256, /* records opened on trial after a gap until the connection is given up */
    LIMIT_RELAY_CONTROL = 4096,     /* bytes without a TURN message after which it is bulk media */
    LIMIT_UNKNOWN_PER_MINUTE = 200, /* failed attempts stored per source that is no known relay */
    LIMIT_UNKNOWN_IN_ALL = 5000,    /* ... and of all such sources together, per minute */
    LIMIT_SOURCES = 4096,           /* sources that are counted for it; a power of two */
    LIMIT_TRAFFIC = 8192,           /* rows of the hour under way */
};

/* ---- deadlines (packet time) ---- */
#define DEADLINE_NO_ANSWER (25 * TICK_S)   /* after a SYN; Windows gives up at 21 s, P§7.1 */
#define DEADLINE_AFTER_RST (3 * TICK_S)    /* Windows retries 0.5 s after a RST, P§7.1 */
#define DEADLINE_SINGLE_SYN (3 * TICK_S)   /* a retry would have come by then, P§7.3 */
#define DEADLINE_HALF_OPEN (10 * TICK_S)   /* SYN-ACK seen, no ACK */
#define DEADLINE_OPEN_SILENT (30 * TICK_S) /* handshake done, no bytes or only one side's */
#define DEADLINE_AFTER_ICMP (10 * TICK_S)  /* longest gap between early retries: Linux 8 s */
#define DEADLINE_CHECK (40 * TICK_S)       /* RFC 8445 STUN over UDP fails after 39.5 s, P§7.2 */
#define DEADLINE_LINGER (40 * TICK_S)      /* decided: Linux tries again 32 s after a SYN */
#define FLOW_IDLE_CHECK (60 * TICK_S)      /* how often a flow is looked at for that */
#define CLOCK_STEP_BACK (3600 * TICK_S)    /* packet time that falls by more began anew */
#define LOG_STEP_BACK (300 * TICK_S)     /* a SIP log whose time falls by more has another piece */
#define BLIND_SPAN (10 * TICK_S)         /* a gap in a stream casts doubt on what failed in these */
#define CLOCK_STEP_AHEAD (3600 * TICK_S) /* of silence: nobody knows what was in it */
#define CLOCK_STEP_LIVE (5 * TICK_S)     /* ... where silence is told of five times a second */
#define FLOW_IDLE (300 * TICK_S)         /* established flow without packets */
#define STREAM_IDLE (120 * TICK_S)       /* libnids has no idle timeout of its own */
#define HEAL_AFTER (200 * TICK_MS)       /* hole acknowledged by the receiver; or HEAL_SEGMENTS */
enum { HEAL_SEGMENTS = 8, HEAL_MAX_BYTES = 65536 };
#define FEED_LOG_EVERY (10 * TICK_S)  /* between two rows of one feed's agent */
#define TLS_SILENCE (30 * TICK_S)     /* ClientHello without an answer */
#define TLS_KEY_WAIT (30 * TICK_S)    /* a key log line may be that much later than its handshake */
#define CALL_GRACE (60 * TICK_S)      /* after BYE: late verdicts still find their call */
#define CALL_NO_ANSWER (300 * TICK_S) /* INVITE without final answer */
#define CALL_MAX (24 * 3600 * TICK_S)
#define ALLOCATION_GRACE (60 * TICK_S)
#define ALLOCATION_UDP_LIFETIME (600 * TICK_S) /* without LIFETIME attribute, RFC 8656 §3.2 */
#define NOT_TRIED_AFTER (30 * TICK_S)          /* after the answer, P§7.2 */
#define MATCH_SLACK (5 * TICK_S)    /* an attempt this much before its scope began still matches */
#define CLIENT_SERVED (30 * TICK_S) /* a client that got another relay port this near is served */

#endif

/*
 * A SIP log's lines into calls: records are put together (bounded), turned back into messages, and
 * handed to calls_sip() like messages from the wire. Times are the log's own clock as if it were
 * UTC; whoever knows better corrects them later (storage/clocks.h).
 */
#ifndef EW_FLOWS_LOGBOOK_H
#define EW_FLOWS_LOGBOOK_H

#include "flows/session.h"

enum logbook_kind { LOGBOOK_NO_KIND, LOGBOOK_UCCAPI, LOGBOOK_SIPSTACK, LOGBOOK_SDN };
const char *logbook_kind_name(enum logbook_kind k); /* "uccapi", "sipstack", "sdn", NULL */

struct logbook_counts {
    enum logbook_kind kind; /* of the first record */
    uint64_t messages;      /* SIP messages read */
    uint64_t incomplete;    /* of these, elided or shorter than told */
    uint64_t diags;         /* TF_DIAG records that a call took */
    uint64_t unread;        /* records without a SIP message that can be read, or over the cap */
    tick_t first, last;     /* of messages, TICK_NONE = none; log clock */
};

struct logbook;

/* calls and origin are lent for its life. NULL without memory. */
struct logbook *logbook_new(struct calls *calls, const char *origin);
void logbook_free(struct logbook *b);

/* One line, without its end. unended: the log ended in it, so it may be half a line. */
void logbook_line(struct logbook *b, struct slice line, uint64_t number, bool unended);

/* The log is over: what is under way is taken as far as it goes. Where the log stops inside a
 * record that was promised to be longer, *line is the number of the record's first line, and the
 * answer is false. */
bool logbook_finish(struct logbook *b, uint64_t *line);

void logbook_counts(const struct logbook *b, struct logbook_counts *out);

#endif

/*
 * Signaling that others saw: HEP from SIP servers and capture agents, SDN messages of Skype for
 * Business. Each is taken apart and enters at calls_sip() like a message from the wire, with the
 * feed's agent as origin and a time that feed_clock.h has held against ours.
 *
 * HEP comes from a feed (capture/feed.h) or is found in a capture, on its way to somebody else's
 * collector.
 */
#ifndef EW_FLOWS_FEEDS_H
#define EW_FLOWS_FEEDS_H

#include "flows/pipeline.h"
#include "flows/session.h"

struct feeds;

struct feeds_counts {
    uint64_t messages; /* that were HEP or SDN */
    uint64_t sip;      /* of these, handed to calls */
    uint64_t other;   /* of these, about something else: media statistics, quality, unknown kinds */
    uint64_t bad;     /* neither, or damaged */
    uint64_t evicted; /* agents over the cap */
};

/* NULL without memory. Both are lent. */
struct feeds *feeds_new(struct calls *calls, const struct engine_out *out);
void feeds_free(struct feeds *f);

/* One HEP message that arrived from sender. False: damaged. */
bool feeds_hep(struct feeds *f, struct slice message, const struct endpoint *sender,
               tick_t arrival);
/* A body of SDN messages that somebody posted. False: damaged; what came before it was taken. */
bool feeds_sdn(struct feeds *f, struct slice body, const struct endpoint *sender, tick_t arrival);
/* One frame of a feed (feed_frame()). False: damaged. */
bool feeds_frame(struct feeds *f, const struct raw_packet *raw);

/* Rows of view `logs` that are due; feeds_finish() tells all that changed. */
void feeds_advance(struct feeds *f, tick_t now);
void feeds_finish(struct feeds *f);
void feeds_counts(const struct feeds *f, struct feeds_counts *out);

#endif

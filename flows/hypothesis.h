/*
 * What the rules of findings.c share: one failure as they see it, the evidence they collect, and
 * the form of a rule. Private to flows/findings*.c.
 */
#ifndef EW_FLOWS_HYPOTHESIS_H
#define EW_FLOWS_HYPOTHESIS_H

#include "capture/format.h"
#include "flows/findings.h"

/* How far the packets of this failure alone support a rule. Only LIKELY is called likely; the
 * others are "possible" and differ in their place in the list. */
enum weight { WEIGHT_NONE, WEIGHT_FAINT, WEIGHT_FAIR, WEIGHT_STRONG, WEIGHT_LIKELY };

enum { SEEN_TEXT = 2 * ENDPOINT_TEXT + 16 };

struct hypothesis_case {
    const struct failure *f;
    const struct failure_context *ctx;
    struct endpoint src, dst;                      /* public where known */
    char src_text[SEEN_TEXT], dst_text[SEEN_TEXT]; /* "2.2.2.2:58138 (10.3.0.40:58138)" */
    char when[64];                                 /* "2012-12-10 10:43:59 to 10:44:00 UTC" */
    const char *proto, *request;                   /* "TCP", "SYN" or "UDP", "check" */
};

void hypothesis_case_of(const struct failure *f, const struct failure_context *ctx,
                        struct hypothesis_case *out);

/* "2012-12-10 10:43:59 to 10:44:00 UTC" */
const char *hypothesis_when(tick_t first, tick_t last, char out[64]);
/* "2.2.2.2:58138 (10.3.0.40:58138)"; alias none: only the one on the wire */
const char *hypothesis_seen(const struct endpoint *wire, const struct addr *alias,
                            char out[SEEN_TEXT]);

enum evidence_list { EVIDENCE_FOR, EVIDENCE_AGAINST, EVIDENCE_SETTLE, EVIDENCE_LISTS };

enum { EVIDENCE_LINES = 12, EVIDENCE_ROOM = 4 * FINDING_TEXT };

/* Lines as JSON strings, one behind the other. Made by hand: with a JSON library they were a tenth
 * of the engine's time where a quarter of the calls fail. */
struct evidence_lists {
    struct evidence_line {
        unsigned at, n;
    } line[EVIDENCE_LISTS][EVIDENCE_LINES];
    unsigned n[EVIDENCE_LISTS];
    unsigned used;
    char text[EVIDENCE_ROOM];
};
void evidence_begin(struct evidence_lists *e);
__attribute__((format(printf, 3, 4))) void
evidence_add(struct evidence_lists *e, enum evidence_list which, const char *format, ...);
/* Writes the JSON object; the last entries of the longest list go if they are too long together. */
void evidence_end(struct evidence_lists *e, char out[FINDING_TEXT]);

struct hypothesis {
    const char *code;
    enum weight (*applies)(const struct hypothesis_case *c);
    void (*evidence)(const struct hypothesis_case *c, struct evidence_lists *e);
    void (*advice)(const struct hypothesis_case *c, char out[FINDING_ADVICE]);
};

/* Ends with code NULL; of equal weight the earlier one is listed first. */
extern const struct hypothesis
    hypotheses_of_relay[]; /* allocation, control leg, what was offered */
extern const struct hypothesis hypotheses_of_claims[]; /* what the clients said of it */
extern const struct hypothesis hypotheses_of_path[];   /* what became of the packets */

/* Does the header speak of this medium, with a warning value, and not from before checks ran? */
bool hypothesis_warns(const struct hypothesis_case *c, const struct fact_diag *d);

/* What the client of our side said, if that is the same as this finding (claims.h) and the wire
 * agrees; else NULL. */
const struct fact_diag *hypothesis_claim(const struct hypothesis_case *c, const char *code);

/* "a certificate where none belongs" ...: what came instead of the pseudo-TLS answer (enum
 * tls_instead, -1 = nothing). */
const char *hypothesis_instead(int tls_instead);

/* TURN errors that reject credentials (P§1.7). */
bool hypothesis_credentials(uint16_t error);

/* ICMP that says a filter forbade it: v4 3/9 3/10 3/13; v6 1/1 and its finer forms 1/5 1/6. */
bool hypothesis_prohibited(bool v4, int type, int code);

#endif

/*
 * Facts made by hand for tests: endpoints from text, and the call, allocation and attempt of the
 * federated incident (P§8), from which a test departs by changing fields.
 */
#ifndef EW_TESTS_HELP_FACTS_LAB_H
#define EW_TESTS_HELP_FACTS_LAB_H

#include "flows/facts.h"
#include "flows/verdict.h"

/* "1.2.3.4:5" or "[2001:db8::1]:5"; "" = none. Abort on anything else. */
struct endpoint ep(const char *text);
struct addr ad(const char *text);

/* Seconds after 2012-12-10 10:43:00 UTC, the minute of the incident. */
tick_t at(double seconds);

enum { MAKE_CANDIDATES = 8, MAKE_SENDS = 4, MAKE_DIAGS = 2 };

struct call_made {
    struct fact_call call;
    struct fact_media media[2];
    struct fact_candidate candidates[2][CALL_SIDES][MAKE_CANDIDATES];
    struct fact_diag diags[MAKE_DIAGS];
};
struct allocation_made {
    struct fact_allocation fact;
    struct fact_send sends[MAKE_SENDS];
};

/* An answered call of user1@contoso.com to user2@fabrikam.com with one medium, applicationsharing,
 * each side present with that default address and no candidates. Begun at 49.3 s, answered at 53 s,
 * still up. */
void call_make(struct call_made *c, const char *offer, const char *answer);
/* Adds a candidate (enum cand_type) to a side of the first medium; UDP if udp, else TCP-PASS. */
struct fact_candidate *call_add(struct call_made *c, enum call_side side, int type, bool udp,
                                const char *where);
void call_diag(struct call_made *c, tick_t seen, uint32_t code, const char *side,
               const char *value);

/* Granted over TCP at 49.2 s to client at server. */
void allocation_make(struct allocation_made *a, const char *client, const char *server,
                     const char *relay);
struct fact_send *allocation_send(struct allocation_made *a, const char *peer, double first);

/* A TCP attempt of one SYN at that second, nothing else known. */
struct attempt attempt_make(uint64_t id, const char *src, const char *dst, enum verdict v,
                            double second);
/* The three SYNs of P§8.2, each answered by RST after 42 or 43 ms. */
struct attempt attempt_of_incident(void);

#endif

/*
 * One failure with all that its rules may look at, and what findings_of_failure says of it: the
 * fixture of the findings' unit tests. A scene points into itself: it is not to be copied.
 */
#ifndef EW_TESTS_HELP_SCENE_H
#define EW_TESTS_HELP_SCENE_H

#include "flows/findings.h"
#include "tests/help/facts_lab.h"

struct scene {
    struct call_made call;
    struct allocation_made own;
    struct attempt attempt;
    struct failure f;
    struct failure_context ctx;
    struct finding list[FINDINGS_MAX];
    unsigned n;
};

/* The federated incident, grade A: the relay's attempt to its peer is refused. */
void scene_incident(struct scene *s);
/* The client's way to its relay at 443. */
void scene_client_leg(struct scene *s, enum verdict v);
/* Brings the failure in line with the attempt after a test changed that. */
void scene_from_attempt(struct scene *s);

/* Fills in the list; every finding has well-formed evidence and advice, or the test fails. */
void scene_run(struct scene *s);
/* The finding of that code, or NULL. */
const struct finding *scene_find(const struct scene *s, const char *code);
void scene_expect(const struct scene *s, const char *code, bool likely);
void scene_expect_none(const struct scene *s, const char *code);

#endif

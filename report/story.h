/*
 * One failure told as a story: legs, call, candidates, ladder, what the endpoints claimed, verdict
 * with its facts, hypotheses and what would settle them. Says nothing that the packets do not show.
 */
#ifndef EW_REPORT_STORY_H
#define EW_REPORT_STORY_H

#include "report/ladder.h"
#include "report/prose.h"
#include "report/story_facts.h"

/* again: how the program was called ("edgewatch --db x.db"), for the suggested next command. */
void story_print(const struct story_facts *f, const struct prose *p, const char *again);

/* The same as a page of HTML, with the ladder as a picture (story_html.c). */
void story_html(const struct story_facts *f, FILE *out, const char *again);
/* What stands between the frame of that page: for pages that embed it. again as above. */
void story_html_body(const struct story_facts *f, FILE *out, const char *again);

/* "The TCP connection from the relay to its peer was refused: ... -> ...". Owned by the caller. */
char *story_sentence(const struct story_facts *f);
/* All but the headline. */
void story_body(const struct story_facts *f, const struct prose *p, const char *again);

/* Parts of it, in files of their own. */
void story_verdict(const struct story_facts *f, const struct prose *p);    /* story_verdict.c */
void story_candidates(const struct story_facts *f, const struct prose *p); /* story_candidates.c */
void story_ladder(const struct story_facts *f, const struct prose *p);     /* story_ladder.c */
void story_claims(const struct story_facts *f, const struct prose *p);     /* story_claims.c */

/* The events of a failure on lanes: client, relay, peer; wide: the relay's inside and outside
 * apart, where there are both. ladder_free() when done (story_ladder.c). */
void story_ladder_build(const struct story_facts *f, bool wide, struct ladder *l);

#endif

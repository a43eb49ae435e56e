/* What the two files of findings across failures share: the list that they fill. Private to
 * flows/findings_window.c and flows/findings_totals.c. */
#ifndef EW_FLOWS_FINDINGS_WINDOW_H
#define EW_FLOWS_FINDINGS_WINDOW_H

#include "flows/hypothesis.h"

struct window_findings {
    struct window_finding *out; /* FINDINGS_MAX */
    unsigned n;
};

/* Puts f in its place; the least telling one falls off a full list. */
void window_offer(struct window_findings *l, const struct window_finding *f);
/* One more failure that f rests on. */
void window_count(struct window_finding *f, const struct window_row *r);

bool window_failed(const struct window_row *r);  /* refused, timeout or unreachable */
bool window_outward(const struct window_row *r); /* a relay-peer way that the Edge asked for */

/* findings_totals.c */
void window_totals(const struct window_row *rows, size_t n, struct window_findings *out);
void window_ceilings(const struct window_row *rows, size_t n, struct window_findings *out);
void window_blind(const struct window_row *rows, size_t n, double share,
                  struct window_findings *out);

#endif

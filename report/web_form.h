/*
 * The forms of the lists: what is asked stays in the address, so that a list can be sent to
 * somebody.
 */
#ifndef EW_REPORT_WEB_FORM_H
#define EW_REPORT_WEB_FORM_H

#include "report/web.h"

void form_failures(struct web *w);
void form_calls(struct web *w);
/* Links for the last hour, day and week. */
void form_spans(struct web *w, const char *path);
/* The same, and since with until. */
void form_period(struct web *w, const char *path);
/* What web_period() gave, in words. */
void form_covered(struct web *w, tick_t since, tick_t until, bool old);

#endif

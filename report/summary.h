/*
 * The summary of a day, a night or a week: what failed, to whom, since when, what is new against
 * the seven days before, and whether the sensor was blind. One object of figures (summary.c), and
 * its pictures: text (summary_text.c) and HTML (summary_html.c).
 */
#ifndef EW_REPORT_SUMMARY_H
#define EW_REPORT_SUMMARY_H

#include "report/json.h"
#include "report/prose.h"

/* All figures of the period as one object:
 *   from, to, zone, utc_offset, notes (an object: by list, what its figures count), sentence,
 * details (what follows the first sentence), totals (an object), new_partners, ended_partners,
 * unreachable, by_partner, by_edge, by_leg, by_verdict, by_candidate, by_port_range, by_hour,
 * by_day (local days), partner_ports, findings, table_limit (only where that is found), health,
 * blind: arrays of rows, columns as in storage/statements_sum.c. A list is cut after 1,000 rows;
 * what was cut stands in LIST_rest: {rows, failures}. NULL if the database or memory fails. */
json_t *summary_load(struct query_db *db, tick_t since, tick_t until);

/* Adds partner_details and partner_findings: what failed to each of the 20 worst partners. 0 or -1.
 */
int summary_add_partners(struct query_db *db, tick_t since, tick_t until, json_t *s);

/* As text; title: "Night 2026-01-30 18:00 to ... (Europe/Berlin, +01:00)". With partner_details: by
 * partner only. */
void summary_print(const json_t *s, const struct prose *p, const char *title);

/* As a page of its own; called: how to call the program, for suggested commands. */
void summary_html(const json_t *s, FILE *out, const char *title, const char *called);

/* Parts of the page, for pages that embed them (summary_html.c, summary_figures.c). */
void summary_html_figures(const json_t *s, FILE *out);  /* failures over time, heat map, limit */
void summary_html_tables(const json_t *s, FILE *out);   /* changed, by partner, Edge, leg, ... */
void summary_html_findings(const json_t *s, FILE *out); /* with the words for a ticket */
void summary_html_partners(const json_t *s, FILE *out); /* with partner_details */
void summary_html_health(const json_t *s, FILE *out);

/* Failures of weight in the period. */
int64_t summary_failures(const json_t *s);
/* Did the sensor see any packet in the period? */
bool summary_saw_packets(const json_t *s);
/* Did the sensor see any of the seven days before? If not, nothing can be called new. */
bool summary_has_before(const json_t *s);
/* Seconds in which packets were lost, windows of several interfaces counted once. */
int64_t summary_blind_s(const json_t *s);
tick_t summary_from(const json_t *s);
tick_t summary_to(const json_t *s);

/* The period in one sentence, and in a few more, from the figures (summary_words.c). Owned by the
 * caller; NULL without memory. */
char *summary_sentence(const json_t *s);
char *summary_details(const json_t *s);

#endif

/*
 * The summary of a day or a night: what failed, to whom, since when, what is new against the seven
 * days before, and whether the sensor was blind.
 */
#ifndef EW_REPORT_SUMMARY_H
#define EW_REPORT_SUMMARY_H

#include "report/json.h"
#include "report/prose.h"

/* All figures of the period as one object: from, to, sentence, totals, new_partners,
 * ended_partners, by_partner, by_edge, by_leg, by_verdict, by_candidate, by_port_range, by_hour,
 * findings, health (arrays of rows, columns as in storage/statements.c). NULL if the database or
 * memory fails. */
json_t *summary_load(struct query_db *db, tick_t since, tick_t until);

/* As text; title: "2026-01-31, Europe/Berlin". */
void summary_print(const json_t *s, const struct prose *p, const char *title);

/* Failures of weight in the period. */
int64_t summary_failures(const json_t *s);
/* Did the sensor see any packet in the period? */
bool summary_saw_packets(const json_t *s);

/* The period in one or two sentences, from the figures (summary_words.c). Owned by the caller. */
char *summary_sentence(const json_t *s);

#endif

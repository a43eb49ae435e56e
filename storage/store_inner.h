/*
 * Shared by the files that make rows of records (store*.c). Each row function fills in what the
 * statement of its kind asks for; false: no memory.
 */
#ifndef EW_STORAGE_STORE_INNER_H
#define EW_STORAGE_STORE_INNER_H

#include "storage/store.h"

/* Holds a record back until store_flush(). 0 or -1. */
int store_hold(struct store *s, enum batch_kind kind, int64_t row, const void *record);
/* Copies the row that store_bind() began, until store_unshelve(). 0 or -1. */
int store_shelve(struct store *s, enum shelf_kind kind, int64_t row);
int store_unshelve(struct store *s);

bool store_sdp_row(struct store *s, struct binds *b, const struct batch_row *r);
bool store_attempt_row(struct store *s, struct binds *b, const struct batch_row *r);
bool store_link_row(struct store *s, struct binds *b, const struct batch_row *r);
bool store_evidence_row(struct store *s, struct binds *b, const struct batch_row *r);

/* Records of the kinds that are held back. 0 or -1. */
int store_call(struct store *s, const struct fact_call *c);
int store_allocation(struct store *s, const struct fact_allocation *a);
int store_attempt(struct store *s, const struct record_attempt *r);
int store_link(struct store *s, const struct record_link *r);

int store_tls(struct store *s, const struct fact_tls *t);
/* The failure of that engine id is withdrawn. */
int store_gone(struct store *s, int64_t engine);
/* Failures whose ids are row ids. again: the row may have findings already. */
struct failure_row {
    int64_t row, run;
    const struct record_failure *r;
    bool again;
};
int store_failures(struct store *s, const struct failure_row *list, unsigned n);

/* 0 stays 0: unknown. -1 on failure. */
int64_t store_row_of(struct store *s, enum ids_kind kind, int64_t engine);
/* "TCP" or "UDP" */
const char *store_proto(uint8_t proto);

#endif

/*
 * One row's values by column name, copied out and safe to print. An unknown column counts as NULL.
 */
#ifndef EW_REPORT_ROW_H
#define EW_REPORT_ROW_H

#include "storage/query.h"

/* Safe text of the column, "" for NULL. Returns out. */
char *row_text(struct rows *r, const char *name, char *out, size_t room);
/* In memory of its own; NULL for NULL (or without memory). */
char *row_copy(struct rows *r, const char *name);
bool row_null(struct rows *r, const char *name);
/* other for NULL. */
int64_t row_int(struct rows *r, const char *name, int64_t other);
tick_t row_tick(struct rows *r, const char *name);
/* "1.2.3.4:5", "[2001:db8::1]:5"; the address alone if the port is unknown; "" for NULL. */
char *row_endpoint(struct rows *r, const char *addr, const char *port, char *out, size_t room);
/* A SIP URI without its scheme, as people write it: "user1@contoso.com". "" for NULL. */
char *row_user(struct rows *r, const char *name, char *out, size_t room);

#endif

/*
 * Values out of a row that was read as a JSON object (json.h), by column name.
 */
#ifndef EW_REPORT_FIELD_H
#define EW_REPORT_FIELD_H

#include "capture/tick.h"

#include <jansson.h>

/* "" for NULL and unknown columns. Lent by o. */
const char *field_text(const json_t *o, const char *name);
/* other for NULL. */
int64_t field_int(const json_t *o, const char *name, int64_t other);
tick_t field_tick(const json_t *o, const char *name);
/* "1.2.3.4:5", "[2001:db8::1]:5", the address alone without a port, "" without an address. */
char *field_endpoint(const json_t *o, const char *addr, const char *port, char *out, size_t room);
/* A SIP URI without its scheme, or other if there is none. */
const char *field_user(const json_t *o, const char *name, const char *other);

#endif

/*
 * Is the value of an option of the right form? NULL, or what is wrong with it ("is not ...").
 */
#ifndef EW_CLI_CHECK_H
#define EW_CLI_CHECK_H

#include "capture/endpoint.h"

const char *check_name(const char *value);
/* Not empty: to SQLite that is a database which is gone in the end. */
const char *check_file(const char *value);
const char *check_addr(const char *value);
const char *check_nat(const char *value);
const char *check_passphrase(const char *value);
const char *check_port(const char *value);
const char *check_ports(const char *value);
const char *check_listen(const char *value);
const char *check_time(const char *value);
const char *check_span(const char *value);
const char *check_night(const char *value);
const char *check_users(const char *value);
const char *check_addresses(const char *value);
const char *check_verdict(const char *value);
const char *check_finding(const char *value);
const char *check_list_format(const char *value);
const char *check_serve(const char *value);
const char *check_sql_format(const char *value);
const char *check_page_format(const char *value);
const char *check_text_format(const char *value);
const char *check_by(const char *value);
const char *check_color(const char *value);

/* The same forms, read. False: not of that form. */
bool parse_nat(const char *value, struct addr *private_addr, struct addr *public_addr);
bool parse_port(const char *value, uint16_t *out);
bool parse_ports(const char *value, uint16_t *low, uint16_t *high);

#endif

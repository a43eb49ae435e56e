/*
 * What `doctor` says of TLS: which connections can be read, with which key, and else what to
 * change.
 */
#ifndef EW_CLI_DOCTOR_TLS_H
#define EW_CLI_DOCTOR_TLS_H

#include "report/checkup.h"

enum { DOCTOR_TLS_LINES = 24, DOCTOR_TLS_TEXT = 320 };

struct doctor_tls {
    struct {
        char fact[DOCTOR_TLS_TEXT], advice[DOCTOR_TLS_TEXT];
        bool readable;
        unsigned connections;
    } lines[DOCTOR_TLS_LINES];
    unsigned n, more;     /* more: connections beyond what fits */
    unsigned connections; /* in view tls_sessions */
};

/* Reads view tls_sessions of the database; connections of which the same is to be said are one
 * line. What can't be read leaves *t empty. */
void doctor_tls_read(const char *db, struct doctor_tls *t);

/* Adds the lines; their advice is lent as long as t lives. */
void doctor_tls_tell(const struct doctor_tls *t, struct checkup *out);

#endif

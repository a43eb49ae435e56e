/*
 * A report as an e-mail message: headers (RFC 5322, RFC 2047) and a quoted-printable body (RFC
 * 2045), to be handed to a sendmail program. Lines end with \n, as sendmail wants them.
 */
#ifndef EW_REPORT_MAIL_H
#define EW_REPORT_MAIL_H

#include "capture/tick.h"

#include <stdbool.h>
#include <stdio.h>

struct mail {
    const char *to;      /* mail_address() said yes */
    const char *subject; /* UTF-8; control characters become blanks */
    const char *type;    /* "text/plain" */
    tick_t date;
};

/* Is this one address that can stand in a header: user@host, printable ASCII without blanks,
 * commas, brackets and the like? */
bool mail_address(const char *text);

void mail_write(FILE *out, const struct mail *m, const char *body, size_t n);

#endif

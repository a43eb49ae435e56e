/*
 * Sending a report through the local sendmail program (sendmail -t -i: recipients from the
 * headers).
 */
#ifndef EW_CLI_MAIL_H
#define EW_CLI_MAIL_H

#include "cli/options.h"
#include "report/mail.h"

#define SENDMAIL_DEFAULT "/usr/sbin/sendmail"

const char *check_mail(const char *value);

/* Hands the message over and waits until it is taken. An exit code, after a message if it is not
 * EXIT_DONE. */
int mail_send(const struct settings *s, const struct mail *m, const char *body, size_t n);

#endif

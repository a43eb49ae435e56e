/*
 * What to ask whom, per finding: the rule or setting to look at, in words for a ticket.
 */
#ifndef EW_REPORT_TICKET_H
#define EW_REPORT_TICKET_H

struct ticket {
    const char *code;  /* of the finding */
    const char *whom;  /* "own firewall team" */
    const char *check; /* the rule or setting */
};

/* NULL: none for this code. */
const struct ticket *ticket_for(const char *code);

#endif

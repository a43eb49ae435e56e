/*
 * The journal of systemd: one entry for each failure, with the columns of view `failures` as fields
 * (EDGEWATCH_VERDICT=refused ...), for `journalctl EDGEWATCH_CALLER=sip:user1@contoso.com`.
 */
#ifndef EW_CLI_JOURNAL_H
#define EW_CLI_JOURNAL_H

#include "storage/query.h"

/* systemd says that what this process prints goes to the journal. */
bool journal_here(void);
/* The current row of view `failures`. A journal that is not there takes nothing, silently. */
void journal_failure(struct rows *r);

#endif

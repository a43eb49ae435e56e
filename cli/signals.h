/*
 * What ends a run early, or has it read its configuration again. The first SIGINT or SIGTERM ends
 * it in good order, a second one at once.
 */
#ifndef EW_CLI_SIGNALS_H
#define EW_CLI_SIGNALS_H

#include "capture/source.h"

/* s is stopped by the first signal, and after so many seconds, 0: never; NULL: there is nothing to
 * stop, signals_came() is asked. With reload SIGHUP is for signals_reload(), else it is as before.
 */
void signals_catch(struct sources *s, unsigned seconds, bool reload);
void signals_release(void);
/* The number of the signal that came, 0: none. */
int signals_came(void);
/* Was SIGHUP sent since this was last asked? */
bool signals_reload(void);

#endif

/*
 * SQL functions of our own handles. The contract's views do without them: any SQLite reads those.
 *   addr_net('1.2.3.4') = '1.2.3.0/24', '/48' for IPv6: the network that traffic is counted by
 *   time_text(us) = 'YYYY-MM-DDTHH:MM:SS.ffffffZ'
 */
#ifndef EW_STORAGE_FUNCTIONS_H
#define EW_STORAGE_FUNCTIONS_H

#include <sqlite3.h>

void functions_add(sqlite3 *handle);

#endif

/*
 * The federated incident's facts, as the engine would hand them to the database: the call with its
 * relay candidates, the allocation behind it, the refused attempt, the failure. Each function gives
 * a fresh copy in static memory that stays valid until it is called again.
 */
#ifndef EW_TESTS_HELP_FACTS_MAKE_H
#define EW_TESTS_HELP_FACTS_MAKE_H

#include "flows/findings.h"
#include "storage/writer.h"

/* 2012-12-10T10:43:49.000000Z */
#define FACTS_START (INT64_C(1355136229) * TICK_S)

struct endpoint facts_endpoint(const char *text); /* "1.2.3.4:5" */
struct addr facts_addr(const char *text);

/* sip:user1@contoso.com to sip:user2@fabrikam.com, relays 2.2.2.2:58138 and 1.1.1.1:50704. */
struct fact_call *facts_call(void);
/* Relay 2.2.2.2:58138 of client 10.98.2.1:13211, one Send to 1.1.1.1:50704. */
struct fact_allocation *facts_allocation(void);
/* 10.3.0.40:58138 -> 1.1.1.1:50704, three SYNs, three RSTs; id 1. */
struct attempt facts_attempt(void);
/* The failure of it, id 1, with facts_finding() as its likeliest finding. */
struct failure *facts_failure(void);
const struct finding *facts_finding(void);

/* A fresh path for a database in a fresh directory; facts_forget() removes both. */
const char *facts_db_path(void);
void facts_db_forget(void);
/* A test's setup and teardown: *state is such a path. */
int facts_begin(void **state);
int facts_end(void **state);

/* Opens a run or fails the test. */
struct writer *facts_run(const char *path, const char *sensor);
/* One of a monitor, NULL with the reason on stderr if it can't be opened. keep may be NULL. */
struct writer *facts_live_run(const char *path, const struct keep *keep);
/* The clock on the wall, which retention goes by. */
tick_t facts_wall(void);
/* Closes it or fails the test; the run's packet time is FACTS_START to 20 s later. */
void facts_close(struct writer *w);

/* First column of the first row of a query on a database, as text; "NULL" for NULL, "" for no row.
 */
const char *facts_sql(const char *path, const char *sql);

#endif

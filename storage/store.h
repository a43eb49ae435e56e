/*
 * One run's records into rows: statements and row ids. Used by the writer's thread for what
 * the engine sends, and at the end of a run for what rejoining gives. Every call that writes needs
 * a transaction (db_begin) around it.
 */
#ifndef EW_STORAGE_STORE_H
#define EW_STORAGE_STORE_H

#include "storage/ids.h"
#include "storage/pending.h"
#include "storage/record.h"
#include "storage/rowset.h"
#include "storage/shelf.h"
#include "storage/text.h"
#include "storage/write_sql.h"

enum { EVIDENCE_PER_FAILURE = 60, STORE_RELAYS = 256, BATCH_ROWS = 256 };

/* What is held back, so that all of a kind are written by one statement; in the order of writing.
 */
enum batch_kind { BATCH_SDP, BATCH_ATTEMPT, BATCH_LINK, BATCH_EVIDENCE, BATCHES };
struct batch_row {
    int64_t row;
    int64_t failure;    /* of an attempt or a link: its row, 0 = none */
    const void *record; /* lent until store_flush() */
};
/* What is held back until the end of the transaction. */
enum shelf_kind { SHELF_CALL, SHELF_ALLOCATION, SHELVES };
struct batch {
    unsigned n;
    struct batch_row list[BATCH_ROWS];
};

struct store {
    struct db db;
    sqlite3_stmt *sql[WRITE_SQLS];
    struct binds binds; /* the row that is being written */
    struct rowset rows;
    struct batch batch[BATCHES];
    struct shelf shelf[SHELVES];
    struct ids ids;
    int64_t run;
    struct text json[3];    /* scratch: a call's two sides and diagnostics */
    struct text bytes;      /* scratch: evidence */
    struct pending pending; /* failures of this batch */
    int64_t top_failure;    /* engine id: no higher one has been written */
    int64_t *crowded;       /* failure rows that may have too much evidence */
    size_t n_crowded, room_crowded;
    struct addr relays[STORE_RELAYS]; /* known to be in relay_addr, by hash */
    int64_t log_row;                  /* the log that is imported, 0 = none */
    tick_t first, last;               /* packet time seen since the last store_span() */
};

/* Prepares the statements; the database is open. 0 or -1 with db.why. */
int store_begin(struct store *s);
/* Statements and memory, not the database. */
void store_end(struct store *s);

/* Takes one record, which is lent until store_flush() has written it. 0 or -1. */
int store_record(struct store *s, enum record_kind kind, const void *record);
int store_flush(struct store *s);
/* Takes back what store_flush() would write. */
void store_forget(struct store *s);
/* The run's packet time, us; 0 and 0 if nothing was seen. 0 or -1. */
int store_run_span(struct store *s, int64_t *first, int64_t *last);
/* Before a commit: what is held back and failures of the batch are written, evidence beyond its cap
 * goes, the run's packet time is brought up to date. */
int store_settle_batch(struct store *s);

/* The transaction was committed, or rolled back: what the store took for written is not. */
void store_keep(struct store *s);
void store_undo(struct store *s);

/* The parts that the end of a run uses too. In r, ids of call, allocation and attempt are row ids;
 * the row may have findings already. */
int store_failure(struct store *s, int64_t row, int64_t run, const struct record_failure *r);
/* The address is a relay's or an Edge's; none is none. */
int store_relay(struct store *s, const struct addr *a);
/* enum call_outcome in the database's words */
const char *store_outcome(uint8_t outcome);
/* Begins the values of one row, for */
struct binds *store_bind(struct store *s);
/* this, which writes it. */
int store_run(struct store *s, enum write_sql which);

#endif

/*
 * The one writer: a thread that owns the read-write database handle, fed through a bounded queue.
 *
 * Records are copied into the queue's blocks, so the caller's memory is free at once. Engine ids
 * (from 1 per run) are turned into row ids by adding what was there when the run began. Batches are
 * committed by count or packet time. Offline a full queue makes the caller wait; live the record is
 * dropped and counted (health.queue_lost).
 */
#ifndef EW_STORAGE_WRITER_H
#define EW_STORAGE_WRITER_H

#include "flows/facts.h"
#include "flows/findings.h"
#include "flows/joiner.h"
#include "flows/matcher.h"
#include "flows/pipeline.h"
#include "flows/verdict.h"
#include "storage/privacy.h"

struct writer;

/* Of a live run: how long rows stay, and how large the database may grow. 0 = no limit. */
struct keep {
    int64_t evidence_days; /* packets */
    int64_t details_days;  /* attempts, calls, candidates, allocations */
    int64_t failures_days; /* failures, findings, traffic, health */
    int64_t max_bytes;     /* of the file, without what is free inside it */
    int64_t log_bytes;     /* of the write-ahead log while readers hold it; 0 = 1 GiB */
};

enum { SIP_LOG_NAME = 256 };

/* A SIP log that a run imports. Times are the log's own. */
struct sip_log {
    char file[SIP_LOG_NAME];
    const char *kind; /* a literal: "uccapi", "sipstack" */
    tick_t first, last;
    uint64_t messages, calls;
    uint64_t fingerprint; /* of its text: 0 as long as it is not read to its end */
};

/* What became of it. */
struct log_result {
    int64_t id;     /* logs.id */
    bool known;     /* it was imported before: nothing was stored */
    bool joined;    /* packets that belong to it are in the database */
    bool low, high; /* is that end of the skew known? */
    double skew_low_s, skew_high_s;
    int zone_h;
    int64_t agreed;
};

/* Failures in the database after a run was joined with earlier ones: those of its sensor that touch
 * its packet time, or that belong to a call or allocation that does. Whichever run's packets
 * completed one, it counts. */
struct failures_found {
    bool counted; /* false: there was no packet, or the run could not be stored */
    uint64_t failures[VERDICTS], infos[VERDICTS];
};

/* A run of this sensor name belongs to all sensors: what an imported log says may have been seen
 * by any of them. */
#define ANY_SENSOR "*"

struct run_info {
    const char *sensor;
    const char *command; /* "read", "monitor" */
    const char *sources; /* file or interface names, comma separated */
    bool live;           /* full queue: drop instead of wait */
    const struct joiner_config
        *joiner; /* edges and relay ports, kept for joining with later runs;
                    NULL = none given. --nat aliases come as writer_alias() */
    struct keep keep;
    struct log_result *log;       /* import: filled by writer_close(); else NULL */
    struct failures_found *found; /* filled by writer_close(); NULL: not asked for */
    struct privacy_config privacy;
};

enum db_result {
    DB_OK = 0,
    DB_NOT_OPENED, /* missing directory, no permission, not a database, newer version, locked,
                      read-only, disk full: all exit 74; the text says which */
    DB_FAILED,
};

/* Opens (creates, migrates) the database, begins the run, starts the thread. *why: static or
 * writer-owned text naming the database and the reason. */
struct writer *writer_open(const char *path, const struct run_info *run, char *why, size_t room);

void writer_attempt(struct writer *w, const struct attempt *a, const struct evidence *ev,
                    unsigned n_ev);
void writer_attempt_failure(struct writer *w, uint64_t attempt, int64_t failure);
void writer_call(struct writer *w, const struct fact_call *c);
void writer_allocation(struct writer *w, const struct fact_allocation *a);
void writer_alias(struct writer *w, const struct fact_alias *a);
/* list: its findings, likeliest first (FINDINGS_MAX at most); they replace earlier ones of that id.
 */
void writer_failure(struct writer *w, const struct failure *f, const struct finding *list,
                    unsigned n);
void writer_failure_gone(struct writer *w, int64_t id);
void writer_tls(struct writer *w, const struct fact_tls *t);
/* What joiner_relay_trouble() was told: no view shows it, joining with another run needs it. */
void writer_trouble(struct writer *w, const struct relay_trouble *t);
/* The log that this run's calls are from: once before the first call, again when it is read. */
void writer_log(struct writer *w, const struct sip_log *l);
void writer_traffic(struct writer *w, const struct traffic_row *r);
/* Replaces what was told of the same agent in this run. */
void writer_feed(struct writer *w, const struct feed_log *l);
/* iface_name NULL for engine rows */
void writer_health(struct writer *w, const struct health_row *h, const char *iface_name);
void writer_advance(struct writer *w, tick_t now);

/* Ends the run: drains, dedupes what was stored before from the same packets, rejoins with earlier
 * runs that overlap in time, writes findings across failures, closes. first/last: packet time of
 * the run; damaged: NULL or where. */
enum db_result writer_close(struct writer *w, tick_t first, tick_t last, const char *damaged,
                            char *why, size_t room);

/* True once writing has failed for good; the text says how. */
bool writer_failed(struct writer *w, char *why, size_t room);
/* Live: is the database not written at present, because the disk is full or for another reason that
 * may pass? Rows wait in memory meanwhile; what does not fit is lost and counted. why: the reason.
 */
bool writer_waits(struct writer *w, char *why, size_t room);
/* What the joiner makes event ids of, so that they are the same when rows are joined again. NULL:
 * as it is. The writer's; for the engine's thread only. */
const struct joiner_veil *writer_veil(const struct writer *w);
uint64_t writer_lost(const struct writer *w);
/* The run's row id. */
int64_t writer_run(const struct writer *w);

#endif

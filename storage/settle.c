/*
 * What earlier runs of the same sensor stored from the same packets is merged with this run's.
 *
 * Attempts are the same if ends, transport and ISN are, and one begins within SAME_ATTEMPT of the
 * other's end: that finds the same file read again (equal times), two spans that both saw the
 * handshake (a few milliseconds apart), and an attempt cut in two by rotated files (one after the
 * other; only there are the counts added). Calls are the same by Call-ID, allocations by client and
 * server, each with nearly the same start. The row keeps the older id, so that what someone noted
 * down stays true, and belongs to the new run.
 *
 * Traffic is counted, not stored attempt by attempt, so counts that two runs made of the same
 * packets must be taken out again:
 *  - A run's health rows tell per interface first and last packet time, packets and bytes. If all
 *    of an earlier run's sources are among this run's, its traffic and health rows go; if all of
 *    this run's are among an earlier one's, this run's go.
 *  - Otherwise each attempt that both runs stored, and that a known relay took part in, is taken
 * out of the earlier run's row of its hour, network and port range.
 */
#include "storage/settle.h"

#define RIVAL_RUNS "(SELECT id FROM temp.rival)"

static const char *const prepare[] = {
    "CREATE TEMP TABLE IF NOT EXISTS rival (id INTEGER PRIMARY KEY, covered INTEGER)",
    "CREATE TEMP TABLE IF NOT EXISTS twin (new INTEGER PRIMARY KEY, old INTEGER)",
    "CREATE TEMP TABLE IF NOT EXISTS twin_old (old INTEGER PRIMARY KEY, new INTEGER)",
    "DELETE FROM temp.rival",
    /* linked, but never stored themselves */
    "DELETE FROM attempt WHERE first_us IS NULL AND run_id = :run",
    "INSERT INTO temp.rival (id) SELECT o.id FROM run n JOIN run o ON o.sensor = n.sensor AND"
    " o.id <> n.id AND o.first_us <= n.last_us + :near AND o.last_us >= n.first_us - :near"
    " WHERE n.id = :run",
};

/* covered 1: the rival's sources are all ours; 2: ours are all the rival's */
#define PRINTS_OF(run)                                                                         \
    "SELECT min(from_us), max(to_us), sum(packets), sum(bytes) FROM health_span WHERE run_id " \
    "= " run " AND interface IS NOT NULL GROUP BY interface"
static const char *const sources[] = {
    "UPDATE temp.rival SET covered = CASE"
    " WHEN NOT EXISTS (SELECT 1 FROM health_span h WHERE h.run_id = rival.id AND h.interface IS NOT"
    " NULL) OR NOT EXISTS (SELECT 1 FROM health_span h WHERE h.run_id = :run AND"
    " h.interface IS NOT NULL) THEN 0"
    " WHEN NOT EXISTS (" PRINTS_OF("rival.id") " EXCEPT " PRINTS_OF(
        ":run") ") THEN 1"
                " WHEN NOT EXISTS (" PRINTS_OF(":run") " EXCEPT " PRINTS_OF(
                    "rival.id") ") THEN 2"
                                " ELSE 0 END",
    "DELETE FROM traffic_hour WHERE run_id IN (SELECT id FROM temp.rival WHERE covered = 1)",
    "DELETE FROM health_span WHERE run_id IN (SELECT id FROM temp.rival WHERE covered = 1)",
    "DELETE FROM traffic_hour WHERE run_id = :run AND EXISTS (SELECT 1 FROM temp.rival WHERE"
    " covered = 2)",
    "DELETE FROM health_span WHERE run_id = :run AND EXISTS (SELECT 1 FROM temp.rival WHERE"
    " covered = 2)",
};

/* Several old rows may be one new row's twin (never merged before): the first gives the id. */
#define TWINS_DONE "INSERT INTO temp.twin SELECT new, min(old) FROM temp.twin_old GROUP BY new"

static const char *const attempts[] = {
    "CREATE TEMP TABLE old_row AS SELECT id, src_addr, src_port, dst_addr, dst_port, transport,"
    " isn, first_us, last_us FROM attempt WHERE run_id IN " RIVAL_RUNS
    " AND first_us BETWEEN :first - :day AND :last + :near AND last_us >= :first - :near",
    "CREATE INDEX temp.old_key ON old_row(isn, src_port, dst_port)",
    "DELETE FROM temp.twin",
    "DELETE FROM temp.twin_old",
    "INSERT OR IGNORE INTO temp.twin_old SELECT o.id, n.id FROM attempt n CROSS JOIN temp.old_row o"
    " ON o.isn = n.isn AND o.src_port IS n.src_port AND o.dst_port IS n.dst_port AND"
    " o.src_addr = n.src_addr AND o.dst_addr = n.dst_addr AND o.transport = n.transport AND"
    " o.first_us <= n.last_us + :near AND o.last_us >= n.first_us - :near"
    " WHERE n.run_id = :run AND n.first_us BETWEEN :first AND :last",
    "DROP TABLE temp.old_row",
    TWINS_DONE,
};

static const char *const traffic[] =
    {
        "CREATE TEMP TABLE taken AS SELECT o.run_id, o.first_us / 3600000000 * 3600000000 AS "
        "hour_us,"
        " o.src_addr, addr_net(o.dst_addr) AS dst_net, o.dst_port, o.transport, o.verdict"
        " FROM temp.twin_old t JOIN attempt o ON o.id = t.old JOIN temp.rival r ON r.id = o.run_id"
        " WHERE r.covered = 0 AND (o.wanted OR o.src_addr IN (SELECT addr FROM relay_addr) OR"
        " o.dst_addr IN (SELECT addr FROM relay_addr))",
        "CREATE INDEX temp.taken_key ON taken(src_addr, hour_us)",
/* what is left of a counter without the attempts of these verdicts */
#define REST_OF(counter, verdicts)                                                           \
    counter " = max(0, " counter " - (SELECT count(*) FROM temp.taken k WHERE"               \
            " k.src_addr = h.src_addr AND k.hour_us = h.hour_us AND k.run_id = h.run_id AND" \
            " k.dst_net = h.dst_net AND k.transport = h.transport AND"                       \
            " k.dst_port BETWEEN h.port_from AND h.port_to AND k.verdict " verdicts "))"
        "UPDATE traffic_hour AS h SET " REST_OF("connected", "= 'connected'") ", " REST_OF(
            "refused",
            "= 'refused'") ", " REST_OF("timeout",
                                        "IN ('timeout', 'single-syn')") ", " REST_OF("other",
                                                                                     "NOT IN "
                                                                                     "('connected',"
                                                                                     " 'refused', "
                                                                                     "'timeout', "
                                                                                     "'single-syn'"
                                                                                     ")") " WHERE "
                                                                                          "hour_us "
                                                                                          "BETWEEN "
                                                                                          ":first "
                                                                                          "- :day "
                                                                                          "AND "
                                                                                          ":last "
                                                                                          "AND "
                                                                                          "run_id "
                                                                                          "IN"
                                                                                          " " RIVAL_RUNS,
        "DROP TABLE temp.taken",
        "DELETE FROM traffic_hour WHERE hour_us BETWEEN :first - :day AND :last AND"
        " run_id IN " RIVAL_RUNS " AND connected + refused + timeout + other = 0",
};

/* The better of two sights: the later part of one attempt; else what was seen more completely, or
 * longer; the new one if they are alike. */
#define QUALITY(row) "instr('good one-way lossy', " row ".quality)"
#define OLD_BETTER                                                                 \
    "CASE WHEN o.first_us > n.last_us THEN 1 WHEN n.first_us > o.last_us THEN 0"   \
    " WHEN " QUALITY("o") " <> " QUALITY("n") " THEN " QUALITY("o") " < " QUALITY( \
        "n") " ELSE o.last_us > n.last_us END"
#define COUNT(column)                                                                     \
    column " = CASE WHEN o.first_us > n.last_us OR n.first_us > o.last_us THEN n." column \
           " + o." column " ELSE max(n." column ", o." column ") END"
#define PICK(column) column " = CASE " OLD_BETTER " WHEN 1 THEN o." column " ELSE n." column " END"
#define FILL(column)                                                             \
    column " = CASE " OLD_BETTER " WHEN 1 THEN coalesce(o." column ", n." column \
           ") ELSE coalesce(n." column ", o." column ") END"

/* Old rows go, new rows take their ids, and this run's failures follow. */
#define RENUMBER(table)                                                                    \
    "DELETE FROM " table " WHERE id IN (SELECT old FROM temp.twin_old)",                   \
        "UPDATE " table " SET id = (SELECT old FROM temp.twin WHERE new = id) WHERE id"    \
        " IN (SELECT new FROM temp.twin)",                                                 \
        "UPDATE failure SET " table "_row = (SELECT old FROM temp.twin WHERE new = " table \
        "_row) WHERE run_id = :run AND " table "_row IN (SELECT new FROM temp.twin)"

static const char *const attempts_merge[] = {
    "UPDATE attempt AS n SET " COUNT("syns") ", " COUNT("synacks") ", " COUNT("rsts") ", " COUNT("b"
                                                                                                 "y"
                                                                                                 "t"
                                                                                                 "e"
                                                                                                 "s"
                                                                                                 "_"
                                                                                                 "o"
                                                                                                 "u"
                                                                                                 "t") ", " COUNT("bytes_in") ", " PICK("verdict") ", " PICK("quality") ", " PICK(
        "peeks") ", " FILL("rtt_us") ", " FILL("answer_ttl") ", " FILL("answer_ipid") ", " FILL("ic"
                                                                                                "mp"
                                                                                                "_t"
                                                                                                "yp"
                                                                                                "e") ", " FILL("icmp_code") ", " FILL("icmp_from") ", wanted = max(n.wanted, o.wanted), first_us = min(n.first_us, o.first_us),"
                                                                                                                                                   " last_us = max(n.last_us, o.last_us)"
                                                                                                                                                   " FROM temp.twin t JOIN attempt o ON o.id = t.old WHERE n.id = t.new",
    /* of two sets of packets the larger stays */
    "DELETE FROM evidence WHERE attempt_id IN (SELECT t.new FROM temp.twin t JOIN evidence n ON"
    " n.attempt_id = t.new JOIN evidence o ON o.attempt_id = t.old WHERE o.n > n.n)",
    "DELETE FROM evidence WHERE attempt_id IN (SELECT old FROM temp.twin_old) AND attempt_id NOT IN"
    " (SELECT t.old FROM temp.twin t LEFT JOIN evidence n ON n.attempt_id = t.new WHERE"
    " n.attempt_id IS NULL)",
    "UPDATE evidence SET attempt_id = (SELECT old FROM temp.twin WHERE new = attempt_id)"
    " WHERE attempt_id IN (SELECT new FROM temp.twin)",
    RENUMBER("attempt"),
};

#define SDP_SIZE(row)                                                                         \
    "(SELECT ifnull(length(offer), 0) + ifnull(length(answer), 0) + ifnull(length(diags), 0)" \
    " FROM sdp WHERE call_row = " row ")"
#define RICHER "ifnull(" SDP_SIZE("o.id") ", 0) > ifnull(" SDP_SIZE("n.id") ", 0)"
#define CALL_PICK(column) column " = CASE WHEN " RICHER " THEN o." column " ELSE n." column " END"

static const char *const calls[] = {
    "CREATE TEMP TABLE old_row AS SELECT id, call_id, started_us FROM call WHERE run_id IN"
    " " RIVAL_RUNS " AND coalesce(started_us, :first) BETWEEN :first - :day AND :last + :near",
    "CREATE INDEX temp.old_key ON old_row(call_id)",
    "DELETE FROM temp.twin",
    "DELETE FROM temp.twin_old",
    "INSERT OR IGNORE INTO temp.twin_old SELECT o.id, n.id FROM call n CROSS JOIN temp.old_row o"
    " ON o.call_id = n.call_id AND (abs(o.started_us - n.started_us) <= :near OR"
    " coalesce(o.started_us, n.started_us) IS NULL) WHERE n.run_id = :run",
    "DROP TABLE temp.old_row",
    TWINS_DONE,
    "UPDATE call AS n SET " CALL_PICK("media") ", " CALL_PICK("offer_relay") ", " CALL_PICK(
        "answer_relay") ", " CALL_PICK("grade") ", conversation_id = coalesce(n.conversation_id, "
                                                "o.conversation_id),"
                                                " started_us = min(n.started_us, o.started_us),"
                                                " answered_us = coalesce(min(n.answered_us, "
                                                "o.answered_us), n.answered_us, o.answered_us),"
                                                " ended_us = coalesce(min(n.ended_us, o.ended_us), "
                                                "n.ended_us, o.ended_us),"
                                                " status = coalesce(n.status, o.status), "
                                                "media_failed = max(n.media_failed, "
                                                "o.media_failed),"
                                                " outcome = CASE WHEN 'connected' IN (n.outcome, "
                                                "o.outcome) THEN 'connected'"
                                                " WHEN 'failed' IN (n.outcome, o.outcome) THEN "
                                                "'failed' ELSE 'unknown' END"
                                                " FROM temp.twin t JOIN call o ON o.id = t.old "
                                                "WHERE n.id = t.new",
    "DELETE FROM sdp WHERE call_row IN (SELECT n.new FROM temp.twin n WHERE"
    " ifnull(" SDP_SIZE("n.old") ", 0) > ifnull(" SDP_SIZE("n.new") ", 0))",
    "DELETE FROM sdp WHERE call_row IN (SELECT old FROM temp.twin_old) AND call_row NOT IN"
    " (SELECT t.old FROM temp.twin t LEFT JOIN sdp n ON n.call_row = t.new WHERE"
    " n.call_row IS NULL)",
    "UPDATE sdp SET call_row = (SELECT old FROM temp.twin WHERE new = call_row)"
    " WHERE call_row IN (SELECT new FROM temp.twin)",
    RENUMBER("call"),
};

#define SENDS(row) "(" row ".flags & 1) * 1000000 + ifnull(length(" row ".sends), 0)"
#define MORE "(" SENDS("o") ") > (" SENDS("n") ")"
#define ALLOCATION_PICK(column) \
    column " = CASE WHEN " MORE " THEN o." column " ELSE n." column " END"
#define ALLOCATION_FILL(column) column " = coalesce(n." column ", o." column ")"
/* a run that saw the end knows better than one whose capture ended */
#define ENDED(column)                                                                            \
    column                                                                                       \
        " = CASE WHEN n.ended_us IS NULL OR (n.end_reason = 'capture-end' AND o.ended_us IS NOT" \
        " NULL) THEN o." column " ELSE n." column " END"

static const char *const allocations[] =
    {
        "CREATE TEMP TABLE old_row AS SELECT id, client_addr, client_port, server_addr, "
        "server_port,"
        " transport, started_us FROM allocation WHERE run_id IN " RIVAL_RUNS
        " AND coalesce(started_us, :first) BETWEEN :first - :day AND :last + :near",
        "CREATE INDEX temp.old_key ON old_row(client_port, client_addr)",
        "DELETE FROM temp.twin",
        "DELETE FROM temp.twin_old",
        "INSERT OR IGNORE INTO temp.twin_old SELECT o.id, n.id FROM allocation n CROSS JOIN"
        " temp.old_row o ON o.client_port IS n.client_port AND o.client_addr = n.client_addr AND"
        " o.server_addr = n.server_addr AND o.server_port IS n.server_port AND"
        " o.transport = n.transport AND (abs(o.started_us - n.started_us) <= :near OR"
        " coalesce(o.started_us, n.started_us) IS NULL) WHERE n.run_id = :run",
        "DROP TABLE temp.old_row",
        TWINS_DONE,
        "UPDATE allocation AS n SET " ALLOCATION_PICK("flags") ", " ALLOCATION_PICK("sends") ","
                                                                                             " " ALLOCATION_PICK("error_code") ", " ALLOCATION_PICK("requests") ", " ALLOCATION_FILL("relay_addr") ", " ALLOCATION_FILL(
                                                                                                 "r"
                                                                                                 "e"
                                                                                                 "l"
                                                                                                 "a"
                                                                                                 "y"
                                                                                                 "_"
                                                                                                 "p"
                                                                                                 "o"
                                                                                                 "r"
                                                                                                 "t") ", " ALLOCATION_FILL("relay2_addr") ", " ALLOCATION_FILL("relay2_port") ", " ALLOCATION_FILL("wire_addr") ", " ALLOCATION_FILL("reflexive_addr") ", " ALLOCATION_FILL("reflexive_port") ", " ALLOCATION_FILL("medium") ", " ALLOCATION_FILL("call_id") ", " ALLOCATION_FILL("connection_id") ", " ALLOCATION_FILL("active_addr") ", " ALLOCATION_FILL("active_port") ", " ENDED("ended_us") ", " ENDED("end_reason") ", started_us = min(n.started_us, o.started_us)"
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                           " FROM temp.twin t JOIN allocation o ON o.id = t.old WHERE n.id = t.new",
        RENUMBER("allocation"),
};

static const char *const troubles[] = {
    "DELETE FROM trouble WHERE run_id IN " RIVAL_RUNS " AND EXISTS (SELECT 1 FROM trouble n WHERE"
    " n.run_id = :run AND n.client_addr = trouble.client_addr AND"
    " n.client_port IS trouble.client_port AND n.server_addr = trouble.server_addr AND"
    " n.isn = trouble.isn)",
};

#define STEPS(list)                      \
    {                                    \
        list, sizeof list / sizeof *list \
    }
static const struct step_list {
    const char *const *sql;
    unsigned n;
} merge[] = {STEPS(sources), STEPS(attempts),    STEPS(traffic), STEPS(attempts_merge),
             STEPS(calls),   STEPS(allocations), STEPS(troubles)};

#define NEAR INT64_C(25000000)   /* us; as long as an attempt may go on: limits.h */
#define DAY INT64_C(86400000000) /* us; as long as a call may last */

static int run_sql(struct store *s, const char *sql, int64_t first, int64_t last)
{
    const struct {
        const char *name;
        int64_t value;
    } values[] = {
        {":run", s->run}, {":first", first}, {":last", last}, {":near", NEAR}, {":day", DAY}};
    sqlite3_stmt *q = db_prepare(&s->db, sql);
    if (!q)
        return -1;
    for (unsigned i = 0; i < sizeof values / sizeof *values; i++) {
        int at = sqlite3_bind_parameter_index(q, values[i].name);
        if (at)
            sqlite3_bind_int64(q, at, values[i].value);
    }
    int result = db_run(&s->db, q);
    sqlite3_finalize(q);
    return result;
}

static int run_steps(struct store *s, const struct step_list *l, int64_t first, int64_t last)
{
    for (unsigned i = 0; i < l->n; i++)
        if (run_sql(s, l->sql[i], first, last))
            return -1;
    return 0;
}

int settle_run(struct store *s)
{
    static const struct step_list first_steps = STEPS(prepare);
    char span[96];
    int64_t rivals, first, last;
    if (run_steps(s, &first_steps, 0, 0) ||
        db_int(&s->db, "SELECT count(*) FROM temp.rival", 0, &rivals))
        return -1;
    if (!rivals)
        return 0;
    sqlite3_snprintf(sizeof span, span, "SELECT first_us FROM run WHERE id = %lld", s->run);
    if (db_int(&s->db, span, 0, &first))
        return -1;
    sqlite3_snprintf(sizeof span, span, "SELECT last_us FROM run WHERE id = %lld", s->run);
    if (db_int(&s->db, span, 0, &last))
        return -1;
    for (unsigned i = 0; i < sizeof merge / sizeof *merge; i++)
        if (run_steps(s, &merge[i], first, last))
            return -1;
    return 0;
}

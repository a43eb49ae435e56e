/* The writing side's statements. */
#include "storage/write_sql.h"

#include <stdio.h>
#include <string.h>

#include "storage/rowset.h"

/* Hot rows have an integer primary key and no other unique one: replacing a row that is not there
 * costs the same as inserting it. */
static const struct {
    const char *sql;     /* or, where there are columns, "INSERT ... INTO t" */
    const char *columns; /* one value each: a parameter, or */
    bool batch;          /* what the table "batch" has */
    const char *rest;    /* behind the values */
} texts[WRITE_SQLS] = {
    /* an attempt may be linked to its failure before or after it is written itself */
    [WRITE_ATTEMPT] =
        {.sql = "INSERT INTO attempt",
         .columns = "id, run_id, failure_id, src_addr, src_port, dst_addr, dst_port, transport,"
                    " isn, verdict, quality, peeks, wanted, syns, synacks, rsts, first_us,"
                    " last_us, rtt_us, answer_ttl, answer_ipid, icmp_type, icmp_code,"
                    " icmp_from, bytes_out, bytes_in, concurrency",
         .batch = true,
         .rest = " ON CONFLICT (id) DO UPDATE SET run_id = excluded.run_id, failure_id ="
                 " coalesce(excluded.failure_id, failure_id), src_addr = excluded.src_addr,"
                 " src_port = excluded.src_port, dst_addr = excluded.dst_addr, dst_port ="
                 " excluded.dst_port, transport = excluded.transport, isn = excluded.isn,"
                 " verdict = excluded.verdict, quality = excluded.quality, peeks ="
                 " excluded.peeks, wanted = excluded.wanted, syns = excluded.syns, synacks ="
                 " excluded.synacks, rsts = excluded.rsts, first_us = excluded.first_us,"
                 " last_us = excluded.last_us, rtt_us = excluded.rtt_us, answer_ttl ="
                 " excluded.answer_ttl, answer_ipid = excluded.answer_ipid, icmp_type ="
                 " excluded.icmp_type, icmp_code = excluded.icmp_code, icmp_from ="
                 " excluded.icmp_from, bytes_out = excluded.bytes_out, bytes_in ="
                 " excluded.bytes_in, concurrency = excluded.concurrency"},
    [WRITE_LINK] = {.sql = "INSERT INTO attempt",
                    .columns = "id, run_id, failure_id",
                    .batch = true,
                    .rest = " ON CONFLICT (id) DO UPDATE SET failure_id = excluded.failure_id"},
    [WRITE_EVIDENCE] = {.sql = "INSERT OR REPLACE INTO evidence",
                        .columns = "attempt_id, run_id, n, list, bytes",
                        .batch = true},
    /* failure, cap: whole attempts, earliest first, until the cap is passed */
    [WRITE_EVIDENCE_CAP] =
        {.sql = "DELETE FROM evidence WHERE attempt_id IN (SELECT id FROM (SELECT a.id,"
                " sum(e.n) OVER (ORDER BY a.id) AS total FROM attempt a JOIN evidence e ON"
                " e.attempt_id = a.id WHERE a.failure_id = ?) WHERE total > ?)"},
    [WRITE_CALL] = {.sql = "INSERT OR REPLACE INTO call",
                    .columns =
                        "id, run_id, call_id, caller, callee, conversation_id, started_us,"
                        " answered_us, ended_us, status, outcome, media, offer_relay, answer_relay,"
                        " grade, origin, media_failed",
                    .batch = true},
    [WRITE_SDP] = {.sql = "INSERT OR REPLACE INTO sdp",
                   .columns = "call_row, offer, answer, diags, log_run",
                   .batch = true},
    [WRITE_ALLOCATION] =
        {.sql = "INSERT OR REPLACE INTO allocation",
         .columns = "id, run_id, client_addr, client_port, server_addr, server_port, transport,"
                    " flags, relay_addr, relay_port, relay2_addr, relay2_port, wire_addr,"
                    " reflexive_addr, reflexive_port, medium, started_us, ended_us, end_reason,"
                    " error_code, requests, call_id, connection_id, active_addr, active_port,"
                    " granted_us, sends",
         .batch = true},
    /* seen again in another run: the ports may be the same ones, so counts are not added */
    [WRITE_ALIAS] = {.sql = "INSERT INTO alias",
                     .columns = "private_addr, public_addr, configured, ports_seen",
                     .rest = " ON CONFLICT (private_addr, public_addr) DO UPDATE SET configured ="
                             " max(configured, excluded.configured), ports_seen = max(ports_seen,"
                             " excluded.ports_seen)"},
    /* private, public, run: what earlier runs were told of the same address was wrong, or is over
     */
    [WRITE_ALIAS_OVER] = {.sql =
                              "DELETE FROM alias WHERE private_addr = ?1 AND public_addr <> ?2 AND"
                              " configured NOT IN (0, ?3)"},
    [WRITE_RELAY] = {.sql = "INSERT OR IGNORE INTO relay_addr", .columns = "addr"},
    [WRITE_FAILURE] =
        {.sql = "INSERT OR REPLACE INTO failure",
         .columns = "id, event_id, run_id, first_us, last_us, leg, transport, verdict, info,"
                    " src_addr, src_port, src_public, dst_addr, dst_port, dst_public, attempts,"
                    " syns, rsts, rtt_us, icmp_type, icmp_code, icmp_from, grade, matched_by,"
                    " confidence, call_id, caller, callee, medium, local_candidate,"
                    " remote_candidate, client_addr, client_port, finding, explanation, advice,"
                    " quality, call_row, allocation_row, attempt_row, error_code, partner",
         .batch = true},
    [WRITE_FINDING] = {.sql = "INSERT OR REPLACE INTO finding",
                       .columns = "failure_id, rank, code, confidence, evidence, advice",
                       .batch = true},
    [WRITE_FINDINGS_REST] = {.sql = "DELETE FROM finding WHERE failure_id = ? AND rank >= ?"},
    [WRITE_FAILURE_GONE] = {.sql = "DELETE FROM failure WHERE id = ?"},
    [WRITE_FINDINGS_GONE] = {.sql = "DELETE FROM finding WHERE failure_id = ?"},
    [WRITE_UNLINK] = {.sql = "UPDATE attempt SET failure_id = NULL WHERE failure_id = ?"},
    [WRITE_TRAFFIC] = {.sql = "INSERT INTO traffic_hour",
                       .columns =
                           "run_id, hour_us, src_addr, dst_net, port_from, port_to, transport,"
                           " connected, refused, timeout, other"},
    [WRITE_HEALTH] = {.sql = "INSERT INTO health_span",
                      .columns =
                          "run_id, interface, from_us, to_us, packets, bytes, kernel_drops,"
                          " nic_drops, ring_drops, decode_errors, table_evictions, stream_gaps,"
                          " queue_lost, duplicates, one_way_flows, aggregated, not_ip, fragments,"
                          " handled, event, shed_cut, shed_dropped"},
    [WRITE_INTERFACE] = {.sql = "INSERT OR REPLACE INTO interface",
                         .columns = "run_id, number, name"},
    [WRITE_TROUBLE] = {.sql = "INSERT INTO trouble",
                       .columns =
                           "run_id, client_addr, client_port, server_addr, server_port, first_us,"
                           " last_us, verdict, isn, instead, signaling, detail, partner"},
    /* one row for each agent of a run */
    [WRITE_FEED] = {.sql = "INSERT INTO log (id, run_id, file, kind, first_us, last_us, messages,"
                           " calls, skew_high_s) VALUES ((SELECT id FROM log WHERE run_id = ?1 AND"
                           " file = ?2), ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8 / 1e6) ON CONFLICT (id) DO"
                           " UPDATE SET first_us = excluded.first_us, last_us = excluded.last_us,"
                           " messages = excluded.messages, calls = excluded.calls, skew_high_s ="
                           " excluded.skew_high_s"},
    [WRITE_TLS] = {.sql = "INSERT OR REPLACE INTO tls_session",
                   .columns =
                       "id, run_id, client_addr, client_port, server_addr, server_port, first_us,"
                       " last_us, hello, version, cipher, exchange, sni, alpn, resumed, mutual,"
                       " server_subject, server_issuer, server_names, server_from_us,"
                       " server_until_us, client_subject, client_issuer, client_names,"
                       " client_from_us, client_until_us, alert, alert_from, handshake, state,"
                       " readable, key, messages, advice"},
    /* the latest name wins, whichever run read it */
    [WRITE_TLS_PEER] = {.sql = "INSERT INTO tls_peer",
                        .columns = "addr, name, domain, seen_us",
                        .rest =
                            " ON CONFLICT (addr) DO UPDATE SET name = excluded.name, domain ="
                            " excluded.domain, seen_us = excluded.seen_us WHERE excluded.seen_us >="
                            " seen_us"},
    [WRITE_WINDOW_FINDING] =
        {.sql = "INSERT INTO window_finding",
         .columns = "scope, run_id, first_us, last_us, code, confidence, evidence, advice"},
    [WRITE_RUN] = {.sql = "INSERT INTO run",
                   .columns = "sensor, command, sources, started_us, version, edges, relay_low,"
                              " relay_high"},
    /* first, last, id: known times only widen the span */
    [WRITE_RUN_SPAN] = {.sql = "UPDATE run SET first_us = min(ifnull(first_us, ?1), ?1), last_us ="
                               " max(ifnull(last_us, ?2), ?2) WHERE id = ?3"},
    [WRITE_LOG] = {.sql = "INSERT OR REPLACE INTO log",
                   .columns =
                       "id, run_id, file, kind, first_us, last_us, messages, calls, content"},
    [WRITE_RUN_END] = {.sql = "UPDATE run SET ended_us = ?, damaged = ? WHERE id = ?"},
};

enum { SQL_MOST = 2400 };

static char *parameters(char *to, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        to = stpcpy(to, i ? ",?" : "?");
    return to;
}

static const char *text_of(enum write_sql which, char out[SQL_MOST])
{
    const char *columns = texts[which].columns;
    unsigned n = 1;
    if (!columns)
        return texts[which].sql;
    for (const char *p = columns; (p = strchr(p, ',')); p++)
        n++;
    char *end = out + sprintf(out, "%s (%s)", texts[which].sql, columns);
    if (texts[which].batch) /* without WHERE, ON CONFLICT would look like a join's */
        end = stpcpy(rowset_columns(stpcpy(end, " SELECT "), n), " FROM batch WHERE true");
    else
        end = stpcpy(parameters(stpcpy(end, " VALUES ("), n), ")");
    if (texts[which].rest)
        stpcpy(end, texts[which].rest);
    return out;
}

void write_sql_finalize(sqlite3_stmt *s[WRITE_SQLS])
{
    for (int i = 0; i < WRITE_SQLS; i++) {
        sqlite3_finalize(s[i]);
        s[i] = NULL;
    }
}

int write_sql_prepare(struct db *db, sqlite3_stmt *out[WRITE_SQLS])
{
    for (int i = 0; i < WRITE_SQLS; i++)
        out[i] = NULL;
    for (int i = 0; i < WRITE_SQLS; i++) {
        char sql[SQL_MOST];
        out[i] = db_prepare(db, text_of((enum write_sql)i, sql));
        if (!out[i]) {
            write_sql_finalize(out);
            return -1;
        }
    }
    return 0;
}

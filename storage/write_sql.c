/* The writing side's statements. */
#include "storage/write_sql.h"

/* Hot rows have an integer primary key and no other unique one: replacing a row that is not there
 * costs the same as inserting it. */
static const char *const texts[WRITE_SQLS] = {
    /* an attempt may be linked to its failure before or after it is written itself */
    [WRITE_ATTEMPT] =
        "INSERT INTO attempt (id, run_id, src_addr, src_port, dst_addr, dst_port, transport, isn,"
        " verdict, quality, peeks, wanted, syns, synacks, rsts, first_us, last_us, rtt_us,"
        " answer_ttl, answer_ipid, icmp_type, icmp_code, icmp_from, bytes_out, bytes_in,"
        " concurrency) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)"
        " ON CONFLICT (id) DO UPDATE SET run_id = excluded.run_id, src_addr = excluded.src_addr,"
        " src_port = excluded.src_port, dst_addr = excluded.dst_addr, dst_port = excluded.dst_port,"
        " transport = excluded.transport, isn = excluded.isn, verdict = excluded.verdict,"
        " quality = excluded.quality, peeks = excluded.peeks, wanted = excluded.wanted,"
        " syns = excluded.syns, synacks = excluded.synacks, rsts = excluded.rsts,"
        " first_us = excluded.first_us, last_us = excluded.last_us, rtt_us = excluded.rtt_us,"
        " answer_ttl = excluded.answer_ttl, answer_ipid = excluded.answer_ipid,"
        " icmp_type = excluded.icmp_type, icmp_code = excluded.icmp_code,"
        " icmp_from = excluded.icmp_from, bytes_out = excluded.bytes_out,"
        " bytes_in = excluded.bytes_in, concurrency = excluded.concurrency",
    [WRITE_LINK] = "INSERT INTO attempt (id, run_id, failure_id) VALUES (?,?,?)"
                   " ON CONFLICT (id) DO UPDATE SET failure_id = excluded.failure_id",
    [WRITE_EVIDENCE] = "INSERT OR REPLACE INTO evidence (attempt_id, run_id, n, list, bytes)"
                       " VALUES (?,?,?,?,?)",
    /* failure, cap: whole attempts, earliest first, until the cap is passed */
    [WRITE_EVIDENCE_CAP] =
        "DELETE FROM evidence WHERE attempt_id IN (SELECT id FROM (SELECT a.id,"
        " sum(e.n) OVER (ORDER BY a.id) AS total FROM attempt a JOIN evidence e ON"
        " e.attempt_id = a.id WHERE a.failure_id = ?) WHERE total > ?)",
    [WRITE_CALL] = "INSERT OR REPLACE INTO call (id, run_id, call_id, caller, callee,"
                   " conversation_id, started_us, answered_us, ended_us, status, outcome, media,"
                   " offer_relay, answer_relay, grade, origin, media_failed)"
                   " VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
    [WRITE_SDP] = "INSERT OR REPLACE INTO sdp (call_row, offer, answer, diags, log_run)"
                  " VALUES (?,?,?,?,?)",
    [WRITE_ALLOCATION] =
        "INSERT OR REPLACE INTO allocation (id, run_id, client_addr, client_port, server_addr,"
        " server_port, transport, flags, relay_addr, relay_port, relay2_addr, relay2_port,"
        " wire_addr, reflexive_addr, reflexive_port, medium, started_us, ended_us, end_reason,"
        " error_code, requests, call_id, connection_id, active_addr, active_port, granted_us,"
        " sends)"
        " VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
    /* seen again in another run: the ports may be the same ones, so counts are not added */
    [WRITE_ALIAS] = "INSERT INTO alias (private_addr, public_addr, configured, ports_seen)"
                    " VALUES (?,?,?,?) ON CONFLICT (private_addr, public_addr) DO UPDATE SET"
                    " configured = max(configured, excluded.configured),"
                    " ports_seen = max(ports_seen, excluded.ports_seen)",
    /* private, public, run: what earlier runs were told of the same address was wrong, or is over
     */
    [WRITE_ALIAS_OVER] = "DELETE FROM alias WHERE private_addr = ?1 AND public_addr <> ?2 AND"
                         " configured NOT IN (0, ?3)",
    [WRITE_RELAY] = "INSERT OR IGNORE INTO relay_addr (addr) VALUES (?)",
    [WRITE_FAILURE] =
        "INSERT OR REPLACE INTO failure (id, event_id, run_id, first_us, last_us, leg, transport,"
        " verdict, info, src_addr, src_port, src_public, dst_addr, dst_port, dst_public, attempts,"
        " syns, rsts, rtt_us, icmp_type, icmp_code, icmp_from, grade, matched_by, confidence,"
        " call_id, caller, callee, medium, local_candidate, remote_candidate, client_addr,"
        " client_port, finding, explanation, advice, quality, call_row, allocation_row,"
        " attempt_row, error_code, partner) VALUES "
        "(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,"
        "?,?,?,?,?,?,?,?,?,?,?,?,?)",
    [WRITE_FINDING] = "INSERT OR REPLACE INTO finding (failure_id, rank, code, confidence,"
                      " evidence, advice) VALUES (?,?,?,?,?,?)",
    [WRITE_FINDINGS_REST] = "DELETE FROM finding WHERE failure_id = ? AND rank >= ?",
    [WRITE_FAILURE_GONE] = "DELETE FROM failure WHERE id = ?",
    [WRITE_FINDINGS_GONE] = "DELETE FROM finding WHERE failure_id = ?",
    [WRITE_UNLINK] = "UPDATE attempt SET failure_id = NULL WHERE failure_id = ?",
    [WRITE_TRAFFIC] = "INSERT INTO traffic_hour (run_id, hour_us, src_addr, dst_net, port_from,"
                      " port_to, transport, connected, refused, timeout, other)"
                      " VALUES (?,?,?,?,?,?,?,?,?,?,?)",
    [WRITE_HEALTH] = "INSERT INTO health_span (run_id, interface, from_us, to_us, packets, bytes,"
                     " kernel_drops, nic_drops, ring_drops, decode_errors, table_evictions,"
                     " stream_gaps, queue_lost, duplicates, one_way_flows, aggregated,"
                     " not_ip, fragments, handled, event, shed_cut, shed_dropped)"
                     " VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
    [WRITE_INTERFACE] = "INSERT OR REPLACE INTO interface (run_id, number, name) VALUES (?,?,?)",
    [WRITE_TROUBLE] =
        "INSERT INTO trouble (run_id, client_addr, client_port, server_addr, server_port,"
        " first_us, last_us, verdict, isn, instead, signaling, detail, partner)"
        " VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?)",
    /* one row for each agent of a run */
    [WRITE_FEED] =
        "INSERT INTO log (id, run_id, file, kind, first_us, last_us, messages, calls, skew_high_s)"
        " VALUES ((SELECT id FROM log WHERE run_id = ?1 AND file = ?2), ?1, ?2, ?3, ?4, ?5, ?6, ?7,"
        " ?8 / 1e6) ON CONFLICT (id) DO UPDATE SET first_us = excluded.first_us,"
        " last_us = excluded.last_us, messages = excluded.messages, calls = excluded.calls,"
        " skew_high_s = excluded.skew_high_s",
    [WRITE_TLS] =
        "INSERT OR REPLACE INTO tls_session (id, run_id, client_addr, client_port, server_addr,"
        " server_port, first_us, last_us, hello, version, cipher, exchange, sni, alpn, resumed,"
        " mutual, server_subject, server_issuer, server_names, server_from_us, server_until_us,"
        " client_subject, client_issuer, client_names, client_from_us, client_until_us, alert,"
        " alert_from, handshake, state, readable, key, messages, advice)"
        " VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
    /* addr, name, domain, seen: the latest name wins, whichever run read it */
    [WRITE_TLS_PEER] =
        "INSERT INTO tls_peer (addr, name, domain, seen_us) VALUES (?,?,?,?) ON CONFLICT (addr)"
        " DO UPDATE SET name = excluded.name, domain = excluded.domain, seen_us = excluded.seen_us"
        " WHERE excluded.seen_us >= seen_us",
    [WRITE_WINDOW_FINDING] = "INSERT INTO window_finding (scope, run_id, first_us, last_us, code,"
                             " confidence, evidence, advice) VALUES (?,?,?,?,?,?,?,?)",
    [WRITE_RUN] = "INSERT INTO run (sensor, command, sources, started_us, version, edges,"
                  " relay_low, relay_high) VALUES (?,?,?,?,?,?,?,?)",
    /* first, last, id: known times only widen the span */
    [WRITE_RUN_SPAN] = "UPDATE run SET first_us = min(ifnull(first_us, ?1), ?1),"
                       " last_us = max(ifnull(last_us, ?2), ?2) WHERE id = ?3",
    [WRITE_LOG] = "INSERT OR REPLACE INTO log (id, run_id, file, kind, first_us, last_us, messages,"
                  " calls, content) VALUES (?,?,?,?,?,?,?,?,?)",
    [WRITE_RUN_END] = "UPDATE run SET ended_us = ?, damaged = ? WHERE id = ?",
};

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
        out[i] = db_prepare(db, texts[i]);
        if (!out[i]) {
            write_sql_finalize(out);
            return -1;
        }
    }
    return 0;
}

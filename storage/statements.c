/* The reading side's SQL texts. */
#include "storage/statements.h"

/* Spans are asked of the tables, where times are integers with an index. What has no end yet is
 * taken to last as long as its run. */
#define SPAN(table, first, last) \
    "id IN (SELECT id FROM " table " WHERE " first " <= :until AND " last " >= :since)"
#define RUN_LAST "(SELECT r.last_us FROM run r WHERE r.id = run_id)"
#define TEXT_SPAN(first, last) first " <= :until_text AND " last " >= :since_text"

const struct view_sql statements_view[VIEWS] = {
    [VIEW_FAILURES] =
        {
            .name = "failures",
            .span = SPAN("failure", "first_us", "last_us"),
            .user = "(instr(lower(caller), lower(:user)) OR instr(lower(callee), lower(:user)))",
            .call = "call_id = :call",
            .addr = ":addr IN (src_addr, src_public, dst_addr, client_addr, icmp_from)",
            .verdict = "verdict = :verdict",
            .finding = "(finding = :finding OR id IN"
                       " (SELECT failure_id FROM finding WHERE code = :finding))",
            .id = "id = :id",
            .plain = "severity = 'failure'",
            .order = "first_seen, id",
        },
    [VIEW_ATTEMPTS] =
        {
            .name = "attempts",
            .span = SPAN("attempt", "first_us", "last_us"),
            .addr = ":addr IN (src_addr, dst_addr, icmp_from)",
            .verdict = "verdict = :verdict",
            .id = "id = :id",
            .failure = "failure_id = :failure",
            .order = "first_seen, id",
        },
    [VIEW_CALLS] =
        {
            .name = "calls",
            .span = SPAN("call", "coalesce(started_us, answered_us, ended_us)",
                         "coalesce(ended_us, " RUN_LAST ", answered_us, started_us)"),
            .user = "(instr(lower(caller), lower(:user)) OR instr(lower(callee), lower(:user)))",
            .call = "call_id = :call",
            .addr = "id IN (SELECT call_row FROM sdp WHERE instr(offer, '\"' || :addr || '\"')"
                    " OR instr(answer, '\"' || :addr || '\"'))",
            .id = "id = :id",
            .order = "started, id",
        },
    [VIEW_CANDIDATES] =
        {
            .name = "candidates",
            .call = "call_id = :call",
            .addr = ":addr IN (addr, rel_addr)",
        },
    [VIEW_ALLOCATIONS] =
        {
            .name = "allocations",
            .span = SPAN("allocation", "coalesce(started_us, ended_us)",
                         "coalesce(ended_us, " RUN_LAST ", started_us)"),
            .addr = ":addr IN (client_addr, server_addr, relay_addr, wire_addr, reflexive_addr)",
            .id = "id = :id",
            .order = "started, id",
        },
    [VIEW_ALIASES] =
        {
            .name = "aliases",
            .addr = ":addr IN (private_addr, public_addr)",
            .order = "private_addr, public_addr",
        },
    [VIEW_DIAGNOSTICS] =
        {
            .name = "diagnostics",
            .span = TEXT_SPAN("seen", "seen"),
            .call = "call_id = :call",
            .order = "seen",
        },
    [VIEW_PACKETS] =
        {
            .name = "packets",
            .span = TEXT_SPAN("seen", "seen"),
            .failure = "attempt_id IN (SELECT id FROM attempt WHERE failure_id = :failure)",
            .order = "seen",
        },
    [VIEW_TRAFFIC] =
        {
            .name = "traffic",
            .span = "hour <= :until_text AND hour > :hour_before",
            .addr = "src_addr = :addr",
            .order = "hour, src_addr, dst_net, dst_port_from",
        },
    [VIEW_HEALTH] =
        {
            .name = "health",
            .span = TEXT_SPAN("from_time", "to_time"),
            .order = "from_time, run_id, interface",
        },
    [VIEW_RUNS] =
        {
            .name = "runs",
            .span = SPAN("run", "coalesce(first_us, started_us)",
                         "coalesce(last_us, ended_us, started_us)"),
            .id = "id = :id",
            .order = "id",
        },
    [VIEW_FINDINGS] =
        {
            .name = "findings",
            .finding = "code = :finding",
            .failure = "scope = 'failure:' || :failure",
        },
    [VIEW_LOGS] =
        {
            .name = "logs",
            .span = SPAN("log", "first_us", "last_us"),
            .id = "id = :id",
            .order = "id",
        },
    [VIEW_SENDS] =
        {
            .name = "sends",
            .addr = "peer_addr = :addr",
            .id = "allocation_id = :id",
            .order = "first_seen",
        },
};

/* Failures of the period, with our end and the far end: 'f' in what follows. */
#define WITH_FAILURES                                                                 \
    "WITH f AS MATERIALIZED (SELECT * FROM failure_ends WHERE first_us <= :until AND" \
    " last_us >= :since)"
/* ... and attempts of known relays in the hours that the period touches: 't'. */
#define WITH_TRAFFIC                                                                   \
    WITH_FAILURES                                                                      \
    ", t AS MATERIALIZED (SELECT *, connected + refused + timeout + other AS attempts" \
    " FROM traffic_hour WHERE hour_us <= :until AND hour_us > :since - 3600000000)"

const char *const statements_sum[SUMS] = {
    /* failures, infos, first_seen, last_seen, calls, failed_calls, attempts, connected.
     * Counts of the period; attempts and connected of known relays, NULL if there are none. */
    [SUM_TOTALS] = WITH_TRAFFIC
    " SELECT (SELECT count(*) FROM f WHERE info = 0) AS failures,"
    " (SELECT count(*) FROM f WHERE info <> 0) AS infos,"
    " (SELECT time_text(min(first_us)) FROM f WHERE info = 0) AS first_seen,"
    " (SELECT time_text(max(last_us)) FROM f WHERE info = 0) AS last_seen,"
    " (SELECT count(*) FROM call c WHERE coalesce(c.started_us, c.answered_us, c.ended_us) <="
    " :until AND coalesce(c.ended_us, (SELECT last_us FROM run r WHERE r.id = c.run_id),"
    " c.started_us) >= :since) AS calls,"
    " (SELECT count(DISTINCT call_id) FROM f WHERE info = 0) AS failed_calls,"
    " (SELECT sum(attempts) FROM t) AS attempts, (SELECT sum(connected) FROM t) AS connected",

    /* partner (address of the far end), failures, calls, users (SIP domains of both sides, comma
     * list), attempts, connected (of our relays to the partner's network), first_seen, last_seen.
     * Most failures first. */
    [SUM_BY_PARTNER] = WITH_TRAFFIC
    ", d AS (SELECT peer_addr, group_concat(domain) AS domains FROM (SELECT DISTINCT peer_addr,"
    " substr(u, instr(u, '@') + 1) AS domain FROM (SELECT peer_addr, caller AS u FROM f WHERE"
    " of_partner UNION SELECT peer_addr, callee FROM f WHERE of_partner)"
    " WHERE instr(u, '@') ORDER BY 2) GROUP BY peer_addr),"
    " n AS (SELECT dst_net, sum(attempts) AS attempts, sum(connected) AS connected FROM t"
    " GROUP BY dst_net)"
    " SELECT f.peer_addr AS partner, count(*) AS failures, count(DISTINCT f.call_id) AS calls,"
    " d.domains AS users, n.attempts, n.connected, time_text(min(f.first_us)) AS first_seen,"
    " time_text(max(f.last_us)) AS last_seen FROM f LEFT JOIN d ON d.peer_addr = f.peer_addr"
    " LEFT JOIN n ON n.dst_net = addr_net(f.peer_addr) WHERE f.of_partner AND f.peer_addr IS NOT"
    " NULL GROUP BY f.peer_addr ORDER BY failures DESC, partner",

    /* edge (our address, public if known), failures, partners (distinct far ends), attempts,
     * connected (of this address or its private alias: of several the one that failures go by). */
    [SUM_BY_EDGE] = WITH_TRAFFIC
    ", n AS (SELECT coalesce((SELECT public_addr FROM alias WHERE private_addr = t.src_addr"
    " ORDER BY public_addr IN (SELECT edge_addr FROM f) DESC, configured DESC, ports_seen DESC"
    " LIMIT 1), t.src_addr) AS edge,"
    " sum(attempts) AS attempts, sum(connected) AS connected FROM t GROUP BY 1)"
    " SELECT f.edge_addr AS edge, count(*) AS failures,"
    " count(DISTINCT f.peer_addr) AS partners, n.attempts, n.connected"
    " FROM f LEFT JOIN n ON n.edge = f.edge_addr"
    " WHERE f.info = 0 AND f.edge_addr IS NOT NULL GROUP BY f.edge_addr"
    " ORDER BY failures DESC, edge",

    /* leg, failures, infos */
    [SUM_BY_LEG] = WITH_FAILURES
    " SELECT leg, sum(info = 0) AS failures, sum(info <> 0) AS infos FROM f GROUP BY leg"
    " ORDER BY failures DESC, leg",

    /* verdict, failures, infos, attempts (in the failures), syns */
    [SUM_BY_VERDICT] =
        WITH_FAILURES " SELECT verdict, sum(info = 0) AS failures, sum(info <> 0) AS infos,"
                      " sum(CASE info WHEN 0 THEN attempts ELSE 0 END) AS attempts,"
                      " sum(CASE info WHEN 0 THEN syns ELSE 0 END) AS syns"
                      " FROM f GROUP BY verdict ORDER BY failures DESC, verdict",

    /* local, remote ("relay TCP-PASS": without the address; NULL if unknown), transport, failures
     */
    [SUM_BY_CANDIDATE] = WITH_FAILURES
    " SELECT rtrim(rtrim(local_candidate, '0123456789abcdef.:[]')) AS local,"
    " rtrim(rtrim(remote_candidate, '0123456789abcdef.:[]')) AS remote, transport,"
    " count(*) AS failures FROM f WHERE info = 0 GROUP BY 1, 2, 3"
    " ORDER BY failures DESC, local, remote",

    /* port_from, port_to, transport, failures (to far ports in the range), attempts, connected. The
     * ranges are those of the traffic counters. */
    [SUM_BY_PORT_RANGE] =
        WITH_TRAFFIC " SELECT t.port_from, t.port_to, t.transport,"
                     " (SELECT count(*) FROM f WHERE info = 0 AND f.transport = t.transport AND"
                     " f.dst_port BETWEEN t.port_from AND t.port_to) AS failures,"
                     " sum(t.attempts) AS attempts, sum(t.connected) AS connected"
                     " FROM t GROUP BY t.port_from, t.port_to, t.transport"
                     " ORDER BY failures DESC, attempts DESC, t.port_from",

    /* hour, failures, infos (by first_seen), attempts, connected */
    [SUM_BY_HOUR] = WITH_TRAFFIC
    ", h AS (SELECT first_us / 3600000000 AS hour, info = 0 AS failure, info <> 0 AS info,"
    " 0 AS attempts, 0 AS connected FROM f UNION ALL"
    " SELECT hour_us / 3600000000, 0, 0, attempts, connected FROM t)"
    " SELECT time_text(h.hour * 3600000000) AS hour, sum(failure) AS failures, sum(info) AS infos,"
    " sum(attempts) AS attempts, sum(connected) AS connected FROM h GROUP BY h.hour"
    " ORDER BY h.hour",

    /* scope ('failure', 'window' or 'night:DATE'), code, confidence (of the example), failures
     * (NULL across failures), example (failure id, NULL across failures), evidence, advice.
     * Findings across failures first, then by number of failures. */
    [SUM_FINDINGS] = WITH_FAILURES
    " SELECT * FROM (SELECT w.scope, w.code, w.confidence, NULL AS failures, NULL AS example,"
    " w.evidence, w.advice FROM window_finding w WHERE w.first_us <= :until AND"
    " w.last_us >= :since ORDER BY w.first_us, w.id)"
    " UNION ALL SELECT * FROM (SELECT 'failure', n.code, n.confidence,"
    " count(DISTINCT n.failure_id) AS failures,"
    " min(CASE n.confidence WHEN 'likely' THEN 0 ELSE 4611686018427387904 END + n.failure_id)"
    " % 4611686018427387904 AS example, n.evidence, n.advice"
    " FROM f JOIN finding n ON n.failure_id = f.id WHERE f.info = 0 GROUP BY n.code"
    " ORDER BY failures DESC, n.code)",

    /* interface (NULL: the engine), from_time, to_time, packets, bytes, kernel_drops, nic_drops,
     * ring_drops, decode_errors, table_evictions, stream_gaps, queue_lost, duplicates,
     * one_way_flows, aggregated, spans, blind_spans (periods with drops), blind_s (their length) */
    [SUM_HEALTH] =
        "SELECT interface, time_text(min(from_us)) AS from_time, time_text(max(to_us)) AS to_time,"
        " sum(packets) AS packets, sum(bytes) AS bytes, sum(kernel_drops) AS kernel_drops,"
        " sum(nic_drops) AS nic_drops, sum(ring_drops) AS ring_drops,"
        " sum(decode_errors) AS decode_errors, sum(table_evictions) AS table_evictions,"
        " sum(stream_gaps) AS stream_gaps, sum(queue_lost) AS queue_lost,"
        " sum(duplicates) AS duplicates, sum(one_way_flows) AS one_way_flows,"
        " sum(aggregated) AS aggregated, count(*) AS spans, sum(blind) AS blind_spans,"
        " sum(CASE WHEN blind THEN to_us - from_us ELSE 0 END) / 1e6 AS blind_s"
        " FROM (SELECT *, kernel_drops + nic_drops + ring_drops > 0 AS blind"
        " FROM health_span WHERE from_us <= :until AND to_us >= :since)"
        " GROUP BY interface ORDER BY interface",

    /* partner, failures, first_seen: failing in the period, not in the seven days before it */
    [SUM_NEW_PARTNERS] = WITH_FAILURES
    " SELECT peer_addr AS partner, count(*) AS failures, time_text(min(first_us)) AS first_seen"
    " FROM f WHERE of_partner AND peer_addr IS NOT NULL AND peer_addr NOT IN (SELECT peer_addr FROM"
    " failure_ends WHERE first_us < :since AND last_us >= :since - 604800000000 AND of_partner AND"
    " peer_addr IS NOT NULL) GROUP BY peer_addr ORDER BY failures DESC, partner",

    /* partner, failures, last_seen: failed in the seven days before the period, not in it */
    [SUM_ENDED_PARTNERS] = WITH_FAILURES
    " SELECT peer_addr AS partner, count(*) AS failures, time_text(max(last_us)) AS last_seen"
    " FROM failure_ends WHERE first_us < :since AND last_us >= :since - 604800000000 AND of_partner"
    " AND peer_addr NOT IN (SELECT peer_addr FROM f WHERE of_partner AND peer_addr IS NOT NULL)"
    " GROUP BY peer_addr ORDER BY failures DESC, partner",
};

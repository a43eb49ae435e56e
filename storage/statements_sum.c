/* The figures of a summary, out of the tables of period.h. Wherever attempts stand, they are those
 * of the relays in the hours that the period touches, out of the traffic counters; NULL where no
 * relay was known. Text and counts of failures are of the period itself. */
#include "storage/statements.h"

#define ATTEMPTS                                                                        \
    " sum(attempts) AS attempts, sum(connected) AS connected, sum(refused) AS refused," \
    " sum(timeout) AS timeout, sum(other) AS other"
#define PUT_ATTEMPTS "n.attempts, n.connected, n.refused, n.timeout, n.other"

/* The partners that failed most, those that a page has room for. */
#define TOP_PARTNERS                                                      \
    "top AS (SELECT partner, pn, failures AS all_failures FROM p_partner" \
    " ORDER BY all_failures DESC, partner LIMIT 20)"

/* What the relays tried towards each partner that failed, by range of ports. */
#define CELLS                                                                     \
    "cell AS (SELECT n.partner, t.port_from, t.port_to, t.transport," ATTEMPTS    \
    " FROM p_net n JOIN (SELECT dst_net, port_from, port_to, transport," ATTEMPTS \
    " FROM p_traffic GROUP BY 1, 2, 3, 4) t ON t.dst_net = n.net GROUP BY 1, 2, 3, 4)"

const char *const statements_sum[SUMS] = {
    /* failures, infos, first_seen, last_seen, partners, lossy (failures with capture_quality
     * 'lossy'), calls, failed_calls, attempts, connected, refused, timeout, other, before (failures
     * of partners in the seven days before), days_before (how many of the seven the sensor saw) */
    [SUM_TOTALS] =
        ("WITH n AS (SELECT" ATTEMPTS " FROM p_traffic),"
         " g AS (SELECT coalesce(sum(failures), 0) AS failures, time_text(min(first_us)) AS"
         " first_seen, time_text(max(last_us)) AS last_seen, sum(lossy) AS lossy, (SELECT"
         " count(DISTINCT call) FROM p_failure WHERE info = 0) AS failed_calls, (SELECT count(*)"
         " FROM p_partner) AS partners FROM p_group WHERE info = 0)"
         " SELECT g.failures, (SELECT coalesce(sum(failures), 0) FROM p_group WHERE info <> 0) AS"
         " infos,"
         " g.first_seen, g.last_seen, g.partners, coalesce(g.lossy, 0) AS lossy,"
         " (SELECT count(*) FROM call c WHERE coalesce(c.started_us, c.answered_us, c.ended_us) <="
         " :until AND coalesce(c.ended_us, (SELECT last_us FROM run r WHERE r.id = c.run_id),"
         " c.started_us) >= :since) AS calls, g.failed_calls, " PUT_ATTEMPTS ","
         " (SELECT coalesce(sum(failures), 0) FROM p_before) AS before,"
         " (SELECT count(DISTINCT (:since - min(to_us, :since - 1)) / 86400000000) FROM health_span"
         " WHERE packets > 0 AND from_us < :since AND to_us > :since - 604800000000) AS days_before"
         " FROM g, n"),

    /* partner (its name, else the address of its relay), failures, calls, users (SIP domains of
     * both sides, comma list), attempts, connected, refused, timeout, other (to the partner's
     * networks), before (failures in the seven days before), first_seen, last_seen. Most failures
     * first. */
    [SUM_BY_PARTNER] =
        ("WITH d AS (SELECT partner, group_concat(domain) AS domains FROM (SELECT partner, domain"
         " FROM (SELECT partner, caller AS domain FROM p_group WHERE of_partner UNION"
         " SELECT partner, callee FROM p_group WHERE of_partner) WHERE domain IS NOT NULL"
         " ORDER BY domain) GROUP BY partner),"
         " t AS (SELECT dst_net," ATTEMPTS " FROM p_traffic GROUP BY dst_net),"
         " n AS (SELECT partner," ATTEMPTS
         " FROM p_net JOIN t ON t.dst_net = net GROUP BY partner),"
         " c AS (SELECT g.pn, count(DISTINCT f.call) AS calls FROM p_failure f CROSS JOIN p_group g"
         " ON g.key = f.key WHERE g.of_partner GROUP BY g.pn)"
         " SELECT f.partner, f.failures, c.calls, d.domains AS users, " PUT_ATTEMPTS ","
         " coalesce(b.failures, 0) AS before, time_text(f.first_us) AS first_seen,"
         " time_text(f.last_us) AS last_seen FROM p_partner f LEFT JOIN c ON c.pn = f.pn"
         " LEFT JOIN d ON d.partner = f.partner LEFT JOIN n ON n.partner = f.partner"
         " LEFT JOIN p_before b ON b.partner = f.partner ORDER BY f.failures DESC, f.partner"),

    /* edge (our address, public if known), failures, partners (distinct far ends), attempts,
     * connected, refused, timeout, other (of this address or its private alias). */
    [SUM_BY_EDGE] =
        ("WITH n AS (SELECT edge," ATTEMPTS " FROM p_traffic GROUP BY edge)"
         " SELECT f.edge, sum(f.failures) AS failures, count(DISTINCT f.partner) AS "
         "partners, " PUT_ATTEMPTS
         " FROM p_group f LEFT JOIN n ON n.edge = f.edge WHERE f.info = 0 AND f.edge IS NOT NULL"
         " GROUP BY f.edge ORDER BY failures DESC, f.edge"),

    /* leg, failures, infos, attempts, connected, refused, timeout, other, granted: relay-peer
     * attempts out of traffic; client-relay has the relay ports that were granted in the period
     * beside its failures. */
    [SUM_BY_LEG] =
        ("WITH n AS (SELECT 'relay-peer' AS leg," ATTEMPTS " FROM p_traffic)"
         " SELECT f.leg, sum(CASE info WHEN 0 THEN failures ELSE 0 END) AS failures,"
         " sum(CASE info WHEN 0 THEN 0 ELSE failures END) AS infos, " PUT_ATTEMPTS ","
         " CASE f.leg WHEN 'client-relay' THEN (SELECT count(*) FROM allocation a WHERE"
         " a.relay_addr IS NOT NULL AND coalesce(a.started_us, a.ended_us) <= :until AND"
         " coalesce(a.ended_us, (SELECT last_us FROM run r WHERE r.id = a.run_id), a.started_us) >="
         " :since) END AS granted FROM p_group f LEFT JOIN n ON n.leg = f.leg GROUP BY f.leg"
         " ORDER BY failures DESC, f.leg"),

    /* verdict, failures, infos, attempts (in the failures), syns, of_attempts (all attempts of the
     * relays, where it is one of theirs) */
    [SUM_BY_VERDICT] =
        ("SELECT verdict, sum(CASE info WHEN 0 THEN failures ELSE 0 END) AS failures,"
         " sum(CASE info WHEN 0 THEN 0 ELSE failures END) AS infos,"
         " sum(CASE info WHEN 0 THEN attempts ELSE 0 END) AS attempts,"
         " sum(CASE info WHEN 0 THEN syns ELSE 0 END) AS syns,"
         " CASE WHEN max(info = 0 AND leg = 'relay-peer') THEN (SELECT sum(attempts) FROM"
         " p_traffic) END AS of_attempts FROM p_group GROUP BY verdict ORDER BY failures DESC,"
         " verdict"),

    /* local, remote ("relay TCP-PASS": without the address; NULL if unknown), transport, failures,
     * attempts, connected, refused, timeout, other (over that transport, where the near end is a
     * relay) */
    [SUM_BY_CANDIDATE] =
        ("WITH n AS (SELECT transport," ATTEMPTS " FROM p_traffic GROUP BY transport)"
         " SELECT f.local, f.remote, f.transport, f.failures, " PUT_ATTEMPTS
         " FROM (SELECT local, remote, transport, sum(failures) AS failures FROM p_group WHERE"
         " info = 0 GROUP BY 1, 2, 3) f LEFT JOIN n ON n.transport = f.transport AND f.local LIKE "
         "'relay%'"
         " ORDER BY failures DESC, local, remote"),

    /* port_from, port_to, transport, failures (to far ports in the range), attempts, connected,
     * refused, timeout, other. The ranges are those of the traffic counters; one row without a
     * range has the failures that are in none. */
    [SUM_BY_PORT_RANGE] =
        ("WITH n AS (SELECT port_from, port_to, transport," ATTEMPTS
         " FROM p_traffic GROUP BY 1, 2, 3),"
         " f AS MATERIALIZED (SELECT transport, dst_port, sum(failures) AS failures FROM p_group"
         " WHERE info = 0 GROUP BY 1, 2)"
         " SELECT * FROM (SELECT n.port_from, n.port_to, n.transport, coalesce((SELECT"
         " sum(f.failures) FROM f WHERE f.transport = n.transport AND f.dst_port BETWEEN "
         "n.port_from"
         " AND n.port_to), 0) AS failures, " PUT_ATTEMPTS " FROM n UNION ALL"
         " SELECT NULL, NULL, NULL, sum(f.failures), NULL, NULL, NULL, NULL, NULL FROM f WHERE NOT"
         " EXISTS (SELECT 1 FROM n WHERE f.transport = n.transport AND f.dst_port BETWEEN"
         " n.port_from AND n.port_to) HAVING count(*) > 0)"
         " ORDER BY failures DESC, attempts DESC, port_from"),

    /* hour, failures, infos (by first_seen), attempts, connected, refused, timeout, other */
    [SUM_BY_HOUR] =
        ("SELECT time_text(hour * 3600000000) AS hour, sum(failure) AS failures, sum(info) AS "
         "infos," ATTEMPTS
         " FROM (SELECT first_us / 3600000000 AS hour, sum(info = 0) AS failure, sum(info <> 0) AS"
         " info, 0 AS attempts, 0 AS connected, 0 AS refused, 0 AS timeout, 0 AS other"
         " FROM p_failure GROUP BY 1 UNION ALL SELECT hour_us / 3600000000, 0, 0, attempts,"
         " connected, refused, timeout, other FROM p_traffic) GROUP BY hour ORDER BY hour"),

    /* port_from, port_to, transport, partners (that failed in the range and to whose networks
     * nothing connected there), fresh (of them: no failure in the seven days before), partner (one
     * of them), failures, first_seen, attempts, connected, refused, timeout, other */
    [SUM_UNREACHABLE] =
        ("WITH " CELLS ", dead AS MATERIALIZED (SELECT c.*, p.pn FROM cell c JOIN p_partner p ON"
         " p.partner = c.partner WHERE c.connected = 0 AND c.attempts > 0),"
         " u AS (SELECT c.partner, c.port_from, c.port_to, c.transport, sum(g.failures) AS "
         "failures,"
         " min(g.first_us) AS first_us FROM p_group g CROSS JOIN dead c ON c.pn = g.pn AND"
         " c.transport = g.transport AND g.peer_port BETWEEN c.port_from AND c.port_to"
         " GROUP BY 1, 2, 3, 4),"
         " n AS (SELECT port_from, port_to, transport," ATTEMPTS
         " FROM (SELECT DISTINCT u.port_from"
         " AS pf, u.transport AS tr, p.net FROM u JOIN p_net p ON p.partner = u.partner)"
         " JOIN p_traffic t ON t.dst_net = net AND t.port_from = pf AND t.transport = tr"
         " GROUP BY 1, 2, 3)"
         " SELECT u.port_from, u.port_to, u.transport, count(*) AS partners,"
         " sum(u.partner NOT IN (SELECT partner FROM p_before)) AS fresh, min(u.partner) AS "
         "partner,"
         " sum(u.failures) AS failures, time_text(min(u.first_us)) AS first_seen, " PUT_ATTEMPTS
         " FROM u JOIN n ON n.port_from = u.port_from AND n.port_to = u.port_to AND n.transport ="
         " u.transport GROUP BY 1, 2, 3 ORDER BY failures DESC, u.port_from"),

    /* partner, port_from, port_to, transport, attempts, connected, refused, timeout, other: the
     * partners that failed most, in their order, by range of ports */
    [SUM_HEAT] = ("WITH " TOP_PARTNERS ", " CELLS
                  " SELECT top.partner, c.port_from, c.port_to, c.transport, c.attempts,"
                  " c.connected, c.refused, c.timeout, c.other FROM top LEFT JOIN cell c ON"
                  " c.partner = top.partner ORDER BY top.all_failures DESC, top.partner,"
                  " c.port_from, c.transport"),

    /* partner, edge, leg, verdict, transport, failures, calls, first_seen, last_seen, example (a
     * failure's id): the partners that failed most, in their order */
    [SUM_PARTNER_DETAIL] =
        ("WITH " TOP_PARTNERS
         " SELECT top.partner, g.edge, g.leg, g.verdict, g.transport, count(*) AS failures,"
         " count(DISTINCT f.call) AS calls, time_text(min(g.first_us)) AS first_seen,"
         " time_text(max(g.last_us)) AS last_seen, min(f.id) AS example FROM p_failure f CROSS JOIN"
         " p_group g ON g.key = f.key CROSS JOIN top ON top.pn = g.pn GROUP BY top.partner, "
         "g.edge, g.leg,"
         " g.verdict, g.transport ORDER BY top.all_failures DESC, top.partner, failures DESC,"
         " g.verdict"),

    /* partner, code, confidence ('likely' if it is that for one of them), failures, example: the
     * same partners */
    [SUM_PARTNER_FINDINGS] =
        ("WITH " TOP_PARTNERS " SELECT top.partner, n.code, min(n.confidence) AS confidence,"
         " count(*) AS failures, min(f.id) AS example FROM p_failure f CROSS JOIN p_group g ON"
         " g.key = f.key CROSS JOIN top ON top.pn = g.pn CROSS JOIN finding n ON n.failure_id ="
         " f.id GROUP BY top.partner, n.code ORDER BY top.all_failures DESC, top.partner, failures"
         " DESC, n.code"),

    /* scope ('failure', 'window' or 'night:DATE'), code, confidence (of the example), failures
     * (NULL across failures), example (failure id, NULL across failures), evidence, advice.
     * Findings across failures first, then by number of failures. CROSS: from the period's failures
     * to their findings, whatever indexes there are. */
    [SUM_FINDINGS] =
        ("SELECT * FROM (SELECT w.scope, w.code, w.confidence, NULL AS failures, NULL AS example,"
         " w.evidence, w.advice FROM window_finding w WHERE w.first_us <= :until AND"
         " w.last_us >= :since"
         /* what a run drew of its own time is in what was drawn of the whole day */
         " AND NOT (w.scope = 'window' AND EXISTS (SELECT 1 FROM window_finding n WHERE n.code = "
         "w.code"
         " AND n.scope LIKE 'night:%' AND n.first_us <= w.first_us AND n.last_us >= w.last_us))"
         " ORDER BY w.first_us, w.id)"
         " UNION ALL SELECT * FROM (SELECT 'failure', g.code, n.confidence, g.failures, g.example,"
         " n.evidence, n.advice FROM (SELECT n.code, count(DISTINCT n.failure_id) AS failures,"
         " min(CASE n.confidence WHEN 'likely' THEN 0 ELSE 4611686018427387904 END + n.failure_id)"
         " % 4611686018427387904 AS example FROM p_failure f CROSS JOIN finding n ON n.failure_id ="
         " f.id"
         " WHERE f.info = 0 GROUP BY n.code) g CROSS JOIN finding n ON n.failure_id = g.example AND"
         " +n.code = g.code ORDER BY g.failures DESC, g.code)"),

    /* edge, at, length_us, open (connections of the Edge, most in the step), timeouts, connected: a
     * hundred steps from the first to the last attempt whose Edge's open connections were counted
     */
    [SUM_TABLE_LIMIT] =
        ("WITH a AS MATERIALIZED (SELECT src_addr, first_us, verdict, concurrency FROM attempt "
         "WHERE"
         " first_us BETWEEN :since AND :until AND concurrency > 0),"
         " s AS MATERIALIZED (SELECT min(first_us) AS first, max(1000000, (max(first_us) -"
         " min(first_us)) / 99) AS length FROM a)"
         " SELECT coalesce((SELECT public_addr FROM alias WHERE private_addr = src_addr ORDER BY"
         " configured DESC, ports_seen DESC LIMIT 1), src_addr) AS edge,"
         " time_text(s.first + step * s.length) AS at, s.length AS length_us, max(open) AS open,"
         " sum(timeouts) AS timeouts, sum(connected) AS connected FROM (SELECT src_addr,"
         " (first_us - s.first) / s.length AS step, max(concurrency) AS open,"
         " sum(verdict IN ('timeout', 'single-syn')) AS timeouts, sum(verdict = 'connected') AS"
         " connected FROM a, s GROUP BY 1, 2), s GROUP BY 1, 2 ORDER BY 1, 2"),

    /* interface (NULL: the engine), from_time, to_time, packets, bytes, kernel_drops, nic_drops,
     * ring_drops, decode_errors, table_evictions, stream_gaps, queue_lost, duplicates,
     * one_way_flows, aggregated, spans, blind_spans (periods with drops), blind_s (their length) */
    [SUM_HEALTH] =
        ("SELECT interface, time_text(min(from_us)) AS from_time, time_text(max(to_us)) AS to_time,"
         " sum(packets) AS packets, sum(bytes) AS bytes, sum(kernel_drops) AS kernel_drops,"
         " sum(nic_drops) AS nic_drops, sum(ring_drops) AS ring_drops,"
         " sum(decode_errors) AS decode_errors, sum(table_evictions) AS table_evictions,"
         " sum(stream_gaps) AS stream_gaps, sum(queue_lost) AS queue_lost,"
         " sum(duplicates) AS duplicates, sum(one_way_flows) AS one_way_flows,"
         " sum(aggregated) AS aggregated, count(*) AS spans, sum(blind) AS blind_spans,"
         " sum(CASE WHEN blind THEN to_us - from_us ELSE 0 END) / 1e6 AS blind_s"
         " FROM (SELECT *, kernel_drops + nic_drops + ring_drops > 0 AS blind"
         " FROM health_span WHERE from_us <= :until AND to_us >= :since AND event IS NULL)"
         " GROUP BY interface ORDER BY interface"),

    /* from_time, to_time, lost: stretches in which packets were lost, in order of time */
    [SUM_BLIND] =
        ("SELECT time_text(from_us) AS from_time, time_text(to_us) AS to_time,"
         " sum(kernel_drops + nic_drops + ring_drops) AS lost FROM health_span WHERE from_us <="
         " :until AND to_us >= :since AND kernel_drops + nic_drops + ring_drops > 0"
         " GROUP BY from_us, to_us ORDER BY from_us, to_us"),

    /* partner, failures, first_seen: failing in the period, not in the seven days before it */
    [SUM_NEW_PARTNERS] =
        ("SELECT partner, failures, time_text(first_us) AS first_seen FROM p_partner WHERE partner"
         " NOT IN (SELECT partner FROM p_before) ORDER BY failures DESC, partner"),

    /* partner, failures, last_seen: failed in the seven days before the period, not in it */
    [SUM_ENDED_PARTNERS] =
        ("SELECT partner, failures, time_text(last_us) AS last_seen FROM p_before WHERE partner NOT"
         " IN (SELECT partner FROM p_partner) ORDER BY failures DESC, partner"),

    /* last: the time of the last packet of all runs */
    [SUM_LAST] = "SELECT time_text(max(last_us)) AS last FROM run",
};

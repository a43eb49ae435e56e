#!/bin/bash
# A database of one night with many failures, for what people look at and how long it takes to make.
# usage: tests/help/night.sh DB FAILURES [EDGEWATCH]
#
# Night: 2026-01-30 18:00 to 2026-01-31 08:00 UTC, Edge 203.0.113.1 (10.1.0.40), 40 partners in networks of
# their own. Three of them are refused on 50000-59999 from 21:40 on and new; the others time out now and
# then; the sensor is blind twice; 50 connects before the plateau of open connections, timeouts at it.
# Seven nights before: another partner failed. Wire text is hostile here and there.
set -eu
cd "$(dirname "$0")/../.."
db=$1 n=$2 edgewatch=${3:-./edgewatch}
rm -f "$db" "$db-wal" "$db-shm"
"$edgewatch" -q --db "$db" read --sensor edge1 pcaps/negative-web-tls-alert.pcap
sqlite3 "$db" <<SQL >/dev/null
PRAGMA journal_mode = MEMORY;
PRAGMA synchronous = OFF;
BEGIN;
DELETE FROM health_span; DELETE FROM traffic_hour; DELETE FROM failure; DELETE FROM attempt;
INSERT INTO alias (private_addr, public_addr, configured, ports_seen) VALUES ('10.1.0.40', '203.0.113.1', 1, 9);
INSERT OR IGNORE INTO relay_addr (addr) VALUES ('203.0.113.1'), ('10.1.0.40');
-- t0: 2026-01-30T18:00:00Z; failure k lies at t0 + 13.9 h * k / n
WITH RECURSIVE c(k) AS (SELECT 1 UNION ALL SELECT k + 1 FROM c WHERE k < $n),
x AS (SELECT k, 1769796000000000 + CAST(k * 50040000000.0 / $n AS INTEGER) AS t,
    CASE WHEN k % 2 AND k * 50040.0 / $n > 13200 THEN 1 + k / 2 % 3 ELSE 4 + k % 37 END AS p FROM c)
INSERT INTO failure (id, event_id, run_id, first_us, last_us, leg, transport, verdict, info, src_addr, src_port,
    src_public, dst_addr, dst_port, attempts, syns, rsts, rtt_us, grade, matched_by, confidence, call_id, caller,
    callee, medium, local_candidate, remote_candidate, client_addr, client_port, finding, explanation, advice,
    quality)
SELECT k, k, 1, t, t + 1134000, 'relay-peer', 'TCP', CASE WHEN p <= 3 THEN 'refused' ELSE 'timeout' END, 0,
    '10.1.0.40', 50000 + k % 9000, '203.0.113.1', '198.18.' || p || '.5',
    50000 + k % 7000, 1, 3, CASE WHEN p <= 3 THEN 3 ELSE 0 END, CASE WHEN p <= 3 THEN 42000 END, 'A',
    'relay-address,send-destination', 'confirmed', 'call-' || k, 'sip:user' || (k % 500) || '@contoso.com',
    CASE WHEN k % 997 = 5 THEN 'sip:x@<script>alert(1)</script>.' || char(8238) || '"''&'
         WHEN k % 997 = 7 THEN 'sip:y@' || replace(hex(zeroblob(1000)), '0', 'w')
         ELSE 'sip:user' || k || '@partner' || p || '.example' END,
    'applicationsharing', 'relay TCP-PASS 203.0.113.1:' || (50000 + k % 9000),
    'relay TCP-PASS 198.18.' || p || '.5:' || (50000 + k % 7000), '10.2.0.' || (k % 250), 40000,
    CASE WHEN p <= 3 THEN 'far-side-refuses' ELSE 'silent-drop' END,
    'The relay sent 3 SYNs of one attempt; none was answered.', 'Ask.',
    CASE WHEN t BETWEEN 1769814000000000 AND 1769814600000000 THEN 'lossy' ELSE 'good' END FROM x;
INSERT INTO finding (failure_id, rank, code, confidence, evidence, advice)
SELECT id, 0, finding, 'possible', '{"for": ["3 SYNs without an answer"], "against": ["one pair alone"],' ||
    ' "settle": ["a capture outside the firewall"]}', 'Ask for the log of ' || dst_addr || '.' FROM failure;
INSERT INTO window_finding (scope, run_id, first_us, last_us, code, confidence, evidence, advice) VALUES
('window', 1, 1769796000000000, 1769846400000000, 'connection-table-limit', 'likely',
    '{"for": ["timeouts to unrelated peers, all at 24900 to 25000 open flows of Edge 203.0.113.1"], "against": [],' ||
    ' "settle": ["the connection count and limit of the firewall at that time"]}',
    'Compare the connection limit of the firewall with its count, when Edge 203.0.113.1 stood at about 25000 flows.');
INSERT INTO attempt (id, failure_id, run_id, src_addr, src_port, dst_addr, dst_port, transport, isn, verdict,
    quality, peeks, wanted, syns, synacks, rsts, first_us, last_us, concurrency)
SELECT id, id, 1, src_addr, src_port, dst_addr, dst_port, 'TCP', id, verdict, quality, 0, 1, 3, 0, rsts, first_us,
    last_us, min(25000, 2000 + 23000 * (first_us - 1769796000000000) / 25000000000) FROM failure;
-- every hour and partner: what failed, and twice as much that connected, but nothing to the first three
INSERT INTO traffic_hour (run_id, hour_us, src_addr, dst_net, port_from, port_to, transport, connected, refused,
    timeout, other)
SELECT 1, first_us / 3600000000 * 3600000000, '10.1.0.40', addr, 50000, 59999, 'TCP',
    CASE WHEN verdict = 'refused' THEN 0 ELSE 2 * count(*) END, sum(verdict = 'refused'), sum(verdict = 'timeout'),
    0 FROM (SELECT *, substr(dst_addr, 1, length(dst_addr) - 1) || '0/24' AS addr FROM failure) GROUP BY 2, 4;
INSERT INTO traffic_hour (run_id, hour_us, src_addr, dst_net, port_from, port_to, transport, connected, refused,
    timeout, other)
SELECT 1, hour_us, src_addr, dst_net, 443, 443, 'TCP', 3 + connected / 9, 0, 1, 0 FROM traffic_hour;
-- 14 hours by minute; blind at 23:00 to 23:10 and at 04:30
WITH RECURSIVE m(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM m WHERE i < 839)
INSERT INTO health_span (run_id, interface, from_us, to_us, packets, bytes, kernel_drops, nic_drops, ring_drops,
    decode_errors, table_evictions, stream_gaps, queue_lost, duplicates, one_way_flows, aggregated)
SELECT 1, 'eth1', 1769796000000000 + i * 60000000, 1769796000000000 + i * 60000000 + 60000000, 100000, 60000000,
    CASE WHEN i BETWEEN 300 AND 309 THEN 4000 WHEN i = 630 THEN 12 ELSE 0 END, 0, 0, 0, 0, 0, 0, 0, 0, 0 FROM m;
-- the week before
INSERT INTO health_span (run_id, interface, from_us, to_us, packets, bytes, kernel_drops, nic_drops, ring_drops,
    decode_errors, table_evictions, stream_gaps, queue_lost, duplicates, one_way_flows, aggregated)
SELECT run_id, interface, from_us - 86400000000 * d, to_us - 86400000000 * d, packets, bytes,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0 FROM health_span, (SELECT value AS d FROM json_each('[1,2,3,4,5,6,7]'));
INSERT INTO failure (id, event_id, run_id, first_us, last_us, leg, transport, verdict, info, src_addr, src_port,
    src_public, dst_addr, dst_port, attempts, syns, rsts, grade, confidence, quality)
SELECT $n + id, $n + id, 1, first_us - 259200000000, last_us - 259200000000, leg, transport, verdict, 0, src_addr,
    src_port, src_public, CASE id % 5 WHEN 0 THEN '198.19.0.9' ELSE dst_addr END, dst_port, 1, 3, rsts, 'B',
    'confirmed', 'good' FROM failure WHERE id <= min($n, 200) AND verdict = 'timeout';
UPDATE run SET first_us = (SELECT min(from_us) FROM health_span), last_us = (SELECT max(to_us) FROM health_span);
COMMIT;
SQL

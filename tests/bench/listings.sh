#!/bin/bash
# How long the listing commands take on a large database. usage: tests/bench/listings.sh [ATTEMPTS=50000000] [DB]
# With ATTEMPTS go a tenth as many failures, calls and allocations, and a fiftieth as many rows of health, over 400 days, 14,000 users and
# 300 partners. DB is made if it is not there, and stays; else a temporary one. Each command runs once to warm up and three times to be
# timed; the best counts. Needs sqlite3; 50 million take about 15 GB and a quarter of an hour.
set -eu
cd "$(dirname "$0")/../.."
attempts=${1:-50000000}
n=$((attempts / 10)) work=$(mktemp -d "${TMPDIR:-/tmp}/ew-listings.XXXXXX")
trap 'rm -rf "$work"' EXIT
db=${2:-$work/large.db}
edgewatch=${EDGEWATCH:-$PWD/edgewatch}
start=1700000000 span=$((400 * 86400))

rows() { # COUNT COLUMNS-AND-SELECT: rows i = 1 .. COUNT, t their time in us
    sqlite3 "$db" "PRAGMA synchronous = OFF; PRAGMA cache_size = -400000;
        INSERT INTO $2 FROM (SELECT value AS i, ${start}000000 + value * ($span * 1000000 / $1) AS t FROM generate_series(1, $1));" >/dev/null
}
if [ ! -e "$db" ]; then
    "$edgewatch" --db "$db" --config /dev/null read -q --sensor bench pcaps/incident1-sip-internal.pcap pcaps/incident1-external.pcap
    # EW_LISTED=1: only the tables that listings are made of, where time or room is short
    [ -n "${EW_LISTED:-}" ] || rows "$attempts" "attempt(id, failure_id, run_id, src_addr, src_port, dst_addr, dst_port, transport, isn, verdict, quality, syns, rsts, first_us, last_us)
        SELECT 10000 + i, iif(i % 10 = 0, 10000 + i / 10, NULL), 1, '10.3.0.' || (40 + i % 4), 50000 + i % 9999,
        '198.51.' || (i % 300 / 250) || '.' || (i % 250), 50704, 'TCP', i, iif(i % 10 = 0, 'refused', 'connected'), 'good', 1, 0, t, t + 90000"
    rows $n "failure(id, event_id, run_id, first_us, last_us, leg, transport, verdict, info, src_addr, src_port, src_public, dst_addr,
        dst_port, attempts, syns, rsts, rtt_us, grade, matched_by, confidence, call_id, caller, callee, medium, local_candidate,
        remote_candidate, client_addr, client_port, finding, explanation, advice, quality, allocation_row)
        SELECT 10000 + i, i * 2654435761, 1, t, t + 1100000 + (i % 1000 = 0) * 9000000000, 'relay-peer', 'TCP',
        CASE i % 3 WHEN 0 THEN 'timeout' ELSE 'refused' END, 0, '10.3.0.' || (40 + i % 4), 50000 + i % 9999, '2.2.2.' || (2 + i % 4),
        '198.' || (i % 3001 / 250) || '.0.' || (i % 250), 50704, 1, 3, 3, 42500, 'A', 'relay-address,alias', 'confirmed', 'call-' || i,
        'sip:user' || (i * 7919 % 5000) || '@contoso.com', 'sip:user' || (i * 104729 % 9000) || '@partner' || (i * 104729 % 9000 % 300) || '.example',
        'audio', 'relay', 'relay', '10.98.' || (i * 7919 % 5000 / 250) || '.' || (i * 7919 % 250), 13211, 'own-outbound-range-blocked',
        'three SYNs, each answered by RST', 'ask the firewall team', 'good', 10000 + i"
    rows $n "finding SELECT 10000 + i, 0, 'own-outbound-range-blocked', 'possible', '{}', 'ask'"
    rows $n "call(id, run_id, call_id, caller, callee, started_us, answered_us, ended_us, status, outcome, media, grade, origin)
        SELECT 10000 + i, 1, 'call-' || i, 'sip:user' || (i * 7919 % 5000) || '@contoso.com',
        'sip:user' || (i * 104729 % 9000) || '@partner' || (i * 104729 % 9000 % 300) || '.example', t, t + 5000000,
        iif(i % 2000 = 0, NULL, t + 300000000 + (i % 200 = 0) * 9000000000), 200, 'connected', 'audio', 'A', 'wire'"
    rows $n "allocation(id, run_id, client_addr, client_port, server_addr, server_port, transport, relay_addr, relay_port, wire_addr,
        reflexive_addr, started_us, ended_us, end_reason)
        SELECT 10000 + i, 1, '10.98.' || (i * 7919 % 5000 / 250) || '.' || (i * 7919 % 250), 13211, '10.3.0.' || (34 + i % 2), 443, 'TCP', '2.2.2.2',
        50000 + i % 9999, '10.3.0.40', '192.0.' || (i % 10007 / 250) || '.' || (i % 250), t,
        iif(i % 2000 = 0, NULL, t + 300000000 + (i % 200 = 0) * 9000000000), 'released'"
    rows $((attempts / 50)) "health_span(run_id, interface, from_us, to_us, packets, bytes, kernel_drops, nic_drops, ring_drops, decode_errors,
        table_evictions, stream_gaps, queue_lost, duplicates, one_way_flows, aggregated, not_ip, fragments, handled)
        SELECT 1, 'eth' || (i % 2), t, t + 60000000, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1"
    sqlite3 "$db" "UPDATE run SET last_us = ($start + $span) * 1000000; UPDATE next_id SET next = next + $n + 20000" >/dev/null
    # the next run finds the tables large
    SECONDS=0
    "$edgewatch" --db "$db" --config /dev/null read -q --sensor other pcaps/verdict-refused.pcap
    echo "indexes made in $SECONDS s"
fi
echo "database: $attempts attempts, $n failures, calls and allocations, $(($(stat -c %s "$db") >> 20)) MB"

bad=0
listing() { # ARGUMENTS...
    local best=999999 k from ms
    for k in 0 1 2 3; do
        from=$(date +%s%N)
        "$edgewatch" --db "$db" --config /dev/null "$@" --format csv >"$work/out" 2>"$work/err" || { cat "$work/err"; bad=1; }
        ms=$((($(date +%s%N) - from) / 100000))
        [ $k = 0 ] || [ $ms -ge $best ] || best=$ms
    done
    printf '%5d.%d ms  %6d rows  %s\n' $((best / 10)) $((best % 10)) "$(($(wc -l <"$work/out") - 1))" "$*"
    [ $best -lt 1000 ] || bad=1
}
middle=$(date -u -d "@$((start + span / 2))" +%Y-%m-%dT%H:%M:%SZ)
later=$(date -u -d "@$((start + span / 2 + 600))" +%Y-%m-%dT%H:%M:%SZ)
recent=$(date -u -d "@$((start + span - 600))" +%Y-%m-%dT%H:%M:%SZ)
early=$(date -u -d "@$((start + 600))" +%Y-%m-%dT%H:%M:%SZ)
for command in failures calls allocations health; do
    listing $command --around "$middle" --within 2m
    listing $command --since "$middle" --until "$later"
    listing $command --since "$recent"
    listing $command --until "$early"
done
for command in failures calls; do
    listing $command --user user4711@
    listing $command --user user4711 --around "$middle" --within 30m
    listing $command --call call-$((n / 2))
done
listing failures --addr 198.7.0.7 --around "$middle" --within 1h
listing failures --addr 198.7.0.7
listing failures --addr 10.98.7.7
listing failures --addr 10.3.0.34 --around "$middle" --within 10m
listing failures --verdict timeout --around "$middle" --within 10m
listing failures --finding own-outbound-range-blocked --around "$middle" --within 10m
listing failures --finding own-outbound-range-blocked --verdict refused --user user4711@
listing failures --verdict unreachable --since "$recent"
listing allocations --addr 10.98.7.7 --around "$middle" --within 1h
listing allocations --addr 10.98.7.7
listing allocations --addr 192.0.7.7
listing failures --user nobody-of-that-name
for command in failures calls allocations health; do
    listing $command -n 20
    listing $command -n 20 --since "$middle"
done
listing failures -n 20 --verdict refused
listing failures -n 20 --verdict refused --since "$middle"
listing failures -n 20 --finding own-outbound-range-blocked --since "$middle"
listing failures --verdict unreachable
listing failures --verdict unreachable --since "$middle"
listing failures --finding connection-table-limit
listing failures --finding connection-table-limit -n 20 --since "$middle"
listing failures --user user4711@ --verdict timeout --since "$middle" -n 10
listing calls --user user4711@ --since "$middle"
exit $bad

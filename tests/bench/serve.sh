#!/bin/bash
# serve under load: a database with a million failures of 30 days, 64 connections that ask for a page as fast as they can, and a monitor
# that writes the same database. usage: tests/bench/serve.sh [SECONDS=60] [FAILURES=1000000] [PATH...]      (needs root, wrk and sqlite3)
# Prints per page: requests a second, median, 99th percentile, errors, and the memory of serve before and after. The monitor listens in a
# network of its own, in which two or three connections a second are refused (200 a minute of strangers get rows): each must be a failure in the end, and nothing be lost.
set -eu
cd "$(dirname "$0")/../.."
seconds=${1:-60} n=${2:-1000000}
shift $(($# < 2 ? $# : 2))
[ $# -gt 0 ] || set -- / /failures '/failures?verdict=timeout&user=user7' '/api/failures?limit=100'
for tool in wrk sqlite3 curl unshare; do
    command -v $tool >/dev/null || { echo "bench: no $tool here" >&2; exit 69; }
done
work=$(mktemp -d)
chmod 755 "$work"
pids=()
trap 'kill "${pids[@]}" 2>/dev/null; wait 2>/dev/null; rm -rf "$work"' EXIT
db=$work/million.db

# A real database first, for its tables; then rows by number: 5,000 users, 300 partners, the last 30 days.
./edgewatch --db "$db" --config /dev/null read -q --sensor bench pcaps/incident1-sip-internal.pcap pcaps/incident1-external.pcap
now=$(date +%s)
sqlite3 "$db" "PRAGMA synchronous = OFF;
    WITH RECURSIVE k(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM k WHERE i < $n)
    INSERT INTO failure(id, event_id, run_id, first_us, last_us, leg, transport, verdict, info, src_addr, src_port, src_public, dst_addr,
        dst_port, attempts, syns, rsts, rtt_us, grade, matched_by, confidence, call_id, caller, callee, medium, local_candidate,
        remote_candidate, client_addr, client_port, finding, explanation, advice, quality)
    SELECT 1000 + i, i * 2654435761, 1, t, t + 1100000, 'relay-peer', 'TCP', CASE i % 3 WHEN 0 THEN 'timeout' ELSE 'refused' END, 0,
        '10.3.0.' || (40 + i % 4), 50000 + i % 9999, '2.2.2.' || (2 + i % 4), '198.51.' || (i % 300 / 250) || '.' || (i % 250), 50704,
        1, 3, 3 * (i % 3 > 0), 42500, 'A', 'relay-address,alias,send-destination', 'confirmed', 'call-' || i,
        'sip:user' || (i % 5000) || '@contoso.com', 'sip:user' || (i * 7 % 5000) || '@partner' || (i % 300) || '.example',
        'applicationsharing', 'relay TCP-PASS 2.2.2.' || (2 + i % 4) || ':' || (50000 + i % 9999),
        'relay TCP-PASS 198.51.' || (i % 300 / 250) || '.' || (i % 250) || ':50704', '10.98.2.' || (i % 250), 13211,
        'own-outbound-range-blocked', 'three SYNs, each answered by RST', 'ask the firewall team', 'good'
    FROM (SELECT i, ($now - 30 * 86400) * 1000000 + i * (30 * 86400 * 1000000 / $n) AS t FROM k);
    INSERT INTO finding SELECT id, 0, 'own-outbound-range-blocked', 'possible', '{}', 'ask' FROM failure WHERE id > 1000;
    WITH RECURSIVE h(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM h WHERE i < 720)
    INSERT INTO traffic_hour SELECT 1, ($now / 3600 - i) * 3600000000, '10.3.0.' || (40 + p.value % 4),
        '198.51.' || (p.value / 250) || '.0/24', 50000, 59999, 'TCP', 900, 100, 50, 0 FROM h, json_each('[0,1,2,3,251,252]') p;
    UPDATE run SET last_us = $now * 1000000;"
chmod 666 "$db" && chmod 777 "$work"
echo "database: $(sqlite3 "$db" 'SELECT count(*) FROM failures') failures, $(($(stat -c %s "$db") >> 20)) MB; $(nproc) processors, load $(cut -d' ' -f1 /proc/loadavg)"

./edgewatch --db "$db" --config /dev/null serve --listen 127.0.0.1:0 2>"$work/said" &
server=$!
pids+=($server)
for ((i = 0; i < 50; i++)); do
    url=$(grep -o 'http://[^ ]*' "$work/said") && break
    sleep 0.2
done
url=${url%/}
export db work
unshare -n bash -c 'ip link set lo up
    ./edgewatch --db "$db" --config /dev/null monitor -i lo --edge 127.0.0.1 --sensor beside 2>"$work/beside" &
    monitor=$!
    until grep -q listening "$work/beside"; do sleep 0.1; done
    for ((n = 0; ; n++)); do
        [ ! -e "$work/stop" ] || break
        (exec 3<>/dev/tcp/127.0.0.1/$((50000 + n % 9000))) 2>/dev/null
        sleep 0.4
    done
    sleep 2
    kill -INT $monitor
    wait $monitor
    echo $n >"$work/made"' &
writer=$!
pids+=($writer)

rss() { awk '/^VmRSS/ { printf "%.1f MB", $2 / 1024 }' "/proc/$server/status"; }
for path in "$@"; do
    code=$(curl -s -o /dev/null -w '%{http_code} %{time_total}' "$url$path")
    before=$(rss)
    wrk -t2 -c64 -d"${seconds}s" --timeout 10s --latency "$url$path" >"$work/wrk" || true
    printf '%-42s first %s s; %s req/s, p50 %s, p99 %s, %s; RSS %s -> %s\n' "$path" "$code" \
        "$(awk '/Requests\/sec/ { print $2 }' "$work/wrk")" "$(awk '$1 == "50%" { print $2 }' "$work/wrk")" \
        "$(awk '$1 == "99%" { print $2 }' "$work/wrk")" \
        "$(grep -hE 'Socket errors|Non-2xx' "$work/wrk" | xargs | grep . || echo no error)" "$before" "$(rss)"
done
touch "$work/stop"
wait $writer || true
echo "refused beside: $(cat "$work/made"), failures of the monitor: $(sqlite3 "$db" "SELECT count(*) FROM failures WHERE sensor = 'beside'"), lost: $(
    sqlite3 "$db" "SELECT sum(kernel_drops + nic_drops + ring_drops + queue_lost) FROM health WHERE run_id > 1"), $(grep -E 'lost|packets' "$work/beside" | xargs)"

#!/bin/bash
# An hour of a busy site: generated calls, each of them new, with their failures and media, sent into a
# veth in the time that they take, and the monitor on the other side, database on and kept within bounds.
# Every ten seconds memory, descriptors and counters are looked at. In the second half memory must stay
# within 2 %, descriptors must not change; at the end every packet is accounted for, and every failure
# that was made, and no other, is in the database.   (make soak [MINUTES=60] [CALLS=235])
#
# usage: soak.sh [MINUTES [CALLS-PER-SECOND [MEDIA-PACKETS-PER-LEG]]]
# With the defaults about 144,000 packets and 88 MB per second. SOAK_SAMPLES=FILE keeps the samples, SOAK_MB
# bounds the database.
# needs: iproute2 nftables python3 sqlite3 tshark curl
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/live/lib.sh
minutes=${1:-60} calls=${2:-235} media=${3:-286} most=${SOAK_MB:-1000}
need soak curl
make_work
bin=$PWD/build/release/bench
samples=${SOAK_SAMPLES:-$work/samples}
add_ns site
add_ns sensor
span_port site mon

start sensor monitor "$edgewatch" --config /dev/null --db "$db" monitor -i mon --sensor soak \
    --metrics 9100 --max-db-mb "$most" --ring-mb 256
monitor=$last
wait_for 10 "the monitor to listen" listening

(ip netns exec "$lab-site" "$bin/generate" calls - --calls 4000000000 --rate "$calls" --media "$media" \
    --seconds $((minutes * 60)) --truth "$work/truth" 2>"$work/generate.log" |
    exec ip netns exec "$lab-site" "$bin/send" span-mon - --in-time >"$work/send.log" 2>&1) &
sender=$!
started+=("$sender")
begun=$(date +%s)

# one line: seconds, resident kB, of that anonymous, descriptors, threads, database kB, packets, drops, ...
echo "seconds rss_kb anon_kb fds threads db_kb packets drops queue_lost evictions calls failures" >"$samples"
sample() {
    local status=/proc/$monitor/status
    in_ns sensor curl -s http://127.0.0.1:9100/metrics >"$work/metrics" || return
    echo $(($(date +%s) - begun)) "$(awk '$1 == "VmRSS:" { print $2 }' "$status")" \
        "$(awk '$1 == "RssAnon:" { print $2 }' "$status")" "$(ls "/proc/$monitor/fd" | wc -l)" \
        "$(awk '$1 == "Threads:" { print $2 }' "$status")" "$(($(stat -c %s "$db") / 1024))" \
        "$(awk '/^edgewatch_packets_total/ { p = $2 } /^edgewatch_(kernel|nic|ring)_drops_total/ { d += $2 }
            /^edgewatch_queue_lost_total/ { q = $2 } /^edgewatch_table_evictions_total/ { e = $2 }
            /^edgewatch_calls_total/ { c = $2 } /^edgewatch_failures.*severity="failure"/ { f += $2 }
            END { print p, d, q, e, c, f }' "$work/metrics")" >>"$samples"
}
while kill -0 "$sender" 2>/dev/null; do
    sample
    sleep 10
done
wait "$sender"
sleep 30 # the last SYNs without an answer
kill -TERM "$monitor"
wait "$monitor"
same "SIGTERM ends the monitor with exit code 0" 0 $?
sed 's/^/# /' "$work/monitor.log" "$work/send.log" "$work/generate.log"

# ---- what must hold ----

# The second half of the time in which calls began.
half() {
    awk -v from=$((minutes * 30)) -v to=$((minutes * 60)) 'NR > 1 && $1 >= from && $1 <= to' "$samples"
}
echo "# memory and descriptors in the second half:" \
    "$(half | awk 'NR == 1 { low = high = $2; f = g = $4 } $2 < low { low = $2 } $2 > high { high = $2 }
        $4 < f { f = $4 } $4 > g { g = $4 } END { print low, "to", high, "kB,", f, "to", g, "descriptors" }')"
verdict "resident memory is flat: within 2 % in the second half" "$(half | awk '
    NR == 1 { low = high = $2 } $2 < low { low = $2 } $2 > high { high = $2 }
    END { if (NR < 3 || high > low * 1.02) print NR " samples, " low " to " high " kB" }')"
verdict "descriptors are flat" "$(half | awk 'NR == 1 { f = $4 } $4 != f { print $1 " s: " $4 ", not " f }')"

read -r sent _ <"$work/send.log"
same "every packet that was sent arrived or is told as lost" "$sent" \
    "$(ask "SELECT sum(packets) + sum(kernel_drops) + sum(ring_drops) FROM health WHERE interface = 'mon'")"
same "every packet has one fate" 0 "$(ask "SELECT sum(packets) - sum(handled) - sum(duplicates) - sum(fragments)
    - sum(not_ip) - sum(decode_errors) FROM health WHERE interface = 'mon'")"
same "nothing was lost, before, in, or behind the engine" "0 0 0 0" "$(ask "SELECT sum(kernel_drops), sum(nic_drops),
    sum(ring_drops), (SELECT sum(queue_lost) FROM health) FROM health WHERE interface = 'mon'")"
same "nothing was evicted, nothing had gaps" "0 0" "$(ask "SELECT sum(table_evictions), sum(stream_gaps) FROM health")"
same "the database is sound" ok "$(sqlite3 "$db" 'PRAGMA integrity_check' 2>&1)"
verdict "it kept within its bounds" "$(awk -v most="$most" 'NR > 1 && $6 > most * 1024 * 1.1 { print $1 " s: " $6 " kB" }' "$samples")"
verdict "every failure that was made, and no other" "$(tests/bench/truth.sh --failures "$db" "$work/truth")"
finish
